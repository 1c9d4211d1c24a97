"""What each assumption does to the lag: one at a time, and all defensible choices at once.

The choices are a list typed here, not a search: whoever finds another one defensible names it by an option.
The specifications share their findings, so their spread is no interval.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any

from isoflop.findings import Estimate, Finding
from isoflop.outlook.answer import answer
from isoflop.outlook.find import joined, lag_question
from isoflop.outlook.inputs import by_id
from isoflop.outlook.model import DOUBLING, GAP, RATE, Assumptions

if TYPE_CHECKING:
    import polars as pl

DIFFUSION = (1.0, 0.5, 0.0)
DIFFUSION_STEPS = 20
FEWER_DRAWS = 1024
"""Of each specification: its interval is looked at beside many others, not read off."""
WORDS: Mapping[str, str] = {
    "doubling": "compute grows as",
    "gap": "gap",
    "rate": "algorithms",
    "diffusion": "",
}
ALTERNATIVES: Mapping[str, Mapping[str, str]] = {
    "doubling": {
        DOUBLING: "all systems of known team",
        "divide.doubling_time_months.academia": "systems of academia",
        "divide.doubling_time_months.industry": "systems of industry",
        "progress.hardware_doubling_months": "hardware alone, spending fixed",
    },
    "gap": {
        GAP: "two lines",
        "divide.gap_oom.collaboration_as_industry": "collaborations as industry",
        "divide.gap_oom.quantile_50": "between medians",
        "divide.gap_oom.quantile_90": "between top tenths",
    },
    "rate": {
        RATE: "best fit, language",
        "progress.halving_time_months.sweep.map": "median over defensible fits",
        "progress.rate_per_year.image_classification": "image classification",
    },
}
"""Finding to its words, by assumption; the default first."""
CORRELATIONS: Mapping[tuple[str, str], str] = {
    (GAP, DOUBLING): "gap with doubling time",
    (RATE, DOUBLING): "algorithms with doubling time",
}
"""Pairs that may well hang together: one table gives gap and doubling; fast years may be fast in both."""
RHO = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Specification:
    """One set of choices and the lag under it."""

    choices: Mapping[str, str]
    lag: Estimate
    is_assumed: bool

    def row(self) -> dict[str, Any]:
        """Return the specification as a table row."""
        return {
            **self.choices,
            "value": self.lag.value,
            "low": self.lag.low,
            "high": self.lag.high,
            "assumed": self.is_assumed,
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curve:
    """The lag under every combination of choices at hand, in rising order, and one change at a time.

    Parameters
    ----------
    specifications : tuple of Specification
        All combinations.
    alone : tuple of (str, str, Estimate)
        Assumption, its setting and the lag with this one change from the defaults; the first is the default.
    """

    specifications: tuple[Specification, ...]
    alone: tuple[tuple[str, str, Estimate], ...]

    @property
    def span(self) -> tuple[float, float] | None:
        """Least and greatest lag in years; None where there is none."""
        values = [one.lag.value for one in self.specifications if one.lag.value is not None]
        return (values[0], values[-1]) if values else None

    def rows(self) -> list[dict[str, Any]]:
        """Return one row a specification."""
        return [one.row() for one in self.specifications]

    def alone_rows(self) -> list[dict[str, Any]]:
        """Return one row a single change."""
        return [
            {"assumption": name, "setting": setting, "value": lag.value, "low": lag.low, "high": lag.high}
            for name, setting, lag in self.alone
        ]

    def frame(self) -> pl.DataFrame:
        """Return `rows` as a table."""
        import polars as pl

        return pl.DataFrame(self.rows(), infer_schema_length=None)


def specifications(findings: Iterable[Finding], *, assumptions: Assumptions | None = None) -> Curve:
    """Return the lag of academia under every combination of defensible choices.

    Parameters
    ----------
    findings : iterable of Finding
        A choice whose finding is missing or not identified is left out.
    assumptions : Assumptions, optional
        Where each single change starts from.
    """
    base = assumptions or Assumptions()
    known = by_id(findings)
    usable = {id for id, finding in known.items() if finding.status == "ok"}
    at_hand = {
        name: list(dict.fromkeys((getattr(base, name), *(id for id in choices if id in usable))))
        for name, choices in ALTERNATIVES.items()
    }
    combined = [
        _specification(known, base, dict(zip((*at_hand, "diffusion"), chosen, strict=True)))
        for chosen in product(*at_hand.values(), DIFFUSION)
    ]
    return Curve(
        specifications=tuple(sorted(combined, key=lambda one: (one.lag.value is None, one.lag.value))),
        alone=tuple(_alone(known, base, at_hand)),
    )


def by_diffusion(
    findings: Iterable[Finding], *, assumptions: Assumptions | None = None
) -> tuple[tuple[float, Estimate], ...]:
    """Return the lag by the share of algorithmic progress that reaches academia, from none to all."""
    base = assumptions or Assumptions()
    known = by_id(findings)
    shares = [step / DIFFUSION_STEPS for step in range(DIFFUSION_STEPS + 1)]
    return tuple((share, _lag_under(known, replace(base, diffusion=share))) for share in shares)


def _specification(known: Mapping[str, Finding], base: Assumptions, chosen: dict[str, Any]) -> Specification:
    return Specification(
        choices={name: _word(name, setting) for name, setting in chosen.items()},
        lag=_lag_under(known, replace(base, **chosen, correlation={}, draws=min(base.draws, FEWER_DRAWS))),
        is_assumed=all(getattr(base, name) == setting for name, setting in chosen.items()),
    )


def _alone(
    known: Mapping[str, Finding], base: Assumptions, at_hand: Mapping[str, Sequence[str]]
) -> Iterable[tuple[str, str, Estimate]]:
    yield "as assumed", "", _lag_under(known, base)
    for name, ids in at_hand.items():
        for id in ids:
            if id != getattr(base, name):
                # A correlation may name the finding that is exchanged.
                changed: dict[str, Any] = {name: id, "correlation": {}}
                yield WORDS[name], _word(name, id), _lag_under(known, replace(base, **changed))
    for share in DIFFUSION:
        if share != base.diffusion:
            yield "diffusion", _word("diffusion", share), _lag_under(known, replace(base, diffusion=share))
    for pair, words in CORRELATIONS.items():
        for rho in (-RHO, RHO):
            if set(pair) <= set(base.ids) and set(pair) <= set(known):
                lag = _lag_under(known, replace(base, correlation={**base.correlation, pair: rho}))
                yield "correlation", f"{words} {rho:+g}".replace("-", "\N{MINUS SIGN}"), lag


def _lag_under(known: Mapping[str, Finding], chosen: Assumptions) -> Estimate:
    ready = joined(known.values(), chosen)
    return answer(lag_question(chosen), ready, chosen, with_shares=False).estimate


def _word(name: str, setting: Any) -> str:
    if name == "diffusion":
        return {1.0: "free", 0.5: "half", 0.0: "none"}.get(setting, f"{setting:g} of it")
    return ALTERNATIVES[name].get(setting, str(setting))

"""Variants of a fit and what they say together: rows, ranges, findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.errors import NotIdentifiedError
from isoflop.findings import Estimate, Finding, Provenance, json_ready
from isoflop.present.notebook import result_html
from isoflop.progress.halving import MEANING, halving_months, halving_time, months_text
from isoflop.progress.result import ProgressFit
from isoflop.progress.sample import Sample
from isoflop.progress.settings import L1
from isoflop.units import rate_from_halving_time

if TYPE_CHECKING:
    import polars as pl

FAST_MONTHS = 12.0
"""Between the two modes that the published evidence has; only used to count variants on either side."""
MOVED = 0.25
"""Relative spread of halving times over a sweep above which a caution is due."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Variant:
    """One choice made otherwise.

    Parameters
    ----------
    setting : str
        The choice in words.
    slug : str
        The choice as part of an id.
    choices : mapping
        Name of each choice and what was taken.
    fit : ProgressFit or None
        None where the rows cannot answer; `why_not` says why.
    branches : tuple of int
        Along a path of penalties: the branch that each minimum continues.
    headline : bool
        Whether the variant becomes a finding; points of a path between the paper's penalties do not.
    """

    setting: str
    slug: str
    choices: Mapping[str, Any] = field(default_factory=dict)
    fit: ProgressFit | None
    why_not: str = ""
    branches: tuple[int, ...] = ()
    headline: bool = True

    @cached_property
    def rate(self) -> Estimate:
        """G in ln/yr at the best minimum; missing where the variant has none."""
        if self.fit is None or not self.fit.model.law.has_time:
            return Estimate(value=None, unit="ln/yr")
        return self.fit.rate

    @property
    def halving_time(self) -> Estimate:
        """Halving time in months; missing where there is no progress."""
        return halving_time(self.rate)

    @property
    def reason(self) -> str:
        """Why there is no halving time, or an empty text."""
        if self.fit is not None and not self.fit.model.law.has_time:
            return f"law {self.fit.model.law.number} has no time term"
        if self.fit is not None and self.rate.value is None:
            return "an exponent is zero at the best minimum, so the rate is unbounded"
        if self.fit is not None and self.halving_time.value is None:
            return "no progress at the best minimum: its rate is not above zero"
        return self.why_not

    def rows(self) -> list[dict[str, Any]]:
        """Return one row per certified minimum, or one row with the reason why there is none."""
        common = {
            "setting": self.setting,
            "slug": self.slug,
            **self.choices,
            "n": None if self.fit is None else self.fit.sample.n,
            "reason": self.reason,
        }
        if self.fit is None:
            return [common]
        try:
            rates: list[float | None] = [g if np.isfinite(g) else None for g in self.fit.basin_rates()]
        except NotIdentifiedError:
            rates = [None] * len(self.fit.minima)
        rows = []
        for k, (basin, g) in enumerate(zip(self.fit.minima, rates, strict=True)):
            best = k == 0
            rows.append(
                {
                    **common,
                    "minimum": k + 1,
                    "is_best": best,
                    "branch": self.branches[k] if self.branches else None,
                    "rate_per_year": g,
                    "rate_low": self.rate.low if best else None,
                    "rate_high": self.rate.high if best else None,
                    "halving_time_months": halving_months(g),
                    "halving_time_low": self.halving_time.low if best else None,
                    "halving_time_high": self.halving_time.high if best else None,
                    "interval": self.halving_time.interval if best and self.rate.level else None,
                    "level": self.rate.level if best else None,
                    "objective": basin.objective,
                    "objective_above_best": basin.objective - self.fit.objective,
                    "certificate": basin.kkt,
                    "share_of_starts": basin.share_of_starts,
                }
            )
        return rows


def table_of(variants: tuple[Variant, ...]) -> pl.DataFrame:
    """Return one row per variant and certified minimum."""
    import polars as pl

    return pl.DataFrame([row for v in variants for row in v.rows()], infer_schema_length=None)


def known_months(variants: tuple[Variant, ...]) -> list[float]:
    """Return the halving times of the variants that have one, best minimum of each."""
    return [v.halving_time.value for v in variants if v.halving_time.value is not None]


def _spread_cautions(variants: tuple[Variant, ...], what: str) -> list[str]:
    months = known_months(variants)
    said = []
    if months and max(months) / min(months) - 1 > MOVED:
        said.append(
            f"{what} moves the halving time between {min(months):.1f} and {max(months):.1f} months: "
            "state the choice beside the number."
        )
    without = sum(v.rate.value is not None and v.halving_time.value is None for v in variants)
    if without:
        said.append(
            f"{without} of {len(variants)} variants find no progress, so they have no halving time: "
            "read their rates."
        )
    rivals = sum(v.fit.has_two_basins for v in variants if v.fit is not None)
    if rivals:
        said.append(
            f"{rivals} of {len(variants)} variants have a second minimum that fits almost as well: "
            "read all minima, not only the best."
        )
    skipped = [v for v in variants if v.fit is None]
    if skipped:
        said.append(
            f"{len(skipped)} of {len(variants)} variants cannot be answered, e.g. {skipped[0].setting}: "
            f"{skipped[0].why_not}"
        )
    return said


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Sweep:
    """The variants of one choice."""

    over: str
    variants: tuple[Variant, ...]
    sample: Sample
    law: int
    penalty: L1
    seed: int

    def span(self) -> tuple[float, float]:
        """Return the least and the greatest halving time in months over variants that have one.

        Raises
        ------
        NotIdentifiedError
            None has.
        """
        months = known_months(self.variants)
        if not months:
            raise NotIdentifiedError(f"sweep over {self.over}: no variant has a rate. Use a law with time.")
        return min(months), max(months)

    def frame(self) -> pl.DataFrame:
        """Return one row per variant and certified minimum; ``is_best`` marks the best of each."""
        return table_of(self.variants)

    def path(self) -> pl.DataFrame:
        """Return one row per variant, minimum and parameter: the path of theta."""
        import polars as pl

        rows = [
            {
                "slug": v.slug,
                "delta": v.fit.penalty.delta,
                "minimum": k + 1,
                "branch": v.branches[k] if v.branches else None,
                "parameter": name,
                "theta": float(value),
            }
            for v in self.variants
            if v.fit is not None
            for k, basin in enumerate(v.fit.minima)
            for name, value in zip(v.fit.model.names, basin.theta, strict=True)
        ]
        return pl.DataFrame(rows, infer_schema_length=None)

    @property
    def cautions(self) -> tuple[str, ...]:
        """What the sweep says about the headline, then the sample's own cautions."""
        own = _spread_cautions(self.variants, f"the choice of {self.over}")
        if self.over == "law":
            own.append("objectives of laws with different parameters or rows are no ranking: use compare.")
            own.append(
                "law 22: the penalty sets gamma_year; only the totals alpha_year + gamma_year and "
                "beta_year + gamma_year are identified, and the rate uses these."
            )
        return (*own, *self.sample.cautions)

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the sweep."""
        return self.sample.provenance

    def findings(self) -> tuple[Finding, ...]:
        """Return the halving time under each variant that is no mere point of a path."""
        stem = f"progress.halving_time_months.sweep.{self.over}"
        found = []
        for v in self.variants:
            if not v.headline:
                continue
            slug = v.slug.removeprefix(f"{self.over}_")
            found.append(
                Finding(
                    id=f"{stem}_{slug}",
                    instrument="progress",
                    label=f"halving time, {v.setting}",
                    estimate=v.halving_time,
                    method=v.fit.method if v.fit is not None else "not fitted",
                    n=None if v.fit is None else v.fit.sample.n,
                    evidence=self.provenance if v.fit is None else v.fit.provenance,
                    seed=self.seed,
                    cautions=() if v.fit is None else v.fit.cautions,
                    details=json_ready(
                        {
                            "over": self.over,
                            "unbounded": MEANING,
                            "setting": v.setting,
                            "choices": dict(v.choices),
                            "rate_per_year": {"value": v.rate.value, "low": v.rate.low, "high": v.rate.high},
                            "reason": v.reason,
                            "minima": v.rows() if v.fit is not None else [],
                        }
                    ),
                )
            )
        return tuple(found)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping."""
        return {
            "over": self.over,
            "rows": json_ready(self.frame().to_dicts()),
            "cautions": list(self.cautions),
            "provenance": [p.to_dict() for p in self.provenance],
        }

    def summary(self) -> str:
        """Return the headline variants with their minima, and the cautions."""
        law = "all laws" if self.over == "law" else f"law {self.law}"
        lines = [f"{self.sample.table.name}, {law}: halving time over {self.over}"]
        lines += [f"  {line}" for v in self.variants if v.headline for line in _lines(v)]
        return "\n".join([*lines, *(f"  caution: {c}" for c in self.cautions)])

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class SensitivityMap:
    """Every combination of penalty, normaliser, perplexity and sample."""

    variants: tuple[Variant, ...]
    sample: Sample
    law: int
    seed: int

    def frame(self) -> pl.DataFrame:
        """Return one row per combination and certified minimum."""
        return table_of(self.variants)

    def curve(self) -> pl.DataFrame:
        """Return the specification curve: best minima ranked by rate, with ``rank`` from 1."""
        import polars as pl

        known = [v for v in self.variants if v.rate.value is not None]
        ordered = sorted(known, key=lambda v: -(v.rate.value or 0.0))
        rows = [{"rank": i + 1, **v.rows()[0]} for i, v in enumerate(ordered)]
        return pl.DataFrame(rows, infer_schema_length=None)

    @property
    def cautions(self) -> tuple[str, ...]:
        """What the map says about the headline, then the sample's own cautions."""
        spread = _spread_cautions(
            self.variants, "the combination of penalty, normaliser, perplexity and sample"
        )
        spread.append("combinations overlap in their rows: their spread is no confidence interval.")
        return (*spread, *self.sample.cautions)

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the map."""
        return self.sample.provenance

    def findings(self) -> tuple[Finding, ...]:
        """Return the median halving time over combinations, its spread in the details."""
        rates = np.array([v.rate.value for v in self.variants if v.rate.value is not None])
        months = [m for m in map(halving_months, rates.tolist()) if m is not None]
        middle = float(np.median(rates)) if rates.size else 0.0
        details = {
            "combinations": len(self.variants),
            "answered": int(rates.size),
            "least_months": min(months, default=None),
            "greatest_months": max(months, default=None),
            "quartiles_of_rate": np.quantile(rates, [0.25, 0.5, 0.75]).tolist() if rates.size else None,
            "share_below_12_months": float(np.mean(rates > rate_from_halving_time(FAST_MONTHS)))
            if rates.size
            else None,
            "share_no_progress": float(np.mean(rates <= 0)) if rates.size else None,
        }
        return (
            Finding(
                id="progress.halving_time_months.sweep.map",
                instrument="progress",
                label="halving time, median over defensible choices",
                estimate=Estimate(value=halving_months(middle), unit="months"),
                method=f"law {self.law}, {len(self.variants)} certified combinations; a range of choices",
                n=self.sample.n,
                evidence=self.provenance,
                seed=self.seed,
                cautions=self.cautions,
                details=json_ready(details),
            ),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping."""
        return {
            "rows": json_ready(self.frame().to_dicts()),
            "cautions": list(self.cautions),
            "provenance": [p.to_dict() for p in self.provenance],
        }

    def summary(self) -> str:
        """Return the spread and the cautions."""
        finding = self.findings()[0]
        d = finding.details
        lines = [
            f"{self.sample.table.name}, law {self.law}: "
            f"{d['answered']} of {d['combinations']} combinations answered"
        ]
        if finding.estimate.value is not None:
            lines.append(
                f"  halving time: median {finding.estimate.value:.1f} months, {d['least_months']:.1f} to "
                f"{d['greatest_months']:.1f}; {d['share_below_12_months']:.0%} below 12 months"
            )
        return "\n".join([*lines, *(f"  caution: {c}" for c in self.cautions)])

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html


def _lines(v: Variant) -> list[str]:
    if v.fit is None:
        return [f"{v.setting}: {v.why_not}"]
    from isoflop.present import formats

    shown = f"{v.setting} (n {v.fit.sample.n}): "
    if v.rate.value is None:
        return [f"{shown}{v.reason}; objective {v.fit.objective:.7f}"]
    time = formats.estimate(v.halving_time, unbounded=MEANING)
    found = f"{v.reason}, {formats.estimate(v.rate)}" if v.reason else time
    lines = [f"{shown}{found}; objective {v.fit.objective:.7f}"]
    further = (
        f"  also {months_text(row['halving_time_months'])}, objective +{row['objective_above_best']:.1e}"
        for row in v.rows()[1:]
    )
    return [*lines, *further]

"""Pairs and groups of systems of equal performance, and the rate of progress they show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from isoflop.findings import Estimate, Finding, Provenance, json_ready
from isoflop.present.notebook import result_html
from isoflop.progress.halving import halving_time, yearly_multiple

if TYPE_CHECKING:
    import polars as pl

FlopSource = Literal["given", "all"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A system whose perplexity is the level to be matched.

    Parameters
    ----------
    name : str
        How the system's name begins; of several the earliest, then the best, is meant.
    factor : float, > 1
        Others match if their perplexity lies within this factor, either side.
    benchmark : str
    published_months : float or None
        Halving time printed by Ho et al. (2024).
    """

    name: str
    factor: float
    benchmark: str = "WT103"
    published_months: float | None = None


REFERENCES = (
    Reference(name="Gopher", factor=1.25, published_months=6.9),
    Reference(name="GPT-2", factor=1.075, published_months=5.9),
    Reference(name="Megatron", factor=1.1, published_months=14.9),
)
PUBLISHED_TEXT = {"Megatron": 11.7, "ALiBi": 16.6}
"""Months in the text of the conference version, where they differ from the notebook's."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class IsoPerformance:
    """The slope of ln compute on date among systems of one level.

    Parameters
    ----------
    level : str
        Reference system or target accuracy.
    flop : {"given", "all"}
        Whether derived FLOP (6ND) are used beside given ones.
    rate : Estimate
        Minus the slope, ln/yr: growth of effective compute.
    halving_time, multiple : Estimate
    n : int
        Systems.
    published_months : float or None
    why_not : str
        Why there is no value, if there is none.
    """

    level: str
    flop: FlopSource
    rate: Estimate
    n: int
    published_months: float | None = None
    why_not: str = ""

    @property
    def halving_time(self) -> Estimate:
        """Months in which the compute for this level halves."""
        return halving_time(self.rate)

    @property
    def multiple(self) -> Estimate:
        """Times less compute a year later."""
        return yearly_multiple(self.rate)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Matches:
    """Direct matches, iso-performance slopes, and savings at fixed accuracy.

    Parameters
    ----------
    pairs : polars.DataFrame
        One row per earlier system: the first later one that is no worse with less compute.
    forward, backward : int
        Of all pairs of different papers on one benchmark where one system is no worse and cheaper:
        how often it is the later one, and how often the earlier. Without progress they balance.
    points : polars.DataFrame
        The systems behind each slope.
    slopes : tuple of IsoPerformance
        References, each with given FLOP and with all.
    savings : tuple of IsoPerformance
        Targets of the savings table, then all targets together ("all targets"); empty without it.
    """

    pairs: pl.DataFrame
    forward: int
    backward: int
    points: pl.DataFrame
    slopes: tuple[IsoPerformance, ...]
    savings: tuple[IsoPerformance, ...]
    n: int
    level: float
    cautions: tuple[str, ...]
    provenance: tuple[Provenance, ...]

    def frame(self) -> pl.DataFrame:
        """Return one row per slope."""
        import polars as pl

        rows = [
            {
                "kind": kind,
                "level": one.level,
                "flop": one.flop,
                "n": one.n,
                "rate_ln_per_year": one.rate.value,
                "rate_low": one.rate.low,
                "rate_high": one.rate.high,
                "halving_time_months": one.halving_time.value,
                "halving_time_low": one.halving_time.low,
                "halving_time_high": one.halving_time.high,
                "interval": one.halving_time.interval,
                "published_months": one.published_months,
                "why_not": one.why_not,
            }
            for kind, group in (("reference", self.slopes), ("savings", self.savings))
            for one in group
        ]
        return pl.DataFrame(rows, infer_schema_length=None)

    def findings(self) -> tuple[Finding, ...]:
        """Return the share of forward matches and each halving time."""
        pairs = self.forward + self.backward
        share = self.forward / pairs if pairs else None
        found = [
            Finding(
                id="progress.direct_match_forward_share",
                instrument="progress",
                label="Share of no-worse-and-cheaper pairs in which the cheaper system is the later one",
                estimate=Estimate(value=share, unit="1"),
                method="all pairs of different papers on one benchmark; 0.5 without progress; pairs overlap",
                n=self.n,
                evidence=self.provenance,
                cautions=self.cautions,
                details={"forward": self.forward, "backward": self.backward, "matched": self.pairs.height},
            )
        ]
        for group, stem in (
            (self.slopes, "progress.iso_performance_halving_time_months"),
            (self.savings, "progress.savings_halving_time_months"),
        ):
            for one in group:
                tail = _slug(one.level) + (".all_flop" if one.flop == "all" else "")
                found.append(
                    Finding(
                        id=stem if one.level == "all targets" else f"{stem}.{tail}",
                        instrument="progress",
                        label=f"Halving time of compute at the level of {one.level}"
                        + (", 6ND where not stated" if one.flop == "all" else ""),
                        estimate=one.halving_time,
                        method="least squares of ln compute on date at equal performance; Student's t",
                        n=one.n,
                        evidence=self.provenance,
                        cautions=self.cautions,
                        details={
                            "rate_ln_per_year": {
                                "value": one.rate.value,
                                "low": one.rate.low,
                                "high": one.rate.high,
                            },
                            "published_months": one.published_months,
                            "why_not": one.why_not,
                        },
                    )
                )
        return tuple(found)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping."""
        return {
            "slopes": json_ready(self.frame().to_dicts()),
            "pairs": json_ready(self.pairs.to_dicts()),
            "forward": self.forward,
            "backward": self.backward,
            "cautions": list(self.cautions),
            "provenance": [p.to_dict() for p in self.provenance],
        }

    def summary(self) -> str:
        """Return a text of one screen."""
        lines = [
            f"{self.n} systems with compute; {self.pairs.height} have a later, cheaper match; "
            f"pairs {self.forward} forward, {self.backward} backward",
        ]
        for one in (*self.slopes, *self.savings):
            time = one.halving_time
            if time.value is None:
                text = f"no halving time ({one.why_not or 'compute at this level does not fall'})"
            elif time.interval == "open_above":
                text = f"{time.value:.1f} months (at least {time.low:.1f})"
            elif time.low is None or time.high is None:
                text = f"{time.value:.1f} months"
            else:
                text = f"{time.value:.1f} months ({time.low:.1f} to {time.high:.1f})"
            shown = f"; published {one.published_months:g}" if one.published_months else ""
            lines.append(f"  {one.level} ({one.flop} FLOP, n {one.n}): {text}{shown}")
        return "\n".join([*lines, *(f"Caution: {note}" for note in self.cautions)])

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html


def _slug(text: str) -> str:
    return "".join(ch if ch.isalnum() else "_" for ch in text.lower()).strip("_")

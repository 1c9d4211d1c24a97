"""A team's share by group of compute above trend, and by field, with rank correlations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from isoflop.divide.model import Period, Team
from isoflop.divide.sample import Sample
from isoflop.findings import Finding, Provenance, json_ready
from isoflop.present import formats
from isoflop.present.notebook import result_html

if TYPE_CHECKING:
    import polars as pl

ORDINALS = {10: "decile", 5: "fifth", 4: "quarter"}
FEW = 10
"""Systems a group needs for its share to say something by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One group of equal size, 1 the least compute above trend.

    Parameters
    ----------
    k : mapping of str to int
        Systems of each team.
    lowest, highest : float or None
        Residuals at its ends, in orders of magnitude; None for an empty group.
    share : float or None
        Of the team followed.
    ratio, low, high : float or None
        Its share over its share of all groups, with its interval.
    """

    place: int
    n: int
    k: Mapping[str, int]
    lowest: float | None
    highest: float | None
    share: float | None
    ratio: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One domain or task: its compute, and how common the team is in it."""

    name: str
    n: int
    k: int
    median_log10_flop: float
    median_residual: float
    ratio: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation:
    """Spearman's rho, its permutation p, and the interval by organisation where there is one."""

    rho: float
    p: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ComputeDeciles:
    """How a team's share falls, or does not, towards the top of compute.

    Parameters
    ----------
    sample : Sample
        Systems of known team in the years used.
    years : Period
    team : str
    level : float
    seed : int
    groups : tuple of Group
    correlation : Correlation or None
        Between group and share; None where all shares agree.
    fields : mapping of str to tuple of Field
        By ``domain`` and ``task``, where the table has them.
    """

    sample: Sample
    years: Period
    team: Team
    level: float
    seed: int
    groups: tuple[Group, ...]
    correlation: Correlation | None
    fields: Mapping[str, tuple[Field, ...]]

    @property
    def n(self) -> int:
        """Systems used."""
        return self.sample.n

    @property
    def k(self) -> int:
        """Systems of the team."""
        return int((self.sample.team == self.team).sum())

    @property
    def word(self) -> str:
        """What a group is called."""
        return ORDINALS.get(len(self.groups), "group")

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence used."""
        return self.sample.provenance(self.n)

    @cached_property
    def cautions(self) -> tuple[str, ...]:
        """What limits the numbers, each with what would cure it."""
        said = list(self.sample.cautions)
        smallest = min(g.n for g in self.groups)
        if smallest < FEW:
            said.append(f"Groups hold as few as {smallest} systems: take fewer groups, or more years.")
        overlapping = [name for name, fields in self.fields.items() if sum(f.n for f in fields) > self.n]
        if overlapping:
            said.append(
                f"A system may count in several {' and '.join(f'{n}s' for n in overlapping)}, so their "
                "ratios depend on each other."
            )
        return tuple(said)

    def rows(self) -> list[dict[str, Any]]:
        """Return one row a group, JSON-ready."""
        return [
            {
                "group": g.place,
                "n": g.n,
                **{f"k_{team}": count for team, count in g.k.items()},
                "residual_low": g.lowest,
                "residual_high": g.highest,
                "share": g.share,
                "ratio": g.ratio,
                "low": g.low,
                "high": g.high,
            }
            for g in self.groups
        ]

    def field_rows(self) -> list[dict[str, Any]]:
        """Return one row a domain or task with enough systems, the most compute first."""
        return [
            {
                "by": by,
                "field": f.name,
                "n": f.n,
                "k": f.k,
                "median_log10_flop": f.median_log10_flop,
                "median_residual_oom": f.median_residual,
                "ratio": f.ratio,
                "low": f.low,
                "high": f.high,
            }
            for by, fields in self.fields.items()
            for f in fields
        ]

    def frame(self) -> pl.DataFrame:
        """Return one row a group."""
        import polars as pl

        return pl.DataFrame(self.rows(), infer_schema_length=None)

    def findings(self) -> tuple[Finding, ...]:
        """Return the rank correlation, the ratio of each group, and the correlations over fields."""
        from isoflop.divide.deciles.findings import findings_of

        return findings_of(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        shown: dict[str, Any] = json_ready(
            {
                "sample": self.sample.text,
                "years": str(self.years),
                "team": self.team,
                "correlation": None
                if self.correlation is None
                else {"rho": self.correlation.rho, "p": self.correlation.p},
                "groups": self.rows(),
                "fields": self.field_rows(),
                "cautions": list(self.cautions),
                "provenance": [p.to_dict() for p in self.provenance],
            }
        )
        return shown

    def summary(self) -> str:
        """Return a text of one screen."""
        ratios = ", ".join("–" if g.ratio is None else formats.number(g.ratio, 2) for g in self.groups)
        lines = [
            f"{self.sample.text}; {self.k} of {self.n} systems of {self.years} are of {self.team}",
            f"share of {self.team} by {self.word} of compute above trend, over its share of all: {ratios}",
        ]
        if self.correlation is not None:
            lines.append(
                f"rank correlation {formats.number(self.correlation.rho, 2)}, p = "
                f"{formats.number(self.correlation.p, 2)}"
            )
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html

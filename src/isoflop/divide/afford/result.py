"""What budgets and facilities could have trained: shares by year, the systems, and what moves them."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from isoflop.divide.afford.assumptions import Assumptions, Basis
from isoflop.divide.large import Large
from isoflop.divide.model import Period
from isoflop.divide.sample import Sample
from isoflop.findings import Estimate, Finding, Provenance, equal_probability_quantiles, json_ready
from isoflop.present import formats
from isoflop.present.notebook import result_html

if TYPE_CHECKING:
    import polars as pl

FEW = 10
"""Below this number of large systems a caution is given."""
NOT_THEIR_COST = (
    "The cost is that of renting the cheapest chips of the day for the final run at the assumed utilisation: "
    "not what the makers paid, and without staff, data, failed runs and research."
)
MARKET_DEPTH = (
    "Quotes are for single machines: whether thousands of chips could be had together at that price, and in "
    "one network, is not known."
)
WHOLE_YEAR = (
    "A facility is counted as if one team had {share} of it for a whole year without a break. Real awards "
    "are a small part: set the share to that of an award."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Purse:
    """A budget in US dollars of the day, or a facility's year of chip-hours.

    Parameters
    ----------
    name : str
        ``1e6`` for a budget, the machine's name for a facility.
    kind : {"budget", "facility"}
    usd : float
        Zero for a facility.
    accelerator, accelerators, since, note
        The facility's chips, their number, the year from which it had them, and a remark.
    chip_hours, peak_flop : float
        What one team gets of it, in chip-hours and in FLOP at peak speed.
    """

    name: str
    kind: Literal["budget", "facility"]
    usd: float = 0.0
    accelerator: str = ""
    accelerators: float = 0.0
    since: int | None = None
    note: str = ""
    chip_hours: float = 0.0
    peak_flop: float = 0.0

    @property
    def id(self) -> str:
        """Part of a finding's id.

        Examples
        --------
        >>> Purse(name="Isambard-AI", kind="facility").id, Purse(name="1e6", kind="budget").id
        ('isambard_ai', '1e6')
        """
        return re.sub(r"[^a-z0-9]+", "_", self.name.lower()).strip("_")

    @property
    def text(self) -> str:
        """The purse in words."""
        return f"{formats.count(self.usd)} US dollars" if self.kind == "budget" else self.name


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cell:
    """One purse in one period.

    Parameters
    ----------
    k, n : int
        Large systems within reach, and all large systems with a price.
    share : float or None
    low, high : float
        Percentile interval over draws of utilisation, price and compute.
    sampling_low, sampling_high : float
        Wilson interval of k/n, as if the systems were a sample of such years.
    is_before : bool
        The facility did not stand yet.
    draws : array, shape (reps,)
    """

    purse: Purse
    period: Period
    k: int
    n: int
    share: float | None
    low: float
    high: float
    sampling_low: float
    sampling_high: float
    is_before: bool
    draws: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitivity:
    """The share of the headline years under another utilisation, basis, price or part of a facility."""

    purse: Purse
    basis: Basis
    utilisation: float
    price_factor: float
    part: float
    k: int
    n: int
    share: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """The share of the headline years under another definition of large."""

    purse: Purse
    large: str
    k: int
    n: int
    share: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """One system and what its final run would have cost on the market of its day."""

    model: str
    date: dt.date
    team: str
    train_flop: float
    is_large: bool
    hardware: str
    usd_per_chip_hour: float
    basis: Basis
    is_stale: bool
    chip_hours: float
    cost_usd: float
    low: float
    high: float
    listed_cost_usd: float | None


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Affordability:
    """Which large systems stated budgets and facilities could have trained.

    Parameters
    ----------
    sample : Sample
        Systems since the first price.
    large : Large
    assumptions : Assumptions
    period : Period
        Years of the headline.
    level : float
    reps, seed : int
    purses : tuple of Purse
    cells : tuple of Cell
        Purse × calendar year, and purse × headline years.
    sensitivity : tuple of Sensitivity
    definitions : tuple of Definition
    systems : tuple of System
    left_out : tuple of str
        Chips with quotes that were not used: speed not known, or gaming cards.
    """

    sample: Sample
    large: Large
    assumptions: Assumptions
    period: Period
    level: float
    reps: int
    seed: int
    purses: tuple[Purse, ...]
    cells: tuple[Cell, ...]
    sensitivity: tuple[Sensitivity, ...]
    definitions: tuple[Definition, ...]
    systems: tuple[System, ...]
    left_out: tuple[str, ...] = field(default=())

    def headline(self, purse: Purse) -> Cell:
        """Return the share of a purse in the headline years."""
        return next(c for c in reversed(self.cells) if c.purse == purse and c.period == self.period)

    def by_year(self, purse: Purse) -> tuple[Cell, ...]:
        """Return the shares of a purse by calendar year."""
        mine = [c for c in self.cells if c.purse == purse and c.period.first == c.period.last]
        return tuple({c.period: c for c in mine}.values())

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the shares: the systems that are large."""
        return self.sample.provenance(sum(one.is_large for one in self.systems))

    @cached_property
    def cost_check(self) -> tuple[int, float | None]:
        """How many systems have a cost in the table, and the median of our cost over it."""
        ratios = [s.cost_usd / s.listed_cost_usd for s in self.systems if s.listed_cost_usd]
        return len(ratios), float(np.median(ratios)) if ratios else None

    @cached_property
    def cautions(self) -> tuple[str, ...]:
        """What limits the numbers, each with what would cure it."""
        said = [*self.sample.cautions, NOT_THEIR_COST, MARKET_DEPTH]
        n = self.headline(self.purses[0]).n
        if n < FEW:
            said.append(f"Only {n} large systems in {self.period}: join years, or add systems.")
        bought = sum(s.basis == "purchase" and s.is_large for s in self.systems)
        if bought and self.assumptions.basis == "rental":
            said.append(
                f"{bought} large systems are older than the first quoted rent: a bought chip at "
                f"{self.assumptions.ownership_factor:g} times its price, written off over "
                f"{self.assumptions.life_years:g} years, stands in. Costs jump where rents begin: no trend "
                "runs across that year. Quotes of those years would cure it."
            )
        stale = sum(s.is_stale and s.is_large for s in self.systems)
        if stale:
            said.append(
                f"{stale} large systems have no quote of the {self.assumptions.window_years:g} years before: "
                "the latest earlier ones stand in. Newer quotes would cure it."
            )
        if any(p.kind == "facility" for p in self.purses):
            said.append(WHOLE_YEAR.format(share=formats.percent(self.assumptions.facility_share)))
        checked, ratio = self.cost_check
        if ratio is not None and checked >= FEW and not 0.5 <= ratio <= 2:
            said.append(
                f"Over {checked} systems whose cost the table lists, ours is {formats.multiple(ratio)} as "
                "high in the median: levels are as uncertain as that, comparisons less so."
            )
        return tuple(said)

    def rows(self) -> list[dict[str, Any]]:
        """Return purse × year and the headline years, JSON-ready."""
        names = ("k", "n", "share", "low", "high", "sampling_low", "sampling_high", "is_before")
        return [
            {
                "purse": c.purse.name,
                "kind": c.purse.kind,
                "usd": c.purse.usd or None,
                "chip_hours": c.purse.chip_hours or None,
                "period": str(c.period),
                "is_headline": c is self.headline(c.purse),
                **{name: getattr(c, name) for name in names},
            }
            for c in self.cells
        ]

    def sensitivity_rows(self) -> list[dict[str, Any]]:
        """Return the headline under other utilisations and prices."""
        return [_flat(one) for one in self.sensitivity]

    def definition_rows(self) -> list[dict[str, Any]]:
        """Return the headline under other definitions of large."""
        return [_flat(one) for one in self.definitions]

    def system_rows(self) -> list[dict[str, Any]]:
        """Return one row a system with its cost and what the cost rests on."""
        return [{**asdict(one), "date": one.date.isoformat()} for one in self.systems]

    def frame(self) -> pl.DataFrame:
        """Return one row for each purse and period."""
        import polars as pl

        return pl.DataFrame(self.rows(), infer_schema_length=None)

    def findings(self) -> tuple[Finding, ...]:
        """Return the share of each purse in the headline years."""
        return tuple(self._finding(purse) for purse in self.purses)

    def _finding(self, purse: Purse) -> Finding:
        cell = self.headline(purse)
        checked, ratio = self.cost_check
        what = f"one run of {purse.text}" if purse.kind == "budget" else f"a year of {purse.name}"
        return Finding(
            id=f"divide.affordable_share.{purse.id}",
            instrument="divide",
            label=f"large systems of {self.period} within {what}",
            estimate=Estimate(value=cell.share, low=cell.low, high=cell.high, level=self.level, unit="1"),
            method=f"{self.large.text}; {self.assumptions.text}; {self.reps} draws of utilisation, price and "
            "compute",
            n=cell.n,
            evidence=self.provenance,
            seed=self.seed,
            cautions=self.cautions,
            details={
                "period": str(self.period),
                "k": cell.k,
                "sampling_low": cell.sampling_low,
                "sampling_high": cell.sampling_high,
                "large": self.large.name,
                "purse": {k: v for k, v in asdict(purse).items() if v not in ("", 0.0, None)},
                "assumptions": asdict(self.assumptions),
                "by_year": {str(c.period): c.share for c in self.by_year(purse)},
                "definitions": {d.large: d.share for d in self.definitions if d.purse == purse},
                "cost_check": {"systems": checked, "median_ratio": ratio},
                "draws": equal_probability_quantiles(cell.draws),
                "defined_by": "this project; the paper does not measure it",
            },
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        shown: dict[str, Any] = json_ready(
            {
                "sample": self.sample.text,
                "large": self.large.text,
                "period": str(self.period),
                "assumptions": asdict(self.assumptions),
                "affordability": self.rows(),
                "sensitivity": self.sensitivity_rows(),
                "definitions": self.definition_rows(),
                "systems": self.system_rows(),
                "left_out": list(self.left_out),
                "cautions": list(self.cautions),
                "provenance": [p.to_dict() for p in self.provenance],
            }
        )
        return shown

    def summary(self) -> str:
        """Return a text of one screen."""
        lines = [f"{self.sample.text}; large: {self.large.text}; {self.assumptions.text}"]
        for purse in self.purses:
            c = self.headline(purse)
            if c.share is not None:
                lines.append(
                    f"{purse.text}: {formats.percent(c.share)} of the large systems of {self.period} "
                    f"({c.k} of {c.n}; {formats.percent(c.low)} to {formats.percent(c.high)})"
                )
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html


def _flat(one: Sensitivity | Definition) -> dict[str, Any]:
    return {"purse": one.purse.name} | {name: getattr(one, name) for name in one.__slots__ if name != "purse"}

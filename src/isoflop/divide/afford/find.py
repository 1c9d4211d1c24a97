"""Which share of a year's large systems a budget, or a facility's chip-hours, could have trained.

    chip-hours of a system = C / (peak FLOP/s · utilisation · 3600)
    cost = chip-hours · price of a chip-hour at the system's date, on the cheapest chip for its speed

This is what somebody else would have paid for the final run on the open market, not what its makers paid.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoflop.divide.afford.assumptions import Assumptions
from isoflop.divide.afford.draws import Draws, compute_sd, draw
from isoflop.divide.afford.market import HOURS_PER_YEAR, SECONDS_PER_HOUR, Market, Price, market
from isoflop.divide.afford.result import Affordability, Cell, Definition, Purse, Sensitivity, System
from isoflop.divide.chosen import chosen
from isoflop.divide.large import RELATIVE, Large, TopQuantile
from isoflop.divide.model import Filter, Period, TeamRule
from isoflop.errors import EvidenceError, SettingError, closest
from isoflop.stats.intervals import wilson

if TYPE_CHECKING:
    from isoflop.divide.sample import Sample
    from isoflop.evidence.table import Table

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

BUDGETS = (1e5, 1e6, 1e7, 1e8)
"""US dollars: a large project's grant, a laboratory's, a national programme's, a company's."""
REPS = 999
ENOUGH = 10
"""Large systems that the last years shown must hold together."""
UTILISATIONS = (0.2, 0.35, 0.5)
PRICE_FACTORS = (0.5, 1.0, 2.0)
PARTS = (1.0, 0.2, 0.05)
"""Parts of a facility's hours; a twentieth of the year is what the largest track of one academic machine
gives a project at most (Cornell Virtual Workshop, Frontera, types of allocations)."""


def affordability(
    models: Sample | Table | Any,
    prices: Table | Any = None,
    *,
    budgets: Sequence[float] = BUDGETS,
    facilities: Sequence[str] = (),
    large: Large | None = None,
    assumptions: Assumptions | None = None,
    period: Period | None = None,
    rule: TeamRule | None = None,
    filter: Filter | None = None,
    level: float = 0.95,
    reps: int = REPS,
    seed: int = 0,
) -> Affordability:
    """Return which large systems stated budgets and facilities could have trained.

    Parameters
    ----------
    models : Sample, Table, path or data frame
        Systems, schema ``models``.
    prices : Table, path or data frame, optional
        Schema ``chip_prices``; default: the quotes that ship.
    budgets : sequence of float
        US dollars of the day, > 0, for one training run.
    facilities : sequence of str
        Machines of the table ``compute_facilities``; one team has `assumptions.facility_share` of a year.
    large : Large, optional
        What counts as large; default: percentile rank above 0.75 within the year.
    assumptions : Assumptions, optional
        Utilisation and prices.
    period : Period, optional
        Years of the headline; default: the last that together hold ten large systems.
    rule, filter : optional
        How rows are selected; only where `models` is no sample.
    level : float
        Of every interval.
    reps : int
        Draws of utilisation, price and compute.
    seed : int

    Returns
    -------
    Affordability

    Raises
    ------
    EvidenceError
        No price or speed is known, or no system is large.
    SettingError
        A budget is not positive, no facility has that name, or the level or reps are out of range.

    Notes
    -----
    Source: this project's own definition; the paper proposes public compute but does not measure it.

    Examples
    --------
    >>> from isoflop.evidence import load
    >>> found = affordability(load("notable_systems"), budgets=(1e6,), reps=99)
    >>> found.headline(found.purses[0]).n >= 10
    True
    """
    purses = [*_budgets(budgets), *_facilities(facilities)]
    if not purses:
        raise SettingError("affordability: no budget and no facility, needs at least one. Give a budget.")
    if not 0 < level < 1:
        raise SettingError(f"affordability: level={level:g}, must lie in (0, 1). Use 0.95.")
    if reps < 1:
        raise SettingError(f"affordability: reps={reps}, must be at least 1. Use {REPS}.")
    given, large = assumptions or Assumptions(), large or TopQuantile()
    sample = chosen(models, rule=rule, filter=filter)
    shop = market(_prices(prices), _hardware(), given)
    priced = sample.of(sample.t >= shop.first_year)
    if priced.n == 0:
        raise EvidenceError(
            f"affordability: no system since the first price ({shop.first_year:.1f}), needs one. Give "
            "earlier prices."
        )
    draws = draw(given, compute_sd(priced.frame), reps=reps, seed=seed)
    purses = [_sized(purse, shop) for purse in purses]
    other = replace(given, basis="purchase" if given.basis == "rental" else "rental")
    cost = _Cost(priced, shop, draws)
    costs = (cost, _Cost(priced, replace(shop, assumptions=other), draws))
    priced_rows = sample.t >= shop.first_year
    marks = {name: mask[priced_rows] for name, mask in _marks(sample, large).items()}
    is_large = marks[large.name]
    if not is_large.any():
        raise EvidenceError(
            f"affordability: no system is {large.text}, needs one. Choose another definition of large."
        )
    span = period or _last(priced.year[is_large])
    years = [Period(first=int(y), last=int(y)) for y in np.unique(priced.year[is_large])]
    inside = is_large & _within(priced.year, span)
    if not inside.any():
        raise EvidenceError(
            f"affordability: no large system in {span}, needs one. Years with one: "
            f"{years[0]} to {years[-1]}. Choose among them."
        )
    cells = [_cell(cost, p, is_large, one, level) for p in purses for one in (*years, span)]
    return Affordability(
        sample=priced,
        large=large,
        assumptions=given,
        period=span,
        level=level,
        reps=reps,
        seed=seed,
        purses=tuple(purses),
        cells=tuple(cells),
        sensitivity=tuple(_sensitivity(costs, purses, inside, given)),
        definitions=tuple(
            Definition(purse=p, large=name, **_count(cost.within(p), mask & _within(priced.year, span)))
            for p in purses
            for name, mask in marks.items()
        ),
        systems=tuple(cost.systems(is_large, level)),
        left_out=shop.left_out,
    )


class _Cost:
    """What each system costs, in money and in FLOP, at the point and in every draw."""

    def __init__(self, sample: Sample, shop: Market, draws: Draws) -> None:
        self.sample, self.draws, self.given = sample, draws, shop.assumptions
        chips = {float(t): shop.price(float(t)) for t in np.unique(sample.t)}
        self.at: list[Price] = [chips[float(t)] for t in sample.t]
        self.flop = 10.0**sample.log10_flop
        self.per_flop = np.array([p.usd_per_peak_flop for p in self.at])
        moved: dict[int, FloatArray] = {}
        for price in self.at:
            moved.setdefault(id(price), price.at(draws.luck))
        self.log_flop = sample.log10_flop + draws.error
        per_flop = np.stack([moved[id(price)] for price in self.at], axis=1)
        self.log_usd = self.log_flop + np.log10(per_flop) - np.log10(draws.utilisation)[:, None]

    def within(
        self, purse: Purse, *, utilisation: float | None = None, price: float = 1.0, part: float = 1.0
    ) -> BoolArray:
        """Return which systems the purse, or a part of a facility, reaches at the point, shape (n,)."""
        used = utilisation or self.given.utilisation
        if purse.kind == "budget":
            return np.asarray(self.flop * self.per_flop * price / used <= purse.usd, dtype=bool)
        return np.asarray(self.flop <= purse.peak_flop * used * part, dtype=bool)

    def drawn(self, purse: Purse) -> BoolArray:
        """Return which systems it reaches in every draw, shape (reps, n)."""
        if purse.kind == "budget":
            return np.asarray(self.log_usd <= np.log10(purse.usd), dtype=bool)
        reach = np.log10(purse.peak_flop * self.draws.utilisation)[:, None]
        return np.asarray(self.log_flop <= reach, dtype=bool)

    def systems(self, is_large: BoolArray, level: float) -> list[System]:
        """Return what each system costs, with the interval of the draws."""
        tail = (1 - level) / 2
        low, high = 10.0 ** np.quantile(self.log_usd, [tail, 1 - tail], axis=0)
        usd = self.flop * self.per_flop / self.given.utilisation
        rows = self.sample.frame.select("model", "date", "team", "cost_usd").iter_rows()
        return [
            System(
                model=model,
                date=date,
                team=team,
                train_flop=float(self.flop[i]),
                is_large=bool(is_large[i]),
                hardware=self.at[i].hardware,
                usd_per_chip_hour=self.at[i].usd_per_hour,
                basis=self.at[i].basis,
                is_stale=self.at[i].is_stale,
                chip_hours=float(
                    self.flop[i] / (self.at[i].flop_per_s * self.given.utilisation * SECONDS_PER_HOUR)
                ),
                cost_usd=float(usd[i]),
                low=float(low[i]),
                high=float(high[i]),
                listed_cost_usd=listed,
            )
            for i, (model, date, team, listed) in enumerate(rows)
        ]


def _marks(sample: Sample, large: Large) -> dict[str, BoolArray]:
    """Return which rows are large by the chosen definition, then by every other that can judge them."""
    marks = {large.name: large.mask(sample.t, sample.year, sample.log10_flop)}
    for other in RELATIVE:
        # A trend needs two dates; where it cannot be drawn the comparison goes without it.
        with suppress(EvidenceError):
            marks.setdefault(other.name, other.mask(sample.t, sample.year, sample.log10_flop))
    return marks


def _within(year: NDArray[np.int64], period: Period) -> BoolArray:
    return np.asarray((year >= period.first) & (year <= period.last), dtype=bool)


def _count(reached: BoolArray, rows: BoolArray) -> dict[str, Any]:
    k, n = int(reached[rows].sum()), int(rows.sum())
    return {"k": k, "n": n, "share": k / n if n else None}


def _cell(cost: _Cost, purse: Purse, is_large: BoolArray, period: Period, level: float) -> Cell:
    rows = is_large & _within(cost.sample.year, period)
    counted = _count(cost.within(purse), rows)
    shares = cost.drawn(purse)[:, rows].mean(axis=1)
    tail = (1 - level) / 2
    low, high = np.quantile(shares, [tail, 1 - tail])
    sampling_low, sampling_high = wilson(counted["k"], counted["n"], level)
    return Cell(
        purse=purse,
        period=period,
        low=float(low),
        high=float(high),
        sampling_low=float(sampling_low),
        sampling_high=float(sampling_high),
        is_before=purse.since is not None and period.last < purse.since,
        draws=shares,
        **counted,
    )


def _sensitivity(
    costs: Sequence[_Cost], purses: Sequence[Purse], rows: BoolArray, given: Assumptions
) -> list[Sensitivity]:
    grid = sorted({*UTILISATIONS, given.utilisation})
    return [
        Sensitivity(
            purse=purse,
            basis=cost.given.basis,
            utilisation=used,
            price_factor=factor,
            part=part,
            **_count(cost.within(purse, utilisation=used, price=factor, part=part), rows),
        )
        for purse in purses
        for cost in (costs if purse.kind == "budget" else costs[:1])
        for used in grid
        for factor in (PRICE_FACTORS if purse.kind == "budget" else (1.0,))
        for part in (PARTS if purse.kind == "facility" else (1.0,))
    ]


def _last(years: NDArray[np.int64]) -> Period:
    """Return the last calendar years that together hold enough large systems, at least three."""
    last = int(years.max())
    first = last - 2
    while (years >= first).sum() < min(ENOUGH, years.size):
        first -= 1
    return Period(first=first, last=last)


def _budgets(budgets: Sequence[float]) -> list[Purse]:
    for usd in budgets:
        if not (np.isfinite(usd) and usd > 0):
            raise SettingError(
                f"affordability: a budget of {usd} dollars, must be > 0. Write 1e6 for a million."
            )
    return [Purse(name=_short(usd), kind="budget", usd=float(usd)) for usd in dict.fromkeys(budgets)]


def _short(usd: float) -> str:
    """Return an amount as it stands in an id: mantissa and power of ten."""
    mantissa, power = f"{usd:.11e}".split("e")
    return f"{float(mantissa):g}e{int(power)}"


def _facilities(names: Sequence[str]) -> list[Purse]:
    if not names:
        return []
    from isoflop.evidence import load

    rows = {row["facility"]: row for row in load("compute_facilities").frame.iter_rows(named=True)}
    folded = {name.lower(): name for name in rows}
    found = []
    for asked in dict.fromkeys(names):
        name = folded.get(asked.strip().lower())
        if name is None:
            near = closest(asked, rows)
            hint = f"Did you mean {near!r}?" if near else "Name one of them."
            raise SettingError(
                f"affordability: no facility {asked!r}, needs one of {', '.join(rows)}. {hint}"
            )
        row = rows[name]
        found.append(
            Purse(
                name=name,
                kind="facility",
                accelerator=row["accelerator"],
                accelerators=float(row["accelerators"]),
                since=row["as_of_date"].year if row["as_of_date"] else None,
                note=row["notes"] or "",
            )
        )
    return found


def _sized(purse: Purse, shop: Market) -> Purse:
    """Return a facility with the chip-hours one team gets and what they do at peak speed."""
    if purse.kind == "budget":
        return purse
    hours = purse.accelerators * HOURS_PER_YEAR * shop.assumptions.facility_share
    peak = hours * SECONDS_PER_HOUR * shop.speed(purse.accelerator)
    return replace(purse, chip_hours=hours, peak_flop=peak)


def _prices(prices: Table | Any) -> Table:
    from isoflop.evidence import load
    from isoflop.evidence.table import Table as EvidenceTable

    if prices is None:
        return load("chip_prices")
    table = prices if isinstance(prices, EvidenceTable) else load(prices, schema="chip_prices")
    if table.schema != "chip_prices":
        raise EvidenceError(
            f"{table.name}: a table of {table.schema}, needs chip_prices (one row a price). Name another."
        )
    return table


def _hardware() -> Table:
    from isoflop.evidence import load

    return load("hardware_facts")

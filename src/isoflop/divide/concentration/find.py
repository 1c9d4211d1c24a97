"""How concentrated compute is by period: top shares, Herfindahl, Gini, and who holds it.

Compute is a sum over systems, and one training run may exceed all others of its years together. Each
number therefore stands beside the part of the largest system, and beside the same number for plain counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.divide.chosen import chosen
from isoflop.divide.concentration.holders import Held, Holder, Names, Split, held_by
from isoflop.divide.concentration.result import Concentration, Measure, Part, Spread
from isoflop.divide.model import Filter, Period, TeamRule
from isoflop.divide.sample import FloatArray, Sample
from isoflop.divide.shares.find import teams_shown
from isoflop.divide.shares.periods import FEW, default_periods
from isoflop.errors import EvidenceError, SettingError
from isoflop.stats.checks import unit_level

if TYPE_CHECKING:
    from isoflop.evidence.table import Table

TOP = 5
REPS = 999
SHOWN = 8
"""Holders listed by name in each period."""


def concentration(
    models: Sample | Table | Any,
    *,
    periods: Sequence[Period] | None = None,
    by: Holder = "organisation",
    split: Split = "equal",
    names: Names = "owner",
    top: int = TOP,
    rule: TeamRule | None = None,
    filter: Filter | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Concentration:
    """Measure how much of the known training compute few holders have.

    Parameters
    ----------
    models : Sample, Table, path or data frame
        Evidence of schema ``models``.
    periods : sequence of Period, optional
        Default as in `isoflop.divide.shares.find.shares`.
    by : {"organisation", "country"}
        Whose compute is added up.
    split : {"equal", "joint"}
        Parts of a joint system: equal ones, or the partners as one holder.
    names : {"owner", "given"}
        Units of one firm together, or names as the table has them.
    top : int, >= 1
        How many holders the top share counts.
    rule, filter : optional
        See `isoflop.divide.sample.select`.
    level : float, in (0, 1)
    seed : int
        Of the bootstrap.

    Returns
    -------
    Concentration

    Raises
    ------
    EvidenceError
        A period holds no system that names a holder.

    Notes
    -----
    Intervals are percentiles over replicates that draw whole organisation texts within the period. Drawing
    leaves some holders out, so replicates are somewhat more concentrated than the evidence; an end that
    would miss the point is moved to it.

    Examples
    --------
    >>> from isoflop.evidence import load
    >>> found = concentration(load("notable_systems"), filter="none", by="country")
    >>> found.spreads[-1].parts[0].name
    'United States'
    """
    unit_level("concentration", level)
    if top < 1:
        raise SettingError(f"concentration: top={top}, must be at least 1. Use 5.")
    sample = chosen(models, rule=rule, filter=filter)
    if periods is None:
        periods, how = default_periods(sample.year, sample.table.name)
    else:
        how = "as named"
    named = tuple(dict.fromkeys(periods))
    held = held_by(sample, by, split, names)
    years = [
        Period(first=int(y), last=int(y)) for y in np.unique(sample.year) if (sample.year == y).sum() >= FEW
    ]

    def spread(period: Period, reps: int) -> Spread:
        return _spread(sample, held, period, by, top, level, seed, reps)

    return Concentration(
        sample=sample,
        holder=by,
        split=split,
        names=names,
        top=top,
        level=level,
        seed=seed,
        how=how,
        periods=named,
        spreads=tuple(spread(period, REPS) for period in named),
        years=tuple(spread(year, 0) for year in years if _has_holder(sample, held, year)),
        teams=tuple(part for period in named for part in _teams(sample, period, level, seed)),
        missing=held.missing,
    )


def _has_holder(sample: Sample, held: Held, period: Period) -> bool:
    return bool(_inside(sample, period)[held.row].any())


def _inside(sample: Sample, period: Period) -> np.ndarray:
    return np.asarray((sample.year >= period.first) & (sample.year <= period.last))


def _spread(
    sample: Sample,
    held: Held,
    period: Period,
    holder: Holder,
    top: int,
    level: float,
    seed: int,
    reps: int,
) -> Spread:
    """Return the measures of one period, with intervals where `reps` > 0."""
    from isoflop.stats.concentration import gini, herfindahl, lorenz, top_share, totals_by_holder

    inside = _inside(sample, period)
    keep = inside[held.row]
    if not keep.any():
        raise EvidenceError(
            f"{sample.table.name}: no system of {period} names its {holder}, needs one. Choose other years, "
            f"or fill column '{'organisations' if holder == 'organisation' else 'countries'}'."
        )
    row, part, name = held.row[keep], held.part[keep], held.name[keep]
    # Powers of ten are taken below the largest system, so that nothing overflows.
    flop = 10.0 ** (sample.log10_flop[row] - sample.log10_flop[row].max()) * part
    totals, counts = totals_by_holder(flop, name), totals_by_holder(part, name)
    drawn = _drawn(sample, row, seed, reps)
    draws = None if drawn is None else totals_by_holder(flop, name, drawn)

    def measure(of: Callable[[FloatArray], FloatArray]) -> Measure:
        value = float(of(totals))
        ends = (None, None) if draws is None else _ends(of(draws), level, value)
        return Measure(value=value, low=ends[0], high=ends[1], by_count=float(of(counts)))

    holders = np.unique(name)
    order = np.argsort(-totals, kind="stable")
    system = 10.0 ** (sample.log10_flop[row] - sample.log10_flop[row].max())
    held_curve = lorenz(totals)
    return Spread(
        period=period,
        n=int(np.unique(row).size),
        holders=int(holders.size),
        top_share=measure(lambda amounts: top_share(amounts, top)),
        herfindahl=measure(herfindahl),
        gini=measure(gini),
        largest_system=float(system.max() / totals.sum()),
        parts=tuple(
            Part(name=str(holders[i]), share=float(totals[i] / totals.sum()), systems=float(counts[i]))
            for i in order[:SHOWN]
        ),
        lorenz=(tuple(held_curve[0].tolist()), tuple(held_curve[1].tolist())),
    )


def _drawn(sample: Sample, row: np.ndarray, seed: int, reps: int) -> FloatArray | None:
    """Return weights of replicates for parts of systems; None where there is nothing to draw."""
    from isoflop.stats.resample import Bootstrap

    systems, place = np.unique(row, return_inverse=True)
    codes = sample.clusters[systems]
    if reps == 0 or np.unique(codes).size < 2:
        return None
    weights = Bootstrap(reps=reps, by="organisation", seed=seed).weights(systems.size, codes)
    return np.asarray(weights[:, place])


def _ends(draws: FloatArray, level: float, value: float) -> tuple[float, float]:
    """Return percentiles, widened to the point: with few holders every replicate may be more concentrated."""
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return min(float(low), value), max(float(high), value)


def _teams(sample: Sample, period: Period, level: float, seed: int) -> list[tuple[Period, str, Measure, int]]:
    """Return each team's part of the known compute of systems of known team."""
    from isoflop.stats.resample import Bootstrap

    keep = _inside(sample, period) & sample.known
    if not keep.any():
        return []
    team, power = sample.team[keep], sample.log10_flop[keep]
    flop = 10.0 ** (power - power.max())
    codes = sample.clusters[keep]
    drawn = (
        Bootstrap(reps=REPS, by="organisation", seed=seed).weights(flop.size, codes)
        if np.unique(codes).size > 1
        else None
    )
    found = []
    for one in teams_shown(sample):
        own = team == one
        value = float((flop * own).sum() / flop.sum())
        ends = (None, None) if drawn is None else _ends((drawn @ (flop * own)) / (drawn @ flop), level, value)
        measure = Measure(value=value, low=ends[0], high=ends[1], by_count=float(own.mean()))
        found.append((period, str(one), measure, int(keep.sum())))
    return found

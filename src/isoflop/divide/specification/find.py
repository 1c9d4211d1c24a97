"""Run a headline under every defensible choice, and test the whole curve at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from isoflop.divide.shares.periods import default_periods
from isoflop.divide.snapshots import Snapshot, comparison_cautions, shared_cautions, snapshots_of
from isoflop.divide.specification.curve import Curve, Specification
from isoflop.divide.specification.grid import LABELS, PERIOD_PAIRS, SHARES, Grid, Headline, headlines_of
from isoflop.divide.specification.joint import joint_tests
from isoflop.divide.specification.result import SpecificationCurve
from isoflop.divide.specification.rows import Rows, rows_of
from isoflop.divide.specification.shares import share_specifications
from isoflop.divide.specification.trends import gap_specifications, trend_specifications
from isoflop.errors import EvidenceError, SettingError
from isoflop.stats.checks import unit_level, whole_number

if TYPE_CHECKING:
    from isoflop.present.chapter import Progress


def specification(
    snapshots: Any,
    *,
    headline: Headline | Sequence[Headline] | None = None,
    grid: Grid | None = None,
    joint: int = 500,
    level: float = 0.95,
    seed: int = 0,
    progress: Progress | None = None,
) -> SpecificationCurve:
    """Run one or more headlines under every combination of defensible choices.

    Parameters
    ----------
    snapshots : Table, path or data frame, or a sequence of them
        Editions of a table of schema ``models``; one is enough.
    headline : str or sequence of str, optional
        Of `isoflop.divide.specification.grid.HEADLINES`; default: all but the share of the early period.
    grid : Grid, optional
        Settings of each choice.
    joint : int
        Replicates of the joint test; 0 leaves it out, else at least 100.
    level : float, in (0, 1)
        Of every interval.
    seed : int
        Of the draws of organisations.
    progress : callable, optional
        Called with a label and the fraction done.

    Returns
    -------
    SpecificationCurve

    Raises
    ------
    EvidenceError
        No headline can be had from these tables.
    SettingError
        A setting is out of range.

    Notes
    -----
    A median over specifications is no estimate of the truth: they share their rows, and which of them are
    run is our choice. The joint test asks one question of the whole curve and counts no single p.
    Source of the idea: Simonsohn, Simmons & Nelson (2020), Nature Human Behaviour 4, 1208-1214; we differ
    in: organisations are drawn, not rows, and the null is imposed by taking away each fitted effect.

    Examples
    --------
    >>> from isoflop.evidence import load
    >>> found = specification(load("notable_systems"), headline="gap_oom", joint=0)
    >>> found.curve("gap_oom").median > 0
    True
    """
    unit_level("specification", level)
    whole_number("specification", "joint", joint, least=0)
    whole_number("specification", "seed", seed, least=0)
    if 0 < joint < 100:
        raise SettingError(f"specification: joint={joint}, must be 0 or at least 100. Use 500.")
    wanted = headlines_of(headline)
    editions = snapshots_of(snapshots)
    grid = grid or Grid()
    every = _with_dates(rows_of(editions, grid.filters, grid.rules), editions)
    if set(wanted) & set(SHARES):
        grid = _with_periods(grid, every)
    made: dict[Headline, list[Specification]] = {}
    for family in (share_specifications, gap_specifications, trend_specifications):
        made |= family(every, grid, wanted, level)
    asked = wanted
    wanted = tuple(name for name in asked if any(one.value is not None for one in made[name]))
    if not wanted:
        raise EvidenceError(
            f"specification: none of {', '.join(made)} can be had from "
            f"{', '.join(e.table.name for e in editions)}, needs systems of academia and industry with "
            "compute at three dates each. Add systems, or loosen the grid."
        )
    tests = joint_tests(every, grid, wanted, reps=joint, seed=seed, progress=progress) if joint else {}
    return SpecificationCurve(
        snapshots=editions,
        samples=tuple(rows.sample for rows in every),
        grid=grid,
        curves=tuple(
            Curve(headline=name, specifications=_sorted(made[name]), joint=tests.get(name)) for name in wanted
        ),
        level=level,
        replicates=joint,
        seed=seed,
        cautions=(
            *comparison_cautions(editions),
            *_left_out(editions, grid, every, [name for name in asked if name not in wanted]),
            *shared_cautions([rows.sample for rows in every]),
        ),
    )


def _with_dates(every: tuple[Rows, ...], editions: Sequence[Snapshot]) -> tuple[Rows, ...]:
    """Return the rows of each edition and filter that has two dates or more: one date bears no trend."""
    kept = tuple(rows for rows in every if rows.t.min() < rows.t.max())
    if not kept:
        raise EvidenceError(
            f"specification: all systems of {', '.join(e.table.name for e in editions)} have one date, needs "
            "at least two. Add systems of other dates."
        )
    return kept


def _with_periods(grid: Grid, every: tuple[Rows, ...]) -> Grid:
    """Return the grid with periods that the tables hold, where the published ones are empty in all."""
    if grid.periods != PERIOD_PAIRS:
        return grid
    for rows in every:
        for pair in grid.periods:
            if all(((rows.year >= p.first) & (rows.year <= p.last)).any() for p in pair):
                return grid
    longest = max(every, key=lambda rows: rows.year.size)
    try:
        found = default_periods(longest.year, longest.sample.table.name)[0]
    except EvidenceError:
        # Gap and trend may still be had; the shares are then left out with a caution.
        return grid
    return replace(grid, periods=(found,))


def _left_out(
    editions: Sequence[Snapshot], grid: Grid, every: tuple[Rows, ...], headlines: Sequence[Headline]
) -> tuple[str, ...]:
    """Return which filters and headlines these tables do not allow."""
    ran = {(rows.snapshot, rows.filter) for rows in every}
    said = [
        f"{one.name}: no two systems of different dates pass the filter {filter}, so it is left out. Fill "
        "the column 'notability' to cure it."
        for one in editions
        for filter in grid.filters
        if (one.name, filter) not in ran
    ]
    said += [
        f"{LABELS[name]}: not to be had from these tables under any choice. Add systems to cure it."
        for name in headlines
    ]
    return tuple(said)


def _sorted(made: Sequence[Specification]) -> tuple[Specification, ...]:
    return tuple(sorted(made, key=lambda one: math.inf if one.value is None else one.value))

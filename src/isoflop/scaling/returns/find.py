"""Where does more stop paying? ``scaling.returns``: three labels for each study, never mixed.

"Diminishing returns" can mean that the power law bends, that the next unit of cost buys less than the
first, or that a target is out of reach. An exponent between 0 and 1 means none of these: every power law
with a positive exponent is convex.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from isoflop.errors import EvidenceError, SettingError, closest
from isoflop.scaling.breaks.null import Null
from isoflop.scaling.breaks.series import TRIALS, Sample, Series, series_of, trials_tried
from isoflop.scaling.returns.numbers import Bend, Marginal, Reach, bends, marginal, reaches
from isoflop.scaling.returns.result import Returning, Returns, ReturnsSettings
from isoflop.stats.checks import FloatArray, unit_level, whole_number

if TYPE_CHECKING:
    from isoflop.evidence import Table
    from isoflop.present.chapter import Progress

NULL = Null(reps=999, stop=20)
BEND_LEVEL = 0.05
"""Two-sided: one study in twenty is labelled by chance alone, half of them as diminishing."""
TARGET = 0.9
REACH = 10.0
DRAWS = 199
Cost = str | Mapping[str, float] | None
Agreed = Literal["not_distinguished", "open"]
_Numbers = tuple[Bend, Reach, Marginal | None]


def returns(
    points: Table | Any,
    *,
    target: float = TARGET,
    reach: float = REACH,
    cost: Cost = None,
    trials: Sequence[int] = TRIALS,
    null: Null = NULL,
    draws: int = DRAWS,
    level: float = 0.95,
    progress: Progress | None = None,
) -> Returns:
    """Label every study by curvature, by success bought per unit of cost, and by distance to a target.

    Parameters
    ----------
    points : Table
        Schema ``study_points``.
    target : float, in (0, 1)
        Success asked for.
    reach : float, > 1
        Multiple of a study's largest amount that counts as within reach.
    cost : str or mapping of unit to price, optional
        A column with the cost of each point, or what one unit of x costs. Without it the second label is
        not identified.
    trials : sequence of int
        Numbers tried where a paper prints none; a label must hold under all of them.
    null : Null
        Draws of the curvature test.
    draws : int
        Resampled fits behind intervals of the multiple, and draws behind the gains per unit of cost.
    level : float, in (0, 1)
    progress : callable, optional

    Returns
    -------
    Returns

    Raises
    ------
    EvidenceError
        Not a table of study points, no study of three points, or costs that do not rise with x.
    SettingError
        A setting is out of range, or the cost column is unknown.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from isoflop.evidence import load
    >>> points = load("study_points")
    >>> one_paper = replace(points, frame=points.frame.filter(points.frame["paper_id"] == "2504.13059"))
    >>> found = returns(one_paper, trials=(50,), null=Null(reps=99), draws=19)
    >>> found.findings()[2].status
    'not_identified'
    """
    tried = trials_tried("returns", trials)
    _check(target, reach)
    unit_level("returns", level)
    whole_number("returns", "draws", draws, least=19)
    sample = series_of(points, where="returns")
    costs = _costs(sample, cost)
    if sample.assumed == 0:
        tried = tried[-1:]
    series = sample.series
    printed = [i for i, one in enumerate(series) if one.trials is not None]
    others = [i for i, one in enumerate(series) if one.trials is None]

    def numbers(rows: list[int], assumed: int) -> dict[int, _Numbers]:
        chosen = [series[i] for i in rows]
        if not chosen:
            return {}
        far = reaches(chosen, assumed, target, draws=draws, level=level, seed=null.seed)
        spent = [costs[i] for i in rows]
        paid = [
            None if cost_of is None else marginal(one, assumed, cost_of, draws, null.seed)
            for one, cost_of in zip(chosen, spent, strict=True)
        ]
        return dict(zip(rows, zip(bends(chosen, assumed, null), far, paid, strict=True), strict=True))

    known = numbers(printed, tried[-1])
    by_trials: list[dict[int, _Numbers]] = []
    for step, assumed in enumerate(tried):
        if progress is not None:
            progress("returns", step / len(tried))
        by_trials.append(known | numbers(others, assumed))
    settings = ReturnsSettings(
        target=target, reach=reach, trials=tried, null=null, draws=draws, level=level, cost=_named(cost)
    )
    studies = tuple(
        _labelled(one, [found[i] for found in by_trials], settings) for i, one in enumerate(series)
    )
    return Returns(sample=sample, studies=studies, settings=settings)


def _labelled(one: Series, numbers: list[_Numbers], settings: ReturnsSettings) -> Returning:
    bent, reach, paid = zip(*numbers, strict=True)
    return Returning(
        series=one,
        bends=bent,
        reaches=reach,
        marginals=tuple(each for each in paid if each is not None),
        curvature=_agreed([curvature_label(each) for each in bent], "not_distinguished"),
        cost=_agreed([cost_label(each, settings.level) for each in paid], "not_distinguished"),
        target=_agreed([target_label(each, settings) for each in reach], "open"),
    )


def curvature_label(bend: Bend) -> str:
    """Return diminishing, increasing or not_distinguished."""
    if bend.p > BEND_LEVEL:
        return "not_distinguished"
    return "diminishing" if bend.change > 0 else "increasing"


def cost_label(paid: Marginal | None, level: float) -> str:
    """Return diminishing, increasing, not_distinguished, or not_identified where no cost is known."""
    if paid is None:
        return "not_identified"
    tail = (1.0 - level) / 2.0
    if paid.p_falls >= 1.0 - tail:
        return "diminishing"
    return "increasing" if paid.p_falls <= tail else "not_distinguished"


def target_label(reach: Reach, settings: ReturnsSettings) -> str:
    """Return reached, within_reach, beyond_reach, not_reachable or open."""
    if reach.p_unreachable >= settings.level:
        return "not_reachable"
    if reach.low is None or reach.low > settings.reach:
        return "beyond_reach"
    if reach.high is not None and reach.high <= settings.reach:
        return "reached" if reach.high <= 1.0 else "within_reach"
    return "open"


def _agreed(labels: list[str], else_: Agreed) -> str:
    """Return the label that holds under every number of trials, or the undecided one."""
    return labels[0] if len(set(labels)) == 1 else else_


def _check(target: float, reach: float) -> None:
    if not 0.0 < target < 1.0:
        hint = f"Did you mean {target / 100:g}?" if 1.0 < target < 100.0 else "Use 0.9."
        raise SettingError(f"returns: target={target}, must lie in (0, 1). {hint}")
    if not 1.0 < reach < np.inf:
        raise SettingError(f"returns: reach={reach}, must lie in (1, inf). Use 10.")


def _named(cost: Cost) -> str | None:
    if cost is None or isinstance(cost, str):
        return cost
    return ", ".join(f"{price:g} per {unit}" for unit, price in cost.items())


def _costs(sample: Sample, cost: Cost) -> list[FloatArray | None]:
    """Return the cost of each point of each series, or None where none is known."""
    if cost is None:
        return [None] * len(sample.series)
    if isinstance(cost, str):
        return _column_costs(sample, cost)
    units = {one.about["x_unit"] for one in sample.series}
    for unit, price in cost.items():
        if unit not in units:
            near = closest(unit, units)
            hint = f"Did you mean {near!r}?" if near else f"Use one of {', '.join(sorted(units))}."
            raise SettingError(f"returns: cost of {unit!r}, which no study uses. {hint}")
        if not 0.0 < price < np.inf:
            raise SettingError(f"returns: cost of {unit} is {price}, must lie in (0, inf). Give a price.")
    return [
        one.x * cost[one.about["x_unit"]] if one.about["x_unit"] in cost else None for one in sample.series
    ]


def _column_costs(sample: Sample, column: str) -> list[FloatArray | None]:
    frame = sample.table.frame
    if column not in frame.columns:
        near = closest(column, frame.columns)
        hint = f"Closest is {near!r}. " if near else ""
        raise SettingError(
            f"returns: no column {column!r} in {sample.table.name}. {hint}Name the column that holds the "
            "cost of each point, or give a price per unit."
        )
    if not frame[column].dtype.is_numeric():
        raise EvidenceError(f"returns: column {column!r} holds no numbers, needs costs > 0. Name another.")
    known: dict[tuple[str, float], float] = {
        (row["study"], row["x"]): row[column]
        for row in frame.select("study", "x", column).iter_rows(named=True)
        if row[column] is not None
    }
    found: list[FloatArray | None] = []
    for one in sample.series:
        paid = [known.get((one.study, float(x))) for x in one.x]
        if any(each is None for each in paid):
            found.append(None)
            continue
        costs = np.array(paid, float)
        if not (np.diff(costs) > 0).all() or costs[0] < 0:
            raise EvidenceError(
                f"returns: {column!r} of study {one.study!r} does not rise with x, needs costs that do. Give "
                "the cost of the whole amount x, not of the last unit."
            )
        found.append(costs)
    return found

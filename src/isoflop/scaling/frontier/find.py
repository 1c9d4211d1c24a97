"""The compute-optimal frontier by any of the three Chinchilla approaches, with bands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import EvidenceError, NotIdentifiedError, SettingError, closest
from isoflop.scaling.fit import fit
from isoflop.scaling.frontier.allocation import allocate, frontier_exponents, has_frontier, is_closed_form
from isoflop.scaling.frontier.costs import Cost, SixND
from isoflop.scaling.frontier.envelope import envelope
from isoflop.scaling.frontier.isoflop import (
    LEAST_POINTS,
    Parabola,
    PowerFit,
    parabolas,
    power_fit,
    replay,
    through_minima,
)
from isoflop.scaling.frontier.result import Frontier, Replay
from isoflop.scaling.model import Array
from isoflop.scaling.result import LawFit
from isoflop.scaling.runs import Runs
from isoflop.scaling.settings import Objective
from isoflop.stats.resample import Bootstrap, replicate_blocks

Index = NDArray[np.int64]
Approach = Literal["parametric", "isoflop", "envelope"]

SAME_BUDGET = 0.05
"""Runs whose compute differs by less than this share belong to one nominal budget."""
CURVE_POINTS = 25
SLOPE_DECADES = 0.5
SEARCH_MARGIN = np.log(1e4)


def frontier(
    runs: Runs | LawFit,
    *,
    approach: Approach = "parametric",
    cost: Cost | None = None,
    at_flop: float | None = None,
    law: str = "chinchilla",
    objective: Objective | None = None,
    ci: Bootstrap | None = None,
    per_decade: float = 10.0,
    progress: Callable[[str, float], None] | None = None,
) -> Frontier:
    """Return how parameters and tokens should grow with compute.

    Parameters
    ----------
    runs : Runs or LawFit
        A fit is used as it is by the parametric approach.
    approach : {"parametric", "isoflop", "envelope"}
        Approaches 3, 2 and 1 of Hoffmann et al. (2022). The first is preferred: the others are
        biased on uneven grids, which `Frontier.replay` shows.
    cost : SixND, Attention, Lifetime or Measured
        Default C = 6ND. The non-parametric approaches read cost off the runs.
    at_flop : float, optional
        Budget that is answered for, in the unit of the cost; default: the largest of the runs.
    law, objective, ci
        As in `fit`. Intervals of the envelope draw rows; those of parabolas draw their residuals within each
        budget, which keeps the sizes.
    per_decade : float
        Bins of the envelope.

    Returns
    -------
    Frontier

    Raises
    ------
    SettingError, EvidenceError, NotIdentifiedError
    """
    if approach not in get_args(Approach):
        near = closest(str(approach), get_args(Approach))
        raise SettingError(
            f"frontier: approach={approach!r}, must be one of {', '.join(get_args(Approach))}. "
            f"{f'Did you mean {near!r}?' if near else 'Use parametric.'}"
        )
    if cost is not None and approach != "parametric":
        raise SettingError(
            f"frontier: a cost model with approach={approach!r}, which reads cost off the runs. Drop it, or "
            "use approach='parametric'."
        )
    sample = runs.runs if isinstance(runs, LawFit) else runs
    flop = spent_on(sample, cost) if cost is not None else np.exp(sample.inputs(("train_flop",))[0])
    budget = float(flop.max()) if at_flop is None else float(at_flop)
    if not (np.isfinite(budget) and budget > 0):
        raise SettingError(f"frontier: at_flop={at_flop}, must lie in (0, inf). Give FLOP, e.g. 1e21.")
    if approach == "parametric":
        fitted = runs if isinstance(runs, LawFit) else fit(
            runs, law=law, objective=objective, ci=ci, progress=progress
        )  # fmt: skip
        return _parametric(fitted, cost or SixND(), budget, flop)
    return _by_runs(sample, approach, budget, flop, ci, per_decade, law=law, objective=objective)


def spent_on(runs: Runs, cost: Cost) -> Array:
    """Return what each run cost under a cost model, in its unit, shape (n,)."""
    n, d = runs.inputs(("params", "tokens"))
    return cost.flop(np.exp(n), np.exp(d))


def budgets_along(flop: Array, budget: float) -> Array:
    """Return log-spaced budgets from the smallest run to the one asked for or the largest run."""
    return np.geomspace(float(flop.min()), max(float(flop.max()), budget), CURVE_POINTS)


def _parametric(fitted: LawFit, cost: Cost, budget: float, flop: Array) -> Frontier:
    law = fitted.law
    if not has_frontier(law):
        raise SettingError(
            f"frontier: law {law.name} of {', '.join(law.inputs)}, needs params and tokens, with or "
            "without unique_tokens. Use chinchilla."
        )
    n = fitted.runs.inputs(("params",))[0]
    asked = np.concatenate([[budget], budgets_along(flop, budget)])
    widen = SEARCH_MARGIN + abs(np.log(budget / flop.max()))
    around = (float(n.min() - widen), float(n.max() + widen))
    point = allocate(law, fitted.theta, asked, cost, around=around)
    if not np.isfinite(point.params[0, 0]):
        raise NotIdentifiedError(
            f"frontier: law {law.name} has no optimum at {budget:.3g} FLOP (an exponent is not above 0, or "
            "the least loss lies at the edge). Use another law, or runs at more sizes."
        )
    drawn = None if fitted.draws is None else allocate(law, fitted.draws.theta, asked, cost, around=around)
    a, a_draws = _slope(fitted, cost, budget, around, "params")
    b, b_draws = _slope(fitted, cost, budget, around, "tokens")
    return Frontier(
        runs=fitted.runs,
        approach="parametric",
        cost=cost,
        fitted=fitted,
        ci=fitted.ci,
        budgets=asked,
        log_params=np.log(point.params[0]),
        log_tokens=np.log(point.tokens[0]),
        loss=point.loss[0],
        a=a,
        b=b,
        draws=None
        if drawn is None
        else {
            "log_params": np.log(drawn.params),
            "log_tokens": np.log(np.where(drawn.tokens > 0, drawn.tokens, np.nan)),
            "a": a_draws,
            "b": b_draws,
        },
        parabolas=(),
        on_envelope=None,
        thin_bins=0,
        replay=_replayed(fitted),
    )


def _slope(
    fitted: LawFit, cost: Cost, budget: float, around: tuple[float, float], which: str
) -> tuple[float, Array]:
    """Return d ln N*/d ln C (or of D*) at the budget, and its draws, shape (R,)."""
    law = fitted.law
    theta = fitted.theta[None] if fitted.draws is None else np.vstack([fitted.theta, fitted.draws.theta])
    if is_closed_form(law, cost):
        reported = law.report(theta)
        has_optimum = (reported["alpha"] > 0) & (reported["beta"] > 0)
        exponent = frontier_exponents(law, theta)[0 if which == "params" else 1]
        slopes = np.where(has_optimum, exponent, np.nan)
    else:
        step = SLOPE_DECADES * np.log(10.0)
        ends = allocate(law, theta, budget * np.exp([-step / 2, step / 2]), cost, around=around)
        sizes = np.log(getattr(ends, which))
        slopes = (sizes[:, 1] - sizes[:, 0]) / step
    return float(slopes[0]), slopes[1:]


def nominal_budgets(runs: Runs) -> Array:
    """Return the budget group of each run, FLOP, shape (n,): as named, or runs of nearly equal compute."""
    if "budget_flop" in runs.frame.columns and runs.frame["budget_flop"].null_count() == 0:
        return runs.column("budget_flop")
    flop = runs.column("train_flop")
    order = np.argsort(flop)
    starts = np.concatenate([[True], np.diff(np.log(flop[order])) > SAME_BUDGET])
    group = np.cumsum(starts) - 1
    centres = np.array([np.exp(np.mean(np.log(flop[order][group == g]))) for g in range(group[-1] + 1)])
    out = np.empty(len(flop))
    out[order] = centres[group]
    return out


def on_budgets(runs: Runs) -> Runs:
    """Return the runs that share a budget with enough others; where budgets are named, all of them.

    Raises
    ------
    EvidenceError
        No budget has enough sizes for a parabola.
    """
    if "budget_flop" in runs.frame.columns and runs.frame["budget_flop"].null_count() == 0:
        return runs
    budget, params = nominal_budgets(runs), runs.column("params")
    keep = np.array([len(np.unique(params[budget == value])) >= LEAST_POINTS for value in budget])
    if not keep.any():
        raise EvidenceError(
            f"frontier: no {LEAST_POINTS} sizes share a budget among {runs.n} runs, which approach='isoflop' "
            "needs. Name budgets in column budget_flop, or use approach='parametric'."
        )
    return runs if keep.all() else runs.without(keep, f"at least {LEAST_POINTS} sizes at the same compute")


def _replayed(fitted: LawFit) -> Replay | None:
    """Run approach 2 on the law's own losses at the runs' grid, where that grid has budgets."""
    if not is_closed_form(fitted.law, SixND()):
        return None
    try:
        runs = on_budgets(fitted.runs)
    except EvidenceError:
        return None  # no budgets, so nothing to replay
    n, d = runs.inputs(("params", "tokens"))
    budget = nominal_budgets(runs)
    losses = np.exp(fitted.found.problem.law.log_predict(fitted.theta[None], np.array([n, d]))[0])
    distinct = np.unique(budget)
    truth = np.log(allocate(fitted.law, fitted.theta, distinct, SixND(), around=(0.0, 1.0)).params[0])
    usable = sum(p.log_params is not None for p in parabolas(budget, n, d, losses))
    if usable < 3:
        return None
    got, rows = replay(budget, n, d, losses, truth)
    a, _ = frontier_exponents(fitted.law, fitted.theta)
    return Replay(a_law=float(a[0]), a_isoflop=got.params[1], budgets=got.used, rows=tuple(rows))


def _by_runs(
    runs: Runs,
    approach: Approach,
    budget: float,
    flop: Array,
    ci: Bootstrap | None,
    per_decade: float,
    *,
    law: str,
    objective: Objective | None,
) -> Frontier:
    if approach == "isoflop":
        runs = on_budgets(runs)
        flop = runs.column("train_flop")
    n, d = runs.inputs(("params", "tokens"))
    loss = np.exp(runs.log_outcome)
    groups = nominal_budgets(runs) if approach == "isoflop" else None
    found = () if groups is None else parabolas(groups, n, d, loss)
    around = None if groups is not None else envelope(flop, loss, per_decade=per_decade)

    def by_envelope(rows: Index, losses: Array) -> PowerFit:
        lowest = envelope(flop[rows], losses[rows], per_decade=per_decade).rows
        return power_fit(np.log(flop[rows][lowest]), n[rows][lowest], d[rows][lowest])

    def by_parabolas(rows: Index, losses: Array) -> PowerFit:
        return through_minima(parabolas(budget_of[rows], n[rows], d[rows], losses[rows]))

    budget_of = groups if groups is not None else np.zeros(runs.n)
    estimate = by_envelope if groups is None else by_parabolas
    everything = np.arange(runs.n)
    point = estimate(everything, loss)
    asked = np.concatenate([[budget], budgets_along(flop, budget)])
    draws = None
    if ci is not None:
        replicates = _rows(ci, loss) if groups is None else _residuals(ci, loss, groups, found, n)
        draws = _draws(estimate, replicates, ci.reps, np.log(asked))
    log_c = np.log(asked)
    return Frontier(
        runs=runs,
        approach=approach,
        cost=SixND(),
        fitted=None,
        ci=ci,
        budgets=asked,
        log_params=point.params[0] + point.params[1] * log_c,
        log_tokens=point.tokens[0] + point.tokens[1] * log_c,
        loss=None,
        a=point.params[1],
        b=point.tokens[1],
        draws=draws,
        parabolas=found,
        on_envelope=None if around is None else around.rows,
        thin_bins=0 if around is None else around.thin,
        replay=_replayed(fit(runs, law=law, objective=objective)) if approach == "isoflop" else None,
    )


def _rows(ci: Bootstrap, loss: Array) -> Iterator[tuple[Index, Array]]:
    """Yield replicates that draw rows with replacement."""
    n = len(loss)
    for generator, kept, _ in replicate_blocks(ci.seed, 0, ci.reps):
        for rows in generator.integers(0, n, size=(kept.stop, n))[kept]:
            yield rows, loss


def _residuals(
    ci: Bootstrap, loss: Array, groups: Array, found: tuple[Parabola, ...], log_n: Array
) -> Iterator[tuple[Index, Array]]:
    """Yield replicates that keep the sizes of each budget and draw residuals of its parabola.

    Rows drawn with replacement would leave too few sizes at a budget for a parabola.
    """
    everything = np.arange(len(loss))
    fitted, residual = loss.copy(), np.zeros_like(loss)
    inside = []
    for one in found:
        rows = np.flatnonzero(groups == one.budget)
        if one.coefficients is None:
            continue
        z = log_n[rows] - one.centre
        fitted[rows] = np.column_stack([np.ones_like(z), z, z * z]) @ one.coefficients
        # Three coefficients take up as many degrees of freedom.
        residual[rows] = (loss[rows] - fitted[rows]) * np.sqrt(len(rows) / max(len(rows) - 3, 1))
        inside.append(rows)
    for generator, kept, _ in replicate_blocks(ci.seed, 0, ci.reps):
        block = []
        for _ in range(kept.stop):
            moved = fitted.copy()
            for rows in inside:
                moved[rows] += residual[rows[generator.integers(0, len(rows), len(rows))]]
            block.append(moved)
        yield from ((everything, moved) for moved in block[kept])


def _draws(
    estimate: Callable[[Index, Array], PowerFit],
    replicates: Iterator[tuple[Index, Array]],
    reps: int,
    log_c: Array,
) -> dict[str, Array]:
    """Return the power laws of all replicates; one without an answer is NaN and is counted."""
    power = np.full((reps, 4), np.nan)
    for position, (rows, losses) in enumerate(replicates):
        try:
            got = estimate(rows, losses)
        except EvidenceError:
            continue
        power[position] = (*got.params, *got.tokens)
    return {
        "log_params": power[:, 0, None] + power[:, 1, None] * log_c,
        "log_tokens": power[:, 2, None] + power[:, 3, None] * log_c,
        "a": power[:, 1],
        "b": power[:, 3],
    }

"""Leave-one-out by exact refits, the path that drops the highest losses, and the runs that flip a "
"conclusion."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from isoflop.errors import SettingError, closest
from isoflop.scaling.estimate import find, problem, refit
from isoflop.scaling.influence.quantities import quantities
from isoflop.scaling.influence.result import Flip, Influence, heteroscedasticity, leverage
from isoflop.scaling.model import Array
from isoflop.scaling.result import LawFit

EXACT_UP_TO = 2000
"""Above this many runs each run's effect is approximated, and refitted exactly for the largest ones."""
DROPS = (0, 1, 5, 10)
MOST_REMOVED = 25


def influence(
    fitted: LawFit,
    *,
    at_flop: float | None = None,
    drops: Sequence[int] = DROPS,
    flip: tuple[str, float] | None = None,
    top: int = 10,
    progress: Callable[[str, float], None] | None = None,
) -> Influence:
    """Say which runs carry the fit.

    Parameters
    ----------
    fitted : LawFit
    at_flop : float, optional
        Budget at which optimal tokens per parameter are followed; default: the largest of the runs.
    drops : sequence of int
        How many of the highest losses are left out, one refit from fresh starts each.
    flip : (str, float), optional
        A quantity and a value: the fewest runs whose removal carries the quantity across it, found
        greedily. Default for a law of N and D: a = 1/2.
    top : int
        Runs refitted exactly where there are too many to refit all.

    Returns
    -------
    Influence
    """
    runs, law = fitted.runs, fitted.law
    if top < 1:
        raise SettingError(f"influence: top={top}, must be at least 1. Use 10.")
    budget = float(at_flop) if at_flop is not None else _largest(fitted)
    point = {k: float(v[0]) for k, v in quantities(law, fitted.theta[None], at_flop=budget).items()}
    left_out, exact = _leave_one_out(fitted, top=top)
    without = quantities(law, left_out, at_flop=budget)
    if progress is not None:
        progress("leave one out", 0.4)
    path = [_dropped(fitted, k, budget) for k in drops if k < runs.n - law.p]
    if progress is not None:
        progress("drop the highest", 0.7)
    wanted = flip or (("a", 0.5) if "a" in point else None)
    if wanted is not None and wanted[0] not in point:
        near = closest(wanted[0], point)
        raise SettingError(
            f"influence: flip={wanted[0]!r}, must be one of {', '.join(point)}. "
            f"{f'Did you mean {near!r}?' if near else 'Choose one.'}"
        )
    return Influence(
        fitted=fitted,
        at_flop=budget,
        point=point,
        without=without,
        exact=exact,
        path=tuple(path),
        flip=None if wanted is None else _flipped(fitted, *wanted, budget),
        leverage=leverage(fitted),
        heteroscedasticity=heteroscedasticity(fitted),
    )


def _largest(fitted: LawFit) -> float:
    runs = fitted.runs
    if "train_flop" in runs.frame.columns and runs.frame["train_flop"].null_count() < runs.n:
        return float(np.nanmax(runs.column("train_flop")))
    return float(np.exp(runs.inputs(fitted.law.inputs).sum(axis=0).max() + np.log(6.0)))


def _leave_one_out(fitted: LawFit, *, top: int) -> tuple[Array, np.ndarray]:
    """Return parameters without each run, shape (n, p), and which of them are exact refits."""
    one, n = fitted.found.problem, fitted.n
    starts = np.array([m.theta for m in fitted.found.minima[:2]])
    if n <= EXACT_UP_TO:
        weights = (1.0 - np.eye(n)) * one.weights
        return refit(one, weights, starts).theta, np.ones(n, bool)
    # Infinitesimal jackknife: theta moves by H^-1 grad rho_i; unreliable near least absolute loss.
    _, hessian = one.gradient_and_hessian(fitted.theta)
    slope, _ = one.loss.slopes(one.predict(fitted.theta) - one.y)
    jacobian = one.jacobian(fitted.theta)
    inner = jacobian @ one.turn
    moved = np.linalg.lstsq(hessian, ((slope * one.weights)[:, None] * inner).T, rcond=None)[0].T
    theta = fitted.theta + moved @ one.turn.T
    largest = np.argsort(-np.linalg.norm(moved, axis=1))[:top]
    weights = np.tile(one.weights, (len(largest), 1))
    weights[np.arange(len(largest)), largest] = 0.0
    theta[largest] = refit(one, weights, starts).theta
    exact = np.zeros(n, bool)
    exact[largest] = True
    return theta, exact


def _dropped(fitted: LawFit, count: int, budget: float) -> dict[str, float]:
    """Refit without the `count` highest losses, from fresh starts."""
    one, y = fitted.found.problem, fitted.runs.log_outcome
    keep = np.ones(fitted.n, bool) if count == 0 else y < np.sort(y)[-count]
    part = problem(
        fitted.law,
        one.u[:, keep],
        one.log_y[keep],
        objective=fitted.objective,
        weights=one.weights[keep],
    )
    got = find(part).best
    numbers = quantities(fitted.law, got.theta[None], at_flop=budget)
    return {
        "dropped": int(count),
        "n": int(keep.sum()),
        "objective": got.objective,
        **{name: float(value[0]) for name, value in numbers.items()},
    }


def _flipped(fitted: LawFit, name: str, bar: float, budget: float) -> Flip:
    """Remove, one by one, the run whose absence moves a quantity most towards and across `bar`."""
    one, law = fitted.found.problem, fitted.law
    theta = fitted.theta
    value = float(quantities(law, theta[None], at_flop=budget)[name][0])
    side = np.sign(bar - value)
    keep = one.weights.copy()
    removed: list[int] = []
    values = [value]
    while side * (bar - value) > 0 and len(removed) < min(MOST_REMOVED, fitted.n - law.p - 1):
        left = np.flatnonzero(keep > 0)
        weights = np.tile(keep, (len(left), 1))
        weights[np.arange(len(left)), left] = 0.0
        got = refit(one, weights, theta[None])
        numbers = quantities(law, got.theta, at_flop=budget)[name]
        best = int(np.nanargmax(side * numbers))
        keep[left[best]] = 0.0
        removed.append(int(left[best]))
        theta, value = got.theta[best], float(numbers[best])
        values.append(value)
    return Flip(
        quantity=name,
        bar=bar,
        removed=tuple(removed),
        values=tuple(values),
        flipped=bool(side * (bar - value) <= 0),
    )

"""Intervals from what went wrong on tasks left out: split conformal with the task as the unit.

Prompts of one task are not exchangeable with those of another, so the residuals are those of whole tasks.
Three flavours: of one model, of all models at once (largest residual), and of the model that a rule chose on
each task (which pays for the winner's curse).
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import SettingError

FloatArray = NDArray[np.float64]
Flavour = Literal["one", "all", "chosen"]


def half_width(residuals: FloatArray, level: float) -> float | None:
    """Return the ceil((D + 1) level)-th smallest of D residuals; None if there are too few.

    Parameters
    ----------
    residuals : array, shape (D,)
        Absolute ones give a two-sided interval, signed ones a one-sided bound.
    level : float, in (0, 1)
        A new residual of the same kind is at most this large with at least this chance.

    Raises
    ------
    SettingError
        `level` is no chance.

    Notes
    -----
    Source: Vovk, Gammerman and Shafer (2005); the finite-sample quantile needs D ≥ level / (1 − level).

    Examples
    --------
    >>> half_width(np.arange(1.0, 10.0), 0.9), half_width(np.arange(1.0, 9.0), 0.9)
    (9.0, None)
    """
    if not 0 < level < 1:
        raise SettingError(f"conformal: level={level:g}, must lie in (0, 1). 0.9 is usual.")
    rank = math.ceil((residuals.size + 1) * level - 1e-9)
    return None if rank > residuals.size else float(np.sort(residuals)[rank - 1])


def needed(level: float) -> int:
    """Return the fewest tasks that give an interval at a level.

    Examples
    --------
    >>> needed(0.9), needed(0.75)
    (9, 3)
    """
    return math.ceil(level / (1 - level) - 1e-9)


def residuals(
    predicted: FloatArray,
    true: FloatArray,
    flavour: Flavour,
    *,
    model: int = 0,
    chosen: NDArray[np.int64] | None = None,
) -> FloatArray:
    """Return the absolute residual of each task in one of three flavours.

    Parameters
    ----------
    predicted, true : array, shape (D, M)
    flavour : {"one", "all", "chosen"}
    model : int
        For "one".
    chosen : array of int, shape (D,)
        For "chosen".
    """
    apart = np.abs(predicted - true)
    if flavour == "all":
        return np.asarray(np.nanmax(apart, axis=1))
    if flavour == "one":
        return np.asarray(apart[:, model])
    if chosen is None:
        raise SettingError("conformal: flavour='chosen' needs the choice of each task. Give chosen=.")
    return np.asarray(apart[np.arange(len(apart)), chosen])


def risk_threshold(score: FloatArray, loss: FloatArray, risk: float) -> float | None:
    """Return the lowest score at which accepting everything above keeps the mean loss within a bound.

    Conformal risk control: over tasks, the mean loss of a new task's accepted choice is at most `risk`.

    Parameters
    ----------
    score : array, shape (D,)
        What acceptance looks at: larger is surer.
    loss : array, shape (D,), in [0, 1]
        Loss of the task if it is accepted; a rejected one has none.
    risk : float, in (0, 1)

    Returns
    -------
    float or None
        None where not even the empty set keeps the bound: with D tasks no risk below 1/(D + 1) can be kept.

    Notes
    -----
    Source: Angelopoulos et al. (2022), with the bound (D · mean + 1)/(D + 1).

    Examples
    --------
    >>> risk_threshold(np.array([0.9, 0.8, 0.1]), np.array([0.0, 0.0, 1.0]), 0.4)
    0.8
    """
    if not 0 < risk < 1:
        raise SettingError(f"conformal: risk={risk:g}, must lie in (0, 1). 0.1 is usual.")
    d = score.size
    if risk < 1 / (d + 1):
        return None
    order = np.argsort(-score, kind="stable")
    spent = np.maximum.accumulate(np.cumsum(loss[order]))
    kept = np.flatnonzero((spent + 1) / (d + 1) <= risk)
    if not kept.size:
        return float(np.nextafter(score.max(), np.inf))
    last = int(kept[-1])
    lowest = score[order[last]]
    # Ties at the threshold are accepted together, so a tie with a rejected one moves it up.
    if last + 1 < d and score[order[last + 1]] == lowest:
        above = score[order][score[order] > lowest]
        return float(above[-1]) if above.size else float(np.nextafter(lowest, np.inf))
    return float(lowest)

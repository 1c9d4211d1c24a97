"""From draws to an interval: percentile, basic, BCa and studentised.

*Draws* are the answers of bootstrap replicates (`isoflop.stats.resample`). A draw that is not
finite is a failed refit. It is counted, and refused unless the caller asks for the interval of
the remaining ones; the result carries both counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from isoflop.errors import EvidenceError, NotIdentifiedError, SettingError
from isoflop.stats.checks import FloatArray, finite_array, same_length, unit_level
from isoflop.stats.resample import Bootstrap, BootstrapKind

OnFailed = Literal["refuse", "count"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawInterval:
    """An interval from draws: `n_draws` finite ones used, `n_failed` others set aside."""

    low: float
    high: float
    level: float
    kind: BootstrapKind
    n_draws: int
    n_failed: int


def percentile_interval(
    draws: ArrayLike, level: float = 0.95, *, on_failed: OnFailed = "refuse"
) -> DrawInterval:
    """Return the central quantiles of the draws (linear interpolation between order statistics).

    Parameters
    ----------
    draws : array, shape (reps,)
    level : float, in (0, 1)
    on_failed : {"refuse", "count"}
        What to do if draws are not finite: refuse, or use the others and report the count.

    Examples
    --------
    >>> found = percentile_interval([*range(101), float("nan")], 0.5, on_failed="count")
    >>> found.low, found.high, found.n_draws, found.n_failed
    (25.0, 75.0, 101, 1)
    """
    kept = _kept_draws("percentile_interval", draws, on_failed)
    low, high = np.quantile(kept, _tails("percentile_interval", level))
    return _draw_interval(low, high, level, "percentile", kept.size, np.size(draws))


def basic_interval(
    draws: ArrayLike, point: float, level: float = 0.95, *, on_failed: OnFailed = "refuse"
) -> DrawInterval:
    """Return the percentile interval mirrored at the point: (2p - q_high, 2p - q_low)."""
    kept = _kept_draws("basic_interval", draws, on_failed)
    centre = _finite_point("basic_interval", point)
    low, high = np.quantile(kept, _tails("basic_interval", level))
    return _draw_interval(2 * centre - high, 2 * centre - low, level, "basic", kept.size, np.size(draws))


def bca_interval(
    draws: ArrayLike,
    point: float,
    jackknife: ArrayLike,
    level: float = 0.95,
    *,
    on_failed: OnFailed = "refuse",
) -> DrawInterval:
    """Return Efron's bias-corrected and accelerated interval.

    Parameters
    ----------
    draws : array, shape (reps,)
    point : float
        Answer on the evidence itself.
    jackknife : array, shape (m,)
        Answers with one row, or one cluster, left out (`jackknife_weights`); always all finite.
    level : float, in (0, 1)

    Raises
    ------
    NotIdentifiedError
        All draws lie on one side of the point, or the acceleration is too strong for the level.

    Notes
    -----
    Source: Efron (1987), J. Amer. Statist. Assoc. 82, 171-185. Draws equal to the point count half.
    If all jackknife answers are equal the acceleration is taken as 0.
    """
    from scipy.special import ndtr, ndtri

    kept = _kept_draws("bca_interval", draws, on_failed)
    centre = _finite_point("bca_interval", point)
    left_out = finite_array("bca_interval", "jackknife", jackknife)
    below = float(np.mean((kept < centre) + 0.5 * (kept == centre)))
    if below in (0.0, 1.0):
        raise NotIdentifiedError(
            "bca_interval: all draws lie on one side of the point, needs both. Use percentile."
        )
    deviation = left_out.mean() - left_out
    spread = float(np.max(np.abs(deviation)))
    # Divided by the largest first, so that tiny units do not underflow in the cube.
    unit = deviation / spread if spread > 0 else deviation
    acceleration = float(np.sum(unit**3) / (6 * np.sum(unit**2) ** 1.5)) if spread > 0 else 0.0
    bias = float(ndtri(below))
    shifted = bias + ndtri(_tails("bca_interval", level))
    if np.any(1 - acceleration * shifted <= 0):
        raise NotIdentifiedError(
            f"bca_interval: acceleration {acceleration:.3g} too strong for level {level:g}. Use percentile."
        )
    low, high = np.quantile(kept, ndtr(bias + shifted / (1 - acceleration * shifted)))
    return _draw_interval(low, high, level, "bca", kept.size, np.size(draws))


def studentised_interval(
    draws: ArrayLike,
    draw_ses: ArrayLike,
    point: float,
    se: float,
    level: float = 0.95,
    *,
    on_failed: OnFailed = "refuse",
) -> DrawInterval:
    """Return the bootstrap-t interval: point minus quantiles of (draw - point)/draw_se, times se.

    Parameters
    ----------
    draws, draw_ses : arrays, shape (reps,)
        Answer and its standard error in each replicate; a draw whose standard error is not
        finite and positive counts as failed.
    point, se : float
        The same two on the evidence itself; ``se > 0``.
    """
    answers, errors = np.asarray(draws, dtype=np.float64), np.asarray(draw_ses, dtype=np.float64)
    same_length("studentised_interval", draws=answers, draw_ses=errors)
    centre, scale = _finite_point("studentised_interval", point), _finite_point("studentised_interval", se)
    if scale <= 0:
        raise EvidenceError(f"studentised_interval: se={se}, must be > 0. Use percentile if there is none.")
    usable = np.isfinite(errors) & (errors > 0)
    pivots = np.where(usable, (answers - centre) / np.where(usable, errors, 1.0), np.nan)
    kept = _kept_draws("studentised_interval", pivots, on_failed)
    low, high = np.quantile(kept, _tails("studentised_interval", level))
    return _draw_interval(
        centre - high * scale, centre - low * scale, level, "studentised", kept.size, answers.size
    )


def draw_interval(
    setting: Bootstrap,
    draws: ArrayLike,
    *,
    point: float | None = None,
    jackknife: ArrayLike | None = None,
    draw_ses: ArrayLike | None = None,
    se: float | None = None,
    on_failed: OnFailed = "refuse",
) -> DrawInterval:
    """Return the interval of the kind and level that a `Bootstrap` asks for.

    Raises
    ------
    SettingError
        The kind needs something that was not given.

    Examples
    --------
    >>> draw_interval(Bootstrap(kind="basic", level=0.5), range(101), point=40.0).low
    5.0
    """
    if setting.kind == "percentile":
        return percentile_interval(draws, setting.level, on_failed=on_failed)
    if setting.kind == "basic" and point is not None:
        return basic_interval(draws, point, setting.level, on_failed=on_failed)
    if setting.kind == "bca" and point is not None and jackknife is not None:
        return bca_interval(draws, point, jackknife, setting.level, on_failed=on_failed)
    if setting.kind == "studentised" and point is not None and draw_ses is not None and se is not None:
        return studentised_interval(draws, draw_ses, point, se, setting.level, on_failed=on_failed)
    needs = {"basic": "point", "bca": "point, jackknife", "studentised": "point, se, draw_ses"}[setting.kind]
    raise SettingError(f"draw_interval: kind={setting.kind!r} needs {needs}. Pass them, or use 'percentile'.")


def _tails(where: str, level: float) -> FloatArray:
    tail = (1 - unit_level(where, level)) / 2
    return np.array([tail, 1 - tail])


def _finite_point(where: str, point: float) -> float:
    if not np.isfinite(point):
        raise EvidenceError(f"{where}: point or standard error is {point}, needs a finite number. Fit first.")
    return float(point)


def _kept_draws(where: str, draws: ArrayLike, on_failed: OnFailed) -> FloatArray:
    array = np.asarray(draws, dtype=np.float64)
    if array.ndim != 1:
        raise EvidenceError(f"{where}: draws of shape {array.shape}, needs one dimension. Pass one quantity.")
    if on_failed not in get_args(OnFailed):
        raise SettingError(f"{where}: on_failed={on_failed!r}, must be 'refuse' or 'count'.")
    kept = array[np.isfinite(array)]
    if kept.size < array.size and on_failed == "refuse":
        raise EvidenceError(
            f"{where}: {array.size - kept.size} of {array.size} draws are not finite. "
            "Find out why they failed, or pass on_failed='count' and report the number."
        )
    if kept.size < 2:
        raise EvidenceError(f"{where}: {kept.size} usable draws, needs at least 2. Raise reps.")
    return kept


def _draw_interval(
    low: float, high: float, level: float, kind: BootstrapKind, n_draws: int, n_all: int
) -> DrawInterval:
    return DrawInterval(
        low=float(low),
        high=float(high),
        level=float(level),
        kind=kind,
        n_draws=n_draws,
        n_failed=n_all - n_draws,
    )

"""Intervals in closed form: proportions, counts, means, ratios and reciprocals.

An interval is not always ``[low, high]``. The interval of a ratio whose denominator may be
zero is a half line, two half lines, or everything; `Interval` says which, and never hides an
open end behind a large number.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from isoflop.errors import EvidenceError, NotIdentifiedError, SettingError, closest
from isoflop.stats.checks import FloatArray, finite_array, unit_level

IntervalKind = Literal["closed", "open_above", "open_below", "two_pieces", "everything"]
Bounds = tuple[FloatArray, FloatArray]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A set of values: an interval, a half line, or what a ratio makes of them.

    Parameters
    ----------
    low, high : float or None
        None where the set has no bound on that side.
    kind : {"closed", "open_above", "open_below", "two_pieces", "everything"}
        ``two_pieces``: everything outside the open interval (low, high).
    """

    low: float | None
    high: float | None
    kind: IntervalKind

    def contains(self, value: float) -> bool:
        """Return whether `value` lies in the set.

        Examples
        --------
        >>> Interval(low=-1.0, high=2.0, kind="two_pieces").contains(3.0)
        True
        """
        above = self.low is None or value >= self.low
        below = self.high is None or value <= self.high
        if self.kind == "two_pieces":
            return bool(self.low is not None and value <= self.low) or bool(
                self.high is not None and value >= self.high
            )
        return above and below


def normal_quantile(probability: float) -> float:
    """Return the standard normal quantile.

    Examples
    --------
    >>> round(normal_quantile(0.975), 6)
    1.959964
    """
    from scipy.special import ndtri

    return float(ndtri(probability))


def student_quantile(probability: float, df: float) -> float:
    """Return the quantile of Student's t with `df` > 0 degrees of freedom (infinity: normal).

    Examples
    --------
    >>> round(student_quantile(0.975, 10), 6)
    2.228139
    """
    from scipy.special import stdtrit

    if not df > 0:
        raise SettingError(f"student_quantile: df={df}, must be > 0. Add rows or clusters.")
    return normal_quantile(probability) if math.isinf(df) else float(stdtrit(df, probability))


def chi2_quantile(probability: float, df: float) -> float:
    """Return the chi-squared quantile with `df` > 0 degrees of freedom.

    Examples
    --------
    >>> round(chi2_quantile(0.95, 1), 6)
    3.841459
    """
    from scipy.special import gammaincinv

    if not df > 0:
        raise SettingError(f"chi2_quantile: df={df}, must be > 0. Count the free parameters again.")
    return 2 * float(gammaincinv(df / 2, probability))


def normal(point: ArrayLike, se: ArrayLike, level: float = 0.95, *, df: float = math.inf) -> Bounds:
    """Return point -+ quantile * se, with Student's t if `df` is finite.

    Examples
    --------
    >>> low, high = normal(0.0, 1.0)
    >>> round(float(high), 6)
    1.959964
    """
    quantile = student_quantile(_upper("normal", level), df)
    centre, error = np.asarray(point, dtype=np.float64), np.asarray(se, dtype=np.float64)
    return centre - quantile * error, centre + quantile * error


def wilson(successes: ArrayLike, n: ArrayLike, level: float = 0.95) -> Bounds:
    """Return the Wilson score interval of a proportion.

    Parameters
    ----------
    successes, n : arrays of any one shape, 0 <= successes <= n, n >= 1
    level : float, in (0, 1)

    Returns
    -------
    low, high : arrays of that shape, in [0, 1]

    Notes
    -----
    Source: Wilson (1927), J. Amer. Statist. Assoc. 22, 209-212.

    Examples
    --------
    >>> low, high = wilson(0, 10)
    >>> float(low), round(float(high), 4)
    (0.0, 0.2775)
    """
    k, trials = _counts("wilson", successes, n)
    z = normal_quantile(_upper("wilson", level))
    centre = k + z * z / 2
    half = z * np.sqrt(k * (trials - k) / trials + z * z / 4)
    low, high = (centre - half) / (trials + z * z), (centre + half) / (trials + z * z)
    return np.where(k == 0, 0.0, low), np.where(k == trials, 1.0, high)


def wilson_cc(successes: ArrayLike, n: ArrayLike, level: float = 0.95) -> Bounds:
    """Return the Wilson interval with continuity correction.

    Notes
    -----
    Source: Newcombe (1998), Statistics in Medicine 17, 857-872, method 4.
    """
    k, trials = _counts("wilson_cc", successes, n)
    z = normal_quantile(_upper("wilson_cc", level))
    p, q = k / trials, 1 - k / trials
    # The roots are complex only at k = 0 or n, where the bound is 0 or 1 by definition.
    low_root = np.sqrt(np.maximum(z * z - 2 - 1 / trials + 4 * p * (trials * q + 1), 0.0))
    high_root = np.sqrt(np.maximum(z * z + 2 - 1 / trials + 4 * p * (trials * q - 1), 0.0))
    low = (2 * k + z * z - 1 - z * low_root) / (2 * (trials + z * z))
    high = (2 * k + z * z + 1 + z * high_root) / (2 * (trials + z * z))
    return np.where(k == 0, 0.0, np.maximum(low, 0.0)), np.where(k == trials, 1.0, np.minimum(high, 1.0))


def agresti_coull(successes: ArrayLike, n: ArrayLike, level: float = 0.95) -> Bounds:
    """Return the Agresti-Coull interval (Wilson's centre, a normal half width), cut to [0, 1].

    Notes
    -----
    Source: Agresti & Coull (1998), The American Statistician 52, 119-126.
    """
    k, trials = _counts("agresti_coull", successes, n)
    z = normal_quantile(_upper("agresti_coull", level))
    wider = trials + z * z
    centre = (k + z * z / 2) / wider
    half = z * np.sqrt(centre * (1 - centre) / wider)
    return np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)


def jeffreys(successes: ArrayLike, n: ArrayLike, level: float = 0.95) -> Bounds:
    """Return equal tails of the Beta(k + 1/2, n - k + 1/2) posterior; 0 at k = 0 and 1 at k = n.

    Notes
    -----
    Source: Brown, Cai & DasGupta (2001), Statistical Science 16, 101-133.
    """
    from scipy.special import betaincinv

    k, trials = _counts("jeffreys", successes, n)
    upper = _upper("jeffreys", level)
    low = betaincinv(k + 0.5, trials - k + 0.5, 1 - upper)
    high = betaincinv(k + 0.5, trials - k + 0.5, upper)
    return np.where(k == 0, 0.0, low), np.where(k == trials, 1.0, high)


def clopper_pearson(successes: ArrayLike, n: ArrayLike, level: float = 0.95) -> Bounds:
    """Return the exact interval: it never covers less often than `level`.

    Notes
    -----
    Source: Clopper & Pearson (1934), Biometrika 26, 404-413, by quantiles of the beta law.
    """
    from scipy.special import betaincinv

    k, trials = _counts("clopper_pearson", successes, n)
    upper = _upper("clopper_pearson", level)
    # Shapes are set to 1 where the bound is 0 or 1 by definition and the quantile unused.
    low = betaincinv(np.where(k == 0, 1.0, k), trials - k + 1, 1 - upper)
    high = betaincinv(k + 1, np.where(k == trials, 1.0, trials - k), upper)
    return np.where(k == 0, 0.0, low), np.where(k == trials, 1.0, high)


BINOMIAL: dict[str, Callable[[ArrayLike, ArrayLike, float], Bounds]] = {
    "wilson": wilson,
    "wilson_cc": wilson_cc,
    "agresti_coull": agresti_coull,
    "jeffreys": jeffreys,
    "clopper_pearson": clopper_pearson,
}
"""Intervals of one proportion by name."""


def binomial(successes: ArrayLike, n: ArrayLike, level: float = 0.95, *, method: str = "wilson") -> Bounds:
    """Return the interval of a proportion by the named method of `BINOMIAL`.

    Raises
    ------
    SettingError
        Unknown method, or level outside (0, 1).

    Examples
    --------
    >>> low, high = binomial([3, 5], [10, 10], method="clopper_pearson")
    >>> low.round(4).tolist()
    [0.0667, 0.1871]
    """
    if method not in BINOMIAL:
        near = closest(method, BINOMIAL)
        hint = f"Did you mean {near!r}?" if near else "Use 'wilson'."
        raise SettingError(f"binomial: method={method!r}, must be one of {', '.join(BINOMIAL)}. {hint}")
    return BINOMIAL[method](successes, n, level)


def newcombe(
    successes_a: ArrayLike, n_a: ArrayLike, successes_b: ArrayLike, n_b: ArrayLike, level: float = 0.95
) -> Bounds:
    """Return Newcombe's hybrid score interval of the difference p_a - p_b of two independent samples.

    Notes
    -----
    Source: Newcombe (1998), Statistics in Medicine 17, 873-890, method 10.

    Examples
    --------
    >>> low, high = newcombe(56, 70, 48, 80)
    >>> round(float(low), 4), round(float(high), 4)
    (0.0524, 0.3339)
    """
    low_a, high_a = wilson(successes_a, n_a, level)
    low_b, high_b = wilson(successes_b, n_b, level)
    p_a = np.asarray(successes_a, dtype=np.float64) / np.asarray(n_a, dtype=np.float64)
    p_b = np.asarray(successes_b, dtype=np.float64) / np.asarray(n_b, dtype=np.float64)
    difference = p_a - p_b
    return difference - np.hypot(p_a - low_a, high_b - p_b), difference + np.hypot(high_a - p_a, p_b - low_b)


def poisson(counts: ArrayLike, exposure: ArrayLike = 1.0, level: float = 0.95) -> Bounds:
    """Return the exact interval of a rate from counts over an exposure > 0.

    Notes
    -----
    Source: Garwood (1936), Biometrika 28, 437-442.

    Examples
    --------
    >>> low, high = poisson(0)
    >>> float(low), round(float(high), 4)
    (0.0, 3.6889)
    """
    from scipy.special import gammaincinv

    seen, over = np.asarray(counts, dtype=np.float64), np.asarray(exposure, dtype=np.float64)
    if not (
        np.all(np.isfinite(seen)) and np.all(seen >= 0) and np.all(np.isfinite(over)) and np.all(over > 0)
    ):
        raise EvidenceError("poisson: needs finite counts >= 0 and exposures > 0. Check both columns.")
    upper = _upper("poisson", level)
    low = np.where(seen == 0, 0.0, gammaincinv(np.where(seen == 0, 1.0, seen), 1 - upper))
    return low / over, gammaincinv(seen + 1, upper) / over


def fieller(
    numerator: float,
    denominator: float,
    covariance: ArrayLike,
    level: float = 0.95,
    *,
    df: float = math.inf,
) -> Interval:
    """Return Fieller's interval of numerator/denominator, exact for normal estimates.

    Parameters
    ----------
    numerator, denominator : float
        Estimates, jointly normal.
    covariance : array, shape (2, 2)
        Of (numerator, denominator).
    level : float, in (0, 1)
    df : float
        Degrees of freedom of the covariance; infinite if it is known.

    Returns
    -------
    Interval
        ``closed`` if the denominator differs from 0 at this level; else a half line,
        ``two_pieces`` or ``everything``.

    Notes
    -----
    The set of r with (numerator - r denominator)^2 <= q^2 Var(numerator - r denominator).
    Source: Fieller (1954), J. Roy. Statist. Soc. B 16, 175-185.

    Examples
    --------
    >>> found = fieller(2.0, 0.5, [[0.04, 0.0], [0.0, 0.25]])
    >>> found.kind, round(found.low, 2), round(found.high, 2)
    ('two_pieces', -4.13, 1.31)
    """
    spread = finite_array("fieller", "covariance", covariance, ndim=2)
    if spread.shape != (2, 2) or np.linalg.eigvalsh(spread)[0] < -1e-12 * np.abs(spread).max():
        raise EvidenceError("fieller: covariance is no covariance matrix of two. Pass ((vn, c), (c, vd)).")
    if not (math.isfinite(numerator) and math.isfinite(denominator)):
        raise EvidenceError(f"fieller: {numerator}/{denominator}, needs finite estimates. Fit first.")
    q2 = student_quantile(_upper("fieller", level), df) ** 2
    square = denominator**2 - q2 * float(spread[1, 1])
    middle = numerator * denominator - q2 * float(spread[0, 1] + spread[1, 0]) / 2
    constant = numerator**2 - q2 * float(spread[0, 0])
    if square == 0:
        if middle == 0:
            return Interval(low=None, high=None, kind="everything")
        root = constant / (2 * middle)
        if middle > 0:
            return Interval(low=root, high=None, kind="open_above")
        return Interval(low=None, high=root, kind="open_below")
    discriminant = middle**2 - square * constant
    if square < 0 and discriminant <= 0:
        return Interval(low=None, high=None, kind="everything")
    # The larger root in size first, the other from the product, so that neither cancels.
    far = middle + math.copysign(math.sqrt(max(discriminant, 0.0)), middle)
    roots = sorted((far / square, constant / far if far else 0.0))
    return Interval(low=roots[0], high=roots[1], kind="closed" if square > 0 else "two_pieces")


def reciprocal(low: float | None, high: float | None, scale: float = 1.0, *, signed: bool = True) -> Interval:
    """Return the interval of scale/x from an interval of x that may contain 0.

    A halving time is ln 2 over a rate. Where the rate may be 0 the time may be anything beyond
    its lower bound, and percentiles of the time itself mean nothing.

    Parameters
    ----------
    low, high : float or None
        Bounds of x, low <= high; None if open.
    scale : float, > 0
    signed : bool
        True keeps negative times (``two_pieces`` if 0 lies inside); False reads x <= 0 as
        "never", which gives ``open_above``: at least scale/high, no progress not excluded.

    Returns
    -------
    Interval

    Raises
    ------
    NotIdentifiedError
        x is exactly 0, or ``signed=False`` and x lies wholly at or below 0.

    Examples
    --------
    >>> reciprocal(0.5, 2.0)
    Interval(low=0.5, high=2.0, kind='closed')
    >>> reciprocal(-0.5, 2.0)
    Interval(low=-2.0, high=0.5, kind='two_pieces')
    >>> reciprocal(-0.5, 2.0, signed=False)
    Interval(low=0.5, high=None, kind='open_above')
    """
    least = -math.inf if low is None else float(low)
    most = math.inf if high is None else float(high)
    if not least <= most:
        raise EvidenceError(f"reciprocal: bounds {low} and {high}, needs low <= high. Swap them.")
    if not (scale > 0 and math.isfinite(scale)):
        raise SettingError(
            f"reciprocal: scale={scale}, must be finite and > 0. Change the sign of x instead."
        )
    if least == most == 0 or (not signed and most <= 0):
        came = "exactly 0" if least == most == 0 else "nowhere above 0"
        raise NotIdentifiedError(f"reciprocal: x is {came}, so scale/x has no value. Report x itself.")
    at_least = scale / least if least else -math.inf
    at_most = scale / most if most else math.inf
    if least >= 0 or (not signed):
        if least > 0:
            return Interval(low=at_most, high=at_least, kind="closed")
        return Interval(low=at_most, high=None, kind="open_above")
    if most < 0:
        return Interval(low=at_most, high=at_least, kind="closed")
    if most == 0:
        return Interval(low=None, high=at_least, kind="open_below")
    if math.isinf(least) and math.isinf(most):
        return Interval(low=None, high=None, kind="everything")
    return Interval(low=at_least, high=at_most, kind="two_pieces")


def _upper(where: str, level: float) -> float:
    return (1 + unit_level(where, level)) / 2


def _counts(where: str, successes: ArrayLike, n: ArrayLike) -> tuple[FloatArray, FloatArray]:
    k, trials = np.asarray(successes, dtype=np.float64), np.asarray(n, dtype=np.float64)
    if not (np.all(np.isfinite(k)) and np.all(trials >= 1) and np.all((k >= 0) & (k <= trials))):
        raise EvidenceError(f"{where}: needs 0 <= successes <= n and n >= 1, finite. Check both columns.")
    return k, trials

"""Are two samples of random numbers alike? Support, then the two-sample Kolmogorov-Smirnov test."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

LEVEL = 1e-4
"""Two generators of the same numbers are told apart by mistake once in ten thousand outputs."""
_SHOWS_WHOLE = 20
"""Values of a sample, all of them whole, that show that there are no fractions."""
_TERMS = 100
_SURE = 0.2
"""Below this scaled distance the probability is 1 to fifteen digits, and its series converges slowly."""


def are_alike(found: NDArray[Any], right: NDArray[Any]) -> bool:
    """Return whether two samples may come from one distribution.

    Parameters
    ----------
    found, right : array
        Of one shape; real, complex, whole or logical numbers.

    Examples
    --------
    >>> ones = np.ones(50)
    >>> are_alike(ones, ones), are_alike(-ones, ones)
    (True, False)
    """
    if not found.size:
        return True
    if right.dtype.kind == "c":
        return are_alike(found.real, right.real) and are_alike(found.imag, right.imag)
    x, y = (side.astype(np.float64).ravel() for side in (found, right))
    return has_support(x, y) and ks_probability(*(_ordered(side) for side in (x, y))) >= LEVEL


def has_support(found: NDArray[np.float64], right: NDArray[np.float64]) -> bool:
    """Return whether a sample lies where the other does.

    NaN, infinities and fractions where the other has none are no chance. Beyond the other's range some
    numbers always fall: they count once so many of the smallest or largest are all of one sample as chance
    allows in one case of ten thousand.

    Examples
    --------
    >>> inside, outside = np.arange(50.0), np.arange(50.0) - 20
    >>> has_support(inside, inside), has_support(outside, inside)
    (True, False)
    """
    for is_special in (np.isnan, np.isinf):
        if is_special(found).any() and not is_special(right).any():
            return False
    x, y = found[np.isfinite(found)], right[np.isfinite(right)]
    if not x.size or not y.size:
        return x.size == y.size
    if y.size >= _SHOWS_WHOLE and (y == np.round(y)).all() and (x != np.round(x)).any():
        return False
    beyond = max(int((x < y.min()).sum()), int((x > y.max()).sum()))
    return _chance_of_run(beyond, x.size, y.size) >= LEVEL / 2


def _chance_of_run(length: int, own: int, other: int) -> float:
    """Return the chance that the `length` smallest of two mixed samples are all of one.

    Examples
    --------
    >>> _chance_of_run(2, 2, 2)
    0.16666666666666666
    """
    chance = 1.0
    for drawn in range(length):
        chance *= (own - drawn) / (own + other - drawn)
        if chance < LEVEL / 2:
            break
    return chance


def ks_distance(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Return the largest difference of two empirical distribution functions.

    Examples
    --------
    >>> ks_distance(np.array([0.0, 1.0]), np.array([1.0, 2.0]))
    0.5
    """
    both = np.concatenate([x, y])
    of_x, of_y = (np.searchsorted(np.sort(side), both, side="right") / side.size for side in (x, y))
    return float(np.max(np.abs(of_x - of_y)))


def ks_probability(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Return the asymptotic p-value of the two-sample Kolmogorov-Smirnov test.

    For small samples, and for numbers that repeat, it is too large: fewer differences are found.

    Examples
    --------
    >>> steps = np.arange(100.0)
    >>> ks_probability(steps, steps), ks_probability(steps, steps + 1000) < 1e-9
    (1.0, True)
    """
    if not x.size or not y.size:
        return 1.0
    scaled = ks_distance(x, y) * float(np.sqrt(x.size * y.size / (x.size + y.size)))
    if scaled < _SURE:
        return 1.0
    k = np.arange(1, _TERMS + 1)
    return float(np.clip(2 * np.sum((-1.0) ** (k - 1) * np.exp(-2 * (k * scaled) ** 2)), 0.0, 1.0))


def _ordered(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return numbers without NaN; infinities stay, at the ends."""
    return values[~np.isnan(values)]

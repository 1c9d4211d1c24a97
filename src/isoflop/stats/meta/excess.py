"""Are there more successes than the studies' own chances allow?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from isoflop.errors import EvidenceError
from isoflop.stats.checks import FloatArray, finite_array, same_length, unit_level
from isoflop.stats.intervals import normal_quantile
from isoflop.stats.meta.effects import chosen, read_effects
from isoflop.stats.meta.pool import pool


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcessShare:
    """A count of successes against independent trials of known, different chances.

    Parameters
    ----------
    observed : int
    expected : float
        Sum of the chances.
    n : int
    p_value : float
        Chance of at least the observed count.
    """

    observed: int
    expected: float
    n: int
    p_value: float

    @property
    def ratio(self) -> float:
        """Observed over expected; infinite where nothing was expected and something seen."""
        if self.expected > 0:
            return self.observed / self.expected
        return math.inf if self.observed else 1.0


def excess_share(flags: ArrayLike, probabilities: ArrayLike) -> ExcessShare:
    """Test whether more flags are set than their probabilities allow.

    Parameters
    ----------
    flags : bool array, shape (n,)
        Such as: this study reports R² > 0.7.
    probabilities : array, shape (n,), in [0, 1]
        Of each flag if nothing but chance were at work; independent.

    Notes
    -----
    The exact distribution of a sum of unequal Bernoulli variables, built up one study at a time.

    Examples
    --------
    >>> round(excess_share([True, True, True], [0.5, 0.5, 0.5]).p_value, 6)
    0.125
    """
    chances = finite_array("excess_share", "probabilities", probabilities)
    marks = finite_array("excess_share", "flags", np.asarray(flags, dtype=np.float64))
    n = same_length("excess_share", flags=marks, probabilities=chances)
    if not np.isin(marks, (0.0, 1.0)).all():
        raise EvidenceError("excess_share: flags hold values other than 0 and 1. Pass true or false.")
    if chances.min() < 0 or chances.max() > 1:
        raise EvidenceError(
            f"excess_share: probabilities {chances.min():g} to {chances.max():g}, must lie in [0, 1]."
            " Divide percentages by 100."
        )
    observed = int(marks.sum())
    tail = float(_count_distribution(chances)[observed:].sum())
    return ExcessShare(observed=observed, expected=float(chances.sum()), n=n, p_value=min(1.0, tail))


def excess_significance(
    y: ArrayLike,
    v: ArrayLike,
    *,
    effect: float | None = None,
    alpha: float = 0.05,
    alternative: Literal["two-sided", "greater", "less"] = "two-sided",
) -> ExcessShare:
    """Test whether more studies are significant than their power allows.

    Parameters
    ----------
    y, v : arrays, shape (k,)
    effect : float or None
        True effect that power is computed at; the fixed-effect mean if None.
    alpha : float, in (0, 1)
    alternative : {"two-sided", "greater", "less"}
        What each study is taken to test.

    Notes
    -----
    Source: Ioannidis & Trikalinos (2007), Clinical Trials 4, 245-253. With heterogeneity, power at one
    effect is off, and the test is a hint.

    Examples
    --------
    >>> excess_significance([0.5, 0.6, 0.7], [0.05, 0.08, 0.1]).observed
    3
    """
    chosen("excess_significance", "alternative", alternative, ("two-sided", "greater", "less"))
    unit_level("excess_significance", alpha)
    effects = read_effects("excess_significance", y, v)
    centre = float(pool(y, v, tau2="FE").coefficients[0]) if effect is None else float(effect)
    se = np.sqrt(effects.v)
    power = _power(centre / se, alpha, alternative)
    z = effects.y / se
    tested = {"two-sided": np.abs(z), "greater": z, "less": -z}[alternative]
    tail = alpha / 2 if alternative == "two-sided" else alpha
    return excess_share(tested >= normal_quantile(1 - tail), power)


def _power(shift: FloatArray, alpha: float, alternative: str) -> FloatArray:
    from scipy.special import ndtr

    if alternative == "two-sided":
        cut = normal_quantile(1 - alpha / 2)
        return np.asarray(ndtr(shift - cut) + ndtr(-shift - cut))
    return np.asarray(ndtr((shift if alternative == "greater" else -shift) - normal_quantile(1 - alpha)))


def _count_distribution(chances: FloatArray) -> FloatArray:
    """Return the probabilities of 0 .. n successes."""
    distribution = np.ones(1)
    for chance in chances:
        distribution = np.convolve(distribution, [1 - chance, chance])
    return distribution

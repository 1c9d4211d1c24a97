"""How many points and trials does a scaling study need? ``scaling.power``.

A study measures success at m amounts of a resource, equally spaced on the logarithm over a range of
R = largest / smallest, with n trials at each. The error follows e(x) = e₁ (x / x₁)^−α. With trials alone,
ln e is known at a point with variance (1 − e) / (n e); training runs that differ by a standard deviation s
of ln e add s² / seeds. The exponent then has the standard error

    SE(α) = 1 / √(Σ w (u − ū)²),   w = 1 / ((1 − e) / (n e) + s² / seeds),   u = ln x,

ū the w-weighted mean. The smallest exponent found with a given power solves α = z₁ SE₀(α) + z₂ SE(α), where
SE₀ is the standard error under a flat error equal to the study's mean: what a test of "no change" assumes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from isoflop.errors import NotIdentifiedError, SettingError
from isoflop.scaling.breaks.fit import POWER, fit_curve, log_likelihood
from isoflop.scaling.power.result import PowerPlan, Simulated
from isoflop.stats.checks import FloatArray, whole_number
from isoflop.stats.intervals import chi2_quantile, normal_quantile

POINTS = (3, 4, 5, 6, 8, 10)
TRIALS = (10, 20, 50, 100, 200, 500)
CHECK_DRAWS = 2000
MOST = 100_000
"""Trials or points beyond which a plan is called out of reach."""
_SMALLEST, _STEEPEST, _RATIO = 1e-4, 20.0, 1.1


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyPlan:
    """A study to be run.

    Parameters
    ----------
    points : int, >= 3
        Amounts of the resource, equally spaced on the logarithm.
    trials : int, >= 1
        Trials at each amount, over all its training runs.
    resource_range : float, > 1
        Largest amount over smallest.
    base_error : float, in (0, 1)
        Error at the smallest amount.
    seeds : int, >= 1
        Training runs at each amount.
    seed_spread : float, >= 0
        Standard deviation of ln error between training runs; 0 counts trials alone.

    Examples
    --------
    >>> StudyPlan(base_error=60)
    Traceback (most recent call last):
    isoflop.errors.SettingError: power: base_error=60, must lie in (0, 1). Did you mean 0.6?
    """

    points: int = 4
    trials: int = 50
    resource_range: float = 10.0
    base_error: float = 0.6
    seeds: int = 1
    seed_spread: float = 0.0

    def __post_init__(self) -> None:
        whole_number("power", "points", self.points, least=3)
        whole_number("power", "trials", self.trials, least=1)
        whole_number("power", "seeds", self.seeds, least=1)
        if not 1.0 < self.resource_range < math.inf:
            raise SettingError(
                f"power: resource_range={self.resource_range}, must lie in (1, inf). Give largest over "
                "smallest amount, 10 for one decade."
            )
        if not 0.0 < self.base_error < 1.0:
            percentage = 1.0 < self.base_error < 100.0
            hint = f"Did you mean {self.base_error / 100:g}?" if percentage else "Use 0.6, say."
            raise SettingError(f"power: base_error={self.base_error}, must lie in (0, 1). {hint}")
        if not 0.0 <= self.seed_spread < math.inf:
            raise SettingError(
                f"power: seed_spread={self.seed_spread}, must lie in [0, inf). Use 0 to count trials alone."
            )

    @property
    def u(self) -> FloatArray:
        """ln of the amounts over the smallest, shape (points,)."""
        return np.linspace(0.0, math.log(self.resource_range), self.points)

    def error(self, alpha: float) -> FloatArray:
        """Return the error at each amount; a negative exponent stops at 1."""
        return np.asarray(np.minimum(self.base_error * np.exp(-alpha * self.u), 1.0 - 1e-9))


def standard_error(plan: StudyPlan, alpha: float) -> float:
    """Return the standard error of the exponent, by Fisher information.

    Examples
    --------
    >>> round(standard_error(StudyPlan(points=4, trials=50), 0.25), 4)
    0.0897
    """
    return _standard_error(plan, plan.error(alpha))


def _standard_error(plan: StudyPlan, e: FloatArray) -> float:
    spread = plan.seed_spread**2 / plan.seeds
    weight = 1.0 / ((1.0 - e) / (plan.trials * e) + spread)
    mean = weight @ plan.u / weight.sum()
    return float(1.0 / math.sqrt(weight @ (plan.u - mean) ** 2))


def minimum_detectable_exponent(plan: StudyPlan, *, power: float = 0.8, level: float = 0.95) -> float:
    """Return the smallest exponent that a two-sided test at `level` finds with probability `power`.

    Raises
    ------
    NotIdentifiedError
        No exponent up to 20 is found with that power.

    Examples
    --------
    >>> round(minimum_detectable_exponent(StudyPlan(points=4, trials=50)), 3)
    0.25
    """
    first, second = normal_quantile(0.5 + level / 2.0), normal_quantile(power)

    def short(alpha: float) -> float:
        e = plan.error(alpha)
        flat = _standard_error(plan, np.full_like(e, e.mean()))
        return first * flat + second * _standard_error(plan, e) - alpha

    # The standard error grows with alpha, as errors get rare: the smallest root is sought, upwards.
    grid = _SMALLEST * _RATIO ** np.arange(math.log(_STEEPEST / _SMALLEST) / math.log(_RATIO))
    high = next((float(alpha) for alpha in grid if short(float(alpha)) <= 0), None)
    if high is None:
        raise NotIdentifiedError(
            f"power: no exponent up to {_STEEPEST:g} is found with power {power:g} by {plan.points} points "
            f"of {plan.trials} trials. Add trials, points or range."
        )
    low = high / _RATIO
    for _ in range(50):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if short(middle) > 0 else (low, middle)
    return high


def trials_needed(plan: StudyPlan, alpha: float, target_se: float) -> int | None:
    """Return the fewest trials at each point for a standard error, None where seeds alone exceed it."""
    return _fewest(lambda n: standard_error(replace(plan, trials=n), alpha) <= target_se, 1)


def points_needed(plan: StudyPlan, alpha: float, target_se: float) -> int | None:
    """Return the fewest points over the same range for a standard error, None beyond any plan."""
    return _fewest(lambda m: standard_error(replace(plan, points=m), alpha) <= target_se, 3, 10_000)


def _fewest(holds: Callable[[int], bool], least: int, most: int = MOST) -> int | None:
    """Return the smallest whole number for which a condition that stays true once true holds."""
    if not holds(most):
        return None
    low, high = least - 1, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def power(
    plan: StudyPlan | None = None,
    *,
    alpha: float = 0.25,
    target_se: float | None = None,
    wanted_power: float = 0.8,
    level: float = 0.95,
    points: tuple[int, ...] = POINTS,
    trials: tuple[int, ...] = TRIALS,
    draws: int = CHECK_DRAWS,
    seed: int = 0,
) -> PowerPlan:
    """Plan a scaling study: what exponent it can find, and what it takes to find a smaller one.

    Parameters
    ----------
    plan : StudyPlan, optional
        One decade, 4 points of 50 trials and 60 % error at the smallest amount, if not given.
    alpha : float
        Exponent to be measured, positive where error falls.
    target_se : float, > 0, optional
        Standard error wanted; a quarter of `alpha` if not given.
    wanted_power, level : float, in (0, 1)
    points, trials : tuples of int
        Grid of the map.
    draws : int
        Simulated studies of the check; 0 leaves it out.
    seed : int

    Returns
    -------
    PowerPlan

    Raises
    ------
    SettingError
        A setting is out of range.

    Examples
    --------
    >>> found = power(StudyPlan(points=6, trials=100, resource_range=100.0), draws=0)
    >>> round(found.minimum_detectable, 3), found.trials_needed
    (0.071, 32)
    """
    plan = StudyPlan() if plan is None else plan
    for name, number in (("wanted_power", wanted_power), ("level", level)):
        if not 0.0 < number < 1.0:
            hint = f"Did you mean {number / 100:g}?" if 1.0 < number < 100.0 else "Use 0.8 or 0.95."
            raise SettingError(f"power: {name}={number}, must lie in (0, 1). {hint}")
    if not math.isfinite(alpha) or alpha == 0.0:
        raise SettingError(f"power: alpha={alpha}, must be finite and not 0. Use 0.25, say.")
    whole_number("power", "draws", draws, least=0)
    wanted = abs(alpha) / 4.0 if target_se is None else target_se
    if not 0.0 < wanted < math.inf:
        raise SettingError(f"power: target_se={target_se}, must lie in (0, inf). Use 0.05, say.")
    grid = []
    for m in points:
        for n in trials:
            here = replace(plan, points=m, trials=n)
            grid.append(
                {
                    "points": m,
                    "trials": n,
                    "minimum_detectable": _detectable(here, wanted_power, level),
                    "standard_error": standard_error(here, alpha),
                    "total_trials": m * n,
                }
            )
    return PowerPlan(
        plan=plan,
        alpha=alpha,
        target_se=wanted,
        wanted_power=wanted_power,
        level=level,
        minimum_detectable=_detectable(plan, wanted_power, level),
        standard_error=standard_error(plan, alpha),
        trials_needed=trials_needed(plan, alpha, wanted),
        points_needed=points_needed(plan, alpha, wanted),
        grid=tuple(grid),
        simulated=simulate(plan, alpha, wanted_power, level, draws, seed) if draws else None,
        seed=seed,
    )


def _detectable(plan: StudyPlan, wanted: float, level: float) -> float | None:
    try:
        return minimum_detectable_exponent(plan, power=wanted, level=level)
    except NotIdentifiedError:
        return None


def simulate(plan: StudyPlan, alpha: float, wanted: float, level: float, draws: int, seed: int) -> Simulated:
    """Run the planned study `draws` times and fit it: does the formula keep its word?

    The exponent is called found where the likelihood ratio against a flat error exceeds the chi-squared
    quantile with one degree of freedom (the seeds' spread, if any, divides it as overdispersion).
    """
    rng = np.random.default_rng(seed)
    detectable = _detectable(plan, wanted, level)
    falling = _fits(plan, alpha, draws, rng)[0]
    found = {
        name: None if at is None else float((_fits(plan, at, draws, rng)[1] > chi2_quantile(level, 1)).mean())
        for name, at in (("size", 0.0), ("power", detectable))
    }
    return Simulated(
        draws=draws,
        mean=float(falling.mean()),
        standard_deviation=float(falling.std(ddof=1)),
        power=found["power"],
        size=float(found["size"] or 0.0),
    )


def _fits(
    plan: StudyPlan, alpha: float, draws: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Return exponents and likelihood ratios against a flat error of simulated studies."""
    per_seed = max(1, round(plan.trials / plan.seeds))
    e = plan.error(alpha)[:, None] * np.exp(
        plan.seed_spread * rng.standard_normal((draws, plan.points, plan.seeds)) - 0.5 * plan.seed_spread**2
    )
    fails = rng.binomial(per_seed, np.minimum(e, 1.0)).sum(axis=2)
    n = np.full((1, plan.points), float(per_seed * plan.seeds))
    k = n - fails
    z = (plan.u / plan.u[-1])[None]
    fitted = fit_curve(POWER, z, k, n)
    slope = (fitted.theta[:, 1] - fitted.theta[:, 0]) / plan.u[-1]
    flat = np.broadcast_to(k.sum(1, keepdims=True) / n.sum(), k.shape)
    ratio = 2.0 * (fitted.log_likelihood - log_likelihood(flat, k, n))
    trials_alone = standard_error(replace(plan, seed_spread=0.0), alpha)
    return slope, ratio * (trials_alone / standard_error(plan, alpha)) ** 2

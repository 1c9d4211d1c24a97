"""What a date and a class can do with a budget: the loss of a law as a function of size alone.

Fix the year, the benchmark and the class; every law is then

    L − E = exp(first − p·ln N) + exp(second − q·ln D)

(law 18: one term in ln ND). Budgets follow in closed form or by one monotone root, for
thousands of parameter vectors at once. What stands outside the exponentials (a floor, a
vocabulary term) is the same for all recipes of a benchmark and is left out on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import SettingError
from isoflop.progress.model import Features, Model
from isoflop.stats.exp_sum import Array

Constraint = Literal["compute_optimal", "fixed_ratio", "fixed_data"]
Codes = NDArray[np.int64]

EXISTS, NO_OPTIMUM, UNREACHABLE, FAILED = 0, 1, 2, 3
REASONS = {
    EXISTS: "",
    NO_OPTIMUM: "an exponent on size is not positive, so more compute does not lower the loss",
    UNREACHABLE: "the older recipe cannot reach that loss under this constraint with any compute",
    FAILED: "the refit failed",
}
_NEWTON_STEPS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizing:
    """How a budget is split between parameters and data.

    Parameters
    ----------
    constraint : {"compute_optimal", "fixed_ratio", "fixed_data"}
    ratio : float, optional
        D/N, for "fixed_ratio".
    data : float, optional
        D, for "fixed_data".
    """

    constraint: Constraint = "compute_optimal"
    ratio: float | None = None
    data: float | None = None

    def __post_init__(self) -> None:
        needs = {"compute_optimal": None, "fixed_ratio": "ratio", "fixed_data": "data"}
        if self.constraint not in needs:
            raise SettingError(f"gain: constraint={self.constraint!r}, must be one of {', '.join(needs)}.")
        needed = needs[self.constraint]
        for name, example in (("ratio", "20 tokens per parameter"), ("data", "1e12 tokens")):
            number = getattr(self, name)
            if name == needed and (number is None or not (np.isfinite(number) and number > 0)):
                raise SettingError(
                    f"gain: {name}={number}, constraint {self.constraint!r} needs a positive one. "
                    f"Pass {name}=, for instance {example}."
                )
            if name != needed and number is not None:
                raise SettingError(
                    f"gain: {name}={number} with constraint {self.constraint!r}, which does not use it. "
                    "Drop one of them."
                )

    @property
    def text(self) -> str:
        """Words for captions."""
        if self.constraint == "fixed_ratio":
            return f"{self.ratio:g} tokens per parameter"
        return "compute-optimal" if self.constraint == "compute_optimal" else f"data fixed at {self.data:.3g}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recipe:
    """Constants and exponents of both terms at raw ln N and ln D; arrays of shape (B,).

    `second` and `q` are None for a law of one term, whose `p` belongs to ln ND.
    """

    first: Array
    p: Array
    second: Array | None
    q: Array | None

    @classmethod
    def of(
        cls, model: Model, theta: Array, *, year: float, benchmark: int = 0, is_transformer: bool = True
    ) -> Recipe:
        """Return the recipes of parameter vectors (B, p) at one date, benchmark and class."""
        base, theta = model.normalisers, np.atleast_2d(theta)
        corners = Features.of(
            parameters=base.parameters * np.array([1.0, np.e, 1.0]),
            data=base.data * np.array([1.0, 1.0, np.e]),
            year=year,
            benchmark=benchmark,
            is_transformer=is_transformer,
        )
        exponents = [theta @ x.T for x in model.design(corners).terms]
        p = exponents[0][:, 0] - exponents[0][:, 1]
        log_n, log_d = np.log(base.parameters), np.log(base.data)
        if len(exponents) == 1:
            return cls(first=exponents[0][:, 0] + p * (log_n + log_d), p=p, second=None, q=None)
        q = exponents[1][:, 0] - exponents[1][:, 2]
        return cls(first=exponents[0][:, 0] + p * log_n, p=p, second=exponents[1][:, 0] + q * log_d, q=q)

    def log_loss(self, log_size: Array, sizing: Sizing) -> tuple[Array, Codes]:
        """Return ln(L − E) with N·D = e^log_size, and whether it exists.

        Parameters
        ----------
        log_size : array, shape (m,) or (B, m)
            ln(C/6).

        Returns
        -------
        array, shape (B, m)
            NaN where there is none.
        codes : int array, shape (B, m)
            Keys of `REASONS`.
        """
        size = np.atleast_2d(np.asarray(log_size, float))
        first, p = self.first[:, None], self.p[:, None]
        if self.second is None or self.q is None:
            return _where(first - p * size, p > 0, np.isnan(p))
        second, q = self.second[:, None], self.q[:, None]
        failed = np.isnan(p) | np.isnan(q)
        if sizing.constraint == "compute_optimal":
            level, slope = self._frontier()
            return _where(level - slope * size, (p > 0) & (q > 0), failed)
        log_n, log_d = _split(size, sizing)
        return _where(np.logaddexp(first - p * log_n, second - q * log_d), np.isfinite(p), failed)

    def log_size_for(self, log_loss: Array, sizing: Sizing) -> tuple[Array, Codes]:
        """Return the ln(C/6) at which ln(L − E) is `log_loss`, shape (B, m), and whether it exists."""
        target = np.atleast_2d(np.asarray(log_loss, float))
        first, p = self.first[:, None], self.p[:, None]
        failed = np.isnan(target) | np.isnan(p)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            if self.second is None or self.q is None:
                return _where((first - target) / p, p > 0, failed)
            second, q = self.second[:, None], self.q[:, None]
            failed |= np.isnan(q)
            if sizing.constraint == "compute_optimal":
                level, slope = self._frontier()
                return _where((level - target) / slope, (p > 0) & (q > 0), failed)
            if sizing.constraint == "fixed_data":
                log_d = np.log(sizing.data or np.nan)
                left = target + np.log1p(-np.exp(second - q * log_d - target))
                size, codes = _where(log_d + (first - left) / p, p > 0, failed)
                return _unreachable(size, codes, ~np.isfinite(left))
            half = 0.5 * np.log(sizing.ratio or np.nan)
            size, reachable = _two_term_root(first + p * half, p / 2, second - q * half, q / 2, target)
            usable = (p >= 0) & (q >= 0) & (p + q > 0)
            size, codes = _where(size, usable, failed)
            return _unreachable(size, codes, ~reachable)

    def _frontier(self) -> tuple[Array, Array]:
        """Return level and slope of ln(L* − E) = level − slope·ln(ND) on the best split, (B, 1) each.

        At the optimum p·u = q·v of the two terms u and v, so the optimum is itself a power law.
        """
        assert self.second is not None
        assert self.q is not None
        p, q = self.p[:, None], self.q[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            log_n_at_one = (np.log(p / q) + self.first[:, None] - self.second[:, None]) / (p + q)
            return self.first[:, None] - p * log_n_at_one + np.log1p(p / q), p * q / (p + q)


def _split(log_size: Array, sizing: Sizing) -> tuple[Array, Array]:
    if sizing.constraint == "fixed_data":
        log_d = np.full_like(log_size, np.log(sizing.data or np.nan))
    else:
        log_d = 0.5 * (log_size + np.log(sizing.ratio or np.nan))
    return log_size - log_d, log_d


def _where(answer: Array, exists: NDArray[np.bool_], failed: NDArray[np.bool_]) -> tuple[Array, Codes]:
    shape = np.broadcast_shapes(answer.shape, exists.shape, failed.shape)
    codes = np.where(np.broadcast_to(exists, shape), EXISTS, NO_OPTIMUM)
    codes = np.where(np.broadcast_to(failed, shape), FAILED, codes)
    return np.where(codes == EXISTS, answer, np.nan), codes


def _unreachable(answer: Array, codes: Codes, condition: NDArray[np.bool_]) -> tuple[Array, Codes]:
    codes = np.where((codes == EXISTS) & condition, UNREACHABLE, codes)
    return np.where(codes == EXISTS, answer, np.nan), codes


def _two_term_root(a: Array, p: Array, b: Array, q: Array, target: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Return s with ln(exp(a − p·s) + exp(b − q·s)) = target, and whether there is one.

    For p, q >= 0 the left side is convex and falls, so Newton's method from the left of the root,
    where one term alone equals the target, climbs to it without overshooting.
    """
    a, p, b, q, target = np.broadcast_arrays(a, p, b, q, target)
    flat = np.logaddexp(np.where(p == 0, a, -np.inf), np.where(q == 0, b, -np.inf))
    reachable = target > flat
    alone_a = np.where(p > 0, (a - target) / p, -np.inf)
    alone_b = np.where(q > 0, (b - target) / q, -np.inf)
    s = np.maximum(alone_a, alone_b)
    solve = reachable & np.isfinite(s)
    s = np.where(solve, s, 0.0)
    for _ in range(_NEWTON_STEPS):
        left, right = a - p * s, b - q * s
        value = np.logaddexp(left, right)
        slope = p * np.exp(left - value) + q * np.exp(right - value)
        step = np.where(solve, (value - target) / slope, 0.0)
        s = s + step
        if not (np.abs(step) > 1e-15 * (1.0 + np.abs(s))).any():
            break
    return s, reachable

"""The model family behind every law: sums of exponentials of linear predictors.

    yhat_i = sum_k exp(x_ki . theta) + z_i . theta            (identity link)
    yhat_i = log sum_k exp(x_ki . theta) + z_i . theta        (log link)

Scaling laws fitted in log loss and progress laws fitted in loss are both of this form; a
law only chooses the columns. This module holds the design and the losses, with the
derivatives that `isoflop.stats.optimise` needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import SettingError

Array = NDArray[np.float64]
Link = Literal["identity", "log"]
Pairs = tuple[tuple[int, int], ...]

MAX_EXPONENT = 60.0
"""Exponents are clipped here; a solution at the clip is never certified."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ExpSumDesign:
    """Fixed matrices of a sum of exponentials.

    Parameters
    ----------
    terms : tuple of arrays, each shape (n, p)
        X_k, one per exponential; a zero column means that the term ignores the parameter.
    linear : array, shape (n, p), or None
        Z, the part outside the exponentials.
    """

    terms: tuple[Array, ...]
    linear: Array | None = None

    @property
    def n(self) -> int:
        """Number of rows."""
        return int(self.terms[0].shape[0])

    @property
    def p(self) -> int:
        """Number of parameters."""
        return int(self.terms[0].shape[1])

    def rows(self, index: NDArray[np.generic]) -> ExpSumDesign:
        """Return the design of some rows (indices or a boolean mask)."""
        return ExpSumDesign(
            terms=tuple(x[index] for x in self.terms),
            linear=None if self.linear is None else self.linear[index],
        )

    def with_columns(self, *, linear: Array) -> ExpSumDesign:
        """Return the design with further parameters that act outside the exponentials.

        Parameters
        ----------
        linear : array, shape (n, q)
        """
        n, q = linear.shape
        blank = np.zeros((n, q))
        before = np.zeros((n, self.p)) if self.linear is None else self.linear
        return ExpSumDesign(
            terms=tuple(np.hstack([x, blank]) for x in self.terms), linear=np.hstack([before, linear])
        )

    def exponents(self, theta: Array) -> tuple[Array, ...]:
        """Return X_k theta for each term, shape (..., n), of parameters of shape (..., p)."""
        return tuple(theta @ x.T for x in self.terms)

    def predict(self, theta: Array, *, link: Link = "identity") -> Array:
        """Return yhat, shape (..., n), of parameters of shape (..., p)."""
        exponents = self.exponents(np.asarray(theta, float))
        outside = 0.0 if self.linear is None else theta @ self.linear.T
        if link == "log":
            return np.asarray(np.logaddexp.reduce(exponents, axis=0) + outside)
        return np.asarray(sum(np.exp(e) for e in exponents) + outside)

    def jacobian(self, theta: Array, *, link: Link = "identity") -> Array:
        """Return d yhat_i / d theta_j, shape (n, p), at one parameter vector of shape (p,)."""
        exponents = np.stack(self.exponents(theta))
        shares = (
            np.exp(exponents - np.logaddexp.reduce(exponents, axis=0)) if link == "log" else np.exp(exponents)
        )
        jacobian = sum(s[:, None] * x for s, x in zip(shares, self.terms, strict=True))
        return np.asarray(jacobian if self.linear is None else jacobian + self.linear)

    @cached_property
    def products(self) -> tuple[tuple[int, int, Array, Pairs], ...]:
        """Products of columns, so that all Hessians of a batch are a few matrix products.

        For blocks k <= m (the linear part is the last block) the Hessian is
        sum_km sum_i h_kmi x_ki x_mi'. Each entry is (k, m, columns, pairs): `columns`, shape
        (n, q), holds the non-zero products of a column i of X_k and a column j of X_m; `pairs`
        holds the q pairs (i, j).
        """
        blocks = [*self.terms] + ([] if self.linear is None else [self.linear])
        kept = [[j for j in range(self.p) if np.any(x[:, j] != 0.0)] for x in blocks]
        out = []
        for k, x in enumerate(blocks):
            for m in range(k, len(blocks)):
                pairs = tuple((i, j) for i in kept[k] for j in kept[m] if k != m or i <= j)
                if pairs:
                    out.append((k, m, np.column_stack([x[:, i] * blocks[m][:, j] for i, j in pairs]), pairs))
        return tuple(out)


@dataclass(frozen=True, slots=True)
class Squared:
    """Squared loss r²."""

    def value(self, r: Array) -> Array:
        """Return the loss of residuals."""
        return r * r

    def slopes(self, r: Array) -> tuple[Array, Array | float]:
        """Return the first and second derivative."""
        return 2.0 * r, 2.0


@dataclass(frozen=True, slots=True)
class Huber:
    """Huber loss: r²/2 up to `delta`, delta·(|r| − delta/2) beyond.

    Source: Huber (1964); Hoffmann et al. (2022) use delta = 1e-3 on log loss.
    """

    delta: float = 1e-3

    def __post_init__(self) -> None:
        if not self.delta > 0:
            raise SettingError(f"Huber: delta={self.delta}, must lie in (0, inf).")

    def value(self, r: Array) -> Array:
        """Return the loss of residuals."""
        size = np.abs(r)
        inside = np.minimum(size, self.delta)
        return inside * (size - 0.5 * inside)

    def slopes(self, r: Array) -> tuple[Array, Array | float]:
        """Return the first and second derivative."""
        return np.clip(r, -self.delta, self.delta), (np.abs(r) <= self.delta).astype(float)


@dataclass(frozen=True, slots=True)
class SmoothAbsolute:
    """Smoothed least absolute deviation, sqrt(r² + width²) − width."""

    width: float = 1e-6

    def value(self, r: Array) -> Array:
        """Return the loss of residuals."""
        return np.sqrt(r * r + self.width**2) - self.width

    def slopes(self, r: Array) -> tuple[Array, Array | float]:
        """Return the first and second derivative."""
        size = np.sqrt(r * r + self.width**2)
        return r / size, self.width**2 / size**3


@dataclass(frozen=True, slots=True)
class StudentT:
    """Negative log-likelihood of Student's t, (df + 1)/2 ln(1 + r²/(df·scale²)), up to a constant.

    Not convex in r: an outlier far away hardly pulls, and there may be several minima.
    """

    df: float = 4.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        if not (self.df > 0 and self.scale > 0):
            raise SettingError(f"StudentT: df={self.df}, scale={self.scale}, must lie in (0, inf).")

    def value(self, r: Array) -> Array:
        """Return the loss of residuals."""
        return np.asarray(0.5 * (self.df + 1.0) * np.log1p(r * r / (self.df * self.scale**2)))

    def slopes(self, r: Array) -> tuple[Array, Array | float]:
        """Return the first and second derivative."""
        width = self.df * self.scale**2
        total = width + r * r
        return (self.df + 1.0) * r / total, (self.df + 1.0) * (width - r * r) / total**2


Loss = Squared | Huber | SmoothAbsolute | StudentT

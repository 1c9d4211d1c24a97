"""Values with their exact first and second derivatives: the chain rule, written once.

A `Jet` carries f and, for the few seeds it depends on, df and d²f as arrays that broadcast. A formula
written over jets yields its gradient and Hessian to rounding, with no step size, and costs about
as much as derivatives worked out by hand: absent derivatives are not stored, those that do not vary over
rows stay scalars, and the exponentials, which dominate, are shared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
First = dict[int, Array]
Second = dict[tuple[int, int], Array]
Key = TypeVar("Key")

TINY = 1e-300
"""`log` of anything smaller, negative numbers included, is that of this, with derivative zero."""


@dataclass(frozen=True, slots=True, eq=False)
class Jet:
    """A value and its derivatives in numbered seeds; all arrays broadcast against each other.

    Parameters
    ----------
    value : array
    first : dict of arrays
        By seed; one that is absent is zero.
    second : dict of arrays, or None
        By pair of seeds i <= j; None where only first derivatives are kept.
    """

    value: Array
    first: First
    second: Second | None

    # NumPy leaves ``array * jet`` to the jet
    __array_ufunc__ = None

    def __neg__(self) -> Jet:
        return self.scaled(np.asarray(-1.0))

    def __add__(self, other: Jet | Array | float) -> Jet:
        if not isinstance(other, Jet):
            return Jet(self.value + other, self.first, self.second)
        second = None
        if self.second is not None and other.second is not None:
            second = _merge(self.second, other.second)
        return Jet(self.value + other.value, _merge(self.first, other.first), second)

    __radd__ = __add__

    def __sub__(self, other: Jet | Array | float) -> Jet:
        return self + (-other)

    def __rsub__(self, other: Array | float) -> Jet:
        return (-self) + other

    def __mul__(self, other: Jet | Array | float) -> Jet:
        if not isinstance(other, Jet):
            return self.scaled(np.asarray(other, float))
        first = _merge(
            {i: d * other.value for i, d in self.first.items()},
            {i: d * self.value for i, d in other.first.items()},
        )
        if self.second is None or other.second is None:
            return Jet(self.value * other.value, first, None)
        second = _merge(
            {ij: d * other.value for ij, d in self.second.items()},
            {ij: d * self.value for ij, d in other.second.items()},
        )
        for i, a in self.first.items():
            for j, b in other.first.items():
                _add(second, (min(i, j), max(i, j)), 2.0 * a * b if i == j else a * b)
        return Jet(self.value * other.value, first, second)

    __rmul__ = __mul__

    def scaled(self, by: Array) -> Jet:
        """Return the jet times a constant."""
        second = None if self.second is None else {ij: d * by for ij, d in self.second.items()}
        return Jet(self.value * by, {i: d * by for i, d in self.first.items()}, second)

    def through(self, value: Array, slope: Array, curvature: Callable[[], Array]) -> Jet:
        """Return g(self) of a function g with this value, slope g' and curvature g''."""
        first = {i: slope * d for i, d in self.first.items()}
        if self.second is None:
            return Jet(value, first, None)
        second = {ij: slope * d for ij, d in self.second.items()}
        if self.first:
            bend = curvature()
            for i, a in self.first.items():
                bent = bend * a
                for j, b in self.first.items():
                    if i <= j:
                        _add(second, (i, j), bent * b)
        return Jet(value, first, second)


def seeds(values: Array) -> tuple[Jet, ...]:
    """Return one jet per row of `values`, shape (q, ...), with derivative one in the seed of that number."""
    one = np.asarray(1.0)
    return tuple(Jet(value, {i: one}, {}) for i, value in enumerate(values))


def constants(values: Array) -> tuple[Jet, ...]:
    """Return one jet without seeds per row of `values`, shape (q, ...)."""
    return tuple(Jet(value, {}, {}) for value in values)


def first_order(jets: Sequence[Jet]) -> tuple[Jet, ...]:
    """Return the jets without second derivatives: nothing that meets them keeps any."""
    return tuple(Jet(jet.value, jet.first, None) for jet in jets)


def exp(x: Jet) -> Jet:
    """Return e^x."""
    value = np.exp(x.value)
    return x.through(value, value, lambda: value)


def log(x: Jet) -> Jet:
    """Return ln x; see `TINY`."""
    inside = np.maximum(x.value, TINY)
    slope = np.where(x.value >= TINY, 1.0 / inside, 0.0)
    return x.through(np.log(inside), slope, lambda: -slope * slope)


def softplus(x: Jet) -> Jet:
    """Return ln(1 + e^x)."""
    small = np.exp(-np.abs(x.value))
    value = np.maximum(x.value, 0.0) + np.log1p(small)
    if not x.first:
        return Jet(value, {}, x.second)
    share = np.where(x.value > 0, 1.0, small) / (1.0 + small)
    return x.through(value, share, lambda: share * (1.0 - share))


def logaddexp(x: Jet, y: Jet) -> Jet:
    """Return ln(e^x + e^y)."""
    return y + softplus(x - y)


def positive_part(x: Jet) -> Jet:
    """Return max(x, 0), with derivative zero at and below zero."""
    above = (x.value > 0).astype(float)
    return x.through(np.maximum(x.value, 0.0), above, lambda: np.zeros(1))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Expansion:
    """Predictions of B problems with derivatives in their p parameters.

    Parameters
    ----------
    value : array, shape (B, n)
    jacobian : array, shape (B, p, n), or None
        Rows last, so that J'WJ is a product of contiguous matrices.
    contract : callable or None
        ``weights (B, n) -> sum_i weights_i d²value_i, shape (B, p, p)``.
    """

    value: Array
    jacobian: Array | None = None
    contract: Callable[[Array], Array] | None = None


def expansion(jet: Jet, p: int, shape: tuple[int, int]) -> Expansion:
    """Return the expansion of a jet over seeds 0..p-1, broadcast to `shape` = (B, n)."""
    value = np.broadcast_to(jet.value, shape)
    jacobian = np.zeros((shape[0], p, shape[1]))
    for i, d in jet.first.items():
        jacobian[:, i] = d
    second = jet.second
    if second is None:
        return Expansion(value=value, jacobian=jacobian)

    def contract(weights: Array) -> Array:
        out = np.zeros((shape[0], p, p))
        for (i, j), d in second.items():
            out[:, i, j] = out[:, j, i] = np.einsum("bn,bn->b", weights, np.broadcast_to(d, shape))
        return out

    return Expansion(value=value, jacobian=jacobian, contract=contract)


def _merge(left: dict[Key, Array], right: dict[Key, Array]) -> dict[Key, Array]:
    out = dict(left)
    for key, d in right.items():
        _add(out, key, d)
    return out


def _add(into: dict[Key, Array], key: Key, d: Array) -> None:
    into[key] = into[key] + d if key in into else d

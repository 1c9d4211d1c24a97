"""Functions of known behaviour, in NumPy: what the negative controls are made of."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isoflop.portability.task import Kind
from isoflop.portability.worker.interface import Check, Leaf

Arrays = tuple[NDArray[Any], ...]
SIDES = {"tiny": 4, "small": 32, "medium": 256, "large": 1024}
"""Side of the square matrices of each rung of the size ladder."""
WAIT_S = 2e-4
"""Seconds that `fake.wait` takes, by the clock, on any computer."""

_LARGE = 1e4
_AWAKE_S = 2e-4
"""How late a sleeper may wake on a computer that is not overloaded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One function with the make of its inputs.

    Parameters
    ----------
    name : str
        Canonical name.
    run : callable
        What it does.
    inputs : callable
        ``inputs(random numbers, dtype, side)`` gives its arguments.
    kind, check
        How its outputs may be compared.
    gradient : callable, optional
        Gradients of the sum of its outputs.
    rebuild : callable, optional
        Puts a factorisation together again.
    """

    name: str
    run: Callable[..., Any]
    inputs: Callable[[np.random.Generator, str, int], tuple[Any, ...]]
    kind: Kind = "deterministic"
    check: Check = "values"
    gradient: Callable[..., Arrays] | None = None
    rebuild: Callable[[tuple[Leaf, ...], tuple[Any, ...]], tuple[Leaf, ...]] | None = None

    def __call__(self, *args: Any) -> Any:
        """Run it."""
        return self.run(*args)


def leaf(array: Any, device: str = "cpu") -> Leaf:
    """Return an array as a leaf.

    Examples
    --------
    >>> leaf(np.zeros((2, 1), np.float32)).dtype
    'float32'
    """
    host = np.asarray(array)
    return Leaf(array=host, dtype=str(host.dtype), shape=host.shape, device=device)


def wait_until(end: float) -> None:
    """Wait until ``time.perf_counter()`` shows `end`: asleep at first, the last quarter awake."""
    seconds = end - time.perf_counter()
    awake = max(_AWAKE_S, seconds / 4)
    if seconds > 2 * awake:
        time.sleep(seconds - awake)
    while time.perf_counter() < end:
        pass


def four_ones(draw: np.random.Generator, dtype: str, side: int) -> tuple[Any, ...]:  # noqa: ARG001
    """Return the inputs of functions to which inputs do not matter."""
    return (np.ones(4, dtype),)


def _one(draw: np.random.Generator, dtype: str, side: int) -> tuple[Any, ...]:
    return (draw.normal(size=(side, side)).astype(dtype),)


def _two(draw: np.random.Generator, dtype: str, side: int) -> tuple[Any, ...]:
    return _one(draw, dtype, side) + _one(draw, dtype, side)


def _symmetric(draw: np.random.Generator, dtype: str, side: int) -> tuple[Any, ...]:
    (matrix,) = _one(draw, dtype, side)
    return ((matrix + matrix.T) / 2,)


def _whole(draw: np.random.Generator, dtype: str, side: int) -> tuple[Any, ...]:
    return (draw.integers(-3, 4, size=(side, side)).astype(dtype),)


def _shape(draw: np.random.Generator, dtype: str, side: int) -> tuple[Any, ...]:
    return (int(draw.integers(2**31)), side, dtype)


def _cancel(x: NDArray[Any]) -> NDArray[Any]:
    """Lose most digits, whoever computes: the sum is far larger than the result."""
    large = x.dtype.type(_LARGE)
    return np.asarray((x + large) - large)


def _wait(x: NDArray[Any]) -> NDArray[Any]:
    wait_until(time.perf_counter() + WAIT_S)
    return x


def _normal(seed: int, side: int, dtype: str) -> NDArray[Any]:
    return np.random.default_rng(seed).normal(size=(side, side)).astype(dtype)


def _reciprocal(x: NDArray[Any]) -> NDArray[Any]:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(x / x**2)


def _unique(x: NDArray[Any]) -> NDArray[Any]:
    return np.unique(x)[::-1]


def _svd_again(found: tuple[Leaf, ...], args: tuple[Any, ...]) -> tuple[Leaf, ...]:  # noqa: ARG001
    u, s, vh = (np.asarray(part.array) for part in found)
    return leaf((u * s) @ vh), leaf(u.T @ u), leaf(vh @ vh.T), leaf(s)


def _qr_again(found: tuple[Leaf, ...], args: tuple[Any, ...]) -> tuple[Leaf, ...]:  # noqa: ARG001
    q, r = (np.asarray(part.array) for part in found)
    return leaf(q @ r), leaf(q.T @ q), leaf(np.tril(r, -1) + np.eye(len(r), dtype=r.dtype))


def _eigh_again(found: tuple[Leaf, ...], args: tuple[Any, ...]) -> tuple[Leaf, ...]:  # noqa: ARG001
    values, vectors = (np.asarray(part.array) for part in found)
    return leaf((vectors * values) @ vectors.T), leaf(vectors.T @ vectors), leaf(values)


_HEALTHY = (
    Function(
        name="fake.add", run=np.add, inputs=_two, gradient=lambda a, b: (np.ones_like(a), np.ones_like(b))
    ),
    Function(name="fake.multiply", run=np.multiply, inputs=_two, gradient=lambda a, b: (b.copy(), a.copy())),
    Function(
        name="fake.matmul",
        run=np.matmul,
        inputs=_two,
        gradient=lambda a, b: (np.ones_like(a) @ b.T, a.T @ np.ones_like(b)),
    ),
    Function(name="fake.exp", run=np.exp, inputs=_one, gradient=lambda x: (np.exp(x),)),
    Function(name="fake.sum", run=np.sum, inputs=_one, gradient=lambda x: (np.ones_like(x),)),
    Function(name="fake.cancel", run=_cancel, inputs=_one),
    Function(name="fake.sort", run=np.sort, inputs=_one),
    Function(name="fake.isfinite", run=np.isfinite, inputs=_one),
    Function(name="fake.reciprocal", run=_reciprocal, inputs=_whole),
    Function(name="fake.unique", run=_unique, inputs=_whole, kind="data_dependent_shape", check="sorted"),
    Function(name="fake.nonzero", run=np.nonzero, inputs=_whole, kind="data_dependent_shape"),
    Function(name="fake.svd", run=np.linalg.svd, inputs=_one, check="reconstruct", rebuild=_svd_again),
    Function(name="fake.qr", run=np.linalg.qr, inputs=_one, check="reconstruct", rebuild=_qr_again),
    Function(
        name="fake.eigh", run=np.linalg.eigh, inputs=_symmetric, check="reconstruct", rebuild=_eigh_again
    ),
    Function(name="fake.normal", run=_normal, inputs=_shape, kind="random", check="distribution"),
    Function(name="fake.empty", run=np.empty_like, inputs=_one, kind="undefined_values", check="shape_dtype"),
    Function(name="fake.wait", run=_wait, inputs=_one),
)
FUNCTIONS: dict[str, Function] = {function.name: function for function in _HEALTHY}
"""Functions on which nothing goes wrong, by name."""
NULL = Function(name="fake.null", run=lambda x: x, inputs=four_ones)
"""What takes no time: a run of it costs what the engine costs."""

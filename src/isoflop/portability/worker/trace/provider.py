"""Calls of a trace, made again with arrays of the same shapes and dtypes and other numbers.

Floating numbers lie in (0.1, 0.9), where nearly every function is defined; whole numbers are 0 and 1, which
are indices nearly everywhere. What an array held in the script is not known and not needed.
"""

from __future__ import annotations

import functools
import importlib
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isoflop.portability.task import Item
from isoflop.portability.worker.interface import Call
from isoflop.portability.worker.recipes.inputs import Stream

LOW, HIGH = 0.1, 0.9
_WIDE: Mapping[str, str] = {
    "float32": "float64",
    "float16": "float64",
    "bfloat16": "float64",
    "complex64": "complex128",
}
_NUMBERS: Mapping[str, Callable[[float], Any]] = {"int": int, "float": float, "bool": bool}


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """The provider of one framework's traced calls; it lists none by itself."""

    name: str
    framework: str
    array: Callable[[NDArray[Any], str], Any]
    dtype: Callable[[str], Any]
    licence: str = "the user's own"

    def version(self) -> str:
        """Return the version of the makers of inputs."""
        return "1"

    def items(self, *, dtypes: tuple[str, ...], sizes: tuple[str, ...], samples: int) -> Iterable[Item]:  # noqa: ARG002
        """Return nothing: items of a trace are read from its file."""
        return ()

    def make(self, item: Item, seed: int) -> Call:
        """Return a traced call with new numbers."""
        called = json.loads(item.address)
        return self._made(item, called, seed, wide=False)

    def _made(self, item: Item, called: Mapping[str, Any], seed: int, *, wide: bool) -> Call:
        stream = Stream("trace", item.sample_id, seed)
        fill = functools.partial(self._filled, stream=stream, wide=wide)
        args = tuple(fill(value) for value in called["args"])
        kwargs = {name: fill(value) for name, value in called["kwargs"].items() if name != "device"}
        function, args, kwargs = self._lifted(_function(item.function), args, kwargs)
        return Call(
            framework=self.framework,
            function=function,
            args=args,
            kwargs=kwargs,
            signature={"function": item.function, **called, "seed": seed},
            kind=item.kind,
            check="shape_dtype" if item.kind == "undefined_values" else "values",
            float64=None if wide else lambda: self._made(item, called, seed, wide=True),
        )

    def _lifted(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]:
        """Return a function of the arrays alone: where a call is lowered, every argument becomes an array."""
        if self.framework == "torch":
            return function, args, kwargs
        arrays: list[Any] = []
        plan = _without((args, kwargs), arrays)

        def call(*given: Any) -> Any:
            rest = iter(given)
            again, named = _with(plan, rest)
            return function(*again, **named)

        return call, tuple(arrays), {}

    def _filled(self, value: Any, *, stream: Stream, wide: bool) -> Any:
        again = functools.partial(self._filled, stream=stream, wide=wide)
        if not isinstance(value, dict):
            return value
        if "array" in value:
            name = wider(value["dtype"]) if wide else str(value["dtype"])
            return self.array(numbers(tuple(value["array"]), value["dtype"], stream), name)
        if "list" in value:
            return [again(inner) for inner in value["list"]]
        if "tuple" in value:
            return tuple(again(inner) for inner in value["tuple"])
        if "dict" in value:
            return {key: again(inner) for key, inner in value["dict"].items()}
        if "slice" in value:
            return slice(*(again(part) for part in value["slice"]))
        if "dtype" in value:
            return self.dtype(wider(value["dtype"]) if wide else str(value["dtype"]))
        if "numbers" in value:
            kind = _NUMBERS[value["of"]]
            flat = stream.fractions((math.prod(value["numbers"]),)).round(3)
            return _nested(np.vectorize(kind, otypes=[object])(flat).reshape(value["numbers"]).tolist())
        if "float" in value:
            return float(value["float"])
        if "complex" in value:
            return complex(*value["complex"])
        return Ellipsis if "ellipsis" in value else "cpu"


def wider(dtype: str) -> str:
    """Return the dtype in which the reference value is computed."""
    return _WIDE.get(dtype, dtype)


def numbers(shape: tuple[int, ...], dtype: str, stream: Stream) -> NDArray[Any]:
    """Return an array of new numbers: floating ones in (0.1, 0.9), whole ones 0 and 1."""
    if dtype == "bool":
        return stream.fractions(shape) < 0.5
    if "int" in dtype:
        return stream.below(shape, 2)
    real = LOW + (HIGH - LOW) * stream.fractions(shape)
    return real + 1j * stream.fractions(shape) if "complex" in dtype else real


def torch_trace() -> Traced:
    """Return the provider of torch's traced calls."""
    import torch

    def dtype(name: str) -> Any:
        return getattr(torch, name)

    def array(values: NDArray[Any], name: str) -> Any:
        return torch.from_numpy(np.ascontiguousarray(values)).reshape(values.shape).to(dtype(name))

    return Traced(name="torch-trace", framework="torch", array=array, dtype=dtype)


def jax_trace() -> Traced:
    """Return the provider of JAX's traced calls."""
    import jax.numpy as jnp

    def dtype(name: str) -> Any:
        return jnp.dtype(name)

    return Traced(name="jax-trace", framework="jax", array=lambda v, name: v.astype(dtype(name)), dtype=dtype)


def tensorflow_trace() -> Traced:
    """Return the provider of TensorFlow's traced calls."""
    import tensorflow as tf

    def dtype(name: str) -> Any:
        return tf.dtypes.as_dtype(name)

    def array(values: NDArray[Any], name: str) -> Any:
        return tf.cast(tf.constant(values), dtype(name))

    return Traced(name="tensorflow-trace", framework="tensorflow", array=array, dtype=dtype)


def _function(name: str) -> Callable[..., Any]:
    """Return the function of a dotted name."""
    parts = name.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:cut]))
        except ImportError:
            continue
        made: Callable[..., Any] = functools.reduce(getattr, parts[cut:], found)
        return made
    raise ImportError(f"no module holds {name}")


class _Slot:
    """Where an array stood among the arguments."""


def _without(value: Any, arrays: list[Any]) -> Any:
    """Return arguments with slots for their arrays, which are added to `arrays` in order."""
    if isinstance(value, dict):
        return {key: _without(inner, arrays) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_without(inner, arrays) for inner in value)
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        arrays.append(value)
        return _Slot
    return value


def _with(value: Any, arrays: Iterator[Any]) -> Any:
    if isinstance(value, dict):
        return {key: _with(inner, arrays) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_with(inner, arrays) for inner in value)
    return next(arrays) if value is _Slot else value


def _nested(value: Any) -> Any:
    return [_nested(inner) for inner in value] if isinstance(value, list) else value

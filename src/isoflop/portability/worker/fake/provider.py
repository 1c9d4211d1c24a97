"""Inputs of the fake functions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from isoflop.portability.model import SizeClass
from isoflop.portability.task import Item, digest
from isoflop.portability.worker.fake.functions import FUNCTIONS, NULL, SIDES, Function
from isoflop.portability.worker.fake.trouble import TROUBLES
from isoflop.portability.worker.interface import Call

VERSION = "2"
"""Version of the makes below: a change of inputs changes every sample_id."""
DTYPES = ("float32", "float64")
_FLOATS = frozenset({"float16", "float32", "float64"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fakes:
    """A family of fake functions."""

    name: str
    functions: Mapping[str, Function]
    dtypes: tuple[str, ...] = DTYPES
    sizes: tuple[str, ...] = ("tiny", "small")
    framework: str = "fake"
    licence: str = "Apache-2.0"

    def version(self) -> str:
        """Return the version of the inputs."""
        return VERSION

    def items(self, *, dtypes: tuple[str, ...], sizes: tuple[str, ...], samples: int) -> Iterable[Item]:
        """Yield `samples` items for each function, dtype and size; only floats are known here."""
        rungs: list[SizeClass] = [size for size in SIDES if size in (sizes or self.sizes)]  # type: ignore[misc]
        for function in self.functions.values():
            for dtype in (name for name in dtypes or self.dtypes if name in _FLOATS):
                for size in rungs:
                    for index in range(max(samples, 1)):
                        yield self._item(function, dtype, size, index)

    def make(self, item: Item, seed: int) -> Call:
        """Return the call."""
        function = self.functions[item.function]
        side = SIDES[item.size_class]
        draw = np.random.default_rng([seed, item.index, int(json.loads(item.address)["stream"])])
        args = function.inputs(draw, item.dtype, side)
        return _call(function, args, _signature(function, item.dtype, item.size_class, item.index))

    def _item(self, function: Function, dtype: str, size: SizeClass, index: int) -> Item:
        return Item(
            framework=self.framework,
            function=function.name,
            provider=self.name,
            dtype=dtype,
            size_class=size,
            index=index,
            address=json.dumps({"stream": 0}),
            kind=function.kind,
            sample_id=digest(_signature(function, dtype, size, index)),
            gradient=function.gradient is not None,
        )


def healthy() -> Fakes:
    """Return the functions on which nothing goes wrong."""
    return Fakes(name="fake", functions=FUNCTIONS)


def null() -> Fakes:
    """Return the function that does nothing, as often as samples are asked for."""
    return Fakes(name="fake_null", functions={NULL.name: NULL}, dtypes=("float32",), sizes=("tiny",))


def trouble() -> Fakes:
    """Return the functions that do harm on ``fake:trouble``."""
    return Fakes(name="fake_trouble", functions=TROUBLES, dtypes=("float32",), sizes=("tiny",))


def _call(function: Function, args: tuple[Any, ...], signature: Mapping[str, Any]) -> Call:
    return Call(
        framework="fake",
        function=function,
        args=args,
        signature=signature,
        kind=function.kind,
        check=function.check,
        float64=lambda: _call(function, tuple(_wide(part) for part in args), signature),
        rebuild=function.rebuild,
    )


def _wide(part: Any) -> Any:
    return part.astype(np.float64) if isinstance(part, np.ndarray) and part.dtype.kind == "f" else part


def _signature(function: Function, dtype: str, size: str, index: int) -> dict[str, Any]:
    return {
        "make": VERSION,
        "function": function.name,
        "dtype": dtype,
        "side": SIDES[size],
        "index": index,
    }

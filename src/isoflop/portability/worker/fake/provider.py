"""Inputs for the functions of known behaviour."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from isoflop.portability.model import SizeClass
from isoflop.portability.task import Item, Kind
from isoflop.portability.worker.fake.functions import PLAIN, TROUBLE
from isoflop.portability.worker.interface import Call, Check, Leaf
from isoflop.portability.worker.measure.execute import sample_id

SIDE: dict[str, int] = {"tiny": 4, "small": 32, "medium": 256, "large": 1024}
_KIND: dict[str, Kind] = {"random": "random", "empty": "undefined_values"}
_TWO = frozenset({"add", "matmul"})


class Plain:
    """Plain functions: everything that a sound target must get right."""

    name = "fake"
    framework = "fake"
    licence = "Apache-2.0"
    functions = PLAIN

    def version(self) -> str:
        """Return the version of the recipes."""
        return "1"

    def items(self, *, dtypes: tuple[str, ...], sizes: tuple[str, ...], samples: int) -> Iterator[Item]:
        """Yield each function at each dtype and size."""
        for function in self.functions:
            for dtype in dtypes or ("float32",):
                for size in sizes or ("small",):
                    for index in range(samples):
                        item = self._item(function, dtype, size, index)
                        yield replace(item, sample_id=sample_id(self.make(item, 0), 0))

    def _item(self, function: str, dtype: str, size: str, index: int) -> Item:
        known: SizeClass = size  # type: ignore[assignment]
        return Item(
            framework="fake",
            function=f"fake.{function}",
            provider=self.name,
            dtype=dtype,
            size_class=known,
            index=index,
            kind=_KIND.get(function, "deterministic"),
        )

    def make(self, item: Item, seed: int) -> Call:
        """Return the call; inputs depend on the seed and the index alone."""
        name = item.function.removeprefix("fake.")
        rng = np.random.default_rng([seed, item.index])
        side = SIDE.get(item.size_class, 8)
        count = 2 if name in _TWO else 1
        wide = tuple(rng.standard_normal((side, side)) for _ in range(count))
        return self._call(item, name, wide, item.dtype)

    def _call(self, item: Item, name: str, wide: tuple[Any, ...], dtype: str) -> Call:
        args = tuple(x.astype(dtype) for x in wide)
        check: Check = "reconstruct" if name == "svd" else "values"
        return Call(
            framework="fake",
            function=self.functions[name],
            args=args,
            signature={"function": name, "shapes": [x.shape for x in args], "dtypes": [dtype] * len(args)},
            kind=item.kind,
            check=check,
            float64=(lambda: self._call(item, name, args, "float64")) if dtype != "float64" else None,
            rebuild=_product if name == "svd" else None,
        )


class Trouble(Plain):
    """Functions that crash, hang, flood or eat memory."""

    name = "fake_trouble"
    functions = TROUBLE


def _product(leaves: tuple[Leaf, ...], args: tuple[Any, ...]) -> tuple[Leaf, ...]:  # noqa: ARG001
    u, s, vh = (np.asarray(leaf.array) for leaf in leaves)
    return (Leaf(array=(u * s) @ vh, dtype=leaves[0].dtype, shape=(u.shape[0], vh.shape[1])),)

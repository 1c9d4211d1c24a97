"""Own recipes for PyTorch: public names that its operation table lacks, and a ladder of sizes for kernels.

The lines stand in ``recipes.txt``. A layer, ``torch.nn.Linear(3, 4)(x(2, 3))``, is built once from a fixed
seed: its parameters are inputs, and what is called and timed is the layer.
"""

from __future__ import annotations

import ast
import json
import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isoflop.portability.task import Item
from isoflop.portability.worker.interface import Call
from isoflop.portability.worker.recipes.provider import Library, Recipes
from isoflop.portability.worker.torch.eager import load
from isoflop.portability.worker.torch.opinfo import plain_version, seed_generators
from isoflop.portability.worker.torch.values import widened

FILES = ("recipes.txt", "ladder.txt")


class TorchRecipes:
    """Calls of PyTorch written down by hand."""

    name = "torch_recipes"
    framework = "torch"
    licence = "Apache-2.0"

    def __init__(self) -> None:
        self._recipes = Recipes(
            name=self.name,
            framework=self.framework,
            package="isoflop.portability.worker.torch",
            files=FILES,
            library=library,
        )

    def version(self) -> str:
        """Return the versions of torch, of the makers and of the recipes."""
        return self._recipes.version()

    def items(self, *, dtypes: tuple[str, ...], sizes: tuple[str, ...], samples: int) -> Iterable[Item]:
        """Yield an item for each recipe, dtype and set of inputs."""
        return self._recipes.items(dtypes=dtypes, sizes=sizes, samples=samples)

    def make(self, item: Item, seed: int) -> Call:
        """Return the call; raise where this torch has no such function or dtype."""
        call = self._recipes.make(item, seed)
        address = json.loads(item.address)
        return _layer(call, str(address["recipe"]), address.get("n"), item.dtype, seed) or call


def library() -> Library:
    """Return what PyTorch adds to recipes."""
    torch = load()
    return Library(
        version=plain_version(torch), roots={"torch": torch, "math": math}, array=_array, dtype=_dtype
    )


def _array(values: NDArray[Any], dtype: str) -> Any:
    """Return a tensor; whole numbers are int64, PyTorch's own choice for places and classes."""
    import torch

    return torch.from_numpy(np.ascontiguousarray(values)).to(_dtype("int64" if dtype == "int32" else dtype))


def _dtype(name: str) -> Any:
    import torch

    return getattr(torch, name)


def _layer(call: Call, expression: str, n: int | None, dtype: str, seed: int) -> Call | None:
    """Return the call of a layer that was built beforehand, or None where the recipe is another call."""
    import torch

    body = ast.parse(expression, mode="eval").body
    if not (isinstance(body, ast.Call) and isinstance(body.func, ast.Call)):
        return None
    # Recipes are this package's own text; nothing of a user is evaluated.
    names = {**library().roots, "main": _dtype(dtype), "N": n}
    if not isinstance(built := resolved_class(body.func.func), type) or not issubclass(
        built, torch.nn.Module
    ):
        return None
    seed_generators(seed)
    layer = eval(ast.unparse(body.func), names).to(_dtype(dtype))
    given = body.args, [word.value for word in body.keywords]
    if not all(_is_made(part) for group in given for part in group):
        raise ValueError(f"{expression}: a layer in a recipe takes makers alone")
    words = [str(word.arg) for word in body.keywords]

    def through(call: Call, module: Any) -> Call:
        positional, named = call.args[: len(body.args)], call.args[len(body.args) :]
        return replace(call, function=module, args=positional, kwargs=dict(zip(words, named, strict=True)))

    wide = call.float64
    made = through(call, layer)
    return made if wide is None else replace(made, float64=lambda: through(wide(), widened(layer)))


def resolved_class(node: ast.expr) -> Any:
    """Return what a dotted name in a recipe refers to, or None."""
    from isoflop.portability.worker.torch.public import resolved

    return resolved(ast.unparse(node)) if isinstance(node, ast.Attribute) else None


def _is_made(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name)

"""Own recipes of tinygrad."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from numpy.typing import NDArray

from isoflop.portability.worker.recipes.provider import Library, Recipes
from isoflop.portability.worker.tinygrad.device import load, version


def recipes() -> Recipes:
    """Return the provider of own recipes."""
    return Recipes(
        name="tinygrad_recipes",
        framework="tinygrad",
        package="isoflop.portability.worker.tinygrad",
        files=("recipes.txt",),
        library=_library,
    )


@cache
def _library() -> Library:
    tinygrad = load()
    import_module("tinygrad.nn")

    def array(values: NDArray[Any], dtype: str) -> Any:
        # Weights that a layer draws belong to the recipe: the seed is set before each input is made.
        tinygrad.Tensor.manual_seed(0)
        return tinygrad.Tensor(values, dtype=_dtype(dtype), device="CPU").realize()

    return Library(version=version(), roots={"tinygrad": tinygrad}, array=array, dtype=_dtype)


def _dtype(name: str) -> Any:
    """Return tinygrad's own dtype; raise where it has none."""
    tinygrad = load()
    found = getattr(tinygrad.dtypes, name, None)
    if found is None:
        raise TypeError(f"tinygrad has no dtype {name}")
    return found

"""Own recipes of MLX."""

from __future__ import annotations

from functools import cache
from typing import Any

from numpy.typing import NDArray

from isoflop.portability.worker.recipes.provider import Library, Recipes


def recipes() -> Recipes:
    """Return the provider of own recipes."""
    return Recipes(
        name="mlx_recipes",
        framework="mlx",
        package="isoflop.portability.worker.mlx",
        files=("recipes.txt",),
        library=_library,
    )


@cache
def _library() -> Library:
    import mlx
    import mlx.core as mx
    import mlx.nn

    # Weights that a layer draws belong to the recipe: the seed is set before each input is made.
    def array(values: NDArray[Any], dtype: str) -> Any:
        mx.random.seed(0)
        return mx.array(values, dtype=_dtype(dtype))

    return Library(version=str(mx.__version__), roots={"mlx": mlx}, array=array, dtype=_dtype)


def _dtype(name: str) -> Any:
    """Return MLX's own dtype; complex numbers are of 64 bits there, whatever is asked."""
    import mlx.core as mx

    return getattr(mx, {"bool": "bool_", "complex128": "complex64"}.get(name, name))

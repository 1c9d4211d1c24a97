"""Own recipes of JAX."""

from __future__ import annotations

from functools import cache
from typing import Any

from numpy.typing import NDArray

from isoflop.portability.worker.jax.values import versions
from isoflop.portability.worker.recipes.provider import Library, Recipes

_SUBMODULES = (
    "jax.image",
    "jax.nn.initializers",
    "jax.numpy.fft",
    "jax.numpy.linalg",
    "jax.ops",
    "jax.random",
    "jax.scipy.fft",
    "jax.scipy.linalg",
    "jax.scipy.ndimage",
    "jax.scipy.signal",
    "jax.scipy.special",
    "jax.scipy.stats",
)


def recipes() -> Recipes:
    """Return the provider of own recipes."""
    return Recipes(
        name="jax_recipes",
        framework="jax",
        package="isoflop.portability.worker.jax",
        files=("numpy.txt", "others.txt"),
        library=_library,
    )


@cache
def _library() -> Library:
    from importlib import import_module

    import jax

    for name in _SUBMODULES:
        import_module(name)
    return Library(version=versions()[1], roots={"jax": jax}, array=_array, dtype=jax.numpy.dtype)


def _array(values: NDArray[Any], dtype: str) -> NDArray[Any]:
    import jax

    # NumPy arrays stay on the host and keep 64 bits, whatever JAX's flag says now.
    return values.astype(jax.numpy.dtype(dtype))

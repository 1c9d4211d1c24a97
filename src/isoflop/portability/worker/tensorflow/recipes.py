"""Own recipes of TensorFlow."""

from __future__ import annotations

from functools import cache
from typing import Any

from numpy.typing import NDArray

from isoflop.portability.worker.recipes.provider import Library, Recipes
from isoflop.portability.worker.tensorflow.values import versions


def recipes() -> Recipes:
    """Return the provider of own recipes."""
    return Recipes(
        name="tensorflow_recipes",
        framework="tensorflow",
        package="isoflop.portability.worker.tensorflow",
        files=("public.txt",),
        library=_library,
    )


@cache
def _library() -> Library:
    import tensorflow as tf

    return Library(
        version=versions(), roots={"tensorflow": tf, "tf": tf}, array=_array, dtype=tf.dtypes.as_dtype
    )


def _array(values: NDArray[Any], dtype: str) -> Any:
    import tensorflow as tf

    with tf.device("/device:CPU:0"):
        return tf.constant(values.astype(tf.dtypes.as_dtype(dtype).as_numpy_dtype))

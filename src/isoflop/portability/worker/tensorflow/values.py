"""TensorFlow's tensors on the host."""

from __future__ import annotations

from typing import Any

import numpy as np

from isoflop.portability.worker.interface import Call, Leaf

TEXT = "string"


def leaves(value: Any) -> tuple[Leaf, ...]:
    """Return the arrays of an output: parts of sparse and ragged tensors, of lists and of dictionaries."""
    import tensorflow as tf

    parts = tf.nest.flatten(value, expand_composites=True)
    return tuple(_leaf(part) for part in parts if part is not None)


def _leaf(part: Any) -> Leaf:
    import tensorflow as tf

    tensor = part if tf.is_tensor(part) else tf.convert_to_tensor(part)
    host, name = tensor.numpy(), tensor.dtype.name
    if name == TEXT:
        flat = np.asarray(host, dtype=object).ravel()
        host = np.array([text.decode("utf-8", "replace") for text in flat], dtype=np.str_)
        host = host.reshape(tuple(tensor.shape))
    elif name == "bfloat16" or name.startswith("float8"):
        host = np.asarray(host).astype(np.float32)
    return Leaf(
        array=np.asarray(host), dtype=name, shape=tuple(int(n) for n in tensor.shape), device=place(tensor)
    )


def place(tensor: Any) -> str:
    """Return where a tensor lies, as TensorFlow's users write it.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> place(SimpleNamespace(device="/job:localhost/replica:0/task:0/device:GPU:0"))
    'gpu:0'
    """
    return str(tensor.device).rpartition("device:")[2].lower()


def dependent(value: Any) -> None:
    """Wait until an output is there: a number that depends on every part of it is fetched."""
    import tensorflow as tf

    for part in tf.nest.flatten(value, expand_composites=True):
        if tf.is_tensor(part) and place(part).startswith(("gpu", "tpu")):
            tf.reshape(part, [-1])[:1].numpy()


def total(outputs: Any) -> Any:
    """Return a weighted sum of the real parts of all floating outputs, or None where there are none.

    Weights run from 1/2 to 3/2: the plain sum of what a normalisation gives is constant, and its gradient
    nothing but rounding.
    """
    import tensorflow as tf

    parts = [tf.reshape(tf.math.real(part), [-1]) for part in tf.nest.flatten(outputs) if is_floating(part)]
    if not parts:
        return None
    weights = (tf.linspace(tf.constant(0.5, tf.float64), 1.5, tf.size(part)) for part in parts)
    sums = [tf.reduce_sum(part * tf.cast(w, part.dtype)) for part, w in zip(parts, weights, strict=True)]
    return tf.add_n([tf.cast(one, sums[0].dtype) for one in sums])


def is_floating(part: Any) -> bool:
    """Return whether there are gradients with respect to it."""
    dtype = getattr(part, "dtype", None)
    return dtype is not None and (dtype.is_floating or dtype.is_complex)


def floating_places(call: Call) -> tuple[int, ...]:
    """Return the positions of floating inputs."""
    return tuple(i for i, arg in enumerate(call.args) if is_floating(arg))


def versions() -> str:
    """Return TensorFlow's version."""
    import tensorflow as tf

    return str(tf.__version__)

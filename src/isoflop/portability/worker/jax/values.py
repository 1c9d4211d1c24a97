"""JAX's arrays on the host, and the flags under which a call is made."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from isoflop.portability.worker.interface import Call, Leaf

_WIDE = frozenset({"float64", "complex128", "int64", "uint64"})
_PLATFORM = {"cuda": "gpu", "rocm": "gpu"}
_NARROW_INTEGERS = frozenset({"int2", "int4", "uint2", "uint4"})


def x64(call: Call) -> bool:
    """Return whether a call needs JAX's 64-bit flag, which is off unless somebody asks for it."""
    arrays = (arg for arg in call.args if isinstance(arg, (np.ndarray, np.generic)))
    return call.signature.get("dtype") in _WIDE or any(arg.dtype.name in _WIDE for arg in arrays)


def flags(call: Call) -> AbstractContextManager[Any]:
    """Return the context in which a call is traced and made."""
    import jax
    import jax.experimental

    # Older versions of jax have the context in jax.experimental alone.
    enable: Any = jax.enable_x64 if hasattr(jax, "enable_x64") else jax.experimental.enable_x64
    context: AbstractContextManager[Any] = enable(x64(call))
    return context


def leaves(value: Any) -> tuple[Leaf, ...]:
    """Return the arrays of an output in JAX's own order of flattening."""
    import jax

    return tuple(_leaf(part) for part in jax.tree_util.tree_leaves(value))


def _leaf(part: Any) -> Leaf:
    import jax

    if jax.dtypes.issubdtype(getattr(part, "dtype", None), jax.dtypes.prng_key):
        part = jax.random.key_data(part)
    array = part if isinstance(part, jax.Array) else jax.numpy.asarray(part)
    device = ",".join(
        sorted({f"{_PLATFORM.get(one.platform, one.platform)}:{one.id}" for one in array.devices()})
    )
    host, name = np.asarray(array), array.dtype.name
    if name == "bfloat16" or name.startswith(("float8", "float4")):
        host = host.astype(np.float32)
    elif name in _NARROW_INTEGERS:
        host = host.astype(np.int32)
    return Leaf(array=host, dtype=name, shape=tuple(int(n) for n in array.shape), device=device)


def versions() -> tuple[str, str]:
    """Return the versions of jaxlib, which runs, and of jax."""
    import jax
    import jaxlib

    return str(jaxlib.__version__), str(jax.__version__)


def total(outputs: Any) -> Any:
    """Return a weighted sum of the real parts of all floating outputs: what gradients are taken of.

    Weights run from 1/2 to 3/2: the plain sum of what a normalisation gives is constant, and its gradient
    nothing but rounding.
    """
    import jax

    numpy = jax.numpy
    floats = [numpy.real(part).ravel() for part in jax.tree_util.tree_leaves(outputs) if _is_floating(part)]
    return sum((numpy.sum(part * _weights(part.size).astype(part.dtype)) for part in floats), start=0.0)


def _weights(size: int) -> Any:
    return np.linspace(0.5, 1.5, size)


def differentiable(call: Call) -> tuple[int, ...]:
    """Return the positions of arguments with respect to which there are gradients; none without outputs."""
    import jax

    places = tuple(i for i, arg in enumerate(call.args) if _is_floating(arg))
    if not places:
        return ()
    outputs = jax.eval_shape(call.function, *call.args)
    return places if any(_is_floating(part) for part in jax.tree_util.tree_leaves(outputs)) else ()


def _is_floating(part: Any) -> bool:
    import jax

    dtype = getattr(part, "dtype", None)
    return dtype is not None and bool(jax.dtypes.issubdtype(dtype, np.inexact))

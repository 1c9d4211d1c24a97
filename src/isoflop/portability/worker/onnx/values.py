"""Values of ONNX tests as arrays: tensors, sequences and optionals of them, narrow floats included."""

from __future__ import annotations

from typing import Any

import numpy as np

from isoflop.portability.worker.interface import Leaf

_NARROW = frozenset({"bfloat16", "int4", "uint4", "int2", "uint2"})
_NARROW_FLOATS = ("float8_", "float6_", "float4_")
TEXT = "string"


def array_of(value: Any) -> Any:
    """Return the NumPy array of a test's value; None stays None, a list becomes a list of arrays."""
    if value is None or isinstance(value, np.ndarray):
        return value
    if isinstance(value, (list, tuple)):
        return [array_of(part) for part in value]
    if hasattr(value, "data_type"):
        from onnx import numpy_helper

        return numpy_helper.to_array(value)
    return np.asarray(value)


def dtype_name(array: np.ndarray) -> str:
    """Return the dtype's name as ONNX users know it.

    Examples
    --------
    >>> dtype_name(np.zeros(2, dtype=np.float32)), dtype_name(np.array(["a"], dtype=object))
    ('float32', 'string')
    """
    if array.dtype.kind in "OUS":
        return TEXT
    return "bool" if array.dtype == np.bool_ else array.dtype.name


def is_narrow(array: np.ndarray) -> bool:
    """Return whether NumPy itself does not know the dtype: bfloat16, and types of 8 bits and fewer."""
    name = dtype_name(array)
    return name in _NARROW or name.startswith(_NARROW_FLOATS)


def leaf(array: np.ndarray, device: str = "cpu") -> Leaf:
    """Return a leaf: text as Unicode, narrow floats widened to float32, narrow integers to int8 or uint8."""
    name = dtype_name(array)
    if name == TEXT:
        host = np.array([_text(part) for part in array.ravel()], dtype=np.str_).reshape(array.shape)
    elif is_narrow(array):
        wide = np.float32 if "float" in name else np.uint8 if name.startswith("u") else np.int8
        host = array.astype(wide)
    else:
        host = np.array(array)
    return Leaf(array=host, dtype=name, shape=tuple(int(n) for n in array.shape), device=device)


def leaves(values: Any, device: str = "cpu") -> tuple[Leaf, ...]:
    """Return the arrays of nested values in order; an empty optional is a leaf of dtype ``none``."""
    if values is None:
        return (Leaf(array=None, dtype="none", shape=(), device=device),)
    if isinstance(values, (list, tuple)):
        return tuple(part for value in values for part in leaves(value, device))
    return (leaf(np.asarray(values), device),)


def describe(values: Any) -> Any:
    """Return dtypes and shapes of nested values, JSON-ready.

    Examples
    --------
    >>> describe([np.zeros((2, 3)), None])
    [['float64', [2, 3]], None]
    """
    if values is None:
        return None
    if isinstance(values, (list, tuple)):
        return [describe(value) for value in values]
    return [dtype_name(values), [int(n) for n in values.shape]]


def elements(values: Any) -> int:
    """Return how many numbers nested values hold."""
    if values is None:
        return 0
    if isinstance(values, (list, tuple)):
        return sum(elements(value) for value in values)
    return int(values.size)


def _text(part: object) -> str:
    return part.decode("utf-8", "replace") if isinstance(part, bytes) else str(part)

"""Arguments of a call as plain JSON: shapes, dtypes and scalars, never what an array holds."""

from __future__ import annotations

import math
from typing import Any

MOST_SCALARS = 16
"""Numbers kept of a list; a longer one is data and only its shape is kept."""
MOST_TEXT = 40
"""Characters of a text argument; longer ones, and those with a slash, may be paths or data."""


def describe(value: Any) -> Any:
    """Return an argument as JSON.

    Examples
    --------
    >>> import numpy as np
    >>> describe((np.zeros((2, 3), "float32"), 1, "same"))
    {'tuple': [{'array': [2, 3], 'dtype': 'float32'}, 1, 'same']}
    >>> describe([0.0] * 20)
    {'numbers': [20], 'of': 'float'}
    """
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": str(value)}
    if isinstance(value, complex):
        return {"complex": [value.real, value.imag]}
    if isinstance(value, str):
        return (
            value if len(value) <= MOST_TEXT and "/" not in value and "\\" not in value else _unknown(value)
        )
    if isinstance(value, (list, tuple)):
        return _sequence(value)
    if isinstance(value, dict):
        return {"dict": {str(key): describe(inner) for key, inner in value.items()}}
    if isinstance(value, slice):
        return {"slice": [describe(part) for part in (value.start, value.stop, value.step)]}
    if value is Ellipsis:
        return {"ellipsis": True}
    return _object(value)


def is_replayable(described: Any) -> bool:
    """Say whether a call can be made again from its description."""
    if isinstance(described, dict):
        return "object" not in described and all(is_replayable(inner) for inner in described.values())
    return all(is_replayable(inner) for inner in described) if isinstance(described, list) else True


def main_dtype(described: Any) -> str:
    """Return the dtype of the first array, a floating one where there is one; empty for none."""
    found = _dtypes(described)
    return next((name for name in found if "float" in name or "complex" in name), found[0] if found else "")


def _sequence(value: Any) -> Any:
    shape = _numbers(value)
    if shape is not None and math.prod(shape) > MOST_SCALARS:
        first = value
        while isinstance(first, (list, tuple)):
            first = first[0]
        return {"numbers": list(shape), "of": type(first).__name__}
    kind = "list" if isinstance(value, list) else "tuple"
    return {kind: [describe(inner) for inner in value]}


def _numbers(value: Any) -> tuple[int, ...] | None:
    """Return the shape of nested lists of numbers; None where they are something else or ragged."""
    if isinstance(value, (bool, int, float)):
        return ()
    if not isinstance(value, (list, tuple)) or not value:
        return None
    inner = {_numbers(part) for part in value}
    only = inner.pop()
    return None if inner or only is None else (len(value), *only)


def _object(value: Any) -> Any:
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    if shape is not None and dtype is not None and not isinstance(value, type):
        try:
            sizes = [int(size) for size in shape]
        except (TypeError, ValueError):
            return _unknown(value)
        return {"array": sizes, "dtype": dtype_name(dtype)}
    kind = type(value).__name__
    if kind == "device":
        return {"device": True}
    if kind in ("dtype", "DType", "_ScalarMeta") or (isinstance(value, type) and dtype is not None):
        return {"dtype": dtype_name(dtype if isinstance(value, type) and dtype is not None else value)}
    return _unknown(value)


def dtype_name(dtype: Any) -> str:
    """Return a dtype's name without its module.

    Examples
    --------
    >>> import numpy as np
    >>> dtype_name(np.dtype("int64")), dtype_name(np.float32)
    ('int64', 'float32')
    """
    name = getattr(dtype, "name", None) or getattr(dtype, "__name__", None) or str(dtype)
    return str(name).rpartition(".")[2]


def _unknown(value: Any) -> Any:
    return {"object": getattr(value, "__name__", None) or type(value).__name__}


def _dtypes(described: Any) -> list[str]:
    if isinstance(described, dict):
        if "array" in described:
            return [described["dtype"]]
        described = list(described.values())
    return [name for inner in described for name in _dtypes(inner)] if isinstance(described, list) else []

"""Pieces of a buffer as a column of texts, without copying a byte.

Polars searches a column of texts many times faster than Python searches bytes, but filling one
copies. The Arrow PyCapsule interface, which Polars reads, lets a column point at memory as it lies;
this module writes the two small structures of that interface for one case: texts that follow each other.

Source: The Arrow PyCapsule Interface and The Arrow C data interface (arrow.apache.org/docs/format).
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import polars as pl

_LARGE_TEXT = b"U"
_POINTER = ctypes.c_void_p
_RELEASE = ctypes.CFUNCTYPE(None, _POINTER)


class _Schema(ctypes.Structure):
    _fields_ = (
        ("format", ctypes.c_char_p),
        ("name", ctypes.c_char_p),
        ("metadata", ctypes.c_char_p),
        ("flags", ctypes.c_int64),
        ("n_children", ctypes.c_int64),
        ("children", _POINTER),
        ("dictionary", _POINTER),
        ("release", _RELEASE),
        ("private_data", _POINTER),
    )


class _Array(ctypes.Structure):
    _fields_ = (
        ("length", ctypes.c_int64),
        ("null_count", ctypes.c_int64),
        ("offset", ctypes.c_int64),
        ("n_buffers", ctypes.c_int64),
        ("n_children", ctypes.c_int64),
        ("buffers", ctypes.POINTER(_POINTER)),
        ("children", _POINTER),
        ("dictionary", _POINTER),
        ("release", _RELEASE),
        ("private_data", _POINTER),
    )


def _released(at: int, kind: Any) -> None:
    """Mark a structure as released; its memory belongs to Python and goes with the object."""
    kind.from_address(at).release = _RELEASE(0)


_RELEASE_SCHEMA = _RELEASE(lambda at: _released(at, _Schema))
_RELEASE_ARRAY = _RELEASE(lambda at: _released(at, _Array))
_CAPSULE: Any = ctypes.pythonapi.PyCapsule_New
_CAPSULE.restype = ctypes.py_object
_CAPSULE.argtypes = (_POINTER, ctypes.c_char_p, _POINTER)


class _Texts:
    """Exports consecutive texts of a buffer; it must outlive every column that was made of it."""

    def __init__(self, data: npt.NDArray[np.uint8], cuts: npt.NDArray[np.int64]) -> None:
        self._owned = (data, cuts)
        self._buffers = (_POINTER * 3)(None, cuts.ctypes.data, data.ctypes.data)
        self._schema = _Schema(format=_LARGE_TEXT, name=b"", release=_RELEASE_SCHEMA)
        self._array = _Array(
            length=cuts.size - 1,
            n_buffers=3,
            buffers=ctypes.cast(self._buffers, ctypes.POINTER(_POINTER)),
            release=_RELEASE_ARRAY,
        )

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        return (
            _CAPSULE(ctypes.addressof(self._schema), b"arrow_schema", None),
            _CAPSULE(ctypes.addressof(self._array), b"arrow_array", None),
        )


class Pieces:
    """Consecutive pieces of a buffer as a Polars column, good until the buffer changes.

    Keep this object as long as the column, and take numbers out of the column, not texts: a long text
    would go on pointing at the buffer.

    Parameters
    ----------
    data : array of uint8
        The buffer.
    cuts : array of int64
        Where pieces begin, and where the last one ends; rising.
    """

    def __init__(self, data: npt.NDArray[np.uint8], cuts: npt.NDArray[np.int64]) -> None:
        self._of = (data, np.ascontiguousarray(cuts, np.int64))
        self._exported: list[_Texts] = []

    def column(self) -> pl.Series:
        """Return the pieces.

        Raises
        ------
        polars.exceptions.ComputeError
            They are not UTF-8.
        """
        import polars as pl

        self._exported.append(_Texts(*self._of))
        return pl.Series("pieces", self._exported[-1])

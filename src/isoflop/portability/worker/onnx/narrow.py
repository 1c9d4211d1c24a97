"""bfloat16, 8-bit floats, 2- and 4-bit numbers as raw bytes, packed as ONNX packs them."""

from __future__ import annotations

from typing import Any

import numpy as np

from isoflop.portability.worker.onnx.values import dtype_name, is_narrow

_PER_BYTE = {"int4": 2, "uint4": 2, "float4e2m1fn": 2, "int2": 4, "uint2": 4}
_ONNX_WORDS = ("float8", "float4", "float6e", "int4", "uint4", "int2", "uint2", "bfloat16")


def is_narrow_type(text: str) -> bool:
    """Return whether a type as ONNX Runtime writes it has no NumPy type of its own.

    Examples
    --------
    >>> is_narrow_type("tensor(bfloat16)"), is_narrow_type("tensor(float16)"), is_narrow_type("tensor(uint4)")
    (True, False, True)
    """
    return text.partition("(")[2].startswith(_ONNX_WORDS)


def raw(array: np.ndarray) -> np.ndarray:
    """Return the bits of an array as uint8 or uint16 in a buffer of the array's own shape.

    Numbers of fewer than 8 bits are packed, the first in the lowest bits; the rest of the buffer is zero.
    """
    flat = np.ascontiguousarray(array).ravel()
    bits = flat.view(np.uint16 if flat.dtype.itemsize == 2 else np.uint8)
    per_byte = _per_byte(flat.dtype)
    if per_byte == 1:
        return bits.reshape(array.shape)
    packed = pack(bits, 8 // per_byte)
    buffer = np.zeros(array.shape, dtype=np.uint8)
    buffer.reshape(-1)[: packed.size] = packed
    return buffer


def from_bytes(data: bytes, dtype: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Return the array that `raw` wrote, of a dtype that NumPy itself does not know."""
    kind = np.dtype(dtype)
    per_byte = _per_byte(kind)
    flat = np.frombuffer(data, dtype=np.uint8)
    if per_byte == 1:
        return np.asarray(flat.view(kind).reshape(shape))
    bits = 8 // per_byte
    numbers = unpack(flat, bits)[: int(np.prod(shape))]
    if kind.name.startswith("float"):
        return np.asarray(numbers.view(kind).reshape(shape))
    if kind.name.startswith("int"):
        sign = 1 << (bits - 1)
        return ((numbers.astype(np.int16) ^ sign) - sign).astype(np.int8).astype(kind).reshape(shape)
    return numbers.astype(kind).reshape(shape)


def pack(numbers: np.ndarray, bits: int) -> np.ndarray:
    """Return small unsigned numbers packed into bytes, the first in the lowest bits.

    Examples
    --------
    >>> pack(np.array([1, 2, 3], dtype=np.uint8), 4).tolist()
    [33, 3]
    """
    per_byte = 8 // bits
    whole = np.zeros(-(-numbers.size // per_byte) * per_byte, dtype=np.uint8)
    whole[: numbers.size] = numbers & ((1 << bits) - 1)
    shifts = (np.arange(per_byte) * bits).astype(np.uint8)
    return np.asarray(np.bitwise_or.reduce(whole.reshape(-1, per_byte) << shifts, axis=1), dtype=np.uint8)


def unpack(packed: np.ndarray, bits: int) -> np.ndarray:
    """Return the numbers of packed bytes, lowest bits first.

    Examples
    --------
    >>> unpack(np.array([33], dtype=np.uint8), 4).tolist()
    [1, 2]
    """
    shifts = (np.arange(8 // bits) * bits).astype(np.uint8)
    return ((packed[:, None] >> shifts) & ((1 << bits) - 1)).astype(np.uint8).ravel()


def needs_raw(array: Any) -> bool:
    """Return whether an input must be given as raw bits."""
    return isinstance(array, np.ndarray) and is_narrow(array)


def _per_byte(dtype: np.dtype[Any]) -> int:
    return _PER_BYTE.get(dtype_name(np.empty(0, dtype=dtype)).replace("_", ""), 1)

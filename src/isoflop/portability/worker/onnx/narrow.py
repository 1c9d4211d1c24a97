"""bfloat16, 8-bit floats, 2- and 4-bit numbers, to and from ONNX Runtime: NumPy has no types for them."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from isoflop.portability.worker.onnx.values import array_of, dtype_name, is_narrow

_PACKED = {"int4": 2, "uint4": 2, "float4e2m1fn": 2, "int2": 4, "uint2": 4}
"""Numbers in a byte."""
_ONNX_NAMES = {"float8_e4m3b11fnuz": "float8e4m3fnuz"}


def ort_value(array: np.ndarray) -> Any:
    """Return an array as a value of ONNX Runtime, packed as ONNX packs it."""
    import onnx
    import onnxruntime

    host = np.ascontiguousarray(array)
    if not is_narrow(host):
        return onnxruntime.OrtValue.ortvalue_from_numpy(host)
    kind = onnx.helper.np_dtype_to_tensor_dtype(host.dtype)
    raw = host.view(np.uint16 if host.dtype.itemsize == 2 else np.uint8)
    numbers = _PACKED.get(_plain(dtype_name(host)), 1)
    if numbers > 1:
        raw = _packed(raw, 8 // numbers)
    return onnxruntime.OrtValue.ortvalue_from_numpy_with_onnx_type(raw, kind)


def host_value(value: Any) -> Any:
    """Return a value of ONNX Runtime as an array, or a list of arrays."""
    import onnx

    if not value.has_value():
        return None
    if not value.is_tensor():
        return [array_of(part) for part in value.numpy()] if hasattr(value, "numpy") else value
    dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(value.element_type()))
    if not is_narrow(np.empty(0, dtype=dtype)):
        return value.numpy()
    shape = tuple(value.shape())
    size = value.tensor_size_in_bytes()
    raw = (
        np.frombuffer(ctypes.string_at(value.data_ptr(), size), dtype=np.uint8)
        if size
        else np.empty(0, np.uint8)
    )
    numbers = _PACKED.get(_plain(dtype.name), 1)
    if numbers == 1:
        return raw.view(dtype).reshape(shape)
    flat = _unpacked(raw, 8 // numbers)[: int(np.prod(shape))]
    if dtype.name.startswith("int"):
        sign = 1 << (8 // numbers - 1)
        flat = ((flat.astype(np.int16) ^ sign) - sign).astype(np.int8)
        return flat.astype(dtype).reshape(shape)
    return (flat.astype(dtype) if dtype.name.startswith("uint") else flat.view(dtype)).reshape(shape)


def is_narrow_type(text: str) -> bool:
    """Return whether a type as ONNX Runtime writes it is one of these.

    Examples
    --------
    >>> is_narrow_type("tensor(bfloat16)"), is_narrow_type("tensor(float16)"), is_narrow_type("tensor(uint4)")
    (True, False, True)
    """
    inner = text.partition("(")[2].rstrip(")")
    return inner in {"bfloat16", *_PACKED} or inner.startswith(("float8", "float4"))


def _plain(name: str) -> str:
    return name.replace("_", "")


def _packed(raw: np.ndarray, bits: int) -> np.ndarray:
    """Return numbers packed with the first in the lowest bits, in a buffer of the array's own shape."""
    per_byte, mask = 8 // bits, (1 << bits) - 1
    flat = raw.ravel().astype(np.uint8) & mask
    whole = np.concatenate([flat, np.zeros(-flat.size % per_byte, dtype=np.uint8)]).reshape(-1, per_byte)
    shifts = np.arange(per_byte, dtype=np.uint8) * bits
    packed = np.bitwise_or.reduce(whole << shifts, axis=1).astype(np.uint8)
    buffer = np.zeros(raw.shape, dtype=np.uint8)
    buffer.reshape(-1)[: packed.size] = packed
    return buffer


def _unpacked(raw: np.ndarray, bits: int) -> np.ndarray:
    """Return the numbers of packed bytes, lowest bits first.

    Examples
    --------
    >>> _unpacked(np.array([0x21], dtype=np.uint8), 4).tolist()
    [1, 2]
    """
    shifts = np.arange(8 // bits, dtype=np.uint8) * bits
    return ((raw[:, None] >> shifts) & ((1 << bits) - 1)).astype(np.uint8).ravel()

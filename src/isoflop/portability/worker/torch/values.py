"""Tensors in nested arguments: copied, moved, widened, described, and brought to the host."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from isoflop.portability.model import SizeClass
from isoflop.portability.worker.interface import Leaf

_WIDE = {
    "float16": "float64", "bfloat16": "float64", "float32": "float64",
    "complex32": "complex128", "complex64": "complex128",
    "float8_e4m3fn": "float64", "float8_e5m2": "float64",
    "float8_e4m3fnuz": "float64", "float8_e5m2fnuz": "float64",
}  # fmt: skip
_RUNGS: tuple[tuple[int, SizeClass], ...] = ((4_096, "tiny"), (262_144, "small"), (4_194_304, "medium"))
"""Largest number of input elements of a rung; above the last one an input is large."""


def dtype_name(dtype: Any) -> str:
    """Return the name of a torch dtype without its module: ``float32``."""
    return str(dtype).removeprefix("torch.")


def mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """Return nested lists, tuples and dictionaries with every other value changed."""
    if isinstance(value, Mapping):
        return {key: mapped(inner, change) for key, inner in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(mapped(inner, change) for inner in value))
    if isinstance(value, (list, tuple)) and type(value) in (list, tuple):
        return type(value)(mapped(inner, change) for inner in value)
    return change(value)


def parts(value: Any) -> Iterator[Any]:
    """Yield the values of nested lists, tuples and dictionaries in order."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from parts(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from parts(inner)
    else:
        yield value


def tensors(value: Any) -> list[Any]:
    """Return the tensors of nested arguments in order."""
    import torch

    return [part for part in parts(value) if isinstance(part, torch.Tensor)]


def elements(value: Any) -> int:
    """Return how many numbers the tensors of nested arguments hold."""
    return sum(int(tensor.numel()) for tensor in tensors(value))


def rung(count: int) -> SizeClass:
    """Return the rung of the size ladder for a number of input elements.

    Examples
    --------
    >>> rung(100), rung(10**6), rung(10**9)
    ('tiny', 'medium', 'large')
    """
    return next((name for most, name in _RUNGS if count <= most), "large")


def placed(value: Any, device: str) -> Any:
    """Return a copy of nested arguments with tensors, modules and named devices on a device.

    Strides are kept, and so is what lies in storage around a view: functions like ``as_strided`` reach it.
    """
    import torch

    memo: dict[int, Any] = {}

    def change(part: Any) -> Any:
        if isinstance(part, torch.Tensor):
            return _copied(part, memo) if device == "cpu" else _moved(part, device=device)
        if isinstance(part, torch.nn.Module):
            return copy.deepcopy(part, memo).to(device)
        if isinstance(part, torch.device) or part == "cpu":
            return torch.device(device)
        return part

    return mapped(value, change)


def _copied(tensor: Any, memo: dict[int, Any]) -> Any:
    import torch

    return copy.deepcopy(tensor, memo) if tensor.layout is torch.strided else tensor.clone()


def widened(value: Any) -> Any:
    """Return nested arguments with floating tensors, modules and dtypes in float64 or complex128."""
    import torch

    def change(part: Any) -> Any:
        if isinstance(part, torch.Tensor):
            wide = _wide(part.dtype)
            return part if wide is part.dtype else _moved(part, dtype=wide)
        if isinstance(part, torch.nn.Module):
            return copy.deepcopy(part).double()
        if isinstance(part, torch.dtype):
            return _wide(part)
        return part

    return mapped(value, change)


def _wide(dtype: Any) -> Any:
    import torch

    name = dtype_name(dtype)
    return getattr(torch, _WIDE[name]) if name in _WIDE else dtype


def _moved(tensor: Any, **where: Any) -> Any:
    """Return a tensor elsewhere; of a view into a larger storage the whole storage is moved."""
    import torch

    if tensor.layout is not torch.strided or tensor.is_conj() or tensor.is_neg():
        return tensor.to(**where)
    held = tensor.untyped_storage().nbytes() // max(tensor.element_size(), 1)
    if held <= tensor.numel() or tensor.numel() == 0:
        return tensor.to(**where)
    whole = torch.as_strided(tensor, (held,), (1,), 0).to(**where)
    return torch.as_strided(whole, tensor.size(), tensor.stride(), tensor.storage_offset())


def described(value: Any) -> Any:
    """Return shapes, dtypes, layouts and other arguments of nested values, JSON-ready."""
    import torch

    if isinstance(value, Mapping):
        return {str(key): described(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [described(inner) for inner in value]
    if isinstance(value, torch.Tensor):
        return _described_tensor(value)
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, (float, complex)):
        return repr(value)
    if isinstance(value, torch.device):
        return "device"
    if isinstance(value, (torch.dtype, torch.layout, torch.memory_format, slice)):
        return str(value)
    return getattr(value, "__name__", type(value).__name__)


def _described_tensor(tensor: Any) -> list[Any]:
    import torch

    plain = tensor.layout is torch.strided
    form = [dtype_name(tensor.dtype), [int(n) for n in tensor.shape]]
    if not plain:
        form.append(str(tensor.layout).removeprefix("torch."))
    elif not tensor.is_contiguous():
        form.append([int(n) for n in tensor.stride()])
    return form


def leaves(value: Any, *, values: bool = True) -> tuple[Leaf, ...]:
    """Return the arrays of an output in order; without values where they stay where they are.

    Numbers and truth values are arrays of no dimension; whatever else a function returns is compared as text.
    """
    import torch

    found = []
    for part in parts(value):
        if isinstance(part, torch.Tensor):
            found.append(_leaf(part, values))
        elif part is not None:
            found.append(_other(part))
    return tuple(found)


def _leaf(tensor: Any, values: bool) -> Leaf:
    shape, device = tuple(int(n) for n in tensor.shape), str(tensor.device)
    array = _array(tensor) if values and not tensor.is_meta else None
    return Leaf(array=array, dtype=dtype_name(tensor.dtype), shape=shape, device=device)


def _array(tensor: Any) -> np.ndarray:
    import torch

    host = tensor.detach().to("cpu")
    if host.layout is not torch.strided:
        host = host.to_dense()
    host = host.resolve_conj().resolve_neg()
    if host.dtype == torch.complex32:
        host = host.to(torch.complex64)
    elif host.dtype == torch.bfloat16 or (host.dtype.is_floating_point and host.element_size() == 1):
        host = host.to(torch.float32)
    return np.array(host.numpy())


def _other(part: Any) -> Leaf:
    if isinstance(part, (bool, int, float, complex)):
        array = np.asarray(part)
        return Leaf(array=array, dtype=f"python {type(part).__name__}", shape=())
    return Leaf(array=np.array(str(part)), dtype="text", shape=())

"""A device of tinygrad: whether it opens, how arrays come and go, how one waits for it."""

from __future__ import annotations

import os
import shutil
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np

from isoflop.portability.worker.interface import Absent, Leaf, Present

GPUS = ("CUDA", "NV", "AMD", "HIP", "METAL", "CL", "QCOM", "WEBGPU")
"""tinygrad's names of GPUs, in the order in which they are tried."""
_DTYPES = {
    "half": "float16",
    "float": "float32",
    "double": "float64",
    "__bf16": "bfloat16",
    "bool": "bool",
    "signed char": "int8",
    "short": "int16",
    "int": "int32",
    "long": "int64",
    "unsigned char": "uint8",
    "unsigned short": "uint16",
    "unsigned int": "uint32",
    "unsigned long": "uint64",
}
"""tinygrad names types as C does; the other 8-bit floats keep their names."""


@dataclass(frozen=True, slots=True)
class Device:
    """A device by the name that it has in tinygrad."""

    name: str

    def tensor(self, array: np.ndarray) -> Any:
        """Return a tensor that lies on the device."""
        tinygrad = load()
        return tinygrad.Tensor(np.asarray(array, order="C"), device=self.name).realize()

    def chosen(self) -> AbstractContextManager[Any]:
        """Return the context in which new tensors lie on the device."""
        load()
        from tinygrad.helpers import Context

        context: AbstractContextManager[Any] = Context(DEV=self.name)
        return context

    def wait(self, value: Any) -> None:
        """Compute what is only planned so far, and wait until it is done.

        tinygrad plans lazily: a tensor that was never asked for was never computed.
        """
        tinygrad = load()
        for tensor in tensors(value):
            tensor.realize()
        tinygrad.Device[self.name].synchronize()


def load() -> Any:
    """Import tinygrad without its cache on disk, so that compiling is paid for in every process."""
    os.environ.setdefault("CACHELEVEL", "0")
    import tinygrad

    return tinygrad


def find(names: tuple[str, ...]) -> Device | Absent:
    """Return the first of some devices that opens."""
    try:
        tinygrad = load()
    except ImportError as error:
        return Absent(reason=f"{error.name} is not installed in this Python")
    if names == ("CPU",) and shutil.which(os.environ.get("CC", "clang")) is None:
        return Absent(reason="clang not found")
    why = []
    for name in names:
        try:
            tinygrad.Device[name].synchronize()
        except Exception as error:  # a missing driver may raise anything
            why.append(f"{name}: {_first_line(error)}")
        else:
            return Device(name)
    return Absent(reason=f"tinygrad {version()} opens none of its GPUs ({'; '.join(why)})"[:600])


def present(device: Device) -> Present:
    """Describe a device that opened."""
    tinygrad = load()
    opened = tinygrad.Device[device.name]
    return Present(
        target_version=version(),
        framework_version=version(),
        device_name=device.name,
        notes=f"{type(opened.renderer).__name__}, no cache of kernels on disk",
    )


def version() -> str:
    """Return tinygrad's version."""
    from importlib.metadata import version as installed

    return installed("tinygrad")


def tensors(value: Any) -> list[Any]:
    """Return the tensors of an output, in order."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [tensor for part in value for tensor in tensors(part)]
    return [value] if hasattr(value, "realize") else []


def leaves(value: Any) -> tuple[Leaf, ...]:
    """Return an output on the host; Python numbers are leaves without a dimension."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return tuple(leaf for part in value for leaf in leaves(part))
    if value is None:
        return (Leaf(array=None, dtype="none", shape=()),)
    if not hasattr(value, "realize"):
        host = np.asarray(value)
        return (Leaf(array=host, dtype=host.dtype.name, shape=host.shape),)
    return (_leaf(value),)


def _leaf(tensor: Any) -> Leaf:
    name = _DTYPES.get(tensor.dtype.name, tensor.dtype.name)
    wide = tensor if name in _DTYPES.values() and name != "bfloat16" else tensor.float()
    return Leaf(
        array=np.array(wide.numpy()),
        dtype=name,
        shape=tuple(int(n) for n in tensor.shape),
        device=str(tensor.device).lower(),
    )


def _first_line(error: BaseException) -> str:
    text = str(error) or type(error).__name__
    return text.splitlines()[0][:80]

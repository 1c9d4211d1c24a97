"""PyTorch on accelerators: NVIDIA, AMD, Apple, Intel and Huawei devices, and TPUs through torch_xla.

Each is one row: how its device is called, how it is found, and how one waits for it. Where a backend may move
an operation to the CPU by itself, one call of each function is watched: the backend's own warnings, or
torch_xla's counters, name what left. CUDA and ROCm never fall back; where outputs lie is checked for all.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from isoflop.portability.model import Level, Policy
from isoflop.portability.worker.interface import Absent, Call, Prepared, Present
from isoflop.portability.worker.ready import Ready
from isoflop.portability.worker.torch.eager import load, not_installed, settings
from isoflop.portability.worker.torch.placed import gradient, on
from isoflop.portability.worker.torch.values import leaves

Found = Absent | tuple[str, str]
"""Why a device is absent, or its name and its driver."""
Run = Callable[[], Any]
_OPERATOR = re.compile(r"(?:operator|Op|op)\s+'?(\w+::[\w.]+)'?")
_FALLBACK = re.compile(r"fall(?:s|ing)? ?back|CPU fallback", re.IGNORECASE)
_UNNAMED = "operation_not_named"


@dataclass(frozen=True, slots=True, kw_only=True)
class Accelerator:
    """PyTorch on one kind of device.

    Parameters
    ----------
    id : str
    device : str
        As torch calls it; also how the devices of its outputs begin.
    find : callable
        Looks for the device; gives what it is, or why it is absent. May raise ImportError.
    wait : callable
        Waits until everything that was started is done.
    watch : callable, optional
        Runs something and names the operations that the backend moved to the CPU.
    variables : tuple of str
        Environment variables, set to 1 before torch starts, that let the backend fall back and say so.
    level : str
    """

    id: str
    device: str
    find: Callable[[], Found]
    wait: Callable[[], None]
    watch: Callable[[Run], tuple[str, ...]] | None = None
    variables: tuple[str, ...] = ()
    level: Level = "ran"

    def __post_init__(self) -> None:
        for name in self.variables:
            os.environ.setdefault(name, "1")

    def detect(self) -> Present | Absent:
        """Say whether torch sees the device."""
        try:
            torch = load()
            found = self.find()
        except ImportError as error:
            return not_installed(error)
        except Exception as error:  # a broken driver may raise anything
            return Absent(reason=f"{self.device} does not start: {str(error)[:160]}")
        if isinstance(found, Absent):
            return found
        name, driver = found
        version = str(torch.__version__)
        return Present(
            target_version=version,
            framework_version=version,
            device_name=name,
            driver=driver,
            notes=f"{settings(torch)}; {flags(torch)}",
        )

    def prepare(self, call: Call, policy: Policy) -> Prepared:  # noqa: ARG002
        """Move the inputs; where the backend can fall back, watch one call on inputs of its own."""
        precise(load())
        left = () if self.watch is None else self.watch(self._waited(on(call, self.device).run))
        at = on(call, self.device)
        self.wait()
        return Ready(run=at.run, read=leaves, wait=self._sync, left=lambda: left)

    def prepare_gradient(self, call: Call, policy: Policy) -> Prepared | None:  # noqa: ARG002
        """Move the inputs, to be differentiated."""
        precise(load())
        found = gradient(on(call, self.device))
        return None if found is None else Ready(run=found.run, read=leaves, wait=self._sync)

    def null_call(self) -> Callable[[], None]:
        """Return the negation of one number, waited for."""
        torch = load()
        one = torch.ones(1).to(self.device)

        def null() -> None:
            torch.neg(one)
            self.wait()

        return null

    def _sync(self, value: Any) -> None:  # noqa: ARG002
        self.wait()

    def _waited(self, run: Run) -> Run:
        def waited() -> Any:
            value = run()
            self.wait()
            return value

        return waited


def cuda() -> Accelerator:
    """Return PyTorch on an NVIDIA GPU."""
    return Accelerator(id="torch:cuda", device="cuda", find=_cuda, wait=_wait("cuda"))


def rocm() -> Accelerator:
    """Return PyTorch on an AMD GPU, which torch calls cuda too."""
    return Accelerator(id="torch:rocm", device="cuda", find=_rocm, wait=_wait("cuda"))


def mps() -> Accelerator:
    """Return PyTorch on an Apple GPU."""
    return Accelerator(
        id="torch:mps",
        device="mps",
        find=_mps,
        wait=_wait("mps"),
        watch=warned,
        variables=("PYTORCH_ENABLE_MPS_FALLBACK",),
    )


def xpu() -> Accelerator:
    """Return PyTorch on an Intel GPU."""
    return Accelerator(
        id="torch:xpu",
        device="xpu",
        find=_xpu,
        wait=_wait("xpu"),
        watch=warned,
        variables=("PYTORCH_ENABLE_XPU_FALLBACK", "PYTORCH_DEBUG_XPU_FALLBACK"),
    )


def npu() -> Accelerator:
    """Return PyTorch on a Huawei Ascend NPU."""
    return Accelerator(id="torch:npu", device="npu", find=_npu, wait=_wait("npu"), watch=warned)


def xla() -> Accelerator:
    """Return PyTorch through torch_xla, on a TPU or whatever device XLA runs on."""
    return Accelerator(id="torch:xla", device="xla", find=_xla, wait=_wait_xla, watch=counted)


def warned(run: Run) -> tuple[str, ...]:
    """Run, and return the operations that warnings say were moved to the CPU, in order, once each."""
    torch = load()
    always = torch.is_warn_always_enabled()
    torch.set_warn_always(True)  # a warning given once a process would name the first such function alone
    try:
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            run()
    finally:
        torch.set_warn_always(always)
    said = [str(one.message) for one in heard]
    return tuple(dict.fromkeys(_named(text) for text in said if _FALLBACK.search(text)))


def counted(run: Run) -> tuple[str, ...]:
    """Run, and return the operations that torch_xla counts as handed to the CPU, in order, once each."""
    import torch_xla.debug.metrics as metrics

    metrics.clear_all()
    run()
    return tuple(sorted(name for name in metrics.counter_names() if name.startswith("aten::")))


def precise(torch: Any) -> None:
    """Turn TF32 off, so that float32 means float32 on every device."""
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


def flags(torch: Any) -> str:
    """Return the settings on which the numbers of a GPU depend."""
    precise(torch)
    matmul, convolution = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    return (
        f"TF32 {'on' if matmul or convolution else 'off'}; cudnn.benchmark {torch.backends.cudnn.benchmark}"
    )


def _named(text: str) -> str:
    found = _OPERATOR.search(text)
    return found[1] if found else _UNNAMED


def _wait(name: str) -> Callable[[], None]:
    def wait() -> None:
        getattr(load(), name).synchronize()

    return wait


def _wait_xla() -> None:
    """Start what was recorded and wait for it: a step marker alone starts work and does not wait."""
    import torch_xla

    torch_xla.sync()
    import torch_xla.core.xla_model as model

    model.wait_device_ops()


def _cuda() -> Found:
    torch = load()
    if torch.version.hip is not None or not torch.cuda.is_available():
        return Absent(reason=f"no CUDA device visible to torch {torch.__version__}")
    return str(
        torch.cuda.get_device_name()
    ), f"CUDA {torch.version.cuda}, cuDNN {torch.backends.cudnn.version()}"


def _rocm() -> Found:
    torch = load()
    if torch.version.hip is None:
        return Absent(reason=f"torch {torch.__version__} is not a ROCm build")
    if not torch.cuda.is_available():
        return Absent(reason=f"no ROCm device visible to torch {torch.__version__}")
    return str(torch.cuda.get_device_name()), f"HIP {torch.version.hip}"


def _mps() -> Found:
    torch = load()
    if not torch.backends.mps.is_built():
        return Absent(reason=f"torch {torch.__version__} is built without MPS")
    if not torch.backends.mps.is_available():
        return Absent(reason=f"no Metal device visible to torch {torch.__version__}")
    import platform

    return "Apple GPU", f"macOS {platform.mac_ver()[0]}"


def _xpu() -> Found:
    torch = load()
    if not torch.xpu.is_available():
        return Absent(reason=f"no XPU device visible to torch {torch.__version__}")
    about = torch.xpu.get_device_properties()
    return str(about.name), str(about.driver_version)


def _npu() -> Found:
    torch_npu = import_module("torch_npu")
    torch = load()
    if not torch.npu.is_available():
        return Absent(reason=f"no NPU device visible to torch_npu {torch_npu.__version__}")
    return str(torch.npu.get_device_name()), f"torch_npu {torch_npu.__version__}"


def _xla() -> Found:
    import torch_xla
    import torch_xla.runtime as runtime

    kind = str(runtime.device_type())
    if kind == "CPU":
        return Absent(reason=f"torch_xla {torch_xla.__version__} sees no device but the CPU")
    return kind, f"torch_xla {torch_xla.__version__}"

"""PyTorch as it is called: on the CPU one operation after another, and on meta tensors without values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from isoflop.portability.model import Level, Policy
from isoflop.portability.worker.interface import Absent, Call, Prepared, Present
from isoflop.portability.worker.ready import Ready
from isoflop.portability.worker.torch.placed import eager_gradient, on
from isoflop.portability.worker.torch.values import leaves

THREADS = 1


def load() -> Any:
    """Return torch, set to one thread: a share of a shared computer cannot be timed otherwise."""
    import torch

    torch.set_num_threads(THREADS)
    return torch


def not_installed(error: ImportError) -> Absent:
    """Return the absence that an import states."""
    return Absent(reason=f"{error.name or 'torch'} is not installed in this Python")


def settings(torch: Any) -> str:
    """Return the settings on which numbers and times depend, for the notes of a run."""
    return (
        f"{torch.get_num_threads()} thread; float32 matmul precision {torch.get_float32_matmul_precision()}"
    )


class Eager:
    """PyTorch on the CPU: what all its other targets are compared with."""

    id = "torch:eager"
    level: Level = "ran"

    def detect(self) -> Present | Absent:
        """Say whether torch can be imported."""
        try:
            torch = load()
        except ImportError as error:
            return not_installed(error)
        version = str(torch.__version__)
        return Present(
            target_version=version,
            framework_version=version,
            device_name=str(torch.backends.cpu.get_cpu_capability()),
            notes=settings(torch),
        )

    def prepare(self, call: Call, policy: Policy) -> Prepared:  # noqa: ARG002
        """Copy the inputs."""
        load()
        return Ready(run=on(call).run, read=leaves)

    def prepare_gradient(self, call: Call, policy: Policy) -> Prepared | None:  # noqa: ARG002
        """Copy the inputs, to be differentiated."""
        load()
        return eager_gradient(call)

    def null_call(self) -> Callable[[], None]:
        """Return the negation of one number."""
        torch = load()
        one = torch.ones(1)

        def null() -> None:
            torch.neg(one)

        return null


class Meta:
    """PyTorch on meta tensors: shapes and dtypes propagate, nothing is computed."""

    id = "torch:meta"
    level: Level = "traced"

    def detect(self) -> Present | Absent:
        """Say whether torch can be imported."""
        try:
            torch = load()
        except ImportError as error:
            return not_installed(error)
        version = str(torch.__version__)
        return Present(
            target_version=version,
            framework_version=version,
            device_name="meta",
            notes="shapes and dtypes only",
        )

    def prepare(self, call: Call, policy: Policy) -> Prepared:  # noqa: ARG002
        """Give the inputs' shapes and dtypes to tensors without values."""
        load()
        return Ready(run=on(call, "meta").run, read=lambda out: leaves(out, values=False))

    def prepare_gradient(self, call: Call, policy: Policy) -> None:
        """Return None: there is nothing to compare."""

    def null_call(self) -> Callable[[], None]:
        """Return the negation of one number that is not there."""
        torch = load()
        one = torch.ones(1, device="meta")

        def null() -> None:
            torch.neg(one)

        return null

"""Calls and gradients whose inputs lie on a device, ready to be made there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from isoflop.portability.worker.interface import Artefact, Call, Leaf
from isoflop.portability.worker.torch.values import leaves, placed, tensors

SEED = 0
"""Seed before each call of a random function, so that a comparison is not one of two draws."""
Wait = Callable[[], None]
Left = Callable[[], tuple[str, ...]]


def nothing() -> None:
    """Return: the CPU is done when a call returns."""


def none_left() -> tuple[str, ...]:
    """Return no operation: on the CPU there is nowhere else to go."""
    return ()


class Placed:
    """A call whose inputs lie on a device.

    Parameters
    ----------
    call : Call
    device : str
    wait : callable
        Waits until the device is done.
    left : callable
        Names the operations that left the device.
    values : bool
        Whether outputs have values; without them shapes and dtypes are fetched alone.
    """

    def __init__(
        self,
        call: Call,
        device: str = "cpu",
        *,
        wait: Wait = nothing,
        left: Left = none_left,
        values: bool = True,
    ) -> None:
        self.function = placed(call.function, device)
        self.args, self.kwargs = placed((call.args, dict(call.kwargs)), device)
        self.is_random = call.kind == "random"
        self._wait, self._left, self._values = wait, left, values
        settle(self.function)

    def call(self) -> Any:
        """Start one call."""
        if self.is_random:
            seed_all()
        return self.function(*self.args, **self.kwargs)

    def sync(self, value: Any) -> None:  # noqa: ARG002
        """Wait until the device is done."""
        self._wait()

    def fetch(self, value: Any) -> tuple[Leaf, ...]:
        """Return the output's arrays on the host."""
        return leaves(value, values=self._values)

    def fallback_ops(self) -> tuple[str, ...]:
        """Return the operations that left the device."""
        return self._left()

    def artefact(self) -> Artefact:
        """Return nothing: the call itself is run."""
        return Artefact()


class Gradient(Placed):
    """The gradients of a call's outputs, each weighted, with respect to all floating inputs.

    Equal weights would make the gradient of a softmax, say, zero up to rounding: nothing could be compared.
    An input that does not matter has a gradient of zero.
    """

    def __init__(
        self, call: Call, device: str = "cpu", *, wait: Wait = nothing, left: Left = none_left
    ) -> None:
        super().__init__(call, device, wait=wait, left=left)
        self.inputs = [
            tensor.requires_grad_()
            for tensor in tensors((self.args, self.kwargs))
            if is_differentiable(tensor)
        ]
        self.inputs += parameters(self.function)

    def call(self) -> Any:
        """Start one call and its way back."""
        import torch

        ends = outputs(super().call())
        found = torch.autograd.grad(ends, self.inputs, [weights(end) for end in ends], allow_unused=True)
        return [
            torch.zeros_like(at) if grad is None else grad
            for at, grad in zip(self.inputs, found, strict=True)
        ]

    def has_gradient(self) -> bool:
        """Return whether an output depends on an input in a way that can be differentiated."""
        return bool(self.inputs) and bool(outputs(super().call()))


def gradient(
    call: Call, device: str = "cpu", *, wait: Wait = nothing, left: Left = none_left
) -> Gradient | None:
    """Return the gradients of a call on a device, or None where there are none."""
    made = Gradient(call, device, wait=wait, left=left)
    return made if made.has_gradient() else None


def settle(function: Any) -> None:
    """Let a function make what it keeps from what it was given, once that lies in its place."""
    made = getattr(function, "settle", None)
    if made is not None:
        made()


def seed_all() -> None:
    """Start torch's generators anew."""
    import torch

    torch.manual_seed(SEED)


def is_differentiable(tensor: Any) -> bool:
    """Return whether a tensor's dtype has gradients."""
    return bool(tensor.dtype.is_floating_point or tensor.dtype.is_complex)


def parameters(function: Any) -> list[Any]:
    """Return the parameters of a module in order; none of a function."""
    import torch

    return list(function.parameters()) if isinstance(function, torch.nn.Module) else []


def outputs(value: Any) -> list[Any]:
    """Return the outputs that depend on what is differentiated, in order."""
    return [tensor for tensor in tensors(value) if tensor.requires_grad]


def weights(output: Any) -> Any:
    """Return fixed, unequal weights in [1/2, 3/2] of an output's form."""
    import torch

    steps = torch.arange(output.numel(), dtype=torch.float64) * 0.6180339887498949
    share = (0.5 + steps - steps.floor()).reshape(output.shape)
    return share.to(device=output.device, dtype=output.dtype)

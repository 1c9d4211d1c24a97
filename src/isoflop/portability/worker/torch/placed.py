"""Calls and gradients whose inputs lie on a device, ready to be made there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from isoflop.portability.worker.interface import Call
from isoflop.portability.worker.ready import Ready
from isoflop.portability.worker.torch.values import leaves, placed, tensors

SEED = 0
"""Seed before each call of a random function, so that a comparison is not one of two draws."""
_GOLDEN = 0.6180339887498949


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A function with inputs that lie on a device.

    Parameters
    ----------
    function : callable
    args, kwargs
    is_random : bool
        Whether the generators are started anew before each call.
    """

    function: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    is_random: bool

    def run(self) -> Any:
        """Call the function."""
        if self.is_random:
            seed_all()
        return self.function(*self.args, **self.kwargs)

    def through(self, function: Any) -> Placed:
        """Return the same inputs with another function."""
        return replace(self, function=function)


def on(call: Call, device: str = "cpu") -> Placed:
    """Return a copy of a call on a device; its inputs share nothing with the call's."""
    function = placed(call.function, device)
    settle(function)
    args, kwargs = placed((call.args, dict(call.kwargs)), device)
    return Placed(function=function, args=args, kwargs=kwargs, is_random=call.kind == "random")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gradient:
    """The gradients of a call's outputs, each weighted, with respect to all its floating inputs.

    Equal weights would make the gradient of a softmax, say, zero up to rounding: nothing could be compared.
    An input that does not matter has a gradient of zero.
    """

    forward: Callable[[], Any]
    inputs: list[Any]

    def run(self) -> list[Any]:
        """Make the call and go back."""
        import torch

        ends = _outputs(self.forward())
        found = torch.autograd.grad(ends, self.inputs, [weights(end) for end in ends], allow_unused=True)
        return [
            torch.zeros_like(at) if grad is None else grad
            for at, grad in zip(self.inputs, found, strict=True)
        ]

    def exists(self) -> bool:
        """Return whether an output depends on an input in a way that can be differentiated."""
        return bool(self.inputs) and bool(_outputs(self.forward()))


def gradient(at: Placed, function: Any = None) -> Gradient | None:
    """Return the gradients of a call, or None where there are none.

    Parameters
    ----------
    at : Placed
        Its tensors are marked to be differentiated.
    function : callable, optional
        Called instead of `at`'s own, e.g. its compiled form.
    """
    inputs = [tensor.requires_grad_() for tensor in tensors((at.args, at.kwargs)) if _is_continuous(tensor)]
    found = Gradient(
        forward=(at if function is None else at.through(function)).run,
        inputs=[*inputs, *parameters(at.function)],
    )
    return found if found.exists() else None


def eager_gradient(call: Call) -> Ready | None:
    """Return the gradients of a call on the CPU, or None where there are none."""
    found = gradient(on(call))
    return None if found is None else Ready(run=found.run, read=leaves)


def settle(function: Any) -> None:
    """Let a function make what it keeps from what it was given, once that lies in its place."""
    made = getattr(function, "settle", None)
    if made is not None:
        made()


def seed_all() -> None:
    """Start torch's generators anew."""
    import torch

    torch.manual_seed(SEED)


def parameters(function: Any) -> list[Any]:
    """Return the parameters of a module in order; none of a function."""
    import torch

    return list(function.parameters()) if isinstance(function, torch.nn.Module) else []


def weights(output: Any) -> Any:
    """Return fixed, unequal weights in [1/2, 3/2] of an output's form."""
    import torch

    steps = torch.arange(output.numel(), dtype=torch.float64) * _GOLDEN
    share = (0.5 + steps - steps.floor()).reshape(output.shape)
    return share.to(device=output.device, dtype=output.dtype)


def _is_continuous(tensor: Any) -> bool:
    return bool(tensor.dtype.is_floating_point or tensor.dtype.is_complex)


def _outputs(value: Any) -> list[Any]:
    """Return the outputs that depend on what is differentiated, in order."""
    return [tensor for tensor in tensors(value) if tensor.requires_grad]

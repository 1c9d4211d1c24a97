"""Targets of known behaviour: what they plant must be recovered exactly."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.errors import SettingError
from isoflop.portability.worker.interface import Absent, Artefact, Call, Leaf, Present

if TYPE_CHECKING:
    from isoflop.portability.model import Level, Policy


class Host:
    """A call on NumPy."""

    def __init__(self, call: Call) -> None:
        self.function = call.function
        self.args = call.args
        self.kwargs = dict(call.kwargs)
        self.left: tuple[str, ...] = ()
        self.device = "cpu"

    def call(self) -> Any:
        """Return the function's value."""
        return self.function(*self.args, **self.kwargs)

    def sync(self, value: Any) -> None:
        """Return at once: NumPy is done when it returns."""

    def fetch(self, value: Any) -> tuple[Leaf, ...]:
        """Return the arrays of the value."""
        leaves = value if isinstance(value, tuple) else (value,)
        return tuple(_leaf(np.asarray(leaf), self.device) for leaf in leaves)

    def fallback_ops(self) -> tuple[str, ...]:
        """Return what left the target."""
        return self.left

    def artefact(self) -> Artefact:
        """Return that nothing was made."""
        return Artefact()


def _leaf(array: np.ndarray[Any, Any], device: str) -> Leaf:
    return Leaf(array=array, dtype=str(array.dtype), shape=tuple(array.shape), device=device)


class Plain:
    """NumPy: the reference of the negative controls."""

    id = "fake:plain"
    level: Level = "ran"

    def __init__(self, *arguments: str) -> None:
        self.arguments = arguments

    def detect(self) -> Present | Absent:
        """Return the version of NumPy."""
        return Present(target_version=np.__version__, framework_version=np.__version__, device_name="NumPy")

    def prepare(self, call: Call, policy: Policy) -> Host:  # noqa: ARG002
        """Return the call, ready."""
        return Host(call)

    def prepare_gradient(self, call: Call, policy: Policy) -> Host | None:  # noqa: ARG002
        """Return None: NumPy has no gradients."""
        return None

    def null_call(self) -> Callable[[], None]:
        """Return a call that does nothing."""
        return lambda: None


class _Repeated(Host):
    """Makes each call several times over, so that the ratio holds whatever the computer does."""

    def __init__(self, call: Call, factor: int) -> None:
        super().__init__(call)
        self.factor = factor

    def call(self) -> Any:
        """Return the function's value, computed `factor` times."""
        for _ in range(self.factor - 1):
            super().call()
        return super().call()


class Slow(Plain):
    """``fake:slow(k)``: every call takes k times as long."""

    id = "fake:slow"

    def __init__(self, factor: str = "10") -> None:
        super().__init__(factor)
        self.factor = max(1, round(_number("slow", factor)))

    def prepare(self, call: Call, policy: Policy) -> Host:  # noqa: ARG002
        """Return the call, slowed."""
        return _Repeated(call, self.factor)


class Broken(Plain):
    """``fake:broken(names)``: fails exactly those functions."""

    id = "fake:broken"

    def prepare(self, call: Call, policy: Policy) -> Host:  # noqa: ARG002
        """Return the call, or raise for the named functions."""
        if _named(call, self.arguments):
            raise RuntimeError(f"fake: {call.signature['function']} is not implemented on this target")
        return Host(call)


class _Perturbed(Host):
    def __init__(self, call: Call, relative: float) -> None:
        super().__init__(call)
        self.relative = relative

    def fetch(self, value: Any) -> tuple[Leaf, ...]:
        leaves = super().fetch(value)
        return tuple(
            _leaf(
                np.asarray(leaf.array) * np.asarray(1 + self.relative, np.asarray(leaf.array).dtype),
                leaf.device,
            )
            for leaf in leaves
        )


class Wrong(Plain):
    """``fake:wrong(names, relative error)``: perturbs the outputs of those functions."""

    id = "fake:wrong"

    def __init__(self, *arguments: str) -> None:
        super().__init__(*arguments[:-1])
        self.relative = _number("wrong", arguments[-1] if arguments else "")

    def prepare(self, call: Call, policy: Policy) -> Host:  # noqa: ARG002
        """Return the call, perturbed for the named functions."""
        return _Perturbed(call, self.relative) if _named(call, self.arguments) else Host(call)


class SilentFallback(Plain):
    """``fake:silent_fallback(names)``: computes those functions elsewhere and says so only when asked."""

    id = "fake:silent_fallback"

    def prepare(self, call: Call, policy: Policy) -> Host:  # noqa: ARG002
        """Return the call; outputs of the named functions lie on another device."""
        host = Host(call)
        if _named(call, self.arguments):
            host.left, host.device = (str(call.signature["function"]),), "elsewhere"
        return host


class Crashy(Plain):
    """``fake:crashy(names)``: aborts the process on those functions, on all without names."""

    id = "fake:crashy"

    def prepare(self, call: Call, policy: Policy) -> Host:  # noqa: ARG002
        """Return the call, or end the process."""
        if not self.arguments or _named(call, self.arguments):
            os.abort()
        return Host(call)


class Hang(Plain):
    """``fake:hang(names)``: never returns from those functions, from all without names."""

    id = "fake:hang"

    def prepare(self, call: Call, policy: Policy) -> Host:  # noqa: ARG002
        """Return the call, or never."""
        if not self.arguments or _named(call, self.arguments):
            time.sleep(3600)
        return Host(call)


class OutOfMemory(Plain):
    """``fake:oom(names)``: runs out of memory on those functions, on all without names."""

    id = "fake:oom"

    def prepare(self, call: Call, policy: Policy) -> Host:  # noqa: ARG002
        """Return the call, or raise."""
        if not self.arguments or _named(call, self.arguments):
            raise MemoryError("fake: out of memory")
        return Host(call)


class Lower(Plain):
    """Lowers every function and runs none."""

    id = "fake:lower"
    level: Level = "lowered"

    def prepare(self, call: Call, policy: Policy) -> Host:  # noqa: ARG002
        """Return the call, or raise for the named functions."""
        if _named(call, self.arguments):
            raise RuntimeError(f"fake: no rule to lower {call.signature['function']}")
        return Host(call)


class Missing(Plain):
    """A target that is never there."""

    id = "fake:absent"

    def detect(self) -> Present | Absent:
        """Return the reason."""
        return Absent(reason="it is made to be absent")


def _named(call: Call, names: tuple[str, ...]) -> bool:
    return str(call.signature["function"]) in names


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise SettingError(
            f"target: fake:{name}({text}), needs a number in the brackets. Write fake:{name}(10)."
        ) from None

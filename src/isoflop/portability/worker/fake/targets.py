"""Targets of known behaviour: what an instrument must find, each fault by itself.

Each is made from the arguments in the brackets of its id: names of functions on which it is at fault (all of
them where none is named; ``fake.`` may be left out), or a number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from isoflop.errors import SettingError
from isoflop.portability.model import Level, Policy
from isoflop.portability.worker.fake import trouble as troubles
from isoflop.portability.worker.fake.functions import FUNCTIONS, NULL, Function, leaf
from isoflop.portability.worker.fake.slowed import Slowed
from isoflop.portability.worker.interface import Absent, Artefact, Call, Leaf, Prepared, Present
from isoflop.portability.worker.ready import Ready

DEVICE = "fake"
DISTURBANCE = 1e-2
"""Relative error of `fake:wrong` where none is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fake:
    """NumPy on a device called ``fake``, at fault on the functions named.

    Parameters
    ----------
    id : str
    level : str
    names : frozenset of str
        Functions on which it is at fault.
    faulty : callable
        What stands in for the plain call there.
    missing : str
        Why it is absent; empty where it is here.
    """

    id: str
    level: Level = "ran"
    names: frozenset[str] = frozenset()
    faulty: Callable[[Call], Prepared]
    missing: str = ""
    device: str = DEVICE

    def detect(self) -> Present | Absent:
        """Say that it is here: NumPy is a core dependency."""
        if self.missing:
            return Absent(reason=self.missing)
        return Present(target_version="1", framework_version=str(np.__version__), device_name="none")

    def prepare(self, call: Call, policy: Policy) -> Prepared:  # noqa: ARG002
        """Return the call, or what stands in for it."""
        name = call.function.name if isinstance(call.function, Function) else ""
        return self.faulty(call) if name in self.names else _plain(call)

    def prepare_gradient(self, call: Call, policy: Policy) -> Prepared | None:  # noqa: ARG002
        """Return the gradients where the function has some."""
        gradient = call.function.gradient if isinstance(call.function, Function) else None
        return None if gradient is None else Ready(run=lambda: gradient(*call.args), read=_leaves)

    def null_call(self) -> Callable[[], None]:
        """Return the call that gives its input back."""
        ready = _plain(Call(framework="fake", function=NULL, args=(None,)))

        def null() -> None:
            ready.sync(ready.call())

        return null


def plain() -> Fake:
    """Return the reference of the negative controls."""
    return Fake(id="fake:plain", faulty=_plain)


def slow(factor: str) -> Fake:
    """Return a target that takes `factor` times as long, on every function."""
    times = _number(factor, "slow")
    return Fake(
        id=f"fake:slow({factor})",
        names=_chosen((), "slow"),
        faulty=lambda call: Slowed(_plain(call), times),
    )


def broken(*names: str) -> Fake:
    """Return a target that lacks the functions named."""

    def faulty(call: Call) -> Prepared:
        raise NotImplementedError(f"{call.function.name} has no kernel on device {DEVICE}")  # type: ignore[attr-defined]

    return _at_fault("broken", names, faulty)


def wrong(*arguments: str) -> Fake:
    """Return a target whose floats are off by a relative error: the last argument, if it is a number."""
    names, error = _last_number(arguments, DISTURBANCE)

    def faulty(call: Call) -> Prepared:
        return Ready(run=lambda: _run(call), read=lambda value: tuple(_off(x, error) for x in _leaves(value)))

    return _at_fault("wrong", names, faulty, arguments)


def crashy(*names: str) -> Fake:
    """Return a target that dies of a memory fault."""
    return _at_fault("crashy", names, _harmful(troubles.segv))


def hang(*names: str) -> Fake:
    """Return a target that never comes back from C."""
    return _at_fault("hang", names, _harmful(troubles.loop))


def oom(*names: str) -> Fake:
    """Return a target that fills memory."""
    return _at_fault("oom", names, _harmful(troubles.memory_bomb))


def silent_fallback(*names: str) -> Fake:
    """Return a target that computes on another device and does not say so: only its outputs' device tells."""

    def faulty(call: Call) -> Prepared:
        return Ready(run=lambda: _run(call), read=lambda value: _leaves(value, "cpu"))

    return _at_fault("silent_fallback", names, faulty)


def fallback(*names: str) -> Fake:
    """Return a target that computes on another device and says so."""

    def faulty(call: Call) -> Prepared:
        return Ready(run=lambda: _run(call), read=_leaves, left=lambda: (call.function.name,))  # type: ignore[attr-defined]

    return _at_fault("fallback", names, faulty)


def lower(*names: str) -> Fake:
    """Return a target that lowers and runs nothing; it has no rule for the functions named, if any."""

    def faulty(call: Call) -> Prepared:
        raise NotImplementedError(f"no lowering rule for {call.function.name}")  # type: ignore[attr-defined]

    return _without_values("lower", "lowered", names, faulty)


def traced(*names: str) -> Fake:
    """Return a target that propagates shapes alone; it cannot for the functions named, if any."""

    def faulty(call: Call) -> Prepared:
        raise NotImplementedError(f"{call.function.name} has no shape rule")  # type: ignore[attr-defined]

    return _without_values("traced", "traced", names, faulty)


def absent() -> Fake:
    """Return a target that is not here."""
    return Fake(id="fake:absent", faulty=_plain, missing="a fake target that is never here")


def trouble() -> Fake:
    """Return a target on which the functions of provider ``fake_trouble`` do harm."""

    def faulty(call: Call) -> Prepared:
        def run() -> Any:
            with troubles.armed():
                return _run(call)

        return Ready(run=run, read=_leaves)

    return Fake(id="fake:trouble", names=frozenset(troubles.TROUBLES), faulty=faulty)


def _plain(call: Call) -> Prepared:
    return Ready(run=lambda: _run(call), read=_leaves)


def _run(call: Call) -> Any:
    return call.function(*call.args, **call.kwargs)


def _leaves(value: Any, device: str = DEVICE) -> tuple[Leaf, ...]:
    return tuple(leaf(part, device) for part in (value if isinstance(value, tuple) else (value,)))


def _off(found: Leaf, error: float) -> Leaf:
    array = np.asarray(found.array)
    return leaf(array * array.dtype.type(1 + error) if array.dtype.kind == "f" else array, found.device)


def _harmful(harm: Callable[[], None]) -> Callable[[Call], Prepared]:
    def faulty(call: Call) -> Prepared:
        def run() -> Any:
            harm()
            return _run(call)

        return Ready(run=run, read=_leaves)

    return faulty


def _at_fault(
    kind: str,
    names: Sequence[str],
    faulty: Callable[[Call], Prepared],
    arguments: Sequence[str] | None = None,
) -> Fake:
    return Fake(
        id=_id(kind, names if arguments is None else arguments), names=_chosen(names, kind), faulty=faulty
    )


def _without_values(
    kind: str, level: Level, names: Sequence[str], faulty: Callable[[Call], Prepared]
) -> Fake:
    def known(call: Call) -> Prepared:
        name = call.function.name  # type: ignore[attr-defined]
        if name in failing:
            return faulty(call)
        return Ready(run=lambda: _run(call), read=_shapes, made=Artefact(size_byte=len(name)))

    failing = _chosen(names, kind) if names else frozenset()
    return Fake(id=_id(kind, names), level=level, names=_chosen((), kind), faulty=known)


def _shapes(value: Any) -> tuple[Leaf, ...]:
    return tuple(
        Leaf(array=None, dtype=part.dtype, shape=part.shape, device=part.device) for part in _leaves(value)
    )


def _id(kind: str, arguments: Sequence[str]) -> str:
    return f"fake:{kind}({','.join(arguments)})" if arguments else f"fake:{kind}"


def _chosen(names: Sequence[str], kind: str) -> frozenset[str]:
    """Return the full names of the functions meant; all of them where none is named."""
    known = {*FUNCTIONS, *troubles.TROUBLES, NULL.name}
    full = [name if name.startswith("fake.") else f"fake.{name}" for name in names]
    for name in full:
        if name not in known:
            raise SettingError(
                f"fake:{kind}: {name!r} is no fake function. Choose of: {', '.join(sorted(known))}."
            )
    return frozenset(full or known)


def _last_number(arguments: Sequence[str], default: float) -> tuple[tuple[str, ...], float]:
    try:
        return tuple(arguments[:-1]), float(arguments[-1])
    except (IndexError, ValueError):
        return tuple(arguments), default


def _number(text: str, kind: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not number >= 1.0:
        raise SettingError(f"fake:{kind}({text}): needs a factor of at least 1. Try fake:{kind}(10).")
    return number

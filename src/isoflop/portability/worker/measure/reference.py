"""What a target's output is held against: the reference's output, and the value in float64."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from isoflop.portability.worker.measure.agreement import compare

if TYPE_CHECKING:
    from isoflop.portability.worker.interface import Call, Leaf, Prepared, Target

_UNLIKE = frozenset({"shape", "dtype", "nan_pattern"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """What is right, as far as it is known.

    Parameters
    ----------
    leaves : sequence of Leaf
        The reference's output, or the provider's where the reference has none like it.
    exact : sequence of Leaf or None
        The same in float64, factorisations put together again.
    prepared : Prepared or None
        The reference ready to be timed; None where it cannot run the call.
    """

    leaves: Sequence[Leaf]
    exact: Sequence[Leaf] | None
    prepared: Prepared | None


def output(prepared: Prepared) -> Sequence[Leaf]:
    """Return the output of one call, waited for."""
    value = prepared.call()
    prepared.sync(value)
    return prepared.fetch(value)


def base_of(call: Call, reference: Target, *, is_exact: bool = True) -> Base:
    """Return what the target's output is held against.

    Where the provider has the right output, a reference that cannot run the call, or gives an output of
    another shape, dtype or pattern of NaN, is not asked: the target may be right where the reference is not.
    Without `is_exact` the value in float64 is left out.

    Raises
    ------
    Exception
        What the reference raises, where the provider has no right output.
    """
    try:
        prepared = reference.prepare(call, "fallback")
        leaves = output(prepared)
    except Exception:
        if call.expected is None:
            raise
        return Base(leaves=call.expected, exact=None, prepared=None)
    if call.expected is None:
        exact = _in_float64(call, reference) if is_exact else None
        return Base(leaves=leaves, exact=exact, prepared=prepared)
    check = "shape_dtype" if call.check in ("shape_dtype", "distribution") else call.check
    if compare(leaves, call.expected, check=check).agreement in _UNLIKE:
        return Base(leaves=call.expected, exact=None, prepared=prepared)
    return Base(leaves=leaves, exact=rebuilt(call, call.expected), prepared=prepared)


def rebuilt(call: Call, leaves: Sequence[Leaf]) -> Sequence[Leaf]:
    """Return a factorisation put together again, any other output as it is."""
    if call.check == "reconstruct" and call.rebuild is not None:
        return call.rebuild(tuple(leaves), call.args)
    return leaves


def gradient_base(call: Call, reference: Target) -> Base | None:
    """Return the gradients that the target's are held against, or None where the reference has none."""
    try:
        prepared = reference.prepare_gradient(call, "fallback")
        leaves = None if prepared is None else output(prepared)
    except Exception:
        # A function without a gradient raises one error in one framework, another in the next.
        return None
    if leaves is None:
        return None
    return Base(leaves=leaves, exact=_gradient_in_float64(call, reference), prepared=prepared)


def _in_float64(call: Call, reference: Target) -> Sequence[Leaf] | None:
    """Return the output in float64; None where the function has none: then the reference is the measure."""
    if call.float64 is None or call.kind in ("random", "undefined_values") or call.check == "shape_dtype":
        return None
    try:
        wide = call.float64()
        return rebuilt(wide, output(reference.prepare(wide, "fallback")))
    except Exception:
        return None


def _gradient_in_float64(call: Call, reference: Target) -> Sequence[Leaf] | None:
    if call.float64 is None:
        return None
    try:
        wide = reference.prepare_gradient(call.float64(), "fallback")
        return None if wide is None else output(wide)
    except Exception:
        return None

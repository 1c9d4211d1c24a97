"""What an operation is called in public: the name under which a scan of somebody's code finds it."""

from __future__ import annotations

from typing import Any

_OTHERWISE = {
    "normal.in_place": "torch.Tensor.normal_",
    "cauchy": "torch.Tensor.cauchy_",
    "exponential": "torch.Tensor.exponential_",
    "geometric": "torch.Tensor.geometric_",
    "log_normal": "torch.Tensor.log_normal_",
    "uniform": "torch.Tensor.uniform_",
    "T": "torch.Tensor.T",
    "H": "torch.Tensor.H",
    "mT": "torch.Tensor.mT",
    "mH": "torch.Tensor.mH",
    "jiterator_unary": "torch.cuda.jiterator._create_jit_fn",
    "jiterator_binary": "torch.cuda.jiterator._create_jit_fn",
    "jiterator_4inputs_with_extra_args": "torch.cuda.jiterator._create_jit_fn",
    "jiterator_binary_return_by_ref": "torch.cuda.jiterator._create_jit_fn",
    "jiterator_2inputs_2outputs": "torch.cuda.jiterator._create_multi_output_jit_fn",
}
"""Entries named otherwise than what they call: in-place draws, properties, kernels compiled from text."""
_HOMES = ("torch", "torch.Tensor", "torch.ops.aten")


def public_name(name: str, variant: str = "") -> str:
    """Return the public name of an OpInfo entry; methods only where there is no function.

    Examples
    --------
    >>> public_name("cauchy"), public_name("torch.ops.aten._safe_softmax.default")
    ('torch.Tensor.cauchy_', 'torch.ops.aten._safe_softmax')
    """
    named = _OTHERWISE.get(f"{name}.{variant}", _OTHERWISE.get(name))
    if named is not None:
        return named
    if name.startswith("torch."):
        return name.removesuffix(".default")
    for home in _HOMES:
        found = resolved(f"{home}.{name}")
        if callable(found) and not _is_dtype(found):
            return f"{home}.{name}"
    return f"torch.{name}"


def resolved(name: str) -> Any:
    """Return what a dotted name of torch refers to, or None."""
    import torch

    found: Any = torch
    for part in name.split(".")[1:]:
        found = getattr(found, part, None)
        if found is None:
            return None
    return found


def _is_dtype(found: Any) -> bool:
    import torch

    return isinstance(found, torch.dtype)

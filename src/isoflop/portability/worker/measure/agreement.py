"""Do the numbers match? Errors of target and reference are both measured against float64.

A target agrees if its relative error is within the tolerance of the dtype, or within eight times the error
that the reference itself makes in that dtype: ill-conditioned inputs are nobody's fault. Shapes, dtypes and
the pattern of NaN and infinity come first and are classes of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isoflop.portability.model import Agreement
from isoflop.portability.worker.interface import Check, Leaf

TOLERANCE = {
    "float64": 1e-10,
    "complex128": 1e-10,
    "float32": 1e-5,
    "complex64": 1e-5,
    "float16": 2e-3,
    "bfloat16": 1.6e-2,
}
"""Relative error in the norm that any correct computation in that dtype stays within; others are exact."""
OWN_ERRORS = 8.0
"""How many times the reference's own error a target may make."""
KS_LEVEL = 1e-4
TINY = 1e-30


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """How an output compares with the reference.

    Parameters
    ----------
    agreement : str
        One of the classes of the results table.
    err_rel, ref_err_rel : float or None
        Relative errors in the norm, of the target and of the reference, against float64.
    err_ulp : float or None
        Largest element-wise distance to the reference value, in units in the last place of the dtype.
    """

    agreement: Agreement
    err_rel: float | None = None
    err_ulp: float | None = None
    ref_err_rel: float | None = None


def compare(
    found: Sequence[Leaf],
    reference: Sequence[Leaf],
    exact: Sequence[Leaf] | None = None,
    *,
    check: Check = "values",
) -> Compared:
    """Compare a target's output with the reference's, leaf by leaf.

    Parameters
    ----------
    found, reference : sequence of Leaf
    exact : sequence of Leaf, optional
        The same output in float64. Default: the reference takes its place and has no error of its own.
    check : str
        ``values``, ``sorted``, ``shape_dtype`` or ``distribution``; a factorisation is put together again
        before it comes here.
    """
    if len(found) != len(reference):
        return Compared(agreement="shape")
    pairs = list(zip(found, reference, strict=True))
    if any(a.shape != b.shape for a, b in pairs):
        return Compared(agreement="shape")
    if any(a.dtype != b.dtype for a, b in pairs):
        return Compared(agreement="dtype")
    if check == "shape_dtype":
        return Compared(agreement="agree")
    if any(a.array is None or b.array is None for a, b in pairs):
        return Compared(agreement="not_comparable")
    if check == "distribution":
        return _distributions(found, reference)
    right = exact if exact is not None and _alike(exact, reference) else None
    return _worst([_leaf(a, b, None if right is None else right[i], check) for i, (a, b) in enumerate(pairs)])


def _alike(exact: Sequence[Leaf], reference: Sequence[Leaf]) -> bool:
    return len(exact) == len(reference) and all(
        e.array is not None and e.shape == r.shape for e, r in zip(exact, reference, strict=True)
    )


def _leaf(found: Leaf, reference: Leaf, exact: Leaf | None, check: Check) -> Compared:
    y, base = _values(found, check), _values(reference, check)
    tolerance = TOLERANCE.get(found.dtype)
    if tolerance is None or y.dtype.kind not in "fc":
        same = y.shape == base.shape and bool(np.array_equal(y, base))
        return Compared(agreement="agree" if same else "differ", err_rel=0.0 if same else None)
    right = base if exact is None else _values(exact, check)
    if not _same_pattern(y, base):
        return Compared(agreement="nan_pattern")
    finite = np.isfinite(y) & np.isfinite(base) & np.isfinite(right)
    error, own = (_relative(side[finite], right[finite]) for side in (y, base))
    limit = max(tolerance, OWN_ERRORS * own)
    return Compared(
        agreement="agree" if error <= limit else "differ",
        err_rel=error,
        err_ulp=_ulp(y[finite], right[finite], found.dtype),
        ref_err_rel=None if exact is None else own,
    )


def _values(leaf: Leaf, check: Check) -> NDArray[Any]:
    array = np.asarray(leaf.array)
    if array.dtype.kind in "fc":
        array = array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)
    if check == "sorted":
        return np.sort(array, axis=None)
    return array


def _same_pattern(one: NDArray[Any], other: NDArray[Any]) -> bool:
    if not np.array_equal(np.isnan(one), np.isnan(other)):
        return False
    infinite = np.isinf(one)
    if not np.array_equal(infinite, np.isinf(other)):
        return False
    return one.dtype.kind == "c" or bool(np.array_equal(one[infinite], other[infinite]))


def _relative(value: NDArray[Any], right: NDArray[Any]) -> float:
    if not value.size:
        return 0.0
    scale = max(float(np.max(np.abs(right))), float(np.max(np.abs(value))), TINY)
    norm = float(np.linalg.norm((right / scale).ravel()))
    return float(np.linalg.norm(((value - right) / scale).ravel())) / max(norm, TINY)


def _ulp(value: NDArray[Any], right: NDArray[Any], dtype: str) -> float | None:
    if not value.size:
        return 0.0
    parts = {"float64": np.float64, "complex128": np.float64, "float16": np.float16}
    real = (
        np.concatenate([value.real.ravel(), value.imag.ravel()]) if value.dtype.kind == "c" else value.ravel()
    )
    exact = (
        np.concatenate([right.real.ravel(), right.imag.ravel()]) if right.dtype.kind == "c" else right.ravel()
    )
    if dtype == "bfloat16":
        spacing = np.spacing(np.abs(exact).astype(np.float32)).astype(np.float64) * 2.0**16
    else:
        with np.errstate(over="ignore"):
            narrow = np.abs(exact).astype(parts.get(dtype, np.float32))
        spacing = np.spacing(narrow).astype(np.float64)
    usable = np.isfinite(spacing) & (spacing > 0)
    if not usable.any():
        return None
    return float(np.max(np.abs(real - exact)[usable] / spacing[usable]))


def _worst(leaves: list[Compared]) -> Compared:
    if not leaves:
        return Compared(agreement="agree")
    order = ("nan_pattern", "differ", "agree")
    verdict = min((one.agreement for one in leaves), key=order.index)

    def largest(name: str) -> float | None:
        known = [value for one in leaves if (value := getattr(one, name)) is not None]
        return max(known, default=None)

    return Compared(
        agreement=verdict,
        err_rel=largest("err_rel"),
        err_ulp=largest("err_ulp"),
        ref_err_rel=largest("ref_err_rel"),
    )


def _distributions(found: Sequence[Leaf], reference: Sequence[Leaf]) -> Compared:
    for a, b in zip(found, reference, strict=True):
        x, y = (np.asarray(leaf.array).astype(np.float64).ravel() for leaf in (a, b))
        if x.size and ks_probability(x, y) < KS_LEVEL:
            return Compared(agreement="differ")
    return Compared(agreement="agree")


def ks_probability(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Return the asymptotic p-value of the two-sample Kolmogorov-Smirnov test.

    Examples
    --------
    >>> steps = np.arange(100.0)
    >>> ks_probability(steps, steps), ks_probability(steps, steps + 1000) < 1e-9
    (1.0, True)
    """
    both = np.sort(np.concatenate([x, y]))
    above = np.searchsorted(np.sort(x), both, side="right") / x.size
    beside = np.searchsorted(np.sort(y), both, side="right") / y.size
    distance = float(np.max(np.abs(above - beside)))
    scaled = distance * np.sqrt(x.size * y.size / (x.size + y.size))
    if scaled < 0.2:
        return 1.0
    k = np.arange(1, 101)
    return float(np.clip(2 * np.sum((-1.0) ** (k - 1) * np.exp(-2 * (k * scaled) ** 2)), 0.0, 1.0))

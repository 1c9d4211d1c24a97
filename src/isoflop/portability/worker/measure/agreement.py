"""Do the numbers match? Errors of target and reference are both measured against float64.

With y_64 the value in float64, e = |y - y_64| / max(|y_64|, tiny) in the Euclidean norm, a target agrees if
e_B <= max(tolerance of the dtype, 8 e_A): inputs on which the reference itself loses digits are nobody's
fault. Shapes, dtypes and the pattern of NaN and infinity come first and are classes of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isoflop.portability.model import Agreement
from isoflop.portability.worker.interface import Check, Leaf
from isoflop.portability.worker.measure.distribution import are_alike

TOLERANCE = {
    "float64": 1e-10,
    "complex128": 1e-10,
    "float32": 1e-5,
    "complex64": 1e-5,
    "float16": 2e-3,
    "complex32": 2e-3,
    "bfloat16": 1.6e-2,
}
"""Relative error in the norm that any correct computation in that dtype stays within; others are exact."""
_NARROW = {"e4m3": 0.25, "e5m2": 0.5, "e2m1": 1.0, "e3m2": 0.5, "e2m3": 0.25, "e8m0": 1.0}
"""The same for floats of 8 bits and fewer, by their exponent and mantissa: two units in the last place at 1,
as for float16 and bfloat16."""
OWN_ERRORS = 8.0
"""How many times the reference's own error a target may make."""
_HOSTS: dict[str, type[np.floating[Any]]] = {
    "float64": np.float64,
    "complex128": np.float64,
    "float16": np.float16,
    "complex32": np.float16,
}
"""NumPy's float of the same spacing; float32 for all others."""
_BFLOAT16_SPACING = 2.0**16
"""bfloat16 is float32 without its last 16 bits."""
_NOTHING = "none"
"""Dtype of an optional output that is empty."""


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
        Largest element-wise distance to the right value, in units in the last place of the dtype.
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
    """Compare a target's output with the reference's, leaf by leaf; the worst leaf decides.

    Parameters
    ----------
    found, reference : sequence of Leaf
    exact : sequence of Leaf, optional
        The same output in float64. Default: the reference takes its place and has no error of its own.
    check : str
        ``values``, ``sorted`` (along the last axis), ``shape_dtype`` or ``distribution``; a factorisation is
        put together again before it comes here.

    Examples
    --------
    >>> one, other = (
    ...     Leaf(array=np.array([value], np.float32), dtype="float32", shape=(1,)) for value in (1.0, 1.5)
    ... )
    >>> compare([one], [one]).agreement, compare([one], [other]).agreement
    ('agree', 'differ')
    """
    if len(found) != len(reference):
        return Compared(agreement="shape")
    pairs = list(zip(found, reference, strict=True))
    if any(tuple(a.shape) != tuple(b.shape) for a, b in pairs):
        return Compared(agreement="shape")
    if any(a.dtype != b.dtype for a, b in pairs):
        return Compared(agreement="dtype")
    if check == "shape_dtype":
        return Compared(agreement="agree")
    if any(leaf.array is None and leaf.dtype != _NOTHING for pair in pairs for leaf in pair):
        return Compared(agreement="not_comparable")
    right = exact if exact is not None and _fits(exact, reference) else None
    return _worst([_leaf(a, b, None if right is None else right[i], check) for i, (a, b) in enumerate(pairs)])


def tolerance_of(dtype: str) -> float | None:
    """Return the tolerance of a dtype; None where values must be exact.

    Examples
    --------
    >>> tolerance_of("float32"), tolerance_of("float8_e4m3fn"), tolerance_of("int64")
    (1e-05, 0.25, None)
    """
    if dtype in TOLERANCE:
        return TOLERANCE[dtype]
    return next(
        (share for form, share in _NARROW.items() if dtype.startswith("float") and form in dtype), None
    )


def _fits(exact: Sequence[Leaf], reference: Sequence[Leaf]) -> bool:
    return len(exact) == len(reference) and all(
        (e.array is not None or e.dtype == _NOTHING) and tuple(e.shape) == tuple(r.shape)
        for e, r in zip(exact, reference, strict=True)
    )


def _leaf(found: Leaf, reference: Leaf, exact: Leaf | None, check: Check) -> Compared:
    if found.array is None or reference.array is None:
        return Compared(agreement="agree" if found.array is reference.array else "differ")
    if check == "distribution":
        alike = are_alike(np.asarray(found.array), np.asarray(reference.array))
        return Compared(agreement="agree" if alike else "differ")
    y, base = _values(found, check), _values(reference, check)
    tolerance = tolerance_of(found.dtype)
    if tolerance is None or not {y.dtype.kind, base.dtype.kind} & {"f", "c"}:
        is_same = y.shape == base.shape and bool(np.array_equal(y, base))
        return Compared(agreement="agree" if is_same else "differ", err_rel=0.0 if is_same else None)
    return _floats(y, base, None if exact is None else _values(exact, check), found.dtype, tolerance)


def _floats(
    y: NDArray[Any], base: NDArray[Any], exact: NDArray[Any] | None, dtype: str, tolerance: float
) -> Compared:
    if not _has_pattern(y, base):
        return Compared(agreement="nan_pattern")
    right = base if exact is None else exact
    usable = np.isfinite(y) & np.isfinite(base) & np.isfinite(right)
    tiny = float(np.finfo(_HOSTS.get(dtype, np.float32)).tiny)
    error, own = (relative_error(side[usable], right[usable], tiny) for side in (y, base))
    return Compared(
        agreement="agree" if error <= max(tolerance, OWN_ERRORS * own) else "differ",
        err_rel=error,
        err_ulp=ulp_error(y[usable], right[usable], dtype),
        ref_err_rel=None if exact is None else own,
    )


def _values(leaf: Leaf, check: Check) -> NDArray[Any]:
    array = np.asarray(leaf.array)
    if array.dtype.kind in "fc":
        array = array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)
    return np.sort(array, axis=-1) if check == "sorted" and array.ndim else array


def _has_pattern(one: NDArray[Any], other: NDArray[Any]) -> bool:
    if not np.array_equal(np.isnan(one), np.isnan(other)):
        return False
    infinite = np.isinf(one)
    if not np.array_equal(infinite, np.isinf(other)):
        return False
    # A complex infinity has no sign on which implementations agree.
    return "c" in (one.dtype.kind, other.dtype.kind) or np.array_equal(one[infinite], other[infinite])


def relative_error(value: NDArray[Any], right: NDArray[Any], tiny: float) -> float:
    """Return |value - right| / max(|right|, tiny) in the Euclidean norm, without overflow.

    Examples
    --------
    >>> relative_error(np.array([1e300, 0.0]), np.array([1e300, 0.0]), 1e-308)
    0.0
    """
    if not value.size:
        return 0.0
    scale = max(float(np.max(np.abs(right))), float(np.max(np.abs(value))))
    if scale == 0.0 or not np.isfinite(scale):
        return 0.0 if scale == 0.0 else float("inf")
    norm = float(np.linalg.norm((right / scale).ravel()))
    return float(np.linalg.norm((value / scale - right / scale).ravel())) / max(norm, tiny / scale)


def ulp_error(value: NDArray[Any], right: NDArray[Any], dtype: str) -> float | None:
    """Return the largest distance of an element to the right value in units in the last place there.

    Parameters
    ----------
    value, right : array, float64 or complex128
    dtype : str
        Dtype whose units are meant; parts of complex numbers count apart.

    Returns
    -------
    float or None
        None where no unit is known, as for floats of 8 bits.

    Examples
    --------
    >>> ulp_error(np.array([1.0 + 2.0**-23]), np.array([1.0]), "float32")
    1.0
    """
    if dtype not in TOLERANCE:
        return None
    if not value.size:
        return 0.0
    y, exact = (_parts(side) for side in (value, right))
    with np.errstate(over="ignore", invalid="ignore"):
        unit = np.spacing(np.abs(exact).astype(_HOSTS.get(dtype, np.float32))).astype(np.float64)
    if dtype == "bfloat16":
        unit = unit * _BFLOAT16_SPACING
    usable = np.isfinite(unit) & (unit > 0)
    return float(np.max(np.abs(y - exact)[usable] / unit[usable])) if usable.any() else None


def _parts(array: NDArray[Any]) -> NDArray[np.float64]:
    flat = array.ravel()
    return np.concatenate([flat.real, flat.imag]) if array.dtype.kind == "c" else flat


def _worst(leaves: list[Compared]) -> Compared:
    if not leaves:
        return Compared(agreement="agree")
    order = ("nan_pattern", "differ", "agree")
    return Compared(
        agreement=min((one.agreement for one in leaves), key=order.index),
        err_rel=max((one.err_rel for one in leaves if one.err_rel is not None), default=None),
        err_ulp=max((one.err_ulp for one in leaves if one.err_ulp is not None), default=None),
        ref_err_rel=max((one.ref_err_rel for one in leaves if one.ref_err_rel is not None), default=None),
    )

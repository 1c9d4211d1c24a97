"""Factorisations put together again: their factors are fixed only up to signs, phases or order.

Each takes the factors and gives what any correct factorisation must share: the product, and the products
that show orthogonality.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isoflop.portability.worker.interface import Leaf

Array = NDArray[Any]
Rebuild = Callable[[tuple[Leaf, ...], tuple[Any, ...]], tuple[Leaf, ...]]


def _adjoint(matrix: Array) -> Array:
    return np.conj(np.swapaxes(matrix, -1, -2))


def _svd(u: Array, s: Array, vh: Array) -> tuple[Array, ...]:
    k = s.shape[-1]
    product = (u[..., :, :k] * s[..., None, :]) @ vh[..., :k, :]
    return product, s, _adjoint(u) @ u, vh @ _adjoint(vh)


def _svd_s_first(s: Array, u: Array, v: Array) -> tuple[Array, ...]:
    return _svd(u, s, _adjoint(v))


def _svd_v(u: Array, s: Array, v: Array) -> tuple[Array, ...]:
    return _svd(u, s, _adjoint(v))


def _eigh(w: Array, v: Array) -> tuple[Array, ...]:
    return (v * w[..., None, :]) @ _adjoint(v), w, _adjoint(v) @ v


def _eigh_v_first(v: Array, w: Array) -> tuple[Array, ...]:
    return _eigh(w, v)


def _eig(w: Array, v: Array) -> tuple[Array, ...]:
    return ((v * w[..., None, :]) @ np.linalg.inv(v),)


def _eig_left(w: Array, left: Array) -> tuple[Array, ...]:
    return (np.linalg.inv(_adjoint(left)) @ (w[..., :, None] * _adjoint(left)),)


def _eig_left_right(w: Array, left: Array, right: Array) -> tuple[Array, ...]:
    return (*_eig_left(w, left), *_eig(w, right))


def _qr(q: Array, r: Array) -> tuple[Array, ...]:
    return q @ r, _adjoint(q) @ q


def _pair(left: Array, right: Array) -> tuple[Array, ...]:
    return (left @ right,)


def _similar(inner: Array, outer: Array) -> tuple[Array, ...]:
    return outer @ inner @ _adjoint(outer), _adjoint(outer) @ outer


def _subspace(q: Array) -> tuple[Array, ...]:
    return (_adjoint(q) @ q,)


_FORMS: dict[str, Callable[..., tuple[Array, ...]]] = {
    "svd": _svd,
    "svd_v": _svd_v,
    "svd_s_first": _svd_s_first,
    "svd_s_u_vh": lambda s, u, vh: _svd(u, s, vh),
    "eigh": _eigh,
    "eigh_v_first": _eigh_v_first,
    "eig": _eig,
    "eig_left": _eig_left,
    "eig_left_right": _eig_left_right,
    "qr": _qr,
    "product": _pair,
    "similar": _similar,
    "similar_outer_first": lambda outer, inner: _similar(inner, outer),
    "orthogonal": _subspace,
}


def _rebuild(form: Callable[..., tuple[Array, ...]]) -> Rebuild:
    def rebuild(leaves: tuple[Leaf, ...], args: tuple[Any, ...]) -> tuple[Leaf, ...]:  # noqa: ARG001
        if any(leaf.array is None for leaf in leaves):
            return leaves
        arrays = [np.asarray(leaf.array) for leaf in leaves]
        widest = np.complex128 if any(array.dtype.kind == "c" for array in arrays) else np.float64
        parts = form(*(array.astype(widest) for array in arrays))
        return tuple(replace(leaves[0], array=part, shape=part.shape) for part in parts)

    return rebuild


REBUILD: dict[str, Rebuild] = {name: _rebuild(form) for name, form in _FORMS.items()}
"""Names of forms, by the order of the factors: ``svd`` (u, s, vh), ``svd_v`` (u, s, v), ``svd_s_first``
(s, u, v), ``svd_s_u_vh``, ``eigh`` (w, v), ``eigh_v_first`` (v, w), ``eig`` (w, v), ``qr`` (q, r),
``product`` (a, b), ``similar`` (inner, outer), ``similar_outer_first``, ``orthogonal`` (q)."""

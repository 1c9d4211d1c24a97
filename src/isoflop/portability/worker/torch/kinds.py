"""How outputs of PyTorch's functions may be compared: what the catalogue itself does not say.

Each table lists names with the reason in its comment. A name is that of the OpInfo entry; a name with a
variant, ``normal.in_place``, takes precedence over the name alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from isoflop.portability.task import Kind
from isoflop.portability.worker.interface import Leaf

RANDOM = frozenset({
    "bernoulli", "cauchy", "exponential", "geometric", "log_normal", "multinomial", "normal", "rand_like",
    "randint", "randint_like", "randn", "randn_like", "uniform", "nn.functional.alpha_dropout",
    "nn.functional.dropout", "nn.functional.dropout2d", "nn.functional.dropout3d",
    "nn.functional.feature_alpha_dropout.with_train", "nn.functional.fractional_max_pool2d",
    "nn.functional.fractional_max_pool3d", "nn.functional.rrelu",
    "nn.functional.multi_head_attention_forward", "nn.functional.scaled_dot_product_attention",
})  # fmt: skip
"""They draw numbers, some only where asked to drop parts."""
UNDEFINED = frozenset({
    "empty", "empty_like", "empty_permuted", "empty_strided", "new_empty", "new_empty_strided", "resize_",
    "resize_as_",
})  # fmt: skip
"""Memory as it was found: only shape and dtype are promised."""
DATA_DEPENDENT = frozenset({
    "argwhere", "bincount", "combinations", "corrcoef", "cov", "equal", "allclose", "item", "masked_select",
    "nonzero", "repeat_interleave", "tensor_split", "to_sparse", "unique", "unique_consecutive",
    "nn.functional.one_hot",
})  # fmt: skip
"""The shape of the output, or the way to it, depends on values: `equal` and `item` give Python values, `cov`
and `corrcoef` check their weights, `tensor_split` takes places from a tensor, `combinations` selects by
mask."""
FACTORS = {
    "svd": "svd_v",
    "linalg.svd": "svd",
    "svd_lowrank": "svd_v",
    "pca_lowrank": "svd_v",
    "linalg.eigh": "eigh",
    "linalg.eig": "eig",
    "qr": "qr",
    "linalg.qr": "qr",
    "linalg.eigvals": "spectrum",
}
"""Fixed only up to signs, phases or order: compared by what they are factors of."""


def kind_of(name: str) -> Kind:
    """Return how outputs of an entry vary.

    Examples
    --------
    >>> kind_of("empty"), kind_of("normal.in_place"), kind_of("sin")
    ('undefined_values', 'random', 'deterministic')
    """
    tables: tuple[tuple[frozenset[str], Kind], ...] = (
        (RANDOM, "random"),
        (UNDEFINED, "undefined_values"),
        (DATA_DEPENDENT, "data_dependent_shape"),
    )
    for table, kind in tables:
        if name in table or name.rpartition(".")[0] in table:
            return kind
    return "deterministic"


def rebuilt(name: str) -> Any:
    """Return the function that puts an entry's factors together again, or None."""
    from isoflop.portability.worker.recipes.rebuild import REBUILD

    form = FACTORS.get(name)
    if form is None:
        return None
    return spectrum if form == "spectrum" else _guarded(REBUILD[form], 3 if "svd" in form else 2)


def _guarded(rebuild: Any, factors: int) -> Any:
    """Leave an output alone that has not all the factors: values alone are unique."""

    def guarded(leaves: tuple[Leaf, ...], args: tuple[Any, ...]) -> tuple[Leaf, ...]:
        whole = len(leaves) == factors and all(leaf.array is not None and leaf.array.size for leaf in leaves)
        return tuple(rebuild(leaves, args)) if whole else leaves

    return guarded


def spectrum(leaves: tuple[Leaf, ...], args: tuple[Any, ...]) -> tuple[Leaf, ...]:  # noqa: ARG001
    """Return power sums of eigenvalues: they do not depend on the order.

    Examples
    --------
    >>> one, other = (Leaf(array=np.array(v), dtype="complex64", shape=(2,)) for v in ([1j, 2], [2, 1j]))
    >>> bool(np.allclose(spectrum((one,), ())[0].array, spectrum((other,), ())[0].array))
    True
    """
    if any(leaf.array is None for leaf in leaves):
        return leaves
    values = np.asarray(leaves[0].array).astype(np.complex128)
    sums = np.stack(
        [(values**k).sum(axis=-1) for k in range(1, values.shape[-1] + 1)] or [values.sum(-1)], -1
    )
    return (replace(leaves[0], array=sums, shape=sums.shape),)

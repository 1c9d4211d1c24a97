"""JAX's own harnesses of its primitives, from inside the jax wheel.

They are internal: a newer version may rename or drop some, so that shares are compared over common samples
alone.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from math import prod
from typing import Any

import numpy as np

from isoflop.portability.model import SizeClass
from isoflop.portability.task import Item, Kind, digest
from isoflop.portability.worker.interface import Call, Check
from isoflop.portability.worker.jax.values import versions
from isoflop.portability.worker.recipes.provider import WIDE
from isoflop.portability.worker.recipes.rebuild import REBUILD, Rebuild

OF_EACH = 6
"""Least number of harnesses taken of a primitive and dtype, where it has so many."""
_PREFERRED = ("float32", "complex64", "int32", "uint32", "bool")
"""Dtype of the harnesses that are taken unless dtypes are named: the first that a primitive has."""
_PUBLIC = {
    "and": "jax.lax.bitwise_and",
    "or": "jax.lax.bitwise_or",
    "xor": "jax.lax.bitwise_xor",
    "approx_top_k": "jax.lax.approx_max_k",
    "device_put": "jax.device_put",
    "regularized_incomplete_beta": "jax.lax.betainc",
    **dict.fromkeys(
        ("reduce_window_add", "reduce_window_max", "reduce_window_min", "reduce_window_mul"),
        "jax.lax.reduce_window",
    ),
    **{
        f"random_{name}": f"jax.random.{name}"
        for name in ("categorical", "gamma", "randint", "split", "uniform")
    },
}
_LINEAR_ALGEBRA = frozenset(
    {"cholesky", "eig", "eigh", "lu", "qr", "svd", "triangular_solve", "tridiagonal_solve"}
)
_INTERNAL = frozenset({"add_any", "iota_2x32_shape", "select_and_gather_add", "select_and_scatter_add"})
"""Primitives that no public function is named after; called ``jax.primitive.<name>``."""
_FACTORS = {"qr": "qr", "eigh": "eigh_v_first", "svd": "svd_s_u_vh"}
_SIZES: tuple[tuple[int, SizeClass], ...] = ((10_000, "tiny"), (1_000_000, "small"), (100_000_000, "medium"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Harnesses:
    """The harnesses, a spread of each primitive's."""

    name: str = "jax_harness"
    framework: str = "jax"
    licence: str = "Apache-2.0"

    def version(self) -> str:
        """Return the version of jax, whose harnesses these are."""
        return versions()[1]

    def items(self, *, dtypes: tuple[str, ...], sizes: tuple[str, ...], samples: int) -> Iterable[Item]:
        """Yield, for each primitive and dtype, harnesses spread evenly over its list.

        Parameters
        ----------
        dtypes : tuple of str
            Dtypes to take. Empty: float32, or what the primitive has instead.
        sizes : tuple of str
            Rungs to take; empty for all.
        samples : int
            How many harnesses of each primitive and dtype, if more than six; a million takes all.
        """
        for group in _groups().values():
            for dtype in [one for one in group if one in dtypes] if dtypes else [_usual(group)]:
                for harness in _spread(group[dtype], max(samples, OF_EACH)):
                    item = _item(harness, dtype, self.name)
                    if not sizes or item.size_class in sizes:
                        yield item

    def make(self, item: Item, seed: int) -> Call:
        """Return the call of the harness with inputs drawn from `seed`."""
        harness = _by_name()[json.loads(item.address)["harness"]]
        random = np.random.RandomState((zlib.crc32(harness.fullname.encode()) + seed) % 2**32)
        args = tuple(_host(arg) for arg in harness.dyn_args_maker(random))
        signature = _signature(harness, item.dtype)
        check, rebuild = _check(harness)

        def in_float64() -> Call:
            return Call(
                framework="jax",
                function=harness.dyn_fun,
                args=tuple(_widened(arg) for arg in args),
                signature={**signature, "dtype": WIDE[item.dtype]},
                check=check,
                rebuild=rebuild,
            )

        # Draws in float64 take other bits of the generator: they are no better value of the same thing.
        exact = item.dtype in WIDE and not harness.group_name.startswith(("random_", "rng_"))
        return Call(
            framework="jax",
            function=harness.dyn_fun,
            args=args,
            signature=signature,
            kind=item.kind,
            check=check,
            float64=in_float64 if exact else None,
            rebuild=rebuild,
        )


def harnesses() -> Harnesses:
    """Return the provider."""
    return Harnesses()


@cache
def _groups() -> dict[str, dict[str, list[Any]]]:
    """Return harnesses by primitive and dtype, in the order of JAX's list."""
    from jax._src.internal_test_util import test_harnesses

    groups: dict[str, dict[str, list[Any]]] = {}
    for harness in test_harnesses.all_harnesses:
        groups.setdefault(harness.group_name, {}).setdefault(_dtype(harness), []).append(harness)
    return groups


@cache
def _by_name() -> dict[str, Any]:
    return {harness.fullname: harness for harness in _every()}


def _every() -> Iterator[Any]:
    for group in _groups().values():
        for harnesses_of_dtype in group.values():
            yield from harnesses_of_dtype


def _usual(group: dict[str, list[Any]]) -> str:
    counts = Counter({dtype: len(found) for dtype, found in group.items()})
    return next((dtype for dtype in _PREFERRED if dtype in group), counts.most_common(1)[0][0])


def _spread(found: list[Any], most: int) -> list[Any]:
    if len(found) <= most:
        return found
    return [found[round(i * (len(found) - 1) / (most - 1))] for i in range(most)]


def _item(harness: Any, dtype: str, provider: str) -> Item:
    signature = _signature(harness, dtype)
    elements = sum(prod(part["shape"]) for part in signature["inputs"] if isinstance(part, dict))
    return Item(
        framework="jax",
        function=_public(harness.group_name),
        variant=harness.fullname,
        provider=provider,
        dtype=dtype,
        size_class=next((rung for most, rung in _SIZES if elements <= most), "large"),
        address=json.dumps({"harness": harness.fullname}),
        kind=_kind(harness.group_name),
        sample_id=digest(signature, 0),
        gradient=dtype in ("float32", "complex64") and not harness.group_name.startswith(("random_", "rng_")),
        cost=1e-4 + 1e-8 * elements,
    )


def _public(group: str) -> str:
    if group in _LINEAR_ALGEBRA:
        return f"jax.lax.linalg.{group}"
    return f"jax.primitive.{group}" if group in _INTERNAL else _PUBLIC.get(group, f"jax.lax.{group}")


def _kind(group: str) -> Kind:
    # The other generators of jax.random count from a key: the same bits everywhere.
    return "random" if group == "rng_bit_generator" else "deterministic"


def _check(harness: Any) -> tuple[Check, Rebuild | None]:
    group, params = harness.group_name, harness.params
    if group == "rng_bit_generator":
        return "shape_dtype", None
    if group == "eig":
        both = params["compute_left_eigenvectors"], params["compute_right_eigenvectors"]
        form = {(False, False): "", (True, True): "eig_left_right", (True, False): "eig_left"}.get(
            both, "eig"
        )
    elif group == "svd" and not params.get("compute_uv", True):
        form = ""
    else:
        form = _FACTORS.get(group, "")
    if form:
        return "reconstruct", REBUILD[form]
    return ("sorted" if group == "eig" else "values"), None


def _signature(harness: Any, dtype: str) -> dict[str, Any]:
    return {
        "harness": harness.fullname,
        "dtype": dtype,
        "inputs": [_described(part) for part in harness.arg_descriptors],
    }


def _described(part: Any) -> Any:
    if hasattr(part, "shape") and hasattr(part, "dtype"):
        return {"shape": [int(n) for n in part.shape], "dtype": np.dtype(part.dtype).name}
    # What a function or an object prints as holds addresses: its type is all that is the same everywhere.
    value = getattr(part, "value", part)
    return repr(value) if isinstance(value, (bool, int, float, str, tuple, list)) else type(value).__name__


def _dtype(harness: Any) -> str:
    return str(np.dtype(harness.dtype).name)


def _host(arg: Any) -> Any:
    import jax

    return np.asarray(arg) if isinstance(arg, jax.Array) else arg


def _widened(arg: Any) -> Any:
    name = getattr(getattr(arg, "dtype", None), "name", "")
    return arg.astype(WIDE[name]) if name in WIDE else arg

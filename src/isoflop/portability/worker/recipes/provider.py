"""A provider that reads recipes; a framework adds how an array is made and where its names begin."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from math import prod
from typing import Any

from numpy.typing import NDArray

from isoflop.portability.task import Item, digest
from isoflop.portability.worker.interface import Call
from isoflop.portability.worker.recipes.book import Input, Recipe, lift, read
from isoflop.portability.worker.recipes.inputs import GENERATOR, MAKERS, array, dtype_of
from isoflop.portability.worker.recipes.rebuild import REBUILD

WIDE = {"float32": "float64", "float16": "float64", "bfloat16": "float64", "complex64": "complex128"}
"""Dtype to the one in which the reference value is computed."""
_FLOATING = frozenset({*WIDE, *WIDE.values()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """What a framework adds to the recipes.

    Parameters
    ----------
    version : str
    roots : mapping
        Names with which expressions begin, e.g. ``{"jax": jax}``; their submodules are imported already.
    array : callable
        ``array(values, dtype)``: the framework's own array on the host, of a dtype given by name.
    dtype : callable
        ``dtype(name)``: what ``main`` stands for in an expression.
    """

    version: str
    roots: Mapping[str, Any]
    array: Callable[[NDArray[Any], str], Any]
    dtype: Callable[[str], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipes:
    """The recipes of one framework.

    Parameters
    ----------
    name, framework : str
    package, files : str, tuple of str
        Package whose data files hold the recipes, and their names.
    library : callable
        Gives the `Library`; imports the framework.
    """

    name: str
    framework: str
    package: str
    files: tuple[str, ...]
    library: Callable[[], Library]
    licence: str = "Apache-2.0"

    def version(self) -> str:
        """Return the versions on which the index depends: framework, makers, and the recipes themselves."""
        recipes = digest([one.expression for one in self.book()])
        return f"{self.library().version}+makers{GENERATOR}.{recipes}"

    def book(self) -> tuple[Recipe, ...]:
        """Return the recipes in the order of the files."""
        return _book(self.package, self.files)

    def items(self, *, dtypes: tuple[str, ...], sizes: tuple[str, ...], samples: int) -> Iterable[Item]:
        """Yield an item for each recipe and dtype; one set of inputs each, or as many as `samples` says.

        Without `dtypes` a recipe's own first choice is taken.
        """
        nth: dict[str, list[str]] = {}
        for recipe in self.book():
            if sizes and recipe.size_class not in sizes:
                continue
            known = nth.setdefault(recipe.function, [])
            if recipe.expression not in known:
                known.append(recipe.expression)
            place = known.index(recipe.expression)
            chosen = [one for one in recipe.dtypes if one in dtypes] if dtypes else recipe.dtypes[:1]
            for dtype in chosen:
                for index in range(max(samples, 1)):
                    yield self._item(recipe, f"{place + 1}" if place else "", dtype, index)

    def make(self, item: Item, seed: int) -> Call:
        """Return the call; raise where the framework has no such function or dtype."""
        address = json.loads(item.address)
        recipe = _find(self.package, self.files, address["recipe"], address.get("n"))
        return _call(_Sample(recipe, item.dtype, item.index, seed), self.framework, self.library())

    def _item(self, recipe: Recipe, variant: str, dtype: str, index: int) -> Item:
        ladder = {} if recipe.ladder is None else {"n": recipe.ladder}
        signature = _Sample(recipe, dtype, index, 0).signature()
        return Item(
            framework=self.framework,
            function=recipe.function,
            variant=variant,
            provider=self.name,
            dtype=dtype,
            size_class=recipe.size_class,
            index=index,
            address=json.dumps({"recipe": recipe.expression, **ladder}, sort_keys=True),
            kind=recipe.kind,
            sample_id=digest(signature, 0),
            gradient=recipe.gradient and recipe.kind == "deterministic" and dtype in _FLOATING,
            cost=1e-4 + 1e-8 * sum(prod(one["shape"]) for one in signature["inputs"]),
        )


@dataclass(frozen=True, slots=True)
class _Sample:
    """A recipe with what decides its numbers."""

    recipe: Recipe
    dtype: str
    index: int
    seed: int

    def signature(self, carried: str = "") -> dict[str, Any]:
        text, inputs = _lifted(self.recipe)
        return {
            "call": text,
            "dtype": carried or self.dtype,
            "inputs": [
                {"shape": list(one.shape), "maker": one.maker, "options": one.options} for one in inputs
            ],
            "index": self.index,
            "makers": GENERATOR,
        }

    def args(self, library: Library, carried: str) -> tuple[Any, ...]:
        """Return the inputs, rounded to the item's dtype and carried in that dtype or a wider one."""
        recipe = self.recipe
        return tuple(
            library.array(
                array(
                    *(one.maker, one.shape, one.options, self.dtype),
                    *(self.seed, recipe.expression, recipe.ladder, self.index, place),
                ),
                dtype_of(MAKERS[one.maker].family, carried),
            )
            for place, one in enumerate(_lifted(recipe)[1])
        )


def _call(sample: _Sample, framework: str, library: Library) -> Call:
    recipe = sample.recipe
    wide = WIDE.get(sample.dtype)

    def in_dtype(carried: str) -> Call:
        names = {**library.roots, "main": library.dtype(carried)}
        return Call(
            framework=framework,
            # Recipes are this package's own text; nothing of a user is evaluated.
            function=eval(_lifted(recipe)[0], names),
            args=sample.args(library, carried),
            signature=sample.signature(carried),
            kind=recipe.kind,
            check=recipe.check,
            float64=(lambda: in_dtype(wide)) if wide and carried != wide else None,
            rebuild=REBUILD[recipe.rebuild] if recipe.rebuild else None,
        )

    return in_dtype(sample.dtype)


@cache
def _book(package: str, files: tuple[str, ...]) -> tuple[Recipe, ...]:
    home = resources.files(package)
    return tuple(recipe for file in files for recipe in read(home.joinpath(file).read_text("utf-8")))


@cache
def _find(package: str, files: tuple[str, ...], expression: str, ladder: int | None) -> Recipe:
    return next(one for one in _book(package, files) if one.expression == expression and one.ladder == ladder)


@cache
def _lifted(recipe: Recipe) -> tuple[str, tuple[Input, ...]]:
    return lift(recipe)

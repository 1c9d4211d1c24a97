"""What can be run: the items of providers, indexed in a worker and kept for each version."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from isoflop.errors import EvidenceError, SettingError, closest
from isoflop.findings import Provenance, json_ready, write_atomically
from isoflop.portability.engine.child import Child, WorkerDied
from isoflop.portability.engine.host import cache_folder
from isoflop.portability.engine.targets import Interpreters
from isoflop.portability.registry import PROVIDERS, extend
from isoflop.portability.task import Item, digest
from isoflop.present.notebook import result_html

if TYPE_CHECKING:
    import polars as pl

INDEX_S = 300.0
CACHE_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Catalogue:
    """Functions with inputs, ready to be sampled and run.

    Parameters
    ----------
    items : tuple of Item
    versions : mapping
        Provider to the version that its index depends on.
    absent : mapping
        Provider to the reason why it has no items here.
    """

    items: tuple[Item, ...]
    versions: dict[str, str] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)

    @property
    def functions(self) -> tuple[str, ...]:
        """Return the functions, in order, once each."""
        return tuple(dict.fromkeys(item.function for item in self.items))

    def only(self, patterns: Iterable[str]) -> Catalogue:
        """Return the items whose function matches a pattern such as ``torch.nn.*``.

        Raises
        ------
        SettingError
            Nothing matches.
        """
        wanted = tuple(patterns)
        kept = tuple(i for i in self.items if any(fnmatch.fnmatchcase(i.function, p) for p in wanted))
        if not kept:
            near = closest(wanted[0], self.functions) if wanted else None
            hint = f"closest is {near!r}." if near else "List them with isoflop portability catalogue."
            raise SettingError(f"--functions: {', '.join(wanted)} matches no function; {hint}")
        return Catalogue(items=kept, versions=self.versions, absent=self.absent)

    @property
    def cautions(self) -> tuple[str, ...]:
        """Return which providers are missing."""
        return tuple(
            f"provider {name} has no items here ({reason}). Install what it needs."
            for name, reason in self.absent.items()
        )

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """Return none: nothing was measured."""
        return ()

    def rows(self) -> list[dict[str, Any]]:
        """Return one row an item."""
        return [{**item.to_dict(), "item_id": item.item_id} for item in self.items]

    def frame(self) -> pl.DataFrame:
        """Return `rows` as a table."""
        import polars as pl

        return pl.DataFrame(self.rows(), infer_schema_length=None)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping."""
        return {
            "items": json_ready(self.rows()),
            "versions": dict(self.versions),
            "absent": dict(self.absent),
        }

    def summary(self) -> str:
        """Return a text of one screen."""
        lines = [f"catalogue: {len(self.items)} items of {len(self.functions)} functions"]
        lines += [f"  {name} {version}" for name, version in self.versions.items()]
        lines += [f"  {name}: absent, {reason}" for name, reason in self.absent.items()]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html


def catalogue(
    framework: str,
    *,
    providers: Sequence[str] = (),
    dtypes: Sequence[str] = (),
    sizes: Sequence[str] = (),
    samples: int = 1,
    python: Interpreters | None = None,
    fresh: bool = False,
    told: Callable[[str, int], None] | None = None,
) -> Catalogue:
    """Return what a framework's providers offer.

    Parameters
    ----------
    framework : str
        ``torch``, ``jax``, ``tensorflow``, ``onnx``, ``fake`` …
    providers : sequence of str
        Names in `PROVIDERS`; default those of the framework that are meant to be run as a whole.
    dtypes, sizes : sequence of str
        Default each provider's own choice.
    samples : int, >= 1
        Sets of inputs for each entry.
    python : Interpreters, optional
    fresh : bool
        Make the index anew though one is kept for these versions.
    told : callable, optional
        Called with the provider and the number of items so far.

    Raises
    ------
    SettingError
        Framework or provider is unknown.
    EvidenceError
        No provider has an item here.

    Examples
    --------
    >>> "fake.add" in catalogue("fake").functions
    True
    """
    extend()
    chosen = _chosen(framework, providers)
    if samples < 1:
        raise SettingError(f"catalogue: samples={samples}, must be at least 1. Use 1 for a first look.")
    interpreters = python or Interpreters()
    options = {"dtypes": list(dtypes), "sizes": list(sizes), "samples": samples}
    items: list[Item] = []
    versions: dict[str, str] = {}
    absent: dict[str, str] = {}
    for name in chosen:
        made = _index(name, interpreters(f"{framework}:"), options, fresh, told)
        if isinstance(made, str):
            absent[name] = made
        else:
            versions[name] = made[0]
            items += made[1]
    if not items:
        why = "; ".join(f"{name}: {reason}" for name, reason in absent.items())
        raise EvidenceError(
            f"catalogue: no provider of {framework} has items here ({why}). Install what it needs, or name "
            "another interpreter with --python."
        )
    return Catalogue(items=tuple(items), versions=versions, absent=absent)


def _chosen(framework: str, providers: Sequence[str]) -> list[str]:
    frameworks = dict.fromkeys(entry.framework for entry in PROVIDERS.values())
    if framework not in frameworks:
        near = closest(framework, frameworks)
        hint = f"Did you mean {near!r}?" if near else "Choose one of these."
        raise SettingError(f"--framework: {framework!r}, must be one of {', '.join(frameworks)}. {hint}")
    mine = [name for name, entry in PROVIDERS.items() if entry.framework == framework]
    for name in providers:
        if name not in mine:
            raise SettingError(
                f"--providers: {name!r}, must be one of {', '.join(mine)}. Choose one of these."
            )
    return list(providers) or [name for name in mine if PROVIDERS[name].default]


def _index(
    name: str, interpreter: str, options: dict[str, Any], fresh: bool, told: Callable[[str, int], None] | None
) -> tuple[str, list[Item]] | str:
    try:
        child = Child(interpreter)
    except WorkerDied as died:
        return f"no worker starts ({(died.printed.strip().splitlines() or [died.signal_name])[-1]})"
    try:
        child.send({"do": "version", "provider": name})
        answer = child.receive(INDEX_S)
        if "absent" in answer:
            return str(answer["absent"])
        version = str(answer["version"])
        path = cache_folder() / f"catalogue-{digest(CACHE_VERSION, name, version, options)}.json"
        if path.is_file() and not fresh:
            return version, [Item.of(row) for row in json.loads(path.read_text(encoding="utf-8"))]
        child.send({"do": "items", "provider": name, **options})
        items: list[Item] = []
        while "item" in (answer := child.receive(INDEX_S)):
            items.append(Item.of(answer["item"]))
            if told is not None:
                told(name, len(items))
        if "absent" in answer:
            return str(answer["absent"])
        write_atomically(path, json.dumps([item.to_dict() for item in items]))
        return version, items
    except WorkerDied as died:
        return f"indexing ended in {died.status} ({died.signal_name})"
    finally:
        child.close()

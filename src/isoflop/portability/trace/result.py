"""`Trace`: the calls of a script as items of a catalogue, with how often each was made."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isoflop.errors import EvidenceError
from isoflop.findings import Provenance, json_ready, write_atomically
from isoflop.portability.task import Item
from isoflop.present.notebook import result_html

if TYPE_CHECKING:
    import polars as pl

VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trace:
    """The calls that a script made.

    Parameters
    ----------
    items : tuple of Item
        Different calls in the order of their first being made; give them to `run`.
    counts : tuple of int
        How often each was made.
    left_out : mapping
        Functions to calls whose arguments cannot be described, such as functions and files.
    versions : mapping
        Frameworks watched, with their versions.
    error : mapping
        Type and text of what ended the script; empty where it came to its end.
    """

    items: tuple[Item, ...]
    counts: tuple[int, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    error: Mapping[str, str] = field(default_factory=dict)
    script: str = ""
    on: str = "cpu"

    @property
    def calls(self) -> dict[str, int]:
        """Calls of each function, most first: what a sample by usage takes."""
        tally: Counter[str] = Counter()
        for item, count in zip(self.items, self.counts, strict=True):
            tally[item.function] += count
        return dict(sorted(tally.items(), key=lambda pair: (-pair[1], pair[0])))

    @property
    def cautions(self) -> tuple[str, ...]:
        """Doubts that limit the trace."""
        found = []
        if self.error:
            head = self.error.get("head", "")
            found.append(
                f"the script ended with {self.error.get('type', 'an error')}: {head}; later calls are "
                "missing."
            )
        if self.left_out:
            found.append(
                f"{sum(self.left_out.values())} calls of {len(self.left_out)} functions take what cannot be "
                "written down (functions, files) and are left out."
            )
        if "jax" in self.versions or "tensorflow" in self.versions:
            found.append(
                "methods and operators of JAX and TensorFlow arrays are not seen, only functions called by "
                "name."
            )
        if not self.items:
            found.append("no call of torch, JAX or TensorFlow was seen.")
        return tuple(found)

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """Return none: nothing was measured."""
        return ()

    def rows(self) -> list[dict[str, Any]]:
        """Return one row a different call."""
        return [
            {
                "framework": item.framework,
                "function": item.function,
                "calls": count,
                "dtype": item.dtype or None,
                "inputs": shapes(json.loads(item.address)),
                "item_id": item.item_id,
            }
            for item, count in zip(self.items, self.counts, strict=True)
        ]

    def frame(self) -> pl.DataFrame:
        """Return `rows` as a table."""
        import polars as pl

        return pl.DataFrame(self.rows(), infer_schema_length=None)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping."""
        return {
            "script": self.script,
            "on": self.on,
            "versions": dict(self.versions),
            "calls": json_ready(self.rows()),
            "left_out": dict(self.left_out),
            "error": dict(self.error),
        }

    def summary(self) -> str:
        """Return a text of one screen."""
        versions = ", ".join(f"{name} {version}" for name, version in self.versions.items()) or "no framework"
        return (
            f"{self.script} on {self.on} ({versions}): {sum(self.counts):,} calls of {len(self.calls):,} "
            f"functions, {len(self.items):,} different by their shapes and arguments."
        )

    def write(self, path: str | Path) -> None:
        """Write the trace as lines of JSON: a head, then an item a line with its count."""
        head = {
            "trace": VERSION, "script": self.script, "on": self.on, "versions": dict(self.versions),
            "left_out": dict(self.left_out), "error": dict(self.error),
        }  # fmt: skip
        lines = [head, *({**i.to_dict(), "count": n} for i, n in zip(self.items, self.counts, strict=True))]
        write_atomically(Path(path), "".join(json.dumps(line, sort_keys=True) + "\n" for line in lines))

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html


def read_trace(path: str | Path) -> Trace:
    """Return the trace that `Trace.write` wrote.

    Raises
    ------
    EvidenceError
        The file is absent, no trace, or written by a newer version.
    """
    where = Path(path).name
    try:
        lines = [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines() if line]
        head, *rows = lines
        version = head["trace"]
        items = tuple(Item.of(row) for row in rows)
        counts = tuple(int(row["count"]) for row in rows)
    except OSError:
        raise EvidenceError(
            f"trace: no file {path}. Make one with isoflop portability trace SCRIPT."
        ) from None
    except (ValueError, KeyError, TypeError):
        raise EvidenceError(
            f"trace: {where} is no trace, needs the lines that isoflop portability trace wrote. Make it anew."
        ) from None
    if version > VERSION:
        raise EvidenceError(
            f"trace: {where} has version {version}, this isoflop reads {VERSION}. Update isoflop."
        )
    return Trace(
        items=items,
        counts=counts,
        left_out=head["left_out"],
        versions=head["versions"],
        error=head["error"],
        script=head["script"],
        on=head["on"],
    )


def shapes(described: Mapping[str, Any]) -> str:
    """Return the arrays of a described call as one reads them.

    Examples
    --------
    >>> shapes({"args": [{"array": [2, 3], "dtype": "float32"}, 1], "kwargs": {}})
    'float32[2, 3]'
    """
    return ", ".join(_shapes([described["args"], list(described["kwargs"].values())]))


def _shapes(value: Any) -> list[str]:
    if isinstance(value, dict):
        if "array" in value:
            return [f"{value['dtype']}[{', '.join(map(str, value['array']))}]"]
        value = list(value.values())
    return [text for inner in value for text in _shapes(inner)] if isinstance(value, list) else []

"""Tables of facts that ship with the package, each row with source, locator and `verified`."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from isoflop.errors import EvidenceError
from isoflop.evidence.read import read_text
from isoflop.evidence.schemas import SCHEMAS
from isoflop.evidence.table import Table, fingerprint_of
from isoflop.evidence.validate import canonical

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedTable:
    """One shipped table: file stem, schema and what it must not be used for."""

    name: str
    schema: str
    doc: str


EMBEDDED: dict[str, EmbeddedTable] = {
    table.name: table
    for table in (
        EmbeddedTable(
            name="language_evaluations",
            schema="evaluations",
            doc="Published perplexities of language models on WT103, WT2 and PTB, 2012-2025.",
        ),
        EmbeddedTable(
            name="image_evaluations",
            schema="evaluations",
            doc="Published ImageNet top-1 errors of image classifiers, 2012-2022.",
        ),
        EmbeddedTable(
            name="hardware_facts",
            schema="hardware",
            doc="Launch prices and peak speeds of accelerators, 2006-2025.",
        ),
    )
}


def embedded(name: str) -> Table:
    """Return a shipped table, validated like any other.

    Raises
    ------
    EvidenceError
        No shipped table has that name.
    """
    if name not in EMBEDDED:
        raise EvidenceError(f"embedded: {name!r}, needs one of {', '.join(EMBEDDED)}.")
    entry = EMBEDDED[name]
    data = (files("isoflop.evidence") / "tables" / f"{name}.csv").read_bytes()
    raw = read_text(data, ",", f"{name}.csv")
    frame, cautions = canonical(raw, SCHEMAS[entry.schema], f"{name}.csv")
    return Table(
        name=name,
        schema=entry.schema,
        frame=frame,
        source=f"shipped with isoflop: {entry.doc}",
        kind="embedded",
        fingerprint=fingerprint_of(entry.schema, frame),
        rows_read=raw.height,
        cautions=(_sourcing(frame), *cautions),
        importer="embedded table",
    )


def _sourcing(frame: pl.DataFrame) -> str:
    read = int((frame["verified"] == "read").sum())
    return (
        f"{frame.height} hand-picked facts ({read} read in the source, {frame.height - read} seen in another "
        "text): no sample of a population. A table of your own, or isoflop data pull, cures it."
    )

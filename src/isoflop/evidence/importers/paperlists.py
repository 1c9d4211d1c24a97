"""Accepted papers of 21 venues with affiliations, reduced from papercopilot/paperlists.

The origin states no licence: the table is read where a user has it, and nothing of it ships. Abstracts are
not in it; topics and named models are keyword flags that were computed from title, abstract and keywords.
Large files were absent from the copy, so the mix of venues changes from year to year.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from isoflop.evidence.importers.interface import Imported, Importer, numeric
from isoflop.evidence.table import Step
from isoflop.evidence.works import without_repeats

if TYPE_CHECKING:
    import polars as pl

NO_COUNT = -1
"""Stands in the column of citations where the crawl found none; nearly all of some venues have it."""
_TEXT = {
    "work_id": "id",
    "title": "title",
    "venue": "venue",
    "affiliations": "aff",
    "email_domains": "aff_domain",
    "topics": "topics",
    "mentions": "pretrained_mentions",
    "has_abstract": "has_abstract",
}
VENUE_MIX = (
    "Venues come and go from year to year in this list, so a series over years mixes change with the "
    "venues present: read the standardised series, or one venue alone."
)
FLAGS = (
    "Topics and named models are keyword flags of the list's makers, not of this project: their text is not "
    "at hand, so a flag cannot be looked up. A table with abstracts would cure it."
)


def _convert(raw: pl.DataFrame, folder: Path | None) -> Imported:  # noqa: ARG001 - one file says all
    import polars as pl

    citations = numeric(raw, "citations")
    absent = int(citations.is_null().sum())
    sentinel = int((citations == NO_COUNT).sum())
    frame = raw.select(pl.col(theirs).alias(ours) for ours, theirs in _TEXT.items()).with_columns(
        pl.Series("record", range(1, raw.height + 1), dtype=pl.Int64),
        numeric(raw, "year").alias("year"),
        numeric(raw, "authors_n").alias("authors_n"),
        citations.set(citations == NO_COUNT, None).alias("citations"),
    )
    nameless = int(raw["id"].is_null().sum())
    frame, repeats = without_repeats(frame)
    steps = (
        _note(f"{absent} empty counts of citations stay missing", raw.height),
        _note(f"{sentinel} counts of {NO_COUNT} are a sign for none and become missing", raw.height),
        _note(f"{nameless} papers without identifier are known by venue, year and title", raw.height),
        repeats,
    )
    return Imported(frame=frame, rows_read=raw.height, steps=steps, cautions=(VENUE_MIX, FLAGS))


def _note(rule: str, rows: int) -> Step:
    """Return a step that changes cells and drops no row."""
    return Step(rule=rule, unit="records", kept=rows, dropped=0)


PAPERLISTS = Importer(
    name="paperlists",
    schema="works",
    signature=frozenset({"venue", "year", "aff", "aff_domain", "pretrained_mentions", "topics"}),
    convert=_convert,
    doc="Accepted papers of machine-learning venues with affiliations (papercopilot/paperlists, reduced).",
    shared_header=True,
)

"""Tables of facts that ship with the package, each row with source, locator and `verified`."""

from __future__ import annotations

import io
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from isoflop.errors import EvidenceError
from isoflop.evidence.read import read_text
from isoflop.evidence.schemas import SCHEMAS
from isoflop.evidence.table import Table, fingerprint_of
from isoflop.evidence.validate import canonical

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    import polars as pl

    from isoflop.findings import EvidenceKind


MEASURED = "measured by this project"
"""What `seen_in` says where the project made the number itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedTable:
    """One shipped table: file stem, schema and what it must not be used for.

    `also` names a second file of the same schema whose rows follow those of the first.
    """

    name: str
    schema: str
    doc: str
    kind: EvidenceKind = "embedded"
    also: str | None = None


def _shipped(name: str) -> Traversable:
    """Return where a table lies: as text, or as Parquet where it is long and was measured."""
    folder = files("isoflop.evidence") / "tables"
    binary = folder / f"{name}.parquet"
    return binary if binary.is_file() else folder / f"{name}.csv"


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
        EmbeddedTable(
            name="study_points",
            schema="study_points",
            doc="Published points of robotics scaling studies, 2021-2025, and the project's own study.",
            also="robotics_study_points",
        ),
        EmbeddedTable(
            name="published_exponents",
            schema="published_exponents",
            doc="Published scaling exponents by domain, 2017-2024.",
        ),
        EmbeddedTable(
            name="scaling_runs",
            schema="scaling_runs",
            doc="Small language models trained by the project, on texts of known and unknown entropy.",
            kind="measured",
        ),
        EmbeddedTable(
            name="notable_systems",
            schema="models",
            doc="Trained systems with makers and, for most, training compute, 1990-2025.",
        ),
        EmbeddedTable(
            name="chip_prices",
            schema="chip_prices",
            doc="Quoted rents of one accelerator for an hour, on demand, 2017-2025.",
        ),
        EmbeddedTable(
            name="compute_facilities",
            schema="compute_facilities",
            doc="Machines open to academic research, with their accelerators, 2021-2025.",
        ),
        EmbeddedTable(
            name="pretrained_models",
            schema="pretrained_models",
            doc="Published models and how texts name them, 2018-2025.",
        ),
        EmbeddedTable(
            name="model_benchmarks",
            schema="model_scores",
            doc="Published scores of language models on benchmarks, one a model and benchmark, 2023-2025.",
        ),
        EmbeddedTable(
            name="model_prices",
            schema="model_catalogue",
            doc="List prices of language models for a million tokens, 2024-2026.",
        ),
        EmbeddedTable(
            name="benchmark_descriptions",
            schema="benchmark_descriptions",
            doc="What each benchmark asks, in words of the project.",
            kind="measured",
        ),
        EmbeddedTable(
            name="measured_model_scores",
            schema="model_scores_by_prompt",
            doc="Answers of small local models to prompts that the project wrote: a demonstration pool.",
            kind="measured",
        ),
        EmbeddedTable(
            name="measured_prompts",
            schema="prompts",
            doc="Prompts that the project wrote, of 15 families.",
            kind="measured",
        ),
        EmbeddedTable(
            name="measured_models",
            schema="model_catalogue",
            doc="The models of the demonstration pool: what each is made of, and its size.",
            kind="measured",
        ),
        EmbeddedTable(
            name="published_portability",
            schema="portability_facts",
            doc="How many functions failed or slowed down on other devices, as published in 2023.",
            kind="published",
        ),
        EmbeddedTable(
            name="measured_portability",
            schema="portability_results",
            doc="Functions of several frameworks on the targets of one computer without accelerators.",
            kind="measured",
        ),
    )
    if _shipped(table.name).is_file()
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
    raw = _cells(entry)
    frame, cautions = canonical(raw, SCHEMAS[entry.schema], _shipped(name).name)
    return Table(
        name=name,
        schema=entry.schema,
        frame=frame,
        source=f"shipped with isoflop: {entry.doc}",
        kind=entry.kind,
        fingerprint=fingerprint_of(entry.schema, frame),
        rows_read=raw.height,
        cautions=(*_sourcing(frame, entry), *cautions),
        importer="embedded table",
    )


def _cells(entry: EmbeddedTable) -> pl.DataFrame:
    import polars as pl

    parts = [_read(_shipped(entry.name))]
    if entry.also and _shipped(entry.also).is_file():
        parts.append(_read(_shipped(entry.also)))
    return pl.concat(parts, how="diagonal")


def _read(file: Traversable) -> pl.DataFrame:
    import polars as pl

    if file.name.endswith(".parquet"):
        return pl.read_parquet(io.BytesIO(file.read_bytes()))
    return read_text(file.read_bytes(), ",", file.name)


def _sourcing(frame: pl.DataFrame, entry: EmbeddedTable) -> tuple[str, ...]:
    """Return how many rows were read in their source, seen elsewhere, and measured by the project."""
    import polars as pl

    if entry.kind != "embedded":
        return ()
    own = frame.filter(pl.col("seen_in") == MEASURED).height
    facts = frame.filter(pl.col("seen_in").ne_missing(MEASURED))
    read = facts.filter(pl.col("verified") == "read").height
    said = [
        f"{facts.height} hand-picked facts ({read} read in the source, {facts.height - read} seen in another "
        "text): no sample of a population. A table of your own, or isoflop data pull, cures it."
    ]
    if own:
        said.append(
            f"{own} further rows are the project's own measurements, in simulation: one laboratory, whatever "
            "their number. Studies of other groups cure it."
        )
    return tuple(said)

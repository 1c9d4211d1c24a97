"""Epoch AI's tables of machine-learning systems, in the old and the new layout.

The old layout (2023) names a system ``System`` and its access ``Open-source``; the new one (2025)
``Model`` and ``Model accessibility``. Which coding of the team a table uses is for the reader of
``team_label`` to see: the text is kept as it stands. Columns that isoflop has no name for stay aside.
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from isoflop.evidence.importers.interface import Imported, Importer, numeric
from isoflop.evidence.models import CONFIDENCE
from isoflop.evidence.table import Step

if TYPE_CHECKING:
    import polars as pl

_TEXT = {
    "model": ("Model", "System"),
    "organisations": ("Organization",),
    "team_label": ("Organization categorization",),
    "sponsor_type": ("Compute sponsor categorization",),
    "notability": ("Notability criteria",),
    "accessibility": ("Model accessibility", "Open-source"),
    "base_models": ("Base model",),
    "domain": ("Domain",),
    "task": ("Task",),
    "countries": ("Country (from Organization)",),
    "hardware": ("Training hardware",),
    "is_foundation": ("Foundation model",),
}
_NUMBERS = {
    "train_flop": "Training compute (FLOP)",
    "train_flop_low": "Training compute lower bound",
    "train_flop_high": "Training compute upper bound",
    "parameters": "Parameters",
    "citations": "Citations",
    "hardware_n": "Hardware quantity",
}
_COSTS = ("Training compute cost (2020 USD)", "Training compute cost (2023 USD)")
ATTRIBUTION = "Epoch AI, Data on AI models, CC BY 4.0, https://epoch.ai/data"


def _convert(raw: pl.DataFrame, folder: Path | None) -> Imported:  # noqa: ARG001 - one file says all
    import polars as pl

    columns: dict[str, pl.Series] = {"record": pl.Series(range(1, raw.height + 1), dtype=pl.Int64)}
    for ours, names in _TEXT.items():
        theirs = next((name for name in names if name in raw.columns), None)
        if theirs is not None:
            columns[ours] = raw[theirs].str.strip_chars()
    for ours, theirs in _NUMBERS.items():
        if theirs in raw.columns:
            cells = numeric(raw, theirs)
            columns[ours] = _kept(cells, cells >= 0 if ours == "citations" else cells > 0)
    cost = next((name for name in _COSTS if name in raw.columns), None)
    if cost is not None:
        dollars = raw[cost].str.replace_all(r"[$,\s]", "").cast(pl.Float64, strict=False)
        columns["cost_usd"] = _kept(dollars, dollars > 0)
    columns["date"] = raw["Publication date"].str.strip_chars().str.to_date("%Y-%m-%d", strict=False)
    word = raw["Confidence"].str.strip_chars()
    columns["confidence"] = _kept(word, word.is_in(CONFIDENCE))
    if "Approach" in raw.columns:
        columns["is_self_supervised"] = raw["Approach"].str.contains("(?i)self-supervised")
    frame = pl.DataFrame([cells.alias(name) for name, cells in columns.items()])
    named = frame.filter(pl.col("model").is_not_null())
    nameless = frame.filter(pl.col("model").is_null())
    step = Step(
        rule="system has a name",
        unit="records",
        kept=named.height,
        dropped=nameless.height,
        rows=tuple(f"row {row}: no name" for row in nameless["record"]),
    )
    unread = _unread(raw, frame)
    return Imported(
        frame=named,
        rows_read=raw.height,
        steps=(step,) if step.dropped else (),
        cautions=(f"The table is {ATTRIBUTION}: name Epoch AI wherever it is shown.", *unread),
    )


def _kept(cells: pl.Series, keep: pl.Series) -> pl.Series:
    """Return the cells where `keep` is true, missing elsewhere."""
    import polars as pl

    return cells.zip_with(keep.fill_null(False), pl.Series([None], dtype=cells.dtype))


def _unread(raw: pl.DataFrame, frame: pl.DataFrame) -> tuple[str, ...]:
    """Return how many cells of date and compute hold no date or no positive number, with three of them."""
    import polars as pl

    said = []
    for ours, theirs, what in (
        ("date", "Publication date", "Dates that are no ISO dates"),
        ("train_flop", _NUMBERS["train_flop"], "Figures of training compute that are no positive numbers"),
    ):
        given = raw[theirs].cast(pl.String).str.strip_chars()
        lost = given.is_not_null() & (given != "") & frame[ours].is_null()
        if lost.any():
            cells = zip(frame["record"].filter(lost), given.filter(lost), strict=True)
            shown = ", ".join(f"row {row}: {cell!r}" for row, cell in islice(cells, 3))
            said.append(
                f"{what}: {int(lost.sum())}, taken as missing (such as {shown}). Correct them at the source."
            )
    return tuple(said)


EPOCH = Importer(
    name="epoch",
    schema="models",
    signature=frozenset(
        {"Organization categorization", "Publication date", "Training compute (FLOP)", "Notability criteria"}
    ),
    convert=_convert,
    doc="Epoch AI's machine-learning systems, snapshots of 2023 to 2025 (old and new column names).",
    shared_header=True,
)

"""A table of evidence: typed rows that know where they came from and what was dropped."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from isoflop.findings import EvidenceKind, Provenance

if TYPE_CHECKING:
    import polars as pl

FINGERPRINT_DIGITS = 16
"""Hexadecimal digits of the SHA-256 kept: 64 bits tell any realistic number of tables apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One rule of the waterfall: how many it kept, and every row it dropped.

    Parameters
    ----------
    rule : str
        What a row must satisfy to stay.
    unit : {"records", "rows"}
        A record is one data row of the source; a wide record may become several rows.
    kept, dropped : int
        Counts after the rule.
    rows : tuple of str
        One entry for each dropped row: ``"row 12 (GPT-2): why"``.
    """

    rule: str
    unit: Literal["records", "rows"]
    kept: int
    dropped: int
    rows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Table:
    """Validated evidence in canonical columns.

    Parameters
    ----------
    name, schema : str
        Name of the table and of its entry in `SCHEMAS`.
    frame : polars.DataFrame
        Canonical columns in base units, derived columns included.
    source : str
        File, address or citation the rows come from.
    kind : {"embedded", "measured", "pulled", "own", "published"}
        What sort of evidence it is.
    fingerprint : str
        Short SHA-256 of the canonical content: the same rows give the same text whatever
        the file format was.
    rows_read : int
        Data rows of the source, before any was dropped.
    steps : tuple of Step
        The waterfall so far.
    cautions : tuple of str
        Doubts that limit the table, each with what would cure it.
    importer : str
        How the source was recognised.
    """

    name: str
    schema: str
    frame: pl.DataFrame
    source: str
    kind: EvidenceKind
    fingerprint: str
    rows_read: int
    steps: tuple[Step, ...] = ()
    cautions: tuple[str, ...] = ()
    importer: str = "canonical"

    def provenance(self, rows_used: int) -> Provenance:
        """Return the provenance of a number that rests on `rows_used` rows.

        Rows dropped are those of every step plus the rows of the frame that were not used.

        Examples
        --------
        >>> from isoflop.evidence import load
        >>> provenance = load("language_evaluations").provenance(rows_used=200)
        >>> provenance.kind, provenance.rows_dropped
        ('embedded', 39)
        """
        dropped = sum(step.dropped for step in self.steps) + max(0, self.frame.height - rows_used)
        return Provenance(
            name=self.name,
            source=self.source,
            kind=self.kind,
            rows_used=rows_used,
            rows_dropped=dropped,
            fingerprint=self.fingerprint,
        )

    def __repr__(self) -> str:
        lines = [
            f"Table {self.name} ({self.schema}, {self.kind}): "
            f"{self.frame.height} rows × {self.frame.width} columns, {self.rows_read} read",
            f"  source       {_shorten(self.source, 96)}",
            f"  recognised   {_shorten(self.importer, 96)}",
            f"  fingerprint  {self.fingerprint}",
            f"  columns      {_shorten(', '.join(self.frame.columns), 96)}",
        ]
        lines += [
            f"  {step.rule}: {step.kept} {step.unit} kept, {step.dropped} dropped" for step in self.steps
        ]
        lines += [f"  caution: {_shorten(caution, 160)}" for caution in self.cautions[:5]]
        if len(self.cautions) > 5:
            lines.append(f"  and {len(self.cautions) - 5} more cautions")
        return "\n".join(lines)


def fingerprint_of(schema: str, frame: pl.DataFrame) -> str:
    """Return the short SHA-256 of a canonical frame.

    Column order and empty columns do not matter; row order does, because stable sorts keep it.
    Cells are hashed by value (numbers as little-endian IEEE doubles), so that no library's way
    of printing a number takes part.
    """
    content = hashlib.sha256(schema.encode())
    for name in sorted(frame.columns):
        column = frame[name]
        if column.null_count() == frame.height:
            continue
        content.update(f"\x1e{name}\x1e".encode())
        content.update(_cells(column))
    return content.hexdigest()[:FINGERPRINT_DIGITS]


def _cells(column: pl.Series) -> bytes:
    import polars as pl

    if column.dtype == pl.String:
        return "\x1f".join("\x00" if text is None else text for text in column).encode()
    numbers = column.to_physical().cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return numbers.astype("<f8").tobytes()


def _shorten(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"

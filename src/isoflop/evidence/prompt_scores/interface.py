"""What an importer of results is: how it knows its files, and the rows that it makes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isoflop.errors import EvidenceError, closest
from isoflop.evidence.table import Step

if TYPE_CHECKING:
    import polars as pl

LISTED = 200
"""Dropped rows that a step names; the rest are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the caller said about the files.

    Parameters
    ----------
    prompts : Path or None
        File with the texts, where scores lie apart from them.
    columns : mapping of str to str
        Canonical column name to the name in the file.
    models : tuple of str
        Score columns of a wide table, one a model.
    metric : str or None
        Which score to take where the files hold several (a metric, or a scorer).
    filter : str or None
        Which reading of the answer to take where lm-evaluation-harness kept several.
    source : str or None
        Collection to enter in rows that name none; default: the importer's name.
    """

    prompts: Path | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    metric: str | None = None
    filter: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """Rows in canonical columns, before validation.

    Parameters
    ----------
    scores, prompts : polars.DataFrame
    rows_read, prompts_read : int
        Data rows of the files.
    steps, cautions
        What was dropped on the way, and what to mind.
    choice : str
        What was chosen where the files left a choice, e.g. ``metric exact_match``.
    """

    scores: pl.DataFrame
    prompts: pl.DataFrame
    rows_read: int
    prompts_read: int
    steps: tuple[Step, ...] = ()
    cautions: tuple[str, ...] = ()
    choice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScoreImporter:
    """A layout of results.

    Parameters
    ----------
    name : str
        Key in `SCORE_IMPORTERS` and value of ``--importer``.
    doc : str
        What writes it.
    recognises : callable
        Whether a file or folder has this layout; looks at names and first lines only.
    read : callable
        ``(paths, asked) -> Found``.
    needs : str
        What the layout consists of, for refusals.
    takes : frozenset of str
        Options that mean something to it, of ``--prompts --map --models --metric --filter``.
    """

    name: str
    doc: str
    recognises: Callable[[Path], bool]
    read: Callable[[Sequence[Path], Asked], Found]
    needs: str
    takes: frozenset[str] = frozenset()


@dataclass(slots=True)
class Tally:
    """Rows dropped by one rule while a file is read."""

    rule: str
    unit: str = "records"
    dropped: int = 0
    rows: list[str] = field(default_factory=list)

    def drop(self, what: str) -> None:
        """Count a row, and name it while the list is short."""
        self.dropped += 1
        if len(self.rows) < LISTED:
            self.rows.append(what)

    def step(self, kept: int) -> Step:
        """Return the step; the list ends in a count where it was cut."""
        return Step(
            rule=self.rule,
            unit="records" if self.unit == "records" else "rows",
            kept=kept,
            dropped=self.dropped,
            rows=capped(self.rows, self.dropped),
        )


def capped(rows: Sequence[str], total: int) -> tuple[str, ...]:
    """Return the first `LISTED` entries and how many more there are.

    Examples
    --------
    >>> capped(["row 1", "row 2"], 5)
    ('row 1', 'row 2', 'and 3 more')
    """
    shown = tuple(rows[:LISTED])
    return (*shown, f"and {total - len(shown)} more") if total > len(shown) else shown


def tallied(*tallies: Tally, kept: int) -> tuple[Step, ...]:
    """Return a step for each rule that dropped something, in order; `kept` rows remain after the last."""
    steps, left = [], kept + sum(tally.dropped for tally in tallies)
    for tally in tallies:
        left -= tally.dropped
        if tally.dropped:
            steps.append(tally.step(left))
    return tuple(steps)


def one_of(wanted: str | None, present: Sequence[str], what: str, option: str, where: str) -> str:
    """Return the wanted name, or the only one present.

    Raises
    ------
    EvidenceError
        The wanted one is absent, or none is named and there are several.
    """
    listed = ", ".join(present[:12]) + (" …" if len(present) > 12 else "")
    if wanted is not None:
        if wanted in present:
            return wanted
        near = closest(wanted, present)
        raise EvidenceError(
            f"load: {what} {wanted!r} is not in {where}, which has {listed or 'none'}. "
            + (f"Did you mean {near}?" if near else f"Name one: {option} NAME.")
        )
    if len(present) == 1:
        return present[0]
    raise EvidenceError(
        f"load: {where} has {len(present)} {what}s ({listed}), needs one. Name it: {option} "
        + (present[0] if present else "NAME")
    )


def frame_of(rows: Sequence[Mapping[str, Any]], **types: Any) -> pl.DataFrame:
    """Return rows as a frame; `types` fixes the type of columns that may be empty."""
    import polars as pl

    return pl.DataFrame(rows, schema_overrides=types, infer_schema_length=None)

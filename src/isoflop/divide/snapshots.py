"""Several editions of one table, in order of time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isoflop.divide.sample import AFFILIATION, Sample, select
from isoflop.divide.teams import coding_of
from isoflop.errors import EvidenceError

if TYPE_CHECKING:
    from isoflop.evidence.table import Table

_DATED = re.compile(r"(?<!\d)((?:19|20)\d\d)(?:[-_.]?(0[1-9]|1[0-2])(?:[-_.]?(0[1-9]|[12]\d|3[01]))?)(?!\d)")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Snapshot:
    """One edition of a table of systems.

    Parameters
    ----------
    name : str
        The date in the name of the table, else the whole name; both where two share a date.
    table : Table
        Evidence of schema ``models``.
    coding : {"team", "organisations", "none"}
        How it names teams.
    """

    name: str
    table: Table
    coding: str

    def sample(self, **choice: Any) -> Sample:
        """Return chosen rows of it; see `isoflop.divide.sample.select`."""
        return select(self.table, **choice)


def date_in(text: str) -> str | None:
    """Return the last date written in a name, or None.

    Examples
    --------
    >>> date_in("epoch_models_2023-12-20"), date_in("epoch_all_2025_04"), date_in("systems")
    ('2023-12-20', '2025-04', None)
    """
    found = _DATED.findall(text)
    return "-".join(part for part in found[-1] if part) if found else None


def snapshots_of(tables: Any) -> tuple[Snapshot, ...]:
    """Return editions in order of time.

    Parameters
    ----------
    tables : Table, path or data frame, or a sequence of them
        Order does not matter: each is dated by its name, else by its latest row.

    Raises
    ------
    EvidenceError
        None is given, one is given twice, or a table is not of systems.
    """
    from isoflop.evidence import load
    from isoflop.evidence.table import Table

    several = isinstance(tables, Sequence) and not isinstance(tables, (str, Path))
    given = list(tables) if several else [tables]
    if not given:
        raise EvidenceError("snapshots: none, needs at least one table of systems. Name its file.")
    read = [one if isinstance(one, Table) else load(one, schema="models") for one in given]
    seen: dict[str, str] = {}
    for table in read:
        if table.schema != "models":
            raise EvidenceError(
                f"{table.name}: a table of {table.schema}, needs models (one row a trained system). "
                "Name another."
            )
        if table.fingerprint in seen:
            raise EvidenceError(
                f"snapshots: {table.name} holds the same rows as {seen[table.fingerprint]}, needs editions "
                "that differ. Name each once."
            )
        seen[table.fingerprint] = table.name
    named = sorted(((_date(table), table) for table in read), key=lambda pair: (pair[0], pair[1].name))
    dates = [date for date, _ in named]
    return tuple(
        Snapshot(
            name=_name(date, table, twice=dates.count(date) > 1),
            table=table,
            coding=_coding(table),
        )
        for date, table in named
    )


def comparison_cautions(snapshots: Sequence[Snapshot]) -> tuple[str, ...]:
    """Return what limits a comparison of these editions, each with what would cure it."""
    codings = {one.coding for one in snapshots if one.coding != "none"}
    if len(codings) < 2:
        return ()
    which = "; ".join(f"{one.name}: {one.coding}" for one in snapshots)
    return (
        f"Snapshots code teams in two ways ({which}), which do not agree on every system: part of a change "
        "between them is the coding. Recode one of them to cure it.",
    )


def shared_cautions(samples: Sequence[Sample]) -> tuple[str, ...]:
    """Return the doubts of several samples, each once, named by table where not all share it."""
    every = [set(sample.cautions) for sample in samples]
    common = set.intersection(*every) if every else set()
    said: dict[str, None] = {}
    for sample in samples:
        for caution in sample.cautions:
            general = caution in common or caution == AFFILIATION
            said[caution if general else f"{sample.table.name}: {caution}"] = None
    return tuple(said)


def _date(table: Table) -> str:
    named = date_in(table.name)
    if named is not None:
        return named
    latest = table.frame["date"].max()
    if latest is None:
        raise EvidenceError(f"{table.name}: no row has a date, needs some. Fill the column 'date'.")
    return str(latest)


def _name(date: str, table: Table, *, twice: bool) -> str:
    if date_in(table.name) is None:
        return table.name
    return f"{date} {table.name}" if twice else date


def _coding(table: Table) -> str:
    labels = [types or label for types, label in table.frame.select("org_types", "team_label").iter_rows()]
    return coding_of(labels)

"""Rows of every snapshot under every filter and rule of teams, each distinct coding once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from isoflop.divide.model import Filter, TeamRule
from isoflop.divide.sample import Sample
from isoflop.divide.snapshots import Snapshot
from isoflop.divide.teams import read_labels, team_of
from isoflop.errors import EvidenceError

if TYPE_CHECKING:
    import polars as pl

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_NOT_WORD = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """Rows of one snapshot under one filter.

    Parameters
    ----------
    snapshot : str
    filter : {"notable_not_deployed", "none"}
    sample : Sample
        Under the first rule.
    t : array, shape (n,)
        Time in fractional years.
    year : array of int, shape (n,)
    log10_flop : array, shape (n,)
    cluster : array of int, shape (n,)
        Code of the organisation text; the same organisation has one code in every snapshot.
    codings : tuple of Coding
    """

    snapshot: str
    filter: Filter
    sample: Sample
    t: FloatArray
    year: IntArray
    log10_flop: FloatArray
    cluster: IntArray
    codings: tuple[Coding, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Coding:
    """Teams of the rows under one rule: array of str, shape (n,)."""

    rule: TeamRule
    team: NDArray[np.str_]

    @property
    def known(self) -> BoolArray:
        """Rows whose team is known, shape (n,)."""
        return np.asarray(self.team != "unknown")


def rows_of(
    snapshots: Sequence[Snapshot], filters: Sequence[Filter], rules: Sequence[TeamRule]
) -> tuple[Rows, ...]:
    """Return the rows of each snapshot and filter with the distinct codings of their teams.

    Attribution by sponsor is left out where a table does not say who paid, and so is a filter that no
    system of a table passes.

    Raises
    ------
    EvidenceError
        A table cannot be used, or no system passes any filter.
    """
    codes: dict[str, int] = {}
    found = [_rows(one, filter, rules, codes) for one in snapshots for filter in filters]
    every = tuple(rows for rows in found if rows is not None)
    if not every:
        raise EvidenceError(
            f"specification: no system passes {' or '.join(filters)}, needs some. Add the filter 'none', or "
            "fill the column 'notability'."
        )
    return every


def _rows(
    snapshot: Snapshot, filter: Filter, rules: Sequence[TeamRule], codes: dict[str, int]
) -> Rows | None:
    plain = next((rule for rule in rules if _possible(snapshot, rule)), TeamRule())
    sample = snapshot.sample(rule=plain, filter="none")
    if filter != "none":
        # The table can be read, as the line above shows; what may fail here is that nothing passes.
        try:
            sample = snapshot.sample(rule=plain, filter=filter)
        except EvidenceError:
            return None
    keys = [
        organisations or f"\0{_NOT_WORD.sub('', model).lower()}"
        for organisations, model in sample.frame.select("organisations", "model").iter_rows()
    ]
    return Rows(
        snapshot=snapshot.name,
        filter=filter,
        sample=sample,
        t=sample.t,
        year=sample.year,
        log10_flop=sample.log10_flop,
        cluster=np.array([codes.setdefault(key, len(codes)) for key in keys], dtype=np.int64),
        codings=_codings(snapshot, sample, filter, rules),
    )


def _possible(snapshot: Snapshot, rule: TeamRule) -> bool:
    paid = snapshot.table.frame["sponsor_type"]
    return rule.attribution == "organisation" or paid.null_count() < len(paid)


def _codings(
    snapshot: Snapshot, sample: Sample, filter: Filter, rules: Sequence[TeamRule]
) -> tuple[Coding, ...]:
    distinct: dict[bytes, Coding] = {}
    for rule in rules:
        if not _possible(snapshot, rule):
            continue
        if rule.resolve_names:
            team = snapshot.sample(rule=rule, filter=filter).team
        else:
            team = teams_under(sample.frame, rule, snapshot.name)
        team = team.astype("U16")
        distinct.setdefault(team.tobytes(), Coding(rule=rule, team=team))
    return tuple(distinct.values())


def teams_under(frame: pl.DataFrame, rule: TeamRule, where: str) -> NDArray[np.str_]:
    """Return the team of each row from its labels alone, shape (n,)."""
    if rule.attribution == "sponsor":
        labels = frame["sponsor_type"].to_list()
    else:
        labels = [types or label for types, label in frame.select("org_types", "team_label").iter_rows()]
    distinct = list(dict.fromkeys(labels))
    typed = read_labels(distinct, where, "other")
    teams = {label: team_of(one, rule) for label, one in zip(distinct, typed, strict=True)}
    if rule.unknown in ("academia", "industry"):
        assumed = rule.unknown
        teams = {label: assumed if team == "unknown" else team for label, team in teams.items()}
    return np.array([teams[label] for label in labels], dtype=str)

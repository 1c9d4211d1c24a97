"""From the affiliations of a paper to its team, and to the parts that academia and industry have in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from isoflop.divide.model import Team, TeamRule
from isoflop.divide.teams import Typed, read_labels, team_of

if TYPE_CHECKING:
    import polars as pl

SIGNS = re.compile(r"[;+|]")


def teams_of_works(frame: pl.DataFrame, rule: TeamRule, where: str) -> list[pl.Series]:
    """Return columns ``team``, ``part_academia``, ``part_industry`` and ``part_other`` of papers.

    A coded label comes first, then types given by the source, then affiliations. The parts are shares of
    the listed organisations whose type is known, so that they sum to 1; of a label they are equal parts.

    Parameters
    ----------
    frame : polars.DataFrame
        Canonical columns of schema ``works``.
    rule : TeamRule
    where : str
        Name of the table, for messages.

    Raises
    ------
    EvidenceError
        A label is in neither coding.
    """
    import polars as pl

    given = [types or label for types, label in frame.select("org_types", "team_label").iter_rows()]
    labels = read_labels(given, where)
    texts = [None if label.types else text for label, text in zip(labels, frame["affiliations"], strict=True)]
    found = types_of_lists(texts)
    teams: list[Team] = []
    parts = np.zeros((frame.height, 3))
    decided: dict[tuple[frozenset[str], Team | None], Team] = {}
    for row, (label, types) in enumerate(zip(labels, found, strict=True)):
        kinds = list(label.types) or types
        known = label if label.types else Typed(types=frozenset(kinds))
        key = (known.types, known.leans)
        if key not in decided:
            decided[key] = team_of(known, rule)
        teams.append(decided[key])
        for kind in kinds:
            parts[row, 0 if kind == "education" else 1 if kind == "company" else 2] += 1
    if rule.unknown in ("academia", "industry"):
        teams = [rule.unknown if team == "unknown" else team for team in teams]
    total = parts.sum(axis=1, keepdims=True)
    parts = np.divide(parts, total, out=parts, where=total > 0)
    return [
        pl.Series("team", teams, dtype=pl.String),
        pl.Series("part_academia", parts[:, 0]),
        pl.Series("part_industry", parts[:, 1]),
        pl.Series("part_other", parts[:, 2]),
    ]


def types_of_lists(texts: Sequence[str | None]) -> list[list[str]]:
    """Return the known types of the organisations that each affiliation text lists.

    Authors are split by ";", an author's organisations by "+" or "|"; each distinct name is typed once.

    Examples
    --------
    >>> types_of_lists([None, " ; "])
    [[], []]
    """
    lists = [[part for piece in SIGNS.split(text or "") if (part := piece.strip())] for text in texts]
    distinct = list(dict.fromkeys(part for parts in lists for part in parts))
    if not distinct:
        return lists
    from isoflop.evidence.affiliations import resolve_organisations

    known = dict(zip(distinct, (one.type for one in resolve_organisations(distinct)), strict=True))
    return [[known[part] for part in parts if known[part] != "unknown"] for parts in lists]

"""Compare editions of a table: what changed, and what that did to each headline."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from isoflop.divide.audit.align import Alignment, Edition, align, changes_of, counts_of, edition_of
from isoflop.divide.audit.headlines import HEADLINES, decompose, measure, of_edition
from isoflop.divide.audit.result import Move, Reading, SnapshotChanges
from isoflop.divide.model import Filter, TeamRule
from isoflop.divide.snapshots import comparison_cautions, shared_cautions, snapshots_of
from isoflop.errors import EvidenceError
from isoflop.stats.checks import unit_level

MANY_GONE = 0.25
"""Above this share of systems missing from the later edition a caution is given."""


def audit(
    snapshots: Sequence[Any],
    *,
    filter: Filter = "notable_not_deployed",
    rule: TeamRule | None = None,
    level: float = 0.95,
) -> SnapshotChanges:
    """Say what revisions of a table did to its headlines.

    Parameters
    ----------
    snapshots : sequence of Table, path or data frame
        Two or more editions, in any order; each is dated by its name, else by its latest row.
    filter : {"notable_not_deployed", "none"}
        Which systems count in the headlines.
    rule : TeamRule, optional
        How organisations become a team, in every edition.
    level : float, in (0, 1)
        Of the intervals of each headline.

    Returns
    -------
    SnapshotChanges
        Each edition beside the next one, and the first beside the last.

    Raises
    ------
    EvidenceError
        Fewer than two editions, or one given twice.

    Notes
    -----
    Systems are the same where the name agrees but for case, spaces and marks and the dates lie within 60
    days; a system that was renamed counts as removed and added. The change of a headline is divided among
    five kinds of revision by Shapley values over all 32 mixtures of the two editions.

    Examples
    --------
    >>> audit(["a.csv"])
    Traceback (most recent call last):
    isoflop.errors.EvidenceError: audit: 1 snapshot, needs at least two editions of a table. Name another.
    """
    unit_level("audit", level)
    several = isinstance(snapshots, Sequence) and not isinstance(snapshots, str)
    if not several or len(snapshots) < 2:
        count = len(snapshots) if several else 1
        raise EvidenceError(
            f"audit: {count} snapshot{'' if count == 1 else 's'}, needs at least two editions of a table. "
            "Name another."
        )
    editions = snapshots_of(snapshots)
    rule = rule or TeamRule()
    read = [edition_of(one, rule, filter) for one in editions]
    pairs = list(pairwise(read))
    if len(read) > 2:
        pairs.append((read[0], read[-1]))
    aligned = [(old, new, align(old, new)) for old, new in pairs]
    parts = [decompose(*one) for one in aligned]
    readings = tuple(
        Reading(headline=name, snapshot=one.name, value=measure(of_edition(one), name, level))
        for name in HEADLINES
        for one in read
    )
    values = {(one.headline, one.snapshot): one.value.value for one in readings}
    moves = tuple(
        Move(
            headline=name,
            first=old.name,
            last=new.name,
            before=values[name, old.name],
            after=values[name, new.name],
            parts=divided[name],
        )
        for (old, new, _), divided in zip(aligned, parts, strict=True)
        for name in HEADLINES
    )
    samples = tuple(one.sample(rule=rule, filter=filter) for one in editions)
    return SnapshotChanges(
        snapshots=editions,
        samples=samples,
        changes=tuple(row for old, new, found in aligned for row in changes_of(old, new, found)),
        counts=tuple(counts_of(old, new, found) for old, new, found in aligned),
        readings=readings,
        moves=moves,
        level=level,
        cautions=(
            *comparison_cautions(editions),
            *_narrower(aligned),
            *shared_cautions(samples),
        ),
    )


def _narrower(aligned: Sequence[tuple[Edition, Edition, Alignment]]) -> tuple[str, ...]:
    """Return which editions lack so many systems that their scope may be another."""
    return tuple(
        f"{new.name} lacks {found.removed.size} of the {len(old.model)} systems of {old.name}: a table of "
        "narrower scope, or with systems renamed, looks like one that withdrew them. Compare editions of one "
        "scope."
        for old, new, found in aligned
        if found.removed.size > MANY_GONE * len(old.model)
    )

"""`remedies`: academia's share of the work on which the paper would spend public compute, by year.

The paper asks for public compute for work on interpretability, safety and security, for structured access
and for audit by third parties. Whether academia keeps its share of that work can be counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from isoflop.divide.model import TeamRule
from isoflop.divide.remedies.result import Remedies
from isoflop.divide.representation.trend import topic_trend
from isoflop.divide.works_sample import WorksSample, present, select_works
from isoflop.errors import EvidenceError

if TYPE_CHECKING:
    from isoflop.evidence.table import Table

WORDS = (
    "interp",
    "explain",
    "transparen",
    "safe",
    "align",
    "secur",
    "adversar",
    "attack",
    "privacy",
    "audit",
    "fair",
    "bias",
    "account",
    "red team",
)
"""A topic that holds one of these is counted; a table's own words may differ, so topics can be named."""


def remedy_topics(topics: Sequence[str]) -> tuple[str, ...]:
    """Return the topics that belong to the remedies, by the words in their names.

    Examples
    --------
    >>> remedy_topics(["robot", "interp", "AI safety", "speech"])
    ('interp', 'AI safety')
    """
    return tuple(topic for topic in topics if any(word in topic.lower() for word in WORDS))


def remedies(
    works: Table | WorksSample | Any,
    *,
    topics: Sequence[str] = (),
    rule: TeamRule | None = None,
    since: int | None = None,
    until: int | None = None,
    venues: Sequence[str] = (),
    level: float = 0.95,
) -> Remedies:
    """Count academia's share of the papers on interpretability, safety and audit.

    Parameters
    ----------
    works : Table, path, data frame or WorksSample
        Evidence of schema ``works``.
    topics : sequence of str
        Topics to count; empty takes those whose names hold one of `WORDS`.
    rule, since, until, venues
        As in `select_works`.
    level : float

    Returns
    -------
    Remedies
        Without trends where no topic of the kind occurs.

    Raises
    ------
    EvidenceError
        The table has no topics.
    """
    sample = select_works(works, rule=rule, since=since, until=until, venues=venues, with_abstract=True)
    if not sample.topic_counts:
        raise EvidenceError(
            f"{sample.table.name}: no paper has a topic (column 'topics'), needs topics joined by ';'. Add "
            "the column, or map it with --map topics=NAME."
        )
    known = sample.of(sample.known)
    names = (
        present(known.topic_counts, topics, "topic") if topics else remedy_topics(list(known.topic_counts))
    )
    return Remedies(
        sample=sample, trends=tuple(topic_trend(known, topic, "academia", level) for topic in names)
    )

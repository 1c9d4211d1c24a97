"""Which papers a number rests on, the team of each, and the stratum in which it is compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoflop.divide.model import Team, TeamRule
from isoflop.divide.works_teams import teams_of_works
from isoflop.errors import EvidenceError, SettingError, closest
from isoflop.evidence.models import listed
from isoflop.evidence.table import Step
from isoflop.present import formats

if TYPE_CHECKING:
    import polars as pl

    from isoflop.evidence.table import Table
    from isoflop.findings import Provenance

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

MANY_UNKNOWN = 0.05
"""Above this share of papers without a team a caution is given."""
BY_RULES = (
    "Teams of papers are decided by rules on affiliation texts and e-mail domains, not by hand: `divide "
    "classify --explain` shows each decision, and an override table corrects it."
)
NO_SAMPLE = (
    "The papers are those of the venues in the table, not a random sample of research: another choice of "
    "venues gives other shares."
)


@dataclass(frozen=True, kw_only=True, eq=False)
class WorksSample:
    """Papers of one table with the team of each.

    Papers of unknown team are kept and marked.

    Parameters
    ----------
    table : Table
        Evidence of schema ``works``.
    frame : polars.DataFrame
        The papers kept, with ``team`` and the share of the listed organisations that are academic,
        industrial or other (``part_academia``, ``part_industry``, ``part_other``) added.
    rule : TeamRule
    steps : tuple of Step
        Rules applied here, after those of the table.
    cautions : tuple of str
    """

    table: Table
    frame: pl.DataFrame
    rule: TeamRule
    steps: tuple[Step, ...]
    cautions: tuple[str, ...]

    @property
    def n(self) -> int:
        """Number of papers, unknown teams included."""
        return int(self.frame.height)

    @cached_property
    def team(self) -> NDArray[np.str_]:
        """Team of each paper, shape (n,)."""
        return np.asarray(self.frame["team"].to_list(), dtype=str)

    @cached_property
    def known(self) -> BoolArray:
        """Papers whose team is known, shape (n,)."""
        return np.asarray(self.team != "unknown", dtype=bool)

    @cached_property
    def year(self) -> IntArray:
        """Year of each paper, shape (n,)."""
        return self.frame["year"].to_numpy().astype(np.int64)

    @cached_property
    def citations(self) -> FloatArray:
        """Citations of each paper, shape (n,); NaN where they are not known."""
        return self.frame["citations"].fill_null(float("nan")).to_numpy().astype(float)

    @cached_property
    def stratum(self) -> IntArray:
        """Number of each paper's venue and year, shape (n,), in the order of `strata`."""
        import polars as pl

        ranks = pl.struct(pl.col("venue").fill_null(""), "year").rank("dense")
        return self.frame.select(ranks - 1).to_series().to_numpy().astype(np.int64)

    @cached_property
    def strata(self) -> tuple[tuple[str, int], ...]:
        """Venue and year of each stratum, in order."""
        import polars as pl

        pairs = self.frame.select(pl.col("venue").fill_null(""), "year").unique().sort("venue", "year")
        return tuple((str(venue), int(year)) for venue, year in pairs.iter_rows())

    @cached_property
    def topic_counts(self) -> dict[str, int]:
        """Papers of each topic, most frequent first."""
        counts: dict[str, int] = {}
        for cell, times in self.frame["topics"].drop_nulls().value_counts(sort=True).iter_rows():
            for topic in set(listed(cell)):
                counts[topic] = counts.get(topic, 0) + times
        return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))

    def on_topic(self, topic: str) -> BoolArray:
        """Return which papers are on a topic, shape (n,)."""
        has = {cell: topic in listed(cell) for cell in self.frame["topics"].unique()}
        return np.array([has[cell] for cell in self.frame["topics"]], dtype=bool)

    def of(self, keep: BoolArray | Sequence[bool]) -> WorksSample:
        """Return the papers where `keep`, shape (n,), is true; steps and cautions stay."""
        import polars as pl

        kept = self.frame.filter(pl.Series(np.asarray(keep, dtype=bool)))
        return replace(self, frame=kept)

    def counts(self) -> dict[str, int]:
        """Return papers by team, unknown last."""
        return {team: int((self.team == team).sum()) for team in self.teams_present()}

    def teams_present(self) -> tuple[Team, ...]:
        """Return the teams that occur, in the order of `TEAMS`."""
        from isoflop.divide.model import TEAMS

        here = set(self.team.tolist())
        return tuple(team for team in TEAMS if team in here)

    def provenance(self, rows_used: int | None = None) -> tuple[Provenance, ...]:
        """Return the evidence behind a number that rests on `rows_used` papers (default: of known team)."""
        return (self.table.provenance(int(self.known.sum()) if rows_used is None else rows_used),)

    def waterfall(self) -> list[dict[str, Any]]:
        """Return each rule with what it kept and dropped, the table's own rules first."""
        return [
            {"rule": s.rule, "unit": s.unit, "kept": s.kept, "dropped": s.dropped}
            for s in (*self.table.steps, *self.steps)
        ]


def select_works(
    works: Table | WorksSample | Any,
    *,
    rule: TeamRule | None = None,
    since: int | None = None,
    until: int | None = None,
    venues: Sequence[str] = (),
    with_abstract: bool = False,
) -> WorksSample:
    """Choose the papers that a number rests on.

    Parameters
    ----------
    works : Table, path, data frame or WorksSample
        Evidence of schema ``works``; of a sample the teams are kept, so that affiliations are read once
        for several verbs.
    rule : TeamRule, optional
        How organisations become a team; default: that of the sample, else ``TeamRule()``.
    since, until : int, optional
        First and last year, both included.
    venues : sequence of str
        Only these; empty keeps all.
    with_abstract : bool
        Only papers whose topics rest on an abstract: a title alone names fewer topics. Left out of
        account where the table does not say.

    Returns
    -------
    WorksSample

    Raises
    ------
    EvidenceError
        No paper is left, or the table is of another schema.
    SettingError
        A venue is not in the table.

    Examples
    --------
    >>> import polars as pl
    >>> rows = {"title": ["On A", "On B"], "year": [2020, 2021], "team_label": ["Academia", "Industry"]}
    >>> select_works(pl.DataFrame(rows)).counts()
    {'academia': 1, 'industry': 1}
    """
    import polars as pl

    before = works if isinstance(works, WorksSample) else None
    table = before.table if before is not None else _table(works)
    rule = rule or (before.rule if before is not None else TeamRule())
    _known_venues(table, venues)
    chosen = {"the year is known": pl.col("year").is_not_null()}
    if since is not None:
        chosen[f"since {since}"] = pl.col("year") >= since
    if until is not None:
        chosen[f"until {until}"] = pl.col("year") <= until
    if venues:
        chosen[f"venue is {', '.join(venues)}"] = pl.col("venue").is_in([v.lower() for v in venues])
    if with_abstract and table.frame["has_abstract"].is_not_null().any():
        chosen["topics rest on an abstract"] = pl.col("has_abstract")
    frame, steps = (table.frame, []) if before is None else (before.frame, list(before.steps))
    for text, condition in chosen.items():
        whole = frame
        frame = whole.filter(condition.fill_null(False))
        if frame.height < whole.height:
            steps.append(_step(text, whole, frame))
        if frame.height == 0:
            raise EvidenceError(
                f"{table.name}: no paper is left after '{text}', needs at least one. Loosen the choice."
            )
    if before is None or before.rule != rule:
        frame = frame.with_columns(teams_of_works(frame, rule, table.name))
    sample = WorksSample(table=table, frame=frame, rule=rule, steps=tuple(steps), cautions=())
    return replace(sample, cautions=(*table.cautions, *_cautions(sample)))


def _step(rule: str, before: pl.DataFrame, after: pl.DataFrame) -> Step:
    keys = [name for name in ("table", "record") if name in before.columns]
    gone = before.join(after, on=keys, how="anti", nulls_equal=True)
    rows = tuple(f"row {record} ({title})" for record, title in gone.select("record", "title").iter_rows())
    return Step(rule=rule, unit="rows", kept=after.height, dropped=gone.height, rows=rows)


def _known_venues(table: Table, venues: Sequence[str]) -> None:
    here = sorted(table.frame["venue"].drop_nulls().unique().to_list())
    for venue in venues:
        if venue.lower() not in here:
            near = closest(venue, here)
            hint = f"Did you mean {near!r}?" if near else f"It has {', '.join(here[:12]) or 'none'}."
            raise SettingError(
                f"select_works: venue {venue!r} is not in {table.name}, needs one that is. {hint}"
            )


def _table(works: Table | Any) -> Table:
    from isoflop.evidence import load
    from isoflop.evidence.table import Table as EvidenceTable

    table = works if isinstance(works, EvidenceTable) else load(works, schema="works")
    if table.schema != "works":
        raise EvidenceError(
            f"{table.name}: a table of {table.schema}, needs works (one row a paper). Name another."
        )
    return table


def _cautions(sample: WorksSample) -> tuple[str, ...]:
    said = [NO_SAMPLE]
    if sample.frame["affiliations"].is_not_null().any():
        said.append(BY_RULES)
    blank = int((~sample.known).sum())
    said.append(
        f"{blank:,} of {sample.n:,} papers ({formats.percent(blank / sample.n)}) have no known team and are "
        "left out. Their affiliations, or labels, would cure it."
    )
    return tuple(said)


def present(counts: Mapping[str, int], names: Sequence[str], what: str) -> tuple[str, ...]:
    """Return `names` if all occur in `counts`, all of `counts` if none is asked for.

    Raises
    ------
    SettingError
        A name does not occur.
    """
    for name in names:
        if name not in counts:
            near = closest(name, counts)
            hint = f"Did you mean {near!r}?" if near else f"There are {', '.join(counts) or 'none'}."
            raise SettingError(f"{what} {name!r} does not occur in these papers, needs one that does. {hint}")
    return tuple(names) or tuple(counts)

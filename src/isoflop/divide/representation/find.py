"""`representation`: is a team rarer on some topics than elsewhere, venue for venue?

R(team, topic) = P(team | topic) / P(team). The crude ratio compares with all papers; where venues differ
in both their teams and their topics it mistakes one for the other, so the standardised ratio
R_std = a / sum_s n_s P(team | s) stands beside it, s = venue and year.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoflop.divide.model import Team, TeamRule
from isoflop.divide.representation.cells import Sums, count_cells, draw_counts, sums
from isoflop.divide.representation.result import Ratio, Representation
from isoflop.divide.works_sample import WorksSample, present, select_works
from isoflop.errors import EvidenceError, SettingError
from isoflop.findings import Estimate
from isoflop.stats.checks import unit_level, whole_number
from isoflop.stats.contingency import benjamini_hochberg, fisher_exact
from isoflop.stats.intervals import clopper_pearson
from isoflop.stats.part_ratio import part_ratio

if TYPE_CHECKING:
    from isoflop.evidence.table import Table

FloatArray = NDArray[np.float64]
COMPARED: tuple[Team, ...] = ("academia", "industry", "collaboration")
REPS = 999


def representation(
    works: Table | WorksSample | Any,
    *,
    topics: Sequence[str] = (),
    teams: Sequence[Team] = COMPARED,
    rule: TeamRule | None = None,
    since: int | None = None,
    until: int | None = None,
    venues: Sequence[str] = (),
    standardise: bool = True,
    titles_too: bool = False,
    reps: int = REPS,
    level: float = 0.95,
    seed: int = 0,
) -> Representation:
    """Compare how often teams work on each topic with how often they work at all.

    Parameters
    ----------
    works : Table, path, data frame or WorksSample
        Evidence of schema ``works``.
    topics : sequence of str
        Topics to compare; empty takes all in the table.
    teams : sequence of str
        Teams to compare; papers of other known teams count in the whole.
    rule, since, until, venues
        As in `select_works`.
    standardise : bool
        Also compare within venue and year, with a bootstrap over papers in each.
    titles_too : bool
        Keep papers whose topics rest on the title alone.
    reps, seed : int
        Of the bootstrap.
    level : float, in (0, 1)

    Returns
    -------
    Representation

    Raises
    ------
    EvidenceError
        No topics in the table, or no paper of a known team.
    SettingError
        A topic or a team does not occur.

    Examples
    --------
    >>> import polars as pl
    >>> rows = {"title": [f"On {i}" for i in range(40)], "year": 2020, "venue": "icml"}
    >>> rows |= {"team_label": ["Academia"] * 30 + ["Industry"] * 10}
    >>> rows |= {"topics": ["theory"] * 10 + ["vision"] * 30}
    >>> found = representation(pl.DataFrame(rows), reps=99)
    >>> round(found.ratio("academia", "theory").crude.value, 3)
    1.333
    """
    unit_level("representation", level)
    whole_number("representation", "reps", reps, least=50)
    sample = select_works(
        works, rule=rule, since=since, until=until, venues=venues, with_abstract=not titles_too
    )
    if not sample.topic_counts:
        raise EvidenceError(
            f"{sample.table.name}: no paper has a topic (column 'topics'), needs topics joined by ';'. Add "
            "the column, or map it with --map topics=NAME."
        )
    known = sample.of(sample.known)
    if known.n == 0:
        raise EvidenceError(
            f"{sample.table.name}: no paper has a known team, needs affiliations or labels. Add them."
        )
    names = present(known.topic_counts, topics, "topic")
    wrong = next((team for team in teams if team not in known.teams_present()), None)
    if wrong is not None and tuple(teams) != COMPARED:
        raise SettingError(
            f"representation: team {wrong!r} has no paper here, needs one of "
            f"{', '.join(known.teams_present())}. Choose one."
        )
    here = tuple(team for team in teams if team in known.teams_present())
    cells = count_cells(known, names, here)
    seen = sums(cells, cells.count)
    drawn = sums(cells, draw_counts(cells, reps, seed)) if standardise else None
    return Representation(
        sample=sample,
        topics=names,
        teams=here,
        ratios=_ratios(seen, drawn, here, names, level),
        strata=len(known.strata),
        is_standardised=standardise,
        reps=reps,
        level=level,
        seed=seed,
    )


def _ratios(
    seen: Sums, drawn: Sums | None, teams: tuple[Team, ...], topics: tuple[str, ...], level: float
) -> tuple[Ratio, ...]:
    made = []
    for g, team in enumerate(teams):
        counts = [
            (int(seen.both[g, t]), int(seen.on_topic[t]), int(seen.of_team[g]), int(seen.total))
            for t in range(len(topics))
        ]
        p = [fisher_exact(a, n, of_team - a, total - n) for a, n, of_team, total in counts]
        for t, (topic, q) in enumerate(zip(topics, benjamini_hochberg(p), strict=True)):
            a, n, of_team, total = counts[t]
            standardised = None
            if drawn is not None:
                draws = drawn.both[:, g, t], drawn.expected[:, g, t]
                standardised = standardised_ratio(a, n, float(seen.expected[g, t]), *draws, level)
            made.append(
                Ratio(
                    team=team,
                    topic=topic,
                    both=a,
                    on_topic=n,
                    of_team=of_team,
                    total=total,
                    expected=float(seen.expected[g, t]),
                    crude=crude_ratio(a, n, of_team, total, level),
                    standardised=standardised,
                    p=p[t],
                    q=float(q),
                )
            )
    return tuple(made)


def crude_ratio(a: int, n: int, of_team: int, total: int, level: float = 0.95) -> Estimate:
    """Return R = (a/n) / (A/N) with its interval; see `isoflop.stats.part_ratio`.

    Examples
    --------
    >>> ratio = crude_ratio(30, 100, 400, 1000)
    >>> round(ratio.value, 3), round(ratio.low, 3), round(ratio.high, 3)
    (0.75, 0.563, 0.999)
    """
    one = part_ratio(a, n, of_team, total, level)
    value, low, high = (float(bound) for bound in (one.value, one.low, one.high))
    return Estimate(value=value, low=low, high=high, level=level, unit="1")


def standardised_ratio(
    a: int,
    n: int,
    expected: float,
    drawn: FloatArray,
    drawn_expected: FloatArray,
    level: float = 0.95,
) -> Estimate:
    """Return a / expected with the percentiles of its bootstrap.

    Without a paper of the team on the topic only an upper limit is known, as for the crude ratio.
    """
    if expected <= 0:
        return Estimate(value=None, unit="1")
    if a == 0:
        high = float(clopper_pearson(0, n, level)[1]) * n / expected
        return Estimate(value=0.0, low=0.0, high=high, level=level, unit="1")
    draws = drawn / np.maximum(drawn_expected, 1e-12)
    low, high = np.quantile(draws[drawn_expected > 0], [(1 - level) / 2, (1 + level) / 2])
    return Estimate(value=a / expected, low=float(low), high=float(high), level=level, unit="1")

"""`adoption`: the share of academic papers that name (or use) an open model of industry, by year.

Crude shares follow the venues that are present in a year, so each year also has the share at a fixed mix
of venues, from `isoflop.divide.adoption.two_way`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
from numpy.typing import NDArray

from isoflop.divide.adoption.naming import Entry, Kind, Makers, Named, Wanted, Weights, name_models
from isoflop.divide.adoption.result import Adoption, DeveloperShare, YearAdoption
from isoflop.divide.adoption.two_way import YearEffects, year_effects
from isoflop.divide.model import Team, TeamRule
from isoflop.divide.representation.trend import share_of
from isoflop.divide.works_sample import WorksSample, select_works
from isoflop.errors import EvidenceError, SettingError
from isoflop.findings import Estimate
from isoflop.stats.checks import unit_level, whole_number
from isoflop.stats.intervals import clopper_pearson
from isoflop.stats.resample import BLOCK, replicate_blocks

if TYPE_CHECKING:
    from isoflop.evidence.pretrained import PretrainedModel
    from isoflop.evidence.table import Table

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
REPS = 999
ENDS = 3
"""Years at each end that are compared: single years have a few venues only."""


def adoption(
    works: Table | WorksSample | Any,
    *,
    dictionary: Table | Sequence[PretrainedModel] | Any = "pretrained_models",
    team: Team = "academia",
    kind: Kind = "mention",
    weights: Weights = "open",
    makers: Makers = "industry",
    rule: TeamRule | None = None,
    since: int | None = None,
    until: int | None = None,
    venues: Sequence[str] = (),
    reps: int = REPS,
    level: float = 0.95,
    seed: int = 0,
) -> Adoption:
    """Count the papers of a team that name or use a model of industry, by year and developer.

    Parameters
    ----------
    works : Table, path, data frame or WorksSample
        Evidence of schema ``works``.
    dictionary : Table, path, data frame or sequence of PretrainedModel
        Evidence of schema ``pretrained_models``; default: the one that ships.
    team : str
        Whose papers.
    kind : {"mention", "use"}
        Named in title, abstract or keywords; or used, by full text or references.
    weights : {"open", "any"}
        Models with open weights, or all.
    makers : {"industry", "involved"}
        Models of companies alone, or also those made together with academia.
    rule, since, until, venues
        As in `select_works`.
    reps, seed : int
        Of the bootstrap of papers within venue and year.
    level : float, in (0, 1)

    Returns
    -------
    Adoption

    Raises
    ------
    EvidenceError
        No paper of the team, or no text and no list to find models in.
    SettingError
        A setting is unknown.
    """
    unit_level("adoption", level)
    whole_number("adoption", "reps", reps, least=50)
    for name, given, choices in (
        ("kind", kind, get_args(Kind)),
        ("weights", weights, get_args(Weights)),
        ("makers", makers, get_args(Makers)),
    ):
        if given not in choices:
            raise SettingError(
                f"adoption: {name}={given!r}, must be one of {', '.join(choices)}. Choose one."
            )
    wanted = Wanted(weights=weights, makers=makers)
    sample = select_works(
        works, rule=rule, since=since, until=until, venues=venues, with_abstract=kind == "mention"
    )
    models = _models(dictionary)
    ours = sample.of(sample.team == team)
    if ours.n == 0:
        raise EvidenceError(f"{sample.table.name}: no paper of team {team!r}, needs some. Choose another.")
    named = name_models(ours.frame, models, wanted, kind, sample.table.name)
    hits = np.array([bool(entries) for entries in named.entries])
    wrong = np.array([bool(entries) for entries in named.refused])
    doubtful = np.array([bool(found) and all(e.may_be_closed for e in found) for found in named.entries])
    grid = _grid(ours, hits)
    effects = year_effects(grid.k, grid.n)
    drawn = year_effects(_draws(grid, reps, seed), grid.n)
    return Adoption(
        sample=sample,
        team=team,
        kind=kind,
        wanted=wanted,
        source=named.source,
        n=ours.n,
        years=_years(ours, grid, (effects, drawn), wrong, doubtful, level),
        developers=_developers(named, ours.n, level),
        chance=_chance(named, ours),
        growth=_growth(grid, effects, drawn, level),
        strange=named.strange,
        reps=reps,
        level=level,
        seed=seed,
    )


def _models(dictionary: Any) -> tuple[PretrainedModel, ...]:
    from isoflop.evidence import load
    from isoflop.evidence.pretrained import PretrainedModel
    from isoflop.evidence.pretrained import dictionary as read
    from isoflop.evidence.table import Table as EvidenceTable

    if isinstance(dictionary, (list, tuple)) and all(isinstance(m, PretrainedModel) for m in dictionary):
        models = tuple(dictionary)
    else:
        table = (
            dictionary
            if isinstance(dictionary, EvidenceTable)
            else load(dictionary, schema="pretrained_models")
        )
        models = read(table)
    if not models:
        raise EvidenceError("adoption: the dictionary is empty, needs at least one model. Add rows.")
    return models


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Grid:
    """Papers by venue (rows) and year (columns): all, and those that count."""

    years: tuple[int, ...]
    k: FloatArray
    n: FloatArray


def _grid(ours: WorksSample, hits: BoolArray) -> _Grid:
    years, column = np.unique(ours.year, return_inverse=True)
    venue_of = {venue: row for row, venue in enumerate(sorted({venue for venue, _ in ours.strata}))}
    row = np.array([venue_of[venue] for venue, _ in ours.strata])[ours.stratum]
    shape = (len(venue_of), years.size)
    place = np.ravel_multi_index((row, column), shape)
    n = np.bincount(place, minlength=shape[0] * shape[1]).reshape(shape).astype(float)
    k = np.bincount(place[hits], minlength=shape[0] * shape[1]).reshape(shape).astype(float)
    return _Grid(years=tuple(int(y) for y in years), k=k, n=n)


def _draws(grid: _Grid, reps: int, seed: int) -> FloatArray:
    """Return counts of bootstrap replicates, shape (reps, v, y): papers drawn within venue and year."""
    out = np.empty((reps, *grid.k.shape))
    chance = grid.k / np.maximum(grid.n, 1.0)
    for rng, inside, outside in replicate_blocks(seed, 0, reps):
        drawn = rng.binomial(grid.n.astype(np.int64), chance, size=(BLOCK, *grid.k.shape))
        out[outside] = drawn[inside]
    return out


def _years(
    ours: WorksSample,
    grid: _Grid,
    effects: tuple[YearEffects, YearEffects],
    wrong: BoolArray,
    doubtful: BoolArray,
    level: float,
) -> tuple[YearAdoption, ...]:
    made = []
    for place, year in enumerate(grid.years):
        k, n = int(grid.k[:, place].sum()), int(grid.n[:, place].sum())
        made.append(
            YearAdoption(
                year=year,
                k=k,
                n=n,
                refused=int(wrong[ours.year == year].sum()),
                doubtful=int(doubtful[ours.year == year].sum()),
                crude=share_of(k, n, level),
                standardised=_standardised(k, n, place, *effects, level),
                venues=int((grid.n[:, place] > 0).sum()),
            )
        )
    return tuple(made)


def _standardised(
    k: int, n: int, place: int, effects: YearEffects, drawn: YearEffects, level: float
) -> Estimate:
    value = float(effects.share[place])
    if not effects.linked[place] or not np.isfinite(value):
        return Estimate(value=None, unit="1")
    if k == 0:
        # Without a hit no replicate has one: the exact upper limit, moved to the fixed mix of venues.
        mix = float(effects.mix[place])
        high = min(1.0, float(clopper_pearson(0, n, level)[1]) * (mix if np.isfinite(mix) else 1.0))
        return Estimate(value=0.0, low=0.0, high=high, level=level, unit="1")
    kept = drawn.share[:, place]
    low, high = np.quantile(kept[np.isfinite(kept)], [(1 - level) / 2, (1 + level) / 2])
    return Estimate(value=value, low=float(low), high=float(high), level=level, unit="1")


def _developers(named: Named, n: int, level: float) -> tuple[DeveloperShare, ...]:
    papers: dict[str, int] = {}
    for entries in named.entries:
        for developer in {d for e in entries for d in e.developers}:
            papers[developer] = papers.get(developer, 0) + 1
    ranked = sorted(papers.items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple(DeveloperShare(developer=d, k=k, share=share_of(k, n, level)) for d, k in ranked)


def _chance(named: Named, ours: WorksSample) -> tuple[int, float, int]:
    """Return mentions refused, those expected by chance among the kept, and mentions kept.

    Words that occurred at a rate before the release are taken to occur at that rate after it.
    """
    refused: dict[Entry, int] = {}
    kept: dict[Entry, int] = {}
    for store, found in ((refused, named.refused), (kept, named.entries)):
        for entries in found:
            for entry in entries:
                store[entry] = store.get(entry, 0) + 1
    expected = 0.0
    for entry, times in refused.items():
        before = int((ours.year < entry.released.year).sum())
        if before:
            expected += min(times / before * (ours.n - before), kept.get(entry, 0))
    return sum(refused.values()), expected, sum(kept.values())


def _growth(grid: _Grid, effects: YearEffects, drawn: YearEffects, level: float) -> Estimate:
    """Return the mean standardised share of the last years over that of the first since any mention."""
    some = np.flatnonzero((grid.k.sum(axis=0) > 0) & effects.linked)
    if some.size < 2 * ENDS:
        return Estimate(value=None, unit="×")
    span = np.arange(some[0], some[-1] + 1)
    span = span[effects.linked[span]]
    first, last = span[:ENDS], span[-ENDS:]
    ratio = effects.share[last].mean() / effects.share[first].mean()
    draws = drawn.share[:, last].mean(axis=1) / np.maximum(drawn.share[:, first].mean(axis=1), 1e-12)
    low, high = np.quantile(draws[np.isfinite(draws)], [(1 - level) / 2, (1 + level) / 2])
    return Estimate(value=float(ratio), low=float(low), high=float(high), level=level, unit="×")

"""Speed of `divide`'s specification curve and audit, beside plain loops over the same choices.

Runs on the three public snapshots where they are at hand, else on planted editions of that size. The
reference selects the rows afresh for each specification, one after the other; for the joint test it copies
the rows of drawn organisations and goes through the whole curve again, replicate by replicate.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np

from benchmarks.harness import Job, Reference
from isoflop.divide.audit.find import audit
from isoflop.divide.audit.result import SnapshotChanges
from isoflop.divide.sample import Sample, select
from isoflop.divide.snapshots import snapshots_of
from isoflop.divide.specification.find import specification
from isoflop.divide.specification.grid import Grid
from isoflop.divide.specification.result import SpecificationCurve
from isoflop.divide.specification.rows import Rows, rows_of
from isoflop.divide.specification.shares import distinct_codings
from isoflop.divide.specification.trends import sectors_of
from isoflop.evidence import load
from isoflop.evidence.table import Table
from isoflop.stats.intervals import wilson
from isoflop.stats.regression import linear_regression

FILES = (
    "epoch_models_2023-12-20.csv",
    "epoch_notable_ai_models_2025-02.csv",
    "epoch_all_ai_models_2025-04.csv",
)
REPS = 500
LEAST = 500
SPECIFICATIONS = 1164
"""Share and gap on the public snapshots; on planted ones the loop starts again at the first."""
HEADLINES = ("academia_share_last", "gap_oom")
GRID = Grid()
ORIGIN = 2018.0


@cache
def tables() -> tuple[Table, ...]:
    """Return the public snapshots, or planted ones of their size."""
    named = os.environ.get("ISOFLOP_EVIDENCE", Path(__file__).parents[3] / "shared" / "data")
    paths = [Path(named) / "divide" / name for name in FILES]
    if all(path.is_file() for path in paths):
        return tuple(load(path) for path in paths)
    from validation.divide_joint import Planted, editions

    return tuple(editions(Planted(systems=1200, organisations=500), 0))


@cache
def rows() -> tuple[Rows, ...]:
    """Return the rows under every filter and rule, as the reference of the joint test needs them."""
    return rows_of(snapshots_of(tables()), GRID.filters, GRID.rules)


@cache
def choices() -> tuple[tuple[str, ...], ...]:
    """Return place of the rows and of the coding, and the other settings, of each specification."""
    made: list[tuple[str, ...]] = []
    for place, some in enumerate(rows()):
        for coding in distinct_codings(some):
            which = str(some.codings.index(coding))
            for large, period, interval in product(
                range(len(GRID.large)), range(len(GRID.periods)), GRID.intervals
            ):
                made.append(("share", str(place), which, str(large), str(period), interval))
        for sectors in sectors_of(some, GRID):
            which = str(some.codings.index(sectors.coding))
            for year, interval in product(GRID.gap_years, GRID.covariances):
                joined = str(int(sectors.joined))
                made.append(("gap", str(place), which, str(sectors.since), joined, str(year), interval))
    return tuple(made)


def curves() -> SpecificationCurve:
    """Run every default headline without a joint test."""
    return specification(tables(), joint=0)


def joint() -> SpecificationCurve:
    """Run two headlines with the joint test, which the reference redoes."""
    return specification(tables(), headline=HEADLINES, joint=REPS)  # type: ignore[arg-type]


def compare() -> SnapshotChanges:
    """Audit the snapshots."""
    return audit(tables())


def one_by_one(pieces: Sequence[int]) -> list[float]:
    """Select the rows of some specifications afresh and return their values."""
    out = []
    for piece in pieces:
        settings = choices()[piece % len(choices())]
        some = rows()[int(settings[1])]
        sample = select(some.sample.table, rule=some.codings[int(settings[2])].rule, filter=some.filter)
        out.append(_share(sample, settings) if settings[0] == "share" else _gap(sample, settings))
    return out


def _share(sample: Sample, settings: tuple[str, ...]) -> float:
    known = sample.of(sample.known)
    large = GRID.large[int(settings[3])].mask(known.t, known.year, known.log10_flop)
    period = GRID.periods[int(settings[4])][1]
    inside = [
        team == "academia"
        for team, year, big in zip(known.team, known.year, large, strict=True)
        if big and period.first <= year <= period.last
    ]
    if not inside:
        return float("nan")
    wilson(sum(inside), len(inside))
    return sum(inside) / len(inside)


def _gap(sample: Sample, settings: tuple[str, ...]) -> float:
    since, joined, year, interval = int(settings[3]), settings[4] == "1", int(settings[5]), settings[6]
    industry = {"industry", "collaboration"} if joined else {"industry"}
    keep = np.array(
        [
            y >= since and (team == "academia" or team in industry)
            for y, team in zip(sample.year, sample.team, strict=True)
        ]
    )
    rest = sample.of(keep)
    when, ind = rest.t - ORIGIN, (rest.team != "academia").astype(float)
    kind = {"HC1": "HC1", "OLS": "classical", "by_organisation": "CR1"}[interval]
    codes = rest.clusters if interval == "by_organisation" else None
    fit = linear_regression(
        np.stack([np.ones(when.size), when, ind, ind * when], axis=1),
        rest.log10_flop,
        covariance=kind,  # type: ignore[arg-type]
        codes=codes,
    )
    return float(fit.coefficients[2] + fit.coefficients[3] * (year + 0.5 - ORIGIN))


def replicates(pieces: Sequence[int]) -> list[float]:
    """Return the median effect of both curves in some replicates, each on copied rows."""
    out = []
    for piece in pieces:
        rng = np.random.default_rng(piece)
        clusters = int(max(some.cluster.max() for some in rows())) + 1
        times = np.bincount(rng.integers(0, clusters, clusters), minlength=clusters)
        shares, gaps = [], []
        for some in rows():
            copies = np.repeat(np.arange(some.t.size), times[some.cluster])
            shares += list(_shares_of(some, copies))
            gaps += list(_gaps_of(some, copies))
        out.append(float(np.nanmedian(shares) + np.nanmedian(gaps)))
    return out


def _shares_of(some: Rows, copies: np.ndarray) -> list[float]:
    found = []
    for coding in distinct_codings(some):
        kept = copies[coding.known[copies]]
        academic, year = coding.team[kept] == "academia", some.year[kept]
        for large in GRID.large[1:]:
            big = large.mask(some.t[kept], year, some.log10_flop[kept])
            for _, last in GRID.periods:
                inside = (year >= last.first) & (year <= last.last)
                n = int((big & inside).sum())
                expected = sum(
                    int((big & (year == y)).sum()) * float(academic[year == y].mean())
                    for y in last.years
                    if (year == y).any()
                )
                found.append((int((academic & big & inside).sum()) - expected) / n if n else np.nan)
    return found


def _gaps_of(some: Rows, copies: np.ndarray) -> list[float]:
    found = []
    for sectors in sectors_of(some, GRID):
        kept = copies[sectors.usable[copies]]
        when, ind = some.t[kept] - ORIGIN, sectors.industry[kept].astype(float)
        design = np.stack([np.ones(when.size), when, ind, ind * when], axis=1)
        fit = np.linalg.lstsq(design, some.log10_flop[kept], rcond=None)[0]
        found += [float(fit[2] + fit[3] * (year + 0.5 - ORIGIN)) for year in GRID.gap_years]
    return found


def many(found: SpecificationCurve) -> bool:
    """Whether the curves hold as many specifications as the bar names."""
    return sum(len(curve.values) for curve in found.curves) >= LEAST


def agrees(found: SpecificationCurve) -> bool:
    """Whether the same two medians come out of the plain loop."""
    kinds = [settings[0] for settings in choices()]
    values = np.array(one_by_one(range(len(kinds))))
    return many(found) and all(
        np.isclose(np.nanmedian(values[[kind == family for kind in kinds]]), found.curve(name).median)  # type: ignore[arg-type]
        for family, name in (("share", "academia_share_last"), ("gap", "gap_oom"))
    )


JOBS = (
    Job(
        name="specifications",
        ours=curves,
        reference=Reference(run=one_by_one, pieces=SPECIFICATIONS),
        bar_cpu_s=2.0,
        accept=agrees,
        note="5 headlines over 3 snapshots, no joint test; the reference runs 2 of the 5, rows chosen afresh",
    ),
    Job(
        name="joint-500",
        ours=joint,
        reference=Reference(run=replicates, pieces=REPS),
        bar_cpu_s=60.0,
        accept=many,
        note="share and gap, 500 replicates; the reference copies the rows of drawn organisations",
    ),
    Job(
        name="audit",
        ours=compare,
        bar_cpu_s=2.0,
        accept=lambda found: len(found.moves) > 0,
        note="3 snapshots aligned, 5 headlines, 32 mixtures each of 3 pairs",
    ),
)

"""Speed of `progress`, side by side with the published procedure on the same rows.

The rows are simulated from law 7 with the shape of the published sample (231 rows of 144 papers
on three benchmarks), so that the jobs run anywhere; with the public sheet at hand they run on it.
The reference is the published procedure: SciPy's SLSQP from zero with finite differences.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.harness import Job, Reference
from isoflop.progress.compat import paper_fit
from isoflop.progress.estimate import MAX_BASINS, find_minima, refit, replicate_starts
from isoflop.progress.model import PAPER_LAWS, Model, model
from isoflop.progress.robustness.compare import compare
from isoflop.progress.robustness.comparison import LeaveOneOut
from isoflop.progress.sample import PAPER_RULES, Sample, select
from isoflop.progress.settings import L1, PENALTIES, Starts
from isoflop.stats.exp_sum import Array, ExpSumDesign
from isoflop.stats.resample import Bootstrap, legacy_choices, weights_from_choices

DELTA = 0.0025
STARTS = Starts(count=24)
FEW, MANY, DRAWS = 100, 10_000, 1000
FOLDS = 184


@cache
def sample() -> Sample:
    """Return the published sample, or a simulated one of its shape."""
    from isoflop import evidence
    from isoflop.progress.simulate import planted_table

    folder = Path(os.environ.get("ISOFLOP_EVIDENCE", Path(__file__).parents[2] / "shared" / "data"))
    sheet = folder / "progress" / "lm_evaluations.csv"
    table = evidence.load(sheet) if sheet.is_file() else planted_table(seed=0)
    return select(table, rules=PAPER_RULES)


@cache
def prepared(law: int) -> tuple[Model, ExpSumDesign, Array, Array, Array]:
    """Return model, design, outcome, basins and penalties of a law on the whole sample."""
    rows = sample()
    chosen = model(law, benchmarks=rows.benchmarks, normalisers=rows.normalisers)
    features = rows.features
    if chosen.law.vocabulary:
        from isoflop.progress.robustness.compare import with_vocabulary

        features = with_vocabulary(rows).features
    design = chosen.design(features)
    minima = find_minima(design, rows.outcome, chosen, L1(delta=DELTA), STARTS)
    basins = np.array([m.theta for m in minima[:MAX_BASINS]])
    return chosen, design, rows.outcome, basins, L1(delta=DELTA).strengths(chosen)


@cache
def legacy(reps: int) -> np.ndarray:
    """Return the row choices that both sides use."""
    return legacy_choices(sample().n, reps, 0)


def bootstrap(law: int, weights: Array) -> Array:
    """Refit every replicate; return the objectives."""
    chosen, design, y, basins, l1 = prepared(law)
    points = replicate_starts(design, y, weights, basins=basins, points=STARTS.points(chosen), l1=l1)
    return refit(design, y, weights, starts=points, basins=basins, l1=l1).objective


def few_bootstraps() -> Array:
    """Return converged objectives of 100 replicates."""
    return bootstrap(7, weights_from_choices(legacy(FEW), sample().n))


def many_bootstraps() -> Array:
    """Return converged objectives of 10,000 replicates."""
    return bootstrap(7, weights_from_choices(legacy(MANY), sample().n))


def published_bootstraps(reps: int, pieces: Sequence[int]) -> Array:
    """Return the objectives at which SLSQP stops on some replicates."""
    _, design, y, _, _ = prepared(7)
    out = []
    for i in pieces:
        rows = legacy(reps)[i]
        out.append(paper_fit(design.rows(rows), y[rows], DELTA).objective)
    return np.array(out)


def never_above_published(objectives: Array) -> bool:
    """Whether every converged objective is at or below the published procedure's."""
    return bool((objectives <= published_bootstraps(FEW, range(FEW)) + 1e-12).all())


def leave_one_out() -> float:
    """Run the full cross-validation; return the lowest mean squared error."""
    return compare(sample(), scheme=LeaveOneOut(), starts=STARTS).best.mse


def published_folds(pieces: Sequence[int]) -> float:
    """Run the published procedure on some (law, penalty, fold) triples, started at the full solution."""
    total = 0.0
    for piece in pieces:
        law = PAPER_LAWS[piece // (len(PENALTIES) * FOLDS)]
        delta = PENALTIES[piece // FOLDS % len(PENALTIES)]
        _, design, y, _, _ = prepared(law)
        kept = np.delete(np.arange(sample().n)[:FOLDS], piece % FOLDS)
        start = published_full(law, delta)
        total += paper_fit(design.rows(kept), y[kept], delta, start=start).objective
    return total


@cache
def published_full(law: int, delta: float) -> Array:
    """Return the published solution on the training rows."""
    _, design, y, _, _ = prepared(law)
    kept = np.arange(FOLDS)
    return paper_fit(design.rows(kept), y[kept], delta).theta


def all_laws() -> int:
    """Bootstrap all twenty laws, 1,000 draws by row and by paper; return the refits made."""
    rows = sample()
    by_row = Bootstrap(reps=DRAWS).weights(rows.n)
    by_paper = Bootstrap(reps=DRAWS, by="paper").weights(rows.n, rows.clusters)
    return sum(len(bootstrap(law, w)) for law in PAPER_LAWS for w in (by_row, by_paper))


def published_laws(pieces: Sequence[int]) -> float:
    """Refit some (law, draw, unit) triples by the published procedure."""
    total = 0.0
    for piece in pieces:
        law = PAPER_LAWS[piece // (2 * DRAWS)]
        _, design, y, _, _ = prepared(law)
        rows = legacy(DRAWS)[piece % DRAWS]
        total += paper_fit(design.rows(rows), y[rows], DELTA).objective
    return total


def certified_optima() -> float:
    """Find all minima of 20 laws x 6 penalties from 25 starts; return the largest KKT residual."""
    worst = 0.0
    for law in PAPER_LAWS:
        chosen, design, y, _, _ = prepared(law)
        for delta in PENALTIES:
            minima = find_minima(design, y, chosen, L1(delta=delta), STARTS)
            worst = max(worst, *(m.kkt for m in minima))
    return worst


def published_optima(pieces: Sequence[int]) -> float:
    """Run SLSQP from the same starts for some (law, penalty, start) triples."""
    total, per_law = 0.0, len(PENALTIES) * (STARTS.count + 1)
    for piece in pieces:
        law = PAPER_LAWS[piece // per_law]
        delta = PENALTIES[piece // (STARTS.count + 1) % len(PENALTIES)]
        chosen, design, y, _, _ = prepared(law)
        start = STARTS.points(chosen)[piece % (STARTS.count + 1)]
        total += paper_fit(design, y, delta, start=start).objective
    return total


def warm() -> None:
    """Fit every law once, so that no job pays for what all share."""
    for law in PAPER_LAWS:
        prepared(law)


JOBS = (
    Job(
        name="bootstrap-100",
        ours=few_bootstraps,
        reference=Reference(run=lambda pieces: published_bootstraps(FEW, pieces), pieces=FEW),
        bar_cpu_s=0.1,
        bar_ratio=400.0,
        accept=never_above_published,
        note="law 7, same row choices; every replicate at or below the published objective",
    ),
    Job(
        name="bootstrap-10000",
        ours=many_bootstraps,
        reference=Reference(run=lambda pieces: published_bootstraps(MANY, pieces), pieces=MANY),
        bar_cpu_s=8.0,
        note="law 7, pilot for starts included",
    ),
    Job(
        name="leave-one-out",
        ours=leave_one_out,
        reference=Reference(run=published_folds, pieces=len(PAPER_LAWS) * len(PENALTIES) * FOLDS),
        bar_cpu_s=20.0,
        note="20 laws x 6 penalties x 184 folds, all basins; the reference is warm-started",
    ),
    Job(
        name="laws-20-draws-1000",
        ours=all_laws,
        reference=Reference(run=published_laws, pieces=len(PAPER_LAWS) * 2 * DRAWS),
        bar_cpu_s=30.0,
        note="20 laws x 1,000 draws, by row and by paper",
    ),
    Job(
        name="certified-optimum",
        ours=certified_optima,
        reference=Reference(
            run=published_optima, pieces=len(PAPER_LAWS) * len(PENALTIES) * (STARTS.count + 1)
        ),
        bar_cpu_s=15.0,
        accept=lambda worst: worst <= 1e-8,
        note="20 laws x 6 penalties, 25 starts each and neighbouring penalties; every one certified",
    ),
)

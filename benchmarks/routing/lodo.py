"""Speed of the nested evaluation, beside fitting anew in every fold.

Every statistic of a training dataset e for a target d leaves both out, so the usual procedure searches for
neighbours in D² pools. The reference does that in plain numpy: one matrix product, one partial sort and the
votes a pool. It gives the same numbers, which is checked. Vectors are given to both sides. Runs on the public
collections where they are at hand, else on planted scores of their sizes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np

from benchmarks.harness import Job, Reference
from isoflop.routing.evaluation.comparison import REPS, compare
from isoflop.routing.evaluation.folds import Given, Outcomes, run_folds
from isoflop.routing.model import KAPPA, NEIGHBOURS, SHARED_NEIGHBOURS, Paper
from isoflop.routing.neighbours.search import unit_rows
from isoflop.routing.neighbours.tasks import score_tasks
from isoflop.routing.sample import ScoredPrompts
from isoflop.routing.task_scores import TaskScores

METHODS = ("random", "best_on_average", "s1", "s2", "s3", "neighbour_mix", "s3_true_p", "oracle")
SIZES = {"llmrouter": (14, 9, 5989), "predictaboard": (24, 39, 5761), "routellm": (58, 2, 15361)}
"""Datasets, models and prompts of the public collections."""
LARGE = (40, 80, 10_000)
WIDTH = 256
SAME = 1e-9
TIED = 1e-3
CHECKED = ((0, 0), (1, 3), (4, 2))
"""Folds (task, further dataset left out) whose numbers are compared."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """Scores with their vectors."""

    scored: ScoredPrompts
    vectors: np.ndarray


@cache
def case(name: str) -> Case:
    """Return a public collection with its static vectors, or planted scores of its size."""
    folder = Path(os.environ.get("ISOFLOP_EVIDENCE", Path(__file__).parents[3] / "shared" / "data"))
    path = folder / "routing"
    if name not in SIZES or not (path / "scores.parquet").is_file():
        return planted(*SIZES.get(name, LARGE))
    from isoflop.evidence import load
    from isoflop.routing.encoders import encode
    from isoflop.routing.sample import join

    scored = join(
        load(path / "scores.parquet", schema="model_scores_by_prompt"),
        load(path / "prompts.parquet", schema="prompts"),
        source=name,
    )
    return Case(scored=scored, vectors=encode(scored.prompts, "static").vectors)


def planted(datasets: int, models: int, prompts: int, seed: int = 0) -> Case:
    """Return made-up scores of datasets that lie in eight domains."""
    rng = np.random.default_rng(seed)
    dataset = np.sort(rng.integers(0, datasets, prompts))
    centres = rng.standard_normal((8, WIDTH))[np.arange(datasets) % 8] + rng.standard_normal(
        (datasets, WIDTH)
    )
    vectors = centres[dataset] + rng.standard_normal((prompts, WIDTH))
    score = (rng.random((prompts, models)) < rng.random((datasets, models))[dataset]).astype(float)
    scored = ScoredPrompts(
        datasets=tuple(f"d{d:03d}" for d in range(datasets)),
        models=tuple(f"m{m:03d}" for m in range(models)),
        instance_ids=tuple(map(str, range(prompts))),
        prompts=tuple(map(str, range(prompts))),
        dataset=dataset,
        score=score,
        correct=score,
        group=np.arange(prompts),
        extras={},
        tables=(),
    )
    return Case(scored=scored, vectors=unit_rows(vectors.astype(np.float32), prompts))


def nested(name: str) -> tuple[TaskScores, Outcomes]:
    """Return all task scores and what each method of the paper reaches."""
    found = case(name)
    settings = Paper(leakage="keep")
    scores = score_tasks(found.scored, found.vectors, settings)
    best = np.zeros(len(found.scored.datasets))
    given = Given(linear=None, log_likelihood=None, instance_oracle=best)
    return scores, run_folds(scores, given, METHODS, settings)


def fold(found: Case, task: int, left_out: int) -> dict[str, np.ndarray]:
    """Return what a pool without two datasets says of a task, neighbours searched for anew."""
    home, y = found.scored.dataset, found.scored.correct
    rows = np.flatnonzero(home == task)
    pool = np.flatnonzero((home != task) & (home != left_out))
    similarity = found.vectors[rows] @ found.vectors[pool].T
    near = np.argpartition(-similarity, SHARED_NEIGHBOURS, axis=1)[:, :SHARED_NEIGHBOURS]
    cosine = np.take_along_axis(similarity, near, axis=1)
    order = np.lexsort((near, -cosine), axis=1)
    near, cosine = np.take_along_axis(near, order, axis=1), np.take_along_axis(cosine, order, axis=1)
    votes = y[pool[near[:, :NEIGHBOURS]]].mean(axis=1)
    hard = votes > 0.5
    shares = np.bincount(home[pool[near]].ravel(), minlength=len(found.scored.datasets)) / near.size
    return {
        "s1": votes.mean(axis=0),
        "s2": hard.mean(axis=0),
        "p": (hard == y[rows]).mean(axis=0),
        "u": np.array(1 - cosine[:, :KAPPA].astype(float).mean()),
        "share": shares,
    }


def refit(name: str, folds: Sequence[int]) -> None:
    """Do some of the D² folds by the reference."""
    found = case(name)
    for one in folds:
        fold(found, *divmod(one, len(found.scored.datasets)))


def agrees(name: str, result: tuple[TaskScores, Outcomes]) -> bool:
    """Whether both sides give the same numbers; the reference cuts ties at the 50th place at will."""
    return all(
        np.allclose(
            getattr(result[0], part)[task, left_out], value, rtol=0, atol=TIED if part == "share" else SAME
        )
        for task, left_out in CHECKED
        for part, value in fold(case(name), task, left_out).items()
    )


@cache
def reached() -> np.ndarray:
    """Return made-up scores of 12 methods on 60 datasets."""
    return np.random.default_rng(0).random((12, 60))


def _job(name: str, key: str, *, seconds: float | None = None, ratio: float | None = None) -> Job:
    datasets = SIZES[name][0]
    run: Callable[[Sequence[int]], None] = partial(refit, name)
    return Job(
        name=key,
        ours=partial(nested, name),
        reference=Reference(run=run, pieces=datasets**2),
        bar_cpu_s=seconds,
        bar_ratio=ratio,
        accept=partial(agrees, name),
        note=f"{datasets}² pools, vectors given; the reference searches anew in each, without the methods",
    )


JOBS = (
    _job("predictaboard", "nested-bbh", ratio=15.0),
    _job("llmrouter", "nested-llmrouter", ratio=20.0),
    _job("routellm", "nested-mmlu", seconds=3.2),
    Job(
        name="nested-large",
        ours=partial(nested, "large"),
        bar_cpu_s=4.0,
        note="40 planted datasets, 80 models, 10,000 prompts; two cores make half of it in wall time",
    ),
    Job(
        name="paired-bootstrap",
        ours=lambda: compare(reached(), 0, reps=REPS),
        bar_cpu_s=0.3,
        note="12 methods on 60 datasets, 10,000 resamples",
    ),
)

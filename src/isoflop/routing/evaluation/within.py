"""Tasks whose own dataset is in the pool: prompts dealt at random, or the split that the table brings.

Here a task is new prompts of a known dataset, which is easier than a new dataset: answers of the two splits
are not to be compared. S3 and the default selector are made for new datasets and take no part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import EvidenceError
from isoflop.routing.evaluation.folds import Outcomes, mean_of_datasets
from isoflop.routing.evaluation.methods import METHODS, Fold
from isoflop.routing.evaluation.smoothing import Smoothed
from isoflop.routing.means import means_by_dataset
from isoflop.routing.model import SHARED_NEIGHBOURS, Paper, chosen
from isoflop.routing.neighbours.lists import Rows
from isoflop.routing.neighbours.search import nearest
from isoflop.routing.neighbours.tasks import Labelled, vote
from isoflop.routing.task_scores import Task, TaskScores, Training

if TYPE_CHECKING:
    from collections.abc import Sequence

    from isoflop.routing.sample import ScoredPrompts

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

WITHIN = ("random", "best_on_average", "s1", "s2", "neighbour_mix", "nearest_dataset")
BOUNDS = ("best_fixed", "oracle", "instance_oracle")
FOLDS = 5
ORIGIN_TEST = ("test", "validation", "dev", "eval")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Within:
    """What was found with a task's own dataset in the pool.

    Parameters
    ----------
    scores : TaskScores
        On the diagonal what the pool said of each task; NaN elsewhere.
    outcomes : Outcomes
        Means over folds; the choice is the one made in most of them.
    votes : array, shape (n, M)
        NaN for prompts that were never judged.
    """

    scores: TaskScores
    outcomes: Outcomes
    votes: FloatArray


def random_folds(scored: ScoredPrompts, seed: int, folds: int = FOLDS) -> IntArray:
    """Return the fold of each prompt, shape (n,): groups of copies are dealt whole."""
    group = np.unique(scored.group, return_inverse=True)[1]
    dealt = np.random.default_rng(seed).permutation(int(group.max()) + 1) % folds
    return np.asarray(dealt[group], dtype=np.int64)


def origin_folds(scored: ScoredPrompts) -> IntArray:
    """Return 0 for prompts that the table's `split` calls test and -1 for the others, shape (n,).

    Raises
    ------
    EvidenceError
        The table has no split, or a dataset lacks one of the two sides.
    """
    frame = scored.tables[0].frame.select("dataset", "instance_id", "split").drop_nulls().unique()
    said = {(d, i): s for d, i, s in frame.iter_rows()}
    names = [scored.datasets[d] for d in scored.dataset]
    sides = [said.get(key, "") for key in zip(names, scored.instance_ids, strict=True)]
    fold = np.array([0 if side.lower() in ORIGIN_TEST else -1 for side in sides])
    for d, name in enumerate(scored.datasets):
        present = set(fold[scored.dataset == d].tolist())
        if present != {0, -1}:
            lacking = "test" if 0 not in present else "training"
            raise EvidenceError(
                f"evaluate: split 'origin', but {name} has no {lacking} prompts; needs both sides of every "
                "dataset. Use split='random', or leave the dataset out."
            )
    return fold


def run_within(
    scored: ScoredPrompts,
    vectors: NDArray[np.float32],
    fold: IntArray,
    methods: Sequence[str],
    settings: Paper,
) -> Within:
    """Let each method choose for the prompts of each fold from a pool of all others.

    Parameters
    ----------
    scored : ScoredPrompts
    vectors : array, shape (n, width)
        Unit rows.
    fold : array of int, shape (n,)
        -1 where a prompt is never judged.
    methods : sequence of str
        Of those in `WITHIN` and `BOUNDS`.
    settings : Paper
    """
    tasks, models = len(scored.datasets), len(scored.models)
    weight = np.zeros(tasks)
    score = np.zeros((len(methods), tasks, models))
    reached = np.zeros((len(methods), tasks))
    times = np.zeros((len(methods), tasks, models), dtype=np.int64)
    votes = np.full(scored.score.shape, np.nan)
    sums = {name: np.zeros((tasks, models)) for name in ("s1", "s2", "p", "local", "accuracy")}
    u, share = np.zeros(tasks), np.zeros((tasks, tasks))
    overall = mean_of_datasets(_accuracy(scored, fold >= 0))
    for one in range(int(fold.max()) + 1):
        judged = np.flatnonzero(fold == one)
        rows = _neighbours(scored, vectors, fold == one, settings)
        votes[judged] = vote(_labels(scored, settings), rows, settings.predictor)
        training = _training(scored, fold != one)
        for d in np.unique(scored.dataset[judged]):
            mine = np.flatnonzero(scored.dataset[judged] == d)
            seen = _seen(scored, rows, judged, mine, votes, settings)
            task, truth, p = seen
            known = _fold(training, task, p, truth, overall)
            n = mine.size
            weight[d] += n
            u[d] += n * task.u
            share[d] += n * task.share
            parts = {"s1": task.s1, "s2": task.s2, "local": task.local, "p": p, "accuracy": truth}
            for name, part in parts.items():
                sums[name][d] += n * part
            best = float(np.nanmean(np.nanmax(scored.score[judged[mine]], axis=1)))
            for k, method in enumerate(methods):
                rule = METHODS[method].score
                if rule is None:
                    reached[k, d] += n * (best if method == "instance_oracle" else float(np.nanmean(truth)))
                    score[k, d] = np.nan
                    continue
                values = rule(known)
                pick = chosen(values, known.prior, np.isfinite(truth))
                score[k, d] += n * values
                reached[k, d] += n * truth[pick]
                times[k, d, pick] += 1
    return Within(
        scores=_diagonal(scored, {name: part / weight[:, None] for name, part in sums.items()}, u / weight,
                         share / weight[:, None], weight),
        outcomes=Outcomes(
            methods=tuple(methods),
            score=score / weight[:, None],
            choice=np.where(times.any(axis=2), times.argmax(axis=2), -1),
            reached=reached / weight,
            p_hat=np.full((tasks, models), np.nan),
            sigma=np.full(tasks, np.nan),
            sigma_errors=np.empty((tasks, 0)),
            selections=(),
        ),
        votes=votes,
    )  # fmt: skip


def _labels(scored: ScoredPrompts, settings: Paper) -> Labelled:
    threshold = settings.predictor.labels == "threshold"
    return Labelled.of(scored.correct if threshold else scored.score, whole=True)


def _neighbours(
    scored: ScoredPrompts, vectors: NDArray[np.float32], judged: NDArray[np.bool_], settings: Paper
) -> Rows:
    """Return the nearest prompts of the pool for the prompts judged."""
    hidden = judged
    if settings.leakage == "drop":
        hidden = judged | np.isin(scored.group, scored.group[judged])
    depth = max(settings.predictor.k, settings.kappa, SHARED_NEIGHBOURS)
    pool = int(np.sum(~hidden))
    if pool < depth:
        raise EvidenceError(
            f"evaluate: a pool of {pool} prompts, needs at least {depth}. Add prompts, or use split='lodo'."
        )
    index, similarity = nearest(vectors[judged], vectors, depth, hidden)
    return Rows(place=np.arange(len(index)), index=index, similarity=similarity)


def _seen(
    scored: ScoredPrompts, rows: Rows, judged: IntArray, mine: IntArray, votes: FloatArray, settings: Paper
) -> tuple[Task, FloatArray, FloatArray]:
    """Return what the pool says of one dataset's judged prompts, their accuracies, and those of the votes."""
    mine_rows = judged[mine]
    near = rows.index[mine, :SHARED_NEIGHBOURS]
    hard = votes[mine_rows] > settings.predictor.threshold
    known = np.isfinite(votes[mine_rows]) & np.isfinite(scored.correct[mine_rows])
    right = (hard == scored.correct[mine_rows]) & known
    with np.errstate(invalid="ignore"):
        p = right.sum(axis=0) / known.sum(axis=0)
    task = Task(
        s1=np.nanmean(votes[mine_rows], axis=0),
        s2=hard.mean(axis=0),
        local=np.nanmean(scored.score[near.ravel()], axis=0),
        u=float(1 - rows.similarity[mine, : settings.kappa].mean(dtype=np.float64)),
        share=np.bincount(scored.dataset[near.ravel()], minlength=len(scored.datasets)) / near.size,
        n=mine.size,
    )
    return task, np.nanmean(scored.score[mine_rows], axis=0), p


def _accuracy(scored: ScoredPrompts, rows: NDArray[np.bool_]) -> FloatArray:
    """Return the mean scores over some prompts, shape (D, M)."""
    return means_by_dataset(scored.score[rows], scored.dataset[rows], len(scored.datasets))


def _training(scored: ScoredPrompts, rows: NDArray[np.bool_]) -> Training:
    accuracy = _accuracy(scored, rows)
    blank = np.full_like(accuracy, np.nan)
    tasks = len(scored.datasets)
    return Training(
        accuracy=accuracy,
        s1=blank,
        s2=blank,
        p=blank,
        local=blank,
        u=np.full(tasks, np.nan),
        share=np.full((tasks, tasks), np.nan),
        sizes=np.bincount(scored.dataset[rows], minlength=tasks),
    )


def _fold(training: Training, task: Task, p: FloatArray, truth: FloatArray, overall: FloatArray) -> Fold:
    blank = np.full_like(truth, np.nan)
    return Fold(
        training=training,
        task=task,
        prior=mean_of_datasets(training.accuracy),
        smoothed=Smoothed(p_hat=blank, sigma=float("nan"), errors=np.empty(0)),
        selected=None,
        linear=None,
        log_likelihood=None,
        true_p=p,
        truth=truth,
        overall=overall,
    )


def _diagonal(
    scored: ScoredPrompts, parts: dict[str, FloatArray], u: FloatArray, share: FloatArray, weight: FloatArray
) -> TaskScores:
    """Return task scores with what is known of each task on the diagonal."""
    tasks, models = parts["s1"].shape
    at = np.arange(tasks)
    cubes = {}
    for name in ("s1", "s2", "p", "local"):
        cubes[name] = np.full((tasks, tasks, models), np.nan)
        cubes[name][at, at] = parts[name]
    distance, around = np.full((tasks, tasks), np.nan), np.full((tasks, tasks, tasks), np.nan)
    distance[at, at], around[at, at] = u, share
    return TaskScores(
        datasets=scored.datasets,
        models=scored.models,
        accuracy=parts["accuracy"],
        sizes=weight.astype(np.int64),
        u=distance,
        share=around,
        **cubes,
    )

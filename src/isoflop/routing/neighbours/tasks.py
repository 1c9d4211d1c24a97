"""What the neighbours say of every task, from every pool that leaves it out, after one search.

Votes of a prompt are the mean label of its k nearest pool prompts; task scores average them. When a further
dataset leaves the pool, only the prompts that had it among their neighbours vote anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import EvidenceError, SettingError
from isoflop.routing.model import SHARED_NEIGHBOURS, Paper
from isoflop.routing.neighbours.lists import NeighbourLists, Rows, neighbour_lists
from isoflop.routing.neighbours.search import unit_rows
from isoflop.routing.task_scores import TaskScores

if TYPE_CHECKING:
    from isoflop.routing.model import KNN
    from isoflop.routing.sample import ScoredPrompts

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

LEAST_DATASETS = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Labelled:
    """Labels by prompt, with a last row of zeros for "no prompt".

    Parameters
    ----------
    value : array, shape (n + 1, M)
        Labels, 0 where missing.
    present : array, shape (n + 1, M), or None
        1 where a label is given; None where all are.
    """

    value: FloatArray
    present: FloatArray | None

    @classmethod
    def of(cls, labels: FloatArray, *, whole: bool) -> Labelled:
        """Return labels, shape (n, M), NaN where missing; `whole`: every pool has enough prompts."""
        padded = np.vstack([labels, np.full((1, labels.shape[1]), np.nan)])
        known = np.isfinite(padded)
        complete = whole and bool(known[:-1].all())
        return cls(value=np.where(known, padded, 0.0), present=None if complete else known.astype(float))


def score_tasks(
    scored: ScoredPrompts, vectors: NDArray[np.float32], settings: Paper | None = None
) -> TaskScores:
    """Return what is known of each task without its labels, for all pools that leave it out.

    Parameters
    ----------
    scored : ScoredPrompts
        At least three datasets.
    vectors : array, shape (n, width)
        One row a prompt; made to unit length.
    settings : Paper, optional
        Predictor, neighbours of the distance, and whether copies of a task's prompts leave the pool.

    Returns
    -------
    TaskScores

    Raises
    ------
    EvidenceError
        Too few datasets, vectors that do not fit the prompts, or a pool smaller than the predictor's k.

    Notes
    -----
    Equal to searching anew in every fold. Votes of a model average over the neighbours that it has a label
    on; a prompt none of whose neighbours has one does not count.
    """
    settings = settings or Paper()
    lists = lists_of(scored, vectors, settings)
    return scores_from(lists, scored, settings)


def lists_of(scored: ScoredPrompts, vectors: NDArray[np.float32], settings: Paper) -> NeighbourLists:
    """Return the neighbour lists that `scores_from` reads; see `score_tasks`."""
    if settings.kappa < 1:
        raise SettingError(f"Paper: kappa={settings.kappa}, needs at least 1. The paper's is 19.")
    if len(scored.datasets) < LEAST_DATASETS:
        raise EvidenceError(
            f"score_tasks: {len(scored.datasets)} datasets, needs at least {LEAST_DATASETS}. "
            "Use split='random' or add benchmarks."
        )
    unit = unit_rows(vectors, scored.n)
    depth = max(settings.predictor.k, settings.kappa, SHARED_NEIGHBOURS)
    group = scored.group if settings.leakage == "drop" else None
    lists = neighbour_lists(unit, scored.dataset, group, depth)
    smallest = smallest_pool(lists)
    if smallest < settings.predictor.k:
        raise EvidenceError(
            f"score_tasks: a pool without two datasets has {smallest} prompts, needs at least "
            f"k={settings.predictor.k}. Add prompts, or take a smaller k."
        )
    return lists


def smallest_pool(lists: NeighbourLists) -> int:
    """Return the prompts in the smallest pool that leaves two datasets out."""
    shown = ~lists.hidden[:, :-1]
    both = shown.astype(np.float32) @ shown.T.astype(np.float32)
    return int(both.min())


def scores_from(lists: NeighbourLists, scored: ScoredPrompts, settings: Paper) -> TaskScores:
    """Return the task scores that the neighbour lists give; see `score_tasks`."""
    predictor = settings.predictor
    whole = smallest_pool(lists) >= lists.depth
    labels = scored.correct if predictor.labels == "threshold" else scored.score
    votes = _Votes(lists, Labelled.of(labels, whole=whole), scored.correct, predictor)
    around = _Around(lists, scored, whole, settings.kappa)
    datasets, models = len(scored.datasets), len(scored.models)
    s1, s2, p, local = (np.empty((datasets, datasets, models)) for _ in range(4))
    u, share = np.empty((datasets, datasets)), np.empty((datasets, datasets, datasets))
    for x in range(datasets):
        changed = lists.without(x)
        s1[:, x], s2[:, x], p[:, x] = votes.without(changed)
        u[:, x], share[:, x], local[:, x] = around.without(changed)
    return TaskScores(
        datasets=scored.datasets,
        models=scored.models,
        accuracy=scored.accuracy,
        sizes=scored.sizes,
        s1=s1,
        s2=s2,
        p=p,
        local=local,
        u=u,
        share=share,
    )


def votes_of(lists: NeighbourLists, scored: ScoredPrompts, settings: Paper) -> FloatArray:
    """Return each prompt's votes from the pool without its own dataset, shape (n, M), in prompt order."""
    predictor = settings.predictor
    labels = scored.correct if predictor.labels == "threshold" else scored.score
    found = vote(Labelled.of(labels, whole=smallest_pool(lists) >= lists.depth), lists.first(), predictor)
    votes = np.empty_like(found)
    votes[lists.order] = found
    return votes


class _Votes:
    """Votes on correctness by the nearest pool prompts, averaged by dataset."""

    def __init__(self, lists: NeighbourLists, labels: Labelled, correct: FloatArray, knn: KNN) -> None:
        self._labels = labels
        self._knn = knn
        self._starts = starts_of(lists)
        self._truth = correct[lists.order]
        self._sizes = np.diff(np.append(self._starts, len(lists.order)))[:, None].astype(float)
        self._first = vote(labels, lists.first(), knn)

    def without(self, changed: Rows) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return S1, S2 and the share of right predictions, each of shape (D, M)."""
        votes = self._first.copy()
        votes[changed.place] = vote(self._labels, changed, self._knn)
        hard = votes > self._knn.threshold
        if self._labels.present is None:
            sizes = self._sizes
            right = hard == self._truth
            return (self._sum(votes) / sizes, self._sum(hard) / sizes, self._sum(right) / sizes)
        voted = np.isfinite(votes)
        judged = voted & np.isfinite(self._truth)
        with np.errstate(invalid="ignore"):
            return (
                self._sum(np.where(voted, votes, 0)) / self._sum(voted),
                self._sum(hard) / self._sum(voted),
                self._sum((hard == self._truth) & judged) / self._sum(judged),
            )

    def _sum(self, values: NDArray[np.generic]) -> FloatArray:
        return np.add.reduceat(values, self._starts, axis=0, dtype=np.float64)


def vote(labels: Labelled, rows: Rows, knn: KNN) -> FloatArray:
    """Return the mean label of the k nearest prompts of each row, shape (r, M); NaN where none has one."""
    index = rows.index[:, : knn.k]
    weights = None
    if knn.weights == "similarity":
        weights = np.maximum(rows.similarity[:, : knn.k].astype(np.float64), 1e-9)
    if weights is None and labels.present is None:
        return _gathered(labels.value, index, None) / knn.k
    total = (
        np.broadcast_to(weights.sum(axis=1)[:, None], (len(index), labels.value.shape[1]))
        if weights is not None and labels.present is None
        else _gathered(np.asarray(labels.present), index, weights)
    )
    with np.errstate(invalid="ignore"):
        return _gathered(labels.value, index, weights) / total


def _gathered(values: FloatArray, index: IntArray, weights: FloatArray | None) -> FloatArray:
    """Return the weighted sums of `values` over the neighbours of each row."""
    total = np.zeros((len(index), values.shape[1]))
    for place in range(index.shape[1]):
        part = values[index[:, place]]
        total += part if weights is None else weights[:, [place]] * part
    return total


class _Around:
    """Distance to the pool, datasets around a task, and mean score around it.

    ``met[e, r]`` counts how often prompt ``order[r]`` is among the first neighbours of the prompts of e.
    """

    def __init__(self, lists: NeighbourLists, scored: ScoredPrompts, whole: bool, kappa: int) -> None:
        n, self._kappa = scored.n, kappa
        self._starts = starts_of(lists)
        self._sizes = np.diff(np.append(self._starts, n)).astype(float)
        self._home = scored.dataset[lists.order]
        self._row_of = np.empty(n + 1, dtype=np.int64)
        self._row_of[np.append(lists.order, n)] = np.arange(n + 1)
        self._score = Labelled.of(scored.score[lists.order], whole=whole)
        self._rows = lists.first()
        self._far = self._distance(self._rows)
        self._met = self._meetings(self._rows)

    def without(self, changed: Rows) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return u (D,), shares (D, D) and local mean scores (D, M)."""
        far = self._far.copy()
        far[changed.place] = self._distance(changed)
        before = Rows(
            place=changed.place,
            index=self._rows.index[changed.place],
            similarity=self._rows.similarity[changed.place],
        )
        met = self._met - self._meetings(before) + self._meetings(changed)
        counts = np.add.reduceat(met[:, :-1], self._starts, axis=1, dtype=np.float64)
        total = counts.sum(axis=1, keepdims=True)
        weights = met.astype(np.float64)
        known = total if self._score.present is None else weights @ self._score.present
        with np.errstate(invalid="ignore"):
            local = weights @ self._score.value / known
        return np.add.reduceat(far, self._starts) / self._sizes, counts / total, local

    def _distance(self, rows: Rows) -> FloatArray:
        """Return the mean distance of each row to its nearest prompts, shape (r,)."""
        found = rows.index[:, : self._kappa] < len(self._home)
        near = np.where(found, rows.similarity[:, : self._kappa], 0).astype(np.float64)
        return np.asarray(1 - near.sum(axis=1) / np.maximum(found.sum(axis=1), 1))

    def _meetings(self, rows: Rows) -> IntArray:
        """Return how often each prompt is a neighbour of each dataset, shape (D, n + 1)."""
        width = len(self._home) + 1
        cell = self._home[rows.place][:, None] * width + self._row_of[rows.index[:, :SHARED_NEIGHBOURS]]
        return np.bincount(cell.ravel(), minlength=len(self._sizes) * width).reshape(-1, width)


def starts_of(lists: NeighbourLists) -> IntArray:
    """Return the first list row of each dataset, shape (D,)."""
    return np.searchsorted(lists.dataset[lists.order], np.arange(len(lists.hidden)))

"""Task scores from one search: equal to voting anew in every fold, and what must not move them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.errors import EvidenceError
from isoflop.routing import KNN, ScoredPrompts
from isoflop.routing.model import SHARED_NEIGHBOURS, Paper
from isoflop.routing.neighbours.lists import hidden_rows
from isoflop.routing.neighbours.tasks import score_tasks

from .exact_vectors import exact, slow_nearest
from .made_scores import made, planted

REFIT = 1e-9
"""Equality with refitting that the specification asks."""
FEW = settings(max_examples=8, deadline=None)


def by_refitting(
    scored: ScoredPrompts, vectors: np.ndarray, how: Paper, task: int, left_out: int
) -> dict[str, np.ndarray]:
    """Return what one pool says of one task, every prompt searched for anew."""
    knn = how.predictor
    group = scored.group if how.leakage == "drop" else None
    hidden = hidden_rows(scored.dataset, group, len(scored.datasets))[:, :-1]
    allowed = ~(hidden[task] | hidden[left_out])
    labels = scored.correct if knn.labels == "threshold" else scored.score
    votes, near, far, truth = [], [], [], []
    for prompt in np.flatnonzero(scored.dataset == task):
        rows, cosine = slow_nearest(vectors, int(prompt), allowed, SHARED_NEIGHBOURS)
        weights = cosine[: knn.k, None].clip(1e-9) if knn.weights == "similarity" else np.ones((knn.k, 1))
        known = np.isfinite(labels[rows[: knn.k]])
        with np.errstate(invalid="ignore"):
            votes.append(
                (weights * np.nan_to_num(labels[rows[: knn.k]])).sum(axis=0) / (weights * known).sum(axis=0)
            )
        near.append(rows)
        far.append((1 - cosine[: how.kappa]).mean())
        truth.append(scored.correct[prompt])
    g, y, rows = np.array(votes), np.array(truth), np.concatenate(near)
    voted = np.isfinite(g)
    hard = np.where(voted, g > knn.threshold, np.nan)
    right = np.where(voted & np.isfinite(y), hard == y, np.nan)
    return {
        "s1": mean_known(g),
        "s2": mean_known(hard),
        "p": mean_known(right),
        "local": mean_known(scored.score[rows]),
        "u": np.array(np.mean(far)),
        "share": np.bincount(scored.dataset[rows], minlength=len(scored.datasets)) / rows.size,
    }


def mean_known(values: np.ndarray) -> np.ndarray:
    """Return the means of the columns over what is known; NaN where nothing is."""
    return np.array([c[np.isfinite(c)].mean() if np.isfinite(c).any() else np.nan for c in values.T])


def sample(seed: int, missing: bool = False, sizes: tuple[int, ...] = (30, 26, 9, 41, 22)) -> ScoredPrompts:
    """Return made-up scores with repeated texts across datasets, fractions among them."""
    rng = np.random.default_rng(seed)
    dataset = np.repeat(np.arange(len(sizes)), sizes)
    score = rng.choice([0.0, 0.4, 0.7, 1.0], (dataset.size, 3))
    if missing:
        score[np.flatnonzero(dataset == 3)[:2], 1] = np.nan
        score[dataset == 2, 2] = np.nan
    return made(score, dataset, [f"text {i}" for i in rng.integers(0, 110, dataset.size)])


@FEW
@given(
    seed=st.integers(0, 99),
    leakage=st.sampled_from(["keep", "drop"]),
    weights=st.sampled_from(["uniform", "similarity"]),
    labels=st.sampled_from(["threshold", "score"]),
    k=st.integers(1, 7),
    missing=st.booleans(),
)
def test_scores_equal_refitting_in_every_fold(
    seed: int, leakage: str, weights: str, labels: str, k: int, missing: bool
) -> None:
    scored = sample(seed, missing)
    vectors = exact(scored.n, seed)
    how = Paper(predictor=KNN(k=k, weights=weights, labels=labels), kappa=7, leakage=leakage)  # type: ignore[arg-type]
    found = score_tasks(scored, vectors, how)
    for task in range(5):
        for left_out in (task, (task + 2) % 5, 3):
            for name, value in by_refitting(scored, vectors, how, task, left_out).items():
                ours = getattr(found, name)[task, left_out]
                assert np.allclose(ours, value, rtol=0, atol=REFIT, equal_nan=True), name


def test_voting_by_the_whole_pool_gives_its_mean_label() -> None:
    scored = planted(np.random.default_rng(1).random((3, 4)), 6)
    found = score_tasks(scored, exact(scored.n), Paper(predictor=KNN(k=6), kappa=3))
    for task, left_out in ((0, 1), (2, 0)):
        rest = 3 - task - left_out
        mean = scored.correct[scored.dataset == rest].mean(axis=0)
        assert np.allclose(found.s1[task, left_out], mean, rtol=0, atol=REFIT)


def test_lengths_of_vectors_and_other_models_change_nothing() -> None:
    scored = sample(3)
    vectors = exact(scored.n, 3)
    found = score_tasks(scored, vectors)
    scaled = score_tasks(scored, vectors * np.linspace(0.5, 8, scored.n)[:, None].astype(np.float32))
    two = replace(scored, models=scored.models[:2], score=scored.score[:, :2], correct=scored.correct[:, :2])
    fewer = score_tasks(two, vectors)
    assert np.array_equal(found.s1, score_tasks(scored, vectors * 4).s1)
    assert np.allclose(found.u, scaled.u, atol=1e-6)
    for name in ("s1", "s2", "p", "local"):
        assert np.array_equal(getattr(found, name)[..., :2], getattr(fewer, name))


def test_nothing_known_of_a_task_has_seen_its_labels() -> None:
    scored = sample(5)
    vectors = exact(scored.n, 5)
    target = 1
    rng = np.random.default_rng(0)
    noise = np.where((scored.dataset == target)[:, None], rng.random(scored.score.shape), scored.score)
    other = replace(scored, score=noise, correct=(noise >= 0.5).astype(float))
    for how in (Paper(), Paper(predictor=KNN(labels="score", weights="similarity"))):
        before, after = score_tasks(scored, vectors, how), score_tasks(other, vectors, how)
        for part in ("accuracy", "s1", "s2", "p", "local", "u", "share"):
            assert np.array_equal(
                getattr(before.training(target), part), getattr(after.training(target), part)
            ), part
        for part in ("s1", "s2", "local", "u", "share"):
            assert np.array_equal(getattr(before.task(target), part), getattr(after.task(target), part)), part


def test_shares_sum_to_one_and_leave_the_task_out() -> None:
    found = score_tasks(sample(2), exact(128, 2))
    at = np.arange(5)
    assert np.allclose(found.share.sum(axis=2), 1)
    assert (found.share[at, :, at] == 0).all()
    assert (found.share[:, at, at] == 0).all()
    assert ((found.s1 >= 0) & (found.s1 <= 1) & (found.s2 >= 0) & (found.s2 <= 1)).all()


@pytest.mark.parametrize(
    ("sizes", "k", "said"),
    [((9, 9), 5, "2 datasets, needs at least 3"), ((9, 9, 4), 5, "has 4 prompts, needs at least k=5")],
)
def test_too_little_evidence_is_refused(sizes: tuple[int, ...], k: int, said: str) -> None:
    scored = sample(0, sizes=sizes)
    with pytest.raises(EvidenceError, match=said):
        score_tasks(scored, exact(scored.n), Paper(predictor=KNN(k=k), leakage="keep"))


@pytest.mark.public_data
def test_a_public_source_equals_refitting(public_data) -> None:  # type: ignore[no-untyped-def]
    from isoflop.evidence import load
    from isoflop.routing import join
    from isoflop.routing.encoders import encode

    folder = public_data / "routing"
    scored = join(
        load(folder / "scores.parquet", schema="model_scores_by_prompt"),
        load(folder / "prompts.parquet", schema="prompts"),
        source="llmrouter",
    )
    vectors = encode(list(scored.prompts)).vectors
    how = Paper(leakage="keep")
    found = score_tasks(scored, vectors, how)
    for task, left_out in ((0, 0), (3, 7), (9, 2)):
        for name, value in by_refitting(scored, vectors, how, task, left_out).items():
            tolerance = 1e-6 if name == "u" else REFIT
            assert np.allclose(getattr(found, name)[task, left_out], value, rtol=0, atol=tolerance), name

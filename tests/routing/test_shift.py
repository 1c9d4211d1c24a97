"""Predictors lose accuracy where the task's own benchmark carried it, and only there."""

from __future__ import annotations

import numpy as np
import pytest

from isoflop.errors import EvidenceError
from isoflop.routing.chapter.shift import shift_section
from isoflop.routing.neighbours.elsewhere import nearest_elsewhere
from isoflop.routing.shift.find import shift
from tests.routing.made_scores import made

D, N, WIDTH = 6, 60, 256


def clustered(apart: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return vectors in one cluster a dataset, the datasets, and scores of two models that swap places."""
    rng = np.random.default_rng(seed)
    dataset = np.repeat(np.arange(D), N)
    centres = rng.standard_normal((D, WIDTH))
    vectors = apart * centres[dataset] + rng.standard_normal((dataset.size, WIDTH))
    right = np.where(dataset[:, None] % 2 == 0, [0.9, 0.1], [0.1, 0.9])
    return vectors, dataset, (rng.random((dataset.size, 2)) < right).astype(float)


def test_what_only_the_own_benchmark_tells_is_lost_without_it() -> None:
    vectors, dataset, score = clustered(apart=2.0)
    found = shift(made(score, dataset), encoder="hashed", vectors=vectors, reps=500)
    estimate = found.findings()[0].estimate
    assert estimate.low is not None
    assert estimate.low > 0.1
    assert found.gain_in.mean() > found.gain_out.mean() + 0.1


def test_where_every_dataset_is_alike_nothing_is_lost() -> None:
    rng = np.random.default_rng(2)
    vectors, dataset, _ = clustered(apart=2.0)
    found = shift(
        made((rng.random((dataset.size, 2)) < 0.7).astype(float), dataset), encoder="hashed", vectors=vectors
    )
    estimate = found.findings()[0].estimate
    assert estimate.low is not None
    assert estimate.high is not None
    assert estimate.low < 0.0 < estimate.high


def test_the_length_of_vectors_does_not_matter() -> None:
    vectors, dataset, score = clustered(apart=1.0)
    scored = made(score, dataset)
    plain = shift(scored, encoder="hashed", vectors=vectors, reps=50)
    longer = shift(scored, encoder="hashed", vectors=4 * vectors, reps=50)
    np.testing.assert_allclose(plain.loss, longer.loss)


@pytest.mark.parametrize("units", [4, 90])
def test_neighbours_elsewhere_are_those_of_a_full_search(units: int) -> None:
    rng = np.random.default_rng(1)
    vectors = rng.standard_normal((300, 12)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = rng.integers(0, units, 300)
    index, similarity = nearest_elsewhere(vectors, unit, np.arange(0, 300, 7), 9)
    for place, row in enumerate(range(0, 300, 7)):
        elsewhere = np.flatnonzero(unit != unit[row])
        wanted = np.sort(vectors[elsewhere] @ vectors[row])[::-1][:9]
        np.testing.assert_allclose(similarity[place], wanted, atol=1e-6)
        assert not np.any(unit[index[place]] == unit[row])


@pytest.mark.slow
@pytest.mark.ci
def test_the_section_draws_every_task_on_both_sides() -> None:
    vectors, dataset, score = clustered(apart=1.0)
    section = shift_section(shift(made(score, dataset), encoder="hashed", vectors=vectors, reps=50))
    assert section.figures[0].frame.height == 4 * D
    assert section.figures[0].chart().to_dict()


def test_one_dataset_is_refused() -> None:
    with pytest.raises(EvidenceError, match="1 dataset"):
        shift(made(np.ones((30, 2)), np.zeros(30, dtype=int)), encoder="hashed")


def test_missing_scores_are_not_wrong_ones() -> None:
    vectors, dataset, score = clustered(apart=2.0)
    whole = shift(made(score, dataset), encoder="hashed", vectors=vectors, reps=100)
    lacking = score.copy()
    lacking[dataset == 0, 1] = np.nan
    found = shift(made(lacking, dataset), encoder="hashed", vectors=vectors, reps=100)
    assert found.accuracy_in[0] == pytest.approx(whole.accuracy_in[0], abs=0.1)


def test_a_model_run_on_one_dataset_alone_is_not_the_best_elsewhere() -> None:
    vectors, dataset, score = clustered(apart=2.0)
    score[dataset > 0, 1] = np.nan
    found = shift(made(score, dataset), encoder="hashed", vectors=vectors, reps=100)
    assert np.isfinite([found.gain_in, found.gain_out]).all()
    score[dataset == 0, 0] = np.nan
    with pytest.raises(EvidenceError, match="and on another dataset"):
        shift(made(score, dataset), encoder="hashed", vectors=vectors, reps=100)

"""Votes turned into chances: monotone, macro-weighted, off where points are few."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.errors import EvidenceError, SettingError
from isoflop.routing.selection.calibration import Kind, calibrate

FEW = settings(max_examples=10, deadline=None)
SAME = 1e-9


def drawn(chance_of: float, prompts: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return votes of five neighbours that are too bold: the true chance is pulled to `chance_of`."""
    rng = np.random.default_rng(seed)
    votes = rng.integers(0, 6, (prompts, 1)) / 5
    true = chance_of + 0.4 * (votes - 0.5)
    return votes, (rng.random(votes.shape) < true).astype(float), np.arange(prompts) % 4


@pytest.mark.slow
@pytest.mark.ci
@FEW
@given(seed=st.integers(0, 99), kind=st.sampled_from(["isotonic", "platt"]))
def test_chances_never_fall_as_votes_rise_and_lie_in_the_unit_interval(seed: int, kind: Kind) -> None:
    found = calibrate(*drawn(0.5, 300, seed), kind=kind)
    chances = found.apply(np.linspace(0, 1, 21)[:, None])[:, 0]
    assert np.all(np.diff(chances) >= -SAME)
    assert 0 <= chances.min() <= chances.max() <= 1


def test_isotonic_chances_are_the_least_squares_monotone_fit() -> None:
    votes, correct, dataset = drawn(0.35, 250)
    knots, at = np.unique(votes[:, 0], return_inverse=True)
    weight = 1 / np.bincount(dataset)[dataset]
    mass, right = np.bincount(at, weight), np.bincount(at, weight * correct[:, 0])

    def mean(a: int, b: int) -> float:
        return float(right[a : b + 1].sum() / mass[a : b + 1].sum())

    # The largest over starts of the smallest over ends of the means between: the textbook's other formula.
    oracle = [
        max(min(mean(a, b) for b in range(j, knots.size)) for a in range(j + 1)) for j in range(knots.size)
    ]
    found = calibrate(votes, correct, dataset).apply(knots[:, None])[:, 0]
    assert found == pytest.approx(oracle, abs=SAME)


def test_logistic_chances_solve_the_likelihood_of_smoothed_targets() -> None:
    votes, correct, dataset = drawn(0.5, 400)
    chances = calibrate(votes, correct, dataset, kind="platt").apply(votes)[:, 0]
    won = correct.sum()
    target = np.where(correct[:, 0] > 0, (won + 1) / (won + 2), 1 / (400 - won + 2))
    # Equal datasets: the gradient in intercept and slope vanishes at the optimum.
    assert np.sum(target - chances) == pytest.approx(0, abs=1e-6)
    assert np.sum((target - chances) * votes[:, 0]) == pytest.approx(0, abs=1e-6)


def test_bold_votes_are_better_chances_on_datasets_left_out() -> None:
    found = calibrate(*drawn(0.5, 2000))
    assert found.brier_chances[0] < found.brier_votes[0] - 0.02


def test_a_large_dataset_has_no_more_say_than_a_small_one() -> None:
    votes = np.full((1100, 1), 0.6)
    correct = np.concatenate([np.ones(1000), np.zeros(100)])[:, None]
    dataset = np.repeat([0, 1], [1000, 100])
    assert calibrate(votes, correct, dataset).apply(votes[:1])[0, 0] == pytest.approx(0.5)


@pytest.mark.parametrize("kind", ["isotonic", "platt"])
def test_a_vote_that_misleads_becomes_a_constant(kind: Kind) -> None:
    votes = np.tile([[0.2], [0.8]], (200, 1))
    found = calibrate(votes, 1 - np.round(votes), np.arange(400) % 3, kind=kind)
    assert np.ptp(found.apply(votes)) < SAME


def test_too_few_points_leave_the_votes_and_say_so() -> None:
    votes, correct, dataset = drawn(0.5, 199)
    found = calibrate(votes, correct, dataset)
    assert np.array_equal(found.apply(votes), votes)
    assert "1 of 1 models have fewer than 200" in found.cautions[0]


def test_missing_votes_and_labels_are_left_aside() -> None:
    votes, correct, dataset = drawn(0.5, 400)
    holes = np.vstack([votes, [[np.nan], [0.4]]])
    labels = np.vstack([correct, [[1.0], [np.nan]]])
    found = calibrate(holes, labels, np.append(dataset, [0, 0]))
    assert np.array_equal(found.apply(votes), calibrate(votes, correct, dataset).apply(votes))
    assert np.isnan(found.apply(holes)[400, 0])


def test_wrong_arrays_and_kinds_are_refused() -> None:
    votes, correct, dataset = drawn(0.5, 10)
    with pytest.raises(EvidenceError, match="one row a prompt"):
        calibrate(votes, correct[:9], dataset)
    with pytest.raises(SettingError, match="mean 'isotonic'"):
        calibrate(votes, correct, dataset, kind="isotonik")  # type: ignore[arg-type]

"""A few labels of a new task: the Beta posterior, the chance of being best, and what to label next."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.errors import EvidenceError
from isoflop.routing.selection import fit_shrunken, label_curve, next_prompts, posterior

from .made_scores import made
from .planted_tasks import grouped

FEW = settings(max_examples=15, deadline=None)
MONTE_CARLO = 0.015
"""Three standard errors of a share of 10,000 draws."""


@FEW
@given(seed=st.integers(0, 999), n=st.integers(0, 20), models=st.integers(1, 5), n0=st.floats(0.5, 50))
def test_the_mean_weighs_prediction_and_labels_and_chances_sum_to_one(
    seed: int, n: int, models: int, n0: float
) -> None:
    rng = np.random.default_rng(seed)
    predicted, scores = rng.uniform(0.1, 0.9, models), rng.random((n, models))
    found = posterior(predicted, scores, n0=n0, draws=500, seed=seed)
    assert found.mean == pytest.approx((n0 * predicted + scores.sum(axis=0)) / (n0 + n))
    assert found.p_best.sum() == pytest.approx(1)
    assert np.all(found.low <= found.high)
    assert np.all(found.regret >= 0)
    assert found.mean[found.choice] == pytest.approx(found.mean.max())


@pytest.mark.slow
@pytest.mark.ci
def test_without_pairing_the_draws_are_the_beta_distribution() -> None:
    from scipy.stats import beta

    scores = np.array([[1.0, 0.5], [0.0, np.nan], [1.0, 1.0]])
    found = posterior(np.array([0.5, 0.7]), scores, n0=4.0, level=0.9)
    for m, (won, n, mean) in enumerate([(2.0, 3, 0.5), (1.5, 2, 0.7)]):
        law = beta(4 * mean + won, 4 * (1 - mean) + n - won)
        assert found.low[m] == pytest.approx(law.ppf(0.05), abs=MONTE_CARLO)
        assert found.high[m] == pytest.approx(law.ppf(0.95), abs=MONTE_CARLO)


def test_paired_draws_have_the_spread_of_the_beta_and_keep_dependence() -> None:
    from scipy.stats import beta

    answers = np.tile([1.0, 0.0, 1.0, 1.0], 5)
    found = posterior(np.array([0.6, 0.6]), np.column_stack([answers, answers]), n0=6.0)
    law = beta(6 * 0.6 + 15, 6 * 0.4 + 5)
    assert found.draws.mean(axis=0) == pytest.approx(law.mean(), abs=MONTE_CARLO)
    assert found.draws.std(axis=0) == pytest.approx(law.std(), abs=MONTE_CARLO)
    apart = (found.draws[:, 0] - found.draws[:, 1]).std()
    assert apart < 0.8 * np.sqrt(2) * law.std()


def test_more_labels_narrow_the_interval() -> None:
    scores = np.tile([[1.0, 0.0], [0.0, 1.0]], (100, 1))
    widths = [
        np.ptp([f.low[0], f.high[0]])
        for f in (posterior(np.array([0.5, 0.5]), scores[:n], n0=2.0) for n in (0, 4, 20, 200))
    ]
    assert np.all(np.diff(widths) < 0)


def test_a_mean_of_generations_counts_as_that_many_trials() -> None:
    once = posterior(np.array([0.5, 0.5]), np.array([[0.8, 0.2]]), n0=2.0, n_samples=np.array([[5.0, 5.0]]))
    spelled = np.array([[1, 1, 1, 1, 0], [1, 0, 0, 0, 0]], dtype=float).T
    assert once.mean == pytest.approx(posterior(np.array([0.5, 0.5]), spelled, n0=2.0).mean)
    assert once.n.tolist() == [5.0, 5.0]


def test_the_same_seed_gives_the_same_draws() -> None:
    given_ = (np.array([0.5, 0.4]), np.array([[1.0, 0.0]]))
    one, two, other = (posterior(*given_, n0=3.0, seed=s).draws for s in (1, 1, 2))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


def test_labels_settle_what_the_prediction_had_wrong() -> None:
    rng = np.random.default_rng(0)
    scores = (rng.random((200, 2)) < [0.4, 0.7]).astype(float)
    found = posterior(np.array([0.7, 0.5]), scores, n0=10.0)
    assert found.choice == 1
    assert found.p_best[1] > 0.95
    assert found.regret[1] < 0.01 < found.regret[0]


def test_wrong_labels_are_refused() -> None:
    with pytest.raises(EvidenceError, match="one column a model"):
        posterior(np.array([0.5, 0.5]), np.zeros((2, 3)), n0=1.0)
    with pytest.raises(EvidenceError, match="score=73, must lie in"):
        posterior(np.array([0.5]), np.array([[73.0]]), n0=1.0)


@FEW
@given(seed=st.integers(0, 99), budget=st.integers(0, 12))
def test_next_prompts_are_those_on_which_the_leaders_differ_most(seed: int, budget: int) -> None:
    rng = np.random.default_rng(seed)
    found = posterior(np.array([0.2, 0.7, 0.6]), np.empty((0, 3)), n0=5.0, draws=100)
    votes = rng.integers(0, 6, (9, 3)) / 5
    taken = next_prompts(found, votes, budget)
    apart = votes[:, 1] * (1 - votes[:, 2]) + votes[:, 2] * (1 - votes[:, 1])
    assert len(set(taken.tolist())) == taken.size == min(budget, 9)
    left = np.delete(apart, taken)
    assert not taken.size or not left.size or apart[taken].min() >= left.max() - 1e-12


def test_the_label_curve_climbs_from_the_default_towards_the_best_model() -> None:
    scores = grouped(0, effect=0.0, tasks=10)
    rng = np.random.default_rng(0)
    task = np.repeat(np.arange(10), 80)
    truth = (scores.accuracy + rng.normal(0, 0.15, scores.accuracy.shape)).clip(0.05, 0.95)
    scored = made((rng.random((800, 4)) < truth[task]).astype(float), task)
    known = replace(scores, accuracy=scored.accuracy)
    rows = label_curve(scored, known, (0, 5, 80), draws=5, seed=0)
    again = label_curve(scored, known, (0, 5, 80), draws=5, seed=0)
    assert rows == again
    default = [
        known.accuracy[d, fit_shrunken(known.training(d)).predict(known.task(d)).choice] for d in range(10)
    ]
    assert rows[0]["posterior_score"] == pytest.approx(np.mean(default))
    assert rows[0]["raw_score"] is None
    assert rows[1]["posterior_score"] >= rows[1]["raw_score"]
    # All prompts labelled: the sample mean is the accuracy itself.
    assert rows[2]["raw_score"] == pytest.approx(known.accuracy.max(axis=1).mean())
    assert rows[0]["posterior_score"] < rows[2]["posterior_score"] <= rows[2]["raw_score"] + 1e-12
    assert all(row["low"] <= row["posterior_score"] <= row["high"] for row in rows)

"""Policies order every candidate, keep their promise on cost, and refuse settings that cannot be meant."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from isoflop.errors import SettingError
from isoflop.routing.router.policies import (
    POINT,
    AtLeast,
    Budget,
    Cascade,
    CostAware,
    Policy,
    Quality,
    policy_of,
    refuse_unknown,
)

scores = st.lists(st.floats(0, 1), min_size=1, max_size=7).map(np.array)


def drawn(seed: int, n: int = 60, models: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Return expected scores and costs of n prompts; better models tend to cost more."""
    rng = np.random.default_rng(seed)
    skill = np.sort(rng.random(models))
    score = 1 / (1 + np.exp(-3 * (skill - 0.5) - rng.standard_normal((n, models))))
    return score, np.exp(3 * skill - 9) * rng.uniform(0.5, 2, (n, models))


def mean_cost_and_score(policy: Policy, score: np.ndarray, cost: np.ndarray) -> tuple[float, float]:
    first = np.array(
        [policy.order(q, c, np.ones(q.size))[0] for q, c in zip(score, cost, strict=True)], dtype=int
    )
    rows = np.arange(first.size)
    return float(cost[rows, first].mean()), float(score[rows, first].mean())


@given(scores, st.integers(0, 9))
def test_every_candidate_is_in_the_order_once(score: np.ndarray, seed: int) -> None:
    rng = np.random.default_rng(seed)
    cost, seconds = rng.random(score.size), rng.random(score.size)
    for policy in (
        Quality(),
        CostAware(usd_per_point=0.1, seconds_per_point=2.0),
        AtLeast(share_of_best=0.8),
        Budget(usd_per_1000=1.0, rate=3.0),
        Cascade(threshold=0.5),
    ):
        assert sorted(policy.order(score, cost, seconds).tolist()) == list(range(score.size))


@given(scores, st.floats(0.01, 1), st.integers(0, 9))
def test_at_least_takes_the_cheapest_that_is_good_enough(score: np.ndarray, share: float, seed: int) -> None:
    cost = np.random.default_rng(seed).random(score.size)
    first = int(AtLeast(share_of_best=share).order(score, cost, cost)[0])
    enough = score >= share * score.max()
    assert enough[first]
    assert cost[first] == cost[enough].min()


@given(scores, st.floats(1e-4, 1e3), st.integers(0, 9))
def test_cost_and_time_are_exchanged_for_points_at_their_rates(
    score: np.ndarray, rate: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    cost, seconds = rng.random(score.size), rng.random(score.size)
    order = CostAware(usd_per_point=rate, seconds_per_point=2 * rate).order(score, cost, seconds)
    net = score - POINT * (cost / rate + seconds / (2 * rate))
    assert np.all(np.diff(net[order]) <= 0)


@given(st.integers(0, 30))
def test_dear_points_buy_dearer_models_and_better_answers(seed: int) -> None:
    score, cost = drawn(seed)
    path = [
        mean_cost_and_score(CostAware(usd_per_point=rate), score, cost) for rate in (1e-9, 1e-5, 1e-4, 1e9)
    ]
    assert np.all(np.diff([point[0] for point in path]) >= -1e-12)
    assert np.all(np.diff([point[1] for point in path]) >= -1e-12)
    assert path[0][0] == pytest.approx(cost.min(axis=1).mean())
    assert path[-1] == mean_cost_and_score(Quality(), score, cost)


@given(st.integers(0, 30), st.floats(0.05, 1.5))
def test_a_budget_is_kept_and_spent_on_better_answers(seed: int, part: float) -> None:
    score, cost = drawn(seed)
    least, most = cost.min(axis=1).mean(), cost[np.arange(60), score.argmax(axis=1)].mean()
    assume(most > least)
    allowed = 1000 * (least + part * (most - least))
    bound = Budget(usd_per_1000=allowed).bound_to(score, cost)
    spent, reached = mean_cost_and_score(bound, score, cost)
    assert 1000 * spent <= allowed * (1 + 1e-9)
    if part >= 1:
        assert bound.rate == 0
    less = Budget(usd_per_1000=1000 * (least + 0.5 * part * (most - least))).bound_to(score, cost)
    assert mean_cost_and_score(less, score, cost)[1] <= reached + 1e-12


def test_a_budget_below_the_cheapest_model_is_refused_with_the_least_that_does() -> None:
    score, cost = np.array([[0.5, 0.9]] * 3), np.array([[0.002, 0.02]] * 3)
    with pytest.raises(SettingError, match="at least 2 "):
        Budget(usd_per_1000=1.9).bound_to(score, cost)
    with pytest.raises(SettingError, match="no rate yet"):
        Budget(usd_per_1000=5).order(score[0], cost[0], cost[0])


@given(scores, st.integers(0, 9))
def test_a_cascade_goes_up_in_cost(score: np.ndarray, seed: int) -> None:
    cost = np.random.default_rng(seed).integers(1, 4, score.size).astype(float)
    order = Cascade(threshold=0.5).order(score, cost, cost)
    assert np.all(np.diff(cost[order]) >= 0)
    same = np.diff(cost[order]) == 0
    assert np.all(np.diff(score[order])[same] <= 0)


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("quality", Quality()),
        (" cost=0.3 ", CostAware(usd_per_point=0.3)),
        ("at_least=.9", AtLeast(share_of_best=0.9)),
        ("budget=2e0", Budget(usd_per_1000=2)),
        ("cascade=1", Cascade(threshold=1)),
    ],
)
def test_policies_are_read_from_short_texts(text: str, policy: Policy) -> None:
    assert policy_of(text) == policy


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("qualty", "Did you mean quality"),
        ("quality=1", "needs one of"),
        ("", "needs one of"),
        ("cost", "needs a number"),
        ("cost=cheap", "needs a number"),
        ("cost=nan", "finite"),
        ("cost=inf", "finite"),
        ("cost=0", "must be > 0"),
        ("cost=-1", "must be > 0"),
        ("budget=0", "must be > 0"),
        ("at_least=1.1", r"\(0, 1\]"),
        ("at_least=0", r"\(0, 1\]"),
        ("cascade=2", r"\[0, 1\]"),
    ],
)
def test_texts_that_name_no_policy_are_refused(text: str, said: str) -> None:
    with pytest.raises(SettingError, match=said):
        policy_of(text)


def test_prices_and_times_that_lack_are_named() -> None:
    known, lacking = np.array([1.0, 2.0]), np.array([1.0, np.nan])
    with pytest.raises(SettingError, match="no price is known for dear"):
        refuse_unknown(AtLeast(), ("cheap", "dear"), lacking, known)
    with pytest.raises(SettingError, match="no time is known for dear"):
        refuse_unknown(CostAware(usd_per_point=1, seconds_per_point=1), ("cheap", "dear"), known, lacking)
    refuse_unknown(CostAware(usd_per_point=1), ("cheap", "dear"), known, lacking)
    refuse_unknown(Quality(), ("cheap", "dear"), lacking, lacking)

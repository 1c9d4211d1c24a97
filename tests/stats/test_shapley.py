"""Shapley values equal the average over all orders and split the whole change."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.errors import EvidenceError, NotIdentifiedError, SettingError
from isoflop.stats.shapley import coalitions, shapley, shapley_shares

RTOL = 1e-12
seeds = st.integers(0, 10_000)


def by_all_orders(worth: np.ndarray, n: int) -> np.ndarray:
    total = np.zeros((n, *worth.shape[1:]))
    orders = list(itertools.permutations(range(n)))
    for order in orders:
        joined = 0
        for player in order:
            total[player] += worth[joined | 1 << player] - worth[joined]
            joined |= 1 << player
    return total / len(orders)


@given(n=st.integers(1, 6), batch=st.sampled_from([None, 1, 4]), seed=seeds)
def test_values_are_the_average_over_all_orders(n: int, batch: int | None, seed: int) -> None:
    shape = (2**n,) if batch is None else (2**n, batch)
    worth = np.random.default_rng(seed).normal(size=shape)
    found = shapley(lambda _: worth, n)
    np.testing.assert_allclose(found, by_all_orders(worth, n), atol=RTOL)


@given(n=st.integers(1, 12), seed=seeds)
def test_contributions_sum_to_the_whole_change(n: int, seed: int) -> None:
    worth = np.random.default_rng(seed).lognormal(size=2**n)
    assert shapley(lambda _: worth, n).sum() == pytest.approx(worth[-1] - worth[0], abs=1e-12)
    assert shapley_shares(lambda _: worth, n).sum() == pytest.approx(1, abs=1e-12)


@given(seed=seeds)
def test_equal_players_share_equally_and_idle_ones_get_nothing(seed: int) -> None:
    a, b = np.random.default_rng(seed).uniform(0.1, 3, 2)

    def value(joined: np.ndarray) -> np.ndarray:
        first, second, _, loud = joined.T
        return np.exp(a * (first | second) + b * (first & second)) * np.where(loud, 2.0, 1.0)

    found = shapley(value, 4)
    assert found[0] == pytest.approx(found[1], rel=1e-10)
    assert found[2] == pytest.approx(0, abs=1e-12)


@given(seed=seeds)
def test_values_add_over_games(seed: int) -> None:
    one, two = np.random.default_rng(seed).normal(size=(2, 16))
    both = shapley(lambda _: 2 * one + two, 4)
    np.testing.assert_allclose(both, 2 * shapley(lambda _: one, 4) + shapley(lambda _: two, 4), atol=1e-11)


def test_a_batch_equals_its_games_one_by_one() -> None:
    draws = np.random.default_rng(0).normal(size=(8, 5))
    together = shapley_shares(lambda _: draws, 3)
    for game in range(5):
        np.testing.assert_allclose(
            together[:, game], shapley_shares(lambda _, g=game: draws[:, g], 3), rtol=RTOL
        )


def test_shares_may_be_negative_but_sum_to_one() -> None:
    shares = shapley_shares(lambda joined: joined @ np.array([3.0, -1.0]), 2)
    np.testing.assert_allclose(shares, [1.5, -0.5], rtol=RTOL)


def test_coalitions_count_in_binary() -> None:
    members = coalitions(5)
    np.testing.assert_array_equal(members @ 2 ** np.arange(5), np.arange(32))


def test_games_that_cannot_be_shared_are_refused() -> None:
    with pytest.raises(SettingError, match="n_players=13, must be <= 12"):
        shapley(lambda joined: joined[:, 0], 13)
    with pytest.raises(SettingError, match="n_players=0"):
        shapley(lambda joined: joined[:, 0], 0)
    with pytest.raises(EvidenceError, match=r"shape \(3,\), needs 4"):
        shapley(lambda _: np.zeros(3), 2)
    with pytest.raises(EvidenceError, match="coalition 2 is not finite"):
        shapley(lambda _: np.array([0.0, 1.0, np.nan, 1.0]), 2)
    with pytest.raises(NotIdentifiedError, match=r"in 1 of 2 game\(s\)"):
        shapley_shares(lambda _: np.array([[0.0, 1.0], [1.0, 1.0], [1.0, 1.0], [0.0, 2.0]]), 2)

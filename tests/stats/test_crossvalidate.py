"""Folds part the rows as named; comparisons are paired; stacking satisfies its optimality conditions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from isoflop.errors import EvidenceError, IsoflopError, NotIdentifiedError, SettingError
from isoflop.stats.crossvalidate import (
    k_fold,
    leave_group_out,
    leave_one_out,
    one_standard_error_set,
    paired_difference,
    r_squared,
    stacking_weights,
    time_ordered,
    training_weights,
)

KKT_TOLERANCE = 1e-9
seeds = st.integers(0, 10_000)
group_lists = st.lists(st.sampled_from("abcdefgh"), min_size=3, max_size=40).filter(lambda g: len(set(g)) > 1)


@given(groups=group_lists)
def test_leave_group_out_tests_each_group_once_and_whole(groups: list[str]) -> None:
    masks = leave_group_out(groups)
    assert masks.shape == (len(set(groups)), len(groups))
    np.testing.assert_array_equal(masks.sum(axis=0), 1)
    for mask in masks:
        tested = np.array(groups)[mask]
        assert set(tested) & set(np.array(groups)[~mask]) == set()
        assert len(set(tested)) == 1


def test_leave_one_out_is_leave_group_out_of_single_rows() -> None:
    np.testing.assert_array_equal(leave_one_out(6), leave_group_out(np.arange(6)))


@given(times=st.lists(st.integers(2012, 2024), min_size=4, max_size=30))
def test_time_ordered_folds_never_train_on_the_future(times: list[int]) -> None:
    cutoffs = sorted(set(times))[:-1]
    if not cutoffs:
        return
    when = np.array(times)
    for cutoff, mask in zip(cutoffs, time_ordered(times, cutoffs), strict=True):
        assert when[mask].min() > cutoff
        assert when[~mask].max() == cutoff


@given(n=st.integers(4, 60), seed=seeds, data=st.data())
def test_k_fold_tests_every_row_once_in_even_folds(n: int, seed: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(2, n))
    masks = k_fold(n, k, np.random.default_rng(seed))
    np.testing.assert_array_equal(masks.sum(axis=0), 1)
    assert np.ptp(masks.sum(axis=1)) <= 1


@given(groups=group_lists, seed=seeds)
def test_grouped_folds_keep_groups_whole_and_leave_no_fold_empty(groups: list[str], seed: int) -> None:
    k = len(set(groups))
    masks = k_fold(len(groups), k, np.random.default_rng(seed), groups)
    np.testing.assert_array_equal(masks.sum(axis=0), 1)
    assert masks.any(axis=1).all()
    for label in set(groups):
        assert masks[:, np.array(groups) == label].any(axis=1).sum() == 1


def test_folds_change_with_the_seed_and_repeat_with_it() -> None:
    one, again, other = (k_fold(30, 5, np.random.default_rng(s)) for s in (0, 0, 1))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)


@given(groups=group_lists)
def test_training_weights_are_equal_over_training_rows(groups: list[str]) -> None:
    masks = leave_group_out(groups)
    weights = training_weights(masks)
    assert np.all(weights[masks] == 0)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    for row, mask in zip(weights, masks, strict=True):
        np.testing.assert_allclose(row[~mask], 1 / np.sum(~mask))


@given(seed=seeds, n=st.integers(3, 40))
def test_paired_difference_of_rows_is_the_textbook_one(seed: int, n: int) -> None:
    a, b = np.random.default_rng(seed).normal(size=(2, n))
    found = paired_difference(a, b)
    assert found.mean == pytest.approx(np.mean(a - b), abs=1e-12)
    assert found.standard_error == pytest.approx(np.std(a - b, ddof=1) / math.sqrt(n), rel=1e-10)
    assert found.z == pytest.approx(found.mean / found.standard_error)
    back = paired_difference(b, a)
    assert (back.mean, back.standard_error) == pytest.approx((-found.mean, found.standard_error))


def test_copied_rows_in_clusters_do_not_look_like_more_evidence() -> None:
    a, b = np.random.default_rng(0).normal(size=(2, 15))
    single = paired_difference(a, b)
    copied = paired_difference(np.tile(a, 4), np.tile(b, 4), np.tile(np.arange(15), 4))
    assert copied.standard_error == pytest.approx(single.standard_error, rel=1e-10)
    assert (copied.n, copied.n_clusters) == (60, 15)
    assert paired_difference(np.tile(a, 4), np.tile(b, 4)).standard_error < 0.6 * single.standard_error


def test_equal_losses_have_no_z_and_a_constant_gap_an_infinite_one() -> None:
    assert paired_difference([1.0, 2.0], [1.0, 2.0]).z == 0
    assert paired_difference([1.0, 2.0], [2.0, 3.0]).z == -math.inf


@given(seed=seeds)
def test_the_best_is_always_a_member_and_order_of_models_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    losses = rng.gamma(2.0, size=(6, 20)) + rng.normal(size=(6, 1)) * 0.2
    order = rng.permutation(6)
    found, shuffled = one_standard_error_set(losses), one_standard_error_set(losses[order])
    assert found.members[found.best]
    assert found.means[found.best] == found.means.min()
    np.testing.assert_array_equal(found.members[order], shuffled.members)
    assert not found.members.flags.writeable


def test_a_shared_hard_row_does_not_hide_a_clear_winner() -> None:
    hard = np.append(np.zeros(19), 100.0)
    wobble = 0.01 * np.random.default_rng(0).normal(size=20)
    found = one_standard_error_set([hard, hard + 0.5 + wobble, hard + wobble * 0.01])
    assert not found.members[1]
    assert found.members[[0, 2]].all()


@given(seed=seeds, models=st.integers(1, 8), n=st.integers(1, 30), unit=st.sampled_from([1e-8, 1.0, 1e8]))
def test_stacking_satisfies_the_optimality_conditions(seed: int, models: int, n: int, unit: float) -> None:
    rng = np.random.default_rng(seed)
    y = unit * rng.normal(size=n)
    predictions = y + unit * rng.normal(size=(models, n)) * rng.uniform(0.1, 3, (models, 1))
    row_weights = rng.uniform(0.1, 2, n)
    found = stacking_weights(predictions, y, row_weights)
    assert found.min() >= 0
    assert found.sum() == pytest.approx(1, abs=1e-12)
    errors = (predictions - y) * np.sqrt(row_weights)
    gradient = errors @ (found @ errors)
    level = found @ gradient
    scale = np.sum(errors**2, axis=1).max()
    assert np.all(gradient >= level - KKT_TOLERANCE * scale)
    assert np.abs(gradient[found > 0] - level).max() <= KKT_TOLERANCE * scale


def test_stacking_is_no_worse_than_a_general_solver_and_than_each_model() -> None:
    rng = np.random.default_rng(9)
    y = rng.normal(size=50)
    predictions = y + rng.normal(size=(5, 50)) * np.array([[0.5], [0.6], [0.7], [2.0], [3.0]])
    found = stacking_weights(predictions, y)
    loss = lambda w: np.sum((w @ predictions - y) ** 2)  # noqa: E731
    other = minimize(
        loss,
        np.full(5, 0.2),
        bounds=[(0, 1)] * 5,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
        options={"ftol": 1e-14},
    )
    assert loss(found) <= other.fun * (1 + 1e-12)
    np.testing.assert_allclose(found, other.x, atol=1e-5)
    assert loss(found) < min(loss(unit) for unit in np.eye(5))


def test_a_perfect_model_takes_all_the_weight() -> None:
    y = np.arange(5.0)
    assert stacking_weights([y + 1, y, y - 1], y).tolist() == [0.0, 1.0, 0.0]
    almost = stacking_weights([y + 1, y + 1e-9, y + 5], y)
    np.testing.assert_allclose(almost, [0, 1, 0], atol=1e-8)


@given(seed=seeds)
def test_r_squared_of_least_squares_is_the_squared_correlation(seed: int) -> None:
    x, noise = np.random.default_rng(seed).normal(size=(2, 20))
    y = x + noise
    fitted = np.polyval(np.polyfit(x, y, 1), x)
    assert r_squared(y, fitted) == pytest.approx(np.corrcoef(x, y)[0, 1] ** 2, rel=1e-9)
    assert r_squared(y, np.full(20, y.mean())) == pytest.approx(0, abs=1e-12)
    doubled = np.repeat(np.arange(20), 2)
    weights = np.where(np.arange(20) < 5, 2.0, 1.0)
    picked = np.concatenate([np.arange(20), np.arange(5)])
    assert r_squared(y, x, weights) == pytest.approx(r_squared(y[picked], x[picked]), rel=1e-10)
    assert r_squared(y[doubled], x[doubled]) == pytest.approx(r_squared(y, x), rel=1e-10)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: leave_one_out(1), SettingError, "n=1"),
        (lambda: leave_group_out(["a", "a"]), EvidenceError, "1 group"),
        (lambda: time_ordered([1.0, 2.0], [2.0]), EvidenceError, "no rows after cutoff 2"),
        (lambda: time_ordered([1.0, 2.0], [0.0]), EvidenceError, "no rows up to cutoff 0"),
        (lambda: time_ordered([1.0, np.nan], [1.0]), EvidenceError, "times has 1 value"),
        (lambda: k_fold(3, 4, np.random.default_rng(0)), SettingError, "k=4, must be <= 3"),
        (lambda: k_fold(3, 1, np.random.default_rng(0)), SettingError, "k=1"),
        (lambda: k_fold(3, 2, np.random.default_rng(0), ["a", "b"]), EvidenceError, "must be equal"),
        (lambda: training_weights(np.ones((1, 3), bool)), EvidenceError, "trains on no row"),
        (lambda: training_weights(np.zeros((1, 3), bool)), EvidenceError, "tests none"),
        (lambda: training_weights(np.ones((1, 3))), EvidenceError, "needs booleans"),
        (lambda: paired_difference([1.0], [2.0]), EvidenceError, "needs at least 2"),
        (lambda: paired_difference([1.0, 2.0], [2.0]), EvidenceError, "lengths loss_a 2, loss_b 1"),
        (lambda: paired_difference([1.0, np.nan], [2.0, 1.0]), EvidenceError, "not finite"),
        (lambda: stacking_weights([[1.0, 2.0]], [1.0]), EvidenceError, "must be equal"),
        (lambda: stacking_weights([[1.0]], [1.0], [-1.0]), EvidenceError, "must be >= 0"),
        (lambda: stacking_weights([["a"]], [1.0]), EvidenceError, "not numeric"),
        (lambda: r_squared([1.0, 1.0], [1.0, 2.0]), NotIdentifiedError, "y is constant"),
    ],
)
def test_what_cannot_be_used_is_refused(call: object, error: type[IsoflopError], message: str) -> None:
    with pytest.raises(error, match=message):
        call()  # type: ignore[operator]

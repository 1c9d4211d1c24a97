"""Replicates are weights: right law, same draws however the work is cut, no row lost."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.errors import EvidenceError, SettingError
from isoflop.stats.resample import (
    BLOCK,
    Bootstrap,
    cluster_weights,
    jackknife_weights,
    legacy_choices,
    replicate_weights,
    row_weights,
    weights_from_choices,
)

ROUNDING = 1e-12
labels = st.lists(st.sampled_from("abcdef"), min_size=2, max_size=30)


@given(n=st.integers(1, 40), reps=st.integers(1, 30), seed=st.integers(0, 2**32))
def test_row_weights_are_counts_of_n_draws(n: int, reps: int, seed: int) -> None:
    weights = row_weights(n, reps, np.random.default_rng(seed))
    counts = weights * n
    assert weights.shape == (reps, n)
    np.testing.assert_allclose(counts, np.round(counts), atol=ROUNDING)
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=ROUNDING)


def test_row_weights_follow_the_multinomial_law() -> None:
    n, reps = 7, 40_000
    counts = row_weights(n, reps, np.random.default_rng(1)) * n
    expected = np.eye(n) - 1 / n
    standard_error = 3 / np.sqrt(reps)
    assert np.abs(counts.mean(axis=0) - 1).max() < 4 * np.sqrt((1 - 1 / n) / reps)
    assert np.abs(np.cov(counts.T) - expected).max() < 4 * standard_error


@given(codes=labels, seed=st.integers(0, 1000))
def test_rows_of_a_cluster_are_drawn_together_and_weights_sum_to_one(codes: list[str], seed: int) -> None:
    weights = cluster_weights(codes, 20, np.random.default_rng(seed))
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=ROUNDING)
    for label in set(codes):
        of_cluster = weights[:, np.array(codes) == label]
        assert np.all(of_cluster == of_cluster[:, :1])


@given(codes=labels, seed=st.integers(0, 1000))
def test_cluster_draws_do_not_depend_on_the_order_of_rows(codes: list[str], seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(codes))
    straight = replicate_weights(seed, len(codes), 0, 50, codes)
    shuffled = replicate_weights(seed, len(codes), 0, 50, np.array(codes)[order])
    np.testing.assert_array_equal(straight[:, order], shuffled)


def test_cluster_counts_follow_the_multinomial_law() -> None:
    codes = np.repeat(np.arange(5), [1, 2, 3, 4, 10])
    weights = cluster_weights(codes, 40_000, np.random.default_rng(3))
    first_of_each = np.array([0, 1, 3, 6, 10])
    ratio = weights[:, first_of_each] / weights[:, first_of_each].sum(axis=1, keepdims=True)
    np.testing.assert_allclose(ratio.mean(axis=0), 0.2, atol=0.005)
    np.testing.assert_allclose(ratio * 5, np.round(ratio * 5), atol=1e-9)


@given(
    cuts=st.lists(st.integers(0, 3 * BLOCK), max_size=6),
    seed=st.integers(0, 2**32),
    by_cluster=st.booleans(),
)
def test_replicates_are_the_same_however_the_work_is_cut(
    cuts: list[int], seed: int, by_cluster: bool
) -> None:
    n, last = 9, 3 * BLOCK - 5
    codes = np.arange(n) // 2 if by_cluster else None
    whole = replicate_weights(seed, n, 0, last, codes)
    edges = sorted({0, last, *(min(c, last) for c in cuts)})
    parts = [replicate_weights(seed, n, a, b, codes) for a, b in itertools.pairwise(edges)]
    np.testing.assert_array_equal(np.vstack(parts), whole)


def test_more_replicates_extend_the_fewer_and_seeds_differ() -> None:
    few, many = Bootstrap(reps=70).weights(11), Bootstrap(reps=300).weights(11)
    np.testing.assert_array_equal(few, many[:70])
    assert not np.array_equal(few, Bootstrap(reps=70, seed=1).weights(11))
    assert len(np.unique(many, axis=0)) > 295


def test_an_empty_range_of_replicates_gives_no_rows() -> None:
    assert replicate_weights(0, 4, 10, 10).shape == (0, 4)


def test_legacy_choices_equal_the_legacy_global_generator() -> None:
    row_labels = np.array([7, 3, 100, 41, 5, 6])
    np.random.seed(0)  # noqa: NPY002 - the oracle is the legacy generator itself
    expected = np.stack([np.random.choice(np.arange(231), 231) for _ in range(5)])  # noqa: NPY002
    np.testing.assert_array_equal(legacy_choices(231, 5, 0), expected)
    np.random.seed(12)  # noqa: NPY002
    expected = np.stack([np.random.choice(row_labels, 6) for _ in range(4)])  # noqa: NPY002
    np.testing.assert_array_equal(legacy_choices(6, 4, 12, row_labels), expected)


@given(n=st.integers(1, 20), seed=st.integers(0, 100))
def test_weights_from_choices_reproduce_the_mean_of_the_chosen(n: int, seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=n)
    choices = legacy_choices(n, 6, seed)
    np.testing.assert_allclose(
        weights_from_choices(choices, n) @ values, values[choices].mean(axis=1), atol=ROUNDING
    )


@given(codes=labels.filter(lambda c: len(set(c)) > 1))
def test_jackknife_leaves_out_exactly_one_cluster(codes: list[str]) -> None:
    weights = jackknife_weights(len(codes), codes)
    names = np.array(codes)
    assert weights.shape == (len(set(codes)), len(codes))
    for row, label in zip(weights, sorted(set(codes)), strict=True):
        assert np.all(row[names == label] == 0)
        np.testing.assert_allclose(row[names != label], 1 / np.sum(names != label))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"level": 95}, r"^Bootstrap: level=95, must lie in \(0, 1\). Did you mean 0.95\?$"),
        ({"level": 0.0}, "must lie in"),
        ({"level": True}, "must lie in"),
        ({"reps": 0}, "Bootstrap: reps=0, must be a whole number >= 1"),
        ({"reps": 10.0}, "reps=10.0"),
        ({"seed": -1}, "seed=-1"),
        ({"by": ""}, "by=''"),
        ({"kind": "studentized"}, "Did you mean 'studentised'"),
        ({"kind": "t"}, "must be one of percentile, basic, bca, studentised"),
    ],
)
def test_bad_settings_are_refused_with_advice(settings: dict[str, object], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        Bootstrap(**settings)  # type: ignore[arg-type]


def test_labels_must_agree_with_the_unit_of_resampling() -> None:
    with pytest.raises(SettingError, match="no cluster labels"):
        Bootstrap(by="paper").weights(3)
    with pytest.raises(SettingError, match="disagree"):
        Bootstrap().weights(3, ["a", "b", "c"])
    with pytest.raises(EvidenceError, match="needs one per row"):
        Bootstrap(by="paper").weights(3, ["a", "b"])


@pytest.mark.parametrize("missing", [["a", None, "b"], [1.0, float("nan"), 2.0]])
def test_missing_cluster_labels_are_refused_by_position(missing: list[object]) -> None:
    with pytest.raises(EvidenceError, match=r"1 row\(s\) without a cluster label \(first at 1\)"):
        cluster_weights(np.array(missing), 2, np.random.default_rng(0))


@pytest.mark.parametrize("choices", [[[0, 4]], [[-1, 0]], [[0.5, 1.0]], [0, 1]])
def test_choices_that_are_no_positions_are_refused(choices: object) -> None:
    with pytest.raises(EvidenceError, match="weights_from_choices"):
        weights_from_choices(choices, 4)  # type: ignore[arg-type]


def test_one_cluster_cannot_be_left_out() -> None:
    with pytest.raises(EvidenceError, match="1 cluster, needs at least 2"):
        jackknife_weights(3, ["a", "a", "a"])

"""Tests of shares agree with SciPy and statsmodels, and hold what permutation promises."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import StratifiedTable
from statsmodels.stats.multitest import multipletests

from isoflop.errors import EvidenceError
from isoflop.stats.contingency import benjamini_hochberg, fisher_exact, mantel_haenszel, trend_test
from isoflop.stats.rank_tests import average_ranks, rank_correlation

RTOL = 1e-7
"""SciPy sums probabilities, we sum exponentials of log-factorials."""
counts = st.integers(1, 80).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts, counts)
def test_fisher_equals_scipys_whatever_the_table(first: tuple[int, int], second: tuple[int, int]) -> None:
    (k1, n1), (k2, n2) = first, second
    oracle = scipy.stats.fisher_exact([[k1, n1 - k1], [k2, n2 - k2]]).pvalue
    assert fisher_exact(k1, n1, k2, n2) == pytest.approx(oracle, rel=RTOL)


def test_fisher_holds_for_tables_of_thousands() -> None:
    oracle = scipy.stats.fisher_exact([[1300, 1700], [9000, 36825]]).pvalue
    assert fisher_exact(1300, 3000, 9000, 45825) == pytest.approx(oracle, rel=1e-6)


@given(counts, counts)
def test_fisher_does_not_know_which_group_came_first(first: tuple[int, int], second: tuple[int, int]) -> None:
    assert fisher_exact(*first, *second) == pytest.approx(fisher_exact(*second, *first), rel=RTOL)


def test_fisher_refuses_more_successes_than_rows() -> None:
    with pytest.raises(EvidenceError, match="successes <= rows"):
        fisher_exact(5, 4, 1, 2)


@given(st.lists(counts, min_size=2, max_size=6), st.floats(0.1, 50), st.floats(-3000, 3000))
def test_trend_ignores_unit_and_origin_of_the_scores(
    groups: list[tuple[int, int]], unit: float, origin: float
) -> None:
    k, n = np.array(groups).T
    if 0 < k.sum() < n.sum():
        plain = trend_test(k, n)
        moved = trend_test(k, n, origin + unit * np.arange(len(k)))
        assert moved.z == pytest.approx(plain.z, rel=1e-6, abs=1e-9)
        assert (moved.p_exact is None) == (plain.p_exact is None)
        if plain.p_exact is not None and moved.p_exact is not None:
            assert moved.p_exact == pytest.approx(plain.p_exact, rel=1e-6)


def test_trend_is_the_correlation_of_rows_with_scores() -> None:
    k, n, years = np.array([9, 6, 5, 1]), np.array([12, 15, 20, 18]), np.array([2012, 2014, 2015, 2019])
    score = np.repeat(years, n)
    row = np.concatenate([np.r_[np.ones(a), np.zeros(b - a)] for a, b in zip(k, n, strict=True)])
    r = scipy.stats.pearsonr(row, score).statistic
    assert trend_test(k, n, years).z == pytest.approx(r * np.sqrt(n.sum()), rel=1e-9)


def test_exact_trend_p_counts_every_deal() -> None:
    k, n = np.array([3, 1, 0]), np.array([4, 3, 2])
    score = np.repeat([0.0, 1.0, 2.0], n)
    sums = np.array([score[list(chosen)].sum() for chosen in combinations(range(9), 4)])
    apart = np.abs(sums - 4 * score.mean())
    test = trend_test(k, n)
    assert not test.is_simulated
    assert test.p_exact == pytest.approx((apart >= abs(1.0 - 4 * score.mean()) - 1e-9).mean(), rel=1e-9)


def test_simulated_trend_p_comes_near_the_exact_one() -> None:
    k, n = np.array([4, 6, 3, 2, 0]), np.array([5, 9, 8, 9, 4])
    exact = trend_test(k, n)
    # Scores on no lattice: nearly the same order and distances, but the sums cannot be listed.
    drawn = trend_test(k, n, np.arange(5) + np.array([0, 1e-9, 0, 3.1e-8, 0]) * np.pi)
    assert drawn.is_simulated
    assert exact.p_exact is not None
    assert drawn.p_exact == pytest.approx(exact.p_exact, rel=0.25)


def test_trend_refuses_one_outcome() -> None:
    with pytest.raises(EvidenceError, match="both outcomes"):
        trend_test([3, 4], [3, 4])


tables = st.lists(st.tuples(*[st.integers(1, 40)] * 4), min_size=2, max_size=8)


@given(tables)
def test_mantel_haenszel_equals_statsmodels(cells: list[tuple[int, int, int, int]]) -> None:
    a, b, c, d = np.array(cells, dtype=float).T
    oracle = StratifiedTable([np.array([[w, x], [y, z]], dtype=float) for w, x, y, z in cells])
    ours = mantel_haenszel(a, a + b, c, c + d)
    assert ours.value is not None
    assert ours.value == pytest.approx(oracle.oddsratio_pooled, rel=1e-9)
    assert (ours.low, ours.high) == pytest.approx(oracle.oddsratio_pooled_confint(), rel=1e-9)
    if abs(ours.value - 1) > 1e-3:  # statsmodels divides by 1 - ratio, and loses all digits near 1
        assert ours.heterogeneity_p == pytest.approx(oracle.test_equal_odds(adjust=True).pvalue, abs=1e-7)


@given(tables)
def test_swapping_the_groups_inverts_the_ratio(cells: list[tuple[int, int, int, int]]) -> None:
    a, b, c, d = np.array(cells, dtype=float).T
    there, back = mantel_haenszel(a, a + b, c, c + d), mantel_haenszel(c, c + d, a, a + b)
    assert there.value is not None
    assert back.value == pytest.approx(1 / there.value, rel=1e-9)
    assert back.low == pytest.approx(1 / there.high, rel=1e-9)  # type: ignore[operator]


def test_a_stratum_with_one_group_or_one_outcome_does_not_count() -> None:
    plain = mantel_haenszel([10, 4], [50, 20], [5, 6], [50, 60])
    padded = mantel_haenszel([10, 4, 3, 0], [50, 20, 9, 5], [5, 6, 0, 0], [50, 60, 0, 5])
    assert (padded.value, padded.low, padded.strata) == (plain.value, plain.low, 2)
    assert mantel_haenszel([3], [9], [0], [0]).value is None


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_adjusted_p_equals_statsmodels(p: list[float]) -> None:
    oracle = multipletests(p, method="fdr_bh")[1]
    np.testing.assert_allclose(benjamini_hochberg(p), oracle, rtol=1e-12, atol=1e-15)


pairs = st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=3, max_size=7)


@given(pairs)
def test_rank_correlation_equals_scipys_and_its_exact_p(rows: list[tuple[int, int]]) -> None:
    x, y = np.array(rows, dtype=float).T
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        with pytest.raises(EvidenceError, match="constant"):
            rank_correlation(x, y)
        return
    ours = rank_correlation(x, y)
    assert ours.rho == pytest.approx(scipy.stats.spearmanr(x, y).statistic, abs=1e-12)
    np.testing.assert_allclose(average_ranks(x), scipy.stats.rankdata(x))
    assert 0 < ours.p <= 1


def test_exact_p_of_a_perfect_order_is_two_orders_of_all() -> None:
    assert rank_correlation(range(6), range(6)).p == pytest.approx(2 / 720)


def test_simulated_p_of_ranks_comes_near_the_tail() -> None:
    x = np.arange(12.0)
    y = np.array([2, 0, 3, 1, 5, 9, 4, 7, 11, 6, 8, 10.0])
    ours = rank_correlation(x, -y)
    assert ours.is_simulated
    assert ours.rho < 0
    assert ours.p == pytest.approx(scipy.stats.spearmanr(x, y).pvalue, abs=0.002)

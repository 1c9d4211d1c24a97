"""Definitions of large: ranks with ties, trends, and what repeating rows does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.divide.large import (
    LARGE,
    RELATIVE,
    Above,
    AboveTrend,
    Known,
    Large,
    TopK,
    TopQuantile,
    large_of,
)
from isoflop.divide.standing import lowess
from isoflop.errors import EvidenceError, SettingError

SEEDS = st.integers(0, 10_000)
FAST = [one for one in RELATIVE if one.name != "above_running"]


def rows(seed: int, n: int = 60) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    t = np.sort(rng.uniform(2012, 2018, n))
    # One decimal makes ties.
    return t, np.floor(t).astype(int), np.round(19 + 0.6 * (t - 2012) + rng.normal(0, 1, n), 1)


@given(SEEDS)
def test_ranks_agree_with_pandas(seed: int) -> None:
    pandas = pytest.importorskip("pandas")
    t, year, flop = rows(seed)
    by_year = pandas.Series(flop).groupby(year)
    share = by_year.rank(pct=True, method="average").to_numpy()
    place = by_year.rank(ascending=False, method="average").to_numpy()
    assert (TopQuantile(0.75).mask(t, year, flop) == (share > 0.75)).all()
    assert (TopK(4).mask(t, year, flop) == (place <= 4)).all()


@given(SEEDS)
def test_above_trend_agrees_with_polyfit_and_quantile(seed: int) -> None:
    t, year, flop = rows(seed)
    rest = flop - np.polyval(np.polyfit(t - 2015, flop, 1), t - 2015)
    clear = np.abs(rest) > 1e-9
    assert (AboveTrend().mask(t, year, flop) == (rest > 0))[clear].all()
    bar = np.quantile(rest, 0.75)
    clear = np.abs(rest - bar) > 1e-9
    assert (AboveTrend(q=0.75).mask(t, year, flop) == (rest > bar))[clear].all()


def test_the_running_trend_agrees_with_statsmodels() -> None:
    smoothers = pytest.importorskip("statsmodels.nonparametric.smoothers_lowess")
    t, _, flop = rows(3, 200)
    want = smoothers.lowess(flop, t, frac=0.4, return_sorted=False)
    assert lowess(t, flop) == pytest.approx(want, abs=1e-8)


@pytest.mark.parametrize("large", RELATIVE, ids=lambda one: one.name)
@given(SEEDS)
def test_units_of_compute_and_row_order_do_not_matter(large: Large, seed: int) -> None:
    t, year, flop = rows(seed, 40)
    plain = large.mask(t, year, flop)
    order = np.random.default_rng(seed).permutation(t.size)
    assert (large.mask(t[order], year[order], flop[order]) == plain[order]).all()
    assert (large.mask(t, year, flop + 4) == plain).all()


@pytest.mark.parametrize("large", FAST, ids=lambda one: one.name)
@given(SEEDS)
def test_weights_are_repeated_rows(large: Large, seed: int) -> None:
    t, year, flop = rows(seed, 40)
    counts = np.random.default_rng(seed).integers(0, 3, (2, t.size))
    found = large.mask(t, year, flop, weights=counts)
    for one, row in zip(counts, found, strict=True):
        again = np.repeat(np.arange(t.size), one)
        want = large.mask(t[again], year[again], flop[again])
        assert (np.repeat(row, one) == want).all()
        assert not row[one == 0].any()


@given(SEEDS)
def test_small_and_tied_samples_give_masks_or_a_reason(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 9))
    t, flop = 2012.0 + rng.integers(0, 3, n), rng.integers(18, 22, n).astype(float)
    flop[rng.uniform(size=n) < 0.2] = np.nan
    counts = rng.integers(0, 3, (2, n))
    one_date = np.unique(t[np.isfinite(flop)]).size < 2
    for large in LARGE.values():
        if one_date and isinstance(large, AboveTrend):
            with pytest.raises(EvidenceError, match="one date"):
                large.mask(t, t.astype(int), flop, weights=counts)
            continue
        found = large.mask(t, t.astype(int), flop, weights=counts)
        assert found.shape == (2, n)
        assert not found[(counts == 0) | np.isnan(flop)].any()


def test_systems_on_a_line_are_not_above_it() -> None:
    t = np.array([2012.1, 2013.7, 2015.3])
    assert not AboveTrend().mask(t, t.astype(int), 18 + 0.37 * t).any()


@given(SEEDS)
def test_a_higher_bar_keeps_a_part_of_what_a_lower_one_keeps(seed: int) -> None:
    t, year, flop = rows(seed)
    for wide, narrow in (
        (Known(), TopK(50)),
        (TopK(5), TopK(2)),
        (TopQuantile(0.5), TopQuantile(0.9)),
        (AboveTrend(q=0.3), AboveTrend(q=0.8)),
        (Above(1e19), Above(1e21)),
    ):
        assert not (narrow.mask(t, year, flop) & ~wide.mask(t, year, flop)).any()


@pytest.mark.parametrize("large", LARGE.values(), ids=LARGE)
def test_a_row_without_compute_is_never_large_and_moves_no_other(large: Large) -> None:
    t, year, flop = rows(1)
    blank = np.append(flop, np.nan)
    found = large.mask(np.append(t, 2014.5), np.append(year, 2014), blank)
    assert not found[-1]
    assert (found[:-1] == large.mask(t, year, flop)).all()


def test_top_quantile_of_a_small_year_is_not_the_top_quarter_by_count() -> None:
    found = TopQuantile(0.75).mask([2020.0] * 5, [2020] * 5, [1, 2, 3, 4, 5])
    assert found.tolist() == [False, False, False, True, True]


def test_names_are_read_back() -> None:
    assert all(large_of(name) is one for name, one in LARGE.items())
    assert large_of("above:1e26") == Above(1e26)
    assert large_of("top_quantile:0.9") == TopQuantile(0.9)
    assert large_of("above_running:0.75").name == "above_running_q75"


def test_settings_outside_their_range_are_refused() -> None:
    with pytest.raises(SettingError, match=r"q=75, must lie in \(0, 1\)"):
        TopQuantile(75)
    with pytest.raises(SettingError, match="k=0"):
        TopK(0)
    with pytest.raises(SettingError, match="trend='bent'"):
        AboveTrend(trend="bent")  # type: ignore[arg-type]
    with pytest.raises(SettingError, match="flop=0"):
        Above(0)
    with pytest.raises(SettingError, match="Did you mean 'top_k'"):
        large_of("topk")
    with pytest.raises(SettingError, match="number after the colon"):
        large_of("top_k:many")
    with pytest.raises(EvidenceError, match="at least two dates"):
        AboveTrend().mask([2020.0, 2020.0], [2020, 2020], [20, 21])
    with pytest.raises(SettingError, match="whole numbers"):
        Known().mask([2020.0], [2020], [20], weights=[0.5])
    with pytest.raises(SettingError, match="one length"):
        Known().mask([2020.0], [2020], [20, 21])

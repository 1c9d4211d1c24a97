"""The ratio of a group's share in a part to its share of the whole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.errors import EvidenceError
from isoflop.stats.part_ratio import part_ratio

MONTE_CARLO = 0.05
"""Relative error of a variance from 20,000 tables: about 1 %; the delta method's own, a few."""


@pytest.mark.parametrize("share_in_part", [0.1, 0.3, 0.6])
def test_the_variance_is_that_of_simulated_tables(share_in_part: float) -> None:
    rng = np.random.default_rng(7)
    whole = 2000
    chances = [0.2 * share_in_part, 0.2 * (1 - share_in_part), 0.8 * 0.3, 0.8 * 0.7]
    tables = rng.multinomial(whole, chances, size=20_000)
    a, n, group = tables[:, 0], tables[:, 0] + tables[:, 1], tables[:, 0] + tables[:, 2]
    simulated = np.log(part_ratio(a, n, group, whole).value).var()
    stated = part_ratio(*(whole * np.array(x) for x in (chances[0], 0.2, chances[0] + chances[2], 1))).se_log
    assert simulated == pytest.approx(float(stated) ** 2, rel=MONTE_CARLO)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 30)), min_size=2, max_size=6))
def test_ratios_of_a_partition_average_to_one_by_its_shares(parts: list[tuple[int, int]]) -> None:
    a = np.array([hits for hits, _ in parts])
    n = a + np.array([rest for _, rest in parts])
    if a.sum() == 0:
        return
    ratio = part_ratio(a, n, a.sum(), n.sum())
    assert float((ratio.value * n).sum() / n.sum()) == pytest.approx(1)
    assert (ratio.low <= ratio.value + 1e-12).all()
    assert (ratio.high >= ratio.value - 1e-12).all()


def test_the_whole_is_as_common_as_itself_without_doubt() -> None:
    found = part_ratio(30, 100, 30, 100)
    assert (float(found.low), float(found.value), float(found.high)) == pytest.approx((1, 1, 1))


def test_none_in_the_part_gives_an_upper_end_only() -> None:
    found = part_ratio(0, 20, 50, 200)
    assert float(found.value) == 0
    assert float(found.low) == 0
    assert float(found.high) == pytest.approx(0.16843 / 0.25, rel=1e-3)  # Clopper-Pearson of 0 in 20


def test_an_empty_part_has_no_ratio() -> None:
    assert np.isnan(part_ratio(0, 0, 5, 20).value)


def test_counts_of_no_table_are_refused() -> None:
    with pytest.raises(EvidenceError, match="no table"):
        part_ratio(6, 5, 10, 20)
    with pytest.raises(EvidenceError, match="no table"):
        part_ratio(1, 20, 10, 20)

"""The scan for the nearest prompts is the whole scan, however little of it is done."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.routing.router import scan
from isoflop.routing.router.scan import at_least_kth, bank

ROUNDING = 2e-6
"""Two orders of summing 256 products of float32."""


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def alike(n: int, width: int, apart: float, rng: np.random.Generator) -> np.ndarray:
    """Return vectors whose lengths on later axes fall by `apart`: 0 leaves them all the same."""
    return unit(rng.standard_normal((n, width)) * np.exp(-apart * np.arange(width)))


@given(
    n=st.integers(1, 900),
    width=st.sampled_from([2, 16, 48]),
    apart=st.sampled_from([0.0, 0.05, 0.5]),
    k=st.integers(1, 60),
    whole=st.sampled_from([0, 10_000]),
    seed=st.integers(0, 99),
)
def test_the_nearest_are_those_of_all_similarities_sorted(
    n: int, width: int, apart: float, k: int, whole: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    rows, asked = alike(n, width, apart, rng), alike(1, width, apart, rng)[0]
    found, near = bank(rows, whole=whole).nearest(asked, k)
    similarity = rows.astype(float) @ asked.astype(float)
    assert found.size == near.size == len(set(found.tolist())) == min(k, n)
    np.testing.assert_allclose(near, similarity[found], atol=ROUNDING)
    np.testing.assert_allclose(near, np.sort(similarity)[::-1][:k], atol=ROUNDING)


@pytest.mark.parametrize("whole", [0, 10_000])
def test_equal_prompts_come_in_the_order_of_their_rows(whole: int) -> None:
    rng = np.random.default_rng(0)
    rows = alike(6_000, 8, 0.5, rng)
    rows[[17, 400, 4_321]] = rows[99]
    found, near = bank(rows, whole=whole).nearest(rows[99], 4)
    assert found.tolist() == [17, 99, 400, 4_321]
    np.testing.assert_allclose(near, 1, atol=ROUNDING)
    same = np.tile(rows[:1], (7_000, 1))
    assert bank(same, whole=whole).nearest(rows[0], 5)[0].tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(("apart", "gives_up"), [(0.1, False), (0.0, True)])
def test_a_head_is_chosen_that_suits_the_bank_and_given_up_where_it_does_not(
    monkeypatch: pytest.MonkeyPatch, apart: float, gives_up: bool
) -> None:
    rng = np.random.default_rng(1)
    rows, asked = alike(5_000, 64, apart, rng), alike(5, 64, apart, rng)
    if gives_up:
        monkeypatch.setattr(scan, "LOOKED_AT", 0.0)
    laid = bank(rows, whole=0)
    assert 0 < laid.head < 64
    for vector in asked:
        near = laid.nearest(vector, 20)[1]
        np.testing.assert_allclose(near, np.sort(rows @ vector)[::-1][:20], atol=ROUNDING)


def test_a_bank_without_structure_is_multiplied_whole() -> None:
    rows = alike(5_000, 64, 0.0, np.random.default_rng(2))
    assert bank(rows, whole=0).axes is None


@given(st.lists(st.integers(0, 9), min_size=1, max_size=40), st.integers(1, 40), st.integers(1, 40))
def test_the_k_largest_and_their_ties_are_among_those_kept(values: list[int], times: int, k: int) -> None:
    given_values = np.tile(np.array(values, dtype=np.float32), times * 8)
    k = min(k, given_values.size)
    kept = at_least_kth(given_values, k)
    assert np.all(np.diff(kept) > 0)
    assert set(np.flatnonzero(given_values >= np.sort(given_values)[-k])) <= set(kept.tolist())

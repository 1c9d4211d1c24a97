"""Lines through groups and replicates against numpy's polynomial fit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.errors import EvidenceError
from isoflop.stats.trend import fit_lines

ROUNDING = 1e-9
"""Sums of squares about the mean lose a few digits of sixteen."""


def drawn(seed, n=30, reps=4):
    rng = np.random.default_rng(seed)
    t = rng.uniform(2010, 2024, n)
    return t, 0.6 * (t - 2018) + rng.normal(size=n), rng.integers(0, 4, (reps, n)).astype(float), rng


@given(st.integers(0, 10_000))
def test_every_group_of_every_replicate_is_numpys_weighted_line(seed):
    t, y, weights, rng = drawn(seed)
    groups = rng.uniform(size=(3, t.size)) < 0.7
    found = fit_lines(t, y, groups=groups, weights=weights, origin=2018.0)
    for r, row in enumerate(weights):
        for g, member in enumerate(groups):
            root = np.sqrt(row * member)
            slope, level = np.polyfit(t - 2018.0, y, 1, w=root)
            assert found.slope[r, g] == pytest.approx(slope, rel=ROUNDING, abs=ROUNDING)
            assert found.level[r, g] == pytest.approx(level, rel=ROUNDING, abs=ROUNDING)


@given(st.integers(0, 10_000))
def test_outcomes_drawn_by_replicate_are_fitted_with_their_own_weights(seed):
    t, y, weights, rng = drawn(seed)
    outcomes = y + rng.normal(size=weights.shape)
    found = fit_lines(t, outcomes, weights=weights)
    apart = [
        fit_lines(t, one, weights=row[None]).slope[0] for one, row in zip(outcomes, weights, strict=True)
    ]
    np.testing.assert_allclose(found.slope, apart, rtol=ROUNDING)
    np.testing.assert_allclose(fit_lines(t, outcomes).slope, [fit_lines(t, one).slope for one in outcomes])


@given(st.integers(0, 10_000), st.floats(0.1, 100), st.floats(-5, 5))
def test_scale_of_weights_and_shift_of_the_outcome_leave_the_slope(seed, scale, shift):
    t, y, weights, _ = drawn(seed)
    plain = fit_lines(t, y, weights=weights).slope
    np.testing.assert_allclose(fit_lines(t, y + shift, weights=scale * weights).slope, plain, atol=1e-8)


def test_a_group_on_one_date_or_without_rows_has_no_slope():
    found = fit_lines([1.0, 1.0, 2.0], [0.0, 1.0, 5.0], groups=[[1, 1, 0], [0, 0, 0], [1, 1, 1]])
    assert np.isnan(found.slope[:2]).all()
    assert np.isnan(found.at(3.0)[:2]).all()
    assert found.slope[2] == pytest.approx(4.5)


def test_replicates_that_do_not_match_are_refused():
    with pytest.raises(EvidenceError, match="2 replicates of y and 3 of weights"):
        fit_lines([0, 1, 2], np.zeros((2, 3)), weights=np.ones((3, 3)))
    with pytest.raises(EvidenceError, match="lengths"):
        fit_lines([0, 1, 2], [0, 1])

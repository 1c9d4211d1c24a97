"""Student's t as a loss, and observations that differ between problems."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.errors import SettingError
from isoflop.stats.exp_sum import ExpSumDesign, Huber, StudentT
from isoflop.stats.optimise import fit_exp_sum

X = np.linspace(0.0, 3.0, 30)
DESIGN = ExpSumDesign(
    terms=(np.column_stack([np.ones(30), -X, np.zeros(30)]), np.tile([0.0, 0.0, 1.0], (30, 1)))
)
TRUTH = np.array([0.4, 0.7, -1.0])


@given(st.floats(-5, 5), st.floats(0.5, 30), st.floats(0.1, 3))
def test_students_slopes_are_those_of_its_value(r, df, scale):
    loss, h = StudentT(df, scale), 1e-5
    first, second = loss.slopes(np.array([r]))
    up, down = loss.value(np.array([r + h])), loss.value(np.array([r - h]))
    assert first[0] == pytest.approx((up - down)[0] / (2 * h), rel=1e-5, abs=1e-6)
    higher, lower = loss.slopes(np.array([r + h]))[0], loss.slopes(np.array([r - h]))[0]
    assert second[0] == pytest.approx((higher - lower)[0] / (2 * h), rel=1e-4, abs=1e-5)


def test_students_loss_ignores_a_far_outlier():
    y = DESIGN.predict(TRUTH, link="log") + np.random.default_rng(0).normal(0, 0.01, 30)
    spoilt = y.copy()
    spoilt[7] += 5.0
    loss = StudentT(4.0, 0.01)
    clean, with_outlier = (
        fit_exp_sum(DESIGN, data, starts=TRUTH, loss=loss, link="log").theta[0] for data in (y, spoilt)
    )
    assert with_outlier == pytest.approx(clean, abs=0.05)


def test_students_settings_must_be_positive():
    with pytest.raises(SettingError, match="StudentT: df=0"):
        StudentT(0.0)


def test_rows_of_observations_are_fitted_as_if_alone():
    rng = np.random.default_rng(1)
    y = DESIGN.predict(TRUTH, link="log") + rng.normal(0, 0.02, (3, 30))
    starts = np.vstack([TRUTH, TRUTH * 0.9] * 3)
    together = fit_exp_sum(DESIGN, y, starts=starts, loss=Huber(1e-2), link="log")
    for row in range(3):
        alone = fit_exp_sum(DESIGN, y[row], starts=starts[:2], loss=Huber(1e-2), link="log")
        assert together.theta[2 * row : 2 * row + 2] == pytest.approx(alone.theta, rel=1e-7)


def test_rows_of_observations_must_fit_the_batch():
    with pytest.raises(SettingError, match="y has shape"):
        fit_exp_sum(DESIGN, np.zeros((2, 30)), starts=np.tile(TRUTH, (3, 1)))
    with pytest.raises(SettingError, match="y holds NaN"):
        fit_exp_sum(DESIGN, np.full(30, np.nan), starts=TRUTH)

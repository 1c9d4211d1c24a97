"""The Kaplan to Chinchilla gain against one-dimensional minimisation."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize_scalar

from isoflop.errors import SettingError
from isoflop.progress.gains.chinchilla import PUBLISHED_GAIN, ChinchillaLaw, KaplanLaw, chinchilla_gain

budgets = st.floats(min_value=1e17, max_value=1e28)

# Minimising over ln N finds the argument to about sqrt(machine epsilon), and the loss is flat
# there, so a gain built from two such minima agrees to about 1e-6.
SEARCH_RTOL = 1e-6


def kaplan_loss(n: float, d: float) -> float:
    law = KaplanLaw()
    return ((law.n_c / n) ** (law.a_n / law.a_d) + law.d_c / d) ** law.a_d


def searched_gain(flop: float) -> float:
    """Solve the definition by search, with no closed form."""
    truth = ChinchillaLaw()

    def best(of, budget: float) -> tuple[float, float]:
        found = minimize_scalar(
            lambda u: of(np.exp(u), budget / 6 / np.exp(u)),
            bracket=(np.log(budget) * 0.35, np.log(budget) * 0.5),
            tol=1e-12,
        )
        return float(np.exp(found.x)), float(found.fun)

    n, _ = best(kaplan_loss, flop)
    loss = float(truth.loss(n, flop / 6 / n))
    root = brentq(
        lambda u: best(lambda n, d: float(truth.loss(n, d)), np.exp(u))[1] - loss,
        np.log(flop) - 8,
        np.log(flop) + 1e-6,
        xtol=1e-13,
    )
    return float(flop / np.exp(root))


@pytest.mark.parametrize("flop", [1e18, 1e19, 1e22, 1e25, 1e27])
def test_closed_form_agrees_with_a_search(flop):
    assert chinchilla_gain(flop).gain[0] == pytest.approx(searched_gain(flop), rel=SEARCH_RTOL)


def test_known_gains_are_reproduced():
    gain = chinchilla_gain([1e19, 1e25]).gain
    np.testing.assert_allclose(gain, [1.141, 4.653], atol=5e-4)


def test_published_search_is_within_seven_percent():
    published = chinchilla_gain(1e25).published_frame()
    ratio = published["published_approximate"] / published["ours"]
    assert ratio.is_between(0.93, 1.07).all()
    assert set(published["train_flop"]) == set(PUBLISHED_GAIN)


@given(budgets)
def test_gain_is_never_below_one(flop):
    assert chinchilla_gain(flop).gain[0] >= 1 - 1e-12


@given(budgets)
def test_optima_spend_exactly_the_budget(flop):
    curve = chinchilla_gain(flop)
    for n, d in (
        (curve.kaplan_parameters, curve.kaplan_tokens),
        (curve.chinchilla_parameters, curve.chinchilla_tokens),
    ):
        np.testing.assert_allclose(6 * n * d, flop, rtol=1e-12)


@given(budgets, st.floats(min_value=-0.5, max_value=0.5).filter(lambda x: abs(x) > 1e-3))
def test_chinchilla_optimum_beats_every_other_size(flop, step):
    law = ChinchillaLaw()
    n, d = law.optimum(flop)
    assert law.loss(n, d) < law.loss(n * np.exp(step), d * np.exp(-step))


@given(budgets)
def test_flop_for_inverts_the_optimal_loss(flop):
    law = ChinchillaLaw()
    np.testing.assert_allclose(law.flop_for(law.loss(*law.optimum(flop))), flop, rtol=1e-9)


def test_curve_is_a_result_with_findings_and_json():
    curve = chinchilla_gain()
    assert curve.frame().height == 81
    assert curve.frame()["is_extrapolated"].sum() > 0
    ids = [finding.id for finding in curve.findings()]
    assert ids == ["progress.chinchilla_gain", "progress.chinchilla_gain.flop_1e18"]
    assert all(finding.status == "ok" for finding in curve.findings())
    json.dumps(curve.to_dict(), allow_nan=False)
    assert "Caution" in curve.summary()


@pytest.mark.parametrize("bad", [0.0, -1e20, float("nan"), float("inf"), []])
def test_impossible_budgets_are_refused(bad):
    with pytest.raises(SettingError, match="train_flop"):
        chinchilla_gain(bad)

"""Which runs carry a fit: against refits by hand, and planted culprits."""

from __future__ import annotations

import json

import numpy as np
import pytest

from isoflop import scaling
from isoflop.errors import SettingError
from isoflop.scaling.estimate import find, problem
from isoflop.scaling.influence import find as module
from isoflop.scaling.influence.result import heteroscedasticity, leverage
from isoflop.scaling.simulate import planted_runs
from isoflop.stats.resample import Bootstrap


@pytest.fixture(scope="module")
def fitted():
    return scaling.fit(scaling.select(planted_runs(noise=0.005, outliers=3, seed=8)))


@pytest.fixture(scope="module")
def found(fitted):
    return scaling.influence(fitted, at_flop=1e22)


@pytest.mark.slow
@pytest.mark.ci
def test_leaving_a_run_out_is_a_fit_without_it(fitted, found):
    one = fitted.found.problem
    for i in (0, 17, 80):
        keep = np.arange(fitted.n) != i
        by_hand = find(problem(fitted.law, one.u[:, keep], one.log_y[keep], objective=scaling.Huber())).best
        assert found.without["alpha"][i] == pytest.approx(by_hand.theta[3], rel=1e-6)


def test_a_planted_outlier_heads_the_list(fitted, found):
    raised = set(np.argsort(-fitted.residuals)[:3].tolist())
    worst = {int(row["row"]) - 1 for row in found.rows(12)}
    assert raised & worst


def test_dropping_the_highest_losses_is_a_fit_of_the_rest(fitted, found):
    assert [int(row["dropped"]) for row in found.path] == [0, 1, 5, 10]
    runs = scaling.select(fitted.runs.table, drop_highest=5)
    assert found.path[2]["alpha"] == pytest.approx(scaling.fit(runs).parameters["alpha"].value, rel=1e-7)
    assert found.path[0]["tokens_per_param"] == pytest.approx(found.point["tokens_per_param"])


@pytest.mark.slow
@pytest.mark.ci
def test_runs_that_flip_a_conclusion_do_so_and_the_last_is_needed(fitted):
    value = float(scaling.influence(fitted).point["a"])
    bar = value + 0.004
    found = scaling.influence(fitted, flip=("a", bar))
    assert found.flip.flipped
    assert found.flip.values[-1] >= bar > found.flip.values[-2]
    assert len(found.flip.values) == len(found.flip.removed) + 1
    unreachable = scaling.influence(fitted, flip=("a", 0.99))
    assert not unreachable.flip.flipped
    assert unreachable.findings()[-1].status == "not_identified"


@pytest.mark.slow
@pytest.mark.ci
def test_the_jackknife_for_many_runs_agrees_with_refits_under_squares(monkeypatch):
    fitted = scaling.fit(scaling.select(planted_runs(noise=0.005, seed=1)), objective=scaling.Gaussian())
    exact = scaling.influence(fitted)
    monkeypatch.setattr(module, "EXACT_UP_TO", 10)
    quick = scaling.influence(fitted, top=4)
    assert quick.exact.sum() == 4
    shift = exact.shifts["alpha"]
    assert quick.shifts["alpha"][quick.exact] == pytest.approx(shift[quick.exact], rel=1e-5)
    assert np.corrcoef(quick.shifts["alpha"], shift)[0, 1] > 0.98
    assert any("approximate" in caution for caution in quick.cautions)


def test_leverage_is_that_of_a_linear_fit_and_sums_to_the_parameters(fitted):
    u = fitted.found.problem.u
    design = np.column_stack([np.ones(fitted.n), u.T])
    hat = design @ np.linalg.solve(design.T @ design, design.T)
    assert leverage(fitted) == pytest.approx(np.diag(hat), rel=1e-8)
    assert leverage(fitted).sum() == pytest.approx(3.0)


def test_uneven_noise_is_found_and_even_noise_is_not():
    from dataclasses import replace

    even = scaling.fit(scaling.select(planted_runs(noise=0.01, seed=0)), objective=scaling.Gaussian())
    assert heteroscedasticity(even).p > 0.01
    one = even.found.problem
    size = one.centred[1]
    noise = np.random.default_rng(0).normal(0, 0.002 * np.exp(0.8 * size))
    uneven = replace(
        even, found=replace(even.found, problem=replace(one, log_y=one.predict(even.theta) + noise))
    )
    assert heteroscedasticity(uneven).p < 0.01


@pytest.mark.slow
@pytest.mark.ci
def test_shifts_come_in_standard_errors_where_there_are_draws():
    fitted = scaling.fit(scaling.select(planted_runs(noise=0.01, seed=2)), ci=Bootstrap(reps=60))
    row = scaling.influence(fitted).rows(1)[0]
    assert row["dfbeta_alpha"] == pytest.approx(row["shift_alpha"] / fitted.standard_errors["alpha"])


def test_influence_says_itself_in_full(found):
    json.dumps(found.to_dict(), allow_nan=False)
    ids = [f.id for f in found.findings()]
    assert ids == ["scaling.drop_highest_range.tokens_per_param", "scaling.runs_that_flip"]
    assert found.frame().height == found.n
    with pytest.raises(SettingError, match="Did you mean 'alpha'"):
        scaling.influence(found.fitted, flip=("alfa", 0.3))

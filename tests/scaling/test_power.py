"""The planner of studies, against information computed by hand and against simulated studies."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.errors import NotIdentifiedError, SettingError
from isoflop.present.image import specification, to_svg
from isoflop.scaling.chapter.emergence import power_section
from isoflop.scaling.figures import emergence as figures
from isoflop.scaling.power.find import (
    StudyPlan,
    minimum_detectable_exponent,
    points_needed,
    power,
    standard_error,
    trials_needed,
)

plans = st.builds(
    StudyPlan,
    points=st.integers(3, 10),
    trials=st.integers(10, 500),
    resource_range=st.floats(3.0, 1e4),
    base_error=st.floats(0.1, 0.9),
)


@given(plans, st.floats(-0.02, 0.4))
def test_standard_error_is_the_inverse_of_the_numerical_information(plan, alpha):
    e = plan.error(alpha)
    if e.max() > 0.98:  # the law stops at an error of 1, where it has no derivative
        return

    def expected(theta):
        predicted = np.exp(theta[0] - theta[1] * plan.u)
        return plan.trials * (e * np.log(predicted) + (1 - e) * np.log1p(-predicted)).sum()

    at, h = np.array([math.log(plan.base_error), alpha]), 1e-4
    steps = np.eye(2) * h
    hessian = np.array(
        [
            [
                (expected(at + a + b) - expected(at + a - b) - expected(at - a + b) + expected(at - a - b))
                / (4 * h * h)
                for b in steps
            ]
            for a in steps
        ]
    )
    assert standard_error(plan, alpha) == pytest.approx(math.sqrt(np.linalg.inv(-hessian)[1, 1]), rel=1e-3)


@given(plans)
def test_doubling_the_log_range_halves_the_error_of_a_flat_exponent(plan):
    wider = replace(plan, resource_range=plan.resource_range**2)
    assert standard_error(wider, 0.0) == pytest.approx(0.5 * standard_error(plan, 0.0))


@given(plans, st.floats(0.02, 0.3))
def test_four_times_the_trials_halve_the_error(plan, alpha):
    assert standard_error(replace(plan, trials=4 * plan.trials), alpha) == pytest.approx(
        0.5 * standard_error(plan, alpha)
    )


@settings(max_examples=8)
@given(plans)
def test_more_trials_find_smaller_exponents(plan):
    def least(p):
        try:
            return minimum_detectable_exponent(p)
        except NotIdentifiedError:
            return math.inf

    assert least(replace(plan, trials=2 * plan.trials)) <= least(plan)


@given(plans, st.floats(0.1, 0.3), st.floats(0.02, 0.2))
def test_needed_trials_and_points_are_the_fewest(plan, alpha, target):
    n = trials_needed(plan, alpha, target)
    if n is not None:
        assert standard_error(replace(plan, trials=n), alpha) <= target
        assert n == 1 or standard_error(replace(plan, trials=n - 1), alpha) > target
    m = points_needed(plan, alpha, target)
    if m is not None:
        assert standard_error(replace(plan, points=m), alpha) <= target
        assert m == 3 or standard_error(replace(plan, points=m - 1), alpha) > target


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize(
    "plan",
    [
        StudyPlan(),
        StudyPlan(points=6, trials=100, resource_range=100.0),
        StudyPlan(points=6, trials=100, resource_range=100.0, seeds=4, seed_spread=0.2),
    ],
)
def test_simulated_studies_keep_the_promise(plan):
    found = power(plan, draws=2000)
    checked = found.simulated
    assert checked.power == pytest.approx(0.8, abs=0.05)
    assert checked.size == pytest.approx(0.05, abs=0.025)
    assert checked.standard_deviation == pytest.approx(found.standard_error, rel=0.1)
    assert checked.mean == pytest.approx(0.25, abs=0.02)


def test_luck_of_runs_cannot_be_bought_off_with_trials():
    plan = StudyPlan(seed_spread=0.5)
    assert trials_needed(plan, 0.25, 0.05) is None
    assert trials_needed(replace(plan, seeds=100), 0.25, 0.06) is not None


def test_finding_and_map():
    found = power(StudyPlan(points=5), draws=0)
    (finding,) = found.findings()
    assert finding.id == "scaling.minimum_detectable_exponent"
    assert finding.details["simulated"] is None
    same = next(row for row in found.rows() if (row["points"], row["trials"]) == (5, 50))
    assert same["minimum_detectable"] == found.minimum_detectable == finding.estimate.value
    json.dumps(found.to_dict(), allow_nan=False)
    assert "trials a point" in found.summary()


@pytest.mark.slow
@pytest.mark.ci
def test_a_hopeless_plan_says_so():
    found = power(StudyPlan(points=3, trials=1, base_error=0.05, resource_range=1.5), draws=0)
    assert found.minimum_detectable is None
    assert found.findings()[0].status == "not_identified"
    nowhere = power(found.plan, points=(3,), trials=(1,), draws=0)
    figure = power_section(nowhere).figures[0]
    assert figure.frame["shown"].to_list() == ["none"]
    assert to_svg(specification(figure)).startswith("<svg")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"points": 2}, "points"),
        ({"trials": 0}, "trials"),
        ({"resource_range": 1.0}, "resource_range"),
        ({"base_error": 60}, "Did you mean 0.6"),
        ({"seed_spread": -1.0}, "seed_spread"),
    ],
)
def test_plans_that_cannot_be_are_refused(asked, message):
    with pytest.raises(SettingError, match=message):
        StudyPlan(**asked)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"level": 95}, "Did you mean 0.95"),
        ({"wanted_power": 0.0}, "wanted_power"),
        ({"alpha": 0.0}, "alpha"),
        ({"alpha": math.nan}, "alpha"),
        ({"target_se": 0.0}, "target_se"),
        ({"draws": -1}, "draws"),
    ],
)
def test_questions_that_cannot_be_are_refused(asked, message):
    with pytest.raises(SettingError, match=message):
        power(**asked)


@pytest.mark.slow
@pytest.mark.ci
def test_map_is_drawn_and_placed():
    found = power(draws=200)
    frame = figures.power_data(found)
    (rows,) = figures.power(found).to_dict()["datasets"].values()
    assert len(rows) == frame.height
    assert set(rows[0]) == set(frame.columns)
    section = power_section(found)
    assert [b.id for b in section.blocks() if not isinstance(b, str)] == ["power"]
    assert to_svg(specification(section.figures[0], titled=True)).startswith("<svg")


def test_command_prints_the_plan():
    from click.testing import CliRunner

    from isoflop.scaling.commands.emergence import power as command

    ran = CliRunner().invoke(
        command, ["--points", "6", "--trials", "100", "--range", "100", "--draws", "0", "--json"]
    )
    assert ran.exit_code == 0, ran.output
    document = json.loads(ran.stdout)
    assert document["findings"][0]["value"] == pytest.approx(0.0708, abs=1e-3)
    assert len(document["tables"]["map"]) == 36

"""Three labels of returns, each against a curve whose answer is known in closed form."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.errors import EvidenceError, SettingError
from isoflop.evidence import load
from isoflop.present.image import specification, to_svg
from isoflop.scaling.breaks.null import Null
from isoflop.scaling.breaks.series import series_of
from isoflop.scaling.chapter.emergence import returns_section
from isoflop.scaling.figures import emergence as figures
from isoflop.scaling.returns.find import returns
from isoflop.scaling.returns.numbers import bends, reaches

from .made_points import points, study, written

NULL = Null(reps=99)
MANY = 20_000
X = np.array([1.0, 10.0, 100.0, 1000.0, 1e4])


def straight(alpha: float = 0.15, first: float = 0.8) -> list[float]:
    """Return successes whose error is a power law."""
    return [float(p) for p in 1.0 - first * X**-alpha]


def floored(floor: float = 0.35) -> list[float]:
    """Return successes whose error flattens to a floor."""
    return [float(p) for p in 1.0 - floor - (0.9 - floor) * X**-0.5]


def speeding() -> list[float]:
    """Return successes whose error falls faster and faster."""
    u = np.log10(X)
    return [float(p) for p in 1.0 - 0.9 * 10.0 ** (-0.05 * u**2)]


@pytest.fixture(scope="module")
def found():
    table = points(
        study("straight", straight(), trials=400),
        study("floored", floored(), trials=400, paper="paper-2"),
        study("speeding", speeding(), trials=400, paper="paper-3"),
        study("short", [0.2, 0.5, 0.6], trials=None, paper="paper-4"),
    )
    return returns(table, null=NULL, draws=99)


def label(found, name, kind):
    return next(getattr(one, kind) for one in found.studies if one.series.study.endswith(name))


def test_curvature_tells_planted_laws_apart(found):
    assert label(found, "straight", "curvature") == "not_distinguished"
    assert label(found, "floored", "curvature") == "diminishing"
    assert label(found, "speeding", "curvature") == "increasing"


@settings(max_examples=8)
@given(st.floats(0.05, 0.5), st.floats(0.3, 0.95))
def test_a_straight_law_has_its_exponent_at_both_ends(alpha, first):
    series = series_of(points(study("a", straight(alpha, first), trials=MANY))).series
    (bend,) = bends(series, 50, Null(reps=19, stop=1))
    assert bend.first == pytest.approx(-alpha, abs=2e-3)
    assert bend.last == pytest.approx(-alpha, abs=2e-3)
    assert bend.alpha == pytest.approx(alpha, abs=2e-3)


def test_error_of_the_change_agrees_with_simulation():
    truth = np.array(speeding())
    rng = np.random.default_rng(3)
    rows = [study(f"s{i}", rng.binomial(200, truth) / 200, trials=200) for i in range(150)]
    drawn = bends(series_of(points(*rows)).series, 50, Null(reps=19, stop=1))
    spread = np.std([b.change for b in drawn], ddof=1)
    assert np.median([b.change_se for b in drawn]) == pytest.approx(spread, rel=0.2)


@settings(max_examples=10)
@given(st.floats(0.1, 0.5), st.floats(0.5, 0.9), st.floats(0.85, 0.97))
def test_multiple_to_a_target_is_that_of_the_law(alpha, first, target):
    success = straight(alpha, first)[:3]  # three points: no floor is fitted
    (reach,) = reaches(
        series_of(points(study("a", success, trials=MANY))).series, 50, target, draws=19, level=0.95, seed=0
    )
    wanted = (first / (1.0 - target)) ** (1.0 / alpha) / X[2]
    assert reach.multiple == pytest.approx(wanted, rel=0.02)
    assert reach.low < wanted < reach.high
    assert reach.p_floor_above is None


def test_target_above_the_floor_is_not_reachable(found):
    one = next(s for s in found.studies if s.series.study.endswith("floored"))
    assert one.target == "not_reachable"
    assert one.reaches[0].multiple is None
    assert one.reaches[0].p_floor_above == 1.0
    assert one.reaches[0].floor == pytest.approx(0.35, abs=0.05)


def test_falling_success_never_reaches_a_target():
    table = points(study("a", [0.8, 0.6, 0.4, 0.2], trials=200))
    (one,) = returns(table, null=NULL, draws=99).studies
    assert one.target == "not_reachable"


def test_reached_target_says_so():
    (one,) = returns(points(study("a", [0.5, 0.8, 0.97, 0.99], trials=500)), null=NULL, draws=99).studies
    assert one.target == "reached"
    assert one.reaches[0].multiple < 1.0


def test_without_cost_the_second_label_is_not_identified(found):
    finding = {f.id: f for f in found.findings()}["scaling.diminishing_share.cost"]
    assert finding.status == "not_identified"
    assert "no cost" in finding.details["reason"]
    assert set(found.counts("cost")) - {k for k, v in found.counts("cost").items() if not v} == {
        "not_identified"
    }


@settings(max_examples=5)
@given(st.floats(0.001, 1e6))
def test_the_price_of_a_unit_leaves_the_label(price):
    table = points(study("a", floored(), trials=400))
    (one,) = returns(table, cost={"demonstrations": price}, null=Null(reps=19, stop=1), draws=99).studies
    assert one.cost == "diminishing"
    assert one.marginals[0].first == pytest.approx((floored()[1] - floored()[0]) / (9.0 * price))


def test_cost_column_can_reverse_the_label():
    table = points(study("a", floored(), trials=200_000))
    assert returns(table, cost={"demonstrations": 1.0}, null=NULL, draws=99).studies[0].cost == "diminishing"
    usd = pl.Series("usd", [0.0, 1.0, 1.2, 1.21, 1.2101])  # later units are nearly free: each buys more
    cheap = replace(table, frame=table.frame.with_columns(usd))
    assert returns(cheap, cost="usd", null=NULL, draws=99).studies[0].cost == "increasing"


def test_shares_count_papers_and_name_what_is_no_evidence(found):
    by_id = {f.id: f for f in found.findings()}
    curvature = by_id["scaling.diminishing_share.curvature"]
    assert curvature.estimate.value == pytest.approx(0.25)
    assert by_id["scaling.increasing_share.curvature"].estimate.value == pytest.approx(0.25)
    assert curvature.details["not_evidence"] == {"alpha_between_0_and_1": 4, "studies": 4}
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["studies"][0]["curvature"]
    assert "curvature:" in found.summary()
    assert found.frame().height == 4


@pytest.mark.parametrize(
    ("given_settings", "message"),
    [
        ({"target": 90}, "Did you mean 0.9"),
        ({"target": 0.0}, r"must lie in \(0, 1\)"),
        ({"reach": 1.0}, "reach"),
        ({"level": 95}, "Did you mean 0.95"),
        ({"draws": 3}, "draws"),
        ({"cost": {"demonstration": 1.0}}, "Did you mean 'demonstrations'"),
        ({"cost": {"demonstrations": -1.0}}, "must lie in"),
        ({"cost": "n_trails"}, "n_trials"),
        ({"trials": (1.5,)}, "whole numbers"),
    ],
)
def test_bad_settings_are_refused(given_settings, message):
    with pytest.raises(SettingError, match=message):
        returns(points(study("a", straight())), null=NULL, **given_settings)


def test_costs_that_cannot_be_costs_are_refused():
    table = points(study("a", straight()))
    with pytest.raises(EvidenceError, match="does not rise"):
        returns(table, cost="n_trials", null=NULL)
    with pytest.raises(EvidenceError, match="no numbers"):
        returns(table, cost="metric", null=NULL)
    with pytest.raises(EvidenceError, match="needs study_points"):
        returns(load("hardware_facts"))


@pytest.mark.parametrize("name", ["returns", "elasticity"])
def test_chart_draws_its_own_frame_and_nothing_else(found, name):
    frame = getattr(figures, f"{name}_data")(found)
    spec = getattr(figures, name)(found).to_dict()
    (rows,) = spec["datasets"].values()
    assert len(rows) == frame.height > 1
    assert set(rows[0]) == set(frame.columns)


def test_drawn_success_is_that_of_the_law_beyond_the_data(found):
    frame = figures.returns_data(found).filter(pl.col("paper") == "paper-1")
    at = frame.filter((pl.col("multiple") / 10.0).log().abs() < 1e-9)["success"]
    assert at.item() == pytest.approx(1.0 - 0.8 * (10.0 * X[-1]) ** -0.15, abs=0.01)


@pytest.mark.slow
@pytest.mark.ci
def test_section_places_its_pictures_and_tables(found):
    section = returns_section(found)
    shown = [block.id for block in section.blocks() if not isinstance(block, str)]
    assert shown == ["returns", "elasticity", "returns-labels"]
    assert to_svg(specification(section.figures[1], titled=True)).startswith("<svg")


def test_command_prints_the_document(tmp_path):
    from click.testing import CliRunner

    from isoflop.scaling.commands.emergence import returns as command

    file = written(tmp_path / "points.csv", study("a", straight()), study("b", floored(), paper="paper-2"))
    ran = CliRunner().invoke(command, [str(file), "--draws", "99", "--cost", "demonstrations=2", "--json"])
    assert ran.exit_code == 0, ran.output
    document = json.loads(ran.stdout)
    found = {f["id"]: f for f in document["findings"]}
    assert found["scaling.diminishing_share.cost"]["status"] == "ok"
    assert math.isclose(
        sum(row["studies"] for row in document["tables"]["labels"] if row["label"] == "target"), 2
    )
    wrong = CliRunner().invoke(command, [str(file), "--cost", "demonstrations=dear"])
    assert isinstance(wrong.exception, SettingError)

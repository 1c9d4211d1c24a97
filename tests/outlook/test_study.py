"""The chapter, the command and the specification curve on planted findings."""

from __future__ import annotations

import json

import numpy as np
import pytest

from isoflop.cli import main
from isoflop.findings import Document, Estimate, Finding
from isoflop.outlook import Assumptions, Budget, Target
from isoflop.outlook.chapter import chapter
from isoflop.outlook.model import DOUBLING, GAIN, GAP, RATE, SLOWDOWN
from isoflop.outlook.specification import by_diffusion, specifications
from isoflop.outlook.study import study

from .planted_findings import frontier, given

STEPS = (np.arange(200) + 0.5) / 200
WHOLE = [
    frontier(spread=0.02),
    given(RATE, 1.0, draws=0.8 + 0.4 * STEPS),
    given(DOUBLING, 6.0, draws=5.5 + STEPS),
    given(GAP, 2.0, draws=1.5 + STEPS),
    given(SLOWDOWN, 10.0, draws=5 + 10 * STEPS, published=True),
    given(GAIN, 1.5, draws=1.2 + 0.6 * STEPS),
]
IDS = {
    f"outlook.{name}"
    for name in (
        "effective_growth_per_year",
        "academic_lag_years",
        "academic_lag_years.no_diffusion",
        "portability_tax_months",
        "routing_gain_months",
        "reach_params",
        "reach_tokens",
        "reach_loss",
        "target_flop",
        "years_to_target",
    )
}


@pytest.fixture(scope="module")
def made():
    return chapter(WHOLE, quick=True)


def test_the_chapter_answers_and_every_number_has_an_id(made):
    assert {finding.id for finding in made.findings} >= IDS
    assert all(finding.status == "ok" for finding in made.findings)
    assert made.instrument == "outlook"
    Document(findings=made.findings, tables=made.tables).to_json()


@pytest.mark.slow
@pytest.mark.ci
def test_every_picture_draws_its_frame(made):
    for figure in made.figures:
        assert figure.frame.height
        assert json.dumps(figure.chart().to_dict())


def test_a_published_slow_down_is_told_as_published(made):
    assert any("is a published figure" in caution for caution in made.cautions)
    assert "a published move" in made.answer


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("missing", range(len(WHOLE)))
def test_the_chapter_stands_without_any_one_input(missing):
    left = [one for at, one in enumerate(WHOLE) if at != missing]
    made = chapter(left, quick=True)
    assert made.answer
    for figure in made.figures:
        figure.chart().to_dict()


def test_the_chapter_stands_without_any_input():
    assert not [one for one in chapter([]).findings if one.status == "ok"]


@pytest.mark.slow
@pytest.mark.ci
def test_diffusion_runs_from_one_lag_to_the_other_and_falls():
    lags = by_diffusion(WHOLE)
    values = [lag.value for _, lag in lags]
    joined = study(WHOLE).joined
    assert values[-1] == pytest.approx(joined["outlook.academic_lag_years"].estimate.value)
    assert values[0] == pytest.approx(joined["outlook.academic_lag_years.no_diffusion"].estimate.value)
    assert np.diff(values).max() < 0


def test_the_curve_holds_every_combination_in_order_and_the_assumed_one_once():
    curve = specifications([*WHOLE, given("divide.gap_oom.quantile_50", 3.0)])
    values = [one.lag.value for one in curve.specifications]
    assert values == sorted(values)
    assert len(values) == 2 * 3
    assert sum(one.is_assumed for one in curve.specifications) == 1


def test_a_gain_known_from_below_gives_months_from_below():
    bound = Estimate(value=None, low=2.0, level=0.95, unit="×", interval="open_above")
    gain = Finding(id=GAIN, instrument="routing", label="gain", estimate=bound, method="", n=1,
                   status="not_identified", details={"reason": "above the hull"})  # fmt: skip
    answer = study([*WHOLE[:5], gain]).joined["outlook.routing_gain_months"]
    assert answer.estimate.value is None
    # The rate is below 1.2: its 97.5 % quantile gives the least months.
    assert answer.estimate.low == pytest.approx(12 * np.log(2.0) / 1.19, rel=0.01)
    assert answer.reason.endswith("above the hull")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "findings.json"
    Document(findings=tuple(WHOLE)).write(path)
    return str(path)


@pytest.mark.slow
@pytest.mark.ci
def test_the_command_prints_the_same_numbers_as_python(file, capsys):
    assert main(["outlook", file, "--budget", "1e23", "--target", "loss=2.0", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    found = study(WHOLE, budget=Budget.parse("1e23"), target=Target.parse("loss=2.0"))
    values = {one["id"]: one["value"] for one in printed["findings"]}
    assert values == {one.id: one.estimate.value for one in found.findings()}
    assert {"outlook.inputs", "outlook.assumptions", "outlook.frontier"} <= set(printed["tables"])


def test_the_text_says_what_is_assumed_and_what_is_not_identified(file, capsys):
    assert main(["outlook", file, "--budget", "1e30", "--correlation", f"{GAP},{DOUBLING}=0.3"]) == 0
    text = capsys.readouterr().out
    assert "Not identified: 10³⁰ FLOP lies 8.0 decades beyond" in text
    assert "--correlation" in text
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.slow
@pytest.mark.ci
def test_of_two_files_the_later_counts_and_is_named(file, tmp_path, capsys):
    other = tmp_path / "mine.json"
    Document(findings=(given(RATE, 2.0),)).write(other)
    assert main(["outlook", file, str(other), "--json"]) == 0
    said = capsys.readouterr()
    assert f"{RATE}: taken from {other}" in said.err.replace("\n", " ")
    tax = next(one for one in json.loads(said.out)["findings"] if one["id"].endswith("tax_months"))
    assert tax["value"] == pytest.approx(12 * np.log(10) / 2)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--budget", "2e6USD"], "without a price"),
        (["--usd-per-hour", "2"], "--flop-per-second: missing"),
        (["--usd-per-flop", "1", "--usd-per-hour", "2"], "needs one price"),
        (["--correlation", "a=b"], "must be ID,ID=RHO"),
        (["--correlation", f"{GAP},{RATE}.=0.2"], "Did you mean"),
        (["--gap", RATE], "is in ln/yr, must be in orders of magnitude"),
        (["--doubling", "divide.doubling"], "is no finding here"),
        (["--diffusion", "1.5"], "must lie in [0, 1]"),
        (["--evidence", "embedded"], "Drop one of them"),
    ],
)
def test_what_cannot_be_meant_is_refused(file, capsys, words, message):
    assert main(["outlook", file, *words]) == 2
    assert message in capsys.readouterr().err


def test_assumptions_are_listed_with_the_option_that_changes_them():
    rows = study(WHOLE, assumptions=Assumptions(diffusion=0.5)).assumption_rows()
    assert rows[0] == {
        "assumption": "share of algorithmic progress that reaches academia at once",
        "value": "0.5",
        "default": "1",
        "option": "--diffusion",
    }

"""Thresholds: planted ones are found, smooth laws and few trials are not taken for them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.errors import EvidenceError, SettingError
from isoflop.evidence import load
from isoflop.present.chapter import Section
from isoflop.present.image import specification, to_svg
from isoflop.scaling.breaks.fit import (
    BENT_POWER,
    LOGISTIC,
    POWER,
    fit_curve,
    fit_threshold,
    log_likelihood,
    saturated,
    stages,
)
from isoflop.scaling.breaks.null import Null, bootstrap_p
from isoflop.scaling.breaks.series import series_of
from isoflop.scaling.breaks.share import share_by_paper
from isoflop.scaling.chapter.emergence import emergence_section
from isoflop.scaling.emergence.find import emergence
from isoflop.scaling.emergence.numbers import detection_limit, numbers_of, stages_p
from isoflop.scaling.emergence.verdict import judge
from isoflop.scaling.figures import emergence as figures
from isoflop.stats.contingency import benjamini_hochberg

from .made_points import drawn, points, study, written

NULL = Null(reps=399)
RNG = np.random.default_rng(5)
JUMP = [0.05, 0.05, 0.05, 0.5, 0.5, 0.5]
LOGISTIC_RISE = [float(1 / (1 + np.exp(3 - 1.2 * i))) for i in range(6)]
LOG_LIKELIHOOD_ATOL = 2e-3
"""Fits stop at gains of 1e-6 a step; differences that decide a test exceed 1e-2."""


@pytest.fixture(scope="module")
def planted():
    table = points(
        study("jump", drawn(JUMP, 200, RNG), trials=200),
        study("rise", drawn(LOGISTIC_RISE, 200, RNG), trials=200, paper="paper-2"),
        study("rare", [0.0, 0.0, 0.1, 0.3], trials=10, paper="paper-3"),
        study("flat", [0.42, 0.4, 0.44, 0.4], trials=50, paper="paper-4"),
        study("assumed", [0.0, 0.3, 0.4], trials=None, paper="paper-5"),
    )
    return emergence(table, null=NULL)


# ---------------------------------------------------------------------------------- fits


counts = st.integers(3, 6).flatmap(
    lambda m: st.tuples(
        st.lists(st.integers(0, 20), min_size=m, max_size=m),
        st.lists(st.floats(0.05, 3.0), min_size=m - 1, max_size=m - 1),
    )
)


@pytest.mark.parametrize("curve", [LOGISTIC, POWER, BENT_POWER, stages(4.0)], ids=lambda c: c.name)
@settings(max_examples=12)
@given(counts)
def test_fit_reaches_what_a_general_optimiser_reaches(curve, drawn_counts):
    from scipy.optimize import minimize

    k, gaps = np.array(drawn_counts[0], float)[None], np.cumsum([0.0, *drawn_counts[1]])
    z, n = (gaps / gaps[-1])[None], np.full(k.shape, 20.0)
    fitted = fit_curve(curve, z, k, n)
    # Only from our own end: a local optimiser must not find anything better next to it.
    again = minimize(
        lambda theta: -log_likelihood(curve.predict(theta[None], z)[0], k, n)[0],
        fitted.theta[0],
        bounds=list(zip(curve.low, curve.high, strict=True)),
        method="L-BFGS-B",
    )
    assert fitted.log_likelihood[0] >= -again.fun - LOG_LIKELIHOOD_ATOL
    assert fitted.log_likelihood[0] <= saturated(k, n)[0] + 1e-9


@given(counts)
def test_threshold_is_the_best_of_all_upward_steps(drawn_counts):
    k = np.array(drawn_counts[0], float)
    n = np.full(k.size, 20.0)
    tried = [float(log_likelihood(np.full(k.size, k.sum() / n.sum()), k, n))]
    for j in range(1, k.size):
        before, after = k[:j].mean() / 20, k[j:].mean() / 20
        if after > before:
            tried.append(float(log_likelihood(np.r_[np.full(j, before), np.full(k.size - j, after)], k, n)))
    found = fit_threshold(k[None], n[None])
    best = max(tried[1:], default=tried[0])
    assert found.log_likelihood[0] == pytest.approx(best, abs=1e-9)
    assert (found.position[0] == 0) == (len(tried) == 1)


def test_bootstrap_p_agrees_with_the_exact_tail():
    from scipy.special import bdtrc

    n, p0 = 30, 0.3
    observed = np.array([9.0, 12.0, 15.0])
    exact = bdtrc(observed - 1, n, p0)
    answer = bootstrap_p(
        lambda _z, k, _n, _bar: k.sum(-1),
        observed,
        np.full((3, 1), p0),
        np.zeros((3, 1)),
        np.full((3, 1), float(n)),
        names=["a", "b", "c"],
        null=Null(reps=19_999, stop=400),
    )
    assert np.abs(answer.p - exact).max() < 0.02
    assert answer.draws[0] < answer.draws[2]


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=30))
def test_benjamini_hochberg_rejects_what_the_step_up_rule_rejects(p):
    q, ordered = benjamini_hochberg(np.array(p)), np.sort(p)
    for bar in (0.01, 0.05, 0.2, 0.9):
        passed = ordered <= bar * np.arange(1, len(p) + 1) / len(p) * (1 + 1e-12)
        last = ordered[np.flatnonzero(passed)[-1]] if passed.any() else -1.0
        assert ((q <= bar * (1 + 1e-12)) == (np.array(p) <= last)).all()


@given(st.integers(1, 1000))
def test_detection_limit_shows_zero_one_time_in_twenty(n):
    assert (1 - detection_limit(n)) ** n == pytest.approx(0.05)


# ------------------------------------------------------------------------------ verdicts


@pytest.mark.slow
@pytest.mark.ci
def test_planted_studies_get_their_verdicts(planted):
    said = {one.series.study.split("/")[1]: one.verdict for one in planted.studies}
    assert said == {
        "jump": "break_supported",
        "rise": "smooth",
        "rare": "sharp_by_sampling",
        "flat": "undetermined",
        "assumed": "undetermined",
    }


def test_threshold_is_placed_where_it_was_planted(planted):
    row = next(row for row in planted.rows() if row["study"].endswith("jump"))
    assert row["threshold_after_x"] == 100.0
    assert row["success_before"] == pytest.approx(0.05, abs=0.03)
    assert row["success_after"] == pytest.approx(0.5, abs=0.06)


def test_numbers_do_not_depend_on_units_order_or_company():
    success = [0.1, 0.12, 0.5, 0.55]
    alone = numbers_of(series_of(points(study("a", success))).series, 50, NULL)[0]
    scaled = study("a", success, x=[7e3 * 10.0**i for i in range(4)])[::-1]
    other = numbers_of(series_of(points(study("b", LOGISTIC_RISE), scaled)).series, 50, NULL)[0]
    assert (other.p, other.draws, other.p_smooth) == (alone.p, alone.draws, alone.p_smooth)
    assert other.likelihood_ratio == pytest.approx(alone.likelihood_ratio, abs=1e-6)


def test_repeats_at_one_amount_are_pooled():
    split = study("a", [0.2, 0.4], trials=20, x=[1, 1]) + study("a", [0.6, 0.8], trials=10, x=[10, 100])
    for i, row in enumerate(split):
        row["repeat"] = str(i)
    (one,) = series_of(points(split)).series
    assert one.success.tolist() == pytest.approx([0.3, 0.6, 0.8])
    assert one.trials.tolist() == [40, 10, 10]


def test_falling_success_is_no_threshold():
    found = emergence(points(study("a", [0.9, 0.6, 0.3, 0.1], trials=100)), null=NULL)
    (one,) = found.studies
    assert one.numbers[0].p == 1.0
    assert one.verdict == "undetermined"
    assert one.numbers[0].position == 0


def test_jump_behind_the_first_point_is_left_to_saturation():
    (one,) = emergence(points(study("a", [0.02, 0.6, 0.6, 0.6], trials=100)), null=NULL).studies
    assert one.verdict != "break_supported"


@pytest.mark.slow
@pytest.mark.ci
def test_verdict_that_depends_on_unknown_trials_is_undetermined():
    table = points(study("a", [0.05, 0.04, 0.05, 0.5, 0.52, 0.5], trials=None))
    few, many = (emergence(table, trials=(n,), null=NULL).studies[0].verdict for n in (5, 200))
    both = emergence(table, trials=(5, 200), null=NULL).studies[0]
    assert (few, many) == ("undetermined", "break_supported")
    assert both.verdict == "undetermined"
    assert "number of trials" in both.why


@pytest.mark.slow
@pytest.mark.ci
def test_assumed_trials_of_others_leave_printed_ones_alone():
    printed = study("a", JUMP, trials=100)
    alone = emergence(points(printed), null=NULL).studies[0]
    beside = emergence(points(printed, study("b", [0.1, 0.2, 0.4], trials=None)), null=NULL).studies[0]
    assert (alone.verdict, alone.q[0]) == (beside.verdict, beside.q[-1])


def test_linear_metric_of_the_same_study_explains_a_threshold():
    linear = [0.1, 0.25, 0.4, 0.55, 0.7, 0.85]
    table = points(
        study("exact", JUMP, trials=200),
        study("linear", linear, trials=200, metric="partial_credit_score"),
    )
    said = {one.series.study.split("/")[1]: one for one in emergence(table, null=NULL).studies}
    assert said["exact"].verdict == "sharp_by_metric"
    assert said["exact"].partner == "paper-1/linear"
    assert said["linear"].verdict == "smooth"


def test_serial_stages_soften_a_threshold():
    (one,) = series_of(points(study("a", [0.001, 0.002, 0.004, 0.35, 0.6, 0.75], trials=1000))).series
    (numbers,) = numbers_of([one], 50, NULL)
    softened = stages_p(one, numbers, 20, NULL)
    assert softened >= numbers.p
    explained = judge(one, _with(numbers, p=0.001, p_stages=0.4), 0.01, false_discovery=0.05, partner=None)
    assert explained[0] == "sharp_by_metric"


def _with(numbers, **changes):
    from dataclasses import replace

    return replace(numbers, **changes)


def test_loss_view_runs_along_falling_loss():
    losses = [3.0, 2.0, 1.8, 1.7]
    table = points(
        study("success", [0.1, 0.5, 0.6, 0.7]),
        study("loss", losses, metric="validation_loss", y_unit="nats", higher_is_better=False, trials=None),
        study("alone", [0.1, 0.5, 0.6], paper="paper-2"),
    )
    sample = series_of(table, view="loss")
    (one,) = sample.series
    assert one.along.tolist() == [-y for y in losses]
    assert set(sample.left_out.values()) == {
        "validation_loss is no rate",
        "no cross-entropy at the same amounts",
    }


# -------------------------------------------------------------------------------- shares


def test_a_paper_counts_once_however_many_studies_it_has():
    flags, papers = [True] * 50 + [False], ["big"] * 50 + ["small"]
    assert share_by_paper(flags, papers).value == 0.5


@given(st.lists(st.booleans(), min_size=2, max_size=12))
def test_share_lies_inside_its_interval(flags):
    found = share_by_paper(flags, [str(i) for i in range(len(flags))])
    assert 0.0 <= found.low <= found.value <= found.high <= 1.0
    assert found.value == pytest.approx(np.mean(flags))
    assert found.low < found.high


def test_findings_are_json_without_nan(planted):
    found = planted.findings()
    assert [f.id for f in found][:3] == [
        "scaling.emergence_share",
        "scaling.emergence_share.zero_then_positive",
        "scaling.zero_then_positive_share",
    ]
    assert found[0].estimate.value == pytest.approx(0.2)
    assert found[2].details["labelled"] == 2
    text = json.dumps(planted.to_dict(), allow_nan=False)
    assert json.loads(text)["studies"][0]["verdict"] in planted.verdicts
    assert planted.frame().height == planted.n
    assert planted.numbers_frame().height == planted.n * len(planted.trials)
    assert "break supported" in planted.summary()


def test_cautions_name_what_is_assumed(planted):
    said = " ".join(planted.cautions)
    assert "1 of 5 studies print no number of trials" in said
    assert "one training run" in said


def test_too_few_draws_for_so_many_studies_are_said():
    found = emergence(points(study("a", JUMP), study("b", JUMP)), null=Null(reps=19))
    assert any("draws cannot make a single threshold significant" in c for c in found.cautions)


# ----------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("given_settings", "message"),
    [
        ({"trials": (0,)}, "trials"),
        ({"trials": ()}, "trials"),
        ({"false_discovery": 5}, "false_discovery"),
        ({"view": "los"}, "Did you mean 'loss'"),
        ({"stages": {"paper-1/jmp": 3}}, "Did you mean 'paper-1/jump'"),
        ({"stages": 0}, "stages"),
    ],
)
def test_bad_settings_are_refused(given_settings, message):
    with pytest.raises(SettingError, match=message):
        emergence(points(study("jump", JUMP)), null=NULL, **given_settings)


def test_evidence_that_cannot_be_tested_is_refused():
    with pytest.raises(EvidenceError, match="needs study_points"):
        emergence(load("language_evaluations"))
    with pytest.raises(EvidenceError, match="2 distinct amounts"):
        emergence(points(study("a", [0.1, 0.2])))


# ---------------------------------------------------------------------- pictures, chapter


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("name", ["emergence", "verdicts"])
def test_chart_draws_its_own_frame_and_nothing_else(planted, name):
    frame = getattr(figures, f"{name}_data")(planted)
    spec = getattr(figures, name)(planted).to_dict()
    (rows,) = spec["datasets"].values()
    assert len(rows) == frame.height > 1
    assert set(rows[0]) == set(frame.columns)


@pytest.mark.slow
@pytest.mark.ci
def test_section_places_its_pictures_and_tables(planted):
    section = emergence_section(planted)
    assert isinstance(section, Section)
    shown = [block.id for block in section.blocks() if not isinstance(block, str)]
    assert shown == ["verdicts", "emergence", "emergence-verdicts", "sharpest-studies"]
    assert to_svg(specification(section.figures[0], titled=True)).startswith("<svg")


@pytest.mark.slow
@pytest.mark.ci
def test_command_prints_the_document(tmp_path):
    from click.testing import CliRunner

    from isoflop.scaling.commands.emergence import emergence as command

    file = written(tmp_path / "points.csv", study("a", JUMP), study("b", LOGISTIC_RISE, paper="paper-2"))
    ran = CliRunner().invoke(command, [str(file), "--trials", "50", "--draws", "99", "--json"])
    assert ran.exit_code == 0, ran.output
    document = json.loads(ran.stdout)
    assert document["findings"][0]["id"] == "scaling.emergence_share"
    assert {row["verdict"] for row in document["tables"]["verdicts"]} >= {"smooth", "break supported"}
    assert len(document["tables"]["studies"]) == document["findings"][0]["n"] == 2
    read = CliRunner().invoke(command, [str(file), "--draws", "99"])
    assert "Studies in which a threshold does best" in read.stdout


# ---------------------------------------------------------------------------------- slow


@pytest.mark.slow
def test_size_and_power_meet_their_bars():
    from validation.emergence_size_power import HIGH, LOW, TRIALS, rejections, smooth_truths

    size = [rejections(p, n, 400, 199, seed=n) for p in smooth_truths(4).values() for n in (10, 50)]
    assert max(size) <= 0.05 + 3 * (0.05 * 0.95 / 400) ** 0.5
    for before in (2, 3):
        found = rejections(np.where(np.arange(4) < before, LOW, HIGH), TRIALS, 400, 199, seed=before)
        assert found >= 0.8

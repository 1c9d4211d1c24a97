"""Sweeps: every variant certified, agreement with single fits, reasons for what cannot be answered."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from isoflop import evidence
from isoflop.errors import EvidenceError, NotIdentifiedError, SettingError
from isoflop.findings import Document
from isoflop.progress.fit import fit
from isoflop.progress.robustness.penalty_path import path_penalties, trace_minima
from isoflop.progress.robustness.sweep import NORMALISERS, SAMPLES, penalty_slug, sensitivity_map, sweep
from isoflop.progress.settings import L1, PENALTIES, Starts
from isoflop.stats.resample import Bootstrap
from isoflop.stats.solutions import CERTIFIED_KKT

pytestmark = [pytest.mark.slow, pytest.mark.ci]

FEW = Starts(count=6)
KINDS = ("penalty", "normaliser", "perplexity", "sample", "law")
SAME_OBJECTIVE = 1e-9
"""Certified optima of one problem agree to rounding of the objective."""


@pytest.fixture(scope="module")
def sweeps(planted):
    return {over: sweep(planted, over=over, starts=FEW) for over in KINDS}


@pytest.mark.parametrize("over", KINDS)
def test_every_variant_is_certified_or_says_why_not(sweeps, over):
    found = sweeps[over]
    for v in found.variants:
        assert (v.fit is None) == bool(v.why_not)
        if v.fit is not None:
            assert all(basin.kkt <= CERTIFIED_KKT for basin in v.fit.minima)
            assert v.rate.value is not None or v.reason
            assert np.all(np.diff([b.objective for b in v.fit.minima]) >= 0)


@pytest.mark.parametrize("over", KINDS)
def test_findings_have_stable_ids_and_no_nan(sweeps, over):
    found = sweeps[over].findings()
    Document(findings=found).to_json()
    assert all(f.id.startswith(f"progress.halving_time_months.sweep.{over}_") for f in found)
    assert all(set(f.id) <= set("abcdefghijklmnopqrstuvwxyz0123456789._") for f in found)
    json.dumps(sweeps[over].to_dict(), allow_nan=False)
    assert sweeps[over].summary().startswith("planted")


def test_frame_marks_one_best_minimum_for_each_answered_variant(sweeps):
    for found in sweeps.values():
        frame = found.frame()
        answered = sum(v.fit is not None for v in found.variants)
        assert frame["is_best"].sum() == answered
        assert (frame["objective_above_best"].drop_nulls() >= 0).all()


def test_path_holds_the_papers_penalties_and_forty_more(sweeps):
    deltas = [v.choices["delta"] for v in sweeps["penalty"].variants]
    assert set(PENALTIES) <= set(deltas)
    assert len(set(deltas)) >= 46
    assert tuple(deltas) == path_penalties()
    assert [v.slug for v in sweeps["penalty"].variants if v.headline] == [penalty_slug(d) for d in PENALTIES]


def test_path_is_never_above_a_fit_at_the_same_penalty(planted, sweeps):
    on_path = {v.choices["delta"]: v.fit for v in sweeps["penalty"].variants}
    for delta in (0.0, 0.0025, 0.02):
        alone = fit(planted, penalty=L1(delta=delta), starts=Starts(count=12))
        assert on_path[delta].objective <= alone.objective + SAME_OBJECTIVE


def test_objective_rises_and_is_concave_along_the_path(sweeps):
    # the least of functions that are linear in delta
    fits = [v.fit for v in sweeps["penalty"].variants]
    deltas = np.array([f.penalty.delta for f in fits])
    slopes = np.diff([f.objective for f in fits]) / np.diff(deltas)
    assert (slopes > 0).all()
    assert (np.diff(slopes) <= 1e-6).all()


def test_branches_continue_and_theta_moves_little_within_one(sweeps):
    path = sweeps["penalty"].path()
    best = path.filter((path["branch"] == 0) & (path["parameter"] == "beta_data"))
    assert best.height > 5
    assert best["delta"].is_sorted()


def test_more_penalties_never_raise_an_objective(planted):
    fitted = fit(planted, starts=FEW)
    design = fitted.model.design(planted.features)
    shared = {"penalty": L1(), "starts": Starts(count=2)}
    alone = trace_minima(design, planted.outcome, fitted.model, penalties=[0.0025], **shared)
    many = trace_minima(design, planted.outcome, fitted.model, penalties=[0.001, 0.0025, 0.005], **shared)
    assert many[1][0].objective <= alone[0][0].objective + SAME_OBJECTIVE


def test_normalisers_do_not_matter_without_a_penalty(planted):
    found = sweep(planted, over="normaliser", penalty=L1(delta=0.0), starts=FEW)
    assert [v.slug for v in found.variants] == list(NORMALISERS)
    rates = [v.rate.value for v in found.variants]
    assert rates == pytest.approx([rates[0]] * len(rates), rel=1e-5)


def test_samples_are_those_of_select(planted, sweeps):
    by_name = {v.slug: v for v in sweeps["sample"].variants}
    assert list(by_name) == list(SAMPLES)
    assert by_name["one_per_paper"].fit.sample.n == planted.papers
    assert by_name["cluster"].fit.sample.n >= by_name["head"].fit.sample.n
    assert by_name["word_level"].fit is None
    assert "level" in by_name["word_level"].why_not


def test_embedded_table_answers_word_level_and_adaptation():
    found = sweep(evidence.load("language_evaluations"), over="sample", starts=Starts(count=3))
    by_name = {v.slug: v for v in found.variants}
    assert by_name["word_level"].fit is not None
    assert by_name["no_adaptation"].fit is not None
    assert by_name["peer_reviewed"].fit is None


def test_all_laws_are_there_and_laws_12_and_21_agree(sweeps):
    by_law = {v.choices["law"]: v for v in sweeps["law"].variants}
    assert set(by_law) == set(range(1, 23))
    assert by_law[21].fit.objective == pytest.approx(by_law[12].fit.objective, abs=1e-8)
    assert by_law[16].rate.value is None
    assert "no time term" in by_law[16].reason


def test_intervals_come_with_a_bootstrap(planted):
    found = sweep(planted, over="normaliser", starts=FEW, ci=Bootstrap(reps=30, by="paper"))
    assert all(v.rate.low < v.rate.value < v.rate.high for v in found.variants)
    best = found.frame().filter(found.frame()["is_best"])
    assert best["halving_time_low"].null_count() == 0


def test_map_has_every_combination_and_its_curve_is_ranked(planted):
    found = sensitivity_map(
        planted,
        penalties=(0.001, 0.0025),
        normalisers=("minima", "n0_x10"),
        samples=("head", "word_level"),
        starts=Starts(count=2),
    )
    # head: 2 penalties × 2 normalisers × 2 perplexities; word level: a reason for each of 2 × 2
    assert len(found.variants) == 8 + 4
    curve = found.curve()
    assert curve["rate_per_year"].is_sorted(descending=True)
    assert curve["rank"].to_list() == list(range(1, curve.height + 1))
    (finding,) = found.findings()
    assert finding.id == "progress.halving_time_months.sweep.map"
    assert finding.details["answered"] == curve.height
    json.dumps(found.to_dict(), allow_nan=False)


def test_map_cell_equals_the_single_fit(planted):
    found = sensitivity_map(
        planted, penalties=(0.0025,), normalisers=("minima",), perplexities=("own",), samples=("head",)
    )
    assert found.variants[0].fit.objective == pytest.approx(fit(planted).objective, abs=SAME_OBJECTIVE)


def test_unknown_choices_are_refused_with_the_closest(planted):
    with pytest.raises(SettingError, match="Did you mean 'penalty'"):
        sweep(planted, over="penalties")
    with pytest.raises(SettingError, match="normaliser 'x'"):
        sensitivity_map(planted, normalisers=("x",))


def test_rows_taken_out_of_a_sample_cannot_be_selected_again(planted):
    part = planted.rows(np.arange(planted.n - 5))
    with pytest.raises(EvidenceError, match="not those that its rules select"):
        sweep(part, over="sample", starts=FEW)


def test_span_needs_a_rate(planted):
    bare = sweep(planted, over="normaliser", law=16, starts=FEW)
    with pytest.raises(NotIdentifiedError):
        bare.span()


def test_image_tasks_have_no_first_perplexity(planted):
    image = replace(planted, task="image_classification")
    from isoflop.progress.robustness.sweep import SampleChoice, reselect

    with pytest.raises(EvidenceError):
        reselect(image, SampleChoice(text="", change={}))


@pytest.mark.public_data
def test_published_sheet_is_fast_at_small_penalties_and_slow_at_large_ones(published):
    found = sweep(published, over="perplexity")
    months = {
        v.choices["delta"]: v.halving_time.value for v in found.variants if v.choices["perplexity"] == "first"
    }
    assert all(5 < months[d] < 7 for d in (0.001, 0.0025, 0.005))
    assert all(months[d] == pytest.approx(16.4, abs=0.3) for d in (0.01, 0.02))
    assert months[0.0] == pytest.approx(10.2, abs=0.3)


@pytest.mark.public_data
def test_normalisers_move_the_published_sheet_by_a_fraction_of_a_month(published):
    found = sweep(published, over="normaliser")
    months = {v.slug: v.halving_time.value for v in found.variants}
    assert months["minima"] == pytest.approx(6.08, abs=0.05)
    assert abs(months["d0_x10"] - months["minima"]) < 0.3
    assert abs(months["y0_2017"] - months["minima"]) < 0.3


def test_selecting_a_table_is_the_same_as_passing_its_sample(planted, sweeps):
    by_table = sweep(planted.table, over="normaliser", starts=FEW)
    assert [v.rate.value for v in by_table.variants] == [v.rate.value for v in sweeps["normaliser"].variants]

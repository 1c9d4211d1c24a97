"""Checks: every one answers or says why not, published numbers stand beside ours, goldens, simulation."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from isoflop import evidence
from isoflop.errors import EvidenceError, NotIdentifiedError, SettingError
from isoflop.findings import Document
from isoflop.progress.compat import paper_fit
from isoflop.progress.fit import fit
from isoflop.progress.model import Options, model
from isoflop.progress.rates import rate
from isoflop.progress.robustness.check import CHECKS, check
from isoflop.progress.robustness.check_laws import with_known
from isoflop.progress.robustness.selection_bias import selection_bias
from isoflop.progress.robustness.sweep import sweep
from isoflop.progress.sample import PAPER_RULES, select
from isoflop.progress.settings import L1, Starts
from isoflop.progress.simulate import Planted, planted_table
from isoflop.progress.uncertainty.rate_profile import profile_rate
from isoflop.stats.resample import Bootstrap

pytestmark = [pytest.mark.slow, pytest.mark.ci]

FEW = Starts(count=4)
GOLDEN = Path(__file__).parents[1] / "golden" / "progress_checks.json"
SAME = 1e-4
"""Relative tolerance of recorded numbers over library versions; objectives agree far better."""


@pytest.fixture(scope="module")
def table(planted):
    return check(planted, starts=FEW)


@pytest.fixture(scope="module")
def recorded():
    return json.loads(GOLDEN.read_text())


def test_every_check_has_a_row_that_answers_or_says_why_not(table):
    assert {row.check for row in table.rows} == set(CHECKS) - {"resampling"}
    for row in table.rows:
        assert (row.estimate.value is None) == bool(row.why_not)
        if row.certificate is not None and row.check != "random_effects":
            assert row.certificate <= 1e-8


def test_slugs_and_finding_ids_are_unique_and_plain(table):
    found = table.findings()
    Document(findings=found).to_json()
    assert len({f.id for f in found}) == len(found)
    assert all(set(f.id) <= set("abcdefghijklmnopqrstuvwxyz0123456789._") for f in found)
    json.dumps(table.to_dict(), allow_nan=False)


def test_published_numbers_are_marked_with_their_source(table):
    printed = {row.slug: row.published for row in table.rows if row.published is not None}
    assert printed["main"].estimate.low == 4.518
    assert printed["random_effects"].certainty == "not stored"
    assert printed["vocabulary"].n == 185
    frame = table.frame()
    assert frame["published_value"].drop_nulls().len() >= 8
    assert "published" in table.summary()


def test_main_row_is_the_plain_fit(table, planted):
    row = next(row for row in table.rows if row.slug == "main")
    alone = fit(planted, starts=FEW)
    assert row.estimate.value == pytest.approx(alone.halving_time.value)
    assert row.minima_months == pytest.approx(alone.basin_halving_times())


def test_laws_21_and_22_give_totals(table, planted):
    rows = {row.slug: row for row in table.rows}
    tied = fit(planted, law=12, starts=FEW)
    assert rows["law_21"].objective == pytest.approx(tied.objective, abs=1e-8)
    # law 7 is law 22 without the factor, and the factor can only lower the objective
    assert rows["law_22"].objective <= rows["main"].objective + 1e-9
    assert set(rows["law_22"].details) == {"alpha_year", "beta_year", "gamma_year", "minima_rates_per_year"}


def test_law_18_is_no_outlier_with_its_normaliser_from_training_rows(table):
    row = next(row for row in table.rows if row.slug == "law_18_error")
    assert 0.5 < row.estimate.value < 2.0
    assert "bug" in row.note


def test_the_date_helps_to_predict_where_progress_was_planted(table):
    row = next(row for row in table.rows if row.slug == "leave_paper_out")
    assert row.estimate.value < 1.0
    assert row.details["difference"] < 0


def test_rates_before_and_after_a_split_agree_where_the_rate_never_changed():
    steady = select(planted_table(Planted(noise=0.01), seed=4))
    rows = {row.slug: row for row in check(steady, ["split_2017"], penalty=L1(delta=0.0)).rows}
    assert rows["split_2017.before"].estimate.value == pytest.approx(8.0, rel=0.15)
    assert rows["split_2017.after"].estimate.value == pytest.approx(8.0, rel=0.15)


def test_a_law_without_floor_is_nested_in_one_with_it(table):
    rows = {row.slug: row for row in table.rows}
    assert rows["floor"].objective <= rows["main"].objective + 1e-9
    assert rows["covariates.transformer"].objective <= rows["main"].objective + 1e-9


def test_intervals_and_both_units_of_resampling_come_with_a_bootstrap(planted):
    found = check(planted, ["main", "resampling"], starts=FEW, ci=Bootstrap(reps=40, by="paper"))
    assert [row.slug for row in found.rows] == ["main", "resampling.paper", "resampling.row"]
    assert all(row.estimate.level == 0.95 for row in found.rows)
    assert found.rows[0].estimate.low == found.rows[1].estimate.low


def test_table_without_epochs_or_vocabulary_says_so():
    bare = evidence.load(
        planted_table(Planted(papers=40), seed=1).frame.select(
            "system", "paper", "benchmark", "publication_date", "perplexity", "parameters", "train_tokens"
        )
    )
    rows = {row.slug: row for row in check(bare, ["vocabulary", "tokens_seen"], starts=FEW).rows}
    assert "vocabulary_size" in rows["vocabulary"].why_not
    assert "epochs" in rows["tokens_seen"].why_not


def test_image_rows_are_refused_because_the_published_numbers_are_not_theirs():
    with pytest.raises(EvidenceError, match="needs language"):
        check(evidence.load("image_evaluations"), ["main"])


def test_refused_and_not_identified_rows_have_their_own_status(table):
    status = {f.id: f.status for f in table.findings()}
    assert status["progress.halving_time_months.check.main"] == "ok"
    answers = {row.slug: bool(row.provenance) for row in table.rows if row.why_not}
    for slug, computed in answers.items():
        found = next(s for i, s in status.items() if i.endswith(f"check.{slug}"))
        assert found == ("not_identified" if computed else "refused")
    assert answers


def test_unknown_check_is_refused_with_the_closest(planted):
    with pytest.raises(SettingError, match="Did you mean 'tokens_seen'"):
        check(planted, ["token_seen"])
    with pytest.raises(SettingError, match="needs ci"):
        check(planted, ["resampling"])


@pytest.fixture(scope="module")
def biased(planted):
    return selection_bias(fit(planted, starts=FEW), reps=400, spread=0.5)


def test_first_order_shift_agrees_with_the_refit(biased):
    means = biased.shifts.mean(axis=1)
    assert biased.refitted == pytest.approx(means, abs=0.25 * np.abs(means).max() + 0.02)


def test_both_refits_of_every_correlation_are_certified(biased):
    frame = biased.frame()
    assert frame["shift_refitted"].null_count() == 0
    assert frame["shift_at_best_minimum"].null_count() == 0


def test_no_correlation_shifts_nothing_on_average_and_the_sign_follows_the_correlation(biased):
    by_r = {r: biased.estimate(r).value for r in biased.correlations}
    spread = biased.shifts[biased.correlations.index(0.0)].std() / np.sqrt(biased.shifts.shape[1])
    assert abs(by_r[0.0]) < 5 * spread + 0.02
    assert by_r[0.6] < by_r[0.3] < by_r[-0.3] < by_r[-0.6]
    assert biased.bound() == pytest.approx(max(abs(v) for v in by_r.values()))


def test_simulation_refitted_by_simulating_data_agrees(planted):
    # plant quality in the data themselves and fit again
    truth = fit(planted, penalty=L1(delta=0.0), starts=FEW)
    found = selection_bias(truth, correlations=(0.5,), spread=0.3, reps=10)
    assert found.refitted[0] == pytest.approx(found.estimate(0.5).value, abs=0.1)
    assert float(rate(truth.model, truth.theta)) == pytest.approx(found.frame()["planted_rate"][0])


def test_simulation_repeats_with_its_seed_and_refuses_nonsense(planted):
    fitted = fit(planted, starts=FEW)
    again = [selection_bias(fitted, reps=20, seed=3).shifts for _ in range(2)]
    assert np.array_equal(*again)
    with pytest.raises(SettingError, match="correlations"):
        selection_bias(fitted, correlations=(2.0,))
    with pytest.raises(NotIdentifiedError, match="law 18"):
        selection_bias(fit(planted, law=18, starts=FEW))
    Document(findings=selection_bias(fitted, reps=20).findings()).to_json()


@pytest.mark.public_data
@pytest.mark.parametrize("kind", ["floor", "split"])
def test_published_procedure_gives_the_published_objectives(published, kind):
    options = Options(floor="benchmark") if kind == "floor" else Options(split_year=2017.0)
    chosen = model(7, benchmarks=published.benchmarks, normalisers=published.normalisers, options=options)
    stopped = paper_fit(chosen.design(published.features), published.outcome, 0.0025)
    assert stopped.objective == pytest.approx({"floor": 0.0517376, "split": 0.04918}[kind], abs=5e-6)
    values = dict(zip(chosen.names, stopped.theta, strict=True))
    expected = (
        {"floor": -5e-5, "floor_ptb": 0.105, "floor_wt2": -0.044}
        if kind == "floor"
        else {"alpha_year_after": -0.0388, "beta_year_after": 0.0411}
    )
    for name, value in expected.items():
        assert values[name] == pytest.approx(value, abs=1e-3)


@pytest.mark.public_data
def test_published_procedure_gives_the_published_vocabulary_row(published):
    rows = with_known(published, "vocabulary_size")
    assert rows.n == 185
    found = fit(rows, law=19, compat="paper")
    assert found.theta[found.model.index("gamma_vocabulary")] == pytest.approx(0.011, abs=1e-3)


def test_golden_grid_is_whole(recorded):
    assert set(recorded["sweeps"]) == {"penalty", "normaliser", "perplexity", "sample", "law"}
    assert {over: len(rows) for over, rows in recorded["sweeps"].items()} == {
        "penalty": 6,
        "normaliser": 5,
        "perplexity": 12,
        "sample": 9,
        "law": 22,
    }
    assert len(recorded["checks"]) == 28
    assert all(name in recorded for name in ("tool", "call", "date"))


@pytest.mark.slow
@pytest.mark.public_data
@pytest.mark.parametrize("over", ["penalty", "normaliser", "perplexity", "sample", "law"])
def test_sweeps_repeat_the_recorded_numbers(published, recorded, over):
    for v in sweep(published, over=over).variants:
        if not v.headline:
            continue
        known = recorded["sweeps"][over][v.slug]
        assert (None if v.fit is None else v.fit.sample.n) == known["n"]
        if v.fit is not None:
            assert v.fit.objective == pytest.approx(known["objective"], abs=1e-7)
            none = known["months"] is None or known["months"] <= 0
            assert (v.halving_time.value is None) == none
            if not none:
                assert v.halving_time.value == pytest.approx(known["months"], rel=SAME)


@pytest.mark.public_data
def test_profile_repeats_the_recorded_numbers(published, recorded):
    found, known = profile_rate(published), recorded["profile"]
    # ends are placed to 1e-4 of the searched range of 8 ln/yr
    assert [found.rate.value, found.rate.low, found.rate.high] == pytest.approx(known["rate"], abs=2e-3)
    assert [row["halving_time_months"] for row in found.minima()] == pytest.approx(
        known["dips_months"], rel=10 * SAME
    )


@pytest.mark.slow
@pytest.mark.public_data
def test_checks_repeat_the_recorded_numbers(sheet, recorded):
    for row in check(select(sheet, rules=PAPER_RULES)).rows:
        known = recorded["checks"][row.slug]
        assert row.n == known["n"]
        # the record keeps the sign of a time without progress; a finding has none
        none = known["value"] is None or (row.estimate.unit == "months" and known["value"] <= 0)
        assert (row.estimate.value is None) == none
        if not none:
            assert row.estimate.value == pytest.approx(known["value"], rel=10 * SAME)

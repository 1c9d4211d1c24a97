"""Shares of compute and algorithms: permutations as oracle, properties, published numbers."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.errors import NotIdentifiedError, SettingError
from isoflop.findings import Document
from isoflop.progress.fit import fit
from isoflop.progress.fit_findings import minima_rows
from isoflop.progress.gains.decompose import decompose, decompose_pairs
from isoflop.progress.gains.decomposition import PUBLISHED_SHARES
from isoflop.progress.gains.systems import SYSTEMS, System, find_system
from isoflop.progress.model import LAWS, Options
from isoflop.stats.resample import Bootstrap
from isoflop.units import tropical_year
from tests.progress.by_hand import VALUES, hand_fit

DECOMPOSABLE = [n for n in LAWS if n != 16]
VALUE_KINDS = ("loss", "ln_loss", "effective_compute")
# The bar of the specification.
SUM_ATOL = 1e-12
GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "progress_decompose.json").read_text())
pairs = st.lists(st.sampled_from(sorted(SYSTEMS)), min_size=2, max_size=2, unique=True)


def by_permutation(value, players: int) -> np.ndarray:
    """Average marginal changes over all orders; `value` takes the set of players that have moved."""
    changes = np.zeros(players)
    for order in itertools.permutations(range(players)):
        for i, player in enumerate(order):
            changes[player] += value(set(order[: i + 1])) - value(set(order[:i]))
    return changes / math.factorial(players)


def law_7(base, *, n, d, first_year, second_year) -> float:
    v = VALUES
    first = v["alpha_const"] - v["alpha_year"] * (first_year - base.year)
    second = v["beta_const"] - v["beta_year"] * (second_year - base.year)
    return math.exp(first - v["alpha_param"] * math.log(n / base.parameters)) + math.exp(
        second - v["beta_data"] * math.log(d / base.data)
    )


def test_shares_of_law_7_agree_with_all_orders_written_out(planted):
    a, b = SYSTEMS["LSTM"], SYSTEMS["Gopher"]

    def value(moved):
        pick = [(b if i in moved else a) for i in range(4)]
        return law_7(
            planted.normalisers,
            n=pick[0].parameters,
            d=pick[1].data,
            first_year=tropical_year(pick[2].date),
            second_year=tropical_year(pick[3].date),
        )

    found = decompose(hand_fit(planted), a, b)
    changes = by_permutation(value, 4)
    np.testing.assert_allclose(found.contributions, changes, rtol=1e-10)
    np.testing.assert_allclose(found.shares, changes / changes.sum(), rtol=1e-10)


def test_shares_of_law_13_include_the_class(planted):
    a, b, base, v = SYSTEMS["LSTM"], SYSTEMS["GPT-2"], planted.normalisers, VALUES

    def value(moved):
        n = (b if 0 in moved else a).parameters
        d = (b if 1 in moved else a).data
        y1, y2 = ((b if i in moved else a).year for i in (2, 3))
        extra = 0.013 if 4 in moved else 0.0
        return math.exp(
            v["alpha_const"]
            - v["alpha_year"] * (y1 - base.year)
            - (v["alpha_param"] + extra) * math.log(n / base.parameters)
        ) + math.exp(
            v["beta_const"]
            - v["beta_year"] * (y2 - base.year)
            - (v["beta_data"] + extra) * math.log(d / base.data)
        )

    found = decompose(hand_fit(planted, 13), a, b)
    assert found.players == ("params", "data", "param_year", "data_year", "class")
    np.testing.assert_allclose(found.contributions, by_permutation(value, 5), rtol=1e-10)


def test_shares_of_law_18_have_one_year(planted):
    a, b, base, v = SYSTEMS["RNN"], SYSTEMS["GPT-3"], planted.normalisers, VALUES

    def value(moved):
        n, d, y = (getattr(b if i in moved else a, k) for i, k in enumerate(("parameters", "data", "year")))
        size = math.log(n * d / base.compute)
        return math.exp(v["alpha_const"] - v["alpha_year"] * (y - base.year) - v["alpha_compute"] * size)

    found = decompose(hand_fit(planted, 18), a, b)
    assert found.players == ("params", "data", "year")
    np.testing.assert_allclose(found.contributions, by_permutation(value, 3), rtol=1e-10)


def test_tied_and_common_rates_count_in_both_terms(planted):
    tied = decompose(hand_fit(planted, 12), "RNN", "GPT-3")
    factor = decompose(hand_fit(planted, 21, gamma_year=0.02), "RNN", "GPT-3")
    np.testing.assert_allclose(tied.shares, factor.shares, rtol=1e-12)
    assert (tied.shares[2:] > 0).all()


@pytest.mark.parametrize("law", DECOMPOSABLE)
@pytest.mark.parametrize("value", VALUE_KINDS)
def test_shares_sum_to_one_for_every_law_and_draw(planted, law, value):
    found = decompose(hand_fit(planted, law, reps=20), "LSTM", "GPT-3", value=value)
    assert abs(found.shares.sum() - 1) <= SUM_ATOL
    assert np.abs(found.draws.sum(axis=0) - 1).max() <= SUM_ATOL
    assert found.compute_share.value + found.algorithm_share.value == pytest.approx(1, abs=SUM_ATOL)


@given(pairs, st.sampled_from(VALUE_KINDS))
def test_going_backwards_gives_the_same_shares(planted, pair, value):
    fitted = hand_fit(planted)
    there, back = decompose(fitted, *pair, value=value), decompose(fitted, *reversed(pair), value=value)
    np.testing.assert_allclose(there.shares, back.shares, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("kept", "players"),
    [
        ({"parameters": SYSTEMS["LSTM"].parameters}, ["params"]),
        ({"data": SYSTEMS["LSTM"].data}, ["data"]),
        ({"date": SYSTEMS["LSTM"].date}, ["param_year", "data_year"]),
    ],
)
def test_what_does_not_change_has_no_share(planted, kept, players):
    found = decompose(hand_fit(planted), "LSTM", replace(SYSTEMS["GPT-3"], **kept))
    for player in found.players:
        assert (abs(found.share(player).value) < 1e-15) == (player in players)


def test_effective_compute_is_growth_accounting(planted):
    fitted = hand_fit(planted)
    a, b = SYSTEMS["LSTM"], SYSTEMS["Chinchilla"]
    found = decompose(fitted, a, b, value="effective_compute")
    years = b.year - a.year
    np.testing.assert_allclose(
        found.contributions,
        [
            math.log(b.parameters / a.parameters),
            math.log(b.data / a.data),
            0.02 / 0.10 * years,
            0.03 / 0.05 * years,
        ],
        rtol=1e-9,
    )
    total = math.log(b.train_flop / a.train_flop) + fitted.rate.value * years
    assert found.contributions.sum() == pytest.approx(total, rel=1e-10)


def test_intervals_come_from_every_draw(planted):
    fitted = hand_fit(planted, reps=40)
    found = decompose(fitted, "LSTM", "GPT-3")
    singly = np.array(
        [
            decompose(hand_fit(planted, theta=theta), "LSTM", "GPT-3").compute_share.value
            for theta in fitted.draws.theta
        ]
    )
    np.testing.assert_allclose(
        [found.compute_share.low, found.compute_share.high], np.quantile(singly, [0.05, 0.95]), rtol=1e-9
    )
    mine = singly[fitted.draws.basin == 1]
    np.testing.assert_allclose(found.basins[1].compute_interval, np.quantile(mine, [0.05, 0.95]), rtol=1e-9)
    assert found.basins[1].share_of_draws == pytest.approx(np.mean(fitted.draws.basin == 1))
    assert found.basins[1].compute_share > found.basins[0].compute_share  # its rates are halved


def test_failed_draws_are_counted_and_left_out(planted):
    fitted = hand_fit(planted, reps=30)
    theta = fitted.draws.theta.copy()
    theta[3] = np.nan
    found = decompose(replace(fitted, draws=replace(fitted.draws, theta=theta)), "LSTM", "GPT-3")
    assert found.failed_draws == 1
    assert any("1 draws gave no shares" in c for c in found.cautions)
    assert np.isfinite([found.compute_share.low, found.compute_share.high]).all()


def test_draws_that_reverse_the_change_are_a_caution(planted):
    fitted = hand_fit(planted, reps=30)
    theta = -fitted.draws.theta
    found = decompose(replace(fitted, draws=replace(fitted.draws, theta=theta)), "LSTM", "GPT-3")
    assert found.reversed_draws == 1.0
    assert any("other sign" in c for c in found.cautions)


def test_a_floor_changes_the_share_of_ln_loss_but_not_of_loss(planted):
    bare, floor = hand_fit(planted), hand_fit(planted, options=Options(floor="shared"))
    loss = [decompose(f, "LSTM", "GPT-3").compute_share.value for f in (bare, floor)]
    log = [decompose(f, "LSTM", "GPT-3", value="ln_loss").compute_share.value for f in (bare, floor)]
    assert loss[0] == pytest.approx(loss[1], rel=1e-12)
    assert log[0] != pytest.approx(log[1], rel=1e-6)


def test_negative_shares_are_kept_and_said(planted):
    found = decompose(hand_fit(planted, alpha_year=-0.03), "LSTM", "GPT-3")
    assert found.share("param_year").value < 0
    assert any("parameter efficiency is negative" in c for c in found.cautions)


def test_rnn_and_systems_beyond_the_sample_are_cautions(planted):
    far = System(name="Far", parameters=1e15, data=1e16, date=dt.date(2031, 1, 1))
    found = decompose(hand_fit(planted), "RNN", far)
    assert any("RNN was trained on PTB" in c for c in found.cautions)
    over = math.log10(1e15 / planted.features.parameters.max())
    assert any(
        f"Far lies outside the sample (parameters {over:.1f} decades above" in c for c in found.cautions
    )
    own = decompose(hand_fit(planted), "RNN", far, benchmark="PTB")
    assert not any("RNN was trained" in c for c in own.cautions)


def test_minima_that_disagree_are_a_caution(planted):
    fitted = hand_fit(planted, reps=10, beta_year=0.06)
    assert any(
        "minima tell different stories" in c for c in decompose(fitted, "LSTM", "Transformer").cautions
    )
    one = replace(fitted, minima=fitted.minima[:1])
    assert not any(
        "minima tell different stories" in c for c in decompose(one, "LSTM", "Transformer").cautions
    )


def test_several_pairs_have_distinct_ids_and_one_headline(planted):
    asked = [("RNN", "GPT-3"), ("LSTM", "Chinchilla"), ("transformer xl", "gpt2")]
    found = decompose_pairs(hand_fit(planted, reps=20), asked)
    findings = [f for d in found for f in d.findings()]
    assert [f.id for f in findings] == [
        "progress.compute_share",
        "progress.compute_share.lstm.chinchilla",
        "progress.compute_share.transformer_xl.gpt_2",
    ]
    document = json.loads(Document(findings=tuple(findings)).to_json())
    details = document["findings"][0]["details"]
    assert set(details["shares"]) == {"params", "data", "param_year", "data_year"}
    assert details["start"]["name"] == "RNN"
    assert [row["minimum"] for row in details["by_basin"]] == [1, 2]
    assert len(details["draws"]) == 20


def test_result_has_a_tidy_table_and_json(planted):
    found = decompose(hand_fit(planted, reps=20), "RNN", "GPT-3")
    frame = found.frame()
    assert frame.height == 3 * 6
    sums = frame.filter(minimum=0, player="compute").row(0, named=True)
    assert sums["share"] == pytest.approx(found.compute_share.value)
    assert sums["low"] == pytest.approx(found.compute_share.low)
    rest = frame.filter(minimum=0, player="algorithms").row(0, named=True)
    assert rest["low"] == pytest.approx(1 - sums["high"])
    json.dumps(found.to_dict(), allow_nan=False)
    assert "compute" in found.summary()


@pytest.mark.parametrize("name", sorted(SYSTEMS))
def test_names_are_read_in_any_case(name):
    assert find_system(name.lower(), where="x").name == name
    assert find_system(name.upper().replace("-", " "), where="x").name == name


def test_a_system_written_out_equals_the_named_one(planted):
    fitted = hand_fit(planted)
    named = decompose(fitted, "RNN", "Chinchilla")
    written = decompose(fitted, "6M:929k:2012-12-01:other", "70B:1.4T:2022-03-29")
    np.testing.assert_array_equal(named.shares, written.shares)
    assert find_system("1e9:2e9:2020.5", where="x").date == dt.date(2020, 7, 1)


@pytest.mark.parametrize(
    ("given_text", "message"),
    [
        ("GPT-5", "needs one of RNN, LSTM.*Did you mean 'GPT-"),
        ("70B:1.4T", "has 2 parts, needs parameters, data and date"),
        ("a:b:c:d:e", "has 5 parts"),
        ("many:1.4T:2022-03-29", "parameters: 'many', needs a positive number"),
        ("70B:-1:2022-03-29", "data: '-1', needs a positive number"),
        ("70B:1.4T:2022-13-29", "date '2022-13-29', needs year-month-day"),
        ("70B:1.4T:soon", "date 'soon'"),
        ("70B:1.4T:nan", "date 'nan'"),
        ("70B:1.4T:2022-03-29:rnn", "class 'rnn', must be transformer or other"),
        ("", "needs one of RNN"),
    ],
)
def test_unreadable_systems_are_refused(planted, given_text, message):
    with pytest.raises(SettingError, match=message):
        decompose(hand_fit(planted), "RNN", given_text)


def test_impossible_questions_are_refused(planted):
    fitted = hand_fit(planted)
    with pytest.raises(NotIdentifiedError, match="law 16"):
        decompose(hand_fit(planted, 16), "RNN", "GPT-3")
    with pytest.raises(NotIdentifiedError, match="does not change"):
        decompose(fitted, "GPT-3", "gpt3")
    with pytest.raises(SettingError, match="must be one of loss"):
        decompose(fitted, "RNN", "GPT-3", value="perplexity")
    with pytest.raises(NotIdentifiedError, match="exponent on size is not positive"):
        decompose(hand_fit(planted, beta_data=0.0), "RNN", "GPT-3", value="effective_compute")
    images = replace(fitted, sample=replace(planted, task="image_classification"))
    with pytest.raises(SettingError, match="is a language model"):
        decompose(images, "RNN", "1e9:1e9:2022-01-01")
    with pytest.raises(SettingError, match="positive and finite"):
        System(name="x", parameters=0.0, data=1.0, date=dt.date(2020, 1, 1))


@pytest.mark.public_data
@pytest.mark.parametrize("row", GOLDEN["published"], ids=lambda r: f"{r['start']} to {r['end']}")
def test_published_shares_are_reproduced(published, row):
    fitted = fit(published, compat="paper")
    found = decompose(fitted, row["start"], row["end"])
    np.testing.assert_allclose(found.shares, row["shares"], atol=GOLDEN["tolerance"])
    assert PUBLISHED_SHARES[row["start"], row["end"]] == tuple(row["shares"])
    assert list(found.published.values()) == row["shares"]


@pytest.mark.public_data
def test_issue_numbers_of_the_published_pair(published):
    found = decompose(fit(published, compat="paper"), "RNN", "GPT-3")
    assert found.compute_share.value == pytest.approx(0.810, abs=0.002)


@pytest.mark.public_data
@pytest.mark.parametrize("row", GOLDEN["converged"], ids=lambda r: f"{r['start']} to {r['end']}")
def test_converged_shares_and_the_other_minimum(published, row):
    found = decompose(fit(published), row["start"], row["end"])
    np.testing.assert_allclose(found.shares, row["shares"], atol=GOLDEN["tolerance"])
    np.testing.assert_allclose(found.basins[1].shares, row["second"], atol=GOLDEN["tolerance"])


def test_golden_file_holds_the_full_grid():
    assert {(r["start"], r["end"]) for r in GOLDEN["published"]} == set(PUBLISHED_SHARES)
    assert len(GOLDEN["converged"]) == 4
    assert {"tool", "call", "date"} <= set(GOLDEN)


def test_a_law_by_class_alone_has_shares_and_their_intervals(planted):
    """Law 17 has no rate, so its draws serve the shares only."""
    fitted = fit(planted, law=17, ci=Bootstrap(reps=20, by="paper"))
    found = decompose(fitted, "RNN", "GPT-3")
    assert float(np.sum(found.shares)) == pytest.approx(1.0, abs=1e-12)
    assert found.compute_share.low < found.compute_share.high
    assert all(row["halving_time_months"] is None for row in minima_rows(fitted))
    with pytest.raises(NotIdentifiedError, match="law 17 has no time term"):
        fitted.findings()

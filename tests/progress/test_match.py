"""Matches at equal performance: planted slopes, hand-made pairs, contradictory rows."""

from __future__ import annotations

import json
import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.errors import EvidenceError, SettingError
from isoflop.evidence.table import Table, fingerprint_of
from isoflop.findings import Document
from isoflop.progress.match import Reference, match


def table(frame: pl.DataFrame, schema: str = "evaluations") -> Table:
    return Table(
        name=schema,
        schema=schema,
        frame=frame,
        source="made for the test",
        kind="own",
        fingerprint=fingerprint_of(schema, frame),
        rows_read=frame.height,
    )


def evaluations(rows: list[tuple[str, float, float, float]]) -> pl.DataFrame:
    """Return rows (system, year, perplexity, FLOP), each its own paper on WT103."""
    return pl.DataFrame(
        {
            "system": [row[0] for row in rows],
            "paper": [f"paper of {row[0]}" for row in rows],
            "benchmark": ["WT103"] * len(rows),
            "year": [row[1] for row in rows],
            "perplexity": [row[2] for row in rows],
            "train_flop": [row[3] for row in rows],
            "flop_is_derived": [False] * len(rows),
        }
    )


def at_one_level(rate: float, n: int = 20, noise: float = 0.3, seed: int = 0) -> pl.DataFrame:
    """Return systems within 5 % of one perplexity whose compute falls at `rate` a year."""
    rng = np.random.default_rng(seed)
    year = np.sort(rng.uniform(2017, 2023, n))
    flop = np.exp(45 - rate * (year - 2017) + noise * rng.standard_normal(n))
    names = ["Target (1B)", *(f"system {i:02d}" for i in range(1, n))]
    ppl = 20 * np.exp(rng.uniform(-0.02, 0.02, n))
    return evaluations(list(zip(names, year.tolist(), ppl.tolist(), flop.tolist(), strict=True)))


LEVEL = (Reference(name="Target", factor=1.05, published_months=8.0),)


@pytest.mark.parametrize("months", [6.0, 12.0, 36.0])
def test_planted_halving_time_is_recovered(months):
    found = match(table(at_one_level(12 * math.log(2) / months)), references=LEVEL)
    given = found.slopes[0]
    assert given.n == 20
    assert given.halving_time.value == pytest.approx(months, rel=0.3)
    assert given.rate.low < 12 * math.log(2) / months < given.rate.high
    assert given.multiple.value == pytest.approx(math.exp(given.rate.value))


def test_slope_agrees_with_numpys_least_squares():
    frame = at_one_level(1.0, noise=1.0)
    rate = match(table(frame), references=LEVEL).slopes[0].rate
    slope, covariance = np.polyfit(frame["year"], np.log(frame["train_flop"]), 1, cov=True)
    assert rate.value == pytest.approx(-slope[0])
    # 2.100922 is the 97.5 % point of Student's t with 18 degrees of freedom.
    assert rate.high - rate.value == pytest.approx(2.100922 * math.sqrt(covariance[0, 0]), rel=1e-5)


@pytest.mark.slow
@pytest.mark.ci
def test_coverage_of_the_slope_is_near_nominal():
    hits = 0
    for seed in range(200):
        rate = match(table(at_one_level(1.0, seed=seed)), references=LEVEL).slopes[0].rate
        hits += rate.low < 1.0 < rate.high
    # 200 draws of a 95 % interval: 3 standard errors are 4.6 %.
    assert 180 <= hits <= 199


def test_direct_matches_are_found_by_hand():
    frame = evaluations(
        [
            ("a", 2018.0, 30.0, 1e20),
            ("b", 2019.0, 30.0, 1e19),
            ("c", 2020.0, 25.0, 1e21),
            ("d", 2021.0, 25.0, 1e20),
            ("e", 2022.0, 40.0, 1e22),
        ]
    )
    found = match(table(frame), references=())
    pairs = {row["system"]: row for row in found.pairs.to_dicts()}
    assert set(pairs) == {"a", "c"}
    assert pairs["a"]["later_system"] == "b"
    assert pairs["a"]["saving"] == pytest.approx(10)
    assert pairs["a"]["rate_ln_per_year"] == pytest.approx(math.log(10))
    assert found.forward == 2
    # The earlier of a pair is no worse and cheaper: a, b, c and d against e.
    assert found.backward == 4


def test_systems_of_one_paper_are_no_match():
    frame = evaluations([("a", 2018.0, 30.0, 1e20), ("b", 2019.0, 30.0, 1e19), ("c", 2018.5, 20.0, 1e21)])
    together = frame.with_columns(paper=pl.lit("one"))
    assert match(table(together), references=()).forward == 0


def test_other_benchmarks_are_not_compared():
    frame = evaluations([("a", 2018.0, 30.0, 1e20), ("b", 2019.0, 30.0, 1e19), ("c", 2020.0, 31.0, 1e21)])
    apart = frame.with_columns(benchmark=pl.Series(["WT103", "PTB", "WT2"]))
    assert match(table(apart), references=()).forward == 0


@given(st.integers(min_value=0, max_value=1000))
@settings(max_examples=10)
def test_row_order_does_not_matter(seed):
    frame = at_one_level(1.0, noise=1.0)
    one = match(table(frame), references=LEVEL)
    two = match(table(frame.sample(fraction=1.0, shuffle=True, seed=seed)), references=LEVEL)
    assert one.frame().equals(two.frame())
    assert one.pairs.equals(two.pairs)


@given(st.floats(min_value=1e-3, max_value=1e3))
@settings(max_examples=10)
def test_unit_of_compute_does_not_matter(unit):
    frame = at_one_level(1.0, noise=1.0)
    one = match(table(frame), references=LEVEL).slopes[0].rate
    two = match(table(frame.with_columns(pl.col("train_flop") * unit)), references=LEVEL).slopes[0].rate
    assert one.value == pytest.approx(two.value, rel=1e-9)


def test_contradictory_flop_are_left_out_and_named():
    frame = at_one_level(1.0).with_columns(
        parameters=pl.lit(1e9), train_tokens=pl.col("train_flop") / 6e9, epochs=pl.lit(1.0)
    )
    wrong = pl.col("system") == "Target (1B)"
    frame = frame.with_columns(train_flop=pl.when(wrong).then(1e22).otherwise("train_flop"))
    dropped = match(table(frame), references=LEVEL)
    assert dropped.slopes[0].n == 19
    assert any("Target (1B)" in note and "left out" in note for note in dropped.cautions)
    kept = match(table(frame), references=LEVEL, suspect="keep")
    assert kept.slopes[0].n == 20
    assert kept.slopes[0].rate.value != dropped.slopes[0].rate.value


def test_derived_flop_only_count_where_asked():
    frame = at_one_level(1.0).with_columns(flop_is_derived=pl.int_range(pl.len()) % 2 == 1)
    found = match(table(frame), references=LEVEL)
    assert [one.n for one in found.slopes] == [10, 20]
    assert found.n == 10
    assert match(table(frame), references=LEVEL, flop="all").n == 20


def test_rows_set_aside_by_the_compilers_are_not_used():
    frame = at_one_level(1.0).with_columns(is_outlier=pl.int_range(pl.len()) == 5)
    assert match(table(frame), references=LEVEL).slopes[0].n == 19


def test_too_few_systems_give_no_value_and_say_why():
    frame = pl.concat([at_one_level(1.0).head(2), evaluations([("far", 2020.0, 90.0, 1e20)])])
    found = match(table(frame), references=(*LEVEL, Reference(name="Nobody", factor=1.1)))
    assert found.slopes[0].rate.value is None
    assert "2 systems" in found.slopes[0].why_not
    assert "no system named Nobody" in found.slopes[2].why_not
    assert {f.status for f in found.findings()[1:]} == {"not_identified"}
    Document(findings=found.findings()).to_json()
    json.dumps(found.to_dict(), allow_nan=False)
    assert "no halving time" in found.summary()


def savings_table() -> Table:
    return table(
        pl.DataFrame(
            {
                "target": ["x", "x", "x", "y", "y"],
                "system": list("abcde"),
                "year": [2012.0, 2014.0, 2016.0, 2015.0, 2017.0],
                "train_flop": [8e18, 4e18, 2e18, 1e20, 5e19],
            }
        ),
        "savings",
    )


def test_savings_of_a_known_halving_time_are_exact():
    found = match(table(at_one_level(1.0)), references=(), savings=savings_table())
    months = {one.level: one.halving_time.value for one in found.savings}
    assert months == pytest.approx({"x": 24.0, "y": 24.0, "all targets": 24.0})
    assert found.savings[1].rate.low is None
    ids = [finding.id for finding in found.findings()]
    assert "progress.savings_halving_time_months" in ids
    assert len(found.provenance) == 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"flop": "some"}, "flop='some'"),
        ({"suspect": "maybe"}, "suspect='maybe'"),
        ({"level": 95}, "Did you mean 0.95"),
        ({"min_gap_years": -1}, "min_gap_years=-1"),
        ({"references": (Reference(name="Target", factor=0.9),)}, r"factor=0\.9"),
    ],
)
def test_unknown_settings_are_refused(settings, message):
    with pytest.raises(SettingError, match=message):
        match(table(at_one_level(1.0)), **settings)


def test_unusable_tables_are_refused():
    with pytest.raises(EvidenceError, match="closest is 'flop'"):
        match(table(at_one_level(1.0).rename({"train_flop": "flop", "flop_is_derived": "derived"})))
    with pytest.raises(EvidenceError, match="0 rows with perplexity, date and train_flop"):
        match(table(at_one_level(1.0).with_columns(train_flop=pl.lit(None, dtype=pl.Float64()))))
    with pytest.raises(EvidenceError, match="needs a savings table"):
        match(table(at_one_level(1.0)), savings=table(at_one_level(1.0)))


@pytest.mark.public_data
def test_public_sheet_shows_how_little_matches_say(public_data):
    from isoflop.evidence.load import load

    folder = public_data / "progress"
    found = match(load(folder / "lm_evaluations.csv"), savings=load(folder / "ai_and_efficiency_sota.csv"))
    # The sheet has the FLOP of the two Gopher rows exchanged.
    assert any("Gopher (280B)" in note for note in found.cautions)
    assert {one.published_months for one in found.slopes} == {6.9, 5.9, 14.9}
    by_level = {one.level: one for one in found.savings}
    assert by_level["AlexNet"].n == 6
    # 44-fold in seven years, as the compilers of that table report: a halving in about 16 months.
    assert by_level["AlexNet"].halving_time.value == pytest.approx(16, abs=1)
    assert by_level["all targets"].n == 12

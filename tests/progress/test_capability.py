"""Capability trend: planted rates, an independent regression, and what must not matter."""

from __future__ import annotations

import datetime as dt
import json
import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.errors import EvidenceError, SettingError
from isoflop.evidence.table import Table, fingerprint_of
from isoflop.findings import Document, Estimate
from isoflop.progress.capability.choices import choices
from isoflop.progress.capability.trend import family_of, trend
from isoflop.progress.capability.trend_fit import Models, frontier
from isoflop.progress.halving import halving_time
from isoflop.stats.resample import Bootstrap
from isoflop.units import fractional_year

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "progress_capability.json"
QUICK = Bootstrap(reps=400, by="model", seed=1)
K, RATE = 12.0, math.log(5.0)
"""Planted: index points per decade, and ln of a fivefold yearly multiple."""


def table(frame: pl.DataFrame) -> Table:
    return Table(
        name="capabilities",
        schema="capabilities",
        frame=frame,
        source="made for the test",
        kind="own",
        fingerprint=fingerprint_of("capabilities", frame),
        rows_read=frame.height,
    )


def planted(families: int = 12, noise: float = 0.5, seed: int = 0, rate: float = RATE) -> pl.DataFrame:
    """Return families of four sizes whose recipe improves at `rate`; compute also grows with time."""
    rng = np.random.default_rng(seed)
    rows = []
    for f in range(families):
        day = dt.date(2022, 1, 1) + dt.timedelta(days=int(1200 * f / families))
        year = fractional_year(day)
        lift = K / math.log(10) * rate * (year - 2022) + noise * rng.standard_normal()
        for size in range(4):
            flop = 22.0 + 0.4 * size + 0.5 * (year - 2022) + 0.2 * rng.standard_normal()
            rows.append(
                {
                    "model": f"Model{chr(97 + f)} {3 * 2**size}B",
                    "capability_index": 50 + K * (flop - 22) + lift + noise * rng.standard_normal(),
                    "release_date": day,
                    "train_flop": 10.0**flop,
                    "organization": f"org {f % 4}",
                }
            )
    return pl.DataFrame(rows)


def test_planted_rate_is_recovered_by_family_and_joint():
    found = trend(table(planted()), slope="joint", ci=QUICK)
    for method in ("family", "joint"):
        one = found[method]
        assert one.points_per_decade.value == pytest.approx(K, rel=0.05)
        assert one.rate.value == pytest.approx(RATE, rel=0.1)
        assert one.rate.low < RATE < one.rate.high
        assert one.multiple.value == pytest.approx(math.exp(one.rate.value))
        assert one.halving_time.value == pytest.approx(12 * math.log(2) / one.rate.value)


def test_common_slope_takes_part_of_the_progress_with_it():
    found = trend(table(planted()), ci=None)
    assert found["common"].points_per_decade.value > 1.1 * K
    assert found["common"].rate.value < 0.9 * RATE
    assert any("correlated" in note for note in found.cautions)


def test_slopes_agree_with_numpys_least_squares():
    frame = planted(noise=2.0)
    found = trend(table(frame), ci=None)
    x, y = np.log10(frame["train_flop"].to_numpy()), frame["capability_index"].to_numpy()
    t = np.array([fractional_year(day) for day in frame["release_date"]])
    k = np.polyfit(x, y, 1)[0]
    assert found["common"].points_per_decade.value == pytest.approx(k)
    assert found["common"].points_per_year.value == pytest.approx(np.polyfit(t, y - k * x, 1)[0])
    joint = np.linalg.lstsq(np.stack([np.ones_like(x), x, t], axis=1), y, rcond=None)[0]
    assert found["joint"].points_per_decade.value == pytest.approx(joint[1])
    assert found["joint"].points_per_year.value == pytest.approx(joint[2])
    dummies = (t[:, None] == np.unique(t)).astype(float)
    within = np.linalg.lstsq(np.column_stack([x, dummies]), y, rcond=None)[0][0]
    assert found["family"].points_per_decade.value == pytest.approx(within)


def test_frontier_is_the_running_maximum():
    models = Models(
        y=np.array([1.0, 3.0, 2.0, 3.0, 5.0, 4.0]),
        x=np.zeros(6),
        t=np.array([1.0, 2.0, 2.0, 3.0, 4.0, 4.0]),
        family=np.full(6, -1),
    )
    chosen = frontier(models, np.zeros(1), np.full((1, 6), 1 / 6))
    assert chosen[0].tolist() == [True, True, False, False, True, False]
    without = np.array([[0.2, 0.0, 0.2, 0.2, 0.2, 0.2]])
    assert frontier(models, np.zeros(1), without)[0].tolist() == [True, False, True, True, True, False]


@given(st.integers(min_value=0, max_value=1000))
@settings(max_examples=8)
def test_row_order_does_not_matter(seed):
    frame = planted(noise=2.0)
    one = trend(table(frame), ci=QUICK).frame()
    two = trend(table(frame.sample(fraction=1.0, shuffle=True, seed=seed)), ci=QUICK).frame()
    assert one.equals(two)


@given(st.floats(min_value=0.1, max_value=10), st.floats(min_value=-100, max_value=100))
@settings(max_examples=8)
def test_scale_of_the_index_does_not_matter(unit, origin):
    frame = planted(noise=2.0)
    scaled = frame.with_columns(origin + unit * pl.col("capability_index"))
    for one, two in zip(
        trend(table(frame), ci=None).methods, trend(table(scaled), ci=None).methods, strict=True
    ):
        assert one.rate.value == pytest.approx(two.rate.value, rel=1e-6)


def test_versions_of_a_model_count_once():
    frame = planted().with_columns(model_name=pl.col("model"))
    again = frame.head(6).with_columns(model=pl.col("model") + "-instruct")
    once, twice = trend(table(frame), ci=QUICK), trend(table(pl.concat([frame, again])), ci=QUICK)
    assert twice.n_rows == once.n_rows + 6
    assert twice.frame().drop("n").equals(once.frame().drop("n"))
    assert any("each model counts once" in note for note in twice.cautions)


def test_undated_version_takes_its_sisters_date_and_a_mistyped_one_is_noted():
    frame = planted().with_columns(model_name=pl.col("model"))
    first = frame.head(1)
    versions = pl.concat(
        [
            first.with_columns(pl.lit(None, dtype=pl.Date()).alias("release_date")),
            first.with_columns(release_date=pl.lit(dt.date(2020, 1, 1))),
            first,
        ]
    )
    found = trend(table(pl.concat([frame, versions])), ci=None)
    assert found.models.filter(pl.col("name") == first["model"].item())["release_date"].item() == dt.date(
        2022, 1, 1
    )
    assert any("mistyped" in note for note in found.cautions)
    assert found.n_rows == frame.height + 3


def test_no_progress_leaves_the_halving_time_open_above():
    found = trend(table(planted(noise=3.0, rate=0.05)), slope="joint", ci=QUICK)["joint"]
    assert found.rate.low < 0 < found.rate.high
    assert found.halving_time.interval == "open_above"
    assert found.halving_time.high is None
    assert found.halving_time.low == pytest.approx(12 * math.log(2) / found.rate.high)
    assert 0 < found.share_no_progress < 1


def test_a_rate_that_changes_is_noted():
    steady = trend(table(planted()), slope="joint", ci=None)
    assert not any("no one rate" in note for note in steady.cautions)
    late = pl.col("release_date") > dt.date(2023, 6, 1)
    years = (pl.col("release_date") - dt.date(2023, 6, 1)).dt.total_days() / 365
    faster = planted().with_columns(
        capability_index=pl.col("capability_index") + pl.when(late).then(3 * K * years).otherwise(0.0)
    )
    found = trend(table(faster), slope="joint", ci=None)
    assert found.rate_by_half[1] > found.rate_by_half[0] + 1
    assert any("no one rate" in note for note in found.cautions)


def test_choices_list_every_open_combination_once():
    frame = planted().with_columns(
        model_name=pl.col("model"), confidence=pl.Series(["Confident", "Likely"] * 24)
    )
    rows = choices(table(frame))
    assert not rows.select("slope", "over", "rows").is_duplicated().any()
    assert set(rows["rows"]) >= {"all", "compute marked confident", "every version counts"}
    point = trend(table(frame), slope="joint", ci=None)["joint"].multiple.value
    same = (pl.col("slope") == "joint") & (pl.col("rows") == "all") & (pl.col("over") == "all models")
    assert rows.filter(same)["multiple_per_year"].item() == pytest.approx(point)


def test_falling_efficiency_has_no_halving_time():
    rate = Estimate(value=-0.5, low=-0.8, high=-0.2, level=0.95, unit="ln/yr")
    assert halving_time(rate).value is None
    assert halving_time(rate).low is None


def test_ratio_without_a_compute_slope_is_not_identified():
    rng = np.random.default_rng(99)
    frame = planted().with_columns(train_flop=10.0 ** pl.Series(22 + rng.standard_normal(48)))
    found = trend(table(frame), ci=QUICK)
    assert found["common"].share_k_not_positive > 0.025
    assert found["common"].rate.value is None
    headline = found.findings()[0]
    assert headline.status == "not_identified"


@pytest.mark.parametrize("kind", ["percentile", "basic", "bca"])
@pytest.mark.parametrize("by", ["model", "organization", "family"])
def test_every_interval_holds_the_point(kind, by):
    found = trend(table(planted()), slope="joint", ci=Bootstrap(reps=300, by=by, kind=kind))["joint"]
    assert found.rate.low < found.rate.value < found.rate.high


def test_findings_form_one_document():
    found = trend(table(planted()), slope="family", ci=QUICK)
    ids = [finding.id for finding in found.findings()]
    assert ids[:2] == ["progress.capability_multiple_per_year", "progress.capability_halving_time_months"]
    assert {f"progress.capability_multiple_per_year.{m}" for m in ("common", "joint", "frontier")} < set(ids)
    document = json.loads(Document(findings=found.findings()).to_json())
    assert document["findings"][0]["n"] == 48
    assert len(document["findings"][0]["details"]["draws"]) == 200
    assert document["findings"][0]["details"]["published"]["multiple"] == 5.84
    json.dumps(found.to_dict(), allow_nan=False)
    assert set(found.published_frame()["source"]) == {"published", "this evidence"}
    assert "Caution" in found.summary()


@pytest.mark.parametrize(
    ("names", "family"),
    [
        (("LLaMA-7B", "LLaMA-65B"), "llama"),
        (("Llama 3.1-405B", "Llama 3.1-8B"), "llama3.1"),
        (("Baichuan2-13B", "Baichuan 2-7B"), "baichuan2"),
        (("Mixtral 8x7B", "Mixtral 8x22B"), "mixtral"),
        (("StarCoder 2 3B", "StarCoder 2 15B"), "starcoder2"),
        (("GPT-4 (Mar 2023)", "GPT-4 (Jun 2023)"), "gpt4"),
    ],
)
def test_family_drops_the_size_and_nothing_else(names, family):
    assert {family_of(name) for name in names} == {family}


def broken(**changes) -> Table:
    return table(planted().with_columns(**changes))


@pytest.mark.parametrize(
    ("evidence", "message"),
    [
        (broken(train_flop=pl.lit(None, dtype=pl.Float64())), "0 models.*48 of 48 rows have no train_flop"),
        (broken(capability_index=pl.lit(100.0)), "same index"),
        (broken(train_flop=pl.lit(1e24)), "same train_flop"),
        (broken(release_date=pl.lit(dt.date(2024, 1, 1))), "same date"),
        (table(planted().head(5)), "5 models"),
        (table(planted().rename({"train_flop": "flop"})), "closest is 'flop'"),
    ],
)
def test_unusable_tables_are_refused(evidence, message):
    with pytest.raises(EvidenceError, match=message):
        trend(evidence)


def test_unknown_settings_are_refused():
    with pytest.raises(SettingError, match="Did you mean 'family'"):
        trend(table(planted()), slope="familly")
    with pytest.raises(SettingError, match=r"ci\.by='paper'"):
        trend(table(planted()), ci=Bootstrap(by="paper"))
    lonely = planted().with_columns(
        model=pl.Series([f"Model {chr(65 + i // 8)}{chr(65 + i % 8)}" for i in range(48)])
    )
    with pytest.raises(SettingError, match="no family has 3 models"):
        trend(table(lonely), slope="family")


@pytest.mark.public_data
def test_capability_index_gives_the_recorded_numbers(public_data):
    from isoflop.evidence.load import load

    golden = json.loads(GOLDEN.read_text())["trend"]
    capabilities = load(public_data / "progress" / "eci")
    found = trend(capabilities)
    assert found.n_rows == golden["rows_with_index_and_flop"] == 142
    assert found.models.height == golden["models"]
    assert {m.method for m in found.methods} == set(golden["methods"])
    for m in found.methods:
        want = golden["methods"][m.method]
        got = [m.points_per_decade.value, m.multiple.value, m.multiple.low, m.multiple.high]
        got += [m.halving_time.value, m.halving_time.low, m.halving_time.high]
        # Bounds rest on 2,000 seeded draws; other numeric libraries move them in the last digits only.
        np.testing.assert_allclose(got, want, rtol=1e-6)


@pytest.mark.public_data
def test_published_common_multiple_is_met_on_other_models(public_data):
    """The published 3.15× a year rests on 68 models; the index's 82 give the same within its interval."""
    from isoflop.evidence.load import load

    common = trend(load(public_data / "progress" / "eci"), ci=None)["common"]
    assert common.multiple.value == pytest.approx(3.15, abs=0.1)

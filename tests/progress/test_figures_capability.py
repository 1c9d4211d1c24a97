"""Pictures of capability, matches and Chinchilla: they draw, from their own frame, on real shapes."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import polars as pl
import pytest

from isoflop.evidence.table import Table, fingerprint_of
from isoflop.progress.capability.choices import choices
from isoflop.progress.capability.stitching import AnchorBenchmark, stitch
from isoflop.progress.capability.trend import trend
from isoflop.progress.figures import capability as figures
from isoflop.progress.gains.chinchilla import chinchilla_gain
from isoflop.progress.match import Reference, match
from isoflop.stats.resample import Bootstrap


def table(frame: pl.DataFrame, schema: str) -> Table:
    return Table(
        name=schema,
        schema=schema,
        frame=frame,
        source="made for the test",
        kind="own",
        fingerprint=fingerprint_of(schema, frame),
        rows_read=frame.height,
    )


def results():
    rng = np.random.default_rng(0)
    n = 24
    days = [dt.date(2022, 1, 1) + dt.timedelta(days=40 * i) for i in range(n)]
    flop = 22 + 0.05 * np.arange(n) + 0.4 * rng.standard_normal(n)
    capabilities = pl.DataFrame(
        {
            "model": [f"m{i}" for i in range(n)],
            "capability_index": 10 * flop + 0.5 * np.arange(n) + rng.standard_normal(n),
            "release_date": days,
            "train_flop": 10.0**flop,
        }
    )
    c = np.linspace(-1, 2, n)
    scores = pl.DataFrame(
        [
            {
                "model": f"m{i}",
                "benchmark": f"b{b}",
                "score": 1 / (1 + math.exp(b / 3 - c[i])),
                "release_date": days[i],
            }
            for i in range(n)
            for b in range(5 if i % 3 else 2)
        ]
    )
    evaluations = pl.DataFrame(
        {
            "system": [f"s{i}" for i in range(n)],
            "benchmark": "WT103",
            "year": 2018 + np.arange(n) / 6,
            "perplexity": 20 + 0.01 * np.arange(n),
            "train_flop": 10.0 ** (20 - np.arange(n) / 12 + 0.2 * rng.standard_normal(n)),
            "flop_is_derived": [i % 2 == 0 for i in range(n)],
        }
    )
    capability = trend(table(capabilities, "capabilities"), ci=Bootstrap(reps=100, by="model"))
    stitched = stitch(
        table(scores, "scores"), anchor=AnchorBenchmark(name="b0"), ci=Bootstrap(reps=30, by="model")
    )
    matches = match(table(evaluations, "evaluations"), references=(Reference(name="s3", factor=1.1),))
    return {
        "trend": capability,
        "multiples": capability,
        "choices": choices(table(capabilities, "capabilities")),
        "stitched": stitched,
        "iso_performance": matches,
        "chinchilla": chinchilla_gain(),
    }


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize(
    "name", ["trend", "multiples", "choices", "stitched", "iso_performance", "chinchilla"]
)
def test_chart_draws_its_own_frame_and_nothing_else(name):
    result = results()[name]
    frame = getattr(figures, f"{name}_data")(result)
    spec = getattr(figures, name)(result).to_dict()
    (rows,) = spec["datasets"].values()
    assert frame.height > 1
    assert len(rows) == frame.height
    assert set(rows[0]) == set(frame.columns)


def test_multiples_hold_ours_and_the_published_ones():
    frame = figures.multiples_data(results()["multiples"])
    assert set(frame["source"]) == {"published", "this evidence"}
    assert frame["row"].is_unique().all()


def test_lines_follow_the_slopes_they_stand_for():
    matches = results()["iso_performance"]
    ends = figures.iso_performance_data(matches).filter(pl.col("part") == "trend").sort("year")
    years = ends["year"][1] - ends["year"][0]
    drawn = math.log(ends["train_flop"][0] / ends["train_flop"][1]) / years
    assert drawn == pytest.approx(matches.slopes[1].rate.value)


def test_frontier_never_falls():
    frame = figures.trend_data(results()["trend"]).filter("is_frontier")
    assert frame["index_at_equal_flop"].is_sorted()


def test_chinchilla_marks_extrapolation():
    frame = figures.chinchilla_data(results()["chinchilla"])
    assert (
        frame.filter(pl.col("train_flop") > 1e22)
        .filter(pl.col("part") == "closed form")["is_extrapolated"]
        .all()
    )

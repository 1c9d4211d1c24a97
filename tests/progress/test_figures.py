"""Pictures of the fit, of its sensitivity and of gains: each draws its own frame, and the frame is right."""

from __future__ import annotations

import ast
import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.evidence import load
from isoflop.present.chapter import Figure
from isoflop.present.image import specification, to_svg
from isoflop.progress.baselines import MOORE_RATE, baselines
from isoflop.progress.figures import fit as figures
from isoflop.progress.figures import gain as figures_gain
from isoflop.progress.figures import influence as figures_influence
from isoflop.progress.figures import sensitivity as figures_sensitivity
from isoflop.progress.fit import fit
from isoflop.progress.gains.decompose import decompose_pairs
from isoflop.progress.gains.gain import gain
from isoflop.progress.robustness.compare import compare
from isoflop.progress.robustness.diagnostics import diagnose
from isoflop.progress.robustness.sweep import sensitivity_map, sweep
from isoflop.progress.sample import select
from isoflop.progress.settings import Profile, Starts
from isoflop.progress.simulate import Planted, planted_table
from isoflop.progress.uncertainty.rate_profile import profile_rate
from isoflop.stats.resample import Bootstrap
from isoflop.units import halving_time_months

pytestmark = [pytest.mark.slow, pytest.mark.ci]

FEW = Starts(count=4)
NAMES = (
    (figures, "effective_compute"),
    (figures, "rate_draws"),
    (figures, "observed_predicted"),
    (figures, "waterfall"),
    (figures, "tokens_per_parameter"),
    (figures_sensitivity, "variants"),
    (figures_sensitivity, "penalty_path"),
    (figures_sensitivity, "specification"),
    (figures_sensitivity, "comparison"),
    (figures_influence, "profile"),
    (figures_influence, "influence"),
    (figures_gain, "shapley"),
    (figures_gain, "gain_curves"),
)


@pytest.fixture(scope="module")
def results():
    table = load("language_evaluations")
    sample = select(table)
    fitted = fit(sample, starts=FEW, ci=Bootstrap(reps=80, by="paper"))
    span = {"from_year": 2013.0, "to_year": 2023.0}
    return {
        "effective_compute": baselines(fitted, load("hardware_facts"), ci=Bootstrap(reps=50)),
        "rate_draws": fitted,
        "observed_predicted": fitted,
        "waterfall": sample,
        "tokens_per_parameter": sample,
        "variants": {
            over: sweep(sample, over=over, starts=FEW).variants for over in ("normaliser", "sample")
        },
        "penalty_path": sweep(sample, over="penalty", starts=FEW),
        "specification": sensitivity_map(
            sample, penalties=(0.0025, 0.01), normalisers=("minima",), samples=("head", "cluster"), starts=FEW
        ),
        "comparison": compare(sample, laws=(7, 16, 18), penalties=(0.0025, 0.01), starts=FEW),
        "profile": profile_rate(fitted, setting=Profile(points=41)),
        "influence": diagnose(fitted, refits=4),
        "shapley": decompose_pairs(fitted, (("RNN", "GPT-3"), ("LSTM", "Chinchilla"))),
        "gain_curves": {
            "best split": gain(fitted, **span),
            "fixed": gain(fitted, constraint="fixed_ratio", ratio=20.0, **span),
        },
    }


@pytest.mark.parametrize(("module", "name"), NAMES, ids=[name for _, name in NAMES])
def test_chart_draws_its_own_frame_and_nothing_else(results, module, name):
    frame = getattr(module, f"{name}_data")(results[name])
    spec = getattr(module, name)(results[name]).to_dict()
    (rows,) = spec["datasets"].values()
    assert frame.height > 1
    assert len(rows) == frame.height
    assert set(rows[0]) == set(frame.columns)


@pytest.mark.parametrize(("module", "name"), NAMES, ids=[name for _, name in NAMES])
def test_picture_is_drawn_without_a_complaint(results, module, name, capfd):
    picture = Figure(
        id="one",
        title="t",
        subtitle="s",
        frame=getattr(module, f"{name}_data")(results[name]),
        chart=lambda: getattr(module, name)(results[name]),
        alt="a",
        source="s",
        n=None,
        interval="i",
    )
    assert "<path" in to_svg(specification(picture))
    assert "WARN" not in capfd.readouterr().err


def test_lines_of_effective_compute_grow_at_their_rates(results):
    found = results["effective_compute"]
    frame = figures.effective_compute_data(found)
    years = frame["year"].max() - frame["year"].min()
    grown = {
        line: math.log(part["multiple"].max())
        for (line,), part in frame.drop_nulls("multiple").group_by("line")
    }
    assert grown["Moore: 24 months"] == pytest.approx(MOORE_RATE * years)
    best = figures.minimum_name(0, halving_time_months(found.fitted.rate.value))
    assert grown[best] == pytest.approx(found.fitted.rate.value * years)


def test_bands_are_nested_and_start_at_one(results):
    frame = figures.effective_compute_data(results["effective_compute"]).drop_nulls("low")
    wide, narrow = (frame.filter(pl.col("kind") == k).sort("year") for k in ("95 %", "50 %"))
    assert (wide["low"] <= narrow["low"]).all()
    assert (wide["high"] >= narrow["high"]).all()
    assert wide["low"][0] == narrow["high"][0] == 1.0


def test_histogram_counts_every_draw_once(results):
    frame = figures.rate_draws_data(results["rate_draws"])
    known = int((~np.isnan(results["rate_draws"].rate_draws)).sum())
    assert frame["draws"].sum() == known
    assert frame["share"].sum() == pytest.approx(1.0)
    assert frame["top"].max() <= 1.0


def test_waterfall_falls_from_all_rows_to_the_sample(results):
    frame = figures.waterfall_data(results["waterfall"])
    assert frame["kept"][0] == results["waterfall"].table.rows_read
    assert frame["kept"][-1] == results["waterfall"].n
    assert (frame["before"] - frame["dropped"] == frame["kept"]).all()


def test_residuals_are_observed_minus_fitted(results):
    frame = figures.observed_predicted_data(results["observed_predicted"])
    assert np.allclose(frame["residual"], frame["observed"] - frame["predicted"])


def test_variants_without_rows_say_so_and_others_have_a_place(results):
    frame = figures_sensitivity.variants_data(results["variants"])
    missing = frame.filter(pl.col("setting") == "peer-reviewed papers")
    assert missing["note"].to_list() == ["no such rows"]
    shown = frame.filter(pl.col("place").is_not_null())
    assert np.allclose(shown["place"], shown["rate_per_year"])
    assert set(frame["fit"]) <= set(figures_sensitivity._COLOURS)


def test_each_variant_has_one_best_minimum(results):
    frame = figures_sensitivity.variants_data(results["variants"]).filter(pl.col("minimum").is_not_null())
    best = frame.filter(pl.col("fit") == figures_sensitivity.BEST)
    assert best["setting"].is_unique().all()
    assert (best["objective_above_best"] == 0.0).all()


def test_comparison_starts_at_the_best_and_has_each_law_once(results):
    frame = figures_sensitivity.comparison_data(results["comparison"])
    assert frame["above_best"][0] == 0.0
    assert frame["law"].is_unique().all()
    assert frame["mse"].is_sorted()


def test_profile_threshold_separates_the_set(results):
    frame = figures_influence.profile_data(results["profile"])
    below = frame["objective"] <= frame["threshold"] + 1e-12
    assert (below == frame["in_set"]).all()


def test_published_shares_stand_beside_ours(results):
    frame = figures_gain.shapley_data(results["shapley"])
    printed = frame.filter((pl.col("source") == "published") & (pl.col("pair") == "RNN to GPT-3"))
    assert printed.filter(pl.col("player") == "compute, together")["share"].item() == pytest.approx(0.810)
    ours = frame.filter((pl.col("source") == "this evidence") & (pl.col("pair") == "RNN to GPT-3"))
    parts = ours.filter(~pl.col("player").str.contains("together"))
    assert parts["share"].sum() == pytest.approx(1.0)


def test_gain_of_a_second_minimum_is_drawn_where_there_is_one(results):
    frame = figures_gain.gain_curves_data(results["gain_curves"])
    expected = ["best split", "2nd minimum", "fixed"][:: 1 if len(results["rate_draws"].minima) > 1 else 2]
    assert frame["curve"].unique(maintain_order=True).to_list() == expected


def test_one_minimum_needs_no_second_line():
    sample = select(planted_table(Planted(papers=60), seed=2))
    fitted = fit(sample, starts=FEW, ci=Bootstrap(reps=30, by="paper"))
    frame = figures.effective_compute_data(baselines(fitted, load("hardware_facts"), ci=Bootstrap(reps=20)))
    lines = frame.filter(pl.col("kind") == "minimum")["line"].n_unique()
    assert lines == min(2, len(fitted.minima))


@given(low=st.floats(-4.0, 0.5), width=st.floats(0.5, 12.0))
def test_labels_of_the_rate_axis_never_crowd(low, width):
    axis = figures.rate_axis(low, low + width).to_dict()
    gaps = np.diff(axis["values"])
    assert (gaps > 0.06 * width).all()
    assert all(low <= v <= low + width for v in axis["values"])


def test_labels_of_the_rate_axis_are_halving_times():
    axis = figures.rate_axis(-1.0, 3.0).to_dict()
    at = {round(1000 * v): v for v in axis["values"]}
    labels, positions = axis["labelExpr"].split("[indexof(")
    shown = dict(zip(ast.literal_eval(positions.split("],")[0] + "]"), ast.literal_eval(labels), strict=True))
    for position, label in shown.items():
        if label != "∞":
            assert halving_time_months(at[position]) == pytest.approx(float(label))

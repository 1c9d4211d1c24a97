"""Pictures of runs, frontier, influence and design: each draws its own frame, and the frame is right."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from isoflop import scaling
from isoflop.scaling.chapter.design import design_section
from isoflop.scaling.chapter.fit import law_section
from isoflop.scaling.chapter.frontier import frontier_section
from isoflop.scaling.chapter.influence import influence_section
from isoflop.scaling.figures import frontier as figures_frontier
from isoflop.scaling.figures import influence as figures_influence
from isoflop.scaling.figures import runs as figures_runs
from isoflop.scaling.simulate import CHINCHILLA, planted_runs
from isoflop.stats.resample import Bootstrap

pytestmark = [pytest.mark.slow, pytest.mark.ci]

BEYOND = 1e22
FEW = Bootstrap(reps=60, seed=1)


@pytest.fixture(scope="module")
def runs():
    return scaling.select(planted_runs(noise=0.004, outliers=2, seed=5))


@pytest.fixture(scope="module")
def fitted(runs):
    return scaling.fit(runs, ci=FEW)


@pytest.fixture(scope="module")
def frontiers(fitted, runs):
    others = (scaling.frontier(runs, approach=a, at_flop=BEYOND, ci=FEW) for a in ("isoflop", "envelope"))
    return (scaling.frontier(fitted, at_flop=BEYOND), *others)


@pytest.fixture(scope="module")
def influenced(runs):
    return scaling.influence(scaling.fit(runs), at_flop=BEYOND)


@pytest.fixture(scope="module")
def designed(fitted):
    return scaling.design(fitted, budget_flop=3e21)


@pytest.fixture(scope="module")
def pictures(fitted, frontiers, influenced, designed):
    """Return every picture with its frame, by name."""
    return {
        "loss": (
            figures_runs.loss(fitted, frontiers[0]),
            figures_runs.loss_data(fitted, frontiers[0]),
        ),
        "residuals": (figures_runs.residuals(fitted), figures_runs.residuals_data(fitted)),
        "delta": (figures_runs.delta(fitted), figures_runs.delta_data(fitted)),
        "ratio": (figures_frontier.ratio(frontiers), figures_frontier.ratio_data(frontiers)),
        "parabolas": (
            figures_frontier.parabolas(frontiers[1]),
            figures_frontier.parabolas_data(frontiers[1]),
        ),
        "left_out": (figures_influence.left_out(influenced), figures_influence.left_out_data(influenced)),
        "drop": (figures_influence.drop(influenced), figures_influence.drop_data(influenced)),
        "design": (figures_influence.design(designed), figures_influence.design_data(designed)),
    }


NAMES = ("loss", "residuals", "delta", "ratio", "parabolas", "left_out", "drop", "design")


def drawn_rows(chart) -> list[dict]:
    """Return every row of data in a chart's specification."""
    spec = chart.to_dict()
    return [row for rows in spec["datasets"].values() for row in rows]


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_draws_rows_of_its_own_frame_and_nothing_else(pictures, name) -> None:
    chart, frame = pictures[name]
    known = {json.dumps(row, sort_keys=True, default=str) for row in frame.to_dicts()}
    columns = set(frame.columns)
    drawn = drawn_rows(chart)
    assert drawn
    for row in drawn:
        # rules at 0 and 1 have a frame of a single cell
        assert len(row) == 1 or set(row) == columns
        if set(row) == columns:
            assert json.dumps(row, sort_keys=True, default=str) in known


@pytest.mark.parametrize("name", NAMES)
def test_every_row_of_a_frame_is_in_its_picture(pictures, name) -> None:
    chart, frame = pictures[name]
    drawn = {json.dumps(row, sort_keys=True, default=str) for row in drawn_rows(chart)}
    assert all(json.dumps(row, sort_keys=True, default=str) in drawn for row in frame.to_dicts())


@pytest.mark.parametrize("name", NAMES)
def test_no_number_of_a_picture_is_nan_or_infinite(pictures, name) -> None:
    _, frame = pictures[name]
    for column in frame.select(pl.selectors.float()).get_columns():
        assert column.drop_nulls().is_finite().all(), column.name


def test_the_least_loss_lies_below_the_runs_of_its_budget_and_inside_its_band(pictures, fitted) -> None:
    frame = pictures["loss"][1]
    curve = frame.filter(pl.col("kind") == "least loss")
    assert (curve["low"] <= curve["loss"]).all()
    assert (curve["loss"] <= curve["high"]).all()
    assert curve["loss"].is_sorted(descending=True)
    shown = frame.filter(pl.col("kind") == "run")
    assert shown["loss"].to_list() == fitted.runs.column("loss_nats").tolist()
    least = np.interp(np.log(shown["train_flop"]), np.log(curve["train_flop"]), curve["loss"])
    assert (shown["loss"].to_numpy() > 0.98 * least).all()


def test_what_lies_beyond_the_largest_run_is_marked(pictures, runs) -> None:
    largest = runs.column("train_flop").max()
    for name in ("loss", "ratio"):
        frame = pictures[name][1].filter(pl.col("extrapolated").is_not_null())
        assert frame["extrapolated"].any()
        assert (frame["extrapolated"] == (frame["train_flop"] > largest * 1.0001)).all()


def test_residuals_are_ln_observed_minus_ln_predicted_in_every_panel(pictures, fitted) -> None:
    frame = pictures["residuals"][1]
    inputs = {name: fitted.runs.column(name) for name in ("params", "tokens")}
    by_hand = np.log(fitted.runs.column("loss_nats")) - np.log(fitted.predict(inputs).value)
    for title in figures_runs.PANELS.values():
        assert frame.filter(pl.col("panel") == title)["residual"].to_numpy() == pytest.approx(by_hand)
    ratio = frame.filter(pl.col("panel") == "tokens per parameter")["x"].to_numpy()
    assert ratio == pytest.approx(inputs["tokens"] / inputs["params"])


def test_the_chosen_width_has_ratio_one(pictures) -> None:
    frame = pictures["delta"][1]
    assert set(frame["parameter"]) == set(CHINCHILLA)
    chosen = frame.filter(pl.col("delta") == 1e-3)["ratio"].to_numpy()
    assert chosen == pytest.approx(np.ones(5), rel=1e-6)
    assert frame.height == 30


def test_each_approach_has_its_line_and_its_band(pictures, frontiers) -> None:
    frame = pictures["ratio"][1]
    assert set(frame["approach"]) == set(figures_frontier.APPROACHES.values())
    assert (frame["low"] <= frame["tokens_per_param"]).all()
    assert (frame["tokens_per_param"] <= frame["high"]).all()
    for one in frontiers:
        line = frame.filter(pl.col("approach") == figures_frontier.APPROACHES[one.approach])
        at = line.filter(pl.col("train_flop").is_between(BEYOND * 0.999, BEYOND * 1.001))
        assert at["tokens_per_param"][0] == pytest.approx(one.tokens_per_param.value)


def test_a_vertex_is_the_lowest_point_of_its_parabola(pictures) -> None:
    frame = pictures["parabolas"][1]
    budgets = frame.filter(pl.col("kind") == "minimum")["budget"]
    assert budgets.is_unique().all()
    assert set(frame["budget"]) == set(budgets)
    for budget in budgets:
        part = frame.filter(pl.col("budget") == budget)
        (vertex,) = part.filter(pl.col("kind") == "minimum")["loss"]
        assert vertex <= part.filter(pl.col("kind") == "parabola")["loss"].min() + 1e-12


def test_runs_left_out_are_ordered_by_how_far_the_answer_moves(pictures, influenced) -> None:
    frame = pictures["left_out"][1]
    assert frame.height == figures_influence.SHOWN
    assert frame["shift"].abs().is_sorted(descending=True)
    assert frame["without"].to_numpy() == pytest.approx((frame["all_runs"] + frame["shift"]).to_numpy())
    assert frame["all_runs"][0] == influenced.point["tokens_per_param"]


def test_the_path_of_dropped_losses_has_two_panels(pictures, influenced) -> None:
    frame = pictures["drop"][1]
    assert frame["quantity"].n_unique() == 2
    assert frame.filter(pl.col("quantity") == "exponent a")["value"].to_list() == [
        row["a"] for row in influenced.path
    ]


def test_next_runs_stand_in_order_among_those_at_hand(pictures, designed, runs) -> None:
    frame = pictures["design"][1]
    assert frame.filter(pl.col("kind") == "at hand").height == runs.n
    assert frame.filter(pl.col("kind") == "next")["order"].to_list() == list(
        range(1, len(designed.params) + 1)
    )


def test_the_width_left_falls_with_every_run(designed) -> None:
    assert len(designed.variance) == len(designed.spent) + 1
    assert (np.diff(designed.spent) > 0).all()
    assert (np.diff(designed.variance) <= 0).all()
    assert designed.spent[-1] <= 3e21 * (1 + 1e-9)


def test_the_sections_of_runs_show_every_picture_and_fill_in_their_numbers(
    fitted, frontiers, influenced, designed
) -> None:
    sections = (
        law_section(fitted, frontiers[0]),
        frontier_section(frontiers, ()),
        influence_section(influenced),
        design_section(designed),
    )
    for section in sections:
        assert section.figures
        words = " ".join([*section.prose, *(f"{f.title} {f.subtitle} {f.alt}" for f in section.figures)])
        assert not [word for word in words.split() if word.strip("(),.;:") in ("nan", "inf", "None")]
        assert all(figure.frame.height for figure in section.figures)
    law = " ".join(sections[0].prose)
    assert f"{fitted.n} runs" in law
    assert f"{fitted.certificate.objective:.9g}" in law

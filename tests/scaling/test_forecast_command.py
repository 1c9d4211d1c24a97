"""``isoflop scaling forecast``, its pictures and its section of the report."""

from __future__ import annotations

import json

import polars as pl
import pytest
from click.testing import CliRunner

from isoflop.errors import EvidenceError, SettingError
from isoflop.evidence import load, locate
from isoflop.present.chapter import Section
from isoflop.present.image import specification, to_svg
from isoflop.scaling.chapter.forecast import figures_of, forecast_section, forecasts_of
from isoflop.scaling.commands.forecast import forecast as command
from isoflop.scaling.figures import forecast as pictures
from isoflop.scaling.forecast.find import forecast
from isoflop.scaling.forecast.from_runs import curves_of_runs
from isoflop.scaling.forecast.settings import LAST_VALUE, STACK
from tests.scaling.made_curves import family, outcome, rows, table

LAWS = ("power", "power_floor")


@pytest.fixture(scope="module")
def scored():
    return forecast(family(6), laws=LAWS)


@pytest.fixture(scope="module")
def single():
    return forecast(table(rows("power_floor", n=12, ahead=0)), laws=LAWS)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine.csv"
    family(6).frame.drop("record", strict=False).with_columns(pl.col("is_fit").cast(int)).write_csv(path)
    return path


def run(*words: object):
    return CliRunner().invoke(command, [str(word) for word in words])


# ------------------------------------------------------------------------------ command


def test_the_document_lists_the_last_value_first_and_the_stack_last(file):
    done = run(file, "--laws", "power,power_floor", "--json")
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert [f["id"] for f in document["findings"]] == [
        "scaling.forecast_rmsle",
        "scaling.forecast_coverage",
    ]
    listed = [row["law"] for row in document["tables"]["rmsle_by_law"]]
    assert listed == [LAST_VALUE, *LAWS, STACK]
    assert document["tables"]["rmsle_by_law"][-1]["rmsle"] == document["findings"][0]["value"]
    assert {"curves", "weights", "forecasts", "evidence", "rmsle_by_domain"} <= set(document["tables"])
    weights = pl.DataFrame(document["tables"]["weights"])
    assert weights.group_by("curve_id").agg(pl.col("weight").sum())["weight"].to_list() == pytest.approx(
        [1.0] * 6
    )


def test_a_person_reads_scores_forecasts_and_cautions(file):
    done = run(file, "--laws", "power", "--cut", "0.5")
    assert done.exit_code == 0, done.output
    assert "last_value" in done.stdout
    assert "Forecasts (6 of 6)" in done.stdout


@pytest.mark.slow
@pytest.mark.ci
def test_a_picture_is_written(tmp_path):
    path = tmp_path / "mine.csv"
    frame = rows("power", n=8, ahead=0)
    frame.write_csv(path)
    done = run(path, "--laws", "power", "--at", "3e4", "--figure", tmp_path / "f.svg")
    assert done.exit_code == 0, done.output
    assert len(list(tmp_path.glob("f*.svg"))) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [(("--laws", "powr"), "is unknown"), (("--at", "x"), "--at"), (("--level", "80"), "Did you mean 0.8")],
)
def test_what_cannot_be_done_is_said(file, words, message):
    done = run(file, *words)
    assert isinstance(done.exception, SettingError)
    assert message in str(done.exception)


def test_without_a_file_the_runs_at_hand_make_the_curves():
    done = run("--evidence", "embedded", "--laws", "power", "--json")
    assert done.exit_code == 0, done.output
    assert "curves: loss against tokens" in done.stderr
    assert json.loads(done.stdout)["tables"]["rmsle_by_law"][0]["law"] == LAST_VALUE


# ------------------------------------------------------------------------------ pictures


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("name", ["grid", "errors", "coverage"])
def test_each_picture_draws_its_own_frame(scored, name):
    frame = getattr(pictures, f"{name}_data")(scored)
    figure = next(f for f in figures_of(scored) if name in f.id)
    assert figure.frame.equals(frame)
    spec = specification(figure)
    drawn = {row for rows in spec["datasets"].values() for row in map(str, rows)}
    assert len(drawn) == frame.unique().height
    if name == "grid":
        assert "<svg" in to_svg(spec)


def test_the_grid_shows_forecasts_from_the_last_point_on(scored):
    frame = pictures.grid_data(scored)
    ahead = frame.filter(part="forecast")
    assert ahead["ratio"].min() == 1.0
    assert (ahead["low"] < ahead["high"]).all()
    assert frame.filter(part="fit")["ratio"].max() == pytest.approx(1.0)
    assert frame["curve"].n_unique() == 6


def test_coverage_by_horizon_counts_every_point_once(scored):
    frame = pictures.coverage_data(scored)
    counted = sum(c.curve.u_ahead.size for c in scored.scored)
    assert frame["points"].sum() == counted
    share = (frame["covered"] * frame["points"]).sum() / counted
    assert share == pytest.approx(scored.findings()[1].estimate.value)


# ------------------------------------------------------------------------------ chapter


def test_the_section_fills_in_its_numbers(scored):
    section = forecast_section(scored)
    assert isinstance(section, Section)
    assert list(section.blocks())
    assert len(section.figures) == 3
    assert section.tables[0].rows[0]["law"] == LAST_VALUE


def test_without_a_future_the_section_shows_forecasts_alone(single):
    section = forecast_section(single)
    assert [f.id for f in section.figures] == ["forecast-grid-made"]
    assert not section.tables
    assert section.cautions


def test_runs_of_one_size_make_a_curve_and_repeats_are_averaged():
    x = [1e6, 2e6, 4e6, 8e6, 1.6e7, 1.6e7]
    y = outcome("power_floor", pl.Series(x).to_numpy()).tolist()
    y[5] += 0.02
    runs = load(
        pl.DataFrame(
            {
                "run_id": [f"r{i}" for i in range(8)],
                "source": ["s"] * 8,
                "dataset": ["text"] * 8,
                "params": [1e6] * 6 + [5e6] * 2,
                "tokens": [*x, 1e6, 2e6],
                "loss_nats": [*y, 1.0, 0.9],
            }
        ),
        schema="scaling_runs",
        name="runs",
    )
    curves = curves_of_runs(runs)
    assert curves.frame["curve_id"].unique().to_list() == ["text/1,000,000 parameters"]
    assert curves.frame.height == 5
    assert curves.frame.sort("x")["outcome"][-1] == pytest.approx(y[4] + 0.01)
    found = forecast(curves, cut=0.5, laws=LAWS)
    assert found.curves[0].curve.rows == 4
    assert found.curves[0].curve.u_ahead.size == 1
    with pytest.raises(EvidenceError, match="needs scaling_runs"):
        curves_of_runs(curves)
    with pytest.raises(EvidenceError, match="4 amounts of data"):
        curves_of_runs(load(runs.frame.filter(pl.col("params") > 2e6), schema="scaling_runs", name="few"))


@pytest.mark.slow
@pytest.mark.ci
def test_without_public_curves_the_section_rests_on_the_runs_that_ship():
    (found,) = forecasts_of(locate("embedded"), seed=0)
    assert found.table.name == "scaling_runs"
    assert found.scored
    assert all(one.laws.horizon > 3.0 for one in found.curves)

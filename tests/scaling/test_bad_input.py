"""What is wrong is refused in one message that says where, what came, what is needed and what to do."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from isoflop import evidence, scaling
from isoflop.cli import main
from isoflop.errors import NoFitError, SettingError
from isoflop.scaling import runs as scaling_runs
from isoflop.stats.resample import Bootstrap

from .made_runs import Rows, good_curve, good_points, good_runs, spoiled

Make = Callable[[Path], Path]


def text(content: str, name: str = "table.csv") -> Make:
    def make(folder: Path) -> Path:
        path = folder / name
        path.write_text(content, encoding="utf-8")
        return path

    return make


def runs(change: Callable[[Rows], object]) -> Make:
    return spoiled(good_runs, change)


def points(change: Callable[[Rows], object]) -> Make:
    return spoiled(good_points, change)


def curve(change: Callable[[Rows], object]) -> Make:
    return spoiled(good_curve, change)


def cell(make: Callable[[], Rows], row: int, column: str, value: str) -> Make:
    """Return a maker of a good table with one cell changed; rows count from 1."""
    return spoiled(make, lambda rows: rows[row - 1].update({column: value}))


def every(make: Callable[[], Rows], **values: str) -> Make:
    """Return a maker of a good table with columns set to one value."""
    return spoiled(make, lambda rows: [row.update(values) for row in rows])


def first(make: Callable[[], Rows], count: int) -> Make:
    """Return a maker of the first rows of a good table."""

    def change(rows: Rows) -> None:
        del rows[count:]

    return spoiled(make, change)


def scaled(factor: float, *columns: str) -> Make:
    def change(rows: Rows) -> None:
        for row in rows:
            row.update({name: f"{float(row[name]) * factor:g}" for name in columns})

    return runs(change)


def on_a_ray(rows: Rows) -> None:
    for row in rows:
        row["tokens"] = f"{20 * float(row['params']):.0f}"
        row["train_flop"] = f"{120 * float(row['params']) ** 2:.6g}"


def two_tokenizers(rows: Rows) -> None:
    for i, row in enumerate(rows):
        row["tokenizer"] = "theirs" if i % 2 else "ours"


def reversed_flag(rows: Rows) -> None:
    rows[2]["higher_is_better"] = "0"


@dataclass(frozen=True, kw_only=True)
class Case:
    """A spoilt input, the verb, the words after its file, and what the message must hold."""

    make: Make
    verb: str
    words: tuple[str, ...]
    says: tuple[str, ...]


def case(make: Make, *says: str, words: str = "", verb: str = "fit") -> Case:
    return Case(make=make, words=tuple(words.split()), says=says, verb=verb)


GOOD = runs(lambda _rows: None)
GOOD_POINTS = points(lambda _rows: None)
GOOD_CURVE = curve(lambda _rows: None)
RUNS_HEADER = ",".join(good_runs()[0])

CASES: dict[str, Case] = {
    # runs
    "an empty file": case(text(""), "is empty", "right file?"),
    "a header alone": case(text(RUNS_HEADER + "\n"), "no data rows"),
    "one run": case(first(good_runs, 1), "1 run, needs several", "Add runs"),
    "five runs": case(first(good_runs, 5), "5 distinct (N, D)", "needs 6"),
    "a constant loss": case(
        every(good_runs, loss_nats="2.5"), "all 28 runs have loss_nats = 2.5", "needs a spread"
    ),
    "one size": case(
        every(good_runs, params="100000000"), "all 28 runs have params = 1e+08", "needs a spread"
    ),
    "a constant x": case(
        every(good_runs, train_flop="1e20"),
        "train_flop = 1e+20",
        "needs a spread",
        words="--law power_floor --x train_flop",
    ),
    "three distinct x": case(
        first(good_runs, 21),
        "3 distinct x for 3 free parameters, needs 4",
        "'power'",
        words="--law power_floor --x train_flop",
    ),
    "no tokens": case(cell(good_runs, 4, "tokens", "0"), "row 4, column 'tokens'", "(0, 1e+20)"),
    "x of zero": case(
        cell(good_runs, 4, "train_flop", "0"),
        "row 4, column 'train_flop'",
        "(0, 1e+35)",
        words="--law power --x train_flop",
    ),
    "a size that is missing": case(
        cell(good_runs, 4, "params", ""), "row 4, column 'params'", "must not be empty"
    ),
    "nan": case(cell(good_runs, 4, "loss_nats", "nan"), "row 4, column 'loss_nats'"),
    "inf": case(cell(good_runs, 4, "loss_nats", "inf"), "row 4, column 'loss_nats'", "inf, must be finite"),
    "an infinite size": case(cell(good_runs, 4, "params", "inf"), "row 4, column 'params'", "must be finite"),
    "a negative loss": case(cell(good_runs, 4, "loss_nats", "-2.5"), "row 4, column 'loss_nats'", "-2.5"),
    "a loss of zero": case(cell(good_runs, 4, "loss_nats", "0"), "row 4, column 'loss_nats'", "above 0"),
    "a word for a number": case(
        cell(good_runs, 4, "params", "7B"), "row 4, column 'params'", "'7B' is no number"
    ),
    "a loss in words": case(
        cell(good_runs, 4, "loss_nats", "low"), "row 4, column 'loss_nats'", "'low' is no number"
    ),
    "tokens on a ray": case(runs(on_a_ray), "all runs have D/N = 20", "off the ray"),
    "two tokenizers": case(
        runs(two_tokenizers), "2 values of tokenizer ('ours', 'theirs')", "--where tokenizer=ours"
    ),
    "sizes of 1e300": case(scaled(1e300, "params"), "column 'params'", "must be finite", "20 more rows"),
    "one size of 1e300": case(cell(good_runs, 4, "params", "1e300"), "row 4, column 'params'", "1e+300"),
    "compute of 1e308": case(
        cell(good_runs, 4, "train_flop", "1e308"),
        "row 4, column 'train_flop'",
        "1e+308",
        words="--law power --x train_flop",
    ),
    "losses of 1e300": case(
        cell(good_runs, 4, "loss_nats", "1e300"), "row 4, column 'loss_nats'", "(0, 1000)"
    ),
    "a column under another name": case(
        runs(lambda rows: [r.update(q=r.pop("params")) for r in rows]),
        "column 'params' not in table.csv",
        "--map params=",
    ),
    "an unknown law": case(
        GOOD, "'chinchila' is unknown", "Did you mean 'chinchilla'?", words="--law chinchila"
    ),
    "a law of curves without x": case(GOOD, "no x", "--x train_flop", words="--law power_floor"),
    "x that is no column": case(
        GOOD, "no column 'flop'", "closest is 'train_flop'", words="--law power --x flop"
    ),
    "an outcome that is no column": case(
        GOOD, "no column 'loss'", "closest is 'loss_nats'", words="--outcome loss"
    ),
    "an unknown objective": case(GOOD, "'hubber'", "Did you mean huber?", words="--objective hubber"),
    "a width of zero": case(GOOD, "delta=0.0", "(0, inf)", words="--objective huber:0"),
    "a width in words": case(GOOD, "'wide'", "must be a number", words="--objective huber:wide"),
    "an unknown preset": case(
        GOOD, "'besiroglu'", "Did you mean 'besiroglu2024'?", words="--preset besiroglu"
    ),
    "a level in per cent": case(GOOD, "level=95", "(0, 1)", "0.95", words="--level 95"),
    "a level in per cent without draws": case(GOOD, "level=95", "0.95", words="--level 95 --bootstrap 0"),
    "fewer than no draws": case(GOOD, "--bootstrap: -1", "0 or at least 2", words="--bootstrap -1"),
    "one draw": case(GOOD, "--bootstrap: 1", "0 or at least 2", words="--bootstrap 1"),
    "an unknown cluster": case(GOOD, "by='famly'", "Did you mean 'family'?", words="--by famly"),
    "one cluster": case(
        every(good_runs, family="all"),
        "by='family' has one value (all)",
        "needs two or more",
        words="--by family",
    ),
    "all runs dropped by ties": case(
        every(good_runs, loss_nats="2.5"),
        "drop_highest=1 with ties leaves none",
        "must leave some",
        words="--drop-highest 1",
    ),
    "where twice": case(GOOD, "--where: family is given twice", words="--where family=a --where family=b"),
    "x in words": case(GOOD, "column 'family' holds text", "needs numbers", words="--law power --x family"),
    "residuals by cluster": case(
        GOOD, "resample='residual' with by='family'", "Use 'pairs'", words="--by family --resample residual"
    ),
    "an unknown way to resample": case(GOOD, "'pair'", "Did you mean pairs?", words="--resample pair"),
    "a budget below zero": case(GOOD, "at_flop=-1", "(0, inf)", words="--at-flop=-1"),
    "a budget of zero": case(GOOD, "at_flop=0", "(0, inf)", words="--at-flop 0"),
    "a budget in words": case(GOOD, "--at-flop: 'big'", "must be a number", words="--at-flop big"),
    "all runs dropped": case(GOOD, "drop_highest=28 of 28", "must leave some", words="--drop-highest 28"),
    "fewer than none dropped": case(GOOD, "drop_highest=-1", "at least 0", words="--drop-highest -1"),
    "where without a value": case(GOOD, "--where: 'family'", "needs COLUMN=VALUE", words="--where family"),
    "where that no run meets": case(
        GOOD, "family = 'x'", "family 0, family 1, family 2", words="--where family=x"
    ),
    "where of no column": case(GOOD, "'familly'", "Did you mean 'family'?", words="--where familly=x"),
    "no embedding counts": case(
        GOOD, "params_no_embed has 28 values missing", "rows 1, 2, 3, 4, 5, …", words="--params no_embed"
    ),
    "a picture of unknown kind": case(GOOD, "'x.svgg'", "Did you mean x.svg?", words="--figure x.svgg"),
    "the wrong table": case(GOOD_POINTS, "column 'params' not in table.csv", "--map params=NAME"),
    "the reference grid for another law": case(
        GOOD,
        "--starts: reference with law power",
        "Drop --starts",
        words="--law power --x train_flop --starts reference",
    ),
    # frontier
    "an unknown approach": case(
        GOOD, "'parametrik'", "Did you mean parametric?", words="--approach parametrik", verb="frontier"
    ),
    "a cost with parabolas": case(
        GOOD,
        "--cost: attention with --approach isoflop",
        "Drop --cost",
        words="--approach isoflop --cost attention",
        verb="frontier",
    ),
    "an unknown cost": case(GOOD, "--cost: '6dn'", "Did you mean 6nd?", words="--cost 6dn", verb="frontier"),
    "lifetime without tokens": case(
        GOOD, "--cost lifetime: ''", "must be a number", words="--cost lifetime", verb="frontier"
    ),
    "lifetime below zero": case(
        GOOD, "inference_tokens=-1", "[0, inf)", words="--cost lifetime:-1", verb="frontier"
    ),
    "a cost column that is not there": case(
        GOOD, "no column 'price'", words="--cost column:price", verb="frontier"
    ),
    "a frontier of a law without one": case(
        GOOD, "law power of x, needs params and tokens", words="--law power --x train_flop", verb="frontier"
    ),
    "parabolas of one budget": case(
        first(good_runs, 7), "1 of 1 budgets", "needs 3. Train", words="--approach isoflop", verb="frontier"
    ),
    "parabolas of three sizes": case(
        runs(lambda rows: rows.__setitem__(slice(None), [r for i, r in enumerate(rows) if i % 7 < 3])),
        "0 of 4 budgets",
        "3 sizes, needs 5",
        words="--approach isoflop",
        verb="frontier",
    ),
    "an envelope of one budget": case(
        first(good_runs, 7), "1 bin of compute, needs 3", words="--approach envelope", verb="frontier"
    ),
    # influence, design, compare
    "nothing to show": case(GOOD, "top=0", "at least 1", words="--top 0", verb="influence"),
    "a flip without a value": case(GOOD, "--flip: 'a'", "equals sign", words="--flip a", verb="influence"),
    "a flip of an unknown number": case(
        GOOD, "flip='gamma'", "Did you mean 'a'?", words="--flip gamma=1", verb="influence"
    ),
    "no budget to design for": case(
        GOOD, "budget_flop=0", "(0, inf)", words="--budget-flop 0 --bootstrap 20", verb="design"
    ),
    "a budget below every run": case(
        GOOD,
        "below the smallest run of the grid",
        "Raise it",
        words="--budget-flop 1 --bootstrap 20",
        verb="design",
    ),
    "no runs to choose": case(GOOD, "runs=0", "at least 1", words="--runs 0 --bootstrap 20", verb="design"),
    "no repeats": case(GOOD, "repeats=0", "at least 1", words="--repeats 0 --bootstrap 20", verb="design"),
    "an unknown target": case(GOOD, "'los'", "Did you mean loss?", words="--target los", verb="design"),
    "laws that are not there": case(
        GOOD, "'chinchila' is unknown", "Did you mean 'chinchilla'?", words="--laws chinchila", verb="compare"
    ),
    "a cut in per cent": case(GOOD, "cuts=(50.0,)", "(0, 1)", words="--cuts 50", verb="compare"),
    "an unknown scheme": case(GOOD, "--cv: 'rollin'", "rolling", words="--cv rollin", verb="compare"),
    "a horizon below one": case(GOOD, "horizon=0.5", "above 1", words="--horizon 0.5", verb="compare"),
    "a law to list that is not there": case(GOOD, "is unknown", "isoflop scaling laws", verb="laws"),
    # curves
    "a curve of two points": case(first(good_curve, 2), "2 distinct x to fit, needs 3", verb="forecast"),
    "a curve of x zero": case(
        cell(good_curve, 3, "x", "0"), "x has 1 values <= 0", "(0, inf)", verb="forecast"
    ),
    "a curve with a loss below zero": case(
        cell(good_curve, 3, "outcome", "-1"), "row 3, column 'outcome'", "-1", verb="forecast"
    ),
    "a curve with one x twice": case(
        cell(good_curve, 3, "x", "16.00"), "2 rows at x=16 (rows 1, 3)", "De-duplicate", verb="forecast"
    ),
    "two units in one curve": case(
        cell(good_curve, 3, "x_unit", "epochs"), "'steps' and 'epochs' mixed", "Split", verb="forecast"
    ),
    "a curve of nan": case(cell(good_curve, 3, "outcome", "nan"), "row 3, column 'outcome'", verb="forecast"),
    "a cut above one": case(GOOD_CURVE, "cut=30", "Did you mean 0.3?", words="--cut 30", verb="forecast"),
    "a band in per cent": case(
        GOOD_CURVE, "level=80", "Did you mean 0.8?", words="--level 80", verb="forecast"
    ),
    "a forecast in words": case(
        GOOD_CURVE, "--at: 'soon'", "must be numbers", words="--at soon", verb="forecast"
    ),
    "a forecast at zero": case(
        GOOD_CURVE, "at=0", "beyond the last fit point", words="--at 0", verb="forecast"
    ),
    "a joint law of curves": case(
        GOOD_CURVE, "'chinchilla' needs params, tokens", words="--laws chinchilla", verb="forecast"
    ),
    "an unknown law of curves": case(GOOD_CURVE, "'m5' is unknown", words="--laws m5", verb="forecast"),
    # study points
    "points of an empty file": case(text(""), "is empty", verb="pool"),
    "one point": case(first(good_points, 1), "2 amounts of its resource", "Add points", verb="pool"),
    "per cent as fraction": case(
        every(good_points, y_unit="fraction"),
        "column 'y'",
        "must lie in [0, 1]",
        "Did you mean 'percent'?",
        verb="pool",
    ),
    "success above a hundred": case(
        cell(good_points, 3, "y", "120"), "row 3, column 'y'", "120", "[0, 100]", verb="pool"
    ),
    "two units in a study": case(
        cell(good_points, 3, "x_unit", "frames"), "'demonstrations' and 'frames' mixed", "Split", verb="pool"
    ),
    "two metrics in a study": case(
        cell(good_points, 3, "metric", "reward"), "'success rate' and 'reward' mixed", verb="pool"
    ),
    "one amount twice": case(
        cell(good_points, 3, "x", "20"), "2 rows at x=20 (rows 1, 3)", "De-duplicate", verb="pool"
    ),
    "no trials": case(cell(good_points, 3, "n_trials", "0"), "row 3, column 'n_trials'", ">= 1", verb="pool"),
    "a direction flag reversed": case(
        points(reversed_flag), "higher_is_better 'true' and 'false' mixed", verb="pool"
    ),
    "a count of demonstrations in words": case(
        cell(good_points, 3, "x", "ten"), "'ten' is no number", verb="pool"
    ),
    "nan success": case(cell(good_points, 3, "y", "nan"), "row 3, column 'y'", verb="pool"),
    "a standard error of zero": case(
        every(good_points, n_trials="", y_se="0"), "column 'y_se'", "> 0", verb="pool"
    ),
    "an unknown class": case(
        cell(good_points, 3, "model_class", "VLA"), "VLA", "Did you mean 'RFM:VLA'?", verb="pool"
    ),
    "an unknown resource": case(
        every(good_points, resource="dta"), "dta", "Did you mean 'data'?", verb="pool"
    ),
    "an unknown group": case(
        GOOD_POINTS, "'familarity'", "Did you mean familiarity?", words="--by familarity", verb="pool"
    ),
    "an unknown estimator": case(GOOD_POINTS, "'rml'", "Did you mean reml?", words="--tau2 rml", verb="pool"),
    "a pooled level in per cent": case(
        GOOD_POINTS, "level=95", "Did you mean 0.95?", words="--level 95", verb="pool"
    ),
    "success 0 everywhere": case(
        every(good_points, y="0"), "no trial of 6 studies succeeded", "needs some of both", verb="pool"
    ),
    "success 100 everywhere": case(
        every(good_points, y="100"), "no trial of 6 studies failed", "needs some of both", verb="pool"
    ),
    "no trials by default": case(
        GOOD_POINTS, "default_trials=0", "at least 1", words="--trials 0", verb="pool"
    ),
    "no bootstrap draws of emergence": case(
        GOOD_POINTS, "reps=0", "must be a whole number", words="--draws 0", verb="emergence"
    ),
    "trials of emergence in words": case(
        GOOD_POINTS, "--trials: 'many'", words="--trials many", verb="emergence"
    ),
    "a share of false discoveries above one": case(
        GOOD_POINTS, "false_discovery=5", "(0, 1)", words="--false-discovery 5", verb="emergence"
    ),
    "a target in per cent": case(
        GOOD_POINTS, "target=90", "Did you mean 0.9?", words="--target 90", verb="returns"
    ),
    "a reach below one": case(GOOD_POINTS, "reach=0.5", "(1, inf)", words="--reach 0.5", verb="returns"),
    "an unknown price": case(GOOD_POINTS, "no column 'price'", words="--cost price", verb="returns"),
    "runs for points": case(GOOD, "column 'paper_id' not in table.csv", verb="pool"),
    "runs for a linter of points": case(GOOD, "FILE and --template", verb="lint", words="--template"),
}

PATTERN = re.compile(r"error: [^:]+: .+\S", re.DOTALL)
REMARKS = ("evidence: ", "law: ", "runs: ")
QUICK = {"fit": "--bootstrap", "frontier": "--bootstrap"}
"""Verbs whose draws would only cost time before a refusal."""


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_refused_in_one_message_and_nothing_is_written(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = CASES[name]
    monkeypatch.chdir(tmp_path)
    source = wanted.make(tmp_path)
    words = list(wanted.words)
    if wanted.verb in QUICK and QUICK[wanted.verb] not in words:
        words += [QUICK[wanted.verb], "20"]
    assert main(["scaling", wanted.verb, str(source), *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    before, _, message = err.rpartition("error: ")
    assert "error" not in before
    assert not before or before.startswith(REMARKS)
    assert "Traceback" not in err
    assert message.count("\n") == 1
    assert PATTERN.match(f"error: {message.strip()}")
    assert wanted.says
    for part in wanted.says:
        assert part in message
    # what to do, or a question that hints at it, closes the message; a command to copy may end without a stop
    assert re.search(r"[.?)]\)?\s*$|--map \S+=\S+( \(also.*\))?$|points\.csv$", message.strip())
    assert [path.name for path in tmp_path.iterdir()] == [source.name]


# --------------------------------------------------------------- poor input that has an answer


@pytest.fixture(scope="module")
def good() -> scaling_runs.Runs:
    """Return the runs that the cases spoil."""
    return scaling_runs.select(evidence.load(pl.DataFrame(good_runs()), schema="scaling_runs"))


def test_the_tables_that_are_spoilt_are_good(good: scaling_runs.Runs) -> None:
    fitted = scaling.fit(good)
    assert fitted.certificate.certified
    assert fitted.parameters["alpha"].value == pytest.approx(0.35, abs=0.05)
    points_ = evidence.load(pl.DataFrame(good_points()), schema="study_points")
    pooled = scaling.pool(scaling.fit_studies(points_)).exponent("data")
    assert pooled.value == pytest.approx(-0.25, abs=0.02)
    assert evidence.load(pl.DataFrame(good_curve())).schema == "learning_curves"


def test_a_width_of_the_loss_without_a_certified_fit_is_listed_and_the_command_goes_on(
    good: scaling_runs.Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    from isoflop.scaling import result
    from isoflop.scaling.figures.runs import delta_data

    fitted, find = scaling.fit(good), result.find

    def narrow_fails(one, starts=None):
        if one.objective.delta == 1e-6:
            raise NoFitError("planted: 1 start, needs a certified one. Add starts.")
        return find(one, starts)

    monkeypatch.setattr(result, "find", narrow_fails)
    *rows, last = fitted.delta_sensitivity()
    assert all(row["objective"] > 0 and row["alpha"] > 0 for row in rows)
    assert last["delta"] == 1e-6
    assert {last[name] for name in ("objective", *fitted.law.names)} == {None}
    frame = delta_data(fitted)
    assert 1e-6 not in frame["delta"].to_list()
    assert frame["ratio"].null_count() == 0


def test_few_clusters_and_rows_without_one_are_cautioned() -> None:
    rows = [{**row, "family": "" if i < 3 else f"f{i % 2}"} for i, row in enumerate(good_runs())]
    frame = pl.DataFrame(rows).with_columns(pl.col("family").replace("", None))
    runs_ = scaling_runs.select(evidence.load(frame, schema="scaling_runs"))
    said = " ".join(scaling.fit(runs_, ci=Bootstrap(reps=20, by="family")).cautions)
    assert "3 clusters of family" in said
    assert "3 runs have no family" in said


def test_one_paper_has_an_exponent_and_no_interval() -> None:
    table = evidence.load(pl.DataFrame(good_points()[:5]), schema="study_points")
    (one,) = (
        f
        for f in scaling.pool(scaling.fit_studies(table)).findings()
        if f.id == "scaling.exponent_data_robotics"
    )
    assert one.estimate.value == pytest.approx(-0.25, abs=0.02)
    assert (one.estimate.low, one.estimate.high) == (None, None)
    assert any("no interval" in caution and "Add papers" in caution for caution in one.cautions)


def test_a_group_in_which_every_trial_failed_has_no_exponent_and_says_why() -> None:
    rows = good_points()
    for row in rows:
        if row["familiarity"] == "unseen":
            row["y"] = "0"
    table = evidence.load(pl.DataFrame(rows), schema="study_points")
    found = {f.id: f for f in scaling.pool(scaling.fit_studies(table)).findings()}
    unseen, seen = (found[f"scaling.exponent_data_robotics.{name}"] for name in ("unseen", "seen"))
    assert seen.estimate.value == pytest.approx(-0.25, abs=0.03)
    assert unseen.estimate.value is None
    assert any("no trial of these 3 studies succeeded" in caution for caution in unseen.cautions)


def test_an_amount_of_zero_is_left_out_and_counted() -> None:
    rows = good_points()
    rows[2]["x"] = "0"
    table = evidence.load(pl.DataFrame(rows), schema="study_points")
    (step,) = (s for s in scaling.fit_studies(table).sample.waterfall() if "x > 0" in s["rule"])
    assert (step["kept"], step["dropped"]) == (29, 1)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"ci": {"reps": 0}}, "reps=0"),
        ({"ci": {"level": 95.0}}, "Did you mean 0.95?"),
        ({"starts": [[1.0, 2.0]]}, r"needs \(S, 5\) finite numbers"),
        ({"starts": [[1.0, 2.0, float("nan"), 0.3, 0.3]]}, "finite numbers"),
        ({"weights": [1.0]}, "needs 28 finite numbers"),
        ({"weights": [-1.0] * 28}, ">= 0"),
        ({"status": "ignore"}, "must be 'raise' or 'return'"),
        ({"resample": "jackknife", "ci": {"reps": 2}}, "must be one of pairs"),
        ({"law": "chinchila"}, "Did you mean 'chinchilla'?"),
    ],
    ids=str,
)
def test_settings_out_of_range_are_refused_by_the_verb(
    good: scaling_runs.Runs, settings: dict[str, Any], says: str
) -> None:
    def call() -> None:
        ci = Bootstrap(**settings["ci"]) if "ci" in settings else None
        scaling.fit(good, **{**settings, "ci": ci})

    with pytest.raises(SettingError, match=says):
        call()

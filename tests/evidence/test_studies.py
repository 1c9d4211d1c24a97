"""Schema of study points: outcomes made comparable once, and studies that cannot be used."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.errors import EvidenceError
from isoflop.evidence import SCHEMAS, Table, load
from isoflop.evidence.embedded import MEASURED
from validation import typed_studies


def point(**cells: Any) -> dict[str, Any]:
    return {
        "paper_id": "p",
        "study_id": "s",
        "resource": "data",
        "x_unit": "demonstrations",
        "x": 10,
        "metric": "success_rate",
        "y": 40,
        "y_unit": "percent",
        "higher_is_better": 1,
        "n_trials": 50,
        "source_locator": "Table 1",
        "extraction": "table",
        "verified": "read",
    } | cells


def table(*rows: dict[str, Any]) -> Table:
    return load(
        pl.DataFrame([{k: None if v is None else str(v) for k, v in row.items()} for row in rows]),
        name="points",
    )


def refused(match: str, *rows: dict[str, Any]) -> None:
    with pytest.raises(EvidenceError, match=match):
        table(*rows)


@pytest.mark.slow
@pytest.mark.ci
@given(st.floats(0, 100), st.booleans(), st.booleans())
def test_error_and_success_are_the_same_in_percent_and_fraction_and_either_direction(
    percent: float, as_fraction: bool, as_error: bool
) -> None:
    y = 100 - percent if as_error else percent
    row = point(
        metric="failure_rate" if as_error else "success_rate",
        higher_is_better=int(not as_error),
        y=repr(y / 100 if as_fraction else y),
        y_unit="fraction" if as_fraction else "percent",
        n_trials=None,
    )
    # A second study keeps a paper of percentages below 1 from looking like fractions.
    frame = table(row, point(study_id="t", y=50)).frame
    assert frame["success"][0] == pytest.approx(percent / 100, abs=1e-12)
    assert frame["error"][0] == pytest.approx(1 - percent / 100, abs=1e-12)
    assert frame["outcome_kind"][0] == "success_error"


def test_a_loss_stays_a_loss() -> None:
    row = table(
        point(metric="cross-entropy loss", y=2.5, y_unit="nats", higher_is_better=0, n_trials=None)
    ).frame.row(0, named=True)
    assert (row["outcome_kind"], row["error"], row["success"]) == ("cross_entropy", None, None)


def test_successes_follow_from_rate_and_trials_but_not_where_part_marks_are_given() -> None:
    frame = table(point(), point(x=20, n_success=20), point(study_id="t", metric="task_score")).frame
    assert frame["n_success"].to_list() == [20.0, 20.0, None]
    assert frame["partial_credit"].to_list() == [False, False, True]
    assert frame["study"].to_list() == ["p/s", "p/s", "p/t"]


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize(
    ("cells", "match"),
    [
        (
            {"y": 97.0, "y_unit": "fraction"},
            r"97, with y_unit 'fraction' must lie in \[0, 1\]\. Did you mean 'percent'\?",
        ),
        ({"y": 120}, r"with y_unit 'percent' must lie in \[0, 100\]"),
        ({"y": -1}, r"must lie in \[0, 100\]"),
        ({"y": "97%"}, "'97%' is no number. Write it as 97 and put 'percent' into y_unit"),
        ({"y": "inf"}, "must be finite"),
        ({"y": "nan"}, "must not be empty"),
        (
            {"y": 0, "y_unit": "nats", "metric": "loss", "higher_is_better": 0, "n_trials": None},
            "a loss must be > 0",
        ),
        ({"x": -3}, "column 'x'"),
        ({"x": 1.5, "x_unit": "fraction"}, "Did you mean 'percent_of_dataset'"),
        ({"x": 150, "x_unit": "percent_of_dataset"}, r"must lie in \[0, 100\]"),
        ({"x_unit": "demonstration"}, "Did you mean 'demonstrations'"),
        ({"model_class": "VLA"}, "Did you mean 'RFM:VLA'"),
        ({"n_trials": 0}, "column 'n_trials' of points: 0, must be >= 1"),
        ({"n_trials": 10.5}, "must be a whole number"),
        ({"n_success": 60}, "cannot exceed n_trials"),
        ({"n_success": 30}, "disagrees with y and n_trials"),
        ({"n_success": 5, "n_trials": None}, "says nothing without n_trials"),
        ({"higher_is_better": 0}, "is better when higher"),
        ({"metric": "error_rate"}, "is better when lower"),
        ({"y_se": -1}, "column 'y_se'"),
    ],
)
def test_impossible_points_are_refused(cells: dict[str, Any], match: str) -> None:
    refused(match, point(**cells))


def test_percentages_that_are_fractions_throughout_a_paper_are_refused() -> None:
    rows = [point(x=x, y=y, n_trials=None) for x, y in ((1, 0.2), (10, 0.4), (100, 0.9))]
    refused(r"paper 'p' of points: every y lies in \[0, 1\] .* Did you mean 'fraction'", *rows)
    assert table(*rows, point(x=1000, y=60)).frame.height == 4


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("x_unit", ("frames", "episodes")),
        ("metric", ("success_rate", "completion_rate")),
        ("y_unit", ("percent", "fraction")),
        ("resource", ("data", "compute")),
    ],
)
def test_studies_that_mix_what_must_be_one_are_refused(column: str, values: tuple[str, str]) -> None:
    rows = [
        point(x=x, y=1, n_trials=None, **{column: value}) for x, value in zip((1, 2), values, strict=True)
    ]
    refused(
        f"study 'p/s' of points: {column} '{values[0]}' and '{values[1]}' mixed, needs one. Split the study",
        *rows,
    )


def test_one_x_twice_needs_a_name_for_the_repeat() -> None:
    refused(r"study 'p/s' of points: 2 rows at x=10 \(rows 1, 2\), needs one", point(), point(y=42))
    assert table(point(repeat="seed 1"), point(y=42, repeat="seed 2")).frame.height == 2
    assert table(point(), point(paper_id="q", y=42)).frame.height == 2


def test_doubts_are_counted_with_their_cures() -> None:
    rows = [
        point(n_trials=None),
        point(x=20, y=41.3, is_aggregate=1),
        point(x=0, extraction="digitised"),
        point(study_id="t", metric="task_score", verified="secondary"),
        point(paper_id="q", x_unit="epochs"),
    ]
    text = " ".join(table(*rows).cautions)
    for part in (
        "1 of 5 success rates come without n_trials",
        "1 of 5 rows give partial credit",
        "1 of 5 rows are means of other rows",
        "1 of 5 rows were read off a figure",
        "1 of 5 rows were not read in the source itself",
        "1 success rates times n_trials are no whole numbers",
        "1 rows have x = 0",
        "1 rows count epochs",
        "paper p supplies 2 of 3 studies",
    ):
        assert part in text


def test_a_study_with_two_values_of_a_moderator_is_doubted() -> None:
    text = " ".join(table(point(familiarity="seen"), point(x=20, familiarity="unseen")).cautions)
    assert "1 studies (e.g. p/s) have two values of familiarity" in text


def test_the_typed_facts_are_whole() -> None:
    frame = load("study_points").frame.filter(pl.col("seen_in").ne_missing(MEASURED))
    further = frame["paper_id"].is_in(("2407.01812", "2503.14734"))
    facts = frame.filter(~further)
    assert (facts.height, facts["study"].n_unique(), facts["paper_id"].n_unique()) == (1247, 353, 18)
    assert (frame.height, frame["study"].n_unique(), frame["paper_id"].n_unique()) == (1835, 549, 20)
    assert frame.select("study", "x").is_duplicated().sum() == 0
    assert frame["error"].is_between(0, 1).all()
    assert (frame["success"] + frame["error"] - 1).abs().max() < 1e-12
    partial = frame.filter("partial_credit")
    assert set(partial["paper_id"]) == {"2109.12098", "2410.18647"}
    assert partial["n_success"].null_count() == partial.height
    assert set(frame["sector"]) <= {"industry", "academia", "both"}
    assert dict(facts["verified"].value_counts().rows()) == {"read": 1172, "secondary": 75}
    names = frame.filter(pl.col("x_unit") == "parameters_nominal_from_model_name")
    assert names["x"].is_between(1e9, 1e12).all()


def test_studies_that_are_means_of_others_are_flagged() -> None:
    frame = load("study_points").frame
    means = frame.filter("is_aggregate")
    assert (means.height, means["study"].n_unique()) == (38, 12)
    one = frame.filter(pl.col("study_id").str.starts_with("smolvla-size-libero") & (pl.col("x") == 2.25e9))
    parts, mean = one.filter(~pl.col("is_aggregate"))["y"], one.filter("is_aggregate")["y"]
    assert parts.len() == 4
    assert mean.item() == pytest.approx(parts.mean())


def test_further_typed_tables_reach_their_printed_averages() -> None:
    for benchmark, tasks in typed_studies.blocks():
        if benchmark in typed_studies.AVERAGES:
            means = [sum(column) / len(tasks) for column in zip(*tasks, strict=True)]
            assert means == pytest.approx(typed_studies.AVERAGES[benchmark], abs=0.051)
    wang = load("study_points").frame.filter(pl.col("paper_id") == "2407.01812")
    means = wang.group_by("architecture", "x").agg(pl.col("y").mean()).sort("architecture", "x")
    printed = {
        "ACT, absolute control": (21.3, 38.2, 63.3),
        "BC-RNN, relative control": (22.9, 41.2, 70.3),
        "DP3, absolute control": (23.9, 35.1, 56.8),
        "Diffusion Policy (CNN), absolute control": (42.0, 57.8, 71.4),
        "Diffusion Policy (CNN), relative control": (33.3, 47.3, 63.2),
        "Diffusion Policy (transformer), absolute control": (29.0, 43.0, 64.9),
        "EquiDiff (image), absolute control": (53.7, 68.5, 79.7),
        "EquiDiff (image), relative control": (35.4, 50.4, 74.0),
        "EquiDiff (voxel), absolute control": (63.9, 72.6, 77.9),
        "EquiDiff (voxel), relative control": (48.8, 58.0, 70.2),
    }
    assert means["y"].to_list() == pytest.approx([y for row in printed.values() for y in row], abs=0.051)


def test_published_exponents_keep_sign_form_and_kind() -> None:
    exponents = load("published_exponents")
    frame = exponents.frame
    assert frame.height == 80
    assert (frame["exponent"].drop_nulls() > 0).all()
    falls = frame.filter(pl.col("outcome_kind").is_in(("cross_entropy", "error_rate")))
    assert (falls["slope"].drop_nulls() < 0).all()
    kinds = dict(frame["outcome_kind"].value_counts().rows())
    assert kinds == {"cross_entropy": 34, "allocation": 40, "growth": 3, "error_rate": 3}
    assert any("lie outside their own printed interval" in caution for caution in exponents.cautions)
    with pytest.raises(EvidenceError, match="must not exceed high"):
        load(
            pl.DataFrame(
                [
                    {
                        "domain": "d",
                        "study": "s",
                        "resource": "data",
                        "metric": "loss",
                        "exponent": 0.1,
                        "low": 0.2,
                        "high": 0.1,
                        "form": "power_law",
                    }
                ]
            ),
            schema="published_exponents",
        )


def test_the_schema_speaks_the_words_of_the_facts() -> None:
    schema = SCHEMAS["study_points"]
    assert {"train_from_demonstrations", "none_prompted"} <= set(schema["training_phase"].choices)
    frame = load("study_points").frame
    for name in ("training_phase", "x_unit", "task_family", "model_class"):
        assert set(frame[name].drop_nulls()) <= set(schema[name].choices)

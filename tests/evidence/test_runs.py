"""Schemas of runs, curves and model scores: what is derived, refused and doubted."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.errors import EvidenceError
from isoflop.evidence import load

COUNTS = st.floats(1e4, 1e12)


def run(**cells: Any) -> dict[str, Any]:
    return {"run_id": "a", "source": "us", "params": 1e8, "tokens": 2e9, "loss_nats": 3.0} | cells


def runs(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([{k: None if v is None else str(v) for k, v in row.items()} for row in rows])


def refused(match: str, *rows: dict[str, Any], schema: str = "scaling_runs") -> None:
    with pytest.raises(EvidenceError, match=match):
        load(runs(*rows), schema=schema)


def test_runs_are_recognised_by_their_columns() -> None:
    table = load(runs(run(), run(run_id="b", tokens=4e9)))
    assert (table.schema, table.frame.height) == ("scaling_runs", 2)
    assert table.frame["tokens_per_param"].to_list() == [20.0, 40.0]


@pytest.mark.slow
@pytest.mark.ci
@given(st.lists(st.tuples(COUNTS, COUNTS), min_size=1, max_size=4))
def test_compute_and_tokens_follow_from_each_other(pairs: list[tuple[float, float]]) -> None:
    rows = [{"run_id": f"r{i}", "params": n, "tokens": d, "loss_nats": 3.0} for i, (n, d) in enumerate(pairs)]
    forward = load(pl.DataFrame(rows)).frame
    assert forward["flop_is_derived"].all()
    back = load(forward.select("run_id", "params", "train_flop", "loss_nats")).frame
    assert back["tokens_is_derived"].all()
    np.testing.assert_allclose(back["tokens"], forward["tokens"], rtol=1e-12)


def test_what_is_derived_and_what_is_unknown_is_said() -> None:
    derived = " ".join(load(runs(run())).cautions)
    assert "training FLOP of 1 rows are 6 × parameters × tokens" in derived
    assert "whether params count embeddings" in derived
    tokens = " ".join(load(runs(run(tokens=None, train_flop=1.2e18))).cautions)
    assert "exactly dependent" in tokens
    assert load(runs(run(train_flop=1.2e18, params_no_embed=9e7))).cautions == ()


def test_stated_compute_far_from_6nd_and_small_counts_are_doubted() -> None:
    far = " ".join(load(runs(run(train_flop=5e18))).cautions)
    assert "1 rows state training FLOP more than 1.5 times off" in far
    small = " ".join(load(runs(run(params=7, tokens=300))).cautions)
    assert "params below 1000" in small
    assert "tokens below 1000" in small


def test_a_run_without_name_or_source_gets_its_row_and_table() -> None:
    frame = load(runs({"params": 1e8, "tokens": 2e9, "loss": 3.0}), name="mine").frame
    assert frame.select("run_id", "source").rows() == [("row 1", "mine")]


@pytest.mark.parametrize(
    ("cells", "match"),
    [
        ({"loss_nats": -1}, r"row 1, column 'loss_nats' of frame: -1, must lie in \(0, 1000\)"),
        ({"loss_nats": 0}, r"column 'loss_nats' of frame: 0"),
        ({"loss_nats": None}, "must not be empty"),
        ({"loss_nats": "nan"}, "must not be empty"),
        ({"loss_nats": "inf"}, "must be finite"),
        ({"loss_nats": "low"}, "'low' is no number"),
        ({"params": "1e300"}, r"must lie in \(0, 1e\+18\)"),
        ({"params": 0}, "column 'params'"),
        ({"tokens": -5}, "column 'tokens'"),
        ({"tokens": None}, "cannot be empty where train_flop is empty too"),
        ({"n_repeats": 0}, "must be >= 1"),
        ({"is_final": "maybe"}, "must be 0 or 1"),
    ],
)
def test_impossible_runs_are_refused(cells: dict[str, Any], match: str) -> None:
    refused(match, run(**cells))


def test_a_missing_column_names_the_closest_one() -> None:
    row = run(lost_nats=3.0)
    del row["loss_nats"]
    refused("column 'loss_nats' not in frame; closest is 'lost_nats'", row)


def outcome(**cells: Any) -> dict[str, Any]:
    row = run(task="arc", kind="accuracy", value=0.4) | cells
    del row["loss_nats"]
    return row


def test_outcomes_of_runs_are_bounded_by_their_kind() -> None:
    table = load(runs(outcome(), outcome(kind="task_loss_bpb", value=1.4), outcome(run_id="b", tokens=None)))
    assert table.schema == "downstream_runs"
    assert any("1 runs have neither tokens nor training FLOP" in caution for caution in table.cautions)
    refused("an accuracy must lie in", outcome(value=40), schema="downstream_runs")
    refused("a loss must be > 0", outcome(kind="val_loss_nats", value=0), schema="downstream_runs")
    refused("Did you mean 'accuracy'", outcome(kind="acuracy"), schema="downstream_runs")


def point(**cells: Any) -> dict[str, Any]:
    return {
        "curve_id": "c",
        "domain": "language",
        "task": "t",
        "model": "m",
        "x": 10,
        "x_unit": "examples",
        "outcome": 0.5,
        "outcome_kind": "loss",
        "is_fit": 1,
    } | cells


def test_curves_with_one_x_twice_or_two_units_are_refused() -> None:
    refused(
        r"curve 'c' of frame: 2 rows at x=10 \(rows 1, 3\)",
        point(),
        point(x=20),
        point(outcome=0.4),
        schema="learning_curves",
    )
    refused(
        "x_unit 'examples' and 'steps' mixed", point(), point(x=20, x_unit="steps"), schema="learning_curves"
    )
    refused("a loss or an error must be >= 0", point(outcome=-0.1), schema="learning_curves")
    refused("must be >= 0", point(x=-1), schema="learning_curves")
    assert load(runs(point(), point(curve_id="d"))).frame.height == 2


def test_a_forecast_part_inside_the_fit_part_is_doubted() -> None:
    rows = [point(x=x, is_fit=fit) for x, fit in ((1, 1), (2, 0), (3, 1))]
    assert any("have forecast points at or below" in caution for caution in load(runs(*rows)).cautions)
    rows = [point(x=x, is_fit=fit) for x, fit in ((1, 1), (2, 1), (3, 0))]
    assert load(runs(*rows)).cautions == ()


def score(**cells: Any) -> dict[str, Any]:
    return {"model": "m", "family": "f", "benchmark": "b", "score": 0.5} | cells


def test_model_scores_are_told_from_plain_scores_by_their_family() -> None:
    assert load(runs(score())).schema == "model_scores"
    plain = score()
    del plain["family"]
    assert load(runs(plain)).schema == "scores"
    refused(r"must lie in \[0, 1\]. Divide by 100", score(score=50), schema="model_scores")
    refused("the model has another score", score(), score(score=0.6), schema="model_scores")

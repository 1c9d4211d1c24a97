"""Schema `evaluations`: one outcome a row, units turned once, derived columns."""

from __future__ import annotations

import datetime as dt
import math

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop import units
from isoflop.errors import EvidenceError
from isoflop.evidence import load

BASE = {
    "system": "A",
    "paper": "P",
    "benchmark": "WT103",
    "publication_date": "2020-03-01",
    "perplexity": 20.0,
    "parameters": 1e9,
    "train_tokens": 1e11,
}
REL = 1e-12
"""Derived columns repeat one float operation; only the last digit may differ."""


def table(*rows: dict[str, object]) -> pl.DataFrame:
    return load(pl.DataFrame([BASE | row for row in rows], strict=False)).frame


@given(
    perplexity=st.floats(1.0, 1e4),
    parameters=st.floats(1.0, 1e13),
    tokens=st.floats(1.0, 1e14),
    date=st.dates(dt.date(1990, 1, 1), dt.date(2030, 12, 31)),
)
def test_derived_columns_equal_the_unit_functions(
    perplexity: float, parameters: float, tokens: float, date: dt.date
) -> None:
    row = table(
        {
            "perplexity": perplexity,
            "parameters": parameters,
            "train_tokens": tokens,
            "publication_date": date.isoformat(),
        }
    ).row(0, named=True)
    assert row["loss_nats"] == pytest.approx(math.log(perplexity), rel=REL)
    assert row["train_flop"] == pytest.approx(6 * parameters * tokens, rel=REL)
    assert row["flop_is_derived"] is True
    assert row["year"] == units.fractional_year(date)
    for name in ("parameters", "train_tokens", "train_flop"):
        assert row[f"log10_{name}"] == pytest.approx(math.log10(row[name]), rel=REL, abs=REL)


@given(st.floats(0.1, 8.0), st.floats(1.0, 6.0))
def test_the_three_language_outcomes_are_one_loss(bits: float, bytes_per_token: float) -> None:
    loss = units.nats_from_bits_per_byte(bits, bytes_per_token)
    frame = table(
        {"perplexity": None, "bits_per_byte": bits, "bytes_per_token": bytes_per_token},
        {"perplexity": None, "loss_nats": loss},
        {"perplexity": math.exp(loss)},
    )
    assert frame["loss_nats"].to_list() == pytest.approx([loss] * 3, rel=1e-9)
    assert frame["perplexity"].to_list() == pytest.approx([math.exp(loss)] * 3, rel=1e-9)


def test_a_stated_flop_is_kept_and_image_rows_get_none() -> None:
    image = {"perplexity": None, "top1_error": 0.25, "train_tokens": None, "train_images": 1.2e6}
    frame = table({"train_flop": 3e20}, {"parameters": None}, image)
    assert frame["train_flop"].to_list() == [3e20, None, None]
    assert frame["flop_is_derived"].to_list() == [False, False, False]
    assert frame["task"].to_list() == ["language", "language", "image_classification"]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"perplexity": 20.0, "loss_nats": 2.0}, "disagrees with the other outcome of the row"),
        ({"perplexity": None, "bits_per_byte": 1.0}, "without bytes_per_token"),
        ({"top1_error": 0.2}, "column 'top1_error' of frame: 0.2, must be empty where task is language"),
        (
            {"task": "image_classification", "top1_error": 0.2},
            "column 'perplexity' of frame: 20, must be empty where task is image_classification",
        ),
        ({"task": "speech"}, "must be one of language, image_classification"),
        ({"zero_shot": 2.0}, "must lie in [0, 1]"),
        ({"uses_cache": "maybe"}, "'maybe' must be 0 or 1"),
        ({"vocabulary_size": 1.0}, "column 'vocabulary_size' of frame: 1, must be > 1"),
        ({"epochs": 0.0}, "column 'epochs' of frame: 0, must be > 0"),
        ({"level": "char"}, "must be one of word, token, unstated"),
    ],
)
def test_a_row_that_contradicts_itself_is_refused(row: dict[str, object], expected: str) -> None:
    with pytest.raises(EvidenceError) as caught:
        table(row)
    assert expected in str(caught.value)


def test_a_repeated_outcome_that_agrees_is_accepted() -> None:
    assert table({"loss_nats": math.log(20.0)})["perplexity"].to_list() == [20.0]


def test_flags_are_read_from_numbers_words_and_booleans() -> None:
    for written in ([1, 0, None], ["1.0", "false", ""], [True, False, None], [1.0, 0.0, float("nan")]):
        frame = pl.DataFrame([BASE] * 3).with_columns(
            pl.Series("is_included", written, strict=False), pl.Series("is_outlier", written, strict=False)
        )
        read = load(frame).frame
        assert read["is_included"].to_list() == [True, False, True]
        assert read["is_outlier"].to_list() == [True, False, None]


def test_clusters_number_papers_in_order_of_appearance() -> None:
    frame = table({"paper": "Z"}, {"paper": "A"}, {"paper": "Z"}, {"paper": "M"})
    assert frame["cluster"].to_list() == [0, 1, 0, 2]


def test_perplexity_first_prefers_wt103_then_wt2_then_ptb() -> None:
    frame = table(
        {"benchmark": "PTB", "perplexity": 50.0},
        {"benchmark": "WT2", "perplexity": 40.0},
        {"benchmark": "PTB", "perplexity": 60.0, "system": "B"},
        {"benchmark": "C4", "perplexity": 9.0, "system": "B"},
        {"benchmark": "C4", "perplexity": 8.0, "system": "C"},
    )
    assert frame["perplexity_first"].to_list() == [40.0, 40.0, 60.0, 60.0, None]


def test_a_repeated_key_is_a_caution_not_a_refusal() -> None:
    loaded = load(pl.DataFrame([BASE, BASE | {"perplexity": 21.0}, BASE | {"benchmark": "PTB"}]))
    assert loaded.frame.height == 3
    assert any(
        c.startswith("1 repeated keys (system, benchmark, paper), e.g. A / WT103 / P")
        for c in loaded.cautions
    )


def test_row_ids_depend_on_content_alone() -> None:
    one = table({"system": "A"}, {"system": "B"})
    other = table({"system": "B"}, {"system": "A"})
    assert one["row_id"].to_list() == other["row_id"].to_list()[::-1]
    assert one["row_id"].n_unique() == 2


def test_recalled_rows_are_a_caution() -> None:
    loaded = load(pl.DataFrame([BASE | {"verified": "recalled"}]))
    assert any("recalled from memory" in caution for caution in loaded.cautions)

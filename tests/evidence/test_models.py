"""Schema models: lists, refusals that name the row, and doubts that are counted."""

from __future__ import annotations

import datetime as dt
import re

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.errors import EvidenceError
from isoflop.evidence import load
from isoflop.evidence.models import SEPARATOR, listed, split_list

CLEAN = st.text(st.characters(exclude_characters=";,()[]", exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp")),
                min_size=1)  # fmt: skip


def frame(**columns: list[str | None]) -> pl.DataFrame:
    height = max(len(cells) for cells in columns.values())
    plain = {"model": [f"m{i}" for i in range(height)], "date": ["2020-06-15"] * height}
    return pl.DataFrame(plain | {"train_flop": ["1e20"] * height} | columns)


@given(st.lists(CLEAN, min_size=1, max_size=5))
def test_a_list_is_the_same_with_commas_and_with_semicolons(entries: list[str]) -> None:
    entries = [entry.strip() for entry in entries if entry.strip()]
    assert split_list(",".join(entries)) == split_list(";".join(entries)) == tuple(entries)
    assert listed(SEPARATOR.join(entries)) == tuple(entries)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"date": ["2023-13-01"]}, "2023-13-01"),
        ({"date": ["2023"]}, "2023"),
        ({"date": ["1912-01-01"]}, "must lie in 1940"),
        ({"date": [f"{dt.date.today().year + 2}-01-01"]}, "must lie in 1940"),
        ({"train_flop": ["0"]}, "must lie in \\(0"),
        ({"train_flop": ["-1e20"]}, "must lie in \\(0"),
        ({"train_flop": ["a lot"]}, "a lot"),
        ({"train_flop": ["23.5", "24.1", "25"]}, "powers of ten"),
        ({"train_flop": ["23.5", "1e20", "1e25"]}, "looks like a power of ten"),
        ({"train_flop_low": ["1e21"], "train_flop_high": ["1e20"]}, "must not exceed"),
        ({"confidence": ["Sure"]}, "Sure"),
        ({"is_foundation": ["perhaps"]}, "perhaps"),
    ],
)
def test_a_cell_that_cannot_be_used_is_refused_with_its_row(columns: dict, message: str) -> None:
    with pytest.raises(EvidenceError, match=message) as refused:
        load(frame(**columns), schema="models", name="mine")
    assert "row 1" in str(refused.value)
    assert "mine" in str(refused.value)


def test_a_missing_column_is_named_with_the_closest() -> None:
    with pytest.raises(EvidenceError, match="train_flop"):
        load(frame(model=["a"]).rename({"train_flop": "flops"}), schema="models")


@pytest.mark.parametrize(
    ("columns", "caution"),
    [
        ({"model": ["twin", "twin"]}, "occur more than once"),
        ({"train_flop_low": ["1e21"]}, "exceed the point: 1"),
        ({"train_flop_low": ["5.423"]}, "below 1e\\+10"),
        ({"confidence": ["Wrong"]}, "marks as wrong: 1"),
        ({"date": ["2020-01-01"]}, "likely imputed"),
    ],
)
def test_a_doubtful_cell_is_kept_and_counted(columns: dict, caution: str) -> None:
    table = load(frame(**columns), schema="models")
    assert table.frame.height == len(next(iter(columns.values())))
    assert any(re.search(caution, said) for said in table.cautions)


def test_missing_compute_stays_missing_and_a_missing_date_keeps_the_row() -> None:
    table = load(frame(train_flop=[None], date=[None]), schema="models")
    assert table.frame.select("train_flop", "log10_flop", "year").row(0) == (None, None, None)


def test_epochs_marks_and_columns_are_read_in_both_layouts() -> None:
    shared = {
        "Organization": ["OpenAI,Uni (A, B)"],
        "Organization categorization": ["Industry,Academia"],
        "Notability criteria": ["SOTA improvement,Highly cited"],
        "Publication date": ["2020-05-28"],
        "Training compute (FLOP)": ["3.14E+23"],
        "Confidence": ["Likely"],
    }
    new = shared | {"Model": ["GPT-3"], "Model accessibility": ["API access"], "Foundation model": ["True"]}
    old = shared | {
        "System": ["GPT-3"],
        "Open-source": ["Not"],
        "Training compute cost (2020 USD)": ["$1,131,415.12"],
        "Approach": ["Self-supervised learning"],
    }
    for raw in (new, old):
        table = load(pl.DataFrame(raw))
        row = table.frame.row(0, named=True)
        assert table.importer.startswith("epoch")
        assert (row["model"], row["train_flop"]) == ("GPT-3", 3.14e23)
        assert listed(row["organisations"]) == ("OpenAI", "Uni (A, B)")
        assert listed(row["notability"]) == ("sota improvement", "highly cited")
        assert any("CC BY 4.0" in caution for caution in table.cautions)
    assert (row["cost_usd"], row["is_self_supervised"]) == (1131415.12, True)


def test_cells_of_the_public_sheet_that_are_no_numbers_become_missing_and_are_counted() -> None:
    raw = {
        "Model": ["a", None, "b"],
        "Organization": ["x", None, "y"],
        "Organization categorization": ["Industry", None, "Startup"],
        "Notability criteria": [None, None, None],
        "Publication date": ["2020-05-28", None, "May 2020"],
        "Training compute (FLOP)": ["#VALUE!", None, "0"],
        "Confidence": ["?", None, "Likely"],
    }
    table = load(pl.DataFrame(raw, schema=dict.fromkeys(raw, pl.String)))
    assert table.frame["model"].to_list() == ["a", "b"]
    assert table.frame["train_flop"].null_count() == 2
    assert any("no positive numbers: 2" in said and "row 1: '#VALUE!'" in said for said in table.cautions)
    assert any("no ISO dates: 1" in said and "row 3: 'May 2020'" in said for said in table.cautions)
    assert [step.rows for step in table.steps] == [("row 2: no name",)]

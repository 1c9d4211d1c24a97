"""``isoflop routing lint``: what it lists, and when it fails."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.errors import SettingError
from isoflop.evidence import read_catalogue
from isoflop.present.console import WIDTH
from isoflop.routing.catalogue_checks import catalogue_checks, last_day
from isoflop.routing.commands.lint import lint
from tests.evidence.prompt_scores import made_logs as made
from tests.routing.test_import_command import document, run


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Two sources; in one of them a prompt occurs in two datasets."""
    frame = pl.concat([made.plain().with_columns(source=pl.lit(name)) for name in ("clean", "leaky")])
    leaked = (pl.col("source") == "leaky") & (pl.col("instance_id") == "d1/0")
    frame = frame.with_columns(
        prompt=pl.when(leaked).then(pl.lit("prompt 0  of 0")).otherwise(pl.col("prompt"))
    )
    frame.write_csv(tmp_path / "mine.csv")
    return tmp_path / "mine.csv"


def test_every_source_is_checked_by_itself(results: Path) -> None:
    rows = document(run(lint, results, "--json"))["tables"]["checks"]
    leaks = {
        row["source"]: (row["found"], row["of"], row["where"]) for row in rows if row["check"] == "leakage"
    }
    assert leaks == {"clean": (0, 8, ""), "leaky": (2, 8, "d0, d1")}
    only = document(run(lint, results, "--source", "clean", "--json"))["tables"]["checks"]
    assert {row["source"] for row in only} == {"clean"}


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((), 0),
        (("--fail-on", "leakage"), 1),
        (("--fail-on", "leakage=0.2"), 1),
        (("--fail-on", "leakage=0.25"), 0),
        (("--fail-on", "twin_models"), 0),
        (("--fail-on", "any"), 1),
    ],
)
def test_it_fails_where_a_check_finds_more_than_its_share(
    results: Path, words: tuple[str, ...], code: int
) -> None:
    assert run(lint, results, *words).exit_code == code


def test_unknown_checks_and_shares_are_refused(results: Path) -> None:
    with pytest.raises(SettingError, match="Did you mean leakage"):
        run(lint, results, "--fail-on", "leakages")
    with pytest.raises(SettingError, match="needs CHECK or CHECK=SHARE"):
        run(lint, results, "--fail-on", "leakage=some")
    with pytest.raises(SettingError, match=r"must lie in \[0, 1\]"):
        run(lint, results, "--fail-on", "leakage=7")


def test_the_page_fits_and_ends_in_cautions(results: Path) -> None:
    out = run(lint, results, "--fail-on", "leakage").stdout
    assert max(map(len, out.splitlines())) <= WIDTH
    assert "1 over --fail-on" in out
    assert "Cautions" in out


def test_prices_are_checked_for_age_date_and_gaps(tmp_path: Path) -> None:
    (tmp_path / "models.csv").write_text(
        "model,params,input_price,output_price,as_of_date\n"
        "old,1e9,1,2,2026-05\nnew,1e9,1,2,2026-11-01\nundated,1e9,1,2,\nhalf,1e9,1,,2026-11-01\n"
    )
    checks = {
        check.id: check
        for check in catalogue_checks(
            read_catalogue(tmp_path / "models.csv"),
            ["old", "new", "undated", "half", "absent"],
            today=dt.date(2026, 11, 23),
        )
    }
    assert checks["unpriced_models"].where == ("half", "absent")
    assert checks["unsized_models"].where == ("absent",)
    assert checks["old_prices"].where == ("old", "undated")
    assert "older than 90 days and prices of undated carry no date" in checks["old_prices"].caution
    assert checks["price_dates"].found == 1


@given(day=st.dates(dt.date(2000, 1, 1), dt.date(2100, 1, 1)))
def test_a_printed_month_or_year_ends_with_its_last_day(day: dt.date) -> None:
    assert last_day(day.isoformat()) == day
    month, year = last_day(f"{day:%Y-%m}"), last_day(f"{day:%Y}")
    assert month is not None
    assert month >= day
    assert (month + dt.timedelta(days=1)).day == 1
    assert year == dt.date(day.year, 12, 31)

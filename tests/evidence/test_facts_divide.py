"""Shipped facts of this instrument: systems, machines, and that they come from the typed facts."""

from __future__ import annotations

import csv
import datetime as dt
import math
import re
from collections import Counter
from pathlib import Path

import pytest

from isoflop.divide.sample import select
from isoflop.evidence import load
from isoflop.evidence.location import PUBLIC_TABLES
from isoflop.evidence.models import listed
from isoflop.evidence.sources import sources
from validation import facts_systems
from validation.facts_systems import ADDED, CORRECTED, INCLUDES_BASE, LABELS

SYSTEMS = load("notable_systems").frame
NAMES = set(SYSTEMS["model"])


def test_the_caution_says_how_many_rows_are_read_and_that_they_are_no_sample() -> None:
    caution = load("notable_systems").cautions[0]
    assert caution.startswith("232 hand-picked facts (88 read in the source, 144 seen in another text)")
    assert "no sample of a population" in caution


def test_systems_are_plausible() -> None:
    flop = SYSTEMS.filter(SYSTEMS["train_flop"].is_not_null())
    assert flop["train_flop"].is_between(1e6, 1e27).all()
    assert flop["confidence"].null_count() == 0
    assert SYSTEMS["date"].null_count() == 0
    assert SYSTEMS["date"].is_between(dt.date(1990, 1, 1), dt.date(2025, 12, 31)).all()
    assert SYSTEMS["model"].n_unique() == SYSTEMS.height
    assert set(SYSTEMS["accessibility"].drop_nulls()) == {"open weights", "closed", "API"}


def test_compute_counted_from_parameters_and_tokens_is_six_times_their_product() -> None:
    said = re.compile(r"6ND(?: with N=|: )([\d.e+]+)(?:, D=| parameters,[^\d]*)([\d.e+]+)")
    counted = [
        (name, flop, found)
        for name, flop, notes in SYSTEMS.select("model", "train_flop", "notes").iter_rows()
        if (found := said.search(notes)) and flop is not None
    ]
    assert len(counted) >= 30
    for name, flop, found in counted:
        assert flop == pytest.approx(6 * float(found[1]) * float(found[2]), rel=0.03), name


def test_corrected_and_added_rows_say_why() -> None:
    notes = dict(SYSTEMS.select("model", "notes").iter_rows())
    assert set(CORRECTED) | set(LABELS) | set(INCLUDES_BASE) | {row[0] for row in ADDED} <= NAMES
    assert all("Corrected or noted" in notes[name] for name in CORRECTED)
    assert all("includes the compute of the base" in notes[name] for name in INCLUDES_BASE)
    assert all("snapshot" in str(notes[row[0]]) or "not stated" in notes[row[0]] for row in ADDED)


def test_bases_are_systems_of_the_table_where_it_has_them() -> None:
    bases = Counter(base in NAMES for cell in SYSTEMS["base_models"].drop_nulls() for base in listed(cell))
    assert bases[True] >= 20
    assert bases[False] <= 3


def test_every_sector_has_systems_in_most_years() -> None:
    sample = select(load("notable_systems"), filter="none")
    years = {
        team: {int(y) for y, t in zip(sample.year, sample.team, strict=True) if t == team}
        for team in ("academia", "industry", "collaboration")
    }
    assert years["academia"] >= set(range(2010, 2026))
    assert years["industry"] >= set(range(2012, 2026))
    assert years["collaboration"] >= set(range(2016, 2026)) - {2016}


def test_academic_systems_on_an_industry_base_do_not_carry_its_compute() -> None:
    rows = SYSTEMS.filter((SYSTEMS["team_label"] == "Academia") & SYSTEMS["base_models"].is_not_null())
    flop = dict(SYSTEMS.select("model", "train_flop").iter_rows())
    for name, own, bases in rows.select("model", "train_flop", "base_models").iter_rows():
        for base in listed(bases):
            if own is not None and flop.get(base) is not None and name not in INCLUDES_BASE:
                assert not math.isclose(own, flop[base], rel_tol=0.05), name


def test_machines_have_a_chip_a_count_and_a_source() -> None:
    frame = load("compute_facilities").frame
    assert frame["accelerators"].is_between(100, 1e5).all()
    assert frame["source"].str.contains("https://|arXiv").all()
    assert frame["country"].n_unique() >= 6
    assert frame.filter(frame["as_of_date"].is_null())["facility"].to_list() == ["DeltaAI"]
    assert frame.filter(frame["verified"] == "read").height == 8


def test_public_tables_of_this_instrument_lie_in_its_folder() -> None:
    places = {name: place for name, place in PUBLIC_TABLES.items() if place.startswith("divide/")}
    registered = {entry.local: entry.importer for entry in sources().values() if entry.instrument == "divide"}
    assert registered["divide/epoch_models_2023-12-20.csv"] == "epoch"
    assert registered[places["epoch_all_ai_models"]] == "epoch"
    assert registered[places["hardware_prices"]] == "hardware_prices"


def test_shipped_systems_follow_from_the_typed_facts() -> None:
    folder = Path(__file__).parents[2].parent / "shared" / "facts"
    if not (folder / "notable_systems.csv").is_file():
        pytest.skip(f"typed facts not found at {folder}")
    assert facts_systems.SHIPPED.read_text(encoding="utf-8") == facts_systems.text(folder)


@pytest.mark.public_data
def test_dates_and_teams_agree_with_the_public_snapshot(public_data: Path) -> None:
    snapshot = public_data / "divide" / "epoch_all_ai_models_2025-04.csv"
    with snapshot.open(encoding="utf-8-sig") as file:
        theirs = {row["Model"].strip(): row["Publication date"] for row in csv.DictReader(file)}
    both = [(name, str(day)) for name, day in SYSTEMS.select("model", "date").iter_rows() if name in theirs]
    apart = {name for name, day in both if theirs[name] != day}
    assert len(both) >= 190
    assert apart <= {"CaLM", "GPT-3 13B"}

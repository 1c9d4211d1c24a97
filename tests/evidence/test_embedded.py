"""Shipped facts: sourced, plausible, and compared with the public sheet."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from isoflop.errors import EvidenceError
from isoflop.evidence import EMBEDDED, load
from isoflop.evidence.embedded import embedded
from isoflop.evidence.sources import sources
from validation import facts
from validation.sheet_agreement import GOLDEN, disagreements

FACTS = [table.name for table in EMBEDDED.values() if table.kind == "embedded"]


@pytest.mark.parametrize("name", FACTS)
def test_every_fact_names_its_source_and_none_is_recalled(name: str) -> None:
    frame = load(name).frame
    paper = ("title", "source_locator") if name == "study_points" else ("source", "locator")
    for column in (*paper, "verified", "seen_in"):
        assert frame[column].null_count() == 0
    assert set(frame["verified"]) <= {"read", "secondary"}


@pytest.mark.parametrize(
    ("name", "rows", "read"),
    [
        ("language_evaluations", 239, 113),
        ("image_evaluations", 40, 39),
        ("hardware_facts", 57, 2),
    ],
)
def test_the_caution_says_how_many_rows_are_read(name: str, rows: int, read: int) -> None:
    table = load(name)
    assert (table.kind, table.frame.height) == ("embedded", rows)
    assert table.cautions[0].startswith(
        f"{rows} hand-picked facts ({read} read in the source, {rows - read} seen"
    )


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("name", EMBEDDED)
def test_keys_are_unique(name: str) -> None:
    assert not any("repeated keys" in caution for caution in load(name).cautions)


def test_language_facts_are_plausible() -> None:
    frame = load("language_evaluations").frame
    assert set(frame["benchmark"]) == {"WT103", "WT2", "PTB"}
    assert frame["perplexity"].is_between(2.5, 200).all()
    assert frame["year"].is_between(2012, 2026).all()
    assert frame["parameters"].drop_nulls().is_between(1e6, 1e12).all()
    assert frame["train_tokens"].drop_nulls().is_between(9e5, 2e13).all()
    own = frame.filter(pl.col("zero_shot") == 0).drop_nulls("train_tokens")
    tokens = {"PTB": 929_000, "WT2": 2_080_000, "WT103": 103_000_000}
    assert own["train_tokens"].to_list() == [tokens[name] for name in own["benchmark"]]
    for column in ("parameters", "train_tokens"):
        cells = frame[column].drop_nulls()
        assert (cells == cells.round(0)).all()


def test_levels_and_adaptation_follow_the_notes() -> None:
    frame = load("language_evaluations").frame
    assert dict(frame["level"].value_counts().rows()) == {"word": 177, "token": 36, "unstated": 26}
    noted = pl.col("notes").fill_null("").str.contains("token-level")
    assert (frame.select(noted).to_series() == (frame["level"] == "token")).all()
    dynamic = frame.filter(pl.col("adaptation") == "dynamic_evaluation")
    assert dynamic["notes"].str.starts_with("dynamic evaluation").all()
    assert dynamic.height == 18
    cached = frame.filter("uses_cache")
    assert cached["adaptation"].str.contains("cache").all()
    assert cached.height == 10
    assert (frame["is_transformer"] == (frame["architecture"] == "Transformer")).all()


def test_image_and_hardware_facts_are_plausible() -> None:
    images = load("image_evaluations").frame
    assert images["top1_error"].is_between(0.1, 0.4).all()
    assert images["train_flop"].null_count() == images.height
    complete = images.drop_nulls(["publication_date", "parameters", "train_images"])
    assert (complete.height, images["publication_date"].null_count()) == (27, 1)
    assert images["parameters"].drop_nulls().is_between(1e6, 1e9).all()
    hardware = load("hardware_facts").frame
    fp32 = hardware.filter(pl.col("precision") == "FP32")
    assert hardware["flop_per_s_per_usd"].is_between(5e8, 5e11).all()
    assert fp32["year"].max() - fp32["year"].min() > 15


@pytest.mark.parametrize(
    ("system", "notes", "vocabulary", "zero_shot", "level", "adaptation"),
    [
        ("OPT-13B", "token-level perplexity", "", "1", "token", "none"),
        ("Pythia-1b", "", "50257", "1", "unstated", "none"),
        ("Hyena-3 (125M)", "", "50257", "0", "unstated", "none"),
        ("GPT-2 (117M)", "de-tokenisers", "50257", "1", "word", "none"),
        ("AWD-LSTM + dynamic evaluation", "", "10000", "0", "word", "dynamic_evaluation"),
        ("AWD-LSTM-MoS + PDR", "sibling with dynamic evaluation", "10000", "0", "word", "none"),
        ("kNN-LM + continuous cache", "", "267735", "0", "word", "retrieval+cache"),
        ("PIA + caching", "", "267735", "0", "word", "none"),
    ],
)
def test_level_and_adaptation_follow_their_rules(
    system: str, notes: str, vocabulary: str, zero_shot: str, level: str, adaptation: str
) -> None:
    row = {
        "system": system,
        "notes": notes,
        "vocabulary_size": vocabulary,
        "zero_shot": zero_shot,
        "architecture": "Linear attention",
        "parameters": "16100000.000000002",
    }
    made = facts.complete("language_evaluations", row)
    assert (made["level"], made["adaptation"]) == (level, adaptation)
    assert made["uses_cache"] == str(int("cache" in adaptation))
    assert (made["is_transformer"], made["parameters"]) == ("0", "16100000")


def test_an_unknown_shipped_table_is_refused() -> None:
    with pytest.raises(EvidenceError, match="needs one of language_evaluations"):
        embedded("languages")


def test_the_register_is_complete_and_well_formed() -> None:
    entries = sources()
    assert len(entries) == 18
    assert len({entry.local for entry in entries.values()}) == len(entries)
    for entry in entries.values():
        assert len(entry.commit) == 40
        assert all(len(digest) == 64 for digest in (entry.sha256, *entry.also_sha256))
        assert entry.bytes > 0
        assert entry.licence
        assert entry.citation
        assert entry.local.startswith(f"{entry.instrument}/")


def test_every_golden_disagreement_has_a_reason() -> None:
    entries = json.loads(GOLDEN.read_text(encoding="utf-8"))["entries"]
    assert len(entries) == 86
    assert all(entry["reason"] for entry in entries.values())


@pytest.mark.public_data
def test_disagreements_with_the_public_sheet_are_the_recorded_ones(public_data: Path) -> None:
    sheet = load(public_data / "progress" / "lm_evaluations.csv")
    found = {d.key: (str(d.ours), str(d.sheet)) for d in disagreements(load("language_evaluations"), sheet)}
    recorded = json.loads(GOLDEN.read_text(encoding="utf-8"))["entries"]
    assert found == {key: (entry["ours"], entry["sheet"]) for key, entry in recorded.items()}

"""Shared options: parsed into one choice, refused in one way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from isoflop.errors import SettingError
from isoflop.present.options import (
    EvidenceChoice,
    evidence_options,
    figure_option,
    json_option,
    parse_mapping,
    seed_option,
)


def run(*arguments: str) -> dict[str, Any]:
    """Return what a command with every shared option received."""
    received: dict[str, Any] = {}

    @click.command()
    @evidence_options
    @figure_option
    @seed_option
    @json_option
    def command(**values: Any) -> None:
        """Do it."""
        received.update(values)

    result = CliRunner().invoke(command, arguments, standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return received


def test_defaults_ask_for_nothing() -> None:
    assert run() == {"evidence": EvidenceChoice(), "figure": None, "seed": 0, "as_json": False}


def test_every_option_reaches_the_command() -> None:
    got = run(
        *("a.csv", "b.csv", "--evidence", "embedded", "--importer", "lm"),
        *(
            "--map",
            "train_flop=compute",
            "--map",
            "parameters = N",
            "--seed",
            "3",
            "--json",
            "--figure",
            "x.SVG",
        ),
    )
    assert got == {
        "evidence": EvidenceChoice(
            files=("a.csv", "b.csv"),
            location="embedded",
            importer="lm",
            mapping={"train_flop": "compute", "parameters": "N"},
        ),
        "figure": Path("x.SVG"),
        "seed": 3,
        "as_json": True,
    }


@pytest.mark.parametrize("pair", ["train_flop", "=compute", "train_flop=", "", " = "])
def test_a_mapping_of_another_form_says_which_form_is_needed(pair: str) -> None:
    with pytest.raises(SettingError, match=r"--map: .* needs COLUMN=THEIRS"):
        run("a.csv", "--map", pair)


def test_a_column_mapped_twice_is_refused() -> None:
    with pytest.raises(SettingError, match="given twice"):
        parse_mapping(("a=b", "a=c"))


def test_a_value_may_hold_an_equals_sign() -> None:
    assert parse_mapping(("loss_nats=loss=final",)) == {"loss_nats": "loss=final"}


@pytest.mark.parametrize("path", ["x", "x.pdf", "x.sgv"])
def test_a_picture_of_another_type_is_refused(path: str) -> None:
    with pytest.raises(SettingError, match=r"must end in \.svg, \.png, \.json, \.html"):
        run("--figure", path)


def test_one_file_is_given_as_such_and_several_are_refused() -> None:
    assert EvidenceChoice().file is None
    assert EvidenceChoice(files=("a",)).file == "a"
    with pytest.raises(SettingError, match="takes one"):
        _ = EvidenceChoice(files=("a", "b")).file

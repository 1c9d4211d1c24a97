"""The synthetic corpus is labelled, loads like any table, and holds what was planted."""

from __future__ import annotations

import io

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from isoflop.errors import SettingError
from isoflop.evidence import load
from isoflop.scaling.commands.lint import lint as command
from isoflop.scaling.extraction.lint import lint
from isoflop.scaling.extraction.synthetic import Corpus, synthetic_corpus


def test_every_row_says_that_it_is_synthetic() -> None:
    table = load(synthetic_corpus())
    assert table.schema == "study_points"
    assert table.frame["title"].str.starts_with("SYNTHETIC").all()
    assert set(table.frame["extraction"]) == {"generated"}
    assert any("200 of 200 rows are synthetic" in caution for caution in table.cautions)
    assert lint(synthetic_corpus()).errors == 0


@given(st.integers(0, 2**31 - 1))
def test_the_seed_decides_the_corpus(seed: int) -> None:
    small = Corpus(papers=1, studies=2)
    assert synthetic_corpus(small, seed=seed).equals(synthetic_corpus(small, seed=seed))
    assert synthetic_corpus(seed=seed).height == 200


def test_the_planted_exponent_is_found_in_many_trials() -> None:
    sure = Corpus(exponent=0.3, paper_sd=0.0, study_sd=0.0, trials=200_000, papers=1, studies=8)
    frame = load(synthetic_corpus(sure)).frame
    for _, study in frame.group_by("study"):
        slope = np.polyfit(study["x"].log(), study["error"].log(), 1)[0]
        assert slope == pytest.approx(-0.3, abs=0.01)  # three standard errors of the slope


def test_a_floor_is_not_crossed() -> None:
    sure = Corpus(exponent=1.0, floor=0.1, trials=100_000, span=1e4, paper_sd=0.0, study_sd=0.0)
    frame = load(synthetic_corpus(sure)).frame
    assert frame.filter(pl.col("x") == pl.col("x").max())["error"].to_list() == pytest.approx(
        [0.1] * 50, abs=0.006
    )


@pytest.mark.parametrize(
    ("setting", "match"),
    [
        ({"papers": 0}, "papers=0, must be at least 1"),
        ({"points": 1}, "points=1, must be at least 2"),
        ({"floor": 0.5}, r"floor=0.5, must lie in \[0, 0.4\)"),
        ({"span": 1.0}, "span=1, must be above 1"),
        ({"study_sd": -0.1}, "study_sd=-0.1, must be >= 0"),
    ],
)
def test_impossible_corpora_are_refused(setting: dict[str, float], match: str) -> None:
    with pytest.raises(SettingError, match=match):
        Corpus(**setting)  # type: ignore[arg-type]


def test_the_command_prints_a_corpus_of_the_seed() -> None:
    done = CliRunner().invoke(command, ["--synthetic", "--seed", "7"])
    printed = pl.read_csv(io.StringIO(done.output))
    assert printed["n_success"].to_list() == synthetic_corpus(seed=7)["n_success"].to_list()
    assert isinstance(CliRunner().invoke(command, ["--synthetic", "--template"]).exception, SettingError)

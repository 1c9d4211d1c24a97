"""``isoflop routing curve``: what it prints, draws and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

from isoflop.errors import IsoflopError
from isoflop.routing.commands.curve import curve

pytestmark = [pytest.mark.slow, pytest.mark.ci]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return scores of three models on six tasks with prompts and prices, written as files."""
    place = tmp_path_factory.mktemp("results")
    rng = np.random.default_rng(0)
    dataset = np.repeat(np.arange(6), 25)
    accuracy = np.column_stack([np.full(6, 0.4), np.linspace(0.2, 0.9, 6), np.linspace(0.9, 0.3, 6)])
    score = (rng.random((dataset.size, 3)) < accuracy[dataset]).astype(float)
    keys = {"dataset": [f"task{d}" for d in dataset], "instance_id": [f"i{i}" for i in range(dataset.size)]}
    pl.concat(
        [
            pl.DataFrame(keys).with_columns(model=pl.lit(m), score=pl.Series(score[:, k]))
            for k, m in enumerate("abc")
        ]
    ).write_parquet(place / "scores.parquet")
    words = ["sum", "capital", "poem", "code", "proof", "diagnosis"]
    pl.DataFrame(keys).with_columns(
        prompt=pl.Series([f"Question {i} about a {words[d]}" for i, d in enumerate(dataset)])
    ).write_parquet(place / "prompts.parquet")
    pl.DataFrame(
        {
            "model": ["a", "b", "c"],
            "input_usd_per_mtok": [0.1, 1.0, 2.0],
            "output_usd_per_mtok": [0.2, 2.0, 4.0],
            "as_of_date": ["2024-05"] * 3,
        }
    ).write_csv(place / "prices.csv")
    return place


def run(*words: str) -> dict[str, object]:
    done = CliRunner().invoke(curve, [*words, "--json"], catch_exceptions=False)
    return json.loads(done.stdout)


def test_a_document_holds_the_curve_and_its_measures(folder: Path) -> None:
    shown = run(str(folder), "--prices", str(folder / "prices.csv"), "--encoder", "hashed", "--reps", "60")
    ids = {f["id"] for f in shown["findings"]}  # type: ignore[index, attr-defined]
    assert {"routing.compute_equivalent_gain", "routing.aiq", "routing.aiq_span"} <= ids
    tables = shown["tables"]
    assert {"curve", "hull", "metrics", "waterfall"} <= set(tables)  # type: ignore[call-overload]
    assert {row["model"] for row in tables["curve"] if row["model"]} == {"a", "b", "c"}  # type: ignore[index]
    gain = next(f for f in shown["findings"] if f["id"] == "routing.compute_equivalent_gain")  # type: ignore[attr-defined]
    assert "2024-05" in gain["details"]["costs"]
    assert any("90 days" in caution for caution in gain["cautions"])


def test_words_pictures_and_a_named_pair(folder: Path, tmp_path: Path) -> None:
    picture = tmp_path / "curve.json"
    words = [str(folder), "--pair", "a,c", "--encoder", "hashed", "--reps", "60", "--figure", str(picture)]
    done = CliRunner().invoke(curve, words, catch_exceptions=False)
    assert done.exit_code == 0
    assert "gap" in done.stdout
    assert "Costs are not known" in done.stdout
    assert picture.exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ((), "--prices FILE"),
        (("--pair", "a"), "needs two models"),
        (("--pair", "a,z"), "no scores"),
    ],
)
def test_what_cannot_be_drawn_is_refused(folder: Path, more: tuple[str, ...], said: str) -> None:
    done = CliRunner().invoke(curve, [str(folder), "--encoder", "hashed", *more])
    assert isinstance(done.exception, IsoflopError)
    assert said in str(done.exception)

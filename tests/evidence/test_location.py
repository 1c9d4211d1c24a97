"""Where evidence is looked for, and what differs from its registered digest."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from isoflop.errors import EvidenceError, SourceError
from isoflop.evidence import load, locate
from isoflop.evidence.pull import pull
from isoflop.evidence.sources import Source

from .conftest import Server
from .test_importers import sheet


def test_the_place_is_the_option_then_the_variable_then_the_cache_then_what_ships(
    server: Server, registered: Source, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (locate().folder, locate().kind) == (None, "embedded")
    pull("toy-file", base=server.base)
    assert (locate().folder, locate().kind) == (cache, "pulled")
    monkeypatch.setenv("ISOFLOP_EVIDENCE", str(tmp_path))
    assert (locate().folder, locate().chosen_by) == (tmp_path, "ISOFLOP_EVIDENCE")
    assert locate("embedded").folder is None
    assert locate(cache).kind == "own"
    monkeypatch.setenv("ISOFLOP_EVIDENCE", "embedded")
    assert locate().folder is None


def test_an_absent_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="needs a folder or the word embedded"):
        locate(tmp_path / "absent")


def test_files_are_found_by_their_place_in_the_layout(tmp_path: Path) -> None:
    (tmp_path / "progress").mkdir()
    path = sheet(tmp_path, {"Perplexity (WT2)": "50"}).rename(tmp_path / "progress" / "lm_evaluations.csv")
    library = locate(tmp_path)
    assert library.find("progress/lm_evaluations.csv") == path
    assert library.find("progress/absent.csv") is None
    assert library.available()[0] == "lm_evaluations"
    assert "1 of 18 registered files; tables lm_evaluations" in library.describe()
    assert library.table("lm-evaluations").frame.height == 1
    assert library.table("language_evaluations").kind == "embedded"
    assert locate("embedded").find("progress/lm_evaluations.csv") is None


def test_a_table_that_is_not_here_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="Fetch it: isoflop data pull lm-evaluations"):
        locate("embedded").table("lm_evaluations")
    with pytest.raises(SourceError, match="Fetch it: isoflop data pull stitching-benchmarks_runs"):
        locate(tmp_path).table("benchmark_scores")
    with pytest.raises(SourceError, match="Put it at progress/eci"):
        locate(tmp_path).table("capabilities")
    with pytest.raises(SourceError, match="isoflop data pull sloth"):
        locate(tmp_path).table("sloth")
    with pytest.raises(EvidenceError, match="closest is 'language_evaluations'"):
        locate(tmp_path).table("language_evaluation")


def test_a_file_that_differs_from_its_registered_digest_loads_with_both_digests(tmp_path: Path) -> None:
    table = load(sheet(tmp_path, {"Perplexity (WT2)": "50"}))
    assert table.kind == "own"
    assert table.cautions[0].startswith("sheet.csv differs from the registered lm-evaluations: SHA-256 ")
    assert "registered d0eeff6d3223" in table.cautions[0]


@pytest.mark.public_data
def test_the_reduced_copy_of_the_sheet_is_known(public_data: Path, tmp_path: Path) -> None:
    path = public_data / "progress" / "lm_evaluations.csv"
    table = load(path)
    assert table.kind == "pulled"
    assert table.source.startswith("parkerwhitfill/algo_progress@87ea0c4 papers/dataset.csv")
    assert not any("differs" in caution for caution in table.cautions)
    header = pl.read_csv(path, infer_schema=False).columns
    changed = tmp_path / "lm_evaluations.csv"
    pl.read_csv(path, infer_schema=False).select(header[::-1]).write_csv(changed)
    again = load(changed)
    assert again.fingerprint == table.fingerprint
    assert (again.kind, "differs" in again.cautions[0]) == ("own", True)

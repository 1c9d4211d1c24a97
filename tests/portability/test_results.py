"""Runs on disk: every form is read back whole; newer, altered, torn and false files are refused."""

from __future__ import annotations

import gzip
import json
import zipfile
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isoflop.errors import EvidenceError, SettingError
from isoflop.portability.results import bundle, read_run, write_results
from isoflop.portability.results.bundle import MANIFEST, RESULTS
from isoflop.portability.runs import Run
from isoflop.portability.simulate import PlantedRun, run_of


@cache
def made() -> Run:
    """Return a small run with failures, timings and messages."""
    run, _ = PlantedRun(functions=6, partial=0.3, processes=2).draw(np.random.default_rng(1))
    rows = run.frame().to_dicts()
    for row in rows:
        if row["status"] == "error":
            row |= {"error_type": "RuntimeError", "error_head": 'no "kernel", of; any kind\nin <path>'}
        row |= {"host_hash": "abc", "load_avg": 0.25, "peak_mem_byte": 2.0**40}
    return run_of(rows)


def same(one: Run, two: Run) -> bool:
    """Say whether two runs hold the same results."""
    return bool(one.frame().equals(two.frame())) and one.table.fingerprint == two.table.fingerprint


@pytest.mark.parametrize("name", ["results.parquet", "results.csv.gz", "results.csv", "folder"])
def test_a_run_is_read_back_whole(name: str, tmp_path: Path) -> None:
    write_results(made(), tmp_path / name)
    assert same(read_run(tmp_path / name), made())


def test_equal_results_give_equal_files(tmp_path: Path) -> None:
    for kind in ("csv.gz", "zip"):
        paths = [tmp_path / f"{name}.{kind}" for name in "ab"]
        for path in paths:
            _ = bundle(made(), path) if kind == "zip" else write_results(made(), path)
        assert paths[0].read_bytes() == paths[1].read_bytes()


def journal(folder: Path, rows: list[dict[str, Any]], torn: str = "") -> Path:
    """Write the folder of an unfinished run."""
    folder.mkdir()
    about = {
        "run_id": "made",
        "command": "isoflop portability run --out /data/someone/out",
        "python": {"default": "/data/someone/python"},
        "host": {"host_hash": "abc", "cpu_model": "model", "node": "secret-name"},
        "certificate": {"passed": True},
    }
    (folder / "run.json").write_text(json.dumps(about))
    lines = [json.dumps({"key": str(i), **row}) for i, row in enumerate(rows)]
    (folder / "journal.jsonl").write_text("\n".join(lines) + "\n" + torn)
    return folder


def rows_of(run: Run) -> list[dict[str, Any]]:
    """Return rows as a worker writes them: without empty cells."""
    return [
        {k: v for k, v in row.items() if v is not None and k != "record"} for row in run.frame().to_dicts()
    ]


def test_the_folder_of_an_unfinished_run_is_read(tmp_path: Path) -> None:
    found = read_run(journal(tmp_path / "run", rows_of(made()), torn='{"key": "9", "run_id"'))
    assert same(found, made())
    assert found.certificate == {"made": {"passed": True}}
    assert found.about["made"]["command"].startswith("isoflop")


def test_keys_of_a_later_version_in_a_journal_are_left_out(tmp_path: Path) -> None:
    rows = [row | {"something_new": 1} for row in rows_of(made())]
    assert same(read_run(journal(tmp_path / "run", rows)), made())


def test_unknown_targets_and_frameworks_load(tmp_path: Path) -> None:
    rows = [row | {"framework": "next", "target": "next:device 9"} for row in rows_of(made())]
    write_results(run_of(rows), tmp_path / "new.csv")
    assert read_run(tmp_path / "new.csv").frame()["target"].unique().to_list() == ["next:device 9"]


def test_a_bundle_tells_nothing_of_the_computer(tmp_path: Path) -> None:
    rows = rows_of(made())
    rows[0] |= {
        "status": "error",
        "error_type": "OSError",
        "error_head": "cannot open /data/someone/data.bin",
    }
    path = bundle(journal(tmp_path / "run", rows), tmp_path / "run.zip")
    with zipfile.ZipFile(path) as archive:
        text = b"".join(
            gzip.decompress(archive.read(name)) if name.endswith(".gz") else archive.read(name)
            for name in archive.namelist()
        ).decode()
    for private in ("someone", "secret-name", "/home", "python"):
        assert private not in text.replace("worker_python", "")
    back = read_run(path)
    assert back.frame().height == len(rows)
    assert back.about["made"]["host"] == {"host_hash": "abc", "cpu_model": "model"}
    assert back.certificate == {"made": {"passed": True}}


def altered(tmp_path: Path, change: dict[str, bytes | None]) -> Path:
    """Return a bundle of which members were exchanged, added or (None) left out."""
    whole, other = bundle(made(), tmp_path / "whole.zip"), tmp_path / "other.zip"
    with zipfile.ZipFile(whole) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(other, "w") as archive:
        for name, data in {**members, **change}.items():
            if data is not None:
                archive.writestr(name, data)
    return other


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({RESULTS: gzip.compress(b"a,b\n1,2\n")}, "was altered, its digest differs"),
        ({"../outside.txt": b"x"}, r"holds '../outside.txt', needs"),
        ({"/etc/passwd": b"x"}, "and nothing else"),
        ({"about.json": None}, "has 2 members"),
        ({MANIFEST: b"{"}, "manifest of other.zip cannot be read"),
        ({MANIFEST: b"[]"}, "manifest of other.zip cannot be read"),
    ],
)
def test_a_bundle_that_was_changed_is_refused(
    change: dict[str, bytes | None], message: str, tmp_path: Path
) -> None:
    with pytest.raises(EvidenceError, match=message):
        read_run(altered(tmp_path, change))


def test_a_member_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = bundle(made(), tmp_path / "run.zip")
    # The verb and its file share a name.
    monkeypatch.setattr(import_module("isoflop.portability.results.bundle"), "MAX_BYTE", 2000)
    with pytest.raises(EvidenceError, match="unpacks to"):
        read_run(path)


HEADER = "run_id,task_id,repeat,framework,target,function,status,median_s,schema_version\n"
ROW = "r,t,0,torch,torch:meta,torch.add,ok,0.1,1\n"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.csv", b"", "is empty"),
        ("header.csv", HEADER.encode(), "has no data rows"),
        ("column.csv", HEADER.replace("status", "sttus").encode() + ROW.encode(), "closest is 'sttus'"),
        ("nought.csv", (HEADER + ROW.replace("0.1", "0")).encode(), "takes time"),
        ("below.csv", (HEADER + ROW.replace("0.1", "-1")).encode(), "must be > 0"),
        ("text.csv", (HEADER + ROW.replace("0.1", "fast")).encode(), "is no number"),
        ("word.csv", (HEADER + ROW.replace(",ok,", ",passed,")).encode(), "status"),
        ("newer.csv", (HEADER + ROW.replace("0.1,1", "0.1,99")).encode(), "Update isoflop"),
        ("twice.csv", (HEADER + ROW + ROW.replace("ok", "crash")).encode(), "1 keys of twice stand twice"),
        ("torn.csv.gz", gzip.compress((HEADER + ROW * 50).encode())[:-12], "torn"),
        ("other.zip", b"PK no zip", "is no readable zip"),
        ("none.jsonl", b"\n", "holds no result"),
        ("bad.jsonl", b"{]\n{}\n", "line 1 of bad.jsonl is no JSON"),
        ("sheet.xlsx", b"x", "needs one of"),
    ],
)
def test_files_that_are_no_results_are_refused(
    name: str, content: bytes, message: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(EvidenceError, match=message):
        read_run(tmp_path / name)


def test_a_byte_order_mark_and_mixed_newlines_are_read(tmp_path: Path) -> None:
    text = HEADER.replace("\n", "\r\n") + ROW
    (tmp_path / "bom.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert read_run(tmp_path / "bom.csv").frame()["function"].to_list() == ["torch.add"]


def test_a_message_of_a_million_characters_is_read(tmp_path: Path) -> None:
    rows = [row | {"error_head": "x" * 10**6} for row in rows_of(made())[:1]]
    found = read_run(journal(tmp_path / "run", rows))
    assert found.frame()["error_head"].str.len_chars().to_list() == [10**6]


def test_a_place_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="nothing at"):
        read_run(tmp_path / "nowhere")
    with pytest.raises(EvidenceError, match="Name the folder given as --out"):
        read_run(tmp_path)
    (tmp_path / "run.json").write_text("[]")
    with pytest.raises(EvidenceError, match="names no run"):
        read_run(tmp_path)
    with pytest.raises(SettingError, match="holds a run already"):
        write_results(made(), tmp_path)
    with pytest.raises(EvidenceError, match=r"must end in \.zip"):
        bundle(made(), tmp_path / "run.tar")

"""Extraction of a snapshot: resumed after a crash at any point, refreshed, refused by part, joined once."""

from __future__ import annotations

import errno
import gzip
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.divide.commands import openalex as commands
from isoflop.errors import EvidenceError, SettingError, SourceError
from isoflop.evidence.openalex import Extraction, Wanted, extract, plan, status
from isoflop.evidence.openalex.assemble import assemble
from isoflop.evidence.openalex.ledger import Ledger
from isoflop.evidence.openalex.narrow import NARROW, TEAMS, read_metadata
from validation.openalex import Settings, make

extraction = import_module("isoflop.evidence.openalex.extract")


def record(number: int, *, day: str = "2026-01-01", kind: str | None = "education", cited: int = 0) -> str:
    """Return the line of a work with one author."""
    institutions = [{"id": "https://openalex.org/I1", "type": kind, "country_code": "US"}] if kind else []
    facts = {
        "id": f"https://openalex.org/W{number}",
        "publication_year": 2020,
        "type": "article",
        "authorships": [{"author_position": "first", "institutions": institutions}],
        "cited_by_count": cited,
        "updated_date": f"{day}T00:00:00",
    }
    return json.dumps(facts, separators=(",", ":"))


def put(snapshot: Path, day: str, lines: list[str], part: int = 0) -> Path:
    """Write a part into its partition."""
    path = snapshot / f"data/jsonl/works/updated_date={day}/part_{part:04d}.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress("".join(line + "\n" for line in lines).encode(), 1, mtime=0))
    return path


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    """Return a snapshot of four parts: a work moved between them, one twice on a day, one merged."""
    folder = tmp_path / "snapshot"
    put(folder, "2026-01-01", [record(i, kind="company") for i in (5, 1, 3, 9)])
    put(folder, "2026-01-01", [record(5, cited=7), record(5, cited=8), record(11, kind=None)], part=1)
    put(folder, "2026-02-01", [record(1, day="2026-02-01"), record(2, day="2026-02-01")])
    put(folder, "2026-03-01", [record(4, day="2026-03-01")])
    merged = folder / "merged_ids/works/2026-02-02.csv.gz"
    merged.parent.mkdir(parents=True)
    merged.write_bytes(gzip.compress(b"merge_date,id,merge_into_id\n2026-02-02,W9,W1\n"))
    return folder


def rows(result: Extraction) -> dict[int, tuple[int, int]]:
    """Return team and citations of each work."""
    frame = pl.read_parquet(result.path)
    assert frame["work_id"].is_sorted()
    return {w: (t, c) for w, t, c in frame.select("work_id", "team", "cited_by_count").iter_rows()}


def test_each_work_counts_once_by_its_newest_record_and_the_later_path(
    snapshot: Path, tmp_path: Path
) -> None:
    result = extract(snapshot, tmp_path / "n.parquet")
    assert rows(result) == {1: (1, 0), 2: (1, 0), 3: (2, 0), 4: (1, 0), 5: (1, 8), 11: (0, 0)}
    assert (result.works, result.duplicates, result.merged) == (6, 3, 1)
    assert result.cautions == ()
    facts = read_metadata(result.path)
    assert (facts["works"], facts["parts"], facts["refused"]) == (6, 4, [])


STEPS = ("write_part", "settle", "assemble", "_settle")


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("when", [1, 3])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_run_cut_off_at_any_step_leads_to_the_same_bytes(
    snapshot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, when: int, after: bool
) -> None:
    whole = extract(snapshot, tmp_path / "whole.parquet")
    calls = 0
    real = getattr(extraction, step)

    class Killed(BaseException):
        pass

    def cut(*args: Any, **rest: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == when and not after:
            raise Killed
        found = real(*args, **rest)
        if calls == when:
            raise Killed
        return found

    out = tmp_path / "cut.parquet"
    with monkeypatch.context() as patch:
        patch.setattr(extraction, step, cut)
        if step == "assemble" and when > 1:
            extract(snapshot, out)
        else:
            with pytest.raises(Killed):
                extract(snapshot, out)
    again = extract(snapshot, out)
    assert out.read_bytes() == whole.path.read_bytes()
    assert len(again.read) + len(again.unchanged) == 4
    assert (
        sorted(p.suffix for p in (tmp_path / "cut.parquet.parts").iterdir())
        == [".parquet"] * 4 + [".sqlite"] * 2
    )


def test_a_second_run_reads_nothing_and_a_refresh_only_what_changed(snapshot: Path, tmp_path: Path) -> None:
    out = tmp_path / "n.parquet"
    assert len(extract(snapshot, out).read) == 4
    before = out.read_bytes()
    assert extract(snapshot, out).read == ()
    os.utime(snapshot / "data/jsonl/works/updated_date=2026-03-01/part_0000.gz", ns=(1, 1))
    assert extract(snapshot, out).read == ()
    assert out.read_bytes() == before
    put(snapshot, "2026-03-01", [record(4, day="2026-03-01", kind="company")])
    put(snapshot, "2026-04-01", [record(3, day="2026-04-01", cited=5)])
    (snapshot / "data/jsonl/works/updated_date=2026-02-01/part_0000.gz").unlink()
    result = extract(snapshot, out)
    assert result.read == ("updated_date=2026-03-01/part_0000.gz", "updated_date=2026-04-01/part_0000.gz")
    assert rows(result) == {1: (2, 0), 3: (1, 5), 4: (2, 0), 5: (1, 8), 11: (0, 0)}
    fresh = extract(snapshot, tmp_path / "fresh.parquet")
    assert out.read_bytes() == fresh.path.read_bytes()


FAULTS = ("truncated", "flipped", "not gzip", "not json", "no id", "odd year", "not utf-8")


def broken(path: Path, fault: str) -> None:
    """Damage a part."""
    data = bytearray(path.read_bytes())
    if fault == "truncated":
        data = data[: len(data) // 2]
    elif fault == "flipped":
        data[-6] ^= 0xFF
    elif fault == "not gzip":
        data = bytearray(b"plain text\n")
    elif fault == "not json":
        data = bytearray(gzip.compress(b'{"id":"https://openalex.org/W1"}\n{"id": nonsense}\n'))
    elif fault == "no id":
        data = bytearray(gzip.compress(b'{"publication_year":2020}\n'))
    elif fault == "odd year":
        data = bytearray(gzip.compress(b'{"id":"https://openalex.org/W1","publication_year":123456}\n'))
    elif fault == "not utf-8":
        data = bytearray(gzip.compress(b'{"id":"https://openalex.org/W1","type":"\xff\xfe"}\n'))
    path.write_bytes(bytes(data))


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize(
    ("fault", "reader"),
    [
        *((fault, "typed") for fault in FAULTS),
        *((fault, "scan") for fault in ("flipped", "not json", "odd year", "not utf-8")),
        *((fault, "duckdb") for fault in ("flipped", "not json", "no id")),
    ],
)
def test_a_damaged_part_is_refused_by_name_and_the_others_go_on(
    snapshot: Path, tmp_path: Path, fault: str, reader: Any
) -> None:
    path = snapshot / "data/jsonl/works/updated_date=2026-02-01/part_0000.gz"
    intact = path.read_bytes()
    broken(path, fault)
    result = extract(snapshot, tmp_path / "n.parquet", reader=reader)
    (refused,) = result.refused
    assert refused.name == "updated_date=2026-02-01/part_0000.gz"
    assert refused.reason
    assert rows(result) == {1: (2, 0), 3: (2, 0), 4: (1, 0), 5: (1, 8), 11: (0, 0)}
    assert "1 of 4 parts could not be read" in result.cautions[0]
    assert read_metadata(result.path)["refused"] == [refused.name]
    path.write_bytes(intact)
    again = extract(snapshot, tmp_path / "n.parquet")
    assert again.read == (refused.name,)
    assert again.refused == ()
    assert again.works == 6


def test_a_damaged_parquet_part_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "data/parquet/works/updated_date=2026-01-01"
    folder.mkdir(parents=True)
    (folder / "part_0000.parquet").write_bytes(b"PAR1 nothing PAR1")
    pl.DataFrame({"work": [1]}).write_parquet(folder / "part_0001.parquet")
    result = extract(tmp_path, tmp_path / "n.parquet")
    assert [entry.state for entry in result.entries] == ["refused", "refused"]
    assert result.works == 0
    assert dict(pl.read_parquet_schema(result.path)).keys() == NARROW.keys()


def test_a_ledger_of_other_settings_or_version_is_refused_until_restarted(
    snapshot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "n.parquet"
    extract(snapshot, out)
    wanted = Wanted(keywords={"deep": "deep"})
    with pytest.raises(EvidenceError, match=r"keywords was \[\], now \['deep'\].*--restart"):
        extract(snapshot, out, wanted=wanted)
    assert len(extract(snapshot, out, wanted=wanted, restart=True).read) == 4
    monkeypatch.setattr(import_module("isoflop.evidence.openalex.ledger"), "EXTRACTOR", 2)
    with pytest.raises(EvidenceError, match="extractor was 1, now 2"):
        extract(snapshot, out, wanted=wanted)


def test_two_runs_cannot_write_one_table_but_status_may_be_asked(snapshot: Path, tmp_path: Path) -> None:
    out = tmp_path / "n.parquet"
    extract(snapshot, out)
    holder = Ledger(tmp_path / "n.parquet.parts", Wanted().to_dict())
    try:
        for restart in (False, True):
            with pytest.raises(EvidenceError, match="another run writes this table"):
                extract(snapshot, out, restart=restart)
        assert status(out).complete
    finally:
        holder.close()
    assert extract(snapshot, out).read == ()


def test_a_damaged_ledger_is_refused(snapshot: Path, tmp_path: Path) -> None:
    out = tmp_path / "n.parquet"
    extract(snapshot, out)
    (tmp_path / "n.parquet.parts/ledger.sqlite").write_bytes(b"nonsense" * 100)
    with pytest.raises(EvidenceError, match="--restart"):
        extract(snapshot, out)
    with pytest.raises(EvidenceError, match="intact ledger"):
        status(out)
    assert extract(snapshot, out, restart=True).works == 6


def test_a_full_disk_is_said_and_done_parts_stay_done(
    snapshot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "n.parquet"
    real, calls = Path.replace, 0

    def full(self: Path, target: Path) -> Path:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        with pytest.raises(SourceError, match="Make room and run again"):
            extract(snapshot, out)
    assert [entry.state for entry in status(out).entries] == ["done", "done", "running", "pending"]
    assert not status(out).complete
    result = extract(snapshot, out)
    assert len(result.read) == 2
    assert result.works == 6


TEXTS = st.lists(
    st.tuples(st.integers(1, 2**41), st.sampled_from(["2026-01-01", "2026-01-02"]), st.integers(0, 9)),
    max_size=30,
)


@settings(max_examples=6, deadline=None)
@given(files=st.lists(TEXTS, min_size=1, max_size=4), rows_aimed=st.integers(1, 40))
def test_joining_in_ranges_of_any_size_keeps_the_newest_of_each_work(
    files: list[list[tuple[int, str, int]]], rows_aimed: int
) -> None:
    newest: dict[int, tuple[str, int]] = {}
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for i, works in enumerate(files):
            shape = dict.fromkeys(NARROW, pl.Null)
            frame = pl.DataFrame(
                {name: [None] * len(works) for name in NARROW}
                | {
                    "work_id": [w[0] for w in works],
                    "updated_date": [w[1] for w in works],
                    "cited_by_count": [w[2] for w in works],
                },
                schema_overrides={
                    **shape,
                    "work_id": pl.Int64,
                    "updated_date": pl.String,
                    "cited_by_count": pl.Int32,
                },
            ).with_columns(pl.col("updated_date").str.to_date())
            frame = frame.select(pl.col(n).cast(getattr(pl, kind)) for n, kind in NARROW.items())
            paths.append(Path(folder) / f"{i}.parquet")
            frame.sort("work_id", maintain_order=True).write_parquet(paths[-1])
            for number, day, cited in works:
                if number not in newest or day >= newest[number][0]:
                    newest[number] = (day, cited)
        out = Path(folder) / "out.parquet"
        joined = assemble(paths, out, merged=np.array([], np.int64), metadata={}, rows=rows_aimed)
        found = pl.read_parquet(out)
    assert found["work_id"].to_list() == sorted(newest)
    assert dict(zip(found["work_id"], found["cited_by_count"], strict=True)) == {
        w: c for w, (_, c) in newest.items()
    }
    assert joined.duplicates == sum(map(len, files)) - len(newest)


@pytest.mark.slow
def test_workers_and_their_number_do_not_change_the_table(snapshot: Path, tmp_path: Path) -> None:
    one = extract(snapshot, tmp_path / "one.parquet")
    two = extract(snapshot, tmp_path / "two.parquet", workers=2)
    assert one.path.read_bytes() == two.path.read_bytes()


@pytest.mark.slow
def test_a_process_killed_at_random_times_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    folder = tmp_path / "snapshot"
    for i in range(12):
        put(folder, "2026-01-01", [record(1 + (j * 7919 + i) % 50_000) for j in range(8000)], part=i)
    whole = extract(folder, tmp_path / "whole.parquet")
    out = tmp_path / "killed.parquet"
    code = f"from isoflop.evidence.openalex import extract; extract({str(folder)!r}, {str(out)!r})"
    rng = np.random.default_rng(0)
    killed = 0
    for _ in range(20):
        process = subprocess.Popen([sys.executable, "-c", code])
        time.sleep(float(rng.uniform(0.3, 1.5)))
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
    extract(folder, out)
    assert killed
    assert out.read_bytes() == whole.path.read_bytes()


def manifest(entries: list[dict[str, Any]], *, combined: bool) -> str:
    """Return a manifest of a snapshot since 2026, or of one entity before."""
    if combined:
        return json.dumps({"formats": {"files": {"works": entries, "authors": []}}})
    return json.dumps({"entries": entries, "meta": {"content_length": 1}})


@pytest.mark.parametrize("combined", [False, True])
def test_a_plan_lists_what_a_manifest_names_and_what_is_missing(
    snapshot: Path, tmp_path: Path, combined: bool
) -> None:
    here = snapshot / "data/jsonl/works/updated_date=2026-01-01/part_0000.gz"
    base = "s3://openalex/data/jsonl"
    entries = [
        {
            "url": f"{base}/works/updated_date=2026-01-01/part_0000.gz",
            "meta": {"content_length": here.stat().st_size, "record_count": 4},
        },
        {
            "url": f"{base}/works/updated_date=2026-05-01/part_0000.gz",
            "meta": {"content_length": 700, "record_count": 5},
        },
        {
            "url": f"{base}/authors/updated_date=2026-05-01/part_0000.gz",
            "meta": {"content_length": 9, "record_count": 1},
        },
    ]
    path = tmp_path / "manifest.json"
    path.write_text(manifest(entries, combined=combined))
    facts = plan(path, have=snapshot).to_dict()
    assert (facts["files"], facts["records"], facts["missing_files"], facts["missing_bytes"]) == (
        2,
        9,
        1,
        700,
    )
    assert facts["newest_partition"] == "2026-05-01"
    assert plan(path, since="2026-04-01").to_dict()["files"] == 1
    assert "aws s3 sync" in plan(path).summary()
    with pytest.raises(EvidenceError, match="no file of works"):
        plan(path, format="parquet")


def test_a_plan_of_a_folder_without_manifest_counts_what_lies_there(snapshot: Path) -> None:
    facts = plan(snapshot).to_dict()
    assert (facts["files"], facts["records"], facts["missing_files"]) == (4, None, 0)


@pytest.mark.parametrize("layout", ["data/works", "legacy-data/works", "works", "", "data/parquet/works"])
def test_every_layout_of_a_snapshot_is_found(snapshot: Path, tmp_path: Path, layout: str) -> None:
    works = snapshot / "data/jsonl/works"
    target = tmp_path / "other" / layout
    target.parent.mkdir(parents=True, exist_ok=True)
    works.rename(target)
    assert extract(tmp_path / "other", tmp_path / "n.parquet").works == 7


def test_folders_without_parts_and_unfit_readers_are_refused(snapshot: Path, tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match=r"no \.gz or \.parquet part of works"):
        extract(tmp_path / "snapshot/merged_ids", tmp_path / "n.parquet")
    with pytest.raises(EvidenceError, match="no such folder"):
        extract(tmp_path / "nowhere", tmp_path / "n.parquet")
    with pytest.raises(SettingError, match="scan sees neither"):
        extract(snapshot, tmp_path / "n.parquet", reader="scan", wanted=Wanted(keywords={"a": "a"}))
    with pytest.raises(SettingError, match="cannot read jsonl"):
        extract(snapshot, tmp_path / "n.parquet", reader="polars")
    with pytest.raises(SettingError, match="--workers"):
        extract(snapshot, tmp_path / "n.parquet", workers=0)
    assert not (tmp_path / "n.parquet.parts").exists()


def test_the_commands_print_documents_and_exit_with_2_where_a_part_is_refused(
    snapshot: Path, tmp_path: Path
) -> None:
    out = str(tmp_path / "n.parquet")
    run = CliRunner().invoke
    done = run(commands.extract, [str(snapshot), "--out", out, "--json"])
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    (finding,) = document["findings"]
    assert finding["id"] == "divide.works_unknown_share"
    assert finding["value"] == pytest.approx(1 / 6)
    assert document["tables"]["extraction"][0]["works"] == 6
    broken(snapshot / "data/jsonl/works/updated_date=2026-02-01/part_0000.gz", "truncated")
    refused = run(commands.extract, [str(snapshot), "--out", out])
    assert refused.exit_code == 2
    assert "updated_date=2026-02-01" in refused.stdout
    told = json.loads(run(commands.status, [out, "--json"]).stdout)["tables"]
    assert told["status"][0]["refused"] == 1
    assert [row["state"] for row in told["parts"]].count("refused") == 1
    assert "refused" in run(commands.status, [out]).stdout
    listed = json.loads(run(commands.plan, [str(snapshot), "--json"]).stdout)["tables"]
    assert listed["plan"][0]["files"] == len(listed["parts"]) == 4


def test_the_lists_that_ship_can_be_asked_for(snapshot: Path, tmp_path: Path) -> None:
    arguments = [str(snapshot), "--out", str(tmp_path / "n.parquet"), "--keywords", "embedded", "--json"]
    document = json.loads(CliRunner().invoke(commands.extract, arguments).stdout)
    assert "interpretability" in document["tables"]["extraction"][0]["settings"]["keywords"]


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a made-up snapshot in both formats, with a planted truth."""
    folder = tmp_path_factory.mktemp("snapshot")
    make(folder, Settings(works=300, parts=4, moved=0.1, merged=0.03, odd=0.1, formats=("jsonl", "parquet")))
    return folder


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("reader", ["typed", "scan", "duckdb", "polars"])
def test_what_was_planted_is_what_every_reader_finds(made_up: Path, tmp_path: Path, reader: Any) -> None:
    result = extract(
        made_up, tmp_path / "n.parquet", reader=reader, format="parquet" if reader == "polars" else "jsonl"
    )
    found = pl.read_parquet(result.path)
    planted = pl.read_parquet(made_up / "planted.parquet").sort("work_id")
    assert [TEAMS[code] for code in found["team"]] == planted["team"].to_list()
    shared = [name for name in NARROW if name in planted.columns and name not in ("team", "countries")]
    assert {"work_id", "year", "subfield_id", "cited_by_count", "n_unresolved", "flags"} <= set(shared)
    for name in shared:
        assert found[name].to_list() == planted[name].to_list(), name

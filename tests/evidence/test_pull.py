"""`pull` against a server that answers whole, cut short, altered, late or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from isoflop.errors import SourceError
from isoflop.evidence.pull import check, import_file, pull
from isoflop.evidence.sources import RAW_FILES, Source, source

from .conftest import CONTENT, SILENCE, Server


def files(folder: Path) -> dict[str, int]:
    return {str(p.relative_to(folder)): p.stat().st_size for p in folder.rglob("*") if p.is_file()}


def test_a_file_is_fetched_verified_and_not_fetched_twice(
    server: Server, registered: Source, cache: Path
) -> None:
    seen: list[tuple[int, int]] = []
    first = pull("toy-file", base=server.base, progress=lambda size, whole: seen.append((size, whole)))
    assert first.downloaded
    assert first.path == cache / "progress" / "toy.csv"
    assert first.path.read_bytes() == CONTENT
    assert [size for size, _ in seen] == sorted(size for size, _ in seen)
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert not pull("toy_file", base=server.base).downloaded
    assert server.seen == [(f"/someone/something/{'a' * 40}/data/toy%20file.csv", None)]
    assert files(cache) == {"progress/toy.csv": len(CONTENT)}


def test_addresses_are_built_from_repository_commit_and_path(
    registered: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ISOFLOP_MIRROR", raising=False)
    tail = f"/someone/something/{'a' * 40}/data/toy%20file.csv"
    assert registered.address() == RAW_FILES + tail
    monkeypatch.setenv("ISOFLOP_MIRROR", "https://mirror.example/")
    assert registered.address() == "https://mirror.example" + tail
    assert registered.address("https://other.example") == "https://other.example" + tail


def test_a_truncated_answer_is_said_and_resumed(server: Server, registered: Source, cache: Path) -> None:
    server.mode = "truncated"
    with pytest.raises(
        SourceError, match=rf"{len(CONTENT) // 2} of {len(CONTENT)} bytes arrived.*goes on from there"
    ):
        pull("toy-file", base=server.base)
    assert files(cache) == {"progress/toy.csv.part": len(CONTENT) // 2}
    assert check()["toy-file"] == "partial"
    server.mode = "whole"
    done = pull("toy-file", base=server.base)
    assert done.resumed_from == len(CONTENT) // 2
    assert server.seen[-1][1] == f"bytes={len(CONTENT) // 2}-"
    assert done.path.read_bytes() == CONTENT
    assert files(cache) == {"progress/toy.csv": len(CONTENT)}


def test_a_server_without_ranges_starts_anew(server: Server, registered: Source, cache: Path) -> None:
    server.mode = "truncated"
    with pytest.raises(SourceError):
        pull("toy-file", base=server.base)
    server.mode = "no range"
    assert pull("toy-file", base=server.base).resumed_from == 0
    assert files(cache) == {"progress/toy.csv": len(CONTENT)}


def test_a_stale_beginning_is_replaced_by_one_fresh_start(
    server: Server, registered: Source, cache: Path
) -> None:
    part = cache / "progress" / "toy.csv.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * 1000)
    done = pull("toy-file", base=server.base)
    assert done.path.read_bytes() == CONTENT
    assert [asked for _, asked in server.seen] == ["bytes=1000-", None]


def test_a_wrong_range_is_refused(server: Server, registered: Source, cache: Path) -> None:
    part = cache / "progress" / "toy.csv.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENT[:1000])
    server.mode = "wrong range"
    with pytest.raises(SourceError, match=r"asked for bytes from 1000, came 'bytes 0-"):
        pull("toy-file", base=server.base)


@pytest.mark.parametrize("altered", [CONTENT[:-1] + b"!", CONTENT + b"more"], ids=["same size", "longer"])
def test_an_altered_file_is_refused_and_not_stored(
    server: Server, registered: Source, cache: Path, altered: bytes
) -> None:
    server.content = altered
    with pytest.raises(SourceError, match="the file was changed and is not stored"):
        pull("toy-file", base=server.base)
    assert files(cache) == {}


def test_the_refusal_of_an_altered_file_shows_both_digests(
    server: Server, registered: Source, cache: Path
) -> None:
    server.content = CONTENT[:-1] + b"!"
    with pytest.raises(SourceError, match=rf"SHA-256 [0-9a-f]{{12}}, registered {registered.sha256[:12]}"):
        pull("toy-file", base=server.base)


def test_an_altered_stored_file_is_replaced(server: Server, registered: Source, cache: Path) -> None:
    path = pull("toy-file", base=server.base).path
    path.write_bytes(b"altered")
    assert check()["toy-file"] == "changed"
    assert pull("toy-file", base=server.base).downloaded
    assert check() == {"toy-file": "verified"}


@pytest.mark.slow
@pytest.mark.ci
def test_a_silent_server_is_given_up(server: Server, registered: Source, cache: Path) -> None:
    server.mode = "slow"
    with pytest.raises(SourceError, match=rf"no byte for {SILENCE:g} s from http://127"):
        pull("toy-file", base=server.base, timeout=SILENCE)
    assert list(files(cache)) == ["progress/toy.csv.part"]
    server.mode = "whole"
    assert pull("toy-file", base=server.base).resumed_from > 0


@pytest.mark.parametrize(
    ("mode", "expected"), [("404", "404, http.* is not there"), ("500", "status 500 from")]
)
def test_a_refused_request_is_said(
    server: Server, registered: Source, cache: Path, mode: str, expected: str
) -> None:
    server.mode = mode
    with pytest.raises(SourceError, match=expected):
        pull("toy-file", base=server.base)
    assert files(cache) == {}


def test_an_unreachable_server_is_said(server: Server, registered: Source, cache: Path) -> None:
    with pytest.raises(SourceError, match="cannot be reached"):
        pull("toy-file", base="http://127.0.0.1:9")


def test_an_interrupted_download_leaves_no_file_and_goes_on_later(
    server: Server, registered: Source, cache: Path
) -> None:
    def interrupt(size: int, whole: int) -> None:
        if size > whole // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull("toy-file", base=server.base, progress=interrupt)
    assert list(files(cache)) == ["progress/toy.csv.part"]
    assert pull("toy-file", base=server.base).path.read_bytes() == CONTENT


def test_a_copy_of_the_user_is_stored_only_if_it_is_the_registered_file(
    registered: Source, cache: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "download.csv"
    with pytest.raises(SourceError, match=r"no file .*download\.csv"):
        import_file(mine, "toy-file")
    mine.write_bytes(CONTENT[:-1])
    with pytest.raises(
        SourceError, match=rf"{len(CONTENT) - 1} bytes and SHA-256 .* needs {len(CONTENT)} bytes"
    ):
        import_file(mine, "toy-file")
    assert check()["toy-file"] == "absent"
    mine.write_bytes(CONTENT)
    assert import_file(mine, "toy-file").path.read_bytes() == CONTENT
    assert check(["toy_file"]) == {"toy-file": "verified"}


def test_an_unknown_source_proposes_the_closest() -> None:
    with pytest.raises(SourceError, match="closest is 'lm-evaluations'"):
        source("lm-evaluation")

"""Read a snapshot part by part into narrow Parquet, and join the parts into one table.

One part is one task. Its rows are written under a temporary name, put on the disk, given their name,
and only then marked done in the ledger; killed at any point, the next run reads what is not marked,
and the finished table is the same byte for byte.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from isoflop.errors import EvidenceError, SettingError
from isoflop.evidence.openalex.assemble import Joined, assemble
from isoflop.evidence.openalex.files import settle, write_part
from isoflop.evidence.openalex.ledger import Entry, Ledger, forget, look
from isoflop.evidence.openalex.narrow import EXTRACTOR, concat, read_metadata
from isoflop.evidence.openalex.readers import ReaderName, reader_for
from isoflop.evidence.openalex.result import Extraction, Status, part_cautions
from isoflop.evidence.openalex.snapshot import Format, Part, digest, merged_ids, parts
from isoflop.evidence.openalex.wanted import Wanted

Progress = Callable[[str, float], None]
"""Takes what is being done and the fraction done."""


def folder_of(out: Path) -> Path:
    """Return the folder beside a table that holds its ledger and narrow parts."""
    return out.with_name(out.name + ".parts")


def extract(
    source: Path | str,
    out: Path | str,
    *,
    wanted: Wanted | None = None,
    reader: ReaderName = "auto",
    format: Format | None = None,
    workers: int = 1,
    restart: bool = False,
    progress: Progress | None = None,
) -> Extraction:
    """Read the works of an OpenAlex snapshot into one narrow Parquet table.

    Parts that the ledger beside `out` marks done, and whose files have not changed since, are not read
    again. A part that is truncated or corrupt is refused by name and the others go on; the result then
    carries a caution.

    Parameters
    ----------
    source : Path
        Folder of the snapshot.
    out : Path
        The table; beside it a folder ``OUT.parts`` keeps the ledger and one narrow file a part.
    wanted : Wanted, optional
        Overrides, topics, models; default: none of them.
    reader : {"auto", "typed", "scan", "duckdb", "polars"}
        How a part is read; the rows are the same.
    format : {"jsonl", "parquet"}, optional
        Which copy to read; default: Parquet if there is one.
    workers : int, >= 1
        Processes reading parts side by side.
    restart : bool
        Forget what was read before.
    progress : callable, optional

    Raises
    ------
    EvidenceError
        No parts, a ledger of other settings or of another version, or one that another run holds.
    SettingError
        The reader cannot read this format or these settings.
    SourceError
        The disk is full.
    """
    source, out, wanted = Path(source), Path(out), wanted or Wanted()
    if workers < 1:
        raise SettingError(f"--workers: {workers}, must be at least 1. Use the number of cores, say.")
    present = parts(source, format=format)
    reader_for(reader, present[0].format, wanted)
    tell = progress or (lambda _label, _fraction: None)
    folder = folder_of(out)
    if restart:
        forget(folder)
    with closing(Ledger(folder, wanted.to_dict())) as ledger:
        due = _due(ledger, present)
        _sweep(folder, ledger)
        _read(due, _Task(folder=folder, reader=reader, wanted=wanted), ledger, workers, tell)
        entries = tuple(ledger.entries().values())
        joined = _join(out, source, entries, wanted, lambda done: tell("joining parts", done))
    names = {part.name for part in due}
    return Extraction(
        path=out,
        entries=entries,
        read=tuple(e.name for e in entries if e.name in names and e.state == "done"),
        unchanged=tuple(e.name for e in entries if e.name not in names),
        works=joined.works,
        duplicates=joined.duplicates,
        merged=joined.merged,
        bytes=out.stat().st_size if out.exists() else 0,
        content=_content(entries, "")[0],
        settings=wanted.to_dict(),
    )


def status(out: Path | str) -> Status:
    """Return what the ledger of a table says, also while it is being made.

    Parameters
    ----------
    out : Path
        The table that was given to `extract`.

    Raises
    ------
    EvidenceError
        There is no ledger beside it.
    """
    out = Path(out)
    entries = look(folder_of(out))
    made = _metadata_on_disk(out)
    return Status(
        path=out,
        entries=entries,
        complete=made is not None and made["content"][0] == _content(entries, "")[0],
    )


def _due(ledger: Ledger, present: Sequence[Part]) -> list[Part]:
    """Return the parts to read: new, changed, refused before or left undone."""
    entries = ledger.entries()
    due = []
    for part in present:
        entry = entries.get(part.name)
        if entry is None or entry.state != "done" or entry.size != part.size:
            due.append(part)
        elif entry.mtime_ns != part.mtime_ns:
            if digest(part.path) == entry.digest:
                ledger.seen(part)
            else:
                due.append(part)
    ledger.expect(due, gone=set(entries) - {part.name for part in present})
    return due


def _sweep(folder: Path, ledger: Ledger) -> None:
    """Remove narrow files that no done part stands behind: left by a kill, or of parts now gone."""
    kept = {_file_of(entry.name) for entry in ledger.entries().values() if entry.state == "done"}
    for path in folder.glob("*.parquet*"):
        if path.name not in kept:
            path.unlink()


def _file_of(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:24] + ".parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """What every part is read with; goes to the worker processes."""

    folder: Path
    reader: ReaderName
    wanted: Wanted

    def temporary(self, part: Part) -> Path:
        return self.folder / f"{_file_of(part.name)}.part"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """Records of a part and its checksum, or why it was refused."""

    digest: str = ""
    works: int | None = None
    refused: str | None = None


def _read(due: Sequence[Part], task: _Task, ledger: Ledger, workers: int, tell: Progress) -> None:
    """Read parts, one after the other or side by side, and settle each as it ends."""
    total = max(sum(part.size for part in due), 1)
    behind = 0
    ended = _one_by_one if workers == 1 or len(due) < 2 else partial(_side_by_side, workers=workers)

    def told(size: float) -> None:
        tell("reading parts", (behind + size) / total)

    for part, outcome in ended(due, task, ledger, told):
        _settle(part, outcome, task, ledger)
        behind += part.size
        told(0)


def _one_by_one(
    due: Sequence[Part], task: _Task, ledger: Ledger, tell: Callable[[float], None]
) -> Iterator[tuple[Part, _Outcome]]:
    for part in due:
        ledger.mark(part.name, "running")
        yield part, _read_part(part, task, partial(_times, tell, part.size))


def _times(tell: Callable[[float], None], size: int, fraction: float) -> None:
    tell(size * fraction)


def _side_by_side(
    due: Sequence[Part], task: _Task, ledger: Ledger, _tell: Callable[[float], None], *, workers: int
) -> Iterator[tuple[Part, _Outcome]]:
    """Yield parts as their processes end. Few are handed out ahead, so `running` means running."""
    import multiprocessing

    waiting = sorted(due, key=lambda part: part.size, reverse=True)
    running: dict[Future[_Outcome], Part] = {}
    # A forked copy of a process with threads may hang; a spawned one starts clean.
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        while waiting or running:
            while waiting and len(running) < workers:
                part = waiting.pop(0)
                ledger.mark(part.name, "running")
                running[pool.submit(_read_part, part, task)] = part
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(future), future.result()


def _read_part(part: Part, task: _Task, tell: Callable[[float], None] = lambda _done: None) -> _Outcome:
    """Write the rows of a part, sorted by id, under a temporary name."""
    import polars as pl

    try:
        found = digest(part.path)
        read = reader_for(task.reader, part.format, task.wanted)
        frames = list(read(part.path, task.wanted, tell))
    except EvidenceError as reason:
        return _Outcome(refused=str(reason))
    except OSError as reason:
        return _Outcome(refused=f"{part.path.name}: {reason.strerror or reason}, needs a readable file.")
    rows = concat(frames).with_columns(pl.col("updated_date").fill_null(pl.lit(part.updated_date, pl.Date)))
    write_part(rows.sort("work_id", maintain_order=True), task.temporary(part))
    return _Outcome(digest=found, works=rows.height)


def _settle(part: Part, outcome: _Outcome, task: _Task, ledger: Ledger) -> None:
    if outcome.refused is not None:
        ledger.mark(part.name, "refused", reason=outcome.refused)
        return
    settle(task.temporary(part), task.folder / _file_of(part.name))
    ledger.mark(part.name, "done", digest=outcome.digest, works=outcome.works)


def _join(
    out: Path, source: Path, entries: Sequence[Entry], wanted: Wanted, tell: Callable[[float], None]
) -> Joined:
    """Write the table, unless it holds these very parts already."""
    merged = merged_ids(source)
    done = [entry for entry in entries if entry.state == "done"]
    content = _content(entries, hashlib.sha256(merged.tobytes()).hexdigest())
    made = _metadata_on_disk(out)
    if made is not None and made.get("content") == content:
        return Joined(works=made["works"], duplicates=made["duplicates"], merged=made["merged"])
    metadata = {
        "extractor": EXTRACTOR,
        "settings": wanted.to_dict(),
        "content": content,
        "parts": len(done),
        "refused": [entry.name for entry in entries if entry.state == "refused"],
        "cautions": list(part_cautions(tuple(entries))),
    }
    files = [folder_of(out) / _file_of(entry.name) for entry in done]
    return assemble(files, out, merged=merged, metadata=metadata, tell=tell)


def _content(entries: Sequence[Entry], merged: str) -> list[str]:
    """Return what stands for the rows of a table: its parts, those it lacks, and the works merged away."""
    parts_of = sorted(f"{entry.name} {entry.state} {entry.size} {entry.digest}" for entry in entries)
    return [hashlib.sha256("\n".join(parts_of).encode()).hexdigest(), merged]


def _metadata_on_disk(out: Path) -> Mapping[str, Any] | None:
    """Return the metadata of the table if there is one that `extract` wrote."""
    try:
        return read_metadata(out) if out.exists() else None
    except EvidenceError:
        return None

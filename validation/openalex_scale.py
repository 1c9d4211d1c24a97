"""Extraction of OpenAlex at scale: what was planted is found, memory stays flat, kill -9 changes nothing.

Three questions, each on a snapshot whose teams were planted (`validation.openalex`): does every reader
of every format give the planted counts; do time and memory stay linear and flat as parts are added; and
does an extraction that is killed ten times at random end in the same bytes as one left alone?
"""

from __future__ import annotations

import hashlib
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

WORKS_A_PART: Final = 50_000
PARTS: Final = (10, 20, 40)
KILLS: Final = 10
HUGE_MB: Final = 33
"""Asked of the longest record among the small snapshot's: it comes out at 30 MB."""
_MEASURED = """
import json, re, resource, sys
from isoflop.evidence.openalex import extract
found = extract(sys.argv[1], sys.argv[2], format=sys.argv[3], reader=sys.argv[4], restart=True)
used = resource.getrusage(resource.RUSAGE_SELF)
peak = re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())
print(json.dumps({"cpu_s": used.ru_utime + used.ru_stime, "peak_mb": int(peak[1]) / 1024,
                  "works": found.works, "bytes": found.bytes}))
"""
"""The peak is read from /proc: `ru_maxrss` of a child starts at what its parent had."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one extraction in a process of its own took."""

    cpu_s: float
    peak_mb: float
    works: int
    bytes: int


def make_snapshot(folder: Path, works: int, parts: int, format: str = "jsonl", huge_mb: int = 0) -> float:
    """Write a snapshot in a process of its own and return the seconds it took."""
    start = time.monotonic()
    asked = ["--works", str(works), "--parts", str(parts), "--out", str(folder), "--format", format]
    asked += ["--huge-mb", str(huge_mb)]
    subprocess.run([sys.executable, "-m", "validation.openalex", *asked], check=True, capture_output=True)
    return time.monotonic() - start


def extracted(folder: Path, out: Path, format: str, reader: str) -> Run:
    """Extract in a process of its own; return its CPU seconds and its largest resident memory."""
    asked = [str(folder), str(out), format, reader]
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, *asked], check=True, capture_output=True, text=True
    )
    return Run(**json.loads(done.stdout))


def agrees(folder: Path, out: Path) -> bool:
    """Return whether a table has the planted number of works of each team, year and subfield."""
    import polars as pl

    from isoflop.evidence.openalex.narrow import TEAMS

    truth = json.loads((folder / "truth.json").read_text())
    planted = {(row["team"], row["year"], row["subfield_id"]): row["works"] for row in truth}
    counted = pl.scan_parquet(out).group_by("team", "year", "subfield_id").len().collect()
    return {(TEAMS[team], *rest): n for team, *rest, n in counted.iter_rows()} == planted


def readers(folder: Path, work: Path) -> None:
    """Print whether each reader of each format finds what was planted, and its speed."""
    print("\n| format, reader | agrees | works per CPU s | peak MB |\n| --- | --- | --- | --- |")
    for format, reader in (("jsonl", "typed"), ("jsonl", "scan"), ("jsonl", "duckdb"), ("parquet", "polars")):
        out = work / f"{format}-{reader}.parquet"
        run = extracted(folder, out, format, reader)
        said = "yes" if agrees(folder, out) else "NO"
        print(
            f"| {format}, {reader} | {said} | {run.works / run.cpu_s:,.0f} | {run.peak_mb:.0f} |", flush=True
        )


def scale(work: Path, reader: str = "auto") -> None:
    """Print CPU seconds and peak memory as parts are added."""
    print("\n| parts | works | agrees | CPU s | works per CPU s | peak MB | bytes a work |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for parts in PARTS:
        folder = work / f"parts-{parts}"
        make_snapshot(folder, parts * WORKS_A_PART, parts)
        out = work / f"parts-{parts}.parquet"
        run = extracted(folder, out, "jsonl", reader)
        said = "yes" if agrees(folder, out) else "NO"
        print(
            f"| {parts} | {run.works:,} | {said} | {run.cpu_s:.1f} | {run.works / run.cpu_s:,.0f} | "
            f"{run.peak_mb:.0f} | {run.bytes / run.works:.1f} |",
            flush=True,
        )
        shutil.rmtree(folder)


def killed(folder: Path, work: Path, *, kills: int = KILLS, seed: int = 0) -> dict[str, Any]:
    """Kill extractions at random times; return how they ended and whether the bytes are the same.

    An extraction is started again until it ends by itself; then the next begins from nothing, until
    `kills` have been made.
    """
    alone = work / "alone.parquet"
    start = time.monotonic()
    subprocess.run(_command(folder, alone), check=True, capture_output=True)
    took = time.monotonic() - start
    wanted = _sha(alone)
    rng, states, same, at_end = random.Random(seed), Counter[str](), [], False
    out = work / "killed.parquet"
    while states.total() < kills or not at_end:
        with subprocess.Popen(_command(folder, out), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
            try:
                # Start-up is about a third of a short run: a kill there would test nothing.
                run.communicate(timeout=rng.uniform(0.25, 1.0) * took if states.total() < kills else None)
            except subprocess.TimeoutExpired:
                run.kill()
                run.communicate()
        at_end = run.returncode == 0
        if at_end:
            same.append(_sha(out) == wanted)
            if states.total() < kills:
                out.unlink()
                shutil.rmtree(out.with_name(out.name + ".parts"))
        else:
            states[_state(out)] += 1
    return {"kills": states.total(), "killed_at": dict(states), "ended": len(same), "identical": all(same)}


def _command(folder: Path, out: Path) -> list[str]:
    return [sys.executable, "-m", "isoflop", "divide", "extract", str(folder), "--out", str(out), "--json"]


def _state(out: Path) -> str:
    """Return how far a killed extraction had come."""
    from isoflop.errors import EvidenceError
    from isoflop.evidence.openalex import status

    try:
        facts = status(out).to_dict()
    except EvidenceError:
        return "before the ledger"
    return f"{facts['done']} of {facts['parts']} parts done"


def _parts_done(state: str) -> int:
    found = re.match(r"\d+", state)
    return int(found[0]) if found else -1


def _sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def study() -> None:
    """Run all three; 2 million works take about 3 GB of disk, the whole six minutes."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        small = work / "small"
        make_snapshot(small, 60_000, 12, "both", HUGE_MB)
        readers(small, work)
        shutil.rmtree(small / "data" / "parquet")
        found = killed(small, work)
        print(f"\nkilled with -9 {found['kills']} times, then run to the end: ", end="")
        print("the same bytes" if found["identical"] else "OTHER BYTES")
        ordered = sorted(found["killed_at"].items(), key=lambda pair: _parts_done(pair[0]))
        print("; ".join(f"{state}: {count}" for state, count in ordered), flush=True)
        scale(work)


if __name__ == "__main__":
    study()

"""Speed of the scan: lines of dense framework code a second on one core.

The text is the labelled set of the tests over and over: every third line calls a framework, no long comments.
"""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from benchmarks.harness import Job
from isoflop.portability.scan.find import scan
from isoflop.portability.scan.result import Scan

LABELLED = Path(__file__).parents[2] / "tests" / "portability" / "labelled"
LINES = 50_000
LINES_A_SECOND = 10_000
"""The bar."""


@cache
def code() -> Path:
    """Return a folder of at least `LINES` lines, made once; the temporary folder outlives the run."""
    folder = Path(tempfile.mkdtemp(prefix="isoflop-scan-"))
    files = sorted(LABELLED.glob("*.py"))
    lines = sum(file.read_text().count("\n") for file in files)
    for copy in range(-(-LINES // lines)):
        inner = folder / f"copy{copy}"
        inner.mkdir()
        for file in files:
            (inner / file.name).write_bytes(file.read_bytes())
    return folder


def read() -> Scan:
    """Scan the folder."""
    return scan(code())


def is_whole(found: object) -> bool:
    """Say whether all of it was read, and calls were found in it."""
    return (
        isinstance(found, Scan)
        and found.lines >= LINES
        and not found.unread
        and len(found.places) > LINES // 3
    )


JOBS: tuple[Job, ...] = (
    Job(
        name="scan-50k-lines",
        ours=read,
        reference=None,
        bar_cpu_s=LINES / LINES_A_SECOND,
        accept=is_whole,
        note=f"{LINES:,} lines of dense framework code at {LINES_A_SECOND:,} lines a second",
    ),
)

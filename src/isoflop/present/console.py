"""The terminal: results on stdout, talk and progress bars on stderr.

Bars appear only where stderr is a terminal; a pipe or a log sees none of them. Another program hears of
progress by naming a file, or an open file descriptor, in ``ISOFLOP_PROGRESS``: one JSON line a step.
"""

from __future__ import annotations

import json
import os
import sys
import textwrap
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from isoflop.errors import SettingError
from isoflop.present import formats, prose

if TYPE_CHECKING:
    from isoflop.findings import Claim, Document, Finding
    from isoflop.present.chapter import Column, Progress

WIDTH = 100
"""Columns of the widest line printed."""
PROGRESS = "ISOFLOP_PROGRESS"
"""Environment variable: where progress is written as JSON lines with ``label`` and ``fraction``."""
STEP_S = 0.1
"""Shortest time between two lines of one label, but for the first and the last."""
_VERDICTS = {
    "holds": "holds",
    "holds_with_caution": "holds, with caution",
    "not_identified": "not identified",
    "does_not_hold": "does not hold",
    "needs_evidence": "needs evidence",
}


def emit(document: Document, *, as_json: bool, text: str | Callable[[], str]) -> None:
    """Print a result on stdout: the document as JSON, or `text`.

    Parameters
    ----------
    document : Document
    as_json : bool
    text : str or callable
        What a person reads; a callable is called only when it is printed.
    """
    if as_json:
        sys.stdout.write(document.to_json() + "\n")
    else:
        sys.stdout.write((text if isinstance(text, str) else text()).rstrip("\n") + "\n")
    sys.stdout.flush()


def say(message: str) -> None:
    """Print a remark on stderr, wrapped."""
    sys.stderr.write(wrap(message) + "\n")


def wrap(text: str, *, indent: str = "", hang: str = "") -> str:
    """Return `text` wrapped to `WIDTH` columns; lines after the first start with `hang`."""
    return textwrap.fill(
        text, WIDTH, initial_indent=indent, subsequent_indent=indent + hang, break_on_hyphens=False
    )


@contextmanager
def progress(label: str, total: float) -> Iterator[Callable[[float], None]]:
    """Show one bar while a long job runs; yields a callback that takes the amount done so far.

    Examples
    --------
    >>> with progress("bootstrap", 2) as done:
    ...     done(1)
    ...     done(2)
    """
    with progress_bars() as report:
        report(label, 0.0)
        yield lambda amount: report(label, amount / total if total else 1.0)


@contextmanager
def progress_bars() -> Iterator[Progress]:
    """Show one bar for each label; yields a callback that takes a label and a fraction done.

    Raises
    ------
    SettingError
        ``ISOFLOP_PROGRESS`` names no file that can be written.
    """
    told = os.environ.get(PROGRESS)
    if told:
        with _listener(told) as stream:
            yield _told(stream)
        return
    if not sys.stderr.isatty():
        yield lambda _label, _fraction: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    bars = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    tasks: dict[str, Any] = {}

    def report(label: str, fraction: float) -> None:
        if label not in tasks:
            tasks[label] = bars.add_task(label, total=1.0)
        bars.update(tasks[label], completed=_clipped(fraction))

    with bars:
        yield report


def _listener(told: str) -> IO[str]:
    try:
        if told.isdecimal():
            # A copy, so that closing it leaves the listener's descriptor open for the next bars.
            return os.fdopen(os.dup(int(told)), "w", encoding="utf-8")
        return Path(told).open("a", encoding="utf-8")
    except OSError as error:
        raise SettingError(
            f"{PROGRESS}: {told!r} cannot be written ({error}), needs a file or an open descriptor. Unset it."
        ) from error


def _told(stream: IO[str]) -> Progress:
    """Return a callback that writes a line for each step worth telling."""
    last: dict[str, tuple[float, float]] = {}

    def report(label: str, fraction: float) -> None:
        done, now = _clipped(fraction), time.monotonic()
        before, when = last.get(label, (-1.0, -STEP_S))
        if done == before or (done < 1.0 and now - when < STEP_S):
            return
        last[label] = (done, now)
        stream.write(json.dumps({"label": label, "fraction": round(done, 4)}, ensure_ascii=False) + "\n")
        stream.flush()

    return report


def _clipped(fraction: float) -> float:
    return min(max(fraction, 0.0), 1.0)


def findings_text(findings: Iterable[Finding], claims: Iterable[Claim] = ()) -> str:
    """Return findings, their cautions and claims as plain text of at most `WIDTH` columns."""
    findings = tuple(findings)
    rows = [
        {"label": f.label, "answer": formats.finding(f), "n": "–" if f.n is None else formats.count(f.n)}
        for f in findings
    ]
    heads = {"label": "finding", "answer": "answer", "n": "n"}
    parts = [grid(heads, rows, right=("n",))] if rows else []
    cautions = dict.fromkeys(c for f in findings for c in f.cautions)
    if cautions:
        lines = [wrap(prose.to_text(c), indent="  ! ").replace("\n  ! ", "\n    ") for c in cautions]
        parts.append("Cautions\n" + "\n".join(lines))
    judged = [
        wrap(f"{c.text.rstrip('.')}: {_VERDICTS[c.verdict]} ({prose.to_text(c.why)})", indent="  ", hang="  ")
        for c in claims
    ]
    if judged:
        parts.append("Claims\n" + "\n".join(judged))
    return "\n\n".join(parts)


def table_text(columns: Sequence[Column], rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a table as plain text of at most `WIDTH` columns."""
    heads = {c.name: f"{c.label} ({c.unit})" if c.unit else c.label for c in columns}
    shown = [{c.name: c.show(row) for c in columns} for row in rows]
    return grid(heads, shown, right=tuple(c.name for c in columns if c.side == "right"))


def grid(heads: Mapping[str, str], rows: Sequence[Mapping[str, str]], right: Sequence[str] = ()) -> str:
    """Return aligned columns, wrapping the widest ones until a line fits `WIDTH`.

    Examples
    --------
    >>> print(grid({"a": "law", "b": "n"}, [{"a": "L7", "b": "231"}], right=("b",)))
    law    n
    ---  ---
    L7   231
    """
    names = list(heads)
    widths = {k: max(len(heads[k]), *(len(r[k]) for r in rows), 1) for k in names} if rows else {}
    widths = widths or {k: len(heads[k]) for k in names}
    room = WIDTH - 2 * (len(names) - 1)
    floor = 6
    while sum(widths.values()) > room:
        widest = max(widths, key=lambda k: widths[k])
        if widths[widest] <= floor:
            break
        widths[widest] -= 1

    def lines(cells: Mapping[str, str]) -> list[str]:
        wrapped = {k: textwrap.wrap(cells[k], widths[k]) or [""] for k in names}
        height = max(map(len, wrapped.values()))
        columns = [
            [
                part.rjust(widths[k]) if k in right else part.ljust(widths[k])
                for part in wrapped[k] + [""] * (height - len(wrapped[k]))
            ]
            for k in names
        ]
        return ["  ".join(row).rstrip() for row in zip(*columns, strict=True)]

    rule = "  ".join("-" * widths[k] for k in names)
    return "\n".join([*lines(heads), rule, *(line for row in rows for line in lines(row))])

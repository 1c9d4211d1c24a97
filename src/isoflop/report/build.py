"""Chapters to a report: one document, one page, written together or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from isoflop.errors import SettingError
from isoflop.findings import Document
from isoflop.outlook.signature import signature
from isoflop.report.contents import Report
from isoflop.report.instruments import INSTRUMENTS, Instrument
from isoflop.report.joined import is_whole, outlook_chapter
from isoflop.report.ledger import complete
from isoflop.report.workers import make_chapters

if TYPE_CHECKING:
    from isoflop.evidence import Library
    from isoflop.present.chapter import Chapter, Progress

PAGE = "index.html"
FINDINGS = "findings.json"


def build(
    library: Library,
    *,
    instruments: Iterable[Instrument] = INSTRUMENTS,
    quick: bool = False,
    seed: int = 0,
    command: str = "isoflop report",
    workers: int = 1,
    progress: Progress | None = None,
) -> Report:
    """Run every instrument on one body of evidence, and join what all five found.

    Parameters
    ----------
    library : Library
        The tables at hand.
    instruments : iterable of Instrument
        Which chapters, in order.
    quick : bool
        Fewer draws; the chapters say so.
    seed : int
        Seed of every random draw.
    command : str
        Recorded in the report, so that it can be made again.
    workers : int
        Processes that make chapters side by side. More than one starts fresh interpreters, so a
        script that asks for them needs ``if __name__ == "__main__"``.
    progress : callable, optional
        Called with a label and the fraction done.
    """
    chapters, pictures = make_chapters(
        tuple(instruments), library, quick=quick, seed=seed, workers=workers, progress=progress
    )
    if is_whole([c.instrument for c in chapters]):
        chapters = (*chapters, outlook_chapter(chapters, quick=quick, seed=seed, progress=progress))
    report = assemble(chapters, seed=seed, quick=quick, command=command, evidence=library.describe())
    return replace(report, pictures=pictures)


def assemble(
    chapters: Sequence[Chapter],
    *,
    seed: int = 0,
    quick: bool = False,
    command: str = "isoflop report",
    evidence: str = "",
) -> Report:
    """Join finished chapters into a report; tables are named ``instrument.table``.

    Raises
    ------
    SettingError
        No chapter, or two of one instrument.
    """
    names = [c.instrument for c in chapters]
    if not names or len(set(names)) < len(names):
        raise SettingError(
            f"report: chapters {names}, needs at least one and each once. Name each instrument once."
        )
    findings = tuple(f for c in chapters for f in c.findings)
    claims = complete(
        (claim for c in chapters for claim in c.claims), findings, [i for i in INSTRUMENTS if i.name in names]
    )
    document = Document(
        findings=findings,
        claims=claims,
        tables={f"{c.instrument}.{name}": rows for c in chapters for name, rows in c.tables.items()},
    )
    return Report(
        chapters=tuple(chapters),
        record=document.to_dict(),
        claims=claims,
        signature=signature(findings),
        command=command,
        evidence=evidence,
        seed=seed,
        quick=quick,
    )


def write(report: Report, out: Path) -> tuple[Path, Path]:
    """Write page and findings into the folder `out`.

    Both texts are complete on disk before either gets its name, so an interrupted run leaves the
    earlier report, or none.

    Returns
    -------
    tuple of Path
        The page and the findings.
    """
    from isoflop.report.page import render

    texts = {PAGE: render(report), FINDINGS: report.json()}
    if out.exists() and not out.is_dir():
        raise SettingError(f"--out: {str(out)!r} is a file, needs a folder. Choose another name.")
    fresh = not out.exists()
    out.mkdir(parents=True, exist_ok=True)
    umask = os.umask(0)
    os.umask(umask)
    staged: list[tuple[Path, Path]] = []
    try:
        for name, text in texts.items():
            handle, part = tempfile.mkstemp(dir=out, prefix=f".{name}.", suffix=".part")
            staged.append((Path(part), out / name))
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                file.write(text)
            Path(part).chmod(0o666 & ~umask)
        for part_path, target in staged:
            part_path.replace(target)
    except BaseException:
        for part_path, _ in staged:
            part_path.unlink(missing_ok=True)
        if fresh and not any(out.iterdir()):
            out.rmdir()
        raise
    return out / PAGE, out / FINDINGS

"""The sixth chapter: what the findings of the five say together. It is made when all five are there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from isoflop.report.instruments import INSTRUMENTS

if TYPE_CHECKING:
    from isoflop.present.chapter import Chapter, Progress


def is_whole(names: Sequence[str]) -> bool:
    """Return whether every instrument is among `names`."""
    return {one.name for one in INSTRUMENTS} <= set(names)


def outlook_chapter(
    chapters: Sequence[Chapter], *, quick: bool, seed: int, progress: Progress | None
) -> Chapter:
    """Return the chapter that joins the findings of the others."""
    from isoflop.outlook.chapter import chapter

    def labelled(label: str, fraction: float) -> None:
        if progress is not None:
            progress(f"outlook: {label}", fraction)

    findings = [finding for one in chapters for finding in one.findings]
    return chapter(findings, quick=quick, seed=seed, progress=labelled)

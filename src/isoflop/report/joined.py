"""The sixth chapter: what the findings of the five say together. It is made when all five are there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from isoflop.present import formats
from isoflop.report.instruments import INSTRUMENTS

if TYPE_CHECKING:
    from isoflop.present.chapter import Chapter, Progress

NAME = "outlook"


def is_whole(names: Sequence[str]) -> bool:
    """Return whether every instrument is among `names`."""
    return {one.name for one in INSTRUMENTS} <= set(names)


def outlook_chapter(
    chapters: Sequence[Chapter], *, quick: bool, seed: int, progress: Progress | None
) -> Chapter:
    """Return the chapter that joins the findings of the others."""
    from isoflop.outlook import Assumptions, outlook
    from isoflop.present.chapter import Chapter

    found = outlook((f for c in chapters for f in c.findings), assumptions=Assumptions(seed=seed))
    lag = found["outlook.academic_lag_years"]
    return Chapter(
        instrument=NAME,
        question="What do the five say together?",
        answer=f"Academia is **{formats.estimate(lag.estimate)}** behind industry.",
        findings=found.findings(),
        evidence=found.provenance,
        tables={"inputs": found.used_rows(), "shares": found.share_rows()},
    )

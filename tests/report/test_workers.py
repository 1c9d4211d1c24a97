"""Chapters made in processes of their own are the same as those made here."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from isoflop.errors import EvidenceError
from isoflop.evidence.location import Library
from isoflop.present.chapter import Chapter
from isoflop.report.build import build
from isoflop.report.contents import Report
from isoflop.report.instruments import choose
from isoflop.report.page import render

if TYPE_CHECKING:
    from isoflop.present.chapter import Progress

NOWHERE = Library(folder=None, kind="embedded", chosen_by="a test")
WHEN = re.compile(r"\d{4}-\d\d-\d\dT[\d:+]+")


def first(library: Library, *, quick: bool, seed: int, progress: Progress) -> Chapter:
    """Return the invented chapter; called by its name."""
    from tests.report import made_up

    progress("halfway", 0.5)
    return made_up.chapter()


def second(library: Library, *, quick: bool, seed: int, progress: Progress) -> Chapter:
    """Return a chapter of a second instrument, or fail with an odd seed."""
    if seed % 2:
        raise EvidenceError("second: an odd seed, needs an even one. Add one.")
    made = first(library, quick=quick, seed=seed, progress=progress)
    return replace(made, instrument="scaling", findings=(), claims=())


def made(workers: int, *, seed: int = 0) -> tuple[Report, list[tuple[str, float]]]:
    instruments = [
        replace(*choose((name,)), chapter=f"{__package__ or 'tests.report'}.test_workers:{make.__name__}")
        for name, make in (("progress", first), ("scaling", second))
    ]
    said: list[tuple[str, float]] = []
    report = build(
        NOWHERE,
        instruments=instruments,
        seed=seed,
        workers=workers,
        progress=lambda label, fraction: said.append((label, fraction)),
    )
    return report, said


@pytest.mark.slow
@pytest.mark.ci
def test_chapters_made_side_by_side_give_the_same_page_as_one_after_another() -> None:
    (here, said_here), (aside, said_aside) = made(1), made(2)
    assert sorted(said_aside) == sorted(said_here) == [("progress: halfway", 0.5), ("scaling: halfway", 0.5)]
    assert not here.pictures
    assert len(aside.pictures) == sum(len(chapter.figures) for chapter in here.chapters)
    # The page holds the document packed, and that says when it was made.
    aside = replace(aside, record={**aside.record, "created": here.record["created"]})
    assert WHEN.sub("", render(aside)) == WHEN.sub("", render(here))


@pytest.mark.slow
@pytest.mark.ci
def test_an_error_in_another_process_is_raised_as_it_came() -> None:
    with pytest.raises(EvidenceError, match="an odd seed, needs an even one"):
        made(2, seed=1)

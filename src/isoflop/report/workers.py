"""Chapters made side by side, each instrument in a process of its own.

An instrument knows nothing of the others, so its chapter can be made anywhere. What comes back must
be data: a picture's drawing function becomes the specification that it drew, and the page's stills are
drawn where the chapter was.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from queue import Empty
from typing import TYPE_CHECKING, Any

from isoflop.present import image
from isoflop.present.chapter import Chapter
from isoflop.report.instruments import Instrument, resolve

if TYPE_CHECKING:
    from multiprocessing.context import SpawnContext
    from multiprocessing.queues import Queue

    from isoflop.evidence import Library
    from isoflop.present.chapter import Progress
    from isoflop.report.picture import Picture

POLL_S = 0.2
"""How often the parent looks for word of progress."""
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")
"""One thread for each process, unless the user says otherwise: the processes fill the cores."""
_TOLD: list[Queue[Any]] = []


@dataclass(frozen=True, slots=True)
class Drawn:
    """A chart that was drawn elsewhere: its specification, which is all that a picture needs."""

    spec: dict[str, Any]

    def __call__(self) -> Drawn:
        """Return itself, as a drawing function returns its chart."""
        return self

    def to_dict(self) -> dict[str, Any]:
        """Return the specification."""
        return dict(self.spec)


def make_chapters(
    instruments: Sequence[Instrument],
    library: Library,
    *,
    quick: bool,
    seed: int,
    workers: int,
    progress: Progress | None,
) -> tuple[tuple[Chapter, ...], dict[str, Picture]]:
    """Return the chapters in order and the pictures already drawn, by anchor.

    With one worker or one instrument everything happens in this process and no picture is drawn yet.
    """
    if min(workers, len(instruments)) < 2:
        made = (_chapter(one, library, quick=quick, seed=seed, progress=progress) for one in instruments)
        return tuple(made), {}
    from multiprocessing import get_context

    context = get_context("spawn")
    told: Queue[Any] = context.Queue()
    with _one_thread_each(), _pool(context, min(workers, len(instruments)), told) as pool:
        jobs = [pool.apply_async(_work, (one, library, quick, seed)) for one in instruments]
        waiting = set(range(len(jobs)))
        while waiting:
            try:
                label, fraction = told.get(timeout=POLL_S)
                if progress is not None:
                    progress(label, fraction)
            except Empty:
                done = {place for place in waiting if jobs[place].ready()}
                for place in done:
                    jobs[place].get()  # an error ends the others now, not when they are done
                waiting -= done
        made_elsewhere = [job.get() for job in jobs]
    chapters = tuple(chapter for chapter, _ in made_elsewhere)
    return chapters, {p.anchor: p for _, pictures in made_elsewhere for p in pictures}


def _chapter(
    instrument: Instrument, library: Library, *, quick: bool, seed: int, progress: Progress | None
) -> Chapter:
    def labelled(label: str, fraction: float) -> None:
        if progress is not None:
            progress(f"{instrument.name}: {label}", fraction)

    made: Chapter = resolve(instrument.chapter)(library, quick=quick, seed=seed, progress=labelled)
    return made


def _work(
    instrument: Instrument, library: Library, quick: bool, seed: int
) -> tuple[Chapter, tuple[Picture, ...]]:
    from isoflop.report.view import pictures_of

    (told,) = _TOLD
    chapter = _chapter(instrument, library, quick=quick, seed=seed, progress=lambda *word: told.put(word))
    chapter = drawn(chapter)
    return chapter, pictures_of(chapter)


def drawn(chapter: Chapter) -> Chapter:
    """Return the chapter with every drawing function replaced by what it drew."""
    sections = tuple(
        replace(s, figures=tuple(replace(f, chart=Drawn(image.drawn(f))) for f in s.figures))
        for s in chapter.sections
    )
    return replace(chapter, sections=sections)


def _listen(told: Queue[Any]) -> None:
    _TOLD.append(told)


@contextmanager
def _pool(context: SpawnContext, workers: int, told: Queue[Any]) -> Iterator[Any]:
    """Open a pool that is ended at once when anything goes wrong here."""
    import signal

    # The parent alone hears Ctrl-C and then ends the others.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        pool = context.Pool(workers, initializer=_listen, initargs=(told,))
    finally:
        signal.signal(signal.SIGINT, before)
    with pool:
        yield pool


@contextmanager
def _one_thread_each() -> Iterator[None]:
    absent = [name for name in THREADS if name not in os.environ]
    os.environ.update(dict.fromkeys(absent, "1"))
    try:
        yield
    finally:
        for name in absent:
            os.environ.pop(name, None)

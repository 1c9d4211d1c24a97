"""Pictures and sections of own runs: frames, marks, words."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from isoflop.portability.chapter.matrix import matrix_section
from isoflop.portability.chapter.reasons import reasons_section
from isoflop.portability.chapter.sampling import sampling_section
from isoflop.portability.chapter.shares import shares_section
from isoflop.portability.chapter.slowdown import slowdown_section
from isoflop.portability.figures.matrix import OUTCOMES, matrix_data
from isoflop.portability.figures.reasons import LEADING, REST, reasons_data
from isoflop.portability.figures.shares import failure_data
from isoflop.portability.figures.slowdown import distribution_data, sizes_data
from isoflop.portability.model import Bootstrap
from isoflop.portability.runs import Run
from isoflop.portability.sampling import sample
from isoflop.portability.shares import Shares, shares
from isoflop.portability.simulate import PlantedRun, run_of
from isoflop.portability.slowdown import slowdown
from isoflop.present.chapter import Chapter, Section

MADE = {"functions": 12, "sizes": ("tiny", "large"), "samples": 1}
CALLS = {f"made.f{i:04d}": float(i + 1) for i in range(14)}


@cache
def run() -> Run:
    """Return a run with one target that ran and one that was only lowered."""
    rng = np.random.default_rng(2)
    ran, _ = PlantedRun(**MADE, partial=0.2, complete=0.2, fallback=0.1, skipped=0.1, dispatch=0.5).draw(rng)  # type: ignore[arg-type]
    lowered, _ = PlantedRun(
        **MADE,
        target="made:lower",
        level="lowered",
        protocol="none",
        complete=0.2,
        processes=1,  # type: ignore[arg-type]
    ).draw(rng)
    return run_of(ran.frame().to_dicts() + lowered.frame().to_dicts())


@cache
def found() -> Shares:
    """Return its shares, weighted by calls."""
    return shares(run(), weights=CALLS)


@cache
def sections() -> tuple[Section, ...]:
    """Return every section of this part of the chapter."""
    slow = slowdown(run(), source="made:plain", target="made:other", ci=Bootstrap(reps=100))
    return (
        shares_section(found()),
        reasons_section(found()),
        matrix_section(found()),
        slowdown_section([slow]),
        sampling_section(sample(list(CALLS)[:9], CALLS, design="deciles:1,3")),
    )


def test_each_section_places_its_pictures_and_tables_once() -> None:
    chapter = Chapter(instrument="portability", question="?", answer="!", findings=(), sections=sections())
    assert len(chapter.figures) == 8
    for section in sections():
        placed = [block for block in section.blocks() if not isinstance(block, str)]
        assert len(placed) == len(section.figures) + len(section.tables)


@pytest.mark.parametrize("at", range(8))
def test_each_picture_draws_its_frame(at: int) -> None:
    figure = [figure for section in sections() for figure in section.figures][at]
    spec = figure.chart().to_dict()
    assert figure.frame.height > 0
    columns = {name.partition(":")[0] for name in _fields(spec)} - {None}
    assert columns <= set(figure.frame.columns)


def _fields(spec: Any) -> set[str]:
    """Return every field that a specification names."""
    if isinstance(spec, dict):
        own = {spec["field"]} if isinstance(spec.get("field"), str) else set()
        return own.union(*(_fields(value) for key, value in spec.items() if key != "datasets"))
    return set().union(*(_fields(value) for value in spec)) if isinstance(spec, list) else set()


def test_stacked_shares_meet_and_their_sum_lies_in_the_interval() -> None:
    frame = failure_data(found())
    for row in frame.filter(frame["kind"] == "partial").iter_rows(named=True):
        assert row["end"] == pytest.approx(row["failing"])
        assert row["low"] <= row["end"] <= row["high"]
    whole = frame.filter(frame["kind"] == "complete")
    assert (whole["start"] == 0).all()


def test_the_matrix_shows_functions_that_fail_somewhere_the_worst_first() -> None:
    frame = matrix_data(found())
    failing = {one.function for one in found().outcomes if one.fails("strict")}
    assert set(frame["function"].to_list()) == failing
    assert set(frame["outcome"].to_list()) <= set(OUTCOMES)
    share = {
        name: np.mean([bool(one.fails("strict")) for one in found().outcomes if one.function == name and
                       one.fails("strict") is not None])
        for name in failing
    }  # fmt: skip
    shown = frame["function"].unique(maintain_order=True).to_list()
    assert [share[name] for name in shown] == sorted(share.values(), reverse=True)
    assert matrix_data(found(), most=2)["function"].n_unique() == 2


def test_rare_reasons_are_joined_and_none_is_lost() -> None:
    reasons = [f"reason_{i}" for i in range(LEADING + 3)]
    row = run().frame().to_dicts()[0]
    rows = [
        row | {"task_id": f"{reason}{i}", "status": "error", "reason": reason, "repeat": 0}
        for at, reason in enumerate(reasons)
        for i in range(at + 1)
    ]
    frame = reasons_data(shares(run_of(rows)))
    assert frame["failures"].sum() == len(rows)
    assert frame["reason"].n_unique() == LEADING + 1
    assert frame.filter(frame["reason"] == REST)["failures"].to_list() == [1 + 2 + 3]


def test_the_distribution_rises_and_tells_dispatch_from_kernel() -> None:
    slow = slowdown(run(), source="made:plain", target="made:other", ci=Bootstrap(reps=100))
    frame = distribution_data(slow)
    assert frame["ratio"].is_sorted()
    assert frame["share_below"].is_sorted()
    bound = dict(frame.select("function", "bound").iter_rows())
    assert {name for name, kind in bound.items() if kind == "dispatch"} == {
        one.function for one in slow.functions if one.is_dispatch_bound
    }
    sizes = sizes_data(slow)
    assert sizes.filter(sizes["kind"] == "median")["size"].n_unique() == 2


def test_prose_holds_its_numbers_and_no_gaps() -> None:
    text = " ".join(paragraph for section in sections() for paragraph in section.prose)
    assert "None" not in text
    assert "nan" not in text
    worst = max(found().leading, key=lambda one: one.failing.value or 0)
    assert f"of {worst.counted}" in text


def test_a_run_without_failures_or_timings_still_gives_sections() -> None:
    clean, _ = PlantedRun(functions=2, samples=1, processes=1, protocol="none").draw(np.random.default_rng(0))
    none = shares(clean)
    assert reasons_section(none).prose == ("No counted task failed.",)
    assert matrix_section(none).figures == ()
    assert slowdown_section([]).figures == ()
    assert shares_section(none).tables[0].rows

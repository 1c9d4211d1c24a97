"""The section on measurement counts what the rows hold."""

from __future__ import annotations

from typing import Any

import pytest

from isoflop.portability.chapter.measure import (
    agreement_rows,
    measure_section,
    timing_cautions,
    timing_rows,
)
from isoflop.portability.runs import Run
from isoflop.portability.simulate import run_of

TIMED = {
    "median_s": 2e-3, "ci_low_s": 1.9e-3, "ci_high_s": 2.1e-3, "prepare_s": 0.5, "first_s": 6e-3,
    "timing_end": "precise", "is_noisy": 0.0, "is_dispatch_bound": 0.0, "protocol": "1q",
}  # fmt: skip


def row(task: int, **columns: Any) -> dict[str, Any]:
    return {
        "run_id": "r", "task_id": f"t{task}", "repeat": 0, "framework": "fake", "target": "fake:plain",
        "target_level": "ran", "function": "fake.add", "status": "ok", "agreement": "agree", **columns,
    }  # fmt: skip


@pytest.fixture
def found() -> Run:
    rows = [row(i, **TIMED, err_rel=10.0**-i, err_ulp=float(i)) for i in (6, 7, 8)]
    rows += [row(9, status="wrong", agreement="differ", err_rel=0.1, err_ulp=3.0)]
    rows += [row(10, **{**TIMED, "is_noisy": 1.0, "is_dispatch_bound": 1.0, "timing_end": "budget"})]
    return run_of(rows)


def test_classes_of_agreement_are_counted_with_their_errors(found: Run) -> None:
    agree, differ = agreement_rows(found)
    assert (agree["agreement"], agree["tasks"], differ["tasks"]) == ("agree", 4, 1)
    assert agree["err_rel"] == pytest.approx(1e-6)
    assert agree["err_ulp"] == 7.0


def test_times_are_described_by_how_they_were_taken(found: Run) -> None:
    (timed,) = timing_rows(found)
    assert timed["timed"] == 4
    assert timed["precise"] == timed["first_ratio"] / 4 == 0.75
    assert timed["half_width"] == pytest.approx(0.05)
    assert timed["noisy"] == timed["dispatch_bound"] == 0.25


def test_doubtful_times_are_cautioned_with_a_cure(found: Run) -> None:
    quick, noisy, dispatch = timing_cautions(found)
    assert "--timing full" in quick
    assert noisy.startswith("25 % of the tasks timed on fake:plain are noisy")
    assert "larger sizes" in dispatch
    section = measure_section(found)
    assert {table.id for table in section.tables} == {"agreement-table", "timing-table"}
    assert "Protocol 1q: 1 fresh process," in section.prose[1]


def test_without_times_the_section_says_so() -> None:
    section = measure_section(run_of([row(1)]))
    assert section.prose[1] == "Nothing was timed."
    assert [table.id for table in section.tables] == ["agreement-table"]
    assert section.cautions == ()

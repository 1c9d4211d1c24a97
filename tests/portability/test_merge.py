"""Merging: a union that does not care for order, conflicts said, protocols kept apart."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.errors import EvidenceError, SettingError
from isoflop.portability.results import bundle, conflicts, merge
from isoflop.portability.runs import Run
from isoflop.portability.simulate import PlantedRun, run_of


@cache
def parts() -> tuple[Run, ...]:
    """Return overlapping parts of two runs, each known with an account of its own."""
    run, _ = PlantedRun(functions=4, samples=1, processes=2).draw(np.random.default_rng(0))
    rows = run.frame().to_dicts()
    other = [row | {"run_id": "other", "host_hash": "h2"} for row in rows]
    return tuple(run_of(some) for some in (rows[:5], rows[3:], other[:4], other[2:]))


def test_the_parts_make_the_whole() -> None:
    whole = merge(*parts())
    assert whole.frame().height == 16
    assert whole.frame()["record"].to_list() == list(range(1, 17))


@given(st.permutations(range(4)), st.integers(1, 3))
@settings(max_examples=6, deadline=None)
def test_neither_order_nor_grouping_nor_repetition_matters(order: list[int], cut: int) -> None:
    runs = [parts()[i] for i in order]
    whole = merge(*parts())
    grouped = merge(merge(*runs[:cut]), merge(*runs[cut:]), runs[0])
    assert grouped.frame().equals(whole.frame())
    assert grouped.table.fingerprint == whole.table.fingerprint


def clash() -> tuple[Run, Run]:
    """Return two runs that disagree on one task."""
    rows = parts()[0].frame().to_dicts()
    changed = [rows[0] | {"status": "crash", "median_s": None}, *rows[1:]]
    return run_of(rows), run_of(changed)


def test_two_results_of_one_task_are_refused_with_both_named() -> None:
    one, two = clash()
    task = one.frame()["task_id"][0]
    expected = (
        rf"task_id {task} has two different results under run_id made \(crash / ok\)\. Pass on_conflict"
    )
    with pytest.raises(EvidenceError, match=expected):
        merge(one, two)
    found = conflicts(one, two)
    assert found["status"].to_list() == ["crash", "ok"]
    assert conflicts(one, one).height == 0


def test_two_results_may_be_kept_whatever_the_order() -> None:
    one, two = clash()
    both = merge(one, two, on_conflict="keep_both")
    assert both.frame().height == one.frame().height + 1
    assert sorted(both.frame()["run_id"].unique().to_list()) == ["made", "made~2"]
    assert merge(two, one, on_conflict="keep_both").frame().equals(both.frame())
    assert merge(both, one, two, on_conflict="keep_both").frame().equals(both.frame())


def test_one_target_under_two_protocols_is_refused() -> None:
    rows = parts()[0].frame().to_dicts()
    other = run_of([row | {"run_id": "later", "protocol": "2"} for row in rows])
    with pytest.raises(
        EvidenceError, match="protocols 1 and 2 time differently; ratios across them are refused"
    ):
        merge(parts()[0], other)
    untimed = run_of([row | {"run_id": "later", "protocol": "none", "median_s": None} for row in rows])
    assert merge(parts()[0], untimed).frame().height == 2 * len(rows)


def test_files_merge_like_runs(tmp_path: Path) -> None:
    paths = [bundle(run, tmp_path / f"{i}.zip") for i, run in enumerate(parts())]
    assert merge(*paths).frame().equals(merge(*parts()).frame())


def test_the_fuller_account_of_a_run_is_kept() -> None:
    run = parts()[0]
    accounts = [{"made": {"done": 3}}, {"made": {"done": 3, "command": "isoflop"}}]
    runs = [Run(table=run.table, about=one, certificate={}) for one in accounts]
    assert merge(*runs).about == merge(*reversed(runs)).about == accounts[1]


def test_what_cannot_be_merged_is_refused() -> None:
    with pytest.raises(SettingError, match="no run"):
        merge()
    with pytest.raises(SettingError, match="'refuse' or 'keep_both'"):
        merge(parts()[0], on_conflict="first")  # type: ignore[arg-type]

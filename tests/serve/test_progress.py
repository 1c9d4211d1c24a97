"""Progress told to another program: JSON lines in a file or an open descriptor."""

from __future__ import annotations

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.errors import SettingError
from isoflop.present import console


def told(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@given(steps=st.lists(st.tuples(st.sampled_from("aäb"), st.floats(-1, 2)), max_size=40))
def test_first_and_last_steps_are_told_and_fractions_stay_within_bounds(tmp_path_factory, steps):
    path = tmp_path_factory.mktemp("told") / "progress.jsonl"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(console.PROGRESS, str(path))
        with console.progress_bars() as report:
            for label, fraction in steps:
                report(label, fraction)
    lines = told(path)
    assert all(0 <= line["fraction"] <= 1 for line in lines)
    assert list(dict.fromkeys(line["label"] for line in lines)) == list(
        dict.fromkeys(label for label, _ in steps)
    )
    for label in {label for label, fraction in steps if fraction >= 1}:
        assert 1.0 in [line["fraction"] for line in lines if line["label"] == label]


def test_a_descriptor_is_told_too_and_stays_open(tmp_path, monkeypatch):
    path = tmp_path / "progress.jsonl"
    with path.open("wb") as file:
        monkeypatch.setenv(console.PROGRESS, str(file.fileno()))
        for _ in range(2):
            with console.progress("fit", 4) as done:
                done(4)
        os.fstat(file.fileno())
    assert [line["fraction"] for line in told(path)] == [0.0, 1.0] * 2


def test_many_steps_make_few_lines(tmp_path, monkeypatch):
    path = tmp_path / "progress.jsonl"
    monkeypatch.setenv(console.PROGRESS, str(path))
    monkeypatch.setattr(console.time, "monotonic", lambda: 5.0)
    with console.progress_bars() as report:
        for step in range(1001):
            report("fit", step / 1000)
    assert [line["fraction"] for line in told(path)] == [0.0, 1.0]


def test_a_place_that_cannot_be_written_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv(console.PROGRESS, str(tmp_path / "none" / "progress.jsonl"))
    with pytest.raises(SettingError, match="ISOFLOP_PROGRESS"), console.progress_bars():
        pass

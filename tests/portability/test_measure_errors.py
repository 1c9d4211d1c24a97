"""The start of an error's text says what went wrong and nothing of the computer on which it did."""

from __future__ import annotations

import platform
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.portability.model import ERROR_HEAD
from isoflop.portability.worker.measure.errors import _own_names, error_head, error_type, status_of

FEW = settings(max_examples=40, deadline=None)
PARTS = st.sampled_from([
    "could not find ", "/data/someone/env/lib/python3.11/site-packages/torch/nn/functional.py", ":", "\n",
    " line 12 ", "C:\\Users\\someone\\x.py", "~/data/part.bin", "0x7f3a9c001000", "10.1.2.3:8080", "float32",
    "someone@build-7.example.org", "140234567890123", "'/srv/my disk/a b.txt'", "aten::add.out", "<path>",
    "<address>", "file:///opt/x/y.so",
])  # fmt: skip
SECRETS = (
    "someone",
    "site-packages",
    "0x7f3a",
    "build-7",
    "10.1.2.3",
    "140234567890123",
    "my disk",
    "x/y.so",
)


@FEW
@given(parts=st.lists(PARTS, max_size=12))
def test_nothing_of_this_computer_is_kept(parts: list[str]) -> None:
    head = error_head(" ".join(parts))
    assert not [secret for secret in SECRETS if secret in head]
    assert len(head) <= ERROR_HEAD
    assert "\n" not in head


@FEW
@given(parts=st.lists(PARTS, max_size=12))
def test_a_cleaned_text_stays_as_it_is(parts: list[str]) -> None:
    head = error_head(" ".join(parts))
    assert error_head(head) == head


@pytest.mark.parametrize(
    "text",
    [
        "\"cholesky\" not implemented for 'Half'",
        "Could not run 'aten::_sparse_mm' with arguments from the 'Meta' backend.",
        "MLIR translation rule for primitive 'eig' not found for platform tpu",
        "shape '[2, 3]' is invalid for input of size 5",
        "expected float32/float64 input, got int64",
        "Unimplemented node: Loop_12 of opset 13.1.0",
    ],
)
def test_what_went_wrong_is_kept(text: str) -> None:
    assert error_head(text) == text


def test_the_name_of_this_computer_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "node", lambda: "magpie-17.lab")
    _own_names.cache_clear()
    assert error_head("no route from magpie-17 to magpie-17.lab") == "no route from <host> to <host>"
    monkeypatch.undo()
    _own_names.cache_clear()


def test_a_message_that_cannot_be_written_is_named() -> None:
    class Unready(Exception):
        def __str__(self) -> str:
            raise ValueError("no value yet")

    assert error_head(Unready()) == "<no text: Unready>"
    assert error_type(Unready()).endswith("Unready")
    assert status_of(Unready(), "error") == "error"


def test_long_messages_cost_little() -> None:
    assert len(error_head("x/y " * 10**6)) <= ERROR_HEAD


def test_a_class_outside_python_keeps_its_module() -> None:
    class Odd(Exception):
        pass

    assert error_type(Odd()).startswith(f"{__name__}.")
    assert error_type(RecursionError()) == "RecursionError"


def test_memory_counts_for_the_target_alone() -> None:
    assert status_of(RuntimeError("std::bad_alloc"), "error") == "oom"
    assert status_of(RuntimeError("std::bad_alloc"), "input_error") == "input_error"


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone tells the peak of a stretch of time")
def test_peak_memory_is_that_of_the_task_alone() -> None:
    import numpy as np

    from isoflop.portability.worker.measure.memory import Peak

    held = np.ones(6_000_000)
    del held
    quiet = Peak()
    assert (quiet.byte() or 0) < 24_000_000
    peak = Peak()
    held = np.ones(6_000_000)
    found = peak.byte()
    if found is None:
        pytest.skip("this system does not let a process reset its mark")
    assert 44_000_000 < found < 64_000_000
    assert held.size

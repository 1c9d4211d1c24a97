"""The run that ships: whole, certified but for one of its parts, and told of no computer."""

from __future__ import annotations

import pytest

from isoflop.portability import shares, shipped_run
from isoflop.portability.chapter.run import certificate_text
from isoflop.portability.runs import Run

TASKS = 14_694


@pytest.fixture(scope="module")
def run() -> Run:
    return shipped_run()


def test_the_run_is_whole_and_every_failure_has_a_reason(run: Run) -> None:
    frame = run.frame()
    assert (frame.height, frame["framework"].n_unique(), frame["target"].n_unique()) == (TASKS, 6, 19)
    assert (frame["reason"] != "unclassified").all()
    assert frame["host_hash"].n_unique() == 1


def test_references_agree_with_themselves_and_planted_faults_are_found(run: Run) -> None:
    doubted = {run.about[key]["name"] for key, known in run.certificate.items() if known["doubts"]}
    assert doubted == {"onnx"}
    assert "11 of 12 runs are certified" in certificate_text(run)


def test_eig_lowers_everywhere_but_on_the_tpu(run: Run) -> None:
    frame = run.frame().filter(run.frame()["function"] == "jax.numpy.linalg.eig")
    by = dict(frame.select("target", "status").unique().iter_rows())
    assert {target: by[f"jax:lower-{target}"] for target in ("cpu", "cuda", "rocm", "tpu")} == {
        "cpu": "ok", "cuda": "ok", "rocm": "ok", "tpu": "unsupported",
    }  # fmt: skip


def test_levels_are_never_mixed(run: Run) -> None:
    levels = {cell.target: cell.level for cell in shares(run).leading}
    assert levels["jax:lower-tpu"] == "lowered"
    assert levels["torch:meta"] == "traced"
    assert levels["torch:inductor"] == "ran"


def test_one_device_is_never_the_headline(run: Run) -> None:
    assert not [f for f in shares(run).findings() if f.id == "portability.failure_share"]

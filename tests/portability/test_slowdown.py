"""Slow-downs of own runs: planted ratios, symmetry, blocks and processes, protocols, what is refused."""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.errors import EvidenceError, SettingError
from isoflop.portability.model import Bootstrap
from isoflop.portability.runs import Run
from isoflop.portability.simulate import PlantedRun, run_of
from isoflop.portability.slowdown import Slowdown, slowdown
from isoflop.portability.slowdown.bootstrap import _order_law

FORTH: dict[str, str] = {"source": "made:plain", "target": "made:other"}
BACK: dict[str, str] = {"source": "made:other", "target": "made:plain"}
FEW = Bootstrap(reps=200)
NOISE = 0.05
"""Half-width that timing noise of 3 % a block and 2 % a process leaves on a function's ratio, with room."""


@cache
def planted(**settings: Any) -> tuple[Run, dict[str, dict[str, Any]]]:
    """Return a run and its truth."""
    return PlantedRun(**{"functions": 16, **settings}).draw(np.random.default_rng(5))


def found(run: Run, **settings: Any) -> Slowdown:
    """Return the slow-down with few draws."""
    result = slowdown(run, **{**FORTH, "ci": FEW, **settings})
    assert isinstance(result, Slowdown)
    return result


def test_planted_ratios_are_recovered() -> None:
    run, truth = planted(slowdown_sd=1.0)
    for one in found(run).functions:
        assert one.ratio == pytest.approx(truth[one.function]["ratio"], rel=NOISE)
        assert one.steady.low is not None
        assert one.steady.high is not None
        assert one.steady.low <= one.ratio <= one.steady.high


@pytest.mark.parametrize("factor", [2.0, 10.0, 50.0])
def test_one_planted_factor_is_the_median(factor: float) -> None:
    run, _ = planted(slowdown_median=factor, slowdown_sd=0.0, sample_sd=0.0)
    assert found(run).median.value == pytest.approx(factor, rel=NOISE)


def test_there_and_back_is_one() -> None:
    run, _ = planted(slowdown_sd=0.8)
    forth, back = found(run), found(run, **BACK)
    assert forth.median.value is not None
    assert back.median.value is not None
    assert forth.median.value * back.median.value == pytest.approx(1.0, rel=1e-12)
    ratios = {one.function: one.ratio for one in back.functions}
    for one in forth.functions:
        assert one.ratio * ratios[one.function] == pytest.approx(1.0, rel=1e-12)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=3, deadline=None)
def test_the_order_of_rows_changes_nothing(seed: int) -> None:
    run, _ = planted(functions=4)
    shuffled = run_of(run.frame().sample(fraction=1.0, shuffle=True, seed=seed).to_dicts())
    assert found(run).rows() == found(shuffled).rows()


def test_only_functions_that_pass_on_the_target_have_a_ratio() -> None:
    run, truth = planted(complete=0.3, fallback=0.2)
    kinds = {name: one["status"] for name, one in truth.items()}
    assert {one.function for one in found(run).functions} == {n for n, k in kinds.items() if k == "success"}
    loose = {one.function for one in found(run, policy="fallback").functions}
    assert loose == {n for n, k in kinds.items() if k in ("success", "fallback")}
    assert any("wholly or in part" in text for text in found(run).cautions)


def test_dispatch_bound_inputs_stand_apart() -> None:
    run, _ = planted(functions=10, samples=1)
    rows = run.frame().to_dicts()
    tiny = [
        {**row, "size_class": "tiny", "sample_id": f"t{row['sample_id']}", "is_dispatch_bound": True}
        | {"task_id": f"t{row['task_id']}", "block_log_ratios": " ".join(["3.0"] * 9)}
        for row in rows
    ]
    both = found(run_of(rows + tiny))
    kernel = next(one for one in both.countings if one.name == "kernel_bound")
    plain = found(run)
    assert kernel.median.value == pytest.approx(plain.median.value)
    sizes = {one.name: one.median.value for one in both.countings if one.name.startswith("size_")}
    assert list(sizes) == ["size_tiny", "size_small"]
    assert sizes["size_tiny"] == pytest.approx(np.exp(3.0))
    alone = found(run_of(tiny))
    assert all(one.is_dispatch_bound for one in alone.functions)
    assert any("dispatch rather than the kernel" in text for text in alone.cautions)


def test_ratio_by_inputs_is_a_geometric_mean() -> None:
    run, _ = planted(functions=1, samples=2, processes=1)
    rows = run.frame().to_dicts()
    for row, log in zip(rows, (np.log(2.0), np.log(8.0)), strict=True):
        row["block_log_ratios"] = " ".join([f"{log:.12f}"] * 7)
    (one,) = found(run_of(rows)).functions
    assert one.ratio == pytest.approx(4.0)
    assert (one.steady.low, one.steady.high) == pytest.approx((4.0, 4.0))


def test_without_blocks_the_medians_give_the_ratio_of_separate_targets() -> None:
    base = {
        "run_id": "r", "framework": "torch", "function": "torch.add", "status": "ok", "protocol": "1",
        "sample_id": "s", "repeat": 0, "host_hash": "h", "reference": "torch:none",
    }  # fmt: skip
    rows = [
        base | {"target": "torch:a", "task_id": "1", "median_s": 2.0, "first_s": 4.0},
        base | {"target": "torch:b", "task_id": "2", "median_s": 6.0, "first_s": 36.0},
    ]
    result = found(run_of(rows), source="torch:a", target="torch:b")
    assert (result.how, result.functions[0].ratio) == ("separate", pytest.approx(3.0))
    assert result.functions[0].at("first_calls") == pytest.approx(9.0)
    assert result.functions[0].first_over_steady == pytest.approx(6.0)
    assert any("did not take turns" in text for text in result.cautions)
    assert any("one process was timed" in text for text in result.cautions)


def test_the_quick_protocol_gives_no_share_over_ten() -> None:
    run, _ = planted(protocol="1q", processes=1, slowdown_median=30.0)
    result = found(run)
    findings = {one.id: one for one in result.findings()}
    over = findings["portability.share_over_10x.made.plain.other"]
    assert (over.status, over.estimate.value) == ("not_identified", None)
    assert "full protocol" in over.details["reason"]
    assert all(row["share_over_10x"] is None for row in result.grid_rows())
    assert findings["portability.slowdown_median.made.plain.other"].status == "ok"


def test_functions_over_ten_are_counted_by_point_and_by_interval() -> None:
    run, truth = planted(slowdown_median=10.0, slowdown_sd=0.5, functions=40)
    result = found(run)
    near = [abs(np.log(one["ratio"] / 10)) < NOISE for one in truth.values()]
    sure = sum(one["ratio"] > 10 for one in truth.values())
    assert abs(result.over - sure) <= sum(near)
    assert result.surely_over <= result.over
    finding = {one.id: one for one in result.findings()}["portability.share_over_10x.made.plain.other"]
    assert {"framework", "source", "target", "count", "functions", "doubts", "grid_low"} <= set(
        finding.details
    )
    assert finding.details["count"] == result.over
    assert finding.details["grid_low"] == result.grid_low is not None


def test_more_processes_narrow_the_interval_and_one_says_so() -> None:
    widths = {}
    for processes in (1, 3, 12):
        run, _ = planted(processes=processes, process_sd=0.05, functions=12)
        result = found(run)
        widths[processes] = np.mean([np.log(one.steady.high / one.steady.low) for one in result.functions])
        assert any("one process" in doubt for doubt in result.doubts) == (processes == 1)
    assert widths[12] < widths[3]


@pytest.mark.parametrize("n", [3, 5, 6])
def test_the_law_of_a_resampled_median_is_that_of_all_resamples(n: int) -> None:
    m = n if n % 2 else n - 1
    medians = np.sort(np.array(list(product(range(n), repeat=m))), axis=1)[:, m // 2]
    expected = np.cumsum(np.bincount(medians, minlength=n)) / medians.size
    assert _order_law(n) == pytest.approx(expected)


def test_back_ends_that_name_one_processor_differently_ran_on_one_device() -> None:
    from isoflop import portability

    result = portability.slowdown(portability.shipped_run(), source="torch:eager", target="torch:openvino")
    assert result.devices == ("AMD EPYC", "AMD EPYC")
    assert not result.two_devices


def test_two_devices_are_told_from_two_modes() -> None:
    run, _ = planted(functions=3)
    rows = run.frame().to_dicts()
    assert any("do not name two devices" in text for text in found(run).cautions)
    named = [{**row, "device_name": "accelerator", "cpu_model": "processor"} for row in rows]
    source = [
        {**row, "target": "made:plain", "task_id": f"p{row['task_id']}", "device_name": "processor"}
        for row in named
    ]
    result = found(run_of(named + source))
    assert result.devices == ("processor", "accelerator")
    assert result.two_devices


@pytest.mark.parametrize(
    ("asked", "error", "message"),
    [
        ({"target": "tpu_v9"}, EvidenceError, "slowdown: target 'tpu_v9' not in timings; present are made:"),
        ({"target": "made:othr"}, EvidenceError, "Closest is 'made:other'"),
        ({"protocol": "7"}, EvidenceError, "protocol '7' not in timings"),
        ({"framework": "jax"}, EvidenceError, "present are none"),
        ({"rule": "opwise"}, SettingError, "is for published timings"),
        ({"ci": Bootstrap(reps=1)}, SettingError, "reps=1"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    asked: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        found(planted()[0], **asked)


def test_protocols_are_never_mixed() -> None:
    full, _ = planted(functions=3)
    quick, _ = planted(functions=3, protocol="1q", processes=1)
    rows = full.frame().to_dicts() + [
        {**row, "task_id": f"q{row['task_id']}"} for row in quick.frame().to_dicts()
    ]
    with pytest.raises(
        EvidenceError, match="protocols 1 and 1q time differently; ratios across them are refused"
    ):
        found(run_of(rows))
    assert found(run_of(rows), protocol="1").protocol == "1"


def test_nothing_timed_on_both_is_said() -> None:
    run, _ = planted(functions=3, protocol="none", processes=1)
    with pytest.raises(EvidenceError, match="nothing passed and was timed on both"):
        found(run)


def test_a_result_is_a_table_and_plain_json() -> None:
    result = found(planted()[0])
    assert isinstance(result.frame(), pl.DataFrame)
    assert result.frame()["ratio"].is_sorted(descending=True)
    assert set(result.to_dict()) >= {"functions", "grid", "cautions", "provenance"}
    assert "median" in result.summary()

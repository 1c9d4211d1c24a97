"""The rules of published timings against plain loops over rows, on made-up and on the published files."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from statistics import fmean, geometric_mean, median
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.evidence import load
from isoflop.portability.paper import PaperResults, paper_slowdown, read_paper
from isoflop.portability.paper.contamination import contamination
from isoflop.portability.paper.failures import failure_rows
from isoflop.portability.paper.first_calls import first_calls
from isoflop.portability.paper.latency import Sides, function_ratios
from isoflop.portability.paper.model import GRID, Latency
from isoflop.portability.paper.study import study

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "portability_published.json").read_text())
ROUNDING = 1e-9
"""Sums in another order differ in the last digits."""
Calls = dict[tuple[int, str, str], list[float]]


def made_up(seed: int, *, runs: int = 2) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return outcomes and timings of one framework on two devices, with every trouble of the real ones."""
    rng = np.random.default_rng(seed)
    outcomes: list[dict[str, Any]] = []
    timings: list[dict[str, Any]] = []
    row: dict[str, Any]
    for target, token in (("gpu", "_cuda"), ("tpu", "_xla")):
        for function in ("abs", "add", "sort"):
            for stem in ("test_a", "test_b"):
                for dtype in ("_float32", "_int64"):
                    bare = f"{stem}{token}{dtype}"
                    for name in ("One", "Two")[: 1 + int(rng.random() < 0.3)]:
                        word = rng.choice(["passed", "failed", "skipped"], p=[0.8, 0.1, 0.1])
                        row = {"framework": "torch", "target": target, "function": function}
                        outcomes.append(row | {"test": f"{name}::{bare}", "outcome": str(word)})
                    calls = int(rng.integers(1, 5))
                    for run in range(1, runs + 1):
                        for place in range(calls + int(rng.random() < 0.1)):
                            row = {"framework": "torch", "target": target, "run": run, "function": function}
                            seconds = float(rng.lognormal())
                            timings.append(row | {"test": bare, "op_index": place, "seconds": seconds})
            row = {"framework": "torch", "target": target, "run": 1, "function": function}
            timings.append(row | {"test": "test_a_cpu_float32", "op_index": 0, "seconds": 1.0})
    return outcomes, timings


def results(outcomes: list[dict[str, Any]], timings: list[dict[str, Any]]) -> PaperResults:
    """Return made-up rows as they are after reading."""
    tables = [
        load(pl.DataFrame(rows), schema=f"portability_{name}") if rows else None
        for name, rows in (("outcomes", outcomes), ("timings", timings))
    ]
    return PaperResults(outcomes_table=tables[0], timings_table=tables[1])


def calls_of(timings: Iterable[dict[str, Any]], framework: str, target: str) -> Calls:
    """Return the seconds of each run, function and test, in the order of their index."""
    found: dict[tuple[int, str, str], list[tuple[float, float]]] = defaultdict(list)
    for row in timings:
        if (row["framework"], row["target"]) == (framework, target):
            key = (int(row["run"]), row["function"], row["test"])
            found[key].append((row["op_index"], row["seconds"]))
    return {key: [seconds for _, seconds in sorted(calls)] for key, calls in found.items()}


def published_side(
    outcomes: Iterable[dict[str, Any]], calls: Calls, framework: str, report: str, token: str
) -> dict[tuple[str, str], list[float]]:
    """Append calls test by test, then cut names: steps 2 and 3 of the published analysis."""
    kept: dict[tuple[str, str], list[float]] = {}
    passed = [
        (row["function"], row["test"].split("::")[-1])
        for row in outcomes
        if (row["framework"], row["target"], row["outcome"]) == (framework, report, "passed")
    ]
    for run in sorted({run for run, _, _ in calls}):
        for function, bare in passed:
            if "_cpu" not in f"{function}:{bare}" and (run, function, bare) in calls:
                kept.setdefault((function, bare), []).extend(calls[run, function, bare])
    cut: dict[tuple[str, str], list[float]] = {}
    for (function, bare), seconds in kept.items():
        cut[function, bare.split(token)[0] if framework == "torch" else bare] = seconds
    return cut


def published(
    outcomes: list[dict[str, Any]],
    timings: list[dict[str, Any]],
    framework: str,
    sides: list[tuple[str, str, str]],
) -> dict[str, float]:
    """Return ratios of means over functions; a side is a target, its report and its token."""
    one, other = (
        published_side(outcomes, calls_of(timings, framework, target), framework, report, token)
        for target, report, token in sides
    )
    pools: dict[str, tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
    for key in one.keys() & other.keys():
        pools[key[0]][0].extend(one[key])
        pools[key[0]][1].extend(other[key])
    return {function: fmean(b) / fmean(a) for function, (a, b) in pools.items()}


def by_call(
    timings: list[dict[str, Any]], framework: str, pair: tuple[str, str], kind: str
) -> dict[str, float]:
    """Return ratios from medians of each call, names cut at the device's token, first calls kept."""
    lists: list[dict[tuple[str, str], list[list[float]]]] = []
    for target in pair:
        side: dict[tuple[str, str], list[list[float]]] = defaultdict(list)
        for (_, function, test), seconds in calls_of(timings, framework, target).items():
            if "_cpu" not in test.lower():
                side[function, test.split("_xla")[0].split("_cuda")[0]].append(seconds)
        lists.append(side)
    sums: dict[str, tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
    for key in lists[0].keys() & lists[1].keys():
        if len({len(calls) for side in lists for calls in side[key]}) == 1:
            a, b = ([median(call) for call in zip(*side[key], strict=True)] for side in lists)
            if kind == "robust":
                a, b = [1.0], [geometric_mean([y / x for x, y in zip(a, b, strict=True)])]
            sums[key[0]][0].extend(a)
            sums[key[0]][1].extend(b)
    if kind == "robust":
        return {function: geometric_mean(b) for function, (_, b) in sums.items()}
    return {function: sum(b) / sum(a) for function, (a, b) in sums.items()}


@settings(max_examples=5)
@given(seed=st.integers(0, 10**6), runs=st.integers(1, 4))
def test_the_published_steps_and_plain_loops_agree(seed: int, runs: int) -> None:
    outcomes, timings = made_up(seed, runs=runs)
    found = results(outcomes, timings)
    sides = [("gpu", "gpu", "_cuda"), ("tpu", "tpu", "_xla")]
    ours = paper_slowdown(found, source="gpu", target="tpu", rule="paper", with_grid=False).ratios
    assert ours == pytest.approx(published(outcomes, timings, "torch", sides), rel=ROUNDING)
    for kind in ("opwise", "robust"):
        rule = Latency(statistic=kind, first_call="keep", outcome_filter=False, dtype_join="collapse")
        ratios = function_ratios(Sides(found, "torch"), "gpu", "tpu", rule)
        assert ratios == pytest.approx(by_call(timings, "torch", ("gpu", "tpu"), kind), rel=ROUNDING)


@settings(max_examples=2)
@given(seed=st.integers(0, 10**6))
def test_there_and_back_is_one_and_order_and_names_do_not_matter(seed: int) -> None:
    outcomes, timings = made_up(seed)
    rng = np.random.default_rng(seed)
    shuffled = [[dict(rows[i]) for i in rng.permutation(len(rows))] for rows in (outcomes, timings)]
    for row in (*shuffled[0], *shuffled[1]):
        row["target"] = {"gpu": "new chip", "tpu": "newer chip"}[row["target"]]
    one, other = Sides(results(outcomes, timings), "torch"), Sides(results(*shuffled), "torch")
    for rule in (*GRID[::5], Latency()):
        there = function_ratios(one, "gpu", "tpu", rule)
        back = function_ratios(one, "tpu", "gpu", rule)
        assert {name: 1 / ratio for name, ratio in back.items()} == pytest.approx(there, rel=ROUNDING)
        assert function_ratios(other, "new chip", "newer chip", rule) == pytest.approx(there, rel=ROUNDING)


@pytest.mark.parametrize("statistic", ["mean", "median", "opwise", "robust"])
def test_a_planted_factor_is_recovered_and_a_slow_first_call_moves_only_rules_that_keep_it(
    statistic: Any,
) -> None:
    timings: list[dict[str, Any]] = [
        {"framework": "made", "target": target, "run": run, "function": "f", "test": f"t{test}",
         "op_index": place, "seconds": factor * (50.0 if place == 0 and target == "b" else 1.0) * (1 + test)}
        for target, factor in (("a", 1.0), ("b", 3.0))
        for run in (1, 2)
        for test in (0, 1)
        for place in range(4)
    ]  # fmt: skip
    sides = Sides(results([], timings), "made")
    rule = Latency(statistic=statistic, outcome_filter=False)
    assert function_ratios(sides, "a", "b", rule.but(first_call="drop"))["f"] == pytest.approx(3.0)
    kept = function_ratios(sides, "a", "b", rule.but(first_call="keep"))["f"]
    assert kept > 5 if statistic != "median" else kept == pytest.approx(3.0, rel=0.7)


def test_a_name_counts_as_passed_only_if_it_passed_in_every_class() -> None:
    row: dict[str, Any] = {"framework": "made", "function": "f"}
    outcomes = [
        row | {"target": target, "test": f"{name}::t", "outcome": "failed" if name == target else "passed"}
        for target in ("a", "b")
        for name in ("a", "Other")
    ]
    timings = [
        row | {"target": target, "run": 1, "test": "t", "op_index": 0, "seconds": 1.0}
        for target in ("a", "b")
    ]
    sides = Sides(results(outcomes, timings), "made")
    assert function_ratios(sides, "a", "b", Latency()) == {}
    assert function_ratios(sides, "a", "b", Latency(outcome_filter=False)) == {"f": 1.0}


@pytest.fixture(scope="module")
def files(public_data: Path) -> PaperResults:
    """Return the published result files."""
    return read_paper(public_data / "portability")


@pytest.mark.public_data
def test_published_counts_of_tests_calls_and_functions(files: PaperResults) -> None:
    rows = {f"{row['framework']} {row['target']}": row for row in files.rows()}
    assert {k: [rows[k][w] for w in ("passed", "failed", "skipped")] for k in GOLDEN["outcomes"]} == GOLDEN[
        "outcomes"
    ]
    assert {k: row["calls_by_run"] for k, row in rows.items() if row["calls_by_run"]} == GOLDEN[
        "calls_by_run"
    ]
    counts = ("counted", "success", "partial", "complete", "not_counted")
    failed = {f"{row['framework']} {row['target']}": [row[c] for c in counts] for row in failure_rows(files)}
    assert {name: failed[name] for name in GOLDEN["failure"]} == GOLDEN["failure"]
    assert len(failed) == 8


@pytest.mark.public_data
@pytest.mark.parametrize("framework", ["torch", "tensorflow", "jax"])
def test_published_slow_downs_by_the_papers_steps(files: PaperResults, framework: str) -> None:
    found = paper_slowdown(files, framework=framework, source="gpu_t4", target="tpu_v3", rule="paper")
    assert [found.n, found.slower, found.over] == GOLDEN["slowdown"][framework]
    assert files.outcomes_table is not None
    assert files.timings_table is not None
    outcomes, timings = files.outcomes_table.frame.to_dicts(), files.timings_table.frame.to_dicts()
    reports = {
        "torch": ("gpu_t4", "tpu_v3"),
        "tensorflow": ("gpu_t4_early", "tpu_v3_early"),
        "jax": ("gpu_t4", "gpu_t4"),
    }[framework]
    sides = [("gpu_t4", reports[0], "_cuda"), ("tpu_v3", reports[1], "_xla")]
    assert found.ratios == pytest.approx(published(outcomes, timings, framework, sides), rel=ROUNDING)
    opwise = paper_slowdown(
        files, framework=framework, source="gpu_t4", target="tpu_v3", rule="opwise", with_grid=False
    )
    expected = by_call(timings, framework, ("gpu_t4", "tpu_v3"), "opwise")
    assert opwise.ratios == pytest.approx(expected, rel=ROUNDING)


@pytest.mark.public_data
def test_published_share_over_ten_times_and_its_grid(files: PaperResults) -> None:
    found = {f.id: f for f in study(files, compat="paper").findings()}
    over = found["portability.share_over_10x"]
    assert (over.details["count"], over.n) == (35, 43)
    assert (over.estimate.low, over.estimate.high) == pytest.approx(GOLDEN["wilson_over_10x"], abs=5e-4)
    assert over.estimate == found["portability.share_over_10x.torch.gpu_t4.tpu_v3"].estimate
    grid = study(files, framework="jax").grid_rows()
    assert sorted({(r["framework"], r["source"], r["target"]) for r in grid}) == [
        (name, "gpu_t4", "tpu_v3") for name in ("jax", "tensorflow", "torch")
    ]
    assert len(grid) == 3 * len(GRID) == 96
    dropped = {r["n"] for r in grid if (r["framework"], r["first_call"]) == ("jax", "drop")}
    assert dropped == {11}
    means = [r for r in grid if r["framework"] == "torch" and r["statistic"] == "mean"]
    assert [r["over_10x"] for r in means if r["first_call"] == "keep" and r["outcome_filter"]] == [35, 35]


@pytest.mark.public_data
def test_published_first_calls_names_and_reasons(files: PaperResults) -> None:
    calls = first_calls(files)
    for least, golden in ((3, GOLDEN["first_calls"]), (5, GOLDEN["first_calls_of_five"])):
        for name, (middle, upper) in golden.items():
            framework, target = name.split()
            ratios = calls.filter(
                (pl.col("framework") == framework) & (pl.col("target") == target) & (pl.col("calls") >= least)
            )["ratio"].sort()
            assert ratios.median() == pytest.approx(middle, abs=0.1)
            if upper is not None:
                assert ratios[int(0.9 * ratios.len())] == pytest.approx(upper, rel=0.05)
    assert files.usage_table is not None
    for row in contamination(files.usage_table):
        shares = [row["builtin_share"], row["python_share"]]
        assert shares == pytest.approx(GOLDEN["contamination"][row["framework"]], abs=5e-4)
    failed = files.outcomes().filter(pl.col("reason").is_not_null())
    for name, golden in GOLDEN["reasons"].items():
        framework, target = name.split()
        mine = failed.filter((pl.col("framework") == framework) & (pl.col("target") == target))
        assert dict(mine["reason"].value_counts().iter_rows()) == golden


@pytest.mark.public_data
def test_doubts_about_the_published_files_are_named(files: PaperResults) -> None:
    said = " ".join(files.cautions)
    for doubt in (
        "tensorflow gpu_t4 47",
        "tensorflow queuerunner",
        "apply only in outcomes",
        "flush only in the list",
        "select only in the list",
        "4 tests have other numbers of timed calls",
        "jax tpu_v3",
        "tpu_v3_early",
        "_cpu",
    ):
        assert doubt in said


@pytest.mark.public_data
def test_the_section_says_which_failures_speak_of_policy_or_harness(files: PaperResults) -> None:
    from isoflop.portability.chapter.paper import paper_section

    said = " ".join(paper_section(study(files, compat="paper")).prose)
    assert "172 of 183 of tensorflow on gpu_t4 are refusals to place" in said
    assert "130 of 140 of jax on gpu_t4 are faults of the harness" in said
    assert "35 over ten times (81 %, 67 % to 90 %)" in said

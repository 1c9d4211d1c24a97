"""Slow-downs from published timings: one pipeline for every combination of the choices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.errors import EvidenceError
from isoflop.portability.paper.failures import TORCH
from isoflop.portability.paper.model import (
    CPU_TEST,
    LEAST_CALLS,
    DtypeJoin,
    FirstCall,
    Latency,
    joined_name,
)

if TYPE_CHECKING:
    import polars as pl

    from isoflop.portability.paper.results import PaperResults

KEY = ["function", "name"]
EARLY = "tensorflow"
"""The framework whose earlier reports the published plots read."""


class Sides:
    """The calls of a framework's targets under joined names, each made once for all rules that share it.

    Parameters
    ----------
    found : PaperResults
    framework : str
    """

    def __init__(self, found: PaperResults, framework: str) -> None:
        self.found = found
        self.framework = framework
        self._calls: dict[tuple[str, FirstCall, DtypeJoin], pl.DataFrame] = {}
        self._passed: dict[str, pl.DataFrame] = {}

    def calls(self, target: str, rule: Latency) -> pl.DataFrame:
        """Return the calls of one side, the host's tests and dropped first calls left out."""
        key = target, rule.first_call, rule.dtype_join
        if key not in self._calls:
            self.found.need_timings(self.framework, target)
            self._calls[key] = _side(self.found, self.framework, target, rule)
        return self._calls[key]

    def passed(self, target: str) -> pl.DataFrame:
        """Return the names, dtypes told apart, that passed in every class on a target."""
        if target not in self._passed:
            self._passed[target] = _passed(self.found, self.framework, target)
        return self._passed[target]

    def chosen(self, target: str, other: str, rule: Latency) -> pl.DataFrame:
        """Return the calls of one side that count, by its own report or, without one, by the other side's."""
        calls = self.calls(target, rule)
        if not rule.outcome_filter:
            return calls
        for report in (target, other):
            if self.found.has_outcomes(self.framework, report):
                return calls.join(self.passed(report), on=["function", "kept"], how="semi")
        return calls


def function_ratios(sides: Sides, source: str, target: str, rule: Latency) -> dict[str, float]:
    """Return how many times slower each function is on the target, by its name.

    Only tests timed on both sides count; a function without one is left out.
    """
    both = sides.chosen(source, target, rule), sides.chosen(target, source, rule)
    if rule.statistic in ("mean", "median"):
        return _pooled(both[0], both[1], rule.statistic)
    return _call_by_call(both[0], both[1], rule)


def _side(found: PaperResults, framework: str, target: str, rule: Latency) -> pl.DataFrame:
    """Return the calls of one side under joined names, the host's tests and dropped first calls left out."""
    import polars as pl

    calls = found.calls.filter(
        (pl.col("framework") == framework)
        & (pl.col("target") == target)
        & ~pl.col("test").str.to_lowercase().str.contains(CPU_TEST, literal=True)
    )
    calls = calls.with_columns(
        place=pl.col("op_index").rank("ordinal").over("run", "function", "test"),
        calls=pl.len().over("run", "function", "test"),
    )
    if rule.first_call == "drop":
        calls = calls.filter(pl.col("place") > 1)
    elif rule.first_call == "drop_if_three":
        calls = calls.filter((pl.col("place") > 1) | (pl.col("calls") < LEAST_CALLS))
    calls = calls.with_columns(kept=_joined(calls["test"], "keep"))
    return calls.with_columns(
        name=calls["kept"] if rule.dtype_join == "keep" else _joined(calls["test"], "collapse")
    )


def _joined(tests: pl.Series, dtype: DtypeJoin) -> pl.Series:
    import polars as pl

    names = {test: joined_name(test, dtype) for test in tests.unique()}
    return tests.replace_strict(names, return_dtype=pl.String)


def _passed(found: PaperResults, framework: str, target: str) -> pl.DataFrame:
    import polars as pl

    tests = found.tests.filter((pl.col("framework") == framework) & (pl.col("target") == target))
    return (
        tests.with_columns(kept=_joined(tests["bare"], "keep"))
        .group_by("function", "kept")
        .agg(good=(pl.col("outcome") == "passed").all())
        .filter("good")
        .select("function", "kept")
    )


def _pooled(source: pl.DataFrame, target: pl.DataFrame, statistic: str) -> dict[str, float]:
    """Return the ratio of means or medians over all calls of a function in tests of both sides."""
    import polars as pl

    column = pl.col("seconds").mean() if statistic == "mean" else pl.col("seconds").median()
    shared = source.select(KEY).unique().join(target.select(KEY).unique(), on=KEY)
    one, other = (
        side.join(shared, on=KEY, how="semi").group_by("function", maintain_order=True).agg(value=column)
        for side in (source, target)
    )
    both = one.join(other, on="function", suffix="_target", maintain_order="left")
    return dict(both.select("function", pl.col("value_target") / pl.col("value")).iter_rows())


def _call_by_call(source: pl.DataFrame, target: pl.DataFrame, rule: Latency) -> dict[str, float]:
    """Return the ratio from medians over runs of each call.

    A name counts if every list of calls, on both sides, has the same length. ``opwise`` divides sums over
    calls, ``robust`` takes the geometric mean of their ratios, test by test.
    """
    import polars as pl

    lengths = (
        pl.concat([source, target])
        .group_by(*KEY, "target", "run", "test")
        .len()
        .group_by(KEY)
        .agg(sizes=pl.col("len").n_unique(), sides=pl.col("target").n_unique())
        .filter((pl.col("sizes") == 1) & (pl.col("sides") == 2))
    )
    one, other = (
        side.join(lengths, on=KEY, how="semi")
        .with_columns(call=pl.col("place").rank("dense").over(*KEY, "run", "test"))
        .group_by(*KEY, "call", maintain_order=True)
        .agg(seconds=pl.col("seconds").median())
        for side in (source, target)
    )
    both = one.join(other, on=[*KEY, "call"], suffix="_target", maintain_order="left")
    if rule.statistic == "opwise":
        ratios = both.group_by("function", maintain_order=True).agg(
            ratio=pl.col("seconds_target").sum() / pl.col("seconds").sum()
        )
    else:
        ratios = (
            both.with_columns(log=(pl.col("seconds_target") / pl.col("seconds")).log())
            .group_by(KEY, maintain_order=True)
            .agg(pl.col("log").mean())
            .group_by("function", maintain_order=True)
            .agg(ratio=pl.col("log").mean().exp())
        )
    return dict(ratios.select("function", "ratio").iter_rows())


def paper_ratios(found: PaperResults, framework: str, source: str, target: str) -> dict[str, float]:
    """Return the ratios as the published analysis counts them.

    Per side and run, the calls of each passed test are appended in the order of the report, once for each
    class that a bare name passes in. For torch the name is then cut at the device's token, so that dtypes
    collapse and the last of several names replaces the others. What is on both sides is pooled by function:
    ratio of means. TensorFlow takes its earlier reports; a target without a report takes that of the other
    side. Source: code and result files of Mince et al. (2023).
    """
    import polars as pl

    found.need_timings(framework, source)
    found.need_timings(framework, target)
    sides = []
    for side, other in ((source, target), (target, source)):
        report = _report(found, framework, side, other)
        sides.append(_appended(found, framework, side, report))
    both = sides[0].join(sides[1], on=KEY, suffix="_target", maintain_order="left")
    pooled = both.group_by("function", maintain_order=True).agg(
        ratio=(pl.col("total_target").sum() / pl.col("calls_target").sum())
        / (pl.col("total").sum() / pl.col("calls").sum())
    )
    return dict(pooled.iter_rows())


def _report(found: PaperResults, framework: str, side: str, other: str) -> str:
    early = framework == EARLY
    for name in (side, other):
        for report in (f"{name}_early", name) if early else (name,):
            if found.has_outcomes(framework, report):
                return report
    raise EvidenceError(
        f"slowdown: no outcome report for {framework} on {side} or {other}; rule 'paper' needs one. Use "
        "rule='opwise'."
    )


def _appended(found: PaperResults, framework: str, target: str, report: str) -> pl.DataFrame:
    """Return total seconds and calls by function and name, as repeated appending gives them."""
    import polars as pl

    passed = (
        found.tests.filter(
            (pl.col("framework") == framework)
            & (pl.col("target") == report)
            & (pl.col("outcome") == "passed")
            & ~(pl.col("function") + ":" + pl.col("bare")).str.contains(CPU_TEST, literal=True)
        )
        .with_row_index("place")
        .group_by("function", "bare", maintain_order=True)
        .agg(times=pl.len(), place=pl.col("place").min())
    )
    calls = found.calls.filter((pl.col("framework") == framework) & (pl.col("target") == target))
    sums = calls.group_by("function", "test", maintain_order=True).agg(
        total=pl.col("seconds").sum(), calls=pl.len(), run=pl.col("run").min()
    )
    joined = passed.join(
        sums, left_on=["function", "bare"], right_on=["function", "test"], maintain_order="left"
    )
    joined = joined.with_columns(
        total=pl.col("total") * pl.col("times"), calls=pl.col("calls") * pl.col("times")
    ).sort("run", "place")
    name = pl.col("bare")
    if framework == TORCH:
        name = name.str.replace(r"_(?:cuda|xla).*$", "")
    return (
        joined.with_columns(name=name)
        .unique(KEY, keep="last", maintain_order=True)
        .select(*KEY, "total", "calls")
    )

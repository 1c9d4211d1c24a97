"""What the published result files say, and how much of it the counting decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.portability.figures import paper as pictures
from isoflop.portability.published import WAIT
from isoflop.present import formats
from isoflop.present.chapter import Column, Figure, Section, Table

if TYPE_CHECKING:
    from isoflop.portability.paper.slowdown import PaperSlowdown
    from isoflop.portability.paper.study import PaperStudy

FAILURE = (
    Column(name="framework", label="Framework"),
    Column(name="target", label="Target"),
    Column(name="counted", label="Functions", format="count"),
    Column(name="success", label="Succeed", format="count"),
    Column(name="partial", label="Fail in part", format="count"),
    Column(name="complete", label="Fail completely", format="count"),
    Column(name="failing_share", label="Failing", format="percent"),
    Column(name="low", label="Low", format="percent"),
    Column(name="high", label="High", format="percent"),
    Column(name="failing_share_ours", label="Without faults of the harness", format="percent"),
)
SLOWDOWN = (
    Column(name="framework", label="Framework"),
    Column(name="source", label="From"),
    Column(name="target", label="To"),
    Column(name="rule", label="Rule"),
    Column(name="n", label="Functions", format="count"),
    Column(name="slower", label="Slower", format="count"),
    Column(name="over_10x", label="Over 10×", format="count"),
    Column(name="share_over_10x", label="Share over 10×", format="percent"),
    Column(name="median", label="Median (×)", format="number"),
    Column(name="median_low", label="Low", format="number"),
    Column(name="median_high", label="High", format="number"),
)
GRID = (
    Column(name="framework", label="Framework"),
    Column(name="statistic", label="Statistic"),
    Column(name="first_call", label="First calls"),
    Column(name="outcome_filter", label="Passed alone"),
    Column(name="dtype_join", label="Dtypes"),
    Column(name="n", label="Functions", format="count"),
    Column(name="share_over_10x", label="Share over 10×", format="percent"),
    Column(name="median", label="Median (×)", format="number"),
)
FIRST_CALLS = (
    Column(name="framework", label="Framework"),
    Column(name="target", label="Target"),
    Column(name="tests", label="Tests and runs", format="count"),
    Column(name="median", label="Median (×)", format="number"),
    Column(name="p90", label="90th percentile (×)", format="number"),
)
CONTAMINATION = (
    Column(name="framework", label="Framework"),
    Column(name="names", label="Names", format="count"),
    Column(name="hits", label="Hits", format="count"),
    Column(name="builtin_share", label="Built-ins", format="percent"),
    Column(name="python_share", label="Built-ins and methods", format="percent"),
)

TELLING = {
    "placement": "are refusals to place an operation there",
    "harness": "are faults of the harness",
}
"""Reasons that speak of a policy or of the tests rather than of the device."""


def paper_section(found: PaperStudy) -> Section:
    """Return the section on the published result files."""
    tables = [
        Table(id="paper-lost", title="Functions lost, by the paper's rule", columns=FAILURE,
              rows=tuple(found.failure_rows()),
              note="A function is one test file; skipped tests are left out. The last column leaves out "
              "faults of "
              "the harness too."),
        Table(id="paper-slowdowns", title="Slow-downs between targets, under both rules", columns=SLOWDOWN,
              rows=tuple(found.slowdown_rows()),
              note="paper: as published. robust: geometric mean over calls, first calls dropped where three "
              "are there, passed tests alone, dtypes told apart. Median with the interval of functions "
              "drawn "
              "anew."),
        Table(id="paper-first", title="First call over the median of later ones", columns=FIRST_CALLS,
              rows=tuple(found.first_call_rows()), note="Tests with three timed calls or more."),
        Table(id="paper-names", title="Hits on bare names that are Python's own", columns=CONTAMINATION,
              rows=tuple(found.contamination_rows()), note="An upper bound: sum and max may be either."),
    ]  # fmt: skip
    return Section(
        id="published-files",
        title="What the published result files say",
        prose=tuple(_prose(found)),
        figures=paper_figures(found),
        tables=tuple(table for table in tables if table.rows),
        cautions=found.cautions,
    )


def paper_figures(found: PaperStudy) -> tuple[Figure, ...]:
    """Return the pictures that the files allow."""
    out: list[Figure] = []
    source = "result files of the authors"
    if found.failures:
        counted = sum(row["counted"] for row in found.leading_failures())
        out.append(
            Figure(
                id="paper-functions-lost",
                title="Functions that fail on each device",
                subtitle="Share of functions that fail completely or in part; _soft: may be placed elsewhere",
                frame=pictures.lost_data(found),
                chart=lambda: pictures.lost(found),
                alt="Stacked bars, one a framework and target, with the interval of their sum.",
                source=source,
                n=counted,
                interval="Lines: Wilson, 95 %",
            )
        )
    head = found.headline
    if head is not None:
        out += _headline_figures(head, source)
    if found.results.timings_table is not None and found.first_call_rows():
        out.append(
            Figure(
                id="paper-first-calls",
                title="First calls are timed with the rest, and take many times as long",
                subtitle="First call over the median of later ones: median over tests, line to the 90th "
                "percentile",
                frame=pictures.first_calls_data(found),
                chart=lambda: pictures.first_calls(found),
                alt="Points with lines to the right, one a framework and target, on a logarithmic axis.",
                source=source,
                n=sum(row["tests"] for row in found.first_call_rows()),
                interval="Lines reach the 90th percentile of tests; no interval of the median is drawn",
            )
        )
    return tuple(out)


def _headline_figures(head: PaperSlowdown, source: str) -> list[Figure]:
    level = formats.percent(head.level)
    pair = f"{head.framework}, {head.source} to {head.target}"
    figures = [
        Figure(
            id="paper-slowdown",
            title=f"{head.over} of {head.n} functions are over ten times slower ({pair})",
            subtitle="Each point a function; lines at 1 and 10",
            frame=pictures.ratios_data(head),
            chart=lambda: pictures.ratios(head),
            alt="Points rising from left to right on a logarithmic axis of ratios.",
            source=source,
            n=head.n,
            interval=f"No interval of a function is drawn; the share over 10× is {_share(head)}",
        )
    ]
    if head.grid:
        figures.append(
            Figure(
                id="paper-grid",
                title="The share over ten times under every way of counting",
                subtitle=f"{pair}: statistic (columns), first calls, filter and dtypes (rows)",
                frame=pictures.grid_data(head),
                chart=lambda: pictures.grid(head),
                alt="Four panels of points with intervals, one row a combination of choices.",
                source=source,
                n=head.n,
                interval=f"Lines: Wilson, {level}",
            )
        )
    return figures


def _prose(found: PaperStudy) -> list[str]:
    framework, _, target = found.pair
    out = []
    lost = {(row["framework"], row["target"]): row for row in found.leading_failures()}
    row = lost.get((framework, target))
    if row is not None:
        failing = row["partial"] + row["complete"]
        out.append(
            f"Of {row['counted']} functions of {framework} tested on {target}, **{failing} fail wholly or "
            f"in part ({formats.percent(row['failing_share'])}, {formats.percent(row['low'])} to "
            f"{formats.percent(row['high'])})**, {row['complete']} of them completely."
        )
    head = found.headline
    if head is not None:
        out.append(
            f"Of {head.n} functions that run on both {head.source} and {head.target}, {head.slower} are "
            f"slower and **{head.over} over ten times ({_share(head)})**; the median is "
            f"{formats.estimate(head.median)} under this rule ({head.words})."
        )
        if head.grid_low is not None and head.grid_high is not None:
            out.append(
                f"Over every way of counting with enough functions the share over ten times lies between "
                f"{formats.percent(head.grid_low)} and {formats.percent(head.grid_high)}. "
                f"{WAIT}"
            )
    if found.results.outcomes_table is not None:
        out += _ruled_by_one_reason(found)
    return out


def _ruled_by_one_reason(found: PaperStudy) -> list[str]:
    """Return which targets' failing tests mostly have one reason that says little of the device."""
    import polars as pl

    failed = found.results.outcomes().filter(pl.col("reason").is_not_null())
    counts = failed.group_by("framework", "target", "reason", maintain_order=True).len()
    whole = pl.col("len").sum().over("framework", "target")
    ruled = counts.with_columns(whole=whole).filter(
        pl.col("reason").is_in(list(TELLING)) & (pl.col("len") * 2 > pl.col("whole"))
    )
    parts = [
        f"{n} of {all_} of {framework} on {target} {TELLING[reason]}"
        for framework, target, reason, n, all_ in ruled.iter_rows()
    ]
    if not parts:
        return []
    return [
        f"Failing tests do not all speak of the device: {'; '.join(parts)}. A failure share is that of a "
        "placement policy and of a harness too."
    ]


def _share(head: PaperSlowdown) -> str:
    from isoflop.portability.counted import share_estimate

    share = share_estimate(head.over, head.n, level=head.level)
    assert share.value is not None  # a slow-down has at least one function
    assert share.low is not None
    assert share.high is not None
    low, high = formats.percent(share.low), formats.percent(share.high)
    return f"{formats.percent(share.value)}, {low} to {high}"

"""The published aggregates, told where the files that they were counted in are not at hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from isoflop.present import formats, theme
from isoflop.present.chapter import Column, Figure, Section, Table

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.findings import Finding

COLUMNS = (
    Column(name="said", label="Share of functions"),
    Column(name="count", label="Count", format="count"),
    Column(name="functions", label="Of", format="count"),
    Column(name="share", label="Share", format="percent"),
    Column(name="low", label="Low", format="percent"),
    Column(name="high", label="High", format="percent"),
)
KINDS = {
    "portability.failure_share": "fail",
    "portability.share_slower": "slower",
    "portability.share_over_10x": "over 10× slower",
}
ROW = 24


def published_section(findings: Sequence[Finding]) -> Section:
    """Return the section on published shares: pairs of devices, counts, intervals."""
    frame = published_data(findings)
    first = findings[0].evidence[0]
    return Section(
        id="published-devices",
        title="What was published on moving between devices",
        prose=(
            "Result files of the study were recounted under its own rules: one function is one test "
            "file, run on an NVIDIA T4 (gpu_t4) and on a TPU (tpu_v3; the files say only tpu, the "
            "version is inferred). What ships with isoflop are the counts; `isoflop portability paper "
            "FOLDER` analyses the files themselves, with every way of counting, first calls and reasons.",
            "A failure share depends on what may count as success. Most failures of TensorFlow on the "
            "GPU are refusals to place an operation, and three of JAX's four failing functions fail in "
            "the test harness: without it one of 61 fails.",
        ),
        figures=(
            Figure(
                id="published-shares",
                title=_title(findings),
                subtitle="Share of functions, by framework and device",
                frame=frame,
                chart=lambda: published_chart(frame),
                alt="Points with intervals in three panels: fail, slower, over ten times slower.",
                source=first.source,
                n=len(frame),
                interval="Lines: Wilson, 95 %",
            ),
        ),
        tables=(
            Table(
                id="published-counts",
                title="Counts behind the shares",
                columns=COLUMNS,
                rows=tuple(
                    {**row, "said": f"{row['pair']}: {row['kind']}"} for row in frame.iter_rows(named=True)
                ),
                note="Recounted in the authors' result files; JAX has no report of outcomes on the TPU.",
            ),
            *_medians(findings),
        ),
        cautions=tuple(dict.fromkeys(c for f in findings for c in f.cautions)),
    )


def _title(findings: Sequence[Finding]) -> str:
    known = {finding.id: finding for finding in findings}
    lost, over = known["portability.failure_share"], known["portability.share_over_10x"]
    return (
        f"{lost.details['count']} of {lost.details['functions']} functions of {lost.details['framework']} "
        f"fail on {lost.details['target']}; of {over.details['functions']} that run, "
        f"{over.details['count']} are over 10× slower"
    )


def published_data(findings: Sequence[Finding]) -> pl.DataFrame:
    """Return one row a share: pair, kind, count and interval."""
    import polars as pl

    rows = []
    for finding in findings:
        name = next((n for n in KINDS if finding.id.startswith(f"{n}.")), None)
        if name is None:
            continue
        details, share = finding.details, finding.estimate
        devices = " to ".join(str(details[k]) for k in ("source", "target") if details.get(k))
        rows.append(
            {
                "pair": f"{details['framework']}, {devices}",
                "kind": KINDS[name],
                "count": details["count"],
                "functions": details["functions"],
                "share": share.value,
                "low": share.low,
                "high": share.high,
            }
        )
    return pl.DataFrame(rows, infer_schema_length=None)


def published_chart(frame: pl.DataFrame) -> alt.FacetChart:
    """Draw the shares with their intervals, one panel a kind."""
    import altair as alt

    base = alt.Chart().encode(y=alt.Y("pair:N", title=None, axis=alt.Axis(labelLimit=260)))
    axis, scale = alt.Axis(format="%", tickCount=3), alt.Scale(domain=[0, 1])
    rule = base.mark_rule(style="interval").encode(
        x=alt.X("low:Q", title="share of functions", axis=axis, scale=scale), x2="high:Q"
    )
    point = base.mark_circle(size=60, opacity=1, color=theme.BLUE).encode(
        x=alt.X("share:Q", scale=scale),
        tooltip=["pair:N", "kind:N", "count:Q", "functions:Q", "share:Q", "low:Q", "high:Q"],
    )
    header = alt.Header(labelAngle=0, labelOrient="top", labelAnchor="start", labelFontWeight="bold")
    chart: alt.FacetChart = (
        alt.layer(rule, point, data=frame)
        .properties(width=440, height=alt.Step(ROW))
        .facet(row=alt.Row("kind:N", sort=list(KINDS.values()), title=None, header=header))
        .resolve_scale(y="independent")
    )
    return chart


def _medians(findings: Sequence[Finding]) -> tuple[Table, ...]:
    rows = tuple(
        {"pair": f.label.partition(": ")[2], "said": formats.estimate(f.estimate), "functions": f.n}
        for f in findings
        if f.id.startswith("portability.slowdown_median.")
    )
    columns = (
        Column(name="pair", label="Pair"),
        Column(name="said", label="Median slow-down"),
        Column(name="functions", label="Functions", format="count"),
    )
    note = "Ratio of means of pooled calls, as published; interval from functions drawn anew."
    return (Table(id="published-medians", title="Median slow-downs", columns=columns, rows=rows, note=note),)

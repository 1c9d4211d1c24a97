"""What blocks a program: the calls that each missing or doubtful function stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.portability.scan.rules import RULES
from isoflop.present import theme

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.portability.scan.result import Scan

SHOWN = 20
"""Functions drawn a target, those with most calls."""
ROW = 22
FEW = 8
COLOURS = {
    "unsupported": theme.CRIMSON,
    "partial": theme.OCHRE,
    "fallback-only": theme.PURPLE,
    "wrong-numbers": theme.VERMILION,
    "slow": theme.BLUE,
}


def blockers_data(found: Scan) -> pl.DataFrame:
    """Return the calls that each function stands for, one row a function, target and rule.

    Columns: target, function, finding, calls, files, level. Marks of devices and kernels and functions
    without evidence are left out: they are in the tables.
    """
    import polars as pl

    names = {rule.id: rule.name for rule in RULES}
    rows = [
        {
            "target": row["target"],
            "function": row["function"],
            "finding": names[row["rule"]],
            "calls": row["calls"],
            "files": row["files"],
            "level": row["evidence_level"],
        }
        for row in found.blocker_rows()
        if row["target"] and names[row["rule"]] in COLOURS
    ]
    schema = {"target": pl.String, "function": pl.String, "finding": pl.String, "calls": pl.Int64}
    frame = pl.DataFrame(rows, schema=schema | {"files": pl.Int64, "level": pl.String})
    return frame.sort("target", "calls", "function", descending=[False, True, False])


def blockers(found: Scan) -> alt.FacetChart:
    """Draw bars of calls by function, one panel a target."""
    import altair as alt
    import polars as pl

    frame = blockers_data(found)
    top = frame.group_by("target", maintain_order=True).head(SHOWN)
    most = top.group_by("target").len()["len"].max()
    bars = (
        alt.Chart()
        .mark_bar()
        .encode(
            x=alt.X("calls:Q", title="calls in the code", axis=_whole_axis(top)),
            y=alt.Y("function:N", sort="-x", title=None, axis=alt.Axis(labelLimit=320)),
            color=alt.Color(
                "finding:N",
                scale=alt.Scale(domain=list(COLOURS), range=list(COLOURS.values())),
                legend=alt.Legend(title=None),
            ),
            tooltip=["function:N", "finding:N", "calls:Q", "files:Q", "level:N"],
        )
        .properties(width=420, height=ROW * (most if isinstance(most, int) else 1))
    )
    chart: alt.FacetChart = (
        alt.layer(bars, data=top.with_columns(pl.col("target")))
        .facet(row=alt.Row("target:N", title=None, header=alt.Header(orient="top")))
        .resolve_scale(y="independent")
    )
    return chart


def _whole_axis(frame: pl.DataFrame) -> alt.Axis:
    """Return an axis of whole calls: few ones have a tick each, which the usual choice repeats."""
    import altair as alt

    most = frame["calls"].max()
    few = isinstance(most, int) and most <= FEW
    return alt.Axis(format="d", values=list(range(FEW + 1)) if few else alt.Undefined)

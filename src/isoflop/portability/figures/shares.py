"""Pictures of failure shares: partial and complete stacked, and calls against functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.present import theme

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.findings import Estimate
    from isoflop.portability.shares.result import ShareCell, Shares

ROW = 22
KINDS = {"partial": theme.VERMILION, "complete": theme.CRIMSON}
POLICIES = ("strict", "fallback")
WEIGHTS = {"functions": theme.BLUE, "functions by the design": theme.TEAL, "calls": theme.VERMILION}


def named(cell: ShareCell) -> str:
    """Return a target as pictures and tables name it: with its level where nothing was run."""
    target = cell.target if ":" in cell.target else f"{cell.framework}: {cell.target}"
    return target if cell.level in ("ran", "agreed") else f"{target} ({cell.level})"


def failure_data(found: Shares) -> pl.DataFrame:
    """Return the share of each kind of failure, by target and policy, with the interval of their sum."""
    import polars as pl

    rows = []
    for cell in found.cells:
        for kind, count, start in (("complete", cell.complete, 0), ("partial", cell.partial, cell.complete)):
            if cell.counted:
                rows.append(
                    {
                        "target": named(cell) + (f", {cell.group}" if cell.group else ""),
                        "policy": cell.policy,
                        "kind": kind,
                        "share": count / cell.counted,
                        "start": start / cell.counted,
                        "end": (start + count) / cell.counted,
                        "failing": cell.failing.value,
                        "low": cell.failing.low,
                        "high": cell.failing.high,
                        "functions": cell.counted,
                    }
                )
    return pl.DataFrame(rows, infer_schema_length=None)


def failure(found: Shares) -> alt.FacetChart:
    """Draw stacked shares of partial and complete failure, strict beside fallback, with intervals."""
    import altair as alt

    frame = failure_data(found)
    order = frame["target"].unique(maintain_order=True).to_list()
    scale = alt.Scale(domain=[0, 1])
    axis = alt.Axis(format="%", tickCount=5)
    y = alt.Y("target:N", sort=order, title=None, axis=alt.Axis(labelLimit=260))
    colour = alt.Color(
        "kind:N",
        scale=alt.Scale(domain=list(KINDS), range=list(KINDS.values())),
        legend=alt.Legend(title="fails"),
    )
    base = alt.Chart().encode(y=y)
    bars = base.mark_bar(height={"band": 0.7}).encode(
        x=alt.X("start:Q", title="share of counted functions", scale=scale, axis=axis),
        x2="end:Q",
        color=colour,
        tooltip=["target:N", "policy:N", "kind:N", "share:Q", "failing:Q", "functions:Q"],
    )
    rule = base.mark_rule(color=theme.INK, strokeWidth=1.5).encode(
        x=alt.X("low:Q", scale=scale, axis=axis), x2="high:Q"
    )
    layers = alt.layer(bars, rule, data=frame).properties(width=270, height=ROW * len(order))
    chart: alt.FacetChart = layers.facet(
        column=alt.Column("policy:N", sort=list(POLICIES), title=None, header=alt.Header(labelExpr=_LABEL))
    )
    return chart


_LABEL = "datum.value == 'strict' ? 'strict: falling back fails' : 'fallback: falling back passes'"


def weighted_data(found: Shares) -> pl.DataFrame:
    """Return the failing share of functions beside that of calls, by target, under the leading policy."""
    import polars as pl

    rows = []
    for cell in found.leading:
        shown: list[tuple[str, Estimate, tuple[float, float] | None]] = [("functions", cell.failing, None)]
        for name, one in (("functions by the design", cell.by_design), ("calls", cell.by_calls)):
            if one is not None:
                shown.append((name, one.estimate, one.band))
        rows += [
            {
                "target": named(cell),
                "weighted": name,
                "share": estimate.value,
                "low": estimate.low,
                "high": estimate.high,
                "best": None if band is None else band[0],
                "worst": None if band is None else band[1],
            }
            for name, estimate, band in shown
            if len(shown) > 1 and estimate.value is not None
        ]
    schema = {"target": pl.String, "weighted": pl.String} | dict.fromkeys(
        ("share", "low", "high", "best", "worst"), pl.Float64
    )
    return pl.DataFrame(rows, schema=schema)


def weighted(found: Shares) -> alt.LayerChart | alt.FacetChart:
    """Draw shares of functions and of calls; thin lines reach to the best and the worst case."""
    import altair as alt

    frame = weighted_data(found)
    order = frame["target"].unique(maintain_order=True).to_list()
    shown = [name for name in WEIGHTS if name in frame["weighted"].to_list()]
    scale, axis = alt.Scale(domain=[0, 1]), alt.Axis(format="%")
    colour = alt.Color(
        "weighted:N",
        scale=alt.Scale(domain=shown, range=[WEIGHTS[name] for name in shown]),
        legend=alt.Legend(title="share of"),
    )
    base = alt.Chart(frame).encode(
        y=alt.Y("target:N", sort=order, title=None, axis=alt.Axis(labelLimit=260)),
        yOffset=alt.YOffset("weighted:N", sort=shown),
        color=colour,
    )
    x = alt.X("low:Q", title="share that fails wholly or in part", scale=scale, axis=axis)
    band = base.mark_rule(strokeWidth=1, opacity=0.6).encode(
        x=alt.X("best:Q", scale=scale, axis=axis), x2="worst:Q"
    )
    rule = base.mark_rule(strokeWidth=4, opacity=0.35).encode(x=x, x2="high:Q")
    point = base.mark_circle(size=70, opacity=1).encode(
        x=alt.X("share:Q", scale=scale, axis=axis),
        tooltip=["target:N", "weighted:N", "share:Q", "low:Q", "high:Q", "best:Q", "worst:Q"],
    )
    return alt.layer(rule, band, point).properties(height=3 * ROW * len(order))

"""Pictures of the compute-optimal frontier: how sizes grow, by approach, and parabolas at fixed budgets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.present import theme
from isoflop.scaling.figures.axes import log_x, log_y

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.scaling.frontier.result import Frontier

APPROACHES = {
    "parametric": "3: fitted law",
    "isoflop": "2: parabolas at fixed budgets",
    "envelope": "1: lower envelope",
}
COLOURS = {
    APPROACHES["parametric"]: theme.BLUE,
    APPROACHES["isoflop"]: theme.VERMILION,
    APPROACHES["envelope"]: theme.GREEN,
}
CURVE = 40


def ratio_data(found: Sequence[Frontier]) -> pl.DataFrame:
    """Return optimal tokens per parameter along compute, by approach.

    Returns
    -------
    polars.DataFrame
        approach, train_flop, tokens_per_param, low, high, extrapolated.
    """
    import polars as pl

    rows: list[dict[str, Any]] = []
    for one in found:
        largest = one.runs.column("train_flop").max()
        rows += [
            {
                "approach": APPROACHES[one.approach],
                "train_flop": row["train_flop"],
                "tokens_per_param": row["tokens_per_param"],
                "low": row["tokens_per_param_low"],
                "high": row["tokens_per_param_high"],
                "extrapolated": bool(row["train_flop"] > largest * 1.0001),
            }
            for row in one.rows()
        ]
    return pl.DataFrame(rows, infer_schema_length=None)


def ratio(found: Sequence[Frontier]) -> alt.LayerChart | alt.FacetChart:
    """Draw optimal tokens per parameter against compute with bands, one colour an approach."""
    import altair as alt
    import polars as pl

    frame = ratio_data(found)
    low, high = theme.ends(frame["train_flop"])
    bottom, top = theme.ends(frame["tokens_per_param"], frame["low"], frame["high"])
    x = log_x("train_flop", "training compute (FLOP)", (low, high))
    y = log_y("tokens_per_param", "optimal tokens per parameter", (bottom, top))
    names = [name for name in COLOURS if name in frame["approach"].unique().to_list()]
    scale = alt.Scale(domain=names, range=[COLOURS[name] for name in names])
    colour = alt.Color(
        "approach:N",
        scale=scale,
        legend=alt.Legend(title="approach", symbolOpacity=1) if len(names) > 1 else None,
    )
    layers: list[Any] = []
    banded = frame.filter(pl.col("low").is_not_null())
    if banded.height:
        layers.append(
            alt.Chart(banded).mark_area(style="band").encode(x=x, y="low:Q", y2="high:Q", color=colour)
        )
    inside = alt.Chart(frame.filter(~pl.col("extrapolated"))).mark_line().encode(x=x, y=y, color=colour)
    layers.append(inside)
    beyond = frame.filter(pl.col("extrapolated"))
    if beyond.height:
        layers.append(alt.Chart(beyond).mark_line(strokeDash=[4, 4]).encode(x=x, y=y, color=colour))
    return alt.layer(*layers)


def parabolas_data(found: Frontier) -> pl.DataFrame:
    """Return runs, fitted parabolas and vertices of approach 2.

    Returns
    -------
    polars.DataFrame
        kind (run, parabola, minimum), budget, params, loss.
    """
    import polars as pl

    from isoflop.scaling.frontier.find import nominal_budgets

    runs = found.runs
    budget, n, loss = nominal_budgets(runs), runs.column("params"), runs.column(runs.outcome)
    used = {p.budget for p in found.parabolas if p.log_params is not None}
    rows: list[dict[str, Any]] = [
        {"kind": "run", "budget": float(c), "params": float(size), "loss": float(y)}
        for c, size, y in zip(budget, n, loss, strict=True)
        if float(c) in used
    ]
    for p in found.parabolas:
        if p.log_params is None or p.coefficients is None:
            continue
        for log_n in (*np.linspace(p.low, p.high, CURVE), p.log_params):
            z = log_n - p.centre
            kind = "minimum" if log_n == p.log_params else "parabola"
            height = float(p.coefficients @ np.array([1.0, z, z * z]))
            rows.append({"kind": kind, "budget": p.budget, "params": float(np.exp(log_n)), "loss": height})
    return pl.DataFrame(rows, infer_schema_length=None)


def parabolas(found: Frontier) -> alt.LayerChart | alt.FacetChart:
    """Draw loss against size at each budget, the parabolas and their minima."""
    import altair as alt
    import polars as pl

    frame = parabolas_data(found)
    low, high = theme.ends(frame["params"])
    x = log_x("params", "parameters", (low, high))
    y = alt.Y("loss:Q", title="loss (nats per token)", scale=alt.Scale(zero=False, padding=8))
    small, large = theme.ends(frame["budget"])
    colour = alt.Color(
        "budget:Q",
        scale=alt.Scale(type="log", domain=[small, large], range=list(theme.RAMP[1:])),
        legend=alt.Legend(title="budget (FLOP)", values=theme.log_ticks(small, large), format=".0e"),
    )
    part = {kind: frame.filter(pl.col("kind") == kind) for kind in ("run", "parabola", "minimum")}
    curve, vertex = alt.Chart(part["parabola"]), alt.Chart(part["minimum"])
    return alt.layer(
        alt.Chart(part["run"]).mark_circle(size=26, opacity=0.7).encode(x=x, y=y, color=colour),
        curve.mark_line(strokeWidth=1.5).encode(x=x, y=y, color=colour, detail="budget:N"),
        vertex.mark_point(shape="diamond", size=90, color=theme.VERMILION).encode(x=x, y=y),
    )

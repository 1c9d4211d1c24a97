"""Pictures of a law fitted to runs: the loss, the residuals, and what the objective's width does.

Each picture is a pair: ``x_data(result)`` is every number in it, ``x(result)`` draws that frame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.present import theme
from isoflop.scaling.figures.axes import log_x

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.scaling.frontier.result import Frontier
    from isoflop.scaling.result import LawFit

PANELS = {
    "params": "parameters",
    "tokens": "tokens",
    "train_flop": "compute (FLOP)",
    "ratio": "tokens per parameter",
}


def loss_data(fitted: LawFit, found: Frontier) -> pl.DataFrame:
    """Return runs and the least loss along the frontier.

    Returns
    -------
    polars.DataFrame
        kind (run, least loss), train_flop, loss, low, high, params, run, extrapolated.
    """
    import polars as pl

    runs = fitted.runs
    flop, loss = runs.column("train_flop"), runs.column(runs.outcome)
    params = runs.column("params")
    names = runs.frame["run_id"] if "run_id" in runs.frame.columns else runs.frame["row"].cast(pl.String)
    rows: list[dict[str, Any]] = [
        {"kind": "run", "train_flop": float(c), "loss": float(y), "params": float(n), "run": str(name)}
        for c, y, n, name in zip(flop, loss, params, names, strict=True)
    ]
    band = fitted.predict({"params": np.exp(found.log_params[1:]), "tokens": np.exp(found.log_tokens[1:])})
    for k, budget in enumerate(found.budgets[1:]):
        rows.append(
            {
                "kind": "least loss",
                "train_flop": float(budget),
                "loss": float(band.value[k]),
                "low": None if band.low is None else float(band.low[k]),
                "high": None if band.high is None else float(band.high[k]),
                "extrapolated": bool(budget > flop.max() * 1.0001),
            }
        )
    return pl.DataFrame(rows, infer_schema_length=None)


def loss(fitted: LawFit, found: Frontier) -> alt.LayerChart | alt.FacetChart:
    """Draw loss against compute, runs coloured by size, with the least loss that the law promises."""
    import altair as alt
    import polars as pl

    frame = loss_data(fitted, found)
    low, high = theme.ends(frame["train_flop"])
    x = log_x("train_flop", "training compute (FLOP)", (low, high))
    y = alt.Y("loss:Q", title="loss (nats per token)", scale=alt.Scale(zero=False, padding=10))
    small, large = theme.ends(frame["params"])
    colour = alt.Color(
        "params:Q",
        scale=alt.Scale(type="log", domain=[small, large], range=list(theme.RAMP)),
        legend=alt.Legend(title="parameters", type="gradient", format="~s", gradientLength=160, tickCount=4),
    )
    shown = frame.filter(pl.col("kind") == "run")
    points = alt.Chart(shown).mark_circle(size=36, opacity=0.85).encode(
        x=x, y=y, color=colour, tooltip=["run:N", "params:Q", "train_flop:Q", "loss:Q"]
    )  # fmt: skip
    curve = frame.filter(pl.col("kind") == "least loss")
    layers: list[Any] = [points]
    if curve["low"].null_count() < curve.height:
        layers.insert(0, alt.Chart(curve).mark_area(style="band", fill=theme.VERMILION).encode(
            x=x, y=alt.Y("low:Q"), y2="high:Q"))  # fmt: skip
    layers.append(
        alt.Chart(curve.filter(~pl.col("extrapolated"))).mark_line(color=theme.VERMILION).encode(x=x, y=y)
    )
    if curve["extrapolated"].any():
        layers.append(
            alt.Chart(curve.filter(pl.col("extrapolated")))
            .mark_line(color=theme.VERMILION, strokeDash=[4, 4])
            .encode(x=x, y=y)
        )
    return alt.layer(*layers)


def residuals_data(fitted: LawFit) -> pl.DataFrame:
    """Return ln observed − ln predicted of each run against four inputs: panel, x, residual, run."""
    import polars as pl

    runs = fitted.runs
    columns = {name: runs.column(name) for name in ("params", "tokens", "train_flop")}
    columns["ratio"] = columns["tokens"] / columns["params"]
    names = runs.frame["run_id"] if "run_id" in runs.frame.columns else runs.frame["row"].cast(pl.String)
    return pl.concat(
        pl.DataFrame({"panel": PANELS[name], "x": x, "residual": fitted.residuals, "run": names})
        for name, x in columns.items()
    )


def residuals(fitted: LawFit) -> alt.VConcatChart:
    """Draw residuals against parameters, tokens, compute and their ratio: trends would show a wrong law."""
    import altair as alt
    import polars as pl

    frame = residuals_data(fitted)
    reach = float(frame["residual"].abs().max() or 0.0) * 1.05  # type: ignore[arg-type]
    panels = []
    for title in PANELS.values():
        part = frame.filter(pl.col("panel") == title)
        low, high = theme.ends(part["x"])
        x = log_x("x", title, (low, high))
        y = alt.Y("residual:Q", title="residual (ln)", scale=alt.Scale(domain=[-reach, reach]))
        zero = alt.Chart(pl.DataFrame({"residual": [0.0]})).mark_rule(style="baseline").encode(y=y)
        dots = (
            alt.Chart(part)
            .mark_circle(size=22, opacity=0.7)
            .encode(x=x, y=y, tooltip=["run:N", "residual:Q"])
        )
        panels.append(alt.layer(zero, dots).properties(width=300, height=150))
    return alt.vconcat(alt.hconcat(*panels[:2]), alt.hconcat(*panels[2:]))


def delta_data(fitted: LawFit) -> pl.DataFrame:
    """Return each parameter over the fit's own, by the width of the Huber loss: delta, parameter, ratio.

    Widths without a certified fit are not in it.
    """
    import polars as pl

    return pl.DataFrame(
        {"delta": row["delta"], "parameter": name, "value": row[name], "ratio": row[name] / estimate.value}
        for row in fitted.delta_sensitivity()
        for name, estimate in fitted.parameters.items()
        if estimate.value and row[name] is not None
    )


def delta(fitted: LawFit) -> alt.LayerChart | alt.FacetChart:
    """Draw how the parameters move with the width of the loss."""
    import altair as alt
    import polars as pl

    frame = delta_data(fitted)
    low, high = theme.ends(frame["delta"])
    x = log_x("delta", "delta of the Huber loss (ln)", (low, high))
    y = alt.Y("ratio:Q", title="parameter ÷ its value here", scale=alt.Scale(zero=False))
    one = alt.Chart(pl.DataFrame({"ratio": [1.0]})).mark_rule(style="baseline").encode(y=y)
    colour = alt.Color("parameter:N", sort=list(fitted.law.names), legend=alt.Legend(title="parameter"))
    lines = alt.Chart(frame).mark_line(point=True).encode(
        x=x, y=y, color=colour, tooltip=["parameter:N", "delta:Q", "value:Q"]
    )  # fmt: skip
    return alt.layer(one, lines)

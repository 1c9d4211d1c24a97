"""Pictures of downstream and observational laws.

Each picture is a pair: ``x_data(result)`` is every number in it, ``x(result)`` draws that frame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.present import theme
from isoflop.scaling.downstream.predict import inputs, loss_of
from isoflop.scaling.downstream.steps import Fitted, predict_losses
from isoflop.scaling.figures.axes import log_x
from isoflop.scaling.laws import law_named

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.scaling.downstream.result import GroupFit, TwoStepFit
    from isoflop.scaling.observational.result import ObservationalFit

PANELS = 6
CURVE = 60
ROW = 16


def two_steps_data(found: TwoStepFit) -> pl.DataFrame:
    """Return both steps of the tasks that move most, in the first group.

    Returns
    -------
    polars.DataFrame
        task, step (1 or 2), kind (fitted, target, law), x, y: compute and loss, or loss and accuracy.
    """
    import polars as pl

    one = found.groups[0]
    route = "task" if "task" in one.paths else "val"
    rows: list[dict[str, Any]] = []
    for t in _moving(found, one):
        rows += _panel(found, one, route, t)
    return pl.DataFrame(rows, infer_schema_length=None)


def _moving(found: TwoStepFit, one: GroupFit) -> list[int]:
    scores = found.sample.accuracy[:, one.fitted]
    reach = np.nanmax(scores, axis=1) - np.nanmin(scores, axis=1)
    return [int(t) for t in np.argsort(-reach, kind="stable")[:PANELS]]


def _panel(found: TwoStepFit, one: GroupFit, route: str, t: int) -> list[dict[str, Any]]:
    sample, path = found.sample, one.paths[route]
    task = sample.tasks[t]
    loss = loss_of(sample, route)  # type: ignore[arg-type]
    loss = loss[t if len(loss) > 1 else 0]
    flop = sample.column("train_flop")
    final = sample.flags("is_final")
    rows: list[dict[str, Any]] = []
    for kind, here in (("fitted", one.fitted), ("target", one.targets)):
        for i in np.flatnonzero(here).tolist():
            if final[i]:
                rows.append({"task": task, "step": 1, "kind": kind, "x": float(flop[i]), "y": float(loss[i])})
            rows.append(
                {
                    "task": task,
                    "step": 2,
                    "kind": kind,
                    "x": float(loss[i]),
                    "y": float(sample.accuracy[t, i]),
                }
            )
    place = t if len(path.losses.theta) > 1 else 0
    first = Fitted(theta=path.losses.theta[place : place + 1, :1], certified=path.losses.certified[:1])
    shown = np.flatnonzero((one.fitted | one.targets) & final)
    law = np.exp(predict_losses(law_named(found.recipe.law), first, inputs(sample)[:, shown]))[0, 0]
    rows += [
        {"task": task, "step": 1, "kind": "law", "x": float(flop[i]), "y": float(value)}
        for i, value in zip(shown, law, strict=True)
    ]
    reach = [row["x"] for row in rows if row["step"] == 2 and np.isfinite(row["x"])]
    x = np.linspace(min(reach), max(reach), CURVE)
    z = (x - path.linked.middle[t]) / path.linked.spread[t]
    curve = path.linked.link.predict(path.linked.theta[t, :1], z)[0]
    rows += [
        {"task": task, "step": 2, "kind": "law", "x": float(a), "y": float(b)}
        for a, b in zip(x, curve, strict=True)
    ]
    return [row for row in rows if np.isfinite(row["x"]) and np.isfinite(row["y"])]


def two_steps(found: TwoStepFit) -> alt.VConcatChart:
    """Draw loss against compute and accuracy against loss, one row of panels a step."""
    import altair as alt
    import polars as pl

    frame = two_steps_data(found)
    tasks = frame["task"].unique(maintain_order=True).to_list()
    rows = []
    for step, titles in ((1, ("compute (FLOP)", "loss")), (2, ("loss", "accuracy"))):
        panels = []
        for task in tasks[:3]:
            part = frame.filter((pl.col("step") == step) & (pl.col("task") == task))
            x = (
                log_x("x", titles[0], theme.ends(part["x"]))
                if step == 1
                else alt.X("x:Q", title=titles[0], scale=alt.Scale(zero=False))
            )
            y = alt.Y("y:Q", title=titles[1], scale=alt.Scale(zero=False))
            panels.append(_step_panel(part, x, y, step).properties(width=170, height=140, title=task))
        rows.append(alt.hconcat(*panels))
    return alt.vconcat(*rows)


def _step_panel(part: pl.DataFrame, x: Any, y: Any, step: int) -> alt.LayerChart | alt.FacetChart:
    import altair as alt
    import polars as pl

    base = alt.Chart(part.filter(pl.col("kind") == "fitted")).mark_circle(size=24, opacity=0.7)
    fitted = base.encode(x=x, y=y, color=alt.value(theme.BLUE))
    target = alt.Chart(part.filter(pl.col("kind") == "target")).mark_point(size=60, filled=False)
    law = alt.Chart(part.filter(pl.col("kind") == "law"))
    drawn = law.mark_point(shape="cross", size=30) if step == 1 else law.mark_line()
    return alt.layer(
        drawn.encode(x=x, y=y, color=alt.value(theme.MUTED)),
        fitted,
        target.encode(x=x, y=y, color=alt.value(theme.VERMILION)),
    )


def accuracies_data(found: TwoStepFit) -> pl.DataFrame:
    """Return predictions with their intervals and what came, of the largest target of each group."""
    import polars as pl

    rows = found.predictions()
    largest: dict[str, tuple[float, str]] = {}
    for row in rows:
        name = row["group"]
        if name not in largest or row["params"] * row["tokens"] > largest[name][0]:
            largest[name] = (row["params"] * row["tokens"], row["run"])
    kept = [row for row in rows if row["run"] == largest[row["group"]][1]]
    return pl.DataFrame(kept, infer_schema_length=None).select(
        "task", "run", "predicted", "low", "high", "observed", "one_step", "last_value"
    )


def accuracies(found: TwoStepFit) -> alt.LayerChart | alt.FacetChart:
    """Draw predicted accuracy with its interval, what came, and the largest fitted run."""
    import altair as alt
    import polars as pl

    frame = accuracies_data(found)
    frame = frame.filter(pl.col("run") == frame["run"][0]).sort("predicted", descending=True)
    order = frame["task"].to_list()
    y = alt.Y("task:N", sort=order, title=None)
    x = alt.X("predicted:Q", title="accuracy", scale=alt.Scale(domain=[0, 1]))
    rule = alt.Chart(frame).mark_rule().encode(y=y, x=alt.X("low:Q", title="accuracy"), x2="high:Q")
    dots = alt.Chart(frame).mark_circle(size=50, color=theme.BLUE).encode(y=y, x=x)
    came = alt.Chart(frame).mark_point(size=60, color=theme.VERMILION, shape="diamond").encode(
        y=y, x="observed:Q"
    )  # fmt: skip
    last = alt.Chart(frame).mark_tick(color=theme.MUTED, thickness=2).encode(y=y, x="last_value:Q")
    return alt.layer(rule, last, dots, came).properties(width=720, height=ROW * len(order))


def loadings_data(found: ObservationalFit) -> pl.DataFrame:
    """Return the loading of each benchmark on each component: benchmark, component, loading, explained."""
    import polars as pl

    return pl.DataFrame(found.loading_rows())


def loadings(found: ObservationalFit) -> alt.HConcatChart:
    """Draw the loadings as bars, one panel a component."""
    import altair as alt
    import polars as pl

    frame = loadings_data(found)
    reach = max(abs(v) for v in theme.ends(frame["loading"]))
    order = list(found.scores.benchmarks)
    panels = []
    for k in range(found.components):
        part = frame.filter(pl.col("component") == k + 1)
        x = alt.X("loading:Q", title="loading", scale=alt.Scale(domain=[-reach, reach]))
        axis = alt.Axis() if k == 0 else None
        bars = alt.Chart(part).mark_bar(height=ROW // 2).encode(
            x=x, y=alt.Y("benchmark:N", title=None, sort=order, axis=axis)
        )  # fmt: skip
        share = float(part["explained"][0])
        title = f"component {k + 1} ({100 * share:.0f} %)"
        panels.append(bars.properties(width=190, height=ROW * len(order) + 10, title=title))
    return alt.hconcat(*panels)


def equivalent_data(found: ObservationalFit) -> pl.DataFrame:
    """Return held-out models with their compute and that of the reference family at equal capability."""
    import polars as pl

    rows = [
        {
            "model": row["model"],
            "family": row["family"],
            "train_flop": row["train_flop"],
            "equivalent_flop": row["equivalent_flop"],
            "ratio": row["equivalent_flop"] / row["train_flop"],
        }
        for row in found.rows
        if row["equivalent_flop"] is not None and row["train_flop"] is not None
    ]
    schema = {"model": pl.String, "family": pl.String} | dict.fromkeys(
        ("train_flop", "equivalent_flop", "ratio"), pl.Float64
    )
    return pl.DataFrame(rows, schema=schema)


def equivalent(found: ObservationalFit) -> alt.LayerChart | alt.FacetChart:
    """Draw equivalent compute against training compute; above the line a model uses compute better."""
    import altair as alt
    import polars as pl

    frame = equivalent_data(found)
    low, high = theme.ends(pl.concat([frame["train_flop"], frame["equivalent_flop"]]))
    x = log_x("train_flop", "training compute (FLOP)", (low, high))
    y = alt.Y(
        "equivalent_flop:Q",
        scale=theme.log_scale(low, high),
        axis=theme.log_axis(f"compute of {found.reference} at equal capability", low, high, grid=True),
    )
    same = pl.DataFrame({"train_flop": [low, high], "equivalent_flop": [low, high]})
    line = alt.Chart(same).mark_line(strokeDash=[4, 4], color=theme.MUTED).encode(x=x, y=y)
    dots = alt.Chart(frame).mark_circle(size=36, opacity=0.8, color=theme.BLUE).encode(
        x=x, y=y, tooltip=["model:N", "family:N", "ratio:Q"]
    )  # fmt: skip
    return alt.layer(line, dots)


def held_out_data(found: ObservationalFit) -> pl.DataFrame:
    """Return predicted and observed scores of the held-out models, by method."""
    import polars as pl

    rows = [
        {
            "model": row["model"],
            "method": method,
            "predicted": row[method],
            "observed": row["observed"],
        }
        for row in found.rows
        for method in ("observational", "compute")
        if row[method] is not None
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def held_out(found: ObservationalFit) -> alt.LayerChart | alt.FacetChart:
    """Draw predicted against observed scores, from other scores and from compute alone."""
    import altair as alt
    import polars as pl

    frame = held_out_data(found)
    x = alt.X("observed:Q", title=f"{found.scores.target}, observed", scale=alt.Scale(domain=[0, 1]))
    y = alt.Y("predicted:Q", title="predicted", scale=alt.Scale(domain=[0, 1]))
    same = pl.DataFrame({"observed": [0.0, 1.0], "predicted": [0.0, 1.0]})
    line = alt.Chart(same).mark_line(strokeDash=[4, 4], color=theme.MUTED).encode(x=x, y=y)
    dots = alt.Chart(frame).mark_circle(size=36, opacity=0.8).encode(
        x=x,
        y=y,
        color=alt.Color(
            "method:N",
            scale=alt.Scale(domain=["observational", "compute"], range=[theme.BLUE, theme.VERMILION]),
            legend=alt.Legend(title="predicted from"),
        ),
        tooltip=["model:N", "method:N", "predicted:Q", "observed:Q"],
    )  # fmt: skip
    return alt.layer(line, dots)

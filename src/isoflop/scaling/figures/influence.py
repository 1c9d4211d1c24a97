"""Pictures of what single runs do, and of the runs to train next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from isoflop.present import formats, theme
from isoflop.scaling.figures.axes import log_x, log_y

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.scaling.design.result import Design
    from isoflop.scaling.influence.result import Influence

SHOWN = 12


def left_out_data(found: Influence) -> pl.DataFrame:
    """Return the most influential runs: run, outcome, value without it, shift."""
    import polars as pl

    main = found.main
    return pl.DataFrame(
        [
            {
                "run": f"{row['run'] or 'run'} (row {row['row']})",
                "outcome": row["outcome"],
                "without": found.point[main] + row[f"shift_{main}"],
                "all_runs": found.point[main],
                "shift": row[f"shift_{main}"],
            }
            for row in found.rows(SHOWN)
        ]
    )


def left_out(found: Influence) -> alt.LayerChart | alt.FacetChart:
    """Draw the main quantity without each of the most influential runs, beside that of all runs."""
    import altair as alt

    frame = left_out_data(found)
    order = frame["run"].to_list()
    y = alt.Y("run:N", sort=order, title=None)
    title = "optimal tokens per parameter" if found.main == "tokens_per_param" else found.main
    x = alt.X("without:Q", title=title, scale=alt.Scale(zero=False, padding=12))
    base = alt.Chart(frame).encode(y=y)
    return alt.layer(
        alt.Chart(frame.head(1)).mark_rule(style="baseline").encode(x="all_runs:Q"),
        base.mark_rule(style="interval").encode(x=x, x2="all_runs:Q"),
        base.mark_circle(size=60).encode(x=x, tooltip=["run:N", "outcome:Q", "without:Q", "shift:Q"]),
    )


def drop_data(found: Influence) -> pl.DataFrame:
    """Return the refits without the highest losses: dropped, n, quantity (of the allocation, two), value."""
    import polars as pl

    panels = {
        "tokens_per_param": f"optimal tokens per parameter at {formats.flop(found.at_flop)}",
        "a": "exponent a",
    }
    return pl.DataFrame(
        {
            "dropped": int(row["dropped"]),
            "n": int(row["n"]),
            "quantity": panels.get(name, name),
            "value": row[name],
        }
        for row in found.path
        for name in (panels if "a" in found.point else list(found.point))
    )


def drop(found: Influence) -> alt.HConcatChart:
    """Draw the answer against how many of the highest losses are left out."""
    import altair as alt
    import polars as pl

    frame = drop_data(found)
    panels = []
    for name in frame["quantity"].unique(maintain_order=True):
        part = frame.filter(pl.col("quantity") == name)
        x = alt.X("dropped:O", title="highest losses left out", axis=alt.Axis(labelAngle=0))
        y = alt.Y("value:Q", title=name, scale=alt.Scale(zero=False, padding=12))
        base = alt.Chart(part).encode(x=x, y=y)
        panels.append(
            alt.layer(base.mark_line(), base.mark_circle(size=70)).properties(width=300, height=220)
        )
    return alt.hconcat(*panels)


def design_data(found: Design) -> pl.DataFrame:
    """Return runs at hand and runs to come: kind, order, params, tokens."""
    import polars as pl

    runs = found.fitted.runs
    rows: list[dict[str, Any]] = [
        {"kind": "at hand", "order": None, "params": float(n), "tokens": float(d)}
        for n, d in zip(runs.column("params"), runs.column("tokens"), strict=True)
    ]
    rows += [
        {"kind": "next", "order": k + 1, "params": float(n), "tokens": float(d)}
        for k, (n, d) in enumerate(zip(found.params, found.tokens, strict=True))
    ]
    return pl.DataFrame(rows, schema_overrides={"order": pl.Int64}, infer_schema_length=None)


def design(found: Design) -> alt.LayerChart | alt.FacetChart:
    """Draw where the next runs lie among those at hand; the first are darkest."""
    import altair as alt
    import polars as pl

    frame = design_data(found)
    low, high = theme.ends(frame["params"])
    bottom, top = theme.ends(frame["tokens"])
    x = log_x("params", "parameters", (low, high))
    y = log_y("tokens", "training tokens", (bottom, top))  # fmt: skip
    last = len(found.params)
    legend = alt.Legend(
        title="next runs, in order", gradientLength=120, tickCount=min(4, max(1, last - 1)), format="d"
    )
    shades = alt.Scale(domain=[1, max(last, 2)], range=[theme.VERMILION, theme.DIVERGING[2]])
    colour = alt.Color("order:Q", scale=shades, legend=legend)
    old = alt.Chart(frame.filter(pl.col("kind") == "at hand"))
    new = alt.Chart(frame.filter(pl.col("kind") == "next"))
    return alt.layer(
        old.mark_circle(size=26, color=theme.GREY, opacity=0.5).encode(x=x, y=y),
        new.mark_point(shape="diamond", size=90, filled=True).encode(
            x=x, y=y, color=colour, tooltip=["order:Q", "params:Q", "tokens:Q"]
        ),
    )

"""Pictures of concentration: Lorenz curves, and each team's part of compute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.divide.figures.colours import TEAM_COLOURS, team_colour
from isoflop.present import theme

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.divide.concentration.result import Concentration

ROW = 26
PERIOD_COLOURS = (theme.GREY, theme.BLUE, theme.GREEN, theme.PURPLE, theme.OCHRE, theme.TEAL)


def lorenz_data(found: Concentration) -> pl.DataFrame:
    """Return the Lorenz curve of each period: share of holders, poorest first, and of compute held."""
    import polars as pl

    return pl.DataFrame(
        [
            {"period": str(one.period), "holders": holders, "compute": compute}
            for one in found.spreads
            for holders, compute in zip(*one.lorenz, strict=True)
        ],
        schema={"period": pl.String, "holders": pl.Float64, "compute": pl.Float64},
    )


def lorenz(found: Concentration) -> alt.LayerChart | alt.FacetChart:
    """Draw the Lorenz curves beside the line of equal holders."""
    import altair as alt
    import polars as pl

    periods = [str(one.period) for one in found.spreads]
    colours = [PERIOD_COLOURS[place % len(PERIOD_COLOURS)] for place in range(len(periods))]
    if len(periods) == 1:
        colours = [theme.BLUE]
    colour = alt.Color(
        "period:N", scale=alt.Scale(domain=periods, range=colours), legend=alt.Legend(title=None)
    )
    x = alt.X("holders:Q", title=f"share of {found.holders_text}, least compute first", axis=_percent())
    y = alt.Y("compute:Q", title="share of known compute", axis=_percent())
    equal = pl.DataFrame({"holders": [0.0, 1.0], "compute": [0.0, 1.0]})
    return alt.layer(
        alt.Chart(equal).mark_line(style="baseline").encode(x=x, y=y),
        alt.Chart(lorenz_data(found)).mark_line().encode(x=x, y=y, color=colour),
    )


def teams_data(found: Concentration) -> pl.DataFrame:
    """Return each team's part of compute by period with its ends, and its part of systems."""
    import polars as pl

    schema = dict.fromkeys(("share", "low", "high", "share_of_systems"), pl.Float64)
    return pl.DataFrame(
        found.team_rows(), schema={"period": pl.String, "team": pl.String, **schema, "n": pl.Int64}
    )


def teams(found: Concentration) -> alt.FacetChart:
    """Draw each team's part of compute, and as a tick its part of systems."""
    import altair as alt

    frame = teams_data(found)
    order = [team for team in TEAM_COLOURS if team in frame["team"].to_list()]
    base = alt.Chart(frame).encode(
        y=alt.Y("team:N", sort=order, title=None), color=team_colour(order, legend=False)
    )
    layers = alt.layer(
        base.mark_rule(style="interval").encode(x=_x("low"), x2="high:Q"),
        base.mark_tick(thickness=2, size=14, color=theme.INK).encode(x=_x("share_of_systems")),
        base.mark_circle(size=80, opacity=1).encode(
            x=_x("share"), tooltip=["period:N", "team:N", "share:Q", "share_of_systems:Q", "n:Q"]
        ),
    ).properties(width=560, height=ROW * len(order))
    header = alt.Header(labelAngle=0, labelAnchor="start", labelOrient="top", labelFontWeight="normal")
    periods = [str(period) for period in found.periods]
    return layers.facet(row=alt.Row("period:N", sort=periods, title=None, header=header))


def _percent() -> alt.Axis:
    import altair as alt

    return alt.Axis(format="%")


def _x(field: str) -> alt.X:
    import altair as alt

    return alt.X(
        f"{field}:Q",
        title="part of known compute (point) and of systems (tick)",
        scale=alt.Scale(domain=[0, 1]),
        axis=_percent(),
    )

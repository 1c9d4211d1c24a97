"""Pictures of shares: by period, by definition of large, by calendar year."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.divide.figures.colours import team_colour
from isoflop.divide.shares.findings import KNOWN

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.divide.shares.result import LargeShares

LEAST = 5
"""Systems a calendar year needs to be drawn: below it a share jumps by a fifth."""
ROW = 26
TEAMS_BY_YEAR = ("academia", "industry")


def periods_data(found: LargeShares) -> pl.DataFrame:
    """Return the teams of each period: share, Wilson ends, unknown-team bounds and counts."""
    import polars as pl

    frame = found.frame().filter((pl.col("large") == KNOWN) & pl.col("share").is_not_null())
    return frame.select(
        "period", "team", "share", "low", "high", "bound_low", "bound_high", "k", "n", "unknown"
    )


def periods(found: LargeShares) -> alt.FacetChart:
    """Draw each team's share of a period, its Wilson interval and, thin, what the unknown could make it."""
    import altair as alt

    frame = periods_data(found)
    teams = [team for team in found.teams if team in frame["team"].to_list()]
    y = alt.Y("team:N", sort=teams, title=None)
    colour = team_colour(teams, legend=False)
    base = alt.Chart(frame).encode(y=y, color=colour)
    x = _percent("share")
    bounds = base.mark_rule(strokeWidth=1, opacity=0.7).encode(x=_percent("bound_low"), x2="bound_high:Q")
    ends = [
        base.mark_tick(thickness=1, size=9, opacity=0.7).encode(x=_percent(name))
        for name in ("bound_low", "bound_high")
    ]
    wilson = base.mark_rule(strokeWidth=5, opacity=0.35).encode(x=_percent("low"), x2="high:Q")
    tips = ["period:N", "team:N", *(f"{n}:Q" for n in ("share", "low", "high", "k", "n", "unknown"))]
    point = base.mark_circle(size=80, opacity=1).encode(x=x, tooltip=tips)
    layers = alt.layer(wilson, bounds, *ends, point).properties(width=560, height=ROW * len(teams))
    return layers.facet(
        row=alt.Row(
            "period:N",
            sort=[str(p) for p in found.periods],
            title=None,
            header=alt.Header(labelAngle=0, labelAnchor="start", labelOrient="top", labelFontWeight="normal"),
        )
    )


def definitions_data(found: LargeShares) -> pl.DataFrame:
    """Return academia's share of the first and last period under each definition of large."""
    import polars as pl

    ends = {str(found.periods[0]), str(found.periods[-1])}
    return (
        found.frame()
        .filter((pl.col("team") == "academia") & pl.col("period").is_in(ends) & pl.col("share").is_not_null())
        .select("definition", "period", "share", "low", "high", "k", "n")
    )


def definitions(found: LargeShares) -> alt.LayerChart | alt.FacetChart:
    """Draw academia's share of both periods, one row a definition of large."""
    import altair as alt

    frame = definitions_data(found)
    order = [text for text in found.texts.values() if text in frame["definition"].to_list()]
    shown = frame["period"].unique(maintain_order=True).to_list()
    y = alt.Y("definition:N", sort=order, title=None, axis=alt.Axis(labelLimit=300))
    offset = alt.YOffset("period:N", sort=shown)
    colour = alt.Color(
        "period:N", sort=shown, scale=alt.Scale(range=_two(len(shown))), legend=alt.Legend(title=None)
    )
    base = alt.Chart(frame).encode(y=y, yOffset=offset, color=colour)
    rule = base.mark_rule(style="interval").encode(x=_percent("low"), x2="high:Q")
    point = base.mark_circle(size=70, opacity=1).encode(
        x=_percent("share"), tooltip=["definition:N", "period:N", "share:Q", "k:Q", "n:Q"]
    )
    return alt.layer(rule, point).properties(height=44 * len(order))


def _two(count: int) -> list[str]:
    from isoflop.present import theme

    return [theme.GREY, theme.BLUE][:count] if count > 1 else [theme.BLUE]


def years_data(found: LargeShares) -> pl.DataFrame:
    """Return the share of academia and industry in each calendar year with at least `LEAST` systems."""
    import polars as pl

    frame = pl.DataFrame(found.year_rows(), infer_schema_length=None)
    return frame.filter(
        (pl.col("large") == KNOWN) & (pl.col("n") >= LEAST) & pl.col("team").is_in(TEAMS_BY_YEAR)
    ).select(
        pl.col("period").cast(pl.Int64).alias("year"), "team", "share", "low", "high", "k", "n", "unknown"
    )


def years(found: LargeShares) -> alt.LayerChart | alt.FacetChart:
    """Draw the share of academia and industry by calendar year with Wilson bands."""
    import altair as alt

    frame = years_data(found)
    x = alt.X("year:Q", title=None, axis=alt.Axis(format="d", tickMinStep=1), scale=alt.Scale(zero=False))
    colour = team_colour(TEAMS_BY_YEAR)
    base = alt.Chart(frame).encode(x=x, color=colour)
    scale, axis = alt.Scale(domain=[0, 1]), alt.Axis(format="%")
    y = alt.Y("share:Q", title="share of systems with known compute", scale=scale, axis=axis)
    band = base.mark_area(style="band").encode(y=alt.Y("low:Q", scale=scale, axis=axis), y2="high:Q")
    line = base.mark_line().encode(y=y)
    tips = ["year:Q", "team:N", "share:Q", "k:Q", "n:Q", "unknown:Q"]
    return alt.layer(band, line, base.mark_circle(size=50, opacity=1).encode(y=y, tooltip=tips))


def _percent(field: str) -> alt.X:
    import altair as alt

    return alt.X(
        f"{field}:Q",
        title="share of large systems",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format="%"),
    )

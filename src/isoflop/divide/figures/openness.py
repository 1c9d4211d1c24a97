"""Pictures of foundation models, open weights, and academic systems built on others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.divide.figures.colours import TEAM_COLOURS, team_colour
from isoflop.divide.openness.result import WORDS
from isoflop.present import theme

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.divide.openness.result import Openness

ROW = 26
BUILT = {"on an industry base": theme.VERMILION, "on another base": theme.BLUE}


def groups_data(found: Openness) -> pl.DataFrame:
    """Return the teams of foundation models and of the other groups: share with its ends, k and n."""
    import polars as pl

    words = pl.col("group").replace_strict(WORDS)
    frame = found.frame().filter(pl.col("share").is_not_null())
    return frame.select(words.alias("group"), "team", "share", "low", "high", "k", "n", "unknown")


def groups(found: Openness) -> alt.FacetChart:
    """Draw each team's share of a group, one row a team, one panel a group."""
    import altair as alt

    frame = groups_data(found)
    teams = [team for team in found.teams if team in frame["team"].to_list()]
    x = _share("share", "share of the group's systems")
    base = alt.Chart(frame).encode(
        y=alt.Y("team:N", sort=teams, title=None), color=team_colour(teams, legend=False)
    )
    layers = alt.layer(
        base.mark_rule(style="interval").encode(x=_share("low", "share of the group's systems"), x2="high:Q"),
        base.mark_circle(size=80, opacity=1).encode(
            x=x, tooltip=["group:N", "team:N", "share:Q", "k:Q", "n:Q", "unknown:Q"]
        ),
    ).properties(width=560, height=ROW * len(teams))
    header = alt.Header(labelAngle=0, labelAnchor="start", labelOrient="top", labelFontWeight="normal")
    order = frame["group"].unique(maintain_order=True).to_list()
    return layers.facet(row=alt.Row("group:N", sort=order, title=None, header=header))


def opened_data(found: Openness) -> pl.DataFrame:
    """Return by team the share of systems with open weights, of those whose access is known."""
    import polars as pl

    counts = {"team": pl.String, "k": pl.Int64, "n": pl.Int64}
    schema = {**counts, "share": pl.Float64, "low": pl.Float64, "high": pl.Float64}
    rows = [row for row in found.opened_rows() if row["team"] != "unknown"]
    return pl.DataFrame(rows, schema=schema)


def opened(found: Openness) -> alt.LayerChart | alt.FacetChart:
    """Draw how often each team opens the weights of its systems."""
    import altair as alt

    frame = opened_data(found)
    teams = [team for team in TEAM_COLOURS if team in frame["team"].to_list()]
    base = alt.Chart(frame).encode(
        y=alt.Y("team:N", sort=teams, title=None), color=team_colour(teams, legend=False)
    )
    title = "systems with open weights, of those whose access is known"
    return alt.layer(
        base.mark_rule(style="interval").encode(x=_share("low", title), x2="high:Q"),
        base.mark_circle(size=80, opacity=1).encode(
            x=_share("share", title), tooltip=["team:N", "share:Q", "k:Q", "n:Q"]
        ),
    ).properties(height=ROW * len(teams))


def bases_data(found: Openness) -> pl.DataFrame:
    """Return by year the academic systems with a base found: on an industry base, and on another."""
    import polars as pl

    rows = [
        {"year": row["year"], "built": built, "systems": count, "academic_systems": row["systems"]}
        for row in found.year_rows()
        for built, count in zip(
            BUILT, (row["on_industry"], row["base_found"] - row["on_industry"]), strict=True
        )
    ]
    schema = {"year": pl.Int64, "built": pl.String, "systems": pl.Int64, "academic_systems": pl.Int64}
    frame = pl.DataFrame(rows, schema=schema)
    first = frame.filter(pl.col("systems") > 0)["year"].min()
    return frame.filter(pl.col("year") >= first) if first is not None else frame.clear()


def bases(found: Openness) -> alt.Chart:
    """Draw how many academic systems of each year stand on an industry base, and on another."""
    import altair as alt

    colour = alt.Color(
        "built:N",
        scale=alt.Scale(domain=list(BUILT), range=list(BUILT.values())),
        legend=alt.Legend(title=None),
    )
    chart: alt.Chart = (
        alt.Chart(bases_data(found))
        .mark_bar()
        .encode(
            x=alt.X("year:O", title=None, axis=alt.Axis(labelAngle=0)),
            y=alt.Y("systems:Q", title="academic systems with a base found"),
            color=colour,
            tooltip=["year:O", "built:N", "systems:Q", "academic_systems:Q"],
        )
    )
    return chart


def _share(field: str, title: str) -> alt.X:
    import altair as alt

    return alt.X(f"{field}:Q", title=title, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%"))

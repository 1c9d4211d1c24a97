"""Picture of counted works: the share of each team by year, and what unknown teams could make of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.divide.figures.colours import team_colour
from isoflop.errors import SettingError

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.divide.counts.find import WorkShares

LEAST = 30
"""Works of known team that a year needs to be drawn: below it a share says little."""


def works_by_year_data(found: WorkShares) -> pl.DataFrame:
    """Return each team's share of each year with at least `LEAST` works, its interval and bounds.

    Raises
    ------
    SettingError
        The works were not counted by team and year alone.
    """
    import polars as pl

    if set(found.counts.by) != {"team", "year"}:
        raise SettingError(
            f"--figure: counts by {', '.join(found.counts.by)}, needs team and year alone. Say "
            "--by team,year."
        )
    kinds = {
        "year": pl.Int64,
        "team": pl.String,
        "k": pl.Int64,
        "n": pl.Int64,
        "unknown": pl.Int64,
    } | dict.fromkeys(("share", "low", "high", "least", "most"), pl.Float64)
    rows = [row for row in found.rows() if row["year"] is not None and row["n"] >= LEAST]
    return pl.DataFrame(rows, schema=kinds).sort("team", "year")


def works_by_year(found: WorkShares) -> alt.FacetChart:
    """Draw one panel a team: share, Wilson band, and pale the range that unknown teams leave open."""
    import altair as alt

    frame = works_by_year_data(found)
    teams = frame["team"].unique(maintain_order=True).to_list()
    x = alt.X(
        "year:Q",
        title=None,
        axis=alt.Axis(format="d", tickMinStep=1, tickCount=5),
        scale=alt.Scale(zero=False),
    )
    base = alt.Chart(frame).encode(x=x, color=team_colour(teams, legend=False))
    bounds = base.mark_area(opacity=0.15).encode(y=_share("least"), y2="most:Q")
    wilson = base.mark_area(opacity=0.45).encode(y=_share("low"), y2="high:Q")
    tips = [f"{name}:Q" for name in ("year", "share", "low", "high", "k", "n", "unknown")]
    line = base.mark_line(point=True).encode(y=_share("share"), tooltip=tips)
    header = alt.Header(labelOrient="top", labelFontWeight="normal")
    panels = alt.layer(bounds, wilson, line).properties(width=250, height=140)
    return panels.facet(facet=alt.Facet("team:N", title=None, header=header), columns=2)


def _share(name: str) -> alt.Y:
    import altair as alt

    return alt.Y(f"{name}:Q", title="share of works of known team", axis=alt.Axis(format="%"))

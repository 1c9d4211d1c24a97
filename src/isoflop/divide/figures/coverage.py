"""Pictures of coverage: share of systems with known compute by team and year, and the shift of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.divide.coverage.tilt import SHIFTS
from isoflop.divide.figures.colours import TEAM_COLOURS, team_colour
from isoflop.divide.model import SECTORS

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.divide.coverage.result import ComputeCoverage

LEAST = 4
"""Systems a sector's year needs to be drawn."""
SHOWN = (*SECTORS, "collaboration")


def by_year_data(found: ComputeCoverage) -> pl.DataFrame:
    """Return team and year with the share of systems whose compute is known, and Wilson ends."""
    import polars as pl

    return (
        found.frame()
        .filter(pl.col("team").is_in(SHOWN) & (pl.col("n") >= LEAST))
        .select(
            "team", pl.col("period").cast(pl.Int64).alias("year"), "share", "low", "high", "with_compute", "n"
        )
    )


def by_year(found: ComputeCoverage) -> alt.FacetChart:
    """Draw the share with known compute by year, one panel a team."""
    import altair as alt

    frame = by_year_data(found)
    x = alt.X("year:Q", title=None, axis=alt.Axis(format="d", tickMinStep=1), scale=alt.Scale(zero=False))
    scale, axis = alt.Scale(domain=[0, 1]), alt.Axis(format="%")
    colour = team_colour(SHOWN, legend=False)
    base = alt.Chart().encode(x=x, color=colour)
    y = alt.Y("share:Q", title="systems with known compute", scale=scale, axis=axis)
    rule = base.mark_rule(style="interval").encode(
        y=alt.Y("low:Q", title="systems with known compute", scale=scale, axis=axis), y2="high:Q"
    )
    point = base.mark_circle(size=50, opacity=1).encode(
        y=y, tooltip=["team:N", "year:Q", "share:Q", "with_compute:Q", "n:Q"]
    )
    chart: alt.FacetChart = (
        alt.layer(rule, point, data=frame)
        .properties(width=210, height=220)
        .facet(column=alt.Column("team:N", sort=list(SHOWN), title=None))
    )
    return chart


def tilt_data(found: ComputeCoverage) -> pl.DataFrame:
    """Return the gap at shifts of missing compute (orders of magnitude), by whose is shifted."""
    import polars as pl

    return pl.DataFrame(
        [
            {"pattern": one.pattern, "shift": delta, "gap": one.at(delta), "n_missing": one.n_missing}
            for one in found.tilts
            if one.headline == "gap"
            for delta in SHIFTS
        ]
    )


def tilt(found: ComputeCoverage) -> alt.LayerChart | alt.FacetChart:
    """Draw how the gap moves as missing compute is shifted."""
    import altair as alt

    frame = tilt_data(found)
    title = "missing compute against its team's line (orders of magnitude)"
    shown = ["both", *SECTORS]
    colours = [TEAM_COLOURS["all"], *(TEAM_COLOURS[sector] for sector in SECTORS)]
    colour = alt.Color(
        "pattern:N", scale=alt.Scale(domain=shown, range=colours), legend=alt.Legend(title="shifted")
    )
    line = (
        alt.Chart(frame)
        .mark_line(point=True)
        .encode(
            x=alt.X("shift:Q", title=title),
            y=alt.Y("gap:Q", title=f"gap of {found.at_year} (orders of magnitude)"),
            color=colour,
            tooltip=["pattern:N", "shift:Q", "gap:Q", "n_missing:Q"],
        )
    )
    return alt.layer(alt.Chart().mark_rule(style="baseline").encode(y=alt.datum(0)), line, data=frame)

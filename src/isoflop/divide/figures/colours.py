"""One colour for each team in every picture of this instrument."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from isoflop.present import theme

if TYPE_CHECKING:
    import altair as alt

TEAM_COLOURS = {
    "academia": theme.BLUE,
    "industry": theme.VERMILION,
    "collaboration": theme.GREEN,
    "other": theme.PURPLE,
    "public": theme.OCHRE,
    "unknown": theme.GREY,
    "all": theme.TEAL,
}


def team_colour(teams: Sequence[str], *, legend: bool = True) -> alt.Color:
    """Return the colour of the column ``team``, with a legend of the teams shown."""
    import altair as alt

    shown = [team for team in TEAM_COLOURS if team in teams]
    scale = alt.Scale(domain=shown, range=[TEAM_COLOURS[team] for team in shown])
    return alt.Color("team:N", scale=scale, legend=alt.Legend(title=None) if legend else None)

"""Logarithmic axes of the scaling pictures, one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.present import theme

if TYPE_CHECKING:
    import altair as alt


def log_x(field: str, title: str, ends: tuple[float, float]) -> alt.X:
    """Return a logarithmic horizontal axis over `ends`."""
    import altair as alt

    return alt.X(f"{field}:Q", scale=theme.log_scale(*ends), axis=theme.log_axis(title, *ends))


def log_y(field: str, title: str, ends: tuple[float, float], *, pad: float = 0.03) -> alt.Y:
    """Return a logarithmic vertical axis over `ends`, with a grid."""
    import altair as alt

    return alt.Y(
        f"{field}:Q", scale=theme.log_scale(*ends, pad=pad), axis=theme.log_axis(title, *ends, grid=True)
    )

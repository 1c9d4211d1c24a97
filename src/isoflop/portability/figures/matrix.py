"""The matrix of functions and targets: a colour and a letter for what became of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.portability.figures.shares import named
from isoflop.present import theme

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.portability.shares.count import FunctionOutcome
    from isoflop.portability.shares.result import Shares

ROW, WIDTH = 15, 560
"""Pixels of a function, and of all targets together."""
LEVEL = 6
"""Up to so many targets their names lie flat."""
MOST = 60
"""Functions drawn: those that fail on most targets."""
OUTCOMES = {
    "passes": ("", theme.RAMP[0]),
    "passes by falling back": ("f", theme.OCHRE),
    "fails in part": ("p", theme.VERMILION),
    "fails": ("F", theme.CRIMSON),
    "not counted": ("·", theme.GRID),
}


def outcome_word(one: FunctionOutcome) -> str:
    """Return what became of a function, as the matrix names it."""
    if one.only_with_fallback:
        return "passes by falling back"
    return {
        "success": "passes", "partial": "fails in part", "complete": "fails", "not_counted": "not counted",
    }[one.status("fallback")]  # fmt: skip


def matrix_data(found: Shares, most: int = MOST) -> pl.DataFrame:
    """Return function × target with outcome, letter and main reason.

    Functions that pass wherever they are counted are left out; of the others those that fail on the largest
    share of targets come first, `most` at most.
    """
    import polars as pl

    names = {cell.key: named(cell) for cell in found.cells}
    lost: dict[tuple[str, str], list[bool]] = {}
    for one in found.outcomes:
        fails = one.fails("strict")
        if fails is not None and not one.group:
            lost.setdefault((one.framework, one.function), []).append(fails)
    ranked = sorted(
        (key for key, fails in lost.items() if any(fails)),
        key=lambda key: (-sum(lost[key]) / len(lost[key]), -len(lost[key]), key),
    )[:most]
    kept = {key: rank for rank, key in enumerate(ranked)}
    rows = [
        {
            "framework": one.framework,
            "function": one.function,
            "target": names[(one.framework, one.target, one.level)],
            "outcome": outcome_word(one),
            "letter": OUTCOMES[outcome_word(one)][0],
            "reason": one.reason,
            "rank": kept[one.framework, one.function],
        }
        for one in found.outcomes
        if (one.framework, one.function) in kept and not one.group
    ]
    schema = dict.fromkeys(("framework", "function", "target", "outcome", "letter", "reason"), pl.String)
    return pl.DataFrame(rows, schema=schema | {"rank": pl.Int64}).sort("rank", "target")


def matrix(found: Shares, most: int = MOST) -> alt.LayerChart | alt.FacetChart:
    """Draw the matrix; the reason shows under the pointer."""
    import altair as alt

    frame = matrix_data(found, most)
    functions = frame["function"].unique(maintain_order=True).to_list()
    targets = frame["target"].unique().sort().to_list()
    flat = len(targets) <= LEVEL
    base = alt.Chart(frame).encode(
        y=alt.Y("function:N", sort=functions, title=None, axis=alt.Axis(labelLimit=320, labelFontSize=10)),
        x=alt.X(
            "target:N",
            sort=targets,
            title=None,
            axis=alt.Axis(
                orient="top",
                labelAngle=0 if flat else -90,
                labelAlign="center" if flat else "left",
                labelLimit=240,
                labelOverlap=False,
                domain=False,
                ticks=False,
            ),
        ),
    )
    cells = base.mark_rect(stroke=theme.PAPER, strokeWidth=1).encode(
        color=alt.Color(
            "outcome:N",
            scale=alt.Scale(domain=list(OUTCOMES), range=[colour for _, colour in OUTCOMES.values()]),
            legend=alt.Legend(title=None, columns=len(OUTCOMES)),
        ),
        tooltip=["function:N", "target:N", "outcome:N", "reason:N"],
    )
    letters = base.mark_text(fontSize=10, color=theme.PAPER, fontWeight="bold").encode(text="letter:N")
    return alt.layer(cells, letters).properties(height=ROW * max(1, len(functions)), width=WIDTH)

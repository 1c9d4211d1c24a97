"""Pictures of targets that are lowered or compiled only: which functions have no rule on which platform."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from isoflop.present import theme

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from isoflop.portability.runs import Run
    from isoflop.portability.shares.count import FunctionOutcome
    from isoflop.portability.shares.result import Shares

ROW, COLUMN = 16, 110
"""Pixels of a function and of a platform."""
MOST = 60
"""Functions drawn: those without a rule on most platforms."""
BELOW = ("lowered", "compiled")
WORDS = {
    "has rules": ("", theme.RAMP[0]),
    "has rules, calls a library": ("c", theme.RAMP[2]),
    "for some inputs": ("p", theme.VERMILION),
    "no rule": ("F", theme.CRIMSON),
    "not counted": ("·", theme.GRID),
}
"""What a cell says, its letter and its colour."""


def platform(target: str) -> str:
    """Return a target as the matrix heads its column.

    Examples
    --------
    >>> platform("jax:lower-tpu"), platform("onnx:iree-cuda")
    ('tpu', 'iree-cuda')
    """
    return target.rpartition(":")[2].removeprefix("lower-")


def library_calls(run: Run) -> dict[tuple[str, str], Counter[str]]:
    """Return, by function and target, the custom calls in what was lowered, with how many tasks have each."""
    frame = run.frame().select("function", "target", "custom_calls").drop_nulls("custom_calls")
    found: dict[tuple[str, str], Counter[str]] = {}
    for function, target, calls in frame.iter_rows():
        found.setdefault((function, target), Counter()).update(set(calls.split()))
    return found


def lower_data(found: Shares, run: Run, most: int = MOST) -> pl.DataFrame:
    """Return function × platform with what was found, for functions that some platform has no rule for.

    Columns: framework, function, platform, level, outcome, letter, reason, rank. Functions that pass on every
    platform are left out; those that fail on most come first, `most` at most.
    """
    import polars as pl

    calls = library_calls(run)
    below = [one for one in found.outcomes if one.level in BELOW and not one.group]
    lost = Counter((one.framework, one.function) for one in below if one.fails("strict"))
    ranked = sorted(lost, key=lambda key: (-lost[key], key))[:most]
    places = {key: rank for rank, key in enumerate(ranked)}
    rows = [
        _cell(one, bool(calls.get((one.function, one.target))), places[one.framework, one.function])
        for one in below
        if (one.framework, one.function) in places
    ]
    text = ("framework", "function", "platform", "level", "outcome", "letter", "reason")
    schema: dict[str, Any] = {**dict.fromkeys(text, pl.String), "rank": pl.Int64}
    return pl.DataFrame(rows, schema=schema).sort("rank", "platform")


def _cell(one: FunctionOutcome, calls: bool, rank: int) -> dict[str, Any]:
    outcome = {
        "success": "has rules, calls a library" if calls else "has rules",
        "partial": "for some inputs",
        "complete": "no rule",
        "not_counted": "not counted",
    }[one.status("strict")]
    return {
        "framework": one.framework,
        "function": one.function,
        "platform": platform(one.target),
        "level": one.level,
        "outcome": outcome,
        "letter": WORDS[outcome][0],
        "reason": (one.reason or "").replace("_", " "),
        "rank": rank,
    }


def lower(found: Shares, run: Run, most: int = MOST) -> alt.LayerChart | alt.FacetChart:
    """Draw the matrix."""
    import altair as alt

    frame = lower_data(found, run, most)
    functions = frame["function"].unique(maintain_order=True).to_list()
    platforms = frame["platform"].unique().sort().to_list()
    base = alt.Chart(frame).encode(
        y=alt.Y("function:N", sort=functions, title=None, axis=alt.Axis(labelLimit=320, labelFontSize=10)),
        x=alt.X(
            "platform:N",
            sort=platforms,
            title=None,
            axis=alt.Axis(orient="top", labelAngle=0, domain=False, ticks=False),
        ),
    )
    cells = base.mark_rect(stroke=theme.PAPER, strokeWidth=1).encode(
        color=alt.Color(
            "outcome:N",
            scale=alt.Scale(domain=list(WORDS), range=[colour for _, colour in WORDS.values()]),
            legend=alt.Legend(title=None, columns=3, labelLimit=240),
        ),
        tooltip=["function:N", "platform:N", "outcome:N", "reason:N"],
    )
    letters = base.mark_text(fontSize=10, color=theme.PAPER, fontWeight="bold").encode(text="letter:N")
    return alt.layer(cells, letters).properties(
        height=ROW * max(1, len(functions)), width=COLUMN * max(1, len(platforms))
    )

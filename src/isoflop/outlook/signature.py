"""The signature picture: what the five instruments measure, as factors on one axis.

Each row is one finding in the common unit, how many times: what halves an error, what a year of better
algorithms multiplies compute by, what industry has over academia, what routing saves, what a move to other
hardware costs. A row without a value says why.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from isoflop.findings import Estimate, Finding
from isoflop.outlook.model import EXPONENT, GAIN, GAP, RATE, SLOWDOWN
from isoflop.present import formats, theme
from isoflop.present.chapter import Figure

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

HALVING = "scaling.halving_factor_data_robotics"
STEP = 72
"""Height of one row: two lines of text and the interval below them."""
_LABEL, _SAID, _MARK, _TICK = 13, 30, 50, 7
"""Where in a row its texts and its interval stand, and half the height of a tick."""
FARTHEST = 1e5
"""An interval that reaches farther from 1 ends in an arrow; its numbers stand in the text."""
LINE = 56
"""Characters of a reason that fit a phone."""
MOST_LN = 700.0
"""A factor beyond e to this power is none: it would not be a number of the machine."""
NO_FACTOR = 1e9
"""A factor farther from 1 than this says that there is none: the draws have no common scale."""
FEWEST_DRAWS = 40
"""Fewer joint draws give no 95 % interval."""
_KINDS = {
    "measured": "measured by this project",
    "embedded": "published facts, computed here",
    "pulled": "public data, computed here",
    "own": "your own data",
    "published": "published result",
}
_LOOKS = {
    "measured by this project": (theme.GREEN, "circle"),
    "published facts, computed here": (theme.BLUE, "circle"),
    "public data, computed here": (theme.TEAL, "square"),
    "your own data": (theme.PURPLE, "diamond"),
    "published result": (theme.VERMILION, "triangle-up"),
    "no table": (theme.GREY, "circle"),
}
"""Colour and shape of each kind of evidence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One row: which finding, and how it becomes a factor."""

    instrument: str
    id: str
    label: str
    factor: Callable[[Finding], Estimate]


def bounded(factor: Estimate) -> Estimate:
    """Return a factor with ends beyond `NO_FACTOR` either way left open, and without such a value.

    Examples
    --------
    >>> bounded(Estimate(value=9.5, low=1e-39, high=20.0, level=0.95, unit="×"))
    Estimate(value=9.5, low=None, high=20.0, level=0.95, unit='×', interval='open_below')
    """
    low, value, high = (
        v if v is not None and 1 / NO_FACTOR <= v <= NO_FACTOR else None
        for v in (factor.low, factor.value, factor.high)
    )
    interval = factor.interval
    if factor.low is not None and low is None:
        interval = "open_below"
    if factor.high is not None and high is None:
        interval = "open_above"
    return replace(factor, low=low, value=value, high=high, interval=interval)


def _itself(finding: Finding) -> Estimate:
    return finding.estimate


def _grown(finding: Finding) -> Estimate:
    return finding.estimate.map(lambda rate: math.exp(min(rate, MOST_LN)), unit="×")


def _apart(finding: Finding) -> Estimate:
    return finding.estimate.map(lambda oom: math.exp(min(oom * math.log(10.0), MOST_LN)), unit="×")


def halving_on_the_frontier(finding: Finding) -> Estimate:
    """Return the multiple of compute that halves the reducible loss along the frontier of a fitted law.

    With ``E + A N^-alpha + B D^-beta`` (no other law) and compute proportional to ``N D``, the reducible
    loss falls as ``C^(-alpha beta / (alpha + beta))``; the interval comes from the joint draws where the
    finding has them.

    Examples
    --------
    >>> law = {"law": "chinchilla", "parameters": {"alpha": {"value": 0.5}, "beta": {"value": 0.5}}}
    >>> given = Finding(
    ...     id="scaling.frontier_exponent_a", instrument="scaling", label="a", method="", n=None,
    ...     estimate=Estimate(value=0.5, unit="1"), details=law,
    ... )
    >>> round(halving_on_the_frontier(given).value, 9)
    16.0
    """
    if finding.details.get("law") != "chinchilla":
        return Estimate(value=None, unit="×")
    alpha, beta = (float(finding.details["parameters"][name]["value"]) for name in ("alpha", "beta"))
    drawn = finding.details.get("parameter_draws", {})
    spread = sorted(
        _halving(float(a), float(b))
        for a, b in zip(drawn.get("alpha", ()), drawn.get("beta", ()), strict=True)
    )
    if len(spread) < FEWEST_DRAWS:
        return Estimate(value=_halving(alpha, beta), unit="×")
    low, high = (spread[round(share * (len(spread) - 1))] for share in (0.025, 0.975))
    return Estimate(
        value=_halving(alpha, beta),
        low=low,
        high=high,
        level=0.95,
        unit="×",
        interval="closed" if math.isfinite(high) else "open_above",
    )


def _halving(alpha: float, beta: float) -> float:
    if alpha <= 0 or beta <= 0:
        return math.inf
    return math.exp(min(math.log(2.0) * (alpha + beta) / (alpha * beta), MOST_LN))


ROWS = (
    _Row(instrument="scaling", id=HALVING, label="Data that halves a robot policy's error", factor=_itself),
    _Row(
        instrument="scaling",
        id=EXPONENT,
        label="Compute that halves a model's reducible loss",
        factor=halving_on_the_frontier,
    ),
    _Row(instrument="progress", id=RATE, label="A year of better algorithms", factor=_grown),
    _Row(instrument="divide", id=GAP, label="Industry's compute over academia's", factor=_apart),
    _Row(instrument="routing", id=GAIN, label="Compute that routing saves", factor=_itself),
    _Row(instrument="portability", id=SLOWDOWN, label="Slow-down on other hardware", factor=_itself),
)


def signature_data(findings: Iterable[Finding]) -> pl.DataFrame:
    """Return one row a factor, in the order of the instruments.

    Columns: instrument, finding, label, value, low, high, level, interval (how it is drawn), evidence (what
    kind), said (the answer in words). A row whose finding is not among `findings` is left out.
    """
    import polars as pl

    known = {finding.id: finding for finding in findings}
    rows = [_row(row, known[row.id]) for row in ROWS if row.id in known]
    columns = {
        "instrument": pl.String, "finding": pl.String, "label": pl.String, "value": pl.Float64,
        "low": pl.Float64, "high": pl.Float64, "level": pl.Float64, "interval": pl.String,
        "evidence": pl.String, "said": pl.String,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=columns)


def _row(row: _Row, finding: Finding) -> dict[str, Any]:
    shown = finding.status == "ok" and finding.estimate.value is not None
    factor = bounded(row.factor(finding)) if shown else Estimate(value=None, unit="×")
    kinds = [p.kind for p in finding.evidence]
    kind = next(
        (kind for kind in ("own", "pulled", "embedded", "measured", "published") if kind in kinds), ""
    )
    return {
        "instrument": row.instrument,
        "finding": row.id,
        "label": row.label,
        "value": factor.value,
        "low": factor.low,
        "high": factor.high,
        "level": factor.level,
        "interval": _interval(factor),
        "evidence": _KINDS.get(kind, "no table"),
        "said": _said(factor, finding),
    }


def _interval(factor: Estimate) -> str:
    if factor.value is None:
        return "not identified"
    if factor.low is None and factor.high is None:
        return "none"
    return factor.interval.replace("_", " ")


def _said(factor: Estimate, finding: Finding) -> str:
    if factor.value is not None:
        bare = factor.low is None and factor.high is None
        return f"{formats.estimate(factor)}{' (no interval)' if bare else ''}"
    if finding.estimate.value is not None:
        return f"{formats.MISSING}: the fitted law has no such factor, or one beyond all measure"
    reason = finding.details.get("reason")
    if not isinstance(reason, str) or not reason:
        return f"{formats.MISSING} on this evidence"
    return f"{formats.MISSING}: {reason}"


def signature_chart(frame: pl.DataFrame) -> Any:
    """Draw the rows below each other: what is multiplied, the answer in words, the interval on one axis."""
    import altair as alt
    import polars as pl

    low, high = _ends(frame)
    ticks = theme.log_ticks(low, high)
    places = {
        "label_y": _LABEL,
        "said_y": _SAID,
        "mark_y": _MARK,
        "tick_top": _MARK - _TICK,
        "tick_end": _MARK + _TICK,
    }
    rows = frame.with_row_index("row").with_columns(
        pl.col("low").fill_null(low).clip(low, high).alias("left"),
        pl.col("high").fill_null(high).clip(low, high).alias("right"),
        pl.Series("shown", [_wrapped(said) for said in frame["said"]]),
        *((pl.col("row").cast(pl.Int64) * STEP + at).alias(name) for name, at in places.items()),
    )
    known = rows.filter(pl.col("value").is_not_null())
    spans = known.filter(pl.col("low").is_not_null() | pl.col("high").is_not_null())
    ladder = rows.select("tick_top", "tick_end").join(pl.DataFrame({"tick": ticks}), how="cross")
    height = frame.height * STEP

    def y(name: str) -> alt.Y:
        return alt.Y(f"{name}:Q", axis=None, scale=alt.Scale(domain=[height, 0], nice=False, zero=False))

    def x(name: str) -> alt.X:
        return alt.X(
            f"{name}:Q", scale=alt.Scale(type="log", domain=[low, high], nice=False), axis=_axis(ticks)
        )

    def words(name: str, place: str, **look: Any) -> Any:
        mark = alt.Chart(rows).mark_text(align="left", baseline="alphabetic", lineBreak="\n", dx=0, **look)
        return mark.encode(x=alt.value(0), y=y(place), text=f"{name}:N")

    def track(part: pl.DataFrame, **look: Any) -> Any:
        return (
            alt.Chart(part)
            .mark_rule(color=theme.RULE, opacity=0.6, **look)
            .encode(x=alt.value(0), x2=alt.value("width"), y=y("mark_y"))
        )

    colour, shape = (_look("evidence:N", known, kind, at) for at, kind in enumerate((alt.Color, alt.Shape)))

    def arrows(part: pl.DataFrame, end: float, side: str) -> Any:
        mark = alt.Chart(part).mark_point(shape=f"triangle-{side}", size=110, opacity=1)
        return mark.encode(x=alt.XDatum(end), y=y("mark_y"), color=colour)

    return alt.layer(
        alt.Chart(ladder).mark_rule(color=theme.GRID).encode(x=x("tick"), y=y("tick_top"), y2="tick_end"),
        track(known),
        track(rows.filter(pl.col("value").is_null()), strokeDash=[3, 4]),
        alt.Chart(spans)
        .mark_rule(strokeWidth=9, opacity=0.35)
        .encode(x=x("left"), x2="right", y=y("mark_y"), color=colour),
        arrows(spans.filter(pl.col("low").is_null() | (pl.col("low") < low)), low, "left"),
        arrows(spans.filter(pl.col("high").is_null() | (pl.col("high") > high)), high, "right"),
        alt.Chart(known)
        .mark_point(size=130, opacity=1, filled=True, stroke=theme.PAPER, strokeWidth=1.5)
        .encode(x=x("value"), y=y("mark_y"), color=colour, shape=shape, tooltip=["label:N", "said:N"]),
        words("label", "label_y", fontWeight="bold", fontSize=13.5),
        words("shown", "said_y", color=theme.MUTED),
    ).properties(height=height)


def _wrapped(said: str) -> str:
    """Return the answer in at most two lines; a long reason ends with its first clause."""
    lines = textwrap.wrap(said, LINE)
    if len(lines) > 2:
        lines = textwrap.wrap(said.partition(";")[0], LINE)
    return "\n".join(lines if len(lines) < 3 else [lines[0], lines[1][: LINE - 1].rstrip(" ,;") + "…"])


def _look(field: str, rows: pl.DataFrame, channel: Any, place: int) -> Any:
    """Return colour (place 0) or shape (place 1) by the kinds of evidence that occur."""
    import altair as alt

    kinds = [kind for kind in _LOOKS if kind in rows["evidence"].to_list()]
    scale = alt.Scale(domain=kinds, range=[_LOOKS[kind][place] for kind in kinds])
    return channel(
        field,
        title=None,
        scale=scale,
        legend=alt.Legend(columns=1, symbolSize=110, symbolOpacity=1, labelLimit=300),
    )


def _axis(ticks: Sequence[float]) -> alt.Axis:
    import altair as alt

    return alt.Axis(
        title=None,
        values=list(ticks),
        labelExpr="format(datum.value, ',~r') + '×'",
        domain=False,
        ticks=False,
        labelOverlap=False,
    )


def _ends(frame: pl.DataFrame) -> tuple[float, float]:
    """Return the axis: from 1 or less to the farthest end of an interval, within bounds."""
    values = [v for v in frame["value"].drop_nulls().to_list() if v > 0]
    ends = [v for name in ("low", "high") for v in frame[name].drop_nulls().to_list() if v > 0]
    low, high = min([1.0, *values, *ends]), max([10.0, *values, *ends])
    # Every point is drawn where it is; only intervals are cut short.
    least, most = min([1 / FARTHEST, *values]), max([FARTHEST, *values])
    return max(low / 1.15, least / 1.15), min(high * 1.3, most * 1.3)


def signature(findings: Iterable[Finding]) -> Figure | None:
    """Return the picture of all factors on one axis, or None where fewer than two have a value.

    Parameters
    ----------
    findings : iterable of Finding
        Of a report; only the ids of `ROWS` are read.
    """
    known = {finding.id: finding for finding in findings}
    frame = signature_data(known.values())
    said = frame.filter(frame["value"].is_not_null())
    if said.height < 2:
        return None
    names = list(dict.fromkeys(frame["instrument"].to_list()))
    levels = sorted({formats.percent(level) for level in frame["level"].drop_nulls().to_list()})
    missing = frame.height - said.height
    return Figure(
        id="signature",
        title=f"{_counted(names)} in one unit: how many times",
        subtitle="What halves an error, and what a year, a sector, a router and a move to other hardware are "
        "worth. All rows share one logarithmic axis",
        frame=frame,
        chart=lambda: signature_chart(frame),
        alt=". ".join(f"{row['label']}: {row['said']}" for row in frame.iter_rows(named=True)) + ".",
        source=", ".join(
            dict.fromkeys(p.name for row in ROWS if row.id in known for p in known[row.id].evidence)
        ),
        n=None,
        interval=(f"Bars are {' and '.join(levels)} intervals" if levels else "No row has an interval")
        + (f"; {missing} of {frame.height} rows without a value, with the reason" if missing else ""),
    )


def _counted(names: Sequence[str]) -> str:
    words = {2: "Two", 3: "Three", 4: "Four", 5: "Five"}
    return f"{words.get(len(names), str(len(names)))} measurements"

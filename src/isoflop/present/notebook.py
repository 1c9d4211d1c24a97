"""What a notebook shows of a result: its answers, what limits them, and the evidence behind them.

A fragment without scripts, ids or colours of its own: it takes those of the page around it, light or dark.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from isoflop.present import formats, prose

if TYPE_CHECKING:
    import polars as pl

    from isoflop.findings import Finding, Provenance, Result

ROWS = 8
"""Rows of a table shown; the rest are counted, so that the fragment fits one screen."""

COLUMNS = 8
CHARACTERS = 120
"""Of one cell."""

_CELL = "text-align:left;vertical-align:top;white-space:normal"
_NOTE = "opacity:.75;font-size:.9em;margin:.35em 0"


def result_html(result: Result) -> str:
    """Return a result as an HTML fragment; result classes take this as their ``_repr_html_``.

    Parameters
    ----------
    result : Result
        Its ``findings()`` are shown where it has them, else the first rows of its ``frame()``.

    Examples
    --------
    >>> from isoflop import divide
    >>> from isoflop.evidence import load
    >>> shown = result_html(divide.growth(load("notable_systems")))
    >>> "<strong>ComputeGrowth</strong>" in shown, "<script" in shown
    (True, False)
    """
    kind = type(result)
    area = ".".join(kind.__module__.split(".")[:2])
    findings: Callable[[], Sequence[Finding]] | None = getattr(result, "findings", None)
    answers = findings() if findings is not None else ()
    if answers:
        shown, ask = _answers(answers), "<code>.findings()</code>, <code>.frame()</code>"
    elif hasattr(result, "frame"):
        shown, ask = _rows(result.frame()), "<code>.frame()</code>"
    else:
        shown, ask = f"<pre>{escape(result.summary())}</pre>", "<code>.to_dict()</code>"
    return (
        f'<div class="isoflop"><p style="margin:.35em 0"><strong>{escape(kind.__name__)}</strong> '
        f'<span style="{_NOTE}">{escape(area)}</span></p>{shown}'
        f"{_cautions(result.cautions)}{_evidence(result.provenance)}"
        f'<p style="{_NOTE}">More: <code>.summary()</code>, {ask}.</p></div>'
    )


def _answers(findings: Sequence[Finding]) -> str:
    # variants of one answer share a label; their ids tell them apart
    times = Counter(one.label for one in findings)
    rows = [
        [
            f"{one.label} ({one.id})" if times[one.label] > 1 else one.label,
            formats.finding(one),
            "" if one.n is None else formats.count(one.n),
        ]
        for one in findings
    ]
    return _table(("Answer", "Estimate", "n"), rows, len(rows), "answers")


def _rows(frame: pl.DataFrame) -> str:
    names = frame.columns[:COLUMNS]
    rows = [[_text(record[name]) for name in names] for record in frame.head(ROWS).to_dicts()]
    columns = len(frame.columns) - len(names)
    more = f'<p style="{_NOTE}">and {columns} more columns</p>' if columns else ""
    return _table(names, rows, frame.height, "rows") + more


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], whole: int, noun: str) -> str:
    top = "".join(f'<th scope="col" style="{_CELL}">{escape(head)}</th>' for head in heads)
    body = "".join(
        "<tr>" + "".join(f'<td style="{_CELL}">{escape(_short(cell))}</td>' for cell in row) + "</tr>"
        for row in rows[:ROWS]
    )
    more = f'<p style="{_NOTE}">and {formats.count(whole - ROWS)} more {noun}</p>' if whole > ROWS else ""
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>{more}"


def _cautions(cautions: Sequence[str]) -> str:
    if not cautions:
        return ""
    items = "".join(f"<li>{prose.to_html(caution)}</li>" for caution in cautions)
    noun = "caution" if len(cautions) == 1 else "cautions"
    return f"<details><summary>{len(cautions)} {noun}</summary><ul>{items}</ul></details>"


def _evidence(provenance: Sequence[Provenance]) -> str:
    if not provenance:
        return ""
    told = "; ".join(
        f"{one.name} ({one.kind}), {formats.count(one.rows_used)} rows used, "
        f"{formats.count(one.rows_dropped)} dropped, {one.fingerprint}"
        for one in provenance[:ROWS]
    )
    more = f"; and {len(provenance) - ROWS} more tables" if len(provenance) > ROWS else ""
    return f'<p style="{_NOTE}">Evidence: {escape(told + more)}</p>'


def _text(value: Any) -> str:
    if value is None:
        return "–"
    return formats.number(value) if isinstance(value, float) else str(value)


def _short(text: str) -> str:
    return text if len(text) <= CHARACTERS else text[: CHARACTERS - 1] + "…"

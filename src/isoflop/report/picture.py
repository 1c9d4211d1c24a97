"""A `Figure` made ready for the page: still picture, live specification, data and table."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from isoflop.findings import json_ready
from isoflop.present import formats, image, theme
from isoflop.report.still import still

if TYPE_CHECKING:
    from isoflop.present.chapter import Figure

TABLE_ROWS = 60
"""Rows of a picture's data shown on the page; the downloads hold all."""

STILL_CHARACTERS = 500_000
"""A longer still picture (some thousand marks) is kept as dots, so that the page stays small."""

_TAG = re.compile(r"<[^>]+>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What the template needs to show one figure.

    Parameters
    ----------
    figure : Figure
    anchor : str
        Unique on the page.
    svg : str
        Still picture whose colours follow the page's mode.
    data : str
        JSON of the live specification and the data, safe inside a script element.
    columns : tuple of str
    sides : tuple of str
        Alignment of each column.
    rows : tuple of tuple of str
        The first `TABLE_ROWS` rows as text.
    total : int
        Rows in all.
    """

    figure: Figure
    anchor: str
    svg: str
    data: str
    columns: tuple[str, ...]
    sides: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    total: int


def picture(figure: Figure, anchor: str) -> Picture:
    """Draw a figure for the page under an anchor."""
    spec = image.specification(figure)
    svg = still(image.to_svg(spec), prefix=anchor)
    if len(svg) > STILL_CHARACTERS:
        svg = _dots(image.to_png(spec), svg)
    if image.is_single_view(spec):
        spec["width"] = "container"
    columns = tuple(figure.frame.columns)
    records = image.records(figure.frame)
    rows = [[record[name] for name in columns] for record in records]
    live = image.to_vega(spec)
    if live.get("config") == shared_config():
        del live["config"]
    # The specification repeats the frame; the page keeps one copy of it.
    shared = [i for i, source in enumerate(live["data"]) if source.get("values") == records]
    for i in shared:
        del live["data"][i]["values"]
    data = {"spec": live, "columns": columns, "rows": rows, "shared": shared}
    return Picture(
        figure=figure,
        anchor=anchor,
        svg=svg,
        data=script_json(data),
        columns=columns,
        sides=tuple(side(row[i] for row in rows) for i in range(len(columns))),
        rows=tuple(
            tuple(cell_text(v, name) for name, v in zip(columns, row, strict=True))
            for row in rows[:TABLE_ROWS]
        ),
        total=len(rows),
    )


@cache
def shared_config() -> dict[str, Any]:
    """Return the theme as the live pictures need it; the page holds it once for all that use it as it is."""
    plain = {"data": {"values": []}, "mark": "point", "encoding": {}, "config": theme.config()}
    return dict(image.to_vega(plain)["config"])


def _dots(png: bytes, svg: str) -> str:
    """Return an SVG of the same size that shows the PNG."""
    head = _TAG.search(svg)
    size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', head[0] if head else "")
    if head is None or size is None:
        return svg
    data = base64.b64encode(png).decode()
    return f'{head[0]}<image width="{size[1]}" height="{size[2]}" href="data:image/png;base64,{data}"/></svg>'


def script_json(value: Any) -> str:
    """Return JSON that cannot end the script element around it.

    Examples
    --------
    >>> script_json("</script>")
    '"\\\\u003c/script\\\\u003e"'
    """
    text = json.dumps(json_ready(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for mark, escape in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")):
        text = text.replace(mark, escape)
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def side(values: Iterable[Any]) -> str:
    """Return ``"right"`` for a column of numbers, ``"left"`` for any other."""
    known = [v for v in values if v is not None]
    return "right" if known and all(isinstance(v, (int, float)) for v in known) else "left"


def cell_text(value: Any, column: str = "") -> str:
    """Return one cell of a data table as text; years are not grouped.

    Examples
    --------
    >>> cell_text(2019.37, "year"), cell_text(2019.37, "flop"), cell_text(None)
    ('2019.37', '2,019', '–')
    """
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)) and "year" in column and abs(value) < 10_000:
        return f"{value:.2f}".removesuffix("0").removesuffix(".0")
    if isinstance(value, float):
        return formats.number(value, 4)
    return str(value).removesuffix("T00:00:00")

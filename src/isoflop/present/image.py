"""Charts as specifications and files: Vega-Lite JSON, SVG, PNG and a page that works offline."""

from __future__ import annotations

import json
import textwrap
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isoflop.errors import EvidenceError, SettingError
from isoflop.findings import json_ready, write_atomically
from isoflop.present import theme
from isoflop.present.console import say

if TYPE_CHECKING:
    import polars as pl

    from isoflop.present.chapter import Figure

PNG_SCALE = 2.0
"""Pixels of a PNG for each pixel of the design."""
_SUBTITLE_COLUMNS = 105
_TITLE_COLUMNS = 84


def specification(figure: Figure, *, titled: bool = False) -> dict[str, Any]:
    """Return the figure's Vega-Lite specification under the project's theme.

    Parameters
    ----------
    figure : Figure
    titled : bool
        Put title and subtitle into the picture, for a file that stands alone.
    """
    spec = drawn(figure)
    spec["config"] = _merged(theme.config(), spec.get("config", {}))
    spec.setdefault("description", figure.alt)
    if is_single_view(spec):
        spec.setdefault("height", theme.HEIGHT)
        spec["autosize"] = {"type": "fit-x", "contains": "padding"}
        if spec.get("width") in (None, "container"):
            spec["width"] = theme.WIDTH
    if titled:
        width = spec.get("width")
        room = min(1.0, width / theme.WIDTH) if isinstance(width, int | float) else 1.0
        spec["title"] = {
            "text": textwrap.wrap(figure.title, int(_TITLE_COLUMNS * room)),
            "subtitle": textwrap.wrap(caption(figure), int(_SUBTITLE_COLUMNS * room)),
            "frame": "bounds",
        }
    return spec


def drawn(figure: Figure) -> dict[str, Any]:
    """Return what the figure's chart draws, without theme or size."""
    with _calm_altair():
        spec: dict[str, Any] = json_ready(figure.chart().to_dict())
    return spec


def records(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Return a frame's rows as altair writes them into a specification (dates as text, no NaN)."""
    import altair as alt

    if not frame.height:
        return []
    with _calm_altair():
        spec = alt.Chart(frame).mark_point().to_dict()
    (rows,) = spec["datasets"].values()
    return [json_ready(row) for row in rows]


def caption(figure: Figure) -> str:
    """Return subtitle, interval, n and source of a figure as one text."""
    counted = "" if figure.n is None else f" n = {figure.n:,}."
    return f"{_stop(figure.subtitle)} {_stop(figure.interval)}{counted} Source: {_stop(figure.source)}"


def is_single_view(spec: Mapping[str, Any]) -> bool:
    """Return whether a specification is one plot (or layers of one), which can follow its container."""
    return not any(key in spec for key in ("facet", "hconcat", "vconcat", "concat", "repeat")) and not any(
        channel in spec.get("encoding", {}) for channel in ("row", "column", "facet")
    )


def to_vega(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return the lower-level Vega specification, which a page draws without compiling anything."""
    import vl_convert

    return dict(vl_convert.vegalite_to_vega(dict(spec), vl_version=vegalite_version()))


def to_svg(spec: Mapping[str, Any]) -> str:
    """Return the picture as SVG text, drawn without a browser."""
    import vl_convert

    return str(vl_convert.vegalite_to_svg(dict(spec), vl_version=vegalite_version()))


def to_png(spec: Mapping[str, Any], *, scale: float = PNG_SCALE) -> bytes:
    """Return the picture as PNG bytes, drawn without a browser."""
    import vl_convert

    return smaller(bytes(vl_convert.vegalite_to_png(dict(spec), vl_version=vegalite_version(), scale=scale)))


def smaller(png: bytes) -> bytes:
    """Return the same PNG with its pixels compressed as far as zlib can.

    The renderer favours speed: a picture of many marks shrinks to a fifth.
    """
    head, position, parts, pixels = png[:8], 8, [], b""
    while position < len(png):
        length = int.from_bytes(png[position : position + 4], "big")
        chunk = png[position : position + 12 + length]
        if chunk[4:8] == b"IDAT":
            pixels += chunk[8:-4]
        else:
            parts.append(chunk)
        position += len(chunk)
    body = b"IDAT" + zlib.compress(zlib.decompress(pixels), 9)
    data = (len(body) - 4).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
    # Everything but the closing chunk may stand before the pixels.
    return head + b"".join(parts[:-1]) + data + parts[-1]


def to_html(spec: Mapping[str, Any]) -> str:
    """Return a page with the live picture and all scripts inside."""
    import vl_convert

    return str(vl_convert.vegalite_to_html(dict(spec), vl_version=vegalite_version(), bundle=True))


def vegalite_version() -> str:
    """Return the Vega-Lite version that altair writes for, as vl-convert names it."""
    import altair as alt

    return ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])


def write(figures: Sequence[Figure], path: Path) -> tuple[Path, ...]:
    """Write pictures, each whole or not at all; several get their ids appended to the name.

    Parameters
    ----------
    figures : sequence of Figure
    path : Path
        Ends in .svg, .png, .json or .html.

    Returns
    -------
    tuple of Path
        What was written, in order.

    Raises
    ------
    SettingError
        Another ending, or no figure.
    """
    drawers: dict[str, Callable[[Mapping[str, Any]], str | bytes]] = {
        ".svg": to_svg,
        ".png": to_png,
        ".html": to_html,
        ".json": lambda spec: json.dumps(spec, ensure_ascii=False, indent=1) + "\n",
    }
    draw = drawers.get(path.suffix.lower())
    if draw is None:
        raise SettingError(f"write: {path.name!r}, must end in {', '.join(drawers)}. Rename the file.")
    if not figures:
        raise SettingError("write: no figure, needs at least 1. Ask a command that draws one.")
    drawn = []
    for figure in figures:
        target = path if len(figures) == 1 else path.with_name(f"{path.stem}-{figure.id}{path.suffix}")
        write_atomically(target, draw(specification(figure, titled=True)))
        drawn.append(target)
    return tuple(drawn)


def draw(path: Path, figures: Sequence[Figure]) -> None:
    """Write pictures and say where.

    Raises
    ------
    EvidenceError
        There is nothing in a picture.
    """
    for figure in figures:
        if figure.frame.height == 0:
            raise EvidenceError(f"--figure: {figure.id} has no rows to draw, needs some. Drop --figure.")
    say(f"wrote {', '.join(map(str, write(figures, path)))}")


@contextmanager
def _calm_altair() -> Iterator[None]:
    """Lift altair's row limit and default theme for a moment, whatever the user has set."""
    import altair as alt

    with alt.data_transformers.enable("default", max_rows=None), alt.theme.enable("none"):
        yield


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        mine = merged.get(key)
        merged[key] = (
            _merged(mine, value) if isinstance(mine, Mapping) and isinstance(value, Mapping) else value
        )
    return merged


def _stop(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."

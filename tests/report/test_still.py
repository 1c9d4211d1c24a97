"""Still pictures: shorter text, the same picture."""

from __future__ import annotations

import re
import zlib
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.present import image
from isoflop.report.still import still

BRIGHTNESS = 64
"""Of 255: a glyph lands on the next quarter of a pixel, which changes its softened edge by 48; a mark that is
lost changes a pixel by over 100."""
FEW = 1e-3
"""Share of pixels that may change by more than a tenth of that."""


def pixels(svg: str) -> np.ndarray:
    """Return the picture as rendered, one brightness a pixel."""
    import vl_convert

    png = image.smaller(bytes(vl_convert.svg_to_png(svg)))
    width = int.from_bytes(png[16:20], "big")
    body = png[png.index(b"IDAT") + 4 :]
    rows = np.frombuffer(zlib.decompressobj().decompress(body), np.uint8).reshape(-1, 4 * width + 1)
    return _unfiltered(rows.astype(int))


def _unfiltered(rows: np.ndarray) -> np.ndarray:
    """Undo the filters of PNG rows of four bytes a pixel."""
    made = np.zeros((len(rows), rows.shape[1] - 1), int)
    above = np.zeros(rows.shape[1] - 1, int)
    for at, (kind, line) in enumerate(zip(rows[:, 0], rows[:, 1:], strict=True)):
        out = line.copy()
        for i in range(len(out)):
            left, corner = (out[i - 4], above[i - 4]) if i >= 4 else (0, 0)
            up = above[i]
            if kind == 1:
                out[i] += left
            elif kind == 2:
                out[i] += up
            elif kind == 3:
                out[i] += (left + up) // 2
            elif kind == 4:
                guess = left + up - corner
                out[i] += min((left, up, corner), key=lambda v: abs(guess - v))
            out[i] %= 256
        made[at] = above = out
    return made


def coloured(svg: str) -> str:
    """Return the picture with its variables put back, as a download does."""
    return re.sub(r"var\(--c-([0-9a-f]+)\)", r"#\1", svg)


@pytest.mark.slow
@pytest.mark.ci
def test_the_shortened_picture_looks_the_same_and_is_much_shorter(made_up: ModuleType) -> None:
    for figure in made_up.chapter().figures:
        drawn = image.to_svg(image.specification(figure))
        short = still(drawn, prefix="p")
        assert len(short) < 0.7 * len(drawn)
        before, after = pixels(drawn), pixels(coloured(short))
        assert before.shape == after.shape
        change = np.abs(before - after)
        assert change.max() <= BRIGHTNESS
        assert np.mean(change > BRIGHTNESS / 10) < FEW


def test_clip_paths_and_drawn_marks_stay_and_unseen_ones_go() -> None:
    svg = (
        '<svg><clipPath id="c"><path d="M0,0h9v9h-9Z"/></clipPath><g><path d="M0,0h9v9h-9Z"/></g>'
        '<path d="M1,1h2" stroke="red"/><text opacity="0">gone</text><text opacity="0.5">kept</text></svg>'
    )
    short = still(svg, prefix="p")
    assert '<clipPath id="p-c"><path d="M0,0h9v9h-9Z"/></clipPath>' in short
    assert short.count("<path") == 2
    assert "gone" not in short
    assert "kept" in short


def test_what_neighbours_share_is_said_once() -> None:
    svg = '<svg><g><line x2="3" stroke="red"/><line x2="4" stroke="red" stroke-width="2"/></g></svg>'
    assert '<g stroke="red"><line x2="3"/><line x2="4" stroke-width="2"/></g>' in still(svg, prefix="p")


@given(st.floats(-1e4, 1e4, allow_nan=False), st.floats(-1e4, 1e4, allow_nan=False))
def test_a_place_moves_by_less_than_a_hundredth_of_a_pixel(x: float, y: float) -> None:
    short = still(f'<svg><text transform="translate({x!r},{y!r})">3.14159</text></svg>', prefix="p")
    found = re.search(r"translate\(([-\d.]+),([-\d.]+)\)", short)
    assert found is not None
    assert abs(float(found[1]) - x) <= 0.006
    assert abs(float(found[2]) - y) <= 0.006
    assert ">3.14159<" in short

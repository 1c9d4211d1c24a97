"""Pictures as files: themed, titled, free of NaN, independent of the user's altair settings."""

from __future__ import annotations

import datetime as dt
import json
import math
import zlib
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from isoflop.errors import SettingError
from isoflop.present import image, theme
from isoflop.present.chapter import Figure

FRAME = pl.DataFrame(
    {
        "year": [2020.0, 2021.0, math.nan],
        "flop": [1e20, math.inf, 1e22],
        "date": [dt.date(2020, 1, 1)] * 3,
        "name": ["a", "b", "c"],
    }
)


def chart() -> Any:
    import altair as alt

    return alt.Chart(FRAME).mark_point().encode(x="year:Q", y="flop:Q", color="name:N")


def figure(name: str = "points", draw: Any = chart, frame: pl.DataFrame = FRAME) -> Figure:
    return Figure(
        id=name,
        title="Compute grew",
        subtitle="FLOP by year",
        frame=frame,
        chart=draw,
        alt="Three points",
        source="invented",
        n=3,
        interval="none: single systems",
    )


def test_the_specification_carries_theme_and_description_and_no_nan() -> None:
    spec = image.specification(figure())
    json.dumps(spec, allow_nan=False)
    assert spec["config"]["range"]["category"] == list(theme.PALETTE)
    assert spec["description"] == "Three points"
    assert "title" not in spec


def test_a_titled_specification_says_what_the_page_would_say() -> None:
    title = image.specification(figure(), titled=True)["title"]
    assert title["text"] == ["Compute grew"]
    assert " ".join(title["subtitle"]) == "FLOP by year. none: single systems. n = 3. Source: invented."


def test_a_charts_own_configuration_wins_over_the_theme() -> None:
    def draw() -> Any:
        return chart().configure_axis(labelFontSize=20)

    spec = image.specification(figure(draw=draw))
    assert spec["config"]["axis"]["labelFontSize"] == 20
    assert spec["config"]["axis"]["gridColor"] == theme.GRID


def test_settings_of_the_user_are_left_alone_and_do_not_leak_in() -> None:
    import altair as alt

    with alt.theme.enable("dark"), alt.data_transformers.enable("default", max_rows=2):
        spec = image.specification(figure())
        assert alt.theme.active == "dark"
        assert alt.data_transformers.options == {"max_rows": 2}
    assert spec["config"]["background"] == theme.PAPER


def test_records_are_the_rows_of_the_specification() -> None:
    (rows,) = image.specification(figure())["datasets"].values()
    assert rows == image.records(FRAME)
    assert rows[2]["year"] is None
    assert image.records(FRAME.clear()) == []


@pytest.mark.slow
@pytest.mark.ci
def test_a_png_is_made_smaller_without_changing_a_pixel() -> None:
    import vl_convert

    spec = image.specification(figure())
    plain = vl_convert.vegalite_to_png(spec, vl_version=image.vegalite_version(), scale=1)
    small = image.smaller(plain)
    assert len(small) < len(plain)
    assert image.smaller(small) == small
    assert pixels(small) == pixels(plain)


def pixels(png: bytes) -> tuple[list[bytes], bytes]:
    """Return the chunks around the pixels and the raw pixels, after checking every checksum."""
    position, others, data = 8, [], b""
    while position < len(png):
        length = int.from_bytes(png[position : position + 4], "big")
        body = png[position + 4 : position + 8 + length]
        assert int.from_bytes(png[position + 8 + length : position + 12 + length], "big") == zlib.crc32(body)
        if body.startswith(b"IDAT"):
            data += body[4:]
        else:
            others.append(body)
        position += 12 + length
    return others, zlib.decompress(data)


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize(
    ("suffix", "start"), [(".svg", b"<svg"), (".png", b"\x89PNG"), (".json", b"{"), (".html", b"<")]
)
def test_a_picture_is_written_in_the_format_of_its_name(tmp_path: Path, suffix: str, start: bytes) -> None:
    target = tmp_path / "new" / f"picture{suffix}"
    assert image.write([figure()], target) == (target,)
    assert target.read_bytes().lstrip().startswith(start)
    assert [p.name for p in target.parent.iterdir()] == [target.name]


def test_several_pictures_get_their_ids_appended(tmp_path: Path) -> None:
    written = image.write([figure("one"), figure("two")], tmp_path / "p.json")
    assert [p.name for p in written] == ["p-one.json", "p-two.json"]


def test_no_picture_or_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"must end in \.svg, \.png"):
        image.write([figure()], tmp_path / "p.pdf")
    with pytest.raises(SettingError, match="no figure"):
        image.write([], tmp_path / "p.svg")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.ci
def test_only_single_plots_follow_their_container() -> None:
    import altair as alt

    facets = chart().encode(row="name:N")
    assert image.is_single_view(image.specification(figure()))
    for several in (facets, alt.hconcat(chart(), chart()), chart().facet("name:N")):
        spec = image.specification(figure(draw=lambda several=several: several))
        assert not image.is_single_view(spec)
        assert image.to_svg(spec).startswith("<svg")

"""Chapters refuse what the page could not show."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from isoflop.errors import SettingError
from isoflop.findings import Estimate, Finding
from isoflop.present.chapter import Chapter, Column, Figure, Section, Table

FIGURE: dict[str, Any] = {
    "id": "f",
    "title": "t",
    "subtitle": "s",
    "frame": pl.DataFrame({"a": [1]}),
    "chart": lambda: None,
    "alt": "a",
    "source": "s",
    "n": 1,
    "interval": "none",
}


def section(**settings: Any) -> Section:
    return Section(**({"id": "s", "title": "S", "figures": (Figure(**FIGURE),)} | settings))


def chapter(*sections: Section, **settings: Any) -> Chapter:
    return Chapter(instrument="i", question="q?", answer="a", findings=(), sections=sections, **settings)


@pytest.mark.parametrize("name", ["title", "subtitle", "alt", "source", "interval"])
def test_a_figure_without_words_is_refused(name: str) -> None:
    with pytest.raises(SettingError, match=f"{name} is empty"):
        Figure(**(FIGURE | {name: " "}))


@pytest.mark.parametrize("name", ["", "Figure", "a b", "a/b", "-a", '"'])
def test_an_id_that_is_no_anchor_is_refused(name: str) -> None:
    with pytest.raises(SettingError, match="lower-case"):
        Figure(**(FIGURE | {"id": name}))
    with pytest.raises(SettingError, match="lower-case"):
        section(id=name)


def test_blocks_come_in_the_order_of_the_prose_and_then_the_rest() -> None:
    first, second = Figure(**FIGURE), Figure(**(FIGURE | {"id": "g"}))
    table = Table(id="t", title="T", columns=(), rows=())
    blocks = list(
        section(figures=(first, second), tables=(table,), prose=("one", "{table:t}", "two")).blocks()
    )
    assert blocks == ["one", table, "two", first, second]


@pytest.mark.parametrize("prose", [("{figure:x}",), ("{figure:f}", "{figure:f}")])
def test_a_paragraph_that_places_nothing_is_refused(prose: tuple[str, ...]) -> None:
    with pytest.raises(SettingError, match="names nothing here"):
        list(section(prose=prose).blocks())


def test_ids_are_unique_in_a_chapter() -> None:
    with pytest.raises(SettingError, match="section id 's' occurs twice"):
        chapter(section(), section(figures=()))
    with pytest.raises(SettingError, match="figure id 'f' occurs twice"):
        chapter(section(), section(id="t"))


def test_cautions_of_a_chapter_are_gathered_once() -> None:
    finding = Finding(
        id="i.a",
        instrument="i",
        label="l",
        estimate=Estimate(value=1.0, unit="1"),
        method="m",
        n=1,
        cautions=("x",),
    )
    made = Chapter(
        instrument="i",
        question="q",
        answer="a",
        findings=(finding,),
        sections=(section(cautions=("x", "y")),),
    )
    assert made.cautions == ("x", "y")


def test_a_column_shows_missing_values_as_a_dash_and_aligns_by_kind() -> None:
    months = Column(name="m", label="M", format="months")
    assert (months.show({"m": 8.44}), months.show({}), months.side) == ("8.4", "–", "right")
    assert Column(name="m", label="M").side == "left"
    with pytest.raises(SettingError, match="must be one of"):
        Column(name="m", label="M", format="moons")

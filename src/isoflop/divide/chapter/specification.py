"""The section on choices: what the headline is under each, and what the whole curve says."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from isoflop.divide.figures import specification as pictures
from isoflop.divide.specification.grid import LABELS
from isoflop.divide.specification.words import (
    CHOICE_WORDS,
    direction,
    moved_most,
    sentence,
    setting_words,
    shown,
    spread,
)
from isoflop.present import formats
from isoflop.present.chapter import Column, Figure, Section, Table

if TYPE_CHECKING:
    from isoflop.divide.specification.curve import Curve
    from isoflop.divide.specification.result import SpecificationCurve

LEAST = 10
"""Fewer specifications than this are a table, not a curve."""
CURVES = (
    Column(name="label", label="Headline"),
    Column(name="n", label="Specifications", format="count"),
    Column(name="lowest", label="Lowest"),
    Column(name="median", label="Median"),
    Column(name="highest", label="Highest"),
    Column(name="same_sign", label="Same sign", format="percent"),
    Column(name="excluding", label="Exclude the null", format="percent"),
    Column(name="p", label="Joint p", format="number"),
    Column(name="null", label="Null"),
)
CHOICES = (
    Column(name="headline", label="Headline"),
    Column(name="choice", label="Choice"),
    Column(name="setting", label="Setting"),
    Column(name="n_specifications", label="Specifications", format="count"),
    Column(name="median", label="Median", format="number"),
    Column(name="lowest", label="Lowest", format="number"),
    Column(name="highest", label="Highest", format="number"),
)
NO_TRUTH = (
    "The median is the middle of our list of choices, not an estimate of the truth. Specifications share "
    "their systems, so hundreds of them are not hundreds of confirmations, and an interval that excludes "
    "zero in one of them is no finding. What the curve shows is which conclusions survive every choice."
)
METHOD = (
    "Each specification is one combination of table edition, filter, rule of teams, definition of large, "
    "periods and kind of interval [D]; combinations that select the same systems count once. The joint test "
    "[D] takes away each specification's own effect, draws organisations with replacement, the same draw for "
    "all, redoes ranks, trends and lines, and asks how often the median effect is as far from zero as the "
    "one seen. Single p values are not counted."
)


def specification_section(found: SpecificationCurve) -> Section:
    """Return the section on the headline under every choice."""
    figures = specification_figures(found)
    return Section(
        id="specification",
        title="The same headline under every defensible choice",
        prose=(
            *(_paragraph(curve) for curve in found.curves),
            NO_TRUTH,
            *(f"{{figure:{figure.id}}}" for figure in figures),
            METHOD,
        ),
        figures=figures,
        tables=(
            Table(
                id="specification-curves",
                title="Each headline over its specifications",
                columns=CURVES,
                rows=tuple(_row(curve) for curve in found.curves),
                note="Same sign: share of specifications on the side of the median effect. Both shares leave "
                "out those that cannot differ from the null.",
            ),
            Table(
                id="specification-choices",
                title="What each choice does to a headline",
                columns=CHOICES,
                rows=_choices(found),
            ),
        ),
    )


def _choices(found: SpecificationCurve) -> tuple[dict[str, Any], ...]:
    """Return the settings of each choice that has several, headlines in words."""
    rows = [row for row in found.choice_rows() if row["choice"] != "interval"]
    settings = Counter((row["headline"], row["choice"]) for row in rows)
    return tuple(
        {
            **row,
            "headline": LABELS[row["headline"]],
            "choice": CHOICE_WORDS[row["choice"]],
            "setting": setting_words(row["setting"]),
        }
        for row in rows
        if settings[row["headline"], row["choice"]] > 1
    )


def specification_figures(found: SpecificationCurve) -> tuple[Figure, ...]:
    """Return one curve with its matrix of settings for each headline that has specifications enough."""
    return tuple(_figure(found, curve) for curve in found.curves if len(curve.values) >= LEAST)


def _figure(found: SpecificationCurve, curve: Curve) -> Figure:
    values = curve.values
    label = LABELS[curve.headline]
    return Figure(
        id=f"specification-{curve.headline.replace('_', '-')}",
        title=f"{label[0].upper()}{label[1:]}: {spread(curve)}",
        subtitle=f"{formats.count(len(values))} specifications in order of value; below, their settings",
        frame=pictures.curve_data(curve),
        chart=lambda: pictures.curve(curve),
        alt="Points rising from left to right with intervals; under them a matrix of marks that names the "
        "settings behind each point.",
        source=", ".join(one.table.name for one in found.snapshots),
        n=max(one.n for one in curve.specifications),
        interval=f"Grey: {formats.percent(found.level)} interval of each specification",
    )


def _paragraph(curve: Curve) -> str:
    label = LABELS[curve.headline]
    lead = f"{label[0].upper()}{label[1:]}: {sentence(curve)}."
    return " ".join(part for part in (lead, direction(curve), moved_most(curve)) if part)


def _row(curve: Curve) -> dict[str, object]:
    values = curve.values
    return {
        "label": LABELS[curve.headline],
        "n": len(values),
        "lowest": shown(curve.headline, values[0]),
        "median": shown(curve.headline, curve.median),
        "highest": shown(curve.headline, values[-1]),
        "same_sign": curve.same_sign,
        "excluding": curve.excluding,
        "p": None if curve.joint is None else curve.joint.p,
        "null": curve.null,
    }

"""Which input carries the uncertainty, what each assumption does, and what the inputs rest on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from isoflop.outlook.chapter.growth import JOINT, SOURCE
from isoflop.outlook.figures import doubt, intervals
from isoflop.outlook.model import EXPONENT, Assumptions
from isoflop.present import formats
from isoflop.present.chapter import Column, Figure, Section, Table

if TYPE_CHECKING:
    from isoflop.outlook.study import Study

HALF = 0.5


def input_words(chosen: Assumptions) -> Mapping[str, str]:
    """Return each joined finding's id in a few words."""
    return {
        chosen.rate: "algorithmic progress",
        chosen.doubling: "doubling time of compute",
        chosen.gap: "gap between sectors",
        chosen.slowdown: "slow-down",
        chosen.gain: "gain by routing",
        EXPONENT: "frontier's law",
    }


def carriers_section(found: Study) -> Section:
    """Return the section on who carries the uncertainty of each answer."""
    rows, words = found.share_rows(), input_words(found.assumptions)
    title = "Which input carries the uncertainty"
    if not rows:
        return Section(id="carriers", title=title, prose=("No answer rests on two inputs that vary.",))
    most = [row for row in rows if row["share"] > HALF]
    said = "; ".join(
        f"{doubt.ANSWERS[row['id']]}: {words[row['input']]}, {formats.percent(row['share'])}" for row in most
    )
    figure = Figure(
        id="variance-shares",
        title=_leader([words[row["input"]] for row in most]),
        subtitle="Share of the variance of each answer's rank that each input carries",
        frame=doubt.shares_data(rows, words),
        chart=lambda: doubt.shares(rows, words),
        alt=said or "One bar an answer, divided by input.",
        source=SOURCE,
        n=None,
        interval=f"No interval: shares of {formats.count(found.assumptions.draws)} draws, good to 1 or 2 "
        "points",
    )
    use = "A sharper number of the leading input is worth more than any other evidence."
    return Section(
        id="carriers",
        title=title,
        prose=(
            "{figure:variance-shares}",
            f"Inputs that carry more than half: {said}. {use}" if said else use,
        ),
        figures=(figure,),
    )


def _leader(names: list[str]) -> str:
    if not names:
        return "No input carries more than half of any answer's uncertainty"
    first = max(dict.fromkeys(names), key=names.count)
    return f"{first[0].upper()}{first[1:]} carries most of the uncertainty of {names.count(first)} answers"


def choices_section(found: Study) -> Section:
    """Return the section on assumptions: each changed alone, and all defensible ones together."""
    curve, span = found.curve, found.curve.span
    assumptions = Table(
        id="assumptions",
        title="Assumptions, their defaults and the options that change them",
        columns=(
            Column(name="assumption", label="Assumption"),
            Column(name="value", label="Here"),
            Column(name="default", label="Default"),
            Column(name="option", label="Option"),
        ),
        rows=tuple(found.assumption_rows()),
        note="There is no default price of a FLOP: it depends on whose hardware it is.",
    )
    title = "What each assumption does"
    if span is None:
        return Section(id="choices", title=title, tables=(assumptions,))
    low, high = (formats.number(v, 2) for v in span)
    count = len(curve.specifications)
    alone = Figure(
        id="one-change",
        title="The lag under one change at a time",
        subtitle="Years; the dashed line is the lag as assumed",
        frame=intervals.alone_data(curve),
        chart=lambda: intervals.alone(curve),
        alt="One row a change, with a point and its interval.",
        source=SOURCE,
        n=None,
        interval=f"Rules: {JOINT}",
    )
    every = Figure(
        id="specification-curve",
        title=f"From {low} to {high} years, by what is thought defensible",
        subtitle=f"Lag in years under {count} combinations of choices, in order; the ringed one is assumed",
        frame=doubt.curve_data(curve),
        chart=lambda: doubt.curve(curve),
        alt=f"{count} points in rising order with pale intervals, coloured by diffusion.",
        source=SOURCE,
        n=None,
        interval=f"Pale rules: {JOINT}",
    )
    prose = (
        "{table:assumptions}",
        "{figure:one-change}",
        f"All {count} combinations of four assumptions span {low} to {high} years. They share their "
        "findings and "
        "are not independent: the span is no interval, and its middle no estimate.",
        "{figure:specification-curve}",
    )
    return Section(id="choices", title=title, prose=prose, figures=(alone, every), tables=(assumptions,))


def inputs_section(found: Study) -> Section:
    """Return the section on what was joined: value, status, evidence, and what each input warns of."""
    words = input_words(found.assumptions)
    joined = [*found.joined.used, *(one for _, part in found.reaches for one in part.used)]
    seen = {one.id: one for one in joined}
    rows = []
    for one in seen.values():
        row, finding = one.row(), one.finding
        rows.append(
            {
                "input": words.get(one.id, one.id),
                "id": one.id,
                "value": "–" if finding is None else formats.finding(finding),
                "status": row["status"].replace("_", " "),
                "evidence": "–"
                if finding is None
                else ", ".join(f"{p.name} ({p.kind})" for p in finding.evidence) or "–",
                "warns": "–" if not row["cautions"] else formats.count(len(row["cautions"])),
            }
        )
    table = Table(
        id="inputs",
        title="Findings that were joined",
        columns=(
            Column(name="input", label="Input"),
            Column(name="value", label="Value"),
            Column(name="status", label="Status"),
            Column(name="evidence", label="Evidence"),
            Column(name="warns", label="Cautions", align="right"),
            Column(name="id", label="Finding"),
        ),
        rows=tuple(rows),
        note="The cautions of each input stand in its own chapter, and go with every answer that rests on "
        "it.",
    )
    return Section(id="inputs", title="What was joined", prose=("{table:inputs}",), tables=(table,))

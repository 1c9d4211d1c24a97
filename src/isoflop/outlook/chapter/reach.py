"""What budgets reach under the frontier's law, and when one is worth a target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.outlook.chapter.growth import SOURCE
from isoflop.outlook.figures import reach as pictures
from isoflop.outlook.result import said
from isoflop.present import formats
from isoflop.present.chapter import Column, Figure, Section, Table

if TYPE_CHECKING:
    from isoflop.outlook.reached import Reach
    from isoflop.outlook.study import Study

TITLE = "What a budget reaches"
NUMBERS = (
    ("params", "Parameters"),
    ("tokens", "Tokens"),
    ("tokens_per_param", "Tokens a parameter"),
    ("loss", "Least loss"),
)


def reach_section(found: Study) -> Section:
    """Return the section on budgets."""
    reaches = [one for _, one in found.reaches]
    lawful = [one for one in reaches if one.law is not None]
    if not lawful:
        reason = found.no_reach or "no budget was asked for"
        whens = tuple(line for one in reaches for line in _when(one))
        return Section(id="reach", title=TITLE, prose=(f"Not identified: {reason}.", *whens))
    first = lawful[0]
    assert first.law is not None
    low, high = first.law.data_flop
    prose = [
        f"The frontier's law ({first.law.law.name}) rests on runs of {formats.flop(low)} to "
        f"{formats.flop(high)}. "
        f"It is believed for {first.assumptions.most_decades:g} decades beyond them and no farther; a budget "
        "outside that is not answered for.",
        "{table:reach}",
        "{figure:frontier-loss}",
        "{figure:frontier-sizes}",
        *_when(first),
    ]
    return Section(
        id="reach",
        title=TITLE,
        prose=tuple(prose),
        figures=reach_figures(lawful),
        tables=(_table(reaches),),
        cautions=tuple(dict.fromkeys(caution for one in reaches for caution in one.cautions)),
    )


def reach_figures(found: list[Reach]) -> tuple[Figure, ...]:
    """Return the pictures of one or more budgets under a law: least loss, and best sizes."""
    farthest = max(found, key=lambda one: one.flop)
    drawn = 0 if farthest.law is None else farthest.law.drawn
    interval = (
        f"Bands: 95 %, {drawn} joint draws of the law's parameters" if drawn else "No interval: no draws"
    )
    losses = (
        f"{formats.flop(one.flop)} reaches {formats.estimate(one['outlook.reach_loss'].estimate)}"
        for one in found
        if one["outlook.reach_loss"].estimate.value is not None
    )
    return (
        Figure(
            id="frontier-loss",
            title="; ".join(losses) or "The frontier as far as it is believed; the budget lies farther",
            subtitle="Least loss by training compute; dashed beyond the largest run",
            frame=pictures.loss_data(found),
            chart=lambda: pictures.loss(found),
            alt="A falling curve with a band; diamonds at the budgets.",
            source=SOURCE,
            n=None,
            interval=interval,
        ),
        Figure(
            id="frontier-sizes",
            title="Best sizes along the frontier",
            subtitle="Parameters and tokens of the least loss by training compute; dashed beyond the "
            "largest run",
            frame=pictures.sizes_data(farthest),
            chart=lambda: pictures.sizes(farthest),
            alt="Two rising lines with bands, parameters and tokens.",
            source=SOURCE,
            n=None,
            interval=interval,
        ),
    )


def _when(one: Reach) -> tuple[str, ...]:
    """Return the paragraph on the target, where there is one."""
    if one.target is None:
        return ()
    needed, years, physical = (
        one[f"outlook.{name}"] for name in ("target_flop", "years_to_target", "years_to_target.physical")
    )
    if years.reason:
        return (f"The target is not reached within what can be said: {years.reason}.",)
    return (
        f"{needed.label[0].upper()}{needed.label[1:]}: {said(needed)}. "
        f"{years.label[0].upper()}{years.label[1:]}: "
        f"{said(years)}; by hardware and spending alone {said(physical)}. The budget keeps its place in the "
        "trend: it grows as the largest systems' compute did.",
    )


def _table(reaches: list[Reach]) -> Table:
    return Table(
        id="reach",
        title="What budgets reach",
        columns=(
            Column(name="budget", label="Budget", align="right"),
            Column(name="decades", label="Decades beyond the runs", format="number"),
            *(Column(name=name, label=label) for name, label in NUMBERS),
        ),
        rows=tuple(
            {
                "budget": str(one.budget),
                "decades": one.decades,
                **{name: formats.estimate(one[f"outlook.reach_{name}"].estimate) for name, _ in NUMBERS},
            }
            for one in reaches
        ),
        note=next((a.reason for one in reaches for a in one.answers if a.reason), ""),
    )

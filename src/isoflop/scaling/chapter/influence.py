"""Which runs the conclusion hinges on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from isoflop.present import formats
from isoflop.present.chapter import Column, Figure, Section, Table
from isoflop.scaling.figures import influence as pictures
from isoflop.scaling.influence.quantities import WORDS

if TYPE_CHECKING:
    from isoflop.scaling.influence.result import Influence


def influence_section(found: Influence, *, key: str = "influence", where: str = "") -> Section:
    """Return the section on influence: without the highest losses, without single runs.

    Parameters
    ----------
    key : str
        Prefix of ids, where a chapter shows several tables of runs.
    where : str
        Added to the title: which runs.
    """
    main = found.main
    values = [float(row[main]) for row in found.path]
    has_allocation = "tokens_per_param" in found.point
    columns = [
        Column(name="dropped", label="highest left out", format="count"),
        Column(name="n", label="runs", format="count"),
        *(Column(name=name, label=name, format="number") for name in found.fitted.law.names),
    ]
    if has_allocation:
        columns += [
            Column(name="tokens_per_param", label="tokens per parameter", format="number"),
            Column(name="a", label="a", format="number"),
        ]
    prose = [
        f"Leaving out the {_listed([int(row['dropped']) for row in found.path[1:]])} highest losses and "
        f"fitting again moves {WORDS.get(main, main)} at {formats.flop(found.at_flop)} from {values[0]:.3g} "
        f"to {_listed(values[1:])}.",
        f"{{table:{key}-drop}}",
    ]
    if found.flip is not None:
        name = WORDS.get(found.flip.quantity, found.flip.quantity)
        prose.append(
            f"{name.capitalize()} crosses {found.flip.bar:g} once {len(found.flip.removed)} of {found.n} "
            f"runs are removed, picked greedily (from {found.flip.values[0]:.3g} to "
            f"{found.flip.values[-1]:.3g})."
            if found.flip.flipped
            else f"No {len(found.flip.removed)} runs, picked greedily, carry {name} over {found.flip.bar:g}: "
            f"it moves from {found.flip.values[0]:.3g} to {found.flip.values[-1]:.3g}."
        )
    return Section(
        id=key,
        title=f"Which runs carry this conclusion{where}",
        prose=tuple(prose),
        figures=(
            Figure(
                id=f"{key}-highest",
                title=f"Without the highest losses, {WORDS.get(main, main)} goes from {values[0]:.3g} to "
                f"{values[-1]:.3g}",
                subtitle="Refits from fresh starts after leaving out the highest losses",
                frame=pictures.drop_data(found),
                chart=lambda: pictures.drop(found),
                alt="Two lines over the number of runs left out.",
                source=found.fitted.runs.table.name,
                n=found.n,
                interval="Refits; no interval",
            ),
            Figure(
                id=f"{key}-single",
                title="The runs that move the answer most when left out",
                subtitle=f"{WORDS.get(main, main).capitalize()} without each run; dashed: with all runs",
                frame=pictures.left_out_data(found),
                chart=lambda: pictures.left_out(found),
                alt="A dot for each of the most influential runs, joined to the value on all runs.",
                source=found.fitted.runs.table.name,
                n=found.n,
                interval="Exact refits; no interval",
            ),
        ),
        tables=(
            Table(
                id=f"{key}-drop",
                title="Fits without the highest losses",
                columns=tuple(columns),
                rows=tuple(found.path),
            ),
        ),
    )


def _listed(numbers: Sequence[float]) -> str:
    """Return numbers as a list in words."""
    words = [f"{n:.3g}" for n in numbers]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"

"""The section on editions: what revisions of the table did to its headlines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.divide.audit.headlines import HEADLINES
from isoflop.divide.audit.result import NO_SAMPLING, count_sentence, moved, shown
from isoflop.divide.figures import audit as pictures
from isoflop.present import formats
from isoflop.present.chapter import Column, Figure, Section, Table

if TYPE_CHECKING:
    from isoflop.divide.audit.result import Move, SnapshotChanges

READINGS = (
    Column(name="label", label="Headline"),
    Column(name="snapshot", label="Edition"),
    Column(name="value", label="Value"),
    Column(name="low", label="Low"),
    Column(name="high", label="High"),
    Column(name="n", label="Systems", format="count"),
)
PARTS = (
    Column(name="label", label="Headline"),
    Column(name="pair", label="Editions"),
    Column(name="revision", label="Revision"),
    Column(name="contribution", label="Contribution"),
)
METHOD = (
    "Systems are matched by name, but for case and marks, and by dates within 60 days [D]; a renamed system "
    "counts as removed and added. Each change is divided among five kinds of revision by Shapley values over "
    "all 32 mixtures of the two editions [D], so that the parts add up and no order of revisions comes "
    "first."
)


def audit_section(found: SnapshotChanges) -> Section:
    """Return the section on what revisions did."""
    figures = audit_figures(found)
    pairs = {one["pair"]: f"{one['first']} to {one['last']}" for one in found.counts}
    moves = [move for move in (found.move(name) for name in HEADLINES) if move.change is not None]
    return Section(
        id="audit",
        title="What revisions of the table did to its headlines",
        prose=(
            *(f"{count_sentence(one)}." for one in found.counts),
            *(_moved(move) for move in moves),
            *(f"{{figure:{figure.id}}}" for figure in figures),
            f"{METHOD} {NO_SAMPLING}",
        ),
        figures=figures,
        tables=(
            Table(
                id="audit-headlines",
                title="Headlines by edition",
                columns=READINGS,
                rows=tuple(
                    {**row, **{end: shown(row[end], row["unit"]) for end in ("value", "low", "high")}}
                    for row in found.headline_rows()
                ),
                note=f"{formats.percent(found.level)} intervals: Wilson for shares, HC1 for gap and trend.",
            ),
            Table(
                id="audit-parts",
                title="What each kind of revision contributed",
                columns=PARTS,
                rows=tuple(
                    {
                        **row,
                        "pair": pairs[row["pair"]],
                        "contribution": moved(row["contribution"], row["unit"]),
                    }
                    for row in found.decomposition_rows()
                    if row["contribution"] is not None
                ),
            ),
        ),
    )


def audit_figures(found: SnapshotChanges) -> tuple[Figure, ...]:
    """Return headlines by edition, and the waterfall from the first to the last where it can be had."""
    source = ", ".join(one.table.name for one in found.snapshots)
    first, last = found.snapshots[0].name, found.snapshots[-1].name
    n = int(found.counts[-1]["in_both"])
    made = []
    if pictures.headlines_data(found).height:
        made.append(
            Figure(
                id="audit-editions",
                title="The same headlines in each edition of the table",
                subtitle="Value of each headline, one scale a headline",
                frame=pictures.headlines_data(found),
                chart=lambda: pictures.headlines(found),
                alt="For each headline one point with its interval an edition.",
                source=source,
                n=n,
                interval=f"{formats.percent(found.level)}: Wilson for shares, HC1 for gap and trend",
            )
        )
    if pictures.waterfall_data(found).height:
        made.append(
            Figure(
                id="audit-waterfall",
                title=f"From {first} to {last}: which revisions moved each headline",
                subtitle="Value after each kind of revision, in their average over all orders",
                frame=pictures.waterfall_data(found),
                chart=lambda: pictures.waterfall(found),
                alt="For each headline a staircase from the first edition to the last, one step a revision.",
                source=f"{found.snapshots[0].table.name}, {found.snapshots[-1].table.name}",
                n=n,
                interval="None: a difference between editions is a fact of the tables, not a sample",
            )
        )
    return tuple(made)


def _moved(move: Move) -> str:
    label, unit, _ = HEADLINES[move.headline]
    text = (
        f"{label[0].upper()}{label[1:]}: {shown(move.before, unit)} in {move.first}, "
        f"{shown(move.after, unit)} in {move.last}"
    )
    if move.parts is None or not any(move.parts.values()):
        return f"{text}."
    most = max(move.parts, key=lambda name: abs(move.parts[name]) if move.parts else 0.0)
    part = move.parts[most]
    size = (
        f"{formats.difference(100 * part, 1)} points"
        if unit == "1"
        else f"{formats.difference(part, 2)} {unit}"
    )
    return f"{text}; the largest part is {most} ({size})."

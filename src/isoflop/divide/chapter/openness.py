"""Foundation models, open weights and bases: the section on what those without compute build on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.divide.figures import openness as pictures
from isoflop.divide.openness.result import WORDS
from isoflop.present import formats
from isoflop.present.chapter import Column, Figure, Section, Table

if TYPE_CHECKING:
    from isoflop.divide.openness.result import Openness, TeamCount

GROUPS = (
    Column(name="group", label="Group"),
    Column(name="team", label="Team"),
    Column(name="k", label="Systems", format="count"),
    Column(name="n", label="Of", format="count"),
    Column(name="share", label="Share", format="percent"),
    Column(name="low", label="Low", format="percent"),
    Column(name="high", label="High", format="percent"),
    Column(name="unknown", label="Unknown team", format="count"),
    Column(name="ratio", label="Over its share of all", format="number"),
    Column(name="ratio_low", label="Low", format="number"),
    Column(name="ratio_high", label="High", format="number"),
)
BASES = (
    Column(name="bases_found_in", label="Bases found in"),
    Column(name="team", label="Team"),
    Column(name="noted", label="With a base noted", format="count"),
    Column(name="n", label="With one found", format="count"),
    Column(name="on_industry", label="On an industry base", format="count"),
    Column(name="share", label="Share", format="percent"),
    Column(name="low", label="Low", format="percent"),
    Column(name="high", label="High", format="percent"),
)


def openness_section(found: Openness) -> Section:
    """Return the section on foundation models, open weights and bases."""
    figures = openness_figures(found)
    placed = {figure.id: f"{{figure:{figure.id}}}" for figure in figures}
    blocks = (
        _foundation(found),
        placed.get("openness-groups"),
        _open_weights(found),
        placed.get("openness-rates"),
        _built(found),
        placed.get("openness-bases"),
    )
    return Section(
        id="openness",
        title="Foundation models, open weights, and whose models academia builds on",
        prose=tuple(block for block in blocks if block),
        figures=figures,
        tables=tuple(
            table
            for table in (
                Table(
                    id="openness-table",
                    title="Teams by group",
                    columns=GROUPS,
                    rows=tuple({**row, "group": WORDS[row["group"]]} for row in found.rows()),
                ),
                Table(
                    id="openness-bases-table",
                    title="Systems built on others",
                    columns=BASES,
                    rows=tuple(row for row in found.base_rows() if row["noted"]),
                    note="Industry base: any base found is of an industry-only team.",
                ),
            )
            if table.rows
        ),
    )


def openness_figures(found: Openness) -> tuple[Figure, ...]:
    """Return the pictures for which the table has systems."""
    source, level = found.sample.table.name, formats.percent(found.level)
    n = int(found.sample.known.sum())
    made = []
    if found.groups:
        made.append(
            Figure(
                id="openness-groups",
                title=_title(found),
                subtitle="Share of each team among systems that the table marks",
                frame=pictures.groups_data(found),
                chart=lambda: pictures.groups(found),
                alt="One panel a group, one row a team, with intervals.",
                source=source,
                n=n,
                interval=f"Wilson {level}",
            )
        )
    if pictures.opened_data(found).height:
        made.append(
            Figure(
                id="openness-rates",
                title="How often each team opens its weights",
                subtitle="Systems with open weights, of those whose access is known",
                frame=pictures.opened_data(found),
                chart=lambda: pictures.opened(found),
                alt="One row a team with its interval.",
                source=source,
                n=sum(one.n for one in found.opened),
                interval=f"Wilson {level}",
            )
        )
    if pictures.bases_data(found).height:
        one = found.bases[-len(found.teams)]
        best = found.base_share("academia", one.way)
        made.append(
            Figure(
                id="openness-bases",
                title=f"{best.k} of {best.n} academic systems with a base found stand on industry's models",
                subtitle="Academic systems with a base noted and found, by year",
                frame=pictures.bases_data(found),
                chart=lambda: pictures.bases(found),
                alt="Stacked bars by year: on an industry base, and on another.",
                source=source,
                n=best.n,
                interval="Counts; no interval",
            )
        )
    return tuple(made)


def _title(found: Openness) -> str:
    group = found.groups[0]
    one = group.of("academia")
    return f"Academic teams alone made {one.k} of {one.n} {WORDS[group.name]}"


def _said(one: TeamCount) -> str:
    if one.share is None or one.low is None or one.high is None:
        return f"{one.k} of {one.n}"
    ends = f"{formats.percent(one.low)} to {formats.percent(one.high)}"
    return f"{one.k} of {one.n} ({formats.percent(one.share)}, {ends})"


def _foundation(found: Openness) -> str:
    if not found.flags:
        return (
            "The table does not mark foundation models or self-supervised systems: academia's share of them "
            "needs a table that does."
        )
    said = []
    for group in found.flags.values():
        one = group.of("academia")
        against = (
            f", {formats.multiple(one.ratio)} its share of all systems of those years"
            f" ({formats.number(one.ratio_low)} to {formats.number(one.ratio_high)})"
            if one.ratio is not None and one.ratio_low is not None and one.ratio_high is not None
            else ""
        )
        said.append(
            f"Of {WORDS[group.name]} of {group.first} to {group.last} academic teams alone made {_said(one)}"
            f"{against}; {group.unknown} more are of unknown team."
        )
    return (
        "The paper's abstract names foundation models as where academic teams are rarest [V]. "
        f"{' '.join(said)}"
    )


def _open_weights(found: Openness) -> str:
    if found.open_weights is None:
        return "The table names no system with open weights."
    industry, academia = found.open_weights.of("industry"), found.open_weights.of("academia")
    return (
        f"Weights are open for {found.open_weights.n} systems of known team: {_said(industry)} by industry "
        f"alone, {_said(academia)} by academia alone. Access unknown counts as neither open nor closed."
    )


def _built(found: Openness) -> str:
    if not found.built:
        return "The table notes no base models: what academic systems build on needs a table that does."
    plain = found.base_share()
    text = (
        f"Of {plain.n} academic systems whose base is itself in the table, {plain.k} stand on an "
        "industry-only base"
    )
    if plain.share is not None and plain.low is not None and plain.high is not None:
        text += f" ({formats.percent(plain.low)} to {formats.percent(plain.high)})"
    if found.dictionary is not None:
        more = found.base_share("academia", "dictionary")
        text += f"; looking bases up in the list of pre-trained models too, {more.k} of {more.n}"
    if found.open_weights is not None and found.open_weights.of("industry").share is not None:
        share = found.open_weights.of("industry").share or 0.0
        text += f". Picked blindly among open weights a base would be industry's in {formats.percent(share)}"
    trend = (
        f" The part of academic systems on an industry base rises over years (z = "
        f"{formats.number(found.trend[0])}, p = {formats.number(found.trend[1], 2)})"
        if found.trend is not None and found.trend[0] > 0
        else ""
    )
    doubt = ", but bases were also noted more carefully in later years." if trend else ""
    return f"{text}.{trend}{doubt}"

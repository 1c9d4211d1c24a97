"""Are academic teams rarer where compute is larger? The section on deciles and fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.divide.deciles.find import LEAST_IN_FIELD, field_correlation
from isoflop.divide.figures import deciles as pictures
from isoflop.present import formats
from isoflop.present.chapter import Column, Figure, Section, Table

if TYPE_CHECKING:
    from isoflop.divide.deciles.result import ComputeDeciles

FIELDS = (
    Column(name="by", label="By"),
    Column(name="field", label="Field"),
    Column(name="n", label="Systems", format="count"),
    Column(name="k", label="Academia", format="count"),
    Column(name="median_log10_flop", label="Median log10 FLOP", format="number"),
    Column(name="median_residual_oom", label="Above trend (orders of magnitude)", format="number"),
    Column(name="ratio", label="Ratio", format="number"),
    Column(name="low", label="Low", format="number"),
    Column(name="high", label="High", format="number"),
)


def deciles_section(found: ComputeDeciles) -> Section:
    """Return the section on compute deciles and fields."""
    return Section(
        id="deciles",
        title="Are academic teams rarer where compute is larger?",
        prose=(
            _headline(found),
            "{figure:deciles-groups}",
            _fields_text(found),
            *(("{figure:deciles-fields}",) if _has_fields(found) else ()),
        ),
        figures=deciles_figures(found),
        tables=(
            (
                Table(
                    id="deciles-fields-table",
                    title=f"Fields with at least {LEAST_IN_FIELD} systems",
                    columns=FIELDS,
                    rows=tuple(found.field_rows()),
                    note=f"{len(found.field_rows())} ratios side by side: some lie off 1 by chance alone.",
                ),
            )
            if found.field_rows()
            else ()
        ),
    )


def deciles_figures(found: ComputeDeciles) -> tuple[Figure, ...]:
    """Return the pictures of deciles, and of fields where there are some."""
    level = formats.percent(found.level)
    table = found.sample.table.name
    made = [
        Figure(
            id="deciles-groups",
            title=_title(found),
            subtitle=f"Share of {found.team} in each {found.word} of compute above trend, over its share of "
            f"all systems of {found.years}",
            frame=pictures.groups_data(found),
            chart=lambda: pictures.groups(found),
            alt="A bar for each group with its interval, beside a line at one.",
            source=table,
            n=found.n,
            interval=f"{level}, delta method; cut at {pictures.TOP:g}",
        )
    ]
    if _has_fields(found):
        made.append(
            Figure(
                id="deciles-fields",
                title="How common academic teams are in fields that take more or less compute",
                subtitle=f"Fields with at least {LEAST_IN_FIELD} systems of {found.years}, by median compute",
                frame=pictures.fields_data(found),
                chart=lambda: pictures.fields(found),
                alt="One row a field with its interval, the most compute on top, beside a line at one.",
                source=table,
                n=found.n,
                interval=f"{level}, delta method; cut at {pictures.TOP:g}",
            )
        )
    return tuple(made)


def _has_fields(found: ComputeDeciles) -> bool:
    return pictures.fields_data(found).height > 1


def _halves(found: ComputeDeciles) -> tuple[int, int, int, int]:
    """Return the team's systems and all systems of the lower and the upper half of the groups."""
    middle = len(found.groups) // 2
    lower, upper = found.groups[:middle], found.groups[middle:]
    return (
        sum(g.k[found.team] for g in lower),
        sum(g.n for g in lower),
        sum(g.k[found.team] for g in upper),
        sum(g.n for g in upper),
    )


def _title(found: ComputeDeciles) -> str:
    low_k, low_n, high_k, high_n = _halves(found)
    return (
        f"{found.team.capitalize()} made {formats.percent(low_k / low_n)} of the lower half, "
        f"{formats.percent(high_k / high_n)} of the upper half"
    )


def _headline(found: ComputeDeciles) -> str:
    low_k, low_n, high_k, high_n = _halves(found)
    said = (
        f"With the growth of compute over {found.years} taken out, academic teams alone made {low_k} of "
        f"{low_n} systems in the lower half and {high_k} of {high_n} in the upper half."
    )
    if found.correlation is None:
        return f"{said} Their share does not differ between {found.word}s."
    c = found.correlation
    ends = (
        f" ({formats.number(c.low, 2)} to {formats.number(c.high, 2)} when organisations are drawn)"
        if c.low is not None and c.high is not None
        else ""
    )
    return (
        f"{said} The rank correlation of {found.word} and share is {formats.number(c.rho, 2)}{ends}, p = "
        f"{formats.number(c.p, 2)}. If compute did not matter it would lie near 0."
    )


def _fields_text(found: ComputeDeciles) -> str:
    said = []
    for by, fields in found.fields.items():
        plain, above = (field_correlation(fields, detrended=d, seed=found.seed) for d in (False, True))
        if plain is not None and above is not None:
            said.append(
                f"Over {plain.n} {by}s the rank correlation of median compute and academia's ratio is "
                f"{formats.number(plain.rho, 2)} (p = {formats.number(plain.p, 2)}), with compute above "
                f"trend {formats.number(above.rho, 2)} (p = {formats.number(above.p, 2)})."
            )
    if not said:
        return "Too few domains or tasks have enough systems to rank fields by their compute."
    return (
        " ".join(said)
        + " That is a comparison of broad fields of a list of notable systems, not of the topics "
        "of papers: topics need a table of works."
    )

"""On whom the headlines hang: the section on influence and on what the lines leave over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.divide.influence.result import NAMES, RANGE
from isoflop.present import formats
from isoflop.present.chapter import Column, Section, Table

if TYPE_CHECKING:
    from isoflop.divide.influence.result import Influence

COLUMNS = (
    Column(name="headline", label="Headline"),
    Column(name="value", label="With all", format="number"),
    Column(name="low", label="Least without one", format="number"),
    Column(name="high", label="Greatest without one", format="number"),
    Column(name="organisation", label="Moved most by"),
    Column(name="systems", label="Its systems", format="count"),
    Column(name="without", label="Without it", format="number"),
)
RESIDUALS = (
    Column(name="team", label="Sector"),
    Column(name="year", label="Year", format="year"),
    Column(name="n", label="Systems", format="count"),
    Column(name="mean_oom", label="Mean above the line (OOM)", format="number"),
)


def influence_section(found: Influence) -> Section:
    """Return the section on leave-one-organisation-out and on residuals."""
    return Section(
        id="influence",
        title="On whom the headlines hang",
        prose=(_headline(found), _leftover(found)),
        tables=(
            Table(
                id="influence-table",
                title="Each headline without one organisation",
                columns=COLUMNS,
                rows=tuple(
                    row | {"headline": NAMES[row["headline"]]} for row in found.rows() if row["rank"] == 1
                ),
                note=f"An organisation goes with every system that names it. {RANGE}",
            ),
            Table(
                id="influence-residuals",
                title="What the sectors' lines leave over, year by year",
                columns=RESIDUALS,
                rows=tuple(found.residual_rows()),
            ),
        ),
    )


def _headline(found: Influence) -> str:
    told = [
        f"{NAMES[name]} {_number(one.value, one.unit)}, between {_number(one.low, one.unit)} and "
        f"{_number(one.high, one.unit)} (most by {one.organisation})"
        for name in ("doubling_time_months_all", "gap_oom", "academia_share_last")
        for one in found.removals
        if one.headline == name
    ]
    return f"Removing each of {found.n_organisations} organisations in turn: {'; '.join(told)}."


def _number(value: float, unit: str) -> str:
    return formats.percent(value) if unit == "1" else formats.number(value)


def _leftover(found: Influence) -> str:
    told = [
        f"{one.team}: spread {formats.number(one.sd_oom)} orders of magnitude around the line"
        + (
            ""
            if one.autocorrelation is None
            else f", yearly means correlated {formats.number(one.autocorrelation, 2)} with the year before "
            f"(within {formats.number(one.chance, 2)} by chance)"
        )
        for one in found.leftovers
    ]
    return f"{'; '.join(told)}." if told else "No sector has a line of its own here."

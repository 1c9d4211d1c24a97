"""Who made the large systems: the section on shares, with what is published beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from isoflop.divide.figures import shares as pictures
from isoflop.divide.shares.findings import KNOWN
from isoflop.present import formats
from isoflop.present.chapter import Column, Figure, Section, Table

if TYPE_CHECKING:
    from isoflop.divide.model import Period, Team
    from isoflop.divide.shares.result import LargeShares

COLUMNS = (
    Column(name="definition", label="Definition of large"),
    Column(name="period", label="Period"),
    Column(name="team", label="Team"),
    Column(name="k", label="Systems", format="count"),
    Column(name="n", label="Of", format="count"),
    Column(name="share", label="Share", format="percent"),
    Column(name="low", label="Low", format="percent"),
    Column(name="high", label="High", format="percent"),
    Column(name="unknown", label="Unknown team", format="count"),
    Column(name="bound_low", label="Least", format="percent"),
    Column(name="bound_high", label="Most", format="percent"),
)
CHANGES = (
    Column(name="large", label="Definition of large"),
    Column(name="team", label="Team"),
    Column(name="difference", label="Change (points)", format="points"),
    Column(name="low", label="Low", format="points"),
    Column(name="high", label="High", format="points"),
    Column(name="p_fisher", label="Fisher p", format="number"),
    Column(name="trend_z", label="Trend z", format="number"),
    Column(name="trend_p", label="Trend p", format="number"),
    Column(name="trend_p_exact", label="Exact p", format="number"),
)
COVERAGE = (
    Column(name="period", label="Period"),
    Column(name="team", label="Team"),
    Column(name="with_compute", label="With compute", format="count"),
    Column(name="n", label="Of", format="count"),
    Column(name="share", label="Share", format="percent"),
)
BESIDE = (
    "Third-party summaries of the paper [S] give about 65 % academia-only in the early 2010s, about 10 % in "
    "the early 2020s, and 81 % industry-only in 2022. We have not read these figures in the paper itself; "
    "and a share of a hand-kept list of notable systems is no share of all research."
)


def shares_section(found: LargeShares) -> Section:
    """Return the section on shares of large systems."""
    rows = tuple(found.rows())
    return Section(
        id="shares",
        title="How rare academic teams are among large systems",
        prose=(
            _headline(found),
            "{figure:shares-periods}",
            _change(found),
            *(("{figure:shares-definitions}", _spread(found)) if len(found.definitions) > 1 else ()),
            BESIDE,
            *(("{figure:shares-years}",) if _has_years(found) else ()),
        ),
        figures=shares_figures(found),
        tables=(
            Table(
                id="shares-cells",
                title="Shares by period, team and definition",
                columns=COLUMNS,
                rows=tuple(row for row in rows if _is_shown(row)),
                note=f"Wilson {formats.percent(found.level)} intervals. Least and most: if none, or all, of "
                "the systems of unknown team were of this one.",
            ),
            Table(
                id="shares-changes",
                title="Change and trend of academia's share",
                columns=CHANGES,
                rows=tuple(
                    {**row, "large": found.texts[row["large"]]}
                    for row in found.change_rows()
                    if row["team"] == "academia"
                ),
                note=_multiplicity(found),
            ),
            Table(
                id="shares-coverage",
                title="Systems whose compute is known",
                columns=COVERAGE,
                rows=tuple(row for row in found.coverage_rows() if row["n"]),
            ),
        ),
    )


def _is_shown(row: Mapping[str, Any]) -> bool:
    """Say whether a row stands on the page: all sides of known systems, academia of every definition."""
    sides = ("academia", "industry", "collaboration") if row["large"] == KNOWN else ("academia",)
    return row["team"] in sides


def shares_figures(found: LargeShares) -> tuple[Figure, ...]:
    """Return the pictures of shares: periods, definitions (where several) and calendar years."""
    table = found.sample.table.name
    level = formats.percent(found.level)
    first, last = found.periods[0], found.periods[-1]
    made = [
        Figure(
            id="shares-periods",
            title=f"Academia made {_percent(found, 'academia', last)} of systems with known compute in {last}"
            + (f", after {_percent(found, 'academia', first)} in {first}" if first != last else ""),
            subtitle="Share of systems with known compute, by team and period",
            frame=pictures.periods_data(found),
            chart=lambda: pictures.periods(found),
            alt="One row a team and period: the share, its interval, and bounds for unknown teams.",
            source=table,
            n=found.n,
            interval=f"Thick: Wilson {level}; thin, with ends: if none or all unknown were of the team",
        )
    ]
    if len(found.definitions) > 1:
        frame = pictures.definitions_data(found)
        made.append(
            Figure(
                id="shares-definitions",
                title=f"Academia's share under {frame['definition'].n_unique()} definitions of large",
                subtitle="Academia-only share of large systems in the first and the last period",
                frame=frame,
                chart=lambda: pictures.definitions(found),
                alt="Two points with intervals for each definition of large, one a period.",
                source=table,
                n=found.n,
                interval=f"Wilson {level}",
            )
        )
    if _has_years(found):
        made.append(
            Figure(
                id="shares-years",
                title="Shares of academia and industry, year by year",
                subtitle=f"Share of systems with known compute; years with at least {pictures.LEAST} systems",
                frame=pictures.years_data(found),
                chart=lambda: pictures.years(found),
                alt="Two lines over calendar years with bands.",
                source=table,
                n=found.n,
                interval=f"Bands: Wilson {level}",
            )
        )
    return tuple(made)


def _has_years(found: LargeShares) -> bool:
    return pictures.years_data(found)["year"].n_unique() > 1


def _percent(found: LargeShares, team: Team, period: Period) -> str:
    share = found.cell(team, period).share
    return formats.MISSING if share is None else formats.percent(share)


def _cell(found: LargeShares, team: Team, period: Period) -> str:
    c = found.cell(team, period)
    if c.share is None or c.low is None or c.high is None:
        return f"no system in {period}"
    return (
        f"{c.k} of {c.n} ({formats.percent(c.share)}, {formats.percent(c.low)} to {formats.percent(c.high)})"
    )


def _unknown(found: LargeShares) -> str:
    """Return what systems of unknown team could do to academia's shares; empty where there are none."""
    said = [
        f"in {period} {c.unknown} more have no known team, with which the share lies between "
        f"{formats.percent(c.bound_low)} and {formats.percent(c.bound_high)}"
        for period in found.periods
        for c in [found.cell("academia", period)]
        if c.unknown and c.bound_low is not None and c.bound_high is not None
    ]
    text = "; ".join(said)
    return f" {text[0].upper()}{text[1:]}." if text else ""


def _headline(found: LargeShares) -> str:
    first, last = found.periods[0], found.periods[-1]
    now = _cell(found, "academia", last)
    if first == last:
        return (
            f"Academic teams alone made {now} of the systems of {last} with known compute.{_unknown(found)}"
        )
    return (
        f"In {first} academic teams alone made {_cell(found, 'academia', first)} of the systems with known "
        f"compute; in {last}, {now}. Industry alone went from {_percent(found, 'industry', first)} to "
        f"{_percent(found, 'industry', last)}. Periods are {found.how}.{_unknown(found)}"
    )


def _change(found: LargeShares) -> str:
    change, trend = found.change("academia"), found.trend("academia")
    if change is None:
        return "One period alone says nothing of a change."
    p = trend.p if trend.p_exact is None else trend.p_exact
    years = (
        f"Over the single years {trend.span.first} to {trend.span.last} the trend test gives z = "
        f"{formats.number(trend.z)} (p = {formats.number(p, 2)})."
        if trend.z is not None and p is not None
        else "Over single years there is no trend to test: all or none of the systems are academic."
    )
    return (
        f"That is a change of {formats.difference(100 * change.difference, 0)} points "
        f"({formats.difference(100 * change.low, 0)} to {formats.difference(100 * change.high, 0)}); "
        f"Fisher's exact test gives p = {formats.number(change.p_fisher, 2)}. {years} Both take systems as "
        "independent draws, which systems of one organisation are not."
    )


def _spread(found: LargeShares) -> str:
    last = found.periods[-1]
    values = [
        c.share for c in found.cells if c.team == "academia" and c.period == last and c.share is not None
    ]
    return (
        f"What counts as large is our choice [D]: the paper's definition is not known to us. Under "
        f"{len(values)} definitions academia's share of {last} lies between "
        f"{formats.percent(min(values))} and {formats.percent(max(values))}."
    )


def _multiplicity(found: LargeShares) -> str:
    return (
        f"{len(found.trends)} trends and {len(found.changes)} changes were tested (definitions × teams); no "
        "p is corrected for that, and the definitions share their systems."
    )

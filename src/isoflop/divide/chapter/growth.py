"""How fast training compute grows: the section on doubling times."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.divide.figures import growth as pictures
from isoflop.divide.growth.result import NEVER
from isoflop.divide.growth.settings import INTERVAL_WORDS
from isoflop.present import formats
from isoflop.present.chapter import Column, Figure, Section, Table

if TYPE_CHECKING:
    from isoflop.divide.growth.result import ComputeGrowth, TeamGrowth
    from isoflop.divide.growth.slope import Slope

COLUMNS = (
    Column(name="team", label="Systems of"),
    Column(name="interval", label="Interval"),
    Column(name="n", label="Systems", format="count"),
    Column(name="n_organisations", label="Organisations", format="count"),
    Column(name="doubling_months", label="Doubling (months)", format="number"),
    Column(name="low", label="Low", format="number"),
    Column(name="high", label="High", format="number"),
    Column(name="growth_per_year", label="Growth a year", format="multiple"),
    Column(name="reason", label="Why there is none"),
)
FORECASTS = (
    Column(name="team", label="Systems of"),
    Column(name="rule", label="Foretold by"),
    Column(name="split", label="From", format="year"),
    Column(name="n_after", label="Systems", format="count"),
    Column(name="rmse_oom", label="Typical miss (OOM)", format="number"),
    Column(name="bias_oom", label="Mean miss (OOM)", format="number"),
)
PUBLISHED = (
    "Summaries of the paper [S] give a doubling in about 6 months. We have not read the figure in the paper "
    "itself, and the kinds of interval shown here other than least squares are ours [D]."
)


def growth_section(found: ComputeGrowth) -> Section:
    """Return the section on the growth of training compute."""
    return Section(
        id="growth",
        title="How fast training compute grows",
        prose=(
            _headline(found),
            "{figure:growth-systems}",
            _intervals(found),
            *(("{figure:growth-intervals}",) if _several(found) else ()),
            _steady(found),
            PUBLISHED,
        ),
        figures=growth_figures(found),
        tables=(
            Table(
                id="growth-table",
                title="Doubling time by team and kind of interval",
                columns=COLUMNS,
                rows=tuple(
                    {**row, "interval": INTERVAL_WORDS.get(kind := row.get("interval", ""), kind)}
                    for row in found.rows()
                ),
                note="An interval is that of the slope, inverted; without an upper end, no growth is not "
                "excluded. Doubt about each system's compute is read from a word of confidence "
                "as a factor of 3, 10 or 30 [R]; a sensitivity, as the estimates carry that doubt already.",
            ),
            *_forecasts(found),
        ),
    )


def growth_figures(found: ComputeGrowth) -> tuple[Figure, ...]:
    """Return the pictures: systems with trends, and intervals side by side where there are several."""
    level = formats.percent(found.level)
    table = found.sample.table.name
    made = [
        Figure(
            id="growth-systems",
            title=f"Training compute doubles in {_months(found.all)}",
            subtitle="Training compute of each system by date, with the trend of each team",
            frame=pictures.systems_data(found),
            chart=lambda: pictures.systems(found),
            alt="Points by date on a logarithmic scale, coloured by team, with three straight lines.",
            source=table,
            n=found.sample.n,
            interval=f"Bands: pointwise {level}, HC1",
        )
    ]
    if _several(found):
        made.append(
            Figure(
                id="growth-intervals",
                title="What the kind of interval changes",
                subtitle="Doubling time of training compute in months, by team and kind of interval",
                frame=pictures.intervals_data(found),
                chart=lambda: pictures.intervals(found),
                alt="For each team, one horizontal interval for each kind, around the same point.",
                source=table,
                n=found.n,
                interval=f"{level}; a line that runs to the edge has no upper end",
            )
        )
    return tuple(made)


def _several(found: ComputeGrowth) -> bool:
    return pictures.intervals_data(found).height > 1


def _months(line: TeamGrowth) -> str:
    return formats.estimate(line.doubling_months, unbounded=NEVER)


def _headline(found: ComputeGrowth) -> str:
    parts = [f"{line.team} {_months(line)}" for line in found.lines[1:] if not line.reason and line.n >= 10]
    unknown = found.sample.n - found.n
    beside = (
        f" With the {unknown} of unknown team it is {_months(found.with_unknown)}."
        if unknown
        else " No team is unknown."
    )
    return (
        f"Over {found.n} systems of known team, training compute doubles in {_months(found.all)}.{beside} "
        f"By team: {'; '.join(parts)}."
        if parts
        else f"Over {found.n} systems of known team, compute doubles in {_months(found.all)}.{beside}"
    )


def _intervals(found: ComputeGrowth) -> str:
    noise = found.noise
    return (
        f"Systems of one organisation are alike, so the leading interval draws whole organisations where "
        f"there are 20 or more. Doubt about the compute of each system alone gives {_span(noise.alone)}; "
        f"together with draws of organisations, {_span(noise.both)}."
    )


def _span(slope: Slope) -> str:
    months = slope.doubling_months()
    if months.low is None:
        return formats.MISSING
    if months.high is None:
        return f"at least {formats.fixed(months.low, 1)} months, {NEVER}"
    return f"{formats.fixed(months.low, 1)} to {formats.fixed(months.high, 1)} months"


def _steady(found: ComputeGrowth) -> str:
    line = found.all
    said = [
        "One straight line is an assumption.",
        *(doubt for doubt in line.doubts if "bends" in doubt),
    ]
    by_rule = {one.rule: one for one in line.forecasts}
    if by_rule:
        trend, others = by_rule.pop("trend"), by_rule
        told = ", ".join(f"{formats.number(o.rmse_oom)} by {rule}" for rule, o in others.items())
        said.append(
            f"Fitted to systems before {trend.split}, it misses the {trend.n_after} later ones by "
            f"{formats.number(trend.rmse_oom)} orders of magnitude (root mean square), against {told}."
        )
    return " ".join(said)


def _forecasts(found: ComputeGrowth) -> tuple[Table, ...]:
    rows = tuple(found.forecast_rows())
    if not rows:
        return ()
    return (
        Table(
            id="growth-forecasts",
            title="How well the trend foretells the last three years",
            columns=FORECASTS,
            rows=rows,
            note="Each rule is fitted to the earlier systems only. Most of the miss is the spread among "
            "systems of one date, which no rule of time can foretell.",
        ),
    )

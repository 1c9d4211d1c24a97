"""The section on forecasts: what laws are worth beyond the data they were fitted to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from isoflop.errors import IsoflopError
from isoflop.present import formats, theme
from isoflop.present.chapter import Column, Figure, Section, Table
from isoflop.scaling.figures import forecast as pictures
from isoflop.scaling.forecast.find import forecast
from isoflop.scaling.forecast.from_runs import CUT, curves_of_runs
from isoflop.scaling.forecast.settings import LAST_VALUE, STACK

if TYPE_CHECKING:
    from isoflop.evidence import Library
    from isoflop.scaling.forecast.result import Forecast
    from isoflop.scaling.forecast.scores import LawScore

PUBLIC = ("learning_curves_image", "learning_curves_language")

SCORE_COLUMNS = (
    Column(name="law", label="law"),
    Column(name="rmsle", label="error (RMSLE)", format="number"),
    Column(name="low", label="from", format="number"),
    Column(name="high", label="to", format="number"),
    Column(name="difference", label="above the last value's", format="number"),
    Column(name="difference_low", label="from", format="number"),
    Column(name="difference_high", label="to", format="number"),
    Column(name="n_curves", label="curves", format="count"),
)


def forecasts_of(
    library: Library, *, seed: int, progress: Callable[[str, float], None] | None = None
) -> tuple[Forecast, ...]:
    """Return the forecasts that this evidence allows.

    The public learning curves where they are, else the curves that the runs at hand make, cut at a
    quarter of their data; none where there are no such runs.
    """
    here = library.available()
    public = [library.table(name) for name in PUBLIC if name in here]
    if public:
        return tuple(forecast(table, seed=seed, progress=progress) for table in public)
    try:
        curves = curves_of_runs(library.table("scaling_runs"))
        return (forecast(curves, cut=CUT, seed=seed, progress=progress),)
    except IsoflopError:
        return ()


def forecast_section(found: Forecast) -> Section:
    """Return the section on one table of curves; without forecast parts it shows the forecasts alone."""
    name = _slug(found)
    if not found.scored:
        return Section(
            id=f"forecast-{name}",
            title="What comes next",
            prose=(_method(found),),
            figures=(_grid(found, name),),
            cautions=found.cautions,
        )
    by_law = {score.law: score for score in found.scores}
    stack, last = by_law[STACK].rmsle, by_law[LAST_VALUE].rmsle
    covered = next(f for f in found.findings() if f.id == "scaling.forecast_coverage").estimate
    assert stack.value is not None
    assert last.value is not None
    assert covered.value is not None
    coverage = _coverage(found, name)
    verdict = "less than" if stack.value < last.value else "no less than"
    domains = found.scores_by_domain
    told = [f"{domain} {_beside(scores)}" for domain, scores in domains.items()] if len(domains) > 1 else []
    split = f" By domain, beside the last value: {'; '.join(told)}." if told else ""
    return Section(
        id=f"forecast-{name}",
        title=f"Beyond the fitted part: the stack errs by {formats.number(stack.value)}, the last value "
        f"by {formats.number(last.value)}",
        prose=(
            f"On {len(found.scored)} curves with a known continuation, the stacked forecast errs by "
            f"{formats.estimate(stack)} in ln y, {verdict} the last observed value "
            f"({formats.number(last.value)}).{split} Its {formats.percent(found.level)} bands hold "
            f"{formats.percent(covered.value)} of what came.",
            _method(found),
            f"{{figure:forecast-errors-{name}}}",
            f"{{figure:forecast-grid-{name}}}",
            *(f"{{figure:{figure.id}}}" for figure in coverage),
        ),
        figures=(_errors(found, name), _grid(found, name), *coverage),
        tables=(
            Table(
                id=f"forecast-{name}",
                title="Error beyond the fitted part, by law",
                columns=SCORE_COLUMNS,
                rows=tuple(score.row() for score in found.scores),
                note="A negative difference is better than the last value. Intervals: bootstrap over curves, "
                "95 %.",
            ),
        ),
        cautions=found.cautions,
    )


def figures_of(found: Forecast) -> tuple[Figure, ...]:
    """Return the pictures of one table of curves; only the forecasts where nothing is scored."""
    return forecast_section(found).figures


def _slug(found: Forecast) -> str:
    kept = "".join(ch if ch.isalnum() else "-" for ch in found.table.name.lower())
    return "-".join(part for part in kept.split("-") if part) or "curves"


def _beside(scores: Sequence[LawScore]) -> str:
    by_law = {score.law: score.rmsle.value or 0.0 for score in scores}
    return f"{formats.number(by_law[STACK])} beside {formats.number(by_law[LAST_VALUE])}"


def _method(found: Forecast) -> str:
    return (
        f"Each of {len(found.names) - 1} laws is fitted to the fit part and to earlier cuts of it. A law's "
        "weight follows from its error beyond those cuts, at the horizon that is asked for; the forecast is "
        "the weighted mean of ln y, the last value included. No part that is forecast enters a weight. Bands "
        "come from what the laws disagree about and from noise, widened until they would have held on curves "
        "of other datasets."
    )


def _source(found: Forecast) -> str:
    return found.table.source


def _errors(found: Forecast, name: str) -> Figure:
    frame = pictures.errors_data(found)
    # means over fewer curves are of other curves
    best = frame.filter(frame["n_curves"] == frame["n_curves"].max()).sort("rmsle")["law"][0]
    named = {STACK: "the stack", LAST_VALUE: "the last value"}.get(best, best)
    return Figure(
        id=f"forecast-errors-{name}",
        title=f"Beyond the fitted part, {named} errs least",
        subtitle="Root mean squared error of ln y on the forecast part, mean over curves",
        frame=frame,
        chart=lambda: pictures.errors(found),
        alt=f"One row a law, the last value first; {named} has the smallest error.",
        source=_source(found),
        n=len(found.scored),
        interval="Rules are 95 % intervals of the mean, by bootstrap over curves",
    )


def _grid(found: Forecast, name: str) -> Figure:
    count = len(pictures.shown(found))
    return Figure(
        id=f"forecast-grid-{name}",
        title=f"Forecasts of {count} of {len(found.curves)} curves, and the last value",
        subtitle="Outcome and x by the last fitted ones, each panel on its own scale; the dashed line is the "
        "last value",
        frame=pictures.grid_data(found),
        chart=lambda: pictures.grid(found),
        alt="One panel a curve: fitted points, a line with its band beyond them, and the points that came.",
        source=_source(found),
        n=len(found.curves),
        interval=f"Areas are {formats.percent(found.level)} bands of a new point",
    )


def _coverage(found: Forecast, name: str) -> tuple[Figure, ...]:
    """Return the picture of coverage by horizon; none where every horizon has too few points."""
    frame = pictures.coverage_data(found)
    if not frame.height:
        return ()
    low, high = theme.ends(frame["covered"])
    figure = Figure(
        id=f"forecast-coverage-{name}",
        title=f"Bands of {formats.percent(found.level)} hold {formats.percent(low)} to "
        f"{formats.percent(high)} of outcomes, by horizon",
        subtitle="Share of points inside the band, against x by the last fitted x",
        frame=frame,
        chart=lambda: pictures.coverage(found),
        alt="A line of the share covered against the horizon, beside the dashed nominal level.",
        source=_source(found),
        n=sum(one.curve.u_ahead.size for one in found.scored),
        interval="None drawn: points of one curve are not independent",
    )
    return (figure,)

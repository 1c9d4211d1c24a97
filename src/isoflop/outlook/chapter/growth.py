"""What grows together, and how many years academia is behind."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from isoflop.outlook.figures import doubt, intervals
from isoflop.outlook.result import said
from isoflop.present import formats
from isoflop.present.chapter import Column, Figure, Section, Table

if TYPE_CHECKING:
    from isoflop.outlook.answer import Answer
    from isoflop.outlook.study import Study

SOURCE = "findings of the instruments"
JOINT = "95 %, joint draws of the findings"


def growth_section(found: Study) -> Section:
    """Return the section on effective compute: every answer in a table, and its growth."""
    joined = found.joined
    both = joined[intervals.GROWTH]
    frame = intervals.growth_data(joined)
    if both.estimate.value is None:
        lead = f"The growth of effective compute is not identified: {both.reason}."
    else:
        times = both.estimate.map(math.exp, unit="×")
        lead = (
            "Compute grows by hardware and spending, and each FLOP goes further by better algorithms. "
            "Together "
            f"effective compute of the largest systems grows {formats.estimate(times)} a year. The parts "
            "multiply; they add in logarithms."
        )
    figure = Figure(
        id="effective-growth",
        title="Growth of compute a year, by hardware and spending, by algorithms, and together",
        subtitle="Times a year, logarithmic axis",
        frame=frame,
        chart=lambda: intervals.growth(joined),
        alt="A point with its interval for each: "
        + "; ".join(f"{row['part']} {formats.multiple(row['times'])} a year" for row in frame.to_dicts()),
        source=SOURCE,
        n=None,
        interval="Rules: 95 %; of the parts their own, of both together joint draws",
    )
    return Section(
        id="together",
        title="What grows together",
        prose=(lead, "{figure:effective-growth}", "{table:answers}")
        if frame.height
        else (lead, "{table:answers}"),
        figures=(figure,) if frame.height else (),
        tables=(_answers(joined.answers),),
        cautions=both.cautions,
    )


def _answers(answers: tuple[Answer, ...]) -> Table:
    return Table(
        id="answers",
        title="The answers, with their formulas",
        columns=(
            Column(name="label", label="What"),
            Column(name="answer", label="Answer"),
            Column(name="formula", label="Formula"),
        ),
        rows=tuple({"label": one.label, "answer": said(one), "formula": one.formula} for one in answers),
    )


def lag_section(found: Study) -> Section:
    """Return the section on the lag of academia, and what diffusion does to it."""
    joined = found.joined
    lag, alone = (joined[f"outlook.academic_lag_years{tail}"] for tail in ("", ".no_diffusion"))
    what = (
        "The lag is the time that academia's compute, growing with the trend, takes to be worth what "
        "industry "
        "uses today. It is no promise that academia grows with the trend, and the gap is that of the large "
        "systems which a table holds, not of all research."
    )
    frame = doubt.diffusion_data(found.lags)
    if lag.estimate.value is None or not frame.height:
        return Section(
            id="lag", title="How far academia is behind", prose=(f"Not identified: {lag.reason}.", what)
        )
    figure = Figure(
        id="lag-by-diffusion",
        title=f"The lag is {formats.estimate(alone.estimate)} without the progress of others, "
        f"{formats.estimate(found.lags[-1][1])} with all of it",
        subtitle="Lag in years by the share of algorithmic progress that reaches academia without delay",
        frame=frame,
        chart=lambda: doubt.diffusion(found.lags),
        alt="A falling curve with a band.",
        source=SOURCE,
        n=None,
        interval=f"Band: {JOINT}",
    )
    assumed = (
        f"Assumed here: {formats.percent(found.assumptions.diffusion)} of algorithmic progress reaches "
        "academia "
        f"without delay, and the lag is {formats.estimate(lag.estimate)}. Published methods and open models "
        "speak for much; what stays unpublished speaks for less."
    )
    return Section(
        id="lag",
        title="How far academia is behind",
        prose=(what, "{figure:lag-by-diffusion}", assumed),
        figures=(figure,),
        cautions=lag.cautions,
    )

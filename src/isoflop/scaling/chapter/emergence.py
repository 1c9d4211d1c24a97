"""Sections of the chapter on thresholds, on returns, and on planning a study."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from isoflop.present import formats
from isoflop.present.chapter import Column, Figure, Section, Table
from isoflop.scaling.emergence.verdict import MEANING, VERDICTS
from isoflop.scaling.figures import emergence as figures

if TYPE_CHECKING:
    from isoflop.findings import Estimate, Provenance
    from isoflop.scaling.emergence.result import EmergenceTests
    from isoflop.scaling.power.result import PowerPlan
    from isoflop.scaling.returns.result import Returns

SHOWN_ROWS = 12
STUDY_COLUMNS = (
    Column(name="study", label="Study"),
    Column(name="verdict", label="Verdict"),
    Column(name="p", label="p", align="right"),
    Column(name="q", label="q", align="right"),
    Column(name="step", label="Best step"),
    Column(name="why", label="Why"),
)
VERDICT_COLUMNS = (
    Column(name="verdict", label="Verdict"),
    Column(name="studies", label="Studies", format="count"),
    Column(name="share", label="Share, by paper", format="estimate"),
    Column(name="zero", label="Of them zero at first", format="count"),
    Column(name="meaning", label="Meaning"),
)
LABEL_COLUMNS = (
    Column(name="label", label="Label"),
    Column(name="value", label="Value"),
    Column(name="studies", label="Studies", format="count"),
    Column(name="share", label="Share, by paper", format="estimate"),
)
POWER_COLUMNS = (
    Column(name="points", label="points", format="count"),
    Column(name="trials", label="trials a point", format="count"),
    Column(name="minimum_detectable", label="smallest exponent found", format="number"),
    Column(name="standard_error", label="standard error", format="number"),
)


def _source(evidence: tuple[Provenance, ...]) -> str:
    return ", ".join(one.name for one in evidence)


def span(low: float, high: float) -> str:
    """Return a range of p-values in few digits.

    Examples
    --------
    >>> span(0.012, 0.31), span(0.5, 0.5), span(0.0001, 0.02)
    ('0.012 to 0.31', '0.5', '<0.001 to 0.02')
    """
    shown = ["<0.001" if p < 0.001 else f"{p:.2g}" for p in (low, high)]
    return shown[0] if shown[0] == shown[1] else " to ".join(shown)


def verdict_rows(found: EmergenceTests) -> list[dict[str, Any]]:
    """Return one row per verdict."""
    shares = found.shares()
    return [
        {
            "verdict": verdict.replace("_", " "),
            "studies": found.verdicts[verdict],
            "share": shares[verdict],
            "zero": sum(s.verdict == verdict and s.series.zero_then_positive for s in found.studies),
            "meaning": MEANING[verdict],
        }
        for verdict in VERDICTS
    ]


def study_rows(found: EmergenceTests, count: int = SHOWN_ROWS) -> list[dict[str, Any]]:
    """Return the studies in which a threshold does best, then those that start at zero."""
    rows = sorted(found.rows(), key=lambda r: (r["p_low"], not r["zero_then_positive"], r["study"]))
    return [
        {
            **row,
            "verdict": row["verdict"].replace("_", " "),
            "p": span(row["p_low"], row["p_high"]),
            "q": span(row["q_low"], row["q_high"]),
            "step": _step(row),
        }
        for row in rows[:count]
    ]


def _step(row: dict[str, Any]) -> str | None:
    if row["threshold_after_x"] is None:
        return None
    return f"{formats.percent(row['success_before'])} to {formats.percent(row['success_after'])}"


def label_rows(found: Returns) -> list[dict[str, Any]]:
    """Return one row per label and value."""
    return [
        {
            "label": label,
            "value": value.replace("_", " "),
            "studies": count,
            "share": found.share(lambda s, label=label, value=value: getattr(s, label) == value),  # type: ignore[misc]
        }
        for label in ("curvature", "cost", "target")
        for value, count in found.counts(label).items()
    ]


def share_text(share: Estimate, of: str = "of studies") -> str:
    """Return a share in percent with its interval.

    Examples
    --------
    >>> from isoflop.findings import Estimate
    >>> share_text(Estimate(value=0.12, low=0.04, high=0.3, level=0.95, unit="1"))
    '12 % of studies (4.0 % to 30 %)'
    """
    if share.value is None:
        return "a share that is not identified"
    ends = "" if share.low is None or share.high is None else (
        f" ({formats.percent(share.low)} to {formats.percent(share.high)})"
    )  # fmt: skip
    return f"{formats.percent(share.value)} {of}{ends}"


def emergence_figures(found: EmergenceTests) -> tuple[Figure, ...]:
    """Return the panel of the sharpest studies, and the verdicts by trials assumed."""
    shown = figures.sharpest(found)
    breaks = sum(one.verdict == "break_supported" for one in found.studies)
    assumed = [one for one in shown if one.series.trials is None]
    sharp = Figure(
        id="emergence",
        title=f"A threshold is supported in {breaks} of {found.n} studies; these come nearest",
        subtitle="Success against the multiple of the smallest amount; best smooth law and best threshold",
        frame=figures.emergence_data(found),
        chart=lambda: figures.emergence(found),
        alt="Small panels, one a study: successes with intervals, a smooth curve and a step through them.",
        source=_source(found.provenance),
        n=len(shown),
        interval="Bars are exact 95 % binomial intervals"
        + (
            f"; {len(assumed)} of {len(shown)} studies print no number of trials, and {figures.SHOWN_TRIALS} "
            "are assumed for theirs"
            if assumed
            else ""
        ),
    )
    by_trials = Figure(
        id="emergence-verdicts",
        title="The verdicts, and how they hang on the number of trials",
        subtitle="Share of studies by verdict, for each number of trials assumed where none is printed; "
        "all: the verdicts that hold under every number",
        frame=figures.verdicts_data(found),
        chart=lambda: figures.verdicts(found),
        alt="Stacked bars, one for each number of trials: "
        + ", ".join(f"{v.replace('_', ' ')} {n}" for v, n in found.verdicts.items() if n)
        + " under all.",
        source=_source(found.provenance),
        n=found.n,
        interval="No interval: counts of studies",
    )
    return sharp, by_trials


def emergence_section(found: EmergenceTests) -> Section:
    """Return the section on capabilities that seem to appear at a threshold."""
    share, among_zero, zero, *_ = found.findings()
    sampling = found.verdicts["sharp_by_sampling"]
    at_each = share.details["breaks_at_each_number_of_trials"]
    told = ", ".join(f"{count} at {n}" for n, count in at_each.items())
    labelled, of_them = zero.details["labelled"], share_text(among_zero.estimate, "of them")
    prose = (
        f"{labelled} of {zero.n} studies show no success at the smallest amount and some later. That alone "
        "is no threshold: with 10 trials a true success of up to 26 % can show as zero, with 50 trials one "
        f"of 6 %. In {sampling} of the studies the trend of the later points, with as few trials, gives "
        "such zeros.",
        "Each study of three points or more is tested: one threshold against the best smooth law (logistic, "
        "power law of the error, power law with a floor), with the null drawn by parametric bootstrap, the "
        "place of the threshold searched anew in each draw, and Benjamini-Hochberg over studies.",
        "{table:verdicts}",
        f"Each paper counting once, a threshold is supported in {share_text(share.estimate)}; among those "
        f"that start at zero, in {of_them}. "
        + (
            f"Supported under each number of trials where none is printed: {told}."
            if found.sample.assumed
            else ""
        ),
        "{figure:emergence}",
        "{figure:emergence-verdicts}",
        "Most studies are too short to decide. A jump right behind the first amount is also what saturation "
        "looks like, so it is never called a threshold.",
    )
    return Section(
        id="emergence",
        title="Do capabilities appear at a threshold",
        prose=prose,
        figures=emergence_figures(found),
        tables=(
            Table(
                id="verdicts",
                title="Verdicts on every study",
                columns=VERDICT_COLUMNS,
                rows=tuple(verdict_rows(found)),
                note="Shares count each paper once; intervals resample papers.",
            ),
            Table(
                id="sharpest-studies",
                title="The studies in which a threshold does best",
                columns=STUDY_COLUMNS,
                rows=tuple(study_rows(found)),
                note="p and q over the numbers of trials tried; q is corrected for the number of studies.",
            ),
        ),
        cautions=found.cautions,
    )


def returns_figures(found: Returns) -> tuple[Figure, ...]:
    """Return success by multiple of the largest amount, and elasticity at both ends."""
    target = formats.percent(found.settings.target)
    counts = found.counts("curvature")
    reached, bent = found.counts("target"), counts["diminishing"]
    along = Figure(
        id="returns",
        title=f"{target} success was reached in {reached['reached']} of {found.n} studies and lies beyond "
        f"{formats.multiple(found.settings.reach)} the largest amount, or out of reach, in "
        f"{reached['beyond_reach'] + reached['not_reachable']}",
        subtitle=f"Fitted success against the multiple of each study's largest amount; one line a paper, "
        f"blue their mean; dashed beyond the data; {target} marked",
        frame=figures.returns_data(found),
        chart=lambda: figures.returns(found),
        alt="Rising lines that flatten; beyond the largest amount they are extrapolated.",
        source=_source(found.provenance),
        n=found.n,
        interval="No interval: means of fits; intervals of single studies stand in the table of the verb",
    )
    ends = Figure(
        id="elasticity",
        title=f"Error flattens in {bent} studies, speeds up in {counts['increasing']}, cannot be told in "
        f"{counts['not_distinguished']}",
        subtitle="Elasticity of the error at the last amount against the first; above the diagonal it "
        "flattens; cut at −2 and 1",
        frame=figures.elasticity_data(found),
        chart=lambda: figures.elasticity(found),
        alt="A cloud of points on both sides of the diagonal.",
        source=_source(found.provenance),
        n=found.n,
        interval="Coloured where the likelihood ratio against a straight power law is significant at 5 % "
        "under every number of trials",
    )
    return along, ends


def returns_section(found: Returns) -> Section:
    """Return the section on diminishing returns: three labels, kept apart."""
    curvature, increasing, cost, target = found.findings()
    between = curvature.details["not_evidence"]
    decided = curvature.details["share_of_decided"]["value"]
    by_cost = (
        f"By cost: the last unit buys less success than the first in {share_text(cost.estimate)}."
        if cost.status == "ok"
        else "By cost: not identified, since no cost of the points is known."
    )
    share = "" if decided is None else f" ({formats.percent(decided)} of those that can be told)"
    prose = (
        "Diminishing returns can mean three things, and a study may show one without the others.",
        "By curvature: the error flattens against the resource, both logarithmic, in "
        f"{share_text(curvature.estimate)}{share}, and falls faster and faster in "
        f"{share_text(increasing.estimate)}.",
        by_cost,
        f"By target: {formats.percent(found.settings.target)} success needs more than "
        f"{formats.multiple(found.settings.reach)} the largest amount, or is never reached, in "
        f"{share_text(target.estimate)}.",
        "{figure:returns}",
        "{figure:elasticity}",
        f"An exponent between 0 and 1, found in {between['alpha_between_0_and_1']} of {between['studies']} "
        "studies, is no evidence of diminishing returns: every power law with a positive exponent gains less "
        "and less in absolute terms.",
        "{table:returns-labels}",
    )
    return Section(
        id="returns",
        title="Where more stops paying",
        prose=prose,
        figures=returns_figures(found),
        tables=(
            Table(
                id="returns-labels",
                title="Three labels of returns",
                columns=LABEL_COLUMNS,
                rows=tuple(label_rows(found)),
                note="A label must hold under every number of trials tried.",
            ),
        ),
        cautions=found.cautions,
    )


def power_figures(found: PowerPlan) -> tuple[Figure, ...]:
    """Return the map of the smallest detectable exponent."""
    plan = found.plan
    checked = found.simulated
    return (
        Figure(
            id="power",
            title=f"Smallest exponent that a study finds with power {formats.percent(found.wanted_power)}",
            subtitle=f"By points and trials a point, over a range of {formats.multiple(plan.resource_range)} "
            f"from {formats.percent(plan.base_error)} error",
            frame=figures.power_data(found),
            chart=lambda: figures.power(found),
            alt="A map: the exponent that can be found shrinks with trials and, less so, with points.",
            source="Fisher information of binomial errors; no data",
            n=None,
            interval="No interval: a calculation"
            + (
                ""
                if checked is None or checked.power is None
                else f"; checked by {checked.draws} simulated studies, power {formats.percent(checked.power)}"
            ),
        ),
    )


def power_section(found: PowerPlan) -> Section:
    """Return the section on how large a scaling study must be."""
    from isoflop.scaling.power.result import needed

    plan, checked = found.plan, found.simulated
    least = found.minimum_detectable
    told = "no exponent at all" if least is None else f"exponents of {formats.number(least, 2)} and more"
    prose = [
        f"A study of {plan.points} amounts over a range of {formats.multiple(plan.resource_range)}, with "
        f"{plan.trials} trials at each and {formats.percent(plan.base_error)} error at the smallest, finds "
        f"{told} with power {formats.percent(found.wanted_power)}. To know an exponent of "
        f"{formats.number(found.alpha)} to a standard error of {formats.number(found.target_se, 2)} takes "
        f"{needed(found.trials_needed, 'trials a point')} or {needed(found.points_needed, 'points')}. A "
        "wider range helps more than either: doubling its logarithm roughly halves the standard error.",
        "{figure:power}",
    ]
    if checked is not None and checked.power is not None:
        prose.append(
            f"{checked.draws} simulated studies agree: they find that exponent in "
            f"{formats.percent(checked.power)} "
            f"of cases, and one that is not there in {formats.percent(checked.size)}."
        )
    return Section(
        id="study-planner",
        title="How large must a study be",
        prose=tuple(prose),
        figures=power_figures(found),
        cautions=found.cautions,
    )

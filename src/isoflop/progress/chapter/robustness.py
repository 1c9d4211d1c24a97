"""Sections of the chapter on the law, on single papers, and on the published checks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from isoflop.findings import Estimate
from isoflop.present import formats
from isoflop.present.chapter import Column, Figure, Section, Table
from isoflop.progress.chapter.sensitivity import (
    CV_PENALTIES,
    SLOWEST_MONTHS,
    Sensitivity,
    source_of,
    span_of,
    spans_drawn,
)
from isoflop.progress.figures import influence, sensitivity
from isoflop.progress.halving import MEANING
from isoflop.progress.model import LAWS
from isoflop.progress.robustness.sweep_result import Variant


def laws_section(found: Sensitivity) -> Section:
    """Return the section on the law: what each says, and which predicts unseen rows."""
    sample, ranking = found.fitted.sample, found.comparison
    laws = {"law": found.sweeps["law"].variants}
    wide = span_of(found.sweeps["law"].variants)
    frame = sensitivity.comparison_data(ranking)
    near = int(frame["within_one_se"].sum())
    best = ranking.best
    seven = next((row for row in frame.iter_rows(named=True) if row["law"] == 7), None)
    own = "" if seven is None else (
        f" Law 7, the paper's choice, is {formats.number(seven['above_best'])} nats² above the best."
    )  # fmt: skip
    one = Figure(
        id="laws",
        title=f"The halving time depends on the law: {wide}",
        subtitle=f"Growth of effective compute, labelled as halving time (months); penalty "
        f"{found.fitted.penalty.delta:g}",
        frame=sensitivity.variants_data(laws),
        chart=lambda: sensitivity.variants(laws),
        alt=f"One row a law; {wide}.",
        source=source_of(sample),
        n=sample.n,
        interval=spans_drawn(found, "laws"),
    )
    two = Figure(
        id="cross-validation",
        title=f"{near} of {frame.height} laws predict unseen rows about equally well",
        subtitle="Mean squared error of rows left out, above the best law (nats²); each law at its better "
        "penalty",
        frame=frame,
        chart=lambda: sensitivity.comparison(ranking),
        alt=f"Law {best.law} is best; {near} laws lie within one paired standard error of it.",
        source=source_of(sample),
        n=len(ranking.tested),
        interval="Rules are one paired standard error by paper on either side",
    )
    table = Table(
        id="laws",
        title="The laws, and what each says",
        columns=(
            Column(name="law", label="Law", format="count"),
            Column(name="text", label="What it assumes"),
            Column(name="time", label="Halving time", align="right"),
            Column(name="minima", label="All minima", unit="months", align="right"),
        ),
        rows=tuple(_law_row(v) for v in found.sweeps["law"].variants),
    )
    return Section(
        id="laws",
        title="Which law",
        prose=(
            f"Leaving one row out at a time, law {best.law} with penalty {best.delta:g} predicts best (mean "
            f"squared error {formats.number(best.mse)}).{own} A fifth of the rows is never used for "
            f"choosing. Penalties {' and '.join(f'{d:g}' for d in CV_PENALTIES)} were compared here; "
            "`isoflop progress compare` runs the full grid.",
            "{figure:cross-validation}",
            "{figure:laws}",
        ),
        figures=(two, one),
        tables=(table,),
        cautions=tuple(c for c in ranking.cautions if c not in sample.cautions),
    )


def influence_section(found: Sensitivity) -> Section:
    """Return the section on single papers, and on the profile of the rate."""
    sample = found.fitted.sample
    frame = influence.influence_data(found.diagnostics)
    pictures = []
    prose = []
    if frame.height:
        times = [t for t in frame["halving_time_months"].to_list() if t is not None]
        reach = (
            f"between {min(times):.1f} and {max(times):.1f} months"
            if times
            else "no progress without any of them"
        )
        pictures.append(
            Figure(
                id="influence",
                title=f"Halving time with one paper left out: {reach}",
                subtitle="Rate without each of the most influential papers, labelled as halving time "
                "(months)",
                frame=frame,
                chart=lambda: influence.influence(found.diagnostics),
                alt=f"{frame.height} papers; the dashed line is the fit on all rows.",
                source=source_of(sample),
                n=sample.n,
                interval="Exact refits from every minimum; the dashed line is all rows",
            )
        )
        prose.append(
            "The ten papers with the largest influence by formula were left out in turn and refitted exactly."
        )
    if found.profile is not None:
        profile = found.profile
        pieces = len(profile.curve.pieces)
        said = "in one piece" if pieces == 1 else f"in {pieces} pieces"
        rises = (profile.rate.low or 0.0) > 0
        shown, unit = (profile.halving_time, "months") if rises else (profile.rate, "ln/yr")
        reach = formats.interval(shown).replace(", ", f" {unit}, ", 1)
        pictures.append(
            Figure(
                id="rate-profile",
                title=f"{'Halving times' if rises else 'Rates'} that the rows do not rule out lie {said}: "
                f"{reach}",
                subtitle="Least objective at each rate, labelled as halving time (months)",
                frame=influence.profile_data(profile),
                chart=lambda: influence.profile(profile),
                alt="A curve of the least objective against the rate, with the level of the 95 % set.",
                source=source_of(sample),
                n=sample.n,
                interval="Rates whose curve lies below the dashed line are not ruled out (95 %, papers as "
                "the unit)",
            )
        )
        prose.append(
            f"With the rate held fixed and all else free, the halving time is "
            f"{formats.estimate(profile.halving_time)}: "
            "the profile assumes errors of one variance, the bootstrap of papers does not."
        )
    return Section(
        id="influence",
        title="Single papers, and the profile of the rate",
        prose=tuple(prose),
        figures=tuple(pictures),
    )


def checks_section(found: Sensitivity) -> Section:
    """Return the table of robustness checks, published numbers beside ours."""
    title = "Robustness checks"
    if found.checks is None:
        return Section(
            id="checks",
            title=title,
            prose=("Left out of a quick report: `isoflop progress check` runs them.",),
        )
    rows = tuple(
        {
            "label": row.label,
            "ours": time_text(row.estimate) if row.estimate.value is not None else row.why_not,
            "minima": minima_text(row.minima_months),
            "paper": None
            if row.published is None or row.published.estimate.value is None
            else formats.estimate(row.published.estimate),
            "note": row.note,
        }
        for row in found.checks.rows
    )
    table = Table(
        id="checks",
        title="Each check, and the published number of the same name",
        columns=(
            Column(name="label", label="Check"),
            Column(name="ours", label="This evidence", align="right"),
            Column(name="minima", label="All minima", unit="months", align="right"),
            Column(name="paper", label="Paper", align="right"),
        ),
        rows=rows,
        note="Ours are best certified minima, mostly without intervals; `isoflop progress check "
        "--bootstrap` adds them. Published numbers stand on the paper's sheet.",
    )
    notes = Table(
        id="check-notes",
        title="What is known about each check",
        columns=(Column(name="label", label="Check"), Column(name="note", label="Note")),
        rows=tuple({"label": row["label"], "note": row["note"]} for row in rows if row["note"]),
    )
    own = tuple(c for c in found.checks.cautions if c not in found.fitted.sample.cautions)
    return Section(id="checks", title=title, tables=(table, notes), cautions=own)


def _law_row(variant: Variant) -> dict[str, Any]:
    law = LAWS[variant.choices["law"]]
    found = [row.get("halving_time_months") for row in variant.rows()]
    time = variant.halving_time
    return {
        "law": law.number,
        "text": law.text,
        "time": time_text(time)
        if time.value is not None
        else ("not identified" if law.has_time else "no time term"),
        "minima": minima_text(found) if law.has_time else "",
    }


def time_text(estimate: Estimate) -> str:
    """Return an estimate as text; a halving time that is none is said in words."""
    value = estimate.value
    if estimate.unit == "months" and value is not None and value > SLOWEST_MONTHS:
        return "hardly any progress"
    return formats.estimate(estimate, unbounded=MEANING)


def minima_text(months: Sequence[float | None]) -> str:
    """Return the halving times of all minima, best first."""
    return ", ".join(f"{m:.1f}" if m and m <= SLOWEST_MONTHS else "none" for m in months)

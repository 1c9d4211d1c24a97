"""The robotics study that this project measured itself: what it is, and what came out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.present import formats
from isoflop.present.chapter import Column, Figure, Section, Table
from isoflop.scaling.figures import own_study as pictures
from isoflop.scaling.studies.sample import OWN_STUDY

if TYPE_CHECKING:
    import polars as pl

    from isoflop.evidence import Table as Evidence
    from isoflop.scaling.studies.study_fits import StudyFits

RISE = (0.1, 0.9)
"""Success between which the rise of a curve is measured."""


def own_study_section(points: Evidence, fits: StudyFits) -> Section | None:
    """Return the section on the project's own study; None where the table does not hold it."""
    frame = pictures.own_study_data(points, OWN_STUDY)
    if not frame.height:
        return None
    studies = frame.select("task", "resource", "familiarity").n_unique()
    rows = [row for row in fits.frame().to_dicts() if row["paper_id"] == OWN_STUDY]
    steeper = _seen_steeper(rows)
    return Section(
        id="own-robotics",
        title="Our own robotics study",
        prose=(
            f"These {frame.height} points were measured by this project (`python -m "
            "validation.robotics_study`): behaviour cloning from a scripted expert in a physics simulator, "
            f"{studies} studies of {frame['task'].n_unique()} tasks, {min(frame['n_trials'].to_list()):.0f} "
            "trials a point. They are one paper among the others in the pool, and stand apart here: "
            "simulation, state observations and one family of models, so they say how these curves behave "
            "and not how large robots scale.",
            "{figure:own-study}",
            f"Of {steeper[1]} pairs of seen and unseen conditions, the seen one has the steeper exponent in "
            f"{steeper[0]}. {_rise_text(frame)}",
            "{table:own-study-exponents}",
        ),
        figures=(
            Figure(
                id="own-study",
                title=f"{studies} measured studies: {_seen_above(frame)}",
                subtitle="Share of successful trials against the multiple of the smallest amount; rows are "
                "tasks",
                frame=frame,
                chart=lambda: pictures.own_study(points, OWN_STUDY),
                alt=f"A panel for each task and resource. {_seen_above(frame)}.",
                source="measured by this project",
                n=frame.height,
                interval="Rules are two standard errors between seeds; none where all seeds did equally well",
            ),
        ),
        tables=(
            Table(
                id="own-study-exponents",
                title="Each measured study alone",
                columns=(
                    Column(name="study", label="study"),
                    Column(name="resource", label="resource"),
                    Column(name="familiarity", label="conditions"),
                    Column(name="points", label="points", format="count"),
                    Column(name="exponent", label="exponent", format="number"),
                    Column(name="low", label="low", format="number"),
                    Column(name="high", label="high", format="number"),
                ),
                rows=tuple(rows),
            ),
        ),
    )


def _seen_steeper(rows: list[dict[str, Any]]) -> tuple[int, int]:
    """Return in how many pairs of a task and resource seen conditions have the more negative exponent."""
    pairs: dict[str, dict[str, float]] = {}
    for row in rows:
        key, _, condition = str(row["study"]).rpartition("/")
        if row["exponent"] is not None:
            pairs.setdefault(key, {})[condition] = row["exponent"]
    both = [pair for pair in pairs.values() if {"seen", "unseen"} <= pair.keys()]
    return sum(pair["seen"] < pair["unseen"] for pair in both), len(both)


def _rise_text(frame: pl.DataFrame) -> str:
    """Return over which multiple of the resource success goes from 10 to 90 %, in words."""
    factors = []
    for (_, _, _), part in frame.group_by("task", "resource", "familiarity", maintain_order=True):
        success, u = part["success"].to_numpy(), np.log(part["multiple"].to_numpy())
        ends = [np.flatnonzero(success >= level) for level in RISE]
        if success[0] < RISE[0] and all(end.size for end in ends):
            rising = np.maximum.accumulate(success)
            low, high = (float(np.interp(level, rising, u)) for level in RISE)
            factors.append(np.exp(high - low))
    studies = frame.select("task", "resource", "familiarity").n_unique()
    if not factors:
        return ""
    return (
        f"In {len(factors)} of {studies} studies success passes both {formats.percent(RISE[0])} and "
        f"{formats.percent(RISE[1])}; the median multiple of the resource between the two is "
        f"{np.median(factors):.3g}. A curve that rises so fast and then saturates is no single power law, "
        "and its exponent depends on the range measured."
    )


def _seen_above(frame: pl.DataFrame) -> str:
    """Return at how many points seen conditions do better than unseen ones, in words."""
    import polars as pl

    pairs = frame.pivot("familiarity", index=("task", "resource", "x"), values="success").drop_nulls()
    above = int((pairs["seen"] > pairs["unseen"]).sum())
    equal = int(pairs.select((pl.col("seen") == pl.col("unseen")).sum()).item())
    return f"seen conditions do better at {above} of {pairs.height} amounts, equally well at {equal}"

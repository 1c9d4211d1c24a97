"""Do capabilities appear at a threshold, or does it only look so? ``scaling.emergence``.

Each study gets a verdict from the numbers of `emergence_numbers`: a threshold is preferred where the
bootstrap p-value of the best smooth law survives the Benjamini-Hochberg correction over studies. An
unknown number of trials is tried at several values; a verdict must hold under all of them. Studies that
print their trials are corrected among themselves, so that assumptions about others do not touch them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.errors import SettingError, closest
from isoflop.scaling.breaks.null import Null
from isoflop.scaling.breaks.series import TRIALS, Sample, Series, View, series_of, trials_tried
from isoflop.scaling.emergence.numbers import (
    Numbers,
    numbers_of,
    partners,
    stages_needed,
    stages_p,
)
from isoflop.scaling.emergence.result import EmergenceTests, JudgedStudy
from isoflop.scaling.emergence.verdict import combine, judge
from isoflop.stats.checks import BoolArray, whole_number
from isoflop.stats.contingency import benjamini_hochberg

if TYPE_CHECKING:
    from isoflop.evidence import Table
    from isoflop.present.chapter import Progress

FALSE_DISCOVERY = 0.05
NULL = Null()


def emergence(
    points: Table | Any,
    *,
    trials: Sequence[int] = TRIALS,
    null: Null = NULL,
    false_discovery: float = FALSE_DISCOVERY,
    stages: int | Mapping[str, int] | None = None,
    view: View = "resource",
    progress: Progress | None = None,
) -> EmergenceTests:
    """Test every study for one threshold against smooth laws, and say what else may look like one.

    Parameters
    ----------
    points : Table
        Schema ``study_points``.
    trials : sequence of int
        Numbers tried where a paper prints none.
    null : Null
        Draws of the parametric bootstrap.
    false_discovery : float, in (0, 1)
        Share of false thresholds accepted among those named (Benjamini-Hochberg over studies).
    stages : int or mapping of study to int, optional
        How many serial stages a task has that must all succeed; then success is p^stages.
    view : {"resource", "loss"}
        Set success against the resource, or against the loss of the same models where the table has it.
    progress : callable, optional

    Returns
    -------
    EmergenceTests

    Raises
    ------
    EvidenceError
        Not a table of study points, or no study of three points.
    SettingError
        A setting is out of range, or names a study that is not tested.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from isoflop.evidence import load
    >>> points = load("study_points")
    >>> one_paper = replace(points, frame=points.frame.filter(points.frame["paper_id"] == "2504.13059"))
    >>> found = emergence(one_paper, trials=(50,), null=Null(reps=199))
    >>> found.n, found.verdicts["break_supported"], found.verdicts["sharp_by_sampling"]
    (42, 0, 4)
    """
    tried = trials_tried("emergence", trials)
    if not 0.0 < false_discovery < 1.0:
        raise SettingError(f"emergence: false_discovery={false_discovery}, must lie in (0, 1). Use 0.05.")
    if view not in ("resource", "loss"):
        near = closest(str(view), ("resource", "loss")) or "resource"
        raise SettingError(f"emergence: view={view!r}, must be one of resource, loss. Did you mean {near!r}?")
    sample = series_of(points, view=view)
    staged = _stages("emergence", stages, sample)
    if sample.assumed == 0:
        tried = tried[-1:]
    printed = np.array([one.trials is not None for one in sample.series])
    family = partial(_family, sample, staged=staged, null=null, bar=false_discovery)
    known = family(printed, tried[-1])
    by_trials: list[tuple[int, dict[int, _Corrected]]] = []
    for step, assumed in enumerate(tried):
        if progress is not None:
            progress("emergence", step / len(tried))
        by_trials.append((assumed, known | family(~printed, assumed)))
    linear = partners(sample.series)
    return EmergenceTests(
        sample=sample,
        studies=tuple(
            _judged(sample, i, linear.get(i), by_trials, false_discovery) for i in range(len(sample.series))
        ),
        trials=tried,
        null=null,
        false_discovery=false_discovery,
        view=view,
    )


_Corrected = tuple[Numbers, float]
"""Numbers of a study and its Benjamini-Hochberg value."""


def _family(
    sample: Sample, among: BoolArray, assumed: int, *, staged: Mapping[str, int], null: Null, bar: float
) -> dict[int, _Corrected]:
    """Return the numbers of some studies, corrected among themselves, by position in the sample."""
    rows = np.flatnonzero(among).tolist()
    if not rows:
        return {}
    numbers = numbers_of([sample.series[i] for i in rows], assumed, null)
    q = benjamini_hochberg([one.p for one in numbers]).tolist()
    return {
        i: (_with_stages(sample.series[i], one, staged, null, bar) if each <= bar else one, each)
        for i, one, each in zip(rows, numbers, q, strict=True)
    }


def _with_stages(one: Series, numbers: Numbers, staged: Mapping[str, int], null: Null, bar: float) -> Numbers:
    """Return the numbers of a study whose threshold is preferred, with serial stages counted."""
    count = staged.get(one.study)
    return replace(
        numbers,
        stages_needed=stages_needed(one, numbers, null, bar),
        p_stages=None if count is None else stages_p(one, numbers, count, null),
    )


def _judged(
    sample: Sample,
    i: int,
    linear: int | None,
    by_trials: list[tuple[int, dict[int, _Corrected]]],
    false_discovery: float,
) -> JudgedStudy:
    one = sample.series[i]
    judged = [
        (
            assumed,
            judge(
                one,
                *found[i],
                false_discovery=false_discovery,
                partner=None if linear is None else found[linear][0],
            ),
        )
        for assumed, found in by_trials
    ]
    verdict, why = combine(judged if one.trials is None else judged[-1:])
    return JudgedStudy(
        series=one,
        verdict=verdict,
        why=why,
        numbers=tuple(found[i][0] for _, found in by_trials),
        q=tuple(found[i][1] for _, found in by_trials),
        verdicts=tuple(each for _, (each, _) in judged),
        partner=None if linear is None else sample.series[linear].study,
    )


def _stages(where: str, stages: int | Mapping[str, int] | None, sample: Sample) -> Mapping[str, int]:
    names = [one.study for one in sample.series]
    if stages is None:
        return {}
    if isinstance(stages, Mapping):
        for study, count in stages.items():
            if study not in names:
                near = closest(study, names)
                hint = f"Did you mean {near!r}?" if near else "Use the names of isoflop scaling emergence."
                raise SettingError(f"{where}: stages names {study!r}, which is not tested. {hint}")
            whole_number(where, f"stages[{study}]", count, least=1)
        return stages
    count = whole_number(where, "stages", stages, least=1)
    return dict.fromkeys(names, count)

"""Do capabilities appear at a threshold, or does it only look so? ``scaling.emergence``.

Each study gets a verdict from the numbers of `emergence_numbers`: a threshold is preferred where the
bootstrap p-value of the best smooth law survives the Benjamini-Hochberg correction over studies. An
unknown number of trials is tried at several values; a verdict must hold under all of them. Studies that
print their trials are corrected among themselves, so that assumptions about others do not touch them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from isoflop.errors import SettingError, closest
from isoflop.scaling.studies.breaks_null import Null, false_discovery_q
from isoflop.scaling.studies.breaks_sample import TRIALS, Sample, View, series_of, trials_tried
from isoflop.scaling.studies.emergence_numbers import (
    Numbers,
    numbers_of,
    partners,
    stages_needed,
    stages_p,
)
from isoflop.scaling.studies.emergence_result import EmergenceTests, JudgedStudy
from isoflop.scaling.studies.emergence_verdict import combine, judge
from isoflop.stats.checks import BoolArray, FloatArray, whole_number

if TYPE_CHECKING:
    from isoflop.evidence import Table
    from isoflop.present.chapter import Progress

FALSE_DISCOVERY = 0.05
NULL = Null()


def emergence(
    points: Table,
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
    series = sample.series
    printed = np.array([one.trials is not None for one in series])
    known = dict(_numbered(sample, printed, tried[-1], null)) if printed.any() else {}
    by_trials: list[tuple[int, list[Numbers], FloatArray]] = []
    for step, assumed in enumerate(tried):
        if progress is not None:
            progress("emergence", step / len(tried))
        found = known | (dict(_numbered(sample, ~printed, assumed, null)) if not printed.all() else {})
        numbers = [found[i] for i in range(len(series))]
        q = np.empty(len(series))
        for family in (printed, ~printed):
            q[family] = false_discovery_q(
                np.array([one.p for one, here in zip(numbers, family, strict=True) if here])
            )
        by_trials.append((assumed, _explained(sample, numbers, q, staged, null, false_discovery), q))
    tested = []
    linear = partners(sample.series)
    for i, one in enumerate(sample.series):
        judged = [
            (
                assumed,
                judge(
                    one,
                    numbers[i],
                    float(q[i]),
                    false_discovery=false_discovery,
                    partner=numbers[linear[i]] if i in linear else None,
                ),
            )
            for assumed, numbers, q in by_trials
        ]
        verdict, why = combine(judged if one.trials is None else judged[-1:])
        tested.append(
            JudgedStudy(
                series=one,
                verdict=verdict,
                why=why,
                numbers=tuple(numbers[i] for _, numbers, _ in by_trials),
                q=tuple(float(q[i]) for _, _, q in by_trials),
                verdicts=tuple(each for _, (each, _) in judged),
                partner=sample.series[linear[i]].study if i in linear else None,
            )
        )
    return EmergenceTests(
        sample=sample,
        studies=tuple(tested),
        trials=tried,
        null=null,
        false_discovery=false_discovery,
        view=view,
    )


def _numbered(sample: Sample, among: BoolArray, assumed: int, null: Null) -> Iterator[tuple[int, Numbers]]:
    rows = np.flatnonzero(among).tolist()
    yield from zip(rows, numbers_of([sample.series[i] for i in rows], assumed, null), strict=True)


def _explained(
    sample: Sample,
    numbers: list[Numbers],
    q: FloatArray,
    staged: Mapping[str, int],
    null: Null,
    bar: float,
) -> list[Numbers]:
    """Return the numbers with serial stages counted where a threshold is preferred."""
    found = list(numbers)
    for i, one in enumerate(sample.series):
        if q[i] > bar:
            continue
        count = staged.get(one.study)
        found[i] = replace(
            numbers[i],
            stages_needed=stages_needed(one, numbers[i], null, bar),
            p_stages=None if count is None else stages_p(one, numbers[i], count, null),
        )
    return found


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

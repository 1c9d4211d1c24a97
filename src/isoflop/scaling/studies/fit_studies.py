"""One law a study: what each study says alone, and its likelihood for pooling."""

from __future__ import annotations

from typing import Any

import numpy as np

from isoflop.errors import EvidenceError, SettingError, closest
from isoflop.evidence import Table
from isoflop.scaling.studies.alone import estimate_alone
from isoflop.scaling.studies.levels import Floor, curve_sets
from isoflop.scaling.studies.sample import DEFAULT_TRIALS, StudySample, select_studies
from isoflop.scaling.studies.sartor2024 import fit_percent
from isoflop.scaling.studies.study_fits import METHODS, Method, ResourceCurves, StudyFits

FLOORS = ("none", "free", "shared")
RESOURCES = ("data", "model_size", "compute", "inference")
"""In the order of tables and findings."""


def fit_studies(
    points: Table | StudySample | Any,
    *,
    method: Method = "hierarchical",
    floor: Floor = "none",
    default_trials: int = DEFAULT_TRIALS,
) -> StudyFits:
    """Fit the error rate of every study as a power of its resource.

    Parameters
    ----------
    points : Table or StudySample
        Schema ``study_points``; losses and other outcomes are left out and listed.
    method : {"hierarchical", "sartor2024"}
        Which estimate `pool` puts first; both are made of the same rows. "hierarchical": binomial
        likelihood anchored in [0, 1], any sign of the exponent. "sartor2024": least squares in percent.
    floor : {"none", "free", "shared"}
        E of the hierarchical law: 0, or integrated over for each study of four or more points, or one
        ratio to the smallest error for all studies.
    default_trials : int, >= 1
        Trials a point where a paper prints none.

    Returns
    -------
    StudyFits

    Raises
    ------
    EvidenceError
        No study has a rate at two amounts of its resource, or no trial of any failed, or succeeded.
    SettingError
        A setting is unknown.

    Examples
    --------
    >>> from isoflop.evidence import load
    >>> sample = select_studies(load("study_points"))
    >>> fits = fit_studies(sample.rows(sample.facts["paper_id"] == "2212.06817"))
    >>> fits.frame().columns[:3]
    ['study', 'paper_id', 'resource']
    """
    for name, value, choices in (("method", method, METHODS), ("floor", floor, FLOORS)):
        if value not in choices:
            near = closest(str(value), choices)
            raise SettingError(
                f"fit_studies: {name}={value!r}, must be one of {', '.join(choices)}. "
                + (f"Did you mean {near}?" if near else f"Use {choices[0]}.")
            )
    sample = (
        points if isinstance(points, StudySample) else select_studies(points, default_trials=default_trials)
    )
    errors, trials = float(sample.counts.errors.sum()), float(sample.counts.trials.sum())
    if not 0.0 < errors < trials:
        raise EvidenceError(
            f"fit_studies: no trial of {sample.n} studies {'failed' if errors == 0.0 else 'succeeded'}, "
            "needs some of both: an error that is the same at every amount leaves its exponent open. Add "
            "amounts at which some trials fail and some succeed."
        )
    resources = sample.facts["resource"].to_numpy()
    curves = {}
    order = {name: i for i, name in enumerate(RESOURCES)}
    for resource in sorted(set(resources), key=lambda name: order.get(name, len(order))):
        which = np.flatnonzero(resources == resource)
        papers = np.unique(np.array(sample.papers)[which], return_inverse=True)[1].astype(np.int64)
        curves[str(resource)] = ResourceCurves(
            which=which, sets=curve_sets(sample.counts.rows(which), papers, floor)
        )
    return StudyFits(
        sample=sample,
        method=method,
        floor=floor,
        curves=curves,
        alone=estimate_alone(sample.counts),
        percent=fit_percent(sample.counts),
    )

"""Does the conclusion hang on a choice? Assumed trials, and the scale on which success is measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.findings import Estimate
from isoflop.scaling.pooling.group import average, estimate_of
from isoflop.scaling.pooling.hierarchical import Studies, fit_marginal
from isoflop.scaling.pooling.logit_slope import log_likelihood, slope_grid
from isoflop.scaling.studies.levels import curve_sets
from isoflop.scaling.studies.likelihood import alpha_grid
from isoflop.scaling.studies.sample import TRIALS_SET, select_studies
from isoflop.scaling.studies.study_fits import StudyFits

if TYPE_CHECKING:
    import polars as pl


def trials_sensitivity(fits: StudyFits, *, level: float, by_paper: bool = True) -> pl.DataFrame:
    """Return the hierarchical mean of each resource for each assumed number of trials.

    Columns: resource, trials, exponent, low, high, studies_assumed (whose paper prints no trials).
    """
    import polars as pl

    rows: list[dict[str, Any]] = []
    names = set(fits.sample.facts["study"])
    for trials in TRIALS_SET:
        sample = select_studies(fits.sample.table, default_trials=trials)
        sample = sample.rows(sample.facts["study"].is_in(list(names)).to_numpy())
        resources = sample.facts["resource"].to_numpy()
        unknown = ~sample.facts["trials_known"].to_numpy()
        for resource in fits.curves:
            which = resources == resource
            papers = np.unique(np.array(sample.papers)[which], return_inverse=True)[1].astype(np.int64)
            fitted = []
            for one in curve_sets(sample.counts.rows(which), papers, fits.floor):
                z = np.ones((len(papers), 1))
                studies = Studies(grid=alpha_grid(), curves=one.curves, papers=papers, z=z)
                fitted.append((one.weight, fit_marginal(studies, by_paper=by_paper)))
            found = estimate_of(average(fitted), 0, level)
            rows.append(
                {
                    "resource": resource,
                    "trials": trials,
                    "exponent": found.value,
                    "low": found.low,
                    "high": found.high,
                    "studies_assumed": int((which & unknown).sum()),
                }
            )
    return pl.DataFrame(rows, infer_schema_length=None)


def logit_slopes(fits: StudyFits, *, level: float, by_paper: bool = True) -> dict[str, Estimate]:
    """Return the mean rise of logit(success) per tenfold of each resource, pooled as exponents are."""
    grid = slope_grid()
    names, resources = np.array(fits.sample.papers), fits.sample.facts["resource"].to_numpy()
    out = {}
    for resource in fits.curves:
        which = resources == resource
        papers = np.unique(names[which], return_inverse=True)[1].astype(np.int64)
        curves = log_likelihood(fits.sample.counts.rows(which), grid)
        studies = Studies(grid=grid, curves=curves, papers=papers, z=np.ones((len(papers), 1)))
        out[resource] = estimate_of(fit_marginal(studies, by_paper=by_paper), 0, level, sign=1.0)
    return out

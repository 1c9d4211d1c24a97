"""Fit a scaling law to training runs, with a certificate and joint draws of its parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from isoflop.errors import EvidenceError, NoFitError, SettingError
from isoflop.scaling.estimate import find, problem, uncertified
from isoflop.scaling.laws import law_named
from isoflop.scaling.model import Array, Law
from isoflop.scaling.resampling import Draws, Resample, draw
from isoflop.scaling.result import LawFit
from isoflop.scaling.runs import Runs
from isoflop.scaling.settings import Huber, Objective
from isoflop.stats.resample import Bootstrap


def fit(
    runs: Runs,
    *,
    law: str | Law = "chinchilla",
    objective: Objective | None = None,
    starts: Array | None = None,
    weights: Array | Literal["repeats", "loss_se"] = "repeats",
    ci: Bootstrap | None = None,
    resample: Resample = "pairs",
    status: Literal["raise", "return"] = "raise",
    progress: Callable[[str, float], None] | None = None,
) -> LawFit:
    """Fit a law to runs: certified parameters, their joint draws, and every other minimum.

    Parameters
    ----------
    runs : Runs
        From `select`.
    law : str or Law
        Key in `LAWS`.
    objective : Huber, LAD, StudentT or Gaussian
        Default ``Huber(delta=1e-3)``, summed.
    starts : array, shape (S, p), optional
        In the law's working coordinates; default: read off the data by the law.
    weights : array, shape (n,), or {"repeats", "loss_se"}
        The number of repeats that a row averages, else 1; or (loss/loss_se)², scaled to mean 1. The
        second is right only where ``loss_se`` is the noise between runs, not that of a shared test set.
    ci : Bootstrap, optional
        Percentile or basic intervals. Without it there are none, and the findings say so.
    resample : {"pairs", "residual", "wild", "published"}
        What is resampled; see `isoflop.scaling.resampling.draw`.
    status : {"raise", "return"}
        What to do where the lowest point found is not certified: refuse, or return it with a caution.

    Returns
    -------
    LawFit

    Raises
    ------
    EvidenceError
        The rows cannot tell the parameters apart.
    NoFitError
        No start ended at a certified minimum.

    Examples
    --------
    >>> from isoflop import evidence, scaling
    >>> runs = scaling.select(evidence.load("scaling_runs"), where={"dataset": "zipf_words"})
    >>> fitted = scaling.fit(runs)
    >>> fitted.certificate.certified
    True
    """
    chosen = law_named(law) if isinstance(law, str) else law
    if status not in ("raise", "return"):
        raise SettingError(f"fit: status={status!r}, must be 'raise' or 'return'. Use 'raise'.")
    u = runs.inputs(chosen.inputs)
    _check_spread(runs, chosen.inputs, u)
    if ci is not None and ci.kind not in ("percentile", "basic"):
        raise SettingError(
            f"fit: interval of kind {ci.kind!r}, must be 'percentile' or 'basic'. Use 'percentile'."
        )
    if starts is not None:
        starts = _starts(chosen, starts)
    one = problem(
        chosen,
        u,
        runs.log_outcome,
        objective=objective or Huber(),
        weights=_weights(runs, weights),
    )
    try:
        found = find(one, starts)
    except NoFitError as error:
        if status == "raise":
            raise NoFitError(
                f"fit: law {chosen.name} on {runs.n} runs has no certified minimum, needs one. Use a law "
                "with fewer parameters, or another objective such as gaussian."
            ) from error
        found = uncertified(one, starts)
    draws: Draws | None = None
    if ci is not None:
        if progress is not None:
            progress("bootstrap", 0.0)
        codes = None if ci.by == "row" else runs.clusters(ci.by)
        draws = draw(found, ci, codes=codes, resample=resample)
        if progress is not None:
            progress("bootstrap", 1.0)
    return LawFit(
        runs=runs,
        law=chosen,
        found=found,
        objective=one.objective,
        ci=ci,
        draws=draws,
        resample=resample,
        weighed=_weighed(weights),
    )


def _weights(runs: Runs, weights: Array | Literal["repeats", "loss_se"]) -> Array:
    if isinstance(weights, str):
        if weights == "repeats":
            return runs.weights
        if weights != "loss_se":
            raise SettingError(
                f"fit: weights={weights!r}, must be 'repeats', 'loss_se' or numbers. Use 'repeats'."
            )
        (log_se,) = runs.inputs(("loss_se",))
        precise = np.exp(2.0 * (runs.log_outcome - log_se))
        return np.asarray(precise / precise.mean())
    given = np.asarray(weights, float)
    if given.shape != (runs.n,) or not np.isfinite(given).all() or (given < 0).any():
        raise SettingError(
            f"fit: weights of shape {given.shape}, needs {runs.n} finite numbers >= 0. Give one a run."
        )
    return given


def _weighed(weights: Array | Literal["repeats", "loss_se"]) -> str:
    if isinstance(weights, str):
        return ", rows weighed by loss_se" if weights == "loss_se" else ""
    return ", rows weighed as given"


def _starts(law: Law, starts: Array) -> Array:
    given, wanted = np.atleast_2d(np.asarray(starts, float)), len(law.names)
    if given.ndim != 2 or given.shape[1] != wanted or not np.isfinite(given).all():
        raise SettingError(
            f"fit: starts of shape {given.shape}, needs (S, {wanted}) finite numbers for law {law.name}. "
            "Leave them out to start from the data."
        )
    return given


def _check_spread(runs: Runs, inputs: Sequence[str], u: Array) -> None:
    """Refuse runs in which the loss or an input of the law takes one value."""
    if runs.n < 2:
        raise EvidenceError(f"fit: {runs.n} run, needs several at different scales. Add runs.")
    if np.ptp(runs.log_outcome) == 0:
        raise EvidenceError(
            f"fit: all {runs.n} runs have {runs.outcome} = {runs.column(runs.outcome)[0]:g}, needs a spread. "
            "Give runs whose loss differs."
        )
    for name, values in zip(inputs, u, strict=True):
        if np.ptp(values) == 0:
            raise EvidenceError(
                f"fit: all {runs.n} runs have {runs.named(name)} = {np.exp(values[0]):g}, needs a spread. "
                "Add runs at other scales, or use a law without this input."
            )

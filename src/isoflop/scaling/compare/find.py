"""Score laws on rows that they were not fitted to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import EvidenceError, SettingError, closest
from isoflop.scaling.compare.refit import fit_folds
from isoflop.scaling.compare.result import BAND, LAST_VALUE, Comparison, LawScore, Likelihood, Score
from isoflop.scaling.compare.schemes import AsMarked, LeaveGroupOut, Mask, RollingOrigin, Scheme
from isoflop.scaling.compare.series import Series, series_of_curves, series_of_runs
from isoflop.scaling.laws import law_named
from isoflop.scaling.model import Array, Law
from isoflop.scaling.runs import Runs
from isoflop.scaling.settings import LAD, Gaussian, Huber, Objective
from isoflop.stats.checks import unit_level, whole_number

if TYPE_CHECKING:
    from isoflop.evidence import Table

Index = NDArray[np.int64]

RUN_LAWS = ("power_floor", "chinchilla", "overtrain", "coupled", "kaplan")
CURVE_LAWS = ("power_floor", "m3", "m4", "shifted_power", "bnsl_1", "sigmoid")
BASELINE = "power"
REPS = 2000
ENOUGH = 0.5
"""A law that cannot be fitted for more of the rows than this has no score; else such rows are left out."""
_SCORES = ("rmsle", "mean_abs_log_error")


def compare(
    evidence: Runs | Table,
    *,
    laws: Sequence[str] | None = None,
    cv: Scheme | None = None,
    score: Score = "rmsle",
    objective: Objective | None = None,
    reps: int = REPS,
    level: float = 0.95,
    seed: int = 0,
    progress: Callable[[str, float], None] | None = None,
) -> Comparison:
    """Rank laws by their error on rows they have not seen, beside the last value and a power law.

    Every fold is fitted from starts read off its own rows, so that nothing of the scored part leaks.

    Parameters
    ----------
    evidence : Runs or Table
        Runs from `select`, or a table of schema ``learning_curves``, each curve fitted alone.
    laws : sequence of str, optional
        Keys in `LAWS`; `last_value` and `power` (in the resource) are always added.
    cv : RollingOrigin, LeaveGroupOut or AsMarked
        Default: the marked rows of curves that have a part to forecast, else `RollingOrigin`. Cuts are
        made in the resource: the runs' `x`, else training FLOP.
    score : {"rmsle", "mean_abs_log_error"}
        By which to rank: root mean square, or mean absolute, ln predicted − ln observed in each curve or
        fold, then the mean over these.
    objective : Huber, LAD, StudentT or Gaussian
        Default ``Huber(delta=1e-3)`` for runs, ``Gaussian()`` for curves.
    reps, level, seed
        Of the paired bootstrap over curves, groups or runs.

    Returns
    -------
    Comparison

    Raises
    ------
    SettingError
        An unknown law or score, or a scheme that does not suit the evidence.
    EvidenceError
        No rows on both sides of any cut, or no law that the rows can identify.

    Notes
    -----
    AICc and BIC are of the fits to all rows: Gaussian in ln y under `Gaussian`, Laplace under `Huber` and
    `LAD`, where they describe the law's fit and not the objective's own likelihood; None otherwise.

    Examples
    --------
    >>> import polars as pl
    >>> from isoflop.evidence import load
    >>> x = 10.0 ** np.linspace(2, 5, 24)
    >>> rows = pl.DataFrame({"x": x, "outcome": 0.2 + 5 * x**-0.4}).with_columns(
    ...     curve_id=pl.lit("a"),
    ...     domain=pl.lit("made"),
    ...     task=pl.lit("t"),
    ...     model=pl.lit("m"),
    ...     x_unit=pl.lit("tokens"),
    ...     outcome_kind=pl.lit("loss"),
    ...     is_fit=pl.col("x") < 1e4,
    ... )
    >>> found = compare(load(rows, schema="learning_curves"), laws=["power_floor"])
    >>> found.frame()["law"].to_list()
    ['last_value', 'power_floor', 'power']
    """
    if score not in _SCORES:
        near = closest(str(score), _SCORES) or _SCORES[0]
        raise SettingError(f"compare: score={score!r}, must be one of {', '.join(_SCORES)}. Use {near!r}.")
    reps = whole_number("compare", "reps", reps, least=1)
    level = unit_level("compare", level)
    is_runs = isinstance(evidence, Runs)
    scheme = cv or _default_scheme(evidence)
    doubts: tuple[str, ...] = ()
    if isinstance(evidence, Runs):
        every, table, doubts = series_of_runs(evidence, scheme), evidence.table, evidence.cautions
    else:
        every, left_out = series_of_curves(evidence, scheme)
        table, doubts = evidence, (*left_out, *evidence.cautions)
    chosen = _chosen(laws, RUN_LAWS if is_runs else CURVE_LAWS)
    goal = objective or (Huber() if is_runs else Gaussian())
    likelihood = _likelihood(goal)
    scores = [_last_value(every)]
    for i, law in enumerate(chosen):
        if progress is not None:
            progress("laws", i / len(chosen))
        scores.append(_score(law, every, goal, likelihood))
    if progress is not None:
        progress("laws", 1.0)
    scores, scored, unfitted = _on_common_rows(scores)
    if not scored.any() or not any(one.complete for one in scores[1:]):
        reason = next((one.refused for one in scores if one.refused), "their fits fail on different rows.")
        raise EvidenceError(f"compare: no law of {len(chosen)} can be scored on {table.name}: {reason}")
    units, unit, cluster = _labels(every, scored)
    rows = sum(len(one.u) for one in every)
    return Comparison(
        name=table.name,
        scores=tuple(scores),
        units=units,
        unit=unit,
        cluster=cluster,
        cluster_name=_cluster_name(is_runs, scheme),
        cv=scheme,
        score=score,
        likelihood=likelihood,
        reps=reps,
        seed=seed,
        level=level,
        provenance=(table.provenance(rows),),
        doubts=(*unfitted, *doubts),
    )


def _default_scheme(evidence: Runs | Table) -> Scheme:
    if isinstance(evidence, Runs) or "is_fit" not in evidence.frame.columns:
        return RollingOrigin()
    return RollingOrigin() if evidence.frame["is_fit"].all() else AsMarked()


def _chosen(laws: Sequence[str] | None, default: tuple[str, ...]) -> tuple[Law, ...]:
    names = dict.fromkeys([BASELINE, *(default if laws is None else laws)])
    names.pop(LAST_VALUE, None)
    return tuple(law_named(name) for name in names)


def _likelihood(objective: Objective) -> Likelihood | None:
    if isinstance(objective, Huber | LAD):
        return "laplace"
    return "gaussian" if objective == Gaussian() else None


def _cluster_name(is_runs: bool, scheme: Scheme) -> str:
    if not is_runs:
        return "curves"
    return f"values of {scheme.by}" if isinstance(scheme, LeaveGroupOut) else "runs"


def _on_common_rows(scores: list[LawScore]) -> tuple[list[LawScore], Mask, tuple[str, ...]]:
    """Return the scores on rows that every law predicts; a law that misses most rows does not count."""
    finite = np.array([np.isfinite(one.log_errors) for one in scores])
    counts = finite.mean(axis=1) >= ENOUGH
    scored = finite[counts].all(axis=0)
    if scored.all():
        return scores, scored, ()
    loose = [one for one, some, known in zip(scores, counts, finite, strict=True) if some and not known.all()]
    kept = [
        replace(
            one,
            log_errors=one.log_errors[scored],
            half_widths=one.half_widths[scored],
            refused="" if some else one.refused,
        )
        for one, some in zip(scores, counts, strict=True)
    ]
    return (
        kept,
        scored,
        (
            f"{int((~scored).sum())} of {len(scored)} rows are not scored: too few rows below them to fit "
            f"{', '.join(one.law for one in loose)} ({loose[0].refused.rstrip('.')}).",
        ),
    )


def _labels(every: Sequence[Series], kept: Mask) -> tuple[tuple[str, ...], Index, Index]:
    """Return unit names, and unit and cluster numbers of the rows that are kept, in order."""
    unit, cluster = [], []
    for one in every:
        for (_, scored), u, c in zip(one.folds, one.unit, one.cluster, strict=True):
            rows = np.flatnonzero(scored)
            unit += [u] * len(rows)
            cluster += [c] * len(rows) if c else [f"row {row}" for row in rows]
    unit = [name for name, known in zip(unit, kept, strict=True) if known]
    names = tuple(dict.fromkeys(unit))
    place = {name: i for i, name in enumerate(names)}
    return (
        names,
        np.array([place[name] for name in unit], np.int64),
        np.unique(np.array(cluster)[kept], return_inverse=True)[1].astype(np.int64),
    )


def _last_value(every: Sequence[Series]) -> LawScore:
    errors = [
        one.last_values(fitted, scored) - one.log_y[scored] for one in every for fitted, scored in one.folds
    ]
    folds = len(errors)
    return LawScore(
        law=LAST_VALUE,
        parameters=0,
        log_errors=np.concatenate(errors),
        half_widths=np.full(sum(map(len, errors)), np.nan),
        folds=folds,
        certified=folds,
        aicc=None,
        bic=None,
        refused="",
    )


def _score(
    law: Law, every: Sequence[Series], objective: Objective, likelihood: Likelihood | None
) -> LawScore:
    errors: list[Array] = []
    widths: list[Array] = []
    certified, folds, refused = 0, 0, ""
    aicc: float | None = 0.0 if likelihood else None
    bic = aicc
    for one in every:
        whole = np.ones(len(one.u), bool)
        try:
            u = one.inputs(law)
            fits = fit_folds(
                law,
                u,
                one.log_y,
                (*(fitted for fitted, _ in one.folds), whole),
                objective=objective,
                weights=one.weights,
            )
        except EvidenceError as error:
            refused = refused or str(error)
            missing = [np.full(int(scored.sum()), np.nan) for _, scored in one.folds]
            errors, widths = [*errors, *missing], [*widths, *missing]
            aicc = bic = None
            continue
        refused = refused or fits.refused
        folds += int(np.isfinite(fits.theta[:, 0]).sum())
        certified += fits.certified
        for (fitted, scored), theta in zip(one.folds, fits.theta, strict=False):
            known = bool(np.isfinite(theta).all())
            off = law.log_predict(theta, u)[0] - one.log_y if known else np.full(len(one.u), np.nan)
            errors.append(off[scored])
            widths.append(np.full(int(scored.sum()), np.quantile(np.abs(off[fitted]), BAND)))
        if likelihood and aicc is not None and bic is not None and np.isfinite(fits.theta[-1]).all():
            residuals = law.log_predict(fits.theta[-1], u)[0] - one.log_y
            a, b = information_criteria(residuals, one.weights, law.p, likelihood)
            aicc = None if a is None else aicc + a
            bic = None if b is None else bic + b
    return LawScore(
        law=law.name,
        parameters=law.p,
        log_errors=np.concatenate(errors),
        half_widths=np.concatenate(widths),
        folds=folds,
        certified=certified,
        aicc=aicc,
        bic=bic,
        refused=refused,
    )


def information_criteria(
    residuals: Array, weights: Array, p: int, likelihood: Likelihood
) -> tuple[float | None, float | None]:
    """Return AICc and BIC of residuals of ln y, their scale counted as a parameter.

    Parameters
    ----------
    residuals, weights : array, shape (n,)
    p : int
        Parameters of the law.
    likelihood : {"gaussian", "laplace"}

    Returns
    -------
    aicc, bic : float or None
        None where a fold was refused, the fit is exact, or (AICc) n − p − 2 is not positive.

    Examples
    --------
    >>> aicc, bic = information_criteria(np.array([1.0, -1.0, 1.0, -1.0, 1.0]), np.ones(5), 1, "laplace")
    >>> round(aicc, 4), round(bic, 4)
    (26.9315, 20.1503)
    """
    n, k = len(residuals), p + 1
    share = weights / weights.sum()
    scale = float(share @ (residuals**2 if likelihood == "gaussian" else np.abs(residuals)))
    if not (np.isfinite(scale) and scale > 0):
        return None, None
    if likelihood == "gaussian":
        minus_twice = n * (np.log(2 * np.pi * scale) + 1)
    else:
        minus_twice = 2 * n * (np.log(2 * scale) + 1)
    bic = float(minus_twice + k * np.log(n))
    spare = n - k - 1
    return (float(minus_twice + 2 * k + 2 * k * (k + 1) / spare) if spare > 0 else None), bic

"""Estimates of one group of studies, every method on the same rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import EvidenceError, NotIdentifiedError
from isoflop.findings import Estimate
from isoflop.scaling.pooling.hierarchical import Marginal, Studies, fit_marginal
from isoflop.scaling.pooling.random_effects import fit_random_effects, profile_interval
from isoflop.scaling.studies.likelihood import Array, alpha_grid
from isoflop.scaling.studies.sartor2024 import halving_factor, summarise
from isoflop.scaling.studies.study_fits import StudyFits

ESTIMATORS = ("hierarchical", "random_effects", "three_level", "two_level", "sartor2024")
"""Methods in the order in which tables show them."""
ONE_PAPER = (
    "1 paper ({n} of its studies): how papers differ cannot be seen, so there is no interval. Add papers."
)
FEWEST_STUDIES = 2
ALL_ALIKE = (
    "no trial of these {n} studies {happened}: the error is the same at every amount, which leaves the "
    "exponent open. Add amounts at which some trials fail and some succeed."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """One method's answer for one group.

    Parameters
    ----------
    exponent : Estimate
        Mean slope d ln error / d ln x, negative where the error falls.
    n_studies, n_papers : int
    sd : float or None
        Standard deviation of exponents over studies and papers.
    prediction : Estimate or None
        Where the exponent of a new study of a new paper would lie.
    median : float or None
        sartor2024 only.
    reason : str
        Why a number or its interval is missing; empty if none is.
    """

    exponent: Estimate
    n_studies: int
    n_papers: int
    sd: float | None = None
    prediction: Estimate | None = None
    median: float | None = None
    reason: str = ""

    @property
    def halving(self) -> Estimate:
        """Multiple of the resource that halves the reducible error; open where the slope may be 0."""
        return halving_estimate(self.exponent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group of studies with every method's answer.

    Parameters
    ----------
    resource : str
    by, name : str
        Column of the grouping and this group's value; both empty for all studies.
    pools : mapping of method to Pool
    studies : tuple of str
    """

    resource: str
    by: str = ""
    name: str = ""
    pools: Mapping[str, Pool] = field(default_factory=dict)
    studies: tuple[str, ...] = ()


def halving_estimate(exponent: Estimate) -> Estimate:
    """Return 2^(1/|slope|) with its interval; open above where the slope's interval reaches 0.

    Examples
    --------
    >>> found = halving_estimate(Estimate(value=-0.5, low=-1.0, high=-0.25, level=0.95, unit="1"))
    >>> found.value, found.low, found.high
    (4.0, 2.0, 16.0)
    >>> halving_estimate(Estimate(value=-0.1, low=-0.3, high=0.1, level=0.95, unit="1")).interval
    'open_above'
    """
    value = halving_factor(exponent.value) if exponent.value is not None and exponent.value < 0 else None
    low = halving_factor(exponent.low) if exponent.low is not None and exponent.low < 0 else None
    high = halving_factor(exponent.high) if exponent.high is not None and exponent.high < 0 else None
    if exponent.low is None or exponent.high is None:
        return Estimate(value=value, unit="×")
    kind = "closed" if high is not None else "open_above"
    return Estimate(value=value, low=low, high=high, level=exponent.level, unit="×", interval=kind)  # type: ignore[arg-type]


def studies_of(
    fits: StudyFits, which: NDArray[np.bool_], z: Array | None = None
) -> list[tuple[float, Studies]]:
    """Return the curves of the chosen studies with the weight of each floor, one resource only.

    Parameters
    ----------
    fits : StudyFits
    which : boolean array, shape (S,)
    z : array, shape (sum of which, q), optional
        Moderators; default an intercept.
    """
    resources = set(fits.sample.facts["resource"].to_numpy()[which])
    (resource,) = resources
    found = fits.curves[str(resource)]
    local = which[found.which]
    names = np.array(fits.sample.papers)[which]
    papers = np.unique(names, return_inverse=True)[1]
    z = np.ones((len(names), 1)) if z is None else z
    out = []
    for one in found.sets:
        level = None
        if local.all() and one.level_mean is not None and one.level_variance is not None:
            level = (one.level_mean, one.level_variance, np.array([one.levels.mean, one.levels.sd]))
        out.append(
            (
                one.weight,
                Studies(grid=alpha_grid(), curves=one.curves[local], papers=papers, z=z, level=level),
            )
        )
    return out


def average(fitted: list[tuple[float, Marginal]]) -> Marginal:
    """Return one fit from those under each floor: variances add the spread between floors."""
    weights = np.array([w for w, _ in fitted])
    betas = np.stack([m.beta for _, m in fitted])
    beta = weights @ betas
    within = np.einsum("f,fij->ij", weights, np.stack([m.covariance for _, m in fitted]))
    away = betas - beta
    return Marginal(
        beta=beta,
        sd=float(weights @ [m.sd for _, m in fitted]),
        covariance=within + np.einsum("f,fi,fj->ij", weights, away, away),
        df=weights @ np.stack([m.df for _, m in fitted]),
        objective=float(weights @ [m.objective for _, m in fitted]),
    )


def fit_group(
    fits: StudyFits, which: NDArray[np.bool_], z: Array | None = None, *, by_paper: bool = True
) -> Marginal:
    """Fit the hierarchical model to the chosen studies of one resource, averaged over floors."""
    return average([(w, fit_marginal(s, by_paper=by_paper)) for w, s in studies_of(fits, which, z)])


def estimate_of(fitted: Marginal, at: int, level: float, *, sign: float = -1.0) -> Estimate:
    """Return a coefficient of alpha as a slope, with its t interval if it has one."""
    from isoflop.stats.intervals import student_quantile

    value, variance, df = float(fitted.beta[at]), float(fitted.covariance[at, at]), float(fitted.df[at])
    if not np.isfinite(variance) or variance <= 0:
        return Estimate(value=sign * value, unit="1")
    half = student_quantile(0.5 + level / 2, df) * np.sqrt(variance)
    return Estimate(
        value=sign * value, low=sign * value - half, high=sign * value + half, level=level, unit="1"
    )


def hierarchical(fits: StudyFits, which: NDArray[np.bool_], level: float, *, by_paper: bool = True) -> Pool:
    """Return the hierarchical estimate of one group."""
    from isoflop.stats.intervals import student_quantile

    names = np.array(fits.sample.papers)[which]
    studies, papers = int(which.sum()), len(set(names))
    fitted = fit_group(fits, which, by_paper=by_paper)
    exponent = estimate_of(fitted, 0, level)
    prediction, reason = None, "" if papers > 1 else ONE_PAPER.format(n=studies)
    if papers > 2:
        spread = np.sqrt(fitted.sd**2 + fitted.covariance[0, 0])
        half = student_quantile(0.5 + level / 2, papers - 2) * spread
        centre = -float(fitted.beta[0])
        prediction = Estimate(value=centre, low=centre - half, high=centre + half, level=level, unit="1")
    return Pool(
        exponent=exponent,
        n_studies=studies,
        n_papers=papers,
        sd=fitted.sd,
        prediction=prediction,
        reason=reason,
    )


def random_effects(fits: StudyFits, which: NDArray[np.bool_], level: float) -> Pool:
    """Return the likelihood estimate with paper and study effects, under the likeliest floor."""
    _, studies = max(studies_of(fits, which), key=lambda pair: pair[0])
    papers, count = studies.n_papers, int(which.sum())
    found = fit_random_effects(studies)
    low = high = None
    if papers > 1:
        low, high = profile_interval(studies, found, level=level)
    closed = low is not None and high is not None
    exponent = Estimate(
        value=-float(found.beta[0]),
        low=None if high is None else -high,
        high=None if low is None else -low,
        level=level if closed else None,
        unit="1",
    )
    reason = "" if papers > 1 else ONE_PAPER.format(n=count)
    return Pool(
        exponent=exponent,
        n_studies=count,
        n_papers=papers,
        sd=float(np.hypot(found.sd_paper, found.sd_study)),
        reason=reason,
    )


def two_stage(
    fits: StudyFits, which: NDArray[np.bool_], level: float, tau2: Any, test: Any
) -> dict[str, Pool]:
    """Return three-level REML with CR2 errors, and two-level REML, on studies that have a standard error."""
    from isoflop.stats.meta import pool, pool_clustered, robust

    can = which & fits.alone.usable
    y, v = -fits.alone.alpha[can], fits.alone.se[can] ** 2
    papers = np.array(fits.sample.papers)[can]
    count, clusters = len(y), len(set(papers))
    if count < FEWEST_STUDIES:
        word = "study" if count == 1 else "studies"
        reason = f"{count} {word} with a standard error, needs {FEWEST_STUDIES}. Add studies."
        empty = Pool(
            exponent=Estimate(value=None, unit="1"), n_studies=count, n_papers=clusters, reason=reason
        )
        return {"three_level": empty, "two_level": empty}
    out = {}
    plain = pool(y, v, tau2=tau2, test=test, level=level)
    out["two_level"] = Pool(
        exponent=Estimate(
            value=plain.coefficients[0], low=plain.low[0], high=plain.high[0], level=level, unit="1"
        ),
        n_studies=count,
        n_papers=clusters,
        sd=float(np.sqrt(plain.tau2)),
        prediction=_prediction(plain),
    )
    if clusters < 2:
        value = Estimate(value=plain.coefficients[0], unit="1")
        out["three_level"] = Pool(
            exponent=value, n_studies=count, n_papers=clusters, reason=ONE_PAPER.format(n=count)
        )
        return out
    nested = pool_clustered(y, v, papers, level=level)
    sandwich = robust(nested, kind="CR2")
    out["three_level"] = Pool(
        exponent=Estimate(
            value=sandwich.coefficients[0], low=sandwich.low[0], high=sandwich.high[0], level=level, unit="1"
        ),
        n_studies=count,
        n_papers=clusters,
        sd=float(np.sqrt(nested.tau2)),
        prediction=_prediction(nested),
    )
    return out


def _prediction(fit: Any) -> Estimate | None:
    try:
        found = fit.prediction()
    except NotIdentifiedError:
        return None
    return Estimate(
        value=found.value, low=found.prediction_low, high=found.prediction_high, level=found.level, unit="1"
    )


def published_method(fits: StudyFits, which: NDArray[np.bool_], level: float) -> Pool:
    """Return the published method's mean and median on the rows it keeps."""
    keep = which & fits.percent.kept()
    papers = len(set(np.array(fits.sample.papers)[keep]))
    try:
        found = summarise(fits.percent.exponent[keep], level=level)
    except EvidenceError as error:
        return Pool(exponent=Estimate(value=None, unit="1"), n_studies=0, n_papers=papers, reason=str(error))
    return Pool(
        exponent=found.mean,
        n_studies=found.n,
        n_papers=papers,
        sd=found.sd if np.isfinite(found.sd) else None,
        median=found.median,
    )


def pool_group(
    fits: StudyFits,
    which: NDArray[np.bool_],
    *,
    resource: str,
    by: str = "",
    name: str = "",
    level: float,
    by_paper: bool,
    tau2: Any,
    test: Any,
) -> Group:
    """Return every method's answer for the chosen studies of one resource."""
    studies = tuple(fits.sample.facts["study"].to_numpy()[which])
    silent = _all_alike(fits, which)
    if silent:
        none = Pool(
            exponent=Estimate(value=None, unit="1"),
            n_studies=len(studies),
            n_papers=len(set(np.array(fits.sample.papers)[which])),
            reason=silent,
        )
        methods = [method for method in ESTIMATORS if not by or method != "random_effects"]
        return Group(resource=resource, by=by, name=name, pools=dict.fromkeys(methods, none), studies=studies)
    pools = {"hierarchical": hierarchical(fits, which, level, by_paper=by_paper)}
    if not by:
        pools["random_effects"] = random_effects(fits, which, level)
    pools |= two_stage(fits, which, level, tau2, test)
    pools["sartor2024"] = published_method(fits, which, level)
    return Group(resource=resource, by=by, name=name, pools=pools, studies=studies)


def _all_alike(fits: StudyFits, which: NDArray[np.bool_]) -> str:
    """Return why studies without a single failure, or a single success, have no exponent; else nothing."""
    counts = fits.sample.counts
    errors, trials = float(counts.errors[which].sum()), float(counts.trials[which].sum())
    if 0.0 < errors < trials:
        return ""
    return ALL_ALIKE.format(n=int(which.sum()), happened="failed" if errors == 0.0 else "succeeded")

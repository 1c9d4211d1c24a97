"""One mean exponent from many studies, without a standard error in between.

``alpha_s ~ Normal(m_s, tau²)`` with ``m_s = z_s'beta``; a study enters through its whole likelihood of
alpha, so that studies which say little (few trials, all failures, errors that rise) stay in and weigh
little. Each paper weighs as one study, whatever its number of studies, and the interval takes papers as
the independent units: a corrected sandwich with a t quantile (`sandwich`). The likelihood with an effect
of each paper is in `random_effects`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import NoFitError
from isoflop.scaling.pooling.sandwich import cluster_sandwich

Array = NDArray[np.float64]
Labels = NDArray[np.int64]

MIN_SD, MAX_SD = 0.02, 3.0
"""Range of both standard deviations of alpha. The lower end is one step of the grid: less cannot be told
from none, and adds 0.0004 to a variance."""
DISTINCT = 0.1
"""Least eigenvalue of the scaled information at which a nuisance counts as determined."""
_TINY = 1e-290


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Studies:
    """Log-likelihood curves of studies with their papers and moderators.

    Parameters
    ----------
    grid : array, shape (G,)
        Equally spaced exponents.
    curves : array, shape (S, G)
        Log-likelihood of the exponent of each study, up to a constant.
    papers : int array, shape (S,)
        Number of the paper of each study, 0 to P - 1.
    z : array, shape (S, q)
        Moderators; the first column is usually 1.
    level : tuple of arrays, shapes (S, G), (S, G) and (2,), optional
        Mean and variance of the level of each study given alpha, and mean and standard deviation of
        levels over studies. The interval then allows for their having been estimated.
    """

    grid: Array
    curves: Array
    papers: Labels
    z: Array
    level: tuple[Array, Array, Array] | None = None

    @property
    def n_papers(self) -> int:
        """How many papers."""
        return int(self.papers.max()) + 1

    def rows(self, which: NDArray[np.bool_]) -> Studies:
        """Return the studies that `which` selects, papers numbered anew."""
        _, papers = np.unique(self.papers[which], return_inverse=True)
        level = None if self.level is None else (self.level[0][which], self.level[1][which], self.level[2])
        return Studies(grid=self.grid, curves=self.curves[which], papers=papers, z=self.z[which], level=level)

    def weights(self, by_paper: bool) -> Array:
        """Return one weight a study: 1, or 1 over the studies of its paper."""
        if not by_paper:
            return np.ones(len(self.curves))
        return 1.0 / np.bincount(self.papers)[self.papers]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Marginal:
    """Weighted maximum likelihood with one normal distribution of exponents.

    Parameters
    ----------
    beta : array, shape (q,)
    sd : float
        Standard deviation of alpha over studies and papers together.
    covariance : array, shape (q, q)
        Corrected sandwich over papers; NaN where one paper alone is given.
    df : array, shape (q,)
        Satterthwaite degrees of freedom of each coefficient.
    objective : float
        Weighted log-likelihood, up to a constant.
    """

    beta: Array
    sd: float
    covariance: Array
    df: Array
    objective: float


class Curves:
    """Integrals of a study's likelihood against normal densities of alpha."""

    def __init__(self, studies: Studies) -> None:
        top = studies.curves.max(axis=1, keepdims=True)
        self.grid = studies.grid
        self.step = float(studies.grid[1] - studies.grid[0])
        self.likelihood = np.exp(studies.curves - top)

    def moments(self, mean: Array, sd: float) -> tuple[Array, Array, Array]:
        """Return log f, and mean and variance of alpha given the data.

        Parameters
        ----------
        mean : array, shape (S,) or (S, K)
        """
        centre = mean[..., None]
        away = (self.grid - centre) / sd
        likelihood = self.likelihood if mean.ndim == 1 else self.likelihood[:, None, :]
        density = likelihood * np.exp(-0.5 * away * away)
        mass = density.sum(axis=-1) + _TINY
        # Distances from the mean keep the variance free of cancellation.
        first = (density * away).sum(axis=-1) / mass
        second = (density * away * away).sum(axis=-1) / mass
        log_f = np.log(mass * (self.step / (sd * np.sqrt(2.0 * np.pi))))
        return log_f, mean + sd * first, sd * sd * np.maximum(second - first * first, 0.0)


def fit_marginal(
    studies: Studies, *, by_paper: bool = True, start: tuple[Array, float] | None = None
) -> Marginal:
    """Fit one normal distribution of exponents, studies weighted so that each paper counts once.

    Parameters
    ----------
    studies : Studies
    by_paper : bool
        False: each study counts once.
    start : tuple of (array, shape (q,), float), optional
        Coefficients and standard deviation to begin at.

    Raises
    ------
    NoFitError
        The optimiser stopped short of a maximum.
    """
    curves, weights, z = Curves(studies), studies.weights(by_paper), studies.z
    beta, sd = start if start is not None else (starting_point(studies), 0.2)

    def negative(theta: Array) -> tuple[float, Array]:
        sd = float(np.exp(theta[-1]))
        mean = z @ theta[:-1]
        log_f, expected, variance = curves.moments(mean, sd)
        residual = (expected - mean) / sd**2
        spread = (variance + (expected - mean) ** 2) / sd**2 - 1.0
        gradient = np.concatenate([z.T @ (weights * residual), [weights @ spread]])
        return -float(weights @ log_f), -gradient

    theta, objective = minimise(negative, np.concatenate([beta, [np.log(sd)]]), scales=1)
    beta, sd = theta[:-1], float(np.exp(theta[-1]))
    scores, information = _scores(studies, curves, weights, beta, sd)
    q = len(beta)
    kept = _well_determined(information.sum(axis=0), q)
    covariance, df = cluster_sandwich(scores[:, kept], information[:, kept][:, :, kept], studies.papers)
    return Marginal(beta=beta, sd=sd, covariance=covariance[:q, :q], df=df[:q], objective=-objective)


def starting_point(studies: Studies) -> Array:
    """Return coefficients near the middle of what the studies' curves favour."""
    top = studies.curves.max(axis=1)
    told = top - studies.curves[:, [0, -1]].max(axis=1) > 0.5
    best = studies.grid[studies.curves.argmax(axis=1)]
    beta = np.zeros(studies.z.shape[1])
    if told.any() and np.ptp(studies.z[:, 0]) == 0 and studies.z[0, 0] != 0:
        beta[0] = np.median(best[told]) / studies.z[0, 0]
    return beta


def minimise(
    negative: Callable[[Array], tuple[float, Array]], start: Array, *, scales: int
) -> tuple[Array, float]:
    """Minimise with analytic gradients; the last `scales` entries are logarithms of bounded deviations."""
    from scipy.optimize import minimize

    free = len(start) - scales
    bounds = [(-5.0, 5.0)] * free + [(np.log(MIN_SD), np.log(MAX_SD))] * scales
    # a second run from where the first stopped clears a line search that gave up early
    for _ in range(3):
        found = minimize(
            negative, start, jac=True, method="L-BFGS-B", bounds=bounds,
            options={"maxiter": 300, "ftol": 1e-13, "gtol": 1e-7},
        )  # fmt: skip
        if abs(found.fun - negative(start)[0]) < 1e-9 * max(1.0, abs(found.fun)):
            break
        start = found.x
    if not np.isfinite(found.fun):
        raise NoFitError("fit_studies: the likelihood has no finite maximum. Check trials and errors.")
    return np.asarray(found.x), float(found.fun)


def _scores(studies: Studies, curves: Curves, weights: Array, beta: Array, sd: float) -> tuple[Array, Array]:
    """Return weighted scores (S, d) and informations (S, d, d) of every estimated parameter.

    These are the coefficients and log sd, then mean and log sd of the levels; a deviation that stands
    at its bound is not among them. The information is what complete data would have, less what is lost
    because alpha and the level are not seen (Louis 1982).
    """
    z, mean = studies.z, studies.z @ beta
    away = (studies.grid - mean[:, None]) / sd
    mass = curves.likelihood * np.exp(-0.5 * away * away) + _TINY
    mass /= mass.sum(axis=1, keepdims=True)
    scaled = [sd > 1.001 * MIN_SD]
    level_sd = 1.0
    if studies.level is not None:
        level_sd = float(studies.level[2][1])
        scaled.append(True)
    score: Array | float = 0.0
    second: Array | float = 0.0
    moments = np.zeros((len(scaled), 2, len(z)))
    for share, level_away in _nodes(studies.level):
        distances = [away] if level_away is None else [away, level_away]
        columns = [(away / sd)[:, :, None] * z[:, None, :]]
        if scaled[0]:
            columns.append(away[:, :, None] ** 2 - 1.0)
        if level_away is not None:
            columns += [level_away[:, :, None] / level_sd, level_away[:, :, None] ** 2 - 1.0]
        complete = np.concatenate(columns, axis=2)
        seen = (share * mass)[:, :, None] * complete
        score = score + seen.sum(axis=1)
        second = second + seen.transpose(0, 2, 1) @ complete
        for i, d in enumerate(distances):
            moments[i] += [(share * mass * d).sum(axis=1), (share * mass * d * d).sum(axis=1)]
    score, second = np.asarray(score), np.asarray(second)
    information = np.zeros_like(second)
    q = z.shape[1]
    _fill(information, 0, z, moments[0], sd, scaled[0])
    if studies.level is not None:
        _fill(information, q + scaled[0], np.ones((len(z), 1)), moments[1], level_sd, True)
    information -= second - score[:, :, None] * score[:, None, :]
    return weights[:, None] * score, weights[:, None, None] * information


def _well_determined(information: Array, q: int) -> Labels:
    """Return the parameters to invert for: coefficients always, nuisances while they can be told apart.

    Where a deviation is near zero its logarithm has almost no information, and inverting it would
    turn rounding into variance; the coefficients' own sandwich then stands alone.
    """
    kept = list(range(q))
    for i in range(q, len(information)):
        trial = [*kept, i]
        part = information[np.ix_(trial, trial)]
        size = np.diag(part)
        if (size > 0).all():
            scaled = part / np.sqrt(np.outer(size, size))
            if np.linalg.eigvalsh(0.5 * (scaled + scaled.T))[0] > DISTINCT:
                kept = trial
    return np.array(kept)


def _nodes(level: tuple[Array, Array, Array] | None) -> list[tuple[float, Array | None]]:
    """Return weights and standardised levels (S, G) that have the moments of a normal up to the fifth."""
    if level is None:
        return [(1.0, None)]
    mean, variance, (centre, sd) = level
    reach = np.sqrt(3.0 * variance)
    return [
        (share, (mean + side * reach - centre) / sd) for share, side in ((1 / 6, -1), (2 / 3, 0), (1 / 6, 1))
    ]


def _fill(information: Array, at: int, z: Array, moments: Array, sd: float, scaled: bool) -> None:
    """Write the complete-data information of ``Normal(z'beta, sd²)``: coefficients, then log sd."""
    q = z.shape[1]
    information[:, at : at + q, at : at + q] = z[:, :, None] * z[:, None, :] / sd**2
    if scaled:
        across = 2.0 * z * (moments[0] / sd)[:, None]
        information[:, at : at + q, at + q] = across
        information[:, at + q, at : at + q] = across
        information[:, at + q, at + q] = 2.0 * moments[1]

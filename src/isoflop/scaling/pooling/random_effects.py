"""The mean exponent when each paper and each study has an effect of its own.

``alpha_s = z_s'beta + u_paper + v_study``, both normal, by maximum likelihood; papers are integrated out
by adaptive Gauss-Hermite quadrature. The interval of the mean is that of the profile likelihood, with
the quantile of t for the number of papers, since variances of papers are estimated from few of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isoflop.scaling.pooling.hierarchical import Array, Curves, Labels, Studies, minimise, starting_point

NODES = 7
"""Gauss-Hermite nodes a paper; 5 and 15 agree to 1e-4 in the log-likelihood of the embedded studies."""
_MODE_STEPS = 12
_WIDEST, _TOLERANCE, _RESCALINGS = 6.0, 5e-3, 12
"""How far from the mean an end of the interval is sought, how exactly, and in how many steps at most."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RandomEffects:
    """Maximum likelihood with paper and study effects.

    Parameters
    ----------
    beta : array, shape (q,)
    sd_paper, sd_study : float
    objective : float
        Log-likelihood, up to a constant.
    """

    beta: Array
    sd_paper: float
    sd_study: float
    objective: float


def fit_random_effects(
    studies: Studies, *, fixed: tuple[int, float] | None = None, start: RandomEffects | None = None
) -> RandomEffects:
    """Fit exponents with normal paper and study effects by maximum likelihood.

    Parameters
    ----------
    studies : Studies
    fixed : tuple of (int, float), optional
        Index of a coefficient that is held, and its value: for profiles.
    start : RandomEffects, optional
        Where to begin.
    """
    curves, z, papers = Curves(studies), studies.z, studies.papers
    count = studies.n_papers
    free = np.ones(z.shape[1], bool)
    held = np.zeros(z.shape[1])
    if fixed is not None:
        free[fixed[0]], held[fixed[0]] = False, fixed[1]
    begin = start or RandomEffects(
        beta=starting_point(studies), sd_paper=0.15, sd_study=0.15, objective=np.nan
    )
    modes = np.zeros(count)

    def negative(theta: Array) -> tuple[float, Array]:
        nonlocal modes
        beta = held.copy()
        beta[free] = theta[:-2]
        sd_paper, sd_study = np.exp(theta[-2:])
        value, slope, modes = _integrate(curves, z @ beta, papers, count, sd_paper, sd_study, modes)
        by_mean, by_paper, by_study = slope
        return -value, -np.concatenate([(z.T @ by_mean)[free], [by_paper, by_study]])

    first = np.concatenate([begin.beta[free], np.log([begin.sd_paper, begin.sd_study])])
    theta, objective = minimise(negative, first, scales=2)
    beta = held.copy()
    beta[free] = theta[:-2]
    sd_paper, sd_study = (float(v) for v in np.exp(theta[-2:]))
    return RandomEffects(beta=beta, sd_paper=sd_paper, sd_study=sd_study, objective=-objective)


def _integrate(
    curves: Curves, mean: Array, papers: Labels, count: int, sd_paper: float, sd_study: float, modes: Array
) -> tuple[float, tuple[Array, float, float], Array]:
    """Return the log-likelihood, its slopes (mean of each study, log of both deviations), and the modes."""
    modes, curvature = _paper_modes(curves, mean, papers, count, sd_paper, sd_study, modes)
    nodes, node_weights = np.polynomial.hermite.hermgauss(NODES)
    spread = np.sqrt(2.0 / curvature)
    effects = modes[:, None] + spread[:, None] * nodes
    at = mean[:, None] + effects[papers]
    log_f, expected, variance = curves.moments(at, sd_study)
    joint = np.zeros((count, NODES))
    np.add.at(joint, papers, log_f)
    joint += -0.5 * (effects / sd_paper) ** 2 - np.log(sd_paper * np.sqrt(2.0 * np.pi))
    logs = joint + nodes**2 + np.log(node_weights) + np.log(spread)[:, None]
    top = logs.max(axis=1, keepdims=True)
    mass = np.exp(logs - top)
    total = mass.sum(axis=1, keepdims=True)
    posterior = mass / total
    mine = posterior[papers]
    by_mean = (mine * (expected - at)).sum(axis=1) / sd_study**2
    by_paper = float((posterior * ((effects / sd_paper) ** 2 - 1.0)).sum())
    by_study = float((mine * ((variance + (expected - at) ** 2) / sd_study**2 - 1.0)).sum())
    return float((top + np.log(total)).sum()), (by_mean, by_paper, by_study), modes


def _paper_modes(
    curves: Curves, mean: Array, papers: Labels, count: int, sd_paper: float, sd_study: float, modes: Array
) -> tuple[Array, Array]:
    """Return the most likely effect of each paper and the curvature there."""
    for _ in range(_MODE_STEPS):
        at = mean + modes[papers]
        _, expected, variance = curves.moments(at, sd_study)
        slope = np.bincount(papers, (expected - at) / sd_study**2, count) - modes / sd_paper**2
        bend = np.bincount(papers, 1.0 / sd_study**2 - variance / sd_study**4, count) + 1.0 / sd_paper**2
        bend = np.maximum(bend, 1.0 / sd_paper**2)
        step = np.clip(slope / bend, -0.5, 0.5)
        modes = modes + step
        if np.abs(step).max() < 1e-6:
            break
    return modes, np.asarray(bend)


def profile_interval(
    studies: Studies, found: RandomEffects, *, level: float, at: int = 0
) -> tuple[float | None, float | None]:
    """Return the profile-likelihood interval of one coefficient; None on a side that stays open.

    Parameters
    ----------
    studies : Studies
    found : RandomEffects
        The maximum.
    level : float
    at : int
        Which coefficient.
    """
    from isoflop.stats.intervals import student_quantile

    target = student_quantile(0.5 + level / 2, studies.n_papers - 1)
    centre = float(found.beta[at])
    first = target * max(np.hypot(found.sd_paper, found.sd_study), 0.05) / np.sqrt(studies.n_papers)
    ends: list[float | None] = []
    for side in (-1.0, 1.0):
        away, nearby = side * first, found
        end: float | None = None
        # The root of the drop is nearly linear in the coefficient, so a few rescalings reach the target.
        for _ in range(_RESCALINGS):
            nearby = fit_random_effects(studies, fixed=(at, centre + away), start=nearby)
            root = np.sqrt(2.0 * max(found.objective - nearby.objective, 1e-12))
            if abs(root - target) < _TOLERANCE * target:
                end = centre + away
                break
            away *= float(np.clip(target / root, 0.25, 4.0))
            if abs(away) > _WIDEST:
                break
        ends.append(end)
    return ends[0], ends[1]

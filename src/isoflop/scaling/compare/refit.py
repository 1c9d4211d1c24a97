"""Fit one law to the rows of every fold, each from starts read off those rows alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isoflop.errors import EvidenceError, NoFitError
from isoflop.scaling.compare.schemes import Mask
from isoflop.scaling.estimate import find, problem, uncertified
from isoflop.scaling.model import Array, Law
from isoflop.scaling.settings import Gaussian, Objective
from isoflop.stats.newton import fit_model

POLISHED = 4
"""Starts of each fold that run to the end in the quick way."""
ITERATIONS = 150
"""Broken laws creep along flat valleys; beyond this their predictions no longer move."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fits:
    """A law on every fold.

    Parameters
    ----------
    theta : array, shape (R, p)
        NaN where the rows of a fold cannot identify the law.
    certified : int
        Folds that ended at a certified minimum.
    refused : str
        Why folds were refused; empty if none was.
    """

    theta: Array
    certified: int
    refused: str


def fit_folds(
    law: Law, u: Array, log_y: Array, fitted: tuple[Mask, ...], *, objective: Objective, weights: Array
) -> Fits:
    """Return the law's parameters on each fold.

    Parameters
    ----------
    u : array, shape (k, n)
    log_y, weights : array, shape (n,)
    fitted : tuple of bool arrays, shape (n,)
    """
    theta = np.full((len(fitted), law.p), np.nan)
    usable, refused = [], ""
    for i, rows in enumerate(fitted):
        try:
            law.check(u[:, rows])
            usable.append(i)
        except EvidenceError as error:
            refused = refused or str(error)
    certified = 0
    if usable and objective == Gaussian():
        theta[usable], certified = _together(law, u, log_y, [fitted[i] for i in usable], weights)
    else:
        for i in usable:
            rows = fitted[i]
            one = problem(law, u[:, rows], log_y[rows], objective=objective, weights=weights[rows])
            try:
                found = find(one)
                certified += 1
            except NoFitError:
                found = uncertified(one)
            theta[i] = found.best.theta
    return Fits(theta=theta, certified=certified, refused=refused)


def _together(law: Law, u: Array, log_y: Array, fitted: list[Mask], weights: Array) -> tuple[Array, int]:
    """Least squares of all folds at once by Gauss–Newton steps, in inputs measured from their means."""
    middle = law.middle(u)
    turn, shift = law.centre(middle)
    inner = u - middle[:, None]
    starts = np.stack([law.starts(inner[:, rows], log_y[rows]) for rows in fitted])
    found = fit_model(
        law.model(inner),
        log_y,
        starts=starts,
        weights=np.stack([weights * rows for rows in fitted]),
        keep=POLISHED,
        exact=False,
        max_iterations=ITERATIONS,
    )
    objective = found.objective.reshape(len(fitted), -1)
    best = np.arange(len(fitted)) * objective.shape[1] + objective.argmin(axis=1)
    return found.theta[best] @ turn.T + shift, int(found.certified[best].sum())

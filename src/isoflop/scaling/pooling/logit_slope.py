"""The other scale: how much logit(success) rises with each tenfold of a resource.

A logistic curve has no floor and no exponent, but is bounded at both ends and symmetric in success
and error, so it shows whether a conclusion hangs on the power law.
"""

from __future__ import annotations

import numpy as np

from isoflop.scaling.studies.likelihood import Array, Counts

LOW, HIGH, STEP = -4.0, 8.0, 0.02
_STEPS, _WIDEST, _SETTLED = 60, 60.0, 1e-7
"""Most steps to the intercept, its range in logits (at the middle of the range of x), and the trials that
expected and counted successes may differ by."""


def slope_grid() -> Array:
    """Return the grid of logit(success) per tenfold, ascending."""
    return np.asarray(np.round(np.arange(round((HIGH - LOW) / STEP) + 1) * STEP + LOW, 10))


def log_likelihood(counts: Counts, slopes: Array) -> Array:
    """Return the profile log-likelihood of the slope, shape (S, G); the intercept is the likeliest one.

    Examples
    --------
    >>> one = Counts(log_x=np.log([[1.0, 10.0, 100.0]]), errors=np.array([[73.1, 50.0, 26.9]]),
    ...              trials=np.full((1, 3), 100.0))
    >>> grid = slope_grid()
    >>> float(grid[log_likelihood(one, grid)[0].argmax()])
    1.0
    """
    given = counts.given
    middle = 0.5 * (counts.low_x + counts.high_x)
    tenfolds = np.where(given, (counts.log_x - middle[:, None]) / np.log(10.0), 0.0)
    right = np.where(given, counts.trials - counts.errors, 0.0)
    total = right.sum(axis=1)[:, None]
    low, high = (np.full((len(total), slopes.size), side * _WIDEST) for side in (-1.0, 1.0))
    at = np.zeros_like(low)
    for _ in range(_STEPS):
        expected, bend = np.zeros_like(at), np.zeros_like(at)
        for j in range(tenfolds.shape[1]):
            p = 1.0 / (1.0 + np.exp(-at - slopes * tenfolds[:, j, None]))
            n = counts.trials[:, j, None]
            expected += n * p
            bend += n * p * (1.0 - p)
        below = expected < total
        low, high = np.where(below, at, low), np.where(below, high, at)
        if (np.abs(total - expected) < _SETTLED).all():
            break
        step = at + (total - expected) / np.maximum(bend, 1e-12)
        # Newton where it stays inside the bracket, else halve it
        at = np.where((step > low) & (step < high), step, 0.5 * (low + high))
    out = np.zeros_like(at)
    for j in range(tenfolds.shape[1]):
        logit = at + slopes * tenfolds[:, j, None]
        wrong = counts.errors[:, j, None]
        out -= right[:, j, None] * np.logaddexp(0.0, -logit) + wrong * np.logaddexp(0.0, logit)
    return np.asarray(out)

"""A few labelled prompts of the new task: a Beta posterior for each model, and which prompts to label next.

The prior of model m is Beta with mean â(m), the selector's prediction, and strength n0 that matches the error
of such predictions on tasks left out; n scores s add up::

    posterior mean = (n0 â + Σ s) / (n0 + n).

Fractional scores count as fractions of a success, and a score that is the mean of several generations as
that many trials. When all models answered the same prompts the chance of being best keeps their dependence:
prompts are redrawn with Dirichlet weights beside draws of the prior's part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import EvidenceError
from isoflop.routing.model import TIE, chosen

if TYPE_CHECKING:
    from isoflop.routing.sample import ScoredPrompts
    from isoflop.routing.selection.shrunken import Prediction, Shrunken
    from isoflop.routing.task_scores import TaskScores

FloatArray = NDArray[np.float64]
DRAWS = 10_000
CURVE_DRAWS = 50
CURVE_REPS = 2000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Posterior:
    """What is believed of each model after some labels.

    Parameters
    ----------
    mean, low, high : array, shape (M,)
        Posterior mean accuracy and its central interval.
    p_best : array, shape (M,)
        Chance of being the best; sums to one.
    regret : array, shape (M,)
        Expected shortfall to the best if this model is used.
    n : array, shape (M,)
        Trials behind each model's labels.
    n0 : float
        Trials that the prediction counts for.
    choice : int
    draws : array, shape (draws, M)
        Joint draws of the accuracies.
    """

    mean: FloatArray
    low: FloatArray
    high: FloatArray
    p_best: FloatArray
    regret: FloatArray
    n: FloatArray
    n0: float
    choice: int
    draws: FloatArray


def posterior(
    predicted: FloatArray,
    scores: FloatArray,
    *,
    n0: float,
    n_samples: FloatArray | None = None,
    level: float = 0.9,
    draws: int = DRAWS,
    seed: int = 0,
) -> Posterior:
    """Return what is believed of each model after some labels.

    Parameters
    ----------
    predicted : array, shape (M,), in [0, 1]
        Expected accuracy without labels.
    scores : array, shape (n, M), in [0, 1]
        Labelled prompts; NaN where a model was not run.
    n0 : float, > 0
        Strength of the prediction in prompts.
    n_samples : array, shape (n, M), optional
        Generations that each score is the mean of; default 1.
    level : float
        Of the intervals.
    draws : int
        Joint draws.
    seed : int

    Returns
    -------
    Posterior

    Raises
    ------
    EvidenceError
        A score outside [0, 1], or arrays that do not fit.

    Examples
    --------
    >>> found = posterior(np.array([0.5, 0.5]), np.array([[1.0, 0.0], [1.0, 0.0]]), n0=2.0)
    >>> found.mean.tolist(), found.choice
    ([0.75, 0.25], 0)
    """
    scores = np.atleast_2d(np.asarray(scores, dtype=float))
    _refuse(predicted, scores)
    mean0 = np.clip(predicted, 1e-6, 1 - 1e-6)
    known = np.isfinite(scores)
    trials = np.where(known, 1.0 if n_samples is None else n_samples, 0.0)
    n, won = trials.sum(axis=0), (np.where(known, scores, 0.0) * trials).sum(axis=0)
    mean = (n0 * mean0 + won) / (n0 + n)
    rng = np.random.default_rng(seed)
    drawn = _draws(mean0, scores, trials, n0, draws, rng)
    tail = (1 - level) / 2
    best = drawn.argmax(axis=1)
    top = drawn.max(axis=1, keepdims=True)
    near = np.flatnonzero(mean >= mean.max() - TIE)
    return Posterior(
        mean=mean,
        low=np.quantile(drawn, tail, axis=0),
        high=np.quantile(drawn, 1 - tail, axis=0),
        p_best=np.bincount(best, minlength=mean.size) / draws,
        regret=(top - drawn).mean(axis=0),
        n=n,
        n0=float(n0),
        choice=int(near[np.argmax(predicted[near])]),
        draws=drawn,
    )


def next_prompts(found: Posterior, votes: FloatArray, budget: int) -> NDArray[np.int64]:
    """Return the unlabelled prompts that tell the two leading models apart best.

    Parameters
    ----------
    found : Posterior
    votes : array, shape (n, M), in [0, 1]
        Expected score of each model on each unlabelled prompt.
    budget : int
        How many prompts at most.

    Returns
    -------
    array of int
        Rows of `votes`, largest expected disagreement first; ties by lower row.

    Examples
    --------
    >>> found = posterior(np.array([0.6, 0.5, 0.1]), np.zeros((0, 3)), n0=4.0)
    >>> next_prompts(found, np.array([[0.5, 0.5, 0.0], [0.9, 0.1, 0.9]]), 1).tolist()
    [1]
    """
    if votes.shape[1] < 2:
        return np.arange(min(budget, len(votes)))
    first, second = np.argsort(-found.mean, kind="stable")[:2]
    one, two = votes[:, first], votes[:, second]
    apart = one * (1 - two) + two * (1 - one)
    return np.argsort(-apart, kind="stable")[:budget]


def label_curve(
    scored: ScoredPrompts,
    scores: TaskScores,
    counts: tuple[int, ...],
    *,
    settings: Shrunken | None = None,
    draws: int = CURVE_DRAWS,
    level: float = 0.95,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Return what the choice reaches after n labelled prompts of each new task, averaged over draws of them.

    Parameters
    ----------
    scored : ScoredPrompts
    scores : TaskScores
        Of the same prompts.
    counts : tuple of int, >= 0
        Labelled prompts; 0 is the default selector.
    settings : Shrunken, optional
    draws : int
        Random sets of labels a task and count; every model is labelled on the same prompts.
    level : float
        Of the intervals, over tasks.
    seed : int

    Returns
    -------
    list of dict
        ``n``, ``raw_score`` (best sample mean), ``posterior_score``, ``low`` and ``high`` of the latter,
        ``gain`` over no labels with ``gain_low`` and ``gain_high``, ``recovered``: share of the way from the
        best on average to the best model of each task.
    """
    from isoflop.routing.selection.shrunken import fit_shrunken
    from isoflop.stats.resample import Bootstrap

    tasks = len(scored.datasets)
    default, base, oracle = np.empty(tasks), np.empty(tasks), np.empty(tasks)
    raw, post = np.full((len(counts), tasks), np.nan), np.empty((len(counts), tasks))
    for d in range(tasks):
        fit = fit_shrunken(scores.training(d), settings)
        said = fit.predict(scores.task(d))
        truth = scores.accuracy[d]
        default[d], base[d], oracle[d] = truth[said.choice], truth[said.base], np.nanmax(truth)
        rows = scored.score[scored.dataset == d]
        rng = np.random.default_rng([seed, d])
        raw[:, d], post[:, d] = _curve(rows, counts, truth, said, fit.n0, draws, rng)
    weights = Bootstrap(reps=CURVE_REPS, level=level, seed=seed).weights(tasks)
    tail = np.array([(1 - level) / 2, (1 + level) / 2])
    lines = []
    for k, n in enumerate(counts):
        low, high = np.quantile(weights @ post[k], tail)
        gain_low, gain_high = np.quantile(weights @ (post[k] - default), tail)
        reach = (oracle - base).mean()
        lines.append(
            {
                "n": int(n),
                "raw_score": None if n == 0 else float(raw[k].mean()),
                "posterior_score": float(post[k].mean()),
                "low": float(low),
                "high": float(high),
                "gain": float((post[k] - default).mean()),
                "gain_low": float(gain_low),
                "gain_high": float(gain_high),
                "recovered": float((post[k] - base).mean() / reach) if reach > 0 else None,
            }
        )
    return lines


def _curve(
    rows: FloatArray,
    counts: tuple[int, ...],
    truth: FloatArray,
    said: Prediction,
    n0: float,
    draws: int,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray]:
    """Return the mean true accuracy of both picks on one task for each count of labels.

    A draw orders the prompts once and labels the first n of them, so that counts differ by labels alone.
    """
    raw, post = np.zeros(len(counts)), np.zeros(len(counts))
    for _ in range(draws):
        order = rng.permutation(len(rows))
        for k, n in enumerate(counts):
            one, two = _picks(rows[order[:n]], said, n0, rng)
            raw[k] += truth[one] / draws
            post[k] += truth[two] / draws
    unlabelled = [k for k, n in enumerate(counts) if n == 0]
    raw[unlabelled], post[unlabelled] = np.nan, truth[said.choice]
    return raw, post


def _picks(taken: FloatArray, said: Prediction, n0: float, rng: np.random.Generator) -> tuple[int, int]:
    """Return the best sample mean and the best posterior mean; without labels, the selector's choice."""
    if not len(taken):
        return said.choice, said.choice
    known = np.isfinite(taken)
    count, won = known.sum(axis=0), np.where(known, taken, 0.0).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(count > 0, won / count, -np.inf)
    return _first(mean, rng), chosen((n0 * said.accuracy + won) / (n0 + count), said.accuracy)


def _first(mean: FloatArray, rng: np.random.Generator) -> int:
    """Return one of the largest sample means: a mean alone cannot tell tied models apart."""
    tied = np.flatnonzero(mean >= mean.max() - TIE)
    return int(rng.choice(tied))


def _draws(
    mean0: FloatArray,
    scores: FloatArray,
    trials: FloatArray,
    n0: float,
    draws: int,
    rng: np.random.Generator,
) -> FloatArray:
    """Return joint draws of the accuracies: independent Betas, or paired over prompts where all were run."""
    won = (np.where(np.isfinite(scores), scores, 0.0) * trials).sum(axis=0)
    n = trials.sum(axis=0)
    paired = len(scores) > 1 and bool(np.all(trials == 1.0))
    if not paired:
        return rng.beta(n0 * mean0 + won, n0 * (1 - mean0) + n - won, size=(draws, mean0.size))
    own = rng.beta(n0 * mean0, n0 * (1 - mean0), size=(draws, mean0.size))
    weights = rng.standard_gamma(1.0, size=(draws, len(scores)))
    weights /= weights.sum(axis=1, keepdims=True)
    part = rng.beta(n0, len(scores), size=(draws, 1))
    return np.asarray(part * own + (1 - part) * (weights @ scores))


def _refuse(predicted: FloatArray, scores: FloatArray) -> None:
    if scores.shape[1] != predicted.size:
        raise EvidenceError(
            f"posterior: labels of {scores.shape[1]} models but predictions of {predicted.size}, need the "
            "same. Give one column a model."
        )
    given = scores[np.isfinite(scores)]
    if given.size and (given.min() < 0 or given.max() > 1):
        wrong = given[(given < 0) | (given > 1)][0]
        raise EvidenceError(f"posterior: score={wrong:g}, must lie in [0, 1]. Divide by 100?")

"""From words about a task to models worth trying first, and whether words help at all.

A task is compared with the benchmarks by the words that describe them. Benchmarks weigh by similarity, and
each model's expected score is its mean over all benchmarks, moved towards its mean over the similar ones:

    expected = mean + w (mean over similar benchmarks − mean),   both centred over models.

w is learned by leaving one benchmark out at a time, and so is whether a choice other than the best on average
is sure enough. Each benchmark in turn then plays the new task, known by its words alone, to check all that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import EvidenceError, SettingError
from isoflop.findings import Estimate
from isoflop.routing.means import centred
from isoflop.routing.model import chosen
from isoflop.routing.shortlist.result import Check, Shortlist

if TYPE_CHECKING:
    from isoflop.evidence import Table
    from isoflop.routing.encoders import Encoder
    from isoflop.routing.shortlist.core import Core

FloatArray = NDArray[np.float64]
WIDTH = 0.1
"""Similarity over which a benchmark's weight falls by e: unlike benchmarks keep some weight."""
GRID = np.linspace(0.0, 1.0, 21)


def shortlist(
    core: Core,
    descriptions: Table,
    task: str | Sequence[str] | None = None,
    *,
    encoder: str | Encoder = "static",
    width: float = WIDTH,
    sure: float = 0.75,
    level: float = 0.95,
    reps: int = 2000,
    seed: int = 0,
) -> Shortlist:
    """Return models in the order in which to try them on a described task.

    Parameters
    ----------
    core : Core
        Published scores that can be compared.
    descriptions : Table
        Of schema ``benchmark_descriptions``.
    task : str or sequence of str, optional
        The task in words, or prompts of it. Without it the order is that of the means.
    encoder : str or Encoder
    width : float
        Similarity over which a benchmark's weight falls by e.
    sure : float, in (0, 1)
        One-sided level at which a gain over the best on average must have held on benchmarks left out.
    level, reps, seed
        Of the bootstrap over benchmarks.

    Returns
    -------
    Shortlist

    Raises
    ------
    EvidenceError
        A benchmark has no description, or the task no words.
    SettingError
        `width`, `sure` or `level` is out of range.

    Notes
    -----
    Source: ours, after the regularised choice of `isoflop.routing.selection`. A published score is one number
    a benchmark, so nothing here knows how easy the prompts of the task are.
    """
    for name, chance in (("sure", sure), ("level", level)):
        if not 0 < chance < 1:
            raise SettingError(f"shortlist: {name}={chance:g}, must lie in (0, 1). Did you mean 0.75?")
    if not width > 0:
        raise SettingError(f"shortlist: width={width:g}, must be above 0. Try {WIDTH:g}.")
    places = _vectors(core, descriptions, encoder)
    between = places @ places.T
    checks = tuple(_left_out(core, between, target, width, sure) for target in range(len(core.benchmarks)))
    fit = _fit(core.score, between, width)
    prior = core.score.mean(axis=0)
    base = chosen(prior, prior)
    similarity, expected, choice, abstained = None, prior, base, False
    if task is not None:
        similarity = places @ _direction(task, encoder)
        expected = _expected(core.score, _shares(similarity, width), fit.w)
        choice, abstained = fit.choose(expected, prior, sure)
    return Shortlist(
        core=core,
        task=None if task is None else task if isinstance(task, str) else " / ".join(task),
        similarity=similarity,
        share=None if similarity is None else _shares(similarity, width),
        nearest_between=float(np.max(between - 2 * np.eye(len(places)), axis=1).min()),
        expected=expected,
        prior=prior,
        w=fit.w,
        base=base,
        choice=choice,
        abstained=abstained,
        checks=checks,
        gain=_gain(checks, level, reps, seed),
        sure=sure,
        reps=reps,
        seed=seed,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Fit:
    """Weight of similarity, and by how much gains fell short of what was expected on benchmarks left out."""

    w: float
    shortfall: FloatArray

    def choose(self, expected: FloatArray, prior: FloatArray, sure: float) -> tuple[int, bool]:
        """Return the model to use, and whether a better-looking one was not sure enough."""
        from isoflop.routing.selection.conformal import half_width

        base, best = chosen(prior, prior), chosen(expected, prior)
        if best == base:
            return base, False
        missed = half_width(self.shortfall, sure)
        unsure = missed is None or expected[best] - expected[base] < missed
        return (base, True) if unsure else (best, False)


def _fit(score: FloatArray, between: FloatArray, width: float) -> _Fit:
    """Learn from benchmarks with scores (E, M) and similarities (E, E), each left out in turn."""
    tasks = score.shape[0]
    prior, similar = np.empty_like(score), np.empty_like(score)
    for task in range(tasks):
        others = np.delete(np.arange(tasks), task)
        prior[task] = score[others].mean(axis=0)
        similar[task] = _shares(between[task, others], width) @ score[others]
    towards, truth = centred(similar) - centred(prior), centred(score)
    error = np.stack([((centred(prior) + w * towards - truth) ** 2).mean(axis=1) for w in GRID], axis=1)
    apart = error - error[:, [int(np.argmin(error.mean(axis=0)))]]
    se = apart.std(axis=0, ddof=1) / np.sqrt(tasks)
    w = float(GRID[np.flatnonzero(apart.mean(axis=0) <= se)[0]])
    moved = prior + w * towards
    missed = []
    for task in range(tasks):
        base, best = chosen(prior[task], prior[task]), chosen(moved[task], prior[task])
        # A choice that stayed has no gain to fall short, and would make moving look safe.
        if best != base:
            missed.append(moved[task, best] - moved[task, base] - (score[task, best] - score[task, base]))
    return _Fit(w=w, shortfall=np.array(missed))


def _left_out(core: Core, between: FloatArray, target: int, width: float, sure: float) -> Check:
    """Return what would have been chosen for one benchmark from its words and the others' scores."""
    others = np.delete(np.arange(len(core.benchmarks)), target)
    score, truth = core.score[others], core.score[target]
    fit = _fit(score, between[np.ix_(others, others)], width)
    share = _shares(between[target, others], width)
    prior, expected = score.mean(axis=0), _expected(score, share, fit.w)
    choice, abstained = fit.choose(expected, prior, sure)
    base, best = chosen(prior, prior), chosen(expected, prior)
    near = int(others[np.argmax(share)])
    return Check(
        benchmark=core.benchmarks[target],
        nearest=core.benchmarks[near],
        w=fit.w,
        base=core.models[base],
        choice=core.models[choice],
        by_similarity=core.models[best],
        leader=core.models[int(np.argmax(truth))],
        abstained=abstained,
        base_score=float(truth[base]),
        choice_score=float(truth[choice]),
        similarity_score=float(truth[best]),
        leader_score=float(truth.max()),
        error_mean=float(np.sqrt(np.mean((centred(prior) - centred(truth)) ** 2))),
        error_similar=float(np.sqrt(np.mean((centred(expected) - centred(truth)) ** 2))),
    )


def _gain(checks: tuple[Check, ...], level: float, reps: int, seed: int) -> Estimate:
    from isoflop.stats.resample import replicate_weights

    gains = np.array([check.choice_score - check.base_score for check in checks])
    if all(check.choice == check.base for check in checks):
        # Draws of zeros would make an interval of no width, as if the gain were known exactly.
        return Estimate(value=0.0, unit="1")
    draws = replicate_weights(seed, gains.size, 0, reps) @ gains
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(value=float(gains.mean()), low=float(low), high=float(high), level=level, unit="1")


def _expected(score: FloatArray, share: FloatArray, w: float) -> FloatArray:
    prior = score.mean(axis=0)
    return np.asarray(prior + w * (centred(share @ score) - centred(prior)))


def _shares(similarity: FloatArray, width: float) -> FloatArray:
    weight = np.exp((similarity - similarity.max()) / width)
    return np.asarray(weight / weight.sum())


def _vectors(core: Core, descriptions: Table, encoder: str | Encoder) -> FloatArray:
    """Return one unit row a benchmark: the mean direction of its description and examples."""
    from isoflop.evidence.benchmark_descriptions import BETWEEN_EXAMPLES

    rows = {row["benchmark"]: row for row in descriptions.frame.iter_rows(named=True)}
    lacking = [name for name in core.benchmarks if name not in rows]
    if lacking:
        raise EvidenceError(
            f"shortlist: {descriptions.name} does not describe {', '.join(lacking)}. Add a row each, or "
            "leave them out with --benchmarks."
        )
    texts = [
        [rows[name]["description"], *(rows[name]["examples"] or "").split(BETWEEN_EXAMPLES)]
        for name in core.benchmarks
    ]
    return np.array([_direction([text for text in one if text.strip()], encoder) for one in texts])


def _direction(texts: str | Sequence[str], encoder: str | Encoder) -> FloatArray:
    from isoflop.routing.encoders import encode

    words = [texts] if isinstance(texts, str) else list(texts)
    if not words or not any(text.strip() for text in words):
        raise EvidenceError("shortlist: the task has no words, needs a description or prompts. Describe it.")
    mean = encode(words, encoder).vectors.mean(axis=0, dtype=np.float64)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-12))

"""How much of a strong model's lead can be had with part of its calls? The curve of a pair of models.

Prompts go to the strong model in the order of its predicted gain. The curve is the mean score over all
prompts against the share sent there; what the order is worth is the area under it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isoflop.errors import EvidenceError, SettingError, closest
from isoflop.findings import Estimate
from isoflop.routing.cost.measures import apgr, call_share

if TYPE_CHECKING:
    from isoflop.routing.sample import ScoredPrompts

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BINS = 10
PARTS = (0.2, 0.5, 0.8)
"""Parts of the gap whose calls are counted."""
GRID = 201
"""Thresholds, at equal shares of prompts, at which draws of the curve are taken."""
FEW_TASKS = 5
"""Fewer tasks say too little about others: then groups of like prompts are drawn instead."""

WILD = 1.5
"""Recovered shares this far beyond 0 and 1 come from a lead that some resamples turn round."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PairCurve:
    """One router's curve between two models.

    Parameters
    ----------
    weak, strong : str
    name : str
        Which prompts: "all", or the family of datasets.
    n, tasks : int
        Prompts and datasets.
    weak_score, strong_score : float
        Mean scores over the prompts.
    share, score : array, shape (k,)
        The whole curve: share of strong calls and mean score; ties in the predicted gain are one step.
    band_share, band_low, band_high : array, shape (g,)
        Pointwise interval of the curve's lead over chance, on top of the line of chance.
    oracle : array, shape (g,)
        Mean score at `band_share` if the gains were known: a bound, not a router.
    binned_share, binned_score : array, shape (b,)
        The curve at quantile bins of the predicted gain, as RouteLLM's code takes it.
    apgr, apgr_exact : Estimate
    cpt, cpt_exact : dict of float to Estimate
        Share of strong calls that recovers a part of the gap.
    unit : str
        What the bootstrap draws.
    level : float
    reps, seed : int
    cautions : tuple of str
    """

    weak: str
    strong: str
    name: str
    n: int
    tasks: int
    weak_score: float
    strong_score: float
    share: FloatArray
    score: FloatArray
    band_share: FloatArray
    band_low: FloatArray
    band_high: FloatArray
    oracle: FloatArray
    binned_share: FloatArray
    binned_score: FloatArray
    apgr: Estimate
    apgr_exact: Estimate
    cpt: dict[float, Estimate]
    cpt_exact: dict[float, Estimate]
    unit: str
    level: float
    reps: int
    seed: int
    cautions: tuple[str, ...]

    @property
    def is_resolved(self) -> bool:
        """Whether the strong model's lead is clear of zero: shares of one that is not run to any size."""
        low, high = self.apgr.low, self.apgr.high
        return low is None or high is None or -WILD < low <= high < 1 + WILD

    def row(self) -> dict[str, Any]:
        """Return the measures in one row."""
        found: dict[str, Any] = {
            "prompts_of": self.name,
            "weak": self.weak,
            "strong": self.strong,
            "n": self.n,
            "tasks": self.tasks,
            "weak_score": self.weak_score,
            "strong_score": self.strong_score,
        }
        for name, estimate in (("apgr", self.apgr), ("apgr_exact", self.apgr_exact)):
            found |= {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
        for part in PARTS:
            found[f"cpt_{part * 100:g}"] = self.cpt[part].value
            found[f"cpt_{part * 100:g}_exact"] = self.cpt_exact[part].value
        return found

    def curve_rows(self) -> list[dict[str, Any]]:
        """Return the curve on the grid of the band, with what chance and the oracle give."""
        mean = np.interp(self.band_share, self.share, self.score)
        chance = self.weak_score + self.band_share * (self.strong_score - self.weak_score)
        columns = (self.band_share, mean, self.band_low, self.band_high, chance, self.oracle)
        names = ("share_strong", "score", "low", "high", "random", "oracle")
        return [
            {"prompts_of": self.name, **dict(zip(names, map(float, cells), strict=True))}
            for cells in zip(*columns, strict=True)
        ]


def pair_curve(
    scored: ScoredPrompts,
    predicted: ArrayLike,
    *,
    weak: str | None = None,
    strong: str | None = None,
    keep: NDArray[np.bool_] | None = None,
    name: str = "all",
    bins: int = BINS,
    level: float = 0.95,
    reps: int = 2000,
    seed: int = 0,
) -> PairCurve:
    """Return the curve of one router between two models, with its measures.

    Parameters
    ----------
    scored : ScoredPrompts
    predicted : array, shape (n, M) or (n,)
        Predicted scores of the models, or the predicted gain of the strong model over the weak one.
    weak, strong : str, optional
        Default where there are two models: by their mean scores.
    keep : array of bool, shape (n,), optional
        Prompts that count; default all on which both models have a score.
    name : str
        What those prompts are called.
    bins : int
        Quantile bins of the public definition.
    level, reps, seed
        Of the bootstrap over tasks, or over groups of like prompts where there are fewer than five tasks.

    Returns
    -------
    PairCurve

    Raises
    ------
    EvidenceError
        A model is not there, or the two are one.
    SettingError
        More than two models and none named, or `predicted` of another shape.

    Notes
    -----
    The mean is over prompts (micro), as in RouteLLM's code, not over tasks. Source: lm-sys/RouteLLM. The
    thresholds are fixed: an interval speaks of other tasks like these, not of another fit of the predictor.
    """
    low, high = _places(scored, weak, strong)
    gain = _gain(scored, np.asarray(predicted, dtype=np.float64), low, high)
    both = np.isfinite(scored.score[:, [low, high]]).all(axis=1) & np.isfinite(gain)
    rows = np.flatnonzero(both if keep is None else both & keep)
    if not rows.size:
        raise EvidenceError(f"pair_curve: no prompt of {name!r} has scores of both models. Check the filter.")
    guess, base = gain[rows], scored.score[rows, low]
    lead = scored.score[rows, high] - base
    codes, unit = _units(scored, rows)
    share, score = _steps(guess, base, lead)
    edges = np.unique(np.quantile(guess, np.linspace(0, 1, bins + 1)))
    binned = _Sums.of(guess, base, lead, codes, np.append(edges[:-1], np.nextafter(edges[-1], np.inf)))
    fine = _Sums.of(guess, base, lead, codes, _fine(guess))
    weights = _weights(int(codes.max()) + 1, reps, seed)
    whole = np.ones((1, weights.shape[1]))
    grid = np.linspace(0, 1, 51)
    order = np.sort(lead)[::-1]
    ends = np.concatenate(([0.0], np.cumsum(order))) / rows.size
    bands = _band(fine, weights, grid, level)
    chance = base.mean() + grid * lead.mean()
    found = PairCurve(
        weak=scored.models[low],
        strong=scored.models[high],
        name=name,
        n=rows.size,
        tasks=int(np.unique(scored.dataset[rows]).size),
        weak_score=float(base.mean()),
        strong_score=float((base + lead).mean()),
        share=share,
        score=score,
        band_share=grid,
        band_low=chance + bands[0],
        band_high=chance + bands[1],
        oracle=base.mean() + np.interp(grid, np.linspace(0, 1, rows.size + 1), ends),
        binned_share=binned.curve(whole)[0][0],
        binned_score=binned.curve(whole)[1][0],
        apgr=_estimate(binned.apgr(whole)[0], binned.apgr(weights), level),
        apgr_exact=_estimate(
            apgr(share, score, float(base.mean()), float((base + lead).mean())), fine.apgr(weights), level
        ),
        cpt={
            p: _estimate(binned.calls(whole, p, True)[0], binned.calls(weights, p, True), level)
            for p in PARTS
        },
        cpt_exact={
            p: _estimate(
                call_share(share, score, float(base.mean()), float((base + lead).mean()), p),
                fine.calls(weights, p, False),
                level,
            )
            for p in PARTS
        },
        unit=unit,
        level=level,
        reps=reps,
        seed=seed,
        cautions=_cautions(edges.size - 1, bins, unit, scored, rows),
    )
    if found.is_resolved:
        return found
    doubt = (
        f"The lead of {found.strong} over {found.weak} is not clear of zero, so shares of it mean little. "
        "More prompts, or a pair that lies further apart, cure it."
    )
    return replace(found, cautions=(*found.cautions, doubt))


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """Per drawn unit and threshold: prompts sent to the strong model and what they gain.

    `calls_` and `gains` have shape (u, k), thresholds descending so that shares ascend.
    """

    calls_: FloatArray
    gains: FloatArray
    size: FloatArray
    base: FloatArray

    @classmethod
    def of(
        cls, guess: FloatArray, base: FloatArray, lead: FloatArray, codes: IntArray, thresholds: FloatArray
    ) -> _Sums:
        units, k = int(codes.max()) + 1, thresholds.size
        # A prompt counts at every threshold up to its own predicted gain.
        passed = np.searchsorted(thresholds, guess, side="right")
        flat = codes * (k + 1) + passed
        count = np.bincount(flat, minlength=units * (k + 1)).reshape(units, k + 1)
        gain = np.bincount(flat, lead, minlength=units * (k + 1)).reshape(units, k + 1)
        return cls(
            np.cumsum(count[:, :0:-1], axis=1).astype(np.float64),
            np.cumsum(gain[:, :0:-1], axis=1),
            np.bincount(codes, minlength=units).astype(np.float64),
            np.bincount(codes, base, minlength=units).astype(np.float64),
        )

    def curve(self, weights: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Return share (r, k), score (r, k), and the weak and strong model's scores (r,)."""
        size = weights @ self.size
        base = weights @ self.base / size
        gain = weights @ self.gains / size[:, None]
        return weights @ self.calls_ / size[:, None], base[:, None] + gain, base, base + gain[:, -1]

    def apgr(self, weights: FloatArray) -> FloatArray:
        share, score, weak, strong = self.curve(weights)
        area = np.sum(np.diff(share) * (score[:, 1:] + score[:, :-1]), axis=1) / 2
        span, gap = share[:, -1] - share[:, 0], strong - weak
        out = np.full(area.shape, np.nan)
        usable = (gap != 0) & (span > 0)
        return np.asarray(np.divide(area - weak * span, gap * span, out=out, where=usable))

    def calls(self, weights: FloatArray, part: float, public: bool) -> FloatArray:
        share, score, weak, strong = self.curve(weights)
        return np.array(
            [
                call_share(x, y, a, b, part, compat="routellm" if public else None)
                for x, y, a, b in zip(share, score, weak, strong, strict=True)
            ]
        )


def _places(scored: ScoredPrompts, weak: str | None, strong: str | None) -> tuple[int, int]:
    names = scored.models
    if weak is None and strong is None and len(names) == 2:
        first, second = np.nanmean(scored.score, axis=0)
        return (0, 1) if first <= second else (1, 0)
    if weak is None or strong is None:
        raise SettingError(
            f"pair_curve: {len(names)} models, needs two. Name the weak and the strong one, two of "
            f"{', '.join(names[:6])}{' …' if len(names) > 6 else ''}."
        )
    for name in (weak, strong):
        if name not in names:
            near = closest(name, names)
            raise EvidenceError(
                f"pair_curve: model {name!r} has no scores; "
                f"{f'closest is {near!r}' if near else f'there are {len(names)} others'}. Check the name."
            )
    if weak == strong:
        raise EvidenceError(f"pair_curve: {weak!r} twice, needs two models. Name another.")
    return names.index(weak), names.index(strong)


def _gain(scored: ScoredPrompts, predicted: FloatArray, low: int, high: int) -> FloatArray:
    if predicted.shape == (scored.n,):
        return predicted
    if predicted.shape == scored.score.shape:
        return predicted[:, high] - predicted[:, low]
    raise SettingError(
        f"pair_curve: predicted {predicted.shape}, needs ({scored.n},) or {scored.score.shape}. Give one "
        "row a prompt."
    )


def _units(scored: ScoredPrompts, rows: IntArray) -> tuple[IntArray, str]:
    tasks, codes = np.unique(scored.dataset[rows], return_inverse=True)
    if tasks.size >= FEW_TASKS:
        return codes, "tasks"
    return np.unique(scored.group[rows], return_inverse=True)[1], "groups of like prompts"


def _weights(units: int, reps: int, seed: int) -> FloatArray:
    from isoflop.stats.resample import replicate_weights

    return np.asarray(replicate_weights(seed, units, 0, reps) * units)


def _steps(guess: FloatArray, base: FloatArray, lead: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the whole curve: one point a distinct predicted gain, and the start."""
    order = np.argsort(-guess, kind="stable")
    last = np.append(np.flatnonzero(np.diff(guess[order])), guess.size - 1)
    gained = np.cumsum(lead[order])[last]
    share = np.concatenate(([0.0], (last + 1) / guess.size))
    return share, base.mean() + np.concatenate(([0.0], gained)) / guess.size


def _fine(guess: FloatArray) -> FloatArray:
    edges = np.unique(np.quantile(guess, np.linspace(0, 1, GRID)))
    return np.append(edges, np.nextafter(edges[-1], np.inf))


def _band(sums: _Sums, weights: FloatArray, grid: FloatArray, level: float) -> tuple[FloatArray, FloatArray]:
    """Return quantiles of the curve's lead over chance, drawn together: levels of tasks cancel."""
    share, score, weak, strong = sums.curve(weights)
    drawn = np.array([np.interp(grid, x, y) for x, y in zip(share, score, strict=True)])
    drawn -= weak[:, None] + grid * (strong - weak)[:, None]
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high


def _estimate(value: float, draws: FloatArray, level: float) -> Estimate:
    finite = draws[np.isfinite(draws)]
    value = float(value)
    # A share of calls that some draws never reach has no upper end that these draws could show.
    if not np.isfinite(value) or finite.size < 0.99 * draws.size:
        return Estimate(value=value, unit="1")
    low, high = np.quantile(finite, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(value=value, low=float(low), high=float(high), level=level, unit="1")


def _cautions(found: int, bins: int, unit: str, scored: ScoredPrompts, rows: IntArray) -> tuple[str, ...]:
    said = []
    if found < bins:
        said.append(
            f"Ties in the predicted gain leave {found} of {bins} bins; the public code stops there. The "
            "exact measures need no bins."
        )
    if unit != "tasks":
        count = int(np.unique(scored.dataset[rows]).size)
        said.append(
            f"{count} {'task' if count == 1 else 'tasks'}: the interval draws groups of like prompts and "
            "says nothing about other tasks. Results on five or more tasks cure it."
        )
    return tuple(said)

"""How many times more compute would the older recipe need, at each scale?

    gain(C; Ya → Yb) = C'/C, where C' solves  best(C', Ya) = best(C, Yb)

and best(C, Y) is the loss that a recipe of year Y reaches with C = 6·N·D FLOP under a constraint on
how C is split. For laws with constant rates the compute-optimal gain is exp(G·(Yb − Ya)) at every C:
an assumption of the law, not a finding. It moves with C under laws 14 and 15, between classes, and
where the split is constrained. A floor common to both dates cancels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from isoflop.errors import NotIdentifiedError, SettingError
from isoflop.progress.gains.gain_curve import CLASS_WORDS, BasinGain, Class, GainCurve, band
from isoflop.progress.gains.recipe import EXISTS, NO_OPTIMUM, UNREACHABLE, Codes, Constraint, Recipe, Sizing
from isoflop.progress.rates import rate, require_time
from isoflop.progress.result import ProgressFit
from isoflop.stats.exp_sum import Array
from isoflop.units import FLOP_PER_PARAMETER_TOKEN

DEFAULT_TRAIN_FLOP = tuple(float(c) for c in np.logspace(16.0, 26.0, 81))


def gain(
    fit: ProgressFit,
    *,
    from_year: float,
    to_year: float,
    train_flop: ArrayLike = DEFAULT_TRAIN_FLOP,
    constraint: Constraint = "compute_optimal",
    ratio: float | None = None,
    data: float | None = None,
    benchmark: str | None = None,
    classes: tuple[Class, Class] = ("transformer", "transformer"),
) -> GainCurve:
    """Return how many times more compute the recipe of `from_year` needs than that of `to_year`.

    Parameters
    ----------
    fit : ProgressFit
    from_year, to_year : float
        Fractional years; equal ones compare classes at one date.
    train_flop : float or array, shape (m,), > 0
        Compute C of the newer recipe, FLOP.
    constraint : {"compute_optimal", "fixed_ratio", "fixed_data"}
        How compute is split: freely; with D/N = `ratio`; with D = `data`.
    ratio, data : float, optional
        Needed by the constraint of that name, refused elsewhere.
    benchmark : str, optional
        Default: the base benchmark.
    classes : pair of {"transformer", "other"}
        Class of the older and of the newer recipe; they differ only under laws 13 and 17 and with a
        transformer shift.

    Returns
    -------
    GainCurve
        Where the older recipe cannot reach the loss the gain is missing and says why; it is never a bound.

    Raises
    ------
    NotIdentifiedError
        The law has no time term and the classes are equal, or does not tell classes apart.
    SettingError
        A setting is out of range.

    Notes
    -----
    Bands are percentiles of every draw that was kept. Compute-optimal draws whose exponents are not
    positive have no optimum; under laws with constant rates they enter as exp(G·Δ), as in the rate.
    """
    flop = np.atleast_1d(np.asarray(train_flop, float)).copy()
    if flop.ndim != 1 or flop.size == 0 or not np.all(np.isfinite(flop) & (flop > 0)):
        raise SettingError(
            f"gain: train_flop={train_flop!r}, needs positive numbers of FLOP. Pass 1e24, say."
        )
    for name, year in (("from_year", from_year), ("to_year", to_year)):
        if not 1900.0 <= year <= 2200.0:
            raise SettingError(f"gain: {name}={year}, must lie in [1900, 2200]. Write a year such as 2012.")
    sizing = Sizing(constraint=constraint, ratio=ratio, data=data)
    _check_classes(fit, classes)
    asked = _Question(fit, from_year, to_year, sizing, fit._benchmark(benchmark), classes)
    points = np.array([basin.theta for basin in fit.minima])
    log_gain, codes = asked.log_gain(points, flop)
    draws = None
    missing = np.zeros(len(flop))
    low = high = np.full(len(flop), np.nan)
    if fit.draws is not None and fit.ci is not None:
        draws, draw_codes = asked.log_gain(fit.draws.theta, flop)
        missing = np.isnan(draws).mean(axis=0)
        draws = np.where(draw_codes == UNREACHABLE, np.inf, draws)
        low, high = band(draws, fit.ci.level)
    exists = codes[0] == EXISTS
    computed = FLOP_PER_PARAMETER_TOKEN * fit.sample.features.parameters * fit.sample.features.data
    beyond = np.maximum(np.log10(flop / computed.max()), np.log10(computed.min() / flop))
    return GainCurve(
        fit=fit,
        train_flop=flop,
        log_gain=np.where(exists, log_gain[0], np.nan),
        low=np.where(exists, low, np.nan),
        high=np.where(exists, high, np.nan),
        codes=codes[0],
        missing_draws=missing,
        decades_beyond=np.maximum(beyond, 0.0),
        basins=tuple(_basin(fit, k, log_gain[k], draws) for k in range(len(points))),
        draws=draws,
        from_year=from_year,
        to_year=to_year,
        sizing=sizing,
        benchmark=fit.sample.benchmarks[asked.benchmark],
        classes=classes,
    )


@dataclass(frozen=True, slots=True)
class _Question:
    fit: ProgressFit
    from_year: float
    to_year: float
    sizing: Sizing
    benchmark: int
    classes: tuple[Class, Class]

    def recipe(self, theta: Array, which: Literal[0, 1]) -> Recipe:
        return Recipe.of(
            self.fit.model,
            theta,
            year=(self.from_year, self.to_year)[which],
            benchmark=self.benchmark,
            is_transformer=self.classes[which] == "transformer",
        )

    def log_gain(self, theta: Array, flop: Array) -> tuple[Array, Codes]:
        """Return ln(C'/C) of parameter vectors (B, p) on a grid (m,), and the codes, (B, m)."""
        size = np.log(flop / FLOP_PER_PARAMETER_TOKEN)
        reached, newer = self.recipe(theta, 1).log_loss(size, self.sizing)
        needed, older = self.recipe(theta, 0).log_size_for(reached, self.sizing)
        codes = np.where(newer == EXISTS, older, newer)
        log_gain = np.where(codes == EXISTS, needed - size, np.nan)
        law = self.fit.model.law
        if (
            self.sizing.constraint == "compute_optimal"
            and law.rates_are_constant
            and self.classes[0] == self.classes[1]
        ):
            # split_year makes rates differ between dates, so the limit is taken only without it
            limit = self._limit(theta)[:, None] if self.fit.model.options.split_year is None else np.nan
            bare = codes == NO_OPTIMUM
            log_gain = np.where(bare, limit, log_gain)
            codes = np.where(bare & np.isfinite(limit), EXISTS, codes)
        return log_gain, codes

    def _limit(self, theta: Array) -> Array:
        growth = rate(
            self.fit.model,
            theta,
            benchmark=self.benchmark,
            is_transformer=self.classes[0] == "transformer",
            year=self.from_year,
        )
        with np.errstate(invalid="ignore"):
            return growth * (self.to_year - self.from_year)


def _basin(fit: ProgressFit, k: int, log_gain: Array, draws: Array | None) -> BasinGain:
    blank = np.full(len(log_gain), np.nan)
    if draws is None or fit.draws is None or fit.ci is None or k >= len(fit.draws.by_basin):
        return BasinGain(log_gain=log_gain, low=blank, high=blank, share_of_draws=None)
    low, high = band(draws[fit.draws.basin == k], fit.ci.level)
    return BasinGain(log_gain=log_gain, low=low, high=high, share_of_draws=fit.basin_shares[k])


def _check_classes(fit: ProgressFit, classes: tuple[Class, Class]) -> None:
    if len(classes) != 2 or not set(classes) <= set(CLASS_WORDS):
        raise SettingError(f"gain: classes={classes!r}, needs two of 'transformer' and 'other'. Older first.")
    if classes[0] == classes[1]:
        require_time(fit.model.law)
    elif not (fit.model.law.by_class or fit.model.options.transformer_shift):
        raise NotIdentifiedError(
            f"gain: law {fit.model.law.number} does not tell transformers from other systems. "
            "Use law 13 or 17, or transformer_gain."
        )

"""Which part of the progress between two systems came from compute, which from algorithms?

Move from the start to the end one player at a time, in every order, and average what each player
changed: the Shapley value of parameters N, data D, the year in the first term (parameter
efficiency) and the year in the second (data efficiency). Laws by class add the class; law 18 has one
year. Compute is N + D, algorithms are the rest. Shares are fractions of the total change of the
value; they sum to 1, and one is negative where its player made things worse.

A law that ties both years to one rate, or multiplies both terms by a common factor, gives each year
player that rate in its own term.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import NotIdentifiedError, SettingError
from isoflop.progress.gains.decomposition import BasinShares, Decomposition
from isoflop.progress.gains.gain_curve import band
from isoflop.progress.gains.recipe import Recipe
from isoflop.progress.gains.systems import System, find_system
from isoflop.progress.model import Features
from isoflop.progress.result import ProgressFit
from isoflop.stats.exp_sum import Array
from isoflop.stats.shapley import coalitions, shapley

Value = Literal["loss", "ln_loss", "effective_compute"]


def decompose(
    fit: ProgressFit,
    start: str | System,
    end: str | System,
    *,
    value: Value = "loss",
    benchmark: str | None = None,
) -> Decomposition:
    """Share out the change between two systems by exact Shapley values.

    Parameters
    ----------
    fit : ProgressFit
    start, end : str or System
        A name of `SYSTEMS` (RNN, LSTM, GPT-3, ...), ``N:D:date`` such as ``70B:1.4T:2022-03-29``, or a
        `System`.
    value : {"loss", "ln_loss", "effective_compute"}
        What is shared out: the predicted loss, as published; its logarithm; or ln(N_eff·D_eff), where
        N_eff and D_eff are the sizes that a recipe of the start's date and class would need for the
        same two terms. Under constant rates the last is growth accounting: ln of the compute ratio,
        plus G times the years.
    benchmark : str, optional
        Whose constants are used for both systems; default: the base benchmark.

    Returns
    -------
    Decomposition
        Shares at the best minimum, intervals from every draw that was kept, and each minimum apart.

    Raises
    ------
    SettingError
        A system or setting cannot be read.
    NotIdentifiedError
        The law knows no algorithms (law 16), nothing changes between the systems, or an effective
        compute does not exist at the best minimum.

    Notes
    -----
    Dates enter in tropical years, as in the published analysis.
    Source: Ho et al. (2024), decomposition; we differ in: intervals, both minima, other values.
    """
    first, last = find_system(start, where="decompose: start"), find_system(end, where="decompose: end")
    if value not in get_args(Value):
        raise SettingError(f"decompose: value={value!r}, must be one of {', '.join(get_args(Value))}.")
    if fit.sample.task != "language" and (isinstance(start, str) or isinstance(end, str)):
        named = [s for s in (start, end) if isinstance(s, str) and ":" not in s]
        if named:
            raise SettingError(
                f"decompose: {named[0]!r} is a language model, and the fit is of images. Write N:images:date."
            )
    game = _Game(fit, first, last, value, fit._benchmark(benchmark))
    points = np.array([basin.theta for basin in fit.minima])
    contributions, shares = game.shares(points)
    if not np.isfinite(shares[:, 0]).all():
        raise NotIdentifiedError(_why_not(game, first, last))
    size, level = len(game.players), None
    low = high = compute_low = compute_high = None
    draws = np.empty((size, 0))
    failed, reversed_share = 0, 0.0
    if fit.draws is not None and fit.ci is not None:
        level = fit.ci.level
        changes, draws = game.shares(fit.draws.theta)
        kept = np.isfinite(draws).all(axis=0)
        failed = int((~kept).sum())
        total = changes[:, kept].sum(axis=0)
        reversed_share = float(np.mean(np.sign(total) != np.sign(contributions[:, 0].sum())))
        low, high = band(draws.T, level)
        (compute_low,), (compute_high,) = band(draws[:2].sum(axis=0)[:, None], level)
    return Decomposition(
        fit=fit,
        start=first,
        end=last,
        value=value,
        benchmark=fit.sample.benchmarks[game.benchmark],
        players=game.players,
        shares=shares[:, 0],
        contributions=contributions[:, 0],
        low=low,
        high=high,
        compute_low=compute_low,
        compute_high=compute_high,
        level=level,
        draws=draws,
        failed_draws=failed,
        reversed_draws=reversed_share,
        basins=tuple(_basin(fit, k, shares[:, k], draws) for k in range(len(points))),
    )


def decompose_pairs(
    fit: ProgressFit,
    pairs: Sequence[tuple[str | System, str | System]],
    *,
    value: Value = "loss",
    benchmark: str | None = None,
) -> tuple[Decomposition, ...]:
    """Return one decomposition per pair; the first keeps the headline id, the others are qualified."""
    found = [decompose(fit, a, b, value=value, benchmark=benchmark) for a, b in pairs]
    return tuple(d if i == 0 else replace(d, is_headline=False) for i, d in enumerate(found))


class _Game:
    """The game whose players carry one system into the other."""

    def __init__(self, fit: ProgressFit, start: System, end: System, value: Value, benchmark: int) -> None:
        law = fit.model.law
        self.fit, self.start, self.end, self.value, self.benchmark = fit, start, end, value, benchmark
        self.by_class = law.by_class or fit.model.options.transformer_shift
        if not (law.has_time or self.by_class):
            raise NotIdentifiedError(
                f"decompose: law {law.number} ({law.text}) knows sizes only, so compute gets every change "
                "by assumption. Use law 7."
            )
        years = ("year",) if law.second is None else ("param_year", "data_year")
        self.players = ("params", "data", *years, *(("class",) if self.by_class else ()))

    def shares(self, theta: Array) -> tuple[Array, Array]:
        """Return contributions and shares, shape (players, B), of parameter vectors (B, p).

        NaN where the value of a coalition does not exist or nothing changes.
        """
        members = coalitions(len(self.players))
        worth = self._worth(theta, members)
        usable = np.isfinite(worth).all(axis=0)
        contributions = np.full((len(self.players), len(theta)), np.nan)
        if usable.any():
            contributions[:, usable] = shapley(lambda _: worth[:, usable], len(self.players))
        total = contributions.sum(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            return contributions, np.where(total == 0, np.nan, contributions / total)

    def _worth(self, theta: Array, members: NDArray[np.bool_]) -> Array:
        """Return the value of each coalition, shape (2^players, B)."""
        pick = {
            name: np.where(members[:, i], b, a)
            for i, name in enumerate(self.players)
            for a, b in [_ends(name, self.start, self.end)]
        }
        years = [pick["year"]] if "year" in pick else [pick["param_year"], pick["data_year"]]
        is_transformer = pick.get("class", np.full(len(members), self.start.is_transformer)) > 0
        exponents, outside = [], np.zeros((len(members), len(theta)))
        for k, year in enumerate(years):
            rows = Features.of(
                parameters=pick["params"],
                data=pick["data"],
                year=year,
                benchmark=self.benchmark,
                log_vocabulary=self._log_vocabulary(),
            )
            design = self.fit.model.design(replace(rows, is_transformer=is_transformer))
            exponents.append(design.terms[k] @ theta.T)
            if design.linear is not None:
                outside = design.linear @ theta.T
        with np.errstate(over="ignore", invalid="ignore"):
            if self.value == "effective_compute":
                return self._log_effective_compute(theta, exponents)
            loss = np.asarray(np.exp(exponents).sum(axis=0) + outside)
            if self.value == "loss":
                return loss
            return np.log(np.where(loss > 0, loss, np.nan))

    def _log_effective_compute(self, theta: Array, exponents: list[Array]) -> Array:
        """Return ln(N_eff·D_eff): sizes with which the start's recipe would have these terms."""
        recipe = Recipe.of(
            self.fit.model,
            theta,
            year=self.start.year,
            benchmark=self.benchmark,
            is_transformer=self.start.is_transformer,
        )
        total = np.zeros_like(exponents[0])
        pairs = ((recipe.first, recipe.p), (recipe.second, recipe.q))
        for exponent, (level, slope) in zip(exponents, pairs, strict=False):
            assert level is not None
            assert slope is not None
            total = total + np.where(slope > 0, (level - exponent) / np.where(slope > 0, slope, 1.0), np.nan)
        return total

    def _log_vocabulary(self) -> float:
        features = self.fit.sample.features
        known = features.log_vocabulary[features.benchmark == self.benchmark]
        return float(np.nanmedian(known)) if np.isfinite(known).any() else 0.0


def _ends(player: str, start: System, end: System) -> tuple[float, float]:
    if player in ("year", "param_year", "data_year"):
        return start.year, end.year
    if player == "class":
        return float(start.is_transformer), float(end.is_transformer)
    return (start.parameters, end.parameters) if player == "params" else (start.data, end.data)


def _basin(fit: ProgressFit, k: int, shares: Array, draws: Array) -> BasinShares:
    low = high = compute = None
    share = None
    if fit.draws is not None and fit.ci is not None and k < len(fit.draws.by_basin):
        mine = draws[:, fit.draws.basin == k].T
        low, high = band(mine, fit.ci.level)
        (compute_low,), (compute_high,) = band(mine[:, :2].sum(axis=1)[:, None], fit.ci.level)
        compute, share = (float(compute_low), float(compute_high)), fit.basin_shares[k]
    return BasinShares(shares=shares, low=low, high=high, compute_interval=compute, share_of_draws=share)


def _why_not(game: _Game, start: System, end: System) -> str:
    if game.value == "effective_compute":
        return (
            "decompose: at the best minimum an exponent on size is not positive, so effective "
            "size means nothing. Use value='loss'."
        )
    return (
        f"decompose: the predicted loss does not change from {start.name} to {end.name}: nothing to "
        "share out. Choose systems that differ."
    )

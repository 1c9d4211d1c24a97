"""A fitted law and what can be asked of it: rates, halving times, predictions, findings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import EvidenceError, NotIdentifiedError, closest
from isoflop.findings import Estimate, Finding, Provenance, json_ready
from isoflop.present.notebook import result_html
from isoflop.progress.halving import (
    HUGE_RATE,
    MONTHS_AT_UNIT_RATE,
    halving_months,
    halving_time,
    months_text,
    rate_between,
)
from isoflop.progress.model import Features, Model
from isoflop.progress.rates import rate
from isoflop.progress.sample import Sample
from isoflop.progress.settings import L1
from isoflop.stats.exp_sum import Array
from isoflop.stats.resample import Bootstrap
from isoflop.units import fractional_year

if TYPE_CHECKING:
    import datetime as dt

    import polars as pl

    from isoflop.progress.uncertainty.rate_curve import RateProfile
    from isoflop.stats.multistart import Minimum

TWO_BASINS_OBJECTIVE, TWO_BASINS_TIME = 2e-3, 0.25
"""Two minima count as rivals if their objectives are this near and halving times this far apart."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Basin:
    """One minimum of the full sample (under ``compat="paper"``: the point where SLSQP stopped).

    Parameters
    ----------
    theta : array, shape (p,)
    objective : float
        Penalised mean squared error.
    kkt : float
        Certificate: at most 1e-8 for a minimum.
    share_of_starts : float
        Share of starts that ended here.
    from_zero : bool
        Whether the start at zero ended here.
    """

    theta: Array
    objective: float
    kkt: float
    share_of_starts: float
    from_zero: bool

    @classmethod
    def of(cls, found: Minimum) -> Basin:
        """Return a certified minimum as a basin; start 0 is the one at zero."""
        return cls(
            theta=found.theta,
            objective=found.objective,
            kkt=found.kkt,
            share_of_starts=found.share_of_starts,
            from_zero=found.first_start == 0,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Draws:
    """Refits of replicates: theta (R, p), basin (R,), by_basin (K, R, p), objective (R,)."""

    theta: Array
    basin: NDArray[np.int64]
    by_basin: Array
    objective: Array


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ProgressFit:
    """A law fitted to a sample, with every minimum and its draws.

    The headline is the base benchmark and, for laws by class, the transformer class.
    """

    sample: Sample
    model: Model
    penalty: L1
    minima: tuple[Basin, ...]
    draws: Draws | None
    jackknife: Array | None
    standard_errors: tuple[float, Array] | None = None
    """Sandwich errors of G at the best minimum and at every draw, for studentised intervals."""
    profile: RateProfile | None = None
    """Profile of the rate, where that was asked for instead of draws."""
    ci: Bootstrap | None
    compat: str
    seed: int
    starts: int

    @property
    def theta(self) -> Array:
        """Parameters of the best minimum, shape (p,)."""
        return self.minima[0].theta

    @property
    def objective(self) -> float:
        """Penalised mean squared error at the best minimum."""
        return self.minima[0].objective

    @property
    def certificate(self) -> float:
        """KKT residual at the best minimum."""
        return self.minima[0].kkt

    @property
    def parameters(self) -> dict[str, Estimate]:
        """Every parameter with its interval from the draws."""
        low = high = [None] * len(self.theta)
        level = None
        if self.draws is not None and self.ci is not None:
            level = self.ci.level
            low, high = np.nanquantile(self.draws.theta, _tails(level), axis=0).tolist()
        return {
            name: Estimate(value=float(v), low=a, high=b, level=level, unit="1")
            for name, v, a, b in zip(self.model.names, self.theta, low, high, strict=True)
        }

    @cached_property
    def rate_draws(self) -> Array:
        """G of every draw, shape (R,); infinite rates are kept as such, failed draws as NaN."""
        if self.draws is None:
            return np.empty(0)
        return rate(self.model, self.draws.theta)

    @cached_property
    def rate(self) -> Estimate:
        """G, growth of effective compute at fixed hardware, ln/yr."""
        return self.rate_for()

    @cached_property
    def halving_time(self) -> Estimate:
        """Halving time of the compute needed, months; its interval is the rate's, inverted."""
        if self.compat == "paper":
            return self._published_halving_time()
        return halving_time(self.rate)

    def rate_for(self, *, benchmark: str | None = None, is_transformer: bool = True) -> Estimate:
        """Return G for one benchmark or class; they differ only under some laws.

        Raises
        ------
        EvidenceError
            The benchmark is not in the sample.
        NotIdentifiedError
            The law has no time term.
        """
        at = self._benchmark(benchmark)
        point = float(rate(self.model, self.theta, benchmark=at, is_transformer=is_transformer))
        if self.profile is not None:  # its laws have one rate for all benchmarks and classes
            return replace(self.profile.rate, value=point)
        if self.draws is None or self.ci is None:
            return Estimate(value=point, unit="ln/yr")
        headline = at == 0 and is_transformer

        def rates(theta: Array) -> Array:
            return rate(self.model, theta, benchmark=at, is_transformer=is_transformer)

        draws = self.rate_draws if headline else rates(self.draws.theta)
        jackknife = None if self.jackknife is None else rates(self.jackknife)
        low, high = self._interval(draws, point, jackknife, headline=headline)
        return rate_between(point, low, high, self.ci.level)

    def _interval(
        self, draws: Array, point: float, jackknife: Array | None, *, headline: bool
    ) -> tuple[float, float]:
        from isoflop.stats.draws import draw_interval

        assert self.ci is not None
        ordered = np.clip(draws[~np.isnan(draws)], -HUGE_RATE, HUGE_RATE)
        setting, se, draw_ses = self.ci, None, None
        if setting.kind == "studentised" and not headline:
            setting = replace(setting, kind="percentile")  # standard errors are the headline's
        elif setting.kind == "studentised" and self.standard_errors is not None:
            se, draw_ses = self.standard_errors
        # only standard errors can still be missing; cautions count them
        found = draw_interval(
            setting, ordered, point=point, jackknife=jackknife, se=se, draw_ses=draw_ses, on_failed="count"
        )
        return found.low, found.high

    def _published_halving_time(self) -> Estimate:
        if self.draws is None or self.ci is None:
            point = halving_months(float(rate(self.model, self.theta)))
            return Estimate(value=point, unit="months")
        months = MONTHS_AT_UNIT_RATE / self.rate_draws
        tails = _tails(self.ci.level)
        low, middle, high = np.quantile(months, [tails[0], 0.5, tails[1]])
        return Estimate(
            value=float(middle), low=float(low), high=float(high), level=self.ci.level, unit="months"
        )

    def basin_rates(self) -> list[float]:
        """Return G of every minimum, best first."""
        return [float(rate(self.model, basin.theta)) for basin in self.minima]

    def basin_halving_times(self) -> list[float | None]:
        """Return the halving time in months of every minimum, best first; None where it has none."""
        return [halving_months(g) for g in self.basin_rates()]

    @property
    def basin_shares(self) -> list[float]:
        """Share of draws whose best refit lies in each minimum's basin."""
        if self.draws is None:
            return []
        kept = self.draws.basin[self.draws.basin >= 0]
        return [float(np.mean(kept == k)) for k in range(len(self.draws.by_basin))]

    def predict(
        self,
        parameters: float | Array,
        data: float | Array,
        date: float | dt.date | Array,
        *,
        benchmark: str | None = None,
        is_transformer: bool = True,
        epochs: float = 1.0,
        vocabulary_size: float | None = None,
    ) -> Array:
        """Return the predicted outcome (nats per token; the image outcome as fitted).

        Parameters
        ----------
        parameters, data : float or array
            N and unique tokens (images).
        date : date, fractional year or array of years
        benchmark : str, optional
            Default: the base benchmark.
        """
        year = date if isinstance(date, (int, float, np.ndarray)) else fractional_year(date)
        if vocabulary_size is None:
            known = self.sample.features.log_vocabulary[
                self.sample.features.benchmark == self._benchmark(benchmark)
            ]
            log_vocabulary = float(np.nanmedian(known)) if np.isfinite(known).any() else 0.0
        else:
            log_vocabulary = float(np.log(vocabulary_size))
        rows = Features.of(
            parameters=parameters,
            data=data,
            year=year,
            benchmark=self._benchmark(benchmark),
            is_transformer=is_transformer,
            epochs=epochs,
            log_vocabulary=log_vocabulary,
        )
        return self.model.design(rows).predict(self.theta)

    def fitted(self) -> Array:
        """Return the predicted outcome of every row of the sample, shape (n,)."""
        return self.model.design(self.sample.features).predict(self.theta)

    def _benchmark(self, name: str | None) -> int:
        if name is None:
            return 0
        if name not in self.sample.benchmarks:
            near = closest(name, self.sample.benchmarks)
            raise EvidenceError(
                f"benchmark: {name!r}, must be one of {', '.join(self.sample.benchmarks)}."
                + (f" Did you mean {near!r}?" if near else " Choose one of these.")
            )
        return self.sample.benchmarks.index(name)

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the fit."""
        return self.sample.provenance

    @property
    def has_two_basins(self) -> bool:
        """Whether a second minimum fits almost as well and tells another story."""
        try:
            times = self.basin_halving_times()
        except NotIdentifiedError:
            return False
        return any(
            basin.objective - self.objective <= TWO_BASINS_OBJECTIVE and tells_another_story(time, times[0])
            for basin, time in zip(self.minima[1:], times[1:], strict=True)
        )

    @cached_property
    def cautions(self) -> tuple[str, ...]:
        """What limits the rate, each with what would cure it."""
        from isoflop.progress.fit_findings import fit_cautions

        said = [*fit_cautions(self)]
        if self.profile is not None:
            said += self.profile.doubts
        if self.standard_errors is not None:
            lost = int(np.isnan(self.standard_errors[1]).sum())
            if lost:
                said.append(
                    f"{lost} draws have no standard error of the rate and are left out of the studentised "
                    "interval: compare it with kind='percentile'."
                )
        return (*said, *self.sample.cautions)

    @property
    def method(self) -> str:
        """One line: law, loss, penalty, interval."""
        how = "SLSQP as published, not converged" if self.compat == "paper" else "certified optimum"
        mask = "" if self.penalty.mask is None else " on slopes"
        interval = "no interval" if self.profile is None else self.profile.method_of_interval
        if self.ci is not None:
            unit = "row" if self.compat == "paper" else self.ci.by
            interval = f"{self.ci.reps} {unit} resamples, {self.ci.kind}"
        return (
            f"law {self.model.law.number}, squared loss, L1 {self.penalty.delta:g}{mask}, {how}; {interval}"
        )

    def findings(self) -> tuple[Finding, ...]:
        """Return the rate and the halving time, and one of each for further benchmarks or classes."""
        from isoflop.progress.fit_findings import fit_findings

        return fit_findings(self)

    def frame(self) -> pl.DataFrame:
        """Return one row per parameter: name, value, low, high, and its value at every minimum."""
        import polars as pl

        estimates = self.parameters
        columns: dict[str, Any] = {
            "parameter": list(estimates),
            "value": [e.value for e in estimates.values()],
            "low": [e.low for e in estimates.values()],
            "high": [e.high for e in estimates.values()],
        }
        for k, basin in enumerate(self.minima):
            columns[f"minimum_{k + 1}"] = basin.theta
        return pl.DataFrame(columns)

    def to_dict(self) -> dict[str, Any]:
        """Return findings and parameters, JSON-ready."""
        return {
            "findings": [f.to_dict() for f in self.findings()],
            "parameters": json_ready(self.frame().to_dicts()),
        }

    def summary(self) -> str:
        """Return the answer, the minima and the cautions on one screen."""
        from isoflop.present import formats

        lines = [
            f"{self.sample.table.name}: {self.sample.n} rows of {self.sample.papers} papers; {self.method}"
        ]
        timed = self.model.law.has_time
        lines += [f"  {f.label}: {formats.finding(f)}" for f in self.findings()] if timed else []
        times = self.basin_halving_times() if timed else [None] * len(self.minima)
        for k, (basin, months) in enumerate(zip(self.minima, times, strict=True), start=1):
            lines.append(
                f"  minimum {k}: {months_text(months, 2)}, objective {basin.objective:.7f}, "
                f"KKT {basin.kkt:.1e}, {basin.share_of_starts:.0%} of starts"
            )
        return "\n".join([*lines, *(f"  caution: {c}" for c in self.cautions)])

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html


def tells_another_story(months: float | None, best: float | None) -> bool:
    """Return whether a halving time differs from the best minimum's by more than `TWO_BASINS_TIME`.

    None stands for no halving time: a rate that is not above 0, or without bound.

    Examples
    --------
    >>> tells_another_story(16.0, 6.1), tells_another_story(6.5, 6.1), tells_another_story(6.1, None)
    (True, False, True)
    """
    if months is None or best is None:
        return months is not best
    return abs(months - best) > TWO_BASINS_TIME * abs(best)


def _tails(level: float) -> list[float]:
    return [(1 - level) / 2, (1 + level) / 2]

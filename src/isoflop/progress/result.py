"""A fitted law and what can be asked of it: rates, halving times, predictions, findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import EvidenceError, NotIdentifiedError, closest
from isoflop.findings import Estimate, Finding, Provenance, equal_probability_quantiles, json_ready
from isoflop.progress.model import Features, Model
from isoflop.progress.rates import numeric_doubling_years, rate, term_rates
from isoflop.progress.sample import Sample
from isoflop.progress.settings import L1
from isoflop.stats.exp_sum import Array
from isoflop.stats.resample import Bootstrap
from isoflop.units import MONTHS_PER_YEAR, fractional_year, halving_time_months, multiple_per_year

if TYPE_CHECKING:
    import datetime as dt

    import polars as pl

LN2 = float(np.log(2.0))
TWO_BASINS_OBJECTIVE, TWO_BASINS_TIME = 2e-3, 0.25
"""Two minima count as rivals if their objectives are this near and halving times this far apart."""
FEW_DRAWS = 1000
HUGE_RATE = 1e6
"""Stands for an infinite rate among draws: ordered beyond every finite one, shown as open."""


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
        return invert(self.rate)

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
        if self.draws is None or self.ci is None:
            return Estimate(value=point, unit="ln/yr")
        if at == 0 and is_transformer:
            draws = self.rate_draws
        else:
            draws = rate(self.model, self.draws.theta, benchmark=at, is_transformer=is_transformer)
        low, high = self._interval(draws, point)
        kind = "closed"
        if abs(low) >= HUGE_RATE or abs(high) >= HUGE_RATE:
            kind = "open_above" if abs(low) < HUGE_RATE else "open_below"
        return Estimate(
            value=point,
            low=None if abs(low) >= HUGE_RATE else low,
            high=None if abs(high) >= HUGE_RATE else high,
            level=self.ci.level,
            unit="ln/yr",
            interval=kind,  # type: ignore[arg-type]
        )

    def _interval(self, draws: Array, point: float) -> tuple[float, float]:
        from isoflop.stats.draws import draw_interval

        assert self.ci is not None
        ordered = np.clip(draws[~np.isnan(draws)], -HUGE_RATE, HUGE_RATE)
        extra: dict[str, Any] = {}
        if self.ci.kind == "bca":
            assert self.jackknife is not None
            extra["jackknife"] = rate(self.model, self.jackknife)
        if self.ci.kind == "studentised":
            from isoflop.progress.sandwich import rate_standard_errors

            extra["se"], extra["draw_ses"] = rate_standard_errors(self)
        found = draw_interval(self.ci, ordered, point=point, **extra)
        return found.low, found.high

    def _published_halving_time(self) -> Estimate:
        point = float(halving_time_months(float(rate(self.model, self.theta))))
        if self.draws is None or self.ci is None:
            return Estimate(value=point, unit="months")
        months = MONTHS_PER_YEAR * LN2 / self.rate_draws
        tails = _tails(self.ci.level)
        low, middle, high = np.quantile(months, [tails[0], 0.5, tails[1]])
        return Estimate(
            value=float(middle), low=float(low), high=float(high), level=self.ci.level, unit="months"
        )

    def basin_rates(self) -> list[float]:
        """Return G of every minimum, best first."""
        return [float(rate(self.model, basin.theta)) for basin in self.minima]

    def basin_halving_times(self) -> list[float]:
        """Return the halving time in months of every minimum, best first."""
        return [_months(g) for g in self.basin_rates()]

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
            basin.objective - self.objective <= TWO_BASINS_OBJECTIVE
            and abs(time / times[0] - 1.0) > TWO_BASINS_TIME
            for basin, time in zip(self.minima[1:], times[1:], strict=True)
        )

    @cached_property
    def cautions(self) -> tuple[str, ...]:
        """What limits the rate, each with what would cure it."""
        return (*_fit_cautions(self), *self.sample.cautions)

    @property
    def method(self) -> str:
        """One line: law, loss, penalty, interval."""
        how = "SLSQP as published, not converged" if self.compat == "paper" else "certified optimum"
        mask = "" if self.penalty.mask is None else " on slopes"
        interval = "no interval"
        if self.ci is not None:
            unit = "row" if self.compat == "paper" else self.ci.by
            interval = f"{self.ci.reps} {unit} resamples, {self.ci.kind}"
        return (
            f"law {self.model.law.number}, squared loss, L1 {self.penalty.delta:g}{mask}, {how}; {interval}"
        )

    def findings(self) -> tuple[Finding, ...]:
        """Return the rate and the halving time, and one of each for further benchmarks or classes."""
        rate_details: dict[str, Any] = {
            "multiple_per_year": multiple_per_year(self._rate_value()),
            "terms": term_rates(self.model, self.theta).tolist()
            if self.model.law.rates_are_constant
            else None,
            **self._shares(),
        }
        time_details: dict[str, Any] = {
            "objective": self.objective,
            "certificate": self.certificate,
            "certified": self.certificate <= 1e-8,
            "minima": self._minima(),
            "law": self.model.law.number,
            "delta": self.penalty.delta,
            **self._shares(),
        }
        if self.compat == "paper":
            time_details["point"] = _months(self._rate_value())
        if self.model.law.rates_are_constant:
            time_details["numeric"] = MONTHS_PER_YEAR * float(numeric_doubling_years(self.model, self.theta))
        if self.draws is not None:
            finite = self.rate_draws[np.isfinite(self.rate_draws)]
            rate_details["draws"] = equal_probability_quantiles(finite)
            with np.errstate(divide="ignore"):
                time_details["draws"] = equal_probability_quantiles(MONTHS_PER_YEAR * LN2 / finite)
        found = [
            self._finding(
                "rate_per_year", "growth of effective compute from algorithms", self._rate(), rate_details
            ),
            self._finding(
                "halving_time_months", "halving time of the compute needed", self.halving_time, time_details
            ),
        ]
        for qualifier, benchmark, is_transformer in self._variants():
            estimate = self.rate_for(benchmark=benchmark, is_transformer=is_transformer)
            found.append(self._finding(f"rate_per_year.{qualifier}", f"growth, {qualifier}", estimate, {}))
            found.append(
                self._finding(
                    f"halving_time_months.{qualifier}", f"halving time, {qualifier}", invert(estimate), {}
                )
            )
        return tuple(found)

    def _rate(self) -> Estimate:
        if self.compat == "paper" and self.draws is not None and self.ci is not None:
            low, high = np.quantile(self.rate_draws, _tails(self.ci.level))
            return Estimate(
                value=self._rate_value(), low=float(low), high=float(high), level=self.ci.level, unit="ln/yr"
            )
        return self.rate

    def _rate_value(self) -> float:
        return float(rate(self.model, self.theta))

    def _variants(self) -> list[tuple[str, str | None, bool]]:
        law = self.model.law
        by_benchmark = "benchmark" in (law.first.year, law.first.size) or (
            law.second is not None and "benchmark" in (law.second.year, law.second.size)
        )
        variants: list[tuple[str, str | None, bool]] = []
        if by_benchmark:
            variants += [(name.lower(), name, True) for name in self.sample.benchmarks[1:]]
        if law.by_class:
            variants.append(("not_transformer", None, False))
        return variants

    def _shares(self) -> dict[str, Any]:
        if self.draws is None or self.compat == "paper":
            return {}
        rates, theta = self.rate_draws, self.draws.theta
        known = ~np.isnan(rates)
        sizes = [self.model.index(n) for n in ("alpha_param", "beta_data") if n in self.model.names]
        return {
            "basin_shares": self.basin_shares,
            "share_no_progress": float(np.mean(rates[known] <= 0)),
            "share_exponent_not_positive": float(np.mean((theta[known][:, sizes] <= 0).any(axis=1)))
            if sizes
            else None,
            "failed_draws": int((~known).sum()),
        }

    def _minima(self) -> list[dict[str, Any]]:
        rates = self.basin_rates()
        return [
            {
                "halving_time_months": _months(g),
                "rate_per_year": g,
                "objective": basin.objective,
                "objective_above_best": basin.objective - self.objective,
                "kkt": basin.kkt,
                "share_of_starts": basin.share_of_starts,
                "from_zero_start": basin.from_zero,
                "theta": dict(zip(self.model.names, basin.theta.tolist(), strict=True)),
            }
            for g, basin in zip(rates, self.minima, strict=True)
        ]

    def _finding(self, name: str, label: str, estimate: Estimate, details: Mapping[str, Any]) -> Finding:
        return Finding(
            id=f"progress.{name}",
            instrument="progress",
            label=label,
            estimate=estimate,
            method=self.method,
            n=self.sample.n,
            evidence=self.provenance,
            seed=self.seed,
            cautions=self.cautions,
            details=json_ready(details),
        )

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
        lines += [f"  {f.label}: {formats.finding(f)}" for f in self.findings()]
        for k, row in enumerate(self._minima()):
            lines.append(
                f"  minimum {k + 1}: {row['halving_time_months']:.2f} months, "
                f"objective {row['objective']:.7f}, KKT {row['kkt']:.1e}, "
                f"{row['share_of_starts']:.0%} of starts"
            )
        return "\n".join([*lines, *(f"  caution: {c}" for c in self.cautions)])

    def __repr__(self) -> str:
        return self.summary()


def invert(rate_estimate: Estimate) -> Estimate:
    """Return the halving time in months of a rate in ln/yr, with the set that its interval maps to.

    A rate whose interval contains zero gives "at least x months, no progress not excluded", or
    two pieces.
    """
    from isoflop.stats.intervals import reciprocal

    value = None if rate_estimate.value is None else _months(rate_estimate.value)
    if rate_estimate.level is None:
        return Estimate(value=value, unit="months")
    found = reciprocal(rate_estimate.low, rate_estimate.high, MONTHS_PER_YEAR * LN2)
    kind = "open_above" if found.kind == "everything" else found.kind
    return Estimate(
        value=value, low=found.low, high=found.high, level=rate_estimate.level, unit="months", interval=kind
    )


def _months(g: float) -> float:
    return float(halving_time_months(g)) if g != 0 else float("inf")


def _tails(level: float) -> list[float]:
    return [(1 - level) / 2, (1 + level) / 2]


def _fit_cautions(fitted: ProgressFit) -> list[str]:
    said = []
    if fitted.compat == "paper":
        said.append(
            "the published procedure stops above the optimum "
            f"(KKT residual {fitted.certificate:.1e}): compare it with --compat converged."
        )
    elif fitted.has_two_basins:
        times = fitted.basin_halving_times()
        near = [
            f"{time:.1f} months (objective +{basin.objective - fitted.objective:.1e})"
            for basin, time in zip(fitted.minima[1:], times[1:], strict=True)
            if basin.objective - fitted.objective <= TWO_BASINS_OBJECTIVE
        ]
        said.append(
            f"two explanations fit almost equally: {times[0]:.1f} months, and {', '.join(near)}. "
            "More rows, or a reason for one of them, would decide."
        )
    if fitted.compat != "paper":
        pinned = [n for n, v in zip(fitted.model.names, fitted.theta, strict=True) if v == 0.0]
        if pinned:
            said.append(
                f"the penalty pins {', '.join(pinned)} at exactly 0: the fit depends on the penalty "
                "(isoflop progress sweep --over penalty)."
            )
    if fitted.ci is not None and fitted.draws is not None:
        low, high = fitted._rate().low, fitted._rate().high
        if fitted.compat != "paper" and ((low or 0.0) <= 0.0 or high is None):
            said.append(
                "the interval of the rate reaches zero: no progress is not excluded on this evidence."
            )
        if fitted.ci.reps < FEW_DRAWS:
            said.append(
                f"{fitted.ci.reps} draws; below {FEW_DRAWS} the ends of the interval move from seed to seed."
            )
        if fitted.ci.by == "row" or fitted.compat == "paper":
            said.append(
                "rows were resampled, not papers: rows of one paper are alike, so the interval is too narrow."
            )
        if (
            fitted.compat != "paper"
            and min(fitted.basin_shares[:2] or [1.0]) >= 0.05
            and len(fitted.minima) > 1
        ):
            shares = ", ".join(f"{s:.0%}" for s in fitted.basin_shares)
            said.append(
                f"the draws fall into several basins ({shares}): the interval spans two explanations."
            )
    if fitted.sample.task == "language":
        said.append("data means unique tokens, not tokens times epochs.")
    return said

"""What the halving time must beat: Moore's doubling, and cheaper hardware.

The rate of algorithmic progress G is the yearly growth (ln/yr) of effective compute at fixed
hardware. Its naive baselines are growth rates in the same unit: ln2/2 for a doubling every 24
months, and the slope of ln(FLOP/s per dollar) of accelerators on their release date.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from isoflop.errors import EvidenceError
from isoflop.findings import Estimate, Finding, Provenance, equal_probability_quantiles
from isoflop.progress.halving import halving_time
from isoflop.stats.checks import BoolArray, FloatArray
from isoflop.stats.draws import percentile_interval
from isoflop.stats.regression import LinearFit, linear_regression, running_maximum
from isoflop.stats.resample import Bootstrap
from isoflop.units import rate_from_halving_time

if TYPE_CHECKING:
    import polars as pl

    from isoflop.evidence import Table
    from isoflop.progress.result import ProgressFit

MOORE_MONTHS = 24.0
"""Doubling time that the paper's abstract compares with."""
MOORE_RATE = rate_from_halving_time(MOORE_MONTHS)
PRECISION = "FP32"
"""The one number format that every card of the table states."""
FEWEST_CARDS = 5
_HUGE = 1e9
"""Stands for an infinite ratio among draws; shown as an open end."""
CARDS = Bootstrap(reps=2000, by="row", seed=0)
_RECORDS = "cards that set a record, all cards resampled"
Scope = Literal["frontier", "all_cards"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HardwareTrend:
    """Growth of FLOP/s per dollar of accelerators.

    Parameters
    ----------
    scope : {"frontier", "all_cards"}
        Cards that set a record of FLOP/s per dollar at their release, or every card.
    rate : Estimate
        Slope of ln(FLOP/s per dollar) on the release date, ln/yr; cards resampled.
    regression : LinearFit
        Ordinary least squares with HC3 covariance; its columns are 1 and year − `centre`.
    draws : array, shape (R,)
        Slopes on resampled cards; the frontier is found anew in each.
    centre : float
        Mean release date, fractional year.
    n, makers : int
        Cards in the regression and companies among them.
    """

    scope: Scope
    rate: Estimate
    regression: LinearFit
    draws: FloatArray
    centre: float
    n: int
    makers: int

    @property
    def hc3(self) -> tuple[float, float]:
        """Interval of the slope from the HC3 covariance, by Student's t."""
        low, high = self.regression.interval(self.rate.level or 0.95)
        return float(low[1]), float(high[1])

    def at(self, year: float) -> float:
        """Return FLOP/s per dollar on the fitted line."""
        constant, slope = self.regression.coefficients
        return math.exp(constant + slope * (year - self.centre))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Baselines:
    """A fitted rate beside Moore's doubling and hardware price-performance.

    Parameters
    ----------
    fitted : ProgressFit
    frontier, all_cards : HardwareTrend
        The frontier is the headline: what a buyer of compute could get at each date.
    cards : polars.DataFrame
        hardware, maker, year, price_usd, flop_per_s_per_usd, is_record.
    """

    fitted: ProgressFit
    frontier: HardwareTrend
    all_cards: HardwareTrend
    cards: pl.DataFrame
    table: Table

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the hardware rates."""
        return (self.table.provenance(self.cards.height),)

    @property
    def cautions(self) -> tuple[str, ...]:
        """What limits the hardware rates, each with what would cure it."""
        dearest = self.cards.filter("is_record")["price_usd"].to_numpy().max()
        secondary = self.table.frame.filter(self.table.frame["verified"] == "secondary").height
        return (
            "hardware prices mix launch prices of consumer cards with list prices and shares of server "
            "prices of data-centre parts, not adjusted for inflation: prices of one kind would cure it.",
            f"hardware facts are hand-picked ({secondary} of {self.table.frame.height} seen in another text "
            "than their source): no sample of the market.",
            f"the {self.frontier.n} record cards cost at most {dearest:,.0f} USD; over all "
            f"{self.all_cards.n} cards at {PRECISION} the rate is {self.all_cards.rate.value:.2f} ln/yr, "
            "where dearer server parts are mixed in: compare cards of one kind.",
        )

    def ratio_to_moore(self) -> Estimate:
        """Return G over ln2/2, with the interval of G."""
        return self.fitted.rate.map(lambda g: g / MOORE_RATE, unit="×")

    def ratio_to_hardware(self) -> Estimate:
        """Return G over the frontier's rate; both are resampled, independently."""
        value = _divided(self.fitted.rate.value, self.frontier.rate.value)
        draws = self._ratio_draws()
        if not draws.size or self.fitted.ci is None:
            return Estimate(value=value, unit="×")
        # Rates without bound (a size exponent near 0) have ratios without bound.
        capped = np.clip(draws, -_HUGE, _HUGE)
        found = percentile_interval(capped, self.fitted.ci.level)
        high = None if found.high >= _HUGE else found.high
        low = None if found.low <= -_HUGE else found.low
        return Estimate(
            value=value,
            low=low,
            high=high,
            level=found.level,
            unit="×",
            interval="open_below" if low is None else "open_above" if high is None else "closed",
        )

    def _ratio_draws(self) -> FloatArray:
        rates = self.fitted.rate_draws
        rates = rates[~np.isnan(rates)]
        slopes = self.frontier.draws[self.frontier.draws > 0]
        return rates / np.resize(slopes, rates.size) if slopes.size else np.empty(0)

    def findings(self) -> tuple[Finding, ...]:
        """Return hardware growth, its doubling time, and the two ratios."""
        fitted, everything = self.fitted, self.all_cards
        hardware: dict[str, Any] = {
            "evidence": self.provenance,
            "seed": CARDS.seed,
            "cautions": self.cautions,
        }
        return (
            _finding(
                "ratio_to_moore",
                "algorithmic progress over Moore's doubling",
                self.ratio_to_moore(),
                f"rate over ln2/2 (a doubling in {MOORE_MONTHS:g} months); {fitted.method}",
                fitted.sample.n,
                evidence=fitted.provenance,
                seed=fitted.seed,
                cautions=fitted.cautions,
                details={"moore_rate_per_year": MOORE_RATE},
            ),
            _finding(
                "ratio_to_hardware",
                "algorithmic progress over cheaper hardware",
                self.ratio_to_hardware(),
                f"rate over growth of FLOP/s per dollar, both resampled; {fitted.method}",
                fitted.sample.n,
                evidence=(*fitted.provenance, *self.provenance),
                seed=fitted.seed,
                cautions=(*fitted.cautions, *self.cautions),
            ),
            _finding(
                "hardware_rate_per_year",
                "growth of FLOP/s per dollar",
                self.frontier.rate,
                f"least squares of ln(FLOP/s per dollar) on release date, {PRECISION}, {_RECORDS}",
                self.frontier.n,
                details={
                    "draws": equal_probability_quantiles(self.frontier.draws),
                    "hc3_interval": self.frontier.hc3,
                    "makers": self.frontier.makers,
                },
                **hardware,
            ),
            _finding(
                "hardware_doubling_months",
                "doubling time of FLOP/s per dollar",
                halving_time(self.frontier.rate),
                f"12 ln2 over the growth of FLOP/s per dollar, {PRECISION}, {_RECORDS}",
                self.frontier.n,
                **hardware,
            ),
            _finding(
                "hardware_rate_per_year.all_cards",
                "growth of FLOP/s per dollar, all cards",
                everything.rate,
                f"least squares of ln(FLOP/s per dollar) on release date, {PRECISION}, all cards resampled",
                everything.n,
                details={"hc3_interval": everything.hc3, "makers": everything.makers},
                **hardware,
            ),
        )


def baselines(fitted: ProgressFit, hardware: Table, *, ci: Bootstrap = CARDS) -> Baselines:
    """Put a fitted rate beside Moore's doubling and the growth of hardware price-performance.

    Parameters
    ----------
    fitted : ProgressFit
    hardware : Table
        Schema ``hardware``, e.g. the shipped ``hardware_facts``.
    ci : Bootstrap
        Resampling of cards.

    Raises
    ------
    EvidenceError
        Not a table of hardware, or too few cards of the one number format.
    """
    import polars as pl

    if hardware.schema != "hardware":
        raise EvidenceError(
            f"baselines: {hardware.name} is a table of {hardware.schema}, needs hardware. Load "
            "'hardware_facts'."
        )
    cards = (
        hardware.frame.filter(pl.col("precision") == PRECISION)
        .drop_nulls("year")
        .sort("year", "hardware")
        .select("hardware", "maker", "year", "price_usd", "flop_per_s_per_usd")
    )
    year = cards["year"].to_numpy()
    gain = np.log(cards["flop_per_s_per_usd"].to_numpy())
    record = _records(year, gain) if cards.height else np.zeros(0, bool)
    if record.sum() < FEWEST_CARDS:
        raise EvidenceError(
            f"baselines: {cards.height} cards at {PRECISION}, {int(record.sum())} of them records, needs at "
            f"least {FEWEST_CARDS} records. Add cards with price, speed and release date."
        )
    everything = np.ones(cards.height, bool)
    trends: dict[Scope, HardwareTrend] = {}
    weights = ci.weights(cards.height)
    scopes: tuple[tuple[Scope, BoolArray], ...] = (("frontier", record), ("all_cards", everything))
    for scope, kept in scopes:
        draws = np.array([_slope_of(scope, year, gain, w) for w in weights])
        draws = draws[np.isfinite(draws)]
        centre = float(year[kept].mean())
        found = linear_regression(np.column_stack([np.ones(kept.sum()), year[kept] - centre]), gain[kept])
        ends = percentile_interval(draws, ci.level)
        trends[scope] = HardwareTrend(
            scope=scope,
            rate=Estimate(
                value=float(found.coefficients[1]), low=ends.low, high=ends.high, level=ci.level, unit="ln/yr"
            ),
            regression=found,
            draws=draws,
            centre=centre,
            n=int(kept.sum()),
            makers=cards.filter(pl.Series(kept))["maker"].n_unique(),
        )
    return Baselines(
        fitted=fitted,
        frontier=trends["frontier"],
        all_cards=trends["all_cards"],
        cards=cards.with_columns(is_record=pl.Series(record)),
        table=hardware,
    )


def _records(year: FloatArray, gain: FloatArray) -> BoolArray:
    return np.asarray(gain >= running_maximum(year, gain), bool)


def _slope_of(scope: Scope, year: FloatArray, gain: FloatArray, weights: FloatArray) -> float:
    """Return the slope on one resample; a record counts once however often it was drawn."""
    here = weights > 0
    x, y, w = year[here], gain[here], weights[here]
    if scope == "frontier":
        best = _records(x, y)
        x, y, w = x[best], y[best], np.ones(int(best.sum()))
    middle = np.average(x, weights=w)
    spread = float(w @ (x - middle) ** 2)
    return float(w @ ((x - middle) * y)) / spread if spread > 0 else math.nan


def _divided(above: float | None, below: float | None) -> float | None:
    return above / below if above is not None and below else None


def _finding(name: str, label: str, estimate: Estimate, method: str, n: int, **rest: Any) -> Finding:
    return Finding(
        id=f"progress.{name}",
        instrument="progress",
        label=label,
        estimate=estimate,
        method=method,
        n=n,
        **rest,
    )

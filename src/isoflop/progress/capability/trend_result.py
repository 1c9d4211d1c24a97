"""What a capability index says about progress, by each way of pricing compute in it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from isoflop.findings import Estimate, Finding, Provenance, equal_probability_quantiles, json_ready
from isoflop.present.notebook import result_html
from isoflop.progress.capability.trend_fit import FloatArray
from isoflop.progress.halving import LARGEST_RATE, halving_time, yearly_multiple
from isoflop.stats.draws import draw_interval
from isoflop.stats.resample import Bootstrap

if TYPE_CHECKING:
    import polars as pl

Slope = Literal["common", "family", "joint"]

REFERENCE_FLOP = 1e24
"""Compute at which models are compared in the picture; another only shifts the axis."""

PUBLISHED = (
    {
        "method": "common",
        "multiple": 3.15,
        "low": 1.10,
        "high": 9.00,
        "note": "k .2148; also printed 1.23 to 8.04",
    },
    {"method": "family", "multiple": 5.84, "low": 3.95, "high": 8.64, "note": "k fixed in the interval"},
    {"method": "frontier", "multiple": 9.49, "low": 6.76, "high": 13.3, "note": "k fixed in the interval"},
    {"method": "joint", "multiple": 16.0, "low": None, "high": None, "note": "from the printed coefficients"},
)
"""Printed for 68 models of 2023-02 to 2025-09; their compute table is not public with the code."""
PUBLISHED_SOURCE = "epoch-research/benchmark-stitching, stored notebook outputs"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MethodTrend:
    """One way to price compute, and the progress that follows.

    Parameters
    ----------
    method : {"common", "family", "joint", "frontier"}
    points_per_decade : Estimate
        k: index points per factor of ten of compute.
    points_per_year : Estimate
        ḣ: index points a year at fixed compute.
    rate : Estimate
        ln(10)·ḣ/k, growth of effective compute in ln/yr; no value where k is not separated from 0.
    multiple, halving_time : Estimate
        The rate as ×/yr and as months.
    n : int
        Models in the regression on time.
    rate_draws : array, shape (reps,)
    share_k_not_positive, share_no_progress : float or None
        Of draws with k <= 0, and with a rate <= 0.
    """

    method: str
    points_per_decade: Estimate
    points_per_year: Estimate
    rate: Estimate
    multiple: Estimate
    halving_time: Estimate
    n: int
    rate_draws: FloatArray
    share_k_not_positive: float | None
    share_no_progress: float | None


def method_trend(
    method: str,
    k: FloatArray,
    gain: FloatArray,
    *,
    ci: Bootstrap | None,
    jackknife: tuple[FloatArray, FloatArray] | None,
    n: int,
) -> MethodTrend:
    """Return a method's estimates from (k, ḣ): the point first, then the draws.

    The interval of the ratio is that of its draws, as long as the draws of k stay above 0 at the
    interval's level. Where they do not, the ratio has no closed interval and gets no value.
    """
    ratio = math.log(10.0) * np.divide(gain, k, out=np.full_like(gain, np.nan), where=k != 0)
    aside: tuple[FloatArray | None, FloatArray | None, FloatArray | None] = (None, None, None)
    if jackknife is not None:
        aside = (jackknife[0], jackknife[1], math.log(10.0) * jackknife[1] / jackknife[0])

    def estimate(values: FloatArray, unit: str, left_out: FloatArray | None) -> Estimate:
        point = float(values[0])
        if ci is None:
            return Estimate(value=point, unit=unit)
        found = draw_interval(ci, values[1:], point=point, jackknife=left_out, on_failed="count")
        return Estimate(value=point, low=found.low, high=found.high, level=ci.level, unit=unit)

    no_k = None if ci is None else float(np.mean(~(k[1:] > 0)))
    separated = k[0] > 0 and (ci is None or (no_k or 0.0) <= (1 - ci.level) / 2)
    rate = estimate(ratio, "ln/yr", aside[2]) if separated else Estimate(value=None, unit="ln/yr")
    return MethodTrend(
        method=method,
        points_per_decade=estimate(k, "index points per factor of ten", aside[0]),
        points_per_year=estimate(gain, "index points/yr", aside[1]),
        rate=rate,
        multiple=yearly_multiple(rate),
        halving_time=halving_time(rate),
        n=n,
        rate_draws=ratio[1:],
        share_k_not_positive=no_k,
        share_no_progress=None if ci is None else float(np.mean(~(ratio[1:] > 0))),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CapabilityTrend:
    """Progress seen by a capability index, method by method.

    Parameters
    ----------
    slope : {"common", "family", "joint"}
        The headline method; the frontier uses its k.
    methods : tuple of MethodTrend
    models : polars.DataFrame
        One row per model: date, index, FLOP, family, `index_at_equal_flop` (h, at `REFERENCE_FLOP`),
        `is_frontier`.
    families : polars.DataFrame
        Families behind the within-family k, each with a slope of its own.
    correlation : float
        Of log10 FLOP and release date.
    rate_by_half : tuple of float
        The headline's rate (ln/yr) in the earlier and the later half of the models; NaN where k is
        not positive there.
    n_rows : int
        Rows of the table with both index and FLOP.
    """

    slope: Slope
    methods: tuple[MethodTrend, ...]
    models: pl.DataFrame
    families: pl.DataFrame
    correlation: float
    rate_by_half: tuple[float, float]
    n_rows: int
    ci: Bootstrap | None
    cautions: tuple[str, ...]
    provenance: tuple[Provenance, ...]

    def __getitem__(self, method: str) -> MethodTrend:
        return {m.method: m for m in self.methods}[method]

    def with_cautions(self, cautions: tuple[str, ...]) -> CapabilityTrend:
        """Return the same result with these cautions."""
        return replace(self, cautions=cautions)

    def frame(self) -> pl.DataFrame:
        """Return one row per method."""
        import polars as pl

        rows = []
        for m in self.methods:
            row: dict[str, Any] = {"method": m.method, "is_headline": m.method == self.slope, "n": m.n}
            for name in ("points_per_decade", "points_per_year", "rate", "multiple", "halving_time"):
                given: Estimate = getattr(m, name)
                unit = {"rate": "_ln_per_year", "multiple": "_per_year", "halving_time": "_months"}.get(
                    name, ""
                )
                row |= {f"{name}{unit}": given.value, f"{name}_low": given.low, f"{name}_high": given.high}
            rows.append(
                row
                | {"share_no_progress": m.share_no_progress, "share_k_not_positive": m.share_k_not_positive}
            )
        return pl.DataFrame(rows, infer_schema_length=None)

    def published_frame(self) -> pl.DataFrame:
        """Return our multiples beside the published ones, which rest on other models."""
        import polars as pl

        ours = {m.method: m.multiple for m in self.methods}
        rows = [{"source": "published", **row} for row in PUBLISHED]
        rows += [
            {
                "source": "this evidence",
                "method": name,
                "multiple": e.value,
                "low": e.low,
                "high": e.high,
                "note": "",
            }
            for name, e in ours.items()
        ]
        return pl.DataFrame(rows, infer_schema_length=None)

    def findings(self) -> tuple[Finding, ...]:
        """Return the yearly multiple and the halving time, the headline first, and k."""
        found = []
        order = sorted(self.methods, key=lambda m: m.method != self.slope)
        for m in order:
            tail = "" if m.method == self.slope else f".{m.method}"
            found.append(self._finding(f"progress.capability_multiple_per_year{tail}", m, m.multiple))
            found.append(self._finding(f"progress.capability_halving_time_months{tail}", m, m.halving_time))
        headline = self[self.slope]
        k = self._finding("progress.capability_points_per_decade", headline, headline.points_per_decade)
        return (*found, k)

    def _finding(self, name: str, m: MethodTrend, estimate: Estimate) -> Finding:
        what = {
            "progress.capability_multiple_per_year": "Yearly multiple of effective compute, capability index",
            "progress.capability_halving_time_months": "Halving time of compute at fixed capability",
            "progress.capability_points_per_decade": "Index points per factor of ten of compute",
        }[".".join(name.split(".")[:2])]
        draws: dict[str, Any] = {}
        if self.ci is not None and estimate is m.multiple and estimate.value is not None:
            rates = equal_probability_quantiles(m.rate_draws)
            draws = {"draws": [math.exp(r) for r in rates if r < LARGEST_RATE]}
        shown = next((row for row in PUBLISHED if row["method"] == m.method), None)
        return Finding(
            id=name,
            instrument="progress",
            label=f"{what} ({m.method})",
            estimate=estimate,
            method=_METHODS[m.method] + (f"; bootstrap of (h, k) by {self.ci.by}" if self.ci else ""),
            n=self.n_rows,
            evidence=self.provenance,
            seed=None if self.ci is None else self.ci.seed,
            cautions=self.cautions,
            details={
                "method": m.method,
                "models": self.models.height,
                "models_in_trend": m.n,
                "points_per_decade": json_ready_estimate(m.points_per_decade),
                "points_per_year": json_ready_estimate(m.points_per_year),
                "rate_ln_per_year": json_ready_estimate(m.rate),
                "share_no_progress": m.share_no_progress,
                "share_k_not_positive": m.share_k_not_positive,
                "correlation_compute_date": self.correlation,
                "rate_by_half_ln_per_year": list(self.rate_by_half),
                "published": dict(shown, source=PUBLISHED_SOURCE) if shown else None,
                **draws,
            },
        )

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping."""
        return {
            "slope": self.slope,
            "methods": json_ready(self.frame().to_dicts()),
            "models": json_ready(self.models.to_dicts()),
            "families": json_ready(self.families.to_dicts()),
            "published": json_ready(self.published_frame().to_dicts()),
            "cautions": list(self.cautions),
            "provenance": [p.to_dict() for p in self.provenance],
        }

    def summary(self) -> str:
        """Return a text of one screen."""
        lines = [
            f"{self.n_rows} rows with index and FLOP, {self.models.height} models; headline k: {self.slope}"
        ]
        lines += [
            f"  {m.method:<9} k {m.points_per_decade.value:6.2f}/decade  {_span(m.multiple, '×/yr'):<28} "
            f"{_span(m.halving_time, 'months'):<26} n {m.n}"
            for m in self.methods
        ]
        return "\n".join([*lines, *(f"Caution: {note}" for note in self.cautions)])

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html


_METHODS = {
    "common": "one k by least squares of the index on log10 FLOP; slope of the rest on date",
    "family": "one k within families of one recipe, own constants; slope of the rest on date",
    "joint": "index = c + k log10 FLOP + g year",
    "frontier": "slope on date of models whose recipe part exceeds all before",
}


def json_ready_estimate(estimate: Estimate) -> dict[str, Any]:
    """Return value and bounds of an estimate."""
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high, "unit": estimate.unit}


def _span(estimate: Estimate, unit: str) -> str:
    if estimate.value is None:
        return f"not identified ({unit})"
    if estimate.interval == "open_above" and estimate.low is not None:
        return f"{estimate.value:.2f} (>= {estimate.low:.2f}) {unit}"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.2f} {unit}"
    return f"{estimate.value:.2f} ({estimate.low:.2f} to {estimate.high:.2f}) {unit}"

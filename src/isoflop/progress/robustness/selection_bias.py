"""What if compute went where algorithms were better? The bias of G by simulation.

Systems that got more compute than others of their date may also have had better algorithms that
no column records. The fit then credits compute with part of that quality. Here quality q, in
natural logarithms of effective compute and shared equally by both terms, is planted on the fitted
law with correlation r to ln(N·D) given the date; the law is fitted again without q. The shift of
G is a simulation of what such a correlation would do, not an estimate of it.

Source: the critique is Whitfill (2025), arXiv 2508.11033; the simulation is ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.errors import NotIdentifiedError, SettingError
from isoflop.findings import Estimate, Finding, Provenance, json_ready
from isoflop.present.notebook import result_html
from isoflop.progress.estimate import MAX_BASINS
from isoflop.progress.halving import halving_months
from isoflop.progress.rates import rate
from isoflop.progress.result import ProgressFit
from isoflop.progress.uncertainty.sandwich import rate_gradient
from isoflop.stats.exp_sum import Array
from isoflop.stats.optimise import fit_exp_sum, gradient_and_hessian

if TYPE_CHECKING:
    import polars as pl

CORRELATIONS = (-0.6, -0.3, 0.0, 0.3, 0.6)
HEADLINE = 0.3


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SelectionBias:
    """Simulated shift of the rate for each correlation.

    Parameters
    ----------
    fit : ProgressFit
        Its best minimum is the planted truth.
    correlations : tuple of float
    spread : float
        Standard deviation of q, ln units of effective compute.
    shifts : array, shape (correlations, reps)
        Estimated minus planted rate, to first order, ln/yr.
    refitted : array, shape (correlations,)
        The same, refitted exactly in the same basin, for quality at its expectation given compute.
    refitted_best : array, shape (correlations,)
        At the best minimum of the refit, which may lie in another basin.
    """

    fit: ProgressFit
    correlations: tuple[float, ...]
    spread: float
    shifts: Array
    refitted: Array
    refitted_best: Array
    seed: int

    def estimate(self, correlation: float) -> Estimate:
        """Return the mean simulated shift with the central 95 % of simulations, ln/yr."""
        if correlation not in self.correlations:
            raise SettingError(
                f"selection_bias: correlation {correlation}, must be one of {self.correlations}."
            )
        draws = self.shifts[self.correlations.index(correlation)]
        low, high = np.quantile(draws, [0.025, 0.975])
        return Estimate(value=float(draws.mean()), low=float(low), high=float(high), level=0.95, unit="ln/yr")

    def bound(self) -> float:
        """Return the largest mean shift in size over the simulated correlations, ln/yr."""
        return float(np.abs(self.shifts.mean(axis=1)).max())

    def frame(self) -> pl.DataFrame:
        """Return one row per correlation."""
        import polars as pl

        true = float(rate(self.fit.model, self.fit.theta))
        rows = []
        for r, exact, best in zip(self.correlations, self.refitted, self.refitted_best, strict=True):
            found = self.estimate(r)
            seen = true + (found.value or 0.0)
            rows.append(
                {
                    "correlation": r,
                    "shift": found.value,
                    "shift_low": found.low,
                    "shift_high": found.high,
                    "shift_refitted": float(exact) if np.isfinite(exact) else None,
                    "shift_at_best_minimum": float(best) if np.isfinite(best) else None,
                    "planted_rate": true,
                    "estimated_rate": seen,
                    "estimated_halving_time_months": halving_months(seen),
                }
            )
        return pl.DataFrame(rows)

    @property
    def cautions(self) -> tuple[str, ...]:
        """What the simulation is not."""
        return (
            "a simulation: the correlation and the spread of unrecorded quality are assumed, not estimated.",
            *self.fit.cautions,
        )

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the planted law."""
        return self.fit.provenance

    @property
    def method(self) -> str:
        """One line: what was planted and how it was refitted."""
        return (
            f"simulation: quality of standard deviation {self.spread:g} ln units planted on law "
            f"{self.fit.model.law.number}, {self.shifts.shape[1]} draws, first order"
        )

    def findings(self) -> tuple[Finding, ...]:
        """Return the shift at a correlation of 0.3, or at the largest one; all in the details."""
        at = HEADLINE if HEADLINE in self.correlations else max(self.correlations)
        return (
            Finding(
                id="progress.check.selection_bias",
                instrument="progress",
                label=f"shift of the rate if compute and unrecorded quality correlate at {at:g} (simulation)",
                estimate=self.estimate(at),
                method=self.method,
                n=self.fit.sample.n,
                evidence=self.provenance,
                seed=self.seed,
                cautions=self.cautions,
                details=json_ready({"correlations": self.frame().to_dicts(), "largest_shift": self.bound()}),
            ),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping."""
        return {
            "findings": [f.to_dict() for f in self.findings()],
            "correlations": json_ready(self.frame().to_dicts()),
        }

    def summary(self) -> str:
        """Return one line per correlation."""
        lines = [self.method]
        lines += [
            f"  r {row['correlation']:+.1f}: shift {row['shift']:+.3f} ln/yr "
            f"({row['shift_low']:+.3f} to {row['shift_high']:+.3f})"
            for row in self.frame().iter_rows(named=True)
        ]
        return "\n".join([*lines, *(f"  caution: {c}" for c in self.cautions)])

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html


def selection_bias(
    fit: ProgressFit,
    *,
    correlations: Sequence[float] = CORRELATIONS,
    spread: float = 1.0,
    reps: int = 1000,
    seed: int = 0,
) -> SelectionBias:
    """Simulate the shift of G that unrecorded quality, correlated with compute, would cause.

    Parameters
    ----------
    fit : ProgressFit
        Of a law with two terms and constant rates.
    correlations : sequence of float, in [-1, 1]
        Between quality and ln(N·D) given the date.
    spread : float, > 0
        Standard deviation of quality: 1 means a factor e of effective compute.
    reps : int
        Simulated samples of quality for each correlation.

    Raises
    ------
    NotIdentifiedError
        The law has one term, or no constant rate.
    SettingError
        A setting is out of range.
    """
    law, design = fit.model.law, fit.model.design(fit.sample.features)
    if len(design.terms) != 2 or not law.rates_are_constant:
        raise NotIdentifiedError(
            f"selection_bias: law {law.number}, needs two terms with constant rates. Use law 7."
        )
    if not (spread > 0 and np.isfinite(spread)) or reps < 2 or any(not -1 <= r <= 1 for r in correlations):
        raise SettingError(
            f"selection_bias: spread={spread}, reps={reps}, correlations={tuple(correlations)}; needs "
            "spread > 0, reps >= 2 and correlations in [-1, 1]. Use spread=1."
        )
    features, theta = fit.sample.features, fit.theta
    compute = np.log(features.parameters * features.data)
    year = features.year - features.year.mean()
    ahead = compute - compute.mean() - year * float(year @ compute) / float(year @ year)
    ahead /= ahead.std()
    rng = np.random.default_rng(seed)
    free = (theta != 0) | (fit.penalty.strengths(fit.model) == 0)
    jacobian = design.jacobian(theta)
    _, hessian = gradient_and_hessian(design, fit.sample.outcome, theta)
    slope = rate_gradient(fit.model, theta)[0][free]
    response = 2.0 / fit.sample.n * jacobian[:, free] @ np.linalg.solve(hessian[np.ix_(free, free)], slope)
    shifts, refitted = [], []
    noise = rng.standard_normal((reps, fit.sample.n))
    for r in correlations:
        quality = spread * (r * ahead + np.sqrt(1 - r * r) * noise)
        shifts.append(_effect(fit, quality) @ response)
        expected = _effect(fit, spread * r * ahead[None])[0]
        refitted.append(_refitted_rates(fit, expected) - float(rate(fit.model, theta)))
    return SelectionBias(
        fit=fit,
        correlations=tuple(float(r) for r in correlations),
        spread=spread,
        shifts=np.array(shifts),
        refitted=np.array(refitted)[:, 0],
        refitted_best=np.array(refitted)[:, 1],
        seed=seed,
    )


def _effect(fit: ProgressFit, quality: Array) -> Array:
    """Return the change of the loss of each row, shape (R, n), by quality (R, n)."""
    features = fit.sample.features
    plain = fit.model.design(features)
    larger = fit.model.design(
        replace(features, parameters=np.e * features.parameters, data=np.e * features.data)
    )
    change = np.zeros_like(quality)
    for x, bigger in zip(plain.terms, larger.terms, strict=True):
        change += np.exp(x @ fit.theta) * np.expm1(quality / 2 * ((bigger - x) @ fit.theta))
    return change


def _refitted_rates(fit: ProgressFit, change: Array) -> Array:
    """Return G refitted to outcomes moved by `change`: in the best minimum's basin, and at the best."""
    found = fit_exp_sum(
        fit.model.design(fit.sample.features),
        fit.sample.outcome + change,
        starts=np.array([b.theta for b in fit.minima[:MAX_BASINS]]),
        l1=fit.penalty.strengths(fit.model),
    )
    rates = np.where(found.certified, rate(fit.model, found.theta), np.nan)
    best = int(found.best_of(1)[0])
    return np.array([rates[0], rates[best] if best >= 0 else np.nan])

"""The paper's random-effects check: errors of one paper share a correlation.

Errors are Gaussian, sigma apart, with one correlation rho between rows of a paper. The likelihood
is maximised over the law, sigma and rho together, without a penalty, on all rows of each paper.
Correlated rows then count for less than as many papers would.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import NoFitError, SettingError
from isoflop.findings import Estimate, Finding, Provenance, json_ready
from isoflop.present.notebook import result_html
from isoflop.progress.fit import Compat, fit
from isoflop.progress.halving import MEANING, halving_time, rate_from_draws
from isoflop.progress.model import Model, model
from isoflop.progress.rates import rate, require_time
from isoflop.progress.robustness.sweep import SAMPLES, reselect
from isoflop.progress.sample import Sample, normalisers_of
from isoflop.progress.settings import L1, Starts
from isoflop.stats.clustered import exchangeable_nll
from isoflop.stats.exp_sum import MAX_EXPONENT, Array, ExpSumDesign
from isoflop.stats.resample import Bootstrap, legacy_choices

if TYPE_CHECKING:
    import polars as pl

    from isoflop.evidence import Table

START_LOGIT_RHO = 0.0
"""rho = 1/2, the published start."""
CERTIFIED_GRADIENT = 1e-4
"""Largest derivative of −log L per row, in units of the scaled parameters, that counts as a maximum."""
MAX_STARTS = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Maximum:
    """One maximum of the likelihood.

    Parameters
    ----------
    theta : array, shape (p,)
    sigma, rho : float
        Standard deviation of one error (nats) and correlation within a paper.
    nll : float
        −log L without its constant.
    gradient : float
        Largest derivative of nll per row: the certificate.
    """

    theta: Array
    sigma: float
    rho: float
    nll: float
    gradient: float


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RandomEffects:
    """A law fitted with errors that depend on each other within papers."""

    sample: Sample
    model: Model
    maxima: tuple[Maximum, ...]
    draws: Array | None
    """theta of every replicate, shape (R, p); NaN where none converged."""
    ci: Bootstrap | None
    compat: str

    @property
    def best(self) -> Maximum:
        """The highest maximum found."""
        return self.maxima[0]

    @cached_property
    def rate(self) -> Estimate:
        """G in ln/yr."""
        point = float(rate(self.model, self.best.theta))
        if self.draws is None or self.ci is None:
            return Estimate(value=point, unit="ln/yr")
        return rate_from_draws(point, rate(self.model, self.draws), self.ci.level)

    @property
    def halving_time(self) -> Estimate:
        """Halving time of the compute needed, months."""
        return halving_time(self.rate)

    @property
    def failed(self) -> int:
        """Replicates without a converged fit."""
        return 0 if self.draws is None else int(np.isnan(self.draws).any(axis=1).sum())

    @property
    def cautions(self) -> tuple[str, ...]:
        """What limits the estimate."""
        said = []
        if self.best.gradient > CERTIFIED_GRADIENT:
            said.append(
                f"the best point found is no certified maximum (derivative {self.best.gradient:.1e} "
                "per row): add starts."
            )
        if self.best.rho < 0.01 or self.best.rho > 0.99:
            said.append(f"the correlation within papers ends at its bound ({self.best.rho:.3f}).")
        if self.failed:
            said.append(f"{self.failed} replicates did not converge and are left out.")
        if self.compat == "paper":
            said.append("published procedure: rows resampled, N0 and D0 taken anew in each draw.")
        if self.draws is None:
            said.append("no interval: pass ci=Bootstrap(by='paper').")
        said.append("no penalty: parameters that these rows do not determine may be large.")
        return (*said, *self.sample.cautions)

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the fit."""
        return self.sample.provenance

    @property
    def method(self) -> str:
        """One line: law, likelihood, interval."""
        interval = "no interval"
        if self.ci is not None:
            unit = "row" if self.compat == "paper" else self.ci.by
            interval = f"{self.ci.reps} {unit} resamples"
        return f"law {self.model.law.number}, exchangeable errors within papers, no penalty; {interval}"

    def frame(self) -> pl.DataFrame:
        """Return one row per maximum: −log L, sigma, rho, rate, parameters."""
        import polars as pl

        return pl.DataFrame(
            [
                {
                    "maximum": k + 1,
                    "nll": m.nll,
                    "gradient": m.gradient,
                    "sigma": m.sigma,
                    "rho": m.rho,
                    "rate_per_year": float(rate(self.model, m.theta)),
                    **dict(zip(self.model.names, m.theta.tolist(), strict=True)),
                }
                for k, m in enumerate(self.maxima)
            ]
        )

    def findings(self) -> tuple[Finding, ...]:
        """Return the rate, the halving time and the correlation within papers."""
        details = json_ready(
            {
                "sigma": self.best.sigma,
                "rho": self.best.rho,
                "nll": self.best.nll,
                "certificate": self.best.gradient,
                "maxima": self.frame().select("nll", "rho", "sigma", "rate_per_year").to_dicts(),
                "failed_draws": self.failed,
            }
        )

        def finding(name: str, label: str, estimate: Estimate) -> Finding:
            return Finding(
                id=f"progress.{name}",
                instrument="progress",
                label=label,
                estimate=estimate,
                method=self.method,
                n=self.sample.n,
                evidence=self.provenance,
                seed=None if self.ci is None else self.ci.seed,
                cautions=self.cautions,
                details=details | ({"unbounded": MEANING} if estimate.unit == "months" else {}),
            )

        return (
            finding("rate_per_year.random_effects", "growth, errors shared within papers", self.rate),
            finding(
                "halving_time_months.random_effects",
                "halving time, errors shared within papers",
                self.halving_time,
            ),
            finding(
                "paper_correlation",
                "correlation of errors within a paper",
                Estimate(value=self.best.rho, unit="1"),
            ),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping."""
        return {
            "findings": [f.to_dict() for f in self.findings()],
            "maxima": json_ready(self.frame().to_dicts()),
        }

    def summary(self) -> str:
        """Return the rate, the correlation, all maxima and the cautions."""
        from isoflop.present import formats

        lines = [
            f"{self.sample.table.name}: {self.sample.n} rows of {self.sample.papers} papers; {self.method}"
        ]
        lines += [f"  {f.label}: {formats.finding(f)}" for f in self.findings()]
        lines += [
            f"  maximum {row['maximum']}: -log L {row['nll']:.4f}, rho {row['rho']:.3f}, "
            f"sigma {row['sigma']:.3f}, rate {row['rate_per_year']:.3f} ln/yr"
            for row in self.frame().iter_rows(named=True)
        ]
        return "\n".join([*lines, *(f"  caution: {c}" for c in self.cautions)])

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html


def random_effects(
    evidence: Sample | Table,
    *,
    law: int = 7,
    ci: Bootstrap | None = None,
    starts: Starts | None = None,
    compat: Compat = "converged",
    progress: Callable[[str, float], None] | None = None,
) -> RandomEffects:
    """Fit a law with errors that share one correlation within papers.

    Parameters
    ----------
    evidence : Sample or Table
        All rows of each paper are used, whatever the sample's own rule.
    ci : Bootstrap, optional
        By paper; a paper drawn twice counts as two papers.
    compat : {"converged", "paper"}
        "paper": rows are resampled by the legacy generator, and N0, D0 taken anew in each draw.

    Raises
    ------
    NotIdentifiedError
        The law has no time term.
    NoFitError
        No start led to a finite likelihood.

    Notes
    -----
    Source: Ho et al. (2024), appendix on dependent errors; its output was not stored.
    """
    from isoflop.progress.sample import select

    base = evidence if isinstance(evidence, Sample) else select(evidence)
    sample = base
    if base.rules.top_per_paper is not None:
        found = reselect(base, SAMPLES["cluster"])
        if isinstance(found, str):
            raise NoFitError(f"random_effects: {found}. Pass a sample with all rows of each paper.")
        sample = found
    if ci is not None and ci.kind != "percentile":
        raise SettingError(f"random_effects: kind={ci.kind!r}, must be 'percentile'.")
    plain = fit(sample, law=law, penalty=L1(delta=0.0), starts=starts)
    require_time(plain.model.law)
    design = plain.model.design(sample.features)
    points = [b.theta for b in plain.minima[:MAX_STARTS]] + [np.zeros(design.p)]
    maxima = _maxima(design, sample.outcome, sample.clusters, points)
    draws = None
    if ci is not None:
        draws = np.full((ci.reps, design.p), np.nan)
        for i, (rows, codes) in enumerate(_replicates(sample, ci, compat)):
            resampled, y = design.rows(rows), sample.outcome[rows]
            if compat == "paper":
                features = sample.features.rows(rows)
                chosen = model(law, benchmarks=sample.benchmarks, normalisers=normalisers_of(features))
                resampled = chosen.design(features)
            ends = [_maximise(resampled, y, codes, m.theta, m.sigma, m.rho) for m in maxima[:2]]
            best = min(ends, key=lambda m: m.nll)
            if best.gradient <= 10 * CERTIFIED_GRADIENT:
                draws[i] = best.theta
            if progress is not None:
                progress("random effects", (i + 1) / ci.reps)
    return RandomEffects(sample=sample, model=plain.model, maxima=maxima, draws=draws, ci=ci, compat=compat)


def _maxima(
    design: ExpSumDesign, y: Array, codes: NDArray[np.int64], points: list[Array]
) -> tuple[Maximum, ...]:
    ends = []
    for theta in points:
        sigma = float(np.std(y - design.predict(theta)))
        ends.append(_maximise(design, y, codes, theta, sigma, 0.5))
    ends.sort(key=lambda m: m.nll)
    if not np.isfinite(ends[0].nll):
        raise NoFitError("random_effects: no start has a finite likelihood. Check the outcome column.")
    kept: list[Maximum] = []
    for end in ends:
        if end.gradient <= CERTIFIED_GRADIENT and all(abs(end.nll - other.nll) > 1e-4 for other in kept):
            kept.append(end)
    return tuple(kept or ends[:1])


def _maximise(
    design: ExpSumDesign, y: Array, codes: NDArray[np.int64], theta: Array, sigma: float, rho: float
) -> Maximum:
    """Maximise the likelihood from one start by BFGS with its analytic gradient."""
    from scipy.optimize import minimize

    _, index = np.unique(codes, return_inverse=True)
    n, p = design.n, design.p
    # unit curvature at the start: BFGS begins with the identity
    scale = 1.0 / np.maximum(np.linalg.norm(design.jacobian(theta), axis=0) / max(sigma, 1e-6), 1e-3)

    def objective(z: Array) -> tuple[float, Array]:
        point = z[:p] * scale
        if max(float(e.max()) for e in design.exponents(point)) > MAX_EXPONENT or abs(z[p]) > 30:
            return np.inf, np.zeros_like(z)
        found = exchangeable_nll(
            y - design.predict(point), index, float(z[p]), float(np.clip(z[p + 1], -30, 30))
        )
        slope = -found.by_residuals @ design.jacobian(point)
        return found.value, np.append(slope * scale, [found.by_log_sigma, found.by_logit_rho])

    logit = float(np.log(rho / (1 - rho))) if 0 < rho < 1 else START_LOGIT_RHO
    start = np.append(theta / scale, [np.log(max(sigma, 1e-6)), np.clip(logit, -8.0, 8.0)])
    with np.errstate(over="ignore", invalid="ignore"):
        ended = minimize(objective, start, jac=True, method="BFGS", options={"gtol": 1e-6, "maxiter": 2000})
    z = np.asarray(ended.x)
    value, slope = objective(z)
    return Maximum(
        theta=z[:p] * scale,
        sigma=float(np.exp(z[p])),
        rho=float(1.0 / (1.0 + np.exp(-z[p + 1]))),
        nll=float(value),
        gradient=float(np.abs(slope).max() / n),
    )


def _replicates(
    sample: Sample, ci: Bootstrap, compat: Compat
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return the rows of each replicate and their cluster labels."""
    if compat == "paper":
        return [(rows, sample.clusters[rows]) for rows in legacy_choices(sample.n, ci.reps, ci.seed)]
    codes = sample.codes(ci.by)
    out = []
    for weights in ci.weights(sample.n, codes):
        units = np.arange(sample.n) if codes is None else codes
        # a weight is a count over the rows drawn, so counts are weights over their common unit
        total = np.bincount(units, weights) / np.bincount(units)
        counts = np.rint(total * (units.max() + 1) / total.sum()).astype(int)
        rows, labels = [], []
        opened = 0
        for unit in np.flatnonzero(counts):
            members = np.flatnonzero(units == unit)
            for _ in range(counts[unit]):
                rows.append(members)
                labels.append(
                    np.full(len(members), opened) if codes is not None else sample.clusters[members]
                )
                opened += 1
        out.append((np.concatenate(rows), np.concatenate(labels)))
    return out

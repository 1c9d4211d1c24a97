"""One halving time from several laws and penalties: the published pool of ten pairs, and ours.

Each pair (law, penalty) is bootstrapped; its numeric halving times, one a benchmark where rates
differ, are pooled. The published pool takes draws as they come, by rows, from unconverged fits.
Ours refits certified optima by paper, weights pairs (equally, or by how well the mixture predicts
papers left out), and takes percentiles of the rate, which is finite where the time is not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from isoflop.errors import NotIdentifiedError, SettingError
from isoflop.findings import Estimate, Finding, Provenance, equal_probability_quantiles, json_ready
from isoflop.present.notebook import result_html
from isoflop.progress.fit import Compat, fit
from isoflop.progress.halving import MEANING, MONTHS_AT_UNIT_RATE, halving_time
from isoflop.progress.model import Law
from isoflop.progress.published import PUBLISHED
from isoflop.progress.rates import numeric_doubling_years
from isoflop.progress.result import ProgressFit
from isoflop.progress.robustness.compare import compare
from isoflop.progress.robustness.comparison import Comparison, LeavePaperOut
from isoflop.progress.sample import Sample, select
from isoflop.progress.settings import L1, Starts
from isoflop.stats.exp_sum import Array
from isoflop.stats.resample import Bootstrap
from isoflop.units import MONTHS_PER_YEAR

if TYPE_CHECKING:
    import polars as pl

    from isoflop.evidence import Table

PAPER_PAIRS: tuple[tuple[int, float], ...] = (
    (10, 0.001),
    (7, 0.0025),
    (15, 0.01),
    (8, 0.005),
    (15, 0.005),
    (7, 0.01),
    (12, 0.02),
    (10, 0.0025),
    (10, 0.005),
    (12, 0.005),
)
"""The ten pairs of the published pool: the best by its leave-one-out error, law 19 left out."""
PAPER_REPS = 100
Weights = Literal["equal", "stacking"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Pair:
    """One law and penalty with its draws.

    Parameters
    ----------
    fit : ProgressFit
        Without its own interval; draws are here.
    weight : float
        Share in the pool.
    point : array, shape (k,)
        Numeric halving time at the best minimum, months, one a benchmark where rates differ.
    months : array, shape (R, k)
        Of the draws; NaN where there is none.
    """

    law: int
    delta: float
    fit: ProgressFit
    weight: float
    benchmarks: tuple[str, ...]
    point: Array
    months: Array


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Aggregate:
    """The pooled halving time with its parts."""

    pairs: tuple[Pair, ...]
    sample: Sample
    weights: str
    compat: str
    level: float
    reps: int
    by: str
    seed: int

    @cached_property
    def rate(self) -> Estimate:
        """Pooled G in ln/yr: median and percentiles of the weighted draws."""
        rates, weights = self._pool()
        tail = (1 - self.level) / 2
        low, middle, high = weighted_quantiles(rates, weights, (tail, 0.5, 1 - tail))
        return Estimate(value=middle, low=low, high=high, level=self.level, unit="ln/yr")

    @cached_property
    def halving_time(self) -> Estimate:
        """Pooled numeric halving time, months; as published, percentiles of the time itself."""
        if self.compat != "paper":
            return halving_time(self.rate)
        rates, weights = self._pool()
        months = MONTHS_AT_UNIT_RATE / rates
        tail = (1 - self.level) / 2
        low, middle, high = weighted_quantiles(months, weights, (tail, 0.5, 1 - tail))
        return Estimate(value=middle, low=low, high=high, level=self.level, unit="months")

    def _pool(self) -> tuple[Array, Array]:
        rates, weights = [], []
        for pair in self.pairs:
            months = pair.months[np.isfinite(pair.months) & (pair.months != 0)]
            if months.size and pair.weight > 0:
                rates.append(MONTHS_AT_UNIT_RATE / months)
                weights.append(np.full(months.size, pair.weight / months.size))
        if not rates:
            raise NotIdentifiedError("aggregate: no draw of any pair has a halving time. Add draws or laws.")
        return np.concatenate(rates), np.concatenate(weights)

    @property
    def failed(self) -> int:
        """Draws without a halving time: no certified fit, no inner split, or no root."""
        return int(sum((~np.isfinite(pair.months)).sum() for pair in self.pairs))

    @property
    def cautions(self) -> tuple[str, ...]:
        """What limits the pool."""
        said = []
        total = sum(pair.months.size for pair in self.pairs)
        if self.failed:
            said.append(
                f"{self.failed} of {total} draws have no numeric halving time (an exponent is not positive, "
                "or waiting never reaches the target) and are left out: the pool leans towards progress."
            )
        if self.compat == "paper":
            said.append("published procedure: unconverged fits, rows resampled, percentiles of a ratio.")
        else:
            spread = sorted(float(p.point[0]) for p in self.pairs if p.weight > 0 and np.isfinite(p.point[0]))
            if spread and spread[-1] > 1.5 * abs(spread[0]):
                said.append(
                    f"the pairs' own best minima lie between {spread[0]:.1f} and {spread[-1]:.1f} months: "
                    "the pooled median may lie where no pair does."
                )
        if self.weights == "stacking":
            kept = [f"law {p.law} at {p.delta:g} ({p.weight:.0%})" for p in self.pairs if p.weight > 0.01]
            said.append(f"stacking keeps {len(kept)} of {len(self.pairs)} pairs: {', '.join(kept)}.")
        if self.reps < PAPER_REPS * 2 and self.compat != "paper":
            said.append(f"{self.reps} draws a pair: the ends of the interval move from seed to seed.")
        return (*said, *self.sample.cautions)

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the pool."""
        return self.sample.provenance

    @property
    def method(self) -> str:
        """One line: pairs, draws, weights."""
        how = "SLSQP as published" if self.compat == "paper" else "certified optima"
        return (
            f"{len(self.pairs)} pairs of law and penalty, {self.reps} {self.by} resamples each, {how}, "
            f"numeric halving times pooled ({self.weights} weights)"
        )

    def frame(self) -> pl.DataFrame:
        """Return one row per pair and benchmark: weight, point, and percentiles of its draws."""
        import polars as pl

        tail = (1 - self.level) / 2
        rows = []
        for pair in self.pairs:
            for k, benchmark in enumerate(pair.benchmarks):
                known = pair.months[:, k][np.isfinite(pair.months[:, k])]
                low, middle, high = np.quantile(known, [tail, 0.5, 1 - tail]) if known.size else [None] * 3
                rows.append(
                    {
                        "law": pair.law,
                        "delta": pair.delta,
                        "benchmark": benchmark,
                        "weight": pair.weight / len(pair.benchmarks),
                        "point_months": float(pair.point[k]) if np.isfinite(pair.point[k]) else None,
                        "low_months": low,
                        "median_months": middle,
                        "high_months": high,
                        "draws": int(known.size),
                        "failed": len(pair.months) - int(known.size),
                        "objective": pair.fit.objective,
                        "certificate": pair.fit.certificate,
                    }
                )
        return pl.DataFrame(rows, infer_schema_length=None)

    def findings(self) -> tuple[Finding, ...]:
        """Return the pooled rate and halving time with the published pool beside them."""
        published = PUBLISHED["halving_time_aggregate"].estimate
        rates, _ = self._pool()
        suffix = ".as_published" if self.compat == "paper" else ""
        shown = {"value": published.value, "low": published.low, "high": published.high}
        details = json_ready(
            {
                "published": shown,
                "pairs": self.frame().to_dicts(),
                "weights": self.weights,
                "failed_draws": self.failed,
                "draws": equal_probability_quantiles(rates),
            }
        )

        def finding(name: str, label: str, estimate: Estimate, extra: dict[str, Any]) -> Finding:
            return Finding(
                id=f"progress.{name}.aggregate{suffix}",
                instrument="progress",
                label=label,
                estimate=estimate,
                method=self.method,
                n=self.sample.n,
                evidence=self.provenance,
                seed=self.seed,
                cautions=self.cautions,
                details=extra,
            )

        time = {k: v for k, v in details.items() if k != "draws"} | {"unbounded": MEANING}
        pooled = "pooled over laws and penalties"
        return (
            finding("rate_per_year", f"growth of effective compute, {pooled}", self.rate, details),
            finding("halving_time_months", f"halving time, {pooled}", self.halving_time, time),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping."""
        return {
            "findings": [f.to_dict() for f in self.findings()],
            "pairs": json_ready(self.frame().to_dicts()),
        }

    def summary(self) -> str:
        """Return the pool beside the published one, its parts and the cautions."""
        from isoflop.present import formats

        published = PUBLISHED["halving_time_aggregate"].estimate
        lines = [
            f"{self.sample.table.name}: {self.method}",
            f"  pooled: {formats.estimate(self.halving_time)}; published {formats.estimate(published)}",
        ]
        for row in self.frame().iter_rows(named=True):
            middle = (
                "no halving time" if row["median_months"] is None else f"{row['median_months']:.1f} months"
            )
            lines.append(
                f"  law {row['law']:>2}, penalty {row['delta']:<6g} {row['benchmark']:<6} {middle} "
                f"(weight {row['weight']:.2f})"
            )
        return "\n".join([*lines, *(f"  caution: {c}" for c in self.cautions)])

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html


def aggregate(
    evidence: Sample | Table,
    pairs: Sequence[tuple[int, float]] = PAPER_PAIRS,
    *,
    weights: Weights = "equal",
    ci: Bootstrap | None = None,
    starts: Starts | None = None,
    compat: Compat = "converged",
    progress: Callable[[str, float], None] | None = None,
) -> Aggregate:
    """Pool the numeric halving times of several laws and penalties.

    Parameters
    ----------
    evidence : Sample or Table
    pairs : sequence of (law, delta)
    weights : {"equal", "stacking"}
        "stacking": of the mixture that predicts papers left out best.
    ci : Bootstrap
        Default 100 draws a pair, by paper; by row under ``compat="paper"``.
    compat : {"converged", "paper"}
        "paper": SLSQP from zero, every draw of every benchmark counts once. Takes minutes.

    Returns
    -------
    Aggregate

    Raises
    ------
    NotIdentifiedError
        A law has no time term.
    """
    if weights not in ("equal", "stacking"):
        raise SettingError(f"aggregate: weights={weights!r}, must be 'equal' or 'stacking'.")
    if not pairs:
        raise SettingError("aggregate: no pairs, needs at least one (law, delta).")
    sample = evidence if isinstance(evidence, Sample) else select(evidence)
    starts = starts or Starts()
    ci = ci or Bootstrap(reps=PAPER_REPS, by="row" if compat == "paper" else "paper")
    shares = _stacked(sample, pairs, starts) if weights == "stacking" else np.full(len(pairs), 1 / len(pairs))
    found = []
    for i, ((law, delta), share) in enumerate(zip(pairs, shares, strict=True)):
        fitted = fit(sample, law=law, penalty=L1(delta=delta), starts=starts, ci=ci, compat=compat)
        names = sample.benchmarks if _rates_differ(fitted.model.law) else sample.benchmarks[:1]
        assert fitted.draws is not None  # asked for just above
        thetas = np.vstack([fitted.theta, np.nan_to_num(fitted.draws.theta)])
        months = MONTHS_PER_YEAR * np.column_stack(
            [numeric_doubling_years(fitted.model, thetas, benchmark=k) for k in range(len(names))]
        )
        # as published, each benchmark's draws enter once, so a pair with three weighs three times
        weight = float(share) * (len(names) if compat == "paper" else 1)
        lost = np.asarray(np.isnan(fitted.draws.theta).any(axis=1), bool)
        found.append(
            Pair(
                law=law,
                delta=delta,
                fit=fitted,
                weight=weight,
                benchmarks=names,
                point=months[0],
                months=np.where(lost[:, None], np.nan, months[1:]),
            )
        )
        if progress is not None:
            progress("pairs", (i + 1) / len(pairs))
    return Aggregate(
        pairs=tuple(found),
        sample=sample,
        weights=weights,
        compat=compat,
        level=ci.level,
        reps=ci.reps,
        by="row" if compat == "paper" else ci.by,
        seed=ci.seed,
    )


def weighted_quantiles(values: Array, weights: Array, probabilities: Sequence[float]) -> list[float]:
    """Return quantiles of weighted values; with equal weights, NumPy's linear interpolation.

    Examples
    --------
    >>> weighted_quantiles(np.array([3.0, 1.0, 2.0]), np.ones(3), (0.5, 0.25))
    [2.0, 1.5]
    """
    order = np.argsort(values, kind="stable")
    ordered, mass = values[order], weights[order]
    before = np.concatenate([[0.0], np.cumsum(mass)[:-1]])
    room = before[-1] + (mass[-1] - mass[0]) / 2 if len(values) > 1 else 1.0
    middle = before + (mass - mass[0]) / 2
    return [float(np.interp(p * room, middle, ordered)) for p in probabilities]


def _rates_differ(law: Law) -> bool:
    terms = [law.first] + ([law.second] if law.second is not None else [])
    return any("benchmark" in (term.year, term.size) for term in terms)


def _stacked(sample: Sample, pairs: Sequence[tuple[int, float]], starts: Starts) -> Array:
    laws = sorted({law for law, _ in pairs})
    shares = np.zeros(len(pairs))
    candidates = []
    found: Comparison | None = None
    for law in laws:
        deltas = sorted({delta for one, delta in pairs if one == law})
        found = compare(sample, laws=[law], penalties=deltas, scheme=LeavePaperOut(), starts=starts)
        candidates += list(found.candidates)
    assert found is not None  # pairs are not empty
    for (law, delta), weight in replace(found, candidates=tuple(candidates)).stacking().items():
        shares[list(pairs).index((law, delta))] = weight
    return shares

"""What does the rate rest on? Residuals, influence, conditioning, and neutrality of progress.

Influence is the change of G when a row or a paper is left out. For every row and paper it comes
from one Newton step at the certified minimum (the implicit-function formula); the ten largest are
refitted exactly, from every basin, because a row that swaps the basins moves G by far more.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.errors import NotIdentifiedError, SettingError
from isoflop.findings import Estimate, Finding, Provenance, json_ready
from isoflop.present.notebook import result_html
from isoflop.progress.estimate import MAX_BASINS
from isoflop.progress.halving import rate_from_draws
from isoflop.progress.rates import rate, require_time, term_rates
from isoflop.progress.result import ProgressFit
from isoflop.progress.uncertainty.sandwich import parameter_covariance, rate_gradient
from isoflop.stats.exp_sum import Array
from isoflop.stats.optimise import fit_exp_sum, gradient_and_hessian
from isoflop.stats.resample import jackknife_weights

if TYPE_CHECKING:
    import polars as pl

REFITTED = 10
NEAR_SINGULAR = 1e4
"""Condition number of the scaled cross-products above which some parameters trade off freely."""
STRONG = 0.9
"""Correlation with G from which a constant is called entangled with the rate."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Diagnostics:
    """Diagnostics of one fit at its best minimum.

    Parameters
    ----------
    fit : ProgressFit
    residuals : polars.DataFrame
        One row per row of the sample: system, paper, benchmark, year, t, n, d, class, observed,
        predicted, residual (observed − predicted, nats).
    rows, papers : polars.DataFrame
        Influence of each row and paper: label, rows left out, change of G by formula, and for the
        ten largest the exact G, in the same basin and at the best minimum.
    condition : float
        Condition number of J'J over free parameters, columns scaled to unit length.
    condition_raw : float
        The same without scaling.
    correlations : dict
        Correlation of G with each parameter; None for parameters pinned at zero.
    correlation_source : {"draws", "sandwich"}
    neutrality : Estimate
        ay/an − by/bd in ln/yr: 0 if progress makes parameters and data equally more effective.
    tokens_per_parameter : Estimate
        Growth of ln(D/N) over time, ln/yr, with its cluster-robust interval.
    """

    fit: ProgressFit
    residuals: pl.DataFrame
    rows: pl.DataFrame
    papers: pl.DataFrame
    condition: float
    condition_raw: float
    correlations: dict[str, float | None]
    correlation_source: str
    neutrality: Estimate
    neutrality_draws_lost: int
    tokens_per_parameter: Estimate

    def frame(self) -> pl.DataFrame:
        """Return the influence of rows and papers, largest first."""
        import polars as pl

        return pl.concat([self.papers, self.rows]).sort(
            pl.col("rate_change").abs(), descending=True, maintain_order=True, nulls_last=True
        )

    def tokens(self) -> pl.DataFrame:
        """Return tokens per parameter of every row over time."""
        import polars as pl

        features = self.fit.sample.features
        return pl.DataFrame(
            {
                "system": self.fit.sample.frame["system"],
                "year": features.year,
                "tokens_per_parameter": features.data / features.parameters,
                "is_transformer": features.is_transformer,
                "benchmark": [self.fit.sample.benchmarks[b] for b in features.benchmark],
            }
        )

    def by_group(self) -> pl.DataFrame:
        """Return mean residual and its root mean square by benchmark, class and period."""
        import polars as pl

        middle = float(np.median(self.fit.sample.features.year))
        grouped = self.residuals.with_columns(
            period=pl.when(pl.col("year") < middle)
            .then(pl.lit(f"before {middle:.1f}"))
            .otherwise(pl.lit(f"from {middle:.1f}"))
        )
        parts = [
            grouped.group_by(pl.col(name).cast(pl.String).alias("group"), maintain_order=True)
            .agg(
                n=pl.len(),
                mean_residual=pl.col("residual").mean(),
                root_mean_square=(pl.col("residual") ** 2).mean().sqrt(),
            )
            .select(pl.lit(name).alias("by"), "group", "n", "mean_residual", "root_mean_square")
            for name in ("benchmark", "is_transformer", "period")
        ]
        return pl.concat(parts)

    @cached_property
    def cautions(self) -> tuple[str, ...]:
        """What the diagnostics say against the rate."""
        said = []
        point = float(rate(self.fit.model, self.fit.theta))
        worst = self.papers.filter(self.papers["exact_rate"].is_not_null())
        moved = [
            (str(row["label"]), float(row["exact_rate"]))
            for row in worst.iter_rows(named=True)
            if abs(row["exact_rate"] / point - 1.0) > 0.25
        ]
        if moved:
            name, new = moved[0]
            said.append(
                f"leaving out one paper ({name!r}) moves the rate from {point:.2f} to {new:.2f} ln/yr; "
                f"{len(moved)} papers move it by more than a quarter."
            )
        if self.condition > NEAR_SINGULAR:
            said.append(
                f"condition number {self.condition:.1e}: some parameters trade off almost freely, so "
                "read G and not single parameters."
            )
        tied = [n for n, r in self.correlations.items() if r is not None and abs(r) >= STRONG]
        if tied:
            said.append(f"the rate moves with {', '.join(tied)} (correlation above {STRONG:g}).")
        low, high = self.neutrality.low, self.neutrality.high
        if low is not None and high is not None and not low <= 0.0 <= high:
            said.append(
                "progress is not neutral: parameters and data did not become more effective at one rate."
            )
        elif low is None and high is None:
            said.append("neutrality has no interval: fit with ci=Bootstrap(by='paper').")
        return (*said, *self.fit.cautions)

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the fit."""
        return self.fit.provenance

    def findings(self) -> tuple[Finding, ...]:
        """Return largest influence, neutrality and growth of tokens per parameter."""
        top = self.papers.row(0, named=True)
        point = float(rate(self.fit.model, self.fit.theta))
        exact = top["exact_rate"]
        return (
            self._finding(
                "paper_influence",
                "largest change of the rate when one paper is left out",
                Estimate(value=None if exact is None else exact - point, unit="ln/yr"),
                {
                    "paper": top["label"],
                    "by_formula": top["rate_change"],
                    "same_basin": top["exact_rate_same_basin"],
                    "condition": self.condition,
                    "correlations": self.correlations,
                    "correlation_source": self.correlation_source,
                },
            ),
            self._finding(
                "hicks_neutrality",
                "rate of effective parameters minus rate of effective data",
                self.neutrality,
                {"draws_lost": self.neutrality_draws_lost},
            ),
            self._finding(
                "tokens_per_parameter_growth",
                "growth of tokens per parameter",
                self.tokens_per_parameter,
                {},
            ),
        )

    def _finding(self, name: str, label: str, estimate: Estimate, details: dict[str, Any]) -> Finding:
        return Finding(
            id=f"progress.diagnostics.{name}",
            instrument="progress",
            label=label,
            estimate=estimate,
            method=self.fit.method,
            n=self.fit.sample.n,
            evidence=self.provenance,
            seed=self.fit.seed,
            cautions=self.cautions,
            details=json_ready(details),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping."""
        return {
            "findings": [f.to_dict() for f in self.findings()],
            "influence": json_ready(self.frame().to_dicts()),
            "residuals": json_ready(self.residuals.to_dicts()),
            "groups": json_ready(self.by_group().to_dicts()),
        }

    def summary(self) -> str:
        """Return the ten most influential papers, conditioning and the cautions."""
        from isoflop.present import formats

        lines = [f"{self.fit.sample.table.name}: {self.fit.method}"]
        lines += [f"  {f.label}: {formats.finding(f)}" for f in self.findings()]
        for row in self.papers.head(REFITTED).iter_rows(named=True):
            exact = "" if row["exact_rate"] is None else f", refitted {row['exact_rate']:.3f} ln/yr"
            lines.append(f"  without {row['label'][:60]!r}: {row['rate_change']:+.3f} by formula{exact}")
        lines.append(f"  condition number {self.condition:.1e} (unscaled {self.condition_raw:.1e})")
        return "\n".join([*lines, *(f"  caution: {c}" for c in self.cautions)])

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html


def diagnose(fit: ProgressFit, *, refits: int = REFITTED) -> Diagnostics:
    """Return the diagnostics of a fit at its best minimum.

    Parameters
    ----------
    fit : ProgressFit
        With ``ci=Bootstrap(by="paper")`` for the interval of neutrality; correlations then come from
        the draws, else from the sandwich.
    refits : int
        Rows, and papers, that are left out exactly: those with the largest influence by formula.

    Raises
    ------
    NotIdentifiedError
        The law has no time term, or G is unbounded at the best minimum.
    SettingError
        The fit repeats the published procedure: where it stopped is no minimum.
    """
    require_time(fit.model.law)
    if fit.compat == "paper":
        raise SettingError("diagnose: compat='paper' did not stop at a minimum, needs one. Fit converged.")
    if not np.isfinite(rate(fit.model, fit.theta)):
        raise NotIdentifiedError(
            "diagnose: the rate is unbounded at the best minimum (an exponent is 0). "
            "Use another law or penalty."
        )
    if refits < 1:
        raise SettingError(f"diagnose: refits={refits}, must be at least 1. Use 10.")
    frame = fit.sample.frame
    systems = [
        f"{s} on {b}" for s, b in zip(frame["system"].to_list(), frame["benchmark"].to_list(), strict=True)
    ]
    papers = [""] * fit.sample.papers
    for code, title in zip(fit.sample.clusters.tolist(), frame["paper"].to_list(), strict=True):
        papers[code] = title
    free = _free(fit)
    jacobian = fit.model.design(fit.sample.features).jacobian(fit.theta)[:, free]
    correlations, source = _correlations(fit)
    neutrality, lost = _neutrality(fit)
    return Diagnostics(
        fit=fit,
        residuals=_residuals(fit),
        rows=_influence(fit, jackknife_weights(fit.sample.n), "row", systems, refits),
        papers=_influence(fit, jackknife_weights(fit.sample.n, fit.sample.clusters), "paper", papers, refits),
        condition=float(np.linalg.cond(jacobian / np.linalg.norm(jacobian, axis=0)) ** 2),
        condition_raw=float(np.linalg.cond(jacobian) ** 2),
        correlations=correlations,
        correlation_source=source,
        neutrality=neutrality,
        neutrality_draws_lost=lost,
        tokens_per_parameter=_tokens_per_parameter(fit),
    )


def influence_by_formula(fit: ProgressFit, weights: Array) -> Array:
    """Return the change of G under other row weights, to first order, shape (R,).

    Parameters
    ----------
    weights : array, shape (R, n)
        Row weights that sum to 1, e.g. those of a jackknife.

    Notes
    -----
    theta moves by −H^-1 sum_i (w_i − 1/n) g_i on the coordinates that are free, with H the Hessian
    and g_i the gradient of row i's squared error; G moves by its slope times that.
    """
    sample, free = fit.sample, _free(fit)
    design = fit.model.design(sample.features)
    residual = design.predict(fit.theta) - sample.outcome
    _, hessian = gradient_and_hessian(design, sample.outcome, fit.theta)
    slope = rate_gradient(fit.model, fit.theta)[0][free]
    along = np.linalg.solve(hessian[np.ix_(free, free)], slope)
    by_row = 2.0 * residual * (design.jacobian(fit.theta)[:, free] @ along)
    return np.asarray(-(weights - 1.0 / sample.n) @ by_row)


def _free(fit: ProgressFit) -> Any:
    return (fit.theta != 0) | (fit.penalty.strengths(fit.model) == 0)


def _influence(fit: ProgressFit, weights: Array, unit: str, labels: list[str], refits: int) -> pl.DataFrame:
    import polars as pl

    change = influence_by_formula(fit, weights)
    order = np.argsort(-np.abs(change), kind="stable")
    top = order[:refits]
    basins = np.array([b.theta for b in fit.minima[:MAX_BASINS]])
    found = fit_exp_sum(
        fit.model.design(fit.sample.features),
        fit.sample.outcome,
        starts=np.tile(basins, (len(top), 1)),
        weights=np.repeat(weights[top], len(basins), axis=0),
        l1=fit.penalty.strengths(fit.model),
    )
    rates = rate(fit.model, found.theta)
    same: list[float | None] = [None] * len(change)
    best: list[float | None] = [None] * len(change)
    for i, (at, lowest) in enumerate(zip(top.tolist(), found.best_of(len(top)).tolist(), strict=True)):
        first = i * len(basins)
        same[at] = float(rates[first]) if found.certified[first] and np.isfinite(rates[first]) else None
        best[at] = float(rates[lowest]) if lowest >= 0 and np.isfinite(rates[lowest]) else None
    found_rows = pl.DataFrame(
        {
            "unit": [unit] * len(change),
            "label": labels,
            "rows_left_out": (weights == 0).sum(axis=1),
            "rate_change": change,
            "exact_rate_same_basin": same,
            "exact_rate": best,
        },
        schema_overrides={"exact_rate_same_basin": pl.Float64, "exact_rate": pl.Float64},
    )
    return found_rows.select(pl.all().gather(order.tolist()))


def _residuals(fit: ProgressFit) -> pl.DataFrame:
    import polars as pl

    sample, base = fit.sample, fit.model.normalisers
    predicted = fit.fitted()
    return pl.DataFrame(
        {
            "system": sample.frame["system"],
            "paper": sample.frame["paper"],
            "benchmark": [sample.benchmarks[b] for b in sample.features.benchmark],
            "is_transformer": sample.features.is_transformer,
            "year": sample.features.year,
            "t": sample.features.year - base.year,
            "n": np.log(sample.features.parameters / base.parameters),
            "d": np.log(sample.features.data / base.data),
            "observed": sample.outcome,
            "predicted": predicted,
            "residual": sample.outcome - predicted,
        }
    )


def _correlations(fit: ProgressFit) -> tuple[dict[str, float | None], str]:
    names = fit.model.names
    if fit.draws is not None:
        kept = np.isfinite(fit.rate_draws)
        draws, rates = fit.draws.theta[kept], fit.rate_draws[kept]
        varies = (np.ptp(draws, axis=0) > 0) & (np.ptp(rates) > 0 if rates.size else False)
        return {
            name: float(np.corrcoef(draws[:, j], rates)[0, 1]) if varies[j] else None
            for j, name in enumerate(names)
        }, "draws"
    covariance, slope = parameter_covariance(fit), rate_gradient(fit.model, fit.theta)[0]
    slope = np.where(_free(fit), slope, 0.0)
    spread = np.sqrt(np.diag(covariance) * float(slope @ covariance @ slope))
    shared = covariance @ slope
    return {
        name: float(shared[j] / spread[j]) if spread[j] > 0 else None for j, name in enumerate(names)
    }, "sandwich"


def _neutrality(fit: ProgressFit) -> tuple[Estimate, int]:
    """Return ay/an − by/bd with its bootstrap interval, and how many draws have no difference."""
    law = fit.model.law
    if law.second is None or not law.rates_are_constant:
        return Estimate(value=None, unit="ln/yr"), 0
    terms = term_rates(fit.model, fit.theta)
    point = float(terms[0] - terms[1])
    if fit.draws is None or fit.ci is None:
        return Estimate(value=point, unit="ln/yr"), 0
    with np.errstate(invalid="ignore"):
        each = term_rates(fit.model, fit.draws.theta)
        difference = each[:, 0] - each[:, 1]
    failed = int(np.isnan(difference).sum())
    return rate_from_draws(point, difference, fit.ci.level), failed


def _tokens_per_parameter(fit: ProgressFit) -> Estimate:
    from isoflop.stats.regression import linear_regression

    features, level = fit.sample.features, 0.95 if fit.ci is None else fit.ci.level
    year = features.year - features.year.mean()
    found = linear_regression(
        np.column_stack([np.ones(len(year)), year]),
        np.log(features.data / features.parameters),
        covariance="CR1",
        codes=fit.sample.clusters,
    )
    low, high = found.interval(level)
    return Estimate(
        value=float(found.coefficients[1]), low=float(low[1]), high=float(high[1]), level=level, unit="ln/yr"
    )

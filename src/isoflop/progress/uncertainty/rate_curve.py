"""Which rates of progress do the rows not rule out? Profile of G, with all pieces of the set.

At each rate the objective is minimised over everything else (`constrained_rate`). Two basins give
a curve with two dips, and the set below the threshold may have two pieces: a single interval would
hide that the rates between them fit worse.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.errors import NotIdentifiedError, SettingError
from isoflop.findings import Estimate, Finding, Provenance, json_ready
from isoflop.present.notebook import result_html
from isoflop.progress.halving import MEANING, halving_months, halving_time, months_text
from isoflop.progress.model import Model
from isoflop.progress.rates import require_time, term_rates
from isoflop.progress.result import ProgressFit
from isoflop.progress.settings import Profile
from isoflop.progress.uncertainty.constrained_rate import Constrained, RateColumns, minimise_at_rate
from isoflop.progress.uncertainty.sandwich import rate_standard_error
from isoflop.stats.exp_sum import Array
from isoflop.stats.profile import KnownVariance
from isoflop.stats.profile import Profile as Curve
from isoflop.stats.profile import profile as trace

if TYPE_CHECKING:
    import polars as pl

MAX_MINIMA = 4
"""Minima of the full fit that the curve starts from."""
SWEEPS = 25
"""Passes in which each rate takes its neighbours' solutions as starts; most curves settle in five."""
FELL = 1e-9
"""Fall of the objective in a pass that counts as news."""
CERTIFIED = 1e-6
"""Residual of the first-order conditions that counts as met: at a kink of |ay/an| rounding is coarse."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RateProfile:
    """The least objective at each rate, and the set of rates that it does not rule out.

    Parameters
    ----------
    fit : ProgressFit
        The fit whose minima the curve passes through.
    setting : Profile
    curve : stats.profile.Profile
        Values are rates in ln/yr.
    theta : array, shape (g, p)
        Parameters at each value of the curve.
    certified : float
        Share of the curve's points whose first-order conditions hold.
    widening : float
        Factor by which papers widen the variance of the rate against independent rows.
    """

    fit: ProgressFit
    setting: Profile
    curve: Curve
    theta: Array
    certified: float
    widening: float

    @cached_property
    def rate(self) -> Estimate:
        """G in ln/yr with the hull of all pieces; see `pieces` for gaps."""
        hull = self.curve.hull()
        kind = "open_above" if hull.kind == "everything" else hull.kind
        return Estimate(
            value=self.curve.best,
            low=hull.low,
            high=hull.high,
            level=self.setting.level,
            unit="ln/yr",
            interval=kind,
        )

    @property
    def halving_time(self) -> Estimate:
        """Halving time in months: the rate's hull, inverted."""
        return halving_time(self.rate)

    @property
    def pieces(self) -> tuple[Estimate, ...]:
        """Each piece of the set as an estimate of the rate; its value is the best rate inside."""
        found = []
        for piece in self.curve.pieces:
            inside = np.array([piece.contains(float(v)) for v in self.curve.values])
            at = np.flatnonzero(inside)[self.curve.objective[inside].argmin()] if inside.any() else None
            found.append(
                Estimate(
                    value=None if at is None else float(self.curve.values[at]),
                    low=piece.low,
                    high=piece.high,
                    level=self.setting.level,
                    unit="ln/yr",
                    interval="open_above" if piece.kind == "everything" else piece.kind,
                )
            )
        return tuple(found)

    def minima(self) -> list[dict[str, Any]]:
        """Return the dips of the curve, best first: rate, halving time, objective, deviance."""
        inner = [g for g in self.curve.minima if self.setting.low < g < self.setting.high]
        at = [int(np.searchsorted(self.curve.values, g)) for g in inner]
        rows = [
            {
                "rate_per_year": float(self.curve.values[i]),
                "halving_time_months": halving_months(float(self.curve.values[i])),
                "objective": float(self.curve.objective[i]),
                "deviance": float(self.curve.deviance[i]),
            }
            for i in at
        ]
        return sorted(rows, key=lambda row: row["objective"])

    def frame(self) -> pl.DataFrame:
        """Return the curve: rate, halving time, objective, deviance, both terms' rates, in the set or not."""
        import polars as pl

        values = self.curve.values
        terms = term_rates(self.fit.model, self.theta)
        return pl.DataFrame(
            {
                "rate_per_year": values,
                "halving_time_months": [halving_months(float(g)) for g in values],
                "objective": self.curve.objective,
                "objective_above_best": self.curve.objective - self.curve.best_objective,
                "deviance": self.curve.deviance,
                "threshold": np.full(len(values), self.curve.threshold),
                "in_set": self.curve.deviance <= self.curve.threshold,
                "parameter_rate": np.where(np.isfinite(terms[:, 0]), terms[:, 0], np.nan),
                "data_rate": np.where(np.isfinite(terms[:, 1]), terms[:, 1], np.nan),
            }
        ).with_columns(pl.col("parameter_rate", "data_rate").fill_nan(None))

    @property
    def doubts(self) -> tuple[str, ...]:
        """What limits the set itself."""
        said = []
        if len(self.curve.pieces) > 1:
            shown = " and ".join(
                f"{'…' if p.low is None else f'{p.low:.2f}'} to {'…' if p.high is None else f'{p.high:.2f}'}"
                for p in self.curve.pieces
            )
            said.append(
                f"the set of rates has {len(self.curve.pieces)} pieces ({shown} ln/yr): "
                "rates between them fit worse, and a single interval hides it."
            )
        if self.rate.low is None or self.rate.high is None:
            said.append(
                f"the set reaches an end of the searched range {self.setting.low:g} to "
                f"{self.setting.high:g} ln/yr: it is open there. Widen the range to see whether it closes."
            )
        if (self.rate.low or 0.0) <= 0.0:
            said.append("the set of rates reaches zero: no progress is not excluded on this evidence.")
        if self.setting.by == "row":
            said.append(
                "rows were taken as independent: rows of one paper are alike, so the set is too narrow."
            )
        said.append(
            "the profile assumes errors of one variance and takes the penalty as part of the likelihood; "
            "the bootstrap by paper assumes neither."
        )
        return tuple(said)

    @property
    def cautions(self) -> tuple[str, ...]:
        """What limits the set, then what limits the fit."""
        return (*self.doubts, *self.fit.cautions)

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the fit."""
        return self.fit.provenance

    @property
    def method(self) -> str:
        """One line: law, penalty, likelihood."""
        return f"law {self.fit.model.law.number}, L1 {self.fit.penalty.delta:g}, {self.method_of_interval}"

    @property
    def method_of_interval(self) -> str:
        """How the set was made."""
        unit = "papers" if self.setting.by == "paper" else "rows"
        return f"profile of the rate, deviance scaled for {unit} (variance × {self.widening:.2f})"

    def findings(self) -> tuple[Finding, ...]:
        """Return the rate and the halving time by profile."""
        details = json_ready(
            {
                "pieces": [{"value": p.value, "low": p.low, "high": p.high} for p in self.pieces],
                "minima": self.minima(),
                "widening": self.widening,
                "certified_share": self.certified,
            }
        )

        def finding(name: str, label: str, estimate: Estimate) -> Finding:
            return Finding(
                id=f"progress.{name}.profile",
                instrument="progress",
                label=label,
                estimate=estimate,
                method=self.method,
                n=self.fit.sample.n,
                evidence=self.provenance,
                seed=self.fit.seed,
                cautions=self.cautions,
                details=details | ({"unbounded": MEANING} if estimate.unit == "months" else {}),
            )

        return (
            finding("rate_per_year", "growth of effective compute, by profile", self.rate),
            finding("halving_time_months", "halving time, by profile", self.halving_time),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping."""
        return {
            "findings": [f.to_dict() for f in self.findings()],
            "curve": json_ready(self.frame().to_dicts()),
        }

    def summary(self) -> str:
        """Return the set, the dips and the cautions."""
        from isoflop.present import formats

        lines = [f"{self.fit.sample.table.name}: {self.method}"]
        lines += [f"  {f.label}: {formats.finding(f)}" for f in self.findings()]
        lines += [
            f"  dip at {row['rate_per_year']:.3f} ln/yr ({months_text(row['halving_time_months'], 2)}), "
            f"objective {row['objective']:.7f}, "
            f"deviance {row['deviance']:.2f} (threshold {self.curve.threshold:.2f})"
            for row in self.minima()
        ]
        return "\n".join([*lines, *(f"  caution: {c}" for c in self.cautions)])

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html


def profile_of_fit(fitted: ProgressFit, setting: Profile) -> RateProfile:
    """Return the profile of G of a fit; see `isoflop.progress.uncertainty.rate_profile.profile_rate`.

    Raises
    ------
    NotIdentifiedError
        The law has no single rate in each of two terms, or its rate has no standard error.
    SettingError
        No minimum's rate lies in the range.
    """
    columns = columns_of(fitted.model)
    search = _Search(fitted, columns)
    anchors = [float(g) for g in search.rates if setting.low < g < setting.high]
    if not anchors:
        raise SettingError(
            f"profile_rate: no minimum has its rate between {setting.low:g} and {setting.high:g} ln/yr. "
            "Widen the range."
        )
    grid = np.unique([*np.linspace(setting.low, setting.high, setting.points), *anchors])
    search.sweep(grid)
    widening = 1.0
    if setting.by == "paper":
        clustered, independent = rate_standard_error(fitted), rate_standard_error(fitted, by="row")
        widening = (clustered / independent) ** 2
    residual = fitted.fitted() - fitted.sample.outcome
    free = int(((fitted.theta != 0) | (fitted.penalty.strengths(fitted.model) == 0)).sum())
    variance = float(residual @ residual) / (fitted.sample.n - free)
    curve = trace(
        search.objective,
        grid,
        likelihood=KnownVariance(variance=variance * widening / fitted.sample.n),
        level=setting.level,
        tolerance=1e-4,
    )
    theta, residuals = search.at(curve.values)
    return RateProfile(
        fit=fitted,
        setting=setting,
        curve=curve,
        theta=theta,
        certified=float(np.mean(residuals <= CERTIFIED)),
        widening=widening,
    )


def columns_of(model: Model) -> RateColumns:
    """Return where a law keeps ay, an, by, bd.

    Raises
    ------
    NotIdentifiedError
        The law has no time term, or other rates than one in each of two terms.
    """
    require_time(model.law)
    law = model.law
    shared = law.second is not None and all(
        term.year == "shared" and term.size == "shared" for term in (law.first, law.second)
    )
    if not shared or law.common_year != "none" or model.options.split_year is not None:
        raise NotIdentifiedError(
            f"profile_rate: law {law.number} ({law.text}) has no single rate in each of two terms. "
            "Use law 1, 7, 19 or 20 without split_year, or a bootstrap."
        )
    return RateColumns(
        first_year=model.index("alpha_year"),
        first_size=model.index("alpha_param"),
        second_year=model.index("beta_year"),
        second_size=model.index("beta_data"),
    )


class _Search:
    """Solves at given rates and remembers every solution, so that each helps its neighbours."""

    def __init__(self, fitted: ProgressFit, columns: RateColumns) -> None:
        self.design = fitted.model.design(fitted.sample.features)
        self.y, self.columns = fitted.sample.outcome, columns
        self.l1 = fitted.penalty.strengths(fitted.model)
        thetas = np.array([b.theta for b in fitted.minima[:MAX_MINIMA]])
        terms = term_rates(fitted.model, thetas)
        known = np.isfinite(terms).all(axis=1)
        self.thetas, self.terms = thetas[known], terms[known]
        self.rates = self.terms.sum(axis=1)
        self.known: dict[float, tuple[float, Array, float, float]] = {}

    def sweep(self, grid: Array) -> None:
        """Solve on a rising grid from every minimum, then pass solutions to neighbours until none falls."""
        starts = []
        for theta, (u, v) in zip(self.thetas, self.terms, strict=True):
            starts += [(theta, np.full(len(grid), u)), (theta, grid - v)]
        for theta, first in starts:
            self._solve(grid, np.tile(theta, (len(grid), 1)), first)
        news = np.ones(len(grid), bool)
        for _ in range(SWEEPS):
            before = self._objectives(grid)
            for shift in (1, -1):
                to = np.flatnonzero(np.roll(news, shift))
                to = to[(to - shift >= 0) & (to - shift < len(grid))]
                if to.size:
                    near = [self.known[float(g)] for g in grid[to - shift]]
                    self._solve(grid[to], np.array([s[1] for s in near]), np.array([s[2] for s in near]))
            news = before - self._objectives(grid) > FELL
            if not news.any():
                return

    def objective(self, rates: Array) -> Array:
        """Return the least objective at each rate, starting from the nearest solutions on both sides."""
        fresh = np.array([g for g in rates.tolist() if g not in self.known])
        if fresh.size:
            solved = np.array(sorted(self.known))
            right = np.clip(np.searchsorted(solved, fresh), 1, len(solved) - 1)
            for side in (right - 1, right):
                near = [self.known[float(solved[i])] for i in side]
                self._solve(fresh, np.array([s[1] for s in near]), np.array([s[2] for s in near]))
        return self._objectives(rates)

    def at(self, rates: Array) -> tuple[Array, Array]:
        """Return parameters (g, p) and residuals (g,) at solved rates."""
        found = [self.known[float(g)] for g in rates]
        return np.array([s[1] for s in found]), np.array([s[3] for s in found])

    def _objectives(self, rates: Array) -> Array:
        return np.array([self.known[float(g)][0] for g in rates])

    def _solve(self, rates: Array, theta: Array, first_rate: Array) -> None:
        found: Constrained = minimise_at_rate(
            self.design, self.y, self.columns, rates=rates, theta=theta, first_rate=first_rate, l1=self.l1
        )
        for i, g in enumerate(rates.tolist()):
            if g not in self.known or found.objective[i] < self.known[g][0]:
                self.known[g] = (
                    float(found.objective[i]),
                    found.theta[i],
                    float(found.first_rate[i]),
                    float(found.residual[i]),
                )

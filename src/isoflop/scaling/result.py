"""A fitted law and what can be asked of it: parameters, predictions, slopes, resources, findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from isoflop.errors import EvidenceError, NoFitError, NotIdentifiedError, SettingError
from isoflop.findings import Estimate, Finding, Provenance, json_ready
from isoflop.present.notebook import result_html
from isoflop.scaling.certificate import Certificate, certify
from isoflop.scaling.estimate import Found, Problem, find, problem
from isoflop.scaling.model import Array, Law
from isoflop.scaling.resampling import PUBLISHED_SEED, Draws, Resample
from isoflop.scaling.runs import Runs
from isoflop.scaling.settings import SENSITIVITY_DELTAS, Huber, Objective, describe
from isoflop.stats.draws import draw_interval
from isoflop.stats.resample import Bootstrap

if TYPE_CHECKING:
    import polars as pl

FAR_DECADES = 1.0
"""An answer this many decades beyond the largest run carries a caution."""
SEARCH_DECADES = 12.0
BISECTIONS = 80
_EXPONENTS = ("alpha", "c")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Band:
    """Values along some inputs, with an interval where draws were made. Shapes (m,)."""

    value: Array
    low: Array | None
    high: Array | None
    level: float | None


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class LawFit:
    """A law fitted to runs.

    Parameters
    ----------
    runs : Runs
    law : Law
    found : Found
        Every certified minimum, best first.
    objective : Objective
    ci : Bootstrap or None
    draws : Draws or None
        Joint draws of all parameters, so that anything computed from them has an interval.
    """

    runs: Runs
    law: Law
    found: Found
    objective: Objective
    ci: Bootstrap | None
    draws: Draws | None
    resample: Resample = "pairs"
    weighed: str = ""

    @property
    def theta(self) -> Array:
        """Parameters in working coordinates, shape (p,)."""
        return self.found.best.theta

    @property
    def n(self) -> int:
        """Number of runs."""
        return self.runs.n

    @property
    def seed(self) -> int | None:
        """Seed of the draws."""
        if self.ci is None:
            return None
        return PUBLISHED_SEED if self.resample == "published" else self.ci.seed

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the fit."""
        return self.runs.provenance

    @cached_property
    def certificate(self) -> Certificate:
        """How sure it is that this is the optimum."""
        return certify(self.found)

    @cached_property
    def parameters(self) -> dict[str, Estimate]:
        """Reported parameters with their intervals, by name."""
        drawn = None if self.draws is None else self.law.report(self.draws.theta)
        out = {}
        for q in self.law.parameters:
            value = float(self.law.report(self.theta)[q.name])
            draws = None if drawn is None else drawn[q.name]
            out[q.name] = self.estimate(value, draws, unit=self.unit_of(q.unit))
        return out

    def unit_of(self, unit: str) -> str:
        """Return a parameter's unit, that of the outcome where the law says ``y``."""
        if unit != "y":
            return unit
        return "nats" if self.runs.outcome.endswith("_nats") else self.runs.outcome

    @cached_property
    def standard_errors(self) -> dict[str, float | None]:
        """Standard deviation of each reported parameter over the draws (n − 1); None without draws."""
        if self.draws is None:
            return dict.fromkeys(self.law.names)
        drawn = self.law.report(self.draws.finite)
        return {name: float(np.std(values, ddof=1)) for name, values in drawn.items()}

    @property
    def exponent_name(self) -> str | None:
        """The parameter that `exponent` is; None where it is a local slope."""
        names = [name for name in _EXPONENTS if name in self.law.names]
        return names[0] if names and len(self.law.inputs) == 1 else None

    @property
    def exponent(self) -> Estimate:
        """Slope d ln y / d ln x, negative where the error falls.

        For a law of one resource with one exponent it is that of the reducible error; for any other
        law, bent ones among them, the local slope of the whole error at the largest input.
        """
        name = self.exponent_name
        if name is not None:
            return self.parameters[name].map(lambda v: -v, unit="1")
        largest = self.runs.inputs(self.law.inputs).max(axis=1)
        return self.local_slope(dict(zip(self.law.inputs, np.exp(largest), strict=True)))[self.law.inputs[0]]

    def estimate(self, value: float, draws: ArrayLike | None, *, unit: str) -> Estimate:
        """Return a number with the interval of its draws, shape (R,), of the kind that `ci` asks for."""
        if draws is None or self.ci is None:
            return Estimate(value=value, unit=unit)
        found = draw_interval(self.ci, draws, point=value, on_failed="count")
        return Estimate(value=value, low=found.low, high=found.high, level=found.level, unit=unit)

    def predict(self, inputs: Mapping[str, ArrayLike]) -> Band:
        """Return the predicted outcome.

        Parameters
        ----------
        inputs : mapping of str to array, shape (m,), > 0
            Each input of the law, in its own unit.
        """
        u = self._log_inputs(inputs)
        value = np.exp(self.law.log_predict(self.theta[None], u)[0])
        if self.draws is None or self.ci is None:
            return Band(value=value, low=None, high=None, level=None)
        drawn = np.exp(self.law.log_predict(self.draws.finite, u))
        tail = (1 - self.ci.level) / 2
        low, high = np.quantile(drawn, [tail, 1 - tail], axis=0)
        return Band(value=value, low=low, high=high, level=self.ci.level)

    def local_slope(self, inputs: Mapping[str, float]) -> dict[str, Estimate]:
        """Return d ln y / d ln x of each input at one point."""
        u = self._log_inputs(inputs)
        value = self.law.slope(self.theta[None], u)[0, :, 0]
        drawn = None if self.draws is None else self.law.slope(self.draws.theta, u)[:, :, 0]
        return {
            name: self.estimate(float(value[k]), None if drawn is None else drawn[:, k], unit="1")
            for k, name in enumerate(self.law.inputs)
        }

    def invert(self, outcome: float, *, given: Mapping[str, float] | None = None) -> Estimate:
        """Return how much of one input reaches an outcome.

        Parameters
        ----------
        outcome : float, > 0
        given : mapping of str to float, optional
            The other inputs of the law; exactly one is left open.

        Raises
        ------
        NotIdentifiedError
            The law never reaches the outcome: it lies below the floor.
        """
        fixed = given or {}
        free = [name for name in self.law.inputs if name not in fixed]
        if len(free) != 1 or len(fixed) != len(self.law.inputs) - 1:
            raise SettingError(
                f"invert: given {', '.join(fixed) or 'nothing'}, needs all inputs but one of "
                f"{', '.join(self.law.inputs)}. Give the others."
            )
        theta = self.theta[None] if self.draws is None else np.vstack([self.theta[None], self.draws.finite])
        reached = self._bisect(theta, float(np.log(outcome)), free[0], fixed)
        if not np.isfinite(reached[0]):
            what, ask = ("never reached", "higher") if reached[0] > 0 else ("passed by every amount", "lower")
            raise NotIdentifiedError(
                f"invert: {self.runs.outcome} {outcome:g} is {what} under law {self.law.name} within "
                f"{SEARCH_DECADES:g} decades of the data. Ask for a {ask} one."
            )
        value = float(np.exp(reached[0]))
        if self.ci is None:
            return Estimate(value=value, unit=free[0])
        drawn = reached[1:]
        tail = (1 - self.ci.level) / 2
        low, high = np.quantile(drawn, [tail, 1 - tail], method="inverted_cdf")
        return Estimate(
            value=value,
            low=float(np.exp(low)),
            high=float(np.exp(high)),
            level=self.ci.level,
            unit=free[0],
            interval="open_above" if np.isposinf(high) else "closed",
        )

    def _bisect(self, theta: Array, target: float, name: str, fixed: Mapping[str, float]) -> Array:
        """Return ln of the input at which ln y falls to `target`, shape (B,).

        Infinite where it never does, minus infinite where every amount is already below.
        """
        u = self.runs.inputs((name,))[0]
        span = SEARCH_DECADES * np.log(10)
        low = np.full(len(theta), u.min() - span)
        high = np.full(len(theta), u.max() + span)

        def height(x: Array) -> Array:
            rows = np.array([x if k == name else np.full(len(x), np.log(fixed[k])) for k in self.law.inputs])
            return np.asarray(self.law.log_predict(theta, rows[:, :, None])[:, 0])

        passed, never = height(low) < target, height(high) > target
        reachable = ~(passed | never)
        for _ in range(BISECTIONS if reachable.any() else 0):
            middle = 0.5 * (low + high)
            above = height(middle) > target
            low, high = np.where(above, middle, low), np.where(above, high, middle)
        return np.where(reachable, 0.5 * (low + high), np.where(passed, -np.inf, np.inf))

    def _log_inputs(self, inputs: Mapping[str, ArrayLike]) -> Array:
        missing = [name for name in self.law.inputs if name not in inputs]
        if missing:
            raise SettingError(
                f"predict: no {missing[0]}, needs {', '.join(self.law.inputs)}. Give every input of the law."
            )
        columns = [np.atleast_1d(np.asarray(inputs[name], float)) for name in self.law.inputs]
        if any((~np.isfinite(c) | (c <= 0)).any() for c in columns):
            raise EvidenceError("predict: an input is not above 0, needs (0, inf).")
        return np.asarray(np.log(np.array(np.broadcast_arrays(*columns))))

    def delta_sensitivity(self) -> list[dict[str, Any]]:
        """Return the parameters under other widths of the Huber loss, with what each fit reached.

        Near-absolute losses look at few rows closely; where the answer moves with delta it rests
        on the shape of the residuals. A width whose fit is not certified has nulls for its numbers.
        """
        rows = []
        for delta in SENSITIVITY_DELTAS:
            one = problem(
                self.law,
                self.found.problem.u,
                self.found.problem.log_y,
                objective=Huber(delta=delta),
                weights=self.found.problem.weights,
            )
            got = self._refound(one)
            reported = {} if got is None else self.law.report(got.best.theta)
            rows.append(
                {
                    "delta": delta,
                    "objective": None if got is None else got.best.objective,
                    **{name: None if got is None else float(reported[name]) for name in self.law.names},
                }
            )
        return rows

    def _refound(self, one: Problem) -> Found | None:
        """Return minima near those of this fit, else from all starts; None where none is certified."""
        for starts in (np.array([m.theta for m in self.found.minima[:3]]), None):
            try:
                return find(one, starts)
            except NoFitError:
                continue
        return None

    @cached_property
    def residuals(self) -> Array:
        """ln observed − ln predicted, shape (n,)."""
        one = self.found.problem
        return np.asarray(one.log_y - one.law.log_predict(self.theta[None], one.u)[0])

    @property
    def method(self) -> str:
        """Law, objective and interval in one line."""
        said = f"law {self.law.name}: {self.law.formula}; {describe(self.objective)}{self.weighed}"
        if self.ci is None:
            return f"{said}; no interval"
        unit = "rows" if self.ci.by == "row" else f"clusters of {self.ci.by}"
        drawn = {
            "residual": "residuals",
            "wild": "signs of residuals",
            "published": "rows as the publication drew them",
        }.get(self.resample, unit)
        return f"{said}; {self.ci.kind} interval of {self.ci.reps} draws of {drawn}"

    @cached_property
    def cautions(self) -> tuple[str, ...]:
        """What limits the numbers, each with what would cure it."""
        from isoflop.scaling.fit_findings import fit_cautions

        return (*self.runs.cautions, *fit_cautions(self))

    def findings(self) -> tuple[Finding, ...]:
        """Return what the fit says on its own; the frontier adds the rest."""
        from isoflop.scaling.fit_findings import fit_findings

        return fit_findings(self)

    def frame(self) -> pl.DataFrame:
        """Return one row per parameter."""
        import polars as pl

        return pl.DataFrame(self.rows())

    def rows(self) -> list[dict[str, Any]]:
        """Return parameters with interval and standard error, JSON-ready."""
        return [
            {
                "parameter": q.name,
                "value": self.parameters[q.name].value,
                "low": self.parameters[q.name].low,
                "high": self.parameters[q.name].high,
                "se": self.standard_errors[q.name],
                "unit": self.unit_of(q.unit),
                "meaning": q.doc,
            }
            for q in self.law.parameters
        ]

    def minima_rows(self) -> list[dict[str, Any]]:
        """Return every certified minimum, best first, JSON-ready."""
        return [
            {
                "minimum": k + 1,
                "objective": m.objective,
                "residual": m.kkt,
                "share_of_starts": m.share_of_starts,
                **{name: float(value) for name, value in self.law.report(m.theta).items()},
            }
            for k, m in enumerate(self.found.minima)
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {
            "law": self.law.name,
            "formula": self.law.formula,
            "n": self.n,
            "method": self.method,
            "parameters": json_ready(self.rows()),
            "certificate": json_ready(self.certificate.to_dict()),
            "provenance": [p.to_dict() for p in self.provenance],
            "cautions": list(self.cautions),
        }

    def summary(self) -> str:
        """Return a text of one screen."""
        from isoflop.present import formats

        lines = [f"{self.law.name}: {self.law.formula}", f"{self.n} runs; {self.certificate}"]
        lines += [f"  {name:>8} = {formats.estimate(e)}" for name, e in self.parameters.items()]
        lines += [f"  ! {caution}" for caution in self.cautions]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html

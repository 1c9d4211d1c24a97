"""What a fit says: its findings, with the details that judge them, and its cautions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.findings import Estimate, Finding, equal_probability_quantiles, json_ready
from isoflop.progress.halving import (
    MEANING,
    MONTHS_AT_UNIT_RATE,
    halving_months,
    halving_time,
    months_text,
)
from isoflop.progress.rates import numeric_doubling_years, rate, term_rates
from isoflop.progress.result import TWO_BASINS_OBJECTIVE
from isoflop.units import MONTHS_PER_YEAR, multiple_per_year

if TYPE_CHECKING:
    from isoflop.progress.result import ProgressFit

FEW_DRAWS = 1000


def fit_findings(fitted: ProgressFit) -> tuple[Finding, ...]:
    """Return the rate and the halving time of a fit, and one of each for further benchmarks or classes."""
    rate_details: dict[str, Any] = {
        "multiple_per_year": multiple_per_year(_point(fitted)),
        "terms": term_rates(fitted.model, fitted.theta).tolist()
        if fitted.model.law.rates_are_constant
        else None,
        **_shares(fitted),
    }
    time_details: dict[str, Any] = {
        "unbounded": MEANING,
        "objective": fitted.objective,
        "certificate": fitted.certificate,
        "certified": fitted.certificate <= 1e-8,
        "minima": minima_rows(fitted),
        "law": fitted.model.law.number,
        "delta": fitted.penalty.delta,
        **_shares(fitted),
    }
    if fitted.compat == "paper":
        time_details["point"] = halving_months(_point(fitted))
    if fitted.model.law.rates_are_constant:
        time_details["numeric"] = MONTHS_PER_YEAR * float(numeric_doubling_years(fitted.model, fitted.theta))
    if fitted.draws is not None:
        finite = fitted.rate_draws[np.isfinite(fitted.rate_draws)]
        rate_details["draws"] = equal_probability_quantiles(finite)
        with np.errstate(divide="ignore"):
            time_details["draws"] = equal_probability_quantiles(MONTHS_AT_UNIT_RATE / finite)
    found = [
        _finding(
            fitted, "rate_per_year", "growth of effective compute from algorithms", fitted.rate, rate_details
        ),
        _finding(
            fitted,
            "halving_time_months",
            "halving time of the compute needed",
            fitted.halving_time,
            time_details,
        ),
    ]
    for qualifier, benchmark, is_transformer in _variants(fitted):
        estimate = fitted.rate_for(benchmark=benchmark, is_transformer=is_transformer)
        found.append(_finding(fitted, f"rate_per_year.{qualifier}", f"growth, {qualifier}", estimate, {}))
        found.append(
            _finding(
                fitted,
                f"halving_time_months.{qualifier}",
                f"halving time, {qualifier}",
                halving_time(estimate),
                {"unbounded": MEANING},
            )
        )
    return tuple(found)


def _variants(fitted: ProgressFit) -> list[tuple[str, str | None, bool]]:
    law = fitted.model.law
    by_benchmark = "benchmark" in (law.first.year, law.first.size) or (
        law.second is not None and "benchmark" in (law.second.year, law.second.size)
    )
    variants: list[tuple[str, str | None, bool]] = []
    if by_benchmark:
        variants += [(name.lower(), name, True) for name in fitted.sample.benchmarks[1:]]
    if law.by_class:
        variants.append(("not_transformer", None, False))
    return variants


def _shares(fitted: ProgressFit) -> dict[str, Any]:
    if fitted.draws is None or fitted.compat == "paper":
        return {}
    rates, theta = fitted.rate_draws, fitted.draws.theta
    known = ~np.isnan(rates)
    sizes = [fitted.model.index(n) for n in ("alpha_param", "beta_data") if n in fitted.model.names]
    return {
        "basin_shares": fitted.basin_shares,
        "share_no_progress": float(np.mean(rates[known] <= 0)),
        "share_exponent_not_positive": float(np.mean((theta[known][:, sizes] <= 0).any(axis=1)))
        if sizes
        else None,
        "failed_draws": int((~known).sum()),
    }


def minima_rows(fitted: ProgressFit) -> list[dict[str, Any]]:
    """Return one JSON-ready row for every minimum, best first."""
    timed = fitted.model.law.has_time
    rates = fitted.basin_rates() if timed else [None] * len(fitted.minima)
    shares = dict(enumerate(fitted.basin_shares)) if fitted.compat != "paper" else {}
    return [
        {
            "minimum": k + 1,
            "halving_time_months": None if g is None else halving_months(g),
            "rate_per_year": g,
            "objective": basin.objective,
            "objective_above_best": basin.objective - fitted.objective,
            "kkt": basin.kkt,
            "share_of_starts": basin.share_of_starts,
            "share_of_draws": shares.get(k),
            "from_zero_start": basin.from_zero,
            "theta": dict(zip(fitted.model.names, basin.theta.tolist(), strict=True)),
        }
        for k, (g, basin) in enumerate(zip(rates, fitted.minima, strict=True))
    ]


def _finding(
    fitted: ProgressFit, name: str, label: str, estimate: Estimate, details: Mapping[str, Any]
) -> Finding:
    return Finding(
        id=f"progress.{name}",
        instrument="progress",
        label=label,
        estimate=estimate,
        method=fitted.method,
        n=fitted.sample.n,
        evidence=fitted.provenance,
        seed=fitted.seed,
        cautions=fitted.cautions,
        details=json_ready(details),
    )


def fit_cautions(fitted: ProgressFit) -> list[str]:
    """Return what limits the rate of a fit, each with what would cure it."""
    said = []
    if fitted.compat == "paper":
        said.append(
            "the published procedure stops above the optimum "
            f"(KKT residual {fitted.certificate:.1e}): compare it with --compat converged."
        )
    elif fitted.has_two_basins:
        times = fitted.basin_halving_times()
        near = [
            f"{months_text(time)} (objective +{basin.objective - fitted.objective:.1e})"
            for basin, time in zip(fitted.minima[1:], times[1:], strict=True)
            if basin.objective - fitted.objective <= TWO_BASINS_OBJECTIVE
        ]
        said.append(
            f"two explanations fit almost equally: {months_text(times[0])}, and {', '.join(near)}. "
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
        if fitted.compat != "paper" and fitted.model.law.has_time:
            said += _interval_cautions(fitted.rate)
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


def _interval_cautions(growth: Estimate) -> list[str]:
    if (growth.low or 0.0) <= 0.0:
        return ["the interval of the rate reaches zero: no progress is not excluded on this evidence."]
    if growth.high is None:
        return [
            "the rate has no upper bound: some resamples leave parameters or data without effect. "
            "More rows of different sizes would cure it."
        ]
    return []


def _point(fitted: ProgressFit) -> float:
    return float(rate(fitted.model, fitted.theta))

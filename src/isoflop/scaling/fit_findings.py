"""What a fit says on its own: its exponents and its floor, with the details that judge them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from isoflop.findings import Estimate, Finding, Provenance, equal_probability_quantiles, json_ready
from isoflop.scaling.model import Array
from isoflop.scaling.settings import describe

if TYPE_CHECKING:
    from isoflop.scaling.result import LawFit

FEW_DRAWS = 1000
RISING_DRAWS = 0.01
"""Share of draws with an exponent not above 0 from which it is said."""
FEW_CLUSTERS = 10
"""Below it a cluster bootstrap is known to give intervals that are too narrow."""


def fit_details(fitted: LawFit) -> dict[str, Any]:
    """Return objective, certificate and parameters, as every finding of a fit carries them."""
    return {
        "law": fitted.law.name,
        "formula": fitted.law.formula,
        "objective": fitted.certificate.objective,
        "objective_kind": describe(fitted.objective),
        "certificate": fitted.certificate.to_dict(),
        "parameters": {
            name: {
                "value": estimate.value,
                "se": fitted.standard_errors[name],
                "low": estimate.low,
                "high": estimate.high,
            }
            for name, estimate in fitted.parameters.items()
        },
        "params_kind": fitted.runs.params,
    }


class Answering(Protocol):
    """What a finding takes from the result that it rests on."""

    @property
    def n(self) -> int: ...
    @property
    def seed(self) -> int | None: ...
    @property
    def method(self) -> str: ...
    @property
    def cautions(self) -> tuple[str, ...]: ...
    @property
    def provenance(self) -> tuple[Provenance, ...]: ...


def scaling_finding(
    result: Answering,
    name: str,
    label: str,
    estimate: Estimate,
    details: Mapping[str, Any],
    *,
    draws: Array | None = None,
    method: str | None = None,
    cautions: tuple[str, ...] = (),
) -> Finding:
    """Return a finding of `isoflop.scaling` that rests on a fit."""
    if draws is not None:
        details = {**details, "draws": equal_probability_quantiles(draws)}
    return Finding(
        id=f"scaling.{name}",
        instrument="scaling",
        label=label,
        estimate=estimate,
        method=method or result.method,
        n=result.n,
        evidence=result.provenance,
        seed=result.seed,
        cautions=(*result.cautions, *cautions),
        details=json_ready(details),
    )


def fit_findings(fitted: LawFit) -> tuple[Finding, ...]:
    """Return the exponents of a fit and its irreducible loss."""
    details = fit_details(fitted)
    found = []
    if len(fitted.law.inputs) == 1:
        found.append(
            scaling_finding(
                fitted,
                "exponent",
                f"exponent of the {'reducible loss' if fitted.exponent_name else 'loss, at its end,'} "
                f"in {fitted.runs.x or fitted.law.inputs[0]}",
                fitted.exponent,
                {**details, "kind": fitted.exponent_name or "local slope at the largest input"},
            )
        )
    else:
        u = fitted.runs.inputs(fitted.law.inputs)
        largest = np.exp(u[:, np.argmax(u[:2].sum(axis=0))])
        at = dict(zip(fitted.law.inputs, largest.tolist(), strict=True))
        for name, slope in fitted.local_slope(at).items():
            found.append(
                scaling_finding(
                    fitted,
                    f"elasticity.{name}",
                    f"elasticity of the loss in {name} at the largest run",
                    slope,
                    {"at": at},
                )
            )
    if "E" in fitted.parameters:
        drawn = None if fitted.draws is None else fitted.law.report(fitted.draws.finite)["E"]
        found.append(
            scaling_finding(
                fitted,
                "irreducible_loss",
                "irreducible loss E",
                fitted.parameters["E"],
                {"at_bound": "E" in fitted.certificate.at_bounds},
                draws=drawn,
            )
        )
    return tuple(found)


def fit_cautions(fitted: LawFit) -> list[str]:
    """Return what limits a fit, each with what would cure it."""
    seen, said = fitted.certificate, []
    if not seen.certified:
        said.append(
            f"the lowest point found is not certified (residual {seen.kkt:.1e}): its numbers may move. Add "
            "starts, or a smaller law."
        )
    if seen.has_rival:
        rival = ", ".join(f"{name} {value:.4g}" for name, value in seen.next_parameters.items())
        said.append(f"a second minimum fits within 1 % ({rival}): two explanations. More runs would decide.")
    if seen.at_bounds:
        said.append(
            f"{', '.join(seen.at_bounds)} lies at its bound: the law has more parameters than these runs "
            "need. Use a smaller law."
        )
    rising = [
        name
        for name in ("alpha", "beta")
        if name in fitted.parameters and (fitted.parameters[name].value or 0.0) <= 0
    ]
    if rising:
        said.append(
            f"{' and '.join(rising)} {'is' if len(rising) == 1 else 'are'} not above 0: the loss rises with "
            "that input, against expectation. Check its column, or add runs over a wider range."
        )
    if fitted.draws is not None:
        reported = fitted.law.report(fitted.draws.finite)
        below = [np.mean(reported[name] <= 0) for name in ("alpha", "beta") if name in reported]
        share = float(max(below, default=0.0))
        if share > RISING_DRAWS and not rising:
            said.append(
                f"an exponent is not above 0 in {share:.0%} of the draws: no gain from that input is not "
                "excluded. A wider range of it would cure it."
            )
    if "unique_tokens" not in fitted.law.inputs:
        said += fitted.runs.repetition
    if fitted.n == fitted.law.p:
        said.append("as many runs as parameters: the fit is saturated and says nothing of its own error.")
    if fitted.draws is not None and fitted.ci is not None:
        if fitted.draws.failed:
            said.append(
                f"{fitted.draws.failed} of {fitted.ci.reps} refits failed and are left out of intervals."
            )
        if fitted.draws.improved:
            said.append(
                f"{fitted.draws.improved} of {fitted.draws.audited} audited draws had a better optimum from "
                "fresh starts: the interval may be too narrow. More starts would cure it."
            )
        if fitted.ci.reps < FEW_DRAWS:
            said.append(
                f"{fitted.ci.reps} draws; below {FEW_DRAWS} the ends of the interval move from seed to seed."
            )
        if fitted.ci.by != "row":
            said += _few_clusters(fitted, fitted.ci.by)
        elif fitted.resample in ("pairs", "published"):
            said += _alike(fitted)
    return said


def _few_clusters(fitted: LawFit, by: str) -> list[str]:
    """Return the cautions on clusters: too few of them, or runs that name none."""
    said, count = [], len(np.unique(fitted.runs.clusters(by)))
    if count < FEW_CLUSTERS:
        said.append(
            f"the interval draws {count} clusters of {by}; below {FEW_CLUSTERS} it is too narrow. Runs of "
            "more would cure it; compare it with that over rows."
        )
    unnamed = fitted.runs.frame[by].null_count()
    if unnamed:
        said.append(f"{unnamed} runs have no {by} and are drawn as one cluster. Fill the column in.")
    return said


def _alike(fitted: LawFit) -> list[str]:
    """Return the caution that rows resampled one by one share a family, where some do."""
    if "family" not in fitted.runs.frame.columns:
        return []
    families = fitted.runs.frame["family"].drop_nulls().n_unique()
    if not 1 < families < fitted.n:
        return []
    return [
        f"rows were resampled one by one, but {fitted.n} runs come from {families} families whose runs are "
        "alike: the interval may be too narrow. Resample by family."
    ]

"""Findings of an evaluation: what each method reaches, and its gain over best on average."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoflop.findings import Estimate, Finding, equal_probability_quantiles
from isoflop.routing.evaluation.methods import METHODS

if TYPE_CHECKING:
    from isoflop.routing.evaluation.result import RoutingEvaluation

PROTOCOL: dict[str | None, str] = {
    None: "every dataset in turn a new task, nested: nothing about it or its labels is used",
    "paper": "every dataset in turn a new task, nested; copies of its prompts stay in the pool",
    "golden": "every dataset in turn a new task, as the stored numbers were made",
}
WITHIN = {
    "random": "five folds of prompts, other prompts of the same datasets in the pool",
    "origin": "the table's own split, training prompts of the same datasets in the pool",
}


def findings_of(found: RoutingEvaluation) -> tuple[Finding, ...]:
    """Return the findings.

    Ids: ``routing.<method>_score`` and, for all but best on average, ``routing.<method>_gain``, for the
    methods of `METHODS`; ``routing.p_hat_error`` and ``routing.p_hat_error.agreement`` where
    datasets are left out.
    """
    out = []
    for k, row in enumerate(found.rows()):
        out.append(_score(found, k, row))
        if k != found.base:
            out.append(_gain(found, k, row))
    kernel = "kernel over distances of tasks, width of the grid by training tasks"
    rates = "from the rates of predictions and of right answers, weights by training tasks; ours"
    sigma = {"sigma": sorted({float(s) for s in found.outcomes.sigma})}
    if found.split == "lodo":
        guess = "mean absolute error of the guessed accuracy of the predictors of correctness"
        out.append(_error(found, "routing.p_hat_error", guess, found.p_hat_error, kernel, sigma))
        out.append(
            _error(
                found,
                "routing.p_hat_error.agreement",
                f"{guess}, guessed from rates",
                found.agreement_error,
                rates,
                {},
            )
        )
    return tuple(out)


def _error(
    found: RoutingEvaluation,
    name: str,
    label: str,
    error: NDArray[np.float64],
    how: str,
    details: dict[str, Any],
) -> Finding:
    return _finding(
        found,
        name,
        label,
        Estimate(value=float(error.mean()), unit="1"),
        f"{how}; {_protocol(found)}",
        {
            "without_interval": "cells of a task share their prompts; the spread over tasks is over_datasets",
            "over_datasets": [float(v) for v in np.quantile(error, (0, 0.25, 0.5, 0.75, 1))],
        }
        | details,
    )


def _score(found: RoutingEvaluation, k: int, row: dict[str, Any]) -> Finding:
    name = found.methods[k]
    details = {key: row[key] for key in ("kind", "micro_score", "ratio_to_best", "regret", "mean_rank")}
    details |= {key: row[key] for key in ("pearson", "spearman", "same_as_best_on_average", "mean_params")}
    if name == "selector":
        details["abstained"] = found.abstained
        details["w"] = sorted({round(float(one.w), 4) for one in found.outcomes.selections})
    return _finding(
        found,
        f"routing.{name}_score",
        f"mean score over tasks: {METHODS[name].label}",
        found.macro.means[k],
        f"{METHODS[name].text} {_protocol(found).capitalize()}; {found.reps} resamples of tasks",
        details,
    )


def _gain(found: RoutingEvaluation, k: int, row: dict[str, Any]) -> Finding:
    name = found.methods[k]
    return _finding(
        found,
        f"routing.{name}_gain",
        f"{METHODS[name].label}, less best on average",
        found.macro.gains[k],
        f"paired difference over tasks, {found.reps} resamples of tasks; {_protocol(found)}",
        {key: row[key] for key in ("kind", "p_better", "wins", "ties", "losses", "micro_gain")}
        | {"draws": equal_probability_quantiles(found.macro.draws[k])},
    )


def _protocol(found: RoutingEvaluation) -> str:
    return PROTOCOL[found.compat] if found.split == "lodo" else WITHIN[found.split]


def _finding(
    found: RoutingEvaluation,
    name: str,
    label: str,
    estimate: Estimate,
    method: str,
    details: dict[str, Any],
) -> Finding:
    return Finding(
        id=name,
        instrument="routing",
        label=label,
        estimate=estimate,
        method=f"{method}; vectors: {found.encoder}",
        n=len(found.scored.datasets),
        evidence=found.provenance,
        seed=found.seed,
        cautions=found.cautions,
        details=details | {"split": found.split, "compat": found.compat},
    )

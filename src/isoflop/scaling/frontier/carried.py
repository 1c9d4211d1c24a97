"""What a finding carries so that a budget can be answered from it alone.

`isoflop.outlook` reads findings and no tables. With the law's name, the parameters of some replicates in
common order, the cost model, the units and the range of the data it finds the optimum of any budget.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from isoflop.findings import MAX_DRAWS
from isoflop.scaling.frontier.costs import Cost, cost_settings
from isoflop.scaling.model import Array
from isoflop.scaling.result import LawFit

DIGITS = 6
"""Digits kept of a drawn parameter: at ln D = 30 they leave an error of 3e-5 in ln of a power of D."""


def carried(fitted: LawFit, cost: Cost, exponent: Array | None) -> dict[str, Any]:
    """Return the details by which a finding answers for budgets.

    Parameters
    ----------
    fitted : LawFit
        A law of parameters and tokens.
    cost : Cost
    exponent : array, shape (R,), optional
        The frontier's exponent in each replicate; it orders the draws.

    Returns
    -------
    dict
        ``parameter_draws`` (name to at most 200 values, the same replicate at the same place, in rising
        order of the exponent), ``loss_unit``, ``data_flop``, ``data_params``, ``data_tokens`` ([low, high]
        of the runs), ``cost_unit`` and ``cost_settings``.
    """
    n, d = np.exp(fitted.runs.inputs(("params", "tokens")))
    return {
        "parameter_draws": _rows(fitted, exponent),
        "loss_unit": fitted.unit_of("y"),
        "data_flop": _span(cost.flop(n, d)),
        "data_params": _span(n),
        "data_tokens": _span(d),
        "cost_unit": cost.unit,
        "cost_settings": cost_settings(cost),
    }


def _rows(fitted: LawFit, exponent: Array | None) -> dict[str, list[float]]:
    if fitted.draws is None or exponent is None:
        return {}
    usable = np.flatnonzero(np.isfinite(exponent))
    usable = usable[np.argsort(exponent[usable], kind="stable")]
    # A systematic sample along the exponent spreads the few that are kept more evenly than chance would.
    count = min(MAX_DRAWS, usable.size)
    kept = usable[((np.arange(count) + 0.5) * usable.size / max(count, 1)).astype(np.int64)]
    reported = fitted.law.report(fitted.draws.theta[kept])
    return {name: [float(f"{v:.{DIGITS}g}") for v in reported[name]] for name in fitted.law.names}


def _span(values: Array) -> list[float]:
    return [float(values.min()), float(values.max())]

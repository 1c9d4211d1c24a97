"""Weights of the laws of one curve: from its own origins, those of other datasets, and its length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from isoflop.scaling.forecast.laws_of_curve import LawsOfCurve
from isoflop.scaling.forecast.settings import Stack
from isoflop.scaling.model import Array

LEAST_OTHERS = 3
"""Curves of other datasets needed before they say how laws usually do."""
FEW_PRIOR = 2.0
"""How much more the start counts where a curve has few rows."""
_FADES = 4


def usual_errors(laws: Sequence[LawsOfCurve]) -> tuple[Mapping[str, float], ...]:
    """Return, for each curve, the mean relative error of laws on curves of other datasets.

    Only fit parts enter, so that nothing of what is forecast is used. A law with fewer than
    `LEAST_OTHERS` such curves is left out.
    """
    own: dict[tuple[str, str], dict[str, list[float]]] = {}
    for one in laws:
        of_dataset = own.setdefault(one.curve.dataset, {})
        if one.origins:
            for name, error in zip(one.names, one.relative_errors, strict=True):
                of_dataset.setdefault(name, []).append(float(error))
    elsewhere = {dataset: _means([e for d, e in own.items() if d != dataset]) for dataset in own}
    return tuple(elsewhere[one.curve.dataset] for one in laws)


def _means(datasets: Sequence[Mapping[str, Sequence[float]]]) -> dict[str, float]:
    names = dict.fromkeys(name for errors in datasets for name in errors)
    found = {name: [e for errors in datasets for e in errors.get(name, ())] for name in names}
    return {name: float(np.mean(errors)) for name, errors in found.items() if len(errors) >= LEAST_OTHERS}


def stack_weights(of: LawsOfCurve, stack: Stack, usual: Mapping[str, float]) -> Array:
    """Return the weights of the laws of a curve, shape (L,), >= 0 and summing to 1.

    Parameters
    ----------
    of : LawsOfCurve
    stack : Stack
    usual : mapping
        Mean relative error of laws elsewhere; 1 for a law that is missing.
    """
    few = of.curve.rows < stack.few_rows
    strength = stack.prior_origins * (FEW_PRIOR if few else 1.0)
    start = np.array([usual.get(name, 1.0) for name in of.names])
    relative = (of.origins * of.relative_errors + strength * start) / (of.origins + strength)
    weights = 1.0 / (relative + stack.floor) ** 2
    weights /= weights.sum()
    return to_last_value(of, weights, stack)


def to_last_value(of: LawsOfCurve, weights: Array, stack: Stack) -> Array:
    """Move weight to `last_value` where a short curve's laws disagree about the change ahead.

    The share kept by the laws is D²/(D² + τ s²), with D their mean change of ln y at the horizon and s²
    its variance between laws plus the noise: a shrinkage of the change towards none. τ is at most 1 and
    fades with the fourth power of the number of rows.
    """
    if len(weights) == 1:
        return weights
    tau = min(1.0, (stack.few_rows / of.curve.rows) ** _FADES)
    at = np.array([np.log(of.horizon)])
    change = of.predict(at)[1:, 0] - of.curve.log_last
    share = weights[1:] / weights[1:].sum()
    mean = float(share @ change)
    variance = tau * (float(share @ (change - mean) ** 2) + of.curve.noise**2)
    kept = mean**2 / (mean**2 + variance) if variance > 0 else 1.0
    moved = weights * kept
    moved[0] += 1.0 - kept
    return moved

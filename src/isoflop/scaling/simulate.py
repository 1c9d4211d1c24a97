"""Runs with known truth: losses of the Chinchilla law on isoFLOP grids, with noise and outliers as asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from isoflop.errors import SettingError
from isoflop.scaling.laws import LAWS

if TYPE_CHECKING:
    from isoflop.evidence.table import Table

CHINCHILLA: Mapping[str, float] = {"A": 482.0, "B": 2085.0, "E": 1.817, "alpha": 0.348, "beta": 0.366}
"""Of the order of the published refit (Besiroglu et al. 2024)."""
BUDGETS = (6e18, 1e19, 3e19, 6e19, 1e20, 3e20, 6e20, 1e21, 3e21)


def planted_runs(
    truth: Mapping[str, float] = CHINCHILLA,
    *,
    budgets: tuple[float, ...] = BUDGETS,
    sizes: int = 9,
    half_width: float = 1.5,
    noise: float = 0.01,
    outliers: int = 0,
    seed: int = 0,
) -> Table:
    """Return runs on isoFLOP grids around the optimum of a planted Chinchilla law.

    Parameters
    ----------
    truth : mapping
        A, B, E, alpha, beta.
    budgets : tuple of float
        FLOP.
    sizes : int
        Models at each budget, evenly spaced in ln N.
    half_width : float
        Of the grid in ln N, around the optimum.
    noise : float
        Standard deviation of ln loss.
    outliers : int
        Runs whose loss is raised by 5 to 30 %.
    seed : int

    Returns
    -------
    Table
        Evidence of schema ``scaling_runs``.
    """
    import polars as pl

    from isoflop.evidence import load
    from isoflop.scaling.frontier.allocation import allocate
    from isoflop.scaling.frontier.costs import SixND

    if sizes < 1 or not budgets:
        raise SettingError(f"planted_runs: {sizes} sizes at {len(budgets)} budgets, needs some. Use 9.")
    law, rng = LAWS["chinchilla"], np.random.default_rng(seed)
    theta = law.working(truth)
    best = allocate(law, theta[None], np.array(budgets), SixND(), around=(0.0, 1.0)).params[0]
    log_n = np.log(best)[:, None] + np.linspace(-half_width, half_width, sizes)
    budget = np.repeat(np.array(budgets), sizes)
    params = np.exp(log_n).ravel()
    tokens = budget / (6.0 * params)
    log_loss = law.log_predict(theta[None], np.log([params, tokens]))[0] + rng.normal(0.0, noise, len(params))
    raised = rng.permutation(len(params))[:outliers]
    log_loss[raised] += np.log1p(rng.uniform(0.05, 0.3, len(raised)))
    frame = pl.DataFrame(
        {
            "run_id": [f"run {i + 1}" for i in range(len(params))],
            "source": "simulated",
            "params": params,
            "tokens": tokens,
            "train_flop": budget,
            "budget_flop": budget,
            "loss_nats": np.exp(log_loss),
        }
    )
    return load(frame, schema="scaling_runs", name="planted")

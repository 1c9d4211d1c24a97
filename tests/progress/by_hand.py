"""Fits with parameters set by hand, so that a test knows the truth without fitting."""

from __future__ import annotations

import numpy as np

from isoflop.progress.model import Model, Options, model
from isoflop.progress.result import Basin, Draws, ProgressFit
from isoflop.progress.sample import Sample
from isoflop.progress.settings import L1
from isoflop.stats.resample import Bootstrap

VALUES = {
    "alpha_const": 0.6,
    "alpha_year": 0.02,
    "alpha_param": 0.10,
    "alpha_compute": 0.06,
    "beta_const": 0.8,
    "beta_year": 0.03,
    "beta_data": 0.05,
    "alpha_rate": 0.001,
    "beta_rate": 0.0015,
    "gamma_vocabulary": 0.01,
    "gamma_year": 0.01,
    "transformer_shift": -0.05,
    "floor": 0.3,
}
SHIFTS = {"_ptb": 0.011, "_wt2": -0.007, "_t": 0.013}


def theta_of(chosen: Model) -> np.ndarray:
    """Return a plausible parameter vector for any law."""
    values = []
    for name in chosen.names:
        shift = next((s for s in SHIFTS if name.endswith(s)), None)
        if shift == "_t":
            values.append(VALUES[name.removesuffix("_t")] + SHIFTS["_t"])
        else:
            values.append(SHIFTS[shift] if shift else VALUES[name])
    return np.array(values)


def hand_fit(
    sample: Sample,
    law: int = 7,
    *,
    options: Options | None = None,
    reps: int = 0,
    theta: np.ndarray | None = None,
    seed: int = 0,
    **changes: float,
) -> ProgressFit:
    """Return a fit at `theta_of` the law, with single parameters changed by name, and made-up draws.

    With draws there are two minima: the second has its rates halved, and owns every third draw.
    """
    chosen = model(law, benchmarks=sample.benchmarks, normalisers=sample.normalisers, options=options)
    point = theta_of(chosen) if theta is None else theta.copy()
    for name, value in changes.items():
        point[chosen.index(name)] = value
    basins = [_basin(point, 0.05)]
    draws = None
    if reps:
        other = np.where([("year" in n) for n in chosen.names], point / 2, point)
        basins.append(_basin(other, 0.0505))
        basin = (np.arange(reps) % 3 == 2).astype(np.int64)
        spread = np.random.default_rng(seed).normal(1.0, 0.1, (reps, len(point)))
        drawn = np.where(basin[:, None] == 1, other, point) * spread
        draws = Draws(
            theta=drawn, basin=basin, by_basin=np.stack([drawn, drawn]), objective=np.full(reps, 0.05)
        )
    return ProgressFit(
        sample=sample,
        model=chosen,
        penalty=L1(),
        minima=tuple(basins),
        draws=draws,
        jackknife=None,
        ci=Bootstrap(reps=reps, by="paper", level=0.9) if reps else None,
        compat="converged",
        seed=0,
        starts=25,
    )


def _basin(theta: np.ndarray, objective: float) -> Basin:
    return Basin(theta=theta, objective=objective, kkt=1e-12, share_of_starts=0.5, from_zero=True)

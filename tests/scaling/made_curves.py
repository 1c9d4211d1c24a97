"""Learning curves of known laws, as tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from isoflop.evidence import Table, load
from isoflop.scaling.laws import LAWS

TRUTH: dict[str, dict[str, float]] = {
    "power": {"A": 5.0, "alpha": 0.25},
    "power_floor": {"E": 0.3, "A": 4.0, "alpha": 0.35},
    "m3": {"beta": 6.0, "gamma": 2e-4, "c": 0.4},
    "m4": {"E": 0.15, "span": 0.8, "kappa": 0.7, "beta": 9.0, "c": 0.5},
    "shifted_power": {"E": 0.2, "A": 8.0, "alpha": 0.5, "s": 60.0},
    "bnsl_1": {"a": 0.1, "b": 3.0, "c0": 0.1, "c1": 0.4, "d1": 400.0, "f1": 0.4},
    "sigmoid": {"lo": 0.2, "span": 0.6, "k": 0.9, "x0": 500.0},
    "log_linear": {"a": 2.5, "b": 0.17},
}
FIRST, LAST = 10.0, 1e4
"""Range of x that is fitted; the forecast part follows."""


def outcome(law: str, x: np.ndarray) -> np.ndarray:
    """Return y of a law with its true parameters, shape (n,)."""
    return np.exp(LAWS[law].log_predict(LAWS[law].working(TRUTH[law]), np.log(x)[None])[0])


def rows(
    law: str,
    *,
    n: int = 40,
    horizon: float = 2.0,
    ahead: int = 6,
    noise: float = 0.0,
    seed: int = 0,
    **columns: Any,
) -> pl.DataFrame:
    """Return one curve: `n` points to fit, evenly spaced in ln x, and `ahead` points beyond them."""
    x = np.concatenate(
        [np.geomspace(FIRST, LAST, n), LAST * horizon ** (np.arange(1, ahead + 1) / max(ahead, 1))]
    )
    y = outcome(law, x) * np.exp(noise * np.random.default_rng(seed).standard_normal(x.size))
    text = {"curve_id": law, "domain": "made", "task": law, "model": "m", "x_unit": "examples"}
    return pl.DataFrame(
        {
            **{name: [value] * x.size for name, value in {**text, **columns}.items()},
            "x": x,
            "outcome": y,
            "outcome_kind": ["error"] * x.size,
            "is_fit": [1] * n + [0] * ahead,
        }
    )


def table(*frames: pl.DataFrame) -> Table:
    """Return curves as a table of evidence."""
    return load(pl.concat(frames), schema="learning_curves", name="made")


def family(count: int = 8, *, n: int = 20, noise: float = 0.01, **given: Any) -> Table:
    """Return `count` noisy curves, each a dataset of its own."""
    laws = [law for law in TRUTH if law != "log_linear"]
    return table(
        *(
            rows(laws[i % len(laws)], n=n, noise=noise, seed=i, curve_id=f"c{i}", task=f"t{i}", **given)
            for i in range(count)
        )
    )

"""Findings with known truth: growth rates, and a frontier law whose parameters are drawn."""

from __future__ import annotations

import numpy as np

from isoflop.findings import Estimate, Finding
from isoflop.outlook.model import DOUBLING, EXPONENT, GAIN, GAP, RATE, SLOWDOWN

UNITS = {RATE: "ln/yr", DOUBLING: "months", GAP: "orders of magnitude", SLOWDOWN: "×", GAIN: "×"}
LAW = {"A": 400.0, "B": 1800.0, "E": 1.8, "alpha": 0.34, "beta": 0.37}
DATA_FLOP = (1e18, 1e22)


def frontier(*, spread: float = 0.0, draws: int = 200, seed: int = 0, **details) -> Finding:
    """Return the finding that carries a planted law; `spread` is that of ln A, B and of E."""
    rng = np.random.default_rng(seed)
    drawn = {name: np.full(draws, value) for name, value in LAW.items()}
    for name in ("A", "B", "E"):
        drawn[name] = LAW[name] * np.exp(spread * rng.standard_normal(draws))
    given = {
        "law": "chinchilla",
        "parameters": {name: {"value": value, "se": None} for name, value in LAW.items()},
        "parameter_draws": {name: values.tolist() for name, values in drawn.items()} if draws else {},
        "loss_unit": "nats",
        "data_flop": list(DATA_FLOP),
        "data_params": [1e7, 1e10],
        "data_tokens": [1e9, 1e12],
        "cost_unit": "FLOP",
        "cost_settings": {"kind": "6nd"},
    }
    a = LAW["beta"] / (LAW["alpha"] + LAW["beta"])
    return Finding(
        id=EXPONENT,
        instrument="scaling",
        label="exponent a of optimal parameters in compute",
        estimate=Estimate(value=a, unit="1"),
        method="planted",
        n=100,
        details=given | details,
    )


def given(id: str, value: float | None, *, draws=None, **details) -> Finding:
    """Return a finding of a factor or a rate."""
    if draws is not None:
        details["draws"] = [float(v) for v in draws]
    return Finding(
        id=id,
        instrument=id.partition(".")[0],
        label=id,
        estimate=Estimate(value=value, unit=UNITS.get(".".join(id.split(".")[:2]), "1")),
        method="planted",
        n=1,
        details=details,
    )


def growing(rate: float = 1.0, doubling: float = 6.0) -> list[Finding]:
    """Return exact growth rates."""
    return [given(RATE, rate), given(DOUBLING, doubling)]

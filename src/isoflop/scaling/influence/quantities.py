"""The numbers whose dependence on single runs is followed: parameters, and what is computed from them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from isoflop.scaling.frontier.allocation import allocate, frontier_exponents
from isoflop.scaling.frontier.costs import SixND
from isoflop.scaling.model import Array, Law

WORDS: Mapping[str, str] = {
    "a": "exponent a of optimal parameters",
    "tokens_per_param": "optimal tokens per parameter",
}


def quantities(law: Law, theta: Array, *, at_flop: float) -> dict[str, Array]:
    """Return every reported parameter, shape (B,), and for a law of N and D the optimum it implies.

    Parameters
    ----------
    theta : array, shape (B, p)
    at_flop : float
        Budget at which D*/N* is taken.
    """
    out = {name: np.asarray(value) for name, value in law.report(theta).items()}
    if law.name == "chinchilla":
        out["a"] = frontier_exponents(law, theta)[0]
        found = allocate(law, theta, np.array([at_flop]), SixND(), around=(0.0, 1.0))
        out["tokens_per_param"] = (found.tokens / found.params)[:, 0]
    return out

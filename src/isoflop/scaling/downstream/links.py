"""From a loss to an accuracy: the second step, as data.

Accuracy falls as the loss rises. A link is fitted on z, the loss measured from its mean in units of its
spread, so that starts and steps mean the same on every task. Accuracy near chance is modelled by the
link's floor; nothing is subtracted from the data.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import SettingError, closest
from isoflop.stats.jets import Expansion, Jet, constants, exp, expansion, first_order, seeds, softplus
from isoflop.stats.newton import Model

Array = NDArray[np.float64]

STEEPNESS = (0.3, 1.0, 3.0)
"""Starts of the steepness, per standard deviation of the loss."""
MIDDLES = (-2.0, 0.0, 1.5)
FLOORS = (0.3, 0.9)
"""Starts of the floor, as shares of the smallest accuracy."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Link:
    """One form of accuracy as a function of loss.

    Parameters
    ----------
    name, formula, citation : str
    names : tuple of str
        Parameters in working coordinates: logits of floor and ceiling, ln of the steepness, the middle.
    accuracy : callable
        ``(theta jets, z) -> accuracy``.
    starts : callable
        ``(smallest accuracy) -> (S, p)``.
    """

    name: str
    formula: str
    citation: str
    names: tuple[str, ...]
    accuracy: Callable[[Sequence[Jet], Array], Jet]
    starts: Callable[[float], Array]

    @property
    def p(self) -> int:
        """Number of parameters."""
        return len(self.names)

    def predict(self, theta: Array, z: Array) -> Array:
        """Return accuracies in [0, 1], shape (B, n), at z of shape (n,) or (B, n)."""
        theta = np.atleast_2d(theta)
        with np.errstate(over="ignore", invalid="ignore"):
            value = self.accuracy(constants(theta.T[:, :, None]), z).value
        return np.asarray(np.clip(np.broadcast_to(value, (len(theta), z.shape[-1])), 0.0, 1.0))

    def model(self, z: Array, replicates: int) -> Model:
        """Return the link for `fit_model`; z is (T, n) by task, each with `replicates` rows of weights."""

        def at(theta: Array, rows: NDArray[np.int64], order: int) -> Expansion:
            here = z[rows // replicates]
            shape = (len(theta), z.shape[1])
            if not order:
                return Expansion(
                    value=np.broadcast_to(self.accuracy(constants(theta.T[:, :, None]), here).value, shape)
                )
            jet = self.accuracy(first_order(seeds(theta.T[:, :, None])), here)
            return expansion(jet, self.p, shape)

        return at


def _share(logit: Jet) -> Jet:
    return exp(-softplus(-logit))


def _logistic(theta: Sequence[Jet], z: Array) -> Jet:
    floor, steep, middle = theta
    low = _share(floor)
    return low + (1.0 - low) * exp(-softplus(exp(steep) * (z - middle)))


def _free_ceiling(theta: Sequence[Jet], z: Array) -> Jet:
    floor, ceiling, steep, middle = theta
    low = _share(floor)
    return low + (1.0 - low) * _share(ceiling) * exp(-softplus(exp(steep) * (z - middle)))


def _exponential(theta: Sequence[Jet], z: Array) -> Jet:
    floor, height, steep = theta
    return _share(floor) + exp(height - exp(steep) * z)


def _logit(share: float) -> float:
    share = min(max(share, 1e-3), 0.999)
    return float(np.log(share / (1.0 - share)))


def _logistic_starts(least: float) -> Array:
    return np.array(
        [[_logit(least * f), np.log(k), middle] for f, k, middle in product(FLOORS, STEEPNESS, MIDDLES)]
    )


def _free_ceiling_starts(least: float) -> Array:
    short = _logistic_starts(least)
    return np.vstack([np.insert(short, 1, _logit(c), axis=1) for c in (0.3, 0.9)])


def _exponential_starts(least: float) -> Array:
    return np.array(
        [[_logit(least * f), h, np.log(k)] for f, h, k in product(FLOORS, (-3.0, -1.0), STEEPNESS)]
    )


LINKS: dict[str, Link] = {
    link.name: link
    for link in (
        Link(
            name="logistic",
            formula="1 - (1 - floor)/(1 + exp(-k (L - L0)))",
            citation="Bhagia et al. (2024), arXiv 2412.04403, with the ceiling at 1",
            names=("floor", "k", "L0"),
            accuracy=_logistic,
            starts=_logistic_starts,
        ),
        Link(
            name="logistic_free",
            formula="b + a/(1 + exp(-k (L - L0))), ceiling b, drop a < 0",
            citation="Bhagia et al. (2024), arXiv 2412.04403",
            names=("floor", "ceiling", "k", "L0"),
            accuracy=_free_ceiling,
            starts=_free_ceiling_starts,
        ),
        Link(
            name="exponential",
            formula="1 - (epsilon - k exp(-gamma L))",
            citation="Gadre et al. (2024), arXiv 2403.08540: error = epsilon - k exp(-gamma L)",
            names=("floor", "k", "gamma"),
            accuracy=_exponential,
            starts=_exponential_starts,
        ),
    )
}


def link_named(name: str) -> Link:
    """Return a link by name.

    Raises
    ------
    SettingError
        There is none of that name.
    """
    if name not in LINKS:
        near = closest(name, LINKS)
        hint = f"Did you mean {near!r}?" if near else "Use 'logistic'."
        raise SettingError(f"downstream: link={name!r}, must be one of {', '.join(LINKS)}. {hint}")
    return LINKS[name]

"""What a scaling law is: a formula, its parameters, and how to fit it.

A law predicts an error-like outcome y > 0 from one or more resources. All laws are fitted in log
space: ``log_predict`` gives ln y at u = ln(resource). Parameters live in *working* coordinates in
which they are free: ln A for a positive A, the logit for a share. `Law.report` turns them into the
numbers that a paper prints. Parameters such as alpha and beta are positive where the error falls; a
slope or ``exponent`` is d ln y / d ln x, negative there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from isoflop.stats.exp_sum import ExpSumDesign

Array = NDArray[np.float64]
Transform = Literal["identity", "log", "logit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of a law.

    Parameters
    ----------
    name : str
        As the literature writes it: ``A``, ``E``, ``alpha``.
    unit : str
    low, high : float
        Open range of the reported number; the working coordinate covers it without bounds.
    transform : {"identity", "log", "logit"}
        From the reported number to the working coordinate; logit maps (low, high) to the line.
    doc : str
    """

    name: str
    unit: str = "1"
    low: float = -np.inf
    high: float = np.inf
    transform: Transform = "identity"
    doc: str = ""

    def to_working(self, reported: float | Array) -> Array:
        """Return the working coordinate of a reported number."""
        reported = np.asarray(reported, float)
        if self.transform == "log":
            return np.asarray(np.log(reported))
        if self.transform == "logit":
            return np.asarray(np.log((reported - self.low) / (self.high - reported)))
        return reported

    def to_reported(self, working: float | Array) -> Array:
        """Return the number that a paper prints, of a working coordinate."""
        working = np.asarray(working, float)
        if self.transform == "log":
            with np.errstate(over="ignore"):
                return np.asarray(np.exp(working))
        if self.transform == "logit":
            return np.asarray(self.low + (self.high - self.low) * 0.5 * (1.0 + np.tanh(0.5 * working)))
        return working


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Law:
    """A scaling law, as data.

    Shapes: theta (B, p) holds B parameter vectors in working coordinates; u (k, n) holds ln of the
    k inputs of n rows, in the order of `inputs`.

    Parameters
    ----------
    name : str
        Key in `LAWS`.
    formula : str
        As printed, in reported parameters.
    citation : str
    inputs : tuple of str
        Columns of ``scaling_runs``, or ``("x",)`` for a law of any single resource.
    parameters : tuple of Parameter
    log_predict : callable
        ``(theta, u) -> (B, n)``, ln y.
    derivatives : callable
        ``(theta, u) -> (ln y (B, n), gradient (B, n, p), second derivatives (B, n, p, p))``.
    starts : callable
        ``(u, log_y) -> (S, p)``, starts read off the data.
    slope : callable
        ``(theta, u) -> (B, k, n)``, d ln y / d ln x of each input.
    sum_of_powers : callable or None
        ``u -> ExpSumDesign`` where the law is a sum of powers, so that the fast engine serves it.
    centre : callable or None
        ``means (k,) -> (p, p)``, T with theta = T theta_c for inputs measured from their means; None
        leaves the coordinates as they are.
    check : callable
        Raises `EvidenceError` where the rows cannot tell the parameters apart; ``(u,) -> None``.
    advice : str
        When to use it, one sentence.
    """

    name: str
    formula: str
    citation: str
    inputs: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    log_predict: Callable[[Array, Array], Array]
    derivatives: Callable[[Array, Array], tuple[Array, Array, Array]]
    starts: Callable[[Array, Array], Array]
    slope: Callable[[Array, Array], Array]
    check: Callable[[Array], None]
    advice: str
    sum_of_powers: Callable[[Array], ExpSumDesign] | None = None
    centre: Callable[[Array], Array] | None = None

    @property
    def p(self) -> int:
        """Number of parameters."""
        return len(self.parameters)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters, in order."""
        return tuple(parameter.name for parameter in self.parameters)

    def report(self, theta: Array) -> dict[str, Array]:
        """Return the reported parameters of working ones, shape (..., p), by name."""
        theta = np.asarray(theta, float)
        return {q.name: q.to_reported(theta[..., j]) for j, q in enumerate(self.parameters)}

    def working(self, reported: Mapping[str, float]) -> Array:
        """Return working coordinates, shape (p,), of reported parameters."""
        return np.array([float(q.to_working(reported[q.name])) for q in self.parameters])

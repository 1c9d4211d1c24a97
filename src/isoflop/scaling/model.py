"""What a scaling law is: a formula, its parameters, and how to fit it.

A law predicts an error-like outcome y > 0 from one or more resources. All laws are fitted in log
space: ``log_predict`` gives ln y at u = ln(resource). Parameters live in *working* coordinates in
which they are free: ln A for a positive A, the logit for a share. `Law.report` turns them into the
numbers that a paper prints. The formula is written once, over jets, and every derivative follows from
it. Parameters such as alpha and beta are positive where the error falls; a
slope or ``exponent`` is d ln y / d ln x, negative there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from isoflop.stats.exp_sum import ExpSumDesign
from isoflop.stats.jets import Expansion, Jet, constants, expansion, first_order, seeds
from isoflop.stats.newton import Model

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
    is_floor : bool
        An additive part of y that may vanish: far below the smallest y it is at its bound, zero.
    """

    name: str
    unit: str = "1"
    low: float = -np.inf
    high: float = np.inf
    transform: Transform = "identity"
    doc: str = ""
    is_floor: bool = False

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


Formula = Callable[[Sequence[Jet], Sequence[Jet]], Jet]
"""``(theta, u) -> ln y``: one jet per parameter (B, 1) and per input (n,) or (B, n)."""
Centring = Callable[[Array], tuple[Array, Array]]
"""``means (k,) -> T (p, p), t (p,)`` with theta = T theta_c + t for inputs measured from their means."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Law:
    """A scaling law, as data.

    Shapes: theta (B, p) or (p,) holds B parameter vectors in working coordinates; u (k, n) holds ln
    of the k inputs of n rows, in the order of `inputs`, or (k, B, n) where each vector has rows of its own.

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
    log_y : callable
        The formula: ``(theta jets, u jets) -> ln y``.
    starts : callable
        ``(u, log_y (n,)) -> (S, p)``, starts read off the data; S does not depend on the data.
    centre : callable
        ``means (k,) -> T (p, p), t (p,)``, theta = T theta_c + t for inputs measured from their means,
        or in other units. t is zero where `sum_of_powers` is given.
    check : callable
        Raises `EvidenceError` where the rows cannot tell the parameters apart; ``(u,) -> None``.
    advice : str
        When to use it, one sentence.
    sum_of_powers : callable or None
        ``u -> ExpSumDesign`` where the law is a sum of powers, so that the fast engine serves it.
    same_unit : tuple of pairs
        Inputs (i, j) that are compared with each other, so that j is measured from where i is.
    """

    name: str
    formula: str
    citation: str
    inputs: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    log_y: Formula
    starts: Callable[[Array, Array], Array]
    centre: Centring
    check: Callable[[Array], None]
    advice: str
    sum_of_powers: Callable[[Array], ExpSumDesign] | None = None
    same_unit: tuple[tuple[int, int], ...] = ()

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

    def middle(self, u: Array) -> Array:
        """Return where to measure each input from, shape (k,): means of u, shape (k, n), in common units."""
        means = np.asarray(np.asarray(u, float).mean(axis=1))
        for first, second in self.same_unit:
            means[second] = means[first]
        return means

    def expand(self, theta: Array, u: Array, order: int) -> Expansion:
        """Return ln y, shape (B, n), with derivatives in theta up to `order` (0, 1 or 2)."""
        theta, u, shape = _shapes(theta, u)
        columns = theta.T[:, :, None]
        with np.errstate(all="ignore"):  # parameters out of range show in the values, not as warnings
            if order == 0:
                value = self.log_y(constants(columns), constants(u)).value
                return Expansion(value=np.broadcast_to(value, shape))
            variables = seeds(columns)
            jet = self.log_y(variables if order > 1 else first_order(variables), constants(u))
        return expansion(jet, self.p, shape)

    def log_predict(self, theta: Array, u: Array) -> Array:
        """Return ln y, shape (B, n)."""
        return self.expand(theta, u, 0).value

    def gradient(self, theta: Array, u: Array) -> tuple[Array, Array]:
        """Return ln y, shape (B, n), and its gradient in theta, (B, n, p)."""
        found = self.expand(theta, u, 1)
        assert found.jacobian is not None
        return found.value, found.jacobian.swapaxes(1, 2)

    def derivatives(self, theta: Array, u: Array) -> tuple[Array, Array, Array]:
        """Return ln y (B, n), its gradient (B, n, p) and its second derivatives (B, n, p, p) in theta."""
        theta, u, shape = _shapes(theta, u)
        jet = self.log_y(seeds(theta.T[:, :, None]), constants(u))
        found = expansion(jet, self.p, shape)
        assert found.jacobian is not None
        second = np.zeros((*shape, self.p, self.p))
        for (i, j), d in (jet.second or {}).items():
            second[:, :, i, j] = second[:, :, j, i] = d
        return found.value, found.jacobian.swapaxes(1, 2), second

    def slope(self, theta: Array, u: Array) -> Array:
        """Return d ln y / d ln x of each input, shape (B, k, n); negative where y falls."""
        theta, u, shape = _shapes(theta, u)
        jet = self.log_y(constants(theta.T[:, :, None]), first_order(seeds(u)))
        return np.stack(
            [np.broadcast_to(jet.first.get(i, np.zeros(1)), shape) for i in range(len(u))], axis=1
        )

    def model(self, u: Array) -> Model:
        """Return the law at inputs u, shape (k, n), or (k, R, n) by row of weights, for `fit_model`."""
        u = np.asarray(u, float)

        def at(theta: Array, rows: NDArray[np.int64], order: int) -> Expansion:
            return self.expand(theta, u if u.ndim == 2 else u[:, rows], order)

        return at


def _shapes(theta: Array, u: Array) -> tuple[Array, Array, tuple[int, int]]:
    theta = np.atleast_2d(np.asarray(theta, float))
    u = np.asarray(u, float)
    return theta, u, (len(theta), u.shape[-1])

"""When rows cannot tell the parameters of a law apart, and how parameters move with the units of inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from isoflop.errors import EvidenceError, SettingError
from isoflop.scaling.model import Array, Centring

MAX_CONDITION = 1e6
"""Condition number of the centred (ln N, ln D) beyond which alpha and beta are one number."""
_SAME_RATIO = 1e-9
"""Spread of ln(D/N) below this means one ratio, up to rounding of published digits."""


def distinct_x(p: int, *, instead: str = "") -> Callable[[Array], None]:
    """Return a check that u, shape (1, n), holds more distinct values than a law has parameters.

    Parameters
    ----------
    p : int
    instead : str
        A law that needs fewer, named in the message.
    """

    def check(u: Array) -> None:
        distinct = len(np.unique(u[0]))
        if distinct <= p:
            cure = f"Use law '{instead}'." if instead else "Add runs at other scales."
            raise EvidenceError(f"fit: {distinct} distinct x for {p} free parameters, needs {p + 1}. {cure}")

    return check


def off_the_ray(p: int) -> Callable[[Array], None]:
    """Return a check that u = (ln N, ln D, …), shape (k, n), spans a plane and has enough rows."""

    def check(u: Array) -> None:
        distinct = len(np.unique(u, axis=1).T)
        if distinct <= p:
            raise EvidenceError(
                f"fit: {distinct} distinct (N, D) for {p} free parameters, needs {p + 1}. "
                "Add runs at other scales."
            )
        ratio = u[1] - u[0]
        if np.ptp(ratio) <= _SAME_RATIO * (1.0 + np.abs(ratio).max()):
            raise EvidenceError(
                f"fit: all runs have D/N = {np.exp(ratio[0]):.3g}; alpha and beta cannot be told apart. "
                "Add runs off the ray."
            )
        spread = np.linalg.svd(u[:2] - u[:2].mean(axis=1, keepdims=True), compute_uv=False)
        if spread[0] > MAX_CONDITION * spread[1]:
            raise EvidenceError(
                "fit: ln N and ln D are collinear (condition number "
                f"{spread[0] / max(spread[1], 1e-300):.1e}), needs one below {MAX_CONDITION:.0e}. "
                "Vary tokens and parameters independently."
            )

    return check


def shifts(
    p: int,
    *,
    by_exponent: Mapping[tuple[int, int], Mapping[int, float]] | None = None,
    by_unit: Mapping[int, Mapping[int, float]] | None = None,
    same_unit: tuple[tuple[int, int], ...] = (),
) -> Centring:
    """Return how theta moves when input i is measured from m_i instead of from 0.

    Parameters
    ----------
    p : int
    by_exponent : mapping
        ``{(row, column): {input: factor}}``: theta_row = theta_c,row + factor·m_input·theta_c,column.
    by_unit : mapping
        ``{row: {input: factor}}``: theta_row = theta_c,row + factor·m_input.
    same_unit : tuple of pairs
        Inputs that must move alike; `Law.middle` sees to it.
    """

    def centre(means: Array) -> tuple[Array, Array]:
        for first, second in same_unit:
            if means[first] != means[second]:
                raise SettingError(
                    f"centre: inputs {first} and {second} move by {means[first]:.3g} and "
                    f"{means[second]:.3g}, must move alike. Take the means from the law's middle()."
                )
        matrix, offset = np.eye(p), np.zeros(p)
        for cell, factors in (by_exponent or {}).items():
            matrix[cell] += sum(factor * means[i] for i, factor in factors.items())
        for row, factors in (by_unit or {}).items():
            offset[row] += sum(factor * means[i] for i, factor in factors.items())
        return matrix, offset

    return centre

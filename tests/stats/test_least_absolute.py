"""The vertex of a least-absolute fit against a linear program."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.stats.least_absolute import to_vertex


def problem(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(41, 3))
    return (
        x,
        x @ np.array([1.0, -2.0, 0.5]) + rng.standard_t(2, size=41),
        rng.integers(1, 4, 41).astype(float),
    )


def program(x, y, w):
    from scipy.optimize import linprog

    n, p = x.shape
    return linprog(
        np.r_[np.zeros(p), w, w],
        A_eq=np.hstack([x, np.eye(n), -np.eye(n)]),
        b_eq=y,
        bounds=[(None, None)] * p + [(0, None)] * (2 * n),
    )


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_a_point_near_the_optimum_moves_to_the_vertex_of_the_linear_program(seed, weighted):
    x, y, w = problem(seed)
    w = w if weighted else np.ones(len(y))
    oracle = program(x, y, w)
    near = oracle.x[:3] + 1e-9
    end = to_vertex(lambda t: x @ t, lambda _: x, y, near, w)
    assert end.objective == pytest.approx(oracle.fun, rel=1e-9)
    assert end.theta == pytest.approx(oracle.x[:3], abs=1e-7)
    assert end.gap < 1e-6
    assert end.vanishing >= 3


def test_a_vertex_that_is_no_minimum_has_a_gap():
    x, y, w = problem(0)
    # The plane through three rows far from the rest: three residuals vanish, the objective is not least.
    rows = np.argsort(-np.abs(y))[:3]
    theta = np.linalg.solve(x[rows], y[rows])
    end = to_vertex(lambda t: x @ t, lambda _: x, y, theta, w)
    assert end.objective > program(x, y, w).fun * 1.01
    assert end.gap > 1e-3

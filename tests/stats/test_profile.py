"""Profiles find every piece, agree with closed forms, and say where they are open."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from isoflop.errors import EvidenceError, NoFitError, SettingError
from isoflop.stats.profile import KnownVariance, NegativeLogLikelihood, UnknownVariance, profile

END_TOLERANCE = 1e-5
"""Of the grid's span: ten times the default tolerance of an end."""


@given(
    centre=st.floats(-2, 2),
    spread=st.floats(0.05, 1.5),
    level=st.floats(0.5, 0.99),
    points=st.integers(20, 80),
)
def test_known_variance_gives_the_normal_interval(
    centre: float, spread: float, level: float, points: int
) -> None:
    found = profile(
        lambda v: 7 + ((v - centre) / spread) ** 2,
        np.linspace(-8, 8, points),
        likelihood=KnownVariance(variance=1.0),
        level=level,
    )
    half = spread * scipy.stats.norm.ppf((1 + level) / 2)
    (piece,) = found.pieces
    assert piece.kind == "closed"
    np.testing.assert_allclose(
        [piece.low, piece.high], [centre - half, centre + half], atol=16 * END_TOLERANCE
    )
    assert found.best == pytest.approx(centre, abs=16 * END_TOLERANCE)
    assert found.threshold == pytest.approx(scipy.stats.chi2.ppf(level, 1))


def test_unknown_variance_gives_the_likelihood_interval_of_a_slope() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=30)
    y = 1 + 0.7 * x + rng.normal(size=30)

    def objective(slopes: np.ndarray) -> np.ndarray:
        left = y[None, :] - slopes[:, None] * x
        return np.mean((left - left.mean(axis=1, keepdims=True)) ** 2, axis=1)

    found = profile(objective, np.linspace(-3, 4, 41), likelihood=UnknownVariance(n=30))
    fitted = scipy.stats.linregress(x, y)
    rss = np.sum((y - fitted.intercept - fitted.slope * x) ** 2)
    half = math.sqrt(rss * np.expm1(scipy.stats.chi2.ppf(0.95, 1) / 30) / np.sum((x - x.mean()) ** 2))
    (piece,) = found.pieces
    np.testing.assert_allclose(
        [piece.low, piece.high], [fitted.slope - half, fitted.slope + half], atol=7 * END_TOLERANCE
    )
    assert found.best_objective == pytest.approx(rss / 30, rel=1e-8)


def two_wells(shift: float) -> object:
    return lambda v: np.minimum((v + 2.3) ** 2 / 0.02, (v - 1.7) ** 2 / 0.01 + shift)


def test_all_pieces_of_a_profile_with_two_basins_are_found() -> None:
    found = profile(two_wells(1.0), np.linspace(-5, 5, 31), likelihood=NegativeLogLikelihood())  # type: ignore[arg-type]
    cut = scipy.stats.chi2.ppf(0.95, 1) / 2
    halves = math.sqrt(0.02 * cut), math.sqrt(0.01 * (cut - 1))
    assert [p.kind for p in found.pieces] == ["closed", "closed"]
    ends = [end for p in found.pieces for end in (p.low, p.high)]
    expected = [-2.3 - halves[0], -2.3 + halves[0], 1.7 - halves[1], 1.7 + halves[1]]
    np.testing.assert_allclose(ends, expected, atol=10 * END_TOLERANCE)
    np.testing.assert_allclose(found.minima, [-2.3, 1.7], atol=10 * END_TOLERANCE)
    assert (found.hull().low, found.hull().high) == (found.pieces[0].low, found.pieces[1].high)


def test_a_basin_above_the_threshold_is_a_minimum_but_no_piece() -> None:
    found = profile(two_wells(3.0), np.linspace(-5, 5, 31), likelihood=NegativeLogLikelihood())  # type: ignore[arg-type]
    assert len(found.pieces) == 1
    assert found.minima.size == 2


def test_a_hump_between_two_grid_points_parts_the_piece() -> None:
    def objective(v: np.ndarray) -> np.ndarray:
        return 0.05 * v**2 + 2.5 * np.exp(-(((v - 0.1) / 0.1) ** 2))

    grid = np.linspace(-8, 8, 81)
    found = profile(objective, grid, likelihood=NegativeLogLikelihood())
    at_grid = 2 * (objective(grid) - objective(grid).min())
    assert np.all(at_grid[np.abs(grid) < 5] < found.threshold)
    assert len(found.pieces) == 2
    assert found.pieces[0].high < 0.1 < found.pieces[1].low  # type: ignore[operator]


@pytest.mark.parametrize(
    ("objective", "kind"),
    [
        (lambda v: np.exp(-v), "open_above"),
        (lambda v: np.exp(v), "open_below"),
        (lambda v: np.zeros_like(v), "everything"),
        (lambda v: 10 * v**2, "closed"),
    ],
)
def test_ends_that_the_grid_cuts_off_are_open(objective: object, kind: str) -> None:
    found = profile(objective, np.linspace(-4, 4, 25), likelihood=NegativeLogLikelihood())  # type: ignore[arg-type]
    (piece,) = found.pieces
    assert piece.kind == kind
    assert (piece.low is None) == (kind in ("open_below", "everything"))
    assert (piece.high is None) == (kind in ("open_above", "everything"))
    assert found.hull() == piece


@given(scale=st.floats(1e-6, 1e6), origin=st.floats(-1e3, 1e3))
def test_the_set_moves_with_the_units_of_the_parameter(scale: float, origin: float) -> None:
    plain = profile(two_wells(1.0), np.linspace(-5, 5, 31), likelihood=NegativeLogLikelihood())  # type: ignore[arg-type]
    moved = profile(
        lambda v: two_wells(1.0)((v - origin) / scale),  # type: ignore[operator]
        origin + scale * np.linspace(-5, 5, 31),
        likelihood=NegativeLogLikelihood(),
    )
    ends = np.array([(p.low, p.high) for p in plain.pieces], float)
    assert len(moved.pieces) == len(plain.pieces)
    back = (np.array([(p.low, p.high) for p in moved.pieces], float) - origin) / scale
    np.testing.assert_allclose(back, ends, atol=10 * END_TOLERANCE + 1e-10 * abs(origin) / scale)


def test_values_without_a_fit_lie_outside() -> None:
    def objective(v: np.ndarray) -> np.ndarray:
        return np.where(v < 0.5, math.inf, v)

    found = profile(objective, np.linspace(-3, 9, 25), likelihood=NegativeLogLikelihood())
    (piece,) = found.pieces
    np.testing.assert_allclose(
        [piece.low, piece.high], [0.5, 0.5 + found.threshold / 2], atol=12 * END_TOLERANCE
    )


def test_noise_of_an_optimiser_neither_multiplies_minima_nor_work() -> None:
    calls: list[int] = []

    def objective(v: np.ndarray) -> np.ndarray:
        calls.append(v.size)
        noise = np.array([hash(float(x)) % 1000 for x in v]) * 1e-9
        return 5 + 0.5 * v**2 + noise

    found = profile(objective, np.linspace(-10, 10, 41), likelihood=NegativeLogLikelihood())
    assert found.minima.size == 1
    assert len(found.pieces) == 1
    assert sum(calls) < 1000


def test_the_curve_is_sorted_and_holds_the_grid() -> None:
    grid = np.linspace(-5, 5, 21)
    found = profile(lambda v: v**2, grid, likelihood=KnownVariance(variance=1.0))
    assert np.all(np.diff(found.values) > 0)
    assert np.isin(grid, found.values).all()
    assert found.deviance.min() == 0
    np.testing.assert_allclose(found.objective, found.values**2)
    assert not found.values.flags.writeable


def test_a_deeper_basin_met_on_the_way_becomes_the_reference() -> None:
    def objective(v: np.ndarray) -> np.ndarray:
        return v**2 - 5 * np.exp(-(((v - 1.38) / 0.02) ** 2))

    found = profile(objective, np.linspace(-5, 5, 41), likelihood=NegativeLogLikelihood())
    (piece,) = found.pieces
    assert found.best == pytest.approx(1.38, abs=1e-3)
    assert 1.3 < piece.low < 1.38 < piece.high < 1.45  # type: ignore[operator]
    np.testing.assert_allclose(found.minima, [0, 1.38], atol=1e-3)


def test_an_objective_that_keeps_falling_is_no_minimum() -> None:
    calls = iter(range(10_000))
    with pytest.raises(NoFitError, match="fell again"):
        profile(
            lambda v: v**2 - 10.0 * next(calls), np.linspace(-5, 5, 9), likelihood=NegativeLogLikelihood()
        )


def test_a_perfect_fit_has_no_likelihood_with_unknown_variance() -> None:
    with pytest.raises(NoFitError, match="sum of squares is 0"):
        profile(lambda v: v**2, np.linspace(-2, 2, 5), likelihood=UnknownVariance(n=10))


def test_bad_input_is_refused() -> None:
    likelihood = NegativeLogLikelihood()
    with pytest.raises(EvidenceError, match="needs at least 5, rising"):
        profile(lambda v: v, [1.0, 2.0, 3.0, 2.5, 4.0], likelihood=likelihood)
    with pytest.raises(EvidenceError, match="grid has 1 value"):
        profile(lambda v: v, [1.0, 2.0, 3.0, math.nan, 4.0], likelihood=likelihood)
    with pytest.raises(EvidenceError, match="or NaN"):
        profile(lambda v: np.where(v > 0, np.nan, v), np.linspace(-2, 2, 9), likelihood=likelihood)
    with pytest.raises(EvidenceError, match="one number each"):
        profile(lambda _: 1.0, np.linspace(-2, 2, 9), likelihood=likelihood)
    with pytest.raises(NoFitError, match="no value of the grid has a fit"):
        profile(lambda v: np.full(v.shape, math.inf), np.linspace(-2, 2, 9), likelihood=likelihood)
    with pytest.raises(SettingError, match=r"Did you mean 0.95"):
        profile(lambda v: v**2, np.linspace(-2, 2, 9), likelihood=likelihood, level=95)
    with pytest.raises(SettingError, match="tolerance"):
        profile(lambda v: v**2, np.linspace(-2, 2, 9), likelihood=likelihood, tolerance=0.5)
    with pytest.raises(SettingError, match="UnknownVariance: n=0"):
        UnknownVariance(n=0)
    with pytest.raises(SettingError, match="KnownVariance: variance=-1"):
        KnownVariance(variance=-1.0)

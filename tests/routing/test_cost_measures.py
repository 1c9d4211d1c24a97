"""Hull, areas and measures: properties, and the public procedures stated again in slow words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.errors import EvidenceError
from isoflop.routing.cost.hull import upper_hull
from isoflop.routing.cost.measures import (
    aiq,
    apgr,
    arena_score,
    call_share,
    cost_save,
    gains,
    pareto_distance,
)

TOL = 1e-6
"""Equality with the public definitions, as the specification asks."""

UNIT = st.floats(0.01, 1.0, allow_nan=False)
POINTS = st.lists(st.tuples(UNIT, UNIT), min_size=1, max_size=30)


def slow_frontier_at(points: np.ndarray, cost: float) -> float:
    """Return the largest score that a point, or a mixture of two, gives at no more than this cost."""
    best = -np.inf
    for x1, y1 in points:
        if x1 <= cost:
            best = max(best, y1)
        for x2, y2 in points:
            if x1 <= cost < x2:
                best = max(best, y1 + (y2 - y1) * (cost - x1) / (x2 - x1))
    return best


def slow_area(points: np.ndarray, upto: float) -> float:
    """Return the area under the frontier by its value at every cost where it may bend."""
    xs = np.unique(np.append(points[:, 0][points[:, 0] <= upto], upto))
    ys = [slow_frontier_at(points, x) for x in xs]
    return float(np.trapezoid(ys, xs))


@given(POINTS)
def test_the_hull_is_the_best_mixture_at_every_cost(points: list[tuple[float, float]]) -> None:
    all_points = np.array(points)
    hull = upper_hull(all_points[:, 0], all_points[:, 1])
    for cost in np.linspace(all_points[:, 0].min(), 1.2, 7):
        assert hull.at(cost) == pytest.approx(slow_frontier_at(all_points, cost), abs=1e-9)


@given(POINTS)
def test_the_hull_rises_ever_less_and_is_its_own_hull(points: list[tuple[float, float]]) -> None:
    hull = upper_hull(*np.array(points).T)
    assert np.all(np.diff(hull.cost) > 0)
    assert np.all(np.diff(hull.score) > 0)
    slopes = np.diff(hull.score) / np.diff(hull.cost)
    assert np.all(np.diff(slopes) <= 1e-9 * slopes.max(initial=1.0))
    again = upper_hull(hull.cost, hull.score)
    # A vertex within rounding of a chord may go; the frontier may not move.
    assert np.allclose(again.at(hull.cost), hull.score)


def test_a_hull_of_many_points_that_bend_late_is_walked_to_the_end() -> None:
    x = np.linspace(0, 1, 2000)
    hull = upper_hull(x, np.append(np.sqrt(x[:-1]), 50.0))
    assert hull.cost.tolist() == [0.0, 1.0]


@given(POINTS, UNIT)
def test_the_cost_that_reaches_a_score_has_that_score(
    points: list[tuple[float, float]], wanted: float
) -> None:
    hull = upper_hull(*np.array(points).T)
    cost = float(hull.reach(wanted))
    if wanted > hull.score[-1]:
        assert np.isnan(cost)
    else:
        assert float(hull.at(cost)) == pytest.approx(max(wanted, hull.score[0]), abs=1e-9)


def test_bad_points_are_refused() -> None:
    with pytest.raises(EvidenceError, match="2 costs and 1 scores"):
        upper_hull([1, 2], [0.5])
    with pytest.raises(EvidenceError, match="not finite"):
        upper_hull([1.0], [np.nan])
    with pytest.raises(EvidenceError, match="at least 2"):
        upper_hull([1.0, 2.0], [0.1, 0.2]).area(1.0)


# ------------------------------------------------------------------------ RouterBench


@given(st.integers(0, 10_000))
def test_areas_are_those_of_routerbench(seed: int) -> None:
    rng = np.random.default_rng(seed)
    routers = {
        name: np.column_stack([np.sort(rng.uniform(0.1, 3, 6)), np.sort(rng.uniform(0.2, 0.9, 6))])
        for name in ("one", "two", "three")
    }
    found = aiq({name: (p[:, 0], p[:, 1]) for name, p in routers.items()})
    largest = max(p[:, 0].max() for p in routers.values())
    for name, points in routers.items():
        assert found[name] == pytest.approx(slow_area(points, largest) / largest, abs=TOL)


@given(POINTS, UNIT)
def test_a_better_point_never_lowers_the_area(points: list[tuple[float, float]], height: float) -> None:
    p = np.array(points)
    other = {"other": ([2.0], [0.5])}
    before = aiq({"router": (p[:, 0], p[:, 1]), **other})["router"]
    more = np.vstack([p, [float(p[-1, 0]), min(1.0, p[-1, 1] + height)]])
    assert aiq({"router": (more[:, 0], more[:, 1]), **other})["router"] >= before - 1e-12


def test_the_area_over_the_span_is_a_mean_height() -> None:
    flat = {"flat": ([1.0, 3.0], [0.5, 0.5 + 1e-12]), "far": ([4.0], [0.9])}
    assert aiq(flat, span=True)["flat"] == pytest.approx(0.5)
    assert aiq(flat)["flat"] == pytest.approx(0.5 * 3 / 4)
    assert np.isnan(aiq({"alone": ([1.0], [0.4])}, span=True)["alone"])


# -------------------------------------------------------------------------- RouteLLM


@given(st.integers(0, 10_000))
def test_gap_recovered_and_calls_are_those_of_routellm(seed: int) -> None:
    rng = np.random.default_rng(seed)
    share = np.concatenate(([0.0], np.sort(rng.uniform(0.01, 0.99, 9)), [1.0]))
    accuracy = np.sort(rng.uniform(0.3, 0.9, 11))
    weak, strong = float(accuracy[0]), float(accuracy[-1])
    # The public code: area of the curve and of both constant models by trapezoids, then their ratio.
    area = np.trapezoid(accuracy, share)
    low, high = (np.trapezoid(np.full(11, level), share) for level in (weak, strong))
    assert apgr(share, accuracy, weak, strong) == pytest.approx((area - low) / (high - low), abs=TOL)
    for part in (0.2, 0.5, 0.8):
        public = float(np.interp(weak + part * (strong - weak), accuracy, share))
        assert call_share(share, accuracy, weak, strong, part) == pytest.approx(public, abs=TOL)
        assert call_share(share, accuracy, weak, strong, part, compat="routellm") == public


def test_calls_are_read_at_the_first_crossing_where_the_curve_falls() -> None:
    share, accuracy = [0, 0.25, 0.5, 0.75, 1], [0.4, 0.7, 0.5, 0.5, 0.8]
    assert call_share(share, accuracy, 0.4, 0.8, 0.5) == pytest.approx(0.25 * 2 / 3)
    assert np.isnan(call_share(share, accuracy, 0.4, 0.8, 1.5))
    assert np.isnan(call_share(share, accuracy, 0.8, 0.4, 0.5))
    assert np.isnan(apgr(share, accuracy, 0.5, 0.5))


# --------------------------------------------------------------- RouterArena, LLMRouterBench


def test_the_arena_score_is_the_published_formula() -> None:
    for accuracy in (0.0, 0.3, 0.9):
        for usd in (0.0, 0.0044, 0.7, 200.0, 999.0):
            c = min(max(usd, 0.0044), 200.0)
            cheap = (np.log2(200) - np.log2(c)) / (np.log2(200) - np.log2(0.0044))
            below = 0.1 * accuracy + cheap
            wanted = 0.0 if below == 0 else 1.1 * accuracy * cheap / below
            assert float(arena_score(accuracy, usd)) == pytest.approx(wanted, abs=TOL)


def test_gains_savings_and_distance() -> None:
    assert gains(0.5, random=0.0, best_single=0.5, oracle=1.0)["gain_at_best_single"] == 0.0
    assert np.isnan(gains(0.5, random=0.0, best_single=0.5, oracle=1.0)["gain_at_random"])
    assert cost_save([1.0], [0.2], single_cost=2.0, single_score=0.3) == 0.0
    assert cost_save([3.0], [0.4], single_cost=2.0, single_score=0.3) == pytest.approx(-0.5)
    # A configuration that nothing dominates has no distance to the frontier.
    assert pareto_distance([1.0], [0.9], among=([2.0, 3.0], [0.4, 0.8])) == 0.0

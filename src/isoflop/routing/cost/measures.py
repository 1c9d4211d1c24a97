"""Measures of routers that others defined, as functions of costs and scores.

Two models: performance gap recovered and calls of the strong model (RouteLLM). Many models: area under
the frontier (RouterBench), arena score (RouterArena), gains and savings (LLMRouterBench).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isoflop.errors import EvidenceError
from isoflop.routing.cost.hull import upper_hull

FloatArray = NDArray[np.float64]
Compat = Literal["routellm"]
ARENA_COSTS = (0.0044, 200.0)
"""USD per 1,000 queries between which the arena score counts cost."""
ARENA_BETA = 0.1
"""Weight of cost beside accuracy in the arena score."""


def apgr(share: ArrayLike, accuracy: ArrayLike, weak: float, strong: float) -> float:
    """Return the average performance gap recovered over the shares of calls given.

    Area between the curve and the weak model's score, over that between both models' scores.

    Parameters
    ----------
    share : array, shape (k,), in [0, 1], ascending
        Share of calls that go to the strong model.
    accuracy : array, shape (k,)
        Mean score of the routed answers.
    weak, strong : float
        Mean scores of the two models.

    Returns
    -------
    float
        1/2 for a router that chooses at random; NaN where the models are equal.

    Notes
    -----
    Source: lm-sys/RouteLLM, evaluation code. Exact where `share` has every step of the curve.

    Examples
    --------
    >>> round(apgr([0, 0.5, 1], [0.6, 0.8, 0.9], weak=0.6, strong=0.9), 3)
    0.583
    """
    x, y = np.asarray(share, dtype=np.float64), np.asarray(accuracy, dtype=np.float64)
    span = float(x[-1] - x[0])
    if strong == weak or span <= 0:
        return float("nan")
    area = float(np.sum(np.diff(x) * (y[1:] + y[:-1])) / 2)
    return (area - weak * span) / ((strong - weak) * span)


def call_share(
    share: ArrayLike,
    accuracy: ArrayLike,
    weak: float,
    strong: float,
    part: float,
    *,
    compat: Compat | None = None,
) -> float:
    """Return the share of strong calls at which a part of the gap between the models is recovered (CPT).

    Parameters
    ----------
    share, accuracy : array, shape (k,)
        The curve, shares ascending.
    weak, strong : float
    part : float, in (0, 1]
        Part of the gap, 0.5 for half of it.
    compat : {"routellm"}, optional
        Interpolate with accuracy as abscissa, as RouteLLM's code does; undefined where it falls.

    Returns
    -------
    float
        By linear interpolation at the first crossing of the running maximum; NaN where it is not reached.

    Examples
    --------
    >>> round(call_share([0, 0.5, 1], [0.6, 0.8, 0.9], weak=0.6, strong=0.9, part=0.5), 3)
    0.375
    """
    x, y = np.asarray(share, dtype=np.float64), np.asarray(accuracy, dtype=np.float64)
    wanted = weak + part * (strong - weak)
    if compat == "routellm":
        return float(np.interp(wanted, y, x))
    if strong <= weak:
        return float("nan")
    reached = np.flatnonzero(y >= wanted)
    if not reached.size:
        return float("nan")
    k = int(reached[0])
    if k == 0:
        return float(x[0])
    return float(x[k - 1] + (wanted - y[k - 1]) / (y[k] - y[k - 1]) * (x[k] - x[k - 1]))


def aiq(routers: Mapping[str, tuple[ArrayLike, ArrayLike]], *, span: bool = False) -> dict[str, float]:
    """Return each router's area under its frontier of cost and score (AIQ).

    Parameters
    ----------
    routers : mapping of str to (cost, score)
        Points of each router compared; a frontier ends flat at the largest cost that any of them has.
    span : bool
        Divide by the range of cost that a router's frontier covers; else, as RouterBench does, by the
        largest cost, so that a router whose least cost is above zero loses the area before it.

    Returns
    -------
    dict of str to float
        Depends on which routers are compared; NaN where there is no range of cost.

    Notes
    -----
    Source: withmartian/routerbench, evaluation code. The largest cost is that of the frontiers: a point
    that costs more and scores less is on none.

    Examples
    --------
    >>> two = {"a": ([1, 2], [0.4, 0.6]), "b": ([1, 4], [0.5, 0.7])}
    >>> {name: round(value, 3) for name, value in aiq(two).items()}
    {'a': 0.425, 'b': 0.45}
    """
    if not routers:
        raise EvidenceError("aiq: no router, needs at least one. Give points of cost and score.")
    hulls = {name: upper_hull(cost, score) for name, (cost, score) in routers.items()}
    largest = max(float(hull.cost[-1]) for hull in hulls.values())
    out = {}
    for name, hull in hulls.items():
        width = largest - float(hull.cost[0]) if span else largest
        out[name] = hull.area(largest) / width if width > 0 else float("nan")
    return out


def arena_score(accuracy: ArrayLike, usd_per_1000: ArrayLike) -> FloatArray:
    """Return the arena score: a harmonic mean of accuracy and log cost in which accuracy weighs ten times.

    Parameters
    ----------
    accuracy : array, in [0, 1]
    usd_per_1000 : array, >= 0
        USD for 1,000 queries, counted between 0.0044 and 200.

    Returns
    -------
    array

    Notes
    -----
    Source: RouteWorks/RouterArena.

    Examples
    --------
    >>> [round(float(s), 4) for s in arena_score([0.7, 0.7, 0.0], [0.0044, 1.0, 200.0])]
    [0.7196, 0.6744, 0.0]
    """
    low, high = ARENA_COSTS
    right = np.asarray(accuracy, dtype=np.float64)
    cost = np.clip(np.asarray(usd_per_1000, dtype=np.float64), low, high)
    cheap = (np.log2(high) - np.log2(cost)) / (np.log2(high) - np.log2(low))
    below = ARENA_BETA * right + cheap
    above = (1 + ARENA_BETA) * right * cheap
    return np.asarray(np.divide(above, below, out=np.zeros(np.broadcast(above).shape), where=below > 0))


def gains(accuracy: float, *, random: float, best_single: float, oracle: float) -> dict[str, float]:
    """Return what LLMRouterBench compares: gains over a random and the best single model, gap to the oracle.

    Examples
    --------
    >>> found = gains(0.66, random=0.44, best_single=0.6, oracle=0.88)
    >>> {name: round(value, 3) for name, value in found.items()}
    {'gain_at_random': 0.5, 'gain_at_best_single': 0.1, 'gap_at_oracle': 0.25}
    """
    return {
        "gain_at_random": accuracy / random - 1 if random > 0 else float("nan"),
        "gain_at_best_single": accuracy / best_single - 1 if best_single > 0 else float("nan"),
        "gap_at_oracle": 1 - accuracy / oracle if oracle > 0 else float("nan"),
    }


def cost_save(cost: ArrayLike, score: ArrayLike, *, single_cost: float, single_score: float) -> float:
    """Return the share of the best single model's cost that is saved without losing score; 0 if none is.

    Negative where every configuration as good costs more.

    Examples
    --------
    >>> cost_save([1.0, 2.0, 5.0], [0.5, 0.7, 0.8], single_cost=4.0, single_score=0.65)
    0.5
    """
    costs, scores = np.asarray(cost, dtype=np.float64), np.asarray(score, dtype=np.float64)
    good = scores >= single_score
    if not good.any() or single_cost <= 0:
        return 0.0
    return float(1 - costs[good].min() / single_cost)


def pareto_distance(cost: ArrayLike, score: ArrayLike, among: tuple[ArrayLike, ArrayLike]) -> float:
    """Return the mean distance of configurations to the non-dominated set of all that is compared.

    Parameters
    ----------
    cost, score : array, shape (k,)
        One router's configurations.
    among : (cost, score)
        Everything else compared, single models say. Both axes are brought to [0, 1] over the whole set
        (our choice: LLMRouterBench's page does not print one).

    Examples
    --------
    >>> round(pareto_distance([2.0], [0.5], among=([1.0, 2.0, 3.0], [0.5, 0.7, 0.9])), 3)
    0.5
    """
    x = np.concatenate([np.ravel(cost), np.ravel(among[0])]).astype(float)
    y = np.concatenate([np.ravel(score), np.ravel(among[1])]).astype(float)
    x, y = _unit(x), _unit(y)
    order = np.lexsort((-y, x))
    best = np.maximum.accumulate(y[order])
    front = order[np.concatenate(([True], y[order][1:] > best[:-1]))]
    own = slice(0, np.size(cost))
    gaps = np.hypot(x[own, None] - x[front], y[own, None] - y[front])
    return float(gaps.min(axis=1).mean())


def _unit(values: FloatArray) -> FloatArray:
    low, high = float(values.min()), float(values.max())
    return (values - low) / (high - low) if high > low else np.zeros_like(values)

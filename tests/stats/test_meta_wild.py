"""The wild cluster bootstrap repeats by hand, covers, and says when it is open."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from isoflop.errors import NotIdentifiedError, SettingError
from isoflop.stats.checks import FloatArray, IntArray
from isoflop.stats.meta import MetaFit, pool, pool_clustered, robust, wild_bootstrap


def planted(
    seed: int, *, clusters: int = 6, slope: float = 0.0
) -> tuple[FloatArray, FloatArray, FloatArray, IntArray]:
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(clusters), rng.integers(1, 5, clusters))
    v = rng.uniform(0.01, 0.1, codes.size)
    x = rng.normal(size=codes.size)
    y = 0.3 + slope * x + 0.3 * rng.normal(size=clusters)[codes] + rng.normal(size=codes.size) * np.sqrt(v)
    return y, v, x, codes


def by_hand(fit: MetaFit, codes: IntArray, at: int, held: float, signs: FloatArray) -> float:
    """Return the bootstrap p-value with every draw refitted and CR0 computed anew."""
    effects = fit.effects
    design, k = effects.design, effects.k
    same = codes[:, None] == codes
    weight = np.linalg.inv(np.diag(effects.v + fit.study_variance) + fit.cluster_variance * same)

    def fitted(columns: FloatArray, y: FloatArray) -> FloatArray:
        return np.linalg.solve(columns.T @ weight @ columns, columns.T @ weight @ y)

    def statistic(y: FloatArray) -> float:
        b = fitted(design, y)
        bread = np.linalg.inv(design.T @ weight @ design)
        scores = design.T @ weight * (y - design @ b)
        meat = sum(np.outer(s, s) for s in (scores[:, codes == c].sum(axis=1) for c in np.unique(codes)))
        return abs(b[at] - held) / math.sqrt((bread @ meat @ bread)[at, at])

    others = np.delete(design, at, axis=1)
    base = held * design[:, at]
    if others.size:
        base = base + others @ fitted(others, effects.y - base)
    rest = effects.y - base
    observed = statistic(effects.y)
    count = [statistic(base + rest * draw[codes]) >= observed * (1 - 1e-9) for draw in signs]
    assert len(rest) == k
    return float(np.mean(count))


@pytest.mark.parametrize("at", [0, 1])
@pytest.mark.parametrize("held", [0.0, 0.2])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_p_value_is_that_of_refitting_every_draw(seed: int, held: float, at: int) -> None:
    y, v, x, codes = planted(seed)
    fit = pool_clustered(y, v, codes, moderators=x)
    found = wild_bootstrap(fit, coefficient=at, signs="rademacher", null=held)
    signs = np.array(list(itertools.product([-1.0, 1.0], repeat=6)))
    assert found.is_exact
    assert found.reps == 64
    assert found.p_value == pytest.approx(by_hand(fit, codes, at, held, signs), abs=1e-12)


@pytest.mark.parametrize("seed", [0, 3])
def test_the_interval_ends_where_the_p_value_falls_below_the_level(seed: int) -> None:
    y, v, _, codes = planted(seed, clusters=5)
    fit = pool_clustered(y, v, codes)
    found = wild_bootstrap(fit, level=0.9)
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.value < found.high
    width = found.high - found.low
    for end, outwards in ((found.low, -1), (found.high, 1)):
        inside = wild_bootstrap(fit, level=0.9, null=end - outwards * 1e-6 * width)
        outside = wild_bootstrap(fit, level=0.9, null=end + outwards * 1e-6 * width)
        assert outside.p_value < 0.1 <= inside.p_value


def test_many_clusters_agree_with_the_robust_interval() -> None:
    y, v, _, codes = planted(1, clusters=60)
    fit = pool_clustered(y, v, codes)
    found, sandwich = wild_bootstrap(fit, seed=3), robust(fit)
    assert found.signs == "rademacher"
    assert not found.is_exact
    assert found.reps == 2000
    np.testing.assert_allclose(
        [found.low, found.high],
        [sandwich.low[0], sandwich.high[0]],
        atol=0.15 * sandwich.standard_errors[0] * 2,
    )
    assert wild_bootstrap(fit, seed=3).low == found.low
    assert wild_bootstrap(fit, seed=4).low != found.low


def test_units_and_names_of_clusters_do_not_matter() -> None:
    y, v, x, codes = planted(2, clusters=5)
    one = wild_bootstrap(pool_clustered(y, v, codes, moderators=x, names=["size"]), coefficient="size")
    labels = np.array(list("fbdac"))[codes]
    other = wild_bootstrap(pool_clustered(50 * y, 2500 * v, labels, moderators=x), coefficient=1)
    assert other.p_value == pytest.approx(one.p_value, abs=1e-3)
    assert one.low is not None
    assert other.low == pytest.approx(50 * one.low, rel=1e-4)


def test_too_few_signs_leave_the_interval_open() -> None:
    y, v, _, codes = planted(0, clusters=4)
    fit = pool_clustered(y, v, codes)
    two = wild_bootstrap(fit, signs="rademacher")
    assert (two.low, two.high) == (None, None)
    assert two.p_value >= 0.125
    assert "no p-value lies below 0.125" in two.cautions[0]
    six = wild_bootstrap(fit)
    assert (six.signs, six.reps) == ("webb", 6**4)


def test_one_cluster_and_unknown_coefficients_are_refused() -> None:
    fit = pool([0.1, 0.2, 0.4], [0.1] * 3)
    with pytest.raises(NotIdentifiedError, match="3 studies, 1 cluster"):
        wild_bootstrap(fit, ["a"] * 3)
    with pytest.raises(SettingError, match=r"coefficient=1, must lie in \[0, 1\)"):
        wild_bootstrap(fit, [0, 1, 2], coefficient=1)
    with pytest.raises(SettingError, match="must be one of intercept"):
        wild_bootstrap(fit, [0, 1, 2], coefficient="year")
    with pytest.raises(SettingError, match="reps=9"):
        wild_bootstrap(fit, [0, 1, 2], reps=9)

"""Are shares the same in two groups, along an order, or across strata? Exact and closed-form tests.

Counts come in as whole numbers; nothing here knows what is counted. Odds ratios are of the first group
against the second: above 1 the first has more successes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from isoflop.errors import EvidenceError
from isoflop.stats.checks import FloatArray, IntArray, finite_array, same_length, unit_level, whole_number
from isoflop.stats.intervals import normal_quantile

TIE = 1e-7
"""Tables whose probabilities agree to this relative amount are equally likely: sums of logarithms of
factorials up to 10^7 are exact to about 1e-8."""
SMALL_GROUP = 5
"""With fewer rows than this in any group the normal tail of a trend test is not to be trusted."""
MOST_STEPS = 100_000_000
"""Additions of the exact table of a trend test, about a tenth of a second; beyond them rows are permuted at
random."""
PERMUTATIONS = 19_999


def fisher_exact(k1: int, n1: int, k2: int, n2: int) -> float:
    """Return the two-sided p of equal shares k1/n1 and k2/n2, given the margins.

    Parameters
    ----------
    k1, n1, k2, n2 : int
        Successes and rows of the two groups, 0 <= k <= n.

    Returns
    -------
    float
        Probability of a table no more likely than the one seen; 1 where a margin is empty.

    Raises
    ------
    EvidenceError
        Counts out of range.

    Notes
    -----
    Source: Fisher (1935), J. Roy. Statist. Soc. 98, 39-54.

    Examples
    --------
    >>> f"{fisher_exact(12, 20, 8, 84):.1e}"
    '4.6e-06'
    """
    k1, n1, k2, n2 = (whole_number("fisher_exact", "count", int(v), least=0) for v in (k1, n1, k2, n2))
    if k1 > n1 or k2 > n2:
        raise EvidenceError(
            f"fisher_exact: {k1} of {n1} and {k2} of {n2}, needs successes <= rows. Pass rows, not failures."
        )
    k = k1 + k2
    log_p = _log_choose(n1, inside := np.arange(max(0, k - n2), min(k, n1) + 1)) + _log_choose(n2, k - inside)
    at = k1 - int(inside[0])
    likely = np.exp(log_p - log_p.max())
    return float(min(1.0, likely[log_p <= log_p[at] + TIE].sum() / likely.sum()))


def _log_choose(n: int, k: IntArray) -> FloatArray:
    from scipy.special import gammaln

    chosen: FloatArray = gammaln(n + 1.0) - gammaln(k + 1.0) - gammaln(n - k + 1.0)
    return chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendTest:
    """Does a share rise or fall along an order of groups?

    Parameters
    ----------
    z : float
        Cochran and Armitage's statistic; negative where the share falls.
    p : float
        Two-sided, from the normal tail.
    p_exact : float or None
        Two-sided, over all ways to deal the successes to the rows; None where no group is small.
    is_simulated : bool
        `p_exact` comes from random permutations, not from all.
    n : int
        Rows.
    """

    z: float
    p: float
    p_exact: float | None
    is_simulated: bool
    n: int


def trend_test(
    k: ArrayLike, n: ArrayLike, scores: ArrayLike | None = None, *, exact: bool | None = None, seed: int = 0
) -> TrendTest:
    """Test a trend of shares over ordered groups (Cochran-Armitage).

    Parameters
    ----------
    k, n : arrays, shape (g,), 0 <= k <= n
        Successes and rows of each group; groups without rows are allowed.
    scores : array, shape (g,), optional
        Position of each group, such as the year; default 0, 1, 2, ….
    exact : bool, optional
        Also give the permutation p; default: where a group has fewer than `SMALL_GROUP` rows.
    seed : int
        Of the random permutations that stand in where the exact table would be too large.

    Returns
    -------
    TrendTest

    Raises
    ------
    EvidenceError
        Counts out of range, rows in fewer than two groups, or all or no rows successes.

    Notes
    -----
    z = sum (r - p)(s - mean s) / sqrt(p (1 - p) sum (s - mean s)^2) over rows r in {0, 1}.
    Source: Armitage (1955), Biometrics 11, 375-386.

    Examples
    --------
    >>> test = trend_test([8, 5, 2], [10, 10, 10])
    >>> round(test.z, 3), test.p_exact
    (-2.683, None)
    """
    from scipy.special import ndtr

    hits, rows, place = _trend_counts(k, n, scores)
    total, p = rows.sum(), hits.sum() / rows.sum()
    centred = place - (rows @ place) / total
    spread = float(rows @ centred**2)
    if not 0 < p < 1 or spread <= 0:
        raise EvidenceError(
            f"trend_test: {int(hits.sum())} successes in {int(total)} rows of {np.count_nonzero(rows)} "
            "groups, needs both outcomes and two groups at different scores. Widen the range."
        )
    z = float(hits @ centred) / math.sqrt(p * (1 - p) * spread)
    wanted = bool((rows < SMALL_GROUP).any()) if exact is None else exact
    p_exact, simulated = _trend_permutation(hits, rows, place, seed) if wanted else (None, False)
    return TrendTest(z=z, p=2 * float(ndtr(-abs(z))), p_exact=p_exact, is_simulated=simulated, n=int(total))


def _trend_counts(
    k: ArrayLike, n: ArrayLike, scores: ArrayLike | None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    hits, rows = finite_array("trend_test", "k", k), finite_array("trend_test", "n", n)
    groups = same_length("trend_test", k=hits, n=rows)
    place = np.arange(groups, dtype=float) if scores is None else finite_array("trend_test", "scores", scores)
    same_length("trend_test", k=hits, scores=place)
    if (hits < 0).any() or (hits > rows).any() or (hits % 1).any() or (rows % 1).any() or rows.sum() < 1:
        raise EvidenceError("trend_test: needs whole numbers 0 <= k <= n and a row. Check both columns.")
    return hits, rows, place


def _trend_permutation(
    hits: FloatArray, rows: FloatArray, place: FloatArray, seed: int
) -> tuple[float, bool]:
    """Return the two-sided p over deals of the successes to the rows, and whether it is simulated."""
    k = int(hits.sum())
    steps = _whole_steps(place)
    expected = float(rows @ place) * k / float(rows.sum())
    seen = abs(float(hits @ place) - expected)
    slack = TIE * max(1.0, seen)
    if steps is not None and (k + 1) * (k * int(steps.max()) + 1) * rows.sum() <= MOST_STEPS:
        sums, chance = _exact_sums(rows.astype(int), steps, k)
        unit = float(np.ptp(place)) / max(int(steps.max()), 1)
        apart = np.abs(sums * unit + k * float(place.min()) - expected)
        return float(min(1.0, chance[apart >= seen - slack].sum())), False
    rng = np.random.default_rng(seed)
    dealt = rng.multivariate_hypergeometric(rows.astype(np.int64), k, size=PERMUTATIONS, method="marginals")
    as_far = np.abs(dealt @ place - expected) >= seen - slack
    return float((1 + as_far.sum()) / (1 + PERMUTATIONS)), True


def _whole_steps(place: FloatArray) -> IntArray | None:
    """Return scores as small whole numbers from 0, or None where they lie on no lattice."""
    apart = place - place.min()
    unit = float(np.min(apart[apart > 0]))
    steps = np.rint(apart / unit)
    if not np.allclose(apart, steps * unit, rtol=1e-9, atol=1e-9 * unit):
        return None
    return np.asarray(steps, dtype=np.int64)


def _exact_sums(rows: IntArray, steps: IntArray, k: int) -> tuple[FloatArray, FloatArray]:
    """Return every sum of scores of k successes dealt to the rows, and its probability.

    Independent binomials with one success rate, given their total, are the multivariate hypergeometric:
    so all terms stay probabilities and nothing overflows.
    """
    from scipy.special import xlog1py, xlogy

    rate, top = k / float(rows.sum()), k * int(steps.max())
    table = np.zeros((k + 1, top + 1))
    table[0, 0] = 1.0
    for n, step in zip(rows, steps, strict=True):
        drawn = np.arange(min(int(n), k) + 1)
        term = np.exp(_log_choose(int(n), drawn) + xlogy(drawn, rate) + xlog1py(n - drawn, -rate))
        grown = np.zeros_like(table)
        for j in drawn:
            shift = int(j * step)
            grown[j:, shift:] += term[j] * table[: k + 1 - j, : top + 1 - shift]
        table = grown
    return np.arange(top + 1, dtype=float), table[k] / table[k].sum()


@dataclass(frozen=True, slots=True, kw_only=True)
class OddsRatio:
    """One odds ratio over strata.

    Parameters
    ----------
    value, low, high : float or None
        The ratio and its interval; a bound is None where it does not exist.
    level : float
    se_log : float or None
        Standard error of the logarithm.
    strata : int
        Strata that bear on it: both groups and both outcomes present.
    n : int
        Rows in those strata.
    heterogeneity_p : float or None
        Breslow and Day's test (with Tarone's correction) that the strata share one ratio.
    """

    value: float | None
    low: float | None
    high: float | None
    level: float
    se_log: float | None
    strata: int
    n: int
    heterogeneity_p: float | None


def mantel_haenszel(
    k1: ArrayLike, n1: ArrayLike, k2: ArrayLike, n2: ArrayLike, level: float = 0.95
) -> OddsRatio:
    """Return the odds ratio of the first group against the second, common to all strata.

    Parameters
    ----------
    k1, n1, k2, n2 : arrays, shape (s,), >= 0
        Successes and rows of both groups in each stratum.
    level : float, in (0, 1)

    Returns
    -------
    OddsRatio
        Without a value where no stratum has both groups and both outcomes.

    Notes
    -----
    Sources: Mantel and Haenszel (1959), J. Natl. Cancer Inst. 22, 719-748; variance: Robins, Breslow and
    Greenland (1986), Biometrics 42, 311-323; heterogeneity: Tarone (1985), Biometrika 72, 91-95.

    Examples
    --------
    >>> ratio = mantel_haenszel([10, 4], [50, 20], [5, 6], [50, 60])
    >>> round(ratio.value, 3), round(ratio.low, 3), round(ratio.high, 3), ratio.strata
    (2.25, 0.925, 5.472, 2)
    """
    unit_level("mantel_haenszel", level)
    a, b, c, d = _cells(k1, n1, k2, n2)
    bears = ((a + b) * (c + d) * (a + c) * (b + d)) > 0
    a, b, c, d = a[bears], b[bears], c[bears], d[bears]
    n = a + b + c + d
    strata, rows = int(bears.sum()), round(float(n.sum()))
    r, s = a * d / n, b * c / n
    top, bottom = float(r.sum()), float(s.sum())
    if strata == 0 or top == 0 or bottom == 0:
        value = None if strata == 0 or bottom == 0 else 0.0
        return OddsRatio(
            value=value, low=None, high=None, level=level, se_log=None, strata=strata, n=rows,
            heterogeneity_p=None,
        )  # fmt: skip
    p, q = (a + d) / n, (b + c) / n
    variance = (p @ r) / (2 * top**2) + (p @ s + q @ r) / (2 * top * bottom) + (q @ s) / (2 * bottom**2)
    se = math.sqrt(float(variance))
    value, half = top / bottom, normal_quantile((1 + level) / 2) * se
    return OddsRatio(
        value=value,
        low=value * math.exp(-half),
        high=value * math.exp(half),
        level=level,
        se_log=se,
        strata=strata,
        n=rows,
        heterogeneity_p=_breslow_day(a, b, c, d, value),
    )


def _cells(k1: ArrayLike, n1: ArrayLike, k2: ArrayLike, n2: ArrayLike) -> tuple[FloatArray, ...]:
    counts = {
        name: finite_array("mantel_haenszel", name, v)
        for name, v in (("k1", k1), ("n1", n1), ("k2", k2), ("n2", n2))
    }
    same_length("mantel_haenszel", **counts)
    first, rows1, second, rows2 = counts.values()
    if (first < 0).any() or (second < 0).any() or (first > rows1).any() or (second > rows2).any():
        raise EvidenceError(
            "mantel_haenszel: needs 0 <= successes <= rows in each stratum. Check the columns."
        )
    return first, rows1 - first, second, rows2 - second


def _breslow_day(a: FloatArray, b: FloatArray, c: FloatArray, d: FloatArray, ratio: float) -> float | None:
    """Return Tarone's p that all strata share the ratio."""
    from scipy.special import chdtrc

    if a.size < 2:
        return None
    m1, rows1, rows2 = a + c, a + b, c + d
    square, line, constant = 1 - ratio, rows2 - m1 + ratio * (m1 + rows1), -ratio * m1 * rows1
    # The stable form of the root that lies within the margins; with ratio 1 the equation is linear.
    expected = -2 * constant / (line + np.sqrt(line**2 - 4 * square * constant))
    spread = 1 / (1 / expected + 1 / (rows1 - expected) + 1 / (m1 - expected) + 1 / (rows2 - m1 + expected))
    chi2 = float(((a - expected) ** 2 / spread).sum() - (a - expected).sum() ** 2 / spread.sum())
    return float(chdtrc(a.size - 1, max(chi2, 0.0)))


def benjamini_hochberg(p: ArrayLike) -> FloatArray:
    """Return p values adjusted so that a cut at q keeps the expected share of false ones below q.

    Parameters
    ----------
    p : array, shape (n,), in [0, 1]

    Returns
    -------
    array, shape (n,)
        In the order given, each at least its p.

    Notes
    -----
    Source: Benjamini and Hochberg (1995), J. Roy. Statist. Soc. B 57, 289-300.

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.04, 0.03, 0.5]).round(4).tolist()
    [0.04, 0.0533, 0.0533, 0.5]
    """
    values = finite_array("benjamini_hochberg", "p", p)
    if values.min() < 0 or values.max() > 1:
        raise EvidenceError("benjamini_hochberg: p outside [0, 1], needs probabilities. Check the tests.")
    order = np.argsort(values, kind="stable")
    stepped = values[order] * values.size / np.arange(1, values.size + 1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(np.minimum.accumulate(stepped[::-1])[::-1], 1.0)
    return adjusted

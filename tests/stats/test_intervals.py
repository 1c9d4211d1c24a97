"""Closed-form intervals agree with SciPy, cover as promised and never hide an open end."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import assume, given
from hypothesis import strategies as st

from isoflop.errors import EvidenceError, IsoflopError, NotIdentifiedError, SettingError
from isoflop.stats.intervals import (
    BINOMIAL,
    Interval,
    binomial,
    chi2_quantile,
    clopper_pearson,
    fieller,
    newcombe,
    normal,
    normal_quantile,
    poisson,
    reciprocal,
    student_quantile,
    wilson,
)

RTOL = 1e-9
levels = st.floats(0.5, 0.999)
bounded = st.floats(-1e6, 1e6).filter(lambda x: x == 0 or abs(x) > 1e-6)
counts = st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.999])
@pytest.mark.parametrize("n", [1, 2, 7, 40, 1000])
@pytest.mark.parametrize(
    ("ours", "theirs"), [("wilson", "wilson"), ("wilson_cc", "wilsoncc"), ("clopper_pearson", "exact")]
)
def test_binomial_intervals_equal_scipys(ours: str, theirs: str, n: int, level: float) -> None:
    k = np.unique(np.linspace(0, n, 9).astype(int))
    low, high = binomial(k, n, level, method=ours)
    oracle = [scipy.stats.binomtest(int(i), n).proportion_ci(level, method=theirs) for i in k]
    np.testing.assert_allclose(low, [o.low for o in oracle], rtol=RTOL, atol=1e-12)
    np.testing.assert_allclose(high, [o.high for o in oracle], rtol=RTOL, atol=1e-12)


@pytest.mark.parametrize("k", [1, 5, 9])
def test_jeffreys_is_the_posterior_and_agresti_coull_its_formula(k: int) -> None:
    low, high = binomial(k, 10, 0.9, method="jeffreys")
    assert float(low) == pytest.approx(scipy.stats.beta.ppf(0.05, k + 0.5, 10.5 - k), rel=RTOL)
    assert float(high) == pytest.approx(scipy.stats.beta.ppf(0.95, k + 0.5, 10.5 - k), rel=RTOL)
    z = scipy.stats.norm.ppf(0.95)
    p = (k + z**2 / 2) / (10 + z**2)
    expected = [p - z * math.sqrt(p * (1 - p) / (10 + z**2)), p + z * math.sqrt(p * (1 - p) / (10 + z**2))]
    found = binomial(k, 10, 0.9, method="agresti_coull")
    np.testing.assert_allclose([float(b) for b in found], np.clip(expected, 0, 1), rtol=RTOL)


@given(pair=counts, level=levels, method=st.sampled_from(sorted(BINOMIAL)))
def test_binomial_intervals_hold_the_share_and_mirror(
    pair: tuple[int, int], level: float, method: str
) -> None:
    k, n = pair
    low, high = binomial(k, n, level, method=method)
    mirrored = binomial(n - k, n, level, method=method)
    assert 0 <= low <= k / n + 1e-12
    assert k / n - 1e-12 <= high <= 1
    np.testing.assert_allclose([low, high], [1 - mirrored[1], 1 - mirrored[0]], atol=1e-9)


@given(pair=counts, level=levels)
def test_exact_interval_is_never_shorter_than_jeffreys(pair: tuple[int, int], level: float) -> None:
    exact, posterior = clopper_pearson(*pair, level), binomial(*pair, level, method="jeffreys")
    assert exact[0] <= posterior[0] + 1e-12
    assert exact[1] >= posterior[1] - 1e-12


def test_exact_interval_covers_every_share_as_promised() -> None:
    n, level = 20, 0.9
    low, high = clopper_pearson(np.arange(n + 1), n, level)
    for share in np.linspace(0.01, 0.99, 50):
        mass = scipy.stats.binom.pmf(np.arange(n + 1), n, share)
        assert mass[(low <= share) & (share <= high)].sum() >= level - 1e-12


def test_newcombe_reproduces_his_worked_examples() -> None:
    # Newcombe (1998), Statistics in Medicine 17, 873-890, table II, method 10, (a) to (d) and (g).
    low, high = newcombe([56, 9, 6, 5, 10], [70, 10, 7, 56, 10], [48, 3, 2, 0, 0], [80, 10, 7, 29, 20])
    np.testing.assert_allclose(low, [0.0524, 0.1705, 0.0582, -0.0381, 0.6791], atol=5.1e-5)
    np.testing.assert_allclose(high, [0.3339, 0.8090, 0.8062, 0.1926, 1.0], atol=5.1e-5)


@given(a=counts, b=counts, level=levels)
def test_newcombe_changes_sign_with_the_order_of_samples(
    a: tuple[int, int], b: tuple[int, int], level: float
) -> None:
    low, high = newcombe(*a, *b, level)
    back_low, back_high = newcombe(*b, *a, level)
    np.testing.assert_allclose([low, high], [-back_high, -back_low], atol=1e-12)
    assert -1 - 1e-9 <= low <= a[0] / a[1] - b[0] / b[1] + 1e-12 <= high + 2e-12 <= 1 + 1e-9


@given(count=st.integers(0, 500), exposure=st.floats(0.01, 100), level=levels)
def test_poisson_interval_equals_the_chi_squared_form(count: int, exposure: float, level: float) -> None:
    tail = (1 - level) / 2
    low, high = poisson(count, exposure, level)
    expected_low = scipy.stats.chi2.ppf(tail, 2 * count) / 2 / exposure if count else 0.0
    assert float(low) == pytest.approx(expected_low, rel=1e-7)
    assert float(high) == pytest.approx(
        scipy.stats.chi2.ppf(1 - tail, 2 * count + 2) / 2 / exposure, rel=1e-7
    )


@given(probability=st.floats(0.001, 0.999), df=st.floats(1, 500))
def test_quantiles_equal_scipys(probability: float, df: float) -> None:
    assert normal_quantile(probability) == pytest.approx(
        scipy.stats.norm.ppf(probability), rel=1e-10, abs=1e-12
    )
    assert student_quantile(probability, df) == pytest.approx(
        scipy.stats.t.ppf(probability, df), rel=1e-7, abs=1e-9
    )
    assert chi2_quantile(probability, df) == pytest.approx(scipy.stats.chi2.ppf(probability, df), rel=1e-7)
    assert student_quantile(probability, math.inf) == normal_quantile(probability)


def test_normal_interval_uses_student_when_degrees_of_freedom_are_few() -> None:
    low, high = normal([0.0, 1.0], [1.0, 2.0], 0.9, df=3)
    q = scipy.stats.t.ppf(0.95, 3)
    np.testing.assert_allclose(low, [-q, 1 - 2 * q], rtol=RTOL)
    np.testing.assert_allclose(high, [q, 1 + 2 * q], rtol=RTOL)


@given(
    numerator=st.floats(-10, 10),
    denominator=st.floats(-10, 10),
    sd_n=st.floats(0.1, 5),
    sd_d=st.floats(0.1, 5),
    correlation=st.floats(-0.95, 0.95),
    ratio=st.floats(-50, 50),
)
def test_fieller_holds_exactly_the_ratios_that_the_test_accepts(
    numerator: float, denominator: float, sd_n: float, sd_d: float, correlation: float, ratio: float
) -> None:
    cross = correlation * sd_n * sd_d
    found = fieller(numerator, denominator, [[sd_n**2, cross], [cross, sd_d**2]])
    variance = sd_n**2 - 2 * ratio * cross + ratio**2 * sd_d**2
    statistic = abs(numerator - ratio * denominator) / math.sqrt(variance)
    assume(abs(statistic - normal_quantile(0.975)) > 1e-6)
    assert found.contains(ratio) == (statistic < normal_quantile(0.975))
    for end in (found.low, found.high):
        if end is not None:
            difference = numerator - end * denominator
            spread = sd_n**2 - 2 * end * cross + end**2 * sd_d**2
            assert difference**2 == pytest.approx(normal_quantile(0.975) ** 2 * spread, rel=1e-5)
    crosses = abs(denominator) / sd_d
    assume(abs(crosses - normal_quantile(0.975)) > 1e-9)
    assert (found.kind == "closed") == (crosses > normal_quantile(0.975))


def test_fieller_reaches_all_its_kinds() -> None:
    assert fieller(1.0, 10.0, np.eye(2) * 0.01).kind == "closed"
    assert fieller(10.0, 0.1, np.eye(2)).kind == "two_pieces"
    assert fieller(0.1, 0.1, np.eye(2)).kind == "everything"
    assert fieller(2.0, 0.0, np.zeros((2, 2))).kind == "everything"
    assert fieller(2.0, 1.0, np.zeros((2, 2))) == Interval(low=2.0, high=2.0, kind="closed")
    squares = {df: student_quantile(0.975, df) ** 2 for df in range(2, 60)}
    df = next(df for df, q2 in squares.items() if q2 * (1 / q2) == 1)
    edge = [[0.0, 0.0], [0.0, 1 / squares[df]]]
    above, below = fieller(2.0, 1.0, edge, df=df), fieller(-2.0, 1.0, edge, df=df)
    assert (above.low, above.high, above.kind) == (pytest.approx(1.0), None, "open_above")
    assert (below.low, below.high, below.kind) == (None, pytest.approx(-1.0), "open_below")


def test_fieller_of_a_known_denominator_is_the_plain_interval() -> None:
    found = fieller(3.0, 2.0, [[0.25, 0.0], [0.0, 0.0]], 0.9)
    low, high = normal(1.5, 0.25, 0.9)
    np.testing.assert_allclose([found.low, found.high], [low, high], rtol=RTOL)


@given(a=bounded, b=bounded, share=st.floats(0, 1), scale=st.floats(0.01, 100))
def test_reciprocal_holds_scale_over_x_for_every_x_inside(
    a: float, b: float, share: float, scale: float
) -> None:
    low, high = min(a, b), max(a, b)
    x = low + share * (high - low)
    assume(abs(x) > 1e-7 and low < high)
    found = reciprocal(low, high, scale)
    slack = 1e-9
    assert (
        found.contains(scale / x)
        or found.contains(scale / x * (1 + slack))
        or found.contains(scale / x * (1 - slack))
    )


@given(a=bounded, b=bounded, y=st.floats(-1e4, 1e4), scale=st.floats(0.01, 100))
def test_reciprocal_holds_nothing_else(a: float, b: float, y: float, scale: float) -> None:
    low, high = min(a, b), max(a, b)
    assume(abs(y) > 1e-9 and not low == high == 0)
    x = scale / y
    assume(all(abs(x - end) > 1e-9 * max(1, abs(end)) for end in (low, high)))
    assert reciprocal(low, high, scale).contains(y) == (low < x < high)


@pytest.mark.parametrize(
    ("low", "high", "signed", "expected"),
    [
        (0.5, 2.0, True, (0.5, 2.0, "closed")),
        (-2.0, -0.5, True, (-2.0, -0.5, "closed")),
        (0.0, 2.0, True, (0.5, None, "open_above")),
        (-2.0, 0.0, True, (None, -0.5, "open_below")),
        (-2.0, 0.5, True, (-0.5, 2.0, "two_pieces")),
        (-2.0, 0.5, False, (2.0, None, "open_above")),
        (0.5, 2.0, False, (0.5, 2.0, "closed")),
        (0.5, None, True, (0.0, 2.0, "closed")),
        (None, -0.5, True, (-2.0, 0.0, "closed")),
        (None, 0.5, True, (0.0, 2.0, "two_pieces")),
        (None, None, True, (None, None, "everything")),
        (None, 0.5, False, (2.0, None, "open_above")),
    ],
)
def test_reciprocal_says_which_kind_of_set_it_is(
    low: float | None, high: float | None, signed: bool, expected: tuple[float | None, float | None, str]
) -> None:
    found = reciprocal(low, high, signed=signed)
    assert (found.low, found.high, found.kind) == expected


def test_halving_time_of_a_rate_that_may_be_zero_has_only_a_lower_bound() -> None:
    found = reciprocal(-0.1, 1.0, 12 * math.log(2), signed=False)
    assert found.high is None
    assert found.low == pytest.approx(8.3178, abs=1e-4)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: wilson(11, 10), EvidenceError, "0 <= successes <= n"),
        (lambda: wilson(0, 0), EvidenceError, "n >= 1"),
        (lambda: wilson(math.nan, 10), EvidenceError, "finite"),
        (lambda: wilson(1, 10, 95), SettingError, "wilson: level=95.*Did you mean 0.95"),
        (lambda: binomial(1, 10, method="exact"), SettingError, "must be one of"),
        (lambda: binomial(1, 10, method="Wilson-CC"), SettingError, "Did you mean 'wilson_cc'"),
        (lambda: poisson(-1), EvidenceError, "counts >= 0"),
        (lambda: poisson(1, 0.0), EvidenceError, "exposures > 0"),
        (lambda: fieller(1.0, 1.0, [[1.0, 2.0], [2.0, 1.0]]), EvidenceError, "no covariance matrix"),
        (lambda: fieller(math.nan, 1.0, np.eye(2)), EvidenceError, "finite estimates"),
        (lambda: reciprocal(2.0, 1.0), EvidenceError, "low <= high"),
        (lambda: reciprocal(math.nan, 1.0), EvidenceError, "low <= high"),
        (lambda: reciprocal(0.0, 0.0), NotIdentifiedError, "exactly 0"),
        (lambda: reciprocal(-2.0, -1.0, signed=False), NotIdentifiedError, "nowhere above 0"),
        (lambda: reciprocal(1.0, 2.0, -1.0), SettingError, "scale=-1.0"),
        (lambda: student_quantile(0.9, 0), SettingError, "df=0"),
        (lambda: chi2_quantile(0.9, -1), SettingError, "df=-1"),
    ],
)
def test_what_cannot_be_used_is_refused(call: object, error: type[IsoflopError], message: str) -> None:
    with pytest.raises(error, match=message):
        call()  # type: ignore[operator]


def test_an_interval_of_two_pieces_leaves_out_its_middle() -> None:
    pieces = Interval(low=-1.0, high=2.0, kind="two_pieces")
    assert [pieces.contains(x) for x in (-2.0, -1.0, 0.0, 2.0, 3.0)] == [True, True, False, True, True]
    assert Interval(low=None, high=None, kind="everything").contains(0.0)

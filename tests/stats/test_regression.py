"""Least squares and its covariances agree with dense formulas, limits and simulation."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from isoflop.errors import EvidenceError, IsoflopError, NotIdentifiedError, SettingError
from isoflop.stats.clustered import sandwich
from isoflop.stats.regression import Covariance, linear_regression, running_maximum

RTOL = 1e-8
KINDS: tuple[Covariance, ...] = ("classical", "HC0", "HC1", "HC2", "HC3", "CR0", "CR1", "CR2")
seeds = st.integers(0, 10_000)


def planted(seed: int, n: int = 40, p: int = 3, clusters: int = 8) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    design = np.column_stack([np.ones(n), rng.normal(size=(n, p - 1))])
    codes = rng.permutation(np.arange(n) % clusters)
    y = (
        design @ rng.normal(size=p)
        + rng.normal(size=n) * (1 + np.abs(design[:, 1]))
        + rng.normal(size=8)[codes]
    )
    return design, y, codes, rng.uniform(0.2, 3, n)


def dense_covariance(kind: str, x: np.ndarray, y: np.ndarray, w: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """The textbook formulas with full n x n matrices, after whitening."""
    root = np.sqrt(w)
    x, y = x * root[:, None], y * root
    n, p = x.shape
    bread = np.linalg.inv(x.T @ x)
    hat = x @ bread @ x.T
    e = y - hat @ y
    h = np.diag(hat)
    if kind == "classical":
        return bread * (e @ e) / (n - p)
    if kind.startswith("HC"):
        omega = {
            "HC0": e**2,
            "HC1": e**2 * n / (n - p),
            "HC2": e**2 / (1 - h),
            "HC3": e**2 / (1 - h) ** 2,
        }[kind]
        return bread @ x.T @ np.diag(omega) @ x @ bread
    names = np.unique(codes)
    meat = np.zeros((p, p))
    for name in names:
        rows = codes == name
        eg = e[rows]
        if kind == "CR2":
            eg = scipy.linalg.inv(scipy.linalg.sqrtm(np.eye(rows.sum()) - hat[np.ix_(rows, rows)])).real @ eg
        score = x[rows].T @ eg
        meat += np.outer(score, score)
    if kind == "CR1":
        meat *= len(names) / (len(names) - 1) * (n - 1) / (n - p)
    return bread @ meat @ bread


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_covariances_equal_the_dense_formulas(kind: Covariance, weighted: bool, seed: int) -> None:
    x, y, codes, w = planted(seed)
    w = w if weighted else np.ones(y.size)
    labels = codes if kind.startswith("CR") else None
    fit = linear_regression(x, y, weights=w if weighted else None, covariance=kind, codes=labels)
    root = np.sqrt(w)
    np.testing.assert_allclose(
        fit.coefficients, np.linalg.lstsq(x * root[:, None], y * root, rcond=None)[0], rtol=RTOL
    )
    np.testing.assert_allclose(fit.covariance, dense_covariance(kind, x, y, w, codes), rtol=RTOL, atol=1e-12)
    assert fit.df == (7 if labels is not None else 37)
    assert fit.leverage.sum() == pytest.approx(3, rel=1e-10)


def test_a_simple_slope_equals_scipys_linregress() -> None:
    x, y, _, _ = planted(5, p=2)
    fit = linear_regression(x, y, covariance="classical")
    oracle = scipy.stats.linregress(x[:, 1], y)
    assert fit.coefficients[1] == pytest.approx(oracle.slope, rel=RTOL)
    assert fit.standard_errors[1] == pytest.approx(oracle.stderr, rel=RTOL)
    assert fit.p_values()[1] == pytest.approx(oracle.pvalue, rel=1e-7)
    low, high = fit.interval(0.9)
    half = scipy.stats.t.ppf(0.95, 38) * oracle.stderr
    np.testing.assert_allclose([low[1], high[1]], [oracle.slope - half, oracle.slope + half], rtol=RTOL)


@given(seed=seeds, kind=st.sampled_from(KINDS), scale=st.floats(1e-6, 1e6))
def test_units_of_a_column_move_only_its_coefficient(seed: int, kind: Covariance, scale: float) -> None:
    x, y, codes, w = planted(seed)
    labels = codes if kind.startswith("CR") else None
    plain = linear_regression(x, y, weights=w, covariance=kind, codes=labels)
    units = np.array([1.0, scale, 1.0])
    moved = linear_regression(x * units, y, weights=w, covariance=kind, codes=labels)
    np.testing.assert_allclose(moved.coefficients * units, plain.coefficients, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(moved.standard_errors * units, plain.standard_errors, rtol=1e-6)


@given(seed=seeds, kind=st.sampled_from(KINDS))
def test_order_of_rows_scale_of_weights_and_rows_of_weight_zero_do_not_matter(
    seed: int, kind: Covariance
) -> None:
    x, y, codes, w = planted(seed)
    labels = codes if kind.startswith("CR") else None
    plain = linear_regression(x, y, weights=w, covariance=kind, codes=labels)
    order = np.random.default_rng(seed).permutation(y.size)
    extra = [0, 1, 2]
    rows = np.concatenate([order, extra])
    other_w = np.concatenate([7 * w[order], np.zeros(3)])
    shifted = np.concatenate([y[order], y[extra] + 100])
    other_codes = None if labels is None else np.concatenate([codes[order], [90, 91, 92]])
    other = linear_regression(x[rows], shifted, weights=other_w, covariance=kind, codes=other_codes)
    np.testing.assert_allclose(other.coefficients, plain.coefficients, rtol=1e-7, atol=1e-10)
    np.testing.assert_allclose(other.covariance, plain.covariance, rtol=1e-6, atol=1e-12)
    assert (other.n, other.df, other.n_clusters) == (plain.n, plain.df, plain.n_clusters)


@given(seed=seeds)
def test_clusters_of_one_row_give_the_row_robust_covariances(seed: int) -> None:
    x, y, _, w = planted(seed)
    rows = np.arange(y.size)
    for cluster, row in (("CR0", "HC0"), ("CR2", "HC2")):
        clustered = linear_regression(x, y, weights=w, covariance=cluster, codes=rows)  # type: ignore[arg-type]
        robust = linear_regression(x, y, weights=w, covariance=row)  # type: ignore[arg-type]
        np.testing.assert_allclose(clustered.covariance, robust.covariance, rtol=1e-7, atol=1e-12)


def test_cr2_survives_a_dummy_column_for_one_cluster() -> None:
    x, y, codes, _ = planted(3)
    dummy = np.column_stack([x, codes == 2])
    fit = linear_regression(dummy, y, covariance="CR2", codes=codes)
    assert np.isfinite(fit.covariance).all()
    without = linear_regression(x[codes != 2], y[codes != 2], covariance="CR2", codes=codes[codes != 2])
    assert fit.n_clusters == without.n_clusters + 1


def test_contrast_of_a_unit_vector_is_the_coefficient() -> None:
    x, y, codes, _ = planted(1)
    fit = linear_regression(x, y, covariance="CR1", codes=codes)
    low, high = fit.interval()
    assert fit.contrast([0, 1, 0]) == pytest.approx((fit.coefficients[1], low[1], high[1]))
    value, below, above = fit.contrast([1.0, 2.0, 0.0])
    variance = np.array([1, 2]) @ fit.covariance[:2, :2] @ np.array([1, 2])
    assert above - below == pytest.approx(2 * scipy.stats.t.ppf(0.975, 7) * np.sqrt(variance))
    assert value == pytest.approx(fit.coefficients[0] + 2 * fit.coefficients[1])


@pytest.mark.slow
@pytest.mark.ci
def test_clustered_intervals_cover_where_classical_ones_fail() -> None:
    rng = np.random.default_rng(0)
    clusters, size, trials = 25, 8, 400
    codes = np.repeat(np.arange(clusters), size)
    hit = {"classical": 0, "CR2": 0}
    for _ in range(trials):
        x = np.column_stack([np.ones(codes.size), rng.normal(size=clusters)[codes]])
        y = x @ [1.0, 0.5] + rng.normal(size=clusters)[codes] + rng.normal(size=codes.size)
        for kind in hit:
            labels = codes if kind == "CR2" else None
            low, high = linear_regression(x, y, covariance=kind, codes=labels).interval()  # type: ignore[arg-type]
            hit[kind] += low[1] <= 0.5 <= high[1]
    # The binomial standard error of a share of .95 over 400 trials is .011.
    assert hit["classical"] < 0.75 * trials
    assert 0.91 * trials < hit["CR2"] < 0.985 * trials


@given(seed=seeds)
def test_sandwich_of_a_linear_model_is_the_cluster_robust_covariance(seed: int) -> None:
    x, y, codes, w = planted(seed)
    fit = linear_regression(x, y, weights=w, covariance="CR0", codes=codes)
    ours = sandwich(x, fit.residuals, weights=w / w.sum(), codes=codes, small_sample=False)
    np.testing.assert_allclose(ours, fit.covariance, rtol=1e-7, atol=1e-12)
    np.testing.assert_allclose(
        sandwich(x, fit.residuals, weights=w, codes=codes), ours * 8 / 7, rtol=1e-7, atol=1e-12
    )


@given(
    order=st.lists(st.integers(0, 8), min_size=1, max_size=30),
    seed=seeds,
)
def test_running_maximum_is_the_largest_value_not_later(order: list[int], seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=len(order))
    when = np.array(order)
    expected = [values[when <= t].max() for t in order]
    np.testing.assert_array_equal(running_maximum(order, values), expected)
    shuffle = np.random.default_rng(seed).permutation(len(order))
    np.testing.assert_array_equal(
        running_maximum(when[shuffle], values[shuffle]), np.array(expected)[shuffle]
    )


X = np.column_stack([np.ones(6), np.arange(6.0)])
Y = np.array([1.0, 2.0, 2.5, 4.5, 5.0, 5.5])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: linear_regression(X[:2], Y[:2]), EvidenceError, "2 rows for 2 coefficients"),
        (lambda: linear_regression(X, Y[:5]), EvidenceError, "lengths design 6, y 5"),
        (lambda: linear_regression(X, np.append(Y[:5], np.nan)), EvidenceError, "first at 5"),
        (lambda: linear_regression(X, Y, weights=-np.ones(6)), EvidenceError, "must be >= 0"),
        (lambda: linear_regression(X, Y, weights=np.ones(5)), EvidenceError, "5 weights for 6 rows"),
        (lambda: linear_regression(X, Y, covariance="HC4"), SettingError, "must be one of"),
        (lambda: linear_regression(X, Y, covariance="cr1"), SettingError, "Did you mean 'CR1'"),
        (lambda: linear_regression(X, Y, covariance="CR1"), SettingError, "no cluster labels"),
        (lambda: linear_regression(X, Y, codes=np.arange(6)), SettingError, "others take none"),
        (lambda: linear_regression(X, Y, covariance="CR0", codes=["a"] * 6), EvidenceError, "1 cluster"),
        (lambda: linear_regression(X, Y, covariance="CR0", codes=["a"] * 5), EvidenceError, "must be equal"),
        (lambda: linear_regression(X[:, [0, 1, 0]], Y), NotIdentifiedError, r"column\(s\) 0, 2 are linearly"),
        (lambda: linear_regression(X * [1, 0], Y), NotIdentifiedError, r"column\(s\) 1 are linearly"),
        (
            lambda: linear_regression(np.column_stack([X, np.arange(6) == 3]), Y),
            NotIdentifiedError,
            "row 3 has leverage 1",
        ),
        (lambda: linear_regression(X, Y).interval(95), SettingError, "Did you mean 0.95"),
        (lambda: linear_regression(X, Y).contrast([1.0]), EvidenceError, "must be equal"),
        (lambda: running_maximum([1.0, 2.0], [1.0]), EvidenceError, "must be equal"),
        (lambda: running_maximum([1.0, np.nan], [1.0, 2.0]), EvidenceError, "order has 1"),
    ],
)
def test_what_cannot_be_used_is_refused(call: object, error: type[IsoflopError], message: str) -> None:
    with pytest.raises(error, match=message):
        call()  # type: ignore[operator]


def test_results_cannot_be_changed() -> None:
    fit = linear_regression(X, Y)
    with pytest.raises(ValueError, match="read-only"):
        fit.coefficients[0] = 0.0

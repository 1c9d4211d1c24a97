"""Linear regression with covariances that one can believe.

Estimates are (weighted) least squares; what differs is the covariance: classical, robust to
unequal variances (HC0 to HC3), or robust to dependence within clusters (CR0 to CR2).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from isoflop.errors import EvidenceError, NotIdentifiedError, SettingError, closest
from isoflop.stats.checks import (
    FloatArray,
    IntArray,
    cluster_index,
    finite_array,
    read_only,
    row_weights_or_equal,
    same_length,
    unit_level,
)
from isoflop.stats.clustered import RANK_TOLERANCE, sums_by_cluster
from isoflop.stats.intervals import student_quantile

Covariance = Literal["classical", "HC0", "HC1", "HC2", "HC3", "CR0", "CR1", "CR2"]

PARTICIPATION = 1e-6
"""Least share of a column in a dependent combination for the column to be named."""
LEVERAGE_LIMIT = 1 - 1e-10
"""A row of leverage 1 is fitted exactly, and has no residual to rescale."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LinearFit:
    """Coefficients of a linear regression with their covariance.

    Parameters
    ----------
    coefficients : array, shape (p,)
    covariance : array, shape (p, p)
    df : int
        Degrees of freedom for Student's t: n - p, or clusters - 1.
    kind : str
        Of the covariance.
    residuals, leverage : arrays, shape (n,)
        y minus fitted, in the unit of y; diagonal of the (weighted) hat matrix.
    variance : float
        Weighted residual sum of squares / (n - p).
    n, n_clusters : int
        Rows of positive weight; clusters among them (n if there are none).
    """

    coefficients: FloatArray
    covariance: FloatArray
    df: int
    kind: Covariance
    residuals: FloatArray
    leverage: FloatArray
    variance: float
    n: int
    n_clusters: int

    @property
    def standard_errors(self) -> FloatArray:
        """Standard errors of the coefficients, shape (p,)."""
        return np.sqrt(np.diag(self.covariance))

    def interval(self, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
        """Return bounds (low, high), each of shape (p,), by Student's t."""
        half = self._quantile("interval", level) * self.standard_errors
        return self.coefficients - half, self.coefficients + half

    def contrast(self, vector: ArrayLike, level: float = 0.95) -> tuple[float, float, float]:
        """Return value, low and high of a linear combination of the coefficients."""
        direction = finite_array("contrast", "vector", vector)
        same_length("contrast", vector=direction, coefficients=self.coefficients)
        value = float(direction @ self.coefficients)
        half = self._quantile("contrast", level) * math.sqrt(float(direction @ self.covariance @ direction))
        return value, value - half, value + half

    def p_values(self) -> FloatArray:
        """Return two-sided p-values of each coefficient against 0, shape (p,)."""
        from scipy.special import stdtr

        with np.errstate(divide="ignore", invalid="ignore"):
            t = np.abs(self.coefficients) / self.standard_errors
        return np.asarray(2 * stdtr(self.df, -t))

    def _quantile(self, where: str, level: float) -> float:
        return student_quantile((1 + unit_level(where, level)) / 2, self.df)


def linear_regression(
    design: ArrayLike,
    y: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    covariance: Covariance = "HC3",
    codes: ArrayLike | None = None,
) -> LinearFit:
    """Fit y = X b by (weighted) least squares.

    Parameters
    ----------
    design : array, shape (n, p)
        One column per coefficient; put a column of ones for the intercept.
    y : array, shape (n,)
    weights : array, shape (n,), >= 0, or None
        Proportional to 1/variance. Rows of weight 0 do not count.
    covariance : {"classical", "HC0", "HC1", "HC2", "HC3", "CR0", "CR1", "CR2"}
        HC0 to HC3 allow unequal variances, and HC3 is the safest in small samples; CR0 to CR2 allow
        dependence within clusters, and CR2 is the least biased with few of them.
    codes : array, shape (n,), or None
        Cluster labels; needed by CR0 to CR2 and by nothing else.

    Returns
    -------
    LinearFit

    Raises
    ------
    NotIdentifiedError
        Columns are linearly dependent, or a row of leverage 1 makes HC2 or HC3 undefined.
    EvidenceError
        No more rows than coefficients, or fewer than two clusters.

    Notes
    -----
    CR1 multiplies by C/(C-1) (n-1)/(n-p). CR2 multiplies each cluster's residuals by the symmetric
    (pseudo-)inverse root of I - H of that cluster, with a working model of equal variances.
    Source: MacKinnon & White (1985), J. Econometrics 29, 305-325; Bell & McCaffrey (2002), Survey
    Methodology 28, 169-181.

    Examples
    --------
    >>> x = np.arange(5.0)
    >>> design = np.column_stack([np.ones(5), x])
    >>> fit = linear_regression(design, 1 + 2 * x + [0.1, -0.1, 0.0, -0.1, 0.1], covariance="classical")
    >>> fit.coefficients.round(6).tolist(), fit.df
    ([1.0, 2.0], 3)
    """
    columns = finite_array("linear_regression", "design", design, ndim=2)
    target = finite_array("linear_regression", "y", y)
    same_length("linear_regression", design=columns.T, y=target)
    row_weights = row_weights_or_equal("linear_regression", weights, target.size)
    _check_covariance(covariance, codes)
    used = row_weights > 0
    n, p = int(used.sum()), columns.shape[1]
    if n <= p:
        raise EvidenceError(
            f"linear_regression: {n} rows for {p} coefficients, needs more rows. Drop columns."
        )
    roots = np.sqrt(row_weights)
    whitened, response = columns * roots[:, None], target * roots
    scale, left, values, right = _decompose(whitened)
    coefficients = (right.T @ ((left.T @ response) / values)) / scale
    pseudo_inverse = (right.T @ (left / values).T) / scale[:, None]
    residuals = target - columns @ coefficients
    errors = residuals * roots
    leverage = np.einsum("ij,ij->i", left, left)
    variance = float(errors @ errors) / (n - p)
    clusters, df = n, n - p
    if covariance == "classical":
        spread = variance * pseudo_inverse @ pseudo_inverse.T
    elif codes is None:
        adjusted = errors * _hc_factor(covariance, leverage, n, p)
        scores = pseudo_inverse * adjusted
        spread = scores @ scores.T
    else:
        labels = np.asarray(codes)
        same_length("linear_regression", y=target, codes=labels)
        index, clusters = cluster_index("linear_regression", labels[used])
        if clusters < 2:
            raise EvidenceError("linear_regression: 1 cluster, needs at least 2. Use HC3 without clusters.")
        df = clusters - 1
        errors = errors[used]
        if covariance == "CR2":
            errors = _cr2_residuals(left[used], errors, index)
        scores = sums_by_cluster(pseudo_inverse[:, used].T * errors[:, None], index, clusters)
        spread = scores.T @ scores
        if covariance == "CR1":
            spread = spread * (clusters / (clusters - 1) * (n - 1) / (n - p))
    return LinearFit(
        coefficients=read_only(coefficients),
        covariance=read_only(spread),
        df=df,
        kind=covariance,
        residuals=read_only(residuals),
        leverage=read_only(leverage),
        variance=variance,
        n=n,
        n_clusters=clusters,
    )


def running_maximum(order: ArrayLike, values: ArrayLike) -> FloatArray:
    """Return, for each row, the largest value among rows whose order is not later.

    The record so far, such as the largest system up to a date. Rows of equal order see each
    other, so the result does not depend on how ties are sorted.

    Parameters
    ----------
    order, values : arrays, shape (n,)

    Returns
    -------
    array, shape (n,)
        In the order of the input.

    Examples
    --------
    >>> running_maximum([3, 1, 2, 2], [4.0, 2.0, 1.0, 9.0]).tolist()
    [9.0, 2.0, 9.0, 9.0]
    """
    when, what = (
        finite_array("running_maximum", "order", order),
        finite_array("running_maximum", "values", values),
    )
    same_length("running_maximum", order=when, values=what)
    sequence = np.argsort(when, kind="stable")
    record = np.maximum.accumulate(what[sequence])
    last_of_tie = np.searchsorted(when[sequence], when, side="right") - 1
    return np.asarray(record[last_of_tie])


def _check_covariance(covariance: Covariance, codes: ArrayLike | None) -> None:
    kinds = get_args(Covariance)
    if covariance not in kinds:
        near = closest(str(covariance), kinds)
        hint = f"Did you mean {near!r}?" if near else "Use 'HC3'."
        raise SettingError(
            f"linear_regression: covariance={covariance!r}, must be one of {', '.join(kinds)}. {hint}"
        )
    if covariance.startswith("CR") != (codes is not None):
        came = "no cluster labels" if codes is None else "cluster labels"
        raise SettingError(
            f"linear_regression: covariance={covariance!r} and {came}; CR0, CR1 and CR2 need labels, "
            "others take none. Change one of them."
        )


def _decompose(whitened: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return column scales and the singular value decomposition of the scaled design."""
    scale = np.linalg.norm(whitened, axis=0)
    scaled = whitened / np.where(scale > 0, scale, 1.0)
    left, values, right = np.linalg.svd(scaled, full_matrices=False)
    null = right[values < RANK_TOLERANCE * values[0]]
    if null.size:
        involved = np.flatnonzero(np.abs(null).max(axis=0) > PARTICIPATION)
        named = ", ".join(str(int(column)) for column in involved)
        raise NotIdentifiedError(
            f"linear_regression: design column(s) {named} are linearly dependent or 0, "
            "needs independent ones. Leave one out."
        )
    return scale, left, values, right


def _hc_factor(covariance: Covariance, leverage: FloatArray, n: int, p: int) -> FloatArray | float:
    if covariance == "HC0":
        return 1.0
    if covariance == "HC1":
        return math.sqrt(n / (n - p))
    if leverage.max() > LEVERAGE_LIMIT:
        raise NotIdentifiedError(
            f"linear_regression: row {int(leverage.argmax())} has leverage 1, so {covariance} is undefined. "
            "Leave the row out with its column, or use HC1."
        )
    return np.asarray((1 - leverage) ** (-0.5 if covariance == "HC2" else -1.0))


def _cr2_residuals(left: FloatArray, errors: FloatArray, index: IntArray) -> FloatArray:
    adjusted = np.empty_like(errors)
    for cluster in range(int(index.max()) + 1):
        rows = index == cluster
        values, vectors = np.linalg.eigh(np.eye(int(rows.sum())) - left[rows] @ left[rows].T)
        # Directions that the cluster fits exactly carry no residual; their root is set to 0.
        roots = np.where(
            values > 1 - LEVERAGE_LIMIT, 1 / np.sqrt(np.maximum(values, 1 - LEVERAGE_LIMIT)), 0.0
        )
        adjusted[rows] = vectors @ (roots * (vectors.T @ errors[rows]))
    return adjusted

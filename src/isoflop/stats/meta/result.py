"""What a meta-analysis returns: coefficients, heterogeneity, tests and predictions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from isoflop.errors import NotIdentifiedError
from isoflop.stats.checks import FloatArray, finite_array, same_length, unit_level
from isoflop.stats.intervals import student_quantile
from isoflop.stats.meta.effects import Effects, chosen
from isoflop.stats.meta.heterogeneity import ChiSquareTest, Tau2Method

MeanTest = Literal["z", "t", "knha", "adhoc"]
PredictionKind = Literal["riley", "plain"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """A linear combination of coefficients."""

    value: float
    se: float
    low: float
    high: float
    df: float
    p_value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WaldTest:
    """Whether several coefficients are all 0.

    Parameters
    ----------
    statistic : float
        Chi-squared if `df_residual` is infinite, else F.
    df : int
        Number of coefficients tested.
    df_residual : float
    p_value : float
    names : tuple of str
        Of the coefficients tested.
    """

    statistic: float
    df: int
    df_residual: float
    p_value: float
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """A mean effect, and where the true effect of a new study would lie.

    Parameters
    ----------
    value, se, low, high : float
        Of the mean effect.
    prediction_low, prediction_high : float
        Of one new study's true effect.
    df : float
        Degrees of freedom of the prediction interval; infinity means normal quantiles.
    kind : {"riley", "plain"}
    level : float
    """

    value: float
    se: float
    low: float
    high: float
    prediction_low: float
    prediction_high: float
    df: float
    kind: PredictionKind
    level: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MetaFit:
    """A fitted meta-analysis, with or without moderators and clusters.

    Parameters
    ----------
    names : tuple of str, length p
    coefficients : array, shape (p,)
    covariance : array, shape (p, p)
    df : float
        Of Student's t for the coefficients; infinity under test "z".
    method : str
        Estimator of the variances.
    test : {"z", "t", "knha", "adhoc"}
    level : float
    tau2, study_variance, cluster_variance : float
        Variance of true effects, and its two parts; the last is 0 without clusters.
    tau2_se : float or None
        From the expected information; None for moment estimators and with clusters.
    typical_variance, i2, i2_cluster, h2 : float
        Shares: i2 = tau2 / (tau2 + typical_variance), i2_cluster that of the cluster variance.
    heterogeneity : ChiSquareTest
        Cochran's Q.
    moderators : WaldTest or None
        All coefficients but the intercept; None if there are none.
    r2 : float or None
        Share of tau2 that the moderators explain, at least 0; None without moderators and where
        tau2 is 0 without them.
    log_likelihood : float or None
        Under the method, None for moment estimators.
    weights : array, shape (k,)
        Shares of each study, summing to 1: row sums of the weight matrix.
    fitted, residuals : arrays, shape (k,)
    cautions : tuple of str
    effects : Effects
    """

    names: tuple[str, ...]
    coefficients: FloatArray
    covariance: FloatArray
    df: float
    method: Tau2Method
    test: MeanTest
    level: float
    tau2: float
    study_variance: float
    cluster_variance: float
    tau2_se: float | None
    typical_variance: float
    i2: float
    i2_cluster: float
    h2: float
    heterogeneity: ChiSquareTest
    moderators: WaldTest | None
    r2: float | None
    log_likelihood: float | None
    weights: FloatArray
    fitted: FloatArray
    residuals: FloatArray
    cautions: tuple[str, ...]
    effects: Effects

    @property
    def n_studies(self) -> int:
        """Number of studies."""
        return self.effects.k

    @property
    def n_clusters(self) -> int | None:
        """Number of clusters, None without."""
        return self.effects.n_clusters

    @property
    def standard_errors(self) -> FloatArray:
        """Standard errors of the coefficients, shape (p,)."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def statistics(self) -> FloatArray:
        """Coefficients over their standard errors, shape (p,)."""
        return ratio(self.coefficients, self.standard_errors)

    @property
    def p_values(self) -> FloatArray:
        """Two-sided p-values of each coefficient against 0, shape (p,)."""
        return two_sided_p(self.statistics, self.df)

    @property
    def low(self) -> FloatArray:
        """Lower bounds of the coefficients at the fit's level, shape (p,)."""
        return self.interval()[0]

    @property
    def high(self) -> FloatArray:
        """Upper bounds of the coefficients at the fit's level, shape (p,)."""
        return self.interval()[1]

    def interval(self, level: float | None = None) -> tuple[FloatArray, FloatArray]:
        """Return bounds (low, high) of the coefficients, each of shape (p,)."""
        half = self._quantile("interval", level) * self.standard_errors
        return self.coefficients - half, self.coefficients + half

    def contrast(self, vector: ArrayLike, level: float | None = None) -> Contrast:
        """Return a linear combination of the coefficients.

        Parameters
        ----------
        vector : array, shape (p,)
        level : float, in (0, 1), or None
            The fit's own if None.
        """
        direction = finite_array("contrast", "vector", vector)
        same_length("contrast", vector=direction, coefficients=self.coefficients)
        value = float(direction @ self.coefficients)
        se = math.sqrt(float(direction @ self.covariance @ direction))
        half = self._quantile("contrast", level) * se
        p_value = float(two_sided_p(ratio(np.array([value]), np.array([se])), self.df)[0])
        return Contrast(value=value, se=se, low=value - half, high=value + half, df=self.df, p_value=p_value)

    def prediction(
        self, at: ArrayLike | None = None, *, kind: PredictionKind = "riley", level: float | None = None
    ) -> Prediction:
        """Return where a new study's true effect would lie.

        Parameters
        ----------
        at : array, shape (p,), or None
            Row of the design, the intercept included; the mean row of the data if None.
        kind : {"riley", "plain"}
            ``riley``: Student's t with k - p - 1 degrees of freedom (clusters - p - 1 with
            clusters). ``plain``: the quantile of the mean's own interval.
        level : float, in (0, 1), or None
            The fit's own if None.

        Raises
        ------
        NotIdentifiedError
            Too few studies or clusters for the degrees of freedom.

        Notes
        -----
        value -+ quantile * sqrt(tau² + se²). Sources: Riley, Higgins & Deeks (2011), BMJ 342, d549;
        ``plain`` is what the R package metafor gives by default.
        """
        chosen("prediction", "kind", kind, ("riley", "plain"))
        row = self.effects.design.mean(axis=0) if at is None else at
        mean = self.contrast(row, level)
        df = self.df
        if kind == "riley":
            units = self.n_studies if self.n_clusters is None else self.n_clusters
            df = units - self.effects.p - 1
            if df < 1:
                what = "studies" if self.n_clusters is None else "clusters"
                raise NotIdentifiedError(
                    f"prediction: {units} {what} for {self.effects.p} coefficient(s), needs at least "
                    f"{self.effects.p + 2}. Add {what}, or use kind='plain' and say so."
                )
        used = self.level if level is None else level
        half = student_quantile((1 + used) / 2, df) * math.sqrt(self.tau2 + mean.se**2)
        return Prediction(
            value=mean.value,
            se=mean.se,
            low=mean.low,
            high=mean.high,
            prediction_low=mean.value - half,
            prediction_high=mean.value + half,
            df=df,
            kind=kind,
            level=used,
        )

    def _quantile(self, where: str, level: float | None) -> float:
        return student_quantile((1 + unit_level(where, self.level if level is None else level)) / 2, self.df)


def ratio(value: FloatArray, error: FloatArray) -> FloatArray:
    """Return value / error: infinite where only the error is 0, and 0 where both are."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(value == 0.0, 0.0, value / error))


def two_sided_p(statistic: FloatArray, df: ArrayLike) -> FloatArray:
    """Return two-sided p-values by Student's t; normal where `df` is infinite."""
    from scipy.special import ndtr, stdtr

    degrees = np.broadcast_to(np.asarray(df, dtype=np.float64), statistic.shape)
    is_normal = np.isinf(degrees)
    student = stdtr(np.where(is_normal, 1.0, degrees), -np.abs(statistic))
    return np.asarray(2 * np.where(is_normal, ndtr(-np.abs(statistic)), student))


def wald_test(
    coefficients: FloatArray, covariance: FloatArray, names: tuple[str, ...], df_residual: float
) -> WaldTest:
    """Return the test that all these coefficients are 0."""
    from scipy.special import fdtrc, gammaincc

    count = coefficients.size
    scale = np.sqrt(np.diag(covariance))
    if not np.all(scale > 0):
        return WaldTest(statistic=math.inf, df=count, df_residual=df_residual, p_value=0.0, names=names)
    z = coefficients / scale
    statistic = float(z @ np.linalg.solve(covariance / np.outer(scale, scale), z))
    if math.isinf(df_residual):
        p_value = float(gammaincc(count / 2, statistic / 2))
    else:
        statistic /= count
        p_value = float(fdtrc(count, df_residual, statistic))
    return WaldTest(statistic=statistic, df=count, df_residual=df_residual, p_value=p_value, names=names)

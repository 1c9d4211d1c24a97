"""Covariances that stand when errors within clusters depend in ways the model does not say.

With W the weights of the fit, M = (X'WX)^-1, e the residuals and A_c an adjustment per cluster::

    covariance = M [ sum over clusters of X_c'W_c A_c e_c e_c' A_c W_c X_c ] M

CR0: A = I. CR1: A² = C/(C-1). CR1p: A² = C/(C-p), with C - p degrees of freedom in all three. CR2: A_c makes
the expectation exact if V is right, and the degrees of freedom are Satterthwaite's, one per
coefficient: with few or unequal clusters they are far below C - p.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from isoflop.errors import EvidenceError, NotIdentifiedError
from isoflop.stats.checks import (
    FloatArray,
    IntArray,
    cluster_index,
    finite_array,
    read_only,
    same_length,
    unit_level,
)
from isoflop.stats.intervals import student_quantile
from isoflop.stats.meta.effects import chosen
from isoflop.stats.meta.result import Contrast, MetaFit, WaldTest, ratio, two_sided_p

RobustKind = Literal["CR2", "CR1", "CR1p", "CR0"]

EIGENVALUE_TOLERANCE = 1e-12
"""Directions that a cluster fits exactly have eigenvalue 0 but for rounding; their root is set to 0."""
LOW_DF = 4.0
"""Below this many Satterthwaite degrees of freedom, t intervals are themselves unreliable: Tipton
(2015), Psychological Methods 20, 375-393."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RobustFit:
    """Coefficients of a fit with a cluster-robust covariance.

    Parameters
    ----------
    names : tuple of str, length p
    coefficients : array, shape (p,)
        Those of the fit.
    covariance : array, shape (p, p)
    df : array, shape (p,)
        Of Student's t, per coefficient.
    kind : {"CR2", "CR1", "CR1p", "CR0"}
    n_studies, n_clusters : int
    level : float
    cautions : tuple of str
    pieces : Pieces
        The fit by cluster, for further contrasts.
    """

    names: tuple[str, ...]
    coefficients: FloatArray
    covariance: FloatArray
    df: FloatArray
    kind: RobustKind
    n_studies: int
    n_clusters: int
    level: float
    cautions: tuple[str, ...]
    pieces: Pieces

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
        """Lower bounds of the coefficients, shape (p,)."""
        return self.interval()[0]

    @property
    def high(self) -> FloatArray:
        """Upper bounds of the coefficients, shape (p,)."""
        return self.interval()[1]

    def interval(self, level: float | None = None) -> tuple[FloatArray, FloatArray]:
        """Return bounds (low, high) of the coefficients, each of shape (p,)."""
        upper = (1 + unit_level("interval", self.level if level is None else level)) / 2
        half = np.array([student_quantile(upper, df) for df in self.df]) * self.standard_errors
        return self.coefficients - half, self.coefficients + half

    def contrast(self, vector: ArrayLike, level: float | None = None) -> Contrast:
        """Return a linear combination of the coefficients, with its own degrees of freedom."""
        direction = finite_array("contrast", "vector", vector)
        same_length("contrast", vector=direction, coefficients=self.coefficients)
        value = float(direction @ self.coefficients)
        se = float(np.sqrt(direction @ self.covariance @ direction))
        df = self.pieces.satterthwaite(direction) if self.kind == "CR2" else float(self.df[0])
        used = unit_level("contrast", self.level if level is None else level)
        half = student_quantile((1 + used) / 2, df) * se
        p_value = float(two_sided_p(ratio(np.array([value]), np.array([se])), df)[0])
        return Contrast(value=value, se=se, low=value - half, high=value + half, df=df, p_value=p_value)

    def joint_test(self, names: tuple[str, ...]) -> WaldTest:
        """Test that several coefficients are all 0, by Hotelling's approximation.

        Parameters
        ----------
        names : tuple of str
            Coefficients to test, such as all levels of one moderator.

        Raises
        ------
        NotIdentifiedError
            Too few clusters for so many coefficients.

        Notes
        -----
        CR2 only. Source: Tipton & Pustejovsky (2015), J. Educ. Behav. Statist. 40, 604-634 (their HTZ).
        """
        from scipy.special import fdtrc

        if self.kind != "CR2":
            raise NotIdentifiedError(f"joint_test: kind={self.kind!r}, needs 'CR2'. Ask robust for CR2.")
        for name in names:
            chosen("joint_test", "names", name, self.names)
        at = np.array([self.names.index(name) for name in names])
        q = at.size
        statistic = float(
            self.coefficients[at] @ np.linalg.solve(self.covariance[np.ix_(at, at)], self.coefficients[at])
        )
        eta = self.pieces.hotelling_df(np.eye(len(self.names))[at])
        residual = eta - q + 1
        if residual <= 0:
            raise NotIdentifiedError(
                f"joint_test: {self.n_clusters} clusters give {residual:.1f} degrees of freedom for {q} "
                "coefficients, needs more than 0. Test fewer together, or add clusters."
            )
        f = residual / (eta * q) * statistic
        return WaldTest(
            statistic=f, df=q, df_residual=residual, p_value=float(fdtrc(q, residual, f)), names=tuple(names)
        )


class Pieces:
    """A fit taken apart by cluster: design, weighted and adjusted design, working covariance.

    For a contrast l, the residual-based estimate of its variance is the sum over clusters of (g_c'e)²
    with g_c = (I-H)'A_c W_c X_c M l; under the working covariance V the matrix of g_c'V g_d has all that
    the degrees of freedom need.
    """

    def __init__(self, fit: MetaFit, index: IntArray, clusters: int) -> None:
        effects = fit.effects
        order = np.argsort(index, kind="stable")
        bounds = np.searchsorted(index[order], np.arange(1, clusters))
        self.rows = np.split(order, bounds)
        variance = effects.v + fit.study_variance
        weighted = _weighted_design(fit)
        self.bread = np.linalg.inv(effects.design.T @ weighted)
        self.bread = (self.bread + self.bread.T) / 2
        self.design = [effects.design[rows] for rows in self.rows]
        self.weighted = [weighted[rows] for rows in self.rows]
        self.working = [self._working(fit, variance, rows) for rows in self.rows]
        self.spread = [work @ rows for work, rows in zip(self.working, self.weighted, strict=True)]
        self.meat = sum(
            (w.T @ s for w, s in zip(self.weighted, self.spread, strict=True)), np.zeros_like(self.bread)
        )
        self.adjusted = self.weighted

    def adjust(self) -> None:
        """Put CR2's adjusted A_c W_c X_c in place of W_c X_c."""
        self.adjusted = [
            _adjustment(work, self._left_over(c, c)) @ self.weighted[c] for c, work in enumerate(self.working)
        ]

    def covariance(self, residuals: FloatArray) -> FloatArray:
        """Return the robust covariance, without a factor for few clusters."""
        scores = np.array([a.T @ residuals[rows] for a, rows in zip(self.adjusted, self.rows, strict=True)])
        half = scores @ self.bread
        return np.asarray(half.T @ half)

    def satterthwaite(self, direction: FloatArray) -> float:
        """Return the degrees of freedom of the variance of one contrast."""
        kernel = self._kernel(direction[None, :])[:, 0, :, 0]
        trace, square = float(np.trace(kernel)), float(np.sum(kernel**2))
        return trace * trace / square

    def hotelling_df(self, contrasts: FloatArray) -> float:
        """Return eta, the degrees of freedom of the covariance of several contrasts."""
        # Scaled by its expectation, which falls short of the model's covariance where clusters fit some
        # direction exactly.
        expected = np.einsum("cicj->ij", self._kernel(contrasts))
        values, vectors = np.linalg.eigh(expected)
        if values[0] <= EIGENVALUE_TOLERANCE * values[-1]:
            return 0.0
        kernel = self._kernel((vectors / np.sqrt(values) @ vectors.T) @ contrasts)
        q = len(contrasts)
        # Sum over pairs (s, t) of coefficients of Var(D_st), D the covariance estimate in the metric
        # in which its expectation is I.
        total = 0.0
        for s in range(q):
            for t in range(q):
                total += float(np.sum(kernel[:, s, :, s] * kernel[:, t, :, t]))
                total += float(np.sum(kernel[:, s, :, t] * kernel[:, t, :, s]))
        return q * (q + 1) / total

    def _kernel(self, contrasts: FloatArray) -> FloatArray:
        """Return g_c's V g_d for every pair of clusters and contrasts, shape (C, q, C, q)."""
        # (I-H)V(I-H)' between clusters c and d is V_c [c = d] - X_c M S_d' - S_c M X_d' + X_c M meat M X_d',
        # with S = VWX: everything but the first is a product of p columns.
        sides = [a @ self.bread @ contrasts.T for a in self.adjusted]
        x = np.array([d.T @ a for d, a in zip(self.design, sides, strict=True)])
        s = np.array([d.T @ a for d, a in zip(self.spread, sides, strict=True)])
        xm = np.einsum("cpi,pq->cqi", x, self.bread)
        kernel = -np.einsum("cqi,dqj->cidj", xm, s)
        kernel -= np.einsum("cqi,dqj->cidj", s, xm)
        kernel += np.einsum("cqi,qr,drj->cidj", xm, self.meat, xm)
        for c, (work, side) in enumerate(zip(self.working, sides, strict=True)):
            kernel[c, :, c, :] += side.T @ work @ side
        return np.asarray(kernel)

    def _left_over(self, c: int, d: int) -> FloatArray:
        """Return the block (c, d) of (I-H)V(I-H)', the covariance of residuals."""
        left, right = self.design[c] @ self.bread, self.bread @ self.design[d].T
        block = left @ self.meat @ right - left @ self.spread[d].T - self.spread[c] @ right
        return np.asarray(block + self.working[c] if c == d else block)

    @staticmethod
    def _working(fit: MetaFit, variance: FloatArray, rows: IntArray) -> FloatArray:
        block = np.diag(variance[rows])
        if fit.effects.codes is not None:
            codes = fit.effects.codes[rows]
            block = block + fit.cluster_variance * (codes[:, None] == codes)
        return block


def robust(
    fit: MetaFit, codes: ArrayLike | None = None, *, kind: RobustKind = "CR2", level: float | None = None
) -> RobustFit:
    """Return the coefficients of a fit with a cluster-robust covariance.

    Parameters
    ----------
    fit : MetaFit
    codes : array, shape (k,), or None
        Cluster labels; the fit's own clusters if None. They may join the fit's clusters, not part them.
    kind : {"CR2", "CR1", "CR1p", "CR0"}
    level : float, in (0, 1), or None
        The fit's own if None.

    Returns
    -------
    RobustFit

    Raises
    ------
    NotIdentifiedError
        One cluster: nothing shows how clusters differ.
    EvidenceError
        Clusters of the fit lie in several of these clusters, or there are no more clusters than
        coefficients.

    Notes
    -----
    Working covariance: the fitted V. Sources: Bell & McCaffrey (2002), Survey Methodology 28, 169-181;
    Pustejovsky & Tipton (2018), J. Bus. Econ. Statist. 36, 672-683; checked against the R package
    clubSandwich.

    Examples
    --------
    >>> from isoflop.stats.meta.pool import pool_clustered
    >>> y, v, code = [0.1, 0.2, 0.7, 0.9, 0.4], [0.02, 0.03, 0.02, 0.05, 0.04], list("aabbc")
    >>> found = robust(pool_clustered(y, v, code))
    >>> round(float(found.standard_errors[0]), 4), round(float(found.df[0]), 2)
    (0.1969, 1.97)
    """
    chosen("robust", "kind", kind, get_args(RobustKind))
    index, clusters = read_clusters("robust", fit, codes)
    p = fit.effects.p
    if kind != "CR2" and clusters <= p:
        raise EvidenceError(
            f"robust: {clusters} clusters for {p} coefficients, needs at least {p + 1}. Use fewer moderators."
        )
    pieces = Pieces(fit, index, clusters)
    factor = {"CR0": 1.0, "CR2": 1.0, "CR1": clusters / (clusters - 1)}.get(
        kind, clusters / max(clusters - p, 1)
    )
    if kind == "CR2":
        pieces.adjust()
        df = np.array([pieces.satterthwaite(row) for row in np.eye(p)])
    else:
        df = np.full(p, float(clusters - p))
    return RobustFit(
        names=fit.names,
        coefficients=fit.coefficients,
        covariance=read_only(factor * pieces.covariance(fit.residuals)),
        df=read_only(df),
        kind=kind,
        n_studies=fit.n_studies,
        n_clusters=clusters,
        level=fit.level if level is None else unit_level("robust", level),
        cautions=_cautions(fit.names, df, clusters),
        pieces=pieces,
    )


def read_clusters(where: str, fit: MetaFit, codes: ArrayLike | None) -> tuple[IntArray, int]:
    """Return cluster numbers and their count, or refuse one cluster and clusters that part the fit's."""
    own = fit.effects.codes
    if codes is None:
        if own is None:
            raise EvidenceError(f"{where}: no cluster labels, needs one per study. Pass codes.")
        return own, len(fit.effects.cluster_labels)
    index, clusters = cluster_index(where, codes)
    same_length(where, y=fit.effects.y, codes=index)
    if clusters == 1:
        raise NotIdentifiedError(
            f"{where}: {fit.n_studies} studies, 1 cluster, needs at least 2 for an interval. "
            "Report the estimate as that of one cluster, without an interval, or add clusters."
        )
    if own is not None and len(np.unique(np.column_stack([own, index]), axis=0)) > len(np.unique(own)):
        raise EvidenceError(
            f"{where}: a cluster of the fit lies in several of these clusters, needs whole ones. "
            "Use the fit's own clusters or coarser ones."
        )
    return index, clusters


def _weighted_design(fit: MetaFit) -> FloatArray:
    """Return W X in the user's order of rows."""
    from isoflop.stats.meta.components import ComponentModel

    effects = fit.effects
    if effects.weights is not None:
        return np.asarray(effects.weights[:, None] * effects.design)
    model = ComponentModel(effects)
    weighted = np.empty_like(effects.design)
    point = model.at(fit.study_variance, fit.cluster_variance)
    weighted[model.order] = point.solve(effects.design[model.order])
    return weighted


def _adjustment(working: FloatArray, left_over: FloatArray) -> FloatArray:
    """Return the symmetric A with A (left_over) A' = working, on the range of left_over."""
    lower = np.linalg.cholesky(working)
    values, vectors = np.linalg.eigh(lower.T @ left_over @ lower)
    kept = values > EIGENVALUE_TOLERANCE * max(values.max(), 0.0)
    roots = np.where(kept, 1 / np.sqrt(np.where(kept, values, 1.0)), 0.0)
    side = lower @ vectors
    return np.asarray(side * roots @ side.T)


def _cautions(names: tuple[str, ...], df: FloatArray, clusters: int) -> tuple[str, ...]:
    low = [f"{name} ({each:.1f})" for name, each in zip(names, df, strict=True) if each < LOW_DF]
    if not low:
        return ()
    return (
        f"{clusters} clusters give fewer than {LOW_DF:g} degrees of freedom for {', '.join(low)}: the "
        "interval may cover less than it says; more clusters, or a wild bootstrap, would help.",
    )

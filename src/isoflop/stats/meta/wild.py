"""Wild cluster bootstrap: a test and an interval for few clusters.

Residuals of the fit with the coefficient held at a value keep their size and are flipped, or rescaled,
by one random number per cluster. The interval holds every value that the test does not reject.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from isoflop.errors import SettingError
from isoflop.stats.checks import FloatArray, unit_level, whole_number
from isoflop.stats.meta.effects import chosen
from isoflop.stats.meta.result import MetaFit
from isoflop.stats.meta.robust import Pieces, read_clusters

Signs = Literal["rademacher", "webb"]

RADEMACHER = np.array([-1.0, 1.0])
WEBB = np.array([-math.sqrt(1.5), -1.0, -math.sqrt(0.5), math.sqrt(0.5), 1.0, math.sqrt(1.5)])
WEBB_BELOW = 10
"""Clusters below which two signs give too few different draws: Webb (2023), Canad. J. Econ. 56, 839-858."""
MOST_ENUMERATED = 50_000
TIE = 1e-9
"""The draw that leaves the data alone has the observed statistic but for rounding, and counts as a tie."""
FARTHEST = 1e4
"""Standard errors from the estimate at which a value still not rejected makes the interval open."""
BISECTIONS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class WildBootstrap:
    """A bootstrap test of one coefficient, and the values it does not reject.

    Parameters
    ----------
    name : str
        Of the coefficient.
    value : float
        Its estimate.
    low, high : float or None
        None where no value on that side is rejected.
    p_value : float
        Against `null`.
    null, level : float
    n_clusters, reps : int
    signs : {"rademacher", "webb"}
    is_exact : bool
        All combinations of signs were tried, so nothing depends on the seed.
    seed : int
    cautions : tuple of str
    """

    name: str
    value: float
    low: float | None
    high: float | None
    p_value: float
    null: float
    level: float
    n_clusters: int
    reps: int
    signs: Signs
    is_exact: bool
    seed: int
    cautions: tuple[str, ...]


def wild_bootstrap(
    fit: MetaFit,
    codes: ArrayLike | None = None,
    *,
    coefficient: int | str = 0,
    signs: Literal["auto", "rademacher", "webb"] = "auto",
    reps: int = 1999,
    seed: int = 0,
    level: float | None = None,
    null: float = 0.0,
) -> WildBootstrap:
    """Test a coefficient by the wild cluster bootstrap, and invert the test.

    Parameters
    ----------
    fit : MetaFit
    codes : array, shape (k,), or None
        Cluster labels; the fit's own clusters if None.
    coefficient : int or str
        Position or name.
    signs : {"auto", "rademacher", "webb"}
        Two values, or six; auto takes six below 10 clusters.
    reps : int, >= 99
        Draws, unless all combinations are at most 50,000: then those are used.
    seed : int
    level : float, in (0, 1), or None
        The fit's own if None.
    null : float
        Value under test.

    Returns
    -------
    WildBootstrap

    Raises
    ------
    NotIdentifiedError
        One cluster.

    Notes
    -----
    Null imposed; weights of the fit are kept in every draw, and the statistic is studentised by CR0,
    whose factor for few clusters cancels. Sources: Cameron, Gelbach & Miller (2008), Rev. Econ. Statist. 90,
    414-427; Joshi, Pustejovsky & Beretvas (2022), Res. Synth. Meth. 13, 457-477.

    Examples
    --------
    >>> from isoflop.stats.meta.pool import pool_clustered
    >>> y = [0.1, 0.2, 0.7, 0.9, 0.4, 0.5, 0.3, 0.4]
    >>> found = wild_bootstrap(pool_clustered(y, [0.02] * 8, list("aabbccdd")))
    >>> found.signs, found.reps, found.is_exact
    ('webb', 1296, True)
    """
    chosen("wild_bootstrap", "signs", signs, ("auto", "rademacher", "webb"))
    at = _position(fit, coefficient)
    used = unit_level("wild_bootstrap", fit.level if level is None else level)
    whole_number("wild_bootstrap", "reps", reps, least=99)
    index, clusters = read_clusters("wild_bootstrap", fit, codes)
    kind: Signs = signs if signs != "auto" else ("webb" if clusters < WEBB_BELOW else "rademacher")
    draws, is_exact = _draws(kind, clusters, reps, seed)
    test = _Test(fit, Pieces(fit, index, clusters), at, draws)
    value, se = float(fit.coefficients[at]), test.error
    return WildBootstrap(
        name=fit.names[at],
        value=value,
        low=_end(test.p_value, value, -se, 1 - used),
        high=_end(test.p_value, value, se, 1 - used),
        p_value=test.p_value(null),
        null=null,
        level=used,
        n_clusters=clusters,
        reps=len(draws),
        signs=kind,
        is_exact=is_exact,
        seed=seed,
        cautions=_cautions(kind, clusters, used),
    )


class _Test:
    """The bootstrap p-value as a function of the value held under the null.

    Everything is linear in residuals, and these in the held value b: e(b) = e_0 - b x, x the part of the
    coefficient's column that the others do not explain. So draws are made once for all b.
    """

    def __init__(self, fit: MetaFit, pieces: Pieces, at: int, draws: FloatArray) -> None:
        effects = fit.effects
        others = np.arange(effects.p) != at
        bread = pieces.bread
        self.value = float(fit.coefficients[at])
        column = effects.design[:, at]
        # Residuals under the null at b: those of the fit, plus (estimate - b) times the column left over.
        gram = np.linalg.inv(bread)
        left_over = column.copy()
        if others.any():
            slopes = np.linalg.solve(gram[np.ix_(others, others)], gram[others, at])
            left_over -= effects.design[:, others] @ slopes
        scores = [w @ bread[:, at] for w in pieces.weighted]
        self.draws = draws
        (self.shift, spread), (self.tilt, tilted) = (
            self._flipped(pieces, scores, residuals) for residuals in (fit.residuals, np.asarray(left_over))
        )
        self.square = (np.sum(spread**2, axis=1), np.sum(spread * tilted, axis=1), np.sum(tilted**2, axis=1))
        observed = np.array([s @ fit.residuals[rows] for s, rows in zip(scores, pieces.rows, strict=True)])
        self.error = float(np.sqrt(np.sum(observed**2))) or float(fit.standard_errors[at])

    def p_value(self, held: float) -> float:
        """Return the share of draws at least as far from `held`, in standard errors, as the estimate."""
        gap = self.value - held
        constant, cross, square = self.square
        error = np.sqrt(np.maximum(constant + gap * (2 * cross + gap * square), 0.0))
        moved = np.abs(self.shift + gap * self.tilt)
        return float(np.mean(moved * self.error >= abs(gap) * error * (1 - TIE)))

    def _flipped(
        self, pieces: Pieces, scores: list[FloatArray], residuals: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return, per draw, the shift of the estimate and each cluster's part in its variance."""
        by_cluster = np.array([s @ residuals[r] for s, r in zip(scores, pieces.rows, strict=True)])
        moved = np.array([w.T @ residuals[r] for w, r in zip(pieces.weighted, pieces.rows, strict=True)])
        felt = np.array([s @ d for s, d in zip(scores, pieces.design, strict=True)])
        flipped = self.draws * by_cluster
        refitted = self.draws @ moved @ pieces.bread @ felt.T
        return flipped.sum(axis=1), flipped - refitted


def _position(fit: MetaFit, coefficient: int | str) -> int:
    if isinstance(coefficient, str):
        chosen("wild_bootstrap", "coefficient", coefficient, fit.names)
        return fit.names.index(coefficient)
    if not 0 <= coefficient < len(fit.names):
        raise SettingError(
            f"wild_bootstrap: coefficient={coefficient}, must lie in [0, {len(fit.names)}). Count from 0."
        )
    return coefficient


def _draws(kind: Signs, clusters: int, reps: int, seed: int) -> tuple[FloatArray, bool]:
    values = RADEMACHER if kind == "rademacher" else WEBB
    if clusters * math.log(len(values)) <= math.log(MOST_ENUMERATED):
        return np.array(list(itertools.product(values, repeat=clusters))), True
    # The data themselves are one draw, so that no p-value is 0.
    drawn = np.random.default_rng(seed).choice(values, (reps, clusters))
    return np.vstack([np.ones(clusters), drawn]), False


def _end(p_value: Callable[[float], float], value: float, step: float, alpha: float) -> float | None:
    """Return where the p-value falls below `alpha` on one side, or None if it stays above."""
    inside, outside = 0.0, 1.0
    while p_value(value + outside * step) >= alpha:
        inside, outside = outside, 2 * outside
        if outside > FARTHEST:
            return None
    for _ in range(BISECTIONS):
        middle = (inside + outside) / 2
        if p_value(value + middle * step) >= alpha:
            inside = middle
        else:
            outside = middle
    return value + inside * step


def _cautions(kind: Signs, clusters: int, level: float) -> tuple[str, ...]:
    least = 2.0 ** (1 - clusters) if kind == "rademacher" else 0.0
    if least >= 1 - level:
        return (
            f"{clusters} clusters have {2**clusters} combinations of signs, so no p-value lies below "
            f"{least:.3g} and the interval is open; use signs='webb', or add clusters.",
        )
    if clusters < 5:
        return (f"{clusters} clusters: a bootstrap of so few can mislead; more clusters would help.",)
    return ()

"""Principal components of benchmark scores with gaps, fitted on training models only.

Scores are standardised with the training models' means and standard deviations; gaps are filled by
iterating a rank-K approximation. A model that was held out is projected on the training components by
its known scores alone, so that nothing of it can move them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isoflop.errors import EvidenceError
from isoflop.scaling.model import Array

ITERATIONS = 200
SETTLED = 1e-7
MOST = 3
"""Components: beyond three they are noise on every public table (Ruan et al. 2024)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Components:
    """Directions of capability.

    Parameters
    ----------
    mean, scale : arrays, shape (m,)
        Of the training models, by benchmark.
    loadings : array, shape (m, K)
        Orthonormal columns, each with a positive mean.
    variance : array, shape (K,)
        Of the training models' components.
    noise : float
        Mean square that the components leave in a standardised score.
    explained : array, shape (K,)
        Share of the variance.
    """

    mean: Array
    scale: Array
    loadings: Array
    variance: Array
    noise: float
    explained: Array

    def project(self, scores: Array) -> Array:
        """Return the components of models, shape (n, K), from scores, shape (n, m), NaN where unknown.

        Each model is projected by its known scores; what these leave open is drawn to the training mean.
        """
        z = (scores - self.mean) / self.scale
        known = np.isfinite(z)
        weighted = np.einsum("nm,mk,ml->nkl", known.astype(float), self.loadings, self.loadings)
        diagonal = np.arange(len(self.variance))
        weighted[:, diagonal, diagonal] += self.noise / np.maximum(self.variance, 1e-12) + 1e-12
        right = np.where(known, z, 0.0) @ self.loadings
        return np.asarray(np.linalg.solve(weighted, right[:, :, None])[:, :, 0])


def fit_components(scores: Array, count: int) -> Components:
    """Fit components to the scores of training models.

    Parameters
    ----------
    scores : array, shape (n, m)
        NaN where unknown.
    count : int
        K, at most 3.

    Raises
    ------
    EvidenceError
        Fewer models than components + 2, or too few benchmarks that tell the training models apart.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> ability = rng.normal(size=60)
    >>> scores = 0.5 + 0.1 * np.outer(ability, [1.0, 0.8, 0.6, 0.9])
    >>> scores[::7, 1] = np.nan
    >>> found = fit_components(scores, 1)
    >>> bool(abs(np.corrcoef(found.project(scores)[:, 0], ability)[0, 1]) > 0.999)
    True
    """
    models, benchmarks = scores.shape
    if models < count + 2 or benchmarks < count:
        raise EvidenceError(
            f"observe: {models} training models and {benchmarks} benchmarks for {count} components, needs at "
            f"least {count + 2} models and {count} benchmarks. Ask for fewer components."
        )
    known = np.isfinite(scores)
    count_known = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, scores, 0.0).sum(axis=0) / count_known
    scale = np.sqrt((np.where(known, scores - mean, 0.0) ** 2).sum(axis=0) / count_known)
    varies = scale > 1e-12
    if varies.sum() < count:
        raise EvidenceError(
            f"observe: {int(varies.sum())} benchmarks tell the training models apart, needs {count}. Ask for "
            "fewer components."
        )
    # a benchmark that tells no training models apart gets loadings of zero
    scale = np.where(varies, scale, 1.0)
    z = np.where(known, (scores - mean) / scale, 0.0)
    previous = np.inf
    for _ in range(ITERATIONS):
        centre = z.mean(axis=0)
        left, size, right = np.linalg.svd(z - centre, full_matrices=False)
        low_rank = centre + (left[:, :count] * size[:count]) @ right[:count]
        gap = float(np.abs(np.where(known, 0.0, z - low_rank)).max(initial=0.0))
        z = np.where(known, z, low_rank)
        if gap <= SETTLED or (gap >= previous and gap < 1e-4):
            break
        previous = gap
    centre = z.mean(axis=0)
    _, size, right = np.linalg.svd(z - centre, full_matrices=False)
    loadings = right[:count].T
    loadings = loadings * np.where(loadings.mean(axis=0) < 0, -1.0, 1.0)
    power = size**2
    left_over = float(power[count:].sum() / max((models - 1) * (benchmarks - count), 1))
    return Components(
        mean=mean + scale * centre,
        scale=scale,
        loadings=loadings,
        variance=power[:count] / (models - 1),
        noise=left_over,
        explained=power[:count] / power.sum(),
    )

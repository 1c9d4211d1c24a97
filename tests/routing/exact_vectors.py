"""Vectors whose inner products float32 represents exactly, so that ties are ties on every machine."""

from __future__ import annotations

import numpy as np

WIDTH = 16


def exact(n: int, seed: int = 0) -> np.ndarray:
    """Return n unit vectors of entries ±1/4: cosines are multiples of 1/8, so most are tied."""
    signs = np.random.default_rng(seed).choice([-0.25, 0.25], size=(n, WIDTH))
    return signs.astype(np.float32)


def slow_nearest(
    vectors: np.ndarray, query: int, allowed: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the nearest allowed rows, larger cosine first, of equal ones the lower row."""
    rows = np.flatnonzero(allowed)
    cosine = vectors[rows].astype(float) @ vectors[query].astype(float)
    order = np.lexsort((rows, -cosine))[:count]
    return rows[order], cosine[order]

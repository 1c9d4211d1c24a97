"""The share of studies with a label, each paper counting once, with an interval over papers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from isoflop.findings import Estimate
from isoflop.stats.checks import cluster_index

DRAWS = 2000
LEVEL = 0.95


def share_by_paper(
    labelled: Sequence[bool], papers: Sequence[str], *, seed: int = 0, level: float = LEVEL
) -> Estimate:
    """Return the mean over papers of the share of a paper's studies that carry a label.

    The interval resamples papers. Where every paper has the share 0, or every paper 1, resampling
    cannot move it: the interval is then exact for the number of papers (Clopper-Pearson).

    Examples
    --------
    >>> share_by_paper([True, True, True, False], ["a", "a", "a", "b"]).value
    0.5
    >>> none = share_by_paper([False] * 4, ["a", "b", "c", "d"])
    >>> none.value, round(none.high, 3)
    (0.0, 0.602)
    """
    if not labelled:
        return Estimate(value=None, unit="1")
    index, count = cluster_index("share_by_paper", papers)
    shares = np.bincount(index, np.asarray(labelled, float)) / np.bincount(index)
    value = float(shares.mean())
    if count == 1:
        return Estimate(value=value, unit="1")
    if value in (0.0, 1.0):
        from isoflop.stats.intervals import clopper_pearson

        low, high = clopper_pearson(np.array([value * count]), np.array([count]), level)
        return Estimate(value=value, low=float(low[0]), high=float(high[0]), level=level, unit="1")
    drawn = shares[np.random.default_rng(seed).integers(0, count, size=(DRAWS, count))].mean(axis=1)
    low, high = np.quantile(drawn, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    return Estimate(value=value, low=float(low), high=float(high), level=level, unit="1")

"""Approach 1: the lowest loss in each bin of compute, then a power law through these runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import EvidenceError, SettingError
from isoflop.scaling.model import Array

LEAST_BINS = 3
THIN_BIN = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Envelope:
    """The lowest run of each bin.

    Parameters
    ----------
    rows : int array, shape (m,)
        Positions of the runs on the envelope.
    counts : int array, shape (m,)
        Runs in their bins: the minimum of many noisy runs is biased low.
    """

    rows: NDArray[np.int64]
    counts: NDArray[np.int64]

    @property
    def thin(self) -> int:
        """Bins with fewer than three runs."""
        return int((self.counts < THIN_BIN).sum())


def envelope(flop: Array, loss: Array, *, per_decade: float = 10.0) -> Envelope:
    """Return the lowest loss of each bin of compute.

    Parameters
    ----------
    flop, loss : arrays, shape (n,)
    per_decade : float, > 0
        Bins per decade of compute.

    Raises
    ------
    EvidenceError
        Fewer than three bins hold runs.
    """
    if not (np.isfinite(per_decade) and per_decade > 0):
        raise SettingError(f"envelope: per_decade={per_decade}, must lie in (0, inf). Use 10.")
    bins = np.floor(np.log10(flop / flop.min()) * per_decade + 1e-9).astype(int)
    rows, counts = [], []
    for name in np.unique(bins):
        inside = np.flatnonzero(bins == name)
        rows.append(int(inside[np.argmin(loss[inside])]))
        counts.append(inside.size)
    if len(rows) < LEAST_BINS:
        raise EvidenceError(
            f"frontier: {len(rows)} bin{'s' if len(rows) > 1 else ''} of compute, needs {LEAST_BINS} with "
            "runs. Add budgets, or use approach='parametric'."
        )
    return Envelope(rows=np.array(rows), counts=np.array(counts))

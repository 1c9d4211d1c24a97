"""How rows are split into those a law is fitted to and those it is scored on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import EvidenceError, SettingError
from isoflop.scaling.model import Array

Mask = NDArray[np.bool_]
MIN_FIT = 3
"""Rows below a cut: with fewer, not even a power law can be told from another."""
SAME_X = 1e-9
"""Values of ln x nearer than this are one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RollingOrigin:
    """Fit below a cut in the resource, score above it.

    Parameters
    ----------
    cuts : tuple of float, in (0, 1)
        Shares of the distinct values of the resource that are fitted; 0.1 to 0.3 are far cuts.
    horizon : float or None, > 1
        Score up to this multiple of the last fitted resource; None scores everything above.
    """

    cuts: tuple[float, ...] = (0.5, 0.6, 0.7, 0.8)
    horizon: float | None = None

    def __post_init__(self) -> None:
        if not self.cuts or not all(0 < cut < 1 for cut in self.cuts):
            raise SettingError(f"RollingOrigin: cuts={self.cuts}, must be shares in (0, 1). Use (0.5, 0.7).")
        if self.horizon is not None and not self.horizon > 1:
            raise SettingError(f"RollingOrigin: horizon={self.horizon}, must be a multiple above 1. Use 2.")

    @property
    def text(self) -> str:
        """The scheme in words."""
        shares = ", ".join(f"{cut:.0%}" for cut in self.cuts)
        reach = "" if self.horizon is None else f", up to {self.horizon:g} times the last fitted"
        return f"fitted below {shares} of the resource's values, scored above{reach}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveGroupOut:
    """Score each group of runs by a fit to all others.

    Parameters
    ----------
    by : str
        Column: ``family`` or ``budget_flop``, say.
    """

    by: str = "family"

    @property
    def text(self) -> str:
        """The scheme in words."""
        return f"each value of {self.by} predicted from the others"


@dataclass(frozen=True, slots=True, kw_only=True)
class AsMarked:
    """Fit the rows of a curve marked ``is_fit`` and score the rest."""

    @property
    def text(self) -> str:
        """The scheme in words."""
        return "fitted to the rows marked is_fit, scored on the rest"


Scheme = RollingOrigin | LeaveGroupOut | AsMarked


def rolling(scheme: RollingOrigin, u: Array) -> tuple[tuple[Mask, Mask], ...]:
    """Return (fitted, scored) masks of each cut of ln resource u, shape (n,).

    A cut that leaves fewer than three values to fit, or nothing to score, is left out.

    Examples
    --------
    >>> [(int(a.sum()), int(b.sum())) for a, b in rolling(RollingOrigin(cuts=(0.5,)), np.arange(10.0))]
    [(5, 5)]
    """
    values = np.unique(u)
    values = values[np.concatenate([[True], np.diff(values) > SAME_X])]
    found: dict[int, tuple[Mask, Mask]] = {}
    for share in scheme.cuts:
        kept = max(round(share * len(values)), 1)
        last = values[kept - 1] + SAME_X
        fitted = u <= last
        scored = ~fitted
        if scheme.horizon is not None:
            scored &= u <= values[kept - 1] + np.log(scheme.horizon) + SAME_X
        if kept >= MIN_FIT and scored.any():
            found.setdefault(kept, (fitted, scored))
    return tuple(found.values())


def groups(codes: NDArray[np.generic], where: str) -> tuple[tuple[Mask, Mask], ...]:
    """Return (fitted, scored) masks that leave one group out each.

    Raises
    ------
    EvidenceError
        There is one group only.
    """
    labels = np.unique(codes)
    if len(labels) < 2:
        raise EvidenceError(
            f"compare: {where} has one value ({labels[0]}), needs 2 or more. Use RollingOrigin()."
        )
    return tuple((codes != label, codes == label) for label in labels)

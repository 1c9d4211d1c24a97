"""What if systems without known compute used more, or less, than the others of their team and date?

Each missing value is put on its team's line, plus delta orders of magnitude. Every headline that is linear
in log compute then moves in proportion to delta, so the delta at which it reaches 0 is found exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isoflop.divide.gap.model import fit_gap
from isoflop.divide.growth.slope import EPOCH, LOG10_2
from isoflop.stats.trend import fit_lines

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

PATTERNS = ("both", "industry", "academia")
"""Whose missing systems are shifted."""
SHIFTS = (-1.0, -0.5, 0.0, 0.5, 1.0)
"""Orders of magnitude at which a headline is shown."""
NEVER_TIPS = 1e-9
"""Change of a headline per order of magnitude below which no shift moves it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tilt:
    """How one headline moves when missing compute is shifted.

    Parameters
    ----------
    headline : {"gap", "widening", "growth"}
        Gap at the headline year (OOM), its change a year (OOM/yr), growth of all systems (OOM/yr).
    pattern : {"both", "industry", "academia"}
        Whose missing systems are shifted.
    observed : float
        With the systems of known compute only.
    at_zero : float
        With the missing ones on their team's line.
    per_oom : float
        Change of the headline for each order of magnitude of the shift.
    tips_at : float or None
        Shift at which the headline is 0; None if none moves it there.
    tips_at_interval : float or None
        Shift at which the nearer end of its interval is 0, the width held as observed.
    n_missing : int
        Systems shifted.
    """

    headline: str
    pattern: str
    observed: float
    at_zero: float
    per_oom: float
    tips_at: float | None
    tips_at_interval: float | None
    n_missing: int

    def at(self, delta: float) -> float:
        """Return the headline with missing compute 10^delta times what its team's line says."""
        return self.at_zero + self.per_oom * delta

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form, with the headline at some shifts."""
        shown: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        return shown | {f"at_{delta:+g}": self.at(delta) for delta in SHIFTS}


def tilts(
    t: FloatArray, log10_flop: FloatArray, team: NDArray[np.str_], year: int, *, level: float = 0.95
) -> tuple[Tilt, ...]:
    """Return how gap, its change and growth move with the shift of missing compute.

    Parameters
    ----------
    t : array, shape (n,)
    log10_flop : array, shape (n,)
        NaN where compute is not known.
    team : array of str, shape (n,)
        Rows of unknown team are left out.
    year : int
        Of the gap.
    level : float
        Of the intervals whose end is moved to 0.

    Raises
    ------
    NoFitError
        A sector has fewer than three distinct dates with known compute.

    Examples
    --------
    >>> t = np.tile([2012.0, 2014.0, 2016.0, 2018.0], 2)
    >>> team = np.repeat(["academia", "industry"], 4)
    >>> y = 0.5 * (t - 2012) + (team == "industry") + np.tile([0.1, -0.1, -0.1, 0.1], 2)
    >>> t, team, y = np.append(t, 2020.0), np.append(team, "industry"), np.append(y, np.nan)
    >>> found = {(one.headline, one.pattern): one for one in tilts(t, y, team, 2017)}
    >>> round(found["gap", "industry"].observed, 9) == round(found["gap", "industry"].at_zero, 9) == 1.0
    True
    """
    known_team = team != "unknown"
    t, y, team = t[known_team], log10_flop[known_team], team[known_team]
    missing = np.isnan(y)
    industry, academia = team == "industry", team == "academia"
    pair = industry | academia
    seen = pair & ~missing
    fit = fit_gap(t[seen], y[seen], industry[seen])
    filled = np.where(missing, _on_line(t, y, team, missing), y)
    gap, widening = fit.at(year, level), fit.widening(level)
    found = []
    for pattern in PATTERNS:
        moved = missing & (pair if pattern == "both" else industry if pattern == "industry" else academia)
        shift = moved.astype(float)
        lines = fit_lines(
            t[pair], np.stack([filled, shift])[:, pair], groups=[academia[pair], industry[pair]]
        )
        apart = lines.at(year + 0.5)[:, 1] - lines.at(year + 0.5)[:, 0]
        slopes = lines.slope[:, 1] - lines.slope[:, 0]
        found.append(_tilt("gap", pattern, gap, apart, int(moved.sum())))
        found.append(_tilt("widening", pattern, widening, slopes, int(moved.sum())))
        observed = float(fit_lines(t[~missing], y[~missing], origin=EPOCH).slope)
        growth = fit_lines(t, np.stack([filled, shift])).slope
        found.append(
            Tilt(
                headline="growth",
                pattern=pattern,
                observed=observed,
                at_zero=float(growth[0]),
                per_oom=float(growth[1]),
                tips_at=_root(float(growth[0]), float(growth[1])),
                tips_at_interval=None,
                n_missing=int(moved.sum()),
            )
        )
    return tuple(found)


def doubling_months(slope_oom: float) -> float | None:
    """Return the doubling time of a growth in orders of magnitude a year; None where it does not rise."""
    return 12 * LOG10_2 / slope_oom if slope_oom > 0 else None


def _on_line(t: FloatArray, y: FloatArray, team: NDArray[np.str_], missing: BoolArray) -> FloatArray:
    """Return each row's height on its team's line; on that of all where the team has none."""
    everyone = fit_lines(t[~missing], y[~missing], origin=EPOCH)
    height = everyone.level + everyone.slope * (t - EPOCH)
    for one in np.unique(team):
        rows = team == one
        seen = rows & ~missing
        if len(np.unique(t[seen])) >= 3:
            line = fit_lines(t[seen], y[seen], origin=EPOCH)
            height = np.where(rows, line.level + line.slope * (t - EPOCH), height)
    return height


def _tilt(headline: str, pattern: str, observed: Any, moved: FloatArray, n_missing: int) -> Tilt:
    at_zero, per_oom = float(moved[0]), float(moved[1])
    near = observed.low if observed.value > 0 else observed.high
    settled = (near > 0) == (observed.value > 0)
    return Tilt(
        headline=headline,
        pattern=pattern,
        observed=observed.value,
        at_zero=at_zero,
        per_oom=per_oom,
        tips_at=_root(at_zero, per_oom),
        tips_at_interval=_root(at_zero + near - observed.value, per_oom) if settled else None,
        n_missing=n_missing,
    )


def _root(start: float, slope: float) -> float | None:
    return None if abs(slope) < NEVER_TIPS else -start / slope

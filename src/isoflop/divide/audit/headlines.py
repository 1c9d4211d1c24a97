"""The audited headlines, from bare arrays, and what each kind of revision did to them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoflop.divide.audit.align import Alignment, BoolArray, Edition, FloatArray
from isoflop.divide.gap.model import fit_gap, gap_draws
from isoflop.divide.growth.settings import HC1
from isoflop.divide.growth.slope import LEAST_DATES, LOG10_2, fit_slope
from isoflop.divide.model import FIRST, LAST, SINCE, Period
from isoflop.stats.intervals import wilson
from isoflop.stats.shapley import coalitions, shapley
from isoflop.stats.trend import fit_lines

GAP_YEAR = 2022
INDUSTRY_YEAR = Period(first=2022, last=2022)
PLAYERS = ("added rows", "removed rows", "changed team", "changed compute", "changed filter")
"""What a revision does; a date that moved within 60 days counts with compute."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Counted:
    """Systems that count in one edition, or in one mixture of two; arrays of shape (n,)."""

    t: FloatArray
    year: NDArray[np.int64]
    log10_flop: FloatArray
    team: NDArray[np.str_]

    @property
    def known(self) -> BoolArray:
        """Rows whose team is known."""
        return np.asarray(self.team != "unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A headline in one edition."""

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0
    k: int | None = None


def counted(
    t: FloatArray,
    year: NDArray[np.int64],
    log10_flop: FloatArray,
    team: NDArray[np.str_],
    passes: BoolArray,
) -> Counted:
    """Return the rows since 2010 that pass the filter and whose compute is known."""
    keep = passes & np.isfinite(log10_flop) & (year >= SINCE.year)
    return Counted(t=t[keep], year=year[keep], log10_flop=log10_flop[keep], team=team[keep])


def of_edition(edition: Edition) -> Counted:
    """Return the systems that count in one edition."""
    return counted(edition.t, edition.year, edition.log10_flop, edition.team, edition.passes)


def doubling_time(rows: Counted) -> float | None:
    """Return the doubling time in months over systems of known team."""
    t, y = rows.t[rows.known], rows.log10_flop[rows.known]
    if np.unique(t).size < LEAST_DATES:
        return None
    slope = float(fit_lines(t, y).slope)
    return 12 * LOG10_2 / slope if slope > 0 else None


def gap(rows: Counted) -> float | None:
    """Return the gap of mid-2022 in orders of magnitude, industry over academia."""
    sectors = [rows.team == "academia", rows.team == "industry"]
    if any(np.unique(rows.t[one]).size < LEAST_DATES for one in sectors):
        return None
    both = np.logical_or(*sectors)
    at, _ = gap_draws(rows.t[both], rows.log10_flop[both], sectors[1][both], (GAP_YEAR,))
    return float(at[0])


def share(rows: Counted, team: str, period: Period) -> float | None:
    """Return the share of a team among systems of known team in a period."""
    inside = rows.known & (rows.year >= period.first) & (rows.year <= period.last)
    return float((rows.team[inside] == team).mean()) if inside.any() else None


HEADLINES: Mapping[str, tuple[str, str, Callable[[Counted], float | None]]] = {
    "doubling_time_months_all": ("doubling time of training compute", "months", doubling_time),
    "gap_oom": (f"gap, industry over academia, {GAP_YEAR}", "orders of magnitude", gap),
    "academia_share_first": (
        f"academia-only share, {FIRST}",
        "1",
        lambda rows: share(rows, "academia", FIRST),
    ),
    "academia_share_last": (f"academia-only share, {LAST}", "1", lambda rows: share(rows, "academia", LAST)),
    "industry_share_2022": (
        f"industry-only share, {INDUSTRY_YEAR}",
        "1",
        lambda rows: share(rows, "industry", INDUSTRY_YEAR),
    ),
}
"""Id to label, unit and the function of the rows that count."""
_SHARES = {
    "academia_share_first": ("academia", FIRST),
    "academia_share_last": ("academia", LAST),
    "industry_share_2022": ("industry", INDUSTRY_YEAR),
}


def measure(rows: Counted, name: str, level: float) -> Value:
    """Return a headline with its interval: Wilson for shares, HC1 for gap and trend."""
    value = HEADLINES[name][2](rows)
    if name in _SHARES:
        team, period = _SHARES[name]
        inside = rows.known & (rows.year >= period.first) & (rows.year <= period.last)
        k, n = int((rows.team[inside] == team).sum()), int(inside.sum())
        if not n:
            return Value(value=None)
        low, high = (float(end) for end in wilson(k, n, level))
        return Value(value=value, low=low, high=high, n=n, k=k)
    if name == "gap_oom":
        return _gap(rows, value, level)
    return _doubling(rows, value, level)


def _gap(rows: Counted, value: float | None, level: float) -> Value:
    both = (rows.team == "academia") | (rows.team == "industry")
    if value is None:
        return Value(value=None, n=int(both.sum()))
    fit = fit_gap(rows.t[both], rows.log10_flop[both], rows.team[both] == "industry")
    ends = fit.at(GAP_YEAR, level)
    return Value(value=value, low=ends.low, high=ends.high, n=int(both.sum()))


def _doubling(rows: Counted, value: float | None, level: float) -> Value:
    known = rows.known
    n = int(known.sum())
    if value is None:
        return Value(value=None, n=n)
    slope = fit_slope(rows.t[known], rows.log10_flop[known], HC1(), np.arange(n), level=level)
    ends = slope.doubling_months()
    return Value(value=value, low=ends.low, high=ends.high, n=n)


def decompose(old: Edition, new: Edition, found: Alignment) -> dict[str, dict[str, float] | None]:
    """Return for each headline what each kind of revision added: Shapley values over the five.

    All 32 mixtures of the two editions are evaluated. None where some mixture has no such headline.
    """
    mixtures = [
        _mixture(old, new, found, *(bool(one) for one in joined)) for joined in coalitions(len(PLAYERS))
    ]
    parts: dict[str, dict[str, float] | None] = {}
    for name, (_, _, function) in HEADLINES.items():
        values = [function(rows) for rows in mixtures]
        worth = np.array([math.nan if value is None else value for value in values])
        parts[name] = _divided(worth) if np.isfinite(worth).all() else None
    return parts


def _divided(worth: FloatArray) -> dict[str, float]:
    each = shapley(lambda _joined: worth, len(PLAYERS))
    return dict(zip(PLAYERS, (float(part) for part in each), strict=True))


def _mixture(
    old: Edition,
    new: Edition,
    found: Alignment,
    added: bool,
    removed: bool,
    team: bool,
    compute: bool,
    passes: bool,
) -> Counted:
    """Return the systems that count when some revisions are made and the others are not."""
    gone = found.removed[: 0 if removed else None]
    come = found.added[: None if added else 0]

    def column(name: str, revised: bool) -> NDArray[np.generic]:
        kept = getattr(new, name)[found.new] if revised else getattr(old, name)[found.old]
        return np.concatenate([kept, getattr(old, name)[gone], getattr(new, name)[come]])

    return counted(
        column("t", compute).astype(float),
        column("year", compute).astype(np.int64),
        column("log10_flop", compute).astype(float),
        column("team", team).astype(str),
        column("passes", passes).astype(bool),
    )

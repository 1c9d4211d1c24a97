"""Shares of academia under every choice, and the same curve in bootstrap replicates.

``effect`` of a share is its distance from what it would be if, within each calendar year, being large
were unrelated to the team: ``sum_y n_y A_y / N_y / n`` with n_y large systems of the year, A_y academic
and N_y all systems of known team. Under the definition `Known` that distance is zero by construction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoflop.divide.large import Known, Large
from isoflop.divide.model import Period
from isoflop.divide.specification.curve import Specification
from isoflop.divide.specification.grid import SHARES, Grid, Headline
from isoflop.divide.specification.rows import BoolArray, Coding, FloatArray, Rows
from isoflop.stats.intervals import newcombe, wilson

FEW = 10
"""A share of fewer systems carries a caution."""
Masks = Callable[[Rows, BoolArray, Large], BoolArray]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Counted:
    """Large systems by calendar year.

    Parameters
    ----------
    years : array of int, shape (Y,)
    k, n : arrays, shape (Y,) or (reps, Y)
        Academic and all large systems of known team.
    expected : array of that shape
        Academic ones if large were unrelated to team within the year.
    """

    years: NDArray[np.int64]
    k: FloatArray
    n: FloatArray
    expected: FloatArray

    def over(self, period: Period) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return k, n and expected summed over a period."""
        inside = (self.years >= period.first) & (self.years <= period.last)
        return (
            self.k[..., inside].sum(axis=-1),
            self.n[..., inside].sum(axis=-1),
            self.expected[..., inside].sum(axis=-1),
        )


def count_years(
    year: NDArray[np.int64], academic: BoolArray, large: BoolArray, weights: FloatArray | None = None
) -> Counted:
    """Count rows of known team by calendar year; `large` and `weights` may have replicates first."""
    years = np.unique(year)
    inside = (year[:, None] == years).astype(float)
    drawn = np.ones(year.size) if weights is None else weights
    heavy = drawn * large
    k, n = (heavy * academic) @ inside, heavy @ inside
    every = drawn @ inside
    rate = ((drawn * academic) @ inside) / np.where(every > 0, every, 1.0)
    return Counted(years=years, k=k, n=n, expected=n * rate)


def distinct_codings(rows: Rows) -> Iterator[Coding]:
    """Yield the codings that differ in who is academic or known."""
    seen: set[bytes] = set()
    for coding in rows.codings:
        key = (coding.team == "academia").tobytes() + coding.known.tobytes()
        if key not in seen and coding.known.any():
            seen.add(key)
            yield coding


def share_specifications(
    every: tuple[Rows, ...], grid: Grid, wanted: tuple[Headline, ...], level: float
) -> dict[Headline, list[Specification]]:
    """Return the shares asked for under every choice of the grid."""
    made: dict[Headline, list[Specification]] = {name: [] for name in SHARES if name in wanted}
    for rows in every if made else ():
        cache: dict[tuple[bytes, str], BoolArray] = {}
        for coding in distinct_codings(rows):
            for large in grid.large:
                cell = _Cells(rows, coding, large, cache, level)
                for first, last in grid.periods:
                    for interval in grid.intervals:
                        for name, found in cell.specifications(first, last, interval, tuple(made)):
                            made[name].append(found)
    return made


class _Cells:
    """Shares of one coding under one definition of large, period by period."""

    def __init__(
        self,
        rows: Rows,
        coding: Coding,
        large: Large,
        cache: dict[tuple[bytes, str], BoolArray],
        level: float,
    ) -> None:
        known = coding.known
        self.rows, self.coding, self.large, self.level = rows, coding, large, level
        self.year, self.cluster = rows.year[known], rows.cluster[known]
        self.academic = coding.team[known] == "academia"
        self.mask = _cached(cache, rows, known, large)
        self.counted = count_years(self.year, self.academic, self.mask)
        everyone = _cached(cache, rows, np.ones(known.size, dtype=bool), large)
        self.unknown_year = rows.year[~known & everyone]
        self.every_year, self.every_academic = (
            rows.year[known & everyone],
            coding.team[known & everyone] == "academia",
        )

    def specifications(
        self, first: Period, last: Period, interval: str, wanted: tuple[Headline, ...]
    ) -> Iterator[tuple[Headline, Specification]]:
        for name, period in (("academia_share_first", first), ("academia_share_last", last)):
            if name in wanted:
                yield name, self._share(name, period, interval)
        if "academia_share_change" in wanted:
            yield "academia_share_change", self._change(first, last, interval)

    def _settings(self, period: str, interval: str) -> dict[str, str]:
        return {
            "snapshot": self.rows.snapshot,
            "filter": self.rows.filter,
            "rule": self.coding.rule.text,
            "large": self.large.name,
            "period": period,
            "interval": interval,
        }

    def _bounds(self, period: Period) -> tuple[float | None, float | None]:
        """Return the share if none, or all, of the unknown are academic; it contains the point."""
        k, n, _ = (float(one) for one in self.counted.over(period))
        unknown = _inside(self.unknown_year, period).sum()
        inside = _inside(self.every_year, period)
        total = inside.sum() + unknown
        if not n or not total:
            return None, None
        academic = self.every_academic[inside].sum()
        return min(k / n, academic / total), max(k / n, (academic + unknown) / total)

    def _effective(self, period: Period, interval: str) -> tuple[float, float]:
        """Return k and n as they enter the interval; by organisation, n shrinks by the design effect."""
        k, n, _ = (float(one) for one in self.counted.over(period))
        if interval == "wilson" or not n:
            return k, n
        inside = _inside(self.year, period) & self.mask
        _, code = np.unique(self.cluster[inside], return_inverse=True)
        clusters = int(code.max()) + 1
        share = k / n
        if clusters < 2 or share in (0.0, 1.0):
            return share * clusters, float(clusters)
        rest = np.bincount(code, weights=self.academic[inside] - share)
        variance = clusters / (clusters - 1) * float(rest @ rest) / n**2
        size = max(min(share * (1 - share) / variance, n), 1.0)
        return share * size, size

    def _share(self, name: Headline, period: Period, interval: str) -> Specification:
        settings = self._settings(str(period), interval)
        k, n, expected = (float(one) for one in self.counted.over(period))
        if not n:
            return Specification(
                headline=name, settings=settings, n=0, value=None, caution=f"no large system in {period}"
            )
        low, high = (float(end) for end in wilson(*self._effective(period, interval), self.level))
        null = expected / n
        trivial = isinstance(self.large, Known)
        bounds = self._bounds(period)
        return Specification(
            headline=name,
            settings=settings,
            n=int(n),
            value=k / n,
            low=low,
            high=high,
            bound_low=bounds[0],
            bound_high=bounds[1],
            effect=0.0 if trivial else k / n - null,
            excludes=None if trivial else not low <= null <= high,
            caution=_few(n),
        )

    def _change(self, first: Period, last: Period, interval: str) -> Specification:
        settings = self._settings(f"{first} to {last}", interval)
        k, n, _ = (float(one) for one in self.counted.over(first))
        then, size, _ = (float(one) for one in self.counted.over(last))
        if not (n and size):
            return Specification(
                headline="academia_share_change",
                settings=settings,
                n=int(n + size),
                value=None,
                caution=f"no large system in {last if n else first}",
            )
        ends = newcombe(*self._effective(last, interval), *self._effective(first, interval), self.level)
        low, high = (float(end) for end in ends)
        early, late = self._bounds(first), self._bounds(last)
        return Specification(
            headline="academia_share_change",
            settings=settings,
            n=int(n + size),
            value=then / size - k / n,
            low=low,
            high=high,
            bound_low=_minus(late[0], early[1]),
            bound_high=_minus(late[1], early[0]),
            effect=then / size - k / n,
            excludes=not low <= 0 <= high,
            caution=_few(min(n, size)),
        )


def share_replicates(
    rows: Rows, grid: Grid, wanted: tuple[Headline, ...], weights: FloatArray
) -> Iterator[tuple[Headline, float, FloatArray]]:
    """Yield headline, effect and effects of replicates (reps,) of each choice but the interval.

    Definitions of large are redone in every replicate.
    """
    masks: dict[tuple[bytes, str], BoolArray] = {}
    single: dict[tuple[bytes, str], BoolArray] = {}
    for coding in distinct_codings(rows):
        known = coding.known
        academic, drawn = coding.team[known] == "academia", weights[:, known]
        for large in grid.large:
            key = (known.tobytes(), large.name)
            if key not in masks:
                masks[key] = large.mask(
                    rows.t[known], rows.year[known], rows.log10_flop[known], weights=drawn
                )
            once = count_years(rows.year[known], academic, _cached(single, rows, known, large))
            often = count_years(rows.year[known], academic, masks[key], drawn)
            for first, last in grid.periods:
                for name in SHARES:
                    trivial = isinstance(large, Known) and name != "academia_share_change"
                    if name in wanted and not trivial:
                        yield (
                            name,
                            float(_effect(once, name, first, last)),
                            _effect(often, name, first, last),
                        )


def _effect(counted: Counted, name: Headline, first: Period, last: Period) -> FloatArray:
    if name == "academia_share_change":
        (k, n, _), (then, size, _) = counted.over(first), counted.over(last)
        return _ratio(then, size) - _ratio(k, n)
    k, n, expected = counted.over(first if name == "academia_share_first" else last)
    return _ratio(k - expected, n)


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1.0), np.nan)


def _cached(
    cache: dict[tuple[bytes, str], BoolArray], rows: Rows, keep: BoolArray, large: Large
) -> BoolArray:
    key = (keep.tobytes(), large.name)
    if key not in cache:
        cache[key] = large.mask(rows.t[keep], rows.year[keep], rows.log10_flop[keep])
    return cache[key]


def _inside(year: NDArray[np.int64], period: Period) -> BoolArray:
    return np.asarray((year >= period.first) & (year <= period.last))


def _few(n: float) -> str:
    return f"only {n:.0f} large systems in a period: join years, or add systems" if n < FEW else ""


def _minus(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b

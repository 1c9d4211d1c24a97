"""What counts as a large system: five families of definitions, each selectable.

The paper's own definition is not known to us, so none of these is it. Each takes the rows of one
sample and says which are large; `weights` repeats rows, so that a bootstrap redoes the definition too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isoflop.divide.standing import line_residuals, lowess_residuals, rank_in_year, weighted_quantile
from isoflop.errors import EvidenceError, SettingError, closest

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Trend = Literal["linear", "running"]

ON_THE_LINE = 1e-9
"""Orders of magnitude: a residual this small is rounding, and its system lies on the trend."""


class Large(Protocol):
    """A definition of large."""

    @property
    def name(self) -> str:
        """Short name, used in ids."""
        ...

    @property
    def text(self) -> str:
        """The definition in words."""
        ...

    def mask(
        self, t: ArrayLike, year: ArrayLike, log10_flop: ArrayLike, *, weights: ArrayLike | None = None
    ) -> BoolArray:
        """Return which rows are large.

        Parameters
        ----------
        t : array, shape (n,)
            Time in fractional years.
        year : array of int, shape (n,)
            Calendar year.
        log10_flop : array, shape (n,)
            log10 of training compute in FLOP; a row with NaN is never large.
        weights : array of whole numbers, shape (n,) or (reps, n), optional
            How often each row counts; all once by default. Zero takes a row out of every rank and trend.

        Returns
        -------
        array of bool, of the shape of `weights`, else (n,)
        """
        ...


def _unit(where: str, q: float) -> None:
    if not 0 < q < 1:
        raise SettingError(f"{where}: q={q}, must lie in (0, 1). Use 0.75.")


def _hundredths(q: float) -> str:
    return f"q{100 * q:g}".replace(".", "p")


@dataclass(frozen=True, slots=True)
class Known:
    """Every system whose compute is known.

    Examples
    --------
    >>> Known().mask([2020.1, 2020.2], [2020, 2020], [21.0, float("nan")]).tolist()
    [True, False]
    """

    @property
    def name(self) -> str:
        """Short name, used in ids."""
        return "known"

    @property
    def text(self) -> str:
        """The definition in words."""
        return "every system with known compute"

    def mask(
        self, t: ArrayLike, year: ArrayLike, log10_flop: ArrayLike, *, weights: ArrayLike | None = None
    ) -> BoolArray:
        """Return which rows are large; see `Large.mask`."""
        _, _, _, counts = _rows(t, year, log10_flop, weights)
        return _shaped(counts > 0, weights)


@dataclass(frozen=True, slots=True)
class TopQuantile:
    """The upper part of each calendar year: percentile rank (ties averaged) above `q`.

    In a small year this is not the same as the top quarter by count: of three systems one ranks above
    0.75, of four systems also one.

    Examples
    --------
    >>> TopQuantile(0.75).mask([2020.0] * 4, [2020] * 4, [20, 21, 22, 23]).tolist()
    [False, False, False, True]
    """

    q: float = 0.75

    def __post_init__(self) -> None:
        _unit("TopQuantile", self.q)

    @property
    def name(self) -> str:
        """Short name, used in ids."""
        return "top_quantile" if self.q == 0.75 else f"top_quantile_{_hundredths(self.q)}"

    @property
    def text(self) -> str:
        """The definition in words."""
        return f"top {100 * (1 - self.q):g} % of the calendar year, by rank"

    def mask(
        self, t: ArrayLike, year: ArrayLike, log10_flop: ArrayLike, *, weights: ArrayLike | None = None
    ) -> BoolArray:
        """Return which rows are large; see `Large.mask`."""
        _, years, flop, counts = _rows(t, year, log10_flop, weights)
        rank, total = rank_in_year(years, flop, counts)
        with np.errstate(invalid="ignore"):
            return _shaped((counts > 0) & (rank / np.maximum(total, 1) > self.q), weights)


@dataclass(frozen=True, slots=True)
class TopK:
    """The `k` largest of each calendar year: rank from the top (ties averaged) of at most `k`.

    Examples
    --------
    >>> TopK(2).mask([2020.0] * 4, [2020] * 4, [20, 21, 22, 23]).tolist()
    [False, False, True, True]
    """

    k: int = 10

    def __post_init__(self) -> None:
        if self.k < 1:
            raise SettingError(f"TopK: k={self.k}, must be at least 1. Use 10.")

    @property
    def name(self) -> str:
        """Short name, used in ids."""
        return "top_k" if self.k == 10 else f"top_k_{self.k}"

    @property
    def text(self) -> str:
        """The definition in words."""
        return f"the {self.k} largest of the calendar year"

    def mask(
        self, t: ArrayLike, year: ArrayLike, log10_flop: ArrayLike, *, weights: ArrayLike | None = None
    ) -> BoolArray:
        """Return which rows are large; see `Large.mask`."""
        _, years, flop, counts = _rows(t, year, log10_flop, weights)
        rank, total = rank_in_year(years, flop, counts)
        return _shaped((counts > 0) & (total - rank + 1 <= self.k), weights)


@dataclass(frozen=True, slots=True)
class AboveTrend:
    """Above one trend of log10 compute over the whole sample.

    Parameters
    ----------
    q : float or None
        None: residual above zero. Else: above this quantile of the residuals.
    trend : {"linear", "running"}
        Least squares line, or a local one (lowess, 0.4 of the rows, three robust passes).

    Notes
    -----
    Source of the running trend: Cleveland (1979), J. Amer. Statist. Assoc. 74, 829-836.

    Examples
    --------
    >>> AboveTrend().mask([2020.0, 2021.0, 2022.0], [2020, 2021, 2022], [20, 23, 22]).tolist()
    [False, True, False]
    """

    q: float | None = None
    trend: Trend = "linear"

    def __post_init__(self) -> None:
        if self.q is not None:
            _unit("AboveTrend", self.q)
        if self.trend not in get_args(Trend):
            raise SettingError(
                f"AboveTrend: trend={self.trend!r}, must be one of {', '.join(get_args(Trend))}. Choose one."
            )

    @property
    def name(self) -> str:
        """Short name, used in ids."""
        base = "above_trend" if self.trend == "linear" else "above_running"
        return base if self.q is None else f"{base}_{_hundredths(self.q)}"

    @property
    def text(self) -> str:
        """The definition in words."""
        kind = "the linear trend" if self.trend == "linear" else "the running trend"
        return f"above {kind}" if self.q is None else f"top {100 * (1 - self.q):g} % above {kind}"

    def mask(
        self, t: ArrayLike, year: ArrayLike, log10_flop: ArrayLike, *, weights: ArrayLike | None = None
    ) -> BoolArray:
        """Return which rows are large; see `Large.mask`."""
        when, _, flop, counts = _rows(t, year, log10_flop, weights)
        if len(set(when[np.isfinite(flop)].tolist())) < 2:
            raise EvidenceError(
                "AboveTrend: all systems with known compute have one date, needs at least two dates. Choose "
                "TopQuantile or TopK."
            )
        if self.trend == "linear":
            rest = line_residuals(when, flop, counts)
        else:
            rest = np.stack([lowess_residuals(when, flop, row) for row in counts])
        bar = np.zeros((len(counts), 1)) if self.q is None else weighted_quantile(rest, counts, self.q)
        return _shaped((counts > 0) & (rest > bar + ON_THE_LINE), weights)


@dataclass(frozen=True, slots=True)
class Above:
    """At or above a set amount of compute, as rules on frontier systems are written.

    Examples
    --------
    >>> Above(1e25).mask([2023.0, 2024.0], [2023, 2024], [24.9, 25.0]).tolist()
    [False, True]
    """

    flop: float = 1e25

    def __post_init__(self) -> None:
        if not (np.isfinite(self.flop) and self.flop > 0):
            raise SettingError(f"Above: flop={self.flop}, must be > 0. Use 1e25.")

    @property
    def name(self) -> str:
        """Short name, used in ids."""
        return f"above_{self.flop:g}".replace("+", "").replace(".", "p")

    @property
    def text(self) -> str:
        """The definition in words."""
        return f"at least {self.flop:g} FLOP"

    def mask(
        self, t: ArrayLike, year: ArrayLike, log10_flop: ArrayLike, *, weights: ArrayLike | None = None
    ) -> BoolArray:
        """Return which rows are large; see `Large.mask`."""
        _, _, flop, counts = _rows(t, year, log10_flop, weights)
        with np.errstate(invalid="ignore"):
            return _shaped((counts > 0) & (flop >= np.log10(self.flop)), weights)


LARGE: Mapping[str, Large] = {
    one.name: one
    for one in (
        Known(),
        TopQuantile(),
        TopK(),
        AboveTrend(),
        AboveTrend(q=0.75),
        AboveTrend(trend="running"),
        Above(),
    )
}
"""Name to definition."""
RELATIVE: tuple[Large, ...] = tuple(LARGE.values())[:-1]
"""Definitions that move with the field, so that a share of early years exists."""


def large_of(text: str) -> Large:
    """Return the definition written as ``known``, ``top_quantile:0.9``, ``top_k:20``, ``above:1e26``, ….

    Parameters
    ----------
    text : str
        A key of `LARGE`, or a family with its number after a colon.

    Raises
    ------
    SettingError
        No such family, or its number is not one.

    Examples
    --------
    >>> large_of("top_k:20"), large_of("above_trend_q75")
    (TopK(k=20), AboveTrend(q=0.75, trend='linear'))
    """
    if text in LARGE:
        return LARGE[text]
    family, _, number = text.partition(":")
    families = ("top_quantile", "top_k", "above_trend", "above_running", "above")
    if family not in families:
        near = closest(text, LARGE)
        hint = f"Did you mean {near!r}?" if near else "Choose one."
        raise SettingError(
            f"large: {text!r}, must be one of {', '.join(LARGE)}, or a family with a number, such as "
            f"top_k:20. {hint}"
        )
    try:
        value = float(number)
    except ValueError:
        raise SettingError(
            f"large: {text!r}, needs a number after the colon. Write {family}:{_EXAMPLES[family]}."
        ) from None
    if family == "top_k":
        if value % 1:
            raise SettingError(f"large: {text!r}, needs a whole number of systems. Write top_k:20.")
        return TopK(int(value))
    if family == "above":
        return Above(value)
    if family == "top_quantile":
        return TopQuantile(value)
    return AboveTrend(q=value, trend="linear" if family == "above_trend" else "running")


_EXAMPLES = {
    "top_quantile": "0.9",
    "top_k": "20",
    "above_trend": "0.75",
    "above_running": "0.75",
    "above": "1e25",
}


def _rows(
    t: ArrayLike, year: ArrayLike, log10_flop: ArrayLike, weights: ArrayLike | None
) -> tuple[FloatArray, NDArray[np.int64], FloatArray, FloatArray]:
    """Return time, year, compute and counts, shape (reps, n); rows without compute count zero times."""
    when, flop = np.asarray(t, dtype=np.float64), np.asarray(log10_flop, dtype=np.float64)
    years = np.asarray(year, dtype=np.int64)
    counts = np.ones(flop.size) if weights is None else np.asarray(weights, dtype=np.float64)
    if not when.size == years.size == flop.size == counts.shape[-1] or counts.ndim > 2:
        raise SettingError(
            f"large: t {when.shape}, year {years.shape}, log10_flop {flop.shape} and weights {counts.shape}, "
            "need one length. Give them row by row."
        )
    if (counts < 0).any() or (counts % 1).any():
        raise SettingError("large: weights repeat rows, need whole numbers >= 0. Multiply shares by n.")
    return when, years, flop, np.atleast_2d(counts) * np.isfinite(flop)


def _shaped(found: BoolArray, weights: ArrayLike | None) -> BoolArray:
    """Return one row for one set of weights, all rows for several."""
    return found if weights is not None and np.ndim(weights) == 2 else found[0]

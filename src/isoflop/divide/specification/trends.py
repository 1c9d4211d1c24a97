"""Gap, its widening and the doubling time under every choice, and in bootstrap replicates.

The gap's regression ``log10 C = a + b (t - 2018) + c ind + d ind (t - 2018)`` is two lines, one a sector,
so a replicate needs only weighted sums.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from isoflop.divide.gap.model import gap_design, gap_vector
from isoflop.divide.growth.slope import EPOCH, LEAST_DATES
from isoflop.divide.specification.curve import Specification
from isoflop.divide.specification.grid import GAPS, Covariance, Grid, Headline
from isoflop.divide.specification.rows import BoolArray, Coding, FloatArray, Rows
from isoflop.errors import EvidenceError, NotIdentifiedError
from isoflop.stats.intervals import normal_quantile, student_quantile
from isoflop.stats.regression import Covariance as Kind
from isoflop.stats.regression import LinearFit, linear_regression
from isoflop.stats.trend import fit_lines

KINDS: dict[Covariance, Kind] = {"HC1": "HC1", "OLS": "classical", "by_organisation": "CR1"}
WHOSE = {False: "left out", True: "with industry"}
DOUBLINGS = math.log2(10)
"""Doublings in an order of magnitude."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sectors:
    """Rows of both sectors under one choice; masks of shape (n,)."""

    coding: Coding
    since: int
    joined: bool
    academia: BoolArray
    industry: BoolArray

    @property
    def usable(self) -> BoolArray:
        """Rows of either sector, shape (n,)."""
        return self.academia | self.industry

    def settings(self, rows: Rows) -> dict[str, str]:
        """Return choice to setting."""
        return {
            "snapshot": rows.snapshot,
            "filter": rows.filter,
            "rule": self.coding.rule.text,
            "since": str(self.since),
            "collaboration": WHOSE[self.joined],
        }


def sectors_of(rows: Rows, grid: Grid) -> Iterator[Sectors]:
    """Yield the distinct choices of rows for the gap in which both sectors have dates enough."""
    seen: set[bytes] = set()
    for coding in rows.codings:
        for since in grid.since:
            for joined in grid.joined:
                late = rows.year >= since
                industry = coding.team == "industry"
                if joined:
                    industry = industry | (coding.team == "collaboration")
                one = Sectors(
                    coding=coding,
                    since=since,
                    joined=joined,
                    academia=late & (coding.team == "academia"),
                    industry=late & industry,
                )
                key = one.academia.tobytes() + one.industry.tobytes()
                enough = all(
                    np.unique(rows.t[mask]).size >= LEAST_DATES for mask in (one.academia, one.industry)
                )
                if key not in seen and enough:
                    seen.add(key)
                    yield one


def gap_specifications(
    every: tuple[Rows, ...], grid: Grid, wanted: tuple[Headline, ...], level: float
) -> dict[Headline, list[Specification]]:
    """Return gap and widening, as asked for, under every choice of the grid."""
    made: dict[Headline, list[Specification]] = {name: [] for name in GAPS if name in wanted}
    for rows in every if made else ():
        for sectors in sectors_of(rows, grid):
            keep = sectors.usable
            design = gap_design(rows.t[keep], sectors.industry[keep])
            blank = int((rows.year >= sectors.since)[~sectors.coding.known].sum())
            for covariance in grid.covariances:
                fit = _regression(design, rows.log10_flop[keep], covariance, rows.cluster[keep])
                if fit is None:
                    continue
                settings = sectors.settings(rows) | {"interval": covariance}
                for name, extra, value, se in _gaps(fit, tuple(made), years_of(rows, grid)):
                    made[name].append(
                        _gap(name, settings | extra, value, se, int(keep.sum()), covariance, level, blank)
                    )
    return made


def years_of(rows: Rows, grid: Grid) -> tuple[int, ...]:
    """Return the years of the grid that the rows reach; else their last year."""
    last = int(rows.year.max())
    return tuple(year for year in grid.gap_years if year <= last) or (last,)


def _gaps(
    fit: LinearFit, wanted: tuple[Headline, ...], years: tuple[int, ...]
) -> Iterator[tuple[Headline, dict[str, str], float, float]]:
    if "gap_oom" in wanted:
        for year in years:
            pick = gap_vector(year)
            se = math.sqrt(float(pick @ fit.covariance @ pick))
            yield "gap_oom", {"year": str(year)}, float(pick @ fit.coefficients), se
    if "gap_widening" in wanted:
        yield "gap_widening", {}, float(fit.coefficients[3]), math.sqrt(float(fit.covariance[3, 3]))


def _gap(
    name: Headline,
    settings: dict[str, str],
    value: float,
    se: float,
    n: int,
    covariance: Covariance,
    level: float,
    blank: int,
) -> Specification:
    half = _quantile(level, covariance, n - 4) * se
    return Specification(
        headline=name,
        settings=settings,
        n=n,
        value=value,
        low=value - half,
        high=value + half,
        effect=value,
        excludes=abs(value) > half,
        caution=f"{blank} systems of unknown team are in neither sector" if blank else "",
    )


def _quantile(level: float, covariance: Covariance, df: int) -> float:
    upper = (1 + level) / 2
    return student_quantile(upper, df) if covariance == "OLS" else normal_quantile(upper)


def trend_specifications(
    every: tuple[Rows, ...], grid: Grid, wanted: tuple[Headline, ...], level: float
) -> dict[Headline, list[Specification]]:
    """Return the doubling time, if asked for, under every choice of the grid."""
    if "doubling_time_months" not in wanted:
        return {}
    made: list[Specification] = []
    for rows in every:
        for who, since, keep in trend_rows(rows, grid):
            settings = {
                "snapshot": rows.snapshot,
                "filter": rows.filter,
                "rule": who,
                "since": str(since),
            }
            design = np.stack([np.ones(int(keep.sum())), rows.t[keep] - EPOCH], axis=1)
            for covariance in grid.covariances:
                fit = _regression(design, rows.log10_flop[keep], covariance, rows.cluster[keep])
                if fit is not None:
                    made.append(_doubling(fit, settings | {"interval": covariance}, covariance, level))
    return {"doubling_time_months": made}


def trend_rows(rows: Rows, grid: Grid) -> Iterator[tuple[str, int, BoolArray]]:
    """Yield what is counted, since when, and which rows (n,), for the trend over all teams."""
    seen: set[bytes] = set()
    for since in grid.since:
        late = rows.year >= since
        choices = [(f"{one.rule.text}, unknown left out", late & one.known) for one in rows.codings]
        for who, keep in (*choices, ("every row, unknown teams too", late)):
            if keep.tobytes() not in seen and np.unique(rows.t[keep]).size >= LEAST_DATES:
                seen.add(keep.tobytes())
                yield who, since, keep


def _doubling(
    fit: LinearFit, settings: dict[str, str], covariance: Covariance, level: float
) -> Specification:
    n = int(fit.residuals.size)
    slope = DOUBLINGS * float(fit.coefficients[1])
    se = DOUBLINGS * math.sqrt(float(fit.covariance[1, 1]))
    upper = (1 + level) / 2
    clustered = covariance == "by_organisation"
    half = (normal_quantile(upper) if clustered else student_quantile(upper, n - 2)) * se
    low, high = slope - half, slope + half
    grows = slope > 0
    return Specification(
        headline="doubling_time_months",
        settings=settings,
        n=n,
        value=12 / slope if grows else None,
        low=12 / high if grows else None,
        high=12 / low if low > 0 else None,
        effect=slope,
        excludes=low > 0 or high < 0,
        caution="" if low > 0 else "growth is not sure: the doubling time has no upper end",
    )


def _regression(
    design: FloatArray, y: FloatArray, covariance: Covariance, cluster: FloatArray | np.ndarray
) -> LinearFit | None:
    """Return the fit, or None where too few rows or organisations leave it undetermined."""
    codes = cluster if covariance == "by_organisation" else None
    try:
        return linear_regression(design, y, covariance=KINDS[covariance], codes=codes)
    except (EvidenceError, NotIdentifiedError):
        return None


def trend_replicates(
    rows: Rows, grid: Grid, wanted: tuple[Headline, ...], weights: FloatArray
) -> Iterator[tuple[Headline, float, FloatArray]]:
    """Yield headline, effect and effects of replicates (reps,) of each choice but the interval."""
    choices = list(sectors_of(rows, grid)) if set(wanted) & set(GAPS) else []
    if choices:
        groups = np.stack([mask for one in choices for mask in (one.academia, one.industry)])
        both = [
            fit_lines(rows.t, rows.log10_flop, groups=groups, weights=w, origin=EPOCH)
            for w in (None, weights)
        ]
        for place in range(len(choices)):
            if "gap_oom" in wanted:
                for year in years_of(rows, grid):
                    once, often = (
                        at[..., 2 * place + 1] - at[..., 2 * place]
                        for at in (lines.at(year + 0.5) for lines in both)
                    )
                    yield "gap_oom", float(once), often
            if "gap_widening" in wanted:
                once, often = (
                    lines.slope[..., 2 * place + 1] - lines.slope[..., 2 * place] for lines in both
                )
                yield "gap_widening", float(once), often
    if "doubling_time_months" in wanted:
        kept = [keep for _, _, keep in trend_rows(rows, grid)]
        if kept:
            one = fit_lines(rows.t, rows.log10_flop, groups=np.stack(kept)).slope
            many = fit_lines(rows.t, rows.log10_flop, groups=np.stack(kept), weights=weights).slope
            for place in range(len(kept)):
                yield "doubling_time_months", DOUBLINGS * float(one[place]), DOUBLINGS * many[:, place]

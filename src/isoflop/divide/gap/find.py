"""How far apart are industry and academia in training compute, and is the distance growing?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isoflop.divide.chosen import chosen
from isoflop.divide.gap.medians import median_gaps
from isoflop.divide.gap.model import (
    COVS,
    UNIT,
    BoolArray,
    Cov,
    FloatArray,
    GapFit,
    check_cov,
    fit_gap,
    gap_design,
    gap_draws,
    gap_vector,
)
from isoflop.divide.gap.result import ComputeGap, NoiseGap, QuantileGap
from isoflop.divide.growth.noise import noisy_log10_flop
from isoflop.divide.growth.paper import Compat, paper_settings
from isoflop.divide.growth.settings import FEW_CLUSTERS, ComputeNoise
from isoflop.divide.model import SECTORS, Filter, Period, TeamRule
from isoflop.errors import EvidenceError, SettingError
from isoflop.findings import Estimate
from isoflop.stats.checks import unit_level

if TYPE_CHECKING:
    from isoflop.divide.sample import Sample
    from isoflop.evidence.table import Table

YEARS = (2012, 2018, 2022)
"""Early, middle and late years at which the gap is read."""
QUANTILES = (0.5, 0.9)
HEADLINE_YEAR = 2022
"""The last year of the published comparison."""
YEAR_END = 0.9
"""A calendar year is complete where the table reaches its last five weeks."""
SPAN = 3
"""Calendar years of a period of medians."""


def gap(
    models: Sample | Table | Any,
    *,
    years: Sequence[int] | None = None,
    at_year: int | None = None,
    cov: Cov = "hc1",
    quantiles: Sequence[float] = QUANTILES,
    noise: ComputeNoise | None = None,
    rule: TeamRule | None = None,
    filter: Filter | None = None,
    level: float = 0.95,
    seed: int = 0,
    compat: Compat = "none",
) -> ComputeGap:
    """Measure the gap between industry-only and academia-only systems in training compute.

    Parameters
    ----------
    models : Sample, Table, path or data frame
        Evidence of schema ``models``.
    years : sequence of int, optional
        At which the gap is read; default 2012, 2018 and 2022.
    at_year : int, optional
        The headline's; default 2022, or the last complete year of a table that ends before.
    cov : {"hc1", "ols", "cluster"}
        Which interval leads; all three are computed.
    quantiles : sequence of float, in (0, 1)
    noise : ComputeNoise, optional
        Doubt about each system's compute.
    rule, filter : optional
        How teams are made and rows kept; see `isoflop.divide.sample.select`.
    level : float, in (0, 1)
    seed : int
        Of draws by default settings.
    compat : {"none", "paper"}
        ``"paper"``: unknown dropped and intervals of least squares.

    Returns
    -------
    ComputeGap

    Raises
    ------
    EvidenceError
        A sector has no system, or ``cov="cluster"`` and one organisation made all.
    NoFitError
        A sector has fewer than three distinct dates.

    Notes
    -----
    See `isoflop.divide.gap.model` for the regression. Our definition [D]: the paper states a strong
    difference [V] without a formula that we could read.

    Examples
    --------
    >>> from isoflop.evidence import load
    >>> found = gap(load("notable_systems"), filter="none")
    >>> found.at_year, found.gap.unit
    (2022, 'orders of magnitude')
    """
    unit_level("gap", level)
    check_cov(cov)
    if compat == "paper":
        rule, filter = paper_settings("gap", models, rule, filter)
        cov = "ols"
    sample = chosen(models, rule=rule, filter=filter)
    pair = sample.of_team(*SECTORS)
    industry = pair.team == "industry"
    _both(sample, industry)
    t, y, codes = pair.t, pair.log10_flop, pair.clusters
    covs = (cov, *(other for other in COVS if other != cov))
    enough = len(np.unique(codes)) > 1
    if cov == "cluster" and not enough:
        raise EvidenceError(
            f"{sample.table.name}: all {pair.n} systems are of one organisation, cov='cluster' needs two. "
            "Use 'hc1', or fill column 'organisations'."
        )
    fits = {c: fit_gap(t, y, industry, cov=c, codes=codes) for c in covs if enough or c != "cluster"}
    span = (
        max(float(t[industry].min()), float(t[~industry].min())),
        min(float(t[industry].max()), float(t[~industry].max())),
    )
    wanted, how = _headline_year(at_year, float(sample.t.max()))
    read = tuple(dict.fromkeys((*(YEARS if years is None else years), wanted)))
    noise = noise or ComputeNoise(seed=seed)
    weights = _weights(pair, noise)
    return ComputeGap(
        sample=sample,
        years=tuple(sorted(calendar("gap", one) for one in read)),
        at_year=wanted,
        how=how,
        fits=fits,
        joined=_joined(sample),
        quantiles=tuple(_quantile(t, y, industry, q, wanted, level) for q in dict.fromkeys(quantiles)),
        medians=median_gaps(pair.year, y, industry, _periods(pair.year, industry), weights, level=level),
        noise=_noise(sample, pair, industry, noise, weights, wanted, level),
        unknown_as=_unknown_as(sample, wanted),
        plain_difference=float(y[industry].mean() - y[~industry].mean()),
        n_academia=int((~industry).sum()),
        n_industry=int(industry.sum()),
        span=span,
        level=level,
        compat=compat == "paper",
    )


def _both(sample: Sample, industry: BoolArray) -> None:
    for sector, n in (("academia", int((~industry).sum())), ("industry", int(industry.sum()))):
        if n == 0:
            raise EvidenceError(
                f"{sample.table.name}: no system of {sector} alone with compute and date, the gap needs both "
                "sectors. Loosen the filter, or code the teams."
            )


def _unknown_as(sample: Sample, year: int) -> dict[str, float]:
    """Return the gap with all systems of unknown team counted on one side, for each side."""
    if sample.known.all():
        return {}
    found = {}
    for side in SECTORS:
        team = np.where(sample.known, sample.team, side)
        rows = np.isin(team, SECTORS)
        at, _ = gap_draws(sample.t[rows], sample.log10_flop[rows], team[rows] == "industry", (year,))
        found[str(side)] = float(at[0])
    return found


def calendar(where: str, year: int) -> int:
    """Return a year at which the gap is read, or refuse it."""
    if not 1900 <= year <= 2200:
        raise SettingError(f"{where}: year {year}, must be a calendar year. Write 2022, say.")
    return int(year)


def _headline_year(at_year: int | None, last: float) -> tuple[int, str]:
    """Return the year of the headline, and how it was chosen."""
    if at_year is not None:
        return calendar("gap", at_year), "as named"
    complete = math.floor(last) if last % 1 >= YEAR_END else math.floor(last) - 1
    if complete >= HEADLINE_YEAR:
        return HEADLINE_YEAR, "the last year of the published comparison"
    return complete, "the last complete year of the table"


def _periods(year: NDArray[np.int64], industry: BoolArray) -> list[Period]:
    """Return the three-year periods, counted from 2012, in which both sectors have systems."""
    first, last = (int(end) for end in (year.min(), year.max()))
    start = YEARS[0] - SPAN * math.ceil((YEARS[0] - first) / SPAN)
    periods = [Period(first=y, last=y + SPAN - 1) for y in range(start, last + 1, SPAN)]
    return [
        p
        for p in periods
        if all(((year >= p.first) & (year <= p.last) & side).any() for side in (industry, ~industry))
    ]


def _joined(sample: Sample) -> GapFit | None:
    """Return the fit with collaborations counted as industry, or None where there is none."""
    rows = sample.of_team(*SECTORS, "collaboration")
    if not (rows.team == "collaboration").any():
        return None
    return fit_gap(rows.t, rows.log10_flop, rows.team != "academia")


def _quantile(
    t: FloatArray, y: FloatArray, industry: BoolArray, q: float, year: int, level: float
) -> QuantileGap:
    from isoflop.stats.quantile_regression import quantile_regression

    fit = quantile_regression(gap_design(t, industry), y, q=q)

    def read(vector: ArrayLike, unit: str) -> Estimate:
        value, low, high = fit.contrast(vector, level)
        return Estimate(value=value, low=low, high=high, level=None if low is None else level, unit=unit)

    return QuantileGap(
        q=q,
        gap=read(gap_vector(year), UNIT),
        widening=read([0.0, 0.0, 0.0, 1.0], f"{UNIT}/yr"),
        certificate=fit.gap,
        without=fit.without,
    )


def _weights(pair: Sample, noise: ComputeNoise) -> FloatArray:
    """Return replicates of organisations, or of rows where organisations are few."""
    from isoflop.stats.resample import replicate_weights

    codes = pair.clusters
    clusters = codes if len(np.unique(codes)) >= FEW_CLUSTERS else None
    return replicate_weights(noise.seed, pair.n, 0, noise.reps, clusters)


def _noise(
    sample: Sample,
    pair: Sample,
    industry: BoolArray,
    noise: ComputeNoise,
    weights: FloatArray,
    year: int,
    level: float,
) -> NoiseGap:
    t, y = pair.t, pair.log10_flop
    # Drawn for all systems of known team, so that growth and gap rest on the same replicates.
    known = sample.of(sample.known)
    noisy = noisy_log10_flop(known, noise)[:, np.isin(known.team, SECTORS)]
    points, slope = gap_draws(t, y, industry, (year,))
    point = float(points[0])
    alone, d_alone = gap_draws(t, noisy, industry, (year,))
    both, _ = gap_draws(t, noisy, industry, (year,), weights=weights)
    return NoiseGap(
        noise=noise,
        alone=_percentiles(point, alone[:, 0], level, UNIT),
        both=_percentiles(point, both[:, 0], level, UNIT),
        widening_alone=_percentiles(float(slope), d_alone, level, f"{UNIT}/yr"),
    )


def _percentiles(point: float, draws: FloatArray, level: float, unit: str) -> Estimate:
    from isoflop.stats.draws import percentile_interval

    ends = percentile_interval(draws, level, on_failed="count")
    return Estimate(value=point, low=ends.low, high=ends.high, level=level, unit=unit)

"""How fast does training compute grow? The trend of log compute, for all systems and for each team."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from isoflop.divide.chosen import chosen, known_teams
from isoflop.divide.growth.noise import noisy_log10_flop
from isoflop.divide.growth.paper import Compat, paper_settings
from isoflop.divide.growth.result import ALL, FEW, ComputeGrowth, NoiseSlopes, TeamGrowth
from isoflop.divide.growth.settings import (
    FEW_CLUSTERS,
    HC1,
    OLS,
    Cluster,
    ComputeNoise,
    IntervalKind,
    Pairs,
)
from isoflop.divide.growth.slope import (
    LEAST_DATES,
    LOG10_2,
    FloatArray,
    Slope,
    check_dates,
    fit_slope,
    trend_band,
)
from isoflop.divide.growth.steadiness import bend, forecasts
from isoflop.divide.model import KNOWN_TEAMS, Filter, TeamRule
from isoflop.errors import SettingError
from isoflop.stats.checks import unit_level
from isoflop.stats.trend import fit_lines

if TYPE_CHECKING:
    from isoflop.divide.sample import Sample
    from isoflop.evidence.table import Table


def growth(
    models: Sample | Table | Any,
    *,
    by: Literal["team", "none"] = "team",
    ci: IntervalKind | None = None,
    beside: Sequence[IntervalKind] = (),
    noise: ComputeNoise | None = None,
    rule: TeamRule | None = None,
    filter: Filter | None = None,
    level: float = 0.95,
    seed: int = 0,
    compat: Compat = "none",
) -> ComputeGrowth:
    """Fit the growth of training compute.

    Parameters
    ----------
    models : Sample, Table, path or data frame
        Evidence of schema ``models``.
    by : {"team", "none"}
        A line for each team beside that of all.
    ci : OLS, HC1, Pairs or Cluster, optional
        The leading interval. Default: `Cluster`, or `HC1` where fewer than 20 organisations carry a line.
    beside : sequence of IntervalKind
        Further intervals to show.
    noise : ComputeNoise, optional
        Doubt about each system's compute.
    rule, filter : optional
        How teams are made and rows kept; see `isoflop.divide.sample.select`.
    level : float, in (0, 1)
    seed : int
        Of draws by default settings.
    compat : {"none", "paper"}
        ``"paper"``: unknown dropped, intervals of least squares: the nearest to what is known of the paper.

    Returns
    -------
    ComputeGrowth

    Raises
    ------
    NoFitError
        Systems of fewer than three distinct dates.
    SettingError
        `compat` beside a setting that it decides.

    Notes
    -----
    Least squares of log2 train_flop on t = year + (day of year - 1)/365.25; doubling time = 12/slope months.
    The interval is the slope's, inverted, so it may be open. Systems of unknown team are left out of
    the line of all, and counted in ``with_unknown``.
    Source: the doubling time is that of Besiroglu et al. (2024) as summaries give it [S]; the intervals
    other than `OLS` are ours [D].

    Examples
    --------
    >>> from isoflop.evidence import load
    >>> found = growth(load("notable_systems"), filter="none", ci=OLS())
    >>> found.all.doubling_months.unit
    'months'
    """
    unit_level("growth", level)
    if compat == "paper":
        rule, filter = paper_settings("growth", models, rule, filter)
        if not isinstance(ci, OLS | None):
            raise SettingError(
                "growth: compat='paper' and an interval of your own, which disagree. Drop one of them."
            )
        ci = OLS()
    sample = chosen(models, rule=rule, filter=filter)
    known = known_teams(sample)
    check_dates(known.t, known.table.name)
    noise = noise or ComputeNoise(seed=seed)
    default: IntervalKind = ci or Cluster(seed=seed, reps=noise.reps)
    fixed = ci is not None
    lines = [_line(ALL, known, default, fixed, beside, level)]
    if by == "team":
        present = [team for team in KNOWN_TEAMS if (known.team == team).any()]
        lines += [_line(team, known.of_team(team), default, fixed, beside, level) for team in present]
    return ComputeGrowth(
        sample=sample,
        lines=tuple(lines),
        with_unknown=_line("all incl. unknown", sample, default, fixed, beside, level),
        noise=_noise(known, noise, level),
        level=level,
        seed=default.seed if isinstance(default, Cluster | Pairs) else seed,
        compat=compat == "paper",
    )


def _line(
    team: str,
    rows: Sample,
    kind: IntervalKind,
    fixed: bool,
    beside: Sequence[IntervalKind],
    level: float,
) -> TeamGrowth:
    """Return the trend of some rows with the leading interval and those beside it."""
    t, y, codes = rows.t, rows.log10_flop, rows.clusters
    n_clusters, dates = len(np.unique(codes)), len(np.unique(t))
    if dates < LEAST_DATES:
        return TeamGrowth(
            team=team,
            n=rows.n,
            n_clusters=n_clusters,
            reason=f"{dates} distinct date{'' if dates == 1 else 's'}, a trend needs {LEAST_DATES}",
        )
    down = not fixed and n_clusters < FEW_CLUSTERS
    lead: IntervalKind = HC1() if down else kind
    # Draws of a handful of systems repeat the same few lines; their percentiles mean nothing.
    kinds = {one.name: one for one in (lead, *beside) if n_clusters >= FEW or not one.drawn}
    kinds = kinds or {"hc1": HC1()}
    return TeamGrowth(
        team=team,
        n=rows.n,
        n_clusters=n_clusters,
        intervals=tuple(fit_slope(t, y, one, codes, level=level) for one in kinds.values()),
        band=trend_band(t, y, level=level),
        bend=bend(t, y),
        forecasts=forecasts(t, y),
        chosen_down=down,
    )


def _noise(known: Sample, noise: ComputeNoise, level: float) -> NoiseSlopes:
    """Return the slope under doubt about compute, without and with the draw of systems."""
    from isoflop.stats.draws import percentile_interval
    from isoflop.stats.resample import replicate_weights

    t, codes = known.t, known.clusters
    n_clusters = len(np.unique(codes))
    noisy = noisy_log10_flop(known, noise)
    point = float(fit_lines(t, known.log10_flop).slope) / LOG10_2
    clusters = codes if n_clusters >= FEW_CLUSTERS else None
    weights = replicate_weights(noise.seed, known.n, 0, noise.reps, clusters)

    def slope(name: str, draws: FloatArray) -> Slope:
        ends = percentile_interval(draws, level, on_failed="count")
        return Slope(
            value=point,
            low=ends.low,
            high=ends.high,
            level=level,
            kind=name,
            draws=draws[np.isfinite(draws)],
            n=known.n,
            n_clusters=n_clusters,
            failed=ends.n_failed,
        )

    return NoiseSlopes(
        noise=noise,
        alone=slope("monte_carlo", fit_lines(t, noisy).slope / LOG10_2),
        both=slope("monte_carlo_and_sampling", fit_lines(t, noisy, weights=weights).slope / LOG10_2),
    )

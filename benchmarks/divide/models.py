"""Speed of `divide` on one table of systems, beside pandas and statsmodels on the same rows.

Runs on the public snapshot of December 2023 where it is at hand, else on planted systems of that size. Both
sides begin with the table in memory and give the same numbers for both filters: doubling time of all and of
three teams by least squares, HC1 and 2,000 draws of systems; the gap with three covariances; academia's share
of two periods with Fisher's p; and its ratio by decile of compute.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import Job, Reference
from isoflop.divide.deciles.find import equal_groups
from isoflop.divide.gap.find import gap
from isoflop.divide.gap.model import fit_gap
from isoflop.divide.growth.find import growth
from isoflop.divide.growth.settings import HC1, INTERVALS, OLS, Pairs
from isoflop.divide.growth.slope import LOG10_2, fit_slope
from isoflop.divide.model import FILTERS, FIRST, LAST, NOTABLE
from isoflop.divide.sample import Sample, select
from isoflop.divide.shares.count import count_large, inside_periods, of_teams
from isoflop.divide.standing import line_residuals
from isoflop.divide.teams import team_of
from isoflop.evidence import load
from isoflop.evidence.table import Table
from isoflop.stats.contingency import fisher_exact
from isoflop.stats.intervals import wilson

FILE = "epoch_models_2023-12-20.csv"
TREND_FILE = "epoch_all_ai_models_2025-04.csv"
REPS = 2000
LINES = ("all", "academia", "industry", "collaboration")
DECILES = 10
DECILE_YEARS = (2018, 2023)
CLOSE = 1e-6
"""Relative difference allowed between exact numbers of the two sides."""
DRAWN_MONTHS = 0.6
"""Difference allowed between ends of 2,000 draws from different generators; teams have few systems."""

Numbers = dict[str, float]


@cache
def table(name: str = FILE) -> Table:
    """Return the public snapshot, or planted systems of its size."""
    folder = Path(os.environ.get("ISOFLOP_EVIDENCE", Path(__file__).parents[3] / "shared" / "data"))
    path = folder / "divide" / name
    if path.is_file():
        return load(path)
    from isoflop.divide.simulate import PlantedTrends, planted_table

    return planted_table(PlantedTrends(n_academia=389 - 285, n_industry=285))


def statistics() -> Numbers:
    """Return every number of both filters."""
    found: Numbers = {}
    for name in FILTERS:
        sample = select(table(), filter=name)
        known = sample.of(sample.known)
        found |= {f"{name} {key}": value for key, value in _trends(known).items()}
        found |= {f"{name} {key}": value for key, value in _shares(known).items()}
    return found


def _trends(known: Sample) -> Numbers:
    found: Numbers = {}
    t, y, team, codes = known.t, known.log10_flop, known.team, known.clusters
    for line in LINES:
        rows = np.ones(known.n, dtype=bool) if line == "all" else team == line
        if len(np.unique(t[rows])) < 3:
            continue
        for kind in (OLS(), HC1(), Pairs(reps=REPS)):
            slope = fit_slope(t[rows], y[rows], kind, codes[rows])
            found |= {
                f"{line} {kind.name} low": slope.low,
                f"{line} {kind.name} high": slope.high,
                f"{line} slope": slope.value,
            }
    pair = np.isin(team, ("academia", "industry"))
    for cov in ("hc1", "ols", "cluster"):
        fit = fit_gap(t[pair], y[pair], team[pair] == "industry", cov=cov, codes=codes[pair])
        estimate = fit.at(2022)
        found |= {f"gap {cov} low": estimate.low or 0.0, f"gap {cov} p": fit.p_widening}
    return found | {"gap": float(fit.at(2022).value or 0.0)}


def _shares(known: Sample) -> Numbers:
    inside, team = inside_periods(known.year, (FIRST, LAST)), of_teams(known.team, ("academia",))
    k, n = count_large(np.ones(known.n, dtype=bool), inside, team)
    low, high = wilson(k[:, 0], n)
    found = {"share first": k[0, 0] / n[0], "share last": k[1, 0] / n[1], "low": low[1], "high": high[1]}
    found["fisher"] = fisher_exact(int(k[0, 0]), int(n[0]), int(k[1, 0]), int(n[1]))
    first, last = DECILE_YEARS
    rows = (known.year >= first) & (known.year <= last)
    t, y, academia = known.t[rows], known.log10_flop[rows], known.team[rows] == "academia"
    place = equal_groups(line_residuals(t, y, np.ones((1, t.size)))[0], DECILES)
    share = np.bincount(place, academia, DECILES) / np.bincount(place, minlength=DECILES)
    return found | {f"decile {g}": float(share[g] / academia.mean()) for g in range(DECILES)}


@cache
def raw() -> Any:
    """Return the table's columns as a pandas frame, teams decided as the reference reads them: by label."""
    import pandas as pd

    columns = ("date", "train_flop", "team_label", "notability", "organisations")
    frame = pd.DataFrame({name: table().frame[name].to_list() for name in columns})
    frame["date"] = pd.to_datetime(frame["date"])
    return frame


def reference_statistics() -> Numbers:
    """Return the same numbers with pandas and statsmodels, draws in a loop."""
    import statsmodels.api as sm
    from scipy.stats import fisher_exact as scipy_fisher
    from statsmodels.stats.proportion import proportion_confint

    found: Numbers = {}
    for name in FILTERS:
        frame = raw().dropna(subset=["date", "train_flop"]).copy()
        frame["year"] = frame["date"].dt.year
        frame["t"] = frame["year"] + (frame["date"].dt.dayofyear - 1) / 365.25
        frame = frame[frame["year"] >= 2010]
        frame["team"] = frame["team_label"].map(_label_team)
        frame = frame[frame["team"] != "unknown"]
        if name != "none":
            frame = frame[frame["notability"].fillna("").str.contains("|".join(NOTABLE))]
        frame["log10"] = np.log10(frame["train_flop"])
        numbers: Numbers = {}
        rng = np.random.default_rng(0)
        for line in LINES:
            rows = frame if line == "all" else frame[frame["team"] == line]
            if rows["t"].nunique() < 3:
                continue
            y, x = rows["log10"].to_numpy() / LOG10_2, rows["t"].to_numpy()
            fit = sm.OLS(y, sm.add_constant(x - 2018)).fit()
            robust = fit.get_robustcov_results("HC1", use_t=True)
            draws = []
            for _ in range(REPS):
                chosen = rng.integers(0, len(y), len(y))
                draws.append(np.polyfit(x[chosen] - 2018, y[chosen], 1)[0])
            numbers[f"{line} slope"] = fit.params[1]
            for kind, (low, high) in (
                ("ols", fit.conf_int()[1]),
                ("hc1", robust.conf_int()[1]),
                ("pairs", np.quantile(draws, [0.025, 0.975])),
            ):
                numbers |= {f"{line} {kind} low": low, f"{line} {kind} high": high}
        pair = frame[frame["team"].isin(["academia", "industry"])]
        u, industry = pair["t"] - 2018, (pair["team"] == "industry").astype(float)
        design = np.column_stack([np.ones(len(pair)), u, industry, industry * u])
        plain = sm.OLS(pair["log10"].to_numpy(), design).fit()
        groups = pair["organisations"].fillna(pair.index.to_series().astype(str)).factorize()[0]
        at = np.array([0, 0, 1, 4.5])
        for cov, fit in (
            ("hc1", plain.get_robustcov_results("HC1", use_t=False)),
            ("ols", plain),
            ("cluster", plain.get_robustcov_results("cluster", groups=groups, use_t=False)),
        ):
            numbers |= {
                f"gap {cov} low": float(fit.t_test(at).conf_int()[0][0]),
                f"gap {cov} p": float(fit.pvalues[3]),
            }
        numbers["gap"] = float(at @ plain.params)
        cells = []
        for period in (FIRST, LAST):
            inside = frame[frame["year"].between(period.first, period.last)]
            cells.append((int((inside["team"] == "academia").sum()), len(inside)))
        low, high = proportion_confint(*cells[1], method="wilson")
        numbers |= {"share first": cells[0][0] / cells[0][1], "share last": cells[1][0] / cells[1][1]}
        numbers |= {"low": low, "high": high}
        numbers["fisher"] = float(scipy_fisher([[k, n - k] for k, n in cells])[1])
        numbers |= _reference_deciles(frame)
        found |= {f"{name} {key}": float(value) for key, value in numbers.items()}
    return found


def _label_team(label: object) -> str:
    from isoflop.divide.model import TeamRule
    from isoflop.divide.teams import Typed, read_label

    typed = read_label(label if isinstance(label, str) else None)
    return team_of(typed or Typed(types=frozenset({"other"})), TeamRule())


def _reference_deciles(frame: Any) -> Numbers:
    import pandas as pd

    rows = frame[frame["year"].between(*DECILE_YEARS)].copy()
    slope, level = np.polyfit(rows["t"] - 2018, rows["log10"], 1)
    rows["decile"] = pd.qcut(rows["log10"] - level - slope * (rows["t"] - 2018), DECILES, labels=False)
    academia = (rows["team"] == "academia").astype(float)
    ratio = academia.groupby(rows["decile"]).mean() / academia.mean()
    return {f"decile {g}": float(ratio[g]) for g in range(DECILES)}


def same_numbers(ours: Numbers) -> bool:
    """Whether both sides agree, drawn ends within the noise of draws."""
    theirs = reference_statistics()
    if set(ours) != set(theirs):
        return False
    for key, value in ours.items():
        if "pairs" in key:
            if abs(12 / value - 12 / theirs[key]) > DRAWN_MONTHS:
                return False
        elif abs(value - theirs[key]) > CLOSE * max(1.0, abs(theirs[key])):
            return False
    return True


@cache
def trend() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return time, doublings and organisations of the largest snapshot's filtered sample."""
    sample = select(table(TREND_FILE))
    known = sample.of(sample.known)
    return known.t, known.log10_flop, known.clusters


def our_trend() -> tuple[float, float]:
    """Return the ends of 2,000 draws."""
    t, y, codes = trend()
    slope = fit_slope(t, y, Pairs(reps=REPS), codes)
    return slope.low, slope.high


def loop_trend(pieces: Sequence[int]) -> np.ndarray:
    """Return slopes of draws from one generator, as the usual loop does."""
    t, y, _ = trend()
    u, doublings, rng = t - 2018, y / LOG10_2, np.random.default_rng(0)
    out = []
    for _ in pieces:
        rows = rng.integers(0, t.size, t.size)
        out.append(np.polyfit(u[rows], doublings[rows], 1)[0])
    return np.array(out)


def near_the_loop(ends: tuple[float, float]) -> bool:
    """Whether the ends are those of the loop within the noise of draws, a twentieth of a doubling a year."""
    return bool(np.allclose(ends, np.quantile(loop_trend(range(REPS)), [0.025, 0.975]), atol=0.05))


def verbs() -> int:
    """Run growth with every interval, and the gap, as the command does; return the findings."""
    sample = select(table())
    return len(growth(sample, beside=tuple(INTERVALS.values())).findings()) + len(gap(sample).findings())


JOBS = (
    Job(
        name="snapshot-statistics",
        ours=statistics,
        reference=Reference(run=lambda _pieces: reference_statistics()),
        bar_ratio=10.0,
        accept=same_numbers,
        note="both filters: trends with three intervals, gap, shares, deciles; pandas and statsmodels",
    ),
    Job(
        name="trend-bootstrap",
        ours=our_trend,
        reference=Reference(run=loop_trend, pieces=REPS),
        bar_ratio=10.0,
        accept=near_the_loop,
        note="2,000 draws of systems; a loop of polynomial fits",
    ),
    Job(name="growth-and-gap-verbs", ours=verbs, note="every interval, Monte Carlo, quantiles, forecasts"),
)

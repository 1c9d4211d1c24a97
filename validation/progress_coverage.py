"""Do the intervals of the rate cover it? Planted tables, rows of a paper correlated.

Prints for each planted halving time the median error of G, the share of 95 % intervals that hold
the truth under resampling by paper and by row, and their widths. `QUICK` tables take a minute.
"""

from __future__ import annotations

import sys

import numpy as np

from isoflop.progress.fit import fit
from isoflop.progress.sample import Rules, select
from isoflop.progress.settings import L1, Starts
from isoflop.progress.simulate import Planted, planted_table
from isoflop.stats.resample import Bootstrap
from isoflop.units import rate_from_halving_time

TABLES, DRAWS = 200, 400
ALL_ROWS = Rules(top_per_paper=None)


def study(tables: int = TABLES) -> None:
    """Print coverage by planted rate, correlation within papers, and penalty."""
    print(f"{tables} tables, {DRAWS} draws, 95 % percentile intervals")
    print("papers  rows  months  rho  delta   median error  by paper: coverage width  by row: coverage width")
    for months in (8.0, 24.0, None):
        for rho in (0.3, 0.8):
            for delta in (0.0, 0.0025):
                print(_line(months, rho, delta, tables, papers=144, rows=3), flush=True)
    # few papers with many rows each: where the unit of resampling matters
    for months in (8.0, None):
        print(_line(months, 0.8, 0.0, tables, papers=30, rows=16), flush=True)


def _line(months: float | None, rho: float, delta: float, tables: int, *, papers: int, rows: int) -> str:
    truth = 0.0 if months is None else rate_from_halving_time(months)
    planted = Planted(rate_per_year=truth, paper_correlation=rho, papers=papers, rows_per_paper=rows)
    errors, covered, widths = [], {"paper": [], "row": []}, {"paper": [], "row": []}
    for seed in range(tables):
        sample = select(planted_table(planted, seed=seed), rules=ALL_ROWS)
        for by in ("paper", "row"):
            found = fit(
                sample,
                penalty=L1(delta=delta),
                starts=Starts(count=6),
                ci=Bootstrap(reps=DRAWS, by=by, seed=seed),
            ).rate
            low = -np.inf if found.low is None else found.low
            high = np.inf if found.high is None else found.high
            covered[by].append(low <= truth <= high)
            widths[by].append(high - low)
        errors.append(found.value - truth)
    by_paper, by_row = (
        f"{np.mean(covered[by]):.3f}    {np.median(widths[by]):.2f}" for by in ("paper", "row")
    )
    shown = "none" if months is None else f"{months:g}"
    what = f"{papers:>6}  {rows:>4}  {shown:>6}  {rho:.1f}  {delta:<6g}  {np.median(errors):+.3f}"
    return f"{what}        {by_paper}          {by_row}"


if __name__ == "__main__":
    study(int(sys.argv[1]) if len(sys.argv) > 1 else TABLES)

"""Do the two robotics estimators recover what was planted? Arithmetic, bias and coverage.

1. The published method's arithmetic: studies without noise whose exponents have the published mean and
   spread give those means, medians and intervals back.
2. The published method's bias, on noisy studies with one true exponent.
3. The hierarchical estimator: bias of the mean and coverage of its 95 % interval, and with a floor.

``python -m validation.meta_coverage`` takes about half an hour of one core, ``--quick`` one minute.
"""

from __future__ import annotations

import sys
from itertools import product

import numpy as np

from isoflop.scaling.pooling.group import average
from isoflop.scaling.pooling.hierarchical import Studies, fit_marginal
from isoflop.scaling.studies.comparators import PUBLISHED
from isoflop.scaling.studies.levels import Floor, curve_sets
from isoflop.scaling.studies.likelihood import Counts, alpha_grid
from isoflop.scaling.studies.planted import Planted, plant
from isoflop.scaling.studies.sartor2024 import fit_percent, summarise
from isoflop.stats.intervals import student_quantile

SPREADS = {"data": 0.24, "model_size": 0.26, "compute": 0.11}
"""Standard deviations that the printed intervals and numbers of studies imply."""
ALPHAS = (0.0, 0.1, 0.25, 0.5)
DESIGNS = (
    (3, 10, 20, 5),
    (3, 10, 150, 30),
    (4, 50, 60, 12),
    (6, 10, 150, 30),
    (6, 100, 20, 5),
    (6, 100, 150, 30),
)
"""Points, trials, studies and papers: the corners and the middle of the range that the bars name."""
QUICK_DESIGNS = ((3, 10, 20, 5), (4, 50, 60, 12), (6, 100, 150, 30))
FLOOR_DESIGNS = ((3, 50, 60, 12), (4, 50, 60, 12), (6, 100, 150, 30))
R2_BAR = 0.7


def arithmetic(draws: int) -> None:
    """Print what the published method makes of noise-free studies with the published moments."""
    print("1. sartor2024 on noise-free studies with the published mean and spread (averages over draws)")
    print("resource     n    mean     low      high     median   | published mean (low, high), median")
    for seed, (resource, p) in enumerate(PUBLISHED.items()):
        rng = np.random.default_rng(seed)
        m, v = -p.mean, SPREADS[resource] ** 2
        size = m * (1 - m) / v - 1
        found = []
        for _ in range(draws):
            alpha = np.clip(rng.beta(m * size, (1 - m) * size, p.studies), 0.01, 0.99)
            x = np.tile(np.geomspace(1, 100, 5), (p.studies, 1))
            error = 60.0 * x ** -alpha[:, None]
            fits = fit_percent(Counts(log_x=np.log(x), errors=error, trials=np.full(x.shape, 100.0)))
            s = summarise(fits.exponent[fits.kept()])
            found.append([s.mean.value, s.mean.low, s.mean.high, s.median])
        mean, low, high, median = np.mean(found, axis=0)
        print(
            f"{resource:<11} {p.studies:>3}  {mean:+.3f}  {low:+.3f}  {high:+.3f}  {median:+.3f}   | "
            f"{p.mean:+.3f} ({p.low:+.3f}, {p.high:+.3f}), {p.median:+.3f}"
        )


def bias_of_published(runs: int) -> None:
    """Print what the published method finds where every study has alpha = 0.25 and 50 trials a point."""
    print("\n2. sartor2024 where alpha = 0.25 everywhere (50 trials, tenfold range, errors 40-85 % at first)")
    print("points  floor  mean   median  SD     R2 > .7  kept mean  with R2 > .7  | log-log OLS mean  SD")
    for points, floor in product((3, 4, 6), (0.0, 0.1)):
        made = Planted(
            alpha=0.25, sd_paper=0.0, sd_study=0.0, studies=runs, papers=runs, points=points, floor=floor
        )
        counts, _, _ = plant(made, seed=points)
        fits = fit_percent(counts)
        strict = fits.kept(least_r2=R2_BAR)
        rate = np.clip(counts.errors, 0.5, None) / counts.trials
        centred = counts.log_x - counts.log_x.mean(axis=1, keepdims=True)
        slope = -(centred * np.log(rate)).sum(axis=1) / (centred**2).sum(axis=1)
        print(
            f"{points:>6}  {floor:>4.0%}   {fits.alpha.mean():.2f}   {np.median(fits.alpha):.2f}    "
            f"{fits.alpha.std(ddof=1):.2f}   {np.mean(fits.r2 > R2_BAR):.2f}         "
            f"{fits.alpha[fits.kept()].mean():.2f}       {fits.alpha[strict].mean():.2f}        | "
            f"{slope.mean():.2f}              {slope.std(ddof=1):.2f}"
        )


def corrected(reps: int, designs: tuple[tuple[int, int, int, int], ...]) -> None:
    """Print bias and coverage of the hierarchical estimator with E = 0."""
    error = 1.96 * np.sqrt(0.95 * 0.05 / reps)
    print(f"\n3a. hierarchical, no floor: {reps} tables a row, Monte Carlo error of coverage ± {error:.3f}")
    print("points trials studies papers  alpha   bias     SD     mean SE  coverage")
    for points, trials, studies, papers in designs:
        for alpha in ALPHAS:
            made = Planted(alpha=alpha, studies=studies, papers=papers, points=points, trials=trials)
            off, se, inside = _replicates(made, "none", reps)
            print(
                f"{points:>6} {trials:>6} {studies:>7} {papers:>6}  {alpha:>5.2f}  {off.mean():+.4f}  "
                f"{off.std(ddof=1):.4f}  {np.median(se):.4f}   {inside.mean():.3f}",
                flush=True,
            )


def with_floor(reps: int, designs: tuple[tuple[int, int, int, int], ...]) -> None:
    """Print bias where a floor of 10 % is planted, ignored, shared or free."""
    print(
        f"\n3b. hierarchical, a floor of 10 % planted: {reps} tables a row; bias (coverage) by floor setting"
    )
    print("points trials studies papers  alpha   none            shared          free")
    for points, trials, studies, papers in designs:
        for alpha in ALPHAS[1:]:
            made = Planted(
                alpha=alpha, studies=studies, papers=papers, points=points, trials=trials, floor=0.1
            )
            said = []
            for floor in ("none", "shared", "free"):
                off, _, inside = _replicates(made, floor, reps)
                said.append(f"{off.mean():+.3f} ({inside.mean():.2f})")
            print(
                f"{points:>6} {trials:>6} {studies:>7} {papers:>6}  {alpha:>5.2f}  " + "   ".join(said),
                flush=True,
            )


def _replicates(made: Planted, floor: Floor, reps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return error of the mean, standard error, and whether the interval holds the truth."""
    out = []
    for seed in range(reps):
        counts, papers, _ = plant(made, seed=seed)
        fitted = []
        for one in curve_sets(counts, papers, floor):
            level = None
            if one.level_mean is not None and one.level_variance is not None:
                level = (one.level_mean, one.level_variance, np.array([one.levels.mean, one.levels.sd]))
            z = np.ones((len(papers), 1))
            studies = Studies(grid=alpha_grid(), curves=one.curves, papers=papers, z=z, level=level)
            fitted.append((one.weight, fit_marginal(studies)))
        found = average(fitted)
        se = float(np.sqrt(found.covariance[0, 0]))
        off = float(found.beta[0]) - made.alpha
        out.append((off, se, abs(off) <= student_quantile(0.975, float(found.df[0])) * se))
    off, se, inside = np.array(out, float).T
    return off, se, inside


def study(*, quick: bool = False) -> None:
    """Run all parts; `quick` takes fewer tables and designs."""
    arithmetic(100 if quick else 1000)
    bias_of_published(600 if quick else 5000)
    corrected(40 if quick else 200, QUICK_DESIGNS if quick else DESIGNS)
    with_floor(8 if quick else 40, FLOOR_DESIGNS[1:2] if quick else FLOOR_DESIGNS)


if __name__ == "__main__":
    study(quick="--quick" in sys.argv[1:])

"""Does the test for a threshold keep its size, and does it find a jump from 5 % to 50 %?

Size: studies drawn from smooth laws (logistic, power law, power law with a floor), share with p <= 5 %.
Power: studies with one jump from 5 % to 50 %, 50 trials a point, by number of points and place of the
jump. Bars: size at most 5 % (up to the Monte Carlo error of the share), power at least 80 % from four
points on for a jump behind the second point or later; a jump behind the first point is what saturation
does, and is printed, not barred. ``python -m validation.emergence_size_power --quick`` takes half a minute.
"""

from __future__ import annotations

import sys

import numpy as np

from isoflop.scaling.breaks.fit import fit_threshold
from isoflop.scaling.breaks.null import Null, bootstrap_p
from isoflop.scaling.emergence.numbers import fit_smooth, threshold_ratio

LEVEL = 0.05
STUDIES, REPS = 2000, 999
QUICK_STUDIES, QUICK_REPS = 400, 199
LOW, HIGH, TRIALS = 0.05, 0.5, 50
BAR = 0.8


def smooth_truths(m: int) -> dict[str, np.ndarray]:
    """Return successes (m,) of smooth laws, gentle and steep, with and without a floor."""
    z = np.linspace(0.0, 1.0, m)

    def logistic(first: float, last: float) -> np.ndarray:
        return 1.0 / (1.0 + np.exp(-(first + (last - first) * z)))

    return {
        "flat, 30 %": np.full(m, 0.3),
        "logistic, 2 % to 50 %": logistic(-4.0, 0.0),
        "logistic, 5 % to 95 %": logistic(-3.0, 3.0),
        "logistic, 0.2 % to 95 %": logistic(-6.0, 3.0),
        "logistic, steep": logistic(-10.0, 5.0),
        "power law, 5 % to 60 %": 1.0 - np.exp(-(0.05 + 0.87 * z)),
        "power law, 0 to 80 %": 1.0 - np.exp(-(0.001 + 1.6 * z)),
        "power law, 70 % to 99 %": 1.0 - np.exp(-(1.2 + 3.4 * z)),
        "power law to a floor of 30 %": 0.7 * (1.0 - np.exp(-(0.02 + 3.0 * z))),
        "power law to a floor of 50 %": 0.5 * (1.0 - np.exp(-(0.1 + 5.0 * z))),
    }


def rejections(success: np.ndarray, trials: int, studies: int, reps: int, seed: int) -> float:
    """Return the share of simulated studies with p <= 5 %."""
    rng = np.random.default_rng(seed)
    m = success.size
    k = rng.binomial(trials, success, size=(studies, m)).astype(float)
    z, n = np.tile(np.linspace(0.0, 1.0, m), (studies, 1)), np.full((studies, m), float(trials))
    smooth = fit_smooth(z, k, n)
    ratio = 2.0 * (fit_threshold(k, n).log_likelihood - smooth.log_likelihood)
    p = np.ones(studies)
    open_ = np.flatnonzero(ratio > 0)
    if open_.size:
        names = [f"{seed}/{i}" for i in open_]
        null = Null(reps=reps, stop=max(1, round(2 * LEVEL * (reps + 1))), seed=seed)
        answer = bootstrap_p(
            threshold_ratio(), ratio[open_], smooth.success[open_], z[open_], n[open_], names=names, null=null
        )
        p[open_] = answer.p
    return float((p <= LEVEL).mean())


def study(studies: int = STUDIES, reps: int = REPS) -> None:
    """Print size by smooth law and power by place of the jump, each beside its bar."""
    error = (LEVEL * (1 - LEVEL) / studies) ** 0.5
    print(f"{studies} studies a cell, up to {reps} draws; Monte Carlo error of a size of 5 %: {error:.4f}")
    print("size: smooth law, trials 10 and 50, by number of points")
    sizes: list[float] = []
    for name in smooth_truths(3):
        cells = []
        for m in (3, 4, 6):
            for trials in (10, 50):
                sizes.append(rejections(smooth_truths(m)[name], trials, studies, reps, seed=len(sizes)))
                cells.append(f"m={m} n={trials}: {sizes[-1]:.3f}")
        print(f"  {name:30} {'  '.join(cells)}", flush=True)
    worst = max(sizes)
    print(f"largest size {worst:.3f}, mean {np.mean(sizes):.3f} (bar {LEVEL}): "
          f"{'holds' if worst <= LEVEL + 3 * error else 'does not hold'} within three errors")  # fmt: skip
    print(f"power: jump from {LOW:.0%} to {HIGH:.0%}, {TRIALS} trials, by points before the jump")
    barred: list[float] = []
    for m in (3, 4, 5, 6, 8):
        cells = []
        for before in range(1, m):
            success = np.where(np.arange(m) < before, LOW, HIGH)
            found = rejections(success, TRIALS, studies, reps, seed=1000 * m + before)
            cells.append(f"{before}: {found:.2f}")
            if m >= 4 and before >= 2:
                barred.append(found)
        print(f"  {m} points  {'  '.join(cells)}", flush=True)
    least = min(barred)
    print(f"least power from four points on, behind the second or later: {least:.2f} (bar {BAR}): "
          f"{'holds' if least >= BAR else 'does not hold'}")  # fmt: skip


if __name__ == "__main__":
    if "--quick" in sys.argv[1:]:
        study(QUICK_STUDIES, QUICK_REPS)
    else:
        study()

"""Do the intervals of growth and gap cover planted truth, and do the unknown-team bounds?

Two worlds. Uneven: systems are independent but scatter more at both ends of the span, which HC1 allows for
and least squares does not. Organisations: each is active for two years and has an effect of its own, which
only intervals by organisation allow for. Prints the share of 95 % intervals that hold the truth.
"""

from __future__ import annotations

import sys

import numpy as np

from isoflop.divide.gap.model import COVS, fit_gap
from isoflop.divide.growth.settings import HC1, OLS, Cluster, Pairs
from isoflop.divide.growth.slope import LOG10_2, fit_slope
from isoflop.divide.simulate import PlantedTrends

DRAWS, REPS = 1000, 499
WORLDS = {
    "independent, even": PlantedTrends(academia_oom_per_year=0.6, gap_2018=0.0),
    "independent, uneven": PlantedTrends(academia_oom_per_year=0.6, gap_2018=0.0, uneven=3.0),
    "organisations": PlantedTrends(academia_oom_per_year=0.6, gap_2018=0.0, organisation_sd=1.2),
}


def study(draws: int = DRAWS) -> None:
    """Print coverage of the slope of all systems, of the gap of 2022 and of its change."""
    print(f"{draws} draws of 240 systems, {REPS} replicates; share of 95 % intervals that hold the truth")
    print(f"{'world':<22}" + "".join(f"{name:>22}" for name in _columns()))
    for name, truth in WORLDS.items():
        shares = coverage(truth, draws)
        print(f"{name:<22}" + "".join(f"{shares[column]:>22.3f}" for column in _columns()), flush=True)


def coverage(truth: PlantedTrends, draws: int) -> dict[str, float]:
    """Return the share of draws whose interval holds the truth, by quantity and kind."""
    held = dict.fromkeys(_columns(), 0)
    for seed in range(draws):
        drawn = truth.draw(np.random.default_rng(seed))
        for kind in (OLS(), HC1(), Pairs(reps=REPS, seed=seed), Cluster(reps=REPS, seed=seed)):
            slope = fit_slope(drawn.t, drawn.log10_flop, kind, drawn.codes)
            held[f"growth {kind.name}"] += slope.low <= truth.academia_oom_per_year / LOG10_2 <= slope.high
        for cov in COVS:
            fit = fit_gap(drawn.t, drawn.log10_flop, drawn.industry, cov=cov, codes=drawn.codes)
            for name, found, true in (
                ("gap", fit.at(2022), truth.gap(2022)),
                ("change", fit.widening(), truth.widening),
            ):
                held[f"{name} {cov}"] += found.low <= true <= found.high
    return {name: count / draws for name, count in held.items()}


def _columns() -> list[str]:
    growth = [f"growth {name}" for name in ("ols", "hc1", "pairs", "cluster")]
    return growth + [f"{what} {cov}" for what in ("gap", "change") for cov in COVS]


if __name__ == "__main__":
    study(int(sys.argv[1]) if len(sys.argv) > 1 else DRAWS)

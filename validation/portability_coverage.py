"""Do design-based intervals of shares, and bootstrap intervals of ratios, hold planted truth?

Shares: populations of 400 functions whose calls fall off as in code; functions fail at random, or the more
often the rarer they are. The truth is the share of that population, of functions or of calls; each draw takes
a new sample, under each design. Ratios: timings with noise of processes and of blocks. Prints the share of
95 % intervals that hold the truth, and the mean width.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

import numpy as np

from isoflop.portability.model import Bootstrap, Wilson
from isoflop.portability.sampling import Sample, design_share, sample
from isoflop.portability.simulate import PlantedRun
from isoflop.portability.slowdown.own import own_slowdown

DRAWS, FUNCTIONS = 2000, 400
DESIGNS = ("deciles:5,20", "deciles:10,20", "pps:60", "pps:120")
RATES = {
    "30 % fail": (0.3, 0.3),
    "60 % of rare, 20 % of used": (0.6, 0.2),
    "30 % of rare, 3 % of used": (0.3, 0.03),
    "8 % fail": (0.08, 0.08),
}
"""Chance of failing of the least and of the most used function, in between by rank."""


def study(draws: int = DRAWS) -> None:
    """Print coverage of shares by design, population and kind of interval, then of ratios."""
    print(f"{draws} draws; share of 95 % intervals that hold the truth (mean width)")
    print(f"{'population':<28}{'design':<16}{'share of':<11}{'Wilson':>18}{'Rao-Wu':>18}")
    for name, rates in RATES.items():
        for design in DESIGNS:
            for of in ("functions", "calls"):
                cells = [_cell(rates, design, of, ci, draws) for ci in (Wilson(), Bootstrap(reps=499))]
                print(
                    f"{name:<28}{design:<16}{of:<11}" + "".join(f"{cell:>18}" for cell in cells), flush=True
                )
    print("\nratios of functions: share of 95 % intervals that hold the truth (mean width of ln ratio)")
    for processes in (1, 3, 5, 10):
        for process_sd in (0.0, 0.03):
            held, width = ratio_coverage(processes, process_sd, max(1, draws // 200))
            print(
                f"{processes} processes that differ by {process_sd:.0%}: {held:.3f} ({width:.3f})", flush=True
            )


def _cell(rates: tuple[float, float], design: str, of: str, ci: Wilson | Bootstrap, draws: int) -> str:
    held, width = share_coverage(rates, design, of, ci, draws)
    return f"{held:.3f} ({width:.3f})"


def share_coverage(
    rates: tuple[float, float], design: str, of: str, ci: Wilson | Bootstrap, draws: int
) -> tuple[float, float]:
    """Return coverage and mean width of the intervals of one population under one design."""
    rng = np.random.default_rng(0)
    calls = np.ceil(4000 / np.arange(1, FUNCTIONS + 1) ** 1.2)
    names = [f"f{i:03d}" for i in range(FUNCTIONS)]
    usage = dict(zip(names, calls.tolist(), strict=True))
    rank = np.linspace(0, 1, FUNCTIONS)
    fails = rng.random(FUNCTIONS) < rates[1] + (rates[0] - rates[1]) * rank
    truth = float(np.mean(fails)) if of == "functions" else float(np.sum(fails * calls) / np.sum(calls))
    answers: Mapping[str, bool] = dict(zip(names, fails.tolist(), strict=True))
    held, width = 0, 0.0
    for seed in range(draws):
        drawn = sample(names, usage, design=design, seed=seed)
        share = _share(drawn, answers, of, ci, seed)
        assert share.low is not None
        assert share.high is not None
        held += share.low <= truth <= share.high
        width += share.high - share.low
    return held / draws, width / draws


def _share(drawn: Sample, answers: Mapping[str, bool], of: str, ci: Wilson | Bootstrap, seed: int):  # type: ignore[no-untyped-def]
    kind = ci if isinstance(ci, Wilson) else Bootstrap(reps=ci.reps, seed=seed)
    known = {name: answers[name] for name in drawn.functions}
    return design_share(drawn, known, of=of, ci=kind).estimate  # type: ignore[arg-type]


def ratio_coverage(processes: int, process_sd: float, runs: int) -> tuple[float, float]:
    """Return coverage and mean width of the intervals of functions' ratios."""
    held, width = [], []
    for seed in range(runs):
        planted = PlantedRun(functions=40, processes=processes, process_sd=process_sd)
        run, truth = planted.draw(np.random.default_rng(seed))
        found = own_slowdown(run, source="made:plain", target="made:other", ci=Bootstrap(reps=499, seed=seed))
        for one in found.functions:
            low, high = one.steady.low, one.steady.high
            assert low is not None
            assert high is not None
            held.append(low <= truth[one.function]["ratio"] <= high)
            width.append(np.log(high / low))
    return float(np.mean(held)), float(np.mean(width))


if __name__ == "__main__":
    study(int(sys.argv[1]) if len(sys.argv) > 1 else DRAWS)

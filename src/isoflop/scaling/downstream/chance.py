"""Is a task above chance in the runs that were fitted? An exact binomial test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from isoflop.scaling.downstream.sample import Sample

SIZE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class ChanceTest:
    """Verdict on one task, and the least p over fitted runs, corrected for their number."""

    verdict: Literal["yes", "no", "unknown"]
    p: float | None


def binomial_p(successes: float, items: float, chance: float) -> float:
    """Return the probability of as many right answers or more by guessing.

    Examples
    --------
    >>> round(binomial_p(60, 100, 0.5), 4)
    0.0284
    """
    from scipy.special import bdtrc

    if successes <= 0:
        return 1.0
    return float(bdtrc(round(successes) - 1, round(items), chance))


def above_chance(sample: Sample) -> tuple[ChanceTest, ...]:
    """Test every task: the best fitted final run against guessing, Bonferroni over the runs."""
    final = sample.flags("is_final") & ~sample.flags("is_target")
    out = []
    for scores, chance, items in zip(sample.accuracy, sample.chance, sample.n_items, strict=True):
        here = scores[final & np.isfinite(scores)]
        if not (np.isfinite(chance) and np.isfinite(items) and here.size):
            out.append(ChanceTest(verdict="unknown", p=None))
            continue
        p = min(1.0, here.size * binomial_p(float(here.max()) * items, items, float(chance)))
        out.append(ChanceTest(verdict="yes" if p < SIZE else "no", p=p))
    return tuple(out)

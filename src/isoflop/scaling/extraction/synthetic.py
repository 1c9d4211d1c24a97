"""A corpus of studies with a known exponent, to try methods on. Made on demand and labelled synthetic.

Study j of paper p has error rate e(x) = E + (e₀ − E)·(x/x₀)^−α with α = μ + u_p + v_j, where u and v
are normal, and reports successes among a number of trials at each of a few scales. Nothing in it is
a measurement: every row says so in its title, its locator and its way of extraction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.errors import SettingError

if TYPE_CHECKING:
    import polars as pl

SMALLEST = 10.0
"""Demonstrations at the smallest scale."""
HARDEST, EASIEST = 0.4, 0.85
"""Range of error rates at the smallest scale: neither solved nor hopeless."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """What a synthetic corpus looks like.

    Parameters
    ----------
    exponent : float
        Mean μ of the positive rate α at which error falls.
    paper_sd, study_sd : float
        Standard deviations of α between papers, and between the studies of a paper.
    floor : float
        Error E that no amount of data removes, in [0, 0.4).
    papers, studies, points : int
        Papers, studies in each, scales in each study (at least 2).
    trials : int
        Trials at each point.
    span : float
        Largest scale over smallest, above 1.
    """

    exponent: float = 0.25
    paper_sd: float = 0.05
    study_sd: float = 0.05
    floor: float = 0.0
    papers: int = 10
    studies: int = 5
    points: int = 4
    trials: int = 50
    span: float = 30.0

    def __post_init__(self) -> None:
        counts = {"papers": 1, "studies": 1, "points": 2, "trials": 1}
        for name, least in counts.items():
            if getattr(self, name) < least:
                raise SettingError(
                    f"Corpus: {name}={getattr(self, name)}, must be at least {least}. Ask for more."
                )
        if not 0.0 <= self.floor < HARDEST:
            raise SettingError(
                f"Corpus: floor={self.floor:g}, must lie in [0, {HARDEST:g}), below the error at the "
                "smallest scale. Choose a lower floor."
            )
        if not self.span > 1.0:
            raise SettingError(f"Corpus: span={self.span:g}, must be above 1. Write 10 for a tenfold range.")
        for name in ("paper_sd", "study_sd"):
            if getattr(self, name) < 0.0:
                raise SettingError(f"Corpus: {name}={getattr(self, name):g}, must be >= 0. Drop the sign.")


def synthetic_corpus(corpus: Corpus | None = None, *, seed: int = 0) -> pl.DataFrame:
    """Return a synthetic table in the columns of ``study_points``.

    Parameters
    ----------
    corpus : Corpus, optional
        Sizes and true values. Default: 10 papers of 5 studies with 4 scales and 50 trials, μ = 0.25.
    seed : int
        Seed of every draw.

    Examples
    --------
    >>> frame = synthetic_corpus(Corpus(papers=2, studies=3), seed=1)
    >>> frame.height, frame["title"][0]
    (24, 'SYNTHETIC: true exponent -0.25')
    """
    import polars as pl

    corpus = corpus or Corpus()
    rng = np.random.default_rng(seed)
    scales = np.unique(np.round(SMALLEST * corpus.span ** np.linspace(0.0, 1.0, corpus.points), 6))
    rows: list[dict[str, Any]] = []
    for paper in range(corpus.papers):
        of_paper = rng.normal(0.0, corpus.paper_sd)
        for study in range(corpus.studies):
            rate = corpus.exponent + of_paper + rng.normal(0.0, corpus.study_sd)
            first = rng.uniform(HARDEST, EASIEST)
            error = corpus.floor + (first - corpus.floor) * (scales / SMALLEST) ** -rate
            wins = rng.binomial(corpus.trials, 1.0 - np.clip(error, 0.0, 1.0))
            rows += [_row(corpus, paper, study, x, int(k)) for x, k in zip(scales, wins, strict=True)]
    return pl.DataFrame(rows)


def _row(corpus: Corpus, paper: int, study: int, x: float, wins: int) -> dict[str, Any]:
    return {
        "paper_id": f"synthetic-{paper + 1:02d}",
        "title": f"SYNTHETIC: true exponent {-corpus.exponent:g}",
        "study_id": f"study-{study + 1:02d}",
        "model_class": "other",
        "environment": "sim",
        "familiarity": "seen" if study % 2 == 0 else "unseen",
        "training_phase": "train_from_demonstrations",
        "resource": "data",
        "x_unit": "demonstrations",
        "x": float(x),
        "metric": "success_rate",
        "y": wins / corpus.trials,
        "y_unit": "fraction",
        "higher_is_better": True,
        "n_trials": corpus.trials,
        "n_success": wins,
        "source_locator": "generated, not measured",
        "extraction": "generated",
    }

"""Made-up studies with known exponents: for tests, and for studies of bias and coverage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import SettingError
from isoflop.scaling.studies.likelihood import Array, Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """What is planted.

    Parameters
    ----------
    alpha : float
        Mean exponent, positive where the error falls.
    sd_paper, sd_study : float
        Normal spread of exponents over papers, and over studies within one.
    studies, papers : int
        Every paper has a study, the rest fall to papers at random.
    points, trials : int
        Of each study, evenly spaced in ln x.
    tenfolds : float
        Range of x in decades.
    error_from, error_to : float
        Range of the error at the smallest scale, uniform over studies.
    floor : float
        E, the error that no amount of the resource removes.
    """

    alpha: float
    sd_paper: float = 0.1
    sd_study: float = 0.1
    studies: int = 60
    papers: int = 12
    points: int = 4
    trials: int = 50
    tenfolds: float = 1.0
    error_from: float = 0.4
    error_to: float = 0.85
    floor: float = 0.0

    def __post_init__(self) -> None:
        if not 1 <= self.papers <= self.studies:
            raise SettingError(
                f"Planted: {self.papers} papers of {self.studies} studies, needs 1 to all. Add studies."
            )
        if not 0 <= self.floor < self.error_from <= self.error_to <= 1:
            raise SettingError(
                f"Planted: floor {self.floor:g} and errors {self.error_from:g} to {self.error_to:g}, must "
                "rise within [0, 1]. Lower the floor."
            )


def plant(planted: Planted, *, seed: int) -> tuple[Counts, NDArray[np.int64], Array]:
    """Return counts, the paper of each study (S,), and the exponents drawn (S,).

    Errors above 1, which a negative exponent may ask for, stop at 1.

    Examples
    --------
    >>> counts, papers, alpha = plant(Planted(alpha=0.25, studies=20, papers=5), seed=0)
    >>> counts.errors.shape, int(papers.max()), bool((counts.errors <= counts.trials).all())
    ((20, 4), 4, True)
    """
    rng = np.random.default_rng(seed)
    s, p = planted.studies, planted.papers
    papers = np.concatenate([np.arange(p), rng.integers(0, p, s - p)])
    effects = rng.normal(0.0, planted.sd_paper, p)
    alpha = planted.alpha + effects[papers] + rng.normal(0.0, planted.sd_study, s)
    log_x = np.tile(np.linspace(0.0, planted.tenfolds * np.log(10.0), planted.points), (s, 1))
    first = rng.uniform(planted.error_from, planted.error_to, s) - planted.floor
    error = np.clip(planted.floor + first[:, None] * np.exp(-alpha[:, None] * log_x), 0.0, 1.0)
    wrong = rng.binomial(planted.trials, error).astype(float)
    return (
        Counts(log_x=log_x, errors=wrong, trials=np.full(wrong.shape, float(planted.trials))),
        papers,
        alpha,
    )

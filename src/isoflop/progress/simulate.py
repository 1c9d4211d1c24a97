"""Tables with a planted truth: what would an analysis say if the rate were known?

The shape follows the published sample (144 papers, three benchmarks, one to three rows a paper,
2012 to 2023, sizes that grow with time), so that coverage and power can be studied on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from isoflop.errors import SettingError

if TYPE_CHECKING:
    from isoflop.evidence import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """The truth of a simulated table, by law 7.

    Parameters
    ----------
    rate_per_year : float
        G in ln/yr, shared equally between parameters and data; 0 plants no progress.
    param_exponent, data_exponent : float
        an and bd.
    noise : float
        Standard deviation of the error, nats.
    paper_correlation : float, in [0, 1)
        Share of the error variance common to the rows of a paper.
    papers : int
    rows_per_paper : int
        At most so many rows in a paper, at least one.
    growth_per_year : float
        Growth of sizes over time, ln/yr.
    """

    rate_per_year: float = 12 * float(np.log(2.0)) / 8.0
    param_exponent: float = 0.08
    data_exponent: float = 0.04
    noise: float = 0.15
    paper_correlation: float = 0.3
    papers: int = 144
    rows_per_paper: int = 3
    growth_per_year: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.paper_correlation < 1:
            raise SettingError(f"Planted: paper_correlation={self.paper_correlation}, must lie in [0, 1).")
        if self.rows_per_paper < 1:
            raise SettingError(f"Planted: rows_per_paper={self.rows_per_paper}, must be at least 1.")
        if self.papers < 2:
            raise SettingError(f"Planted: papers={self.papers}, must be at least 2.")


def planted_table(truth: Planted | None = None, *, seed: int = 0) -> Table:
    """Return a table of evaluations simulated from law 7.

    Parameters
    ----------
    truth : Planted
    seed : int

    Examples
    --------
    >>> table = planted_table(Planted(papers=20), seed=1)
    >>> table.schema, table.frame["paper"].n_unique()
    ('evaluations', 20)
    """
    import polars as pl

    from isoflop.evidence import load
    from isoflop.units import date_from_year, fractional_year

    truth = truth or Planted()
    rng = np.random.default_rng(seed)
    paper = np.repeat(np.arange(truth.papers), rng.integers(1, truth.rows_per_paper + 1, size=truth.papers))
    n = len(paper)
    paper_year = 2012.5 + 11.0 * rng.beta(2.5, 1.8, size=truth.papers)
    dates = [date_from_year(y) for y in paper_year]
    year = np.array([fractional_year(d) for d in dates])[paper]
    age = year - 2012.5
    log_n = np.log(5e6) + truth.growth_per_year * age + rng.normal(0, 1.2, n)
    benchmark = rng.choice(3, size=n, p=[0.45, 0.35, 0.2])
    own_data = np.log(np.array([1.03e8, 9.29e5, 2.08e6]))[benchmark]
    pretrained = rng.random(n) < np.clip(0.08 * age - 0.2, 0, 0.7)
    log_d = np.where(pretrained, np.log(4e9) + rng.normal(0, 1.5, n), own_data)
    ay = truth.param_exponent * truth.rate_per_year / 2
    by = truth.data_exponent * truth.rate_per_year / 2
    first = (
        0.9 + np.array([0, 0.05, 0.05])[benchmark] - ay * age - truth.param_exponent * (log_n - np.log(1e6))
    )
    second = (
        0.9 + np.array([0, 0.15, 0.1])[benchmark] - by * age - truth.data_exponent * (log_d - np.log(9e5))
    )
    rho = truth.paper_correlation
    error = truth.noise * (
        np.sqrt(rho) * rng.normal(size=truth.papers)[paper] + np.sqrt(1 - rho) * rng.normal(size=n)
    )
    loss = np.maximum(np.exp(first) + np.exp(second) + error, 0.05)
    frame = pl.DataFrame(
        {
            "system": [f"system {i}" for i in range(n)],
            "paper": [f"paper {p}" for p in paper],
            "benchmark": np.array(["WT103", "PTB", "WT2"])[benchmark],
            "publication_date": [dates[p] for p in paper],
            "perplexity": np.exp(loss),
            "parameters": np.exp(log_n).round(),
            "train_tokens": np.exp(log_d).round(),
            "epochs": rng.integers(1, 40, size=n).astype(float),
            "architecture": np.where(rng.random(n) < 0.08 * age, "Transformer", "Recurrent"),
            "is_transformer": rng.random(n) < 0.08 * age,
            "vocabulary_size": np.array([268_000.0, 10_000.0, 33_278.0])[benchmark],
        }
    )
    return load(frame, schema="evaluations", name=f"planted, seed {seed}")

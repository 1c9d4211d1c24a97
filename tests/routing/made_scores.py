"""Made-up scores of models on prompts with a known truth."""

from __future__ import annotations

import numpy as np
import polars as pl

from isoflop.evidence import load
from isoflop.evidence.table import Table
from isoflop.routing import ScoredPrompts, join


def tables(score: np.ndarray, dataset: np.ndarray, texts: list[str] | None = None) -> tuple[Table, Table]:
    """Return the two tables of a score matrix, shape (n, M); `dataset`, shape (n,), numbers the tasks."""
    n, models = score.shape
    texts = texts or [f"prompt {i}" for i in range(n)]
    keys = {"dataset": [f"d{d:02d}" for d in dataset], "instance_id": [f"i{i:05d}" for i in range(n)]}
    rows = pl.concat(
        [
            pl.DataFrame(keys).with_columns(model=pl.lit(f"m{m:02d}"), score=pl.Series(score[:, m]))
            for m in range(models)
        ]
    ).filter(pl.col("score").is_finite())
    return (
        load(rows, schema="model_scores_by_prompt", name="made_scores"),
        load(pl.DataFrame(keys).with_columns(prompt=pl.Series(texts)), schema="prompts", name="made_prompts"),
    )


def made(score: np.ndarray, dataset: np.ndarray, texts: list[str] | None = None) -> ScoredPrompts:
    """Return the joined prompts of a score matrix."""
    return join(*tables(score, dataset, texts))


def planted(accuracy: np.ndarray, n: int, seed: int = 0) -> ScoredPrompts:
    """Return n prompts a task, answered right by chance with `accuracy`, shape (D, M)."""
    rng = np.random.default_rng(seed)
    dataset = np.repeat(np.arange(accuracy.shape[0]), n)
    return made((rng.random((dataset.size, accuracy.shape[1])) < accuracy[dataset]).astype(float), dataset)

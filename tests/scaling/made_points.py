"""Made-up study points whose successes are known, for tests that need a planted truth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from isoflop.evidence import Table, load


def study(
    name: str,
    success: Sequence[float],
    *,
    trials: int | None = 50,
    paper: str = "paper-1",
    x: Sequence[float] | None = None,
    **columns: Any,
) -> list[dict[str, Any]]:
    """Return the rows of one study; amounts are 1, 10, 100, … unless given."""
    amounts = [10.0**i for i in range(len(success))] if x is None else list(x)
    return [
        {
            "paper_id": paper,
            "study_id": name,
            "resource": "data",
            "x_unit": "demonstrations",
            "x": amount,
            "metric": "success_rate",
            "y": float(p),
            "y_unit": "fraction",
            "higher_is_better": True,
            "n_trials": trials,
            "source_locator": "Table 1",
            "extraction": "table",
            **columns,
        }
        for amount, p in zip(amounts, success, strict=True)
    ]


def points(*studies: list[dict[str, Any]]) -> Table:
    """Return the table of some studies."""
    return load(_frame(studies), schema="study_points")


def written(path: Path, *studies: list[dict[str, Any]]) -> Path:
    """Write some studies as CSV and return the path."""
    _frame(studies).write_csv(path)
    return path


def _frame(studies: Sequence[list[dict[str, Any]]]) -> pl.DataFrame:
    return pl.DataFrame([row for rows in studies for row in rows], infer_schema_length=None)


def drawn(success: Sequence[float], trials: int, rng: np.random.Generator) -> list[float]:
    """Return observed rates of some trials."""
    return [float(rng.binomial(trials, p)) / trials for p in success]

"""Small made-up tables of runs, study points and a learning curve that every verb accepts, to be spoiled."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Mapping
from pathlib import Path

Rows = list[dict[str, str]]
BUDGETS = (1e18, 1e19, 1e20, 1e21)
SHIFTS = (-1.2, -0.8, -0.4, 0.0, 0.4, 0.8, 1.2)
"""Of ln N around the optimum at each budget."""


def good_runs() -> Rows:
    """Return runs at four budgets that follow a Chinchilla law within a wave of half a per cent."""
    rows = []
    for i, budget in enumerate(BUDGETS):
        for j, shift in enumerate(SHIFTS):
            params = math.sqrt(budget / 120.0) * math.exp(shift)
            tokens = budget / (6.0 * params)
            wave = math.exp(0.005 * math.sin(5.1 * i + 2.3 * j + i * j))
            loss = (1.8 + 480.0 * params**-0.35 + 2100.0 * tokens**-0.37) * wave
            rows.append(
                {
                    "run_id": f"run {7 * i + j + 1}",
                    "source": "made up",
                    "family": f"family {j % 3}",
                    "params": f"{params:.0f}",
                    "tokens": f"{tokens:.0f}",
                    "train_flop": f"{budget:g}",
                    "budget_flop": f"{budget:g}",
                    "loss_nats": f"{loss:.5f}",
                }
            )
    return rows


def good_points() -> Rows:
    """Return two studies of each of three papers, five points each, whose error falls as amount^-0.25."""
    rows = []
    for paper in range(3):
        for study in range(2):
            for k in range(5):
                x = 20.0 * 2.0**k
                success = 100.0 * (1.0 - (0.75 + 0.03 * paper - 0.05 * study) * 2.0 ** (-0.25 * k))
                rows.append(
                    {
                        "paper_id": f"paper {paper}",
                        "study_id": f"study {study}",
                        "model_class": "LLM" if study else "RFM:VLA",
                        "familiarity": "unseen" if study else "seen",
                        "resource": "data",
                        "x_unit": "demonstrations",
                        "x": f"{x:g}",
                        "metric": "success rate",
                        "y": f"{round(success)}",
                        "y_unit": "percent",
                        "higher_is_better": "1",
                        "n_trials": "100",
                        "source_locator": "Table 1",
                        "extraction": "table",
                    }
                )
    return rows


def good_curve() -> Rows:
    """Return one learning curve of 24 points, the last eight of them to be forecast."""
    return [
        {
            "curve_id": "curve 1",
            "domain": "made up",
            "task": "t",
            "model": "m",
            "x": f"{2.0 ** (4 + 0.5 * k):.2f}",
            "x_unit": "steps",
            "outcome": f"{0.3 + 2.0 * 2.0 ** (-0.2 * k) * math.exp(0.004 * math.sin(2.1 * k)):.5f}",
            "outcome_kind": "loss",
            "is_fit": "1" if k < 16 else "0",
        }
        for k in range(24)
    ]


def spoiled(make: Callable[[], Rows], change: Callable[[Rows], object]) -> Callable[[Path], Path]:
    """Return a maker of a good table after one change to its rows."""

    def written_to(folder: Path) -> Path:
        rows = make()
        change(rows)
        return written(rows, folder / "table.csv")

    return written_to


def written(rows: list[dict[str, str]] | list[Mapping[str, str]], path: Path) -> Path:
    """Write rows as CSV and return the path."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path

"""A small made-up table of evaluations that every verb accepts, for tests that spoil it."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Mapping
from pathlib import Path

Rows = list[dict[str, str]]
BENCHMARKS = ("WT103", "PTB")


def good_rows(papers: int = 24, *, seed: int = 0) -> Rows:
    """Return two rows a paper, one on each benchmark, that follow a law with progress."""
    rows = []
    for i in range(papers):
        year, month = 2012 + i % 11, 1 + (5 * i) % 12
        parameters = 10.0 ** (6.5 + 4.0 * ((7 * i + seed) % papers) / papers)
        tokens = 10.0 ** (7.0 + 3.5 * ((11 * i + seed) % papers) / papers)
        for code, benchmark in enumerate(BENCHMARKS):
            t = year + month / 12 - 2012
            wave = 0.05 * math.sin(2.7 * i + code)
            loss = (
                math.exp(1.0 + 0.1 * code - 0.03 * t - 0.07 * math.log(parameters / 1e6))
                + math.exp(1.1 - 0.04 * t - 0.06 * math.log(tokens / 1e7))
                + wave
            )
            rows.append(
                {
                    "system": f"System {i}",
                    "paper": f"Paper {i}",
                    "benchmark": benchmark,
                    "publication_date": f"{year}-{month:02d}-15",
                    "perplexity": f"{math.exp(loss):.4f}",
                    "parameters": f"{parameters:.0f}",
                    "train_tokens": f"{tokens:.0f}",
                    "is_transformer": str(i % 2),
                    "vocabulary_size": "10000",
                }
            )
    return rows


def spoiled(change: Callable[[Rows], None]) -> Callable[[Path], Path]:
    """Return a maker of the good table after one change to its rows."""

    def make(folder: Path) -> Path:
        rows = good_rows()
        change(rows)
        return written(rows, folder / "runs.csv")

    return make


def cell(row: int, column: str, value: str) -> Callable[[Path], Path]:
    """Return a maker of the good table with one cell changed; rows count from 1."""
    return spoiled(lambda rows: rows[row - 1].update({column: value}))


def every(**values: str) -> Callable[[Path], Path]:
    """Return a maker of the good table with columns set to one value."""
    return spoiled(lambda rows: [row.update(values) for row in rows] and None)


def written(rows: list[dict[str, str]] | list[Mapping[str, str]], path: Path) -> Path:
    """Write rows as CSV and return the path."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path

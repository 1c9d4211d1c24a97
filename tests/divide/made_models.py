"""Tables of systems made up for tests: a few columns, the rest empty."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from isoflop.evidence import load
from isoflop.evidence.table import Table


def table(rows: Sequence[dict[str, Any]], name: str = "systems") -> Table:
    """Return rows as validated evidence; a row without a date or compute gets a plain one."""
    filled = [
        {
            "model": f"system {place}",
            "date": "2020-06-15",
            "train_flop": 1e21,
            "notability": "SOTA improvement",
        }
        | row
        for place, row in enumerate(rows)
    ]
    names = list(dict.fromkeys(key for row in filled for key in row))
    cells = {key: [None if row.get(key) is None else str(row[key]) for row in filled] for key in names}
    return load(pl.DataFrame(cells, schema=dict.fromkeys(names, pl.String)), schema="models", name=name)


def day(year: float) -> str:
    """Return the ISO date of a fractional year."""
    whole = int(year)
    return str(dt.date(whole, 1, 1) + dt.timedelta(days=int((year - whole) * 365)))


def systems(count: int = 48) -> list[dict[str, str]]:
    """Return rows of a table as a user writes one: four systems a year from 2011, compute doubling fast."""
    rows = []
    for i in range(count):
        year = 2011 + i // 4
        rows.append(
            {
                "model": f"system {i}",
                "date": f"{year}-{1 + 5 * i % 12:02d}-{2 + i % 20:02d}",
                "train_flop": f"{10 ** (17 + 0.5 * (year - 2011) + 0.7 * (i % 4) + 0.2 * (7 * i % 5)):.4g}",
                "train_flop_low": "",
                "train_flop_high": "",
                "organisations": f"Organisation {i % 23}",
                "team_label": ("Academia", "Industry", "Industry,Academia", "Industry")[i % 4],
                "notability": "SOTA improvement",
                "base_models": "system 5" if i > 40 else "",
                "is_foundation": "true" if i % 3 == 0 else "",
                "accessibility": ("open weights", "closed")[i % 2],
                "domain": ("Language", "Vision", "Games")[i % 3],
                "countries": ("United Kingdom", "China")[i % 5 == 0],
            }
        )
    return rows


def written(rows: Sequence[dict[str, str]], path: Path, *, separator: str = ",", bom: bool = False) -> Path:
    """Write rows as a delimited file."""
    with path.open("w", encoding="utf-8-sig" if bom else "utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=separator)
        writer.writeheader()
        writer.writerows(rows)
    return path

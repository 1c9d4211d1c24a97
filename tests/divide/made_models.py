"""Tables of systems made up for tests: a few columns, the rest empty."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
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

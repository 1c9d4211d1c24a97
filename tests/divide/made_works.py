"""Papers made up for tests: teams by label, so that no affiliation needs to be read."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from isoflop.evidence import Table, load

LABELS = {
    "academia": "Academia",
    "industry": "Industry",
    "collaboration": "Industry - Academia Collaboration",
    "other": "Government",
    "unknown": None,
}


def works(rows: list[dict[str, Any]], name: str = "made_works") -> Table:
    """Return a table of papers; each row may leave out what it does not need."""
    whole = [
        {
            "title": f"Paper {place}",
            "venue": "icml",
            "year": 2020,
            "citations": None,
            "topics": None,
            "mentions": None,
        }
        | {key: value for key, value in row.items() if key != "team"}
        | {"team_label": LABELS[row.get("team", "academia")]}
        for place, row in enumerate(rows)
    ]
    frame = pl.DataFrame(whole, infer_schema_length=None)
    return load(frame, schema="works", name=name)


def many(counts: dict[tuple[Any, ...], int], columns: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return as many equal rows for each key as it counts."""
    return [dict(zip(columns, key, strict=True)) for key, times in counts.items() for _ in range(times)]


def confounded(rng: np.random.Generator, papers: int = 6000) -> Table:
    """Return papers of two venues: one academic and rich in theory, one industrial and poor in it.

    Within each venue the topic does not matter for the team.
    """
    rows = []
    for venue, academic, theory in (("colt", 0.9, 0.8), ("kdd", 0.3, 0.1)):
        for _ in range(papers // 2):
            team = "academia" if rng.random() < academic else "industry"
            topic = "theory" if rng.random() < theory else "systems"
            rows.append({"venue": venue, "team": team, "topics": topic})
    return works(rows)

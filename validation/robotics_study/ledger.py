"""Finished points, one file each, so that an interrupted run goes on where it stopped.

A file holds the point's settings and what was measured; it counts only for a point with the same
settings and version of the tasks. Files are written whole or not at all.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from isoflop.findings import write_atomically
from validation.robotics_study.plan import Point

TASKS_VERSION = 1  # raise when a task, its expert or the training changes: old results then count no more


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one policy cost and how often it succeeded."""

    parameters: int
    training_flop: int
    successes_seen: int
    successes_unseen: int
    cpu_seconds: float
    versions: dict[str, str]


@dataclass(frozen=True, slots=True)
class Ledger:
    """Results in a folder."""

    folder: Path

    def path(self, point: Point) -> Path:
        """Return where this point's result lies."""
        return self.folder / f"{point.name}.json"

    def read(self, point: Point) -> Measured | None:
        """Return the result of this very point, or None where there is none."""
        try:
            stored: dict[str, Any] = json.loads(self.path(point).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        if stored["point"] != asdict(point) or stored["tasks_version"] != TASKS_VERSION:
            return None
        return Measured(**stored["measured"])

    def write(self, point: Point, measured: Measured) -> None:
        """Store a result."""
        content = {"tasks_version": TASKS_VERSION, "point": asdict(point), "measured": asdict(measured)}
        write_atomically(self.path(point), json.dumps(content, indent=1) + "\n")

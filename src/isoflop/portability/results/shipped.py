"""The run that ships: this project's own measurement, with what certifies it."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING

from isoflop.portability.runs import Run

if TYPE_CHECKING:
    from isoflop.evidence import Table

SHIPPED = "measured_portability"


def shipped_run() -> Run:
    """Return the run that ships: measured by this project on one computer without accelerators."""
    from isoflop.evidence import load

    return with_certificate(load(SHIPPED))


def with_certificate(table: Table) -> Run:
    """Return the shipped table as a run, with what its runs were asked and what certifies them."""
    path = files("isoflop.evidence") / "tables" / f"{SHIPPED}.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return Run(table=table, about=known.get("about", {}), certificate=known.get("certificate", {}))

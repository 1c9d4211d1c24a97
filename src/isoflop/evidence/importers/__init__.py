"""Public tables read as they are: each importer knows one layout by its header.

`IMPORTERS` is the table; a new layout is a module with one `Importer` and a line here.
"""

from __future__ import annotations

from isoflop.evidence.importers.interface import Imported, Importer
from isoflop.evidence.importers.lm_evaluations import LM_EVALUATIONS

IMPORTERS: dict[str, Importer] = {importer.name: importer for importer in (LM_EVALUATIONS,)}

__all__ = ["IMPORTERS", "Imported", "Importer"]

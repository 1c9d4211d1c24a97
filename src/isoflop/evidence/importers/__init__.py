"""Public tables read as they are: each importer knows one layout by its header.

`IMPORTERS` is the table; a new layout is a module with one `Importer` and a line here.
"""

from __future__ import annotations

from isoflop.evidence.importers.ai_and_efficiency import AI_AND_EFFICIENCY
from isoflop.evidence.importers.benchmark_scores import BENCHMARK_SCORES
from isoflop.evidence.importers.capabilities import BENCHMARK_DIFFICULTIES, CAPABILITIES, INDEX_SCALE
from isoflop.evidence.importers.interface import Imported, Importer
from isoflop.evidence.importers.lm_evaluations import LM_EVALUATIONS

IMPORTERS: dict[str, Importer] = {
    importer.name: importer
    for importer in (
        LM_EVALUATIONS,
        CAPABILITIES,
        BENCHMARK_DIFFICULTIES,
        INDEX_SCALE,
        BENCHMARK_SCORES,
        AI_AND_EFFICIENCY,
    )
}

__all__ = ["IMPORTERS", "Imported", "Importer"]

"""Public tables read as they are: each importer knows one layout by its header.

`IMPORTERS` is the table; a new layout is a module with one `Importer` and a line here.
"""

from __future__ import annotations

from isoflop.evidence.importers.ai_and_efficiency import AI_AND_EFFICIENCY
from isoflop.evidence.importers.benchmark_scores import BENCHMARK_SCORES
from isoflop.evidence.importers.capabilities import BENCHMARK_DIFFICULTIES, CAPABILITIES, INDEX_SCALE
from isoflop.evidence.importers.chinchilla import CHINCHILLA_POINTS
from isoflop.evidence.importers.datablations import DATABLATIONS
from isoflop.evidence.importers.epoch import EPOCH
from isoflop.evidence.importers.hardware_prices import HARDWARE_PRICES
from isoflop.evidence.importers.interface import Imported, Importer
from isoflop.evidence.importers.isoflops import ISOFLOPS
from isoflop.evidence.importers.learning_curves import DOUBLE_DESCENT, LEARNING_CURVES
from isoflop.evidence.importers.lm_evaluations import LM_EVALUATIONS
from isoflop.evidence.importers.misfitting import MISFITTING
from isoflop.evidence.importers.model_scores import (
    OBSSCALING,
    OBSSCALING_AGENT,
    OBSSCALING_EMERGENT,
    OBSSCALING_FOLDER,
    OBSSCALING_INSTRUCT,
    OBSSCALING_LEADERBOARD,
    OBSSCALING_POST_TRAINING,
    SLOTH,
)
from isoflop.evidence.importers.olmo_ladder import OLMO_LADDER, OLMO_LADDER_LOSSES
from isoflop.evidence.importers.openlm import OPENLM, OPENLM_LOSSES
from isoflop.evidence.importers.paperlists import PAPERLISTS
from isoflop.evidence.importers.robotics import ROBOTICS_EXPONENTS, ROBOTICS_POINTS, STUDY_SUMMARIES

IMPORTERS: dict[str, Importer] = {
    importer.name: importer
    for importer in (
        LM_EVALUATIONS,
        CAPABILITIES,
        BENCHMARK_DIFFICULTIES,
        INDEX_SCALE,
        BENCHMARK_SCORES,
        AI_AND_EFFICIENCY,
        CHINCHILLA_POINTS,
        ISOFLOPS,
        MISFITTING,
        OPENLM,
        OPENLM_LOSSES,
        OLMO_LADDER,
        OLMO_LADDER_LOSSES,
        DATABLATIONS,
        LEARNING_CURVES,
        DOUBLE_DESCENT,
        OBSSCALING,
        OBSSCALING_FOLDER,
        OBSSCALING_INSTRUCT,
        OBSSCALING_EMERGENT,
        OBSSCALING_LEADERBOARD,
        OBSSCALING_POST_TRAINING,
        OBSSCALING_AGENT,
        SLOTH,
        STUDY_SUMMARIES,
        ROBOTICS_EXPONENTS,
        ROBOTICS_POINTS,
        EPOCH,
        PAPERLISTS,
        HARDWARE_PRICES,
    )
}
"""By name. Where one header fits several readings, the schema that is asked for decides, else the first."""

__all__ = ["IMPORTERS", "Imported", "Importer"]

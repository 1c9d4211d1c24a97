"""Several FILEs of one command: each read as evidence, or the public editions at hand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from isoflop.present.options import EvidenceChoice

if TYPE_CHECKING:
    from isoflop.evidence import Table

EDITIONS = ("epoch_models_2023", "epoch_notable_ai_models", "epoch_all_ai_models")
"""Public editions of one table, oldest first."""
SHIPPED = "notable_systems"


def read_editions(evidence: EvidenceChoice, *, alone: bool) -> list[Table]:
    """Return the tables named, or the public editions at hand.

    Parameters
    ----------
    evidence : EvidenceChoice
    alone : bool
        Without any edition at hand, fall back on the facts that ship.
    """
    from isoflop.evidence import locate
    from isoflop.present.evidence import read_table

    if evidence.files:
        chosen = [replace(evidence, files=(file,)) for file in evidence.files]
        return [read_table(one, "models", (SHIPPED,)) for one in chosen]
    here = locate(evidence.location).available()
    names = [name for name in EDITIONS if name in here]
    if not names and alone:
        names = [SHIPPED]
    return [read_table(evidence, "models", (name,)) for name in names]

"""Tables of evidence: load and refuse, schemas, provenance, public sources.

`load` is the door and `Table` is what every instrument takes; `locate` says where evidence lies.
"""

from __future__ import annotations

from isoflop.evidence.embedded import EMBEDDED
from isoflop.evidence.importers import IMPORTERS
from isoflop.evidence.load import load
from isoflop.evidence.location import Library, locate
from isoflop.evidence.schema import Column, Rule, Schema
from isoflop.evidence.schemas import SCHEMAS
from isoflop.evidence.table import Step, Table

__all__ = [
    "EMBEDDED",
    "IMPORTERS",
    "SCHEMAS",
    "Column",
    "Library",
    "Rule",
    "Schema",
    "Step",
    "Table",
    "load",
    "locate",
]

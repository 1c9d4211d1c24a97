"""Tables of evidence: load and refuse, schemas, provenance, public sources.

`load` is the door; `Table` is what every instrument takes.
"""

from __future__ import annotations

from isoflop.evidence.embedded import EMBEDDED
from isoflop.evidence.importers import IMPORTERS
from isoflop.evidence.load import load
from isoflop.evidence.schema import Column, Rule, Schema
from isoflop.evidence.schemas import SCHEMAS
from isoflop.evidence.table import Step, Table

__all__ = ["EMBEDDED", "IMPORTERS", "SCHEMAS", "Column", "Rule", "Schema", "Step", "Table", "load"]

"""Every schema by name."""

from __future__ import annotations

from isoflop.evidence.evaluations import EVALUATIONS
from isoflop.evidence.schema import Schema

SCHEMAS: dict[str, Schema] = {schema.name: schema for schema in (EVALUATIONS,)}

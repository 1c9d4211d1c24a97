"""Every schema by name."""

from __future__ import annotations

from isoflop.evidence.evaluations import EVALUATIONS
from isoflop.evidence.hardware import HARDWARE, SAVINGS
from isoflop.evidence.schema import Schema
from isoflop.evidence.scores import BENCHMARKS, CAPABILITIES, INDEX_SCALE, SCORES

SCHEMAS: dict[str, Schema] = {
    schema.name: schema
    for schema in (EVALUATIONS, CAPABILITIES, SCORES, BENCHMARKS, INDEX_SCALE, HARDWARE, SAVINGS)
}

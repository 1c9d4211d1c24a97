"""Layouts of results by name, in the order in which they are tried."""

from __future__ import annotations

from isoflop.evidence.prompt_scores.any_table import TABLE
from isoflop.evidence.prompt_scores.interface import ScoreImporter

SCORE_IMPORTERS: dict[str, ScoreImporter] = {importer.name: importer for importer in (TABLE,)}
"""The plain table comes last: it takes any file with an ending that it can read."""

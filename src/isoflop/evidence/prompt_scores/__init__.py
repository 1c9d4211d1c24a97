"""Scores of many models on many prompts: their schemas, layouts people have, and how they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.lazy import offer

if TYPE_CHECKING:
    from isoflop.evidence.prompt_scores.catalogue import read_catalogue
    from isoflop.evidence.prompt_scores.importers import SCORE_IMPORTERS
    from isoflop.evidence.prompt_scores.read import read_prompt_scores

_HOME = {
    "SCORE_IMPORTERS": "importers",
    "read_catalogue": "catalogue",
    "read_prompt_scores": "read",
}

__all__ = [
    "SCORE_IMPORTERS",
    "read_catalogue",
    "read_prompt_scores",
]

offer(__name__, _HOME)

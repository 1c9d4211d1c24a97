"""Layouts of results by name, in the order in which they are tried."""

from __future__ import annotations

from isoflop.evidence.prompt_scores.any_table import TABLE
from isoflop.evidence.prompt_scores.embedllm import EMBEDLLM
from isoflop.evidence.prompt_scores.helm import HELM
from isoflop.evidence.prompt_scores.inspect_logs import INSPECT
from isoflop.evidence.prompt_scores.interface import ScoreImporter
from isoflop.evidence.prompt_scores.llmrouter import LLMROUTER
from isoflop.evidence.prompt_scores.lm_eval import LM_EVAL
from isoflop.evidence.prompt_scores.routellm import ROUTELLM
from isoflop.evidence.prompt_scores.routerbench import ROUTERBENCH

SCORE_IMPORTERS: dict[str, ScoreImporter] = {
    importer.name: importer
    for importer in (LM_EVAL, INSPECT, HELM, ROUTERBENCH, EMBEDLLM, LLMROUTER, ROUTELLM, TABLE)
}
"""The plain table comes last: it takes any file with an ending that it can read."""

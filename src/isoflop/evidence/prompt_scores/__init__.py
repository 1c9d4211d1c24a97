"""Scores of many models on many prompts: their schemas, layouts people have, and how they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.lazy import offer

if TYPE_CHECKING:
    from isoflop.evidence.prompt_scores.by_tool import (
        import_embedllm,
        import_helm,
        import_inspect,
        import_llmrouter,
        import_lm_eval,
        import_routellm,
        import_routerbench,
        import_table,
    )
    from isoflop.evidence.prompt_scores.catalogue import read_catalogue
    from isoflop.evidence.prompt_scores.importers import SCORE_IMPORTERS
    from isoflop.evidence.prompt_scores.prices import import_prices
    from isoflop.evidence.prompt_scores.read import read_prompt_scores

_HOME = {
    "SCORE_IMPORTERS": "importers",
    "import_embedllm": "by_tool",
    "import_helm": "by_tool",
    "import_inspect": "by_tool",
    "import_llmrouter": "by_tool",
    "import_lm_eval": "by_tool",
    "import_routellm": "by_tool",
    "import_routerbench": "by_tool",
    "import_table": "by_tool",
    "import_prices": "prices",
    "read_catalogue": "catalogue",
    "read_prompt_scores": "read",
}

__all__ = [
    "SCORE_IMPORTERS",
    "import_embedllm",
    "import_helm",
    "import_inspect",
    "import_llmrouter",
    "import_lm_eval",
    "import_prices",
    "import_routellm",
    "import_routerbench",
    "import_table",
    "read_catalogue",
    "read_prompt_scores",
]

offer(__name__, _HOME)

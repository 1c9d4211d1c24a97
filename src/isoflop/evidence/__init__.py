"""Tables of evidence: load and refuse, schemas, provenance, public sources.

`load` is the door and `Table` is what every instrument takes; `locate` says where evidence lies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.evidence.embedded import EMBEDDED
from isoflop.evidence.importers import IMPORTERS
from isoflop.evidence.load import load
from isoflop.evidence.location import Library, locate
from isoflop.evidence.schema import Column, Rule, Schema
from isoflop.evidence.schemas import SCHEMAS
from isoflop.evidence.table import Step, Table
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
    from isoflop.evidence.prompt_scores.prices import import_prices
    from isoflop.evidence.prompt_scores.read import read_prompt_scores

_HOME = {
    "import_embedllm": "prompt_scores.by_tool",
    "import_helm": "prompt_scores.by_tool",
    "import_inspect": "prompt_scores.by_tool",
    "import_llmrouter": "prompt_scores.by_tool",
    "import_lm_eval": "prompt_scores.by_tool",
    "import_routellm": "prompt_scores.by_tool",
    "import_routerbench": "prompt_scores.by_tool",
    "import_table": "prompt_scores.by_tool",
    "import_prices": "prompt_scores.prices",
    "read_catalogue": "prompt_scores.catalogue",
    "read_prompt_scores": "prompt_scores.read",
}

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
    "import_embedllm",
    "import_helm",
    "import_inspect",
    "import_llmrouter",
    "import_lm_eval",
    "import_prices",
    "import_routellm",
    "import_routerbench",
    "import_table",
    "load",
    "locate",
    "read_catalogue",
    "read_prompt_scores",
]

offer(__name__, _HOME)

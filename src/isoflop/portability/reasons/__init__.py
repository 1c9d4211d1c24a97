"""Why a task failed: an ordered, versioned table of rules over the error's class and text.

`classify` applies it to rows; `suggest` groups what no rule matched, for a person to read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.lazy import offer

if TYPE_CHECKING:
    from isoflop.portability.reasons.bins import BinComparison, compare_bins, paper_bin
    from isoflop.portability.reasons.classify import Cause, cause, classify, classify_row
    from isoflop.portability.reasons.suggest import suggest
    from isoflop.portability.reasons.table import Rule, rules

_HOME = {
    "BinComparison": "bins",
    "Cause": "classify",
    "Rule": "table",
    "cause": "classify",
    "classify": "classify",
    "classify_row": "classify",
    "compare_bins": "bins",
    "paper_bin": "bins",
    "rules": "table",
    "suggest": "suggest",
}

__all__ = [
    "BinComparison",
    "Cause",
    "Rule",
    "cause",
    "classify",
    "classify_row",
    "compare_bins",
    "paper_bin",
    "rules",
    "suggest",
]

offer(__name__, _HOME)

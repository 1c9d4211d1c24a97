"""Why a task failed: an ordered, versioned table of rules over the error's class and text.

`classify` applies it to rows; `suggest` groups what no rule matched, for a person to read.
"""

from __future__ import annotations

from isoflop.lazy import offer

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

__all__ = sorted(_HOME)

offer(__name__, _HOME)

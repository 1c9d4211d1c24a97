"""Which functions to test when not all can be, and what the tested ones say of all.

Designs (`Census`, `Top`, `Deciles`, `PPS`) draw functions by how often code calls them; estimators weigh
results by inclusion probabilities.
"""

from __future__ import annotations

from isoflop.lazy import offer

_HOME = {
    "Census": "designs",
    "Deciles": "designs",
    "Design": "designs",
    "DesignShare": "estimate",
    "PPS": "designs",
    "Sample": "result",
    "Top": "designs",
    "design_share": "estimate",
    "parse_design": "designs",
    "sample": "draw",
}

__all__ = sorted(_HOME)

offer(__name__, _HOME)

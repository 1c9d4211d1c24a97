"""Which functions to test when not all can be, and what the tested ones say of all.

Designs (`Census`, `Top`, `Deciles`, `PPS`) draw functions by how often code calls them; estimators weigh
results by inclusion probabilities.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.lazy import offer

if TYPE_CHECKING:
    from isoflop.portability.sampling.designs import PPS, Census, Deciles, Design, Top, parse_design
    from isoflop.portability.sampling.draw import sample
    from isoflop.portability.sampling.estimate import DesignShare, design_share
    from isoflop.portability.sampling.result import Sample

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

__all__ = [
    "PPS",
    "Census",
    "Deciles",
    "Design",
    "DesignShare",
    "Sample",
    "Top",
    "design_share",
    "parse_design",
    "sample",
]

offer(__name__, _HOME)

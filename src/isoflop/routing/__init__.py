"""Which model for this task, how sure is that, and what does it cost?

Evidence first, settings after: ``evaluate(join(scores, prompts))``. Each verb is imported when it is first
used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.lazy import offer

if TYPE_CHECKING:
    from isoflop.routing.model import KNN
    from isoflop.routing.sample import ScoredPrompts, join

_HOME = {
    "join": "sample",
    "ScoredPrompts": "sample",
    "KNN": "model",
}

__all__ = [
    "KNN",
    "ScoredPrompts",
    "join",
]

offer(__name__, _HOME)

"""What do the five say together? Findings of the instruments, joined in one unit.

Nothing here reads a table: a finding carries its value, its interval and its draws, and that is all that is
joined.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.lazy import offer

if TYPE_CHECKING:
    from isoflop.outlook.answer import Answer
    from isoflop.outlook.budget import Budget, Target, usd_per_flop
    from isoflop.outlook.find import outlook
    from isoflop.outlook.model import Assumptions
    from isoflop.outlook.reach import reach
    from isoflop.outlook.reached import Reach
    from isoflop.outlook.result import Outlook

_HOME = {
    "outlook": "find",
    "reach": "reach",
    "Assumptions": "model",
    "Budget": "budget",
    "Target": "budget",
    "usd_per_flop": "budget",
    "Answer": "answer",
    "Outlook": "result",
    "Reach": "reached",
}

__all__ = [
    "Answer",
    "Assumptions",
    "Budget",
    "Outlook",
    "Reach",
    "Target",
    "outlook",
    "reach",
    "usd_per_flop",
]

offer(__name__, _HOME)

"""What do the five say together? Findings of the instruments, joined in one unit.

Nothing here reads a table: a finding carries its value, its interval and its draws, and that is all that is
joined.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.lazy import offer

if TYPE_CHECKING:
    from isoflop.outlook.find import outlook
    from isoflop.outlook.model import Assumptions
    from isoflop.outlook.result import Answer, Outlook

_HOME = {"outlook": "find", "Assumptions": "model", "Answer": "result", "Outlook": "result"}

__all__ = ["Answer", "Assumptions", "Outlook", "outlook"]

offer(__name__, _HOME)

"""Which share of functions is lost on a target: strict and fallback, partial and complete apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.lazy import offer

if TYPE_CHECKING:
    from isoflop.portability.shares.count import FunctionOutcome
    from isoflop.portability.shares.find import shares
    from isoflop.portability.shares.result import ShareCell, Shares

_HOME = {
    "FunctionOutcome": "count",
    "ShareCell": "result",
    "Shares": "result",
    "shares": "find",
}

__all__ = [
    "FunctionOutcome",
    "ShareCell",
    "Shares",
    "shares",
]

offer(__name__, _HOME)

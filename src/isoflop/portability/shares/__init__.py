"""Which share of functions is lost on a target: strict and fallback, partial and complete apart."""

from __future__ import annotations

from isoflop.lazy import offer

_HOME = {
    "FunctionOutcome": "count",
    "ShareCell": "result",
    "Shares": "result",
    "shares": "find",
}

__all__ = sorted(_HOME)

offer(__name__, _HOME)

"""How many times slower functions are on a target, function by function and over all of them."""

from __future__ import annotations

from isoflop.lazy import offer

_HOME = {
    "FunctionRatio": "result",
    "Slowdown": "result",
    "own_slowdown": "own",
    "slowdown": "find",
}

__all__ = sorted(_HOME)

offer(__name__, _HOME)

"""How many times slower functions are on a target, function by function and over all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.lazy import offer

if TYPE_CHECKING:
    from isoflop.portability.slowdown.find import slowdown
    from isoflop.portability.slowdown.own import own_slowdown
    from isoflop.portability.slowdown.result import FunctionRatio, Slowdown

_HOME = {
    "FunctionRatio": "result",
    "Slowdown": "result",
    "own_slowdown": "own",
    "slowdown": "find",
}

__all__ = [
    "FunctionRatio",
    "Slowdown",
    "own_slowdown",
    "slowdown",
]

offer(__name__, _HOME)

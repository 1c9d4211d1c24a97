"""What changed between two runs: newly failing, newly fixed, faster, slower."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.lazy import offer

if TYPE_CHECKING:
    from isoflop.portability.compare.find import compare
    from isoflop.portability.compare.result import Change, Comparison

_HOME = {"Change": "result", "Comparison": "result", "compare": "find"}

__all__ = ["Change", "Comparison", "compare"]

offer(__name__, _HOME)

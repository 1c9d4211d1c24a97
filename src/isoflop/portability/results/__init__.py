"""Runs on disk: reading and writing them, bundles that leave a computer, and merging those of several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.lazy import offer

if TYPE_CHECKING:
    from isoflop.portability.results.bundle import bundle
    from isoflop.portability.results.merge import conflicts, merge
    from isoflop.portability.results.read import read_run
    from isoflop.portability.results.write import write_results

_HOME = {
    "bundle": "bundle",
    "conflicts": "merge",
    "merge": "merge",
    "read_run": "read",
    "write_results": "write",
}

__all__ = ["bundle", "conflicts", "merge", "read_run", "write_results"]

offer(__name__, _HOME)

"""What still runs elsewhere, and how slowly?

Evidence first, settings after: ``shares(read_paper("portability"))``. Each verb is imported when it is first
used; no framework is imported here, ever: that happens in child processes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.lazy import offer

if TYPE_CHECKING:
    from isoflop.portability.engine.catalogue import catalogue
    from isoflop.portability.engine.run import resume, run
    from isoflop.portability.engine.targets import Interpreters, targets
    from isoflop.portability.model import Bootstrap, Timing, Wilson
    from isoflop.portability.reasons.bins import compare_bins
    from isoflop.portability.reasons.classify import classify
    from isoflop.portability.runs import Run
    from isoflop.portability.sampling.designs import PPS, Census, Deciles, Top
    from isoflop.portability.sampling.draw import sample
    from isoflop.portability.scan.find import scan
    from isoflop.portability.scan.usage import usage
    from isoflop.portability.shares.find import shares
    from isoflop.portability.slowdown.find import slowdown

_HOME = {
    "targets": "engine.targets",
    "catalogue": "engine.catalogue",
    "run": "engine.run",
    "resume": "engine.run",
    "scan": "scan.find",
    "usage": "scan.usage",
    "sample": "sampling.draw",
    "shares": "shares.find",
    "slowdown": "slowdown.find",
    "classify": "reasons.classify",
    "compare_bins": "reasons.bins",
    "Bootstrap": "model",
    "Census": "sampling.designs",
    "Deciles": "sampling.designs",
    "Interpreters": "engine.targets",
    "PPS": "sampling.designs",
    "Run": "runs",
    "Timing": "model",
    "Top": "sampling.designs",
    "Wilson": "model",
}

__all__ = [
    "PPS",
    "Bootstrap",
    "Census",
    "Deciles",
    "Interpreters",
    "Run",
    "Timing",
    "Top",
    "Wilson",
    "catalogue",
    "classify",
    "compare_bins",
    "resume",
    "run",
    "sample",
    "scan",
    "shares",
    "slowdown",
    "targets",
    "usage",
]

offer(__name__, _HOME)

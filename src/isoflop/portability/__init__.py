"""What still runs elsewhere, and how slowly?

Evidence first, settings after: `scan` reads your code, `run` measures your machine, `shares` and `slowdown`
count what came of it, here of the run that ships:

>>> from isoflop import portability
>>> run = portability.shipped_run()
>>> counted = portability.shares(run)

Each verb is imported when it is first used; no framework is imported here, ever: that happens in child
processes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.lazy import offer

if TYPE_CHECKING:
    from isoflop.portability.compare.find import compare
    from isoflop.portability.compare.result import Comparison
    from isoflop.portability.engine.catalogue import catalogue
    from isoflop.portability.engine.run import resume, run
    from isoflop.portability.engine.targets import Interpreters, targets
    from isoflop.portability.model import Bootstrap, Timing, Wilson
    from isoflop.portability.paper.raw import read_junit, read_raw
    from isoflop.portability.paper.read import read_paper
    from isoflop.portability.paper.results import PaperResults
    from isoflop.portability.paper.slowdown import PaperSlowdown
    from isoflop.portability.reasons.bins import compare_bins
    from isoflop.portability.reasons.classify import classify
    from isoflop.portability.results.bundle import bundle
    from isoflop.portability.results.merge import merge
    from isoflop.portability.results.read import read_run
    from isoflop.portability.results.shipped import shipped_run
    from isoflop.portability.results.write import write_results
    from isoflop.portability.runs import Run
    from isoflop.portability.sampling.designs import PPS, Census, Deciles, Top
    from isoflop.portability.sampling.draw import sample
    from isoflop.portability.scan.find import scan
    from isoflop.portability.scan.result import Scan
    from isoflop.portability.scan.usage import usage
    from isoflop.portability.shares.find import shares
    from isoflop.portability.shares.result import Shares
    from isoflop.portability.slowdown.find import slowdown
    from isoflop.portability.slowdown.result import Slowdown
    from isoflop.portability.trace.find import trace
    from isoflop.portability.trace.result import Trace

_HOME = {
    "PPS": "sampling.designs",
    "Bootstrap": "model",
    "Census": "sampling.designs",
    "Comparison": "compare.result",
    "Deciles": "sampling.designs",
    "Interpreters": "engine.targets",
    "PaperResults": "paper.results",
    "PaperSlowdown": "paper.slowdown",
    "Run": "runs",
    "Scan": "scan.result",
    "Shares": "shares.result",
    "Slowdown": "slowdown.result",
    "Timing": "model",
    "Top": "sampling.designs",
    "Trace": "trace.result",
    "Wilson": "model",
    "bundle": "results.bundle",
    "catalogue": "engine.catalogue",
    "classify": "reasons.classify",
    "compare": "compare.find",
    "compare_bins": "reasons.bins",
    "merge": "results.merge",
    "read_junit": "paper.raw",
    "read_paper": "paper.read",
    "read_raw": "paper.raw",
    "read_run": "results.read",
    "resume": "engine.run",
    "run": "engine.run",
    "sample": "sampling.draw",
    "scan": "scan.find",
    "shares": "shares.find",
    "shipped_run": "results.shipped",
    "slowdown": "slowdown.find",
    "targets": "engine.targets",
    "trace": "trace.find",
    "usage": "scan.usage",
    "write_results": "results.write",
}

__all__ = [
    "PPS",
    "Bootstrap",
    "Census",
    "Comparison",
    "Deciles",
    "Interpreters",
    "PaperResults",
    "PaperSlowdown",
    "Run",
    "Scan",
    "Shares",
    "Slowdown",
    "Timing",
    "Top",
    "Trace",
    "Wilson",
    "bundle",
    "catalogue",
    "classify",
    "compare",
    "compare_bins",
    "merge",
    "read_junit",
    "read_paper",
    "read_raw",
    "read_run",
    "resume",
    "run",
    "sample",
    "scan",
    "shares",
    "shipped_run",
    "slowdown",
    "targets",
    "trace",
    "usage",
    "write_results",
]

offer(__name__, _HOME)

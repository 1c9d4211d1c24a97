"""The published result files, analysed to the digit under the paper's rules, and under ours."""

from __future__ import annotations

from isoflop.portability.paper.raw import read_junit, read_raw
from isoflop.portability.paper.read import read_paper
from isoflop.portability.paper.results import PaperResults
from isoflop.portability.paper.slowdown import PaperSlowdown, paper_slowdown

__all__ = ["PaperResults", "PaperSlowdown", "paper_slowdown", "read_junit", "read_paper", "read_raw"]

"""Samples that several tests share: a planted one, and the public sheet where it is at hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from isoflop import evidence
from isoflop.progress.sample import PAPER_RULES, Sample, select
from isoflop.progress.simulate import Planted, planted_table


@pytest.fixture(scope="session")
def planted() -> Sample:
    """Return a planted sample: law 7, halving time 8 months, 60 papers."""
    return select(planted_table(Planted(papers=60), seed=0))


@pytest.fixture(scope="session")
def sheet(public_data: Path) -> evidence.Table:
    """Return the public sheet."""
    return evidence.load(public_data / "progress" / "lm_evaluations.csv")


@pytest.fixture(scope="session")
def published(sheet: evidence.Table) -> Sample:
    """Return the published sample."""
    return select(sheet, rules=PAPER_RULES)


@pytest.fixture(scope="session")
def golden() -> dict:
    """Return the published numbers."""
    return json.loads((Path(__file__).parents[1] / "golden" / "progress_published.json").read_text())

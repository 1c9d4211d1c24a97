"""Shared fixtures: where the public tables are, and calm settings for hypothesis."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "isoflop", deadline=None, max_examples=15, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("isoflop")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def public_data() -> Path:
    """Return the folder of public tables, or skip with the reason."""
    named = os.environ.get("ISOFLOP_EVIDENCE")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    if not (folder / "progress" / "lm_evaluations.csv").is_file():
        pytest.skip(f"public tables not found at {folder}; set ISOFLOP_EVIDENCE to their folder")
    return folder

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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave public tables to `make test-more`, so that `make test` takes as long with them as without."""
    for item in items:
        if item.get_closest_marker("public_data"):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def public_data() -> Path:
    """Return the folder of public tables, or skip with the reason."""
    named = os.environ.get("ISOFLOP_EVIDENCE")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    if not (folder / "progress" / "lm_evaluations.csv").is_file():
        pytest.skip(f"public tables not found at {folder}; set ISOFLOP_EVIDENCE to their folder")
    return folder

"""Where tests that need a framework find an interpreter that has one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def frameworks() -> Path:
    """Return an interpreter with torch, jax, tensorflow and the rest, or skip with the reason."""
    named = os.environ.get("ISOFLOP_FRAMEWORKS_PYTHON")
    if not named:
        pytest.skip("no frameworks: set ISOFLOP_FRAMEWORKS_PYTHON to an interpreter that has them")
    return Path(named)

"""The made-up report, drawn once for all tests of the page."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from isoflop.report.build import assemble
from isoflop.report.contents import Report
from isoflop.report.page import render


@pytest.fixture(scope="session")
def made_up() -> ModuleType:
    """Return the module with the invented chapter."""
    path = Path(__file__).with_name("made_up.py")
    spec = importlib.util.spec_from_file_location("isoflop_test_made_up", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def report(made_up: ModuleType) -> Report:
    """Return the report of the invented chapter."""
    return assemble([made_up.chapter()], seed=3, command="isoflop report --seed 3", evidence="invented")


@pytest.fixture(scope="session")
def page(report: Report) -> str:
    """Return its page."""
    return render(report)

"""Make tests/golden/progress_checks.json from the public sheet.

Run from the project's root: ``python validation/progress_checks.py FOLDER_OF_PUBLIC_TABLES``.
Published perplexity rule, converged fits. Every number is the best certified minimum; the tests
check the same objectives against SciPy and against single fits.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from isoflop import __version__
from isoflop.evidence.load import load
from isoflop.findings import write_atomically
from isoflop.progress.robustness.check import check
from isoflop.progress.robustness.sweep import sweep
from isoflop.progress.robustness.sweep_result import Variant
from isoflop.progress.sample import PAPER_RULES, select
from isoflop.progress.uncertainty.rate_profile import profile_rate

OUT = Path(__file__).resolve().parents[1] / "tests" / "golden" / "progress_checks.json"
SWEPT = ("penalty", "normaliser", "perplexity", "sample", "law")


def recorded(folder: Path) -> dict[str, Any]:
    """Return sweeps, checks and profile of the public sheet."""
    sample = select(load(folder / "progress" / "lm_evaluations.csv"), rules=PAPER_RULES)
    profile = profile_rate(sample)
    return {
        "sweeps": {
            over: {v.slug: _variant(v) for v in sweep(sample, over=over).variants if v.headline}  # type: ignore[arg-type]
            for over in SWEPT
        },
        "checks": {
            row.slug: {"value": row.estimate.value, "n": row.n, "objective": row.objective}
            for row in check(sample).rows
        },
        "profile": {
            "rate": [profile.rate.value, profile.rate.low, profile.rate.high],
            "dips_months": [row["halving_time_months"] for row in profile.minima()],
        },
    }


def _variant(v: Variant) -> dict[str, Any]:
    return {
        "months": v.halving_time.value,
        "n": None if v.fit is None else v.fit.sample.n,
        "objective": None if v.fit is None else v.fit.objective,
    }


def main(folder: Path) -> None:
    """Write the recorded numbers."""
    header = {
        "tool": f"isoflop {__version__}, numpy {np.__version__}",
        "call": "python validation/progress_checks.py FOLDER_OF_PUBLIC_TABLES",
        "date": dt.date.today().isoformat(),
    }
    write_atomically(OUT, json.dumps({**header, **recorded(folder)}, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

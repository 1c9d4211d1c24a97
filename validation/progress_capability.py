"""Make tests/golden/progress_capability.json from the public tables.

Run from the project's root: ``python validation/progress_capability.py FOLDER_OF_PUBLIC_TABLES``.
The stitching objective was checked against SciPy's trust-region solver (dense, analytic Jacobian,
tolerances 1e-15) from the same start; tests/progress/test_stitching.py repeats that check.
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
from isoflop.progress.capability.stitching import stitch
from isoflop.progress.capability.trend import trend

OUT = Path(__file__).resolve().parents[1] / "tests" / "golden" / "progress_capability.json"


def main(folder: Path) -> None:
    """Write the recorded numbers."""
    stitched = stitch(load(folder / "progress" / "benchmark_stitching"), ci=None)
    found = trend(load(folder / "progress" / "eci"))
    recorded: dict[str, Any] = {
        "tool": f"isoflop {__version__}, numpy {np.__version__}",
        "call": "python validation/progress_capability.py FOLDER_OF_PUBLIC_TABLES",
        "date": dt.date.today().isoformat(),
        "stitching": {
            "objective": stitched.objective,
            "models_benchmarks_scores": [len(stitched.models), len(stitched.benchmarks), stitched.n],
        },
        "trend": {
            "rows_with_index_and_flop": found.n_rows,
            "models": found.models.height,
            "columns": "k, multiple, its low and high, halving time in months, its low and high",
            "methods": {
                m.method: [
                    m.points_per_decade.value,
                    m.multiple.value,
                    m.multiple.low,
                    m.multiple.high,
                    m.halving_time.value,
                    m.halving_time.low,
                    m.halving_time.high,
                ]
                for m in found.methods
            },
        },
    }
    write_atomically(OUT, json.dumps(recorded, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

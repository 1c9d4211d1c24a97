"""``python -m examples.portability_measurement.table --work FOLDER``: write the table that ships."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import isoflop.evidence
from examples.portability_measurement.plan import PLAN
from isoflop.evidence.portability import PORTABILITY_RESULTS
from isoflop.findings import write_atomically
from isoflop.portability import merge, read_run
from isoflop.portability.reasons.classify import classify

TABLES = Path(isoflop.evidence.__file__).parent / "tables"
NAME = "measured_portability"
ABOUT = ("isoflop", "created", "targets", "policy", "timing", "seed", "items", "tasks", "done")
"""What is kept of a run: nothing that names a computer or a path."""
COMMAND = "python -m examples.portability_measurement --work FOLDER --steps {}"


def main() -> None:
    """Merge the runs of the plan, decide their reasons anew, and write the table and what certifies it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="Folder of the runs.")
    work = parser.parse_args().work
    runs = {
        step.name: read_run(work / step.name) for step in PLAN if (work / step.name / "run.json").exists()
    }
    named = {run_id: name for name, run in runs.items() for run_id in run.about}
    found = merge(*runs.values())
    names = [name for name in PORTABILITY_RESULTS.names if name in found.frame().columns]
    frame = classify(found.frame()).select(names)
    frame.write_parquet(
        TABLES / f"{NAME}.parquet", compression="zstd", compression_level=19, statistics=False
    )
    known: dict[str, Any] = {
        "about": {
            key: {"name": named[key], "command": COMMAND.format(named[key])}
            | {name: about.get(name) for name in ABOUT}
            for key, about in found.about.items()
        },
        "certificate": dict(found.certificate),
    }
    write_atomically(TABLES / f"{NAME}.json", json.dumps(known, indent=1) + "\n")
    print(frame.group_by("target", "status").len().sort("target", "status"))


if __name__ == "__main__":
    main()

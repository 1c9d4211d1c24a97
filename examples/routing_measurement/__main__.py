"""Make the measurement again: ``python -m examples.routing_measurement --work FOLDER``."""

from __future__ import annotations

import argparse
from pathlib import Path

from examples.routing_measurement.measure import measure
from examples.routing_measurement.pool import POOL
from examples.routing_measurement.prompts import measured_items


def main() -> None:
    """Measure the models named, or all."""
    parser = argparse.ArgumentParser(prog="python -m examples.routing_measurement", description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="folder that keeps the replies between runs")
    parser.add_argument("--models", nargs="*", choices=[model.name for model in POOL], help="default: all")
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    for model in POOL:
        if not given.models or model.name in given.models:
            measure(model, measured_items(), given.work)


main()

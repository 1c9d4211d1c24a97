"""``python -m validation.openalex --works N --parts K --out DIR``: write a made-up snapshot."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from validation.openalex import Recipe, make
from validation.openalex.snapshot import write_truth


def main() -> int:
    """Write the snapshot and its truth, and say how large it is."""
    parser = argparse.ArgumentParser(prog="python -m validation.openalex", description=__doc__)
    parser.add_argument("--works", type=int, default=10_000)
    parser.add_argument("--parts", type=int, default=4)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--layout", choices=["jsonl", "parquet"], default="jsonl")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--huge", type=int, default=0, help="bytes of one very large record")
    asked = parser.parse_args()
    recipe = Recipe(works=asked.works, parts=asked.parts, seed=asked.seed, huge=asked.huge)
    made = make(asked.out, recipe, layout=asked.layout)
    write_truth(made, asked.out / "truth.jsonl")
    print(
        f"{made.records:,} records in {asked.parts} parts, {made.text_bytes / made.records:,.0f} bytes each, "
        f"{made.text_bytes / made.bytes:.2f} times smaller on disk; {len(made.rows):,} works"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())

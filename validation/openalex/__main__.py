"""``python -m validation.openalex --works N --parts K --out DIR``: write a made-up snapshot."""

from __future__ import annotations

import argparse
from pathlib import Path

from validation.openalex.settings import Format, Settings
from validation.openalex.snapshot import make


def main() -> None:
    """Write the snapshot that the command line asks for and say what it holds."""
    parser = argparse.ArgumentParser(prog="python -m validation.openalex", description=__doc__)
    parser.add_argument("--works", type=int, default=2000)
    parser.add_argument("--parts", type=int, default=4)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--format", choices=["jsonl", "parquet", "both"], default="jsonl")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--huge-mb", type=int, default=0, help="size of one very long record")
    given = parser.parse_args()
    formats: tuple[Format, ...] = ("jsonl", "parquet") if given.format == "both" else (given.format,)
    settings = Settings(
        works=given.works,
        parts=given.parts,
        seed=given.seed,
        huge_bytes=given.huge_mb * 1_000_000,
        formats=formats,
    )
    made = make(given.out, settings)
    print(f"{made.folder}: {made.records:,} records of {given.works:,} works in {given.parts} files")


if __name__ == "__main__":
    main()

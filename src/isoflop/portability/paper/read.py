"""Read a folder of published result files: flat tables, or the layout in which the suite wrote them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from isoflop.errors import EvidenceError
from isoflop.portability.paper.results import PaperResults

if TYPE_CHECKING:
    from isoflop.evidence import Table

FILES = {
    "portability_outcomes": "outcomes",
    "portability_timings": "timings",
    "portability_usage": "function_frequencies",
}
SUFFIXES = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet")
TESTED = "tested_functions.csv"


def read_paper(folder: str | Path) -> PaperResults:
    """Read outcomes, timings and counts of names from a folder.

    Parameters
    ----------
    folder : path
        Holds ``outcomes`` and ``timings`` (csv, gzipped or not, or Parquet); ``function_frequencies`` and
        ``tested_functions.csv`` are read where they are. Any number of runs, frameworks and targets.

    Raises
    ------
    EvidenceError
        Neither outcomes nor timings are there, or a row cannot be used; the message names it.
    """
    from isoflop.evidence import load

    place = Path(folder)
    if not place.is_dir():
        raise EvidenceError(
            f"read_paper: no folder {folder}, needs one with outcomes and timings. Check the path."
        )
    found: dict[str, Table] = {}
    for schema, stem in FILES.items():
        path = next((place / f"{stem}{s}" for s in SUFFIXES if (place / f"{stem}{s}").is_file()), None)
        if path is not None:
            found[schema] = load(path, schema=schema)
    if not {"portability_outcomes", "portability_timings"} & set(found):
        raise EvidenceError(
            f"read_paper: {folder} holds neither outcomes nor timings ({', '.join(SUFFIXES)}), needs at "
            "least one. For test reports and timings as a suite wrote them, use read_raw."
        )
    return PaperResults(
        outcomes_table=found.get("portability_outcomes"),
        timings_table=found.get("portability_timings"),
        usage_table=found.get("portability_usage"),
        tested=_tested(place / TESTED),
    )


def _tested(path: Path) -> dict[str, tuple[str, ...]]:
    from isoflop.evidence.read import read_file

    if not path.is_file():
        return {}
    frame = read_file(path)
    missing = {"framework", "test_file"} - set(frame.columns)
    if missing:
        raise EvidenceError(
            f"read_paper: {path.name} has no column {sorted(missing)[0]!r}, needs framework and test_file. "
            "Restore the header."
        )
    out: dict[str, list[str]] = {}
    for framework, name in frame.select("framework", "test_file").iter_rows():
        out.setdefault(framework, []).append(name)
    return {framework: tuple(names) for framework, names in out.items()}

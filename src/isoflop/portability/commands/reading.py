"""What the verbs on results read: a run, published files, counts of calls, a sample."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from isoflop.errors import EvidenceError

if TYPE_CHECKING:
    from isoflop.portability.runs import Run
    from isoflop.portability.sampling.result import Sample
    from isoflop.portability.shares.find import Outcomes

_NAMES, _COUNTS = ("function", "name"), ("calls", "count")


def results_of(path: str | None) -> Outcomes:
    """Return the results at a path, or the run that ships.

    A folder that holds ``outcomes`` or ``timings`` is read as published files; anything else as a run:
    a folder, a bundle or a table.
    """
    if path is not None and any(
        list(Path(path).glob(f"{name}.csv*")) for name in ("outcomes", "timings") if Path(path).is_dir()
    ):
        from isoflop.portability.paper import read_paper

        return read_paper(path)
    return run_of(path)


def run_of(path: str | None) -> Run:
    """Return the run at a path, or the one that ships."""
    if path is not None:
        from isoflop.portability.results import read_run

        return read_run(path)
    from isoflop.portability.results.shipped import shipped_run

    return shipped_run()


def counts_of(path: str, framework: str | None = None) -> dict[str, float]:
    """Return calls by function from a table with ``function`` (or ``name``) and ``calls`` (or ``count``).

    Without a column of counts each function has one call.

    Raises
    ------
    EvidenceError
        A column is missing, a count is no number, or a function stands twice.
    """
    from isoflop.evidence.read import read_file

    file = Path(path)
    frame = read_file(file)
    names = next((c for c in _NAMES if c in frame.columns), None)
    if names is None:
        raise EvidenceError(
            f"counts: {file.name} has columns {', '.join(frame.columns)}, needs 'function'. Rename the "
            "column."
        )
    if framework is not None and "framework" in frame.columns:
        frame = frame.filter(frame["framework"] == framework)
    column = next((c for c in _COUNTS if c in frame.columns), None)
    counts: dict[str, float] = {}
    for row, record in enumerate(frame.iter_rows(named=True), 1):
        name = record[names]
        if name in counts:
            raise EvidenceError(
                f"counts: row {row} of {file.name} has {name!r} again, needs each function once. "
                "Add the counts up, or name one framework."
            )
        counts[name] = 1.0 if column is None else _number(record[column], row, file.name)
    return counts


def _number(text: str | float | None, row: int, where: str) -> float:
    try:
        return float("nan" if text is None else text)
    except ValueError:
        raise EvidenceError(
            f"counts: row {row} of {where} has {text!r}, needs a number of calls. Correct the cell."
        ) from None


def sample_of(path: str) -> Sample:
    """Return the sample that ``isoflop portability sample --out`` wrote.

    Raises
    ------
    EvidenceError
        The file is absent or no sample.
    """
    from isoflop.portability.sampling.result import Sample

    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError:
        raise EvidenceError(
            f"sample: no file {path}. Draw one with isoflop portability sample --out."
        ) from None
    except ValueError:
        raise EvidenceError(f"sample: {path} is no JSON. Draw it anew.") from None
    return Sample.of(found)

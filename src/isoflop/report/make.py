"""`report` for Python: evidence to a `Report` in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isoflop.report.build import build, write
from isoflop.report.instruments import choose

if TYPE_CHECKING:
    from isoflop.evidence import Library
    from isoflop.present.chapter import Progress
    from isoflop.report.contents import Report


def report(
    evidence: str | Path | Mapping[str, Any] | None = None,
    *,
    only: str | Sequence[str] = (),
    quick: bool = False,
    seed: int = 0,
    out: str | Path | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> Report:
    """Run the instruments on one body of evidence and return the report.

    Parameters
    ----------
    evidence : path, "embedded", or mapping of str to table, optional
        A folder of public tables, or the facts that ship. A mapping puts your own tables (data frames of any
        library, paths, or `isoflop.evidence.Table`) in the place of the shipped ones that it names. Default:
        as on the command line, what ``ISOFLOP_EVIDENCE`` names, else what was pulled, else what ships.
    only : str or sequence of str
        These chapters alone; the outlook needs all five.
    quick : bool
        Fewer random draws; the report says so.
    seed : int
        Seed of every random draw.
    out : path, optional
        Folder for ``index.html`` and ``findings.json``; nothing is written without one.
    workers : int, >= 1
        Processes side by side. More than one starts fresh interpreters, so a script that asks for them needs
        ``if __name__ == "__main__"``.
    progress : callable, optional
        Called with what is being done and the fraction done.

    Returns
    -------
    Report
        Findings, claims and the page; a notebook shows its answers and the ledger.

    Raises
    ------
    EvidenceError
        There is no such folder, or a table cannot be used.
    SettingError
        `only` names no instrument, or `workers` is below 1.

    Examples
    --------
    The whole report takes about a minute::

        made = isoflop.report("embedded", out="report")
        made.finding("divide.gap_oom").estimate
        made.frame()

    """
    from isoflop.errors import SettingError

    if workers < 1:
        raise SettingError(f"report: workers={workers}, must be 1 or more. Leave it out for one process.")
    names = (only,) if isinstance(only, str) else tuple(only)
    library = _library(evidence)
    made = build(
        library,
        instruments=choose(names),
        quick=quick,
        seed=seed,
        command=_call(evidence, library, names, quick=quick, seed=seed),
        workers=workers,
        progress=progress,
    )
    if out is not None:
        write(made, Path(out))
    return made


def _library(evidence: str | Path | Mapping[str, Any] | None) -> Library:
    from isoflop.evidence.location import locate

    if isinstance(evidence, Mapping):
        return locate("embedded").with_tables(evidence)
    return locate(evidence)


def _call(
    evidence: str | Path | Mapping[str, Any] | None,
    library: Library,
    names: tuple[str, ...],
    *,
    quick: bool,
    seed: int,
) -> str:
    """Return the call that makes this report again."""
    where = repr(str(library.folder or "embedded"))
    if isinstance(evidence, Mapping):
        where = "{" + ", ".join(f"{name!r}: …" for name in library.given) + "}"
    words = [where]
    words += [f"only={names!r}"] if names else []
    words += ["quick=True"] if quick else []
    return f"isoflop.report({', '.join([*words, f'seed={seed}'])})"

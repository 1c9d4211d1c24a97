"""`scan`: read a program, resolve what it calls, and hold that against measured evidence."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from isoflop.errors import EvidenceError, SettingError, closest
from isoflop.portability.model import OVER
from isoflop.portability.names import is_host_only
from isoflop.portability.scan.calls_of import FileCalls, read_calls
from isoflop.portability.scan.evidence import Evidence, Measured, Standing, evidence_of
from isoflop.portability.scan.replacements import replacement_for
from isoflop.portability.scan.result import COUNTED, Place, Problem, Scan
from isoflop.portability.scan.rules import RULE, allowed
from isoflop.portability.scan.sites import Mark
from isoflop.portability.scan.sources import read_sources

if TYPE_CHECKING:
    from isoflop.portability.runs import Run

_RULE_OF: dict[Standing, str] = {
    "unsupported": "ISO101",
    "partial": "ISO102",
    "fallback_only": "ISO103",
    "wrong": "ISO104",
    "no_evidence": "ISO108",
}


def scan(
    paths: str | Path | Sequence[str | Path],
    *,
    targets: Sequence[str] = (),
    results: Run | None = None,
    slower_than: float = OVER,
) -> Scan:
    """Find what code calls of frameworks and what of that is known to run on other targets.

    Nothing is executed or imported: the text alone is read.

    Parameters
    ----------
    paths : path or sequence of paths
        Files or folders; ``.py`` and ``.ipynb`` below them are read.
    targets : sequence of str
        Target ids as they stand in `results`, e.g. ``jax:lower-tpu``; default: all of them.
    results : Run, optional
        Measured evidence. Without it calls, devices and kernels are found, and nothing is said of targets.
    slower_than : float, > 1
        Rule ISO105 speaks where a function takes more than this many times as long as on its reference.

    Returns
    -------
    Scan

    Raises
    ------
    EvidenceError
        A path does not exist, no source file lies below it, or a target is not in the results.
    SettingError
        Targets without results, or a threshold of at most 1.
    """
    if not slower_than > 1:
        raise SettingError(f"scan: slower_than={slower_than:g}, must be > 1. Give 10 for ten times slower.")
    if targets and results is None:
        raise SettingError(
            f"scan: target {targets[0]!r} without results, needs a run. Give "
            "results=portability.shipped_run(), or a run of your own (portability.read_run)."
        )
    listed = [paths] if isinstance(paths, (str, Path)) else list(paths)
    evidence = evidence_of(results, _known(targets, results)) if results is not None else None
    with _no_collection():
        sources, unread = read_sources(listed)
        files = read_calls(sources)
        places: list[Place] = []
        problems: list[Problem] = []
        for one in files:
            here = _places(one, evidence)
            places += here
            problems += _problems(one, here, evidence, slower_than)
    return Scan(
        files=tuple(files),
        places=tuple(places),
        problems=tuple(problems),
        unread=tuple(unread),
        targets=evidence.targets if evidence else (),
        frameworks=evidence.frameworks if evidence else {},
        lines=sum(source.text.count("\n") + 1 for source in sources),
        cautions=tuple(_cautions(files, unread, results)),
        provenance=results.provenance if results is not None else (),
    )


@contextmanager
def _no_collection() -> Iterator[None]:
    """Hold the garbage collector off: syntax trees are many small objects, and passes over them cost half."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _known(targets: Sequence[str], results: Run) -> tuple[str, ...]:
    present = sorted(results.frame()["target"].unique().to_list())
    for target in targets:
        if target not in present:
            near = closest(target, present)
            hint = f"closest is {near!r}" if near else f"present are {', '.join(present)}"
            raise EvidenceError(
                f"scan: target {target!r} is not in the results; {hint}. Run it, or name another."
            )
    return tuple(dict.fromkeys(targets))


def _places(one: FileCalls, evidence: Evidence | None) -> list[Place]:
    found = []
    for site in one.sites:
        standing: dict[str, Standing] = {}
        measured: dict[str, Measured] = {}
        if evidence is not None:
            for target in evidence.targets:
                known = evidence.of(site.function, target, site.dtype)
                if known is not None:
                    standing[target], measured[target] = known.standing, known
                elif site.function.partition(".")[0] in evidence.frameworks[target]:
                    standing[target] = "host" if is_host_only(site.function) else "no_evidence"
        cell, line = one.source.place(site.line)
        found.append(
            Place(path=one.source.path, cell=cell, line=line, site=site, standing=standing, measured=measured)
        )
    return found


def _problems(
    one: FileCalls, places: list[Place], evidence: Evidence | None, slower_than: float
) -> list[Problem]:
    lines = one.source.text.split("\n")
    allow = allowed(lines)
    found: list[Problem] = []
    for place in places:
        if place.site.confidence in COUNTED and evidence is not None:
            for target, standing in place.standing.items():
                rules = _rules(standing, place.measured.get(target), slower_than)
                found += [_of_call(place, target, rule, lines, allow) for rule in rules]
    found += [problem for mark in one.marks for problem in _of_mark(one, mark, lines, allow)]
    return sorted(found, key=lambda p: (p.file_line, p.column, p.rule, p.target))


def _rules(standing: Standing, measured: Measured | None, slower_than: float) -> list[str]:
    found = [_RULE_OF[standing]] if standing in _RULE_OF else []
    if measured is not None:
        ratio = measured.ratio
        slow = ratio is not None and ratio.value is not None and ratio.value > slower_than
        if slow and measured.level in ("ran", "agreed"):
            found.append("ISO105")
        if len(set(measured.by_version.values())) > 1:
            found.append("ISO109")
    return found


def _of_call(
    place: Place, target: str, rule: str, lines: list[str], allow: dict[int, tuple[frozenset[str], str]]
) -> Problem:
    from isoflop.present import formats

    site, measured = place.site, place.measured.get(target)
    message = f"{site.function} on {target}: {RULE[rule].name.replace('-', ' ')}"
    if measured is not None:
        if rule == "ISO105" and measured.ratio is not None:
            message += f", {formats.estimate(measured.ratio)} the reference's time"
        elif rule == "ISO109":
            message += " (" + ", ".join(f"{v}: {s}" for v, s in measured.by_version.items()) + ")"
        else:
            message += f", {measured.passed} of {measured.tasks} measured tasks passed ({measured.level})"
        if measured.via != site.function:
            message += f"; measured as {measured.via}"
        if measured.error_head and rule != "ISO105":
            message += f": {measured.error_head[:100]}"
    replacement = replacement_for(site.function, target)
    return Problem(
        rule=rule,
        path=place.path,
        cell=place.cell,
        line=place.line,
        file_line=site.line,
        column=site.column + 1,
        end_line=place.line + site.end_line - site.line,
        end_column=site.end_column + 1,
        what=site.function,
        message=message + ".",
        target=target,
        measured=measured,
        replacement=replacement,
        reproduce=f"isoflop portability replay {measured.task_id}" if measured else "",
        allowed=_allowed(allow, site.line, rule),
        snippet=_line(lines, site.line),
    )


def _of_mark(
    one: FileCalls, mark: Mark, lines: list[str], allow: dict[int, tuple[frozenset[str], str]]
) -> list[Problem]:
    rule = {"device": "ISO106", "kernel": "ISO107", "vendor": "ISO107"}.get(mark.kind)
    if rule is None:
        return []
    cell, line = one.source.place(mark.line)
    said = {"device": "names a device", "kernel": "a kernel of its own", "vendor": "a library for one vendor"}
    return [
        Problem(
            rule=rule,
            path=one.source.path,
            cell=cell,
            line=line,
            file_line=mark.line,
            column=mark.column + 1,
            end_line=line,
            end_column=mark.column + 2,
            what=mark.what,
            message=f"{mark.what}: {said[mark.kind]}. {RULE[rule].cure}",
            replacement=replacement_for(mark.what, ""),
            allowed=_allowed(allow, mark.line, rule),
            snippet=_line(lines, mark.line),
        )
    ]


def _allowed(allow: dict[int, tuple[frozenset[str], str]], line: int, rule: str) -> str | None:
    ids, reason = allow.get(line, (frozenset(), ""))
    return reason if rule in ids else None


def _line(lines: list[str], number: int) -> str:
    return lines[number - 1].strip() if 0 < number <= len(lines) else ""


def _cautions(files: list[FileCalls], unread: Sequence[object], results: Run | None) -> list[str]:
    found: list[str] = []
    if results is None:
        found.append("no measured evidence was given: calls are listed, nothing is said of where they run.")
    wrappers = sorted({m.what for one in files for m in one.marks if m.kind == "wrapper"})
    if wrappers:
        found.append(
            f"{', '.join(wrappers)} call frameworks on the code's behalf; what they call is not seen in the "
            "text. Trace a run to see it."
        )
    if unread:
        found.append(f"{len(unread)} files could not be read and are not counted.")
    return found

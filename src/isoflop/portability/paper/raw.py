"""Results as test suites write them: pytest's JSON reports, timings by test, and JUnit files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isoflop.errors import EvidenceError
from isoflop.portability.paper.results import PaperResults

if TYPE_CHECKING:
    from isoflop.evidence import Table

HEAD = 240
_RUN = re.compile(r"[_-](\d+)$")
_FRAMEWORK = re.compile(r"^(?P<name>[a-z0-9]+)_timings$")
_NAMES = {"pytorch": "torch"}
_EXCEPTION = re.compile(
    r"^([A-Za-z_][\w.]*(?:Error|Exception|Warning|Failed|Skipped|Exit|Interrupt|Timeout)\b)"
)
_OUTCOMES = {
    "passed": "passed",
    "failed": "failed",
    "error": "failed",
    "skipped": "skipped",
    "xfailed": "skipped",
    "xpassed": "passed",
}


def read_raw(folder: str | Path) -> PaperResults:
    """Read a tree of ``<framework>_timings/<device>/…`` with timings and test reports, as they were written.

    Parameters
    ----------
    folder : path
        Timings are JSON objects of ``file_test.py:test`` to a list of seconds (or an object whose
        ``operations`` is that list), one file a run, its number last in the name. Reports are those of
        pytest's JSON plug-in. Every device folder is found; its path below the framework's is the target.

    Raises
    ------
    EvidenceError
        No file of either kind is there, or one cannot be read.
    """
    place = Path(folder)
    if not place.is_dir():
        raise EvidenceError(
            f"read_raw: no folder {folder}, needs one with <framework>_timings. Check the path."
        )
    outcomes: list[dict[str, Any]] = []
    timings: list[dict[str, Any]] = []
    left: list[str] = []
    for home in sorted(path for path in place.iterdir() if path.is_dir() and _FRAMEWORK.match(path.name)):
        name = home.name.removesuffix("_timings")
        framework = _NAMES.get(name, name)
        for path in sorted(home.rglob("*.json")):
            content = _json(path)
            if isinstance(content, dict) and isinstance(content.get("tests"), list):
                outcomes += _reported(content["tests"], framework, _target(path, home), path.name)
            elif rows := list(
                _timed(content, (framework, _target(path, home, timed=True)), _run(path), path.name)
            ):
                timings += rows
            else:
                left.append(path.name)
    if not outcomes and not timings:
        raise EvidenceError(
            f"read_raw: {folder} holds no timings and no test reports below <framework>_timings. Name the "
            "folder above those, or use read_paper for flat tables."
        )
    notes = (
        (f"{len(left)} JSON files hold neither timings nor a report: {', '.join(left[:5])}.",) if left else ()
    )
    return PaperResults(
        outcomes_table=_table(outcomes, "portability_outcomes", place),
        timings_table=_table(timings, "portability_timings", place),
        notes=notes,
    )


def read_junit(path: str | Path, *, framework: str, target: str) -> PaperResults:
    """Read a JUnit file of any test suite as outcomes of one framework on one target.

    A function is the file or module of a test case, without ``test_`` and ``_test``.

    Raises
    ------
    EvidenceError
        The file is no XML, or holds no test case.
    """
    from xml.etree import ElementTree

    file = Path(path)
    try:
        text = file.read_bytes()
        if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
            raise EvidenceError(
                f"read_junit: {file.name} declares entities, which a report has no need of. Write it anew."
            )
        root = ElementTree.fromstring(text)
    except (OSError, ElementTree.ParseError) as error:
        raise EvidenceError(
            f"read_junit: {file.name} is no readable XML ({error}). Write it anew."
        ) from error
    rows: list[dict[str, Any]] = []
    for case in root.iter("testcase"):
        bad = case.find("failure") if case.find("failure") is not None else case.find("error")
        skipped = case.find("skipped") is not None
        message = "" if bad is None else (bad.get("message") or bad.text or "")
        classes = (case.get("classname") or "").split(".")
        module = classes[-2] if len(classes) > 1 and classes[-1][:1].isupper() else classes[-1]
        rows.append(
            {
                "framework": framework,
                "target": target,
                "function": _function(module or file.stem),
                "test": f"{classes[-1]}::{case.get('name')}",
                "outcome": "failed" if bad is not None else "skipped" if skipped else "passed",
                "exception": _exception(message) if bad is not None else None,
                "message": message[:HEAD] or None,
                "call_seconds": _seconds(case.get("time"), file.name),
            }
        )
    if not rows:
        raise EvidenceError(f"read_junit: {file.name} holds no testcase. Is it a JUnit report?")
    return PaperResults(outcomes_table=_table(rows, "portability_outcomes", file), timings_table=None)


def _seconds(text: str | None, name: str) -> float | None:
    if not text:
        return None
    try:
        return float(text.replace(",", ""))
    except ValueError:
        raise EvidenceError(
            f"read_junit: {name} has time={text!r}, needs seconds. Correct the report."
        ) from None


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise EvidenceError(
            f"read_raw: {path.name} is no readable JSON ({error}). Restore the file or remove it."
        ) from error


def _target(path: Path, home: Path, *, timed: bool = False) -> str:
    """Return a device folder as a target's name.

    Timings beside the folders name their own target, and so do those that share a folder with timings of
    another name.
    """
    folder = "_".join(path.relative_to(home).parts[:-1])
    if not timed:
        return folder or path.stem
    own = _RUN.sub("", path.stem)
    alone = len({_RUN.sub("", other.stem) for other in path.parent.glob("*.json") if _RUN.search(other.stem)})
    return "_".join(part for part in (folder, own if not folder or alone > 1 else "") if part)


def _run(path: Path) -> int:
    found = _RUN.search(path.stem)
    return int(found[1]) if found else 1


def _reported(tests: Sequence[Any], framework: str, target: str, name: str) -> Iterator[dict[str, Any]]:
    for number, test in enumerate(tests, 1):
        outcome = _OUTCOMES.get(str(test.get("outcome"))) if isinstance(test, dict) else None
        if outcome is None or "::" not in str(test.get("nodeid")):
            raise EvidenceError(
                f"read_raw: test {number} of {name} has no nodeid or an unknown outcome, needs one of "
                f"{', '.join(_OUTCOMES)}. Restore the report."
            )
        file, _, rest = str(test["nodeid"]).partition("::")
        stage: dict[str, Any] = next((test[s] for s in ("call", "setup", "teardown") if s in test), {})
        message = str((stage.get("crash") or {}).get("message") or stage.get("longrepr") or "")
        yield {
            "framework": framework,
            "target": target,
            "function": _function(Path(file).stem),
            "test": rest,
            "outcome": outcome,
            "exception": _exception(message) if outcome == "failed" else None,
            "message": message[:HEAD] or None if outcome != "passed" else None,
            "call_seconds": float(stage.get("duration") or 0.0),
        }


def _timed(content: Any, where: tuple[str, str], run: int, name: str) -> Iterator[dict[str, Any]]:
    if not isinstance(content, dict):
        return
    for key, value in content.items():
        calls = value.get("operations") if isinstance(value, dict) else value
        file, sign, test = str(key).partition(":")
        if not sign or not isinstance(calls, list):
            continue
        for place, seconds in enumerate(calls):
            if not isinstance(seconds, (int, float)):
                raise EvidenceError(
                    f"read_raw: call {place} of {key!r} in {name} is {seconds!r}, needs seconds. Fix or drop "
                    "it."
                )
            yield {
                "framework": where[0],
                "target": where[1],
                "run": run,
                "function": _function(Path(file).stem),
                "test": test,
                "op_index": place,
                "seconds": float(seconds),
            }


def _function(stem: str) -> str:
    return stem.removesuffix("_test").removeprefix("test_")


def _exception(message: str) -> str | None:
    found = _EXCEPTION.match(message)
    return found[1].rpartition(".")[2] if found else None


def _table(rows: list[dict[str, Any]], schema: str, place: Path) -> Table | None:
    from dataclasses import replace

    import polars as pl

    from isoflop.evidence import load

    if not rows:
        return None
    frame = pl.DataFrame(rows, infer_schema_length=None)
    return replace(load(frame, schema=schema, name=schema), source=str(place))

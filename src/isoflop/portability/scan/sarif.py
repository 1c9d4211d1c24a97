"""A scan in SARIF 2.1.0: the form in which code hosts and editors show findings of an analysis."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from urllib.parse import quote

from isoflop.portability.scan.result import Problem, Scan
from isoflop.portability.scan.rules import RULES

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
VERSION = "2.1.0"
FINGERPRINT = "isoflopCall/v1"
_INDEX = {rule.id: i for i, rule in enumerate(RULES)}


def sarif(scan: Scan) -> dict[str, Any]:
    """Return the log of one run, JSON-ready.

    Paths are relative, with ``SRCROOT`` as their base. A fingerprint holds rule, path, function, target, the
    line's text and its count among equal ones, so that it survives lines added above.
    """
    from isoflop import __version__

    seen: dict[str, int] = {}
    return {
        "$schema": SCHEMA,
        "version": VERSION,
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "isoflop portability scan",
                        "version": __version__,
                        "semanticVersion": __version__,
                        "rules": [_rule(rule.id) for rule in RULES],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "originalUriBaseIds": {"SRCROOT": {"description": {"text": "The folder that was scanned."}}},
                "results": [_result(problem, seen) for problem in scan.problems],
                "invocations": [
                    {
                        "executionSuccessful": True,
                        "toolExecutionNotifications": [
                            {
                                "level": "warning",
                                "message": {"text": f"not read: {one.why}"},
                                "locations": [
                                    {"physicalLocation": {"artifactLocation": _artefact(one.path)}}
                                ],
                            }
                            for one in scan.unread
                        ],
                    }
                ],
                "properties": {"targets": list(scan.targets), "cautions": list(scan.cautions)},
            }
        ],
    }


def sarif_text(scan: Scan) -> str:
    """Return the log as JSON text."""
    return json.dumps(sarif(scan), indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def _rule(rule_id: str) -> dict[str, Any]:
    rule = RULES[_INDEX[rule_id]]
    return {
        "id": rule.id,
        "name": "".join(part.capitalize() for part in rule.name.split("-")),
        "shortDescription": {"text": rule.text},
        "fullDescription": {"text": f"{rule.text} {rule.cure}"},
        "help": {"text": rule.cure},
        "defaultConfiguration": {"level": rule.severity},
    }


def _result(problem: Problem, seen: dict[str, int]) -> dict[str, Any]:
    measured = problem.measured
    properties: dict[str, Any] = {"function": problem.what}
    if problem.target:
        properties["target"] = problem.target
    if problem.cell is not None:
        properties["cell"] = problem.cell
        properties["cellLine"] = problem.line
    if measured is not None:
        properties |= {
            "level": measured.level,
            "run_id": measured.run_id,
            "task_id": measured.task_id,
            "standing": measured.standing,
            "tasks": measured.tasks,
            "passed": measured.passed,
        }
        if measured.ratio is not None:
            ratio = measured.ratio
            properties |= {"ratio": ratio.value, "ratioLow": ratio.low, "ratioHigh": ratio.high}
    for name in ("replacement", "reproduce"):
        if getattr(problem, name):
            properties[name] = getattr(problem, name)
    found: dict[str, Any] = {
        "ruleId": problem.rule,
        "ruleIndex": _INDEX[problem.rule],
        "level": problem.severity,
        "message": {"text": problem.message},
        "locations": [{"physicalLocation": _location(problem)}],
        "partialFingerprints": {FINGERPRINT: _fingerprint(problem, seen)},
        "properties": properties,
    }
    if problem.allowed is not None:
        found["suppressions"] = [{"kind": "inSource", "justification": problem.allowed or "no reason given"}]
    return found


def _location(problem: Problem) -> dict[str, Any]:
    lines = problem.file_line - problem.line
    return {
        "artifactLocation": _artefact(problem.path),
        "region": {
            "startLine": problem.file_line,
            "startColumn": problem.column,
            "endLine": problem.end_line + lines,
            "endColumn": problem.end_column,
            "snippet": {"text": problem.snippet},
        },
    }


def _artefact(path: str) -> dict[str, str]:
    return {"uri": quote(path), "uriBaseId": "SRCROOT"}


def _fingerprint(problem: Problem, seen: dict[str, int]) -> str:
    parts = "\x1f".join((problem.rule, problem.path, problem.what, problem.target, problem.snippet))
    seen[parts] = seen.get(parts, 0) + 1
    return hashlib.sha256(f"{parts}\x1f{seen[parts]}".encode()).hexdigest()[:32]

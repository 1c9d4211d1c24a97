"""The rules of a scan, their severities, and comments that allow a finding."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRule:
    """One rule: its id, a name for machines, what it says and how grave it is."""

    id: str
    name: str
    severity: Severity
    text: str
    cure: str


RULES: tuple[ScanRule, ...] = (
    ScanRule(
        id="ISO101",
        name="unsupported",
        severity="error",
        text="No measured call of this function worked on the target.",
        cure="Replace the function, or keep it on a device that has it.",
    ),
    ScanRule(
        id="ISO102",
        name="partial",
        severity="warning",
        text="Some measured calls of this function worked on the target and some failed.",
        cure="Compare your dtype and arguments with those that failed.",
    ),
    ScanRule(
        id="ISO103",
        name="fallback-only",
        severity="warning",
        text="The function works only because the work left the target without being asked to.",
        cure="Expect copies to and from the host; forbid falling back to see where it happens.",
    ),
    ScanRule(
        id="ISO104",
        name="wrong-numbers",
        severity="error",
        text="The function runs on the target but its numbers do not match the reference.",
        cure="Check with your own inputs before trusting results from there.",
    ),
    ScanRule(
        id="ISO105",
        name="slow",
        severity="warning",
        text="The function is slower on the target than the threshold allows.",
        cure="Time it at your own sizes: small inputs measure the cost of a call.",
    ),
    ScanRule(
        id="ISO106",
        name="hard-coded-device",
        severity="warning",
        text="The code names a device.",
        cure="Choose the device in one place and pass it on.",
    ),
    ScanRule(
        id="ISO107",
        name="custom-kernel",
        severity="warning",
        text="The code brings or imports kernels of its own, written for one kind of device.",
        cure="Keep a version in the framework's own functions beside it.",
    ),
    ScanRule(
        id="ISO108",
        name="no-evidence",
        severity="note",
        text="Nothing was measured of this function on the target; it is not counted as portable.",
        cure="Trace your script and run the trace on the target.",
    ),
    ScanRule(
        id="ISO109",
        name="differs-by-version",
        severity="note",
        text="The function worked under one version of the framework and not under another.",
        cure="Pin the version that works.",
    ),
)
RULE = {rule.id: rule for rule in RULES}
_ALLOW = re.compile(r"#\s*isoflop:\s*allow\[([A-Z0-9,\s]+)\]\s*(.*)$")


def allowed(lines: list[str]) -> dict[int, tuple[frozenset[str], str]]:
    """Return the rules allowed on each line, counted from 1, with the reason given.

    A comment on a line of its own speaks of the next line.

    Examples
    --------
    >>> allowed(["x.cuda()  # isoflop: allow[ISO106] one machine only"])
    {1: (frozenset({'ISO106'}), 'one machine only')}
    """
    found: dict[int, tuple[frozenset[str], str]] = {}
    for number, line in enumerate(lines, 1):
        if "isoflop:" not in line:
            continue
        match = _ALLOW.search(line)
        if match:
            ids = frozenset(part.strip() for part in match[1].split(",") if part.strip())
            alone = line.lstrip().startswith("#")
            found[number + 1 if alone else number] = (ids, match[2].strip())
    return found

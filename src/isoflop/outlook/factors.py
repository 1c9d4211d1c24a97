"""Months of algorithmic progress for every factor at hand: each pair of devices, each reading of the gain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from isoflop.findings import Finding
from isoflop.outlook.answer import Answer, answer
from isoflop.outlook.find import joined, months_question
from isoflop.outlook.model import Assumptions

SLOWDOWNS, GAINS = "portability.slowdown_median.", "routing.compute_equivalent_gain."


def factor_rows(
    findings: Iterable[Finding], *, assumptions: Assumptions | None = None
) -> list[dict[str, Any]]:
    """Return months by factor, the assumed slow-down and gain first.

    Beside the assumed slow-down stand the published pairs of devices: the ratio of two compilers or modes is
    no move. A factor below one gives months below zero: the move wins them.

    Returns
    -------
    list of dict
        kind (slow-down or gain), id, label, assumed, factor, value, low, high (months), reason.
    """
    chosen = assumptions or Assumptions()
    known = joined(findings, chosen)
    rows = [_row("slow-down", chosen.slowdown, known, chosen), _row("gain", chosen.gain, known, chosen)]
    beside = [
        ("slow-down" if id.startswith(SLOWDOWNS) else "gain", id)
        for id, finding in known.items()
        if id not in (chosen.slowdown, chosen.gain) and _counts(finding, known.get(chosen.slowdown))
    ]
    return [row for row in (*rows, *(_row(kind, id, known, chosen) for kind, id in beside)) if row["label"]]


def _counts(finding: Finding, headline: Finding | None) -> bool:
    if finding.id.startswith(GAINS):
        return finding.estimate.value is not None
    same = headline is not None and finding.label == headline.label
    return finding.id.startswith(SLOWDOWNS) and bool(finding.details.get("published")) and not same


def _row(kind: str, id: str, known: Mapping[str, Finding], chosen: Assumptions) -> dict[str, Any]:
    made: Answer = answer(months_question(id, id, "", kind, chosen), known, chosen, with_shares=False)
    finding = known.get(id)
    return {
        "kind": kind,
        "id": id,
        "label": None if finding is None else finding.label,
        "assumed": id in (chosen.slowdown, chosen.gain),
        "published": finding is not None and bool(finding.details.get("published")),
        "factor": None if finding is None else finding.estimate.value,
        "value": made.estimate.value,
        "low": made.estimate.low,
        "high": made.estimate.high,
        "reason": made.reason or None,
    }

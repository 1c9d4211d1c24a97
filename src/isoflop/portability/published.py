"""What the paper and its result files say, as findings that the same rules judge: labelled published.

The shares are recounts of the authors' result files under the paper's own rules; the share that summaries
state for PyTorch on the TPU rests on hand adjudication and carries no interval.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from isoflop.findings import Estimate, Finding, Provenance
from isoflop.portability.counted import share_finding

PAPER = "Mince et al. (2023), The Grand Illusion"
PAIR = ("torch", "gpu_t4", "tpu_v3")
"""Framework, source and target of the headline: the pair that the paper's figures are best known for."""
RECOUNT = "recount of the authors' result files under the paper's rules"
DOUBT = (
    "the timer on the TPU starts a step and does not wait for the device, calls are not warmed up and inputs "
    "are those of unit tests, so what a ratio measures is uncertain"
)
WAIT = f"{DOUBT[0].upper()}{DOUBT[1:]}. A run with a stated protocol cures it."
NAMES = (
    "One function is one test file, chosen by bare names: functions of one family are not independent. "
    "A sample of own functions under a design cures it."
)
_LABELS = {
    "slower": ("portability.share_slower", "functions slower on the target"),
    "over_10x": ("portability.share_over_10x", "functions over 10× slower on the target"),
}


@cache
def recounted_findings() -> tuple[Finding, ...]:
    """Return the aggregates of the result files that ship as facts: shares lost, slowed and over 10×.

    Examples
    --------
    >>> found = {f.id: f for f in recounted_findings()}
    >>> found["portability.share_over_10x"].details["count"], found["portability.failure_share"].n
    (35, 64)
    """
    from isoflop.evidence import load

    table = load("published_portability")
    rows = table.frame.to_dicts()
    evidence = (table.provenance(len(rows)),)
    headline: list[Finding] = []
    others: list[Finding] = []
    for row in rows:
        for finding in _of_row(row, rows, evidence):
            (others if finding.id.count(".") > 1 else headline).append(finding)
    return (*headline, *others)


@cache
def published_findings() -> tuple[Finding, ...]:
    """Return what the claims' rules read in the published column.

    The share of functions lost is the stated one; the share over 10× is counted in the authors' files.
    """
    from isoflop.evidence import load

    table = load("published_portability")
    stated = table.frame.filter(table.frame["measure"] == "stated_failing_share").to_dicts()
    over = tuple(f for f in recounted_findings() if f.id == "portability.share_over_10x")
    return (*(_stated(row, (table.provenance(1),)) for row in stated), *over)


def _of_row(
    row: dict[str, Any], rows: Iterable[dict[str, Any]], evidence: tuple[Provenance, ...]
) -> tuple[Finding, ...]:
    framework, source, target = row["framework"], row["source_target"], row["target"]
    measure = row["measure"]
    details: dict[str, Any] = {"framework": framework, "target": target, "level": "ran", "published": True}
    if measure == "failing":
        kinds = {r["measure"]: int(r["count"]) for r in rows if _same(r, row) and r["measure"] in _KINDS}
        return _variants(
            "portability.failure_share",
            (framework, target),
            (framework, target) == (PAIR[0], PAIR[2]),
            lambda name: share_finding(
                name,
                f"functions of {framework} that fail wholly or in part on {target}",
                int(row["count"]),
                int(row["functions"]),
                method=f"{RECOUNT}; a function is one test file, skipped tests left out",
                evidence=evidence,
                cautions=(NAMES,),
                details={**details, **kinds, "policy": "strict"},
            ),
        )
    details["source"] = source
    headline = (framework, source, target) == PAIR
    if measure in _LABELS:
        name, label = _LABELS[measure]
        return _variants(
            name,
            (framework, source, target),
            headline,
            lambda full: share_finding(
                full,
                f"{label}: {framework}, {source} to {target}",
                int(row["count"]),
                int(row["functions"]),
                method=f"{RECOUNT}; ratio of means of pooled calls",
                evidence=evidence,
                cautions=(WAIT, NAMES),
                details={**details, "doubts": [DOUBT]},
            ),
        )
    if measure == "slowdown_median":
        return _variants(
            "portability.slowdown_median",
            (framework, source, target),
            headline,
            lambda full: Finding(
                id=full,
                instrument="portability",
                label=f"median slow-down of functions: {framework}, {source} to {target}",
                estimate=Estimate(value=row["value"], low=row["low"], high=row["high"], level=0.95, unit="×"),
                method=f"{RECOUNT}; ratio of means of pooled calls",
                n=_functions(rows, row),
                evidence=evidence,
                cautions=(WAIT, NAMES),
                details={
                    **details,
                    "reason": "an interval needs the result files: isoflop portability paper",
                },
            ),
        )
    return ()


_KINDS = ("partial", "complete")


def _variants(name: str, qualifiers: tuple[str, ...], headline: bool, make: Any) -> tuple[Finding, ...]:
    """Return the finding under its qualified id, and under the plain one too if it is the headline."""
    full = ".".join((name, *qualifiers))
    return (make(name), make(full)) if headline else (make(full),)


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(one[key] == other[key] for key in ("framework", "source_target", "target"))


def _functions(rows: Iterable[dict[str, Any]], row: dict[str, Any]) -> int | None:
    counted = (r["functions"] for r in rows if _same(r, row) and r["functions"])
    return next((int(n) for n in counted), None)


def _stated(row: dict[str, Any], evidence: tuple[Provenance, ...]) -> Finding:
    return Finding(
        id="portability.failure_share",
        instrument="portability",
        label=f"functions of {row['framework']} that fail wholly or in part on {row['target']}, as stated",
        estimate=Estimate(value=row["value"], unit="1"),
        method="as summaries of the paper state it; no interval is printed",
        n=None,
        evidence=evidence,
        details={"framework": row["framework"], "target": row["target"], "level": "ran", "published": True},
    )

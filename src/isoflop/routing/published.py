"""What the paper prints, as findings that the same rules judge: beside ours, never mixed in.

We have read the paper's abstract; its table of 29 HELM tasks is known from a secondary page (mark [S]),
without intervals. Results for each prompt of HELM are not at hand, so the protocol is reproduced and the
table is not.
"""

from __future__ import annotations

from isoflop.findings import Estimate, Finding, Provenance

PAPER = "Shnitzer et al. (2023), LLM Routing with Benchmark Datasets"
TASKS = 29
S3_SCORE, BEST_ON_AVERAGE_SCORE = 0.694, 0.688
"""Mean accuracy over the HELM tasks [S]."""
_EVIDENCE = Provenance(
    name="published figures",
    source="Shnitzer et al., arXiv 2309.15789, as stated by a secondary page",
    kind="published",
    rows_used=0,
    rows_dropped=0,
    fingerprint="",
)


def published_findings() -> tuple[Finding, ...]:
    """Return the printed figures under the ids that the rules read.

    Examples
    --------
    >>> [f.estimate.value for f in published_findings()]
    [0.694, 0.688, 0.006]
    """
    gain = round(S3_SCORE - BEST_ON_AVERAGE_SCORE, 3)
    return (
        _finding("routing.s3_score", "mean score of the paper's router", S3_SCORE),
        _finding(
            "routing.best_on_average_score", "mean score of the best model on average", BEST_ON_AVERAGE_SCORE
        ),
        _finding("routing.selector_gain", "the paper's router less the best model on average", gain),
    )


def _finding(name: str, label: str, value: float) -> Finding:
    return Finding(
        id=name,
        instrument="routing",
        label=f"{label}, {TASKS} HELM tasks",
        estimate=Estimate(value=value, unit="1"),
        method="as a secondary page states it [S]; no interval is printed",
        n=TASKS,
        evidence=(_EVIDENCE,),
    )

"""What summaries of the paper print, as findings that the same rules judge: beside ours, never mixed in.

We have read the paper's abstract and part of its supplement; its figures below are as third parties
state them (mark [S]), without intervals and under a definition of "large" that we do not know.
"""

from __future__ import annotations

from isoflop.findings import Estimate, Finding, Provenance

PAPER = "Besiroglu et al. (2024), The Compute Divide in Machine Learning"
SHARE_FIRST, SHARE_LAST = 0.65, 0.10
"""Academic-only share of large models in the early 2010s and the early 2020s [S]."""
DOUBLING_MONTHS = 6.0
"""Doubling time of training compute [S]."""
INDUSTRY_2022 = 0.81
"""Industry-only share of large models in 2022 [S]."""
_EVIDENCE = Provenance(
    name="published figures",
    source="Besiroglu et al., arXiv 2401.02452, as stated by summaries",
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
    [0.65, 0.1, 6.0, 0.81]
    """
    shares = "academia-only share of large models"
    return (
        _finding("divide.academia_share_first", f"{shares}, early 2010s", SHARE_FIRST, "1"),
        _finding("divide.academia_share_last", f"{shares}, early 2020s", SHARE_LAST, "1"),
        _finding(
            "divide.doubling_time_months_all", "doubling time of training compute", DOUBLING_MONTHS, "months"
        ),
        _finding(
            "divide.industry_share.2022", "industry-only share of large models, 2022", INDUSTRY_2022, "1"
        ),
    )


def _finding(name: str, label: str, value: float, unit: str) -> Finding:
    return Finding(
        id=name,
        instrument="divide",
        label=label,
        estimate=Estimate(value=value, unit=unit),
        method="as a summary states it [S]; no interval is printed",
        n=None,
        evidence=(_EVIDENCE,),
    )

"""The paper's two claims as rules over findings: any reader can apply them by hand.

Both rules read the headline pair of devices. A share of functions that merely lower or trace elsewhere is
never judged: it bounds a failure share from below and says nothing of speed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from isoflop.findings import Claim, ClaimRule, Finding, Verdict
from isoflop.portability.published import PAPER, published_findings
from isoflop.present import formats

FAILURE, OVER = "portability.failure_share", "portability.share_over_10x"
MEDIAN = "portability.slowdown_median"
LOST = 0.40
"""Share of functions that the paper says a framework can lose."""
EXTREME = 0.10
"""The claim is about what can happen: it needs more functions over ten times than one in ten."""
RUN_LEVELS = ("ran", "agreed")


def _loses(found: Mapping[str, Finding]) -> tuple[Verdict, str]:
    finding = found[FAILURE]
    share = finding.estimate
    assert share.value is not None  # ClaimRule.verdict has sorted out missing values
    said = f"{_pair(finding)}: {_share(finding)} of functions fail wholly or in part"
    if finding.details.get("level", "ran") not in RUN_LEVELS:
        return "not_identified", f"{said}, but nothing was run there."
    bound = formats.percent(LOST)
    if share.low is None or share.high is None:
        over = share.value > LOST
        return (
            ("holds_with_caution", f"{said}, above {bound}, printed without an interval.")
            if over
            else ("does_not_hold", f"{said}, at most {bound}.")
        )
    if share.low > LOST:
        return "holds", f"{said}: the whole interval lies above {bound}."
    if share.value > LOST:
        return "holds_with_caution", f"{said}: above {bound}, though the interval reaches below it."
    if share.high <= LOST:
        return "does_not_hold", f"{said}: the whole interval lies at or below {bound}."
    return "not_identified", f"{said}: the interval holds {bound}."


def _extreme(found: Mapping[str, Finding]) -> tuple[Verdict, str]:
    finding = found[OVER]
    share, details = finding.estimate, finding.details
    assert share.value is not None
    said = f"{_pair(finding)}: {_share(finding)} of functions that run on both are over 10× slower"
    bound = formats.percent(EXTREME)
    if share.high is not None and share.high <= EXTREME:
        return "does_not_hold", f"{said}: the whole interval lies at or below {bound}."
    if share.low is None or share.low <= EXTREME:
        return "not_identified", f"{said}: the interval reaches {bound} or is not given."
    doubts = list(details.get("doubts", ()))
    lowest = details.get("grid_low")
    if lowest is not None and lowest <= EXTREME:
        doubts.append(f"one defensible way of counting gives {formats.percent(lowest)}")
    if doubts:
        return "holds_with_caution", f"{said}; but {'; '.join(doubts)}."
    return "holds", f"{said}: the whole interval lies above {bound}."


def _share(finding: Finding) -> str:
    share = finding.estimate
    assert share.value is not None
    said = formats.percent(share.value)
    if share.low is None or share.high is None:
        return said
    return f"{said} ({formats.percent(share.low)} to {formats.percent(share.high)})"


def _pair(finding: Finding) -> str:
    details = finding.details
    devices = [str(details[key]) for key in ("source", "target") if details.get(key)]
    return " ".join([str(details.get("framework", "")), " to ".join(devices)]).strip() or "headline pair"


CLAIMS: tuple[ClaimRule, ...] = (
    ClaimRule(
        id="portability.loses_over_40_percent",
        paper=PAPER,
        text="A framework can lose more than 40 % of its key functions when moved to another device.",
        rule="Holds if the interval of the failure share of the headline pair lies above 40 %, with caution "
        "if only the point does or no interval is given; fails if it lies at or below 40 %; undecided "
        "otherwise, or where nothing was run on the device.",
        finding_ids=(FAILURE,),
        judge=_loses,
        would_change="More functions narrow the interval: 64 cannot tell 40 % from 60 %. Your own run on "
        "both devices does (isoflop portability run, then shares), under a stated policy on falling back.",
    ),
    ClaimRule(
        id="portability.extreme_slowdown",
        paper=PAPER,
        text="Where functions do move, the slow-down can be extreme: more than ten times.",
        rule="Holds if the interval of the share of functions over 10× lies above 10 %, with caution if the "
        "timing is in doubt or some defensible way of counting falls to 10 % or less; fails if the interval "
        "lies at or below 10 %; undecided otherwise.",
        finding_ids=(OVER,),
        judge=_extreme,
        would_change="Timings that warm up, wait for the device and use inputs larger than a unit test's: "
        "isoflop portability run --timing full on a computer that has both devices, then slowdown.",
    ),
)


def judge(findings: Iterable[Finding]) -> tuple[Claim, ...]:
    """Return the verdict of each claim on these findings, beside the published figures."""
    findings = tuple(findings)
    published = published_findings()
    return tuple(rule.apply(findings, published) for rule in CLAIMS)

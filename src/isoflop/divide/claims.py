"""The paper's three claims as rules over findings: any reader can apply them by hand.

A rule reads values, intervals and what sort of evidence they rest on. Shares of a hand-picked table are
the choice of those who picked, so on such a table a claim about a change of shares over years is never
decided, and one that compares shares within the same years holds with caution at best.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from isoflop.divide.published import PAPER, SHARE_FIRST, SHARE_LAST, published_findings
from isoflop.findings import Claim, ClaimRule, Finding, Verdict
from isoflop.present import formats

DECILES = "divide.decile_correlation.academia"
FOUNDATION, SELF_SUPERVISED = "divide.foundation_ratio.academia", "divide.self_supervised_ratio.academia"
FIRST, LAST = "divide.academia_share_first", "divide.academia_share_last"
TREND, BASES = "divide.industry_base_trend_z", "divide.industry_base_share"
GROWTH = "divide.adoption_growth"
RISES = 1.96
"""A test statistic above this lies outside the middle 95 % of what no trend would give."""
FELL = formats.percent(SHARE_FIRST), formats.percent(SHARE_LAST)
PICKED = "the rows were picked by hand, so their shares are the choice of those who picked"


def _less_in_intensive(found: Mapping[str, Finding]) -> tuple[Verdict, str]:
    deciles, foundation = found[DECILES].estimate, found[FOUNDATION].estimate
    said = (
        f"rank correlation of compute above trend and academia's share: {formats.finding(found[DECILES])}; "
        f"academia's share of foundation models over its usual share: {formats.finding(found[FOUNDATION])}"
    )
    if _above(deciles.low, 0.0) or _above(foundation.low, 1.0):
        return "does_not_hold", f"{said}: one interval lies on the other side."
    settled = _below(deciles.high, 0.0), _below(foundation.high, 1.0)
    if not any(settled):
        return "not_identified", f"{said}: neither has an interval that excludes no difference."
    doubts = []
    if not all(settled):
        doubts.append("an interval reaches no difference")
    other = found.get(SELF_SUPERVISED)
    if other is not None and foundation.value is not None and _below(other.estimate.value, foundation.value):
        doubts.append(f"self-supervised systems have a lower ratio still ({formats.finding(other)})")
    if _picked(found[DECILES]):
        doubts.append(PICKED)
    if _above(deciles.value, 0.0) or _above(foundation.value, 1.0):
        return "not_identified", f"{said}: the two do not point the same way, and neither is decided."
    if doubts:
        return "holds_with_caution", f"{said}; but {'; '.join(doubts)}."
    return "holds", f"{said}: both intervals exclude no difference."


def _fell(found: Mapping[str, Finding]) -> tuple[Verdict, str]:
    first, last = found[FIRST].estimate, found[LAST].estimate
    assert first.value is not None  # ClaimRule.verdict has sorted out missing values
    assert last.value is not None
    said = f"{formats.finding(found[FIRST])}, then {formats.finding(found[LAST])}"
    if _picked(found[LAST]):
        return "not_identified", f"{said}; {PICKED}."
    if first.low is None or last.high is None or first.high is None or last.low is None:
        if first.value > last.value:
            return "holds_with_caution", f"{said}, printed without intervals or the definition of large."
        return "does_not_hold", f"{said}: no fall."
    if last.low > first.high:
        return "does_not_hold", f"{said}: the share rose."
    if last.high >= first.low:
        return "not_identified", f"{said}: the intervals overlap."
    bounds = found[LAST].details.get("unknown_bounds"), found[FIRST].details.get("unknown_bounds")
    if bounds[0] and bounds[1] and bounds[0][1] >= bounds[1][0]:
        return "not_identified", f"{said}; were unknown teams academic at the end, there would be no fall."
    if first.low <= SHARE_FIRST <= first.high and last.low <= SHARE_LAST <= last.high:
        return (
            "holds",
            f"{said}: the intervals are disjoint and include {FELL[0]} and {FELL[1]}.",
        )
    return "holds_with_caution", f"{said}: a fall, though not from {FELL[0]} to {FELL[1]}."


def _shifts(found: Mapping[str, Finding]) -> tuple[Verdict, str]:
    trend = found[TREND].estimate.value
    assert trend is not None  # ClaimRule.verdict has sorted out missing values
    said = (
        f"academic systems with a known base stand on an industry-only one in {formats.finding(found[BASES])}"
        f"; trend over years z = {formats.number(trend)}"
    )
    if _picked(found[TREND]):
        return "not_identified", f"{said}; {PICKED}."
    papers = found.get(GROWTH)
    if papers is not None and papers.estimate.value is not None:
        said += (
            f"; mentions by academic papers grew {formats.finding(papers)} at a fixed mix of venues, "
            "and a mention is not use"
        )
    if trend < -RISES:
        return "does_not_hold", f"{said}: fewer, not more."
    if trend <= RISES:
        return "not_identified", f"{said}: no clear trend."
    if papers is not None and _above(papers.estimate.low, 1.0):
        return "holds_with_caution", f"{said}; bases were noted more carefully in later years."
    return (
        "not_identified",
        f"{said}; bases were noted more carefully in later years, and no papers confirm it.",
    )


def _picked(finding: Finding) -> bool:
    return any(one.kind == "embedded" for one in finding.evidence)


def _above(bound: float | None, line: float) -> bool:
    return bound is not None and bound > line


def _below(bound: float | None, line: float) -> bool:
    return bound is not None and bound < line


CLAIMS: tuple[ClaimRule, ...] = (
    ClaimRule(
        id="divide.academia_less_in_compute_intensive",
        paper=PAPER,
        text="Academic-only teams are less represented in compute-intensive topics, most of all foundation "
        "models.",
        rule="Holds if academia's share falls with compute above trend (interval of the rank correlation "
        "below 0) and its share of foundation models over its usual share has an interval below 1; with "
        "caution if one of the two reaches no difference, another group has a lower ratio, or the rows "
        "were picked by hand; not identified if both do.",
        finding_ids=(DECILES, FOUNDATION),
        judge=_less_in_intensive,
        would_change="Papers with their topics and teams: `isoflop divide represent`, or all of OpenAlex by "
        "`isoflop divide extract`.",
    ),
    ClaimRule(
        id="divide.academia_share_fell",
        paper=PAPER,
        text="The academic-only share of large systems fell from about 65 % to about 10 %.",
        rule=f"Holds if the intervals of the two periods are disjoint, the second lower, they include "
        f"{FELL[0]} and {FELL[1]}, and unknown teams cannot undo the fall; with caution if it fell "
        "between other shares; not identified on rows picked by hand.",
        finding_ids=(FIRST, LAST),
        judge=_fell,
        would_change="A table of systems that was not picked by hand, with few unknown teams and the paper's "
        "definition of large.",
    ),
    ClaimRule(
        id="divide.shift_to_open_industry_models",
        paper=PAPER,
        text="Academic work shifts to open, pre-trained models of industry.",
        rule="With caution if the share of academic systems on an industry base rises over years (z > "
        f"{RISES:g}) and mentions by academic papers grow at a fixed mix of venues (interval above 1); "
        "does not hold if it falls; not identified on rows picked by hand, or without papers.",
        finding_ids=(TREND, BASES),
        judge=_shifts,
        would_change="Papers that say what they used, not what they mention: full texts, or citations of the "
        "models' papers.",
    ),
)


def judge(findings: Iterable[Finding]) -> tuple[Claim, ...]:
    """Return every claim's verdict on these findings beside the published figures."""
    findings = tuple(findings)
    published = published_findings()
    return tuple(rule.apply(findings, published) for rule in CLAIMS)

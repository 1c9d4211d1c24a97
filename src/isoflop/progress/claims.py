"""The paper's three claims as rules over findings: any reader can apply them by hand.

A rule reads values and intervals and nothing else, so that the published figures and the figures
of any other evidence are judged alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from isoflop.findings import Claim, ClaimRule, Finding, Verdict
from isoflop.present import formats
from isoflop.progress.halving import months_text
from isoflop.progress.published import PAPER, published_findings
from isoflop.progress.result import TWO_BASINS_OBJECTIVE, tells_another_story

CLAIMED_MONTHS = 8.0
CLAIMED_RANGE = (5.0, 14.0)
ABOUT_RANGE = (4.0, 17.0)
""""About 5 to 14": either end may lie a fifth of itself outside."""

_TIME, _MOORE, _SHARE = "progress.halving_time_months", "progress.ratio_to_moore", "progress.compute_share"
_HARDWARE = "progress.ratio_to_hardware"


def _halves(found: Mapping[str, Finding]) -> tuple[Verdict, str]:
    finding = found[_TIME]
    value, low, high = _numbers(finding)
    said = formats.finding(finding)
    first, last = CLAIMED_RANGE
    inside = first <= value <= last
    if finding.estimate.interval != "closed":
        return "not_identified", f"{said}: the interval has an open end."
    if low is None or high is None:
        if inside:
            return "holds_with_caution", f"{said} lies within {first:g} to {last:g}, but has no interval."
        return "does_not_hold", f"{said} lies outside {first:g} to {last:g}, and has no interval."
    if high < first or low > last:
        return "does_not_hold", f"the whole interval, {said}, lies outside {first:g} to {last:g} months."
    if not inside or not low <= CLAIMED_MONTHS <= high:
        missed = "its point does not lie within 5 to 14" if not inside else "it leaves out 8"
        return "not_identified", f"{said} overlaps {first:g} to {last:g} months, but {missed}."
    doubts = []
    if not (ABOUT_RANGE[0] <= low and high <= ABOUT_RANGE[1]):
        doubts.append(f"the interval reaches outside {ABOUT_RANGE[0]:g} to {ABOUT_RANGE[1]:g} months")
    rivals = rival_times(finding)
    if rivals:
        told = " and ".join(months_text(time) for time in rivals)
        doubts.append(f"a second explanation fits almost equally ({told})")
    if doubts:
        return "holds_with_caution", f"{said} contains {CLAIMED_MONTHS:g}, but {' and '.join(doubts)}."
    return "holds", f"{said} contains {CLAIMED_MONTHS:g} and is about as wide as claimed."


def _faster(found: Mapping[str, Finding]) -> tuple[Verdict, str]:
    verdicts = [_above(found[name], 1.0, what) for name, what in (
        (_MOORE, "a doubling in 24 months"),
        (_HARDWARE, "cheaper hardware"),
    ) if name in found and found[name].estimate.value is not None]  # fmt: skip
    # The weaker of the two comparisons decides.
    order: tuple[Verdict, ...] = ("does_not_hold", "not_identified", "holds_with_caution", "holds")
    verdict = min((v for v, _ in verdicts), key=order.index)
    return verdict, "; ".join(why for _, why in verdicts) + "."


def _more(found: Mapping[str, Finding]) -> tuple[Verdict, str]:
    verdict, why = _above(found[_SHARE], 0.5, "one half", is_share=True)
    return verdict, why + "."


def _above(finding: Finding, bar: float, what: str, *, is_share: bool = False) -> tuple[Verdict, str]:
    """Return whether value and interval lie above a bar."""
    value, low, high = _numbers(finding)
    said = f"{'the share' if is_share else 'the ratio to ' + what} is {formats.finding(finding)}"
    against = f"{what if is_share else f'{bar:g}'}"
    if finding.estimate.interval == "two_pieces":
        return "not_identified", f"{said}: the interval is in two pieces"
    if high is not None and high < bar:
        return "does_not_hold", f"{said}, all below {against}"
    if low is not None and low > bar:
        return "holds", f"{said}, all above {against}"
    if low is None and high is None:
        verdict: Verdict = "holds_with_caution" if value > bar else "does_not_hold"
        return verdict, f"{said}, without an interval"
    if value > bar:
        return "holds_with_caution", f"{said}: above {against}, but the interval reaches it"
    return "not_identified", f"{said}: not above {against}, and the interval does not decide"


def _numbers(finding: Finding) -> tuple[float, float | None, float | None]:
    estimate = finding.estimate
    assert estimate.value is not None  # ClaimRule.verdict has sorted out missing values
    return estimate.value, estimate.low, estimate.high


def rival_times(finding: Finding) -> list[float | None]:
    """Return halving times of further minima that fit almost equally and tell another story.

    None is a minimum without a halving time, as where it has no progress.
    """
    best, *others = finding.details.get("minima") or [{}]
    return [
        other["halving_time_months"]
        for other in others
        if other["objective_above_best"] <= TWO_BASINS_OBJECTIVE
        and tells_another_story(other["halving_time_months"], best["halving_time_months"])
    ]


CLAIMS: tuple[ClaimRule, ...] = (
    ClaimRule(
        id="progress.halves_in_8_months",
        paper=PAPER,
        text="The compute needed for a set performance halves about every 8 months, 95 % interval about 5 "
        "to 14.",
        rule="Holds if the halving time lies within 5 to 14 months, its interval contains 8 and lies within "
        "4 to 17, and no second minimum within 0.002 of the best objective differs by more than 25 %. With "
        "caution if the interval is wider than that, is missing, or a second minimum does. Does not hold if "
        "the whole interval lies outside 5 to 14. Otherwise not identified: an interval that is open, that "
        "leaves out 8, or whose point lies outside 5 to 14 while it overlaps them.",
        finding_ids=(_TIME,),
        judge=_halves,
        would_change="A reason, from outside these data, for one of the minima; rows on which they predict "
        "different losses (large models on little data and small models on much data, published after "
        "2020); or a table in which every row carries its own benchmark's perplexity.",
    ),
    ClaimRule(
        id="progress.faster_than_moore",
        paper=PAPER,
        text="Algorithms make compute go further faster than hardware gains (a doubling in two years).",
        rule="Holds if the whole interval of the rate over ln2/2 per year lies above 1 and, where hardware "
        "prices are at hand, that of the rate over the growth of FLOP/s per dollar does too. With caution "
        "if both ratios are above 1 and an interval reaches it. Does not hold if an interval lies below 1. "
        "Otherwise not identified. The weaker of the two comparisons decides.",
        finding_ids=(_MOORE,),
        judge=_faster,
        would_change="A certified minimum with a halving time near 24 months; or prices of hardware of one "
        "kind that fall faster than those listed here.",
    ),
    ClaimRule(
        id="progress.compute_contributed_more",
        paper=PAPER,
        text="Growth of compute contributed more to progress than better algorithms.",
        rule="Holds if the whole interval of the share of parameters and data in the gain from RNN to GPT-3 "
        "(Shapley value) lies above one half. With caution if the share is above one half and the "
        "interval reaches it, or there is none. Does not hold if the interval lies below one half. "
        "Otherwise not identified.",
        finding_ids=(_SHARE,),
        judge=_more,
        would_change="Another pair of systems, another value (ln loss or effective compute instead of "
        "loss), or systems that differ in date but not in size.",
    ),
)


def judge(findings: Iterable[Finding]) -> tuple[Claim, ...]:
    """Return the three claims as judged on these findings, beside the published figures."""
    known = tuple(findings)
    return tuple(rule.apply(known, published_findings()) for rule in CLAIMS)

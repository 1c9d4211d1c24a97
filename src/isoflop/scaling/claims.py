"""The paper's six claims as rules over findings: any reader can apply them by hand.

A rule reads values and intervals and nothing else, so that the published figures and the figures of
any other evidence are judged alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from isoflop.findings import Claim, ClaimRule, Finding, Verdict
from isoflop.present import formats
from isoflop.scaling.published import PAPER, published_findings

ALIKE = 0.1
"""Exponents that differ by less count as alike; the published ones have standard deviations of .1 to .3."""
RESEMBLES = (0.5, 2.0)
"""A ratio of exponents within a factor of two."""
BY_CHANCE = 0.05
"""Share of studies that may show a threshold at the false discovery rate of the tests."""

HALF = 0.5

DATA, SIZE = "scaling.exponent_data_robotics", "scaling.exponent_model_size_robotics"
COMPUTE = "scaling.exponent_compute_robotics"
CLASSES = "scaling.class_difference_robotics"
VISION = "scaling.exponent_ratio_robotics_vision"
FAMILIAR = "scaling.familiarity_difference_data_robotics"
CURVED, TARGET = "scaling.diminishing_share.curvature", "scaling.diminishing_share.target"
THRESHOLDS, ZEROS = "scaling.emergence_share", "scaling.zero_then_positive_share"


def _apply(found: Mapping[str, Finding]) -> tuple[Verdict, str]:
    parts = {"data": DATA, "model size": SIZE}
    if COMPUTE in found and found[COMPUTE].estimate.value is not None:
        parts["compute"] = COMPUTE
    said, clear, against, doubtful = [], [], [], []
    for word, name in parts.items():
        value, low, high = _numbers(found[name])
        said.append(f"{word} {formats.finding(found[name])}")
        clear.append(value < 0 and high is not None and high < 0)
        against.append(low is not None and low > 0)
        doubtful.append(value >= 0)
    text = "; ".join(said)
    if any(against):
        return "does_not_hold", f"error does not fall with every resource: {text}."
    if all(clear) and "compute" in parts:
        return "holds", f"every exponent lies below 0: {text}."
    if any(doubtful):
        return "not_identified", f"not every exponent points below 0: {text}."
    doubts = []
    if not all(clear):
        doubts.append("an interval reaches 0 or is missing")
    if "compute" not in parts:
        doubts.append("no compute study here")
    return "holds_with_caution", f"error falls ({text}), but {' and '.join(doubts)}."


def _alike(found: Mapping[str, Finding]) -> tuple[Verdict, str]:
    value, low, high = _numbers(found[CLASSES])
    said = f"robot foundation models minus LLMs: {formats.finding(found[CLASSES])}"
    if low is None or high is None:
        return "not_identified", f"{said}, without an interval."
    if low >= -ALIKE and high <= ALIKE:
        return "holds", f"{said}, within ± {ALIKE:g}."
    if low > 0 or high < 0:
        if abs(value) <= ALIKE:
            return "holds_with_caution", f"{said}: not 0, but the difference is less than {ALIKE:g}."
        return "does_not_hold", f"{said}: the interval excludes 0."
    return "not_identified", f"{said}: 0 is not excluded, and neither are differences beyond ± {ALIKE:g}."


def _resembles(found: Mapping[str, Finding]) -> tuple[Verdict, str]:
    _, low, high = _numbers(found[VISION])
    said = f"error rate over error rate, robotics is {formats.finding(found[VISION])} vision's exponent"
    rest = (
        "language is measured in cross-entropy, so whether robotics exceeds it is not a question of numbers."
    )
    least, most = RESEMBLES
    if low is None or high is None:
        return "not_identified", f"{said}, without a closed interval; {rest}"
    if low >= least and high <= most:
        return "holds_with_caution", f"{said}, within a factor of two; {rest}"
    if high < least or low > most:
        return "does_not_hold", f"{said}, beyond a factor of two; {rest}"
    return "not_identified", f"{said}: the interval reaches beyond a factor of two; {rest}"


def _familiar(found: Mapping[str, Finding]) -> tuple[Verdict, str]:
    finding = found[FAMILIAR]
    _, low, high = _numbers(finding)
    said = f"unseen minus seen: {formats.finding(finding)}"
    if low is None or high is None:
        return "not_identified", f"{said}, without an interval."
    if high < 0:
        return "does_not_hold", f"{said}: unseen tasks improve faster."
    if low <= 0:
        return "not_identified", f"{said}: the interval reaches 0."
    within = finding.details.get("within_papers")
    if within and within.get("low") is not None and within["low"] > 0:
        return "holds", f"{said}, also within papers that report both."
    return "holds_with_caution", f"{said}, but between papers: tasks and papers differ with familiarity."


def _diminish(found: Mapping[str, Finding]) -> tuple[Verdict, str]:
    _, low, high = _numbers(found[CURVED])
    counts = found[CURVED].details.get("counts") or {}
    studies = sum(counts.values())
    undecided = counts.get("not_distinguished", 0)
    said = f"by curvature, {formats.finding(found[CURVED])} of studies flatten in log-log terms"
    if studies:
        said += f"; {undecided} of {studies} are too small to tell a bend from a straight line"
    if TARGET in found and found[TARGET].estimate.value is not None:
        said += f"; in {formats.finding(found[TARGET])} 90 % success is out of reach"
    said += ". An exponent in (0, 1) is no evidence: every power law has one."
    if low is None or high is None:
        return "not_identified", said
    if low > HALF:
        return "holds", said
    if high < HALF and studies and undecided < HALF * studies:
        return "does_not_hold", said
    return "not_identified", said


def _emerge(found: Mapping[str, Finding]) -> tuple[Verdict, str]:
    _, low, high = _numbers(found[THRESHOLDS])
    verdicts = found[THRESHOLDS].details.get("verdicts") or {}
    studies, undecided = sum(verdicts.values()), verdicts.get("undetermined", 0)
    said = (
        f"a threshold is supported in {formats.finding(found[THRESHOLDS])} of studies, while "
        f"{formats.finding(found[ZEROS])} start at zero and are positive later"
    )
    if low is None or high is None:
        return "not_identified", f"{said}; no interval."
    if low > BY_CHANCE:
        return "holds", f"{said}: more than {formats.percent(BY_CHANCE)} by chance."
    if undecided >= HALF * studies:
        return "not_identified", (
            f"{said}; {undecided} of {studies} studies are too small to decide, and "
            f"{verdicts.get('sharp_by_sampling', 0)} zeros are what few trials give."
        )
    if high < BY_CHANCE:
        return "does_not_hold", (
            f"{said}: thresholds are no more frequent than the tests' false discoveries "
            f"({formats.percent(BY_CHANCE)})."
        )
    return "not_identified", f"{said}: the interval includes {formats.percent(BY_CHANCE)}."


def _numbers(finding: Finding) -> tuple[float, float | None, float | None]:
    estimate = finding.estimate
    assert estimate.value is not None  # ClaimRule.verdict has sorted out missing values
    return estimate.value, estimate.low, estimate.high


CLAIMS: tuple[ClaimRule, ...] = (
    ClaimRule(
        id="scaling.laws_apply",
        paper=PAPER,
        text="In robotics, error falls with data, model size and compute, for robot foundation models and "
        "for LLMs used in robotics.",
        rule="Holds if the pooled exponents of data, model size and compute, over all classes of model, have "
        "intervals below 0; with caution if all point below 0 but an interval reaches it or no compute study "
        "is at hand; does not hold if an interval lies above 0.",
        finding_ids=(DATA, SIZE),
        judge=_apply,
        would_change="Compute studies of more than one paper: the published ones all come from a single "
        "paper.",
    ),
    ClaimRule(
        id="scaling.rfm_like_llm",
        paper=PAPER,
        text="Exponents of robot foundation models match those of LLMs used in robotics.",
        rule=f"Holds if the interval of the difference lies within ± {ALIKE:g}; does not hold if it excludes "
        f"0 and the difference exceeds {ALIKE:g}; otherwise the evidence does not decide.",
        finding_ids=(CLASSES,),
        judge=_alike,
        would_change="Studies that scale both kinds of model on the same tasks.",
    ),
    ClaimRule(
        id="scaling.like_vision_above_language",
        paper=PAPER,
        text="Exponents in robotics resemble those of vision and exceed those of language.",
        rule="Only error rates are compared with error rates: at best with caution, if the interval of the "
        "ratio to vision lies within a factor of two. Cross-entropies of language are another quantity.",
        finding_ids=(VISION,),
        judge=_resembles,
        would_change="Language exponents in error rates on like tasks, with their spread.",
    ),
    ClaimRule(
        id="scaling.familiar_scales_better",
        paper=PAPER,
        text="Seen tasks scale more efficiently than unseen ones.",
        rule="Holds if the exponent of unseen minus that of seen tasks lies above 0, between and within "
        "papers; with caution if only between papers.",
        finding_ids=(FAMILIAR,),
        judge=_familiar,
        would_change="Papers that report seen and unseen conditions of the same policies.",
    ),
    ClaimRule(
        id="scaling.diminishing_returns",
        paper=PAPER,
        text="Most studies show diminishing returns.",
        rule="Holds if more than half of studies (interval) flatten in log-log terms; does not hold if fewer "
        "do and most studies can tell; an exponent between 0 and 1 is not counted.",
        finding_ids=(CURVED,),
        judge=_diminish,
        would_change="More than four scales a study, over more than one decade: three points hardly show a "
        "bend.",
    ),
    ClaimRule(
        id="scaling.emergence",
        paper=PAPER,
        text="New capabilities appear with scale.",
        rule=f"Holds if a threshold is supported against a smooth rise in more than {BY_CHANCE:.0%} of "
        "studies (interval), after sampling and metric explanations; does not hold if fewer do and most "
        "studies can tell.",
        finding_ids=(THRESHOLDS, ZEROS),
        judge=_emerge,
        would_change="More trials at each scale: with 10 trials a true success of 5 % shows zero in 60 % of "
        "cases.",
    ),
)


def judge(findings: Iterable[Finding]) -> tuple[Claim, ...]:
    """Return every claim's verdict on these findings beside the published figures."""
    findings = tuple(findings)
    published = published_findings()
    return tuple(rule.apply(findings, published) for rule in CLAIMS)

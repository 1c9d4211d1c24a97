"""The paper's three claims as rules over findings: any reader can apply them by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from isoflop.findings import Claim, ClaimRule, Finding, Verdict
from isoflop.present import formats
from isoflop.routing.published import PAPER, published_findings

HARDEST = "routing.tasks_lost_by_hardest_model"
GAIN, SELECTOR, HINDSIGHT = "routing.selector_gain", "routing.selector_score", "routing.best_fixed_score"
S3_GAIN = "routing.s3_gain"
LOSS = "routing.predictor_loss_out_of_distribution"
CHOSEN = "tasks and models were chosen to show the instrument, so they speak of no others"
FEW_TASKS = 8
"""Below this an interval over tasks rests on too few of them."""


def _no_winner(found: Mapping[str, Finding]) -> tuple[Verdict, str]:
    hardest = found[HARDEST]
    lost, leaders = hardest.estimate.value or 0.0, hardest.details["leaders"]
    said = (
        f"the model hardest to beat, {hardest.details['model']}, is beaten beyond chance on {lost:g} of "
        f"{hardest.n} tasks; {len(leaders)} of {hardest.details['models']} models lead somewhere by their "
        "means"
    )
    if lost >= 1:
        return _at_most_with_caution(hardest, f"{said}")
    if len(leaders) == 1:
        return "does_not_hold", f"{said}: one model leads everywhere."
    return "not_identified", f"{said}: the leads of others are such as luck gives."


def _beats(found: Mapping[str, Finding]) -> tuple[Verdict, str]:
    gain = found[GAIN]
    value, low, high = gain.estimate.value, gain.estimate.low, gain.estimate.high
    assert value is not None  # ClaimRule.verdict has sorted out missing values
    said = f"router less the best model on average: {formats.finding(gain)} over {gain.n} tasks"
    if S3_GAIN in found:
        said += f"; the paper's own score: {formats.finding(found[S3_GAIN])}"
    if low is None or high is None:
        verdict: Verdict = "holds_with_caution" if value > 0 else "does_not_hold"
        return verdict, f"{said}, printed without an interval."
    if high < 0:
        return "does_not_hold", f"{said}: worse."
    if low <= 0:
        return "not_identified", f"{said}: the interval includes no gain."
    doubts = []
    if gain.n is not None and gain.n < FEW_TASKS:
        doubts.append(f"the interval rests on {gain.n} tasks")
    reached, fixed = (found[i].estimate.value if i in found else None for i in (SELECTOR, HINDSIGHT))
    if reached is not None and fixed is not None and reached < fixed:
        doubts.append("one model, chosen in hindsight, would have done better")
    if doubts:
        return "holds_with_caution", f"{said}; but {'; '.join(doubts)}."
    return _at_most_with_caution(gain, f"{said}: the interval excludes no gain")


def _limits(found: Mapping[str, Finding]) -> tuple[Verdict, str]:
    loss = found[LOSS]
    low, high = loss.estimate.low, loss.estimate.high
    said = (
        "accuracy that the predictors of correctness lose when the pool has no prompt of the task's own "
        f"benchmark: {formats.finding(loss)} over {loss.n} tasks"
    )
    if low is None or high is None:
        return "not_identified", f"{said}, without an interval."
    if high < 0:
        return "does_not_hold", f"{said}: none is lost."
    if low <= 0:
        return "not_identified", f"{said}: the interval includes no loss."
    if loss.n is not None and loss.n < FEW_TASKS:
        return "holds_with_caution", f"{said}; but the interval rests on {loss.n} tasks."
    return _at_most_with_caution(loss, f"{said}: the interval excludes no loss")


def _at_most_with_caution(finding: Finding, said: str) -> tuple[Verdict, str]:
    """Return that the claim holds; with caution where we chose both the tasks and the models."""
    if any(one.kind in ("measured", "embedded") for one in finding.evidence):
        return "holds_with_caution", f"{said}; but {CHOSEN}."
    return "holds", f"{said}."


CLAIMS: tuple[ClaimRule, ...] = (
    ClaimRule(
        id="routing.no_model_wins_everywhere",
        paper=PAPER,
        text="No single model is best on all tasks.",
        rule="Holds if even the model that is hardest to beat is beaten beyond chance on a task (largest of "
        "the paired differences to all rivals, corrected over tasks); does not hold if one model leads "
        "everywhere; not identified where others lead within chance.",
        finding_ids=(HARDEST,),
        judge=_no_winner,
        would_change="More prompts a task, which tell a lead from luck, or tasks of other kinds.",
    ),
    ClaimRule(
        id="routing.beats_any_single_model",
        paper=PAPER,
        text="A router learned from benchmarks beats using any single model for all tasks.",
        rule="Holds if the paired interval of the default router's score less that of the best model on "
        "average, over tasks that neither saw, lies above 0; with caution if it rests on fewer than "
        f"{FEW_TASKS} tasks, the best fixed model in hindsight does better, or no interval is printed; "
        "not identified if it includes 0.",
        finding_ids=(GAIN,),
        judge=_beats,
        would_change="More benchmarks: the interval is over tasks, so prompts do not narrow it; or some "
        "labels of the new task.",
    ),
    ClaimRule(
        id="routing.limits_out_of_distribution",
        paper=PAPER,
        text="Routers lose accuracy away from their benchmarks.",
        rule="Holds if the predictors of correctness lose accuracy when all prompts of the task's own "
        f"benchmark leave the pool: interval over tasks above 0; with caution on fewer than {FEW_TASKS} "
        "tasks; not identified if it includes 0.",
        finding_ids=(LOSS,),
        judge=_limits,
        would_change="Benchmarks nearer to the tasks that the router will meet; `isoflop routing evaluate` "
        "names those that are far.",
    ),
)


def judge(findings: Iterable[Finding]) -> tuple[Claim, ...]:
    """Return every claim's verdict on these findings beside the published figures."""
    findings = tuple(findings)
    published = published_findings()
    return tuple(rule.apply(findings, published) for rule in CLAIMS)

"""From numbers to a verdict on one study, and the sentence that says why."""

from __future__ import annotations

from typing import Literal, get_args

from isoflop.present.formats import percent
from isoflop.scaling.breaks.series import Series
from isoflop.scaling.emergence.numbers import Numbers

Verdict = Literal["smooth", "sharp_by_metric", "sharp_by_sampling", "break_supported", "undetermined"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
MEANING: dict[Verdict, str] = {
    "break_supported": "one threshold fits and every smooth law is rejected",
    "sharp_by_metric": "the threshold goes away under a linear metric or with serial stages",
    "sharp_by_sampling": "zero at first: with so few trials the trend of the later points gives such zeros",
    "smooth": "a smooth law fits and one threshold is rejected",
    "undetermined": "the points cannot tell a smooth law from a threshold, or neither fits",
}
FIT_LEVEL = 0.05
"""Below it a law is said not to fit, and zeros are said not to be chance."""

Judged = tuple[Verdict, str]


def judge(
    one: Series, numbers: Numbers, q: float, *, false_discovery: float, partner: Numbers | None
) -> Judged:
    """Return the verdict on a study under one number of trials, and why.

    Parameters
    ----------
    one : Series
    numbers : Numbers
    q : float
        Benjamini-Hochberg value of `numbers.p` among all studies tested.
    false_discovery : float
        A threshold is preferred where q is at most this.
    partner : Numbers or None
        The same study under a linear metric.
    """
    at = f"{numbers.trials} trials a point"
    if q <= false_discovery:
        return _preferred(numbers, q, false_discovery, partner, at)
    if numbers.zeros_probability is not None and numbers.zeros_probability >= FIT_LEVEL:
        return "sharp_by_sampling", (
            f"with {at} the trend of the later points gives zeros at the start with probability "
            f"{percent(numbers.zeros_probability)}; a success below {percent(numbers.detection_limit)} shows "
            "as zero at least 1 time in 20"
        )
    return _not_preferred(one, numbers, at)


def _preferred(
    numbers: Numbers, q: float, false_discovery: float, partner: Numbers | None, at: str
) -> Judged:
    against = f"q = {q:.2g} against every smooth law with {at}"
    if numbers.p_stages is not None and numbers.p_stages > false_discovery:
        return "sharp_by_metric", f"{against}, but p = {numbers.p_stages:.2g} once the serial stages count"
    if partner is not None and partner.p > FIT_LEVEL and partner.p_smooth > FIT_LEVEL:
        return (
            "sharp_by_metric",
            f"{against}, but p = {partner.p:.2g} under the linear metric of the same study",
        )
    if numbers.p_threshold <= FIT_LEVEL:
        return "undetermined", (
            f"{against}, but one threshold does not fit either (p = {numbers.p_threshold:.2g}): points "
            "scatter more than their trials allow"
        )
    return "break_supported", (
        f"{against}; a step from {percent(numbers.before)} to {percent(numbers.after)} fits "
        f"(p = {numbers.p_threshold:.2g})"
    )


def _not_preferred(one: Series, numbers: Numbers, at: str) -> Judged:
    smooth, threshold = numbers.p_smooth > FIT_LEVEL, numbers.p_threshold > FIT_LEVEL
    if one.success.max() == one.success.min():
        return "undetermined", f"success is {percent(float(one.success[0]))} at every amount"
    if numbers.position == 0 or numbers.p_flat > FIT_LEVEL:
        return "undetermined", f"no rise beyond the scatter of {at} (p = {numbers.p_flat:.2g})"
    law = numbers.smooth_law.replace("_", " ")
    if smooth and not threshold:
        return "smooth", (
            f"{law} fits (p = {numbers.p_smooth:.2g}) and one threshold does not "
            f"(p = {numbers.p_threshold:.2g}), with {at}"
        )
    if smooth:
        return "undetermined", (
            f"{law} (p = {numbers.p_smooth:.2g}) and one threshold (p = {numbers.p_threshold:.2g}) both fit "
            f"{one.m} points with {at}"
        )
    return "undetermined", (
        f"a smooth law does not fit (p = {numbers.p_smooth:.2g}), yet a threshold is not clearly better "
        f"(p = {numbers.p:.2g}): points scatter more than {at} allow"
    )


def combine(judged: list[tuple[int, Judged]]) -> Judged:
    """Return the verdict that holds under every number of trials tried, else undetermined.

    Examples
    --------
    >>> combine([(10, ("undetermined", "a")), (50, ("smooth", "b"))])[0]
    'undetermined'
    >>> combine([(10, ("smooth", "a")), (50, ("smooth", "b"))])
    ('smooth', 'b; the same verdict with 10')
    """
    said = {verdict for _, (verdict, _) in judged}
    if len(said) == 1:
        verdict, why = judged[-1][1]
        others = ", ".join(str(n) for n, _ in judged[:-1])
        return verdict, f"{why}; the same verdict with {others}" if others else why
    told = ", ".join(f"{n}: {verdict.replace('_', ' ')}" for n, (verdict, _) in judged)
    return "undetermined", f"the answer depends on the number of trials, which is not printed ({told})"

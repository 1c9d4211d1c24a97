"""The front page: each question answered in one sentence, from findings, with the evidence it rests on."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from isoflop.findings import EvidenceKind, Finding
from isoflop.outlook.signature import MOST_LN, bounded
from isoflop.present import formats

if TYPE_CHECKING:
    from isoflop.present.chapter import Chapter

KINDS: dict[EvidenceKind, str] = {
    "own": "your own data",
    "pulled": "public data, pulled and verified",
    "embedded": "facts that ship with isoflop",
    "measured": "measured by this project",
    "published": "published figures",
}
"""Kinds of evidence, in the order in which a reader should care."""
SHORT: dict[EvidenceKind, str] = {
    "own": "your data",
    "pulled": "public data",
    "embedded": "facts that ship",
    "measured": "measured here",
    "published": "published figures",
}
Known = Mapping[str, Finding]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One question of the front page.

    Parameters
    ----------
    instrument, question : str
    sentence : str
        In the notation of `isoflop.present.prose`.
    kinds : tuple of str
        Kinds of evidence behind the findings that the sentence names.
    finding_ids : tuple of str
    """

    instrument: str
    question: str
    sentence: str
    kinds: tuple[EvidenceKind, ...]
    finding_ids: tuple[str, ...]


def answers(chapters: Sequence[Chapter]) -> tuple[Answer, ...]:
    """Return one answer a chapter: its sentence where all it names is there, else the chapter's own."""
    return tuple(_answer(chapter) for chapter in chapters)


def _answer(chapter: Chapter) -> Answer:
    ids, say = SENTENCES.get(chapter.instrument, ((), _nothing))
    known = {finding.id: finding for finding in chapter.findings}
    if ids and all(name in known for name in ids):
        sentence, used = say(known), [known[name] for name in ids]
    else:
        sentence, used = chapter.answer, list(chapter.findings[:1])
    return Answer(
        instrument=chapter.instrument,
        question=chapter.question,
        sentence=sentence,
        kinds=kinds_of(used),
        finding_ids=tuple(finding.id for finding in used),
    )


def kinds_of(findings: Iterable[Finding]) -> tuple[EvidenceKind, ...]:
    """Return the kinds of evidence behind findings, in the order of `KINDS`."""
    found = {p.kind for finding in findings for p in finding.evidence}
    return tuple(kind for kind in KINDS if kind in found)


def bold(finding: Finding) -> str:
    """Return a finding's answer in bold; one without a value says so plainly."""
    said = formats.finding(finding)
    return said if finding.estimate.value is None else f"**{said}**"


def share(finding: Finding) -> str:
    """Return a share and its interval in percent, in bold.

    Examples
    --------
    >>> from isoflop.findings import Estimate
    >>> half = Estimate(value=0.5, low=0.38, high=0.62, level=0.95, unit="1")
    >>> share(Finding(id="a.b", instrument="a", label="", estimate=half, method="", n=None))
    '**50 % (38 % to 62 %, 95 %)**'
    """
    estimate = finding.estimate
    if estimate.value is None:
        return formats.MISSING
    said = formats.percent(estimate.value)
    if estimate.low is not None and estimate.high is not None:
        level = "" if estimate.level is None else f", {formats.percent(estimate.level)}"
        said += f" ({formats.percent(estimate.low)} to {formats.percent(estimate.high)}{level})"
    return f"**{said}**"


def _times(finding: Finding, transform: Callable[[float], float]) -> str:
    return formats.estimate(bounded(finding.estimate.map(transform, unit="×")))


def _scaling(known: Known) -> str:
    halving, exponent = known["scaling.halving_factor_data_robotics"], known["scaling.frontier_exponent_a"]
    return (
        f"In {_n(halving)} robotics studies, {bold(halving)} as much data halves the reducible error; in "
        f"{_n(exponent)} training runs of language models, the best size grows as compute to the power "
        f"{bold(exponent)}."
    )


def _progress(known: Known) -> str:
    halving, rate = known["progress.halving_time_months"], known["progress.rate_per_year"]
    if halving.estimate.value is None:
        return f"The time in which the compute needed for a set loss halves: {bold(halving)}."
    year = _times(rate, lambda ln: math.exp(min(ln, MOST_LN)))
    return (
        f"The compute needed for a set loss halves in {bold(halving)}: a year of better algorithms is worth "
        f"{year} the compute."
    )


def _divide(known: Known) -> str:
    gap, doubling = known["divide.gap_oom"], known["divide.doubling_time_months_all"]
    factor = _times(gap, lambda oom: math.exp(min(oom * math.log(10.0), MOST_LN)))
    when = gap.details.get("at_year")
    first, last = known["divide.academia_share_first"], known["divide.academia_share_last"]
    return (
        f"Training compute doubles in {bold(doubling)}, and industry has **{factor}** as much as academia"
        f"{f' in {formats.year(when)}' if when else ''}; academia's share of the systems counted went from "
        f"{share(first)} to {share(last)}."
    )


def _routing(known: Known) -> str:
    router, single = known["routing.selector_score"], known["routing.best_on_average_score"]
    gain = known["routing.compute_equivalent_gain"]
    saved = (
        "what that is worth in compute is not identified"
        if gain.estimate.value is None
        else f"the same score from one model costs {bold(gain)} as much"
    )
    return (
        f"On tasks it has not seen, a router scores {bold(router)} where the model that is best on average "
        f"scores {bold(single)}; {saved}."
    )


def _portability(known: Known) -> str:
    failing, slower = known["portability.failure_share"], known["portability.slowdown_median"]
    published = failing.details.get("published") and slower.details.get("published")
    framework, target, source = (
        pair.get(name) or other
        for pair, name, other in (
            (failing.details, "framework", "the framework"),
            (failing.details, "target", "another target"),
            (slower.details, "source", "before"),
        )
    )
    return (
        f"Of {_n(failing)} functions of {framework}, {share(failing)} fail when moved to {target}, and those "
        f"that run take {bold(slower)} as long as on {source} in the median"
        f"{': published figures, recounted' if published else ''}."
    )


def _outlook(known: Known) -> str:
    lag, tax, gain = (known[name] for name in SENTENCES["outlook"][0])
    return (
        f"At these rates academia has what industry has today after {bold(lag)}; the slow-down takes "
        f"{bold(tax)} of algorithmic progress, and what routing wins is {bold(gain)}."
    )


def _nothing(known: Known) -> str:
    raise KeyError(f"no sentence over {', '.join(known)}")


def _n(finding: Finding) -> str:
    return "the" if finding.n is None else formats.count(finding.n)


SENTENCES: dict[str, tuple[tuple[str, ...], Callable[[Known], str]]] = {
    "scaling": (("scaling.halving_factor_data_robotics", "scaling.frontier_exponent_a"), _scaling),
    "progress": (("progress.halving_time_months", "progress.rate_per_year"), _progress),
    "divide": (
        (
            "divide.doubling_time_months_all",
            "divide.gap_oom",
            "divide.academia_share_first",
            "divide.academia_share_last",
        ),
        _divide,
    ),
    "routing": (
        ("routing.selector_score", "routing.best_on_average_score", "routing.compute_equivalent_gain"),
        _routing,
    ),
    "portability": (("portability.failure_share", "portability.slowdown_median"), _portability),
    "outlook": (
        ("outlook.academic_lag_years", "outlook.portability_tax_months", "outlook.routing_gain_months"),
        _outlook,
    ),
}
"""The findings that each sentence needs, and the sentence."""

"""The ledger: every claim of the papers, with its verdict on this evidence and on the published figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from isoflop.present.console import wrap
from isoflop.present.prose import to_text
from isoflop.report.instruments import INSTRUMENTS, Instrument, resolve

if TYPE_CHECKING:
    from isoflop.findings import Claim, Finding, Verdict

VERDICTS: dict[Verdict, str] = {
    "holds": "Holds",
    "holds_with_caution": "Holds, with caution",
    "not_identified": "Not identified",
    "does_not_hold": "Does not hold",
    "needs_evidence": "Needs evidence",
}
"""Verdicts in order, from the firmest yes to no evidence at all."""


def complete(
    claims: Iterable[Claim],
    findings: Iterable[Finding],
    instruments: Sequence[Instrument] = INSTRUMENTS,
) -> tuple[Claim, ...]:
    """Return the claims of all `instruments` in the order of their papers.

    Parameters
    ----------
    claims : iterable of Claim
        Those judged already; they stay as they are.
    findings : iterable of Finding
        What claims that nobody judged are judged on: without their findings they need evidence.
    instruments : sequence of Instrument

    Examples
    --------
    >>> ledger = complete([], [])
    >>> len(ledger), {claim.verdict for claim in ledger}
    (17, {'needs_evidence'})
    """
    findings = tuple(findings)
    judged = {claim.id: claim for claim in claims}
    listed = [claim for one in instruments for claim in resolve(one.claims)(findings)]
    named = {claim.id for claim in listed}
    others = [claim for name, claim in judged.items() if name not in named]
    return (*(judged.get(claim.id, claim) for claim in listed), *others)


def tally(verdicts: Iterable[Verdict]) -> list[tuple[Verdict, int]]:
    """Return how many claims got each verdict, in the order of `VERDICTS`; verdicts nobody got are left out.

    Examples
    --------
    >>> tally(["holds", "needs_evidence", "holds"])
    [('holds', 2), ('needs_evidence', 1)]
    """
    counted = Counter(verdicts)
    return [(verdict, counted[verdict]) for verdict in VERDICTS if counted[verdict]]


def tally_text(claims: Sequence[Claim]) -> str:
    """Return the tally on this evidence in one line.

    Examples
    --------
    >>> tally_text(complete([], []))
    '17 claims on this evidence: 17 need evidence'
    """
    words = {
        "holds": ("holds", "hold"),
        "holds_with_caution": ("holds with caution", "hold with caution"),
        "not_identified": ("is not identified", "are not identified"),
        "does_not_hold": ("does not hold", "do not hold"),
        "needs_evidence": ("needs evidence", "need evidence"),
    }
    counted = tally(claim.verdict for claim in claims)
    said = ", ".join(f"{number} {words[verdict][number != 1]}" for verdict, number in counted)
    return f"{len(claims)} claim{'s'[: len(claims) != 1]} on this evidence: {said}"


def text_of(claims: Sequence[Claim]) -> str:
    """Return the ledger as text of at most `console.WIDTH` columns, grouped by paper."""
    papers = {one.name: one.paper for one in INSTRUMENTS}
    parts = [f"{tally_text(claims)}."]
    shown = ""
    for claim in claims:
        instrument = claim.id.partition(".")[0]
        if instrument != shown:
            shown = instrument
            parts.append(wrap(papers.get(instrument, claim.paper)))
        parts.append("\n".join(_lines(claim)))
    return "\n\n".join(parts)


def _lines(claim: Claim) -> list[str]:
    said = [wrap(f"{claim.text} ({claim.id})", indent="  ", hang="  ")]
    said.append(_line("on this evidence", VERDICTS[claim.verdict], claim.why))
    if claim.published:
        known = {str(verdict): words for verdict, words in VERDICTS.items()}
        verdict = claim.published["verdict"]
        said.append(_line("on the published figures", known.get(verdict, verdict), claim.published["why"]))
    if claim.would_change:
        said.append(wrap(f"what would change it: {to_text(claim.would_change)}", indent="    ", hang="  "))
    return said


def _line(where: str, verdict: str, why: str) -> str:
    return wrap(f"{where}: {verdict.upper()}. {to_text(why)}", indent="    ", hang="  ")

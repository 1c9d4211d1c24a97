"""A report in short: the text of one screen, and what a notebook shows."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from isoflop.present import prose
from isoflop.present.console import wrap
from isoflop.report.front import SHORT, answers
from isoflop.report.ledger import VERDICTS, tally_text

if TYPE_CHECKING:
    from isoflop.findings import Claim
    from isoflop.report.contents import Report

_CELL = "text-align:left;vertical-align:top;padding:.35em .8em .35em 0;white-space:normal"
_NOTE = "opacity:.75;font-size:.9em"


def summary(report: Report) -> str:
    """Return the answers and the tally of claims as text of at most `console.WIDTH` columns."""
    lines = [f"isoflop report: {report.evidence}" if report.evidence else "isoflop report"]
    for one in answers(report.chapters):
        lines += [one.question, wrap(prose.to_text(one.sentence), indent="  ")]
    if report.claims:
        lines.append(wrap(f"{tally_text(report.claims)}."))
    if report.quick:
        lines.append("A quick run: intervals are rougher.")
    return "\n".join(lines)


def html(report: Report) -> str:
    """Return answers and ledger as a fragment without scripts, in the colours of the page around it."""
    said = "".join(
        f'<tr><th scope="row" style="{_CELL}">{escape(one.question)}</th>'
        f'<td style="{_CELL}">{prose.to_html(one.sentence)}'
        f'<div style="{_NOTE}">{escape(", ".join(SHORT[kind] for kind in one.kinds))}</div></td></tr>'
        for one in answers(report.chapters)
    )
    quick = "<p><strong>A quick run: intervals are rougher.</strong></p>" if report.quick else ""
    return (
        f'<div class="isoflop"><p><strong>isoflop report</strong> <span style="{_NOTE}">'
        f"{escape(report.evidence)}</span></p>{quick}<table><tbody>{said}</tbody></table>"
        f"{_ledger(report.claims)}"
        f'<p style="{_NOTE}">{len(report.findings())} findings: <code>.frame()</code>; '
        f"the page: <code>.save(folder)</code></p></div>"
    )


def _ledger(claims: tuple[Claim, ...]) -> str:
    if not claims:
        return ""
    rows = "".join(
        f'<tr><td style="{_CELL}">{escape(claim.text)}</td>'
        f'<td style="{_CELL}">{_verdict((claim.published or {}).get("verdict", ""))}</td>'
        f'<td style="{_CELL}">{_verdict(claim.verdict)}</td></tr>'
        for claim in claims
    )
    heads = "".join(
        f'<th scope="col" style="{_CELL}">{head}</th>' for head in ("Claim", "Published", "This evidence")
    )
    return (
        f"<details><summary>{escape(tally_text(claims))}</summary><table><thead><tr>{heads}</tr></thead>"
        f"<tbody>{rows}</tbody></table></details>"
    )


def _verdict(name: str) -> str:
    known = {str(verdict): words for verdict, words in VERDICTS.items()}
    return escape(known.get(name, "–"))

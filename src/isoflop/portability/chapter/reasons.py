"""Why functions are lost: the section on reasons."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from isoflop.portability.figures import reasons as pictures
from isoflop.portability.reasons.bins import BINS, paper_bin
from isoflop.portability.reasons.table import rules, version
from isoflop.present import formats
from isoflop.present.chapter import Column, Figure, Section, Table

if TYPE_CHECKING:
    from isoflop.portability.shares.result import Shares

COLUMNS = (
    Column(name="target", label="Target"),
    Column(name="reason", label="Reason"),
    Column(name="failures", label="Failures", format="count"),
    Column(name="share", label="Share", format="percent"),
)
_BIN_COLUMNS = (
    Column(name="bin", label="Bin of the paper"),
    Column(name="failures", label="Failures", format="count"),
    Column(name="share", label="Share", format="percent"),
)


def reasons_section(found: Shares) -> Section:
    """Return the section on reasons of failures."""
    rows = tuple(row | {"reason": row["reason"].replace("_", " ")} for row in found.reason_rows())
    return Section(
        id="reasons",
        title="Why they are lost",
        prose=(_lead(found),),
        figures=reasons_figures(found),
        tables=(
            Table(
                id="reason-table",
                title="Reasons of counted failures by target",
                columns=COLUMNS,
                rows=rows,
                note="A task counts once for each reason, however many processes repeated it.",
            ),
            Table(
                id="reason-bins",
                title="The same failures in the paper's five bins",
                columns=_BIN_COLUMNS,
                rows=tuple(bin_rows(found)),
                note="What the five bins cannot express has a row of its own.",
            ),
        )
        if rows
        else (),
    )


def bin_rows(found: Shares) -> list[dict[str, Any]]:
    """Return counted failures of all targets by the paper's bins."""
    counts: Counter[str] = Counter()
    for reasons in found.reasons.values():
        for reason, n in reasons.items():
            counts[paper_bin(reason)] += n
    total = sum(counts.values())
    return [
        {"bin": name, "failures": counts[name], "share": counts[name] / total if total else None}
        for name in BINS
    ]


def reasons_figures(found: Shares) -> tuple[Figure, ...]:
    """Return the picture of failures by reason and target."""
    frame = pictures.reasons_data(found)
    if frame.height == 0:
        return ()
    return (
        Figure(
            id="failure-reasons",
            title=_title(found),
            subtitle=f"Counted failures by reason, one bar a target; {found.policy} policy",
            frame=frame,
            chart=lambda: pictures.reasons(found),
            alt="Stacked bars, one a target, split by the reason of the failure.",
            source=", ".join(dict.fromkeys(one.name for one in found.provenance)) or "results",
            n=int(frame["failures"].sum()),
            interval="No interval: these are counts of what was seen",
        ),
    )


def _totals(found: Shares) -> Counter[str]:
    counts: Counter[str] = Counter()
    for reasons in found.reasons.values():
        counts.update(reasons)
    return counts


def _title(found: Shares) -> str:
    (reason, n), *_ = _totals(found).most_common(1)
    share = formats.percent(n / sum(_totals(found).values()))
    return f"{share} of failures: {reason.replace('_', ' ')}"


def _lead(found: Shares) -> str:
    counts = _totals(found)
    total = sum(counts.values())
    if not total:
        return "No counted task failed."
    told = ", ".join(
        f"{reason.replace('_', ' ')} {formats.percent(n / total)}" for reason, n in counts.most_common(5)
    )
    return (
        f"Of {formats.count(total)} counted failures: {told}. The reason is decided by the first of "
        f"{len(rules())} ordered rules over the class and the text of the error (version {version()} of the "
        f"table); {formats.percent(counts['unclassified'] / total)} fit none."
    )

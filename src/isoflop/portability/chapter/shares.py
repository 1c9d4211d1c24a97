"""Which share of functions is lost: the section on failure shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.portability.figures import shares as pictures
from isoflop.portability.model import LEVELS
from isoflop.present import formats
from isoflop.present.chapter import Column, Figure, Section, Table

if TYPE_CHECKING:
    from isoflop.portability.shares.result import ShareCell, Shares

CELLS = (
    Column(name="target", label="Target"),
    Column(name="level", label="Level"),
    Column(name="group", label="Group"),
    Column(name="policy", label="Policy"),
    Column(name="functions", label="Functions", format="count"),
    Column(name="partial", label="Partial", format="count"),
    Column(name="complete", label="Complete", format="count"),
    Column(name="failing_share", label="Failing", format="percent"),
    Column(name="low", label="Low", format="percent"),
    Column(name="high", label="High", format="percent"),
    Column(name="calls_share", label="Of calls", format="percent"),
    Column(name="not_counted", label="Not counted", format="count"),
    Column(name="left_out_share", label="Results left out", format="percent"),
)
READ = (
    "A function fails wholly if no counted task of it passes, in part if some do. Under the strict policy an "
    "operation that moves to another device by itself fails; under the fallback policy it passes. Tasks that "
    "were skipped, or whose harness or inputs failed, leave the denominator; the table shows how many."
)


def shares_section(found: Shares) -> Section:
    """Return the section on failure shares."""
    rows = tuple(_shown(row) for row in found.rows())
    return Section(
        id="shares",
        title="Which functions are lost",
        prose=(_lead(found), READ, _levels(found), "{figure:failure-shares}"),
        figures=shares_figures(found),
        tables=(
            Table(
                id="failure-share-table",
                title="Failure shares by target and policy",
                columns=tuple(c for c in CELLS if any(row.get(c.name) not in (None, "") for row in rows)),
                rows=rows,
                note=f"{found.interval}. A share is never mixed over targets or levels.",
            ),
        ),
        cautions=found.cautions,
    )


def shares_figures(found: Shares) -> tuple[Figure, ...]:
    """Return the pictures: shares by kind of failure, and, with weights, calls beside functions."""
    frame = pictures.failure_data(found)
    counted = [cell for cell in found.leading if cell.counted]
    out = []
    if frame.height:
        out.append(
            Figure(
                id="failure-shares",
                title=_title(counted),
                subtitle="Share of counted functions that fail, wholly or in part, on each target",
                frame=frame,
                chart=lambda: pictures.failure(found),
                alt="Two panels of stacked bars, one bar a target: complete and partial failures, strict "
                "on the left and fallback on the right, with an interval of their sum.",
                source=_source(found),
                n=sum(cell.counted for cell in counted),
                interval=found.interval,
            )
        )
    weighted = pictures.weighted_data(found)
    if weighted.height:
        out.append(
            Figure(
                id="calls-and-functions",
                title="What fails, counted by functions and by calls",
                subtitle=f"Failing share under the {found.policy} policy; calls weigh functions by use",
                frame=weighted,
                chart=lambda: pictures.weighted(found),
                alt="Points with intervals in pairs, one pair a target: share of functions and share of "
                "calls.",
                source=_source(found),
                n=sum(cell.counted for cell in counted),
                interval=f"Thick: {formats.percent(found.ci_level)}; thin: best and worst case of what was "
                "not tested",
            )
        )
    return tuple(out)


def _source(found: Shares) -> str:
    return ", ".join(dict.fromkeys(one.name for one in found.provenance)) or "results"


def _shown(row: dict[str, object]) -> dict[str, object]:
    return row | {
        "target": row["target"] if ":" in str(row["target"]) else f"{row['framework']}: {row['target']}"
    }


def _title(counted: list[ShareCell]) -> str:
    worst = max(counted, key=lambda cell: cell.failing.value or 0.0)
    share = formats.percent(worst.failing.value or 0.0)
    most = f", the most of {len(counted)} targets" if len(counted) > 1 else ""
    return f"{pictures.named(worst)} loses {share} of {worst.counted} functions{most}"


def _lead(found: Shares) -> str:
    told = [
        f"{pictures.named(cell)} {formats.percent(cell.failing.value)} of {cell.counted}"
        f" ({formats.percent(cell.failing.low)} to {formats.percent(cell.failing.high)})"
        for cell in found.leading
        if cell.failing.value is not None and cell.failing.low is not None and cell.failing.high is not None
    ]
    most = 8
    more = f", and {len(told) - most} more in the table" if len(told) > most else ""
    return (
        f"Under the {found.policy} policy these shares of functions fail wholly or in part: "
        f"{'; '.join(told[:most]) or 'none was counted'}{more}."
    )


def _levels(found: Shares) -> str:
    shown = dict.fromkeys(cell.level for cell in found.cells)
    told = "; ".join(f"{level}: {text}" for level, text in LEVELS.items() if level in shown)
    return f"How far the evidence goes: {told or 'not stated'}."

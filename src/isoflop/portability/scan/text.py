"""A scan as a person reads it in a terminal: the answer, what blocks, where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from isoflop.present.chapter import Column
from isoflop.present.pages import cautions_text, page

if TYPE_CHECKING:
    from isoflop.portability.scan.result import Scan

BLOCKERS = (
    Column(name="calls", label="calls", format="count"),
    Column(name="function", label="function"),
    Column(name="rule", label="rule"),
    Column(name="name", label="finding"),
    Column(name="target", label="target"),
    Column(name="evidence_level", label="level"),
    Column(name="ratio", label="× time", format="number"),
    Column(name="first", label="first at"),
)
PROBLEMS = (
    Column(name="place", label="place"),
    Column(name="rule", label="rule"),
    Column(name="message", label="finding"),
)
UNREAD = (Column(name="path", label="file"), Column(name="unread", label="not read"))


def scan_text(found: Scan, tables: dict[str, list[dict[str, Any]]], shown: int) -> str:
    """Return the page of a scan: at most `shown` rows a table."""
    grave = [p for p in found.open_problems if p.severity != "note"]
    blockers = tables["blockers"]
    wanted = [row for row in blockers if row["severity"] != "note"]
    without = [row for row in blockers if row["rule"] == "ISO108"]
    places = [
        {"place": _place(problem.path, problem.cell, problem.line, problem.column), "rule": problem.rule,
         "message": _short(problem.message)}
        for problem in grave[:shown]
    ]  # fmt: skip
    tips = dict.fromkeys(f"{row['function']}: {row['replacement']}" for row in wanted if row["replacement"])
    text = page(
        found.summary(),
        found.findings(),
        (),
        (_counted("What stands in the way", wanted, shown), BLOCKERS, wanted[:shown]),
        (
            _counted("Without evidence", without, shown // 2),
            BLOCKERS[:2] + BLOCKERS[4:5] + BLOCKERS[7:],
            without[: shown // 2],
        ),
        (_counted("Where", grave, shown), PROBLEMS, places),
        ("Files that could not be read", UNREAD, [row for row in tables["files"] if row["unread"]]),
    )
    if tips:
        text += "\n\nReplacements\n" + "\n".join(f"  {tip}" for tip in list(tips)[:shown])
    if not found.targets and found.cautions:
        text += "\n\n" + cautions_text(found.cautions)
    return text


def _counted(title: str, rows: list[Any], shown: int) -> str:
    return title if len(rows) <= shown else f"{title} (first {shown} of {len(rows)})"


def _place(path: str, cell: int | None, line: int, column: int) -> str:
    return f"{path}:{line}:{column}" if cell is None else f"{path}:cell {cell}:{line}:{column}"


def _short(message: str, width: int = 96) -> str:
    return message if len(message) <= width else message[: width - 1] + "…"

"""A scan as one self-contained page: no script, no font and no picture from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from isoflop.portability.scan.result import Problem, Scan
from isoflop.portability.scan.rules import RULE, RULES
from isoflop.present import formats, theme

_STYLE = f"""
:root {{ color-scheme: light dark; --ink: {theme.INK}; --muted: {theme.MUTED}; --grid: {theme.GRID};
  --paper: {theme.PAPER}; --error: {theme.CRIMSON}; --warning: {theme.VERMILION}; --note: {theme.GREY}; }}
@media (prefers-color-scheme: dark) {{ :root {{ --ink: {theme.DARK[theme.INK]};
  --muted: {theme.DARK[theme.MUTED]}; --grid: {theme.DARK[theme.GRID]}; --paper: {theme.DARK[theme.PAPER]};
  --error: {theme.DARK[theme.CRIMSON]}; --warning: {theme.DARK[theme.VERMILION]};
  --note: {theme.DARK[theme.GREY]}; }} }}
body {{ font: 16px/1.5 {theme.FONT}; color: var(--ink); background: var(--paper); max-width: 72rem;
  margin: 2rem auto; padding: 0 1rem; }}
table {{ border-collapse: collapse; width: 100%; font-size: .9rem; }}
th, td {{ text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--grid);
  vertical-align: top; }}
td.n, th.n {{ text-align: right; font-variant-numeric: tabular-nums; }}
code, pre {{ font: .85rem/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }}
pre {{ margin: .3rem 0; white-space: pre-wrap; }}
.error {{ color: var(--error); }} .warning {{ color: var(--warning); }}
.note, small {{ color: var(--muted); }}
summary {{ cursor: pointer; padding: .3rem 0; }} .scroll {{ overflow-x: auto; }}
"""


def page(scan: Scan) -> str:
    """Return the page as HTML text."""
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>What this code needs</title><style>{_STYLE}</style></head><body><main>",
        "<h1>What this code needs, and where it is known to run</h1>",
        *(f"<p>{escape(line)}</p>" for line in scan.summary().split("\n")),
        _shares(scan),
        _cautions(scan),
        _blockers(scan),
        _files(scan),
        _rules(),
        "</main></body></html>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _shares(scan: Scan) -> str:
    rows = []
    for finding in scan.findings():
        details = finding.details
        counts = details["counts"]
        rows.append([
            _code(details["target"]), escape(str(details["level"] or "–")), formats.finding(finding),
            *(str(counts[name]) for name in counts), str(finding.n),
        ])  # fmt: skip
    heads = ["target", "level", "share of calls known to work", "portable", "partial", "fallback only",
             "wrong", "unsupported", "no evidence", "resolved calls"]  # fmt: skip
    return _table("Targets", heads, rows, numbers=range(3, 10)) if rows else ""


def _cautions(scan: Scan) -> str:
    every = dict.fromkeys([*scan.cautions, *(c for f in scan.findings() for c in f.cautions)])
    listed = "".join(f"<li>{escape(text)}</li>" for text in every)
    return f"<h2>Cautions</h2><ul>{listed}</ul>" if listed else ""


def _blockers(scan: Scan) -> str:
    places: dict[tuple[str, str, str], list[Problem]] = {}
    for problem in scan.open_problems:
        places.setdefault((problem.rule, problem.target, problem.what), []).append(problem)
    parts = ["<h2>What stands in the way</h2>"]
    for row in scan.blocker_rows():
        here = places[(row["rule"], row["target"] or "", row["function"])]
        calls = f"{row['calls']} {'place' if row['calls'] == 1 else 'places'}"
        target = f" on {_code(row['target'])}" if row["target"] else ""
        found = f"{target}: {escape(row['name'].replace('-', ' '))}, {calls}"
        parts.append(
            f'<details><summary><b class="{row["severity"]}">{row["rule"]}</b> {_code(row["function"])}'
            f"{found}</summary>{_detail(row)}{_places(here)}</details>"
        )
    return "\n".join(parts) if len(parts) > 1 else "<p>Nothing stands in the way.</p>"


def _detail(row: dict[str, Any]) -> str:
    told = [RULE[row["rule"]].text]
    if row["measured_as"] and row["measured_as"] != row["function"]:
        told.append(f"Measured as {row['measured_as']}.")
    if row["error_head"]:
        told.append(f"It said: {row['error_head']}")
    if row["replacement"]:
        told.append(f"Instead: {row['replacement']}.")
    text = " ".join(escape(part) for part in told)
    again = f"<pre>{escape(row['reproduce'])}</pre>" if row["reproduce"] else ""
    return f"<p><small>{text}</small></p>{again}"


def _places(problems: list[Problem], shown: int = 50) -> str:
    rows = [
        [_code(_place(problem)), f"<code>{escape(problem.snippet[:160])}</code>"]
        for problem in problems[:shown]
    ]
    return _table("", ["place", "line"], rows)


def _files(scan: Scan) -> str:
    rows = [
        [_code(r["path"]), str(r["lines"] or ""), str(r["calls"] if r["calls"] is not None else ""),
         str(r["possible"] or ""), escape(r["frameworks"] or ""), escape(r["wrappers"] or ""),
         escape(r["unread"] or str(r["problems"]))]
        for r in scan.file_rows()
    ]  # fmt: skip
    heads = ["file", "lines", "calls", "possible", "frameworks", "wrappers and vendors", "findings"]
    return _table("Files", heads, rows, numbers=range(1, 4))


def _rules() -> str:
    rows = [
        [f'<b class="{rule.severity}">{rule.id}</b>', escape(rule.text), escape(rule.cure)] for rule in RULES
    ]
    return _table("Rules", ["rule", "what it says", "what to do"], rows)


def _table(
    title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int] = ()
) -> str:
    cell = [' class="n"' if i in numbers else "" for i in range(len(heads))]
    head = "".join(f"<th{cell[i]}>{escape(h)}</th>" for i, h in enumerate(heads))
    body = "".join(
        "<tr>" + "".join(f"<td{cell[i]}>{text}</td>" for i, text in enumerate(row)) + "</tr>" for row in rows
    )
    above = f"<h2>{escape(title)}</h2>" if title else ""
    return (
        f'{above}<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _place(problem: Problem) -> str:
    cell = "" if problem.cell is None else f"cell {problem.cell}:"
    return f"{problem.path}:{cell}{problem.line}:{problem.column}"


def _code(text: object) -> str:
    return f"<code>{escape(str(text))}</code>"

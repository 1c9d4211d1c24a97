"""``isoflop routing lint``: what may be wrong with results before anything is learned from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from isoflop.errors import SettingError, closest
from isoflop.present.options import Verb, json_option
from isoflop.routing.commands.options import SCORED, ScoredChoice, scored_options

if TYPE_CHECKING:
    from isoflop.evidence import Table
    from isoflop.routing.data_checks import Check
    from isoflop.routing.sample import ScoredPrompts

FOUND = 1


def _limits(_context: click.Context, _option: click.Parameter, texts: tuple[str, ...]) -> dict[str, float]:
    """Return the largest share that each named check may find."""
    limits = {}
    for text in texts:
        name, sign, share = (part.strip() for part in text.partition("="))
        try:
            limits[name] = float(share) if sign else 0.0
        except ValueError:
            raise SettingError(
                f"--fail-on: {text!r}, needs CHECK or CHECK=SHARE. Write leakage=0.01, say."
            ) from None
        if not 0 <= limits[name] <= 1:
            raise SettingError(f"--fail-on: share {share}, must lie in [0, 1]. Write {name}=0.01, say.")
    return limits


@click.command(
    cls=Verb,
    headings={"Results and models": SCORED},
    short_help="List what may be wrong with results: repeated prompts, leakage, cells near zero …",
)
@scored_options
@click.option(
    "--fail-on",
    "limits",
    metavar="CHECK[=SHARE]",
    multiple=True,
    callback=_limits,
    help="Exit with 1 if a check finds more than this share (any, where none is given); 'any' means every "
    "check that leads to a caution. May be repeated.",
)
@json_option
@click.pass_context
def lint(context: click.Context, scored: ScoredChoice, limits: dict[str, float], as_json: bool) -> None:
    """Check results of models on prompts, source by source, and sizes and prices of the models.

    Results that break a rule of the schema are refused with exit code 2; doubts are listed.
    """
    from isoflop.findings import Document
    from isoflop.present.console import emit

    scores, prompts = scored.tables()
    joined = _joined(scored, scores, prompts)
    found = _checked(scored, joined)
    failing = _failing(found, limits)
    rows = [
        {"source": source} | check.row() | {"fails": (source, check.id) in failing} for source, check in found
    ]
    steps = _steps(joined)
    emit(
        Document(tables={"checks": rows, "waterfall": steps}),
        as_json=as_json,
        text=partial(_text, rows, [row | {"rule": f"{row['rule']} ({row['source']})"} for row in steps]),
    )
    if failing:
        context.exit(FOUND)


def _joined(scored: ScoredChoice, scores: Table, prompts: Table) -> dict[str, ScoredPrompts]:
    """Return the joined prompts of the collection that was named, else of each."""
    from isoflop.routing.sample import join

    present = scores.frame["source"].unique().drop_nulls().sort().to_list()
    sources = [scored.source] if scored.source is not None else present or [None]
    return {
        source or scores.name: join(scores, prompts, source=source, models=scored.kept(scores, source))
        for source in sources
    }


def _checked(scored: ScoredChoice, joined: Mapping[str, ScoredPrompts]) -> list[tuple[str, Check]]:
    from isoflop.routing.catalogue_checks import catalogue_checks
    from isoflop.routing.data_checks import data_checks

    catalogue = scored.catalogue()
    found = [(source, check) for source, mine in joined.items() for check in data_checks(mine)]
    if catalogue is not None:
        found += [
            (source, check)
            for source, mine in joined.items()
            for check in catalogue_checks(catalogue, mine.models)
        ]
    return found


def _steps(joined: Mapping[str, ScoredPrompts]) -> list[dict[str, Any]]:
    """Return every rule that left rows out, with what it dropped."""
    return [
        {"source": source, "rule": s.rule, "unit": s.unit, "kept": s.kept, "dropped": s.dropped}
        | {"rows": list(s.rows)}
        for source, mine in joined.items()
        for s in (*mine.tables[0].steps, *mine.tables[1].steps, *mine.steps)
    ]


def _failing(found: Sequence[tuple[str, Check]], limits: dict[str, float]) -> set[tuple[str, str]]:
    known = [check.id for _, check in found]
    for name in limits:
        if name != "any" and name not in known:
            near = closest(name, known)
            raise SettingError(
                f"--fail-on: no check {name!r}, needs any or one of {', '.join(dict.fromkeys(known))}."
                + (f" Did you mean {near}?" if near else "")
            )
    return {
        (source, check.id)
        for source, check in found
        if (check.id in limits and check.found and check.share > limits[check.id])
        or ("any" in limits and check.caution and check.share > limits["any"])
    }


def _text(rows: Sequence[dict[str, Any]], steps: Sequence[dict[str, Any]]) -> str:
    from isoflop.present.chapter import Column
    from isoflop.present.pages import WATERFALL, cautions_text, page

    shown = [row for row in rows if row["found"]]
    columns = (
        Column(name="source", label="source"),
        Column(name="check", label="check"),
        Column(name="found", label="found", format="count"),
        Column(name="of", label="of", format="count"),
        Column(name="where", label="where"),
    )
    doubts = sum(bool(row["caution"]) for row in rows)
    failed = sum(bool(row["fails"]) for row in rows)
    lead = f"{len(rows)} checks, {len(shown)} found something, {doubts} limit what can be said"
    lead += f"; {failed} over --fail-on." if failed else "."
    body = page(lead, (), (), ("Checks", columns, shown), ("Rows", WATERFALL, steps))
    said = cautions_text(list(dict.fromkeys(row["caution"] for row in rows if row["caution"])))
    return f"{body}\n\n{said}" if said else body

"""``isoflop routing bench``: how long a router's decisions take on this machine."""

from __future__ import annotations

from pathlib import Path

import click

from isoflop.present.options import Verb, json_option
from isoflop.present.parse import Number
from isoflop.routing.commands.router import router_option


@click.command("bench", cls=Verb, short_help="How long do decisions take on this machine?")
@router_option
@click.argument("prompts", type=click.Path(path_type=Path), required=False, metavar="[PROMPTS]")
@click.option("--runs", type=Number(int, 500), default=500, show_default=True, help="Timed decisions.")
@json_option
def bench(source: Path, prompts: Path | None, runs: int, as_json: bool) -> None:
    """Time loading, encoding, the scan and whole decisions, one after another in one process.

    PROMPTS is a file with a prompt a line, or JSON lines with a field prompt; default: those of the
    router.
    """
    import time

    from isoflop.findings import Document
    from isoflop.present.chapter import Column
    from isoflop.present.console import emit
    from isoflop.present.pages import page
    from isoflop.routing.commands.router import read_prompts
    from isoflop.routing.router.save import load_router
    from isoflop.routing.router.timing import time_router

    start = time.perf_counter()
    router = load_router(source)
    router.decide("warm")
    ready = time.perf_counter() - start
    texts = [text for _, text in read_prompts(prompts)] if prompts else list(router.texts)
    found = time_router(router, texts, runs=runs)
    rows = found.rows()
    totals = [
        {
            "ready_s": ready,
            "decisions_per_s": found.decisions_per_s,
            "scored_prompts": router.n,
            "mean_characters": found.characters,
        }
    ]
    columns = (
        Column(name="what", label="part"),
        Column(name="p50_ms", label="median ms", format="number"),
        Column(name="p90_ms", label="90 %", format="number"),
        Column(name="p99_ms", label="99 %", format="number"),
    )
    emit(
        Document(tables={"decision_ms": rows, "process": totals}),
        as_json=as_json,
        text=lambda: page(
            f"{found.summary()}\nLoaded and ready to decide after {ready:.2f} s.",
            (),
            (),
            ("Milliseconds", columns, rows),
        ),
    )

"""``isoflop portability trace``: what a script calls when it runs, as a catalogue for ``run --catalogue``."""

from __future__ import annotations

import click

from isoflop.present.options import Verb, json_option
from isoflop.present.parse import Number, Word


@click.command(
    cls=Verb,
    short_help="What does this script call, with which shapes?",
    context_settings={"help_option_names": ["-h", "--help"], "ignore_unknown_options": True},
)
@click.argument("script", metavar="SCRIPT")
@click.argument("arguments", metavar="[ARGUMENT]...", nargs=-1, type=click.UNPROCESSED)
@click.option("--out", metavar="FILE", help="Write the calls as a catalogue: run --catalogue FILE takes it.")
@click.option(
    "--on",
    type=Word(("cpu", "meta")),
    default="cpu",
    show_default=True,
    help="Compute on the CPU, or have torch pass shapes alone.",
)
@click.option("--python", metavar="PATH", help="Interpreter with the frameworks.  [default: this one]")
@click.option(
    "--timeout", "timeout_s", type=Number(float, 60), metavar="S", help="End the script after this."
)
@json_option
def trace(
    script: str,
    arguments: tuple[str, ...],
    out: str | None,
    on: str,
    python: str | None,
    timeout_s: float | None,
    as_json: bool,
) -> None:
    """Run SCRIPT and write down its torch, JAX and TensorFlow calls, with shapes, dtypes and scalars.

    The script runs as you, with all that you may do. What arrays hold is not written down. Options of its own
    follow after "--". What it prints goes to standard error.
    """
    from isoflop.findings import Document
    from isoflop.portability.trace.find import trace as watch
    from isoflop.present.chapter import Column
    from isoflop.present.console import emit, say
    from isoflop.present.pages import cautions_text, page

    say(f"{script} runs as you, with all that you may do.")
    found = watch(script, args=arguments, on=on, python=python, timeout_s=timeout_s)  # type: ignore[arg-type]
    if out is not None:
        found.write(out)
    rows = found.rows()
    shown = (
        Column(name="calls", label="calls", format="count"),
        Column(name="function", label="function"),
        Column(name="inputs", label="inputs"),
    )
    ranked = sorted(rows, key=lambda row: -row["calls"])[:40]
    title = "Calls" if len(rows) <= len(ranked) else f"Calls (first {len(ranked)} of {len(rows)})"
    emit(
        Document(
            tables={"calls": rows, "functions": [{"function": f, "calls": n} for f, n in found.calls.items()]}
        ),
        as_json=as_json,
        text=lambda: "\n\n".join(
            part
            for part in (page(found.summary(), (), (), (title, shown, ranked)), cautions_text(found.cautions))
            if part
        ),
    )

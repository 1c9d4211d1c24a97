"""``isoflop portability replay``: one task again, with its full traceback."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from isoflop.portability.commands.options import interpreters_of, python_option
from isoflop.present.options import Verb


@click.command(cls=Verb, short_help="Do one task of a run again, with its full traceback.")
@click.argument("folder", metavar="DIR")
@click.argument("task_id", metavar="TASK_ID")
@click.option(
    "--script", metavar="FILE", help="Where the script is kept.  [default: replay-TASK_ID.py in DIR]"
)
@click.option("--write-only", is_flag=True, help="Write the script and do not run it.")
@python_option
def replay(folder: str, task_id: str, script: str | None, write_only: bool, python: tuple[str, ...]) -> None:
    """Write a short script that does one task of the run in DIR, and run it in the foreground.

    TASK_ID is the start of a task_id in the results. A crash or a hang is not caught: it is what is looked
    for. The exit code is the script's own.
    """
    from isoflop.findings import write_atomically
    from isoflop.portability.engine.journal import read_about
    from isoflop.portability.engine.replay import find_task, script_of
    from isoflop.portability.engine.replay import replay as do_again
    from isoflop.portability.engine.targets import Interpreters
    from isoflop.present.console import say

    task = find_task(folder, task_id)
    path = Path(script) if script else Path(folder) / f"replay-{task.task_id}.py"
    write_atomically(path, script_of(task))
    if write_only:
        click.echo(path)
        return
    interpreters = interpreters_of(python) if python else Interpreters(**read_about(Path(folder))["python"])
    say(f"{task.item.function} ({task.item.dtype}) on {task.target}, in {path}")
    sys.exit(do_again(path, task.target, interpreters))

"""The ``isoflop`` command: collects the instruments' commands without importing them.

Exit codes: 0 done, 1 findings over a ``--fail-on`` threshold, 2 bad input, 130 interrupted,
141 the reader of a pipe went away.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import click

from isoflop.errors import IsoflopError
from isoflop.report.instruments import INSTRUMENTS, resolve

INTERRUPTED = 130
BAD_INPUT = 2
PIPE_CLOSED = 141


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """A command by name, with its line in the help and where it lives."""

    name: str
    help: str
    target: str


_SHARED = (
    _Entry(
        name="report",
        help="Turn evidence into one page and findings.json.",
        target="isoflop.cli.report:report",
    ),
    _Entry(
        name="claims",
        help="Judge every published claim on this evidence.",
        target="isoflop.cli.claims:claims",
    ),
    _Entry(
        name="outlook",
        help="Say what the five give together, and what a budget reaches.",
        target="isoflop.cli.outlook:outlook",
    ),
    _Entry(name="data", help="List, pull, check and import public tables.", target="isoflop.cli.data:data"),
    _Entry(
        name="serve",
        help="Open a local web application over the same commands.",
        target="isoflop.cli.serve:serve",
    ),
)
_INSTRUMENTS = tuple(_Entry(name=i.name, help=i.question, target=i.commands) for i in INSTRUMENTS)


class _LazyGroup(click.Group):
    """A group whose commands are imported when they are called, not when they are listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click hands it over by name
        """Return the names in the order of the tables."""
        return [entry.name for entry in (*_INSTRUMENTS, *_SHARED)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click hands it over by name
        """Import and return one command."""
        for entry in (*_INSTRUMENTS, *_SHARED):
            if entry.name == cmd_name:
                command: click.Command = resolve(entry.target)
                return command
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click hands it over by name
        """List instruments with their questions, then the shared commands."""
        for title, entries in (("Instruments", _INSTRUMENTS), ("Commands", _SHARED)):
            with formatter.section(title):
                formatter.write_dl([(entry.name, entry.help) for entry in entries])


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Results go to stdout, remarks to stderr; --json prints any result as JSON.",
)
@click.version_option(package_name="isoflop", prog_name="isoflop", message="%(prog)s %(version)s")
def root() -> None:
    """Measure machine-learning progress in one unit, compute, and act on it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        Words after ``isoflop``; default: those of the process.

    Returns
    -------
    int
        0, 1 (the command said so), 2, 130 or 141; see the module.
    """
    stdout = sys.stdout
    try:
        code = root.main(args=arguments, prog_name="isoflop", standalone_mode=False)
        sys.stdout.flush()
        return _code(code)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return BAD_INPUT
    except click.ClickException as error:
        from isoflop.present.refusal import explain

        click.echo(f"error: {explain(error)}", err=True)
        return BAD_INPUT
    except IsoflopError as error:
        click.echo(f"error: {error}", err=True)
        return BAD_INPUT
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        # Python flushes stdout once more at exit; without this that flush would print a traceback.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except SystemExit as stop:
        # On a closed pipe click silences stdout and exits with 1, which here means something else.
        return PIPE_CLOSED if sys.stdout is not stdout else _code(stop.code)


def _code(code: object) -> int:
    return code if isinstance(code, int) else 0

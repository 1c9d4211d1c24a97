"""Options of the verbs that start workers: which interpreter, which functions, how they are timed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from isoflop.present.options import with_options
from isoflop.present.parse import Number, Word

if TYPE_CHECKING:
    from isoflop.portability.engine.catalogue import Catalogue
    from isoflop.portability.engine.targets import Interpreters
    from isoflop.portability.model import Timing

Command = TypeVar("Command", bound=Callable[..., Any])


def python_option(command: Command) -> Command:
    """Add ``--python``; the command receives a tuple of texts for `interpreters_of`."""
    return click.option(
        "--python",
        multiple=True,
        metavar="[NAME=]PATH",
        help="Interpreter that has the frameworks; NAME= a framework or target. May be repeated.  "
        "[default: ISOFLOP_FRAMEWORKS_PYTHON, else this one]",
    )(command)


def interpreters_of(given: Iterable[str]) -> Interpreters:
    """Return which interpreter runs which target."""
    from isoflop.portability.engine.targets import Interpreters

    return Interpreters.of(given)


def timing_option(default: str) -> Callable[[Command], Command]:
    """Return the decorator that adds ``--timing``."""
    return click.option(
        "--timing",
        type=Word(("full", "quick", "none")),
        default=default,
        show_default=True,
        help="full: three processes, up to 2 s a task; quick: one process, .05 s, for a first look.",
    )


def timing_of(word: str) -> Timing:
    """Return the timing protocol that a word stands for."""
    from isoflop.portability.model import Timing

    return {"full": Timing, "quick": Timing.quick, "none": Timing.none}[word]()


def catalogue_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that choose functions and inputs; `catalogue_of` takes what they give."""
    return with_options(
        command,
        click.option("--functions", metavar="PATTERN,…", help="Keep functions such as 'torch.nn.*'."),
        click.option(
            "--providers", metavar="NAME,…", help="Who makes inputs.  [default: all that suit a whole run]"
        ),
        click.option("--dtypes", metavar="NAME,…", help="Of the main input.  [default: each provider's own]"),
        click.option("--sizes", metavar="NAME,…", help="tiny, small, medium, large.  [default: as above]"),
        click.option(
            "--samples",
            type=Number(int, 1),
            default=1,
            show_default=True,
            help="Sets of inputs for each entry.",
        ),
        click.option("--fresh", is_flag=True, help="Make the index anew though one is kept."),
    )


def catalogue_of(
    framework: str,
    *,
    providers: str | None,
    functions: str | None,
    dtypes: str | None,
    sizes: str | None,
    samples: int,
    fresh: bool,
    python: Interpreters,
) -> Catalogue:
    """Return the catalogue that the options name."""
    from isoflop.portability.engine.catalogue import catalogue
    from isoflop.present.console import progress_bars

    with progress_bars() as report:
        found = catalogue(
            framework,
            providers=comma_separated(providers),
            dtypes=comma_separated(dtypes),
            sizes=comma_separated(sizes),
            samples=samples,
            python=python,
            fresh=fresh,
            told=lambda name, count: report(f"{name}: {count} items", 0.0) if count == 1 else None,
        )
    return found.only(comma_separated(functions)) if functions else found


def comma_separated(text: str | None) -> tuple[str, ...]:
    """Return the parts of a list; a comma inside brackets belongs to its part.

    Examples
    --------
    >>> comma_separated("eager, fake:broken(add,mul)")
    ('eager', 'fake:broken(add,mul)')
    """
    parts, depth = [""], 0
    for letter in text or "":
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return tuple(part.strip() for part in parts if part.strip())


@contextmanager
def telling(label: str) -> Iterator[Callable[[int, int], None]]:
    """Show one bar while tasks are done; yields the callback that a run takes."""
    from isoflop.present.console import progress_bars

    with progress_bars() as report:
        yield lambda done, total: report(label, done / total if total else 1.0)

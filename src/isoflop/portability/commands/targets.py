"""``isoflop portability targets`` and ``catalogue``: what can be run here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from isoflop.portability.commands.options import (
    catalogue_of,
    catalogue_options,
    comma_separated,
    interpreters_of,
    python_option,
)
from isoflop.present.options import Verb, json_option

SHOWN = 40
"""Functions printed for a person; --json has all."""


@click.command(cls=Verb, short_help="Which targets can be used here, and why not the others?")
@click.argument("names", metavar="[TARGET]...", nargs=-1)
@click.option("--framework", metavar="NAME,…", help="Keep these frameworks.")
@python_option
@json_option
def targets(names: tuple[str, ...], framework: str | None, python: tuple[str, ...], as_json: bool) -> None:
    """List every target: present with its versions, or absent with the reason.

    Each is looked for in a worker of its own framework, so that a broken installation harms nothing. The
    built-in controls are listed by --framework fake.
    """
    from isoflop.errors import SettingError, closest
    from isoflop.findings import Document
    from isoflop.portability.engine.targets import targets as find_targets
    from isoflop.portability.registry import TARGETS, extend
    from isoflop.present.chapter import Column
    from isoflop.present.console import emit
    from isoflop.present.pages import page

    extend()
    known = dict.fromkeys(entry.framework for entry in TARGETS.values())
    kept = comma_separated(framework) or tuple(name for name in known if name != "fake")
    for name in kept:
        if name not in known:
            near = closest(name, known)
            hint = f"Did you mean {near}?" if near else "Choose one of these."
            raise SettingError(f"--framework: {name!r}, must be one of {', '.join(known)}. {hint}")
    chosen = names or tuple(n for n, entry in TARGETS.items() if entry.framework in kept)
    found = find_targets(chosen, python=interpreters_of(python))
    rows: list[dict[str, Any]] = [
        {
            **row,
            "state": "present" if row["present"] else "absent",
            "said": row["reason"] or row["device_name"],
        }
        for row in found.rows()
    ]
    here = sum(row["present"] for row in rows)
    emit(
        Document(tables={"targets": found.rows()}),
        as_json=as_json,
        text=lambda: page(
            f"{here} of {len(rows)} targets can be used here.",
            (),
            (),
            (
                "Targets",
                (
                    Column(name="id", label="target"),
                    Column(name="state", label="state"),
                    Column(name="level", label="level"),
                    Column(name="target_version", label="version"),
                    Column(name="said", label="device, or why absent"),
                ),
                rows,
            ),
        ),
    )


@click.command(cls=Verb, short_help="Which functions, with which inputs, can be run?")
@click.argument("framework")
@catalogue_options
@python_option
@click.option("--out", metavar="FILE", help="Write the items as JSON lines, for run --catalogue.")
@json_option
def catalogue(
    framework: str,
    providers: str | None,
    functions: str | None,
    dtypes: str | None,
    sizes: str | None,
    samples: int,
    fresh: bool,
    python: tuple[str, ...],
    out: str | None,
    as_json: bool,
) -> None:
    """List the functions of FRAMEWORK and the inputs that its providers make for them.

    The index is made in a worker and kept for each version of the framework.
    """
    from isoflop.findings import Document, write_atomically
    from isoflop.present.chapter import Column
    from isoflop.present.console import emit
    from isoflop.present.pages import cautions_text, page

    found = catalogue_of(
        framework,
        providers=providers,
        functions=functions,
        dtypes=dtypes,
        sizes=sizes,
        samples=samples,
        fresh=fresh,
        python=interpreters_of(python),
    )
    if out is not None:
        write_atomically(Path(out), "".join(f"{json.dumps(item.to_dict())}\n" for item in found.items))
    rows = found.rows()
    more = f" (first {SHOWN} of {len(rows)}; --json has all)" if len(rows) > SHOWN else ""
    columns = tuple(
        Column(name=n, label=n) for n in ("function", "variant", "provider", "dtype", "size_class")
    )
    emit(
        Document(tables={"items": rows}),
        as_json=as_json,
        text=lambda: "\n\n".join(
            part
            for part in (
                page(found.summary(), (), (), (f"Items{more}", columns, rows[:SHOWN])),
                cautions_text(found.cautions),
            )
            if part
        ),
    )

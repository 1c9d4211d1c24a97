"""``isoflop portability run``, ``resume`` and ``selfcheck``: measure what runs, and go on with it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from isoflop.portability.commands.options import (
    catalogue_of,
    catalogue_options,
    comma_separated,
    interpreters_of,
    python_option,
    telling,
    timing_of,
    timing_option,
)
from isoflop.present.options import Verb, json_option, seed_option
from isoflop.present.parse import Number, Word

if TYPE_CHECKING:
    from isoflop.findings import Finding
    from isoflop.portability.runs import Run
    from isoflop.portability.task import Item
    from isoflop.present.chapter import Column

SHOWN = 25
"""Rows of a table printed for a person; --json has all."""


def pool_options(command: Any) -> Any:
    """Add the options on workers."""
    options = (
        click.option("--jobs", type=Number(int, 2), help="Workers at once.  [default: CPUs less one]"),
        click.option(
            "--budget", "budget_s", type=Number(float, 600.0), help="Begin no task after so many s."
        ),
        click.option(
            "--deadline",
            "deadline_s",
            type=Number(float, 60.0),
            default=60.0,
            show_default=True,
            help="Seconds for one task; its worker is killed then.",
        ),
        python_option,
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command(cls=Verb, short_help="What runs on these targets, with the same numbers, how fast?")
@click.option("--framework", metavar="NAME", help="torch, jax, tensorflow, onnx, mlx, tinygrad, fake …")
@click.option("--targets", "names", required=True, metavar="NAME,…", help="E.g. eager,meta or torch:meta.")
@click.option("--reference", metavar="TARGET", help="Compared with.  [default: each target's own]")
@click.option(
    "--catalogue", "listed", metavar="FILE", help="Items of a trace or sample, instead of providers."
)
@catalogue_options
@click.option(
    "--policy",
    type=Word(("fallback", "strict")),
    default="fallback",
    show_default=True,
    help="May a target move work elsewhere? What it moved is recorded under fallback.",
)
@timing_option("full")
@pool_options
@click.option("--out", metavar="DIR", help="Folder of the run, to go on with, merge or scan against.")
@click.option("--no-controls", is_flag=True, help="Leave out the planted targets that certify the run.")
@seed_option
@json_option
def run(
    framework: str | None,
    names: str,
    reference: str | None,
    listed: str | None,
    providers: str | None,
    functions: str | None,
    dtypes: str | None,
    sizes: str | None,
    samples: int,
    fresh: bool,
    policy: str,
    timing: str,
    jobs: int | None,
    budget_s: float | None,
    deadline_s: float,
    python: tuple[str, ...],
    out: str | None,
    no_controls: bool,
    seed: int,
    as_json: bool,
) -> None:
    """Run functions on targets in workers that may die one task at a time.

    Each function is checked against float64 and timed beside its reference. With --out the run can be
    interrupted at any moment and gone on with by isoflop portability resume.
    """
    from isoflop.portability.engine.run import run as run_items
    from isoflop.portability.registry import parse_target

    interpreters = interpreters_of(python)
    targets = [_full(name, framework) for name in comma_separated(names)]
    chosen: Any
    if listed is not None:
        chosen = _listed(listed)
    else:
        chosen = catalogue_of(
            framework or parse_target(targets[0])[0].framework if targets else "",
            providers=providers,
            functions=functions,
            dtypes=dtypes,
            sizes=sizes,
            samples=samples,
            fresh=fresh,
            python=interpreters,
        )
    with telling("tasks") as told:
        found = run_items(
            chosen,
            targets=targets,
            reference=_full(reference, framework) if reference else None,
            policy=policy,  # type: ignore[arg-type]
            timing=timing_of(timing),
            jobs=jobs,
            budget_s=budget_s,
            deadline_s=deadline_s,
            seed=seed,
            out=out,
            python=interpreters,
            command=" ".join(["isoflop", *sys.argv[1:]]),
            controls="none" if no_controls else "brief",
            told=told,
        )
    _emit(found, as_json)


@click.command(cls=Verb, short_help="Go on with a run that was interrupted.")
@click.argument("folder", metavar="DIR")
@click.option("--jobs", type=Number(int, 2), help="Workers at once.  [default: CPUs less one]")
@click.option("--budget", "budget_s", type=Number(float, 600.0), help="Begin no task after so many s.")
@json_option
def resume(folder: str, jobs: int | None, budget_s: float | None, as_json: bool) -> None:
    """Go on with the run in DIR: what is done is kept, the rest is run."""
    from isoflop.portability.engine.run import resume as go_on

    with telling("tasks") as told:
        found = go_on(Path(folder), jobs=jobs, budget_s=budget_s, told=told)
    _emit(found, as_json)


@click.command(cls=Verb, short_help="Does the reference agree with itself, and are planted faults found?")
@click.option("--framework", default="torch", show_default=True, metavar="NAME", help="Whose reference.")
@click.option(
    "--count",
    type=Number(int, 50),
    default=50,
    show_default=True,
    help="Functions, spread over the catalogue.",
)
@timing_option("full")
@pool_options
@json_option
def selfcheck(
    framework: str,
    count: int,
    timing: str,
    jobs: int | None,
    budget_s: float | None,
    deadline_s: float,
    python: tuple[str, ...],
    as_json: bool,
) -> None:
    """Run the reference of a framework against itself, and the planted targets.

    Nothing may fail, the geometric mean ratio must be 1.00 ± 0.05, and every planted fault must be found.
    """
    from isoflop.portability.engine.catalogue import catalogue
    from isoflop.portability.engine.run import run as run_items
    from isoflop.portability.registry import TARGETS

    interpreters = interpreters_of(python)
    items = catalogue(framework, python=interpreters).items
    chosen = items[:: max(1, len(items) // count)][:count]
    reference = next(t.reference for t in TARGETS.values() if t.framework == framework)
    with telling("tasks") as told:
        found = run_items(
            chosen,
            targets=[reference],
            timing=timing_of(timing),
            controls="full",
            jobs=jobs,
            budget_s=budget_s,
            deadline_s=deadline_s,
            python=interpreters,
            command=" ".join(["isoflop", *sys.argv[1:]]),
            told=told,
        )
    _emit(found, as_json)


def _full(name: str, framework: str | None) -> str:
    return name if ":" in name or framework is None else f"{framework}:{name}"


def _listed(path: str) -> list[Item]:
    """Return the items of a file of JSON lines, as a trace or the catalogue command writes them."""
    from isoflop.errors import EvidenceError
    from isoflop.portability.engine.journal import read_lines
    from isoflop.portability.task import Item

    file = Path(path)
    if not file.is_file():
        raise EvidenceError(
            f"--catalogue: no file {path}, needs JSON lines of items. Write one with isoflop portability "
            "trace or catalogue --out."
        )
    try:
        # The first line of a trace tells of its script.
        return [Item.of(row) for row in read_lines(file) if "trace" not in row]
    except TypeError as error:
        raise EvidenceError(
            f"--catalogue: a line of {path} is no item ({error}). Write the file anew with isoflop "
            "portability trace or catalogue --out."
        ) from error


def _emit(found: Run, as_json: bool) -> None:
    from isoflop.findings import Document
    from isoflop.portability.chapter.run import target_rows
    from isoflop.present.console import emit

    findings = run_findings(found)
    tables = {
        "results": result_rows(found),
        "shares": [row for one in _shares(found) for row in one.rows()],
        "targets": target_rows(found),
        "certificate": certificate_rows(found),
    }
    emit(
        Document(findings=findings, tables=tables),
        as_json=as_json,
        text=lambda: _text(found, findings, tables),
    )


def _shares(found: Run) -> tuple[Any, ...]:
    from isoflop.errors import EvidenceError
    from isoflop.portability.shares.find import shares

    try:
        return (shares(found),)
    except EvidenceError:
        return ()  # nothing was counted: every task was skipped or refused by the reference


def run_findings(found: Run) -> tuple[Finding, ...]:
    """Return shares of functions lost on each target, and slow-downs where anything was timed."""
    from isoflop.errors import EvidenceError
    from isoflop.portability.slowdown.find import slowdown
    from isoflop.present.chapter import once

    out = [finding for one in _shares(found) for finding in one.findings()]
    timed = found.frame().filter(found.frame()["median_s"].is_not_null())
    pairs = timed.select("framework", "reference", "target").unique(maintain_order=True)
    for framework, source, target in pairs.iter_rows():
        if source == target:
            continue
        try:
            out += slowdown(found, source=source, target=target, framework=framework).findings()
        except EvidenceError:
            continue  # no passed task was timed on both
    return once(out)


def result_rows(found: Run) -> list[dict[str, Any]]:
    """Return one row a task: what became of it, how far it got, how slow it was."""
    names = (
        "framework", "target", "target_level", "function", "variant", "dtype", "size_class", "repeat",
        "status", "reason", "evidence_level", "agreement", "median_s", "reference_median_s",
        "is_dispatch_bound", "error_type", "error_head", "task_id",
    )  # fmt: skip
    return found.frame().select(names).to_dicts()


def certificate_rows(found: Run) -> list[dict[str, Any]]:
    """Return one row a run: what certifies it and what does not."""
    return [{"run_id": run_id, **known} for run_id, known in found.certificate.items()]


def _columns(*named: tuple[str, str, str]) -> tuple[Column, ...]:
    from isoflop.present.chapter import Column

    return tuple(Column(name=name, label=label, format=form) for name, label, form in named)


def _text(found: Run, findings: tuple[Finding, ...], tables: dict[str, list[dict[str, Any]]]) -> str:
    from isoflop.portability.chapter.run import certificate_text
    from isoflop.portability.chapter.shares import CELLS
    from isoflop.present.console import wrap
    from isoflop.present.pages import cautions_text, page

    failed = [r for r in tables["results"] if r["status"] not in ("ok", "ok_fallback", "skipped")]
    more = f" (first {SHOWN} of {len(failed)}; --json has all)" if len(failed) > SHOWN else ""
    slow = tuple(f for f in findings if f.id.startswith("portability.slowdown_median"))
    lead = page(
        found.summary(),
        slow,
        (),
        ("Functions lost", CELLS, tables["shares"]),
        (
            f"Tasks that did not pass{more}",
            _columns(
                ("target", "target", "text"),
                ("function", "function", "text"),
                ("status", "status", "text"),
                ("reason", "reason", "text"),
                ("error_head", "error", "text"),
            ),
            failed[:SHOWN],
        ),
    )
    parts = (lead, wrap(certificate_text(found)), cautions_text(found.cautions))
    return "\n\n".join(part for part in parts if part)

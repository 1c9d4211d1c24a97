"""Run a catalogue on targets, so that nothing is lost and everything can be gone on with."""

from __future__ import annotations

import datetime as dt
import os
import secrets
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from isoflop import __version__
from isoflop.errors import EvidenceError, SettingError
from isoflop.evidence.portability import RESULTS_VERSION
from isoflop.findings import write_atomically
from isoflop.portability.engine.catalogue import Catalogue
from isoflop.portability.engine.certificate import certificate, run_controls
from isoflop.portability.engine.host import cache_folder, this_host
from isoflop.portability.engine.journal import (
    Journal,
    begin,
    read_about,
    read_tasks,
    refuse_taken,
    write_about,
)
from isoflop.portability.engine.limits import Limits
from isoflop.portability.engine.schedule import Pool
from isoflop.portability.engine.targets import Interpreters, TargetList, targets
from isoflop.portability.model import Policy, Timing
from isoflop.portability.registry import TARGETS, parse_target
from isoflop.portability.results.read import run_of, table_of
from isoflop.portability.runs import Run
from isoflop.portability.task import Item, Task

if TYPE_CHECKING:
    from isoflop.portability.sampling.result import Sample

DEADLINE_S = 60.0
LOCK = "timing.lock"
SELF_CHECKED = 12
"""Tasks of the reference against itself where it is no target of the run."""
Controls = Literal["none", "brief", "full"]
Told = Callable[[int, int], None]


def run(
    catalogue: Catalogue | Sample | Sequence[Item],
    *,
    targets: Iterable[str],
    reference: str | None = None,
    policy: Policy = "fallback",
    timing: Timing | None = None,
    jobs: int | None = None,
    budget_s: float | None = None,
    deadline_s: float = DEADLINE_S,
    memory_byte: int | None = None,
    seed: int = 0,
    out: str | Path | None = None,
    python: Interpreters | None = None,
    command: str = "",
    controls: Controls = "brief",
    told: Told | None = None,
) -> Run:
    """Run every item on every target, in warm workers that may die one task at a time.

    Parameters
    ----------
    catalogue : Catalogue, Sample or sequence of Item
    targets : iterable of str
        Target ids such as ``torch:meta``.
    reference : str, optional
        Target whose outputs and times the others are compared with; default each target's own.
    policy : {"fallback", "strict"}
        Whether a target may move work to another device. Under ``fallback`` what moved is recorded, so that
        shares can be read under both.
    timing : Timing, optional
        Default the full protocol.
    jobs : int, optional
        Workers at once; default one less than the CPUs. Timed blocks never overlap.
    budget_s : float, optional
        Seconds after which no further task is begun; the run can be gone on with.
    deadline_s : float, > 0
        Seconds for one task.
    memory_byte : int, optional
        Resident memory at which a worker is killed; default what this computer can spare, at most 8 GiB.
    out : path, optional
        Folder of the run; without one nothing is written.
    controls : {"brief", "full", "none"}
        Planted targets that are run too, for the certificate: those of a few seconds, all, or none. A run
        of fakes alone has none.

    Raises
    ------
    SettingError
        A target is unknown or absent, or a setting is out of its range.
    EvidenceError
        `out` holds another run.
    """
    _check_jobs(jobs)
    folder = None if out is None else Path(out)
    if folder is not None:
        refuse_taken(folder)
    chosen = timing or Timing()
    interpreters = python or Interpreters()
    names = _named(targets, reference)
    here = _present(names, reference, interpreters)
    items = tuple(catalogue) if isinstance(catalogue, Sequence) else tuple(catalogue.items)
    plan = plan_tasks(items, names, reference, policy, chosen, seed, deadline_s)
    about = _about(items, names, here, chosen, policy, seed, command, interpreters)
    about["controls"] = "none" if all(name.startswith("fake:") for name in names) else controls
    if folder is not None:
        about["absent"] = _absent(names, interpreters)
        begin(folder, about, plan)
    limits = Limits(budget_s=budget_s)
    if memory_byte is not None:
        limits = replace(limits, memory_byte=memory_byte)
    return _work(folder, about, plan, interpreters, limits, jobs, told)


def resume(
    folder: str | Path,
    *,
    jobs: int | None = None,
    budget_s: float | None = None,
    python: Interpreters | None = None,
    told: Told | None = None,
) -> Run:
    """Go on with a run that was interrupted: what is done is kept, the rest is run.

    Raises
    ------
    EvidenceError
        The folder holds no run.
    """
    place = Path(folder)
    about = read_about(place)
    interpreters = python or Interpreters(**about["python"])
    _present(tuple(about["targets"]), None, interpreters)
    return _work(place, about, read_tasks(place), interpreters, Limits(budget_s=budget_s), jobs, told)


def plan_tasks(
    items: Iterable[Item],
    names: Iterable[str],
    reference: str | None,
    policy: Policy,
    timing: Timing,
    seed: int,
    deadline_s: float,
) -> list[Task]:
    """Return the tasks: every item on every target of its framework, in every process repeat.

    Targets below the level ``ran`` are not timed and run once.
    """
    tasks: list[Task] = []
    untimed = replace(timing, processes=1)
    for name in names:
        entry = parse_target(name)[0]
        protocol = timing if entry.level == "ran" else untimed
        for item in items:
            if item.framework != entry.framework:
                continue
            tasks += [
                Task(
                    item=item,
                    target=name,
                    reference=reference or entry.reference,
                    policy=policy,
                    timing=protocol,
                    repeat=repeat,
                    seed=seed,
                    deadline_s=deadline_s,
                )
                for repeat in range(protocol.processes)
            ]
    if not tasks:
        raise SettingError(
            f"run: no item belongs to the framework of {', '.join(names)}. Name targets of the catalogue's "
            "framework; list them with isoflop portability targets."
        )
    return tasks


def _work(
    folder: Path | None,
    about: dict[str, Any],
    plan: Sequence[Task],
    interpreters: Interpreters,
    limits: Limits,
    jobs: int | None,
    told: Told | None,
) -> Run:
    _check_jobs(jobs)
    journal = Journal(folder)
    pool = Pool(
        journal=journal,
        columns={name: {**about["columns"], **state} for name, state in about["states"].items()},
        python=interpreters,
        limits=limits,
        lock=cache_folder() / LOCK,
        told=told,
    )
    try:
        pool.work(plan, jobs or max(1, (os.cpu_count() or 2) - 1))
    finally:
        journal.close()
    rows = [journal.rows[task.key] for task in plan if task.key in journal.rows]
    if not rows:
        raise EvidenceError("run: no task was done within the budget. Raise --budget.")
    planted, own = None, []
    if about["controls"] != "none":
        planted = run_controls(Timing(**about["timing"]), full=about["controls"] == "full")
        own = _self_check(about, plan, interpreters)
    known = certificate(
        rows, own=own, controls=planted, restarts=pool.restarts, not_begun=len(plan) - len(rows)
    )
    about = {**about, "tasks": len(plan), "done": len(rows), "certificate": known}
    found = run_of(table_of(rows, str(about["run_id"])), [about])
    if folder is not None:
        write_about(folder, about)
        _keep_table(folder, found)
    return found


def _check_jobs(jobs: int | None) -> None:
    if jobs is not None and jobs < 1:
        raise SettingError(f"--jobs: {jobs}, must be at least 1. Leave it out for one less than the CPUs.")


def _self_check(about: Mapping[str, Any], plan: Sequence[Task], python: Interpreters) -> list[dict[str, Any]]:
    """Return rows of the reference against itself, on functions spread over the run; none if it has them."""
    target = about["targets"][0]
    reference = next(task.reference for task in plan if task.target == target)
    if any(task.target == task.reference for task in plan):
        return []
    mine = [task for task in plan if task.target == target and task.repeat == 0]
    chosen = [replace(task, target=reference) for task in mine[:: max(1, len(mine) // SELF_CHECKED)]]
    journal = Journal(None)
    pool = Pool(journal=journal, columns={}, python=python, limits=Limits(), lock=cache_folder() / LOCK)
    pool.work(chosen[:SELF_CHECKED], 1)
    return list(journal.rows.values())


def _keep_table(folder: Path, run: Run) -> None:
    """Write the results beside the journal, in the format that is at hand."""
    from importlib.util import find_spec

    from isoflop.portability.results.write import table_bytes

    name = "results.parquet" if find_spec("pyarrow") else "results.csv.gz"
    write_atomically(folder / name, table_bytes(run.frame(), name))


def _named(names: Iterable[str], reference: str | None) -> tuple[str, ...]:
    chosen = tuple(dict.fromkeys(names))
    if not chosen:
        raise SettingError("run: no target, needs at least one. List them with isoflop portability targets.")
    for name in (*chosen, *([reference] if reference else [])):
        parse_target(name)
    return chosen


def _present(names: tuple[str, ...], reference: str | None, python: Interpreters) -> TargetList:
    references = {reference or parse_target(name)[0].reference for name in names}
    found = targets(dict.fromkeys((*names, *sorted(references))), python=python)
    for state in found.targets:
        if not state.present:
            raise SettingError(
                f"run: target {state.id!r} is absent ({state.reason}). "
                + (f"Install {state.needs} in {python(state.id)}, or name" if state.needs else "Name")
                + " another interpreter with --python; isoflop portability targets lists what is here."
            )
    return found


def _absent(names: Iterable[str], python: Interpreters) -> list[dict[str, str]]:
    """Return the targets of the run's frameworks that cannot be used here, for the record."""
    frameworks = {parse_target(name)[0].framework for name in names} - {"fake"}
    others = [name for name, entry in TARGETS.items() if entry.framework in frameworks]
    found = targets(others, python=python).targets if others else ()
    return [{"target": state.id, "reason": state.reason} for state in found if not state.present]


def _about(
    items: Sequence[Item],
    names: Sequence[str],
    here: TargetList,
    timing: Timing,
    policy: Policy,
    seed: int,
    command: str,
    python: Interpreters,
) -> dict[str, Any]:
    host = this_host()
    run_id = f"{dt.datetime.now(dt.UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
    return {
        "run_id": run_id,
        "isoflop": __version__,
        "command": command,
        "created": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "targets": list(names),
        "policy": policy,
        "timing": asdict(timing),
        "seed": seed,
        "items": len(items),
        "host": asdict(host),
        "worker_python": sys.version.split()[0],
        "python": {"named": dict(python.named), "default": python.default},
        "columns": {
            "schema_version": RESULTS_VERSION,
            "run_id": run_id,
            "host_hash": host.host_hash,
            "cpu_model": host.cpu_model,
        },
        "states": {state.id: state.columns() for state in here.targets},
    }

"""What was run, on which targets, and whether the run certifies itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from isoflop.present import formats
from isoflop.present.chapter import Column, Figure, Section, Table

if TYPE_CHECKING:
    from isoflop.portability.runs import Run

TARGETS = (
    Column(name="framework", label="Framework"),
    Column(name="framework_version", label="Version"),
    Column(name="target", label="Target"),
    Column(name="target_level", label="Level"),
    Column(name="device_name", label="Device"),
    Column(name="tasks", label="Tasks", format="count"),
    Column(name="ok", label="Passed", format="count"),
    Column(name="failed", label="Failed", format="count"),
    Column(name="not_counted", label="Not counted", format="count"),
)
ABSENT = (Column(name="target", label="Target"), Column(name="reason", label="Why"))


def run_section(found: Run) -> Section:
    """Return the section on what was run and on what."""
    absent = absent_rows(found)
    return Section(
        id="own-run",
        title="What was run, and on what",
        prose=(_lead(found), certificate_text(found), "{figure:own-outcomes}"),
        figures=run_figures(found),
        tables=(
            Table(
                id="own-targets",
                title="Targets of the run",
                columns=TARGETS,
                rows=tuple(target_rows(found)),
                note="Level: how far the evidence of a target can go. Not counted: skipped, refused by the "
                "reference, or a fault of the harness.",
            ),
            *(
                (
                    Table(
                        id="own-absent",
                        title="Targets that were absent",
                        columns=ABSENT,
                        rows=tuple(absent),
                        note="Looked for when the run began; nothing is known of them.",
                    ),
                )
                if absent
                else ()
            ),
        ),
        cautions=found.cautions,
    )


def run_figures(found: Run) -> tuple[Figure, ...]:
    """Return the picture of what became of the tasks."""
    from isoflop.portability.figures import run as pictures

    frame = pictures.outcomes_data(found)
    targets = frame["target"].n_unique()
    return (
        Figure(
            id="own-outcomes",
            title=f"What became of {formats.count(found.frame().height)} tasks on {targets} "
            f"target{'s' if targets > 1 else ''}",
            subtitle="Share of each target's tasks; a task is a function with one set of inputs",
            frame=frame,
            chart=lambda: pictures.outcomes(found),
            alt="Stacked bars, one a target: shares of tasks that passed, passed by falling back, failed in "
            "several ways, or were not counted.",
            source=", ".join(found.certificate) or found.table.name,
            n=found.frame().height,
            interval="No interval: each task is an outcome",
        ),
    )


def absent_rows(found: Run) -> list[dict[str, Any]]:
    """Return targets of the same frameworks that were looked for and not found, with the reason."""
    known = {
        (state["target"], state["reason"]): state
        for about in found.about.values()
        for state in about.get("absent", ())
    }
    return [dict(state) for state in known.values()]


def target_rows(found: Run) -> list[dict[str, Any]]:
    """Return one row a target: versions, device and how many tasks ended how."""
    import polars as pl

    by = ["framework", "target", "target_level", "framework_version", "target_version", "device_name"]
    counted = (
        found.frame()
        .group_by(by, maintain_order=True)
        .agg(
            tasks=pl.len(),
            ok=pl.col("status").is_in(["ok", "ok_fallback"]).sum(),
            not_counted=pl.col("status").is_in(["skipped", "harness_error", "input_error"]).sum(),
        )
    )
    return counted.with_columns(failed=pl.col("tasks") - pl.col("ok") - pl.col("not_counted")).to_dicts()


def certificate_text(found: Run) -> str:
    """Return in words what certifies a run, or what does not."""
    if not found.certificate:
        return "No certificate came with these results, so nothing says that planted faults were found."
    named = {run: str(found.about.get(run, {}).get("name") or run) for run in found.certificate}
    good = {run: known for run, known in found.certificate.items() if not known["doubts"]}
    said = []
    if good:
        which = "The run is" if len(found.certificate) == 1 else f"{len(good)} of {len(named)} runs are"
        said.append(f"{which} certified: {'; '.join(_certified(list(good.values())))}.")
    said += [
        f"Run {named[run]} is not certified: {'; '.join(known['doubts'])}."
        for run, known in found.certificate.items()
        if known["doubts"]
    ]
    return " ".join(said)


def _certified(known: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what certified runs have shown, taken together."""
    parts = ["every planted fault was found and nothing else"]
    tasks = sum(one["self_check_tasks"] for one in known)
    if tasks:
        parts.append(f"references pass all {formats.count(tasks)} tasks against themselves")
    ratios = [one["self_ratio"] for one in known if one["self_ratio"] is not None]
    if ratios:
        parts.append(f"their ratio against themselves is {_range(ratios)}")
    planted: dict[str, list[float]] = {}
    for one in known:
        for factor, value in one["planted_slowdowns"].items():
            planted.setdefault(str(factor), []).append(value)
    parts += [f"a planted slow-down of {factor} was found as {_range(v)}" for factor, v in planted.items()]
    return parts


def _range(values: Sequence[float]) -> str:
    ends = [f"{end:.3g}" for end in (min(values), max(values))]
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def _lead(found: Run) -> str:
    frame = found.frame()
    functions, targets = frame["function"].n_unique(), frame["target"].n_unique()
    machines = frame["host_hash"].drop_nulls().n_unique() if "host_hash" in frame.columns else 0
    models = ", ".join(sorted(set(frame["cpu_model"].drop_nulls()))) if "cpu_model" in frame.columns else ""
    return (
        f"{formats.count(frame.height)} tasks: {formats.count(functions)} functions on {targets} targets, "
        f"{machines or 'unnamed'} computer{'s' if machines > 1 else ''}{f' ({models})' if models else ''}."
    )

"""What was run, on which targets, and whether the run certifies itself."""

from __future__ import annotations

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
    return " ".join(_certified(run_id, known) for run_id, known in found.certificate.items())


def _certified(run_id: str, known: Any) -> str:
    if known["doubts"]:
        return f"Run {run_id} is not certified: {'; '.join(known['doubts'])}."
    parts = ["every planted fault was found and nothing else"]
    if known["self_check_tasks"]:
        parts.append(
            f"the reference passes all {formats.count(known['self_check_tasks'])} tasks against itself"
        )
    if known["self_ratio"] is not None:
        parts.append(f"its ratio against itself is {known['self_ratio']:.3f}")
    parts += [
        f"a planted slow-down of {planted} was found as {found:.3g}"
        for planted, found in known["planted_slowdowns"].items()
    ]
    return f"Run {run_id} is certified: {'; '.join(parts)}."


def _lead(found: Run) -> str:
    frame = found.frame()
    functions, targets = frame["function"].n_unique(), frame["target"].n_unique()
    machines = frame["host_hash"].drop_nulls().n_unique() if "host_hash" in frame.columns else 0
    models = ", ".join(sorted(set(frame["cpu_model"].drop_nulls()))) if "cpu_model" in frame.columns else ""
    return (
        f"{formats.count(frame.height)} tasks: {formats.count(functions)} functions on {targets} targets, "
        f"{machines or 'unnamed'} computer{'s' if machines > 1 else ''}{f' ({models})' if models else ''}."
    )

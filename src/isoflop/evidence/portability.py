"""Schemas of portability: measured results, a row a task on a target, and published aggregates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.evidence.problem import refuse
from isoflop.evidence.schema import POSITIVE, SOURCING, Column, Rule, Schema

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    Derive = Callable[[pl.DataFrame, str], tuple[pl.DataFrame, tuple[str, ...]]]

RESULTS_VERSION = 1
"""Version of the columns below; a reader refuses a newer one."""
_COUNT = Rule(low=0.0, open_low=False, hint="A count is a whole number, at least 0.")
_SECONDS = Rule(low=0.0, hint="A call takes time: leave the cell empty where nothing was timed.")


def _as_it_is(frame: pl.DataFrame, where: str) -> tuple[pl.DataFrame, tuple[str, ...]]:  # noqa: ARG001
    return frame, ()


PORTABILITY_RESULTS = Schema(
    name="portability_results",
    doc="One task (a function with its inputs) on one target, in one process repeat.",
    key=("run_id", "task_id", "repeat"),
    derive=_as_it_is,
    columns=(
        Column(name="schema_version", dtype="number", rule=POSITIVE, doc="Version of these columns."),
        Column(name="run_id", dtype="text", required=True, filled=True, doc="Run that measured it."),
        Column(name="task_id", dtype="text", required=True, filled=True, doc="The same on every computer."),
        Column(name="repeat", dtype="number", required=True, filled=True, rule=_COUNT, doc="Process repeat."),
        Column(name="framework", dtype="text", required=True, filled=True, doc="Framework of the function."),
        Column(name="framework_version", dtype="text", doc="Its version."),
        Column(name="target", dtype="text", required=True, filled=True, doc="Where it was to run."),
        Column(name="target_version", dtype="text", doc="Version of what runs it."),
        Column(
            name="target_level",
            dtype="text",
            choices=("traced", "lowered", "compiled", "ran"),
            doc="The highest level that the target can give.",
        ),
        Column(name="device_name", dtype="text", doc="Device, as it calls itself."),
        Column(name="driver", dtype="text", doc="Driver and its version."),
        Column(name="reference", dtype="text", doc="Target it was compared with."),
        Column(name="policy", dtype="text", choices=("strict", "fallback"), doc="Was falling back allowed."),
        Column(
            name="evidence_level",
            dtype="text",
            choices=("traced", "lowered", "compiled", "ran", "agreed"),
            doc="How far the task got; empty where it reached none.",
        ),
        Column(name="function", dtype="text", required=True, filled=True, doc="Canonical qualified name."),
        Column(name="variant", dtype="text", doc="What tells two entries of one function apart."),
        Column(name="provider", dtype="text", doc="Who made the inputs."),
        Column(name="dtype", dtype="text", doc="Dtype of the main input."),
        Column(name="size_class", dtype="text", doc="Rung of the size ladder."),
        Column(name="sample_id", dtype="text", doc="Hash of the inputs' make; equal on every computer."),
        Column(
            name="status",
            dtype="text",
            required=True,
            filled=True,
            choices=(
                "ok",
                "ok_fallback",
                "wrong",
                "unsupported",
                "error",
                "crash",
                "timeout",
                "oom",
                "skipped",
                "harness_error",
                "input_error",
            ),
            doc="What became of it.",
        ),
        Column(name="reason", dtype="text", doc="Why it failed."),
        Column(name="reason_rule", dtype="text", doc="Rule that decided the reason, with its version."),
        Column(name="error_type", dtype="text", doc="Class of the exception, or the signal."),
        Column(name="error_head", dtype="text", doc="Start of the error's text, cleaned."),
        Column(name="prepare_s", dtype="number", unit="s", rule=_SECONDS, doc="Compiling or exporting."),
        Column(name="first_s", dtype="number", unit="s", rule=_SECONDS, doc="The first call."),
        Column(name="median_s", dtype="number", unit="s", rule=_SECONDS, doc="Median of blocks, a call."),
        Column(name="mad_s", dtype="number", unit="s", rule=_COUNT, doc="Median absolute deviation."),
        Column(name="ci_low_s", dtype="number", unit="s", rule=_SECONDS, doc="95 % interval of the median."),
        Column(name="ci_high_s", dtype="number", unit="s", rule=_SECONDS, doc="95 % interval of the median."),
        Column(
            name="reference_median_s",
            dtype="number",
            unit="s",
            rule=_SECONDS,
            doc="The reference's median, interleaved in the same process.",
        ),
        Column(
            name="block_log_ratios",
            dtype="text",
            doc="ln(target / reference) of neighbouring blocks, separated by spaces.",
        ),
        Column(name="n_blocks", dtype="number", rule=_COUNT, doc="Blocks timed."),
        Column(name="n_inner", dtype="number", rule=_COUNT, doc="Calls a block."),
        Column(name="n_warmup", dtype="number", rule=_COUNT, doc="Calls before the first block."),
        Column(name="protocol", dtype="text", doc="Timing protocol."),
        Column(
            name="timing_end",
            dtype="text",
            choices=("precise", "budget"),
            doc="Whether precision or the budget ended timing.",
        ),
        Column(name="overhead_s", dtype="number", unit="s", rule=_SECONDS, doc="Null call on the target."),
        Column(name="is_dispatch_bound", dtype="flag", doc="Median below ten null calls."),
        Column(name="err_rel", dtype="number", rule=_COUNT, doc="Error against float64, relative norm."),
        Column(name="err_ulp", dtype="number", unit="ULP", rule=_COUNT, doc="Largest error of an element."),
        Column(name="ref_err_rel", dtype="number", rule=_COUNT, doc="The reference's own error."),
        Column(
            name="agreement",
            dtype="text",
            choices=("agree", "differ", "shape", "dtype", "nan_pattern", "not_comparable", "not_checked"),
            doc="Whether the numbers match.",
        ),
        Column(name="gradient", dtype="text", doc="Agreement of gradients; empty where not checked."),
        Column(name="fallback_ops", dtype="text", doc="Operations that left the device, by spaces."),
        Column(name="custom_calls", dtype="text", doc="Custom calls in the lowered module, by spaces."),
        Column(name="artefact_byte", dtype="number", unit="B", rule=_COUNT, doc="Size of what was lowered."),
        Column(name="peak_mem_byte", dtype="number", unit="B", rule=_COUNT, doc="Peak memory, if known."),
        Column(name="host_hash", dtype="text", doc="Salted digest; no host or user name."),
        Column(name="cpu_model", dtype="text", doc="Model of the CPU."),
        Column(name="load_avg", dtype="number", rule=_COUNT, doc="Load of the last minute at the start."),
        Column(name="is_noisy", dtype="flag", doc="First and last quarter of blocks differ by over 10 %."),
        Column(name="started_at", dtype="text", doc="UTC, ISO 8601."),
    ),
)

_MEASURES = (
    "failing",
    "partial",
    "complete",
    "slower",
    "over_10x",
    "slowdown_median",
    "stated_failing_share",
)

PORTABILITY_FACTS = Schema(
    name="portability_facts",
    doc="One published aggregate: of so many functions of a framework, so many fail or slow down.",
    key=("framework", "source_target", "target", "measure"),
    derive=_as_it_is,
    columns=(
        Column(name="framework", dtype="text", required=True, filled=True, doc="Framework."),
        Column(name="source_target", dtype="text", doc="Device moved from; empty for shares of one device."),
        Column(name="target", dtype="text", required=True, filled=True, doc="Device."),
        Column(
            name="measure",
            dtype="text",
            required=True,
            filled=True,
            choices=_MEASURES,
            doc="What is counted.",
        ),
        Column(name="count", dtype="number", rule=_COUNT, doc="Functions of which it is true."),
        Column(name="functions", dtype="number", rule=POSITIVE, doc="Functions counted."),
        Column(name="value", dtype="number", rule=_COUNT, doc="A ratio or share that is no count."),
        Column(name="low", dtype="number", rule=_COUNT, doc="Lower end of its 95 % interval."),
        Column(name="high", dtype="number", rule=_COUNT, doc="Upper end of its 95 % interval."),
        *SOURCING,
    ),
)
"""Aggregates of the published study: figures, not its files."""


def _unique(key: tuple[str, ...], column: str, todo: str) -> Derive:
    """Return the check that a key names one row."""

    def check(frame: pl.DataFrame, where: str) -> tuple[pl.DataFrame, tuple[str, ...]]:
        import polars as pl

        repeated = pl.struct(key).is_duplicated()
        refuse(frame, repeated, column, where, f"another row has the same {', '.join(key)}", todo)
        return frame, ()

    return check


_FRAMEWORK = Column(name="framework", dtype="text", required=True, filled=True, doc="Framework.")
_TARGET = Column(name="target", dtype="text", required=True, filled=True, doc="Device, as named there.")
_FUNCTION = Column(name="function", dtype="text", required=True, filled=True, doc="Function: one test file.")

PORTABILITY_OUTCOMES = Schema(
    name="portability_outcomes",
    doc="One test of one function on one target: did it pass?",
    key=("framework", "target", "function", "test"),
    derive=_unique(
        ("framework", "target", "function", "test"),
        "test",
        "Keep one; a repeated run is a target of its own.",
    ),
    columns=(
        _FRAMEWORK,
        _TARGET,
        _FUNCTION,
        Column(name="test", dtype="text", required=True, filled=True, doc="Class::test."),
        Column(
            name="outcome",
            dtype="text",
            required=True,
            filled=True,
            choices=("passed", "failed", "skipped"),
            doc="What became of it.",
        ),
        Column(name="exception", dtype="text", doc="Class of the exception."),
        Column(name="message", dtype="text", doc="Start of its text."),
        Column(name="call_seconds", dtype="number", unit="s", rule=_COUNT, doc="Time of the whole test."),
    ),
)
PORTABILITY_TIMINGS = Schema(
    name="portability_timings",
    doc="One timed call of one test, in one run.",
    key=("framework", "target", "run", "function", "test", "op_index"),
    derive=_unique(
        ("framework", "target", "run", "function", "test", "op_index"),
        "op_index",
        "Number the calls of a test.",
    ),
    columns=(
        _FRAMEWORK,
        _TARGET,
        Column(
            name="run", dtype="number", required=True, filled=True, rule=_COUNT, doc="Repeat of the suite."
        ),
        _FUNCTION,
        Column(name="test", dtype="text", required=True, filled=True, doc="Bare name of the test."),
        Column(
            name="op_index", dtype="number", required=True, filled=True, rule=_COUNT, doc="Place of the call."
        ),
        Column(
            name="seconds",
            dtype="number",
            unit="s",
            required=True,
            filled=True,
            rule=Rule(low=0.0, hint="A timed call takes time. Fix or drop the row."),
            doc="Seconds of the call.",
        ),
    ),
)
PORTABILITY_USAGE = Schema(
    name="portability_usage",
    doc="How often a function's name was found in code.",
    key=("framework", "name"),
    derive=_unique(("framework", "name"), "name", "Add the counts up."),
    columns=(
        _FRAMEWORK,
        Column(name="name", dtype="text", required=True, filled=True, doc="Name, as found."),
        Column(name="count", dtype="number", required=True, filled=True, rule=_COUNT, doc="Hits."),
    ),
)
"""What the paper's own folder holds, read as it is."""

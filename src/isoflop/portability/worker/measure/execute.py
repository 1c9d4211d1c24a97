"""One task on one target: from inputs to the row that says what became of it.

The steps are the same for every framework. Each is announced, so that the parent knows how far a worker had
come when it died; each has one status that a failure there means.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING

from isoflop.portability.model import DISPATCH_FACTOR, Status
from isoflop.portability.task import digest
from isoflop.portability.worker.measure.agreement import Compared, compare
from isoflop.portability.worker.measure.errors import error_head, error_type, status_of
from isoflop.portability.worker.measure.memory import Peak
from isoflop.portability.worker.measure.reference import Base, base_of, gradient_base, output, rebuilt
from isoflop.portability.worker.measure.row import Row, blank_row
from isoflop.portability.worker.measure.timing import (
    Timed,
    is_noisy,
    median_interval,
    null_seconds,
    time_pair,
)

if TYPE_CHECKING:
    from isoflop.portability.task import Task
    from isoflop.portability.worker.interface import Call, Check, Leaf, Prepared, Provider, Target

Stage = Callable[[str], None]
Lock = Callable[[], AbstractContextManager[object]]
STAGES = (
    "inputs", "prepare", "reference", "call", "fetch", "agreement", "gradient", "waiting", "timing",
)  # fmt: skip
"""What `execute` announces. A death in ``inputs`` or ``reference`` is none of the target's; ``waiting`` is
for the lock of the host and should not count against a deadline."""
RESERVE_S = 1.0
"""Seconds before the deadline at which timing ends, so that the row still arrives."""
_SHORTEST_S = 1e-9
_NULL: dict[str, Callable[[], None] | float | None] = {}
"""The null call of each target, then its seconds: made and timed once a process."""


class Failed(Exception):
    """A step failed: the status that this means, and what was raised."""

    def __init__(self, status: Status, error: BaseException) -> None:
        super().__init__(str(status))
        self.status = status
        self.error = error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bench:
    """What every step needs."""

    task: Task
    target: Target
    reference: Target
    stage: Stage
    lock: Lock
    begun: float


def execute(
    task: Task,
    *,
    provider: Provider,
    target: Target,
    reference: Target,
    stage: Stage = lambda name: None,  # noqa: ARG005
    lock: Lock = nullcontext,
) -> Row:
    """Run one task and return its row.

    Parameters
    ----------
    task : Task
    provider : Provider
        Makes the inputs.
    target, reference : Target
    stage : callable
        Told the name of each step as it begins; one of `STAGES`.
    lock : callable
        Gives the context in which blocks are timed: one at a time on a host.

    Returns
    -------
    dict
        Columns of schema ``portability_results``, without those of the run and the computer. The status is
        never ``unsupported``: the table of reasons decides that.
    """
    bench = _Bench(
        task=task, target=target, reference=reference, stage=stage, lock=lock, begun=time.perf_counter()
    )
    row = blank_row(task, target.level) | {"status": "ok", "agreement": "not_checked"}
    try:
        stage("inputs")
        with _failing("input_error"):
            call = provider.make(task.item, task.seed)
            row |= _named(task, call)
        if target.level == "ran":
            _with_values(row, bench, call)
        else:
            _without_values(row, bench, call)
    except Failed as failed:
        row |= _told(failed)
    return row


def _named(task: Task, call: Call) -> Row:
    """Return the ids of a task whose inputs are known; a fast index leaves them to be found here."""
    sample = task.item.sample_id or sample_id(call, task.seed)
    return {
        "sample_id": sample,
        "task_id": replace(task, item=replace(task.item, sample_id=sample)).task_id,
    }


def sample_id(call: Call, seed: int) -> str:
    """Return the hash of the inputs' make: shapes, dtypes, layouts, other arguments and seed."""
    return digest(_plain(call.signature), seed)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return value if isinstance(value, (str, int, float, bool)) or value is None else str(value)


def _with_values(row: Row, bench: _Bench, call: Call) -> None:
    bench.stage("reference")
    with _failing("input_error"):
        base = base_of(call, bench.reference)
    prepared, leaves = _called(row, bench, call)
    row["evidence_level"] = "ran"
    bench.stage("agreement")
    with _failing("error"):
        _judge(row, _compared(call, leaves, base))
    if row["agreement"] == "agree":
        row["evidence_level"] = "agreed"
    if bench.task.item.gradient and row["status"] == "ok" and _check(call) == "values":
        bench.stage("gradient")
        _gradient(row, bench, call)
    with _failing("error"):
        _fallback(row, bench.target, prepared, leaves)
    if base.prepared is not None and row["status"] in ("ok", "ok_fallback", "wrong"):
        _time(row, bench, prepared, base.prepared)


def _called(row: Row, bench: _Bench, call: Call) -> tuple[Prepared, Sequence[Leaf]]:
    """Prepare and call for the first time; each takes its own column."""
    peak = Peak()
    try:
        bench.stage("prepare")
        if bench.task.timing.protocol != "none":
            _start(bench.target)
        begun = time.perf_counter()
        with _failing("error"):
            prepared = bench.target.prepare(call, bench.task.policy)
        row["prepare_s"] = max(time.perf_counter() - begun, _SHORTEST_S)
        bench.stage("call")
        begun = time.perf_counter()
        with _failing("error"):
            value = prepared.call()
            prepared.sync(value)
        row["first_s"] = max(time.perf_counter() - begun, _SHORTEST_S)
        bench.stage("fetch")
        with _failing("error"):
            return prepared, prepared.fetch(value)
    finally:
        row["peak_mem_byte"] = peak.byte()


def _without_values(row: Row, bench: _Bench, call: Call) -> None:
    """Trace, lower or compile; shapes and dtypes are compared where the target tells them."""
    bench.stage("prepare")
    try:
        with _failing("error"):
            prepared = bench.target.prepare(call, bench.task.policy)
            leaves = output(prepared)
            made = prepared.artefact()
    except Failed as failed:
        raise _whose_fault(row, bench, call, failed) from failed.error
    row |= {
        "evidence_level": bench.target.level,
        "agreement": "not_comparable",
        "custom_calls": " ".join(made.custom_calls) or None,
        "artefact_byte": made.size_byte,
    }
    if not leaves or call.kind == "data_dependent_shape":
        return
    bench.stage("reference")
    with _failing("input_error"):
        base = base_of(call, bench.reference, is_exact=False)
    shapes = compare(leaves, base.leaves, check="shape_dtype").agreement
    if shapes != "agree":
        row |= {"agreement": shapes, "status": "wrong"}


def _whose_fault(row: Row, bench: _Bench, call: Call, failed: Failed) -> Failed:
    """Return the failure of a target without values as what it is.

    A call that the reference cannot run either is a fault of the inputs. An output whose shape depends on
    values has no shape where there are no values: that says nothing about the target.
    """
    if call.kind == "data_dependent_shape":
        row["reason"] = "data_dependent"
        return Failed("skipped", failed.error)
    bench.stage("reference")
    try:
        base_of(call, bench.reference, is_exact=False)
    except Exception as error:
        return Failed("input_error", error)
    return failed


def _check(call: Call) -> Check:
    """Return how outputs are compared: the kind of a call rules where its check says nothing special."""
    if call.kind == "undefined_values":
        return "shape_dtype"
    if call.kind == "random" and call.check == "values":
        return "distribution"
    return call.check


def _compared(call: Call, leaves: Sequence[Leaf], base: Base) -> Compared:
    check = _check(call)
    if check != "reconstruct":
        return compare(leaves, base.leaves, base.exact, check=check)
    shapes = compare(leaves, base.leaves, check="shape_dtype")
    if shapes.agreement != "agree":
        return shapes
    return compare(rebuilt(call, leaves), rebuilt(call, base.leaves), base.exact)


def _judge(row: Row, compared: Compared) -> None:
    row |= {
        "agreement": compared.agreement,
        "err_rel": compared.err_rel,
        "err_ulp": compared.err_ulp,
        "ref_err_rel": compared.ref_err_rel,
    }
    if compared.agreement not in ("agree", "not_comparable"):
        row["status"] = "wrong"


def _gradient(row: Row, bench: _Bench, call: Call) -> None:
    base = gradient_base(call, bench.reference)
    if base is None:
        return
    try:
        with _failing("error"):
            mine = bench.target.prepare_gradient(call, bench.task.policy)
            found = None if mine is None else output(mine)
    except Failed as failed:
        row |= {"gradient": "error", "reason": "gradient"} | _told(failed)
        return
    if found is None:
        return
    row["gradient"] = compare(found, base.leaves, base.exact).agreement
    if row["gradient"] not in ("agree", "not_comparable"):
        row |= {"status": "wrong", "reason": "gradient"}


def _fallback(row: Row, target: Target, prepared: Prepared, leaves: Sequence[Leaf]) -> None:
    """Note what left the target: what it admits, and outputs that lie on another device.

    A target may name its device (attribute ``device``, the start of its outputs' devices): a framework that
    falls back without a word is found out by where the output lies.
    """
    own = getattr(target, "device", None)
    elsewhere = {leaf.device for leaf in leaves if own and not leaf.device.lower().startswith(own.lower())}
    left = (*prepared.fallback_ops(), *(f"output_on_{device}" for device in sorted(elsewhere)))
    row["fallback_ops"] = " ".join(dict.fromkeys(left)) or None
    if left and row["status"] == "ok":
        row["status"] = "ok_fallback"


def _time(row: Row, bench: _Bench, prepared: Prepared, base: Prepared) -> None:
    task = bench.task
    if task.timing.protocol == "none":
        return
    spent = time.perf_counter() - bench.begun
    bench.stage("waiting")
    with bench.lock():
        bench.stage("timing")
        with _failing("error"):
            timed = time_pair(
                prepared, base, task.timing, left_s=max(task.deadline_s - spent - RESERVE_S, 0.0)
            )
            if timed is not None:
                row |= _times(timed, _overhead(bench.target))


def _start(target: Target) -> None:
    """Make a target's null call once a process: it starts what the framework starts at first use.

    The first task of a worker would pay for that, under the name of its own preparation.
    """
    if target.id in _NULL:
        return
    try:
        null = target.null_call()
        null()
    except Exception:
        # Without a null call nothing is said about dispatch; the times themselves hold.
        _NULL[target.id] = None
        return
    _NULL[target.id] = null


def _overhead(target: Target) -> float | None:
    """Return the seconds of a target's null call, timed once a process."""
    _start(target)
    null = _NULL[target.id]
    if callable(null):
        try:
            null = null_seconds(null)
        except Exception:
            null = None
        _NULL[target.id] = null
    return null


def _times(timed: Timed, overhead: float | None) -> Row:
    middle = median(timed.target)
    low, high = median_interval(timed.target)
    return {
        "median_s": middle,
        "mad_s": median(math.fabs(value - middle) for value in timed.target),
        "ci_low_s": low,
        "ci_high_s": high,
        "reference_median_s": median(timed.reference),
        "block_log_ratios": " ".join(f"{ratio:.4f}" for ratio in timed.log_ratios),
        "n_blocks": len(timed.target),
        "n_inner": timed.n_inner,
        "n_warmup": timed.n_warmup,
        "timing_end": timed.end,
        "overhead_s": overhead,
        "is_dispatch_bound": None if overhead is None else middle < DISPATCH_FACTOR * overhead,
        "is_noisy": is_noisy(timed.target) or is_noisy(timed.reference),
    }


def _told(failed: Failed) -> Row:
    return {
        "status": failed.status,
        "error_type": error_type(failed.error),
        "error_head": error_head(failed.error),
    }


@contextmanager
def _failing(otherwise: Status) -> Iterator[None]:
    """Turn whatever is raised into the status that it means.

    Not `Exception` alone: a panic in a library written in Rust, and a call of `sys.exit`, are none.
    """
    try:
        yield
    except (Failed, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise Failed(status_of(error, otherwise), error) from error

"""One task on one target: from inputs to the row that says what became of it."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.portability.model import DISPATCH_FACTOR
from isoflop.portability.task import digest
from isoflop.portability.worker.measure.agreement import Compared, compare
from isoflop.portability.worker.measure.errors import error_head, error_type, is_out_of_memory
from isoflop.portability.worker.measure.timing import is_noisy, median_interval, null_seconds, time_pair

if TYPE_CHECKING:
    from isoflop.portability.task import Task
    from isoflop.portability.worker.interface import Call, Leaf, Prepared, Provider, Target

Row = dict[str, Any]
Stage = Callable[[str], None]
Lock = Callable[[], AbstractContextManager[None]]
NO_VALUES = frozenset({"traced", "lowered", "compiled"})
_OVERHEAD: dict[str, float] = {}
"""Seconds of a null call by target: measured once a process."""


class Failed(Exception):
    """A stage of a task failed; carries the row's status."""

    def __init__(self, status: str, error: BaseException) -> None:
        super().__init__(str(error))
        self.status = status
        self.error = error


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
        Told the name of each stage as it begins, so that the parent knows where a worker died.
    lock : callable
        Gives the context in which blocks are timed: one at a time on a host.

    Returns
    -------
    dict
        Columns of schema ``portability_results``, without those of the run and the computer. The status is
        never ``unsupported``: the table of reasons decides that.
    """
    row: Row = {"status": "ok", "agreement": "not_checked", "sample_id": task.item.sample_id}
    try:
        _steps(row, task, provider, target, reference, stage, lock)
    except Failed as failed:
        status = "oom" if is_out_of_memory(failed.error) else failed.status
        row |= {
            "status": status,
            "error_type": error_type(failed.error),
            "error_head": error_head(failed.error),
        }
    row["peak_mem_byte"] = _peak_memory()
    return row


def _steps(
    row: Row, task: Task, provider: Provider, target: Target, reference: Target, stage: Stage, lock: Lock
) -> None:
    stage("inputs")
    with _failing("input_error"):
        call = provider.make(task.item, task.seed)
        row["sample_id"] = sample_id(call, task.seed)
    if target.level in NO_VALUES:
        _without_values(row, task, call, target, reference, stage)
        return
    stage("reference")
    base = _reference(call, reference)
    stage("prepare")
    begun = time.perf_counter()
    with _failing("error"):
        prepared = target.prepare(call, task.policy)
    row["prepare_s"] = max(time.perf_counter() - begun, 1e-9)
    stage("call")
    begun = time.perf_counter()
    with _failing("error"):
        value = prepared.call()
        prepared.sync(value)
    row["first_s"] = max(time.perf_counter() - begun, 1e-9)
    stage("fetch")
    with _failing("error"):
        leaves = prepared.fetch(value)
    row["evidence_level"] = "ran"
    stage("agreement")
    _agreement(row, call, leaves, base)
    if row["agreement"] == "agree":
        row["evidence_level"] = "agreed"
    if task.item.gradient and row["status"] == "ok":
        stage("gradient")
        _gradient(row, task, call, target, reference)
    _fallback(row, prepared)
    if (
        task.timing.protocol != "none"
        and base.prepared is not None
        and row["status"] in ("ok", "ok_fallback", "wrong")
    ):
        stage("timing")
        with _failing("error"), lock():
            _time(row, task, target, prepared, base.prepared)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Base:
    """The reference's output, the value in float64, and the reference ready for timing."""

    leaves: Sequence[Leaf]
    exact: Sequence[Leaf] | None
    prepared: Prepared | None


def _reference(call: Call, reference: Target) -> _Base:
    try:
        prepared = reference.prepare(call, "fallback")
        value = prepared.call()
        prepared.sync(value)
        leaves = prepared.fetch(value)
    except Exception as error:
        if call.expected is None:
            raise Failed("input_error", error) from error
        return _Base(leaves=call.expected, exact=None, prepared=None)
    if call.expected is not None:
        return _Base(leaves=leaves, exact=call.expected, prepared=prepared)
    return _Base(leaves=leaves, exact=_exact(call, reference), prepared=prepared)


def _exact(call: Call, reference: Target) -> Sequence[Leaf] | None:
    """Return the output in float64, or None where there is none: then the reference is the measure."""
    if call.float64 is None or call.check in ("shape_dtype", "distribution"):
        return None
    try:
        wide = call.float64()
        prepared = reference.prepare(wide, "fallback")
        value = prepared.call()
        prepared.sync(value)
        return _rebuilt(wide, prepared.fetch(value))
    except Exception:
        return None


def _rebuilt(call: Call, leaves: Sequence[Leaf]) -> Sequence[Leaf]:
    if call.check == "reconstruct" and call.rebuild is not None:
        return call.rebuild(tuple(leaves), call.args)
    return leaves


def _agreement(row: Row, call: Call, leaves: Sequence[Leaf], base: _Base) -> None:
    check = "shape_dtype" if call.kind == "undefined_values" else call.check
    if call.kind == "random" and check == "values":
        check = "distribution"
    if check == "reconstruct":
        plain = compare(leaves, base.leaves, check="shape_dtype")
        if plain.agreement != "agree":
            _judge(row, plain)
            return
        with _failing("error"):
            found, right = _rebuilt(call, leaves), _rebuilt(call, base.leaves)
        _judge(row, compare(found, right, base.exact))
        return
    _judge(row, compare(leaves, base.leaves, base.exact, check=check))


def _judge(row: Row, compared: Compared) -> None:
    row |= {
        "agreement": compared.agreement,
        "err_rel": compared.err_rel,
        "err_ulp": compared.err_ulp,
        "ref_err_rel": compared.ref_err_rel,
    }
    if compared.agreement not in ("agree", "not_comparable"):
        row["status"] = "wrong"


def _gradient(row: Row, task: Task, call: Call, target: Target, reference: Target) -> None:
    try:
        base = reference.prepare_gradient(call, "fallback")
        right = None if base is None else _outcome(base)
    except Exception:
        right = None
    if right is None:
        return
    try:
        mine = target.prepare_gradient(call, task.policy)
        found = None if mine is None else _outcome(mine)
    except Exception as error:
        row |= {"gradient": "error", "status": "error", "error_type": error_type(error)}
        row |= {"error_head": error_head(error), "reason": "gradient"}
        return
    if found is None:
        return
    row["gradient"] = compare(found, right, _exact_gradient(call, reference)).agreement
    if row["gradient"] not in ("agree", "not_comparable"):
        row |= {"status": "wrong", "reason": "gradient"}


def _outcome(prepared: Prepared) -> Sequence[Leaf]:
    value = prepared.call()
    prepared.sync(value)
    return prepared.fetch(value)


def _exact_gradient(call: Call, reference: Target) -> Sequence[Leaf] | None:
    if call.float64 is None:
        return None
    try:
        wide = reference.prepare_gradient(call.float64(), "fallback")
        return None if wide is None else _outcome(wide)
    except Exception:
        return None


def _fallback(row: Row, prepared: Prepared) -> None:
    left = prepared.fallback_ops()
    row["fallback_ops"] = " ".join(left) or None
    if left and row["status"] == "ok":
        row["status"] = "ok_fallback"


def _without_values(
    row: Row, task: Task, call: Call, target: Target, reference: Target, stage: Stage
) -> None:
    stage("prepare")
    with _failing("error"):
        prepared = target.prepare(call, task.policy)
        leaves = prepared.fetch(prepared.call()) if target.level == "traced" else ()
        made = prepared.artefact()
    row |= {
        "evidence_level": target.level,
        "agreement": "not_comparable",
        "custom_calls": " ".join(made.custom_calls) or None,
        "artefact_byte": made.size_byte,
    }
    if target.level != "traced" or call.kind == "data_dependent_shape":
        return
    stage("reference")
    base = _reference(call, reference)
    shapes = compare(leaves, base.leaves, check="shape_dtype").agreement
    if shapes != "agree":
        row |= {"agreement": shapes, "status": "wrong", "evidence_level": None}


def _time(row: Row, task: Task, target: Target, prepared: Prepared, base: Prepared) -> None:
    timed = time_pair(prepared, base, task.timing)
    median = float(np.median(timed.target))
    low, high = median_interval(timed.target)
    if target.id not in _OVERHEAD:
        _OVERHEAD[target.id] = null_seconds(target.null_call())
    overhead = _OVERHEAD[target.id]
    row |= {
        "median_s": median,
        "mad_s": float(np.median(np.abs(np.asarray(timed.target) - median))),
        "ci_low_s": low,
        "ci_high_s": high,
        "reference_median_s": float(np.median(timed.reference)),
        "block_log_ratios": " ".join(f"{ratio:.4f}" for ratio in timed.log_ratios),
        "n_blocks": len(timed.target),
        "n_inner": timed.n_inner,
        "n_warmup": timed.n_warmup,
        "timing_end": timed.end,
        "overhead_s": overhead,
        "is_dispatch_bound": median < DISPATCH_FACTOR * overhead,
        "is_noisy": is_noisy(timed.target) or is_noisy(timed.reference),
    }


@contextmanager
def _failing(status: str) -> Iterator[None]:
    """Turn any exception of what is measured into the row's status."""
    try:
        yield
    except Failed:
        raise
    except Exception as error:
        raise Failed(status, error) from error


def sample_id(call: Call, seed: int) -> str:
    """Return the hash of the inputs' make: shapes, dtypes, layouts, other arguments and seed."""
    return digest(_plain(call.signature), seed)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return value if isinstance(value, (str, int, float, bool)) or value is None else str(value)


def _peak_memory() -> int:
    """Return the largest resident memory of this process so far, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024

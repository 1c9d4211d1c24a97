"""What becomes of one task: every fake target's fault is found, and nothing else."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any
from unittest import SkipTest

import numpy as np
import pytest

from isoflop.errors import SettingError
from isoflop.evidence.portability import PORTABILITY_RESULTS
from isoflop.portability.model import Timing
from isoflop.portability.registry import PROVIDERS, parse_target
from isoflop.portability.task import Task
from isoflop.portability.worker.fake.functions import FUNCTIONS, leaf
from isoflop.portability.worker.interface import Absent, Call, Leaf, Prepared, Present
from isoflop.portability.worker.measure.execute import STAGES, execute, sample_id
from isoflop.portability.worker.measure.timing import time_pair
from isoflop.portability.worker.ready import Ready

OF_THE_RUN = {
    "schema_version", "run_id", "framework_version", "target_version", "device_name", "driver", "host_hash",
    "cpu_model", "load_avg", "started_at", "reason_rule",
}  # fmt: skip


def resolve(home: str, *arguments: str) -> Any:
    module, _, name = home.partition(":")
    return getattr(importlib.import_module(module), name)(*arguments)


def target_of(text: str) -> Any:
    entry, arguments = parse_target(text)
    return resolve(entry.home, *arguments)


def rows(
    target: str, *, provider: str = "fake", timing: Timing | None = None, **settings: Any
) -> dict[str, list[dict[str, Any]]]:
    made = resolve(PROVIDERS[provider].home)
    on, reference = target_of(target), target_of("fake:plain")
    found: dict[str, list[dict[str, Any]]] = {}
    for item in made.items(dtypes=(), sizes=("tiny",), samples=1):
        task = Task(
            item=item, target=target, reference="fake:plain", timing=timing or Timing.none(), **settings
        )
        row = execute(task, provider=made, target=on, reference=reference)
        found.setdefault(item.function, []).append(row)
    return found


def statuses(target: str, **settings: Any) -> dict[str, set[str]]:
    return {name: {row["status"] for row in these} for name, these in rows(target, **settings).items()}


def test_the_reference_agrees_with_itself() -> None:
    found = rows("fake:plain")
    assert set(found) == set(FUNCTIONS)
    for row in (row for these in found.values() for row in these):
        assert (row["status"], row["agreement"], row["evidence_level"]) == ("ok", "agree", "agreed")
    assert {row["gradient"] for row in found["fake.matmul"]} == {"agree"}


def test_rows_have_columns_of_the_schema_alone() -> None:
    known = {column.name for column in PORTABILITY_RESULTS.columns}
    seen = {
        name
        for target, timing in (("fake:plain", Timing.quick()), ("fake:lower", None), ("fake:broken", None))
        for these in rows(target, timing=timing, provider="fake_null").values()
        for row in these
        for name in row
    }
    assert seen <= known
    assert known - seen <= OF_THE_RUN | {"reason", "gradient", "error_type", "error_head"}


@pytest.mark.parametrize(
    ("target", "fault"),
    [
        ("fake:broken(add,svd)", "error"),
        ("fake:wrong(exp,svd,0.001)", "wrong"),
        ("fake:oom(sort,add)", "oom"),
        ("fake:silent_fallback(add,nonzero)", "ok_fallback"),
        ("fake:fallback(matmul,empty)", "ok_fallback"),
        ("fake:lower(add,exp)", "error"),
        ("fake:traced(add,exp)", "error"),
    ],
)
def test_a_planted_fault_is_found_and_nothing_else(
    target: str, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("isoflop.portability.worker.fake.trouble.BOMB_BYTE", 0)
    _, arguments = parse_target(target)
    named = {f"fake.{name}" for name in arguments if name[0].isalpha()}
    for policy in ("strict", "fallback"):
        found = statuses(target, policy=policy)
        assert {name for name, seen in found.items() if seen == {fault}} == named
        assert all(seen == {"ok"} for name, seen in found.items() if name not in named)


def test_the_size_of_a_planted_error_is_recovered() -> None:
    for row in rows("fake:wrong(multiply,0.01)")["fake.multiply"]:
        assert row["err_rel"] == pytest.approx(0.01, rel=1e-4)
        assert row["evidence_level"] == "ran"


def test_an_error_within_the_tolerance_is_none() -> None:
    found = rows("fake:wrong(multiply,3e-6)")["fake.multiply"]
    assert {row["dtype"]: row["status"] for row in found} == {"float32": "ok", "float64": "wrong"}


def test_inputs_on_which_the_reference_loses_digits_are_nobody_s_fault() -> None:
    (row,) = (row for row in rows("fake:wrong(cancel,1e-4)")["fake.cancel"] if row["dtype"] == "float32")
    assert row["ref_err_rel"] > 2e-5
    assert row["status"] == "ok"


def test_a_wrong_gradient_is_a_fault_of_its_own() -> None:
    on = target_of("fake:plain")

    def twice(call: Call, policy: str) -> Prepared:
        prepared = on.prepare_gradient(call, policy)
        return Ready(
            run=prepared.call,
            read=lambda value: tuple(leaf(2 * np.asarray(x.array)) for x in prepared.fetch(value)),
        )

    row = run_one("fake.exp", on=Changed(on, prepare_gradient=twice))
    assert (row["status"], row["agreement"], row["gradient"]) == ("wrong", "agree", "differ")
    assert row["reason"] == "gradient"
    row = run_one("fake.exp", on=Changed(on, prepare_gradient=raises(RuntimeError("no backward"))))
    assert (row["status"], row["gradient"], row["error_head"]) == ("error", "error", "no backward")


def test_shapes_that_depend_on_values_are_no_failures_where_there_are_none() -> None:
    found = rows("fake:traced(nonzero,unique,add)")
    assert {row["status"] for row in found["fake.nonzero"]} == {"skipped"}
    assert {row["reason"] for row in found["fake.unique"]} == {"data_dependent"}
    assert {row["status"] for row in found["fake.add"]} == {"error"}


def test_nothing_is_timed_below_the_level_ran() -> None:
    for row in (row for these in rows("fake:lower", timing=Timing.quick()).values() for row in these):
        assert (row["evidence_level"], row["agreement"]) == ("lowered", "not_comparable")
        assert row["artefact_byte"] > 0
        assert not {"prepare_s", "first_s", "median_s"} & set(row)


class Changed:
    """A target with some of its methods replaced."""

    def __init__(self, of: Any, **methods: Callable[..., Any]) -> None:
        self.of, self.methods = of, methods
        self.id, self.level = of.id, methods.pop("level", of.level)

    def __getattr__(self, name: str) -> Any:
        return self.methods.get(name) or getattr(self.of, name)


def raises(error: BaseException) -> Callable[..., Any]:
    def method(*_: Any) -> Any:
        raise error

    return method


def run_one(
    function: str = "fake.add",
    *,
    on: Any = None,
    reference: Any = None,
    provider: Any = None,
    timing: Timing | None = None,
    deadline_s: float = 60.0,
    **settings: Any,
) -> dict[str, Any]:
    made = provider or resolve(PROVIDERS["fake"].home)
    plain = resolve(PROVIDERS["fake"].home)
    item = next(i for i in plain.items(dtypes=(), sizes=("tiny",), samples=1) if i.function == function)
    task = Task(
        item=item,
        target="fake:plain",
        reference="fake:plain",
        timing=timing or Timing.none(),
        deadline_s=deadline_s,
    )
    base = target_of("fake:plain")
    return execute(task, provider=made, target=on or base, reference=reference or base, **settings)


class Made:
    """A provider with a make of its own."""

    def __init__(self, make: Callable[..., Call]) -> None:
        self.make = make


def test_inputs_that_cannot_be_made_are_outside_every_denominator() -> None:
    row = run_one(provider=Made(raises(ValueError("no such dtype"))))
    assert (row["status"], row["error_head"]) == ("input_error", "no such dtype")
    assert run_one(provider=Made(raises(MemoryError())))["status"] == "input_error"


def test_a_reference_that_fails_makes_an_input_error() -> None:
    reference = Changed(target_of("fake:plain"), prepare=raises(RuntimeError("not here")))
    row = run_one(reference=reference)
    assert (row["status"], row["error_head"]) == ("input_error", "not here")
    lowered = Changed(target_of("fake:lower(add)"))
    assert run_one(on=lowered)["status"] == "error"
    assert run_one(on=lowered, reference=reference)["status"] == "input_error"


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (NotImplementedError("no kernel"), "error", "NotImplementedError"),
        (MemoryError(), "oom", "MemoryError"),
        (RuntimeError("HIP out of memory. Tried to allocate 2 GiB"), "oom", "RuntimeError"),
        (SystemExit(3), "error", "SystemExit"),
        (SkipTest("needs CUDA"), "skipped", "unittest.case.SkipTest"),
        (BaseException("panicked"), "error", "BaseException"),
    ],
)
def test_whatever_a_target_raises_becomes_a_status(error: BaseException, status: str, kind: str) -> None:
    row = run_one(on=Changed(target_of("fake:plain"), prepare=raises(error)))
    assert (row["status"], row["error_type"]) == (status, kind)


def test_an_interrupt_by_the_user_is_passed_on() -> None:
    with pytest.raises(KeyboardInterrupt):
        run_one(on=Changed(target_of("fake:plain"), prepare=raises(KeyboardInterrupt())))


def with_expected(expected: Sequence[Leaf]) -> Made:
    plain = resolve(PROVIDERS["fake"].home)
    return Made(lambda item, seed: replace(plain.make(item, seed), expected=tuple(expected)))


def right_sum() -> Leaf:
    provider = resolve(PROVIDERS["fake"].home)
    item = next(i for i in provider.items(dtypes=(), sizes=("tiny",), samples=1) if i.function == "fake.add")
    call = provider.make(item, 0)
    return leaf(call.args[0] + call.args[1])


def test_right_outputs_of_the_provider_rule_where_the_reference_cannot_run() -> None:
    right = right_sum()
    absent = Changed(target_of("fake:plain"), prepare=raises(RuntimeError("not here")))
    good = run_one(provider=with_expected([right]), reference=absent, timing=Timing.quick())
    assert good["status"] == "ok"
    assert "median_s" not in good
    off = run_one(provider=with_expected([leaf(np.asarray(right.array) * 2)]), reference=absent)
    assert off["status"] == "wrong"


def test_a_reference_of_another_shape_than_the_right_output_is_not_asked() -> None:
    right = right_sum()
    odd = Changed(
        target_of("fake:plain"),
        prepare=lambda call, policy: Ready(run=lambda: None, read=lambda value: (leaf(np.ones(3)),)),  # noqa: ARG005
    )
    assert run_one(provider=with_expected([right]), reference=odd)["status"] == "ok"


def test_steps_are_announced_in_their_order() -> None:
    seen: list[str] = []
    run_one("fake.exp", stage=seen.append, timing=Timing.quick())
    assert seen == [
        "inputs", "reference", "prepare", "call", "fetch", "agreement", "gradient", "waiting", "timing",
    ]  # fmt: skip
    assert set(seen) == set(STAGES)


def test_the_lock_is_held_while_blocks_are_timed_and_at_no_other_time() -> None:
    events: list[str] = []

    @contextmanager
    def lock() -> Any:
        events.append("locked")
        yield
        events.append("free")

    run_one("fake.exp", stage=events.append, lock=lock, timing=Timing.quick())
    assert events[-4:] == ["waiting", "locked", "timing", "free"]
    events.clear()
    run_one("fake.exp", lock=lock)
    assert events == []


def test_three_times_are_kept_apart() -> None:
    row = run_one("fake.wait", timing=Timing.quick())
    assert row["first_s"] > 0
    assert row["prepare_s"] > 0
    assert row["ci_low_s"] <= row["median_s"] <= row["ci_high_s"]
    assert row["n_blocks"] == len(row["block_log_ratios"].split())
    assert row["protocol"] == "1q"


def test_a_task_without_time_left_is_not_timed() -> None:
    row = run_one("fake.wait", timing=Timing.quick(), deadline_s=0.5)
    assert row["status"] == "ok"
    assert "median_s" not in row


def test_what_does_nothing_is_bound_by_dispatch_and_work_is_not() -> None:
    quick = Timing.quick()
    (null,) = rows("fake:plain", provider="fake_null", timing=quick)["fake.null"]
    assert null["is_dispatch_bound"]
    assert not run_one("fake.wait", timing=quick)["is_dispatch_bound"]


def test_a_target_without_a_null_call_is_timed_without_a_word_on_dispatch() -> None:
    on = Changed(target_of("fake:plain"), null_call=raises(RuntimeError("no null call")))
    on.id = "fake:without_null"
    row = run_one("fake.wait", on=on, timing=Timing.quick())
    assert row["median_s"] > 0
    assert row["overhead_s"] is None
    assert row["is_dispatch_bound"] is None


@pytest.mark.parametrize(
    ("timing", "events"), [(Timing.quick(), ["started", "prepared"]), (None, ["prepared"])]
)
def test_what_starts_at_first_use_is_not_paid_for_by_the_first_task(
    timing: Timing | None, events: list[str]
) -> None:
    plain = target_of("fake:plain")
    seen: list[str] = []

    def prepare(call: Call, policy: str) -> Prepared:
        seen.append("prepared")
        return plain.prepare(call, policy)

    on = Changed(plain, prepare=prepare, null_call=lambda: lambda: seen.append("started"))
    on.id = f"fake:cold({len(events)})"
    run_one(on=on, timing=timing)
    assert seen[: len(events)] == events


def test_names_of_samples_follow_the_inputs() -> None:
    call = Call(framework="fake", function=abs, signature={"shape": (2, 3), "dtype": np.dtype("float32")})
    other = replace(call, signature={"shape": (2, 4), "dtype": np.dtype("float32")})
    assert sample_id(call, 0) == sample_id(replace(call, args=(1,)), 0)
    assert len({sample_id(call, 0), sample_id(call, 1), sample_id(other, 0)}) == 3


def test_a_fast_index_leaves_names_to_be_found_with_the_inputs() -> None:
    provider = resolve(PROVIDERS["fake"].home)
    item = replace(next(iter(provider.items(dtypes=(), sizes=(), samples=1))), sample_id="")
    task = Task(item=item, target="fake:plain", reference="fake:plain", timing=Timing.none())
    plain = target_of("fake:plain")
    row = execute(task, provider=provider, target=plain, reference=plain)
    named = replace(task, item=replace(item, sample_id=row["sample_id"]))
    assert row["sample_id"] == sample_id(provider.make(item, 0), 0)
    assert row["task_id"] == named.task_id != task.task_id


def test_items_and_their_makes_are_the_same_in_every_process() -> None:
    provider = resolve(PROVIDERS["fake"].home)
    items = list(provider.items(dtypes=(), sizes=(), samples=2))
    assert len({item.item_id for item in items}) == len({item.sample_id for item in items}) == len(items)
    (first,) = (i for i in items if i.function == "fake.add" and i.dtype == "float64" and i.index == 1
                and i.size_class == "tiny")  # fmt: skip
    assert first.sample_id == "3987e81948b8ebd8"


def test_faults_are_planted_on_known_functions_alone() -> None:
    with pytest.raises(SettingError, match=r"fake:broken: 'fake\.nothing' is no fake function"):
        target_of("fake:broken(nothing)")
    with pytest.raises(SettingError, match=r"needs a factor of at least 1"):
        target_of("fake:slow(0.5)")


def test_presence_is_a_phrase() -> None:
    assert isinstance(target_of("fake:plain").detect(), Present)
    assert target_of("fake:absent").detect() == Absent(reason="a fake target that is never here")


class Hands:
    """A clock that moves by a microsecond whenever it is looked at, and by a sleep."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1e-6
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def planted_factor(factor: float, function: str = "fake.wait") -> float:
    timing = Timing()
    on = target_of(f"fake:slow({factor})")
    found = [run_one(function, on=on, timing=timing) for _ in range(timing.processes)]
    return float(np.exp(np.mean([np.log(row["median_s"] / row["reference_median_s"]) for row in found])))


@pytest.mark.parametrize("factor", [2, 2.5, 10, 50])
def test_a_planted_factor_is_recovered_under_the_full_protocol(
    factor: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    hands = Hands()
    monkeypatch.setattr(
        "isoflop.portability.worker.measure.execute.time_pair", partial(time_pair, clock=hands)
    )
    monkeypatch.setattr("time.perf_counter", hands)
    monkeypatch.setattr("time.sleep", hands.sleep)
    assert planted_factor(factor) == pytest.approx(factor, rel=0.05)


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("factor", [2, 10, 50])
@pytest.mark.parametrize("function", ["fake.wait", "fake.exp"])
def test_a_planted_factor_is_recovered_on_the_real_clock(factor: float, function: str) -> None:
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    if load > cores:
        pytest.skip(f"other work keeps this computer busy: load {load:.1f} on {cores} cores")
    assert planted_factor(factor, function) == pytest.approx(factor, rel=0.05)

"""The benchmark harness on toy jobs and a counted clock: medians, parts, bars."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import __main__ as command
from benchmarks.harness import (
    EXTRAPOLATE_OVER_S,
    LONG_RUNS,
    ONE_THREAD,
    RUNS,
    SAMPLE_S,
    SHORT_S,
    Job,
    Reference,
    Trial,
    measure,
    measure_trial,
    on_one_thread,
    table,
)


class Clock:
    """Time that passes only when a procedure says so."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def work(self, *seconds):
        """Return a procedure whose successive calls take these seconds, the last one for ever."""
        left = list(seconds)

        def do():
            self.now += left.pop(0) if len(left) > 1 else left[0]
            return self.now

        return do

    def pieces(self, count, cost):
        """Return a reference of `count` pieces, where piece i takes ``cost(i)`` seconds, and its log."""
        asked = []

        def run(pieces):
            asked.append(list(pieces))
            self.now += sum(cost(i) for i in pieces)

        return Reference(run=run, pieces=count), asked


def test_short_jobs_count_the_median_of_five_and_not_the_warm_up():
    clock = Clock()
    job = Job(name="toy", ours=clock.work(5.0, 0.1, 0.4, 0.2, 0.3, 0.9), bar_cpu_s=0.3)
    row = measure(job, clock=clock)
    assert row["ours_cpu_s"] == pytest.approx(0.3)
    assert row["ours_runs"] == RUNS
    assert row["ours_spread_s"] == pytest.approx([0.1, 0.9])
    assert row["reference_cpu_s"] is None
    assert row["ratio"] is None


def test_short_jobs_alternate_with_their_reference():
    clock, order = Clock(), []

    def ours():
        order.append("ours")
        clock.now += 0.01

    def theirs(pieces):
        order.append(len(pieces))
        clock.now += 0.02 * len(pieces)

    row = measure(Job(name="toy", ours=ours, reference=Reference(run=theirs, pieces=10)), clock=clock)
    assert order[-2 * RUNS :] == ["ours", 10] * RUNS
    assert row["ratio"] == pytest.approx(20)
    assert not row["reference_extrapolated"]
    assert row["reference_fraction"] == 1


@pytest.mark.parametrize(
    ("seconds", "runs", "median"),
    [([SHORT_S + 1, 5.0, 6.0], LONG_RUNS, 6.0), ([EXTRAPOLATE_OVER_S + 1], 1, EXTRAPOLATE_OVER_S + 1)],
)
def test_a_long_procedure_of_ours_is_run_less_often(seconds, runs, median):
    clock = Clock()
    row = measure(Job(name="toy", ours=clock.work(*seconds)), clock=clock)
    assert row["ours_runs"] == runs
    assert row["ours_cpu_s"] == pytest.approx(median)


@given(st.integers(100, 3000), st.floats(0.7, 5.0))
def test_a_long_reference_is_timed_in_part_and_scaled(count, each):
    clock = Clock()
    reference, asked = clock.pieces(count, lambda _: each)
    row = measure(Job(name="toy", ours=clock.work(0.1), reference=reference), clock=clock)
    timed = [i for pieces in asked[1:] for i in pieces]  # the first call is the probe
    assert len(set(timed)) == len(timed) < count
    assert SAMPLE_S <= row["reference_timed_s"][0] <= SAMPLE_S + 2 * each
    assert row["reference_extrapolated"]
    assert row["reference_fraction"] == pytest.approx(len(timed) / count)
    assert row["reference_cpu_s"] == pytest.approx(count * each)


def test_a_part_of_uneven_pieces_is_random_and_long_enough():
    clock = Clock()
    reference, asked = clock.pieces(1000, lambda i: 0.1 if i < 500 else 0.9)
    row = measure(Job(name="toy", ours=clock.work(0.1), reference=reference), clock=clock)
    timed = [i for pieces in asked[1:] for i in pieces]
    assert row["reference_timed_s"][0] >= SAMPLE_S
    assert 0 < sum(i < 500 for i in timed) < len(timed)
    assert timed != sorted(timed)
    # Some 60 pieces of mean .5 and spread .4 s: the mean is known to .05 s, the test allows three of these.
    assert row["reference_cpu_s"] == pytest.approx(500, abs=150)


def test_a_reference_is_timed_whole_when_it_is_short_enough_or_when_asked():
    for each, full in ((EXTRAPOLATE_OVER_S / 100 * 0.99, False), (3.0, True)):
        clock = Clock()
        reference, asked = clock.pieces(100, lambda _, each=each: each)
        row = measure(Job(name="toy", ours=clock.work(0.1), reference=reference), full=full, clock=clock)
        assert sorted(asked[-1]) == list(range(100))
        assert row["reference_fraction"] == 1
        assert row["reference_cpu_s"] == pytest.approx(100 * each)


@pytest.mark.parametrize(
    ("ours", "bar_cpu_s", "bar_ratio", "accept", "holds"),
    [
        (0.1, 0.2, None, None, True),
        (0.3, 0.2, None, None, False),
        (0.1, None, 9.0, None, True),
        (0.1, None, 11.0, None, False),
        (0.1, 0.01, 9.0, None, True),
        (0.1, 0.01, 11.0, None, False),
        (0.1, 0.2, None, lambda _: False, False),
        (0.1, 0.2, None, lambda result: result > 0, True),
        (0.1, None, None, None, None),
    ],
)
def test_a_bar_holds_by_seconds_or_by_ratio_and_never_for_a_bad_answer(
    ours, bar_cpu_s, bar_ratio, accept, holds
):
    clock = Clock()
    reference, _ = clock.pieces(10, lambda _: 0.1)
    job = Job(
        name="toy",
        ours=clock.work(ours),
        reference=reference,
        bar_cpu_s=bar_cpu_s,
        bar_ratio=bar_ratio,
        accept=accept,
    )
    row = measure(job, clock=clock)
    assert row["holds"] is holds
    assert job.bar in {"none", *(" or ".join(parts) for parts in _bars(bar_cpu_s, bar_ratio))}


def _bars(bar_cpu_s, bar_ratio):
    seconds = [] if bar_cpu_s is None else [f"≤ {bar_cpu_s:g} s"]
    ratio = [] if bar_ratio is None else [f"≥ {bar_ratio:g}×"]
    return [[*seconds, *ratio]]


def test_a_trial_counts_medians_after_a_warm_up_and_every_bar_must_hold():
    values = iter([99.0, 3.0, 1.0, 2.0])
    trial = Trial(
        name="delay",
        run=lambda: {"p50_ms": next(values), "lost": 0.0},
        at_most={"p50_ms": 2.0, "lost": 0.0},
        at_least={"p50_ms": 2.5},
        runs=3,
    )
    row = measure_trial(trial)
    assert row["measured"] == {"p50_ms": 2.0, "lost": 0.0}
    assert row["holds"] is False
    assert row["bar"] == "p50_ms ≤ 2, lost ≤ 0, p50_ms ≥ 2.5"
    assert "p50_ms 2" in table({"delay": row})


def test_the_table_names_the_part_timed_and_the_verdict():
    clock = Clock()
    reference, _ = clock.pieces(1000, lambda _: 1.0)
    rows = {
        "toy-job": measure(
            Job(name="toy-job", ours=clock.work(0.5), reference=reference, bar_ratio=1e6), clock=clock
        )
    }
    text = table(rows)
    assert "toy-job" in text
    assert f"(from {rows['toy-job']['reference_fraction']:.1%})" in text
    assert text.rstrip().endswith("NO")


@pytest.fixture
def toy_benchmark(monkeypatch):
    import sys
    from types import ModuleType

    toy = ModuleType("benchmarks.toy")
    toy.JOBS = (
        Job(name="sum", ours=lambda: sum(range(1000)), reference=Reference(run=lambda _: sum(range(2000)))),
        Job(name="other", ours=lambda: math.factorial(50), bar_cpu_s=10.0),
    )
    monkeypatch.setitem(sys.modules, "benchmarks.toy", toy)
    monkeypatch.setattr(command, "NAMES", ["toy"])


def test_the_command_prints_the_contract_as_json(toy_benchmark, capsys):
    assert command.main(["toy", "--json"]) == 0
    read = json.loads(capsys.readouterr().out)
    assert set(read["jobs"]) == {"sum", "other"}
    for row in read["jobs"].values():
        assert {
            *("ours_cpu_s", "reference_cpu_s", "ratio", "bar", "holds"),
            *("reference_extrapolated", "reference_fraction"),
        } <= set(row)
    assert read["jobs"]["other"]["holds"] is True
    assert read["machine"]["python"]


def test_the_command_runs_one_job_and_prints_a_table(toy_benchmark, capsys):
    assert command.main(["toy", "--job", "other"]) == 0
    out = capsys.readouterr().out
    assert "other" in out
    assert "sum" not in out


def test_an_unknown_job_is_refused_with_the_choices(toy_benchmark, capsys):
    with pytest.raises(SystemExit) as stopped:
        command.main(["toy", "--job", "all"])
    assert stopped.value.code == 2
    assert "Choose from sum, other" in capsys.readouterr().err


def test_the_process_starts_anew_unless_every_library_has_one_thread(monkeypatch):
    started = []
    monkeypatch.setattr("os.execve", lambda *call: started.append(call))
    for name in ONE_THREAD:
        monkeypatch.setenv(name, "1")
    on_one_thread(["-m", "benchmarks"])
    assert not started
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    on_one_thread(["-m", "benchmarks"])
    assert started[0][1][1:] == ["-m", "benchmarks"]
    assert all(started[0][2][name] == "1" for name in ONE_THREAD)

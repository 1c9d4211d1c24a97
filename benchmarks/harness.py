"""Time our procedure beside the reference procedure, in CPU seconds of one thread.

A job names both and its bar. Short jobs run alternately, five times each, and their medians
count; the first pair warms caches and is not counted. Longer jobs of ours run three times. A
reference that would take more than a minute is timed on a random part of its equal pieces
(replicates, folds, fits), for at least 30 s, and scaled by the number of pieces; the result says
which part.
"""

from __future__ import annotations

import os
import platform
import random
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

RUNS = 5
"""Runs of a short procedure; medians of five are steady to a few per cent on a calm machine."""
SHORT_S = 6.0
"""A procedure up to this long runs five times, so that it takes half a minute."""
LONG_RUNS = 3
EXTRAPOLATE_OVER_S = 60.0
SAMPLE_S = 30.0
ONE_THREAD = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "BLIS_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
        "NUMEXPR_NUM_THREADS",
        "POLARS_MAX_THREADS",
    ),
    "1",
)

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """The procedure to compare with, as `pieces` of like cost that can be done in any order.

    Parameters
    ----------
    run : callable
        ``run(pieces)`` does the pieces with these numbers, each from 0 to `pieces` - 1.
    pieces : int
        How many there are: bootstrap replicates, folds, fits. 1 is timed whole.
    """

    run: Callable[[Sequence[int]], object]
    pieces: int = 1

    def whole(self) -> None:
        """Do every piece once."""
        self.run(range(self.pieces))


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One line of a benchmark.

    Parameters
    ----------
    name : str
        Short, with hyphens: the key in the JSON.
    ours : callable
        Does the whole job. Prepare its input beforehand, once, behind `functools.cache`.
    reference : Reference or None
        None where only seconds are asked for.
    bar_cpu_s, bar_ratio : float or None
        The bar holds when we take at most `bar_cpu_s` CPU seconds or are at least `bar_ratio`
        times as fast; a job with neither is shown without a verdict.
    accept : callable or None
        ``accept(result of ours)`` is False when the answer is not good enough to be timed; then
        no bar holds.
    note : str
        What is compared, in a few words.
    """

    name: str
    ours: Callable[[], object]
    reference: Reference | None = None
    bar_cpu_s: float | None = None
    bar_ratio: float | None = None
    accept: Callable[[Any], bool] | None = None
    note: str = ""

    @property
    def bar(self) -> str:
        """The bar in words."""
        parts = [f"≤ {self.bar_cpu_s:g} s"] if self.bar_cpu_s is not None else []
        parts += [f"≥ {self.bar_ratio:g}×"] if self.bar_ratio is not None else []
        return " or ".join(parts) or "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A line of a benchmark that CPU seconds alone do not describe: delays, requests a second, losses.

    Parameters
    ----------
    name : str
        Short, with hyphens: the key in the JSON.
    run : callable
        Does one whole trial and returns named measurements; units are part of the names.
    at_most, at_least : mapping of str to float
        Bars on the medians of named measurements; all must hold.
    runs : int
        How often; medians count.
    note : str
        What is measured, and how.
    """

    name: str
    run: Callable[[], Mapping[str, float]]
    at_most: Mapping[str, float] = field(default_factory=dict)
    at_least: Mapping[str, float] = field(default_factory=dict)
    runs: int = RUNS
    note: str = ""

    @property
    def bar(self) -> str:
        """The bars in words."""
        parts = [f"{name} ≤ {limit:g}" for name, limit in self.at_most.items()]
        parts += [f"{name} ≥ {limit:g}" for name, limit in self.at_least.items()]
        return ", ".join(parts) or "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """CPU seconds of one procedure: the median, the runs behind it, and the part timed."""

    cpu_s: float
    runs: tuple[float, ...]
    fraction: float = 1.0


def measure(
    job: Job, *, full: bool = False, seed: int = 0, clock: Clock = time.process_time
) -> dict[str, Any]:
    """Time one job and return its JSON object.

    Parameters
    ----------
    full : bool
        Time the whole reference however long it takes.
    seed : int
        Chooses the random part of a long reference.
    clock : callable
        CPU seconds so far.
    """
    results: list[object] = []

    def ours() -> None:
        results[:] = [job.ours()]

    first = _seconds(ours, clock)
    probe = _probe(job.reference, seed, clock)
    whole = probe * job.reference.pieces if job.reference else 0.0
    ours_s, reference_s = [first], list[float]()
    reference = None
    if first <= SHORT_S and job.reference and whole <= SHORT_S:
        ours_s = []
        for _ in range(RUNS):
            ours_s.append(_seconds(ours, clock))
            reference_s.append(_seconds(job.reference.whole, clock))
        reference = Timing(cpu_s=statistics.median(reference_s), runs=tuple(reference_s))
    else:
        if first <= SHORT_S:
            ours_s = [_seconds(ours, clock) for _ in range(RUNS)]
        elif first <= EXTRAPOLATE_OVER_S:
            ours_s += [_seconds(ours, clock) for _ in range(LONG_RUNS - 1)]
        if job.reference:
            reference = _time_long(job.reference, probe, full=full, seed=seed, clock=clock)
    accepted = job.accept is None or bool(job.accept(results[0]))
    return _row(job, Timing(cpu_s=statistics.median(ours_s), runs=tuple(ours_s)), reference, accepted)


def measure_trial(trial: Trial, *, clock: Clock = time.process_time) -> dict[str, Any]:
    """Run a trial `trial.runs` times and return its JSON object, with the medians under ``measured``.

    The first run warms caches and is not counted. CPU seconds are those of this process and of children
    that have ended.
    """
    trial.run()
    spent, seen = list[float](), list[Mapping[str, float]]()
    for _ in range(trial.runs):
        start = clock() + _children_s()
        seen.append(trial.run())
        spent.append(clock() + _children_s() - start)
    medians = {name: statistics.median(one[name] for one in seen) for name in seen[0]}
    met = [medians[name] <= limit for name, limit in trial.at_most.items()]
    met += [medians[name] >= limit for name, limit in trial.at_least.items()]
    return {
        "ours_cpu_s": statistics.median(spent),
        "reference_cpu_s": None,
        "ratio": None,
        "bar": trial.bar,
        "holds": all(met) if met else None,
        "reference_extrapolated": False,
        "reference_fraction": None,
        "accepted": True,
        "ours_runs": trial.runs,
        "ours_spread_s": [min(spent), max(spent)],
        "reference_runs": 0,
        "measured": medians,
        "note": trial.note,
    }


def _children_s() -> float:
    spent = os.times()
    return spent.children_user + spent.children_system


def _seconds(do: Callable[[], object], clock: Clock) -> float:
    start = clock()
    do()
    return clock() - start


def _order(reference: Reference, seed: int) -> list[int]:
    order = list(range(reference.pieces))
    random.Random(seed).shuffle(order)
    return order


def _probe(reference: Reference | None, seed: int, clock: Clock) -> float:
    """Return the CPU seconds of one piece, chosen at random; this also warms the reference."""
    if reference is None or reference.pieces == 1:
        return 0.0 if reference is None else _seconds(lambda: reference.run([0]), clock)
    piece = _order(reference, seed)[-1:]
    return _seconds(lambda: reference.run(piece), clock)


def _time_long(reference: Reference, probe: float, *, full: bool, seed: int, clock: Clock) -> Timing:
    """Time all pieces, or a random part of at least `SAMPLE_S` when all would take too long."""
    order = _order(reference, seed)
    if reference.pieces == 1:
        return Timing(cpu_s=probe, runs=(probe,))
    if full or probe * reference.pieces <= EXTRAPOLATE_OVER_S:
        spent = _seconds(lambda: reference.run(order), clock)
        return Timing(cpu_s=spent, runs=(spent,))
    done, spent = 0, 0.0
    while done < reference.pieces and spent < SAMPLE_S:
        each = spent / done if done else probe
        more = max(1, int((SAMPLE_S - spent) / max(each, 1e-9)) + 1)
        part = order[done : done + more]
        spent += _seconds(partial(reference.run, part), clock)
        done += len(part)
    fraction = done / reference.pieces
    return Timing(cpu_s=spent / fraction, runs=(spent,), fraction=fraction)


def _row(job: Job, ours: Timing, reference: Timing | None, accepted: bool) -> dict[str, Any]:
    ratio = reference.cpu_s / ours.cpu_s if reference and ours.cpu_s > 0 else None
    met = []
    if job.bar_cpu_s is not None:
        met.append(ours.cpu_s <= job.bar_cpu_s)
    if job.bar_ratio is not None:
        met.append(ratio is not None and ratio >= job.bar_ratio)
    return {
        "ours_cpu_s": ours.cpu_s,
        "reference_cpu_s": reference.cpu_s if reference else None,
        "ratio": ratio,
        "bar": job.bar,
        "holds": (any(met) and accepted) if met else None,
        "reference_extrapolated": bool(reference and reference.fraction < 1),
        "reference_fraction": reference.fraction if reference else None,
        "accepted": accepted,
        "ours_runs": len(ours.runs),
        "ours_spread_s": [min(ours.runs), max(ours.runs)],
        "reference_runs": len(reference.runs) if reference else 0,
        "reference_timed_s": [min(reference.runs), max(reference.runs)] if reference else None,
        "note": job.note,
    }


def machine() -> dict[str, Any]:
    """Return what the seconds depend on: processor, system, versions, threads."""
    from importlib.metadata import version

    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{name: version(name) for name in ("numpy", "scipy", "isoflop")},
        "threads": 1 if all(os.environ.get(name) == "1" for name in ONE_THREAD) else None,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or "unknown"


def on_one_thread(argv: Sequence[str]) -> None:
    """Start this process anew with one numerical thread, unless it has one already.

    Numerical libraries read their number of threads once, when they load.
    """
    if any(os.environ.get(name) != "1" for name in ONE_THREAD):
        sys.stdout.flush()
        os.execve(sys.executable, [sys.executable, *argv], {**os.environ, **ONE_THREAD})


def table(jobs: dict[str, dict[str, Any]]) -> str:
    """Return the rows as text for people."""
    head = ("job", "ours", "reference", "ratio", "bar", "holds")
    lines = [head]
    for name, row in jobs.items():
        reference = row["reference_cpu_s"]
        part = row["reference_fraction"]
        measured = "; ".join(f"{key} {value:.3g}" for key, value in row.get("measured", {}).items())
        lines.append(
            (
                name,
                f"{row['ours_cpu_s']:.3g} s ({row['ours_runs']} runs, {row['ours_spread_s'][0]:.3g} to "
                f"{row['ours_spread_s'][1]:.3g})" + (f": {measured}" if measured else ""),
                "–"
                if reference is None
                else f"{reference:.3g} s" + (f" (from {part:.1%})" if part < 1 else ""),
                "–" if row["ratio"] is None else f"{row['ratio']:.0f}×",
                row["bar"],
                {True: "yes", False: "NO", None: "–"}[row["holds"]]
                + ("" if row["accepted"] else " (answer not good enough)"),
            )
        )
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )

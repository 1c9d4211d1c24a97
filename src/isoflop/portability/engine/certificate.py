"""Can this run be trusted? What was planted is found again, and the reference agrees with itself."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from isoflop.portability.model import NOT_COUNTED, Timing
from isoflop.portability.task import Item

if TYPE_CHECKING:
    from isoflop.portability.runs import Run

CONTROLS: dict[str, dict[str, str]] = {
    "fake:plain": {},
    "fake:crashy(fake.add)": {"fake.add": "crash"},
    "fake:broken(fake.add)": {"fake.add": "unsupported"},
    "fake:wrong(fake.exp, 1e-2)": {"fake.exp": "wrong"},
    "fake:silent_fallback(fake.sort)": {"fake.sort": "ok_fallback"},
}
"""Planted targets, and the status that each named function must get; every other must be ``ok``."""
DEADLY: dict[str, dict[str, str]] = {
    "fake:hang(fake.exp)": {"fake.exp": "timeout"},
    "fake:oom(fake.exp)": {"fake.exp": "oom"},
}
"""Planted targets that take seconds, for a full check: on the function named alone."""
DEADLINES_S = {"fake:hang(fake.exp)": 5.0, "fake:oom(fake.exp)": 60.0}
DEADLY_BYTE = 512 << 20
PLANTED = ("fake.add", "fake.exp", "fake.sort")
SLOWED = (2, 10, 50)
WITHIN = 0.05
"""How far the geometric mean of self-ratios, and a planted ratio, may be off."""
SELF_CHECK_N = 10
"""A self-ratio is judged from this many timed tasks on."""
Row = Mapping[str, Any]


def certificate(
    rows: Sequence[Row],
    *,
    own: Sequence[Row] = (),
    controls: Sequence[Row] | None,
    restarts: int,
    not_begun: int = 0,
) -> dict[str, Any]:
    """Return what speaks for and against a run.

    Parameters
    ----------
    rows : sequence of mappings
        Rows of the run.
    own : sequence of mappings
        Rows of the reference against itself where it is no target of the run.
    controls : sequence of mappings or None
        Rows of the planted targets; None where they were not run.
    restarts : int
        Workers that died.
    not_begun : int
        Tasks for which the budget was too short.
    """
    own = [*own, *(row for row in rows if row["target"] == row["reference"])]
    failed = [row for row in own if row["status"] not in (*NOT_COUNTED, "ok", "ok_fallback")]
    timed = [row for row in rows if row.get("median_s")]
    ratio = self_ratio(own)
    planted = None if controls is None else recovered(controls)
    slowed = {} if controls is None else planted_ratios(controls)
    failures = [row for row in rows if row["status"] not in (*NOT_COUNTED, "ok", "ok_fallback")]
    known: dict[str, Any] = {
        "self_check_tasks": len(own),
        "self_check_failures": len(failed),
        "self_ratio": ratio,
        "controls_recovered": planted,
        "planted_slowdowns": slowed,
        "not_begun": not_begun,
        "share_noisy": _share(timed, lambda row: bool(row.get("is_noisy"))),
        "share_unclassified": _share(failures, lambda row: row.get("reason") == "unclassified"),
        "share_budget_limited": _share(timed, lambda row: row.get("timing_end") == "budget"),
        "share_harness_error": _share(rows, lambda row: row["status"] == "harness_error"),
        "worker_restarts": restarts,
    }
    known["doubts"] = doubts(known)
    known["passed"] = not known["doubts"]
    return known


def doubts(known: Mapping[str, Any]) -> list[str]:
    """Return why a run is not certified, as plain phrases."""
    said = []
    if known["self_check_failures"]:
        failed = known["self_check_failures"]
        said.append(f"the reference fails {failed} task{'s' if failed > 1 else ''} against itself")
    if known["self_ratio"] is not None and abs(math.log(known["self_ratio"])) > math.log1p(WITHIN):
        said.append(f"the reference against itself takes {known['self_ratio']:.3g} times as long")
    if known["controls_recovered"] is None:
        said.append("no negative controls were run")
    elif not known["controls_recovered"]:
        said.append("what was planted was not found again")
    for planted, found in known["planted_slowdowns"].items():
        if abs(math.log(found / float(planted))) > math.log1p(WITHIN):
            said.append(f"a planted slow-down of {planted} was found as {found:.3g}")
    if known["not_begun"]:
        said.append(f"{known['not_begun']} tasks were not begun within the budget")
    return said


def self_ratio(own: Sequence[Row]) -> float | None:
    """Return the geometric mean ratio of the reference against itself; None for few timed tasks.

    Examples
    --------
    >>> self_ratio([{"block_log_ratios": "0.01 -0.01"}] * 10)
    1.0
    """
    means = []
    for row in own:
        logs = [float(text) for text in str(row.get("block_log_ratios") or "").split()]
        if logs:
            means.append(_middle(sorted(logs)))
    return math.exp(sum(means) / len(means)) if len(means) >= SELF_CHECK_N else None


def recovered(controls: Sequence[Row]) -> bool:
    """Return whether every planted status was found, and nothing else."""
    planted = CONTROLS | DEADLY
    return all(
        row["status"] == planted[row["target"]].get(row["function"], "ok")
        for row in controls
        if row["target"] in planted
    )


def planted_ratios(controls: Sequence[Row]) -> dict[str, float]:
    """Return the ratio found for each planted slow-down that was timed."""
    found = {}
    for planted in SLOWED:
        rows = [row for row in controls if row["target"] == f"fake:slow({planted})" and row.get("median_s")]
        logs = sorted(math.log(row["median_s"] / row["reference_median_s"]) for row in rows)
        if logs:
            found[str(planted)] = math.exp(_middle(logs))
    return found


def run_controls(timing: Timing, *, full: bool = False) -> list[dict[str, Any]]:
    """Run the planted targets and return their rows.

    Parameters
    ----------
    timing : Timing
        Of the run: where it times nothing, slow-downs are not planted.
    full : bool
        Also those that hang and fill memory, and every slow-down; half a minute in place of some seconds.
    """
    from isoflop.portability.engine.catalogue import catalogue
    from isoflop.portability.engine.run import run

    plain = catalogue("fake", providers=["fake"], sizes=["medium"])
    items: list[Item] = [item for item in plain.items if item.function in PLANTED and item.dtype == "float32"]
    found: list[Run] = [run(items, targets=list(CONTROLS), timing=Timing.none(), jobs=1)]
    if timing.protocol != "none":
        brief = Timing(budget_s=0.2, processes=1)
        slow = [f"fake:slow({planted})" for planted in (SLOWED if full else SLOWED[1:2])]
        found.append(run(items, targets=slow, timing=brief, jobs=1))
    for name in DEADLY if full else ():
        victims = [item for item in items if item.function in DEADLY[name]]
        found.append(
            run(
                victims,
                targets=[name],
                timing=Timing.none(),
                jobs=1,
                deadline_s=DEADLINES_S[name],
                memory_byte=DEADLY_BYTE,
            )
        )
    return [row for one in found for row in one.frame().to_dicts()]


def _middle(ordered: Sequence[float]) -> float:
    n = len(ordered)
    return ordered[n // 2] if n % 2 else (ordered[n // 2 - 1] + ordered[n // 2]) / 2


def _share(rows: Sequence[Row], test: Any) -> float | None:
    return sum(1 for row in rows if test(row)) / len(rows) if rows else None

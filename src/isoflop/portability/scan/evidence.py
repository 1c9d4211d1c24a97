"""What was measured of a function on a target, summed up for the calls of a program."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from isoflop.findings import Estimate
from isoflop.portability.model import LEVELS, NOT_COUNTED, PASSED
from isoflop.portability.names import canonical, family, implied

if TYPE_CHECKING:
    from isoflop.portability.runs import Run

Standing = Literal["portable", "partial", "unsupported", "fallback_only", "wrong", "no_evidence", "host"]
"""``host``: the call computes nothing on a device; it stands outside every share."""
STANDINGS: tuple[Standing, ...] = (
    "portable",
    "partial",
    "fallback_only",
    "wrong",
    "unsupported",
    "no_evidence",
)
_ORDER = list(LEVELS)
_Z = 1.959964


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """Measured tasks of one function (or family of names) on one target.

    Parameters
    ----------
    standing : str
        Under the strict policy: ``portable`` where every counted task passed.
    level : str
        The lowest level of evidence among its passes, as a share is never better than its weakest; the
        target's own level where nothing passed.
    tasks, passed : int
        Counted tasks and those that passed.
    ratio : Estimate or None
        Time on the target over time on the reference: geometric mean over tasks, with a 95 % interval.
    by_version : mapping
        Framework version to standing.
    via : str
        The function that was measured, where it is another name of the family or only implies this one.
    """

    standing: Standing
    level: str
    tasks: int
    passed: int
    ratio: Estimate | None
    error_head: str
    task_id: str
    run_id: str
    by_version: Mapping[str, Standing]
    via: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evidence:
    """Rows of a run by target and family of names."""

    targets: tuple[str, ...]
    frameworks: Mapping[str, frozenset[str]]
    rows: Mapping[tuple[str, str], list[dict[str, Any]]]

    def of(self, function: str, target: str, dtype: str = "") -> Measured | None:
        """Return what was measured of a function on a target; None where nothing was.

        Names of its family count as the function itself; where there are none, those that imply it do.
        """
        for key in (family(function), *implied(function)):
            rows = self.rows.get((target, key))
            if rows:
                same = [row for row in rows if dtype and row["dtype"] == dtype]
                found = sum_up(same or rows)
                if found is not None:
                    return found
        return None


_COLUMNS = (
    "run_id", "task_id", "framework", "framework_version", "target", "target_level", "evidence_level",
    "function", "dtype", "status", "error_head", "median_s", "reference_median_s", "block_log_ratios",
)  # fmt: skip


def evidence_of(run: Run, targets: Iterable[str] = ()) -> Evidence:
    """Return the rows of a run for the targets asked for; all its targets where none is named."""
    import polars as pl

    frame = run.frame()
    columns = [name for name in _COLUMNS if name in frame.columns]
    frame = frame.select(columns)
    wanted = tuple(targets) or tuple(sorted(frame["target"].unique().to_list()))
    rows: dict[tuple[str, str], list[dict[str, Any]]] = {}
    frameworks: dict[str, set[str]] = {target: set() for target in wanted}
    blank: dict[str, Any] = dict.fromkeys(_COLUMNS)
    for row in frame.filter(pl.col("target").is_in(wanted)).iter_rows(named=True):
        full: dict[str, Any] = blank | row
        rows.setdefault((full["target"], family(full["function"])), []).append(full)
        root = canonical(full["function"]).partition(".")[0]
        # Keras runs on TensorFlow unless told otherwise: its calls are asked of TensorFlow's targets too.
        frameworks[full["target"]] |= {root, "keras"} if root == "tensorflow" else {root}
    return Evidence(
        targets=wanted, frameworks={t: frozenset(f) for t, f in frameworks.items()}, rows=rows
    )  # fmt: skip


def sum_up(rows: list[dict[str, Any]]) -> Measured | None:
    """Return what the rows of one function on one target say; None where no row counts."""
    counted = [row for row in rows if row["status"] not in NOT_COUNTED]
    if not counted:
        return None
    passed = [row for row in counted if row["status"] in PASSED["strict"]]
    failed = [row for row in counted if row["status"] not in PASSED["strict"]]
    first = next((row for row in failed if row["error_head"]), failed[0] if failed else counted[0])
    versions = sorted({row["framework_version"] or "" for row in counted})
    by_version = {v: _standing([r for r in counted if (r["framework_version"] or "") == v]) for v in versions}
    levels = [row["evidence_level"] for row in passed if row["evidence_level"] in LEVELS]
    return Measured(
        standing=_standing(counted),
        level=min(levels, key=_ORDER.index) if levels else (first["target_level"] or ""),
        tasks=len(counted),
        passed=len(passed),
        ratio=_ratio(passed),
        error_head=(first["error_head"] or "") if failed else "",
        task_id=first["task_id"],
        run_id=first["run_id"],
        by_version=by_version,
        via=first["function"],
    )


def _standing(rows: list[dict[str, Any]]) -> Standing:
    statuses = [row["status"] for row in rows]
    strict = sum(status in PASSED["strict"] for status in statuses)
    loose = sum(status in PASSED["fallback"] for status in statuses)
    if strict == len(statuses):
        return "portable"
    failures = {status for status in statuses if status not in PASSED["fallback"]}
    if failures == {"wrong"}:
        return "wrong"
    if not failures:
        return "fallback_only"
    return "partial" if strict or loose else "unsupported"


def _ratio(rows: list[dict[str, Any]]) -> Estimate | None:
    """Return the geometric mean over tasks of target over reference; the interval is of that mean.

    With fewer than three tasks the spread of blocks within them stands in.
    """
    timed = [r for r in rows if r["median_s"] and r["reference_median_s"]]
    if not timed:
        return None
    by_task: dict[str, list[float]] = {}
    for row in timed:
        by_task.setdefault(row["task_id"], []).append(math.log(row["median_s"] / row["reference_median_s"]))
    logs = [sum(values) / len(values) for values in by_task.values()]
    mean = sum(logs) / len(logs)
    spread = (
        logs if len(logs) > 2 else [float(x) for r in timed for x in (r["block_log_ratios"] or "").split()]
    )
    if len(spread) < 3:
        return Estimate(value=math.exp(mean), unit="×")
    middle = sum(spread) / len(spread)
    variance = sum((x - middle) ** 2 for x in spread) / (len(spread) - 1)
    half = _Z * math.sqrt(variance / len(spread))
    return Estimate(
        value=math.exp(mean), low=math.exp(mean - half), high=math.exp(mean + half), level=0.95, unit="×"
    )  # fmt: skip

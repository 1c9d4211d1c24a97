"""Which functions are lost on each target, by the paper's rule: raw outcomes, skips left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from isoflop.portability.counted import share_estimate
from isoflop.portability.model import Policy
from isoflop.portability.paper.model import CPU_TEST

if TYPE_CHECKING:
    from isoflop.portability.paper.results import PaperResults

TORCH = "torch"
"""The framework whose reports mix devices, so that tests of the host must go."""
SOFT = "_soft"
"""Ending of a target's name where operations may be placed on another device."""
STATED = {
    ("torch", "gpu_t4"): (0.08, "recalled"),
    ("torch", "tpu_v3"): (0.44, "secondary"),
    ("tensorflow", "gpu_t4"): (0.22, "recalled"),
    ("tensorflow", "tpu_v3"): (0.29, "recalled"),
    ("jax", "gpu_t4"): (0.02, "recalled"),
}
"""What the paper is said to state, and how that is known: shown beside the recount, never computed with."""
Row = dict[str, Any]


def failure_rows(found: PaperResults) -> list[Row]:
    """Return one row a framework and target: functions counted, and how many succeed, fail in part, fail.

    A function is one test file. It succeeds without a failure, fails completely without a pass, in part with
    both; with skipped tests alone it is not counted. Source: Mince et al. (2023), recounted.
    """
    import polars as pl

    host = (pl.col("framework") == TORCH) & pl.col("bare").str.contains(CPU_TEST, literal=True)
    counts = (
        found.tests.filter(~host)
        .group_by("framework", "target", "function", maintain_order=True)
        .agg(passed=(pl.col("outcome") == "passed").sum(), failed=(pl.col("outcome") == "failed").sum())
    )
    status = (
        pl.when((pl.col("passed") == 0) & (pl.col("failed") == 0))
        .then(pl.lit("not_counted"))
        .when(pl.col("failed") == 0)
        .then(pl.lit("success"))
        .when(pl.col("passed") == 0)
        .then(pl.lit("complete"))
        .otherwise(pl.lit("partial"))
    )
    by = (
        counts.with_columns(status=status)
        .group_by("framework", "target", "status", maintain_order=True)
        .len()
    )
    found_counts: dict[tuple[str, str], dict[str, int]] = {}
    for framework, target, word, n in by.iter_rows():
        found_counts.setdefault((framework, target), {})[word] = n
    return [_row(framework, target, known) for (framework, target), known in found_counts.items()]


def _row(framework: str, target: str, known: dict[str, int]) -> Row:
    success, partial, complete = (known.get(name, 0) for name in ("success", "partial", "complete"))
    counted = success + partial + complete
    share = share_estimate(partial + complete, counted)
    stated, verified = STATED.get((framework, target), (None, None))
    return {
        "framework": framework,
        "target": target,
        "policy": policy_of(target),
        "counted": counted,
        "success": success,
        "partial": partial,
        "complete": complete,
        "not_counted": known.get("not_counted", 0),
        "failing_share": share.value,
        "low": share.low,
        "high": share.high,
        "stated": stated,
        "stated_verified": verified,
    }


def policy_of(target: str) -> Policy:
    """Return the placement policy that a target's name tells.

    Examples
    --------
    >>> policy_of("gpu_t4_soft"), policy_of("gpu_t4")
    ('fallback', 'strict')
    """
    return "fallback" if target.endswith(SOFT) else "strict"

"""How much longer a first call takes than the later ones, by framework and target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from isoflop.portability.paper.failures import TORCH
from isoflop.portability.paper.model import CPU_TEST, LEAST_CALLS

if TYPE_CHECKING:
    import polars as pl

    from isoflop.portability.paper.results import PaperResults


def first_calls(found: PaperResults) -> pl.DataFrame:
    """Return the ratio of the first call to the median of the later ones, one row a run and test.

    Tests with fewer than three calls are left out, and tests of the host in torch's reports.
    """
    import polars as pl

    host = (pl.col("framework") == TORCH) & pl.col("test").str.contains(CPU_TEST, literal=True)
    by = ["framework", "target", "run", "function", "test"]
    return (
        found.calls.filter(~host)
        .sort("op_index", maintain_order=True)
        .group_by(by, maintain_order=True)
        .agg(first=pl.col("seconds").first(), later=pl.col("seconds").slice(1).median(), calls=pl.len())
        .filter(pl.col("calls") >= LEAST_CALLS)
        .with_columns(ratio=pl.col("first") / pl.col("later"))
    )


def first_call_rows(found: PaperResults) -> list[dict[str, Any]]:
    """Return median and 90th percentile (the order statistic at ⌊0.9 n⌋) of those ratios."""
    ratios = first_calls(found)
    rows = []
    for framework, target in found.timing_targets():
        one = ratios.filter((ratios["framework"] == framework) & (ratios["target"] == target))["ratio"].sort()
        if one.len():
            rows.append(
                {
                    "framework": framework,
                    "target": target,
                    "tests": one.len(),
                    "median": one.median(),
                    "p90": one[min(int(0.9 * one.len()), one.len() - 1)],
                }
            )
    return rows

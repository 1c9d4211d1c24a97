"""Compare two runs over equal inputs: what fails anew, what was fixed, what became slower."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from isoflop.errors import EvidenceError, SettingError
from isoflop.findings import Estimate
from isoflop.portability.compare.result import Change, Comparison, Outcome, Pace
from isoflop.portability.model import NOT_COUNTED, PASSED, Policy
from isoflop.portability.runs import Run
from isoflop.stats.checks import unit_level

if TYPE_CHECKING:
    import polars as pl

SAME = ("framework", "target", "function", "variant", "dtype", "size_class", "sample_id")
"""What makes an input the same in both runs; its hash is equal on every computer."""
ALIKE = 0.05
"""A change below five percent is within what a run's self-check allows."""
ONE_COMPUTER = "median seconds of one computer, new over old"
BY_REFERENCE = "time over that of the reference beside it, new over old: the computers differ"


def compare(
    old: Run | str | Path, new: Run | str | Path, *, policy: Policy = "strict", level: float = 0.95
) -> Comparison:
    """Return what changed from an old run to a new one.

    Parameters
    ----------
    old, new : Run or path
        Anything that `read_run` reads.
    policy : {"strict", "fallback"}
        Whether falling back to another device passes.
    level : float, in (0, 1)
        Of the intervals of ratios.

    Returns
    -------
    Comparison

    Raises
    ------
    EvidenceError
        The runs share no input.
    SettingError
        A setting is out of range.

    Notes
    -----
    Only inputs that both runs have are compared: a version bump renames and drops samples. An input passes
    where every counted repeat passes. A function newly fails if more of its inputs were lost than gained.
    The ratio of a function is the geometric mean over inputs; its interval rests on the spread of processes,
    or on that of blocks where there was one process.

    Examples
    --------
    >>> import numpy as np
    >>> from isoflop.portability.simulate import PlantedRun
    >>> run, _ = PlantedRun(functions=4).draw(np.random.default_rng(0))
    >>> len(compare(run, run).of("still passing"))
    4
    """
    import polars as pl

    unit_level("compare", level)
    if policy not in get_args(Policy):
        raise SettingError(f"compare: policy={policy!r}, must be 'strict' or 'fallback'. Use 'strict'.")
    runs = [_read(one) for one in (old, new)]
    tables = [_inputs(one.frame(), policy) for one in runs]
    both = tables[0].join(tables[1], on=SAME, how="inner", nulls_equal=True, suffix="_new")
    if both.height == 0:
        raise EvidenceError(
            "compare: the runs share no input, needs equal sample_ids on equal targets. Run the new "
            "version on the catalogue of the old run."
        )
    counted = both.filter(pl.col("passes").is_not_null() & pl.col("passes_new").is_not_null())
    one_computer = _computers(runs[0]) == _computers(runs[1])
    by_function: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for row in counted.sort(SAME).iter_rows(named=True):
        by_function.setdefault((row["framework"], row["target"], row["function"]), []).append(row)
    changes = tuple(_change(name, rows, one_computer, level) for name, rows in by_function.items())
    timed = any(one.ratio is not None for one in changes)
    return Comparison(
        changes=changes,
        only_old=tables[0].height - both.height,
        only_new=tables[1].height - both.height,
        left_out=both.height - counted.height,
        versions=_versions(runs[0].frame(), runs[1].frame()),
        policy=policy,
        timed_how=(ONE_COMPUTER if one_computer else BY_REFERENCE) if timed else "",
        level=level,
        notes=tuple(dict.fromkeys((*runs[0].cautions, *runs[1].cautions))),
        provenance=(*runs[0].provenance, *runs[1].provenance),
    )


def _read(run: Run | str | Path) -> Run:
    if isinstance(run, Run):
        return run
    from isoflop.portability.results import read_run

    return read_run(run)


def _computers(run: Run) -> set[tuple[str | None, str | None]]:
    return set(run.frame().select("host_hash", "cpu_model").unique().iter_rows())


def _inputs(frame: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """Return one row an input: whether it passes, its mean log seconds and their squared standard error."""
    import polars as pl

    status, log = pl.col("status"), pl.col("median_s").log()
    counted = ~status.is_in(list(NOT_COUNTED))
    passed = status.is_in(list(PASSED[policy]))
    inside = ((pl.col("ci_high_s").log() - pl.col("ci_low_s").log()) / 2 / 1.96) ** 2
    beside = log - pl.col("reference_median_s").log()

    def spread(value: pl.Expr) -> pl.Expr:
        several = value.count() > 1
        return pl.when(several).then(value.var() / value.count()).otherwise(inside.mean())

    return frame.group_by(SAME).agg(
        pl.when(counted.any()).then((passed | ~counted).all()).otherwise(None).alias("passes"),
        pl.col("reason").drop_nulls().mode().sort().first().alias("reason"),
        pl.col("protocol").drop_nulls().unique().sort().str.join("+").alias("protocol"),
        log.mean().alias("log_s"),
        spread(log).alias("variance"),
        beside.mean().alias("log_beside"),
        spread(beside).alias("variance_beside"),
        pl.col("median_s").count().alias("processes"),
    )


def _change(
    name: tuple[str, str, str], rows: Sequence[Mapping[str, Any]], one_computer: bool, level: float
) -> Change:
    lost = sum(row["passes"] and not row["passes_new"] for row in rows)
    gained = sum(row["passes_new"] and not row["passes"] for row in rows)
    failing = [row for row in rows if not row["passes_new"]]
    reasons = Counter(sorted(row["reason_new"] for row in failing if row["reason_new"]))
    outcome: Outcome = "still failing" if failing else "still passing"
    if lost != gained:
        outcome = "newly failing" if lost > gained else "newly fixed"
    ratio = _ratio(rows, one_computer, level)
    return Change(
        framework=name[0],
        target=name[1],
        function=name[2],
        outcome=outcome,
        lost=lost,
        gained=gained,
        tasks=len(rows),
        reason=reasons.most_common(1)[0][0] if reasons else None,
        ratio=ratio,
        pace=None if ratio is None else _pace(ratio),
    )


def _ratio(rows: Sequence[Mapping[str, Any]], one_computer: bool, level: float) -> Estimate | None:
    """Return the time new over old, over inputs that pass and were timed by one protocol on both sides."""
    from isoflop.stats.intervals import student_quantile

    log, variance = ("log_s", "variance") if one_computer else ("log_beside", "variance_beside")
    timed = [
        row
        for row in rows
        if row["passes"]
        and row["passes_new"]
        and row["protocol"] == row["protocol_new"]
        and None not in (row[log], row[f"{log}_new"])
    ]
    if not timed:
        return None
    change = math.fsum(row[f"{log}_new"] - row[log] for row in timed) / len(timed)
    if any(None in (row[variance], row[f"{variance}_new"]) for row in timed):
        return Estimate(value=math.exp(change), unit="×")
    # Inputs share their processes, so that their errors are taken to move together.
    se = math.fsum(math.sqrt(row[variance] + row[f"{variance}_new"]) for row in timed) / len(timed)
    processes = min(min(row["processes"], row["processes_new"]) for row in timed)
    df = 2 * (processes - 1) if processes > 1 else math.inf
    half = student_quantile((1 + level) / 2, df) * se
    low, high = math.exp(change - half), math.exp(change + half)
    return Estimate(value=math.exp(change), low=low, high=high, level=level, unit="×")


def _pace(ratio: Estimate) -> Pace:
    assert ratio.value is not None
    low, high = ratio.low, ratio.high
    if ratio.value > 1 + ALIKE and low is not None and low > 1:
        return "slower"
    if ratio.value < 1 / (1 + ALIKE) and high is not None and high < 1:
        return "faster"
    return "alike"


def _versions(old: pl.DataFrame, new: pl.DataFrame) -> dict[str, tuple[str, str]]:
    """Return the versions of each target in both runs."""
    import polars as pl

    told = [
        {
            target: ", ".join(sorted({str(v) for v in versions if v is not None}))
            for target, versions in frame.group_by("target")
            .agg(pl.coalesce("target_version", "framework_version").unique())
            .iter_rows()
        }
        for frame in (old, new)
    ]
    return {target: (told[0][target], told[1][target]) for target in sorted(set(told[0]) & set(told[1]))}

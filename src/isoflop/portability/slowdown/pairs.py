"""Rows of a run as log ratios of a target to its source, with the blocks behind each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import EvidenceError, closest
from isoflop.portability.model import PASSED, Policy

if TYPE_CHECKING:
    import polars as pl

FloatArray = NDArray[np.float64]
How = Literal["interleaved", "separate"]
FEW_BLOCKS = 3
SAME_INPUT = ("framework", "function", "variant", "dtype", "size_class", "sample_id")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Timed:
    """One task in one process: the log ratio target over source.

    Parameters
    ----------
    function, task, process, size : str
    log_ratio : float
        ln of how many times slower.
    blocks : array, shape (n,)
        Sorted ln ratios of neighbouring blocks; the log ratio alone where there are none.
    first_log_ratio : float or None
        The same of first calls, where the source's is known.
    first_s, prepare_s, median_s : float or None
        Of the target.
    is_dispatch_bound, is_noisy : bool
    """

    function: str
    task: str
    process: str
    size: str
    log_ratio: float
    blocks: FloatArray
    first_log_ratio: float | None
    first_s: float | None
    prepare_s: float | None
    median_s: float | None
    is_dispatch_bound: bool
    is_noisy: bool


PROCESSOR = r"^(cpu|default|no avx|avx|neon|sve|vsx|zvector)"
"""How back ends name the processor: itself, or the instruction set that they found."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pairs:
    """All timed tasks of a pair of targets under one protocol."""

    source: str
    target: str
    framework: str
    protocol: str
    how: How
    devices: tuple[str, str]
    hosts: int
    failed: int
    timed: tuple[Timed, ...]


def pairs(
    frame: pl.DataFrame,
    *,
    source: str,
    target: str,
    framework: str | None = None,
    policy: Policy = "strict",
    protocol: str | None = None,
) -> Pairs:
    """Return the timed tasks that passed on both sides.

    The source is timed in turns with the target in one process where it is the target's reference (or the
    other way round); else rows of both targets are matched by their inputs.

    Raises
    ------
    EvidenceError
        A target is not there, nothing was timed on both, or protocols differ.
    """
    import polars as pl

    rows = frame if framework is None else frame.filter(pl.col("framework") == framework)
    known = sorted({*rows["target"].drop_nulls().to_list(), *rows["reference"].drop_nulls().to_list()})
    for name in (source, target):
        if name not in known:
            near = closest(name, known)
            hint = f" Closest is {near!r}." if near else ""
            raise EvidenceError(
                f"slowdown: target {name!r} not in timings; present are {', '.join(known) or 'none'}.{hint}"
            )
    passed = pl.col("status").is_in(list(PASSED[policy]))
    timed = rows.filter(passed & pl.col("median_s").is_not_null())
    there = (pl.col("target") == target) & (pl.col("reference") == source)
    back = (pl.col("target") == source) & (pl.col("reference") == target)
    paired = pl.col("reference_median_s").is_not_null()
    chosen, sign = timed.filter(there & paired), 1.0
    how: How = "interleaved"
    if chosen.height == 0:
        chosen, sign = timed.filter(back & paired), -1.0
    if chosen.height == 0:
        chosen, sign, how = _matched(timed, source, target), 1.0, "separate"
    if chosen.height == 0:
        raise EvidenceError(
            f"slowdown: nothing passed and was timed on both {source!r} and {target!r}, needs at least one "
            "task. Run both with a timing protocol."
        )
    chosen = _one_protocol(chosen, protocol)
    frameworks = chosen["framework"].unique().to_list()
    if len(frameworks) > 1:
        raise EvidenceError(
            f"slowdown: {', '.join(sorted(frameworks))} are mixed, a slow-down is of one framework. Name it."
        )
    failed = rows.filter((pl.col("target") == target) & ~passed)["function"].n_unique()
    return Pairs(
        source=source,
        target=target,
        framework=frameworks[0],
        protocol=str(chosen["protocol"][0]),
        how=how,
        devices=(_device(rows, source), _device(rows, target)),
        hosts=chosen["host_hash"].n_unique(),
        failed=failed,
        timed=_timed(chosen, sign, _first_calls(rows, source if sign > 0 else target)),
    )


def _one_protocol(rows: pl.DataFrame, protocol: str | None) -> pl.DataFrame:
    import polars as pl

    present = sorted(rows["protocol"].fill_null("not stated").unique().to_list())
    if protocol is not None:
        kept = rows.filter(pl.col("protocol") == protocol)
        if kept.height == 0:
            raise EvidenceError(
                f"slowdown: protocol {protocol!r} not in timings; present are {', '.join(present)}. "
                "Choose one of them."
            )
        return kept
    if len(present) > 1:
        raise EvidenceError(
            f"slowdown: protocols {' and '.join(present)} time differently; ratios across them are refused. "
            "Name the protocol, or re-run one side."
        )
    return rows.with_columns(pl.col("protocol").fill_null("not stated"))


def _matched(timed: pl.DataFrame, source: str, target: str) -> pl.DataFrame:
    """Return the target's rows with the source's median of the same inputs, computer and process number."""
    import polars as pl

    on = [*SAME_INPUT, "host_hash", "repeat", "protocol"]
    one = timed.filter(pl.col("target") == source).select(*on, pl.col("median_s").alias("reference_median_s"))
    two = timed.filter(pl.col("target") == target).drop("reference_median_s", "block_log_ratios")
    joined = two.join(one.unique(on), on=on, how="inner", nulls_equal=True)
    return joined.with_columns(block_log_ratios=pl.lit(None, dtype=pl.String))


def _first_calls(rows: pl.DataFrame, base: str) -> dict[tuple[Any, ...], float]:
    """Return the source's first calls by input, computer and process number."""
    import polars as pl

    known = rows.filter((pl.col("target") == base) & pl.col("first_s").is_not_null())
    key = [*SAME_INPUT, "host_hash", "repeat"]
    return {tuple(row[:-1]): row[-1] for row in known.select(*key, "first_s").iter_rows()}


def _timed(rows: pl.DataFrame, sign: float, firsts: dict[tuple[Any, ...], float]) -> tuple[Timed, ...]:
    out = []
    for row in rows.iter_rows(named=True):
        plain = float(np.log(row["median_s"] / row["reference_median_s"]))
        blocks = np.sort(sign * np.array((row["block_log_ratios"] or "").split(), dtype=np.float64))
        if blocks.size < FEW_BLOCKS:
            blocks = np.array([sign * plain])
        blocks.setflags(write=False)
        first = firsts.get(tuple(row[name] for name in (*SAME_INPUT, "host_hash", "repeat")))
        own_first = row["first_s"]
        ratio = sign * float(np.log(own_first / first)) if first and own_first else None
        out.append(
            Timed(
                function=row["function"],
                task="|".join(str(row[n]) for n in ("variant", "dtype", "size_class", "sample_id")),
                process=f"{row['run_id']}|{row['host_hash']}|{row['repeat']:g}",
                size=row["size_class"] or "no size",
                log_ratio=float(np.median(blocks)),
                blocks=blocks,
                first_log_ratio=ratio,
                first_s=own_first,
                prepare_s=row["prepare_s"],
                median_s=row["median_s"],
                is_dispatch_bound=bool(row["is_dispatch_bound"]),
                is_noisy=bool(row["is_noisy"]),
            )
        )
    return tuple(out)


def _device(rows: pl.DataFrame, target: str) -> str:
    """Return what the target ran on; back ends name a processor in several ways, its model names it once."""
    import polars as pl

    mine = rows.filter(pl.col("target") == target)
    name = pl.col("device_name")
    processor = name.is_null() | name.str.to_lowercase().str.contains(PROCESSOR)
    device = pl.when(processor).then(pl.coalesce("cpu_model", "device_name")).otherwise(name)
    return ", ".join(mine.select(device.alias("device"))["device"].drop_nulls().unique().sort().to_list())

"""How tasks were measured: agreement of numbers and the timing protocol, with what this run made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from isoflop.portability.model import DISPATCH_FACTOR, Timing
from isoflop.present import formats
from isoflop.present.chapter import Column, Section, Table

if TYPE_CHECKING:
    from isoflop.portability.runs import Run

AGREEMENT = (
    Column(name="target", label="Target"),
    Column(name="agreement", label="Numbers"),
    Column(name="tasks", label="Tasks", format="count"),
    Column(name="err_rel", label="Largest relative error", format="number"),
    Column(name="err_ulp", label="Median of the largest error", unit="ULP", format="number"),
    Column(name="ref_err_rel", label="Largest error of the reference", format="number"),
)
TIMING = (
    Column(name="target", label="Target"),
    Column(name="protocol", label="Protocol"),
    Column(name="timed", label="Tasks timed", format="count"),
    Column(name="precise", label="Ended by precision", format="percent"),
    Column(name="half_width", label="Median half-width", format="percent"),
    Column(name="noisy", label="Noisy", format="percent"),
    Column(name="dispatch_bound", label="Dispatch-bound", format="percent"),
    Column(name="prepare_s", label="Median preparation", unit="s", format="number"),
    Column(name="first_ratio", label="First call / later calls", format="number"),
)
_WORDS = {
    "agree": "agree",
    "differ": "differ",
    "shape": "another shape",
    "dtype": "another dtype",
    "nan_pattern": "NaN or infinity elsewhere",
    "not_comparable": "no values to compare",
    "not_checked": "not reached",
}
_NOISY, _DISPATCH = 0.20, 0.20
"""Shares of the timed tasks above which a caution is raised."""
HOW_AGREED = (
    "Numbers agree if the error of the output against float64, as a share of its Euclidean norm, stays "
    "within the tolerance of the dtype (float64 1e-10, float32 1e-5, float16 2e-3, bfloat16 1.6e-2; whole "
    "numbers exactly) or within eight times the error that the reference makes itself. Shape, dtype and the "
    "pattern of NaN and infinity come first. Random numbers are held against each other by their support "
    "and a Kolmogorov-Smirnov test, factorisations by what they are factors of [D]."
)


def measure_section(found: Run) -> Section:
    """Return the section on how a task was measured."""
    times = timing_rows(found)
    tables = [
        Table(
            id="agreement-table",
            title="How outputs compare with the reference",
            columns=AGREEMENT,
            rows=tuple(agreement_rows(found)),
            note="Errors are held against float64 where the function has such a form, else against the "
            "reference. ULP: units in the last place of the dtype, the worst element of each task.",
        )
    ]
    if times:
        tables.append(
            Table(
                id="timing-table",
                title="How well times are known",
                columns=TIMING,
                rows=tuple(times),
                note="Half-width: of the 95 % interval of the median by order statistics. Preparation is "
                "compiling or exporting; first and later calls are never mixed.",
            )
        )
    return Section(
        id="measurement",
        title="How a task was measured",
        prose=(HOW_AGREED, timing_text(found)),
        tables=tuple(tables),
        cautions=timing_cautions(found),
    )


def agreement_rows(found: Run) -> list[dict[str, Any]]:
    """Return counts of the classes of agreement by target, with the errors behind them."""
    import polars as pl

    rows = (
        found.frame()
        .filter(pl.col("agreement").is_not_null())
        .group_by("target", "agreement")
        .agg(
            tasks=pl.len(),
            err_rel=pl.col("err_rel").max(),
            err_ulp=pl.col("err_ulp").median(),
            ref_err_rel=pl.col("ref_err_rel").max(),
        )
        .sort("target", "tasks", descending=[False, True])
    )
    return [row | {"agreement": _WORDS.get(row["agreement"], row["agreement"])} for row in rows.to_dicts()]


def timing_rows(found: Run) -> list[dict[str, Any]]:
    """Return by target and protocol how well times are known; none where nothing was timed."""
    import polars as pl

    rows = (
        found.frame()
        .filter(pl.col("median_s").is_not_null())
        .group_by("target", "protocol")
        .agg(
            timed=pl.len(),
            precise=(pl.col("timing_end") == "precise").mean(),
            half_width=((pl.col("ci_high_s") - pl.col("ci_low_s")) / 2 / pl.col("median_s")).median(),
            noisy=pl.col("is_noisy").cast(pl.Boolean).mean(),
            dispatch_bound=pl.col("is_dispatch_bound").cast(pl.Boolean).mean(),
            prepare_s=pl.col("prepare_s").median(),
            first_ratio=(pl.col("first_s") / pl.col("median_s")).median(),
        )
        .sort("target", "protocol")
    )
    return rows.to_dicts()


def timing_text(found: Run) -> str:
    """Return in words how times were taken."""
    protocols = sorted({row["protocol"] for row in timing_rows(found) if row["protocol"]})
    if not protocols:
        return "Nothing was timed."
    return " ".join(_protocol(name) for name in protocols) + (
        " Each block of calls is waited for once and lasts at least a millisecond and a thousand ticks of "
        "the clock; blocks of reference and target come as A B B A, so that a drift of the computer falls "
        "on both [D]. Preparation, first call and later calls are three figures, and nothing is subtracted. "
        f"A task is dispatch-bound where its median is below {DISPATCH_FACTOR:g} calls that do nothing: such "
        "a time says what a call costs, not what the kernel costs."
    )


def _protocol(name: str) -> str:
    known = {"1": Timing(), "1q": Timing.quick()}.get(name)
    if known is None:
        return f"Times were taken under protocol {name}."
    return (
        f"Protocol {name}: {known.processes} fresh process{'es' if known.processes > 1 else ''}, in each at "
        f"least {known.min_blocks} blocks a task, until the half-width of the median's interval is below "
        f"{formats.percent(known.half_width)} or {formats.number(known.budget_s)} s are spent."
    )


def timing_cautions(found: Run) -> tuple[str, ...]:
    """Return what limits the times, and what cures it."""
    rows = timing_rows(found)
    said = []
    if any(row["protocol"] == "1q" for row in rows):
        said.append(
            "Times were taken under the quick protocol, for first looks only; --timing full repeats them in "
            "three processes."
        )
    for row in rows:
        if (row["noisy"] or 0.0) > _NOISY:
            said.append(
                f"{formats.percent(row['noisy'])} of the tasks timed on {row['target']} are noisy; measure "
                "again while the computer does nothing else."
            )
        if (row["dispatch_bound"] or 0.0) > _DISPATCH:
            said.append(
                f"{formats.percent(row['dispatch_bound'])} of the tasks timed on {row['target']} are "
                "dispatch-bound; add larger sizes to see the kernels."
            )
    return tuple(said)

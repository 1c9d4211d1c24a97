"""How slowly functions run elsewhere: the section on slow-downs of own runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from isoflop.portability.figures import slowdown as pictures
from isoflop.portability.shares.findings import plain
from isoflop.present import formats
from isoflop.present.chapter import Column, Figure, Section, Table

if TYPE_CHECKING:
    from isoflop.portability.slowdown.result import Slowdown

GRID = (
    Column(name="text", label="Counted"),
    Column(name="n", label="Functions", format="count"),
    Column(name="slower", label="Slower", format="count"),
    Column(name="over_10x", label="Over 10×", format="count"),
    Column(name="share_over_10x", label="Share over 10×", format="percent"),
    Column(name="low", label="Low", format="percent"),
    Column(name="high", label="High", format="percent"),
    Column(name="median", label="Median", format="multiple"),
    Column(name="median_low", label="Low", format="multiple"),
    Column(name="median_high", label="High", format="multiple"),
)
FUNCTIONS = (
    Column(name="function", label="Function"),
    Column(name="ratio", label="Ratio", format="multiple"),
    Column(name="low", label="Low", format="multiple"),
    Column(name="high", label="High", format="multiple"),
    Column(name="kernel_ratio", label="Kernel-bound", format="multiple"),
    Column(name="first_over_steady", label="First over steady", format="multiple"),
    Column(name="prepare_s", label="Prepare", unit="s", format="number"),
    Column(name="tasks", label="Inputs", format="count"),
)
SLOWEST = 15
READ = (
    "A ratio is the time of a call on the target over that on the source, blocks of calls taking turns "
    "in one process; the geometric mean over a function's inputs. Where a call takes less than ten empty "
    "calls it measures dispatch rather than the kernel: such inputs stand apart. Compiling and first "
    "calls are shown, never mixed in, and nothing is subtracted."
)

DRAWN = 2
"""Pairs with pictures and tables in the chapter, those of most functions; the others have their numbers."""


def slowdown_section(founds: Sequence[Slowdown]) -> Section:
    """Return the section on slow-downs, one part a pair of targets."""
    prose: list[str] = []
    drawn = sorted(founds, key=lambda found: -found.n)[:DRAWN]
    for found in founds:
        figures = slowdown_figures(found) if found in drawn else ()
        prose += [_lead(found), *(f"{{figure:{figure.id}}}" for figure in figures)]
    return Section(
        id="slowdown",
        title="How slowly they run",
        prose=(READ, *prose) if founds else ("No pair of targets was timed under a full protocol.",),
        figures=tuple(figure for found in drawn for figure in slowdown_figures(found)),
        tables=tuple(table for found in drawn for table in _tables(found)),
        cautions=tuple(dict.fromkeys(c for found in founds for c in found.cautions)),
    )


def slowdown_figures(found: Slowdown) -> tuple[Figure, ...]:
    """Return the pictures of one pair: distribution, sizes where there are several, first calls."""
    pair = pair_name(found)
    source = ", ".join(dict.fromkeys(one.name for one in found.provenance))
    level = formats.percent(found.level)
    out = [
        Figure(
            id=f"slowdown-{pair}",
            title=f"{found.source} to {found.target}: median {formats.estimate(found.median)}",
            subtitle="Time ratio of each function, in order; hollow: dispatch-bound; dashed lines at 1 and "
            "10",
            frame=pictures.distribution_data(found),
            chart=lambda: pictures.distribution(found),
            alt="Points in rising order on a logarithmic axis of time ratios, with intervals and lines at "
            "one and ten.",
            source=source,
            n=found.n,
            interval=f"{level}: draws of processes and blocks",
        )
    ]
    sizes = pictures.sizes_data(found)
    if sizes["size"].n_unique() > 1:
        out.append(
            Figure(
                id=f"slowdown-sizes-{pair}",
                title=f"{found.source} to {found.target}: the ratio by size of inputs",
                subtitle="One thin line a function; thick: median of functions timed at every size",
                frame=sizes,
                chart=lambda: pictures.sizes(found),
                alt="Lines of time ratios over size classes on a logarithmic axis, with a thick median line.",
                source=source,
                n=found.n,
                interval="No interval drawn: the table has them",
            )
        )
    first = pictures.first_calls_data(found)
    if first.height:
        out.append(
            Figure(
                id=f"first-calls-{pair}",
                title=f"{found.target}: the first call takes {_first(found)} steady ones, by the median",
                subtitle="First call over a steady one on the target, against the steady ratio",
                frame=first,
                chart=lambda: pictures.first_calls(found),
                alt="A scatter of functions: steady ratio across, first call over steady call upwards, both "
                "logarithmic.",
                source=source,
                n=first.height,
                interval="No interval: one first call a process",
            )
        )
    return tuple(out)


def pair_name(found: Slowdown) -> str:
    """Return the pair as it stands in ids of figures and tables."""
    return f"{plain(found.source)}-{plain(found.target)}"


def _tables(found: Slowdown) -> tuple[Table, ...]:
    pair = pair_name(found)
    return (
        Table(
            id=f"slowdown-grid-{pair}",
            title=f"{found.source} to {found.target}: every way of counting",
            columns=GRID,
            rows=tuple(found.grid_rows()),
            note="Slower: the whole interval lies above 1, where there is one. Shares: Wilson.",
        ),
        Table(
            id=f"slowdown-functions-{pair}",
            title=f"{found.source} to {found.target}: the slowest functions",
            columns=FUNCTIONS,
            rows=tuple(found.rows()[:SLOWEST]),
        ),
    )


def _first(found: Slowdown) -> str:
    import numpy as np

    known = [one.first_over_steady for one in found.functions if one.first_over_steady is not None]
    return formats.number(float(np.median(known)))


def _lead(found: Slowdown) -> str:
    grid = {one.name: one for one in found.countings}
    every, kernel = grid["all"], grid.get("kernel_bound")
    said = (
        f"**{found.source} to {found.target}.** Of {found.n} functions that pass on both, {every.slower} "
        f"are slower beyond their interval; the median ratio is {formats.estimate(found.median)}."
    )
    if not found.is_quick:
        said += (
            f" {every.over} ({formats.percent(every.over / every.n)}) are over ten times slower, "
            f"{found.surely_over} with their whole interval."
        )
    if kernel is not None and kernel.n:
        said += f" On kernel-bound inputs alone the median is {formats.estimate(kernel.median)}"
        said += "." if found.is_quick else f", and {kernel.over} of {kernel.n} are over ten times slower."
    return said + f" {formats.percent(found.dispatch_share)} of functions measure dispatch only."

"""Slow-downs of own runs, from timings that took turns in one process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from isoflop.findings import Estimate
from isoflop.portability.model import SIZES, Bootstrap, Policy
from isoflop.portability.slowdown import bootstrap
from isoflop.portability.slowdown.pairs import Timed, pairs
from isoflop.portability.slowdown.result import Counting, FunctionRatio, Reading, Slowdown
from isoflop.stats.checks import unit_level, whole_number

if TYPE_CHECKING:
    from isoflop.portability.runs import Run

FloatArray = NDArray[np.float64]

_TEXTS = {
    "all": "all functions, steady calls",
    "kernel_bound": "kernel-bound inputs alone",
    "first_calls": "first calls, compiling left out",
}


def own_slowdown(
    results: Run,
    *,
    source: str,
    target: str,
    framework: str | None = None,
    policy: Policy = "strict",
    protocol: str | None = None,
    ci: Bootstrap | None = None,
) -> Slowdown:
    """Return how many times slower functions are on `target` than on `source`.

    Parameters
    ----------
    results : Run
    source, target : str
        Target ids, e.g. ``torch:eager`` and ``torch:cuda``.
    framework : str, optional
        Needed where both targets take calls of several.
    policy : {"strict", "fallback"}
        Whether tasks that left the device count.
    protocol : str, optional
        Needed where a run holds several; protocols are never mixed.
    ci : Bootstrap, optional
        Draws of processes and blocks within a function, and of functions.

    Returns
    -------
    Slowdown

    Raises
    ------
    EvidenceError
        Nothing was timed on both, or protocols differ.

    Notes
    -----
    r = exp(mean over samples and sizes of ln(target / source)), a task's log ratio being the median over
    neighbouring blocks, averaged over processes. Nothing is subtracted.

    Examples
    --------
    >>> from isoflop.portability.simulate import PlantedRun
    >>> planted = PlantedRun(slowdown_median=3.0, slowdown_sd=0.0, sample_sd=0.0)
    >>> run, _ = planted.draw(np.random.default_rng(0))
    >>> round(own_slowdown(run, source="made:plain", target="made:other").median.value, 1)
    3.0
    """
    ci = ci or Bootstrap()
    unit_level("slowdown", ci.level)
    whole_number("slowdown", "reps", ci.reps, least=2)
    found = pairs(
        results.frame(), source=source, target=target, framework=framework, policy=policy, protocol=protocol
    )
    by_function: dict[str, list[Timed]] = {}
    for one in sorted(found.timed, key=lambda t: (t.function, t.task, t.process)):
        by_function.setdefault(one.function, []).append(one)
    rng = np.random.default_rng(ci.seed)
    functions, logs = [], []
    for name, timed in by_function.items():
        drawn = bootstrap.draws(timed, _subsets(timed), ci.reps, rng, ci.level)
        functions.append(_ratio(name, timed, drawn, ci.level))
        logs.append(drawn["all"])
    countings = _countings(functions, rng, ci)
    draws = _median_draws(np.column_stack(logs), rng)
    countings[0] = replace(countings[0], median=_median([one.ratio for one in functions], draws, ci.level))
    return Slowdown(
        framework=found.framework,
        source=source,
        target=target,
        protocol=found.protocol,
        how=found.how,
        devices=found.devices,
        functions=tuple(functions),
        countings=tuple(countings),
        failed=found.failed,
        hosts=found.hosts,
        noisy=sum(one.is_noisy for one in found.timed) / len(found.timed),
        level=ci.level,
        reps=ci.reps,
        seed=ci.seed,
        draws=draws,
        notes=tuple(results.cautions),
        provenance=(results.table.provenance(len(found.timed)),),
    )


def _subsets(timed: Sequence[Timed]) -> dict[str, list[int]]:
    """Return the readings of a function by the positions of their timings."""
    out = {"all": list(range(len(timed)))}
    kernel = [i for i, one in enumerate(timed) if not one.is_dispatch_bound]
    if kernel:
        out["kernel_bound"] = kernel
    for size in sorted({one.size for one in timed}, key=_rung):
        out[f"size_{size}"] = [i for i, one in enumerate(timed) if one.size == size]
    return out


def _ratio(name: str, timed: Sequence[Timed], drawn: Mapping[str, FloatArray], level: float) -> FunctionRatio:
    readings = {}
    for key, rows in _subsets(timed).items():
        centre = bootstrap.point([timed[i] for i in rows])
        low, high = np.quantile(drawn[key], ((1 - level) / 2, (1 + level) / 2))
        readings[key] = Reading(
            ratio=float(np.exp(centre)),
            low=float(np.exp(min(low, centre))),
            high=float(np.exp(max(high, centre))),
        )
    firsts = [one.first_log_ratio for one in timed if one.first_log_ratio is not None]
    if firsts:
        readings["first_calls"] = Reading(ratio=float(np.exp(np.mean(firsts))))
    warm = [np.log(one.first_s / one.median_s) for one in timed if one.first_s and one.median_s]
    prepared = [one.prepare_s for one in timed if one.prepare_s is not None]
    return FunctionRatio(
        function=name,
        readings=readings,
        tasks=len({one.task for one in timed}),
        kernel_tasks=len({one.task for one in timed if not one.is_dispatch_bound}),
        processes=len({one.process for one in timed}),
        first_over_steady=float(np.exp(np.mean(warm))) if warm else None,
        prepare_s=float(np.median(prepared)) if prepared else None,
    )


def _rung(size: str) -> tuple[int, str]:
    order: list[str] = list(SIZES)
    return (order.index(size) if size in order else len(order), size)


def _countings(functions: Sequence[FunctionRatio], rng: np.random.Generator, ci: Bootstrap) -> list[Counting]:
    """Return every way of counting: all, kernel-bound, first calls, and each size class."""
    names = list(dict.fromkeys(name for one in functions for name in one.readings))
    sizes = sorted((n for n in names if n.startswith("size_")), key=lambda n: _rung(n.removeprefix("size_")))
    out = []
    for name in (*(n for n in ("all", "kernel_bound", "first_calls") if n in names), *sizes):
        read = [one.readings[name] for one in functions if name in one.readings]
        ratios = [one.ratio for one in read]
        draws = _median_draws(np.tile(np.log(ratios), (ci.reps, 1)), rng)
        out.append(
            Counting(
                name=name,
                text=_TEXTS.get(name, f"inputs of size {name.removeprefix('size_')}"),
                n=len(read),
                slower=sum(one.is_slower for one in read),
                over=sum(one.is_over for one in read),
                median=_median(ratios, draws, ci.level),
            )
        )
    return out


def _median(ratios: Sequence[float], draws: FloatArray, level: float) -> Estimate:
    # The middle is taken of logs, so that turning the pair round gives exactly the inverse.
    low, high = (float(v) for v in np.quantile(draws, ((1 - level) / 2, (1 + level) / 2)))
    return Estimate(value=float(np.exp(np.median(np.log(ratios)))), low=low, high=high, level=level, unit="×")


def _median_draws(logs: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return medians over functions drawn with replacement, each with a draw of its own ratio."""
    reps, count = logs.shape
    chosen = rng.integers(0, count, size=(reps, count))
    return np.asarray(np.exp(np.median(np.take_along_axis(logs, chosen, axis=1), axis=1)))

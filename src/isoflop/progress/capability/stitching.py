"""Put models that took different benchmarks on one capability scale.

score of model m on benchmark b = logistic(s_b (C_m − D_b)), the item-response form of benchmark
stitching (Epoch AI and Google DeepMind, 2025). C is the model's capability, D the benchmark's
difficulty, s its slope. Scores leave origin and unit free, so an *anchor* sets them: one
benchmark (its slope given, its difficulty the origin) or two models (their capabilities given).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.errors import EvidenceError, NoFitError, SettingError, closest
from isoflop.progress.capability.stitching_fit import Cells, FloatArray, Minimum, minimise
from isoflop.progress.capability.stitching_result import (
    EPOCH_SCALE,
    SEED,
    THIN,
    Anchor,
    AnchorBenchmark,
    AnchorModels,
    IndexScale,
    Stitching,
)
from isoflop.progress.capability.stitching_scores import ABOUT, CHANCE_LEVELS, Repeats, prepare
from isoflop.stats.resample import Bootstrap

if TYPE_CHECKING:
    import polars as pl

    from isoflop.evidence.table import Table

__all__ = [
    "CHANCE_LEVELS",
    "EPOCH_SCALE",
    "AnchorBenchmark",
    "AnchorModels",
    "IndexScale",
    "Stitching",
    "stitch",
]

INDEX_ANCHORS = (("Claude 3.5 Sonnet", 130.0), ("GPT-5", 150.0))
"""Models and index values that define the Epoch Capabilities Index."""
SAME_MINIMUM = 1e-8
"""Starts that end this close in objective are one minimum."""

_UNITS = ("model", "benchmark", "both")


def stitch(
    scores: Table | Any,
    *,
    anchor: Anchor = AnchorBenchmark(),  # noqa: B008 - frozen
    ci: Bootstrap | None = Bootstrap(reps=300, by="benchmark"),  # noqa: B008 - frozen
    scale: IndexScale | None = None,
    repeats: Repeats = "max",
    chance: Mapping[str, float] | None = None,
    starts: int = 8,
) -> Stitching:
    """Fit capabilities and difficulties to a table of benchmark scores.

    Parameters
    ----------
    scores : Table
        Schema ``scores``: model, benchmark, score in [0, 1]; release_date and is_distilled are carried along.
    anchor : AnchorBenchmark or AnchorModels
        What fixes origin and unit.
    ci : Bootstrap or None
        Cases to draw: ``by="model"``, ``"benchmark"`` or ``"both"`` (the product of the two). What
        the anchor names is in every draw. Intervals are percentiles.
    scale : IndexScale, optional
        For the `index` columns. By default the scale through `INDEX_ANCHORS` if both are in the
        table (`model_name`, the most capable version counts), else Epoch's constants with a caution.
    repeats : {"max", "mean", "keep"}
        What to do with several scores of one model on one benchmark. The published analysis
        keeps the best.
    chance : mapping of str to float, optional
        Score of a guess by benchmark (`CHANCE_LEVELS`); scores become (y − g)/(1 − g).
    starts : int, >= 1
        Starts of the point fit; the best minimum is kept and all are reported.

    Returns
    -------
    Stitching

    Raises
    ------
    EvidenceError
        One benchmark, equal scores, scores outside [0, 1], or a model-benchmark graph in parts.
    SettingError
        The anchor is not in the table, or a setting is unknown.
    NoFitError
        No start reached a certified minimum.

    Notes
    -----
    Source: the stitching model and its objective of Epoch AI's benchmark-stitching (MIT). We differ in
    the solver (structured Newton instead of dense finite differences), the certificate, the intervals,
    and in refusing disconnected tables.
    """
    from isoflop.evidence.load import accept

    if isinstance(starts, bool) or not isinstance(starts, int) or starts < 1:
        raise SettingError(f"stitch: starts={starts}, must be a whole number >= 1. Use 8.")
    if ci is not None and ci.by not in _UNITS:
        raise SettingError(f"stitch: ci.by={ci.by!r}, must be one of {', '.join(_UNITS)}. Use 'benchmark'.")
    data, cautions = prepare(accept(scores, "scores"), repeats, chance or {})
    models = tuple(sorted(set(data["model"].to_list())))
    benchmarks = tuple(sorted(set(data["benchmark"].to_list())))
    cells = _cells(data, models, benchmarks, anchor)
    _require_connected(cells, benchmarks)
    minima = _minima(cells, starts)
    best = min(minima, key=lambda found: found.objective)
    draws, n_failed = _draws(cells, best, anchor, ci)
    c, d, s = cells.split(_shifted(best.theta, cells, anchor, benchmarks))
    seen = np.zeros((len(models), len(benchmarks)), dtype=bool)
    seen[cells.model, cells.benchmark] = True
    shifted = np.array([_shifted(draw, cells, anchor, benchmarks) for draw in draws]).reshape(
        -1, best.theta.size
    )
    c_draws, d_draws, s_draws = np.split(shifted, [len(models), len(models) + len(benchmarks)], axis=1)
    for array in (c, d, s, shifted, c_draws, d_draws, s_draws):
        array.flags.writeable = False
    residual = cells.predicted(best.theta) - cells.score
    about = _about_models(data)
    index_scale, note = (scale, ()) if scale else _index_scale(about, c)
    result = Stitching(
        models=models,
        benchmarks=benchmarks,
        capability=c,
        difficulty=d,
        slope=s,
        capability_draws=c_draws,
        difficulty_draws=d_draws,
        slope_draws=s_draws,
        benchmarks_of_model=seen.sum(axis=1),
        models_of_benchmark=seen.sum(axis=0),
        release_date=tuple(about["release_date"].to_list()),
        is_distilled=tuple(about["is_distilled"].to_list()),
        objective=best.objective,
        gradient_norm=best.gradient_norm,
        iterations=best.iterations,
        start_objectives=tuple(found.objective for found in minima),
        residual_sd=float(np.sqrt(np.mean(residual**2))),
        anchor=anchor,
        scale=index_scale,
        ci=ci,
        n=int(cells.score.size),
        n_failed=n_failed,
        cautions=(),
        provenance=(scores.provenance(int(data["rows"].sum())),),
    )
    at_bound = _at_bound(cells, best, models, benchmarks)
    return replace(result, cautions=(*scores.cautions, *cautions, *note, *_doubts(result, at_bound)))


def _cells(data: pl.DataFrame, models: tuple[str, ...], benchmarks: tuple[str, ...], anchor: Anchor) -> Cells:
    fixed = np.full(len(models) + 2 * len(benchmarks), np.nan)
    if isinstance(anchor, AnchorBenchmark):
        place = _anchor_place(anchor.name, benchmarks, "benchmark")
        fixed[len(models) + len(benchmarks) + place] = anchor.slope
    else:
        for name, value in (
            (anchor.first, anchor.first_capability),
            (anchor.second, anchor.second_capability),
        ):
            fixed[_anchor_place(name, models, "model")] = value
    place_of_model = {name: i for i, name in enumerate(models)}
    place_of_benchmark = {name: i for i, name in enumerate(benchmarks)}
    return Cells(
        model=np.array([place_of_model[name] for name in data["model"]], dtype=np.int64),
        benchmark=np.array([place_of_benchmark[name] for name in data["benchmark"]], dtype=np.int64),
        score=data["score"].to_numpy().astype(np.float64),
        n_models=len(models),
        n_benchmarks=len(benchmarks),
        fixed=fixed,
    )


def _anchor_place(name: str, names: tuple[str, ...], kind: str) -> int:
    if name in names:
        return names.index(name)
    near = closest(name, names)
    hint = f"Did you mean {near!r}?" if near else f"It has {', '.join(names[:5])}."
    raise SettingError(f"stitch: anchor {kind} {name!r} is not in the table, needs one that is. {hint}")


def _components(cells: Cells, rows: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> list[set[int]]:
    """Return the benchmarks of each connected part of the model-benchmark graph of `rows`."""
    seen = np.zeros((cells.n_models, cells.n_benchmarks), dtype=bool)
    seen[cells.model[rows], cells.benchmark[rows]] = True
    together = seen.T.astype(np.int64) @ seen > 0
    left = set(np.flatnonzero(seen.any(axis=0)).tolist())
    parts = []
    while left:
        part = {min(left)}
        edge = set(part)
        while edge:
            near = set(np.flatnonzero(together[sorted(edge)].any(axis=0)).tolist())
            edge = near - part
            part |= near
        parts.append(part)
        left -= part
    return parts


def _require_connected(cells: Cells, benchmarks: tuple[str, ...]) -> None:
    parts = _components(cells, np.ones(cells.score.size, dtype=bool))
    if len(parts) == 1:
        return
    shown = []
    for part in sorted(parts, key=len, reverse=True):
        names = ", ".join(benchmarks[b] for b in sorted(part))
        takers = len(set(cells.model[np.isin(cells.benchmark, sorted(part))].tolist()))
        shown.append(f"[{names}; {takers} models]")
    raise EvidenceError(
        f"stitch: {len(parts)} separate groups of benchmarks share no model: {' '.join(shown)}. "
        "One scale needs one group. Add scores that link them, or stitch each alone."
    )


def _minima(cells: Cells, starts: int) -> list[Minimum]:
    """Return the certified minima that the starts reached, the first from the published seed."""
    found, failed = [], ""
    for i in range(starts):
        try:
            found.append(minimise(cells, cells.start(np.random.default_rng(SEED + i))))
        except NoFitError as error:
            failed = str(error)
    if not found:
        raise NoFitError(failed)
    return found


def _draws(cells: Cells, best: Minimum, anchor: Anchor, ci: Bootstrap | None) -> tuple[FloatArray, int]:
    """Return bootstrap solutions (draws, parameters), NaN where unseen, and the number that failed.

    What the anchor names is kept in every draw, so that all draws share one scale. A draw whose
    graph falls apart has no common scale and counts as failed.
    """
    if ci is None:
        return np.empty((0, best.theta.size)), 0
    weights = np.ones((ci.reps, cells.score.size))
    for unit, seed in (("model", ci.seed), ("benchmark", ci.seed + 1)):
        if ci.by in (unit, "both"):
            weights *= _case_weights(cells, anchor, unit, replace(ci, by=unit, seed=seed))
    kept = []
    for row in weights:
        used = row > 0
        if len(_components(cells, used)) > 1:
            continue
        try:
            theta = minimise(cells, best.theta, row).theta.copy()
        except NoFitError:
            continue
        theta[: cells.n_models][~np.isin(np.arange(cells.n_models), cells.model[used])] = np.nan
        unseen = ~np.isin(np.arange(cells.n_benchmarks), cells.benchmark[used])
        theta[cells.n_models :][np.tile(unseen, 2)] = np.nan
        kept.append(theta)
    return np.array(kept).reshape(-1, best.theta.size), ci.reps - len(kept)


def _case_weights(cells: Cells, anchor: Anchor, unit: str, ci: Bootstrap) -> FloatArray:
    """Return integer-like row weights of drawn models or benchmarks, shape (reps, n)."""
    codes = cells.model if unit == "model" else cells.benchmark
    held = np.zeros(codes.size, dtype=bool)
    fixed = np.flatnonzero(~cells.is_free)
    if isinstance(anchor, AnchorBenchmark) and unit == "benchmark":
        held = codes == fixed[0] - cells.n_models - cells.n_benchmarks
    elif isinstance(anchor, AnchorModels) and unit == "model":
        held = np.isin(codes, fixed)
    weights = np.ones((ci.reps, codes.size))
    free = np.flatnonzero(~held)
    weights[:, free] = ci.weights(free.size, codes[free]) * free.size
    return weights


def _shifted(theta: FloatArray, cells: Cells, anchor: Anchor, benchmarks: tuple[str, ...]) -> FloatArray:
    """Return the solution moved so that the anchor benchmark has its given difficulty."""
    moved = theta.copy()
    if isinstance(anchor, AnchorBenchmark):
        places = cells.n_models + cells.n_benchmarks
        moved[:places] += anchor.difficulty - theta[cells.n_models + benchmarks.index(anchor.name)]
    return moved


def _about_models(data: pl.DataFrame) -> pl.DataFrame:
    """Return each model's name, release date and distillation flag, by model: the first known."""
    import polars as pl

    about = [pl.col(name).drop_nulls().first() for name in ABOUT]
    return data.group_by("model").agg(*about).sort("model")


def _index_scale(about: pl.DataFrame, capability: FloatArray) -> tuple[IndexScale, tuple[str, ...]]:
    """Return the scale through the index's two anchors, or Epoch's constants and a caution."""
    import polars as pl

    best = (
        about.with_columns(capability=pl.Series(capability))
        .group_by("model_name")
        .agg(pl.col("capability").max())
    )
    known = dict(best.iter_rows())
    (first, low), (second, high) = INDEX_ANCHORS
    if first in known and second in known and known[first] != known[second]:
        return IndexScale.through((known[first], low), (known[second], high)), ()
    return EPOCH_SCALE, (
        f"{first} and {second} are not both in the table, so the index uses Epoch's constants, which hold "
        "for their set of benchmarks. Read the capability column, or pass scale=IndexScale.through(…).",
    )


def _at_bound(
    cells: Cells, best: Minimum, models: tuple[str, ...], benchmarks: tuple[str, ...]
) -> tuple[str, ...]:
    names = [
        *(f"capability of {name}" for name in models),
        *(f"difficulty of {name}" for name in benchmarks),
        *(f"slope of {name}" for name in benchmarks),
    ]
    held = cells.is_free & ((best.theta <= cells.low) | (best.theta >= cells.high))
    return tuple(names[i] for i in np.flatnonzero(held))


def _doubts(result: Stitching, at_bound: tuple[str, ...]) -> tuple[str, ...]:
    notes = []
    thin = int(np.sum(result.benchmarks_of_model < THIN))
    if thin:
        notes.append(
            f"{thin} of {len(result.models)} models were seen on fewer than {THIN} benchmarks; "
            "their capability rests on the model form. More benchmarks would cure it."
        )
    few = [name for name, k in zip(result.benchmarks, result.models_of_benchmark, strict=True) if k < 10]
    if few:
        notes.append(f"Fewer than 10 models took {', '.join(few)}: difficulty and slope are loose.")
    if at_bound:
        notes.append(
            f"At a bound of the fit: {', '.join(at_bound[:5])}. The value is the bound's, not the data's."
        )
    distinct = np.unique(np.round(np.array(result.start_objectives) / SAME_MINIMUM)).size
    if np.ptp(result.start_objectives) > SAME_MINIMUM and distinct > 1:
        notes.append(
            f"Starts reached different minima (objective {min(result.start_objectives):.6f} to "
            f"{max(result.start_objectives):.6f}); the lowest is shown."
        )
    if result.ci is not None and result.n_failed:
        notes.append(
            f"{result.n_failed} of {result.ci.reps} draws had no common scale; intervals leave them out."
        )
    return tuple(notes)

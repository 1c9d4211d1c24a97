"""From a table of benchmark scores to one clean score per model and benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, get_args

from isoflop.errors import EvidenceError, SettingError, closest

if TYPE_CHECKING:
    import polars as pl

    from isoflop.evidence.table import Table

CLIP = (0.001, 0.999)
"""Scores outside are moved here: the logistic reaches neither 0 nor 1."""
CHANCE_LEVELS = {
    "ARC AI2": 0.25,
    "BoolQ": 0.5,
    "GPQA diamond": 0.25,
    "HellaSwag": 0.25,
    "MMLU": 0.25,
    "OpenBookQA": 0.25,
    "PIQA": 0.5,
    "Winogrande": 0.5,
}
"""Score of a uniform guess, from the number of answers offered; for `stitch(chance=…)`."""

ABOUT = ("model_name", "release_date", "is_distilled")
"""Columns about the model that are carried along, missing ones empty."""

Repeats = Literal["max", "mean", "keep"]


def prepare(
    scores: Table, repeats: Repeats, chance: Mapping[str, float]
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return one row per score, ready to stitch, and what was done to get there.

    Parameters
    ----------
    scores : Table
        Columns model, benchmark, score, and those of `ABOUT` if there.
    repeats : {"max", "mean", "keep"}
    chance : mapping of str to float
        Score of a guess by benchmark.

    Returns
    -------
    frame : polars.DataFrame
        model, benchmark, score in `CLIP`, the columns of `ABOUT`, and `rows`, the number of
        table rows behind the score. Sorted.
    notes : tuple of str
        Cautions.

    Raises
    ------
    EvidenceError
        A column is missing, a score lies outside [0, 1], all are equal, or there is one benchmark.
    """
    import polars as pl

    if repeats not in get_args(Repeats):
        raise SettingError(
            f"stitch: repeats={repeats!r}, must be one of {', '.join(get_args(Repeats))}. Use 'max'."
        )
    frame = scores.frame
    for name in ("model", "benchmark", "score"):
        if name not in frame.columns:
            near = closest(name, frame.columns)
            hint = f"closest is {near!r}" if near else f"it has {', '.join(frame.columns)}"
            raise EvidenceError(f"stitch: column {name!r} not in {scores.name}; {hint}. Map it when loading.")
    for name, dtype in zip(ABOUT, (pl.String(), pl.Date(), pl.Boolean()), strict=True):
        if name not in frame.columns:
            frame = frame.with_columns(pl.lit(None, dtype=dtype).alias(name))
    frame = frame.select("model", "benchmark", "score", *ABOUT)
    complete = frame.drop_nulls(["model", "benchmark", "score"])
    notes = []
    if complete.height < frame.height:
        notes.append(f"{frame.height - complete.height} rows without model, benchmark or score are left out.")
    outside = complete.filter(~pl.col("score").is_between(0.0, 1.0))
    if outside.height:
        row = outside.row(0, named=True)
        raise EvidenceError(
            f"stitch: score {row['score']:g} of {row['model']} on {row['benchmark']}, must lie in [0, 1]. "
            "Divide percentages by 100."
        )
    if complete["score"].n_unique() < 2:
        raise EvidenceError(
            f"stitch: {complete['score'].n_unique()} distinct scores, needs at least 2. "
            "Equal scores say nothing about capability."
        )
    if complete["benchmark"].n_unique() < 2:
        raise EvidenceError("stitch: 1 benchmark, needs at least 2. On one benchmark its score is the scale.")
    complete, note = _rescaled(complete, chance)
    notes += note
    repeated = complete.height - complete.select("model", "benchmark").n_unique()
    if repeated and repeats != "keep":
        kept = {"max": "best", "mean": "mean"}[repeats]
        notes.append(
            f"{repeated} scores repeat a model and benchmark (shots, sources or dates); the {kept} counts. "
            "Compare repeats='max' and 'mean'."
        )
        score = pl.col("score").max() if repeats == "max" else pl.col("score").mean()
        about = [pl.col(name).drop_nulls().first() for name in ABOUT]
        complete = complete.group_by("model", "benchmark").agg(score, *about, rows=pl.len())
    else:
        complete = complete.with_columns(rows=pl.lit(1))
    clipped = int((~complete["score"].is_between(*CLIP)).sum())
    if clipped:
        notes.append(
            f"{clipped} scores at the ends of the scale are moved to {CLIP[0]} or {CLIP[1]}. "
            "They fix an order, not a distance; harder or easier benchmarks would."
        )
    return complete.with_columns(pl.col("score").clip(*CLIP)).sort("model", "benchmark", "score"), tuple(
        notes
    )


def _rescaled(frame: pl.DataFrame, chance: Mapping[str, float]) -> tuple[pl.DataFrame, list[str]]:
    """Return scores above chance as a share of what lies above it."""
    import polars as pl

    present = set(frame["benchmark"].to_list())
    for name, level in chance.items():
        if not 0 <= level < 1:
            raise SettingError(
                f"stitch: chance[{name!r}]={level}, must lie in [0, 1). Did you mean {level / 100:g}?"
            )
    used = {name: level for name, level in chance.items() if name in present}
    if not used:
        return frame, []
    guess = pl.col("benchmark").replace_strict(used, default=0.0, return_dtype=pl.Float64)
    below = frame.filter(pl.col("score") < guess).height
    notes = [f"Scores of {len(used)} benchmarks are counted above chance."]
    if below:
        notes.append(f"{below} scores lie below chance and count as 0.")
    return frame.with_columns(((pl.col("score") - guess) / (1 - guess)).clip(0.0, 1.0)), notes

"""The rules by which rows of results are left out, each with a step that names what it dropped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import EvidenceError
from isoflop.evidence.prompt_scores.interface import capped
from isoflop.evidence.table import Step

if TYPE_CHECKING:
    import polars as pl

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def kept(frame: pl.DataFrame, keep: pl.Expr, rule: str, label: str) -> tuple[pl.DataFrame, Step | None]:
    """Return the rows that satisfy a rule, and the step that names the others."""
    flags = frame.select(keep.fill_null(False)).to_series()
    if flags.all():
        return frame, None
    gone, kept = frame.filter(~flags), frame.filter(flags)
    names = [f"row {record} ({name})" for record, name in gone.select("record", label).iter_rows()]
    return kept, Step(
        rule=rule, unit="rows", kept=kept.height, dropped=gone.height, rows=capped(names, gone.height)
    )


def once(rows: pl.DataFrame) -> tuple[pl.DataFrame, Step | None]:
    """Return each model's answer to a prompt once."""
    import polars as pl

    key = ["dataset", "instance_id", "model"]
    # Hashes of 64 bits name a row as well as the texts do and compare several times faster.
    hashes = rows.select(key).hash_rows()
    if hashes.n_unique() == rows.height:
        return rows, None
    first = rows.unique([*key, "score"], keep="first", maintain_order=True)
    if first.n_unique(key) < first.height:
        weight = pl.col("n_samples").fill_null(1.0)
        others = [name for name in first.columns if name not in (*key, "score", "n_samples", "correct")]
        first = first.group_by(key, maintain_order=True).agg(
            (pl.col("score") * weight).sum() / weight.sum(),
            weight.sum().alias("n_samples"),
            pl.when(pl.len() == 1).then(pl.col("correct").first()).alias("correct"),
            *(pl.col(name).first() for name in others),
        )
    names = [
        f"{model} on {dataset}/{instance}"
        for dataset, instance, model in rows.filter(rows.select(key).is_duplicated())
        .select(key)
        .unique(maintain_order=True)
        .iter_rows()
    ]
    dropped = rows.height - first.height
    return first, Step(
        rule="each answer once",
        unit="rows",
        kept=first.height,
        dropped=dropped,
        rows=capped(names, len(names)),
    )


def one_text(texts: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return each prompt once; refuse an identifier with two texts."""
    key = ["dataset", "instance_id"]
    if texts.select(key).hash_rows().n_unique() == texts.height:
        return texts
    first = texts.unique([*key, "prompt"], keep="first", maintain_order=True)
    twice = first.filter(first.select(key).is_duplicated())
    if twice.height:
        dataset, instance = twice.select(key).row(0)
        raise EvidenceError(
            f"{name}: {twice.n_unique(key)} prompts have several texts, e.g. {instance!r} of {dataset!r}, "
            "needs one text each. Give each text its own instance_id."
        )
    return first


def matched(
    rows: pl.DataFrame, texts: pl.DataFrame, scores_name: str, prompts_name: str
) -> tuple[pl.DataFrame, pl.DataFrame, tuple[Step | None, ...]]:
    """Return scores with the place of their prompt, and the prompts that have scores."""
    import polars as pl

    key = ["dataset", "instance_id"]
    answered = texts.join(rows.select(key).unique(), on=key, how="semi", maintain_order="left")
    answered = answered.with_row_index("place")
    joined = rows.join(answered.select("place", *key), on=key, how="left", maintain_order="left")
    kept = joined.filter(pl.col("place").is_not_null())
    if texts.height == 0:
        raise EvidenceError(f"{prompts_name}: no prompt has a text, needs one each. Fill in column prompt.")
    if kept.height == 0:
        raise EvidenceError(
            f"{scores_name}: no score has a prompt in {prompts_name}; scores name e.g. "
            f"{'/'.join(rows.select(key).row(0))}, prompts {'/'.join(texts.select(key).row(0))}. Both need "
            "the same dataset and instance_id."
        )
    return (
        kept,
        answered,
        (
            _unmatched(
                joined.filter(pl.col("place").is_null()), kept.height, "the prompt of a score is known"
            ),
            _unmatched(texts.join(rows, on=key, how="anti"), answered.height, "the prompt has a score"),
        ),
    )


def _unmatched(gone: pl.DataFrame, kept: int, rule: str) -> Step | None:
    if gone.height == 0:
        return None
    counts = gone.group_by("dataset").len().sort("len", "dataset", descending=[True, False])
    names = [f"{dataset}: {count} rows" for dataset, count in counts.iter_rows()]
    return Step(rule=rule, unit="rows", kept=kept, dropped=gone.height, rows=capped(names, len(names)))


def without(
    score: FloatArray,
    correct: FloatArray,
    home: IntArray,
    datasets: Sequence[str],
    models: Sequence[str],
    lacking: float,
) -> Step | None:
    """Blank the cells (dataset, model) of which too much is missing, in place."""
    present = np.isfinite(score)
    if present.all():
        return None
    sizes = np.bincount(home, minlength=len(datasets))
    counts = np.zeros((len(datasets), len(models)))
    np.add.at(counts, home, present)
    cells = (counts > 0) & (counts < (1 - lacking) * sizes[:, None])
    gone = present & cells[home]
    score[gone], correct[gone] = np.nan, np.nan
    names = [
        f"{models[m]} on {datasets[d]}: {counts[d, m]:.0f} of {sizes[d]} prompts"
        for d, m in np.argwhere(cells)
    ]
    return Step(
        rule=f"a model has scores on at least {100 * (1 - lacking):g} % of a dataset",
        unit="rows",
        kept=int(present.sum() - gone.sum()),
        dropped=int(gone.sum()),
        rows=capped(names, len(names)),
    )

"""Which prompts and models a number rests on: the tables joined into one score matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import EvidenceError
from isoflop.evidence.table import Step

if TYPE_CHECKING:
    from isoflop.evidence.table import Table
    from isoflop.findings import Provenance

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScoredPrompts:
    """n prompts of D datasets, scored by M models.

    Parameters
    ----------
    datasets, models : tuple of str
        Names, sorted; D and M of them.
    instance_ids, prompts : tuple of str
        Identifier and text of each prompt, in the order of the prompts table.
    dataset : array of int, shape (n,)
        Place in `datasets`.
    score : array, shape (n, M), in [0, 1]
        NaN where a model has no score on a prompt.
    correct : array, shape (n, M), 0 or 1
        The label that the binary classifiers learn; NaN where the score is.
    group : array of int, shape (n,)
        Prompts that are nearly the same share a number.
    extras : dict of str to array, shape (n, M)
        ``cost_usd``, ``tokens_in``, ``tokens_out``, ``latency_s``, ``log_likelihood``, ``n_samples``: those
        that the table has, NaN where missing.
    tables : tuple of Table
        What was read: scores first.
    steps : tuple of Step
        Rules applied here, after those of the tables.
    cautions : tuple of str
    """

    datasets: tuple[str, ...]
    models: tuple[str, ...]
    instance_ids: tuple[str, ...]
    prompts: tuple[str, ...]
    dataset: IntArray
    score: FloatArray
    correct: FloatArray
    group: IntArray
    extras: dict[str, FloatArray]
    tables: tuple[Table, ...]
    steps: tuple[Step, ...] = ()
    cautions: tuple[str, ...] = ()

    @property
    def n(self) -> int:
        """Number of prompts."""
        return len(self.prompts)

    @property
    def sizes(self) -> IntArray:
        """Prompts of each dataset, shape (D,)."""
        return np.bincount(self.dataset, minlength=len(self.datasets))

    @property
    def accuracy(self) -> FloatArray:
        """Mean score of each model on each dataset over the cells present, shape (D, M)."""
        present = np.isfinite(self.score)
        rows = np.zeros((len(self.datasets), len(self.models)))
        counts = np.zeros_like(rows)
        np.add.at(rows, self.dataset, np.where(present, self.score, 0.0))
        np.add.at(counts, self.dataset, present)
        return np.divide(rows, counts, out=np.full_like(rows, np.nan), where=counts > 0)

    def provenance(self) -> tuple[Provenance, ...]:
        """Return the evidence behind a number that rests on all prompts kept."""
        used = int(np.isfinite(self.score).sum())
        return tuple(
            table.provenance(used if table.schema == "model_scores_by_prompt" else self.n)
            for table in self.tables
        )

    def waterfall(self) -> list[dict[str, Any]]:
        """Return each rule with what it kept and dropped, the tables' own rules first."""
        steps = (*(step for table in self.tables for step in table.steps), *self.steps)
        return [{"rule": s.rule, "unit": s.unit, "kept": s.kept, "dropped": s.dropped} for s in steps]


def join(
    scores: Table,
    prompts: Table,
    *,
    source: str | None = None,
    datasets: Sequence[str] | None = None,
    models: Sequence[str] | None = None,
    threshold: float = 0.5,
) -> ScoredPrompts:
    """Join scores and prompts into one matrix.

    Parameters
    ----------
    scores, prompts : Table
        Evidence of schemas ``model_scores_by_prompt`` and ``prompts``.
    source : str, optional
        Collection to use; needed where the tables hold several.
    datasets, models : sequence of str, optional
        Which to keep; default all.
    threshold : float
        A score of at least this counts as correct (above it where a judge's reference model is scored).

    Returns
    -------
    ScoredPrompts

    Raises
    ------
    EvidenceError
        No row is left, or the tables hold several sources and none is named.
    """
    import polars as pl

    rows, texts = scores.frame, prompts.frame
    named = rows["source"].unique().drop_nulls().sort().to_list()
    if source is not None:
        rows, texts = rows.filter(pl.col("source") == source), texts.filter(pl.col("source") == source)
    elif len(named) > 1:
        raise EvidenceError(
            f"{scores.name}: {len(named)} sources ({', '.join(named)}), needs one. Name it: --source "
            f"{named[0]}"
        )
    if datasets is not None:
        rows, texts = (f.filter(pl.col("dataset").is_in(list(datasets))) for f in (rows, texts))
    if models is not None:
        rows = rows.filter(pl.col("model").is_in(list(models)))
    rows = rows.filter(pl.col("score").is_not_null()).unique(["dataset", "instance_id", "model"])
    if rows.height == 0 or texts.height == 0:
        raise EvidenceError(f"{scores.name}: no row is left, needs at least one. Check source and filters.")
    texts = texts.join(
        rows.select("dataset", "instance_id").unique(), on=["dataset", "instance_id"], how="semi"
    )
    texts = texts.with_row_index("place")
    rows = rows.join(texts.select("place", "dataset", "instance_id"), on=["dataset", "instance_id"])
    model_names = tuple(sorted(rows["model"].unique().to_list()))
    dataset_names = tuple(sorted(texts["dataset"].unique().to_list()))
    column = {name: at for at, name in enumerate(model_names)}
    at = rows["place"].to_numpy(), np.array([column[name] for name in rows["model"].to_list()])
    score = _matrix(rows["score"], at, (texts.height, len(model_names)))
    strict = rows["reference_is_model"].fill_null(False)
    derived = ((rows["score"] > threshold) & strict) | ((rows["score"] >= threshold) & ~strict)
    correct = _matrix(rows["correct"].fill_null(derived).cast(pl.Float64), at, score.shape)
    home = {name: at for at, name in enumerate(dataset_names)}
    folded = [" ".join(text.casefold().split()) for text in texts["prompt"].to_list()]
    groups: dict[str, int] = {}
    return ScoredPrompts(
        datasets=dataset_names,
        models=model_names,
        instance_ids=tuple(texts["instance_id"].to_list()),
        prompts=tuple(texts["prompt"].to_list()),
        dataset=np.array([home[name] for name in texts["dataset"].to_list()], dtype=np.int64),
        score=score,
        correct=correct,
        group=np.array([groups.setdefault(text, len(groups)) for text in folded], dtype=np.int64),
        extras={
            name: _matrix(rows[name], at, score.shape)
            for name in ("cost_usd", "tokens_in", "tokens_out", "latency_s", "log_likelihood", "n_samples")
            if rows[name].null_count() < rows.height
        },
        tables=(scores, prompts),
        cautions=(*scores.cautions, *prompts.cautions),
    )


def _matrix(cells: Any, at: tuple[Any, Any], shape: tuple[int, ...]) -> FloatArray:
    filled = np.full(shape, np.nan)
    filled[at] = cells.to_numpy()
    return filled

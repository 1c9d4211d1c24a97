"""Which prompts and models a number rests on: the tables cleaned and joined into one score matrix.

Rules in order, each counted: a score is given; a prompt has a text; an exact repetition counts once; scores
and prompts match; a model that lacks more than a twentieth of a dataset has no score there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import EvidenceError, closest
from isoflop.evidence.prompt_scores.groups import merged, same_text, similar
from isoflop.evidence.prompt_scores.interface import capped
from isoflop.evidence.table import Step
from isoflop.routing.cleaning import kept, matched, once, one_text, without
from isoflop.routing.data_checks import data_checks
from isoflop.routing.means import means_by_dataset
from isoflop.routing.model import THRESHOLD

if TYPE_CHECKING:
    import polars as pl

    from isoflop.evidence.table import Table
    from isoflop.findings import Provenance

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

EXTRAS = ("cost_usd", "tokens_in", "tokens_out", "latency_s", "log_likelihood", "n_samples")
LACKING = 0.05
"""A model that lacks a larger share of a dataset's prompts is compared on other prompts than its rivals."""
CLOSE = 0.98
"""Cosine above which two prompts count as the same."""


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
        return means_by_dataset(self.score, self.dataset, len(self.datasets))

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
    scores: Table | Any,
    prompts: Table | Any,
    *,
    source: str | None = None,
    datasets: Sequence[str] | None = None,
    models: Sequence[str] | None = None,
    threshold: float = THRESHOLD,
    lacking: float = LACKING,
) -> ScoredPrompts:
    """Clean scores and prompts and join them into one matrix.

    Parameters
    ----------
    scores, prompts : Table
        Evidence of schemas ``model_scores_by_prompt`` and ``prompts``.
    source : str, optional
        Collection to use; needed where the tables hold several.
    datasets, models : sequence of str, optional
        Which to keep; default all.
    threshold : float
        A score of at least this counts as correct (above it where a judge's reference model is scored),
        unless the table says what is correct.
    lacking : float
        A model without scores on a larger share of a dataset's prompts has none there.

    Returns
    -------
    ScoredPrompts

    Raises
    ------
    EvidenceError
        No row is left, two prompts share an identifier, or the tables hold several sources and none is named.

    Notes
    -----
    Of repeated rows with `n_samples` and different scores the mean by number of samples is taken; without it
    such rows were refused when the table was read.
    """
    import polars as pl

    from isoflop.evidence.load import accept

    scores, prompts = accept(scores, "model_scores_by_prompt"), accept(prompts, "prompts")
    rows, texts = _chosen(scores, prompts, source, datasets, models)
    rows, scored_step = kept(rows, pl.col("score").is_not_null(), "a score is given", "model")
    texts, texted_step = kept(
        texts, pl.col("prompt").str.strip_chars() != "", "the prompt has a text", "dataset"
    )
    rows, repeated_step = once(rows)
    texts = one_text(texts, prompts.name)
    rows, texts, matched_steps = matched(rows, texts, scores.name, prompts.name)
    model_names, column = _codes(rows["model"])
    dataset_names, home = _codes(texts["dataset"])
    at = rows["place"].to_numpy(), column
    shape = (texts.height, len(model_names))
    score = _matrix(rows["score"], at, shape)
    strict = rows["reference_is_model"].fill_null(False)
    derived = ((rows["score"] > threshold) & strict) | ((rows["score"] >= threshold) & ~strict)
    correct = _matrix(rows["correct"].fill_null(derived).cast(pl.Float64), at, shape)
    lacking_step = without(score, correct, home, dataset_names, model_names, lacking)
    prompt_texts = tuple(texts["prompt"].to_list())
    group = same_text(prompt_texts)
    if texts["group"].null_count() < texts.height:
        group = merged(group, _given(texts["group"]))
    steps = (scored_step, texted_step, repeated_step, *matched_steps, lacking_step)
    joined = ScoredPrompts(
        datasets=dataset_names,
        models=model_names,
        instance_ids=tuple(texts["instance_id"].to_list()),
        prompts=prompt_texts,
        dataset=home,
        score=score,
        correct=correct,
        group=group,
        extras={
            name: _matrix(rows[name], at, shape) for name in EXTRAS if rows[name].null_count() < rows.height
        },
        tables=(scores, prompts),
        steps=tuple(step for step in steps if step is not None and step.dropped),
    )
    joined = _alive(joined) if lacking_step is not None else joined
    doubts = tuple(check.caution for check in data_checks(joined) if check.caution)
    return replace(joined, cautions=(*scores.cautions, *prompts.cautions, *doubts))


def near_duplicates(
    scored: ScoredPrompts, vectors: NDArray[np.float32], *, cosine: float = CLOSE
) -> ScoredPrompts:
    """Return the prompts with groups that also hold prompts whose vectors nearly agree.

    Parameters
    ----------
    scored : ScoredPrompts
    vectors : array, shape (n, width)
        Unit rows, in the order of the prompts.
    cosine : float
        Least cosine of two prompts of one group, in (0, 1].

    Raises
    ------
    EvidenceError
        The vectors are not as many as the prompts.
    """
    if vectors.shape[0] != scored.n:
        raise EvidenceError(
            f"near_duplicates: vectors {vectors.shape} but {scored.n} prompts, needs one row a prompt. "
            "Encode the same prompts."
        )
    return replace(scored, group=merged(scored.group, similar(vectors, cosine)))


def _chosen(
    scores: Table,
    prompts: Table,
    source: str | None,
    datasets: Sequence[str] | None,
    models: Sequence[str] | None,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows of one source, of the datasets and models asked for."""
    import polars as pl

    rows, texts = scores.frame, prompts.frame
    present = rows["source"].unique().drop_nulls().sort().to_list()
    if source is not None:
        if source not in present:
            near = closest(source, present)
            raise EvidenceError(
                f"{scores.name}: no source {source!r}, needs one of {', '.join(present) or 'none'}."
                + (f" Did you mean {near}?" if near else " Check --source.")
            )
        mine = (pl.col("source") == source) | pl.col("source").is_null()
        rows, texts = rows.filter(mine), texts.filter(mine)
    elif len(present) > 1:
        raise EvidenceError(
            f"{scores.name}: {len(present)} sources ({', '.join(present)}), needs one. Name it: --source "
            f"{present[0]}"
        )
    if datasets is not None:
        rows, texts = (f.filter(pl.col("dataset").is_in(list(datasets))) for f in (rows, texts))
    if models is not None:
        rows = rows.filter(pl.col("model").is_in(list(models)))
    if rows.height == 0 or texts.height == 0:
        what = "scores" if rows.height == 0 else "prompts"
        raise EvidenceError(
            f"{scores.name}: no {what} left, needs at least one. Check source, datasets and models."
        )
    return rows, texts


def _alive(joined: ScoredPrompts) -> ScoredPrompts:
    """Return the models that still have a score somewhere, and the prompts that some model still has."""
    present = np.isfinite(joined.score)
    models, rows = np.flatnonzero(present.any(axis=0)), np.flatnonzero(present.any(axis=1))
    if models.size == len(joined.models) and rows.size == joined.n:
        return joined
    if not models.size:
        raise EvidenceError(
            f"{joined.tables[0].name}: no model has scores on 95 % of any dataset's prompts, needs at least "
            "one. Run every model on the same prompts, or pass a larger lacking."
        )
    datasets, home = np.unique(joined.dataset[rows], return_inverse=True)
    gone = [name for m, name in enumerate(joined.models) if m not in models]
    gone += [name for d, name in enumerate(joined.datasets) if d not in datasets]
    step = Step(
        rule="a model or prompt still has a score",
        unit="rows",
        kept=int(rows.size),
        dropped=joined.n - int(rows.size),
        rows=capped(gone, len(gone)),
    )
    cells = np.ix_(rows, models)
    return replace(
        joined,
        datasets=tuple(joined.datasets[d] for d in datasets),
        models=tuple(joined.models[m] for m in models),
        instance_ids=tuple(joined.instance_ids[row] for row in rows),
        prompts=tuple(joined.prompts[row] for row in rows),
        dataset=home.astype(np.int64).reshape(-1),
        score=joined.score[cells],
        correct=joined.correct[cells],
        group=joined.group[rows],
        extras={name: values[cells] for name, values in joined.extras.items()},
        steps=(*joined.steps, step),
    )


def _codes(names: pl.Series) -> tuple[tuple[str, ...], IntArray]:
    """Return the sorted names and each row's place among them."""
    import polars as pl

    distinct = names.unique().sort()
    codes = names.cast(pl.Enum(distinct)).to_physical().to_numpy().astype(np.int64)
    return tuple(distinct.to_list()), codes


def _given(groups: pl.Series) -> IntArray:
    """Return the groups of the table as numbers; a prompt without one is alone."""
    known: dict[str, int] = {}
    alone = -1
    numbers = []
    for name in groups.to_list():
        numbers.append(alone if name is None else known.setdefault(name, len(known)))
        alone -= name is None
    return np.array(numbers, dtype=np.int64)


def _matrix(cells: pl.Series, at: tuple[Any, Any], shape: tuple[int, ...]) -> FloatArray:
    filled = np.full(shape, np.nan)
    filled[at] = cells.to_numpy()
    return filled

"""Which model for one new task, given by some of its prompts: the ranking with its reasons.

The task's prompts are compared with the scored ones; no label is needed. Labels, where there are some,
enter as a Beta posterior on top.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import EvidenceError
from isoflop.findings import Estimate, Finding, Provenance, json_ready
from isoflop.present import formats
from isoflop.present.notebook import result_html
from isoflop.routing.model import SHARED_NEIGHBOURS, Paper
from isoflop.routing.selection.few_labels import Posterior, next_prompts, posterior
from isoflop.routing.selection.shrunken import Prediction, Shrunken, ShrunkenFit, fit_shrunken
from isoflop.routing.task_scores import Task

if TYPE_CHECKING:
    import polars as pl

    from isoflop.routing.encoders import Encoder
    from isoflop.routing.sample import ScoredPrompts

FloatArray = NDArray[np.float64]
FEW_PROMPTS = 30
"""A task given by fewer prompts is placed roughly among the others."""
FEW_TASKS = 8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TaskRanking:
    """The models for one task, and why in this order.

    Parameters
    ----------
    scored : ScoredPrompts
        What the ranking rests on.
    prompts : tuple of str
        The task's prompts.
    task : Task
        What they say, given the scored ones.
    fit : ShrunkenFit
    prediction : Prediction
        Without labels.
    posterior : Posterior
        With them; without any, its mean is the prediction.
    labelled : int
        Prompts with a label.
    votes : array, shape (n, M)
        Mean score of the 50 nearest scored prompts of each of the task's prompts.
    seed : int
    """

    scored: ScoredPrompts
    prompts: tuple[str, ...]
    task: Task
    fit: ShrunkenFit
    prediction: Prediction
    posterior: Posterior
    labelled: int
    votes: FloatArray
    seed: int
    said: tuple[str, ...] = ()

    @property
    def choice(self) -> str:
        """The model to use."""
        return self.scored.models[self.posterior.choice if self.labelled else self.prediction.choice]

    @property
    def best_on_average(self) -> str:
        """The model with the largest mean over the scored datasets."""
        return self.scored.models[self.prediction.base]

    @property
    def reason(self) -> str:
        """Why this model, in a sentence."""
        said, datasets = self.prediction, len(self.scored.datasets)
        if self.labelled:
            chance = float(self.posterior.p_best[self.posterior.choice])
            return (
                f"After {self.labelled} labels {self.choice} is the best with a chance of {chance:.0%}; the "
                f"prediction counted for {self.posterior.n0:.1f} prompts."
            )
        if said.abstained:
            best = self.scored.models[int(np.nanargmax(said.accuracy))]
            bound = "no bound" if said.sure_gain is None else f"{said.sure_gain:+.3f} at {said.sure:.0%}"
            return (
                f"{best} is expected to gain {said.gain:+.3f} on {self.choice}, but by what such gains "
                f"were and missed on {datasets} datasets left out the lower bound is {bound}: best on "
                "average stays."
            )
        if said.reason == "best_on_average":
            return f"The neighbours give no reason to leave {self.choice}, the best on average."
        return (
            f"The neighbours favour {self.choice} over {self.best_on_average}, the best on average: "
            f"{said.gain:+.3f} expected."
        )

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the ranking."""
        return self.scored.provenance()

    @property
    def cautions(self) -> tuple[str, ...]:
        """Doubts that limit the ranking."""
        found = [*self.scored.cautions, *self.said]
        if len(self.prompts) < FEW_PROMPTS:
            found.append(
                f"{len(self.prompts)} prompts place the task among the benchmarks only roughly. Give "
                f"{FEW_PROMPTS}."
            )
        if self.prediction.far:
            found.append(
                f"The task is further from the scored prompts ({self.task.u:.2f}) than any dataset is "
                f"from the others ({self.fit.training.u.max():.2f}): nothing was measured near it. Label "
                "some prompts."
            )
        if self.prediction.gain_low is None:
            found.append(
                f"{len(self.scored.datasets)} datasets give no interval of the gain at "
                f"{self.prediction.level:.0%}. Add benchmarks."
            )
        return tuple(dict.fromkeys(found))

    def rows(self) -> list[dict[str, Any]]:
        """Return one row a model, in order."""
        said, after = self.prediction, self.posterior
        value = after.mean if self.labelled else said.accuracy
        chosen = self.scored.models.index(self.choice)
        order = sorted(range(value.size), key=lambda m: (m != chosen, -value[m]))
        return [
            {
                "model": self.scored.models[m],
                "expected": float(value[m]),
                "low": float(after.low[m]),
                "high": float(after.high[m]),
                "gain": float(said.accuracy[m] - said.accuracy[said.base]),
                "p_best": float(after.p_best[m]),
                "regret": float(after.regret[m]),
                "prior": float(said.prior[m]),
                "mixture": float(said.mixture[m]),
                "s1": float(self.task.s1[m]),
                "s2": float(self.task.s2[m]),
                "s3": float(said.s3[m]),
                "labels": float(after.n[m]),
            }
            for m in order
        ]

    def share_rows(self) -> list[dict[str, Any]]:
        """Return the datasets among the neighbours, largest share first."""
        order = np.argsort(-self.task.share, kind="stable")
        return [
            {"dataset": self.scored.datasets[d], "share": float(self.task.share[d])}
            for d in order
            if self.task.share[d] > 0
        ]

    def to_label(self, budget: int) -> list[dict[str, Any]]:
        """Return the prompts whose labels would tell the two leading models apart best."""
        rows = next_prompts(self.posterior, self.votes, budget)
        first, second = np.argsort(-self.posterior.mean, kind="stable")[:2]
        return [
            {
                "prompt": int(row),
                "text": " ".join(self.prompts[row].split())[:160],
                "first": float(self.votes[row, first]),
                "second": float(self.votes[row, second]),
            }
            for row in rows
        ]

    def findings(self) -> tuple[Finding, ...]:
        """Return the gain expected of the choice over the best on average."""
        said = self.prediction
        moved = self.choice != self.best_on_average
        return (
            Finding(
                id="routing.expected_gain",
                instrument="routing",
                label=f"expected gain of {self.choice} over {self.best_on_average} on this task",
                estimate=Estimate(
                    value=said.gain if moved and not self.labelled else self._labelled_gain(),
                    low=said.gain_low if moved and not self.labelled else None,
                    high=said.gain_high if moved and not self.labelled else None,
                    level=said.level if moved and not self.labelled and said.gain_low is not None else None,
                    unit="1",
                ),
                method="equal weights of prior, neighbours' datasets and S3; conformal interval over datasets"
                if not self.labelled
                else f"Beta posterior on {self.labelled} labels",
                n=len(self.scored.datasets),
                evidence=self.provenance,
                seed=self.seed,
                cautions=self.cautions,
                details={
                    "choice": self.choice,
                    "best_on_average": self.best_on_average,
                    "reason": self.reason,
                },
            ),
        )

    def _labelled_gain(self) -> float:
        chosen = self.scored.models.index(self.choice)
        return float(self.posterior.mean[chosen] - self.posterior.mean[self.prediction.base])

    def frame(self) -> pl.DataFrame:
        """Return the rows as a frame."""
        import polars as pl

        return pl.DataFrame(self.rows(), infer_schema_length=None)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping."""
        return {"choice": self.choice, "reason": self.reason, "models": json_ready(self.rows())}

    def summary(self) -> str:
        """Return the choice and the reason."""
        top = self.share_rows()[:3]
        near = ", ".join(f"{row['dataset']} {formats.percent(row['share'])}" for row in top)
        return f"Use {self.choice}. {self.reason}\nNearest benchmarks: {near}; distance {self.task.u:.2f}."

    def __repr__(self) -> str:
        return f"TaskRanking: {self.summary()}"

    _repr_html_ = result_html


def rank(
    scored: ScoredPrompts,
    prompts: Sequence[str],
    *,
    labels: Mapping[tuple[int, str], float] | None = None,
    encoder: str | Encoder = "static",
    vectors: NDArray[np.floating[Any]] | None = None,
    selector: Shrunken | None = None,
    settings: Paper | None = None,
    seed: int = 0,
) -> TaskRanking:
    """Rank the models for one new task, given by some of its prompts.

    Parameters
    ----------
    scored : ScoredPrompts
        Results on other tasks.
    prompts : sequence of str
        Inputs of the new task; thirty or more place it well.
    labels : mapping of (int, str) to float, optional
        Place of a prompt and model to its score in [0, 1].
    encoder : str or Encoder
    vectors : array, shape (n, width), optional
        Vectors of the scored prompts, if they are made already.
    selector : Shrunken, optional
    settings : Paper, optional
        How votes are made.
    seed : int
        Draws of the posterior.

    Returns
    -------
    TaskRanking

    Raises
    ------
    EvidenceError
        No prompt, fewer than three datasets, or a label of an unknown prompt or model.
    """
    from isoflop.routing.encoders import encode, encoder_of
    from isoflop.routing.neighbours.search import nearest
    from isoflop.routing.neighbours.tasks import score_tasks

    texts = tuple(prompts)
    if not texts:
        raise EvidenceError("rank: no prompt of the task, needs at least one. Give texts.")
    paper = settings or Paper()
    tool = encoder_of(encoder)
    pool = encode(scored.prompts, tool, vectors=vectors)
    made = encode(texts, tool)
    fit = fit_shrunken(score_tasks(scored, pool.vectors, paper).training(None), selector)
    depth = max(SHARED_NEIGHBOURS, paper.predictor.k, paper.kappa)
    index, similarity = nearest(made.vectors, pool.vectors, min(depth, scored.n))
    task, votes = _task(scored, index, similarity, paper)
    prediction = fit.predict(task)
    scores = _labels(labels or {}, texts, scored.models)
    return TaskRanking(
        scored=scored,
        prompts=texts,
        task=task,
        fit=fit,
        prediction=prediction,
        posterior=posterior(np.clip(prediction.accuracy, 0, 1), scores, n0=fit.n0, seed=seed),
        labelled=int(np.isfinite(scores).any(axis=1).sum()),
        votes=votes,
        seed=seed,
        said=tuple(dict.fromkeys((*pool.cautions, *made.cautions))),
    )


def _task(
    scored: ScoredPrompts, index: NDArray[np.int64], similarity: NDArray[np.float32], paper: Paper
) -> tuple[Task, FloatArray]:
    """Return the task as the scored prompts see it, and each prompt's local mean scores."""
    knn = paper.predictor
    labels = scored.correct if knn.labels == "threshold" else scored.score
    vote = _mean(labels[index[:, : knn.k]])
    local = _mean(scored.score[index[:, :SHARED_NEIGHBOURS]])
    shares = np.bincount(scored.dataset[index[:, :SHARED_NEIGHBOURS]].ravel(), minlength=len(scored.datasets))
    task = Task(
        s1=np.nanmean(vote, axis=0),
        s2=(vote > knn.threshold).mean(axis=0),
        local=np.nanmean(local, axis=0),
        u=float((1.0 - similarity[:, : paper.kappa]).mean()),
        share=shares / shares.sum(),
        n=len(index),
    )
    return task, local


def _mean(cells: FloatArray) -> FloatArray:
    """Return means over the neighbours, the second axis, of the cells present; a half where there is none."""
    known = np.isfinite(cells)
    count = known.sum(axis=1)
    total = np.where(known, cells, 0.0).sum(axis=1)
    return np.asarray(np.divide(total, count, out=np.full(total.shape, 0.5), where=count > 0))


def _labels(
    labels: Mapping[tuple[int, str], float], texts: tuple[str, ...], models: tuple[str, ...]
) -> FloatArray:
    """Return the labels as a matrix of labelled prompts; NaN where a model was not scored."""
    rows = sorted({row for row, _ in labels})
    for row, model in labels:
        if not 0 <= row < len(texts) or model not in models:
            what = f"prompt {row}" if model in models else f"model {model!r}"
            raise EvidenceError(
                f"rank: label of {what}, needs one of {len(texts)} prompts and of {', '.join(models[:12])}. "
                "Correct the labels."
            )
    place = {row: at for at, row in enumerate(rows)}
    cells = np.full((len(rows), len(models)), np.nan)
    for (row, model), score in labels.items():
        cells[place[row], models.index(model)] = score
    return cells

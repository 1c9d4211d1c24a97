"""What an evaluation found: each method beside best on average, with what limits the numbers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoflop.findings import Finding, Provenance, json_ready
from isoflop.present import formats
from isoflop.present.notebook import result_html
from isoflop.routing.evaluation.agreement import guessed_accuracy
from isoflop.routing.evaluation.comparison import Comparison, compare, correlations, mean_ranks
from isoflop.routing.evaluation.methods import METHODS

if TYPE_CHECKING:
    import polars as pl

    from isoflop.routing.evaluation.classifiers import Classifiers
    from isoflop.routing.evaluation.folds import Outcomes
    from isoflop.routing.model import Compat, Paper, Split
    from isoflop.routing.sample import ScoredPrompts
    from isoflop.routing.task_scores import TaskScores

FloatArray = NDArray[np.float64]

BASE = "best_on_average"
LEADS = ("selector", "s3", "neighbour_mix", "s2", "s1")
GAP = 1e-9
SEEN = {
    "lodo": "that it has not seen",
    "random": "of which it has seen other prompts",
    "origin": "of which it has seen the training prompts",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class RoutingEvaluation:
    """Methods compared on datasets left out one at a time.

    Parameters
    ----------
    scored : ScoredPrompts
    scores : TaskScores
        What was known of each task, pool by pool.
    outcomes : Outcomes
        What each method scored, chose and reached.
    classifiers : Classifiers
        The predictors of correctness, one a model.
    settings : Paper
    encoder : str
        What made the vectors.
    compat : str or None
    split : str
    leaked : array of int, shape (D,)
        Prompts of other datasets that left the pool as copies of the task's.
    params : array, shape (M,), or None
        Parameters of each model; NaN where unknown.
    label_curve : tuple of dict
        Rows of the few-label curve, where asked for.
    reps, level, seed
        Of the bootstrap over tasks.
    said : tuple of str
        Cautions of the encoder.
    """

    scored: ScoredPrompts
    scores: TaskScores
    outcomes: Outcomes
    classifiers: Classifiers
    settings: Paper
    encoder: str
    compat: Compat | None
    split: Split
    leaked: NDArray[np.int64]
    params: FloatArray | None
    label_curve: tuple[dict[str, Any], ...]
    reps: int
    level: float
    seed: int
    said: tuple[str, ...]

    @property
    def methods(self) -> tuple[str, ...]:
        """Methods in the order of the table."""
        return self.outcomes.methods

    @property
    def base(self) -> int:
        """Row of best on average."""
        return self.methods.index(BASE)

    @property
    def lead(self) -> str:
        """The method spoken of first: the default selector, else the paper's, else best on average."""
        return next(name for name in (*LEADS, BASE) if name in self.methods)

    @cached_property
    def macro(self) -> Comparison:
        """Comparison in which every dataset counts the same."""
        return self._compared(None)

    @cached_property
    def micro(self) -> Comparison:
        """Comparison in which every prompt counts the same."""
        return self._compared(self.scored.sizes.astype(np.float64))

    def _compared(self, weights: FloatArray | None) -> Comparison:
        return compare(
            self.outcomes.reached,
            self.base,
            reps=self.reps,
            level=self.level,
            seed=self.seed,
            weights=weights,
        )

    def reached(self, method: str) -> FloatArray:
        """Return what a method reaches on each dataset, shape (D,)."""
        return np.asarray(self.outcomes.reached[self.methods.index(method)])

    @property
    def best(self) -> FloatArray:
        """Score of the best model of each dataset, shape (D,)."""
        return np.asarray(np.nanmax(self.scores.accuracy, axis=1))

    @property
    def p(self) -> FloatArray:
        """Measured accuracy of the predictors on each dataset, pool without it; shape (D, M)."""
        return np.asarray(np.diagonal(self.scores.p).T)

    @property
    def u(self) -> FloatArray:
        """Distance of each dataset to the pool of all others, shape (D,)."""
        return np.asarray(np.diagonal(self.scores.u))

    @property
    def p_hat_error(self) -> FloatArray:
        """Mean absolute error over models of the guessed accuracy, shape (D,)."""
        return self._error(self.outcomes.p_hat)

    @property
    def agreement_error(self) -> FloatArray:
        """The same of the accuracy guessed from rates, shape (D,); NaN unless datasets are left out."""
        blank = np.full_like(self.outcomes.p_hat, np.nan)
        if self.split != "lodo":
            return self._error(blank)
        tasks = range(len(self.scored.datasets))
        return self._error(
            np.stack([guessed_accuracy(self.scores.training(d), self.scores.task(d)) for d in tasks])
        )

    def _error(self, p_hat: FloatArray) -> FloatArray:
        known = np.isfinite(p_hat) & np.isfinite(self.p)
        error = np.where(known, np.abs(p_hat - self.p), 0.0)
        with np.errstate(invalid="ignore"):
            return np.asarray(error.sum(axis=1) / known.sum(axis=1))

    @property
    def far(self) -> tuple[str, ...]:
        """Datasets further from their pool than any training dataset was from its own."""
        if self.split != "lodo":
            return ()
        tasks = range(len(self.scored.datasets))
        return tuple(
            self.scored.datasets[d]
            for d in tasks
            if self.u[d] > max(self.scores.u[e, d] for e in tasks if e != d)
        )

    @property
    def has_signal(self) -> bool | None:
        """Whether left-out tasks support any weight on the neighbours; None without the selector."""
        if not self.outcomes.selections:
            return None
        return any(one.w > 0 for one in self.outcomes.selections)

    @property
    def abstained(self) -> int:
        """Tasks on which the selector fell back to best on average."""
        return sum(bool(one.abstained) for one in self.outcomes.selections)

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the result."""
        return self.scored.provenance()

    @cached_property
    def cautions(self) -> tuple[str, ...]:
        """Doubts that limit the numbers, each with what would cure it."""
        from isoflop.routing.evaluation.doubts import doubts_of

        return doubts_of(self)

    def rows(self) -> list[dict[str, Any]]:
        """Return one row a method: scores, gain over best on average with its interval, choices."""
        macro, micro = self.macro, self.micro
        ranked = [k for k, name in enumerate(self.methods) if METHODS[name].kind != "bound"]
        rank = dict(zip(ranked, mean_ranks(self.outcomes.reached[ranked]), strict=True))
        return [
            {
                "method": name,
                "label": METHODS[name].label,
                "kind": METHODS[name].kind,
                "score": macro.means[k].value,
                "low": macro.means[k].low,
                "high": macro.means[k].high,
                "gain": macro.gains[k].value if k != self.base else None,
                "gain_low": macro.gains[k].low if k != self.base else None,
                "gain_high": macro.gains[k].high if k != self.base else None,
                "p_better": float(macro.p_better[k]) if k != self.base else None,
                "wins": int(macro.wins[k]),
                "ties": int(macro.ties[k]),
                "losses": int(macro.losses[k]),
                "micro_score": micro.means[k].value,
                "micro_gain": micro.gains[k].value if k != self.base else None,
                "mean_rank": float(rank[k]) if k in rank else None,
                **self._choices(k),
            }
            for k, name in enumerate(self.methods)
        ]

    def _choices(self, k: int) -> dict[str, Any]:
        reached, choice = self.outcomes.reached[k], self.outcomes.choice[k]
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = np.where(self.best > GAP, reached / self.best, 1.0)
        row: dict[str, Any] = {
            "ratio_to_best": float(np.mean(ratio)),
            "regret": float(np.mean(self.best - reached)),
            "pearson": None,
            "spearman": None,
            "same_as_best_on_average": None,
            "mean_params": None,
        }
        if choice[0] < 0:
            return row
        pearson, spearman = correlations(self.outcomes.score[k], self.scores.accuracy)
        row["pearson"], row["spearman"] = _known(pearson), _known(spearman)
        row["same_as_best_on_average"] = float(np.mean(choice == self.outcomes.choice[self.base]))
        if self.params is not None and np.isfinite(self.params[choice]).all():
            row["mean_params"] = float(self.params[choice].mean())
        return row

    def dataset_rows(self) -> list[dict[str, Any]]:
        """Return one row a dataset: what it is like, and what each method chose and reached."""
        names = self.scored.models
        rows = []
        for d, dataset in enumerate(self.scored.datasets):
            row: dict[str, Any] = {
                "dataset": dataset,
                "prompts": int(self.scored.sizes[d]),
                "u": float(self.u[d]),
                "leaked": int(self.leaked[d]),
                "sigma": _known(self.outcomes.sigma[d]),
                "p_hat_error": _known(self.p_hat_error[d]),
                "best": names[int(np.nanargmax(self.scores.accuracy[d]))],
            }
            if self.outcomes.selections:
                row["w"] = float(self.outcomes.selections[d].w)
                row["abstained"] = bool(self.outcomes.selections[d].abstained)
            for k, method in enumerate(self.methods):
                choice = int(self.outcomes.choice[k, d])
                row[f"{method}_score"] = float(self.outcomes.reached[k, d])
                if choice >= 0:
                    row[f"{method}_choice"] = names[choice]
            rows.append(row)
        return rows

    def model_rows(self) -> list[dict[str, Any]]:
        """Return one row a method and model: how often it was chosen."""
        return [
            {
                "method": method,
                "model": model,
                "picks": int(np.sum(self.outcomes.choice[k] == m)),
                "share": float(np.mean(self.outcomes.choice[k] == m)),
            }
            for k, method in enumerate(self.methods)
            for m, model in enumerate(self.scored.models)
            if self.outcomes.choice[k, 0] >= 0 and np.any(self.outcomes.choice[k] == m)
        ]

    def findings(self) -> tuple[Finding, ...]:
        """Return the score of each method and its gain over best on average."""
        from isoflop.routing.evaluation.findings import findings_of

        return findings_of(self)

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Return every table of the result by name."""
        found = {
            "methods": self.rows(),
            "datasets": self.dataset_rows(),
            "picks": self.model_rows(),
            "classifiers": self.classifiers.rows(),
            "calibration": self.classifiers.calibration_rows(),
        }
        if self.label_curve:
            found["label_curve"] = list(self.label_curve)
        return found

    def frame(self) -> pl.DataFrame:
        """Return the rows of the methods as a frame."""
        import polars as pl

        return pl.DataFrame(self.rows(), infer_schema_length=None)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping."""
        return {
            "findings": [f.to_dict() for f in self.findings()],
            **{name: json_ready(rows) for name, rows in self.tables().items()},
            "cautions": list(self.cautions),
        }

    def summary(self) -> str:
        """Return the answer in a few lines."""
        lead = self.lead
        k = self.methods.index(lead)
        gain = self.macro.gains[k]
        if k == self.base:
            return f"Best on average: {formats.estimate(self.macro.means[k])}."
        lines = [
            f"{METHODS[lead].label}: {formats.estimate(self.macro.means[k])} on {len(self.scored.datasets)} "
            f"datasets {SEEN[self.split]}; best on average "
            f"{formats.number(float(self.macro.means[self.base].value or 0))}.",
            f"Gain over best on average: {formats.estimate(gain)}; {noise_sentence(gain)}",
        ]
        lines.append(regime_sentence(self))
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"RoutingEvaluation: {self.summary()}"

    _repr_html_ = result_html


def noise_sentence(gain: Any) -> str:
    """Return whether an interval of a paired difference tells the methods apart."""
    if gain.low is not None and gain.low > 0:
        return "the interval over tasks excludes no gain."
    if gain.high is not None and gain.high < 0:
        return "the interval over tasks excludes no loss."
    return "the interval over tasks includes no difference, so these tasks do not tell the two apart."


def regime_sentence(found: RoutingEvaluation) -> str:
    """Return whether tasks lie near the pool, and whether there is a signal to route by."""
    if found.split != "lodo":
        return "Prompts of the same datasets are in the pool: this says nothing about tasks of another kind."
    far = found.far
    place = (
        "No dataset lies further from its pool than the others do"
        if not far
        else f"Further from their pool than any other dataset: {len(far)} of {len(found.u)} "
        f"({', '.join(far[:4])}{' and more' if len(far) > 4 else ''})"
    )
    if found.has_signal is None:
        return f"{place}."
    signal = (
        ""
        if found.has_signal
        else " No routing signal found: left-out tasks support no weight on neighbours."
    )
    k = found.methods.index("selector")
    other = int(np.sum(found.outcomes.choice[k] != found.outcomes.choice[found.base]))
    return (
        f"{place}.{signal} The selector leaves best on average on {other} of {len(found.u)} datasets and "
        f"abstains on {found.abstained}."
    )


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None

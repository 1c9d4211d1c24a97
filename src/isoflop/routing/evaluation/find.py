"""Evaluate ways of choosing a model: every dataset in turn is a new task without labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import EvidenceError, SettingError, closest
from isoflop.routing.evaluation.classifiers import judge_classifiers
from isoflop.routing.evaluation.comparison import REPS
from isoflop.routing.evaluation.folds import Given, run_folds
from isoflop.routing.evaluation.linear import linear_scores
from isoflop.routing.evaluation.methods import METHODS
from isoflop.routing.evaluation.predictors import Classifier, fits_needed, with_classifier
from isoflop.routing.evaluation.result import RoutingEvaluation
from isoflop.routing.evaluation.within import BOUNDS, WITHIN, Within, origin_folds, random_folds, run_within
from isoflop.routing.means import means_by_dataset
from isoflop.routing.model import Compat, Paper, Split
from isoflop.routing.neighbours.lists import hidden_rows
from isoflop.routing.neighbours.search import unit_rows
from isoflop.routing.neighbours.tasks import lists_of, scores_from, votes_of
from isoflop.stats.checks import unit_level, whole_number

if TYPE_CHECKING:
    from isoflop.routing.encoders import Encoder
    from isoflop.routing.sample import ScoredPrompts
    from isoflop.routing.selection.shrunken import Shrunken

FloatArray = NDArray[np.float64]

LEAST_NESTED = 5
"""Datasets that S3 needs: widths are compared on training tasks, each with others beside it."""


def evaluate(
    scored: ScoredPrompts,
    *,
    encoder: str | Encoder | NDArray[np.float32] = "static",
    split: Split = "lodo",
    methods: Sequence[str] | None = None,
    settings: Paper | None = None,
    predictor: Classifier | None = None,
    selector: Shrunken | None = None,
    compat: Compat | None = None,
    labels: Sequence[int] = (),
    params: Mapping[str, float] | None = None,
    reps: int = REPS,
    level: float = 0.95,
    seed: int = 0,
) -> RoutingEvaluation:
    """Measure what each way of choosing a model reaches on datasets that it has not seen.

    Every number about a training dataset comes from a pool without that dataset and without the new one, so
    nothing that a method uses has seen a label of the new task.

    Parameters
    ----------
    scored : ScoredPrompts
        At least five datasets and two models.
    encoder : str, Encoder or array, shape (n, width)
        What makes the vectors, or the vectors themselves.
    split : {"lodo", "random", "origin"}
        Leave one dataset out at a time; or judge prompts whose dataset is in the pool: dealt at random into
        five folds, or as the table's `split` says.
    methods : sequence of str, optional
        Keys of `METHODS`; default all that the evidence supports. Best on average is always among them.
    settings : Paper, optional
        How task scores are made.
    predictor : Classifier, optional
        A classifier of scikit-learn with `predict_proba` in place of neighbours' votes: D (D + 1)/2 fits a
        model, where votes need one search.
    selector : Shrunken, optional
        Settings of the default selector.
    compat : {"paper", "golden"}, optional
        The paper's choices: copies of the task's prompts stay in the pool, and the selector never abstains.
        "golden" repeats the stored numbers: long prompts are encoded whole, and sigma has seen accuracies
        whose pools held the new task.
    labels : sequence of int
        Numbers of labelled prompts of the new task for which the few-label curve is drawn.
    params : mapping of str to float, optional
        Parameters of each model, for the mean size of the picks.
    reps, level, seed
        Of the bootstrap over tasks.

    Returns
    -------
    RoutingEvaluation

    Raises
    ------
    EvidenceError
        Too few datasets or models, vectors that do not fit, or a model without scores on a dataset where a
        method needs every model.
    SettingError
        An unknown method, or a level or number of resamples out of range.
    """
    if split not in ("lodo", "random", "origin"):
        raise SettingError(f"evaluate: split={split!r}, must be 'lodo', 'random' or 'origin'.")
    unit_level("evaluate", level)
    whole_number("evaluate", "reps", reps, least=1)
    names = _methods(methods, scored, split)
    settings = _settings(settings, compat)
    _refuse(scored, names, split)
    vectors, encoder_name, said = _vectors(scored, encoder, compat == "golden")
    if split == "lodo":
        found = _left_out(
            scored,
            unit_rows(vectors, scored.n),
            names,
            settings,
            predictor=predictor,
            selector=selector,
            compat=compat,
        )
        if predictor is not None:
            said = (*said, _cost_of(predictor, scored))
    else:
        if predictor is not None:
            raise SettingError(
                f"evaluate: predictor with split={split!r}, needs new datasets. Use split='lodo'."
            )
        if labels:
            raise SettingError(
                f"evaluate: labels with split={split!r}, needs new datasets. Use split='lodo'."
            )
        fold = origin_folds(scored) if split == "origin" else random_folds(scored, seed)
        found = run_within(scored, unit_rows(vectors, scored.n), fold, names, settings)
    return RoutingEvaluation(
        scored=scored,
        scores=found.scores,
        outcomes=found.outcomes,
        classifiers=judge_classifiers(found.votes, scored.correct, scored.models, settings.predictor.k),
        settings=settings,
        encoder=encoder_name,
        compat=compat,
        split=split,
        leaked=_leaked(scored),
        params=None if params is None else np.array([params.get(m, np.nan) for m in scored.models]),
        label_curve=_label_curve(scored, found.scores, labels, seed),
        reps=reps,
        level=level,
        seed=seed,
        said=said,
    )


def _left_out(
    scored: ScoredPrompts,
    vectors: NDArray[np.float32],
    names: Sequence[str],
    settings: Paper,
    *,
    predictor: Classifier | None,
    selector: Shrunken | None,
    compat: Compat | None,
) -> Within:
    """Return scores, outcomes and votes when every dataset in turn is new."""
    lists = lists_of(scored, vectors, settings)
    scores, votes = scores_from(lists, scored, settings), votes_of(lists, scored, settings)
    if predictor is not None:
        scores, votes = with_classifier(
            scores, scored, vectors, lists.hidden, predictor, settings.predictor.threshold
        )
    given = Given(
        linear=linear_scores(lists.vectors, scored.score, scored.dataset, lists.hidden)
        if "ridge" in names
        else None,
        log_likelihood=_log_likelihood(scored) if "log_likelihood" in names else None,
        instance_oracle=_best_of_each_prompt(scored),
    )
    outcomes = run_folds(
        scores,
        given,
        names,
        settings,
        compat=compat,
        selector=_selector(selector, compat) if "selector" in names else None,
    )
    return Within(scores=scores, outcomes=outcomes, votes=votes)


def _cost_of(predictor: Classifier, scored: ScoredPrompts) -> str:
    fits = fits_needed(len(scored.datasets), len(scored.models))
    return (
        f"{type(predictor).__name__} in place of neighbours' votes took {fits} fits, one for each model and "
        "pool without two datasets; votes of neighbours need one search."
    )


def _methods(asked: Sequence[str] | None, scored: ScoredPrompts, split: Split) -> tuple[str, ...]:
    if asked is None and split != "lodo":
        return (*WITHIN, *BOUNDS)
    if asked is None:
        return tuple(
            name for name in METHODS if name != "log_likelihood" or "log_likelihood" in scored.extras
        )
    for name in asked:
        if name not in METHODS:
            near = closest(name, METHODS)
            raise SettingError(
                f"evaluate: method {name!r}, must be one of {', '.join(METHODS)}."
                + (f" Did you mean {near!r}?" if near else "")
            )
    new = [name for name in asked if name not in (*WITHIN, *BOUNDS)]
    if new and split != "lodo":
        raise SettingError(
            f"evaluate: {new[0]} with split={split!r}, needs new datasets. Use split='lodo', or leave it out."
        )
    if "log_likelihood" in asked and "log_likelihood" not in scored.extras:
        raise EvidenceError(
            "evaluate: log_likelihood is missing for every model, needs the mean log-probability of their "
            "answers. Add the column, or leave the method out."
        )
    return tuple(name for name in METHODS if name in {*asked, "best_on_average"})


def _settings(settings: Paper | None, compat: Compat | None) -> Paper:
    if compat is None:
        return settings or Paper()
    if compat not in ("paper", "golden"):
        raise SettingError(f"evaluate: compat={compat!r}, must be 'paper' or 'golden'.")
    return replace(settings or Paper(), leakage="keep")


def _selector(selector: Shrunken | None, compat: Compat | None) -> Shrunken:
    from isoflop.routing.selection.shrunken import GOLDEN, Shrunken

    if selector is None and compat == "golden":
        return GOLDEN
    found = selector or Shrunken()
    return found if compat is None else replace(found, abstain=False)


def _refuse(scored: ScoredPrompts, names: Sequence[str], split: Split) -> None:
    datasets, models = len(scored.datasets), len(scored.models)
    if models < 2:
        raise EvidenceError(f"evaluate: {models} model, needs at least 2 to choose from. Add results.")
    if datasets < LEAST_NESTED and split == "lodo":
        raise EvidenceError(
            f"evaluate: {datasets} datasets, needs at least {LEAST_NESTED} to leave one out and learn from "
            "the others. Use split='random', or add benchmarks."
        )
    needing = [name for name in names if METHODS[name].needs_every_model]
    missing = np.argwhere(~np.isfinite(scored.accuracy))
    if needing and missing.size:
        cells = ", ".join(f"{scored.models[m]} on {scored.datasets[d]}" for d, m in missing[:6])
        raise EvidenceError(
            f"evaluate: no scores of {cells}{' and more' if len(missing) > 6 else ''}, needs every model on "
            f"every dataset for {', '.join(needing)}. Leave those models, datasets or methods out."
        )


def _vectors(
    scored: ScoredPrompts, encoder: str | Encoder | NDArray[np.float32], whole: bool
) -> tuple[NDArray[np.float32], str, tuple[str, ...]]:
    if isinstance(encoder, np.ndarray):
        return unit_rows(encoder, scored.n), "vectors given", ()
    from isoflop.routing.encoders import encode

    if whole and encoder == "static":
        from isoflop.routing.encoders.static import Static

        encoder = Static(max_chars=None)
    found = encode(scored.prompts, encoder)
    return found.vectors, str(found.encoder), found.cautions


def _log_likelihood(scored: ScoredPrompts) -> FloatArray:
    return means_by_dataset(scored.extras["log_likelihood"], scored.dataset, len(scored.datasets))


def _best_of_each_prompt(scored: ScoredPrompts) -> FloatArray:
    known = np.isfinite(scored.score)
    best = np.where(known.any(axis=1), np.where(known, scored.score, -1.0).max(axis=1), np.nan)
    return means_by_dataset(best[:, None], scored.dataset, len(scored.datasets))[:, 0]


def _leaked(scored: ScoredPrompts) -> NDArray[np.int64]:
    """Return how many prompts of other datasets are copies of one of each dataset's, shape (D,)."""
    hidden = hidden_rows(scored.dataset, scored.group, len(scored.datasets))[:, :-1]
    return np.asarray(hidden.sum(axis=1) - scored.sizes, dtype=np.int64)


def _label_curve(
    scored: ScoredPrompts, scores: Any, labels: Sequence[int], seed: int
) -> tuple[dict[str, Any], ...]:
    if not labels:
        return ()
    from isoflop.routing.selection import label_curve

    return tuple(label_curve(scored, scores, tuple(labels), seed=seed))

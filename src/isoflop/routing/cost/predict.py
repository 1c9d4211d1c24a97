"""How well will each model do on a prompt? Scores predicted from prompts alone, out of sample.

Three predictors, each in score points, and their plain mean:

- ``words``: ridge on words and pairs of words (sublinear counts, inverse document frequency);
- ``vectors``: ridge on the prompts' vectors;
- ``datasets``: which training dataset would hold such a prompt (normal classes of one covariance on the
  vectors), times each model's shrunken mean score there.

Ridge and means are linear in the scores, so the predicted gain of one model over another is the difference
of their predicted scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import EvidenceError, MissingExtraError, SettingError

if TYPE_CHECKING:
    from isoflop.routing.sample import ScoredPrompts

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Part = Literal["words", "vectors", "datasets"]
Split = Literal["random", "lodo"]

HASHES = 2**18
"""Columns that words are hashed to; the texts at hand seldom have half as many distinct pairs."""
LEAST_TEXTS = 3
"""Words in fewer training prompts carry no weight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorePredictor:
    """How scores are predicted.

    Parameters
    ----------
    parts : tuple of {"words", "vectors", "datasets"}
        Predictors whose mean is taken.
    word_penalty, vector_penalty : float
        Ridge penalties: sums of squares over prompts.
    shrinkage : float, in [0, 1)
        Of the covariance within datasets, towards a sphere.
    prior_prompts : float
        A dataset's mean score is drawn towards the overall mean as if it had so many more prompts.
    """

    parts: tuple[Part, ...] = ("words", "vectors", "datasets")
    word_penalty: float = 6.0
    vector_penalty: float = 30.0
    shrinkage: float = 0.2
    prior_prompts: float = 20.0

    def __post_init__(self) -> None:
        unknown = [part for part in self.parts if part not in get_args(Part)]
        if unknown or not self.parts:
            raise SettingError(
                f"ScorePredictor: parts={self.parts!r}, needs some of {', '.join(get_args(Part))}. Name them."
            )
        if min(self.word_penalty, self.vector_penalty, self.prior_prompts) <= 0:
            raise SettingError("ScorePredictor: a penalty or prior is not above 0. Leave it at its default.")
        if not 0 <= self.shrinkage < 1:
            raise SettingError(f"ScorePredictor: shrinkage={self.shrinkage:g}, must lie in [0, 1). Try 0.2.")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Predicted:
    """Predicted scores, each by a fit that left the prompt out.

    Parameters
    ----------
    score : array, shape (n, M)
    fold : array of int, shape (n,)
        Which fit left the prompt out.
    split : {"random", "lodo"}
    predictor : ScorePredictor
    filled : int
        Missing scores that stood in training as the model's mean.
    """

    score: FloatArray
    fold: IntArray
    split: Split
    predictor: ScorePredictor
    filled: int

    @property
    def method(self) -> str:
        """How the predictions were made, in words."""
        left_out = {
            "random": f"{int(self.fold.max()) + 1} random folds of groups of like prompts",
            "lodo": "leave one dataset out",
        }[self.split]
        return f"scores predicted by the mean of {', '.join(self.predictor.parts)}; {left_out}"


def predict_scores(
    scored: ScoredPrompts,
    vectors: NDArray[Any],
    *,
    split: Split = "random",
    folds: int = 5,
    predictor: ScorePredictor | None = None,
    seed: int = 0,
) -> Predicted:
    """Predict every model's score on every prompt by fits that did not see the prompt's labels.

    Parameters
    ----------
    scored : ScoredPrompts
    vectors : array, shape (n, w)
        One row a prompt, of one encoder.
    split : {"random", "lodo"}
        Leave out folds of like prompts (prompts of known benchmarks), or whole datasets (a new task); then
        training prompts that are nearly the same as one of the dataset are left out too.
    folds : int
        Of the random split, at least 2.
    predictor : ScorePredictor, optional
    seed : int
        Of the random split.

    Returns
    -------
    Predicted

    Raises
    ------
    EvidenceError
        Vectors do not fit the prompts, or there are too few datasets or groups.
    MissingExtraError
        scikit-learn is needed for words and not installed.
    """
    chosen = predictor or ScorePredictor()
    rows = np.asarray(vectors)
    if rows.ndim != 2 or rows.shape[0] != scored.n:
        raise EvidenceError(
            f"predict_scores: vectors {rows.shape} but {scored.n} prompts, needs one row a prompt. Encode "
            "these prompts."
        )
    if not np.isfinite(rows).all():
        raise EvidenceError(
            "predict_scores: a vector is not finite, needs numbers. Encode the prompts again."
        )
    fold = _folds(scored, split, folds, seed)
    target, filled = _targets(scored)
    counts = _counts(scored.prompts) if "words" in chosen.parts else None
    out = np.empty_like(target)
    for left in range(int(fold.max()) + 1):
        test = fold == left
        train = ~test
        if split == "lodo":
            train &= ~np.isin(scored.group, scored.group[test])
        _, home = np.unique(scored.dataset[train], return_inverse=True)
        made = []
        if counts is not None:
            made.append(_by_words(counts[train], target[train], counts[test], chosen))
        if "vectors" in chosen.parts:
            made.append(_ridge(rows[train], target[train], rows[test], chosen.vector_penalty))
        if "datasets" in chosen.parts:
            made.append(_by_datasets(rows[train], target[train], home, rows[test], chosen))
        out[test] = np.mean(made, axis=0)
    return Predicted(score=out, fold=fold, split=split, predictor=chosen, filled=filled)


def _folds(scored: ScoredPrompts, split: Split, folds: int, seed: int) -> IntArray:
    if split == "lodo":
        if len(scored.datasets) < 2:
            raise EvidenceError(
                "predict_scores: 1 dataset, needs at least 2 to leave one out. Use split='random'."
            )
        return scored.dataset
    if split != "random":
        raise SettingError(f"predict_scores: split={split!r}, must be 'random' or 'lodo'. Choose one.")
    groups, place = np.unique(scored.group, return_inverse=True)
    if not 2 <= folds <= groups.size:
        raise SettingError(
            f"predict_scores: folds={folds}, must lie in [2, {groups.size}], the groups of prompts. Try 5."
        )
    dealt = np.random.default_rng(seed).permutation(groups.size) % folds
    return np.asarray(dealt[place], dtype=np.int64)


def _targets(scored: ScoredPrompts) -> tuple[FloatArray, int]:
    """Return scores whose gaps hold the model's mean over all its prompts, and how many there are."""
    missing = ~np.isfinite(scored.score)
    count = int(missing.sum())
    if not count:
        return scored.score, 0
    return np.where(missing, np.nanmean(scored.score, axis=0), scored.score), count


def _ridge(train: NDArray[Any], target: FloatArray, test: NDArray[Any], penalty: float) -> FloatArray:
    centre, level = train.mean(axis=0, dtype=np.float64), target.mean(axis=0)
    x = train - centre
    gram = x.T @ x
    gram[np.diag_indices_from(gram)] += penalty
    return np.asarray(level + (test - centre) @ np.linalg.solve(gram, x.T @ (target - level)))


def _by_datasets(
    train: NDArray[Any], target: FloatArray, home: IntArray, test: NDArray[Any], settings: ScorePredictor
) -> FloatArray:
    """Return the mean score of each model over the datasets that the prompts look like."""
    datasets, width = int(home.max()) + 1, train.shape[1]
    sizes = np.bincount(home, minlength=datasets)
    mean_score = _sums(home, target, datasets) + settings.prior_prompts * target.mean(axis=0)
    mean_score /= (sizes + settings.prior_prompts)[:, None]
    means = _sums(home, train, datasets) / sizes[:, None]
    within = train - means[home]
    covariance = within.T @ within / train.shape[0]
    sphere = max(float(np.trace(covariance)) / width, 1e-12)
    covariance *= 1 - settings.shrinkage
    covariance[np.diag_indices_from(covariance)] += max(settings.shrinkage, 1e-6) * sphere
    slopes = np.linalg.solve(covariance, means.T)
    log_odds = test @ slopes - 0.5 * np.sum(means.T * slopes, axis=0) + np.log(sizes / sizes.sum())
    chance = np.exp(log_odds - log_odds.max(axis=1, keepdims=True))
    return np.asarray(chance / chance.sum(axis=1, keepdims=True) @ mean_score)


def _sums(home: IntArray, values: NDArray[Any], datasets: int) -> FloatArray:
    out = np.zeros((datasets, values.shape[1]))
    np.add.at(out, home, values)
    return out


def _counts(prompts: Sequence[str]) -> Any:
    """Return sublinear counts of hashed words and pairs, a sparse matrix of shape (n, HASHES)."""
    try:
        from sklearn.feature_extraction.text import HashingVectorizer  # type: ignore[import-untyped]
    except ImportError:
        raise MissingExtraError(
            "predict_scores: scikit-learn is not installed, needed for words. Install isoflop[routing], or "
            "leave words out of the predictor's parts."
        ) from None
    hashed = HashingVectorizer(
        n_features=HASHES,
        ngram_range=(1, 2),
        token_pattern=r"(?u)\b\w+\b|[^\w\s]",
        norm=None,
        alternate_sign=False,
    ).transform(prompts)
    hashed.data = 1 + np.log(hashed.data)
    return hashed


def _by_words(train: Any, target: FloatArray, test: Any, settings: ScorePredictor) -> FloatArray:
    from sklearn.linear_model import Ridge  # type: ignore[import-untyped]
    from sklearn.preprocessing import normalize  # type: ignore[import-untyped]

    texts = np.bincount(train.indices, minlength=HASHES)
    seen = np.flatnonzero(texts >= LEAST_TEXTS)
    if not seen.size:
        return np.broadcast_to(target.mean(axis=0), (test.shape[0], target.shape[1])).copy()
    rarity = np.log((1 + train.shape[0]) / (1 + texts[seen])) + 1
    fitted = Ridge(alpha=settings.word_penalty, solver="sparse_cg", tol=1e-3).fit(
        normalize(train[:, seen].multiply(rarity).tocsr()), target
    )
    said = fitted.predict(normalize(test[:, seen].multiply(rarity).tocsr()))
    return np.asarray(said).reshape(test.shape[0], target.shape[1])

"""A router with one model more or less, and where its evidence is thin. Vectors are never made again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import EvidenceError, SettingError
from isoflop.routing.router.router import NEAREST, Router

if TYPE_CHECKING:
    import polars as pl

IntArray = NDArray[np.int64]
FEW_ANCHORS = 30
"""Scores on fewer prompts than this place a new model only roughly."""
ROUNDS = 20
"""Rounds of k-medoids at most; it settles in a few."""


def add_model(
    router: Router,
    name: str,
    scores: Mapping[str, float],
    *,
    cost_usd: float | None = None,
    seconds: float | None = None,
) -> Router:
    """Return a router that also knows a new model, from its scores on some of the router's prompts.

    The weights of neighbours stay as they were fitted: they speak of prompts, not of models.

    Parameters
    ----------
    router : Router
    name : str
        New model.
    scores : mapping of str to float, in [0, 1]
        Prompt identifier to score; `anchors` proposes which prompts to score. Missing ones are filled with
        the model's mean on their dataset, else its mean over datasets.
    cost_usd, seconds : float, optional
        Expected price and time of a call.

    Returns
    -------
    Router

    Raises
    ------
    EvidenceError
        The model is there already, no identifier is known, or a score is outside [0, 1].
    """
    if name in router.models:
        raise EvidenceError(
            f"add_model: {name!r} is in the router. Drop it first (drop_model), or rename it."
        )
    places: dict[str, list[int]] = {}
    for place, instance in enumerate(router.instance_ids):
        places.setdefault(instance, []).append(place)
    known = {instance: score for instance, score in scores.items() if instance in places}
    if not known:
        raise EvidenceError(
            f"add_model: none of {len(scores)} identifiers is a prompt of the router, needs some. "
            "`isoflop routing add-model --anchors` lists prompts to score."
        )
    wrong = next((i for i, score in known.items() if not 0 <= score <= 1), None)
    if wrong is not None:
        raise EvidenceError(
            f"add_model: score {known[wrong]:g} of {wrong!r} must lie in [0, 1]. Divide by 100?"
        )
    column = np.full(router.n, np.nan, dtype=np.float32)
    for instance, score in known.items():
        column[places[instance]] = score
    models = tuple(sorted((*router.models, name)))
    at = models.index(name)
    told = int(np.isfinite(column).sum())
    lacking = sum(not np.isfinite(column[router.dataset == d]).any() for d in range(len(router.datasets)))
    said = list(router.cautions)
    if told < router.n:
        said.append(
            f"{name} has scores on {told} of {router.n} prompts"
            + (f" and on none of {lacking} datasets" if lacking else "")
            + "; the rest are its means. More scores cure it."
        )
    if told < FEW_ANCHORS:
        said.append(f"{name} is placed by {told} prompts: its mean is rough. Score at least {FEW_ANCHORS}.")
    return Router(
        **{
            **_fields(router),
            "models": models,
            "score": np.insert(router.score, at, column, axis=1),
            "cost_usd": np.insert(router.cost_usd, at, np.nan if cost_usd is None else cost_usd),
            "seconds": np.insert(router.seconds, at, np.nan if seconds is None else seconds),
            "cost_in_usd_per_token": np.insert(router.cost_in_usd_per_token, at, np.nan),
            "cautions": tuple(said),
        }
    )


def drop_model(router: Router, name: str) -> Router:
    """Return a router without one of its models.

    Raises
    ------
    SettingError
        It is not there, or only one other is left.
    """
    if name not in router.models:
        raise SettingError(f"drop_model: {name!r} is no model of this router ({', '.join(router.models)}).")
    if len(router.models) < 3:
        raise SettingError(
            "drop_model: 2 models, needs to keep at least 2 to choose from. Add another first."
        )
    at = router.models.index(name)
    return Router(
        **{
            **_fields(router),
            "models": tuple(one for one in router.models if one != name),
            "score": np.delete(router.score, at, axis=1),
            "cost_usd": np.delete(router.cost_usd, at),
            "seconds": np.delete(router.seconds, at),
            "cost_in_usd_per_token": np.delete(router.cost_in_usd_per_token, at),
        }
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Anchors:
    """Prompts on which to score a new model, and how well they stand for all.

    Parameters
    ----------
    router : Router
    rows : array of int, shape (budget,)
        Places of the prompts.
    error : float
        Mean absolute error of a model's accuracy on a dataset from its anchors alone, over the models that
        the router knows (points of 1).
    error_random : float
        The same from as many prompts drawn at random.
    """

    router: Router
    rows: IntArray
    error: float
    error_random: float

    def frame(self) -> pl.DataFrame:
        """Return instance, dataset and text of each anchor."""
        import polars as pl

        return pl.DataFrame(
            [
                {
                    "instance_id": self.router.instance_ids[row],
                    "dataset": self.router.datasets[self.router.dataset[row]],
                    "prompt": self.router.texts[row] if self.router.texts else None,
                }
                for row in self.rows
            ],
            infer_schema_length=None,
        )

    def error_row(self) -> dict[str, Any]:
        """Return the errors, for a table."""
        return {"anchors": int(self.rows.size), "error": self.error, "error_random": self.error_random}

    def summary(self) -> str:
        """Return the number of anchors and their error in one sentence."""
        return (
            f"{self.rows.size} anchors over {len(self.router.datasets)} datasets: accuracies of known models "
            f"from them alone are off by {self.error:.3f} on average ({self.error_random:.3f} from random "
            "prompts)."
        )


def anchors(router: Router, budget: int, *, seed: int = 0) -> Anchors:
    """Choose prompts to score a new model on: k-medoids of each dataset, more of large ones (root of size).

    Parameters
    ----------
    router : Router
    budget : int
        Prompts in all; at least one a dataset.
    seed : int
        First medoids, and the random prompts to compare with.

    Raises
    ------
    SettingError
        The budget has less than one prompt a dataset.
    """
    datasets = len(router.datasets)
    if budget < datasets:
        raise SettingError(
            f"anchors: budget={budget}, needs at least one prompt for each of {datasets} datasets. Raise it."
        )
    rng = np.random.default_rng(seed)
    sizes = np.bincount(router.dataset, minlength=datasets)
    wanted = np.sqrt(sizes) / np.sqrt(sizes).sum() * budget
    each = np.minimum(sizes, np.maximum(1, np.floor(wanted))).astype(int)
    while each.sum() < min(budget, sizes.sum()):
        each[np.argmax(np.where(each < sizes, wanted - each, -np.inf))] += 1
    chosen, drawn = [], []
    for d in range(datasets):
        rows = np.flatnonzero(router.dataset == d)
        chosen.append(rows[medoids(router.vectors[rows], int(each[d]), rng)])
        drawn.append(rng.choice(rows, int(each[d]), replace=False))
    error = [_error(router, parts) for parts in (chosen, drawn)]
    return Anchors(router=router, rows=np.sort(np.concatenate(chosen)), error=error[0], error_random=error[1])


def medoids(vectors: NDArray[np.float32], k: int, rng: np.random.Generator) -> IntArray:
    """Return rows of k unit vectors that are nearest to all others in the sense of k-medoids.

    Alternates assignment and the best medoid of each group, from k-means++-like seeds.

    Parameters
    ----------
    vectors : array of float32, shape (n, width)
    k : int
        From 1 to n.
    """
    n = vectors.shape[0]
    if k >= n:
        return np.arange(n)
    distance = np.maximum(0.0, 1.0 - vectors @ vectors.T)
    chosen = [int(np.argmin(distance.sum(axis=0)))]
    while len(chosen) < k:
        nearest = distance[:, chosen].min(axis=1)
        nearest[chosen] = 0.0
        total = nearest.sum()
        left = np.setdiff1d(np.arange(n), chosen)
        chosen.append(int(rng.choice(n, p=nearest / total)) if total > 0 else int(left[0]))
    places = np.array(chosen)
    for _ in range(ROUNDS):
        group = np.argmin(distance[:, places], axis=1)
        moved = places.copy()
        for g in range(k):
            inside = np.flatnonzero(group == g)
            if inside.size:
                moved[g] = inside[np.argmin(distance[np.ix_(inside, inside)].sum(axis=0))]
        if np.array_equal(moved, places):
            break
        places = moved
    return np.unique(places)


def _error(router: Router, parts: list[IntArray]) -> float:
    means = np.array([np.nanmean(router.score[rows], axis=0) for rows in parts])
    return float(np.nanmean(np.abs(means - router.accuracy)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Coverage:
    """Which prompts lie far from everything that was scored.

    Parameters
    ----------
    router : Router
    prompts : tuple of str
    distance : array, shape (n,)
        Mean distance of each prompt to its nearest scored ones.
    examples : array of int
        Places of prompts that stand for the far ones: medoids of them, largest groups first.
    """

    router: Router
    prompts: tuple[str, ...]
    distance: NDArray[np.float64]
    examples: IntArray

    @property
    def far(self) -> int:
        """Prompts further away than any dataset is from the others."""
        return int((self.distance > self.router.distance_range[1]).sum())

    def summary(self) -> str:
        """Return the share of far prompts in one sentence."""
        share = self.far / len(self.prompts)
        return (
            f"{self.far} of {len(self.prompts)} prompts ({share:.0%}) are further from the scored ones "
            "than any dataset is from the others."
            + (" Evaluate the models on prompts like the examples." if self.far else "")
        )

    def rows(self) -> list[dict[str, Any]]:
        """Return the examples, each with its distance."""
        return [{"prompt": self.prompts[at], "distance": float(self.distance[at])} for at in self.examples]


def coverage(router: Router, prompts: Iterable[str], *, examples: int = 5, seed: int = 0) -> Coverage:
    """Return which of some prompts a benchmark is missing for.

    Parameters
    ----------
    router : Router
    prompts : iterable of str
    examples : int
        How many to show at most.
    seed : int

    Raises
    ------
    EvidenceError
        No prompt.
    """
    texts = tuple(prompts)
    if not texts:
        raise EvidenceError("coverage: no prompt, needs at least one. Give texts.")
    vectors = router.encoder.encode(list(texts))
    near = np.array([1.0 - router.nearest(vector, NEAREST)[1].mean() for vector in vectors])
    beyond = np.flatnonzero(near > router.distance_range[1])
    shown: IntArray = np.zeros(0, dtype=np.int64)
    if beyond.size:
        shown = beyond[medoids(vectors[beyond], min(examples, beyond.size), np.random.default_rng(seed))]
    return Coverage(router=router, prompts=texts, distance=near, examples=shown)


def _fields(router: Router) -> dict[str, Any]:
    return {name: getattr(router, name) for name in Router.__dataclass_fields__}

"""`fit_router`: scored prompts to a router, with the trust in neighbours learned on datasets left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import EvidenceError, SettingError, closest
from isoflop.routing.catalogue_checks import price_doubts
from isoflop.routing.means import means_of_present
from isoflop.routing.model import ANSWER_TOKENS, CHARACTERS_PER_TOKEN, THRESHOLD
from isoflop.routing.neighbours.elsewhere import nearest_elsewhere
from isoflop.routing.router.local import LocalFit, fit_local
from isoflop.routing.router.policies import Policy, Quality
from isoflop.routing.router.router import NEAREST, Router

if TYPE_CHECKING:
    from isoflop.evidence.table import Table
    from isoflop.routing.encoders import Encoder
    from isoflop.routing.sample import ScoredPrompts

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Traffic = Literal["new_tasks", "same_tasks"]
FEWEST_DATASETS = 3
LEARNED_ON = 20_000
"""Prompts on which the weights are learned, at most; drawn evenly over datasets beyond."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prices:
    """Expected price and time of a call for each model, and what is assumed for it."""

    cost_usd: FloatArray
    in_usd_per_token: FloatArray
    seconds: FloatArray
    cautions: tuple[str, ...]


def fit_router(
    scored: ScoredPrompts,
    *,
    encoder: str | Encoder = "static",
    vectors: NDArray[np.floating[Any]] | None = None,
    policy: Policy | None = None,
    catalogue: Table | None = None,
    traffic: Traffic = "new_tasks",
    abstain: bool = True,
    keep_text: bool = True,
    seed: int = 0,
) -> Router:
    """Fit a router to scored prompts.

    Parameters
    ----------
    scored : ScoredPrompts
    encoder : str or Encoder
        Name in `ENCODERS`, or an object like those.
    vectors : array, shape (n, width), optional
        Vectors of the prompts, made by `encoder` beforehand; default: they are made here.
    policy : policy, optional
        What to weigh beside quality; default `Quality()`.
    catalogue : Table, optional
        Sizes and prices, schema ``model_catalogue``; names as in the scores.
    traffic : {"new_tasks", "same_tasks"}
        What the prompts to come are like: of datasets that the scores do not hold (weights are learned with
        a prompt's whole dataset left out), or more of the same (with its near copies left out).
    abstain : bool
        Answer with the best model on average unless datasets left out show a gain.
    keep_text : bool
        Keep the prompts, to show them as reasons; without them only their identifiers are shown.
    seed : int
        Draws the prompts to learn on where there are very many.

    Returns
    -------
    Router

    Raises
    ------
    EvidenceError
        Fewer than two models or three datasets, a model without any score, or vectors that do not fit.
    SettingError
        A setting is unknown.

    Notes
    -----
    Source: ours; neighbours follow Shnitzer et al. (2023), which routes a whole task at once (`Router.rank`).
    """
    from isoflop.routing.encoders import encode, encoder_of

    _refuse(scored, traffic)
    tool = encoder_of(encoder)
    made = encode(scored.prompts, tool, vectors=vectors)
    score = scored.score.astype(np.float32)
    learned = _learn(scored, made.vectors, traffic, seed)
    priced = _prices(scored, catalogue)
    cautions = (
        *scored.cautions,
        *made.cautions,
        *priced.cautions,
        *_cautions(learned[0], len(scored.datasets)),
    )
    router = Router(
        models=scored.models,
        datasets=scored.datasets,
        encoder=tool,
        vectors=made.vectors,
        dataset=scored.dataset,
        score=score,
        instance_ids=scored.instance_ids,
        texts=scored.prompts if keep_text else (),
        local=learned[0],
        distance_range=learned[1],
        cost_usd=priced.cost_usd,
        seconds=priced.seconds,
        cost_in_usd_per_token=priced.in_usd_per_token,
        policy=Quality(),
        settings={
            "traffic": traffic,
            "abstain": abstain,
            "nearest": NEAREST,
            "seed": seed,
            # A judge's reference stands at one half and is not right there.
            "strict_threshold": bool(np.any((scored.score == THRESHOLD) & (scored.correct == 0))),
            "mean_characters": float(np.mean([len(text) for text in scored.prompts])),
        },
        provenance=scored.provenance(),
        cautions=tuple(dict.fromkeys(cautions)),
    )
    return router if policy is None else router.with_policy(policy)


def _refuse(scored: ScoredPrompts, traffic: str) -> None:
    if traffic not in get_args(Traffic):
        near = closest(traffic, get_args(Traffic))
        raise SettingError(
            f"fit_router: traffic={traffic!r}, must be one of {', '.join(get_args(Traffic))}."
            + (f" Did you mean {near!r}?" if near else "")
        )
    if len(scored.models) < 2:
        raise EvidenceError(
            f"fit_router: {len(scored.models)} model, needs at least 2 to choose from. Add results of others."
        )
    if len(scored.datasets) < FEWEST_DATASETS:
        raise EvidenceError(
            f"fit_router: {len(scored.datasets)} datasets, needs at least {FEWEST_DATASETS} to leave one "
            "out. Add benchmarks."
        )


def _learn(
    scored: ScoredPrompts, vectors: NDArray[np.float32], traffic: Traffic, seed: int
) -> tuple[LocalFit, tuple[float, float]]:
    """Return the weights, and the range of mean distances of a dataset to the others."""
    rows = _rows_to_learn_on(scored.dataset, seed)
    unit = scored.dataset if traffic == "new_tasks" else scored.group
    near, similarity = nearest_elsewhere(vectors, unit, rows, NEAREST)
    datasets = len(scored.datasets)
    accuracy = scored.accuracy
    prior_all = np.nanmean(accuracy, axis=0)
    known = np.where(np.isfinite(accuracy), accuracy, prior_all)
    filled = np.where(np.isfinite(scored.score), scored.score, known[scored.dataset])
    home = scored.dataset[rows]
    share = np.zeros((rows.size, datasets))
    np.add.at(share, (np.arange(rows.size)[:, None], scored.dataset[near]), 1.0 / near.shape[1])
    if traffic == "new_tasks":
        others = ~np.eye(datasets, dtype=bool)
        without = np.stack([means_of_present(accuracy[others[d]].T) for d in range(datasets)])
        prior = np.where(np.isfinite(without), without, prior_all)[home]
    else:
        prior = np.broadcast_to(prior_all, (rows.size, prior_all.size))
    local = np.stack([filled[one].mean(axis=0) for one in near])
    fitted = fit_local(home, prior, share @ known, local, filled[rows])
    distance = np.bincount(home, weights=1.0 - similarity.mean(axis=1)) / np.bincount(home)
    return fitted, (float(distance.min()), float(distance.max()))


def _rows_to_learn_on(dataset: IntArray, seed: int) -> IntArray:
    """Return all prompts, or of very many the same number from each dataset, as far as it has them."""
    if dataset.size <= LEARNED_ON:
        return np.arange(dataset.size)
    rng = np.random.default_rng(seed)
    order = rng.permutation(dataset.size)
    each = max(1, LEARNED_ON // int(dataset.max() + 1))
    ranked = np.argsort(dataset[order], kind="stable")
    counts = np.bincount(dataset)
    place = np.arange(dataset.size) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.sort(order[ranked[place < each]])


def _prices(scored: ScoredPrompts, catalogue: Table | None) -> _Prices:
    """Return what a call costs: as measured where the scores say it, else list prices times tokens."""
    models = len(scored.models)
    blank = np.full(models, np.nan)
    seconds = _mean(scored.extras.get("latency_s"), models)
    measured = _mean(scored.extras.get("cost_usd"), models)
    if catalogue is None:
        return _Prices(cost_usd=measured, in_usd_per_token=blank, seconds=seconds, cautions=())
    listed = {row["model"]: row for row in catalogue.frame.iter_rows(named=True)}
    rows = [listed.get(name, {}) for name in scored.models]
    price_in = _cells(rows, "input_usd_per_mtok") / 1e6
    price_out = _cells(rows, "output_usd_per_mtok") / 1e6
    characters = float(np.mean([len(text) for text in scored.prompts]))
    tokens_in = _mean(scored.extras.get("tokens_in"), models)
    tokens_out = _mean(scored.extras.get("tokens_out"), models)
    assumed = np.isfinite(price_out) & ~np.isfinite(tokens_out)
    tokens_in = np.where(np.isfinite(tokens_in), tokens_in, characters / CHARACTERS_PER_TOKEN)
    tokens_out = np.where(np.isfinite(tokens_out), tokens_out, ANSWER_TOKENS)
    computed = price_in * tokens_in + price_out * tokens_out
    said = []
    if assumed.any():
        said.append(
            f"{int(assumed.sum())} models have no tokens_out: answers of {ANSWER_TOKENS:.0f} tokens are "
            "assumed in expected costs. Give tokens_out to cure it."
        )
    said += price_doubts(catalogue, scored.models)
    return _Prices(
        cost_usd=np.where(np.isfinite(measured), measured, computed),
        in_usd_per_token=price_in,
        seconds=seconds,
        cautions=tuple(said),
    )


def _mean(cells: FloatArray | None, models: int) -> FloatArray:
    """Return means over the prompts that have a value; NaN for none."""
    if cells is None:
        return np.full(models, np.nan)
    count = np.isfinite(cells).sum(axis=0)
    total = np.where(np.isfinite(cells), cells, 0.0).sum(axis=0)
    return np.asarray(np.divide(total, count, out=np.full(models, np.nan), where=count > 0))


def _cells(rows: list[dict[str, Any]], name: str) -> FloatArray:
    return np.array([np.nan if row.get(name) is None else float(row[name]) for row in rows])


def _cautions(local: LocalFit, datasets: int) -> list[str]:
    said = []
    if local.abstains:
        said.append(
            f"On datasets left out, neighbours gained {local.mean_gain:+.4f} ± "
            f"{local.standard_error:.4f}: the router abstains and uses the best model on average. More "
            "datasets near the prompts to come cure it."
        )
    if datasets < 9:
        said.append(
            f"{datasets} datasets: gains carry no interval, which needs 9. Add benchmarks to get one."
        )
    return said

"""A decision is the formula of `local`, worked out here from the tables alone."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.routing import add_model, drop_model, fit_router
from isoflop.routing.router.local import LocalFit
from isoflop.routing.router.router import NEAREST, TIE, Router
from tests.routing.made_scores import made

D, N, M = 4, 60, 5
ROUNDING = 1e-5
"""Scores and pulls are kept in float32."""
SUBJECTS = ("sum of the numbers", "longest of the words", "day of the week", "capital of the country")


def fitted(missing: str, seed: int) -> Router:
    """Return a router over random scores: nothing, few answers or whole datasets missing."""
    rng = np.random.default_rng(seed)
    dataset = np.repeat(np.arange(D), N)
    score = rng.random((D * N, M))
    if missing == "few answers":
        score[::31] = np.where(rng.random(score[::31].shape) < 0.7, np.nan, score[::31])
    if missing == "whole datasets":
        score[dataset == 1, 2] = score[dataset == 3, 2] = score[dataset == 0, 4] = np.nan
    texts = [f"What is the {SUBJECTS[d]} {rng.integers(999)} {rng.integers(999)}?" for d in dataset]
    return fit_router(made(score, dataset, texts), encoder="hashed")


def weighed(router: Router, w: float, v: float) -> Router:
    """Return the router with these weights, following them whatever they gained."""
    local = LocalFit(w=w, v=v, gain=np.ones(D), expected=np.ones(D))
    return replace(router, local=local)


def mean(values: np.ndarray) -> float:
    """Return the mean of what is there, NaN for nothing."""
    there = values[np.isfinite(values)]
    return float(there.mean()) if there.size else float("nan")


def by_hand(router: Router, text: str) -> dict[str, float]:
    """Return q = prior + w (T − prior) + v (L − T), centred over models, from the scores themselves."""
    score = router.score.astype(float)
    accuracy = np.array([[mean(score[router.dataset == d, m]) for m in range(M)] for d in range(D)])
    prior = np.array([mean(column) for column in accuracy.T])
    known = np.where(np.isfinite(accuracy), accuracy, prior)
    filled = np.where(np.isfinite(score), score, known[router.dataset])
    near = np.argsort(-(router.vectors @ router.encoder.encode_one(text)), kind="stable")[:NEAREST]

    def apart(row: np.ndarray) -> np.ndarray:
        return row - row.mean()

    mixture, local = known[router.dataset[near]].mean(axis=0), filled[near].mean(axis=0)
    q = (
        prior
        + router.local.w * (apart(mixture) - apart(prior))
        + router.local.v * (apart(local) - apart(mixture))
    )
    return dict(zip(router.models, np.clip(q, 0, 1).tolist(), strict=True))


@pytest.mark.parametrize("missing", ["nothing", "few answers", "whole datasets"])
@pytest.mark.parametrize(("w", "v"), [(0.0, 0.0), (1.0, 0.0), (0.5, 0.25), (1.0, 1.0)])
def test_expected_scores_and_the_choice_follow_the_formula(missing: str, w: float, v: float) -> None:
    router = weighed(fitted(missing, seed=1), w, v)
    for text in ("What is the sum of the numbers 3 5?", "Name the capital", "x y z"):
        decision, truth = router.decide(text), by_hand(router, text)
        assert decision.score == pytest.approx(truth, abs=ROUNDING)
        prior = dict(zip(router.models, router.prior.tolist(), strict=True))
        best = max(truth, key=lambda name: truth[name] + TIE * prior[name])
        assert truth[decision.choice] == pytest.approx(truth[best], abs=ROUNDING)
        order = [truth[name] + TIE * prior[name] for name in decision.order]
        assert np.all(np.diff(order) <= ROUNDING)


@cache
def whole() -> Router:
    return weighed(fitted("nothing", seed=2), 0.6, 0.3)


@given(st.text(max_size=40), st.sets(st.integers(0, M - 1), min_size=1))
def test_any_text_and_any_candidates_get_a_whole_decision(text: str, chosen: set[int]) -> None:
    router = whole()
    names = [router.models[at] for at in sorted(chosen)]
    decision = router.decide(text, candidates=names, explain=True)
    assert sorted(decision.order) == names
    assert decision.choice == decision.order[0]
    assert all(0 <= score <= 1 for score in decision.score.values())
    everyone = router.decide(text)
    assert {name: everyone.score[name] for name in names} == decision.score
    if text.strip():
        assert sum(decision.dataset_shares.values()) == pytest.approx(1)
        assert [one.similarity for one in decision.neighbours] == sorted(
            (one.similarity for one in decision.neighbours), reverse=True
        )


def test_a_model_dropped_and_added_again_is_the_router_it_was() -> None:
    router = whole()
    name = router.models[2]
    scores = dict(zip(router.instance_ids, router.score[:, 2].tolist(), strict=True))
    again = add_model(drop_model(router, name), name, scores)
    for text in ("What is the day of the week 3?", "capital", ""):
        assert again.decide(text).order == router.decide(text).order
        assert again.decide(text).score == pytest.approx(router.decide(text).score, abs=ROUNDING)


def test_models_named_otherwise_and_listed_otherwise_are_decided_the_same() -> None:
    rng = np.random.default_rng(3)
    dataset = np.repeat(np.arange(D), N)
    score = rng.random((D * N, M))
    texts = [f"What is the {SUBJECTS[d]} {i}?" for i, d in enumerate(dataset)]
    turn = rng.permutation(M)
    one, other = (
        weighed(fit_router(made(cells, dataset, texts), encoder="hashed"), 0.7, 0.4)
        for cells in (score, score[:, turn])
    )
    for text in ("What is the sum of the numbers 9?", "Name a country"):
        mine, theirs = one.decide(text).score, other.decide(text).score
        np.testing.assert_allclose(
            [theirs[name] for name in other.models],
            [mine[one.models[at]] for at in turn],
            atol=ROUNDING,
        )

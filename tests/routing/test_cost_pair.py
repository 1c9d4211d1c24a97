"""Curves of a pair and what predicts them: the public procedure in slow words, chance, oracle, leakage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.errors import EvidenceError, SettingError
from isoflop.evidence import load
from isoflop.findings import Document
from isoflop.routing import join
from isoflop.routing.chapter.cost import cost_figures, cost_section
from isoflop.routing.cost.find import apgr, curve
from isoflop.routing.cost.pair import pair_curve
from isoflop.routing.cost.predict import ScorePredictor, predict_scores
from isoflop.routing.sample import ScoredPrompts

from .made_scores import made

TOL = 1e-6
NO_WORDS = ScorePredictor(parts=("vectors", "datasets"))


def pair(seed: int, tasks: int = 6, n: int = 20) -> tuple[ScoredPrompts, np.ndarray]:
    """Return two models of which the second is better, and a guess at the gain that is right in part."""
    rng = np.random.default_rng(seed)
    dataset = np.repeat(np.arange(tasks), n)
    score = (rng.random((dataset.size, 2)) < [0.4, 0.75]).astype(float)
    guess = score[:, 1] - score[:, 0] + 1.5 * rng.standard_normal(dataset.size)
    return made(score, dataset), guess


def public_curve(
    guess: np.ndarray, weak: np.ndarray, strong: np.ndarray, bins: int
) -> tuple[list[float], list[float]]:
    """Return shares and means as RouteLLM takes them: at quantiles, the last of which sends nobody."""
    share, mean = [], []
    edges = [float(np.quantile(guess, k / bins)) for k in range(bins + 1)]
    for k, edge in enumerate(edges):
        sent = [g > edge if k == bins else g >= edge for g in guess]
        mean.append(sum(s if up else w for up, s, w in zip(sent, strong, weak, strict=True)) / len(guess))
        share.append(sum(sent) / len(guess))
    order = np.argsort(share)
    return [share[k] for k in order], [mean[k] for k in order]


@pytest.mark.slow
@pytest.mark.ci
@given(st.integers(0, 10_000))
def test_binned_measures_are_those_of_routellm(seed: int) -> None:
    scored, guess = pair(seed)
    found = pair_curve(scored, guess, reps=8)
    weak, strong = scored.score.T if found.weak == "m00" else scored.score.T[::-1]
    share, mean = public_curve(guess, weak, strong, 10)
    assert found.binned_share.tolist() == pytest.approx(share, abs=TOL)
    assert found.binned_score.tolist() == pytest.approx(mean, abs=TOL)
    low, high = float(weak.mean()), float(strong.mean())
    area = np.trapezoid(np.array(mean) - low, share)
    assert found.apgr.value == pytest.approx(area / ((high - low) * (share[-1] - share[0])), abs=TOL)
    for part in (0.2, 0.5, 0.8):
        assert found.cpt[part].value == pytest.approx(
            np.interp(low + part * (high - low), mean, share), abs=TOL
        )


@pytest.mark.slow
@pytest.mark.ci
@given(st.integers(0, 10_000))
def test_the_exact_curve_is_prompts_sent_one_by_one(seed: int) -> None:
    scored, guess = pair(seed, tasks=5, n=6)
    found = pair_curve(scored, guess, weak="m00", strong="m01", reps=8)
    order = np.argsort(-guess)
    gained = np.cumsum((scored.score[:, 1] - scored.score[:, 0])[order])
    assert found.score[1:].tolist() == pytest.approx((scored.score[:, 0].sum() + gained) / scored.n)
    assert found.share.tolist() == pytest.approx(np.arange(scored.n + 1) / scored.n)


def test_a_guess_without_information_recovers_half() -> None:
    scored, _ = pair(0, tasks=20, n=100)
    constant = pair_curve(scored, np.zeros(scored.n), reps=20)
    assert constant.apgr_exact.value == pytest.approx(0.5)
    assert any("Ties" in caution for caution in constant.cautions)
    rng = np.random.default_rng(1)
    drawn = [pair_curve(scored, rng.random(scored.n), reps=2).apgr_exact.value for _ in range(25)]
    assert np.mean([value for value in drawn if value is not None]) == pytest.approx(0.5, abs=0.02)


def test_known_gains_reach_the_bound_and_turned_about_they_lose() -> None:
    scored, _ = pair(3)
    gain = scored.score[:, 1] - scored.score[:, 0]
    best, worst = (pair_curve(scored, sign * gain, weak="m00", strong="m01", reps=2) for sign in (1, -1))
    at = np.interp(best.band_share, best.share, best.score)
    assert np.all(at <= best.oracle + 1e-12)
    assert (best.apgr_exact.value or 0) > 0.8 > 0.2 > (worst.apgr_exact.value or 1)


def test_a_scale_of_the_guess_changes_nothing() -> None:
    scored, guess = pair(4)
    one, other = (pair_curve(scored, g, reps=50) for g in (guess, 3 * guess + 7))
    assert one.row() == pytest.approx(other.row())


def test_predicted_scores_of_two_models_are_a_guess_at_the_gain() -> None:
    scored, guess = pair(5)
    both = np.column_stack([np.zeros_like(guess), guess])
    assert pair_curve(scored, both, reps=9).row() == pair_curve(scored, guess, reps=9).row()


def test_fewer_than_five_tasks_draw_groups_and_say_so() -> None:
    scored, guess = pair(6, tasks=2, n=40)
    found = pair_curve(scored, guess, reps=50)
    assert found.unit == "groups of like prompts"
    assert any("nothing about other tasks" in caution for caution in found.cautions)


@pytest.mark.parametrize(
    ("names", "problem", "said"),
    [
        ({"weak": "m00"}, SettingError, "needs two"),
        ({"weak": "m00", "strong": "m0"}, EvidenceError, "closest is"),
        ({"weak": "m00", "strong": "m00"}, EvidenceError, "twice"),
        ({"keep": np.zeros(120, dtype=bool)}, EvidenceError, "no prompt"),
    ],
)
def test_bad_pairs_are_refused(names: dict[str, object], problem: type[Exception], said: str) -> None:
    scored, guess = pair(7)
    with pytest.raises(problem, match=said):
        pair_curve(scored, guess, **names)  # type: ignore[arg-type]


# ------------------------------------------------------------------------------ predictions


def clusters(seed: int = 0, tasks: int = 6, n: int = 30) -> tuple[ScoredPrompts, np.ndarray]:
    """Return prompts near their task's centre; the second model is better on half of the tasks."""
    rng = np.random.default_rng(seed)
    dataset = np.repeat(np.arange(tasks), n)
    centre = rng.standard_normal((tasks, 12))
    vectors = centre[dataset] + 0.3 * rng.standard_normal((dataset.size, 12))
    accuracy = np.column_stack([np.full(tasks, 0.5), np.where(np.arange(tasks) % 2, 0.95, 0.35)])
    return made((rng.random((dataset.size, 2)) < accuracy[dataset]).astype(float), dataset), vectors


def test_what_the_vectors_hold_is_found() -> None:
    scored, vectors = clusters()
    found = pair_curve(scored, predict_scores(scored, vectors, predictor=NO_WORDS).score, reps=20)
    assert (found.apgr.value or 0) > 0.9


@pytest.mark.parametrize("split", ["random", "lodo"])
def test_labels_of_the_prompts_judged_are_never_read(split: str) -> None:
    scored, vectors = clusters()
    first = predict_scores(scored, vectors, split=split, predictor=NO_WORDS)  # type: ignore[arg-type]
    judged = first.fold == 2
    noise = np.where(judged[:, None], 1 - scored.score, scored.score)
    other = predict_scores(
        made(noise, scored.dataset),
        vectors,
        split=split,
        predictor=NO_WORDS,  # type: ignore[arg-type]
    )
    assert np.array_equal(first.score[judged], other.score[judged])
    assert not np.array_equal(first.score[~judged], other.score[~judged])


def test_like_prompts_share_a_fold_and_leave_the_pool_with_their_dataset() -> None:
    dataset = np.repeat(np.arange(4), 10)
    texts = [f"text {i % 20}" for i in range(40)]
    scored = made(np.random.default_rng(0).integers(0, 2, (40, 2)).astype(float), dataset, texts)
    vectors = np.random.default_rng(1).standard_normal((40, 3))
    fold = predict_scores(scored, vectors, predictor=NO_WORDS).fold
    assert np.array_equal(fold[:20], fold[20:])
    left = predict_scores(scored, vectors, split="lodo", predictor=NO_WORDS)
    # Dataset 0 repeats dataset 2, so dataset 2's labels may not speak for it.
    changed = np.where((dataset == 2)[:, None], 1 - scored.score, scored.score)
    again = predict_scores(made(changed, dataset, texts), vectors, split="lodo", predictor=NO_WORDS)
    assert np.array_equal(left.score[dataset == 0], again.score[dataset == 0])


def test_missing_scores_are_filled_for_training_and_counted() -> None:
    scored, vectors = clusters()
    gaps = scored.score.copy()
    gaps[0, 1] = np.nan
    found = predict_scores(made(gaps, scored.dataset), vectors, predictor=NO_WORDS)
    assert found.filled == 1
    assert np.isfinite(found.score).all()


@pytest.mark.slow
@pytest.mark.ci
def test_words_alone_tell_tasks_apart_and_folds_do_not_share_them() -> None:
    rng = np.random.default_rng(0)
    dataset = np.repeat(np.arange(4), 40)
    words = ["prove lemma", "write code", "treat patient", "name capital"]
    texts = [f"{words[d]} {rng.integers(1000)}" for d in dataset]
    score = (rng.random((160, 2)) < np.array([[0.5, 0.9], [0.5, 0.1]])[dataset % 2]).astype(float)
    scored = made(score, dataset, texts)
    only = ScorePredictor(parts=("words",))
    found = predict_scores(scored, np.zeros((160, 1)), predictor=only)
    gain = found.score[:, 1] - found.score[:, 0]
    assert gain[dataset % 2 == 0].mean() > 0.2 > -0.2 > gain[dataset % 2 == 1].mean()


def test_vectors_that_do_not_fit_are_refused() -> None:
    scored, vectors = clusters()
    with pytest.raises(EvidenceError, match="one row a prompt"):
        predict_scores(scored, vectors[:-1])
    with pytest.raises(EvidenceError, match="not finite"):
        predict_scores(scored, np.full_like(vectors, np.nan))
    with pytest.raises(SettingError, match="folds"):
        predict_scores(scored, vectors, folds=1, predictor=NO_WORDS)
    with pytest.raises(SettingError, match="parts"):
        ScorePredictor(parts=())


# ------------------------------------------------------------------------------- results and words


def test_without_prices_the_pair_stands_and_the_gain_says_why_not() -> None:
    scored, vectors = clusters()
    found = curve(scored, vectors, predictor=NO_WORDS, reps=50)
    by_id = {f.id: f for f in Document(findings=found.findings()).findings}
    assert {"routing.apgr", "routing.apgr.exact", "routing.cpt_50", "routing.cpt_50.exact"} <= set(by_id)
    gain = by_id["routing.compute_equivalent_gain"]
    assert gain.status == "not_identified"
    assert "--prices FILE" in gain.details["reason"]
    section = cost_section(found)
    assert [figure.id for figure in cost_figures(found)] == ["cost-pair"]
    assert "not known" in section.prose[0]
    assert found.frame().height
    assert "Costs are not known" in found.summary()


def test_three_models_without_a_price_or_a_pair_are_refused() -> None:
    scored, vectors = clusters()
    three = made(np.column_stack([scored.score, scored.score[:, 0]]), scored.dataset)
    with pytest.raises(EvidenceError, match="--prices FILE"):
        curve(three, vectors, predictor=NO_WORDS)
    assert curve(three, vectors, weak="m00", strong="m01", predictor=NO_WORDS, reps=20).pairs


@pytest.mark.public_data
def test_the_pair_of_routellm_reaches_the_bar(public_data: Path) -> None:
    from isoflop.routing.encoders import encode

    tables = (public_data / "routing" / f"{name}.parquet" for name in ("scores", "prompts"))
    scores, prompts = (
        load(path, schema=schema)
        for path, schema in zip(tables, ("model_scores_by_prompt", "prompts"), strict=True)
    )
    scored = join(scores, prompts, source="routellm")
    found = apgr(scored, encode(list(scored.prompts), "static").vectors, reps=200)
    by_name = {one.name: one for one in found.pairs}
    assert (by_name["mmlu"].apgr.value or 0) >= 0.68
    assert (by_name["mmlu"].apgr_exact.value or 0) >= 0.68
    assert (by_name["gsm8k"].apgr.value or 0) >= 0.57

"""The default selector: what it equals, when it moves, when it abstains, what must not move it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.errors import SettingError
from isoflop.routing.means import centred
from isoflop.routing.selection import Shrunken, fit_shrunken
from isoflop.routing.selection.shrunken import GOLDEN, GRID
from isoflop.routing.task_scores import TaskScores

from .planted_tasks import grouped, planted_scores

FEW = settings(max_examples=8, deadline=None)
SAME = 1e-9
"""Sums of a dozen numbers in another order."""


def choices(scores: TaskScores, how: Shrunken | None = None) -> list[int]:
    """Return the choice for each task from the others."""
    return [
        fit_shrunken(scores.training(d), how).predict(scores.task(d)).choice
        for d in range(len(scores.datasets))
    ]


def relabelled(scores: TaskScores, target: int, accuracy: np.ndarray) -> TaskScores:
    """Return the scores with other labels of one task."""
    changed = scores.accuracy.copy()
    changed[target] = accuracy
    return replace(scores, accuracy=changed)


def test_groups_with_favourites_of_their_own_are_told_apart() -> None:
    scores = grouped(0, effect=0.15)
    found = [fit_shrunken(scores.training(d)).predict(scores.task(d)) for d in range(16)]
    picked = np.array([scores.accuracy[d, one.choice] for d, one in enumerate(found)])
    base = np.array([scores.accuracy[d, one.base] for d, one in enumerate(found)])
    assert picked.mean() > base.mean() + 0.1
    assert {one.reason for one in found} == {"neighbours", "best_on_average"}
    assert all(one.gain_low is not None and one.gain_low <= one.gain for one in found)


@pytest.mark.slow
@pytest.mark.ci
def test_without_signal_the_best_on_average_stays_in_nine_of_ten() -> None:
    stayed = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        accuracy = 0.6 + rng.normal(0, 0.06, 6) + rng.normal(0, 0.1, (12, 1)) + rng.normal(0, 0.05, (12, 6))
        scores = planted_scores(accuracy.clip(0, 1), rng.integers(0, 4, 12), seed)
        for d in range(12):
            said = fit_shrunken(scores.training(d)).predict(scores.task(d))
            stayed.append(said.choice == said.base)
    assert np.mean(stayed) >= 0.9


def test_moves_that_lost_on_tasks_left_out_are_not_followed() -> None:
    scores = grouped(0, effect=0.15)
    lied = replace(scores, share=scores.share[:, :, np.arange(16) ^ 1], s2=1 - scores.s2)
    moved = 0
    for d in range(16):
        said = fit_shrunken(lied.training(d)).predict(lied.task(d))
        free = fit_shrunken(lied.training(d), Shrunken(abstain=False)).predict(lied.task(d))
        assert said.choice == said.base
        if free.choice != free.base:
            moved += 1
            assert (said.reason, said.abstained) == ("abstained", True)
            assert said.sure_gain is not None
            assert said.sure_gain <= 0
    assert moved > 0


def test_equal_neighbours_give_no_weight_and_the_best_on_average() -> None:
    rng = np.random.default_rng(3)
    scores = planted_scores(rng.random((9, 5)), np.zeros(9, dtype=int))
    fit = fit_shrunken(scores.training(0), GOLDEN)
    said = fit.predict(scores.task(0))
    assert fit.w == 0
    assert said.choice == said.base == int(np.argmax(scores.accuracy[1:].mean(axis=0)))
    assert said.accuracy == pytest.approx(scores.accuracy[1:].mean(axis=0), abs=SAME)


def test_the_weight_is_the_smallest_within_one_standard_error() -> None:
    training = grouped(1, effect=0.05).training(0)
    fit = fit_shrunken(training, GOLDEN)
    truth, errors = centred(training.accuracy), []
    for w in GRID:
        row = []
        for e in range(15):
            rest = np.delete(np.arange(15), e)
            prior = centred(training.accuracy[rest].mean(axis=0))
            mixed = centred(training.share[e, rest] @ training.accuracy[rest])
            row.append(np.mean((prior + w * (mixed - prior) - truth[e]) ** 2))
        errors.append(row)
    table = np.array(errors).T
    best = table.mean(axis=0).argmin()
    apart = table - table[:, [best]]
    within = apart.mean(axis=0) <= apart.std(axis=0, ddof=1) / np.sqrt(15)
    assert fit.w == GRID[np.flatnonzero(within)[0]]
    assert fit.w_curve == pytest.approx(table.mean(axis=0), abs=SAME)


@FEW
@given(seed=st.integers(0, 99), target=st.integers(0, 15))
def test_labels_of_the_task_change_nothing(seed: int, target: int) -> None:
    scores = grouped(seed, effect=0.08)
    noise = relabelled(scores, target, np.random.default_rng(seed).random(4))
    for how in (Shrunken(), GOLDEN):
        one, two = (fit_shrunken(s.training(target), how).predict(s.task(target)) for s in (scores, noise))
        assert np.array_equal(one.accuracy, two.accuracy)
        assert (one.choice, one.sure_gain, one.gain_low) == (two.choice, two.sure_gain, two.gain_low)


@pytest.mark.slow
@pytest.mark.ci
@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 99))
def test_orders_of_models_and_tasks_only_reorder_the_answer(seed: int) -> None:
    scores = grouped(seed, effect=0.08)
    order = np.random.default_rng(seed).permutation(4)
    turned = replace(
        scores,
        accuracy=scores.accuracy[:, order],
        **{name: getattr(scores, name)[..., order] for name in ("s1", "s2", "p", "local")},
    )
    found = choices(scores)
    assert [order[m] for m in choices(turned)] == found
    tasks = np.random.default_rng(seed).permutation(16)
    moved = planted_scores(scores.accuracy[tasks], tasks % 2)
    moved = replace(moved, u=scores.u[np.ix_(tasks, tasks)])
    assert choices(moved) == [found[d] for d in tasks]


def test_an_equal_shift_of_difficulty_moves_no_choice() -> None:
    scores = grouped(2, effect=0.1)
    harder = grouped(2, effect=0.1)
    shift = np.random.default_rng(0).uniform(-0.1, 0.1, (16, 1))
    shifted = replace(harder, accuracy=scores.accuracy + shift)
    assert choices(shifted, GOLDEN) == choices(scores, GOLDEN)


def test_missing_cells_are_left_out_of_every_mean() -> None:
    scores = grouped(4, effect=0.12)
    holed = scores.accuracy.copy()
    holed[3, 1] = np.nan
    said = fit_shrunken(replace(scores, accuracy=holed).training(0)).predict(scores.task(0))
    assert np.isfinite(said.accuracy).all()
    assert said.prior[1] == pytest.approx(np.nanmean(holed[1:, 1]), abs=SAME)


def test_a_task_beyond_the_training_range_is_far() -> None:
    scores = grouped(0, effect=0.1)
    fit = fit_shrunken(scores.training(0))
    assert fit.predict(replace(scores.task(0), u=0.95)).far
    assert not fit.predict(replace(scores.task(0), u=0.4)).far


def test_too_few_tasks_give_no_interval_and_no_move() -> None:
    scores = grouped(0, effect=0.2, tasks=3)
    said = fit_shrunken(scores.training(0)).predict(scores.task(0))
    assert said.gain_low is None
    assert said.sure_gain is None
    assert said.choice == said.base


def test_settings_that_mean_nothing_are_refused() -> None:
    with pytest.raises(SettingError, match="mean 'learned'"):
        Shrunken(combine="learnd")  # type: ignore[arg-type]
    with pytest.raises(SettingError, match=r"sure=75, must lie in \(0, 1\)"):
        Shrunken(sure=75)


@pytest.mark.public_data
@pytest.mark.parametrize(
    ("source", "golden", "tasks"), [("llmrouter", 0.6158, 14), ("predictaboard", 0.7187, 24)]
)
def test_public_collections_give_the_stored_score_and_the_default_does_not_lose(
    public_data: Path, source: str, golden: float, tasks: int
) -> None:
    from isoflop.evidence import load
    from isoflop.routing import join
    from isoflop.routing.encoders import encode
    from isoflop.routing.model import Paper
    from isoflop.routing.neighbours.tasks import score_tasks

    folder = public_data / "routing"
    scored = join(
        load(folder / "scores.parquet", schema="model_scores_by_prompt"),
        load(folder / "prompts.parquet", schema="prompts"),
        source=source,
    )
    scores = score_tasks(scored, encode(scored.prompts, "static").vectors, Paper(leakage="keep"))
    truth = scores.accuracy
    reached = np.mean([truth[d, m] for d, m in enumerate(choices(scores, GOLDEN))])
    default = np.mean([truth[d, m] for d, m in enumerate(choices(scores))])
    base = np.mean([truth[d, np.delete(truth, d, axis=0).mean(axis=0).argmax()] for d in range(tasks)])
    assert reached == pytest.approx(golden, abs=0.002)
    assert default >= base - 0.005

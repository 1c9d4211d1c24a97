"""Intervals from tasks left out: quantiles by hand, flavours, and risk that is kept."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.errors import SettingError
from isoflop.routing.selection.conformal import half_width, needed, residuals, risk_threshold

FEW = settings(max_examples=30, deadline=None)


@pytest.mark.parametrize(
    ("tasks", "level", "rank"),
    [(9, 0.9, 9), (19, 0.9, 18), (20, 0.9, 19), (3, 0.75, 3), (58, 0.9, 54), (8, 0.9, None), (2, 0.75, None)],
)
def test_half_width_is_the_ranked_residual_or_cannot_be_had(
    tasks: int, level: float, rank: int | None
) -> None:
    shuffled = np.random.default_rng(0).permutation(np.arange(1.0, tasks + 1))
    assert half_width(shuffled, level) == rank
    assert (tasks >= needed(level)) == (rank is not None)


@FEW
@given(values=st.lists(st.floats(0, 1), min_size=9, max_size=40, unique=True))
def test_leaving_each_residual_out_covers_it_at_least_as_often_as_promised(values: list[float]) -> None:
    everything = np.array(values)
    held = []
    for i in range(everything.size):
        width = half_width(np.delete(everything, i), 0.75)
        assert width is not None
        held.append(everything[i] <= width)
    assert np.mean(held) >= 0.75


def test_all_models_need_the_widest_interval() -> None:
    rng = np.random.default_rng(0)
    predicted, true = rng.random((12, 4)), rng.random((12, 4))
    everything = half_width(residuals(predicted, true, "all"), 0.9)
    chosen = half_width(residuals(predicted, true, "chosen", chosen=predicted.argmax(axis=1)), 0.9)
    assert everything is not None
    assert chosen is not None
    assert chosen <= everything
    for model in range(4):
        one = residuals(predicted, true, "one", model=model)
        assert np.array_equal(one, np.abs(predicted - true)[:, model])
        assert np.all(one <= residuals(predicted, true, "all"))


@FEW
@given(seed=st.integers(0, 999), tasks=st.integers(1, 30), risk=st.floats(0.05, 0.9))
def test_accepted_tasks_keep_the_risk_and_one_more_would_not(seed: int, tasks: int, risk: float) -> None:
    rng = np.random.default_rng(seed)
    score, loss = rng.integers(0, 8, tasks) / 8, rng.random(tasks)
    found = risk_threshold(score, loss, risk)
    if found is None:
        assert risk < 1 / (tasks + 1)
        return
    assert (loss[score >= found].sum() + 1) / (tasks + 1) <= risk
    below = score[score < found]
    if below.size:
        assert (loss[score >= below.max()].sum() + 1) / (tasks + 1) > risk


@pytest.mark.parametrize("wrong", [0.0, 1.0, 90.0])
def test_levels_and_risks_that_are_no_chances_are_refused(wrong: float) -> None:
    with pytest.raises(SettingError, match="must lie in"):
        half_width(np.ones(3), wrong)
    with pytest.raises(SettingError, match="must lie in"):
        risk_threshold(np.ones(3), np.ones(3), wrong)


def test_the_chosen_flavour_needs_the_choices() -> None:
    with pytest.raises(SettingError, match="Give chosen="):
        residuals(np.ones((2, 2)), np.ones((2, 2)), "chosen")

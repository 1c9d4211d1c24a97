"""The compute-equivalent gain, what calls cost, and the sweep: planted truth, properties, bad input."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.errors import EvidenceError, SettingError
from isoflop.evidence import load
from isoflop.routing.cost.equivalent import equivalent_gain, equivalent_log_cost
from isoflop.routing.cost.hull import upper_hull
from isoflop.routing.cost.prices import CallCosts, call_costs
from isoflop.routing.cost.sweep import cost_quality
from isoflop.routing.sample import ScoredPrompts

from .made_scores import made, planted

TODAY = dt.date(2026, 11, 23)
LADDER = np.array([0.2, 0.4, 0.6, 0.8])
"""Scores of four models, each of which costs ten times the one before."""


def ladder(tasks: int = 8, n: int = 25, noise: float = 0.0, seed: int = 0) -> ScoredPrompts:
    """Return tasks on which the four models score LADDER, but for noise of the task."""
    rng = np.random.default_rng(seed)
    level = np.clip(LADDER + noise * rng.standard_normal((tasks, 1)), 0, 1)
    dataset = np.repeat(np.arange(tasks), n)
    return made(np.round(level[dataset], 6), dataset)


def costs(scored: ScoredPrompts, per_model: np.ndarray) -> CallCosts:
    return CallCosts(per_call=np.broadcast_to(per_model, scored.score.shape).copy(), basis="prices")


TENFOLD = 10.0 ** np.arange(4)


# ----------------------------------------------------------------------------- the hull inverted


@given(st.integers(0, 10_000))
def test_the_least_cost_is_that_of_the_hull(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=7), rng.uniform(size=7)
    hull = upper_hull(x, y)
    for score in rng.uniform(0, 1.1, 5):
        found = float(equivalent_log_cost(x, y, score))
        wanted = float(hull.reach(score))
        assert found == (np.inf if np.isnan(wanted) else pytest.approx(wanted, abs=1e-9))


def test_stacks_of_draws_are_done_at_once() -> None:
    rng = np.random.default_rng(0)
    x, y, s = rng.normal(size=(9, 5)), rng.uniform(size=(9, 5)), rng.uniform(size=9)
    one_by_one = [float(equivalent_log_cost(*row)) for row in zip(x, y, s, strict=True)]
    assert np.allclose(equivalent_log_cost(x, y, s), one_by_one)


# ------------------------------------------------------------------------------------- the gain


@pytest.mark.parametrize("model", range(4))
def test_a_router_that_is_one_model_on_the_hull_gains_nothing(model: int) -> None:
    scored = ladder(noise=0.03)
    found = equivalent_gain(scored, costs(scored, TENFOLD), np.full(scored.n, model), router="one model")
    assert found.estimate.value == pytest.approx(1.0)
    assert found.estimate.low == pytest.approx(1.0, abs=1e-6)
    assert found.estimate.high == pytest.approx(1.0, abs=1e-6)


def test_half_and_half_of_two_models_costs_more_than_the_model_between() -> None:
    """Mixing 1 and 10 at random scores the middle at 5.5; on the hull in ln cost it costs √10."""
    scored = ladder()
    choice = np.tile(np.repeat([0, 1], [13, 12]), 8)
    share = 12 / 25
    found = equivalent_gain(scored, costs(scored, TENFOLD), choice, router="mixture")
    score, cost = 0.2 + 0.2 * share, 1 + 9 * share
    assert found.estimate.value == pytest.approx(10 ** ((score - 0.2) / 0.2) / cost)


def test_choices_by_task_are_choices_of_all_its_prompts() -> None:
    scored = ladder(noise=0.05)
    by_task = np.arange(8) % 4
    a = equivalent_gain(scored, costs(scored, TENFOLD), by_task, router="r")
    b = equivalent_gain(scored, costs(scored, TENFOLD), by_task[scored.dataset], router="r")
    assert a.estimate == b.estimate


@pytest.mark.slow
@pytest.mark.ci
@given(st.floats(0.01, 100.0))
def test_the_unit_of_cost_cancels(unit: float) -> None:
    scored = ladder(noise=0.05)
    choice = np.arange(scored.n) % 4
    one = equivalent_gain(scored, costs(scored, TENFOLD), choice, router="r", reps=99)
    other = equivalent_gain(scored, costs(scored, unit * TENFOLD), choice, router="r", reps=99)
    assert other.estimate.value == pytest.approx(one.estimate.value)
    assert other.estimate.low == pytest.approx(one.estimate.low)


def test_above_every_single_model_there_is_a_bound_and_no_value() -> None:
    rng = np.random.default_rng(0)
    dataset = np.repeat(np.arange(10), 40)
    strong = rng.integers(0, 2, dataset.size)
    score = np.column_stack([strong == 0, strong == 1]).astype(float)
    scored = made(score, dataset)
    found = equivalent_gain(scored, costs(scored, np.array([1.0, 4.0])), strong, router="knows")
    assert found.place == "above"
    assert found.estimate.value is None
    assert found.estimate.interval == "open_above"
    assert found.bound is not None
    assert found.bound > 1
    finding = found.finding()
    assert finding.status == "not_identified"
    assert "at least" in finding.details["reason"]
    assert found.draws_above == 1.0


def test_below_the_cheapest_model_there_is_an_upper_bound() -> None:
    scored = ladder()
    score = scored.score.copy()
    score[:, 0] = 0.9
    worse = made(score, scored.dataset)
    found = equivalent_gain(worse, costs(worse, TENFOLD), np.full(worse.n, 1), router="wrong")
    assert (found.place, found.estimate.value, found.estimate.low) == ("below", None, None)
    assert found.bound == pytest.approx(0.1)


def test_few_tasks_give_no_interval() -> None:
    scored = ladder(tasks=3)
    found = equivalent_gain(scored, costs(scored, TENFOLD), np.arange(scored.n) % 4, router="r")
    assert found.estimate.value is not None
    assert found.estimate.low is None
    assert any("too few to draw" in caution for caution in found.cautions)


def drawn_tasks(ladder: np.ndarray, seed: int, tasks: int = 14) -> tuple[ScoredPrompts, np.ndarray]:
    """Return tasks whose models scatter about `ladder`, and a router that picks model 1 or 2 by chance."""
    rng = np.random.default_rng(seed)
    level = ladder + 0.05 * rng.standard_normal((tasks, 1)) + 0.03 * rng.standard_normal((tasks, 4))
    dataset = np.repeat(np.arange(tasks), 2)
    return made(np.clip(level, 0, 1)[dataset], dataset), rng.permutation(np.arange(tasks) % 2 + 1)


HALF_OF_EACH = 10**1.5 / 55
"""Gain of a router that sends half of the tasks to a model of cost 10 and half to one of 100."""


@pytest.mark.slow
@pytest.mark.ci
def test_the_interval_covers_the_gain_of_the_population() -> None:
    bent = np.array([0.3, 0.55, 0.7, 0.78])
    held = 0
    for seed in range(150):
        scored, choice = drawn_tasks(bent, seed)
        found = equivalent_gain(
            scored, costs(scored, TENFOLD), choice, router="r", reps=400, seed=seed
        ).estimate
        assert found.low is not None
        assert found.high is not None
        held += found.low <= HALF_OF_EACH <= found.high
    assert held >= 138


@pytest.mark.slow
def test_noise_lifts_the_hull_of_models_on_one_line_so_that_the_gain_leans_low() -> None:
    found = []
    for seed in range(60):
        scored, choice = drawn_tasks(LADDER, seed)
        value = equivalent_gain(scored, costs(scored, TENFOLD), choice, router="r", reps=9).estimate.value
        found.append(np.log(value / HALF_OF_EACH))
    assert -0.1 < np.mean(found) < 0


def test_costs_that_differ_wildly_are_said() -> None:
    scored = ladder()
    wide = equivalent_gain(
        scored, costs(scored, 100.0 ** np.arange(4)), np.full(scored.n, 1), router="r", reps=9
    )
    near = equivalent_gain(scored, costs(scored, TENFOLD), np.full(scored.n, 1), router="r", reps=9)
    assert any("differ by a factor" in caution for caution in wide.cautions)
    assert not any("differ by a factor" in caution for caution in near.cautions)


def test_choices_of_another_shape_are_refused() -> None:
    scored = ladder()
    with pytest.raises(EvidenceError, match="choice"):
        equivalent_gain(scored, costs(scored, TENFOLD), np.zeros(3), router="r")


# --------------------------------------------------------------------------------------- prices


def catalogue(rows: list[dict[str, object]]):  # type: ignore[no-untyped-def]
    return load(pl.DataFrame(rows, infer_schema_length=None), schema="model_catalogue", name="prices")


def priced(*days: str | None) -> list[dict[str, object]]:
    return [
        {
            "model": f"m{m:02d}",
            "params": 1e9 * (m + 1),
            "input_usd_per_mtok": 1.0 + m,
            "output_usd_per_mtok": 4.0,
            "as_of_date": day,
        }
        for m, day in enumerate(days)
    ]


def test_prices_times_tokens_are_usd() -> None:
    scored = made(np.ones((6, 2)), np.repeat([0, 1], 3), ["x" * 4000] * 6)
    found = call_costs(scored, catalogue(priced("2026-11-01", "2026-11-01")), tokens_out=500, today=TODAY)
    assert found.per_call[0].tolist() == pytest.approx(
        [(1000 * 1 + 500 * 4) / 1e6, (1000 * 2 + 500 * 4) / 1e6]
    )
    assert (found.unit, found.as_of) == ("USD", ("2026-11-01",))
    assert not any("90 days" in caution for caution in found.cautions)


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (("2024", "2024"), "older than 90 days"),
        (("2026-11", "2026-10"), "2 different days"),
        ((None, None), "carry no date"),
    ],
)
def test_old_mixed_and_undated_prices_are_said(days: tuple[str | None, ...], said: str) -> None:
    scored = made(np.ones((6, 2)), np.repeat([0, 1], 3))
    assert any(
        said in caution for caution in call_costs(scored, catalogue(priced(*days)), today=TODAY).cautions
    )


def test_sizes_stand_in_where_a_price_is_missing_and_are_named() -> None:
    scored = made(np.ones((6, 2)), np.repeat([0, 1], 3))
    rows = priced("2026-11-01", "2026-11-01")
    rows[1] |= {"input_usd_per_mtok": None, "output_usd_per_mtok": None}
    found = call_costs(scored, catalogue(rows), today=TODAY)
    assert (found.basis, found.unit) == ("sizes", "FLOP")
    assert found.per_call[0, 1] == pytest.approx(2 * found.per_call[0, 0])
    assert "parameters" in found.words


def test_models_without_price_or_size_are_named() -> None:
    scored = made(np.ones((6, 3)), np.repeat([0, 1], 3))
    with pytest.raises(EvidenceError, match="no price for m02"):
        call_costs(scored, catalogue(priced("2026-11-01", "2026-11-01")))
    with pytest.raises(EvidenceError, match="--prices FILE"):
        call_costs(scored)
    with pytest.raises(SettingError, match="tokens_out"):
        call_costs(scored, tokens_out=0)


# --------------------------------------------------------------------------------------- the sweep


def regimes(tasks: int = 10, n: int = 40) -> ScoredPrompts:
    """Return tasks of two kinds, each of which one of two models does well; a third is mediocre and cheap."""
    kind = np.arange(tasks) % 2
    accuracy = np.column_stack([np.where(kind, 0.9, 0.3), np.where(kind, 0.3, 0.9), np.full(tasks, 0.5)])
    return planted(accuracy, n)


def test_the_sweep_runs_from_quality_alone_to_the_cheapest_model() -> None:
    scored = regimes()
    known = scored.accuracy[scored.dataset]
    found = cost_quality(scored, costs(scored, np.array([5.0, 6.0, 1.0])), known, method="known", reps=99)
    assert found.score[0] > found.single_score.max() + 0.2
    assert found.cost[-1] == pytest.approx(1.0)
    assert found.score[-1] == pytest.approx(float(found.single_score[2]))
    assert found.aiq["router"].value > found.aiq["single models"].value  # type: ignore[operator]
    assert np.all(np.diff(found.cost) <= 1e-12)
    assert found.oracle_score >= found.score.max()


def test_the_setting_that_matches_the_best_single_model_is_chosen_without_the_task() -> None:
    scored = regimes()
    known = scored.accuracy[scored.dataset]
    found = cost_quality(scored, costs(scored, np.array([5.0, 6.0, 1.0])), known, method="known", reps=99)
    assert found.matched is not None
    assert found.matched.cost <= found.cost[0]
    ids = [f.id for f in found.findings()]
    assert ids == [
        "routing.compute_equivalent_gain",
        "routing.compute_equivalent_gain.matched",
        "routing.aiq",
        "routing.aiq_span",
    ]


def test_equal_costs_leave_one_setting() -> None:
    scored = regimes()
    found = cost_quality(
        scored, costs(scored, np.ones(3)), scored.accuracy[scored.dataset], method="k", reps=50
    )
    assert found.score_per_cost.tolist() == [0.0]


def test_predictions_of_another_shape_are_refused() -> None:
    scored = regimes()
    with pytest.raises(EvidenceError, match="same shape"):
        cost_quality(scored, costs(scored, np.ones(3)), np.zeros((3, 3)), method="k")

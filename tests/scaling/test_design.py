"""The next runs: greedy design against brute force, and that a design pays off on simulated runs."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop import scaling
from isoflop.errors import SettingError
from isoflop.scaling.design.find import Candidates
from isoflop.scaling.simulate import planted_runs
from isoflop.stats.design import greedy_design
from isoflop.stats.resample import Bootstrap


@pytest.fixture(scope="module")
def fitted():
    runs = scaling.select(planted_runs(noise=0.005, sizes=5, seed=1))
    return scaling.fit(runs, objective=scaling.Gaussian(), ci=Bootstrap(reps=100))


def variance(information, rows, noise, c):
    total = information + sum(np.outer(g, g) for g in rows) / noise**2
    return float(c @ np.linalg.solve(total, c))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.2, 3.0))
def test_each_pick_is_the_best_single_addition(seed, noise):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(4, 4))
    information = root @ root.T + 0.5 * np.eye(4)
    candidates, c = rng.normal(size=(6, 4)), rng.normal(size=4)
    picks = greedy_design(
        information[None], candidates[None], c[None], noise=noise, cost=np.ones(6), budget=2.0, repeats=2
    )
    first = [variance(information, [g], noise, c) for g in candidates]
    assert picks.index[0] == int(np.argmin(first))
    assert picks.variance[0] == pytest.approx(variance(information, [], noise, c), rel=1e-9)
    chosen = candidates[picks.index]
    assert picks.variance[-1] == pytest.approx(variance(information, chosen, noise, c), rel=1e-8)
    grown = information + chosen.T @ chosen / noise**2
    assert picks.log_determinant[-1] == pytest.approx(np.linalg.slogdet(grown)[1], rel=1e-9)


def test_greedy_pairs_are_near_the_best_pair():
    rng = np.random.default_rng(0)
    information = np.eye(3)
    candidates, c = rng.normal(size=(12, 3)), np.array([1.0, -1.0, 0.5])
    picks = greedy_design(
        information[None], candidates[None], c[None], noise=1.0, cost=np.ones(12), budget=2.0
    )
    best = min(
        variance(information, candidates[list(pair)], 1.0, c) for pair in itertools.combinations(range(12), 2)
    )
    assert picks.variance[-1] <= 1.1 * best


def test_a_design_keeps_to_its_budget_and_to_its_repeats(fitted):
    found = scaling.design(fitted, budget_flop=1e21, runs=6)
    assert found.spent[-1] <= 1e21 * (1 + 1e-9)
    assert len(found.params) <= 6
    assert len(set(zip(found.params.tolist(), found.tokens.tolist(), strict=True))) == len(found.params)
    assert (np.diff(found.variance) < 0).all()
    assert found.findings()[0].estimate.value > 1


@pytest.mark.parametrize("target", ["loss", "allocation", "parameters"])
def test_designed_runs_narrow_the_answer_more_than_repeats_of_the_middle(fitted, target):
    designed = scaling.design(fitted, budget_flop=3e21, target=target, runs=5)
    middle = Candidates(params=(5e8,) * 5, tokens=(1e10,) * 5)
    plain = scaling.design(fitted, budget_flop=3e21, target=target, runs=5, candidates=middle)
    if target == "parameters":
        assert designed.log_determinant[-1] > plain.log_determinant[-1]
    else:
        assert designed.sd_after < plain.sd_after


@pytest.mark.slow
def test_expected_widths_are_those_of_simulated_refits(fitted):
    from isoflop.scaling.estimate import problem, refit

    found = scaling.design(fitted, budget_flop=3e21, target="allocation", runs=8)
    one, law, rng = fitted.found.problem, fitted.law, np.random.default_rng(0)
    u = np.hstack([one.u, np.log([found.params, found.tokens])])
    clean = law.log_predict(fitted.theta[None], u)[0]
    y = clean + rng.normal(0, found.noise, (400, len(clean)))
    got = refit(problem(law, u, clean, objective=scaling.Gaussian()), np.ones(len(clean)), fitted.theta, y=y)
    alpha, beta = got.theta[:, 3], got.theta[:, 4]
    assert np.std(beta / (alpha + beta)) == pytest.approx(found.sd_after, rel=0.35)


def test_a_design_that_cannot_be_made_is_refused(fitted):
    for call, words in (
        (lambda: scaling.design(fitted, budget_flop=1e9), "below the smallest run"),
        (lambda: scaling.design(fitted, budget_flop=-1.0), "must lie in"),
        (lambda: scaling.design(fitted, budget_flop=1e21, target="losses"), "Did you mean 'loss'"),
        (lambda: scaling.design(fitted, budget_flop=1e21, runs=0), "at least 1"),
        (lambda: Candidates(params=(1e8,), tokens=()), "needs pairs"),
    ):
        with pytest.raises(SettingError, match=words):
            call()
    json.dumps(scaling.design(fitted, budget_flop=1e21, runs=3).to_dict(), allow_nan=False)


def test_the_allocation_of_a_law_without_its_exponents_is_refused(fitted):
    other = scaling.fit(fitted.runs, law="overtrain")
    with pytest.raises(SettingError, match="needs one with alpha and beta"):
        scaling.design(other, budget_flop=1e21, target="allocation")


@pytest.mark.slow
def test_repeated_data_inform_the_law_that_knows_of_them(fitted):
    import polars as pl

    from isoflop import evidence

    frame = fitted.runs.frame.drop("row", "record").with_columns(
        unique_tokens=pl.when(pl.col("params") > 3e8).then(pl.col("tokens") / 8).otherwise(pl.col("tokens"))
    )
    runs = scaling.select(evidence.load(frame, schema="scaling_runs", name="repeated"))
    assert any("repeat data" in c for c in scaling.fit(runs).cautions)
    knowing = scaling.fit(runs, law="data_constrained", objective=scaling.Gaussian(), status="return")
    assert not any("repeat data" in c for c in knowing.cautions)

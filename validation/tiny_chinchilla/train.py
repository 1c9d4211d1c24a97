"""One run: a model sees a text once, from the first character to the last of its share, and is tested.

Adam, a short linear warm-up, then the learning rate falls along a half cosine to zero at the end of the
run: every run is a final checkpoint, none is cut out of a longer one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from validation.tiny_chinchilla.model import CONTEXT, Shape, Weights, gradients, initial_weights, losses

WARM_UP = 0.05
"""Share of the steps over which the learning rate rises."""
BETAS, EPSILON = (0.9, 0.98), 1e-8
BLOCKS = 64
"""The standard error of a loss is taken over the means of so many consecutive blocks of the held-out text,
since the losses of neighbouring characters hang together."""
TESTED_AT_ONCE = 2048


@dataclass(frozen=True, kw_only=True)
class Loss:
    """A held-out loss and its standard error, nats per character."""

    mean: float
    se: float


def train(
    shape: Shape,
    text: NDArray[np.uint8],
    *,
    lr: float,
    batch: int,
    rng: np.random.Generator,
    tick: Callable[[float], None] = lambda _share: None,
) -> Weights:
    """Return the weights after one pass over a text in random order.

    Parameters
    ----------
    shape : Shape
    text : array of codes, shape (CONTEXT + characters,)
        The first `CONTEXT` characters are context only.
    lr : float
        Peak learning rate.
    batch : int
        Characters predicted in one step.
    rng : Generator
        Draws the initial weights and the order.
    tick : callable
        Told the share done, now and then.
    """
    weights = initial_weights(shape, rng)
    slopes = {name: np.zeros_like(array) for name, array in weights.items()}
    squares = {name: np.zeros_like(array) for name, array in weights.items()}
    windows = sliding_window_view(text, CONTEXT + 1)
    order = rng.permutation(len(windows))
    steps = -(-len(windows) // batch)
    for step in range(steps):
        seen = windows[order[step * batch : (step + 1) * batch]]
        found = gradients(weights, seen[:, :CONTEXT], seen[:, CONTEXT])
        rate = lr * _schedule((step + 0.5) / steps)
        # the bias corrections of Adam, folded into the rate
        rate *= np.sqrt(1 - BETAS[1] ** (step + 1)) / (1 - BETAS[0] ** (step + 1))
        for name, gradient in found.items():
            slopes[name] += np.float32(1 - BETAS[0]) * (gradient - slopes[name])
            squares[name] += np.float32(1 - BETAS[1]) * (gradient * gradient - squares[name])
            weights[name] -= np.float32(rate) * slopes[name] / (np.sqrt(squares[name]) + np.float32(EPSILON))
        if step % 64 == 0:
            tick(step / steps)
    return weights


def _schedule(done: float) -> float:
    """Return the share of the peak rate when a share `done` of the run is over."""
    if done < WARM_UP:
        return done / WARM_UP
    return float(0.5 * (1 + np.cos(np.pi * (done - WARM_UP) / (1 - WARM_UP))))


def held_out(weights: Weights, text: NDArray[np.uint8]) -> Loss:
    """Return the loss on a held-out text; its first `CONTEXT` characters are context only."""
    return summarise(each_loss(weights, text))


def each_loss(weights: Weights, text: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the loss of each character after the first `CONTEXT`, nats."""
    windows = sliding_window_view(text, CONTEXT + 1)
    parts = np.split(windows, range(TESTED_AT_ONCE, len(windows), TESTED_AT_ONCE))
    return np.concatenate(
        [losses(weights, part[:, :CONTEXT], part[:, CONTEXT]) for part in parts], dtype=float
    )


def summarise(each: NDArray[np.float64]) -> Loss:
    """Return mean and standard error over `BLOCKS` consecutive blocks.

    Examples
    --------
    >>> summarise(np.ones(640))
    Loss(mean=1.0, se=0.0)
    """
    means = np.array([block.mean() for block in np.array_split(each, BLOCKS)])
    return Loss(mean=float(each.mean()), se=float(means.std(ddof=1) / np.sqrt(BLOCKS)))

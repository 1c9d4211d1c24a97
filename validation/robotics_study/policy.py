"""A multilayer perceptron with ReLU units, its gradient, and training by Adam, in NumPy.

The policy maps observations, standardised with the demonstrations' mean and deviation, to actions; it
is trained on the mean squared error to the expert's actions. Training cost is counted as
6 FLOP x parameters x samples seen (2 forward, 4 backward), the convention of the scaling literature.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Weights = list[NDArray[np.float32]]

BETA_MEAN, BETA_SQUARE, EPSILON = 0.9, 0.999, 1e-8
SMALLEST_DEVIATION = 1e-3  # a column that hardly varies in the demonstrations must not dominate elsewhere


def layer_sizes(inputs: int, width: int, depth: int, outputs: int) -> list[int]:
    """Units of each layer, from the observation to the action."""
    return [inputs, *[width] * depth, outputs]


def parameter_count(sizes: list[int]) -> int:
    """Weights and biases of a perceptron with these layers.

    >>> parameter_count([10, 4, 4, 2])
    74
    """
    return sum((before + 1) * after for before, after in pairwise(sizes))


def training_flop(parameters: int, steps: int, batch: int) -> int:
    """FLOP of training: 6 for each parameter and sample.

    >>> training_flop(74, steps=100, batch=256)
    11366400
    """
    return 6 * parameters * steps * batch


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """How a policy is trained: Adam with a rate that falls to zero along a half cosine."""

    steps: int
    batch: int = 256
    rate: float = 3e-3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Policy:
    """A trained perceptron and the standardisation of its inputs."""

    weights: Weights
    mean: Array
    deviation: Array

    def __call__(self, observations: Array) -> Array:
        """Return actions in [−1, 1], shape (n, actions), for observations of shape (n, inputs)."""
        hidden = ((observations - self.mean) / self.deviation).astype(np.float32)
        return np.clip(forward(self.weights, hidden)[-1], -1.0, 1.0).astype(np.float64)


def initial_weights(sizes: list[int], rng: np.random.Generator) -> Weights:
    """Draw weights, alternating matrix and bias, scaled for ReLU; the last layer starts small."""
    weights: Weights = []
    for layer, (before, after) in enumerate(pairwise(sizes)):
        scale = np.sqrt(2 / before) if layer < len(sizes) - 2 else 0.1 / np.sqrt(before)
        weights.append((scale * rng.standard_normal((before, after))).astype(np.float32))
        weights.append(np.zeros(after, np.float32))
    return weights


def forward(weights: Weights, inputs: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Return the input, each hidden layer after its ReLU, and the output."""
    layers = [inputs]
    for matrix, bias in zip(weights[:-2:2], weights[1:-2:2], strict=True):
        layers.append(np.maximum(layers[-1] @ matrix + bias, 0.0))
    layers.append(layers[-1] @ weights[-2] + weights[-1])
    return layers


def loss_and_gradient(
    weights: Weights, inputs: NDArray[np.float32], targets: NDArray[np.float32]
) -> tuple[float, Weights]:
    """Mean over samples and actions of the squared error, and its gradient in every weight."""
    layers = forward(weights, inputs)
    error = layers[-1] - targets
    back = error * np.float32(2 / error.size)
    gradient: Weights = [np.empty(0, np.float32)] * len(weights)
    for index in range(len(weights) - 2, -1, -2):
        before = layers[index // 2]
        gradient[index], gradient[index + 1] = before.T @ back, back.sum(axis=0)
        if index:
            back = (back @ weights[index].T) * (before > 0)
    return float(np.mean(error**2)), gradient


def train(
    observations: Array, actions: Array, *, width: int, depth: int, training: Training, seed: int
) -> Policy:
    """Fit a perceptron to pairs of observation and action.

    Parameters
    ----------
    observations : array, shape (n, inputs)
    actions : array, shape (n, outputs), in [−1, 1]
    width, depth : int
        Units of a hidden layer, and hidden layers.
    training : Training
    seed : int
        Of the initial weights and the order of samples.
    """
    rng = np.random.default_rng(seed)
    mean, deviation = observations.mean(axis=0), observations.std(axis=0)
    deviation = np.maximum(deviation, SMALLEST_DEVIATION)
    inputs, targets = ((observations - mean) / deviation).astype(np.float32), actions.astype(np.float32)
    weights = initial_weights(layer_sizes(inputs.shape[1], width, depth, targets.shape[1]), rng)
    first, second = ([np.zeros_like(weight) for weight in weights] for _ in range(2))
    for step in range(1, training.steps + 1):
        rows = rng.integers(len(inputs), size=training.batch)
        _, gradient = loss_and_gradient(weights, inputs[rows], targets[rows])
        rate = training.rate * 0.5 * (1 + np.cos(np.pi * (step - 1) / training.steps))
        rate *= np.sqrt(1 - BETA_SQUARE**step) / (1 - BETA_MEAN**step)
        for weight, slope, mean_slope, mean_square in zip(weights, gradient, first, second, strict=True):
            mean_slope += (1 - BETA_MEAN) * (slope - mean_slope)
            mean_square += (1 - BETA_SQUARE) * (slope * slope - mean_square)
            weight -= np.float32(rate) * mean_slope / (np.sqrt(mean_square) + EPSILON)
    return Policy(weights=weights, mean=mean, deviation=deviation)

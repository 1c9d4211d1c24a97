"""Laws of model size N and training tokens D."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from isoflop.scaling.laws.identify import off_the_ray, shifts
from isoflop.scaling.laws.read_off import log_above, log_coefficients, log_floors
from isoflop.scaling.model import Array, Law, Parameter
from isoflop.stats.exp_sum import ExpSumDesign
from isoflop.stats.jets import Jet, exp, logaddexp

HOFFMANN = "Hoffmann et al. (2022), Training compute-optimal large language models, arXiv 2203.15556"
INPUTS = ("params", "tokens")
LN_SIX = float(np.log(6.0))
"""C = 6 N D."""
EXPONENTS = (0.1, 0.2, 0.35, 0.5, 0.75, 1.1)
"""alpha and beta of the starts: from the slowest published to the fastest seen in small grids."""

A = Parameter(name="A", unit="y", low=0.0, transform="log", doc="part that model size removes, at N = 1")
B = Parameter(name="B", unit="y", low=0.0, transform="log", doc="part that data remove, at D = 1")
E = Parameter(name="E", unit="y", low=0.0, transform="log", doc="irreducible loss", is_floor=True)
ALPHA = Parameter(name="alpha", doc="exponent of N; positive where the loss falls")
BETA = Parameter(name="beta", doc="exponent of D; positive where the loss falls")


def _chinchilla(theta: Sequence[Jet], u: Sequence[Jet]) -> Jet:
    a, b, e, alpha, beta = theta
    return logaddexp(e, logaddexp(a - alpha * u[0], b - beta * u[1]))


def _chinchilla_starts(u: Array, log_y: Array) -> Array:
    constant = np.zeros_like(log_y)
    return np.array(
        [
            [*log_coefficients([-alpha * u[0], -beta * u[1], constant], log_y), alpha, beta]
            for alpha, beta in product(EXPONENTS, EXPONENTS)
        ]
    )


def _chinchilla_terms(u: Array) -> ExpSumDesign:
    one, zero = np.ones_like(u[0]), np.zeros_like(u[0])
    return ExpSumDesign(
        terms=(
            np.column_stack([one, zero, zero, -u[0], zero]),
            np.column_stack([zero, one, zero, zero, -u[1]]),
            np.column_stack([zero, zero, one, zero, zero]),
        )
    )


CHINCHILLA = Law(
    name="chinchilla",
    formula="E + A N^-alpha + B D^-beta",
    citation=HOFFMANN,
    inputs=INPUTS,
    parameters=(A, B, E, ALPHA, BETA),
    log_y=_chinchilla,
    starts=_chinchilla_starts,
    centre=shifts(5, by_exponent={(0, 3): {0: 1.0}, (1, 4): {1: 1.0}}),
    check=off_the_ray(5),
    sum_of_powers=_chinchilla_terms,
    advice="The default for runs of several sizes and token counts: it says what to buy next.",
)


def _overtrain(theta: Sequence[Jet], u: Sequence[Jet]) -> Jet:
    a, b, e, eta = theta
    size, data = (2.0 * v + LN_SIX for v in u)
    return logaddexp(e, logaddexp(a - eta * size, b - eta * data))


def _overtrain_starts(u: Array, log_y: Array) -> Array:
    constant = np.zeros_like(log_y)
    size, data = 2.0 * u + LN_SIX
    return np.array(
        [
            [*log_coefficients([-eta * size, -eta * data, constant], log_y), eta]
            for eta in (0.05, 0.1, 0.15, 0.2, 0.3, 0.5)
        ]
    )


def _overtrain_terms(u: Array) -> ExpSumDesign:
    one, zero = np.ones_like(u[0]), np.zeros_like(u[0])
    size, data = 2.0 * u + LN_SIX
    return ExpSumDesign(
        terms=(
            np.column_stack([one, zero, zero, -size]),
            np.column_stack([zero, one, zero, -data]),
            np.column_stack([zero, zero, one, zero]),
        )
    )


OVERTRAIN = Law(
    name="overtrain",
    formula="E + (a M^eta + b M^-eta) C^-eta with M = D/N, C = 6 N D",
    citation="Gadre et al. (2024), Language models scale reliably with over-training, arXiv 2403.08540",
    inputs=INPUTS,
    parameters=(
        Parameter(
            name="a", unit="y", low=0.0, transform="log", doc="weight of few parameters for the tokens"
        ),
        Parameter(
            name="b", unit="y", low=0.0, transform="log", doc="weight of few tokens for the parameters"
        ),
        E,
        Parameter(name="eta", doc="exponent of compute; positive where the loss falls"),
    ),
    log_y=_overtrain,
    starts=_overtrain_starts,
    centre=shifts(4, by_exponent={(0, 3): {0: 2.0}, (1, 3): {1: 2.0}}),
    check=off_the_ray(4),
    sum_of_powers=_overtrain_terms,
    advice="Runs trained well past the optimum, few sizes: chinchilla with alpha = beta = 2 eta.",
)


def _kaplan(theta: Sequence[Jet], u: Sequence[Jet]) -> Jet:
    log_alpha_n, log_alpha_d, n_c, d_c = theta
    size = exp(log_alpha_n - log_alpha_d) * (n_c - u[0])
    return exp(log_alpha_d) * logaddexp(size, d_c - u[1])


def _kaplan_starts(u: Array, log_y: Array) -> Array:
    starts = []
    for alpha_n, alpha_d in product((0.05, 0.1, 0.2, 0.4), (0.05, 0.1, 0.2, 0.4)):
        ratio = alpha_n / alpha_d
        size, data = log_coefficients([-ratio * u[0], -u[1]], log_y / alpha_d)
        starts.append([np.log(alpha_n), np.log(alpha_d), size / ratio, data])
    return np.array(starts)


KAPLAN = Law(
    name="kaplan",
    formula="((N_c/N)^(alpha_N/alpha_D) + D_c/D)^alpha_D",
    citation="Kaplan et al. (2020), Scaling laws for neural language models, arXiv 2001.08361",
    inputs=INPUTS,
    parameters=(
        Parameter(name="alpha_N", low=0.0, transform="log", doc="exponent of N with unlimited data"),
        Parameter(name="alpha_D", low=0.0, transform="log", doc="exponent of D with unlimited size"),
        Parameter(name="N_c", unit="params", low=0.0, transform="log", doc="scale of model size"),
        Parameter(name="D_c", unit="tokens", low=0.0, transform="log", doc="scale of data"),
    ),
    log_y=_kaplan,
    starts=_kaplan_starts,
    centre=shifts(4, by_unit={2: {0: 1.0}, 3: {1: 1.0}}),
    check=off_the_ray(4),
    advice="To compare with Kaplan et al.; it has no floor, so it promises too much far out.",
)


def _coupled(theta: Sequence[Jet], u: Sequence[Jet]) -> Jet:
    a, b, e, alpha, beta, log_k = theta
    return logaddexp(e, exp(log_k) * logaddexp(a - alpha * u[0], b - beta * u[1]))


def _coupled_starts(u: Array, log_y: Array) -> Array:
    starts = []
    for share, k in product((0.02, 0.6, 0.9), (0.5, 1.0, 2.0)):
        [e] = log_floors(log_y, (share,))
        above = log_above(log_y, e) / k
        for alpha, beta in product((0.2, 0.4, 0.8), (0.2, 0.4, 0.8)):
            a, b = log_coefficients([-alpha / k * u[0], -beta / k * u[1]], above)
            starts.append([a, b, e, alpha / k, beta / k, np.log(k)])
    return np.array(starts)


COUPLED = Law(
    name="coupled",
    formula="E + (A N^-alpha + B D^-beta)^k, that is E + A^k (N^-alpha + R D^-beta)^k with R = B/A",
    citation="A law between Hoffmann et al. (2022), k = 1, and Kaplan et al. (2020), E = 0 and beta = 1",
    inputs=INPUTS,
    parameters=(
        Parameter(name="A", unit="y^(1/k)", low=0.0, transform="log", doc="part that model size removes"),
        Parameter(name="B", unit="y^(1/k)", low=0.0, transform="log", doc="part that data remove"),
        E,
        Parameter(name="alpha", doc="exponent of N inside the power; k alpha is the slope"),
        Parameter(name="beta", doc="exponent of D inside the power; k beta is the slope"),
        Parameter(name="k", low=0.0, transform="log", doc="how size and data join; 1 adds their parts"),
    ),
    log_y=_coupled,
    starts=_coupled_starts,
    centre=shifts(6, by_exponent={(0, 3): {0: 1.0}, (1, 4): {1: 1.0}}),
    check=off_the_ray(6),
    advice="To test whether the parts of N and D simply add: chinchilla lies at k = 1.",
)

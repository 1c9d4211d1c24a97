"""Laws of N and D with one more thing that runs short: fresh tokens, or bits per number."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from isoflop.errors import EvidenceError
from isoflop.scaling.laws.identify import off_the_ray, shifts
from isoflop.scaling.laws.joint import ALPHA, BETA, A, B, E
from isoflop.scaling.laws.read_off import log_coefficients
from isoflop.scaling.model import Array, Law, Parameter
from isoflop.stats.jets import Jet, exp, log, logaddexp, positive_part

PUBLISHED_R_D, PUBLISHED_R_N = 15.4, 5.3
"""Of Muennighoff et al., as recalled: starts, nothing more."""


LEAST_EXPONENT = 0.01
"""Where an exponent is smaller, or negative, the pairing of size with data is that of this one."""
LOG_MOST = 50.0
"""Repeats are counted up to e^50: by then another one adds nothing in any arithmetic."""


def worn(repeats: Jet, log_half: Jet) -> Jet:
    """Return ln(1 + R*(1 − exp(−R/R*))): what R repeats add, where each is worth less than the last."""
    return log(1.0 + exp(log_half) * (1.0 - exp(-(repeats * exp(-log_half)))))


def effective(theta: Sequence[Jet], u: Sequence[Jet]) -> tuple[Jet, Jet]:
    """Return ln N' and ln D' of the data-constrained law: size and tokens worth as much as fresh ones."""
    a, b, _, alpha, beta, log_half_d, log_half_n = theta
    n, d, unique = u
    data = d - positive_part(d - unique) + worn(_repeats(d - unique), log_half_d)
    # N that the law itself would pair with this many fresh tokens
    alpha, beta = (LEAST_EXPONENT + positive_part(x - LEAST_EXPONENT) for x in (alpha, beta))
    best = (log(alpha) - log(beta) + a - b + beta * unique) * exp(-log(alpha))
    return n - positive_part(n - best) + worn(_repeats(n - best), log_half_n), data


def _repeats(log_ratio: Jet) -> Jet:
    """Return R = ratio − 1, zero where the ratio is below one."""
    return positive_part(exp(log_ratio - positive_part(log_ratio - LOG_MOST)) - 1.0)


def _data_constrained(theta: Sequence[Jet], u: Sequence[Jet]) -> Jet:
    a, b, e, alpha, beta, *_ = theta
    size, data = effective(theta, u)
    return logaddexp(e, logaddexp(a - alpha * size, b - beta * data))


def _data_constrained_starts(u: Array, log_y: Array) -> Array:
    repeats = np.expm1(np.clip(u[1] - u[2], 0.0, 50.0))
    data = np.minimum(u[1], u[2]) + np.log1p(-PUBLISHED_R_D * np.expm1(-repeats / PUBLISHED_R_D))
    starts = []
    for alpha, beta in product((0.1, 0.2, 0.35, 0.5), (0.1, 0.2, 0.35, 0.5)):
        found = log_coefficients([-alpha * u[0], -beta * data, np.zeros_like(log_y)], log_y)
        starts += [
            [*found, alpha, beta, np.log(r_d), np.log(r_n)]
            for r_d, r_n in ((PUBLISHED_R_D, PUBLISHED_R_N), (4.0, 2.0), (40.0, 20.0))
        ]
    return np.array(starts)


def _data_constrained_check(u: Array) -> None:
    off_the_ray(7)(u)
    if not (u[1] > u[2]).any():
        raise EvidenceError(
            "fit: no run has more tokens than unique_tokens, so R*_D has no evidence. Use law 'chinchilla'."
        )


DATA_CONSTRAINED = Law(
    name="data_constrained",
    formula=(
        "E + A N'^-alpha + B D'^-beta with D' = U + U R*_D (1 - exp(-R_D/R*_D)), R_D = D/U - 1, "
        "and N' likewise of U_N = min(N, the best N for U tokens)"
    ),
    citation="Muennighoff et al. (2023), Scaling data-constrained language models, arXiv 2305.16264",
    inputs=("params", "tokens", "unique_tokens"),
    parameters=(
        A,
        B,
        E,
        ALPHA,
        BETA,
        Parameter(
            name="R_D", low=0.0, transform="log", doc="repeats of the data after which more add little"
        ),
        Parameter(
            name="R_N", low=0.0, transform="log", doc="excess of parameters after which more add little"
        ),
    ),
    log_y=_data_constrained,
    starts=_data_constrained_starts,
    centre=shifts(7, by_exponent={(0, 3): {0: 1.0}, (1, 4): {1: 1.0}}, same_unit=((1, 2),)),
    same_unit=((1, 2),),
    check=_data_constrained_check,
    advice="Runs that read their data more than once; tokens beyond unique_tokens are worth less and less.",
)


def _precision(theta: Sequence[Jet], u: Sequence[Jet]) -> Jet:
    a, b, e, alpha, beta, log_gamma, c, gamma_d, gamma_n, log_post = theta
    n, d, bits, post_bits = u
    kept = n + log(1.0 - exp(-exp(bits - log_gamma)))
    trained = logaddexp(a - alpha * kept, b - beta * d)
    lost = c + gamma_d * d - gamma_n * n - exp(post_bits - log_post)
    return logaddexp(logaddexp(e, trained), lost)


def _precision_starts(u: Array, log_y: Array) -> Array:
    n, d, bits, post_bits = u
    starts = []
    for alpha, beta, gamma, post in product((0.2, 0.45), (0.2, 0.45), (1.0, 2.5, 5.0), (0.5, 1.5)):
        kept = n + np.log(-np.expm1(-np.exp(bits) / gamma))
        lost = 0.5 * d - 0.3 * n - np.exp(post_bits) / post
        a, b, e, c = log_coefficients([-alpha * kept, -beta * d, np.zeros_like(log_y), lost], log_y)
        starts.append([a, b, e, alpha, beta, np.log(gamma), c, 0.5, 0.3, np.log(post)])
    return np.array(starts)


def _precision_check(u: Array) -> None:
    off_the_ray(10)(u)
    for row, name in ((2, "train_bits"), (3, "post_bits")):
        if len(np.unique(u[row])) < 2:
            raise EvidenceError(
                f"fit: {name} has one value, needs 2 or more. Add runs at another precision, or use "
                "law 'chinchilla'."
            )


PRECISION = Law(
    name="precision",
    formula=(
        "E + A N_eff^-alpha + B D^-beta + C_T D^gamma_D N^-gamma_N exp(-P_post/gamma_post), "
        "N_eff = N (1 - exp(-P/gamma))"
    ),
    citation="Kumar et al. (2024), Scaling laws for precision, arXiv 2411.04330; here one P for all training",
    inputs=("params", "tokens", "train_bits", "post_bits"),
    parameters=(
        A,
        B,
        E,
        ALPHA,
        BETA,
        Parameter(name="gamma", unit="bits", low=0.0, transform="log", doc="bits that keep 63 % of the size"),
        Parameter(name="C_T", unit="y", low=0.0, transform="log", doc="loss by rounding after training"),
        Parameter(name="gamma_D", doc="how that loss grows with tokens"),
        Parameter(name="gamma_N", doc="how that loss falls with size"),
        Parameter(name="gamma_post", unit="bits", low=0.0, transform="log", doc="bits that divide it by e"),
    ),
    log_y=_precision,
    starts=_precision_starts,
    centre=shifts(
        10,
        by_exponent={(0, 3): {0: 1.0}, (1, 4): {1: 1.0}, (6, 7): {1: -1.0}, (6, 8): {0: 1.0}},
        by_unit={5: {2: 1.0}, 9: {3: 1.0}},
    ),
    check=_precision_check,
    advice="Runs trained or served at several precisions; it needs the columns train_bits and post_bits.",
)

"""How fast: growth of effective compute, in closed form where the law allows it.

The primary quantity is G, the growth of effective compute at fixed hardware in natural
logarithms per year: G = ay/an + by/bd. The halving time of the compute needed is ln 2 / G. G is
finite and its sign means something; the halving time is neither when G is near zero.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from isoflop.errors import NotIdentifiedError
from isoflop.progress.model import Features, Law, Model
from isoflop.stats.exp_sum import Array

REFERENCE_YEAR = 2023.0
REFERENCE_FLOP = 1e25
"""Date and compute at which the paper reads off numeric halving times."""
SEARCH_YEARS = (1500.0, 1e5)
"""Years searched back and ahead: under law 14 a doubling can take centuries, and ln Y needs Y > 0."""
_ROOT_STEPS = 200


def require_time(law: Law) -> None:
    """Refuse a law that says nothing about time.

    Raises
    ------
    NotIdentifiedError
    """
    if not law.has_time:
        raise NotIdentifiedError(
            f"rate: law {law.number} has no time term ({law.text}), so it has no rate of progress. Use law 7."
        )


def term_rates(
    model: Model,
    theta: Array,
    *,
    benchmark: int = 0,
    is_transformer: bool = True,
    year: float = REFERENCE_YEAR,
) -> Array:
    """Return the rate of effective size in each term, ln/yr.

    For the first term ay/an, the growth of effective parameters; for the second by/bd, of effective data.

    Parameters
    ----------
    theta : array, shape (..., p)

    Returns
    -------
    array, shape (..., terms)
        0 where a term has neither rate nor exponent; infinite where it improves without a size to
        express the improvement in.
    """
    base = model.normalisers
    at = Features.of(
        parameters=base.parameters * np.array([1.0, 1.0, np.e, 1.0]),
        data=base.data * np.array([1.0, 1.0, 1.0, np.e]),
        year=np.array([year, year + 1.0, year, year]),
        benchmark=benchmark,
        is_transformer=is_transformer,
    )
    rates = []
    for k, x in enumerate(model.design(at).terms):
        years = -(theta @ (x[1] - x[0]))
        sizes = 0.0 - theta @ (x[2 + k] - x[0])  # not -(…): a rate over -0.0 has the wrong sign
        with np.errstate(divide="ignore", invalid="ignore"):
            rates.append(np.where((years == 0) & (sizes == 0), 0.0, years / sizes))
    return np.stack(rates, axis=-1)


def rate(
    model: Model,
    theta: Array,
    *,
    benchmark: int = 0,
    is_transformer: bool = True,
    year: float = REFERENCE_YEAR,
) -> Array:
    """Return G in ln/yr, shape (...), of parameters of shape (..., p).

    Closed form for laws with constant rates; for the others (14, 15) from the numeric doubling
    time at `REFERENCE_FLOP`.

    Raises
    ------
    NotIdentifiedError
        The law has no time term.
    """
    require_time(model.law)
    if model.law.rates_are_constant:
        return np.asarray(
            term_rates(model, theta, benchmark=benchmark, is_transformer=is_transformer, year=year).sum(
                axis=-1
            )
        )
    years = numeric_doubling_years(
        model, theta, benchmark=benchmark, is_transformer=is_transformer, year=year
    )
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(2.0) / years)


def allocation(
    model: Model,
    theta: Array,
    log_size: Array,
    *,
    year: float | Array,
    benchmark: int = 0,
    is_transformer: bool = True,
) -> Array:
    """Return ln N of the loss-minimising split of N·D = e^log_size, for each parameter vector.

    On N·D = const a two-term law is least where an·exp(first) = bd·exp(second), which is linear
    in ln N. Where an exponent is not positive there is no inner minimum: NaN.

    Parameters
    ----------
    theta : array, shape (B, p)
    log_size : array, shape (B,) or (1,)
        ln(C/6).
    """
    theta = np.atleast_2d(theta)
    log_size = np.broadcast_to(np.asarray(log_size, float), (len(theta),))
    if model.law.second is None:
        return log_size / 2.0
    base = model.normalisers
    years = np.broadcast_to(np.asarray(year, float), (len(theta),))
    zero, e = np.ones(len(theta)), np.e
    points = [
        model.design(
            Features.of(
                parameters=base.parameters * scale_n * zero,
                data=base.data * scale_d * zero,
                year=years,
                benchmark=benchmark,
                is_transformer=is_transformer,
            )
        )
        for scale_n, scale_d in ((1.0, 1.0), (e, 1.0), (1.0, e))
    ]
    first = np.einsum("bj,bj->b", points[0].terms[0], theta)
    second = np.einsum("bj,bj->b", points[0].terms[1], theta)
    an = first - np.einsum("bj,bj->b", points[1].terms[0], theta)
    bd = second - np.einsum("bj,bj->b", points[2].terms[1], theta)
    room = log_size - np.log(base.parameters) - np.log(base.data)
    with np.errstate(divide="ignore", invalid="ignore"):
        inner = (np.log(an / bd) + first - second + bd * room) / (an + bd)
    return np.where((an > 0) & (bd > 0), inner + np.log(base.parameters), np.nan)


def loss_at(
    model: Model,
    theta: Array,
    log_n: Array,
    log_d: Array,
    *,
    year: float | Array,
    benchmark: int = 0,
    is_transformer: bool = True,
) -> Array:
    """Return the predicted loss, shape (B,), one point for each parameter vector (B, p)."""
    rows = Features.of(
        parameters=np.exp(log_n),
        data=np.exp(log_d),
        year=year,
        benchmark=benchmark,
        is_transformer=is_transformer,
    )
    design = model.design(rows)
    with np.errstate(over="ignore", invalid="ignore"):
        total = sum(np.exp(np.einsum("bj,bj->b", x, theta)) for x in design.terms)
    if design.linear is not None:
        total = total + np.einsum("bj,bj->b", design.linear, theta)
    return np.asarray(total)


def least_loss(
    model: Model,
    theta: Array,
    log_size: Array,
    *,
    year: float | Array,
    benchmark: int = 0,
    is_transformer: bool = True,
) -> tuple[Array, Array]:
    """Return (ln N, loss) at the best split of N·D = e^log_size for each parameter vector (B, p)."""
    log_size = np.broadcast_to(np.asarray(log_size, float), (len(theta),))
    where = {"benchmark": benchmark, "is_transformer": is_transformer}
    log_n = allocation(model, theta, log_size, year=year, **where)  # type: ignore[arg-type]
    return log_n, loss_at(model, theta, log_n, log_size - log_n, year=year, **where)  # type: ignore[arg-type]


def numeric_doubling_years(
    model: Model,
    theta: Array,
    *,
    benchmark: int = 0,
    is_transformer: bool = True,
    year: float = REFERENCE_YEAR,
    flop: float = REFERENCE_FLOP,
) -> Array:
    """Return the years of progress worth a doubling of compute, by the paper's numeric rule.

    Hold the best (N, D) of budget C; find the years after which it reaches the loss that the best
    (N, D) of 2C reaches today. About 1.5 % from ln2/G for law 7, because the step is finite.

    Parameters
    ----------
    theta : array, shape (..., p)

    Returns
    -------
    array, shape (...)
        NaN where a split or a root does not exist; negative where waiting makes it worse.
    """
    require_time(model.law)
    theta = np.asarray(theta, float)
    flat = theta.reshape(-1, theta.shape[-1])
    where = {"benchmark": benchmark, "is_transformer": is_transformer}
    size = np.log(flop / 6.0)
    log_n, _ = least_loss(model, flat, np.array([size]), year=year, **where)  # type: ignore[arg-type]
    _, target = least_loss(model, flat, np.array([size + np.log(2.0)]), year=year, **where)  # type: ignore[arg-type]

    def gap(years: Array) -> Array:
        return (
            loss_at(model, flat, log_n, size - log_n, year=year + years, **where)  # type: ignore[arg-type]
            - target
        )

    return bracketed_root(gap, len(flat), low=-SEARCH_YEARS[0], high=SEARCH_YEARS[1], near=0.0).reshape(
        theta.shape[:-1]
    )


def bracketed_root(
    gap: Callable[[Array], Array], size: int, *, low: float, high: float, near: float
) -> Array:
    """Return the root of each of `size` functions nearest to `near`, or NaN.

    The bracket grows from `near` in both directions by powers of two, then bisection halves it
    to rounding.

    Parameters
    ----------
    gap : callable
        Takes points (size,) and returns values (size,).
    """
    at = gap(np.full(size, near))
    left, right = np.full(size, near), np.full(size, near)
    found = np.zeros(size, bool)
    step = 1 / 64
    with np.errstate(invalid="ignore", over="ignore"):
        while not found.all() and (step < near - low or step < high - near):
            for inner, outer in ((near + step / 2, near + step), (near - step / 2, near - step)):
                begin = near if step == 1 / 64 else inner
                outer = min(max(outer, low), high)
                begin = min(max(begin, low), high)
                crosses = ~found & (gap(np.full(size, begin)) * gap(np.full(size, outer)) <= 0)
                left = np.where(crosses, min(begin, outer), left)
                right = np.where(crosses, max(begin, outer), right)
                found |= crosses
            step *= 2.0
        sign = np.sign(gap(left))
        for _ in range(_ROOT_STEPS):
            middle = 0.5 * (left + right)
            if ((middle == left) | (middle == right)).all():
                break
            same = np.sign(gap(middle)) == sign
            left, right = np.where(same, middle, left), np.where(same, right, middle)
    root = 0.5 * (left + right)
    return np.where(found & np.isfinite(at), root, np.nan)

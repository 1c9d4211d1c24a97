"""Laws of one resource whose slope changes slowly: power laws with and without a floor, and baselines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from isoflop.scaling.laws.identify import distinct_x, shifts
from isoflop.scaling.laws.read_off import inside, line, log_above, log_floors
from isoflop.scaling.model import Array, Law, Parameter
from isoflop.stats.exp_sum import ExpSumDesign
from isoflop.stats.jets import Jet, exp, log, logaddexp

ALABDULMOHSIN = "Alabdulmohsin, Neyshabur & Zhai (2022), Revisiting neural scaling laws, arXiv 2209.06640"

FLOOR = Parameter(
    name="E", unit="y", low=0.0, transform="log", doc="irreducible part, reached as x grows", is_floor=True
)
SCALE = Parameter(name="A", unit="y", low=0.0, transform="log", doc="reducible part at x = 1")
ALPHA = Parameter(name="alpha", doc="exponent of x; positive where the error falls")


def _power(theta: Sequence[Jet], u: Sequence[Jet]) -> Jet:
    a, alpha = theta
    return a - alpha * u[0]


def _power_starts(u: Array, log_y: Array) -> Array:
    return line([-u[0]], log_y)[None]


POWER = Law(
    name="power",
    formula="A x^-alpha",
    citation=f"M1 of {ALABDULMOHSIN}",
    inputs=("x",),
    parameters=(SCALE, ALPHA),
    log_y=_power,
    starts=_power_starts,
    centre=shifts(2, by_exponent={(0, 1): {0: 1.0}}),
    check=distinct_x(2),
    # no sum_of_powers: ln y is linear, so under a near-absolute loss the exact Hessian vanishes
    advice="Fewer than five points, or no sign of a floor: one slope on log axes.",
)


def _power_floor(theta: Sequence[Jet], u: Sequence[Jet]) -> Jet:
    e, a, alpha = theta
    return logaddexp(e, a - alpha * u[0])


def _power_floor_starts(u: Array, log_y: Array) -> Array:
    return np.array([[e, *line([-u[0]], log_above(log_y, e))] for e in log_floors(log_y)])


def _power_floor_terms(u: Array) -> ExpSumDesign:
    one, zero = np.ones_like(u[0]), np.zeros_like(u[0])
    return ExpSumDesign(terms=(np.column_stack([one, zero, zero]), np.column_stack([zero, one, -u[0]])))


POWER_FLOOR = Law(
    name="power_floor",
    formula="E + A x^-alpha",
    citation=f"M2 of {ALABDULMOHSIN}",
    inputs=("x",),
    parameters=(FLOOR, SCALE, ALPHA),
    log_y=_power_floor,
    starts=_power_floor_starts,
    centre=shifts(3, by_exponent={(1, 2): {0: 1.0}}),
    check=distinct_x(3, instead="power"),
    sum_of_powers=_power_floor_terms,
    advice="The default for one resource from five points up: the slope flattens towards a floor.",
)


def _m3(theta: Sequence[Jet], u: Sequence[Jet]) -> Jet:
    b, g, c = theta
    return b + c * logaddexp(-u[0], g)


def _m3_starts(u: Array, log_y: Array) -> Array:
    # gamma is 1/x where the curve flattens: from inside the range to far beyond it
    flattens = inside(u[0], (0.2, 0.5, 0.8, 1.0, 1.3, 3.0))
    starts = []
    for at in flattens:
        b, c = line([np.logaddexp(-u[0], -at)], log_y)
        starts.append([b, -at, c])
    return np.array(starts)


M3 = Law(
    name="m3",
    formula="beta (1/x + gamma)^c",
    citation=f"M3 of {ALABDULMOHSIN}",
    inputs=("x",),
    parameters=(
        Parameter(name="beta", unit="y", low=0.0, transform="log", doc="scale"),
        Parameter(name="gamma", unit="1/x", low=0.0, transform="log", doc="1/x where the curve flattens"),
        Parameter(name="c", doc="exponent of x before it flattens; positive where the error falls"),
    ),
    log_y=_m3,
    starts=_m3_starts,
    centre=shifts(3, by_exponent={(0, 2): {0: 1.0}}, by_unit={1: {0: -1.0}}),
    check=distinct_x(3, instead="power"),
    advice="Learning curves that flatten late: the floor beta·gamma^c is reached by a bend, not by a sum.",
)


def _shifted_power(theta: Sequence[Jet], u: Sequence[Jet]) -> Jet:
    e, a, alpha, s = theta
    return logaddexp(e, a - alpha * logaddexp(u[0], s))


def _shifted_power_starts(u: Array, log_y: Array) -> Array:
    starts = []
    for e in log_floors(log_y, (0.02, 0.8, 0.99)):
        above = log_above(log_y, e)
        for s in inside(u[0], (-0.5, 0.2, 0.6)):
            a, alpha = line([-np.logaddexp(u[0], s)], above)
            starts.append([e, a, alpha, s])
    return np.array(starts)


SHIFTED_POWER = Law(
    name="shifted_power",
    formula="E + A (x + s)^-alpha",
    citation="Power law of x + s, as fitted to learning curves since Cortes et al. (1993)",
    inputs=("x",),
    parameters=(
        FLOOR,
        SCALE,
        ALPHA,
        Parameter(name="s", unit="x", low=0.0, transform="log", doc="x below which the curve is flat"),
    ),
    log_y=_shifted_power,
    starts=_shifted_power_starts,
    centre=shifts(4, by_exponent={(1, 2): {0: 1.0}}, by_unit={3: {0: 1.0}}),
    check=distinct_x(4, instead="power_floor"),
    advice="A plateau at small scale before the curve falls, or rows at x = 0 moved to the plateau.",
)


def _log_linear(theta: Sequence[Jet], u: Sequence[Jet]) -> Jet:
    a, b = theta
    return log(a - b * u[0])


def _log_linear_starts(u: Array, log_y: Array) -> Array:
    y = np.exp(np.clip(log_y, -600.0, 600.0))
    start = line([-u[0]], y)
    if (start[0] - start[1] * u[0]).min() > 0:
        return start[None]
    # a least-squares line may cross zero inside the range; the chord of the ends never does
    first, last = int(u[0].argmin()), int(u[0].argmax())
    slope = (y[first] - y[last]) / max(u[0][last] - u[0][first], 1e-12)
    return np.array([[y[first] + slope * u[0][first], slope]])


LOG_LINEAR = Law(
    name="log_linear",
    formula="a - b ln x",
    citation="Baseline: a straight line of the outcome on ln x",
    inputs=("x",),
    parameters=(
        Parameter(name="a", unit="y", doc="value at x = 1"),
        Parameter(name="b", unit="y", doc="fall for each factor e of x"),
    ),
    log_y=_log_linear,
    starts=_log_linear_starts,
    centre=shifts(2, by_exponent={(0, 1): {0: 1.0}}),
    check=distinct_x(2),
    advice="A baseline over a narrow range; it crosses zero further out, where it predicts nothing.",
)


def _exponential(theta: Sequence[Jet], u: Sequence[Jet]) -> Jet:
    e, a, t = theta
    return logaddexp(e, a - exp(u[0] - t))


def _exponential_starts(u: Array, log_y: Array) -> Array:
    starts = []
    for e in log_floors(log_y, (0.5, 0.9, 0.99)):
        above = log_above(log_y, e)
        for t in inside(u[0], (0.3, 0.6, 0.9)):
            decay = np.exp(u[0] - t)
            near = decay < 3.0
            a = float(np.median((above + decay)[near])) if near.any() else float(above.max())
            starts.append([e, a, t])
    return np.array(starts)


EXPONENTIAL = Law(
    name="exponential",
    formula="E + A exp(-x/tau)",
    citation="Baseline: exponential approach to a floor",
    inputs=("x",),
    parameters=(
        FLOOR,
        Parameter(name="A", unit="y", low=0.0, transform="log", doc="reducible part at x = 0"),
        Parameter(name="tau", unit="x", low=0.0, transform="log", doc="x that divides the rest by e"),
    ),
    log_y=_exponential,
    starts=_exponential_starts,
    centre=shifts(3, by_unit={2: {0: 1.0}}),
    check=distinct_x(3, instead="power"),
    advice="A baseline for curves that settle within the range observed.",
)


def _inverse_linear(theta: Sequence[Jet], u: Sequence[Jet]) -> Jet:
    e, a = theta
    return logaddexp(e, a - u[0])


def _inverse_linear_starts(u: Array, log_y: Array) -> Array:
    return np.array([[e, float(np.median(log_above(log_y, e) + u[0]))] for e in log_floors(log_y)])


INVERSE_LINEAR = Law(
    name="inverse_linear",
    formula="E + A / x",
    citation="Baseline: the 1/n rate of learning theory",
    inputs=("x",),
    parameters=(
        FLOOR,
        Parameter(name="A", unit="y·x", low=0.0, transform="log", doc="reducible part at x = 1"),
    ),
    log_y=_inverse_linear,
    starts=_inverse_linear_starts,
    centre=shifts(2, by_unit={1: {0: 1.0}}),
    check=distinct_x(2),
    advice="A baseline with the exponent held at one.",
)

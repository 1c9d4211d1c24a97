"""Laws of one resource whose slope changes within the range: broken power laws, a logistic curve, M4."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations, product

import numpy as np

from isoflop.scaling.laws.identify import distinct_x, shifts
from isoflop.scaling.laws.read_off import inside, line, log_above, log_below, log_floors
from isoflop.scaling.laws.single import ALABDULMOHSIN, FLOOR
from isoflop.scaling.model import Array, Law, Parameter
from isoflop.stats.exp_sum import ExpSumDesign
from isoflop.stats.jets import Jet, exp, logaddexp, softplus

CABALLERO = "Caballero, Gupta, Rish & Krueger (2023), Broken neural scaling laws, arXiv 2210.14891"

SHARPEST, WIDEST = 0.01, 10.0
"""Widths of a break in ln x: within 1 % of x it is a corner, over four decades a change of slope is none."""
LN_SHARPEST, LN_WIDEST = float(np.log(SHARPEST)), float(np.log(WIDEST))

LOW = Parameter(name="lo", unit="y", low=0.0, transform="log", doc="outcome as x grows", is_floor=True)


def bnsl(breaks: int) -> Law:
    """Return the broken power law a + b x^-c0 Π (1 + (x/d_i)^(1/f_i))^(−c_i f_i) with this many breaks.

    Around d_i the slope of y − a changes by −c_i, over a stretch of about f_i in ln x.
    """
    p = 3 + 3 * breaks
    parameters = [
        Parameter(name="a", unit="y", low=0.0, transform="log", doc="floor", is_floor=True),
        Parameter(
            name="b", unit="y", low=0.0, transform="log", doc="reducible part at x = 1, before the breaks"
        ),
        Parameter(name="c0", doc="exponent before the first break; positive where the error falls"),
    ]
    for i in range(1, breaks + 1):
        parameters += [
            Parameter(name=f"c{i}", doc=f"change of the exponent at break {i}"),
            Parameter(name=f"d{i}", unit="x", low=0.0, transform="log", doc=f"place of break {i}"),
            Parameter(
                name=f"f{i}",
                low=SHARPEST,
                high=WIDEST,
                transform="logit",
                doc=f"width of break {i} in ln x; small is sharp",
            ),
        ]
    factors = "".join(f" (1 + (x/d{i})^(1/f{i}))^(-c{i} f{i})" for i in range(1, breaks + 1))
    return Law(
        name=f"bnsl_{breaks}",
        formula=f"a + b x^-c0{factors}",
        citation=CABALLERO,
        inputs=("x",),
        parameters=tuple(parameters),
        log_y=_bnsl,
        starts=_bnsl_starts(breaks),
        centre=shifts(
            p,
            by_exponent={(1, 2): {0: 1.0}},
            by_unit={4 + 3 * i: {0: 1.0} for i in range(breaks)},
        ),
        check=distinct_x(p, instead="power_floor" if breaks else "power"),
        sum_of_powers=None if breaks else _bnsl_0_terms,
        advice=(
            "A power law with a floor, under the names of the broken ones."
            if not breaks
            else f"A curve whose slope on log axes changes {('once', 'twice', 'three times')[breaks - 1]}; "
            "choose the number of breaks by rolling origin, never by the fit itself."
        ),
    )


def _bnsl(theta: Sequence[Jet], u: Sequence[Jet]) -> Jet:
    a, b, c0, *broken = theta
    log_power = b - c0 * u[0]
    for c, d, width in zip(broken[0::3], broken[1::3], broken[2::3], strict=True):
        log_f = logaddexp(LN_SHARPEST - softplus(width), LN_WIDEST - softplus(-width))
        log_power = log_power - c * (exp(log_f) * softplus((u[0] - d) * exp(-log_f)))
    return logaddexp(a, log_power)


def _bnsl_0_terms(u: Array) -> ExpSumDesign:
    one, zero = np.ones_like(u[0]), np.zeros_like(u[0])
    return ExpSumDesign(terms=(np.column_stack([one, zero, zero]), np.column_stack([zero, one, -u[0]])))


def _bnsl_starts(breaks: int) -> Callable[[Array, Array], Array]:
    """Return starts over places of the breaks, widths and floors; given those, b and all c are linear."""
    places = tuple(combinations((0.15, 0.4, 0.6, 0.85) if breaks > 1 else (0.2, 0.4, 0.6, 0.8), breaks))
    widths = (0.05, 0.2) if breaks else (0.0,)
    floors = (0.02, 0.9) if breaks else (0.02, 0.5, 0.8, 0.95, 0.99)

    def starts(u: Array, log_y: Array) -> Array:
        spread = max(float(np.ptp(u[0])), 1e-3)
        rows = []
        for floor, width, shares in product(log_floors(log_y, floors), widths, places):
            f = min(max(width * spread, 2.0 * SHARPEST), 0.5 * WIDEST)
            at = inside(u[0], shares)
            bends = [-f * np.logaddexp(0.0, (u[0] - d) / f) for d in at]
            b, c0, *c = line([-u[0], *bends], log_above(log_y, floor))
            row = [floor, b, c0]
            for change, d in zip(c, at, strict=True):
                row += [change, d, np.log((f - SHARPEST) / (WIDEST - f))]
            rows.append(row)
        return np.array(rows)

    return starts


def _sigmoid(theta: Sequence[Jet], u: Sequence[Jet]) -> Jet:
    low, span, k, middle = theta
    return logaddexp(low, span - softplus(k * (u[0] - middle)))


def _sigmoid_starts(u: Array, log_y: Array) -> Array:
    starts = []
    for share, excess in product((0.1, 0.8, 0.98), (0.02, 0.2, 1.0)):
        low, high = log_y.min() + np.log(share), log_y.max() + np.log1p(excess)
        odds = log_above(log_y, low) - log_below(log_y, high)
        intercept, k = line([-u[0]], odds)
        k = np.copysign(max(abs(k), 1e-2), k)
        starts.append([low, high + np.log(-np.expm1(low - high)), k, intercept / k])
    return np.array(starts)


SIGMOID = Law(
    name="sigmoid",
    formula="lo + span / (1 + (x/x0)^k)",
    citation="Logistic curve in ln x, the usual form for accuracy and success rates",
    inputs=("x",),
    parameters=(
        LOW,
        Parameter(name="span", unit="y", low=0.0, transform="log", doc="outcome at small x, above lo"),
        Parameter(name="k", doc="steepness in ln x; positive where the error falls"),
        Parameter(name="x0", unit="x", low=0.0, transform="log", doc="x half way between the ends"),
    ),
    log_y=_sigmoid,
    starts=_sigmoid_starts,
    centre=shifts(4, by_unit={3: {0: 1.0}}),
    check=distinct_x(4, instead="power_floor"),
    advice="Error rates and accuracies that leave a chance level and saturate at another.",
)


def log_odds(target: Array, kappa: Array) -> Array:
    """Solve ln σ(q) − κ ln σ(−q) = target for q by Newton's method, to rounding.

    The left side rises with a slope between 1 and κ and bends one way only, so that Newton's steps
    are monotone from the second on and need no safeguard.

    Parameters
    ----------
    target, kappa : arrays that broadcast; kappa > 0

    Examples
    --------
    >>> q = log_odds(np.array([-3.0, 0.0, 50.0]), np.array(1.0))
    >>> q.round(9).tolist()
    [-3.0, 0.0, 50.0]
    """
    q = np.where(target < 0, target, target / kappa)
    for _ in range(100):
        small = np.exp(-np.abs(q))
        tail = np.log1p(small)
        value = kappa * (np.maximum(q, 0.0) + tail) - (np.maximum(-q, 0.0) + tail)
        up = np.where(q > 0, 1.0, small) / (1.0 + small)
        step = (value - target) / ((1.0 - up) + kappa * up)
        q = q - step
        if np.all(np.abs(step) <= 1e-13 * (1.0 + np.abs(q))):
            break
    return np.asarray(q)


def _m4(theta: Sequence[Jet], u: Sequence[Jet]) -> Jet:
    e, span, log_kappa, b, c = theta
    kappa = exp(log_kappa)
    target = b - c * u[0] + (kappa - 1.0) * span
    q = Jet(log_odds(target.value, kappa.value), {}, {})
    up = np.exp(-np.logaddexp(0.0, -q.value))
    pace = 1.0 / ((1.0 - up) + kappa.value * up)
    # two Newton steps from the root carry the derivatives over: the first, the first ones; the second, all
    for _ in range(2):
        q = q - (kappa * softplus(q) - softplus(-q) - target).scaled(pace)
    return logaddexp(e, span - softplus(-q))


def _m4_starts(u: Array, log_y: Array) -> Array:
    starts = []
    for share, excess, log_kappa in product((0.3, 0.95), (0.02, 0.5), (-1.0, 0.0, 1.0)):
        e, top = log_y.min() + np.log(share), log_y.max() + np.log1p(excess)
        span = top + np.log(-np.expm1(e - top))
        ratio = log_above(log_y, e) - np.exp(log_kappa) * log_below(log_y, top)
        b, c = line([-u[0]], ratio)
        starts.append([e, span, log_kappa, b, c])
    return np.array(starts)


M4 = Law(
    name="m4",
    formula="(y - E) / (E + span - y)^kappa = beta x^-c",
    citation=f"M4 of {ALABDULMOHSIN}",
    inputs=("x",),
    parameters=(
        FLOOR,
        Parameter(
            name="span", unit="y", low=0.0, transform="log", doc="E0 - E, from the floor to chance level"
        ),
        Parameter(name="kappa", low=0.0, transform="log", doc="how late the curve leaves chance level"),
        Parameter(name="beta", unit="y^(1-kappa)", low=0.0, transform="log", doc="scale"),
        Parameter(name="c", doc="exponent between the two levels; positive where the error falls"),
    ),
    log_y=_m4,
    starts=_m4_starts,
    centre=shifts(5, by_exponent={(3, 4): {0: 1.0}}),
    check=distinct_x(5, instead="power_floor"),
    advice="Curves that leave a plateau at chance, fall as a power law and settle on a floor.",
)


def m4_below(chance_level: float) -> Law:
    """Return M4 with its upper level held at `chance_level`, E0; E lies in (0, E0).

    Parameters
    ----------
    chance_level : float, > 0
        Outcome at chance, in the units of y.

    Examples
    --------
    >>> m4_below(0.9).names
    ('E', 'kappa', 'beta', 'c')
    """
    log_chance = float(np.log(chance_level))

    def log_y(theta: Sequence[Jet], u: Sequence[Jet]) -> Jet:
        share, *rest = theta
        return _m4((log_chance - softplus(-share), log_chance - softplus(share), *rest), u)

    def starts(u: Array, values: Array) -> Array:
        found = []
        for factor, log_kappa in product((0.3, 0.9, 0.99), (-1.0, 0.0, 1.0)):
            e = min(float(values.min()), log_chance - 1e-3) + np.log(factor)
            ratio = log_above(values, e) - np.exp(log_kappa) * log_below(values, log_chance)
            b, c = line([-u[0]], ratio)
            share = e - log_chance - np.log(-np.expm1(e - log_chance))
            found.append([share, log_kappa, b, c])
        return np.array(found)

    return Law(
        name="m4_chance",
        formula=f"(y - E) / ({chance_level:g} - y)^kappa = beta x^-c",
        citation=M4.citation,
        inputs=("x",),
        parameters=(
            Parameter(
                name="E",
                unit="y",
                low=0.0,
                high=float(chance_level),
                transform="logit",
                doc="irreducible part",
            ),
            *M4.parameters[2:],
        ),
        log_y=log_y,
        starts=starts,
        centre=shifts(4, by_exponent={(2, 3): {0: 1.0}}),
        check=distinct_x(4, instead="power_floor"),
        advice="M4 where the chance level is known, as for accuracy over a known number of classes.",
    )

"""Choose the next runs under a budget: which sizes and token counts tell most about the answer asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from isoflop.errors import EvidenceError, NotIdentifiedError, SettingError, closest
from isoflop.scaling.design.result import Design
from isoflop.scaling.frontier.allocation import allocate
from isoflop.scaling.frontier.costs import Cost, SixND
from isoflop.scaling.model import Array
from isoflop.scaling.result import LawFit
from isoflop.scaling.settings import spread
from isoflop.stats.design import greedy_design

Target = Literal["loss", "allocation", "parameters"]

INTEGRATED = 64
"""Draws over which a choice is averaged."""
GRID = 12
RIDGE = 1e-9
LEAST_NOISE = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """Runs that could be trained.

    Parameters
    ----------
    params, tokens : tuple of float
        Each pair is one candidate.
    """

    params: tuple[float, ...]
    tokens: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.params) != len(self.tokens) or not self.params:
            raise SettingError(
                f"Candidates: {len(self.params)} params and {len(self.tokens)} tokens, needs pairs. Give "
                "both."
            )


def grid(fitted: LawFit, budget_flop: float, *, cost: Cost | None = None, points: int = GRID) -> Candidates:
    """Return a log-spaced grid of sizes and tokens over the range of the runs, within the budget."""
    n, d = fitted.runs.inputs(("params", "tokens"))
    params, tokens = np.meshgrid(
        np.exp(np.linspace(n.min(), n.max(), points)), np.exp(np.linspace(d.min(), d.max(), points))
    )
    spent = (cost or SixND()).flop(params, tokens)
    keep = spent <= budget_flop
    if not keep.any():
        least = float(spent.min())
        raise SettingError(
            f"design: budget {budget_flop:.3g} FLOP, below the smallest run of the grid ({least:.3g} FLOP). "
            "Raise it."
        )
    return Candidates(params=tuple(params[keep].tolist()), tokens=tuple(tokens[keep].tolist()))


def design(
    fitted: LawFit,
    *,
    budget_flop: float,
    target: Target = "loss",
    at_flop: float | None = None,
    candidates: Candidates | None = None,
    cost: Cost | None = None,
    runs: int = 12,
    repeats: int = 1,
) -> Design:
    """Choose the next runs that narrow an answer most per FLOP.

    Parameters
    ----------
    fitted : LawFit
        A law of N and D; with draws, choices are averaged over them.
    budget_flop : float
        What all runs together may cost.
    target : {"loss", "allocation", "parameters"}
        The least loss at `at_flop`; the exponent a of the frontier; or all parameters (D-optimal).
    at_flop : float, optional
        Default: ten times the largest run.
    candidates : Candidates, optional
        Default: a grid over the sizes and tokens of the runs.
    cost : Cost
        Default C = 6ND.
    runs : int, >= 1
        Most new runs: many small ones are cheap in FLOP and dear in everything else.
    repeats : int, >= 1
        Most runs of one size and token count.

    Returns
    -------
    Design

    Raises
    ------
    SettingError, EvidenceError, NotIdentifiedError
    """
    if target not in get_args(Target):
        near = closest(str(target), get_args(Target))
        raise SettingError(
            f"design: target={target!r}, must be one of {', '.join(get_args(Target))}. "
            f"{f'Did you mean {near!r}?' if near else 'Use loss.'}"
        )
    if target == "allocation" and not {"alpha", "beta"} <= set(fitted.law.names):
        raise SettingError(
            f"design: target='allocation' with law {fitted.law.name}, needs one with alpha and beta. Use "
            "law='chinchilla', or target='loss'."
        )
    if not (np.isfinite(budget_flop) and budget_flop > 0):
        raise SettingError(f"design: budget_flop={budget_flop}, must lie in (0, inf). Give FLOP, e.g. 1e21.")
    for name, number in (("runs", runs), ("repeats", repeats)):
        if number < 1:
            raise SettingError(
                f"design: {name}={number}, must be at least 1. Use {12 if name == 'runs' else 1}."
            )
    law = fitted.law
    if tuple(law.inputs[:2]) != ("params", "tokens"):
        raise SettingError(f"design: law {law.name}, needs one of params and tokens. Use chinchilla.")
    price = cost or SixND()
    n, d = fitted.runs.inputs(("params", "tokens"))
    largest = float(price.flop(np.exp(n), np.exp(d)).max())
    aim = float(at_flop) if at_flop is not None else 10.0 * largest
    chosen = candidates or grid(fitted, budget_flop, cost=price)
    sizes = np.array([chosen.params, chosen.tokens])
    spent = price.flop(sizes[0], sizes[1])
    theta = _thetas(fitted)
    noise = max(spread(fitted.residuals), LEAST_NOISE)
    information = _information(fitted, theta, noise)
    gradients = np.stack([_gradient(fitted, t, np.log(sizes)) for t in theta])
    aims = None if target == "parameters" else np.stack([_aim(fitted, t, target, aim, price) for t in theta])
    if aims is not None and not np.isfinite(aims).all():
        raise NotIdentifiedError(
            "design: the target has no optimum in some draws. Use target='parameters', or more runs first."
        )
    tries = [
        greedy_design(
            information,
            gradients,
            aims,
            noise=noise,
            cost=spent,
            budget=budget_flop,
            repeats=repeats,
            per_cost=per_cost,
            most=runs,
        )
        for per_cost in (True, False)
    ]
    picks = min(tries, key=lambda t: -t.log_determinant[-1] if aims is None else t.variance[-1])
    if not picks.index.size:
        raise EvidenceError(
            f"design: no candidate of {len(spent)} fits the budget {budget_flop:.3g} FLOP (cheapest "
            f"{spent.min():.3g}). Raise it, or add smaller candidates."
        )
    return Design(
        fitted=fitted,
        target=target,
        at_flop=aim,
        budget_flop=float(budget_flop),
        cost=price,
        params=sizes[0][picks.index],
        tokens=sizes[1][picks.index],
        spent=picks.cost,
        variance=picks.variance,
        log_determinant=picks.log_determinant,
        noise=noise,
        candidates=len(spent),
    )


def _thetas(fitted: LawFit) -> Array:
    """Return evenly spaced draws, or the point alone where there are none; shape (R, p)."""
    if fitted.draws is None:
        return fitted.theta[None]
    drawn = fitted.draws.finite
    chosen: Array = drawn[np.unique(np.linspace(0, len(drawn) - 1, INTEGRATED).astype(int))]
    return chosen


def _gradient(fitted: LawFit, theta: Array, u: Array) -> Array:
    """Return d ln loss / d theta_c at inputs of shape (k, m), shape (m, p); centred coordinates."""
    inputs = u if len(fitted.law.inputs) == len(u) else np.vstack([u, u[1:2]])
    _, first = fitted.law.gradient(theta[None], inputs)
    moved: Array = np.asarray(first[0] @ fitted.found.problem.turn)
    return moved


def _information(fitted: LawFit, theta: Array, noise: float) -> Array:
    """Return the information that the runs at hand give, one matrix a draw."""
    one = fitted.found.problem
    out = []
    for t in theta:
        gradient = _gradient(fitted, t, one.u)
        h = (gradient * one.weights[:, None]).T @ gradient / noise**2
        out.append(h + RIDGE * np.trace(h) / len(h) * np.eye(len(h)))
    return np.array(out)


def _aim(fitted: LawFit, theta: Array, target: str, at_flop: float, cost: Cost) -> Array:
    """Return the gradient of the answer in centred coordinates, shape (p,)."""
    law = fitted.law
    n = fitted.runs.inputs(("params",))[0]
    around = (float(n.min()) - 9.0, float(n.max()) + 9.0 + float(np.log(max(at_flop, 1.0)) / 2))
    if target == "loss":
        # At the optimum the loss does not change with the split, so only the law's own gradient counts.
        best = allocate(law, theta, np.array([at_flop]), cost, around=around)
        u = np.log(np.array([best.params[0], best.tokens[0]]))
        loss_gradient: Array = _gradient(fitted, theta, u)[0]
        return loss_gradient
    names = law.names
    reported = law.report(theta)
    alpha, beta = float(reported["alpha"]), float(reported["beta"])
    gradient = np.zeros(law.p)
    gradient[names.index("alpha")] = -beta / (alpha + beta) ** 2
    gradient[names.index("beta")] = alpha / (alpha + beta) ** 2
    return np.asarray(gradient @ fitted.found.problem.turn, float)

"""What every fit shows before its numbers may be believed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from isoflop.scaling.estimate import LAD_GAP, Found
from isoflop.scaling.model import Array
from isoflop.scaling.settings import LAD
from isoflop.stats.solutions import CERTIFIED_KKT

RIVAL = 0.01
"""A second minimum within this share of the best objective is a caution."""
FAR_WORKING = 12.0
"""A logit this large, or ln(constant / smallest outcome) this far below, counts as at its bound."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Certificate:
    """How sure it is that the fit is the optimum.

    Parameters
    ----------
    objective : float
        Sum over rows.
    kkt : float
        Norm of the gradient where the objective is smooth, the gap of the multipliers for least
        absolute deviation.
    certified : bool
        `kkt` at most 1e-8 (gap: 1e-6).
    eigenvalues : array, shape (p,)
        Of the Hessian in centred coordinates, rising.
    condition : float or None
        Largest over smallest eigenvalue; None where the smallest is not positive.
    at_bounds : tuple of str
        Parameters at the edge of their range: the law is larger than the data need.
    tried, polished, iterations : int
    share_at_best : float
        Of the polished starts, within 1e-8 of the best objective.
    next_objective : float or None
        Of the second-best distinct minimum.
    next_parameters : mapping
        Its reported parameters.
    """

    objective: float
    kkt: float
    certified: bool
    eigenvalues: Array
    condition: float | None
    at_bounds: tuple[str, ...]
    tried: int
    polished: int
    iterations: int
    share_at_best: float
    next_objective: float | None
    next_parameters: dict[str, float]

    @property
    def has_rival(self) -> bool:
        """Whether a second minimum fits within 1 % of the best."""
        return self.next_objective is not None and self.next_objective <= self.objective * (1 + RIVAL)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {
            name: value.tolist() if isinstance(value := getattr(self, name), np.ndarray) else value
            for name in self.__slots__
        }

    def __str__(self) -> str:
        ends = f"{self.share_at_best:.0%} of {self.polished} polished starts ({self.tried} tried) end there"
        word = "certified" if self.certified else "NOT certified"
        return f"objective {self.objective:.10g}, {word} (residual {self.kkt:.1e}); {ends}"


def certify(found: Found) -> Certificate:
    """Return the certificate of the lowest minimum of a problem."""
    one, best = found.problem, found.best
    gap = LAD_GAP if isinstance(one.objective, LAD) else CERTIFIED_KKT
    _, hessian = one.gradient_and_hessian(best.theta)
    eigenvalues = np.asarray(np.linalg.eigvalsh(hessian), float)
    rivals = found.minima[1:2]
    return Certificate(
        objective=best.objective,
        kkt=best.kkt,
        certified=best.kkt <= gap,
        eigenvalues=eigenvalues,
        condition=float(eigenvalues[-1] / eigenvalues[0]) if eigenvalues[0] > 0 else None,
        at_bounds=_at_bounds(found),
        tried=found.tried,
        polished=found.polished,
        iterations=found.iterations,
        share_at_best=found.share_at_best,
        next_objective=rivals[0].objective if rivals else None,
        next_parameters={
            name: float(value) for r in rivals for name, value in one.law.report(r.theta).items()
        },
    )


def _at_bounds(found: Found) -> tuple[str, ...]:
    """Return parameters that the data push to an edge: a floor that vanishes, a share at 0 or 1."""
    one, theta = found.problem, found.best.theta
    least = float(one.log_y.min())
    names = []
    for j, parameter in enumerate(one.law.parameters):
        edge = abs(theta[j]) if parameter.transform == "logit" else 0.0
        if parameter.is_floor and parameter.transform == "log":
            edge = least - theta[j]
        if edge > FAR_WORKING:
            names.append(parameter.name)
    return tuple(names)

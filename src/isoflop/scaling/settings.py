"""Settings of a fit: the objective, and the published analyses as presets.

Every objective is a *sum* over rows. A mean makes the gradient so small that stopping rules fire early,
which is how the first published Chinchilla fit missed its own optimum.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from isoflop.errors import SettingError, closest
from isoflop.stats import exp_sum

Array = exp_sum.Array
Space = Literal["log", "raw"]

MAD_TO_SIGMA = 1.4826
HUBER_TUNING = 1.345
"""95 % efficiency under Gaussian errors (Huber 1981)."""
SENSITIVITY_DELTAS = (1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 1e-6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Huber:
    """Huber loss of log residuals.

    Parameters
    ----------
    delta : float, > 0, or "mad"
        Residuals beyond it count linearly. The default 1e-3 is Hoffmann et al.'s: with residuals near
        1e-2 it is almost least absolute deviation. ``"mad"`` takes 1.345 standard deviations, estimated
        by the median absolute residual in two passes.
    """

    delta: float | Literal["mad"] = 1e-3

    def __post_init__(self) -> None:
        if self.delta != "mad" and not (np.isfinite(self.delta) and self.delta > 0):
            raise SettingError(f"Huber: delta={self.delta}, must lie in (0, inf) or be 'mad'. Use 1e-3.")


@dataclass(frozen=True, slots=True, kw_only=True)
class LAD:
    """Least absolute deviation of log residuals; certified by its multipliers, not by a gradient."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentT:
    """Student's t likelihood of log residuals, its scale from the median absolute residual."""

    df: float = 4.0

    def __post_init__(self) -> None:
        if not (np.isfinite(self.df) and self.df > 0):
            raise SettingError(f"StudentT: df={self.df}, must lie in (0, inf). Use 4.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gaussian:
    """Least squares of residuals in log space, or of the outcome itself (``space="raw"``)."""

    space: Space = "log"

    def __post_init__(self) -> None:
        if self.space not in ("log", "raw"):
            raise SettingError(f"Gaussian: space={self.space!r}, must be 'log' or 'raw'.")


Objective = Huber | LAD | StudentT | Gaussian


def loss_of(objective: Objective, residuals: Array | None = None) -> exp_sum.Loss | None:
    """Return the engine's loss; None for LAD, which has a procedure of its own.

    Parameters
    ----------
    residuals : array, shape (n,), optional
        Of an earlier pass, where the objective takes its scale from them.
    """
    match objective:
        case Huber(delta="mad"):
            return exp_sum.Huber(1e-3 if residuals is None else max(HUBER_TUNING * spread(residuals), 1e-12))
        case Huber(delta=delta):
            return exp_sum.Huber(float(delta))
        case StudentT(df=df):
            return exp_sum.StudentT(df, 1e-2 if residuals is None else max(spread(residuals), 1e-12))
        case Gaussian():
            return exp_sum.Squared()
        case _:
            return None


def scales_itself(objective: Objective) -> bool:
    """Say whether the objective needs a first pass for its scale."""
    return isinstance(objective, StudentT) or (isinstance(objective, Huber) and objective.delta == "mad")


def spread(residuals: Array) -> float:
    """Return the standard deviation that Gaussian residuals with this median absolute value have."""
    return float(MAD_TO_SIGMA * np.median(np.abs(residuals)))


def describe(objective: Objective) -> str:
    """Return the objective in a few words.

    Examples
    --------
    >>> describe(Huber()), describe(Gaussian(space="raw"))
    ('Huber loss of log residuals, delta 0.001, summed', 'squared residuals, summed')
    """
    match objective:
        case Huber(delta=delta):
            return f"Huber loss of log residuals, delta {delta}, summed"
        case LAD():
            return "absolute log residuals, summed"
        case StudentT(df=df):
            return f"Student t likelihood of log residuals, {df:g} degrees of freedom"
        case Gaussian(space="raw"):
            return "squared residuals, summed"
        case _:
            return "squared log residuals, summed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A published analysis: which rows, law and objective, and where it extrapolates to.

    Its draws are those of the publication (``resample="published"``) unless a seed is given.
    """

    text: str
    law: str
    objective: Objective
    drop_highest: int
    at_flop: float


PRESETS: Mapping[str, Preset] = {
    "besiroglu2024": Preset(
        text="Besiroglu et al. (2024): Huber loss, delta 1e-3, without the five highest losses; the standard "
        "errors of their table",
        law="chinchilla",
        objective=Huber(delta=1e-3),
        drop_highest=5,
        at_flop=5.88e23,
    ),
    "besiroglu2024_table": Preset(
        text="Besiroglu et al. (2024), point estimates of their table: least absolute deviation in fact",
        law="chinchilla",
        objective=LAD(),
        drop_highest=5,
        at_flop=5.88e23,
    ),
}


def preset(name: str) -> Preset:
    """Return a published analysis by name.

    Raises
    ------
    SettingError
        There is none of that name.
    """
    if name not in PRESETS:
        near = closest(name, PRESETS)
        hint = f"Did you mean {near!r}?" if near else f"Use {next(iter(PRESETS))!r}."
        raise SettingError(f"preset: {name!r}, must be one of {', '.join(PRESETS)}. {hint}")
    return PRESETS[name]


def reference_starts() -> Array:
    """Return the published grid of 4,500 starts of the Chinchilla law, shape (4500, 5).

    Columns a = ln A, b = ln B, e = ln E, alpha, beta. Source: Hoffmann et al. (2022), as in the
    replication of Besiroglu et al. (2024).
    """
    exponents = (0.0, 0.5, 1.0, 1.5, 2.0)
    axes = np.meshgrid(
        np.arange(0.0, 30.0, 5.0),
        np.arange(0.0, 30.0, 5.0),
        np.array([-1.0, -0.5, 0.0, 0.5, 1.0]),
        exponents,
        exponents,
        indexing="ij",
    )
    return np.column_stack([axis.ravel() for axis in axes])

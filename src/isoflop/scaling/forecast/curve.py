"""One learning curve as arrays: what may be fitted, what is to be forecast, and its noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import EvidenceError
from isoflop.scaling.model import Array
from isoflop.scaling.settings import MAD_TO_SIGMA

if TYPE_CHECKING:
    import polars as pl

    from isoflop.evidence import Table

MIN_ROWS = 3
"""Distinct x of the fit part: two points always lie on a power law."""
MAX_ROWS = 240
"""Longer fit parts are averaged in bins of equal width in ln x: the laws are smooth."""
MIN_NOISE = 1e-4
"""Least standard deviation of ln y assumed, the rounding of outcomes printed with four digits."""
_FEW_NOISE = 1e-2
"""Standard deviation of ln y assumed where fewer than five rows leave nothing to measure it by."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curve:
    """One curve in logarithms.

    Parameters
    ----------
    id, domain, task, model, x_unit, outcome_kind : str
    u, log_y : array, shape (n,)
        ln(x / x_last) of the fit part, rising to 0, and ln of the outcome; binned if it was long.
    counts : array, shape (n,)
        Rows behind each entry.
    u_ahead, log_y_ahead : array, shape (m,)
        The same of the forecast part.
    x_last : float
        Largest x of the fit part.
    log_last : float
        ln of the outcome there: what `last_value` says.
    rows : int
        Rows of the fit part.
    noise : float
        Standard deviation of ln y about a smooth curve.
    """

    id: str
    domain: str
    task: str
    model: str
    x_unit: str
    outcome_kind: str
    u: Array
    log_y: Array
    counts: Array
    u_ahead: Array
    log_y_ahead: Array
    x_last: float
    log_last: float
    rows: int
    noise: float

    @property
    def dataset(self) -> tuple[str, str]:
        """Domain and task: curves of one dataset are never used to set each other's weights or bands."""
        return self.domain, self.task

    @property
    def horizon(self) -> float | None:
        """Largest x ahead as a multiple of the last fitted one; None where nothing is ahead."""
        return float(np.exp(self.u_ahead.max())) if self.u_ahead.size else None


def read_curves(table: Table, *, cut: float | None = None) -> tuple[Curve, ...]:
    """Return the curves of a ``learning_curves`` table, in its order.

    Parameters
    ----------
    table : Table
    cut : float, in (0, 1), optional
        Fit what lies up to this share of each curve's largest x, whatever ``is_fit`` says.

    Raises
    ------
    EvidenceError
        Another schema, an x or outcome that has no logarithm, a fit part of fewer than three distinct x,
        or a part to forecast that does not lie beyond the fit part.
    """
    if table.schema != "learning_curves":
        raise EvidenceError(
            f"forecast: {table.name} holds {table.schema}, needs learning_curves. Give one row per point, "
            "with curve_id, x, outcome and is_fit."
        )
    if not table.frame.height:
        raise EvidenceError(f"forecast: {table.name} has no rows, needs a curve. Give at least three points.")
    groups = table.frame.sort("x", maintain_order=True).group_by("curve_id", maintain_order=True)
    by_id = {str(key[0]): frame for key, frame in groups}
    order = table.frame["curve_id"].unique(maintain_order=True).to_list()
    return tuple(_curve(name, by_id[name], cut) for name in order)


def _curve(name: str, frame: pl.DataFrame, cut: float | None) -> Curve:
    x, y = frame["x"].to_numpy().astype(float), frame["outcome"].to_numpy().astype(float)
    fitted = frame["is_fit"].to_numpy().astype(bool) if cut is None else x <= cut * x.max()
    _check(name, x, y, fitted)
    x_last = float(x[fitted][-1])
    u, log_y = np.log(x / x_last), np.log(y)
    text = {key: str(frame[key][0]) for key in ("domain", "task", "model", "x_unit", "outcome_kind")}
    noise = local_noise(u[fitted], log_y[fitted])
    binned = condense(u[fitted], log_y[fitted])
    return Curve(
        id=name,
        **text,
        u=binned[0],
        log_y=binned[1],
        counts=binned[2],
        u_ahead=u[~fitted],
        log_y_ahead=log_y[~fitted],
        x_last=x_last,
        log_last=float(log_y[fitted][-1]),
        rows=int(fitted.sum()),
        noise=noise,
    )


def _check(name: str, x: Array, y: Array, fitted: NDArray[np.bool_]) -> None:
    where = f"forecast: curve '{name}'"
    for what, values, cure in (
        ("x", x, "Drop step 0, or count from 1."),
        ("outcome", y, "Forecast an error or a loss, not its complement or its logarithm."),
    ):
        bad = np.flatnonzero(~(values > 0))
        if bad.size:
            rows = ", ".join(f"{values[i]:g}" for i in bad[:3])
            raise EvidenceError(
                f"{where}: {what} has {bad.size} values <= 0 ({rows}), needs (0, inf). {cure}"
            )
    distinct = len(np.unique(x[fitted]))
    if distinct < MIN_ROWS:
        raise EvidenceError(
            f"{where}: {distinct} distinct x to fit, needs {MIN_ROWS}. Add points with is_fit = 1, or cut "
            "later."
        )
    if not fitted.all() and x[~fitted].min() <= x[fitted].max():
        raise EvidenceError(
            f"{where}: forecast part starts at x = {x[~fitted].min():g}, at or below the last fit point "
            f"{x[fitted].max():g}. Set is_fit = 1 up to a cut in x."
        )


def local_noise(u: Array, log_y: Array) -> float:
    """Return the standard deviation of ln y about the line between neighbours, by the median.

    A curve's bend hardly enters, so that it measures noise and not the misfit of a law.

    Parameters
    ----------
    u, log_y : array, shape (n,), u rising

    Examples
    --------
    >>> u = np.linspace(-5, 0, 400)
    >>> noisy = 1 - 0.3 * u + 0.02 * np.random.default_rng(0).standard_normal(400)
    >>> round(local_noise(u, noisy), 3)
    0.02
    """
    if len(u) < 5:
        return _FEW_NOISE
    gap = np.maximum(u[2:] - u[:-2], 1e-12)
    share = np.clip((u[1:-1] - u[:-2]) / gap, 0.0, 1.0)
    off = log_y[1:-1] - (1 - share) * log_y[:-2] - share * log_y[2:]
    scaled = np.abs(off) / np.sqrt(1.0 + share**2 + (1 - share) ** 2)
    return max(float(MAD_TO_SIGMA * np.median(scaled)), MIN_NOISE)


def condense(u: Array, log_y: Array) -> tuple[Array, Array, Array]:
    """Return (u, ln y, counts), averaged in bins of ln x where there are more than `MAX_ROWS` rows."""
    if len(u) <= MAX_ROWS:
        return u, log_y, np.ones(len(u))
    bins = np.minimum(((u - u[0]) / (u[-1] - u[0]) * MAX_ROWS).astype(int), MAX_ROWS - 1)
    counts = np.bincount(bins, minlength=MAX_ROWS).astype(float)
    kept = counts > 0
    mean_u = np.bincount(bins, u, MAX_ROWS)[kept] / counts[kept]
    mean_y = np.bincount(bins, log_y, MAX_ROWS)[kept] / counts[kept]
    return mean_u, mean_y, counts[kept]

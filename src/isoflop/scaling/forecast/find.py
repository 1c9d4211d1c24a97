"""Where does a learning curve go next, and how sure is that?

Every law is fitted to the whole fit part and to earlier cuts of it; what a law did beyond those cuts sets
its weight; the forecast is the weighted mean of ln y. `last_value` is always among them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.errors import SettingError
from isoflop.scaling.forecast.band import band_factor, forecast_scores, origin_scores
from isoflop.scaling.forecast.curve import read_curves
from isoflop.scaling.forecast.laws_of_curve import fit_laws
from isoflop.scaling.forecast.result import CurveForecast, Forecast
from isoflop.scaling.forecast.settings import DEFAULT_LAWS, LAST_VALUE, LEVEL, Stack
from isoflop.scaling.forecast.weights import stack_weights, usual_errors
from isoflop.scaling.laws import law_named
from isoflop.stats.checks import unit_level

if TYPE_CHECKING:
    from isoflop.evidence import Table


def forecast(
    curves: Table | Any,
    *,
    laws: Sequence[str] = DEFAULT_LAWS,
    stack: Stack | None = None,
    level: float = LEVEL,
    at: Sequence[float] = (),
    cut: float | None = None,
    seed: int = 0,
    progress: Callable[[str, float], None] | None = None,
) -> Forecast:
    """Forecast every curve of a table beyond its fit part.

    Parameters
    ----------
    curves : Table
        Schema ``learning_curves``; rows with ``is_fit`` 0 are only used to score, and to set the bands of
        curves of other datasets.
    laws : sequence of str
        Names in `LAWS` with the single input x; `last_value` is always added.
    stack : Stack, optional
    level : float, in (0, 1)
        Of the bands.
    at : sequence of float, > 0
        Where to forecast, in the unit of x; beyond the end of each curve's fit part.
    cut : float, in (0, 1), optional
        Fit what lies up to this share of each curve's largest x and forecast the rest, whatever
        ``is_fit`` says: a test of far forecasts on curves that are known.
    seed : int
        Of the bootstrap over curves.
    progress : callable, optional

    Returns
    -------
    Forecast

    Raises
    ------
    EvidenceError
        A curve that cannot be read in logarithms or is too short.
    SettingError
        An unknown law, one of several resources, or a level or x out of range.

    Notes
    -----
    Sources: the laws M1 to M4 and the benchmark, Alabdulmohsin et al. (2022); the broken power law,
    Caballero et al. (2023). Stacking, discounts and bands are ours.
    """
    from isoflop.evidence.load import accept

    stack = stack or Stack()
    unit_level("forecast", level)
    chosen = _check_laws(laws)
    if cut is not None and not 0.0 < cut < 1.0:
        hint = f" Did you mean {cut / 100:g}?" if 1.0 <= cut < 100.0 else " Use 0.3."
        raise SettingError(f"forecast: cut={cut}, must lie in (0, 1).{hint}")
    curves = accept(curves, "learning_curves")
    found = read_curves(curves, cut=cut)
    wanted = _check_at(at, max(c.x_last for c in found))
    fitted = []
    for i, curve in enumerate(found):
        fitted.append(fit_laws(curve, chosen, stack, max(wanted) / curve.x_last if wanted else None))
        if progress is not None:
            progress("forecasts", (i + 1) / len(found))
    usual = usual_errors(fitted)
    weights = [stack_weights(one, stack, known) for one, known in zip(fitted, usual, strict=True)]
    pairs = list(zip(fitted, weights, strict=True))
    scores = [forecast_scores(one, w) for one, w in pairs]
    earlier = [origin_scores(one, w) for one, w in pairs]
    factors = [band_factor(one, fitted, scores, earlier, level) for one in fitted]
    return Forecast(
        table=curves,
        curves=tuple(
            CurveForecast(laws=one, weights=w, factor=factor, level=level)
            for (one, w), factor in zip(pairs, factors, strict=True)
        ),
        names=(LAST_VALUE, *chosen),
        stack=stack,
        level=level,
        at=wanted,
        seed=seed,
    )


def _check_laws(laws: Sequence[str]) -> tuple[str, ...]:
    chosen = tuple(dict.fromkeys(name for name in laws if name != LAST_VALUE))
    for name in chosen:
        law = law_named(name)
        if law.inputs != ("x",):
            raise SettingError(
                f"forecast: law '{name}' needs {', '.join(law.inputs)}, a curve has one resource. "
                "Use 'power_floor'."
            )
    return chosen


def _check_at(at: Sequence[float], x_last: float) -> tuple[float, ...]:
    wanted = tuple(float(x) for x in at)
    for x in wanted:
        if not (np.isfinite(x) and x > x_last):
            raise SettingError(
                f"forecast: at={x:g}, must lie beyond the last fit point, {x_last:g}. Give a larger x."
            )
    return wanted

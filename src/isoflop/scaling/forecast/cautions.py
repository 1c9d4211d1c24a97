"""What limits a forecast, said in words, each with what would cure it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from isoflop.present import formats
from isoflop.scaling.forecast.result import DECADE
from isoflop.scaling.forecast.settings import LAST_VALUE, STACK

if TYPE_CHECKING:
    from isoflop.scaling.forecast.curve import Curve
    from isoflop.scaling.forecast.result import CurveForecast, Forecast

WORSE = 1.1
"""Ratio of errors to the last value's from which a domain is named."""
_RISE = 0.05
"""Least rise of ln y above its earlier minimum that counts as one, beside eight times the noise."""
_RISE_IN_NOISE = 8.0


def cautions_of(result: Forecast) -> tuple[str, ...]:
    """Return the cautions of a forecast, the gravest first."""
    curves = result.curves
    said = [*_worse_than_last(result)]
    far = [c for c in curves if _farthest(c, result.at) > DECADE]
    said += _named(
        far,
        "the forecast reaches more than a decade beyond the last fit point, which nothing here checked. "
        "Measure at a larger x, or ask for a nearer one",
    )
    untried = [c for c in curves if not c.in_support and c not in far]
    said += _named(
        untried,
        "the forecast reaches further, as a ratio of x, than the fit part could be cut back to try the laws. "
        "Measure at smaller x as well, or ask for a nearer x",
    )
    short = [c for c in curves if c.curve.rows < result.stack.few_rows]
    said += _named(
        short,
        f"fewer than {result.stack.few_rows} fit points, so that weights lean on other curves and on "
        "the last value. More points cure it",
    )
    said += _named(
        [c for c in curves if rises(c.curve)],
        "the outcome rises again within the fit part, which most laws cannot follow. Cut the fit part to "
        "the last falling stretch",
    )
    said += _left_out(result)
    said += _bands(curves)
    if not result.scored:
        said.append(
            "no curve has a part to forecast, so that nothing here was scored. Give later points with "
            "is_fit = 0."
        )
    return (*said, *result.table.cautions)


def rises(curve: Curve) -> bool:
    """Say whether ln y climbs above its earlier minimum by more than noise, anywhere in the fit part."""
    climb = curve.log_y - np.minimum.accumulate(curve.log_y)
    return bool(climb.max() > max(_RISE, _RISE_IN_NOISE * curve.noise))


def _farthest(found: CurveForecast, at: tuple[float, ...]) -> float:
    return max(at) / found.curve.x_last if at else found.laws.horizon


def _named(found: Sequence[CurveForecast], what: str) -> list[str]:
    if not found:
        return []
    first = found[0].curve.id
    who = f"curve {first}" if len(found) == 1 else f"{len(found)} curves (e.g. {first})"
    return [f"{who}: {what}."]


def _worse_than_last(result: Forecast) -> list[str]:
    said = []
    for domain, scores in result.scores_by_domain.items():
        by_law = {s.law: s.rmsle.value for s in scores}
        last, stack = by_law[LAST_VALUE], by_law[STACK]
        if last and stack and stack > WORSE * last:
            said.append(
                f"{domain}: the stack errs by {formats.number(stack)}, the last value by "
                f"{formats.number(last)}. Trust the last value there, or give longer fit parts."
            )
    return said


def _left_out(result: Forecast) -> list[str]:
    short = [c for c in result.curves if len(c.laws.names) < len(result.names)]
    missing = [n for n in result.names if any(n not in c.laws.names for c in short)]
    return _named(
        short,
        f"fewer distinct x than some laws need, so that {', '.join(missing)} are left out where they do and "
        "their means rest on other curves. More points cure it",
    )


def _bands(curves: Sequence[CurveForecast]) -> list[str]:
    said = []
    by_origins = [c for c in curves if c.factor.basis == "origins"]
    said += _named(
        by_origins,
        "bands rest on earlier cuts of fit parts, which tend to be kinder than the future. Five "
        "curves of other datasets with known outcomes ahead would check them",
    )
    assumed = [c for c in curves if c.factor.basis == "assumed"]
    said += _named(assumed, "bands have an assumed width, as nothing here could check them. Add points")
    return said

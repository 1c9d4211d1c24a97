"""The laws, by name: one entry each, one property grid for all.

A new law is one `Law` value here: its formula over jets, its parameters, starts read off the data, how its
parameters move with the units of x, and the rows that cannot identify it.
"""

from __future__ import annotations

from isoflop.errors import SettingError, closest
from isoflop.scaling.laws.bent import M4, SIGMOID, bnsl, m4_below
from isoflop.scaling.laws.joint import CHINCHILLA, COUPLED, KAPLAN, OVERTRAIN
from isoflop.scaling.laws.scarce import DATA_CONSTRAINED, PRECISION
from isoflop.scaling.laws.single import (
    EXPONENTIAL,
    INVERSE_LINEAR,
    LOG_LINEAR,
    M3,
    POWER,
    POWER_FLOOR,
    SHIFTED_POWER,
)
from isoflop.scaling.model import Law

__all__ = ["LAWS", "law_named", "m4_below"]

LAWS: dict[str, Law] = {
    law.name: law
    for law in (
        POWER,
        POWER_FLOOR,
        M3,
        M4,
        SHIFTED_POWER,
        LOG_LINEAR,
        EXPONENTIAL,
        INVERSE_LINEAR,
        bnsl(0),
        bnsl(1),
        bnsl(2),
        bnsl(3),
        SIGMOID,
        CHINCHILLA,
        KAPLAN,
        COUPLED,
        DATA_CONSTRAINED,
        OVERTRAIN,
        PRECISION,
    )
}
"""Every law that `fit`, `compare` and `forecast` know by name."""


def law_named(name: str) -> Law:
    """Return a law of the registry.

    Raises
    ------
    SettingError
        The name is unknown; the nearest one is suggested.

    Examples
    --------
    >>> law_named("power_floor").formula
    'E + A x^-alpha'
    """
    if name in LAWS:
        return LAWS[name]
    near = closest(name, LAWS)
    hint = f"Did you mean '{near}'?" if near else "`isoflop scaling laws` lists them."
    raise SettingError(f"law: '{name}' is unknown, needs one of {', '.join(LAWS)}. {hint}")

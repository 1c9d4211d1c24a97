"""Settings of a forecast: which laws are combined, and how their weights are learned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isoflop.errors import SettingError

LAST_VALUE = "last_value"
STACK = "stack"
DEFAULT_LAWS = ("power", "power_floor", "m3", "m4", "bnsl_1", "sigmoid", "shifted_power")
"""Combined by default, always together with `LAST_VALUE`."""
LEVEL = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """How the laws of one curve are weighted.

    A law's weight is proportional to 1/(R + floor)². R is its mean squared log error beyond earlier cuts
    of the curve (origins) as a multiple of the best law's; it starts from `prior_origins` origins at
    which every law did as on the other datasets of the table.

    Parameters
    ----------
    floor : float, > 0
        Large values give equal weights. Laws whose squared errors lie within `floor` times the best share
        alike, because the best law of a curve rarely stays the best beyond it; far worse ones drop out.
    origins : int, >= 0
        Earlier cuts tried at most; 0 leaves the start alone.
    prior_origins : float, > 0
        Weight of the start, in origins.
    few_rows : int, >= 2
        Below this many fit rows a curve cannot judge its laws: the start counts twice as much,
        and `last_value` gains where the laws disagree about a change.
    effective_rows : float, >= 1
        Rows are discounted with 1/x, or its square root, only where this many remain in effect.

    Raises
    ------
    SettingError
        A setting is out of range.

    Examples
    --------
    >>> Stack(floor=0)
    Traceback (most recent call last):
    isoflop.errors.SettingError: Stack: floor=0, must lie in (0, inf). Use 15.
    """

    floor: float = 15.0
    origins: int = 6
    prior_origins: float = 1.0
    few_rows: int = 12
    effective_rows: float = 20.0

    def __post_init__(self) -> None:
        for name, default in (("floor", 15), ("prior_origins", 1)):
            number = getattr(self, name)
            if not (np.isfinite(number) and number > 0):
                raise SettingError(f"Stack: {name}={number}, must lie in (0, inf). Use {default}.")
        if not (np.isfinite(self.effective_rows) and self.effective_rows >= 1):
            raise SettingError(f"Stack: effective_rows={self.effective_rows}, must lie in [1, inf). Use 20.")
        for name, least, default in (("origins", 0, 6), ("few_rows", 2, 12)):
            count = getattr(self, name)
            if not isinstance(count, int) or count < least:
                raise SettingError(
                    f"Stack: {name}={count}, must be a whole number from {least} up. Use {default}."
                )

"""What can be spent, and what is to be reached, as typed: ``1e24FLOP``, ``2e6USD``, ``loss=2.1``."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal, get_args

from isoflop.errors import SettingError, closest
from isoflop.present import formats

Currency = Literal["FLOP", "USD"]
Goal = Literal["loss", "flop", "params", "tokens"]

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_BUDGET = re.compile(rf"\s*({_NUMBER})\s*([A-Za-z$€]*)\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """An amount of compute, or of money for it.

    Parameters
    ----------
    amount : float, > 0
    unit : {"FLOP", "USD"}

    Raises
    ------
    SettingError
        The amount is not above zero, or the unit is another.
    """

    amount: float
    unit: Currency = "FLOP"

    def __post_init__(self) -> None:
        if self.unit not in get_args(Currency):
            raise SettingError(f"budget: unit {self.unit!r}, must be FLOP or USD. Write 1e24FLOP or 2e6USD.")
        _positive("budget", self.amount, "1e24 FLOP, say")

    @classmethod
    def parse(cls, text: str) -> Budget:
        """Return the budget of a text; a number alone is FLOP.

        Raises
        ------
        SettingError
            The text is no amount with FLOP or USD after it.

        Examples
        --------
        >>> Budget.parse("1e24"), Budget.parse("2e6USD")
        (Budget(amount=1e+24, unit='FLOP'), Budget(amount=2000000.0, unit='USD'))
        """
        found = _BUDGET.fullmatch(text)
        unit = (found[2].upper() or "FLOP") if found else ""
        if found is None or unit not in get_args(Currency):
            hint = "Write USD after the amount." if "$" in text else "Write 1e24, 1e24FLOP or 2e6USD."
            raise SettingError(f"budget: {text!r}, must be an amount in FLOP or USD. {hint}")
        return cls(amount=float(found[1]), unit=unit)  # type: ignore[arg-type]

    def flop(self, usd_per_flop: float | None) -> float:
        """Return the compute that the budget buys.

        Raises
        ------
        SettingError
            The budget is money and no price is given.
        """
        if self.unit == "FLOP":
            return self.amount
        if usd_per_flop is None:
            raise SettingError(
                f"budget: {formats.number(self.amount)} USD without a price of compute, needs one. Give "
                "--usd-per-flop; or --usd-per-hour with --flop-per-second, what a chip costs and its peak "
                "speed."
            )
        return self.amount / usd_per_flop

    def __str__(self) -> str:
        return formats.quantity(self.amount, self.unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is to be reached: a loss, or an amount of compute, parameters or tokens.

    Parameters
    ----------
    kind : {"loss", "flop", "params", "tokens"}
    amount : float, > 0
        In the unit of the law's loss, FLOP, parameters or tokens.

    Raises
    ------
    SettingError
        The amount is not above zero, or the kind is another.
    """

    kind: Goal
    amount: float

    def __post_init__(self) -> None:
        if self.kind not in get_args(Goal):
            near = closest(str(self.kind), get_args(Goal))
            raise SettingError(
                f"target: {self.kind!r}, must be one of {', '.join(get_args(Goal))}. "
                f"{f'Did you mean {near}?' if near else 'Write loss=2.1, say.'}"
            )
        _positive(f"target: {self.kind}", self.amount, "loss=2.1, say")

    @classmethod
    def parse(cls, text: str) -> Target:
        """Return the target of a text.

        Raises
        ------
        SettingError
            The text is not of the form kind=amount.

        Examples
        --------
        >>> Target.parse("params=1e12")
        Target(kind='params', amount=1000000000000.0)
        """
        kind, sign, amount = (part.strip() for part in text.partition("="))
        if not sign or not re.fullmatch(_NUMBER, amount):
            raise SettingError(
                f"target: {text!r}, must be {', '.join(get_args(Goal))} with '=' and a number. Write "
                "loss=2.1 or flop=1e26, say."
            )
        return cls(kind=kind.lower(), amount=float(amount))  # type: ignore[arg-type]

    def words(self, loss_unit: str = "") -> str:
        """Return the amount in words, a loss in its unit.

        Examples
        --------
        >>> Target(kind="loss", amount=2.1).words("nats"), Target(kind="flop", amount=1e26).words()
        ('a loss of 2.10 nats', '10²⁶ FLOP')
        """
        if self.kind == "loss":
            return f"a loss of {formats.quantity(self.amount, loss_unit)}"
        unit = {"flop": "FLOP", "params": "parameters", "tokens": "tokens"}[self.kind]
        return formats.quantity(self.amount, unit)


def usd_per_flop(*, usd_per_hour: float, flop_per_second: float, utilization: float = 0.35) -> float:
    """Return the price of a FLOP of training from the price of a chip's hour.

    Parameters
    ----------
    usd_per_hour : float, > 0
        What one chip costs an hour, everything included.
    flop_per_second : float, > 0
        Its peak speed at the precision of training.
    utilization : float, in (0, 1]
        Part of the peak that training reaches.

    Raises
    ------
    SettingError
        A number is out of its range.

    Examples
    --------
    >>> usd_per_flop(usd_per_hour=3.6, flop_per_second=1e15, utilization=0.5)
    2e-18
    """
    _positive("price: usd_per_hour", usd_per_hour, "2.5, say")
    _positive("price: flop_per_second", flop_per_second, "9.9e14, say")
    if not 0 < utilization <= 1:
        raise SettingError(f"price: utilization={utilization:g}, must lie in (0, 1]. Use 0.35 for 35 %.")
    return usd_per_hour / (3600.0 * flop_per_second * utilization)


def _positive(where: str, amount: float, example: str) -> None:
    if not (math.isfinite(amount) and amount > 0):
        raise SettingError(f"{where}: {amount:g}, must lie in (0, inf). Write {example}.")

"""What is assumed about a training run that somebody else might have paid for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from isoflop.errors import SettingError

Commitment = Literal["on_demand", "1_year", "3_year"]
Basis = Literal["rental", "purchase"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """How compute becomes money.

    All are this project's own choices, none is the paper's. A system of C FLOP takes
    C / (peak speed · utilisation · 3600) chip-hours, each at the price of its day.

    Parameters
    ----------
    utilisation : float
        Part of the peak speed that training reaches, in (0, 1].
    utilisation_range : (float, float)
        Lowest and highest utilisation thought possible; draws are triangular with the peak at
        `utilisation`.
    basis : {"rental", "purchase"}
        Chips are rented (bought ones stand in before the first quoted rent), or bought and written off.
    commitment : {"on_demand", "1_year", "3_year"}
        Which rents are looked at.
    window_years : float
        How old a quote may be.
    consumer_cards : bool
        Whether gaming cards count. They are cheap, but not to be had in clusters with a fast network.
        Where nothing else is known they count anyway.
    life_years : float
        Years over which a bought chip is written off.
    ownership_factor : float
        What a bought chip costs with its host, network, power and staff, as a multiple of its price.
    facility_share : float
        Part of a facility's year that one team gets, in (0, 1].

    Examples
    --------
    >>> Assumptions(utilisation=0.4).text
    'utilisation 0.4 (0.2 to 0.5), on demand rents of the year before'
    """

    utilisation: float = 0.35
    utilisation_range: tuple[float, float] = (0.2, 0.5)
    basis: Basis = "rental"
    commitment: Commitment = "on_demand"
    window_years: float = 1.0
    consumer_cards: bool = False
    life_years: float = 4.0
    ownership_factor: float = 2.0
    facility_share: float = 1.0

    def __post_init__(self) -> None:
        low, high = self.utilisation_range
        if not 0 < self.utilisation <= 1:
            raise SettingError(
                f"Assumptions: utilisation={self.utilisation:g}, must lie in (0, 1]. Use 0.35 for 35 %."
            )
        if not 0 < low <= self.utilisation <= high <= 1:
            raise SettingError(
                f"Assumptions: utilisation_range=({low:g}, {high:g}), must contain {self.utilisation:g} and "
                "lie in (0, 1]. Widen it."
            )
        for name, kind in (("basis", Basis), ("commitment", Commitment)):
            if getattr(self, name) not in get_args(kind):
                raise SettingError(
                    f"Assumptions: {name}={getattr(self, name)!r}, must be one of "
                    f"{', '.join(get_args(kind))}. Choose one."
                )
        for name in ("window_years", "life_years", "ownership_factor"):
            if not getattr(self, name) > 0:
                raise SettingError(f"Assumptions: {name}={getattr(self, name):g}, must be > 0. Use a year.")
        if not 0 < self.facility_share <= 1:
            raise SettingError(
                f"Assumptions: facility_share={self.facility_share:g}, must lie in (0, 1]. Use 1 for all."
            )

    @property
    def text(self) -> str:
        """The assumptions in words."""
        low, high = self.utilisation_range
        age = "the year before" if self.window_years == 1 else f"the {self.window_years:g} years before"
        rents = f"{self.commitment.replace('_', ' ')} rents of {age}"
        bought = f"chips bought and written off over {self.life_years:g} years"
        paid = rents if self.basis == "rental" else bought
        return f"utilisation {self.utilisation:g} ({low:g} to {high:g}), {paid}"


def around(utilisation: float) -> tuple[float, float]:
    """Return a range for a stated utilisation: 4/7 to 10/7 of it, which is 0.2 to 0.5 for 0.35, at most 1.

    Examples
    --------
    >>> low, high = around(0.35)
    >>> round(low, 3), round(high, 3), around(0.9)[1]
    (0.2, 0.5, 1.0)
    """
    return utilisation * 4 / 7, min(1.0, utilisation * 10 / 7)

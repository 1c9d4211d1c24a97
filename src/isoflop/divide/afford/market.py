"""The market for compute at a date: what a FLOP costs on the cheapest accelerator then offered.

An offer is a quote of a chip whose peak speed is known. At a date the quotes of the year before count; of
each chip the median (or, in a draw, another quantile) over quotes; and the chip with the lowest price for
its speed is taken. Before the first quoted rent, bought chips stand in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from isoflop.divide.afford.assumptions import Assumptions, Basis
from isoflop.errors import EvidenceError

if TYPE_CHECKING:
    import polars as pl

    from isoflop.evidence.table import Table

FloatArray = NDArray[np.float64]

HOURS_PER_YEAR = 8766.0
SECONDS_PER_HOUR = 3600.0
CONSUMER = ("GeForce", "RTX", "Quadro", "TITAN", "Titan", "Radeon RX", "Radeon R9", "Radeon VII", "Radeon HD")
"""Parts of the names of cards made for games and workstations."""
SAME_CHIP: Mapping[str, str] = {
    "NVIDIA A100": "NVIDIA A100 SXM4 40 GB",
    "NVIDIA A100 SXM4 80 GB": "NVIDIA A100 SXM4 40 GB",
    "NVIDIA A100 PCIe": "NVIDIA A100 SXM4 40 GB",
    "NVIDIA V100": "NVIDIA Tesla V100 SXM2",
    "NVIDIA Tesla V100 SXM2 16 GB": "NVIDIA Tesla V100 SXM2",
    "NVIDIA Tesla V100 DGXS 16 GB": "NVIDIA Tesla V100 SXM2",
    "NVIDIA Tesla V100 DGXS 32 GB": "NVIDIA Tesla V100 SXM2",
    "NVIDIA Tesla P100 SXM2": "NVIDIA P100",
    "NVIDIA GH200": "NVIDIA H100 SXM5 80GB",
}
"""Names in lists of prices and facilities to the name under which the peak speed is known: the memory
differs, or the processor beside the chip."""
RENTED_PART: Mapping[str, float] = {"NVIDIA Tesla K80": 0.5}
"""A K80 board holds two processors and its speed is that of both; clouds rent one."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Offers:
    """Quotes of one chip, by date.

    Parameters
    ----------
    hardware : str
    flop_per_s : float
        Peak speed, the fastest number format that is listed without sparsity.
    year : array, shape (n,)
        Dates of the quotes in fractional years, rising.
    usd_per_hour : array, shape (n,)
    """

    hardware: str
    flop_per_s: float
    year: FloatArray
    usd_per_hour: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """The cheapest compute at one date, by the median quote."""

    hardware: str
    flop_per_s: float
    usd_per_hour: float
    basis: Basis
    is_stale: bool
    quotes: tuple[tuple[str, float, tuple[float, ...]], ...]
    """Of every chip offered: name, peak speed, hourly prices."""

    @property
    def usd_per_peak_flop(self) -> float:
        """Dollars for one FLOP at peak speed; utilisation divides it."""
        return self.usd_per_hour / (self.flop_per_s * SECONDS_PER_HOUR)

    def at(self, quantile: FloatArray) -> FloatArray:
        """Return dollars for one FLOP at peak speed if every chip has that quantile of its quotes."""
        each = [
            np.quantile(np.asarray(usd), quantile) / (speed * SECONDS_PER_HOUR)
            for _, speed, usd in self.quotes
        ]
        cheapest: FloatArray = np.min(np.stack(each), axis=0)
        return cheapest


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Market:
    """Rents and, where there are none yet, bought chips.

    Parameters
    ----------
    rents : tuple of Offers
    bought : tuple of Offers
        Purchase prices turned into a price by the hour.
    speeds : mapping
        Peak FLOP/s by name.
    assumptions : Assumptions
    left_out : tuple of str
        Chips with prices whose speed is not known, or that are gaming cards.
    """

    rents: tuple[Offers, ...]
    bought: tuple[Offers, ...]
    speeds: Mapping[str, float]
    assumptions: Assumptions
    left_out: tuple[str, ...]

    def speed(self, hardware: str) -> float:
        """Return the peak speed of an accelerator in FLOP/s.

        Raises
        ------
        EvidenceError
            The table of speeds has no such accelerator.
        """
        name = SAME_CHIP.get(hardware, hardware)
        if name not in self.speeds:
            raise EvidenceError(
                f"affordability: no peak speed for {hardware!r}, needs it. Name an accelerator of the table "
                "hardware_facts, or use its name there."
            )
        return self.speeds[name]

    def price(self, year: float) -> Price:
        """Return the cheapest compute at a date in fractional years.

        Where the last year before has no quote, the latest earlier ones stand, marked stale; before the
        first rent, bought chips.

        Raises
        ------
        EvidenceError
            Nothing was on the market yet.
        """
        if self.assumptions.basis == "rental" and any((o.year <= year).any() for o in self.rents):
            return self._rent(year)
        life = self.assumptions.life_years
        plain = tuple(o for o in self.bought if self.assumptions.consumer_cards or not is_gaming(o.hardware))
        found = _offered(plain, year, life) if self.assumptions.basis == "purchase" else []
        found = found or _offered(self.bought, year, life)
        if not found:
            raise EvidenceError(f"affordability: no price before {year:.1f}, needs one. Give earlier prices.")
        return _cheapest(found, "purchase", is_stale=False)

    def _rent(self, year: float) -> Price:
        window = self.assumptions.window_years
        found = _offered(self.rents, year, window)
        if found:
            return _cheapest(found, "rental", is_stale=False)
        last = max(float(o.year[o.year <= year][-1]) for o in self.rents if (o.year <= year).any())
        return _cheapest(_offered(self.rents, last, window), "rental", is_stale=True)

    @property
    def first_year(self) -> float:
        """Date of the first price."""
        return min(float(o.year[0]) for o in (*self.rents, *self.bought))


def is_gaming(hardware: str) -> bool:
    """Say whether an accelerator is a card made for games or workstations.

    Examples
    --------
    >>> is_gaming("NVIDIA GeForce RTX 4090"), is_gaming("NVIDIA A100")
    (True, False)
    """
    return any(word in hardware for word in CONSUMER)


def market(prices: Table, hardware: Table, assumptions: Assumptions) -> Market:
    """Return the market that price and speed tables describe.

    Parameters
    ----------
    prices : Table
        Schema ``chip_prices``.
    hardware : Table
        Schema ``hardware``: peak speeds and prices of chips.
    assumptions : Assumptions

    Raises
    ------
    EvidenceError
        No quote of the asked term has a chip of known speed.
    """
    import polars as pl

    fastest = hardware.frame.group_by("hardware").agg(pl.col("flop_per_s").max()).iter_rows()
    speeds = {name: float(speed) for name, speed in fastest}
    rents = prices.frame.filter(
        (pl.col("commitment") == assumptions.commitment)
        & pl.col("year").is_not_null()
        & pl.col("price_usd_per_chip_hour").is_not_null()
    ).select("hardware", "year", usd="price_usd_per_chip_hour")
    hourly = assumptions.ownership_factor / (assumptions.life_years * HOURS_PER_YEAR)
    bought = pl.concat(
        [
            prices.frame.filter(pl.col("purchase_price_usd").is_not_null() & pl.col("year").is_not_null())
            .select("hardware", "year", usd=pl.col("purchase_price_usd") * hourly),
            hardware.frame.filter(pl.col("year").is_not_null())
            .unique("hardware", keep="first", maintain_order=True)
            .select("hardware", "year", usd=pl.col("price_usd") * hourly),
        ]
    )  # fmt: skip
    kept, left_out = _offers(rents, speeds, assumptions, rented=True)
    owned, _ = _offers(bought, speeds, assumptions, rented=False)
    if not kept and assumptions.basis == "rental":
        there = sorted(set(prices.frame["commitment"].drop_nulls()) - {"none"})
        term = assumptions.commitment.replace("_", " ")
        raise EvidenceError(
            f"affordability: {prices.name} has no rent ({term}) of a chip of known speed, needs one; terms "
            f"there: {', '.join(there) or 'none'}. Name chips as in the table hardware_facts, or choose "
            "another term."
        )
    return Market(rents=kept, bought=owned, speeds=speeds, assumptions=assumptions, left_out=left_out)


def _offers(
    quotes: pl.DataFrame, speeds: Mapping[str, float], assumptions: Assumptions, *, rented: bool
) -> tuple[tuple[Offers, ...], tuple[str, ...]]:
    """Return the quotes of each chip of known speed, and the names of the others."""
    import polars as pl

    offers, left_out = [], []
    quotes = quotes.with_columns(pl.col("hardware").replace(dict(SAME_CHIP))).sort("year")
    for (name,), part in quotes.group_by("hardware", maintain_order=True):
        chip = str(name)
        speed = speeds.get(chip)
        unwanted = rented and is_gaming(chip) and not assumptions.consumer_cards
        if speed is None or unwanted:
            left_out.append(chip)
            continue
        offers.append(
            Offers(
                hardware=chip,
                flop_per_s=speed * (RENTED_PART.get(chip, 1.0) if rented else 1.0),
                year=part["year"].to_numpy().astype(float),
                usd_per_hour=part["usd"].to_numpy().astype(float),
            )
        )
    return tuple(sorted(offers, key=lambda o: o.hardware)), tuple(sorted(left_out))


def _offered(offers: tuple[Offers, ...], year: float, window: float) -> list[tuple[Offers, FloatArray]]:
    """Return the chips with quotes in (year - window, year], and these quotes."""
    found = []
    for offer in offers:
        there = (offer.year > year - window) & (offer.year <= year)
        if there.any():
            found.append((offer, offer.usd_per_hour[there]))
    return found


def _cheapest(found: list[tuple[Offers, FloatArray]], basis: Basis, *, is_stale: bool) -> Price:
    best, quotes = min(found, key=lambda pair: float(np.median(pair[1])) / pair[0].flop_per_s)
    return Price(
        hardware=best.hardware,
        flop_per_s=best.flop_per_s,
        usd_per_hour=float(np.median(quotes)),
        basis=basis,
        is_stale=is_stale,
        quotes=tuple((o.hardware, o.flop_per_s, tuple(map(float, usd))) for o, usd in found),
    )

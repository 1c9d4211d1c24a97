"""What public compute would buy: the section on affordability."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from isoflop.divide.afford.result import MARKET_DEPTH, NOT_THEIR_COST, Affordability, Purse
from isoflop.divide.figures import afford as pictures
from isoflop.divide.large import LARGE
from isoflop.present import formats
from isoflop.present.chapter import Column, Figure, Section, Table

if TYPE_CHECKING:
    from collections.abc import Iterable

COLUMNS = (
    Column(name="purse", label="Budget or facility"),
    Column(name="chip_hours", label="Chip-hours", format="number"),
    Column(name="k", label="Within reach", format="count"),
    Column(name="n", label="Large systems", format="count"),
    Column(name="share", label="Share", format="percent"),
    Column(name="low", label="Low", format="percent"),
    Column(name="high", label="High", format="percent"),
)
SENSITIVITY = (
    Column(name="purse", label="Budget or facility"),
    Column(name="basis", label="Chips"),
    Column(name="utilisation", label="Utilisation", format="percent"),
    Column(name="half", label="Half the price", format="percent"),
    Column(name="same", label="Price as quoted", format="percent"),
    Column(name="double", label="Twice the price", format="percent"),
)
DEFINITION = Column(name="large", label="Definition of large")
REMEDY = (
    "The paper names public compute for work on interpretability, safety and security as a remedy [V]. How "
    "far a given amount would reach is our own question, and so are the definition, the prices and the "
    "assumptions [D]."
)


def afford_section(found: Affordability) -> Section:
    """Return the section on what budgets and facilities could have trained."""
    purses = {purse.name: purse for purse in found.purses}
    headline = [row for row in found.rows() if row["is_headline"]]
    return Section(
        id="afford",
        title="What public compute would buy",
        prose=(
            REMEDY,
            _reach(found),
            *(("{figure:afford-budgets}",) if _is_drawn(found) else ()),
            f"{NOT_THEIR_COST} {MARKET_DEPTH}",
            "{figure:afford-costs}",
            *_facilities(found),
            _spread(found),
        ),
        figures=afford_figures(found),
        tables=(
            Table(
                id="afford-shares",
                title=f"Large systems of {found.period} within reach",
                columns=COLUMNS,
                rows=tuple(_named(headline, purses)),
                note=f"Large: {found.large.text}. Intervals: {formats.percent(found.level)} of "
                f"{formats.count(found.reps)} draws of utilisation, price and compute; they hold the systems "
                "fixed and are no sampling intervals. A word of confidence in the table is read as a "
                "factor of 3, 10 or 30 around the compute, as the words are recalled [R].",
            ),
            Table(
                id="afford-sensitivity",
                title="The same under other utilisations and prices, rented or bought",
                columns=SENSITIVITY,
                rows=tuple(_named(_wide(found), purses)),
                note=f"Bought: {found.assumptions.ownership_factor:g} times the price of the chip, for host, "
                f"power and staff, written off over {found.assumptions.life_years:g} years of full use [D].",
            ),
            Table(
                id="afford-definitions",
                title="The same under other definitions of large",
                columns=(DEFINITION, *(_column(purse) for purse in found.purses)),
                rows=tuple(_by_definition(found)),
                note="Share of the large systems within reach. Every definition is ours [D].",
            ),
        ),
    )


def afford_figures(found: Affordability) -> tuple[Figure, ...]:
    """Return the pictures: shares within budgets by year, and the cost of each system."""
    table = found.sample.table.name
    level = formats.percent(found.level)
    made = []
    if _is_drawn(found):
        made.append(
            Figure(
                id="afford-budgets",
                title=_title(found),
                subtitle=f"Share of each year's large systems ({found.large.text}) within a budget",
                frame=pictures.budgets_data(found),
                chart=lambda: pictures.budgets(found),
                alt="One line a budget: the share of a year's large systems it could have trained.",
                source=f"{table}; quoted prices of accelerators",
                n=sum(one.is_large for one in found.systems),
                interval=f"Bands: {level} of draws of utilisation, price and compute",
            )
        )
    made.append(
        Figure(
            id="afford-costs",
            title=f"The dearest run of the table would have cost {_dollars(_dearest(found))} to rent",
            subtitle="Cost of the final run on the cheapest chips of its day, by date; large systems dark",
            frame=pictures.costs_data(found),
            chart=lambda: pictures.costs(found),
            alt="One point a system: date against cost on a logarithmic axis, with lines at the budgets.",
            source=f"{table}; quoted prices of accelerators",
            n=len(found.systems),
            interval="No intervals drawn; the frame holds them",
        )
    )
    return tuple(made)


def _is_drawn(found: Affordability) -> bool:
    return pictures.budgets_data(found).height > 0


def _dearest(found: Affordability) -> float:
    return max(one.cost_usd for one in found.systems)


def _dollars(usd: float) -> str:
    """Return an amount of money in words.

    Examples
    --------
    >>> _dollars(2.34e6), _dollars(8e4), _dollars(4.1e9)
    ('2.3 million dollars', '80,000 dollars', '4.1 billion dollars')
    """
    for size, word in ((1e9, " billion"), (1e6, " million")):
        if usd >= size:
            return (
                f"{usd / size:.2g}{word} dollars" if usd < 100 * size else f"{usd / size:.0f}{word} dollars"
            )
    return f"{formats.count(float(f'{usd:.2g}'))} dollars"


def _text(purse: Purse) -> str:
    return _dollars(purse.usd) if purse.kind == "budget" else purse.name


def _title(found: Affordability) -> str:
    budgets = [found.headline(p) for p in found.purses if p.kind == "budget"]
    cell = min(budgets, key=lambda c: abs((c.share or 0.0) - 0.5))
    share = formats.percent(cell.share or 0.0)
    return f"{_dollars(cell.purse.usd)} would have bought {share} of the large systems of {found.period}"


def _phrase(found: Affordability, purse: Purse) -> str:
    cell = found.headline(purse)
    return (
        f"{_text(purse)} {formats.percent(cell.share or 0.0)} ({cell.k} of {cell.n}; "
        f"{formats.percent(cell.low)} to {formats.percent(cell.high)})"
    )


def _reach(found: Affordability) -> str:
    budgets = [p for p in found.purses if p.kind == "budget"]
    if not budgets:
        return "No budget was stated."
    said = "; ".join(_phrase(found, p) for p in budgets)
    return (
        f"Of the large systems of {found.period} ({found.large.text}), one run at the prices of its day is "
        f"within reach of: {said}. Assumed: {found.assumptions.text}."
    )


def _facilities(found: Affordability) -> tuple[str, ...]:
    machines = [p for p in found.purses if p.kind == "facility"]
    if not machines:
        return ()
    said = "; ".join(_phrase(found, p) for p in machines)
    share = found.assumptions.facility_share
    used = found.assumptions.utilisation
    small = min(one.part for one in found.sensitivity)
    less = "; ".join(
        f"{one.purse.name} {formats.percent(one.share or 0.0)}"
        for one in found.sensitivity
        if one.purse in machines and one.part == small and one.utilisation == used
    )
    return (
        f"With {formats.percent(share)} of a machine for a year: {said}. That is what the hardware could do, "
        f"not what an award allows. With {formats.percent(share * small)} of the year, the most that the "
        f"largest track of one academic machine, Frontera, gives a project: {less}.",
    )


def _spread(found: Affordability) -> str:
    purse = max((p for p in found.purses), key=lambda p: (p.usd == 1e6, p.usd))
    shares = [d.share for d in found.definitions if d.purse == purse and d.share is not None]
    moved = [s.share for s in found.sensitivity if s.purse == purse and s.share is not None]
    said = (
        f"The share within {_text(purse)} runs from {_ends(shares)} over definitions of large, and from "
        f"{_ends(moved)} over utilisations, prices, and renting or buying"
    )
    wider = max(shares) - min(shares) > max(moved) - min(moved)
    return f"{said}: what counts as large decides more than what an hour costs." if wider else f"{said}."


def _ends(shares: list[float]) -> str:
    return f"{formats.percent(min(shares))} to {formats.percent(max(shares))}"


def _named(rows: Iterable[dict[str, Any]], purses: dict[str, Purse]) -> list[dict[str, Any]]:
    return [{**row, "purse": _text(purses[row["purse"]])} for row in rows]


def _column(purse: Purse) -> Column:
    return Column(name=purse.id, label=_text(purse), format="percent")


def _by_definition(found: Affordability) -> list[dict[str, Any]]:
    """Return one row a definition of large, with the share within each purse."""
    rows: dict[str, dict[str, Any]] = {}
    for one in found.definitions:
        text = LARGE[one.large].text if one.large in LARGE else one.large
        rows.setdefault(text, {"large": text})[one.purse.id] = one.share
    return list(rows.values())


def _wide(found: Affordability) -> list[dict[str, Any]]:
    """Return one row a purse, basis and utilisation, with the shares at three prices."""
    rows: dict[tuple[str, str, float], dict[str, Any]] = {}
    names = {0.5: "half", 1.0: "same", 2.0: "double"}
    paid = {"rental": "rented", "purchase": "bought"}
    for one in (s for s in found.sensitivity if s.purse.kind == "budget"):
        key = (one.purse.name, one.basis, one.utilisation)
        row = rows.setdefault(
            key, {"purse": one.purse.name, "basis": paid[one.basis], "utilisation": one.utilisation}
        )
        row[names[one.price_factor]] = one.share
    return list(rows.values())

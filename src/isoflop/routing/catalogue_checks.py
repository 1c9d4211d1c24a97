"""What may be wrong with sizes and prices of the models that were scored."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

from isoflop.routing.data_checks import Check, named

if TYPE_CHECKING:
    from isoflop.evidence.table import Table

OLD_DAYS = 90


def catalogue_checks(
    catalogue: Table, models: Sequence[str], *, today: dt.date | None = None
) -> tuple[Check, ...]:
    """Return the checks of a catalogue against the models that have scores.

    Parameters
    ----------
    catalogue : Table
        Of schema ``model_catalogue``.
    models : sequence of str
        Models with scores.
    today : datetime.date, optional
        Day against which the age of prices counts.

    Returns
    -------
    tuple of Check
    """
    rows = {row["model"]: row for row in catalogue.frame.iter_rows(named=True)}
    mine = {name: rows.get(name) for name in models}
    unpriced = [
        name
        for name, row in mine.items()
        if row is None or row["input_usd_per_mtok"] is None or row["output_usd_per_mtok"] is None
    ]
    unsized = [name for name, row in mine.items() if row is None or row["params"] is None]
    priced = [row for name, row in mine.items() if row is not None and name not in unpriced]
    dates = {row["model"]: last_day(row["as_of_date"]) for row in priced}
    limit = (today or dt.date.today()) - dt.timedelta(days=OLD_DAYS)
    old = [name for name, day in dates.items() if day is not None and day < limit]
    undated = [name for name, day in dates.items() if day is None]
    days = {day for day in dates.values() if day is not None}
    return (
        Check(
            id="unpriced_models",
            what="models without list prices",
            found=len(unpriced),
            of=len(models),
            where=tuple(unpriced),
            caution=f"{len(unpriced)} of {len(models)} models have no price ({named(unpriced)}): nothing "
            "can be said of their cost. Add them to the catalogue, or import_prices."
            if unpriced
            else "",
        ),
        Check(
            id="unsized_models",
            what="models of unknown size",
            found=len(unsized),
            of=len(models),
            where=tuple(unsized),
        ),
        Check(
            id="old_prices",
            what=f"prices older than {OLD_DAYS} days, or without a date",
            found=len(old) + len(undated),
            of=len(priced),
            where=(*old, *undated),
            caution=_aged(old, undated),
        ),
        Check(
            id="price_dates",
            what="further days that prices are of",
            found=max(0, len(days) - 1),
            of=max(0, len(priced) - 1),
            where=tuple(str(day) for day in sorted(days)) if len(days) > 1 else (),
            caution=f"Prices are of {len(days)} different days: one curve of cost should hold those of one "
            "day. List them anew together."
            if len(days) > 1
            else "",
        ),
    )


def price_doubts(catalogue: Table, models: Sequence[str], *, today: dt.date | None = None) -> tuple[str, ...]:
    """Return what limits the list prices of models: their age, missing days, and several days at once."""
    checks = catalogue_checks(catalogue, models, today=today)
    return tuple(c.caution for c in checks if c.id in ("old_prices", "price_dates") and c.caution)


def last_day(text: str | None) -> dt.date | None:
    """Return the last day that a printed day, month or year may mean, or None if it is none of them.

    Examples
    --------
    >>> last_day("2026-02"), last_day("2025"), last_day("spring")
    (datetime.date(2026, 2, 28), datetime.date(2025, 12, 31), None)
    """
    parts = (text or "").strip().split("-")
    if len(parts) > 3 or not all(part.isdecimal() for part in parts):
        return None
    year, month, day = (*map(int, parts), *(0, 0))[:3]
    try:
        if day:
            return dt.date(year, month, day)
        first = dt.date(year + (month in (0, 12)), month % 12 + 1 if month else 1, 1)
    except ValueError:
        return None
    return first - dt.timedelta(days=1)


def _aged(old: Sequence[str], undated: Sequence[str]) -> str:
    said = []
    if old:
        said.append(f"prices of {named(old)} are older than {OLD_DAYS} days")
    if undated:
        said.append(f"prices of {named(undated)} carry no date")
    if not said:
        return ""
    text = " and ".join(said)
    return f"{text[0].upper()}{text[1:]}: list prices change. Look them up again and fill in as_of_date."

"""The systems that a decomposition compares: nine well-known ones, or any written as N:D:date."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from isoflop.errors import SettingError, closest
from isoflop.units import date_from_year, parse_quantity, train_flop, tropical_year

_EXAMPLE = "70B:1.4T:2022-03-29"
_CLASSES = {"transformer": True, "other": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """One system: parameters N, unique training examples D, publication date, class.

    Parameters
    ----------
    name : str
    parameters, data : float, > 0
    date : datetime.date
    is_transformer : bool
        Read only by laws that tell transformers from the rest.
    """

    name: str
    parameters: float
    data: float
    date: dt.date
    is_transformer: bool = True

    def __post_init__(self) -> None:
        for label in ("parameters", "data"):
            number = getattr(self, label)
            if not 0 < number < float("inf"):
                raise SettingError(f"System: {label}={number} of {self.name}, must be positive and finite.")

    @property
    def year(self) -> float:
        """Date in tropical years, the rule of the published decomposition."""
        return tropical_year(self.date)

    @property
    def train_flop(self) -> float:
        """Compute 6·N·D, FLOP."""
        return train_flop(self.parameters, self.data)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {
            "name": self.name,
            "parameters": self.parameters,
            "data": self.data,
            "date": self.date.isoformat(),
            "is_transformer": self.is_transformer,
        }


def _system(name: str, n: float, d: float, date: str, *, is_transformer: bool = True) -> System:
    return System(
        name=name, parameters=n, data=d, date=dt.date.fromisoformat(date), is_transformer=is_transformer
    )


SYSTEMS = {
    system.name: system
    for system in (
        _system("RNN", 6e6, 9.29e5, "2012-12-01", is_transformer=False),
        _system("LSTM", 1.1e7, 1.03e8, "2016-12-13", is_transformer=False),
        _system("Transformer", 2.47e8, 1.03e8, "2018-09-28"),
        _system("Transformer-XL", 2.57e8, 1.03e8, "2019-01-09"),
        _system("GPT-2", 1.5e9, 4e9, "2019-02-14"),
        _system("Megatron", 8.3e9, 4.64e10, "2019-09-17"),
        _system("GPT-3", 1.75e11, 4.99e11, "2020-05-28"),
        _system("Gopher", 2.8e11, 3e11, "2021-12-08"),
        _system("Chinchilla", 7e10, 1.4e12, "2022-03-29"),
    )
}
"""Reference systems of Ho et al. (2024), by their sizes and dates there."""


def find_system(given: str | System, *, where: str) -> System:
    """Return a system from its name, from ``N:D:date`` or ``N:D:date:other``, or as it is.

    Parameters
    ----------
    given : str or System
        A name of `SYSTEMS` in any case; or parameters, data and an ISO date or a fractional year,
        and optionally the class, ``transformer`` (assumed) or ``other``.
    where : str
        Leads the message if it cannot be read.

    Raises
    ------
    SettingError

    Examples
    --------
    >>> find_system("gpt3", where="--end").name
    'GPT-3'
    >>> find_system("70B:1.4T:2022-03-29", where="--end").parameters
    70000000000.0
    """
    if isinstance(given, System):
        return given
    folded = {_fold(name): system for name, system in SYSTEMS.items()}
    if _fold(given) in folded:
        return folded[_fold(given)]
    parts = [part.strip() for part in given.split(":")]
    if len(parts) == 1:
        near = closest(given, SYSTEMS)
        raise SettingError(
            f"{where}: {given!r}, needs one of {', '.join(SYSTEMS)}, or N:D:date such as {_EXAMPLE}."
            + (f" Did you mean {near!r}?" if near else "")
        )
    if len(parts) not in (3, 4):
        raise SettingError(
            f"{where}: {given!r} has {len(parts)} parts, needs parameters, data and date. Write {_EXAMPLE}."
        )
    if len(parts) == 4 and parts[3].lower() not in _CLASSES:
        raise SettingError(
            f"{where}: class {parts[3]!r}, must be transformer or other. Leave it out, or fix it."
        )
    return System(
        name=given,
        parameters=parse_quantity(parts[0], where=f"{where}, parameters"),
        data=parse_quantity(parts[1], where=f"{where}, data"),
        date=_date(parts[2], where),
        is_transformer=_CLASSES[parts[3].lower()] if len(parts) == 4 else True,
    )


def _date(text: str, where: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text) if "-" in text else date_from_year(float(text))
    except (ValueError, OverflowError):
        raise SettingError(
            f"{where}: date {text!r}, needs year-month-day or a fractional year. Write 2022-03-29 or 2022.24."
        ) from None


def _fold(name: str) -> str:
    return "".join(ch for ch in name.lower() if ch.isalnum())

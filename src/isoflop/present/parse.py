"""Words, numbers, lists and dates as typed on the command line; what cannot be read is refused."""

from __future__ import annotations

import datetime as dt
from typing import Any

import click

from isoflop.errors import SettingError, closest
from isoflop.units import fractional_year


class Word(click.Choice[str]):
    """One of a few words; another one is refused in the project's pattern, with the closest."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the word if it is one of the choices."""
        if value in self.choices:
            return super().convert(value, param, ctx)
        near = closest(str(value), self.choices)
        hint = f"Did you mean {near}?" if near else f"Use {self.choices[0]}."
        where = param.opts[-1] if param is not None else "option"
        raise SettingError(f"{where}: {value!r}, must be one of {', '.join(self.choices)}. {hint}")


class Number(click.ParamType[float]):
    """A number; other text is refused in the project's pattern."""

    def __init__(self, kind: type[int] | type[float], example: float) -> None:
        self.kind, self.example = kind, example
        self.name = "integer" if kind is int else "float"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ARG002 - click's interface
        """Return the number that was written."""
        try:
            return self.kind(value)
        except ValueError:
            where = param.opts[-1] if param is not None else "option"
            what = "a whole number" if self.kind is int else "a number"
            raise SettingError(f"{where}: {value!r}, must be {what}. Write {self.example:g}, say.") from None


def numbers(text: str, option: str) -> tuple[int, ...]:
    """Return whole numbers from a list with ranges.

    Raises
    ------
    SettingError
        A part is no number and no range.

    Examples
    --------
    >>> numbers("1-3,7", "--laws")
    (1, 2, 3, 7)
    """
    found: list[int] = []
    for part in text.split(","):
        low, dash, high = (word.strip() for word in part.partition("-"))
        if not low.isdecimal() or (dash and not high.isdecimal()) or (dash and int(high) < int(low)):
            raise SettingError(
                f"{option}: {part.strip()!r}, must be a number or a rising range. Write 1-20 or 1,7,10."
            )
        found += range(int(low), int(high if dash else low) + 1)
    return tuple(dict.fromkeys(found))


def decimals(text: str, option: str, *, sign: str = ",") -> tuple[float, ...]:
    """Return numbers from a list.

    Raises
    ------
    SettingError
        A part is no number.

    Examples
    --------
    >>> decimals("0,0.0025", "--penalties")
    (0.0, 0.0025)
    """
    try:
        return tuple(float(part) for part in text.split(sign))
    except ValueError:
        example = sign.join(("0.001", "0.0025"))
        raise SettingError(
            f"{option}: {text!r}, must be numbers separated by {sign!r}. Write {example}, say."
        ) from None


def year_of(text: str, option: str) -> float:
    """Return the fractional year of a date or a year.

    Raises
    ------
    SettingError
        It is neither.

    Examples
    --------
    >>> year_of("2017.5", "--since"), year_of("2017-01-01", "--since")
    (2017.5, 2017.0)
    """
    try:
        return fractional_year(dt.date.fromisoformat(text.strip().replace("/", "-")))
    except ValueError:
        pass
    try:
        year = float(text)
    except ValueError:
        year = float("nan")
    if not 1900 <= year <= 2200:
        raise SettingError(f"{option}: {text!r}, must be a date or a year. Write 2017-06-12 or 2017.5.")
    return year


def year_option(_context: click.Context, option: click.Parameter, text: str | None) -> float | None:
    """Return the fractional year of an option's text; a click callback."""
    return None if text is None else year_of(text, option.opts[-1])

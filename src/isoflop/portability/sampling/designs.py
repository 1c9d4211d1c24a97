"""The designs by which functions are drawn, as frozen settings."""

from __future__ import annotations

import re
from dataclasses import dataclass

from isoflop.errors import SettingError, closest


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """Every function in use."""

    @property
    def short(self) -> str:
        """The short form, which `parse_design` reads."""
        return "census"

    @property
    def text(self) -> str:
        """The design in words."""
        return "all functions in use"


@dataclass(frozen=True, slots=True, kw_only=True)
class Top:
    """The `k` most used functions, each with certainty: says nothing of the others.

    Parameters
    ----------
    k : int, >= 1
    """

    k: int = 20

    def __post_init__(self) -> None:
        _at_least("Top", "k", self.k, 1)

    @property
    def short(self) -> str:
        """The short form, which `parse_design` reads."""
        return f"top:{self.k}"

    @property
    def text(self) -> str:
        """The design in words."""
        return f"the {self.k} most used functions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deciles:
    """A few functions of every decile of use, and the most used ones with certainty.

    Parameters
    ----------
    per : int, >= 1
        Drawn of each decile, without repeats.
    top : int, >= 0
        Most used functions that are always taken.
    paper : bool
        The paper's mode: deciles keep the most used functions, which may then be drawn twice. Otherwise
        these form a stratum of their own.
    """

    per: int = 5
    top: int = 20
    paper: bool = False

    def __post_init__(self) -> None:
        _at_least("Deciles", "per", self.per, 1)
        _at_least("Deciles", "top", self.top, 0)

    @property
    def short(self) -> str:
        """The short form, which `parse_design` reads."""
        return f"deciles{'-paper' if self.paper else ''}:{self.per},{self.top}"

    @property
    def text(self) -> str:
        """The design in words."""
        mode = "drawn from all, as in the paper" if self.paper else "drawn from the rest"
        return f"{self.per} functions a decile of use, {mode}, and the {self.top} most used"


@dataclass(frozen=True, slots=True, kw_only=True)
class PPS:
    """`n` functions with chances in proportion to their calls; those used most are certain.

    Parameters
    ----------
    n : int, >= 2
    """

    n: int = 50

    def __post_init__(self) -> None:
        _at_least("PPS", "n", self.n, 2)

    @property
    def short(self) -> str:
        """The short form, which `parse_design` reads."""
        return f"pps:{self.n}"

    @property
    def text(self) -> str:
        """The design in words."""
        return f"{self.n} functions with chances in proportion to their calls"


Design = Census | Top | Deciles | PPS
_FORMS = "census, top:20, deciles:5,20, deciles-paper:5,20, pps:50"


def parse_design(text: str) -> Design:
    """Return a design from its short form, as typed on a command line.

    Raises
    ------
    SettingError
        The form is unknown.

    Examples
    --------
    >>> parse_design("deciles:5,20")
    Deciles(per=5, top=20, paper=False)
    >>> parse_design("pps:80").text
    '80 functions with chances in proportion to their calls'
    """
    found = re.fullmatch(r"([a-z-]+)(?::(\d+)(?:,(\d+))?)?", text.strip().lower())
    name, first, second = found.groups() if found else (text, None, None)
    numbers = [int(n) for n in (first, second) if n is not None]
    if name == "census" and not numbers:
        return Census()
    if name == "top" and len(numbers) < 2:
        return Top(k=numbers[0]) if numbers else Top()
    if name == "pps" and len(numbers) < 2:
        return PPS(n=numbers[0]) if numbers else PPS()
    if name in ("deciles", "deciles-paper"):
        return Deciles(**dict(zip(("per", "top"), numbers, strict=False)), paper=name.endswith("paper"))
    near = closest(str(name), ("census", "top", "deciles", "pps"))
    hint = f"Did you mean {near!r}?" if near else "Choose one of them."
    raise SettingError(f"design: {text!r}, must be of the form {_FORMS}. {hint}")


def _at_least(where: str, name: str, value: int, least: int) -> None:
    if value < least:
        raise SettingError(f"{where}: {name}={value}, must be >= {least}. Raise it.")

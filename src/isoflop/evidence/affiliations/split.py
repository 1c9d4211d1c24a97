"""Take the affiliations of a paper apart: authors by ";", an author's organisations by "+" or "|"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from isoflop.errors import SettingError
from isoflop.evidence.affiliations.words import unescaped

AUTHORS = ";"
ORGANISATIONS = "+|"
SEPARATORS = AUTHORS + ORGANISATIONS


@cache
def _cut(signs: str) -> re.Pattern[str]:
    return re.compile("[" + re.escape(signs) + "]")


def split_affiliations(text: str | None, separators: str = SEPARATORS) -> list[str]:
    """Return the organisations that a cell lists, of all authors.

    HTML entities are resolved first: their semicolon parts no authors.

    Parameters
    ----------
    text : str or None
    separators : str
        Signs to cut at; none leaves the cell whole.

    Raises
    ------
    SettingError
        A separator is a letter, a digit or a blank.

    Examples
    --------
    >>> split_affiliations("MIT + IBM;; Universit&eacute; de Lyon | CNRS")
    ['MIT', 'IBM', 'Université de Lyon', 'CNRS']
    """
    whole = " ".join(unescaped(text or "").replace("\0", " ").split())
    if not separators:
        return [whole] if whole else []
    _check(separators)
    return [part for piece in _cut(separators).split(whole) if (part := piece.strip())]


def split_authors(text: str | None) -> list[str]:
    """Return one text per author, blanks kept so that other columns can be paired.

    Examples
    --------
    >>> split_authors("MIT; ;ETH")
    ['MIT', '', 'ETH']
    """
    return [part.strip() for part in unescaped(text or "").split(AUTHORS)]


@cache
def _check(separators: str) -> None:
    wrong = next((sign for sign in separators if sign.isalnum() or sign.isspace()), None)
    if wrong is not None:
        raise SettingError(
            f"split_affiliations: separator {wrong!r}, needs signs such as ; + |. Leave letters out."
        )


def pair(texts: Sequence[str], domains: Sequence[str]) -> list[tuple[str, str]]:
    """Return authors' texts with their e-mail domains; without domains where the numbers differ.

    Examples
    --------
    >>> pair(["MIT", "ETH"], ["mit.edu"])
    [('MIT', ''), ('ETH', '')]
    """
    known = domains if len(domains) == len(texts) else [""] * len(texts)
    return list(zip(texts, known, strict=True))

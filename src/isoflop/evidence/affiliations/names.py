"""Names of organisations, found by hashing the first word and comparing the rest; the longest wins.

A name says where in a string it counts: ``any``where, at the ``head`` of a part between commas and
brackets, or ``first`` in the whole string. "Orange" is a company where a string begins with it, and a town
in California elsewhere.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Literal, NamedTuple

from isoflop.evidence.affiliations.decision import OrgType
from isoflop.evidence.affiliations.words import BREAKS, folded, tokens

Where = Literal["any", "head", "first"]
Kind = OrgType | Literal["place"]
TABLES = ("academic_aliases", "public_research_names", "company_names")
"""Earlier tables win where two list the same name."""
_NOT_A_NAME = frozenset({"the", "and", *BREAKS})


class Name(NamedTuple):
    """One listed name: its words after the first, its type, where it counts, how it is written."""

    rest: tuple[str, ...]
    type: Kind
    where: Where
    text: str


Index = Mapping[str, tuple[Name, ...]]


def rows_of(table: str) -> Iterator[dict[str, str]]:
    """Yield the rows of one of the lists that ship."""
    path = files("isoflop.evidence") / "tables" / f"{table}.csv"
    yield from csv.DictReader(path.read_text(encoding="utf-8").splitlines())


def words_of(text: str) -> list[str]:
    """Return the words of a name without signs.

    Examples
    --------
    >>> words_of("École des Ponts, ParisTech")
    ['ecole', 'des', 'ponts', 'paristech']
    """
    return [word for word in tokens(folded(text)) if word not in BREAKS]


def index_of(listed: Iterable[tuple[str, Kind, Where]]) -> Index:
    """Return names by their first word, longest first.

    Examples
    --------
    >>> index_of([("Toyota", "company", "any"), ("Toyota Tech", "education", "any")])["toyota"][0].type
    'education'
    """
    found: dict[tuple[str, ...], Name] = {}
    for text, kind, where in listed:
        words = tuple(words_of(text))
        if words and words not in found:
            found[words] = Name(words[1:], kind, where, text)
    index: dict[str, list[Name]] = {}
    for words, name in sorted(found.items(), key=lambda item: -len(item[0])):
        index.setdefault(words[0], []).append(name)
    return {word: tuple(names) for word, names in index.items()}


@cache
def shipped_names() -> Index:
    """Return the index of all names that ship."""
    return index_of(
        (row["name"], row["type"], row["where"])  # type: ignore[misc]
        for table in TABLES
        for row in rows_of(table)
    )


def name_at(index: Index, words: list[str], place: int, head: bool, first: bool) -> Name | None:
    """Return the longest name that begins at a place and counts there.

    Parameters
    ----------
    index : mapping
    words : list of str
        Words and signs of the string.
    place : int
    head, first : bool
        The place begins a part; it begins the string.
    """
    for name in index.get(words[place], ()):
        if name.rest and tuple(words[place + 1 : place + 1 + len(name.rest)]) != name.rest:
            continue
        if name.where == "any" or (first if name.where == "first" else head):
            return name
    return None

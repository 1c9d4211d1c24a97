"""Lists of authors for each team, as JSON text, with what a count of them must give.

The team decides which types of institution may occur; the counts beside each text are taken while it
is written, not by reading it back.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

KINDS: Final = {
    "education": 300,
    "company": 120,
    "government": 40,
    "facility": 60,
    "healthcare": 60,
    "nonprofit": 30,
    "archive": 8,
    "funder": 8,
    "other": 12,
    "guild": 4,
    None: 30,
}
"""Institutions of each type; `guild` is one that no list of types has, None a missing type."""
PUBLIC: Final = ("government", "facility", "healthcare", "nonprofit", "archive", "funder")
COUNTRIES: Final = ("US", "CN", "GB", "DE", "IN", "JP", "FR", "BR", "KR", "IR", "NG", "IS", "XK", None)
"""Iceland and Kosovo have no bit of their own in the narrow table; None is a missing country."""
_MAY: Final[dict[str, tuple[str | None, ...]]] = {
    "academia": ("education", "education", "education", "facility", "healthcare", "government", None),
    "industry": ("company", "company", "company", "facility", "nonprofit", None),
    "collaboration": ("education", "company", "education", "government", "other", None),
    "other": (
        "facility",
        "government",
        "healthcare",
        "nonprofit",
        "archive",
        "funder",
        "other",
        "guild",
        None,
    ),
    "unknown": (None,),
}
_MUST: Final[dict[str, tuple[str, ...]]] = {
    "academia": ("education",),
    "industry": ("company",),
    "collaboration": ("education", "company"),
    "other": (),
    "unknown": (),
}
_GIVEN = ("Ana", "Wei", "Søren", "Łucja", "Ngọc", "José", "Amira", "Олена", "健太", "Priya", "Tom", "Élodie")
_FAMILY = ("Müller", "García", "Zhang", "Okafor", "Ivanova", "Smith", "Åberg", "田中", "Nguyễn", "O'Neill")
_TRAPS = (
    'Dept. of "type":"company", {city}',
    'says \\ "institutions":[{{"type":"education"}}] {city}',
    "Laboratoire d’Électronique; {city}\tCEDEX \u2028 9",
)
_PLACE = ("Lagos", "Zürich", "São Paulo", "上海", "Montréal", "Delhi", "Kyiv", "Reykjavík", "Austin", "Łódź")


@dataclass(frozen=True, slots=True, kw_only=True)
class Authors:
    """A list of authors.

    Parameters
    ----------
    text : str
        JSON of the field ``authorships``; empty: the field is left out.
    counts : tuple of int
        Authors; those with an educational, a company's, a public, another institution; those without
        any of known type.
    countries : frozenset of str
    """

    text: str
    counts: tuple[int, int, int, int, int, int]
    countries: frozenset[str]


def institutions(rng: np.random.Generator) -> dict[str | None, list[dict[str, Any]]]:
    """Return made-up institutions by their type, as they stand in a record."""
    made: dict[str | None, list[dict[str, Any]]] = {}
    for kind, count in KINDS.items():
        numbers = rng.integers(10_000_000, 4_210_000_000, count)
        made[kind] = [_institution(kind, int(number), i, rng) for i, number in enumerate(numbers)]
    return made


def _institution(kind: str | None, number: int, i: int, rng: np.random.Generator) -> dict[str, Any]:
    name = f"https://openalex.org/I{number}"
    country = COUNTRIES[int(len(COUNTRIES) * rng.random() ** 2)]
    parent = f"https://openalex.org/I{rng.integers(10_000_000, 4_210_000_000)}"
    return {
        "id": name,
        "display_name": f"{_PLACE[i % len(_PLACE)]} {kind or 'unit'} {i}",
        "ror": None if rng.random() < 0.05 else f"https://ror.org/0{number:x}",
        "country_code": country,
        "type": kind,
        "lineage": [name, parent] if rng.random() < 0.3 else [name],
    }


def author_lists(
    team: str, count: int, known: dict[str | None, list[dict[str, Any]]], rng: np.random.Generator
) -> list[Authors]:
    """Return lists of authors that make a work one of this team."""
    made = [_authors(team, known, rng) for _ in range(count)]
    if team == "unknown":
        nothing = [Authors(text=t, counts=(0,) * 6, countries=frozenset()) for t in ("[]", "null", "")]
        made += nothing * max(1, count // 12)
    return made


def _authors(team: str, known: dict[str | None, list[dict[str, Any]]], rng: np.random.Generator) -> Authors:
    n = int(min(1 + rng.poisson(2.5) * (1 if rng.random() < 0.97 else 8), 60))
    n = max(n, len(_MUST[team]), 1)
    kinds: list[list[str | None]] = [_kinds_of_author(team, rng) for _ in range(n)]
    must = list(_MUST[team])
    if team == "other":
        must = [str(_MAY["other"][int(rng.integers(len(_MAY["other"]) - 1))])]
    for place, kind in zip(rng.permutation(n).tolist(), must, strict=False):
        kinds[place] = [*kinds[place], kind]
    people = [_person(i, n, [_one(known[k], rng) for k in listed], rng) for i, listed in enumerate(kinds)]
    counts = (
        n,
        sum("education" in listed for listed in kinds),
        sum("company" in listed for listed in kinds),
        sum(any(k in PUBLIC for k in listed) for listed in kinds),
        sum("other" in listed or "guild" in listed for listed in kinds),
        sum(all(k is None for k in listed) for listed in kinds),
    )
    countries = {i["country_code"] for person in people for i in person["institutions"] or ()}
    text = json.dumps(people, ensure_ascii=False, separators=(",", ":"))
    return Authors(text=text, counts=counts, countries=frozenset(c for c in countries if c))


def _kinds_of_author(team: str, rng: np.random.Generator) -> list[str | None]:
    """Draw the types of an author's institutions; about one author in five of a known team has none."""
    if rng.random() < (0.8 if team == "unknown" else 0.2):
        return []
    may = _MAY[team]
    return [may[int(rng.integers(len(may)))] for _ in range(2 if rng.random() < 0.15 else 1)]


def _one(choices: list[dict[str, Any]], rng: np.random.Generator) -> dict[str, Any]:
    return choices[int(len(choices) * rng.random() ** 2)]


def _person(i: int, n: int, listed: list[dict[str, Any]], rng: np.random.Generator) -> dict[str, Any]:
    name = f"{_GIVEN[int(rng.integers(len(_GIVEN)))]} {_FAMILY[int(rng.integers(len(_FAMILY)))]}"
    city = _PLACE[int(rng.integers(len(_PLACE)))]
    strings = [
        _TRAPS[int(rng.integers(len(_TRAPS)))].format(city=city)
        if rng.random() < 0.01
        else f"Department {int(rng.integers(90))}, {one['display_name']}, {city}, {one['country_code']}"
        for one in listed
    ]
    number = int(rng.integers(5_000_000_000, 5_120_000_000))
    without = not listed and rng.random() < 0.1
    return {
        "author_position": "first" if i == 0 else "last" if i == n - 1 else "middle",
        "author": {
            "id": f"https://openalex.org/A{number}",
            "display_name": name,
            "orcid": f"https://orcid.org/0000-000{number % 10}-{number % 9973:04d}-{number % 9941:04d}"
            if rng.random() < 0.5
            else None,
        },
        "institutions": None if without else listed,
        "countries": sorted({one["country_code"] for one in listed if one["country_code"]}),
        "is_corresponding": bool(i == 0),
        "raw_author_name": None if rng.random() < 0.03 else name,
        "raw_affiliation_strings": strings,
        "affiliations": [
            {"raw_affiliation_string": text, "institution_ids": [one["id"]]}
            for text, one in zip(strings, listed, strict=True)
        ],
    }

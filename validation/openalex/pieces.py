"""Pieces of records, written once and drawn from: institutions, people, topics, abstracts.

Joining pieces makes some fifty thousand records a second; building each as an object would make two.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

COUNTRIES = ("US", "CN", "GB", "DE", "IN", "JP", "FR", "CA", "KR", "BR", "CH", "SG", "KE", "XK", None)
TYPES: dict[str | None, float] = {
    "education": 0.58,
    "company": 0.13,
    "government": 0.09,
    "healthcare": 0.07,
    "nonprofit": 0.05,
    "facility": 0.05,
    "archive": 0.006,
    "other": 0.01,
    "funder": 0.004,
    None: 0.01,
}
"""Type of an institution and how frequent it is."""
CLASS = {"education": 1, "company": 2, None: 0}
"""Bit of a class for the truth; every other known type is 4."""
ELSEWHERE = 4
SYLLABLES = (
    "ra",
    "ti",
    "no",
    "el",
    "mu",
    "cor",
    "vis",
    "tan",
    "ge",
    "lo",
    "pha",
    "sty",
    "ne",
    "qui",
    "ber",
    "ox",
)
UNUSUAL = (
    "Überprüfung",
    "学習",
    "обучение",
    'so-called "type":"company"',
    "α–β",
    "a\\b",
    "naïve",
    "機械\n学習",
)
"""Words that a careless reader stumbles over."""


def text(value: Any) -> str:
    """Return compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """Rendered pieces with what the truth needs of them.

    Parameters
    ----------
    institutions : list of str
    classes : array, shape (n institutions,)
        1 education, 2 company, 4 another known type, 0 none.
    people, affiliations, topics, abstracts, titles, concepts, tails : list of str
    subfields : array, shape (n topics,)
    """

    institutions: list[str]
    classes: np.ndarray
    people: list[str]
    affiliations: list[str]
    topics: list[str]
    subfields: np.ndarray
    abstracts: list[str]
    titles: list[str]
    concepts: list[str]
    places: list[str]


def words(rng: np.random.Generator, count: int) -> list[str]:
    """Return made-up words, each of two to four syllables."""
    lengths = rng.integers(2, 5, count)
    return ["".join(rng.choice(SYLLABLES, length)) for length in lengths]


def make_pieces(rng: np.random.Generator) -> Pieces:
    """Return the pieces that a snapshot draws from."""
    vocabulary = words(rng, 4000)
    kinds = list(TYPES)
    chosen = rng.choice(len(kinds), 1500, p=list(TYPES.values()))
    institutions, classes = [], []
    for number, kind in enumerate(kinds[place] for place in chosen):
        address = f"https://openalex.org/I{4_200_000_000 + int(rng.integers(10**6))}"
        institutions.append(
            text(
                {
                    "id": address,
                    "display_name": f"{vocabulary[number].title()} {kind or 'place'}",
                    "ror": f"https://ror.org/0{number:06d}",
                    "country_code": COUNTRIES[int(rng.integers(len(COUNTRIES)))],
                    "type": kind,
                    "lineage": [address],
                }
            )
        )
        classes.append(CLASS.get(kind, ELSEWHERE))
    topics, subfields = _topics(rng, vocabulary)
    return Pieces(
        institutions=institutions,
        classes=np.array(classes, np.int64),
        people=[_person(rng, vocabulary) for _ in range(4000)],
        affiliations=[_affiliation(rng, vocabulary) for _ in range(3000)],
        topics=topics,
        subfields=subfields,
        abstracts=[_abstract(rng, vocabulary) for _ in range(1500)],
        titles=[_title(rng, vocabulary, number) for number in range(2000)],
        concepts=[_concept(rng, vocabulary) for _ in range(1500)],
        places=[_place(rng, vocabulary) for _ in range(800)],
    )


def _person(rng: np.random.Generator, vocabulary: Sequence[str]) -> str:
    first, last = (vocabulary[int(i)].title() for i in rng.integers(len(vocabulary), size=2))
    number = int(rng.integers(10**9))
    orcid = (
        None
        if rng.random() < 0.5
        else f"https://orcid.org/0000-0002-{number % 10**4:04d}-{number % 9973:04d}"
    )
    return text(
        {"id": f"https://openalex.org/A5{number:09d}", "display_name": f"{first} {last}", "orcid": orcid}
    )


def _affiliation(rng: np.random.Generator, vocabulary: Sequence[str]) -> str:
    named = [vocabulary[int(i)].title() for i in rng.integers(len(vocabulary), size=5)]
    odd = f" {UNUSUAL[int(rng.integers(len(UNUSUAL)))]}" if rng.random() < 0.1 else ""
    return text(f"Department of {named[0]} {named[1]}, {named[2]} {named[3]}{odd}, {named[4]}")


def _topics(rng: np.random.Generator, vocabulary: Sequence[str]) -> tuple[list[str], np.ndarray]:
    subfields = rng.integers(1700, 1713, 300)
    out = []
    for number, subfield in enumerate(subfields):
        names = [vocabulary[int(i)] for i in rng.integers(len(vocabulary), size=4)]
        out.append(
            text(
                {
                    "id": f"https://openalex.org/T{10_000 + number}",
                    "display_name": f"{names[0].title()} and {names[1]} {names[2]}",
                    "score": round(float(rng.uniform(0.3, 1)), 4),
                    "subfield": {
                        "id": f"https://openalex.org/subfields/{subfield}",
                        "display_name": names[3],
                    },
                    "field": {"id": "https://openalex.org/fields/17", "display_name": "Computer Science"},
                    "domain": {"id": "https://openalex.org/domains/3", "display_name": "Physical Sciences"},
                }
            )
        )
    return out, subfields


def _abstract(rng: np.random.Generator, vocabulary: Sequence[str]) -> str:
    places: dict[str, list[int]] = {}
    ranks = np.minimum(rng.zipf(1.3, 96), len(vocabulary)) - 1
    for place, rank in enumerate(ranks):
        places.setdefault(vocabulary[int(rank)], []).append(place)
    places.setdefault(UNUSUAL[int(rng.integers(len(UNUSUAL)))], []).append(len(ranks))
    return text(places)


def _title(rng: np.random.Generator, vocabulary: Sequence[str], number: int) -> str:
    named = [vocabulary[int(i)] for i in rng.integers(len(vocabulary), size=8)]
    odd = [UNUSUAL[number % len(UNUSUAL)]] if number % 10 == 0 else []
    return text(" ".join([named[0].title(), *named[1:], *odd]))


def _concept(rng: np.random.Generator, vocabulary: Sequence[str]) -> str:
    number = int(rng.integers(10**8))
    return text(
        {
            "id": f"https://openalex.org/C{number}",
            "wikidata": f"https://www.wikidata.org/wiki/Q{number % 10**6}",
            "display_name": vocabulary[number % len(vocabulary)].title(),
            "level": number % 4,
            "score": round(float(rng.random()), 4),
        }
    )


def _place(rng: np.random.Generator, vocabulary: Sequence[str]) -> str:
    number = int(rng.integers(10**9))
    return text(
        {
            "is_oa": bool(number % 2),
            "landing_page_url": f"https://doi.org/10.5555/{vocabulary[number % 900]}.{number}",
            "pdf_url": None,
            "source": {
                "id": f"https://openalex.org/S{number}",
                "display_name": f"Journal of {vocabulary[number % 997]}",
                "issn_l": f"{number % 10**4:04d}-1234",
                "is_oa": False,
                "is_in_doaj": False,
                "host_organization": f"https://openalex.org/P{number % 10**6}",
                "type": "journal",
            },
            "license": None,
            "version": "publishedVersion",
        }
    )

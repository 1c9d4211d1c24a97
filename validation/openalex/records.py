"""Records as JSON text: a few drawn numbers joined with pieces made once.

A record of 7.4 kB from pieces costs a few microseconds, so that millions can be made. A small share is
read back and written in another order and spacing: the same content, another face.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from validation.openalex.draw import LANGUAGES, TEAMS, TYPES, Drawn, domain_of, field_of
from validation.openalex.institutions import Authors, author_lists, institutions

PHRASES: Final = ("large language model", "robot learning", "differential privacy")
"""Planted in abstracts; no other word of an abstract is part of them."""
PAPERS: Final = (2741809807, 2963403868, 3030163527)
"""Works that are planted among those cited."""
_WORDS: Final = (  # noqa: SIM905 - a list would fill a page
    "the of and in to a for with on by from we is are this that as an be was were which results study "
    "data method analysis effect between using based high system model time process two new different "
    "however can growth cell water energy temperature response patients treatment clinical surface "
    "field rate structure function theory policy market social education health risk community "
    "species soil plant protein gene expression measure value order number case test control group "
    "level observed significant increase decrease estimated measured proposed obtained compared "
    "although against during within toward across 研究 方法 исследование résultats méthode 研究 方法 "
    "исследование"
).split()
_TRAP_WORDS: Final = ('"type":"company"', '"authorships":[', "\\\\", "{}", "\u2028")
_CONCEPTS: Final = (
    "Biology",
    "Physics",
    "Chemistry",
    "Mathematics",
    "Engineering",
    "Geology",
    "History",
    "Art",
)
_ADDRESS: Final = "https://openalex.org/"


def compact(value: Any) -> str:
    """Return JSON without spaces, other scripts as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class Pieces:
    """Parts of records made once and used many times.

    Parameters
    ----------
    count : int
        Variants of each piece.
    rng : numpy.random.Generator
    """

    def __init__(self, count: int, rng: np.random.Generator) -> None:
        known = institutions(rng)
        self.authors: list[list[Authors]] = [author_lists(team, count, known, rng) for team in TEAMS]
        self.abstracts = [[_abstract(rng, phrase) for _ in range(count)] for phrase in (*PHRASES, "")]
        self.middles = [_middle(rng, blank=i) for i in range(count)]
        self.tails = [_tail(rng, blank=i == 0) for i in range(count)]


def _abstract(rng: np.random.Generator, phrase: str) -> str:
    words = [_WORDS[i] for i in (len(_WORDS) * rng.random(int(rng.integers(45, 235))) ** 1.3).astype(int)]
    words = [f"{w}{int(rng.integers(900))}" if rng.random() < 0.1 else w for w in words]
    if rng.random() < 0.05:
        words.append(_TRAP_WORDS[int(rng.integers(len(_TRAP_WORDS)))])
    if phrase:
        at = int(rng.integers(len(words)))
        words[at:at] = phrase.split()
    index: dict[str, list[int]] = {}
    for place, word in enumerate(words):
        index.setdefault(word, []).append(place)
    return compact(index)


def _entity(name: str, rng: np.random.Generator) -> dict[str, Any]:
    return {"id": f"{_ADDRESS}{name}", "display_name": f"{name.split('/')[0]} {int(rng.integers(9000))}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Middle:
    """Fields that no question of ours reads, by where they stand: a reader must step over them.

    OpenAlex writes a place before the type, access before the authors, the bibliography after the
    citations, topics and concepts after the primary topic, and counts by year near the end.
    """

    before_type: str
    before_authors: str
    after_citations: str
    after_topic: str
    near_end: str


def _middle(rng: np.random.Generator, *, blank: int) -> _Middle:
    """Return variants of the fields; that of number `blank`, if there is one, is null."""
    number = int(rng.integers(1_000_000, 4_300_000_000))
    source = {
        "id": f"{_ADDRESS}S{number}",
        "display_name": f"Journal of Studies {number % 5003}",
        "issn_l": None if rng.random() < 0.2 else f"{number % 9973:04d}-{number % 9941:04d}",
        "is_oa": bool(rng.random() < 0.5),
        "type": "journal",
        "host_organization": f"{_ADDRESS}P{number % 4310320990}",
    }
    location = {
        "is_oa": bool(rng.random() < 0.5),
        "landing_page_url": f"https://doi.org/10.{number % 9000 + 1000}/x.{number}",
        "pdf_url": None,
        "source": source if rng.random() < 0.8 else None,
        "license": "cc-by" if rng.random() < 0.3 else None,
        "version": "publishedVersion",
    }
    fields: dict[str, Any] = {
        "primary_location": location if rng.random() < 0.95 else None,
        "open_access": {
            "is_oa": location["is_oa"],
            "oa_status": "gold",
            "oa_url": None,
            "any_repository": None,
        }
        if rng.random() < 0.97
        else None,
        "biblio": {"volume": str(number % 97), "issue": None, "first_page": None, "last_page": None},
        "topics": _null_or(rng, [_topic(rng) for _ in range(3)]),
        "keywords": _null_or(rng, [{**_entity("keywords/k", rng), "score": 0.5} for _ in range(4)]),
        "concepts": _null_or(rng, [_concept(rng) for _ in range(int(rng.integers(3, 10)))]),
        "locations": [location],
        "counts_by_year": _null_or(
            rng, [{"year": y, "cited_by_count": y % 7} for y in range(2025, 2018, -1)]
        ),
    }
    fields |= dict.fromkeys(list(fields)[blank : blank + 1])

    def rendered(*names: str) -> str:
        return compact({name: fields[name] for name in names})[1:-1]

    return _Middle(
        before_type=rendered("primary_location"),
        before_authors=rendered("open_access"),
        after_citations=rendered("biblio"),
        after_topic=rendered("topics", "keywords", "concepts", "locations"),
        near_end=rendered("counts_by_year"),
    )


def _topic(rng: np.random.Generator) -> dict[str, Any]:
    """Return one of the further topics: its numbers must not be taken for those of the primary one."""
    return {
        **_entity(f"T{int(rng.integers(19_000, 19_900))}", rng),
        "score": round(float(rng.random()), 3),
        "subfield": _entity("subfields/9900", rng),
        "field": _entity("fields/99", rng),
        "domain": _entity("domains/9", rng),
    }


def _concept(rng: np.random.Generator) -> dict[str, Any]:
    number = 1_000_000 + int(rng.integers(40_000)) * 65
    return {
        "id": f"{_ADDRESS}C{number}",
        "wikidata": f"https://www.wikidata.org/wiki/Q{number % 99991}",
        "display_name": _CONCEPTS[number % len(_CONCEPTS)],
        "level": number % 5,
        "score": round(float(rng.random()), 2),
    }


def _tail(rng: np.random.Generator, *, blank: bool) -> tuple[str, str]:
    """Return the works cited, without brackets, and related works as a field."""
    cited = [
        f'"{_ADDRESS}W{n}"' for n in rng.integers(1_000_000_000, 1_990_000_000, int(rng.integers(0, 28)))
    ]
    near = [f"{_ADDRESS}W{n}" for n in rng.integers(1_000_000_000, 1_990_000_000, 6)]
    return ",".join(cited), f'"related_works":{compact(None if blank else _null_or(rng, near))}'


def _null_or(rng: np.random.Generator, value: Any) -> Any:
    u = rng.random()
    return None if u < 0.02 else [] if u < 0.06 else value


def lines(
    drawn: Drawn, pieces: Pieces, day: str, odd: float, rng: np.random.Generator
) -> tuple[list[str], list[Authors]]:
    """Return each work as a line of JSON, and the authors that it was given."""
    n = len(drawn)
    given = []
    out = []
    u = rng.random((n, 3))
    picks = rng.integers(0, 1 << 30, (n, 4)).tolist()
    domains, fields = domain_of(drawn.subfield).tolist(), field_of(drawn.subfield).tolist()
    odds = (rng.random(n) < odd).tolist()
    for i, (row, (a, b, c, d), domain, field) in enumerate(
        zip(drawn.rows(), picks, domains, fields, strict=True)
    ):
        lists = pieces.authors[row[1]]
        authors = lists[a % len(lists)]
        with_abstract = row[10] >= 0 or u[i, 0] < 0.52
        abstract = pieces.abstracts[row[10]][b % len(pieces.abstracts[0])] if with_abstract else "null"
        cited, related = pieces.tails[d % len(pieces.tails)]
        if row[11] >= 0:
            cited += f'{"," if cited else ""}"{_ADDRESS}W{PAPERS[row[11]]}"'
        middle = pieces.middles[c % len(pieces.middles)]
        topic = _primary(row, field, domain)
        flags = _flags(row[7], left_out=u[i, 1] < 0.02)
        stamp = "null" if u[i, 2] < 0.01 else f'"{day}T04:{a % 60:02d}:17.{b % 1_000_000:06d}"'
        text = (
            f"{_head(row, authors.text, middle)}{flags},{topic},{middle.after_topic},"
            f'"referenced_works":[{cited}],{related},"abstract_inverted_index":{abstract},{middle.near_end},'
            f'"updated_date":{stamp},"created_date":"2016-06-24"}}'
        )
        out.append(_another_face(text, rng) if odds[i] else text)
        given.append(authors)
    return out, given


def _head(row: tuple[int, ...], authors: str, middle: _Middle) -> str:
    """Return a record from its start to its bibliography."""
    number, _team, year, _sub, _topic, kind, language, _flags, count, percentile = row[:10]
    title = (
        "null"
        if number % 61 == 0
        else f'"On the {_WORDS[number % 97]} of {_WORDS[number % 89]} {number % 10007}"'
    )
    doi = "null" if number % 7 == 0 else f'"https://doi.org/10.{1000 + number % 8999}/s{number}"'
    rank = "null" if percentile < 0 else f'{{"min":{percentile},"max":{min(percentile + 1, 100)}}}'
    date = "null" if year < 0 else f'"{year}-03-01"'
    listed = f'"authorships":{authors},' if authors else ""
    return (
        f'{{"id":"{_ADDRESS}W{number}","doi":{doi},"title":{title},"display_name":{title},'
        f'"publication_year":{_or_null(year)},"publication_date":{date},'
        f'"ids":{{"openalex":"{_ADDRESS}W{number}","doi":{doi}}},'
        f'"language":{_quoted(LANGUAGES[language]) if language >= 0 else "null"},'
        f'{middle.before_type},"type":{_quoted(TYPES[kind]) if kind >= 0 else "null"},'
        f"{middle.before_authors},{listed}"
        f'"cited_by_count":{_or_null(count)},"cited_by_percentile_year":{rank},{middle.after_citations}'
    )


def _primary(row: tuple[int, ...], field: int, domain: int) -> str:
    subfield, topic = row[3], row[4]
    if topic < 0:
        return '"primary_topic":null'
    inner = (
        f'"subfield":{{"id":"{_ADDRESS}subfields/{subfield}","display_name":"Sub {subfield}"}},'
        f'"field":{{"id":"{_ADDRESS}fields/{field}","display_name":"Field {field}"}},'
        f'"domain":{{"id":"{_ADDRESS}domains/{domain}","display_name":"Domain {domain}"}}'
        if subfield >= 0
        else '"subfield":null,"field":null,"domain":null'
    )
    return (
        f'"primary_topic":{{"id":"{_ADDRESS}T{topic}","display_name":"Topic {topic}","score":0.9871,{inner}}}'
    )


def _flags(bits: int, *, left_out: bool) -> str:
    """Return the three flags; a false one may be null or left out."""
    if bits == 0 and left_out:
        return ',"is_retracted":null'
    names = ("retracted", "paratext", "xpac")
    return "".join(f',"is_{name}":{"true" if bits >> i & 1 else "false"}' for i, name in enumerate(names))


def _quoted(text: str) -> str:
    return f'"{text}"'


def _or_null(value: int) -> str:
    return "null" if value < 0 else str(value)


def _another_face(line: str, rng: np.random.Generator) -> str:
    """Return the same record with keys in another order, spaces after colons, other scripts escaped."""
    return json.dumps(_reordered(json.loads(line), rng), ensure_ascii=bool(rng.random() < 0.5))


def _reordered(value: Any, rng: np.random.Generator) -> Any:
    if isinstance(value, dict):
        keys = list(value)
        return {keys[i]: _reordered(value[keys[i]], rng) for i in rng.permutation(len(keys)).tolist()}
    if isinstance(value, list):
        return [_reordered(one, rng) for one in value]
    return value


def huge(line: str, size: int) -> str:
    """Return a record with its list of works cited and its abstract stretched to about `size` bytes."""
    record = json.loads(line)
    record["abstract_inverted_index"] = {f"word{i:07d}": [i, i + 1] for i in range(size // 60)}
    cited = [f"{_ADDRESS}W{1_000_000_000 + 7 * i}" for i in range(size // 80)]
    record["referenced_works"] = [*(record["referenced_works"] or []), *cited]
    return compact(record)

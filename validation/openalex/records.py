"""One part of a snapshot: lines of JSON, and what a right reader finds in them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from validation.openalex.pieces import Pieces, text
from validation.openalex.recipe import Recipe

FIRST_DAY = dt.date(2026, 1, 1)
YEARS = (1995, 2026)
KINDS = ("article", "article", "article", "preprint", "book-chapter", "dissertation", "dataset")
LANGUAGES = ("en", "en", "en", "zh", "de", "pt", None)
TEAMS = ("unknown", "academia", "industry", "collaboration", "other")
MOST_AUTHORS = 12
REFERENCES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What a right reader finds in one record.

    Parameters
    ----------
    work_id, part : int
    year, subfield_id : int or None
    team : str
    type : str or None
    is_retracted, is_paratext, is_xpac : bool
    cited_by_count : int or None
    """

    work_id: int
    part: int
    year: int | None
    subfield_id: int | None
    team: str
    type: str | None
    is_retracted: bool
    is_paratext: bool
    is_xpac: bool
    cited_by_count: int | None


class Writer:
    """Makes records from pieces; the order of calls decides the bytes."""

    def __init__(self, recipe: Recipe, pieces: Pieces, rng: np.random.Generator) -> None:
        self.recipe, self.pieces, self.rng = recipe, pieces, rng

    def records(self, numbers: np.ndarray, part: int) -> Iterator[tuple[str, Row]]:
        """Yield the line and the truth of each work of a part."""
        recipe, rng, size = self.recipe, self.rng, numbers.size
        draws = rng.random((size, 6))
        years = rng.integers(*YEARS, size)
        topics = rng.integers(len(self.pieces.topics), size=size)
        cited = rng.geometric(0.05, size) - 1
        for row, number in enumerate(numbers.tolist()):
            shape, flag = draws[row, 0], draws[row, 1]
            is_bare = shape < recipe.bare
            line, team = self._bare(number, part) if is_bare else ("", "unknown")
            flags = (
                flag < recipe.retracted,
                recipe.retracted <= flag < recipe.retracted + recipe.paratext,
                draws[row, 2] < recipe.xpac,
            )
            kind = KINDS[int(draws[row, 3] * len(KINDS))]
            if is_bare:
                flags, kind_of, year, subfield, count = (False, False, False), None, None, None, None
            else:
                authorships, team = self._authorships()
                line = self._full(number, part, authorships, int(years[row]), int(topics[row]), kind, flags,
                                  int(cited[row]))  # fmt: skip
                kind_of, year, subfield = kind, int(years[row]), int(self.pieces.subfields[topics[row]])
                count = int(cited[row])
            if draws[row, 4] < recipe.reordered:
                line = text(dict(reversed(json.loads(line).items())))
            if draws[row, 5] < recipe.spaced:
                line = json.dumps(json.loads(line), ensure_ascii=False)
            yield (
                line,
                Row(
                    work_id=number,
                    part=part,
                    year=year,
                    subfield_id=subfield,
                    team=team,
                    type=kind_of,
                    is_retracted=bool(flags[0]),
                    is_paratext=bool(flags[1]),
                    is_xpac=bool(flags[2]),
                    cited_by_count=count,
                ),
            )

    def _authorships(self) -> tuple[str, str]:
        """Return the JSON of the authors, and the team they make."""
        rng, pieces, recipe = self.rng, self.pieces, self.recipe
        draw = rng.random()
        if draw < recipe.no_authors:
            return "[]", "unknown"
        count = min(1 + int(rng.poisson(2.4)), MOST_AUTHORS)
        resolved = rng.random() >= recipe.no_institution
        people = rng.integers(len(pieces.people), size=count)
        named = rng.integers(len(pieces.affiliations), size=count)
        # Authors of one work share their institutions more often than not.
        homes = rng.integers(len(pieces.institutions), size=2)
        picks = rng.random(count)
        seen, parts = 0, []
        for place in range(count):
            mine: list[int] = []
            if resolved and picks[place] < 0.93:
                mine = [int(homes[0])] if picks[place] < 0.6 else [int(homes[1])]
                if picks[place] > 0.85:
                    mine.append(int(homes[0]))
            for home in mine:
                seen |= int(pieces.classes[home])
            position = "first" if place == 0 else "last" if place == count - 1 else "middle"
            affiliation = pieces.affiliations[named[place]]
            parts.append(
                f'{{"author_position":"{position}","author":{pieces.people[people[place]]},"institutions":'
                f'[{",".join(pieces.institutions[home] for home in mine)}],"countries":[],"is_corresponding":'
                f'{"true" if place == 0 else "false"},"raw_author_name":"A. Uthor","raw_affiliation_strings":'
                f'[{affiliation}],"affiliations":[{{"raw_affiliation_string":{affiliation},"institution_ids":[]}}]}}'
            )
        return f"[{','.join(parts)}]", _team(seen)

    def _full(self, number: int, part: int, authorships: str, year: int, topic: int, kind: str,
              flags: tuple[bool, ...], cited: int) -> str:  # fmt: skip
        rng, pieces = self.rng, self.pieces
        drawn = rng.integers(10**9, size=REFERENCES + 20)
        title = pieces.titles[drawn[0] % len(pieces.titles)]
        place = pieces.places[drawn[1] % len(pieces.places)]
        concepts = ",".join(pieces.concepts[i % len(pieces.concepts)] for i in drawn[2:10])
        topics = ",".join(
            (pieces.topics[topic], *(pieces.topics[i % len(pieces.topics)] for i in drawn[10:12]))
        )
        works = [f'"https://openalex.org/W{i}"' for i in drawn[12:].tolist()]
        language = LANGUAGES[int(drawn[3]) % len(LANGUAGES)]
        retracted, paratext, xpac = ("true" if flag else "false" for flag in flags)
        day = _day(part)
        percentile = int(drawn[4]) % 100
        return (
            f'{{"id":"https://openalex.org/W{number}","doi":"https://doi.org/10.5555/{number}","title":{title},'
            f'"display_name":{title},"publication_year":{year},"publication_date":"{year}-03-04","ids":{{"openalex":'
            f'"https://openalex.org/W{number}"}},"language":{text(language)},"primary_location":{place},'
            f'"type":"{kind}","type_crossref":"journal-article","indexed_in":["crossref"],"open_access":{{"is_oa":'
            f'false,"oa_status":"closed","oa_url":null,"any_repository_has_fulltext":false}},"authorships":'
            f'{authorships},"institution_assertions":[],"countries_distinct_count":1,'
            f'"institutions_distinct_count":1,"corresponding_author_ids":[],"apc_list":null,"fwci":'
            f'{percentile / 7:.4f},"has_fulltext":false,"cited_by_count":{cited},"cited_by_percentile_year":{{"min":{percentile},"max":'
            f'{percentile + 1}}},"biblio":{{"volume":"{drawn[5] % 90}","issue":null,"first_page":'
            f'"{drawn[6] % 900}","last_page":null}},"is_retracted":{retracted},"is_paratext":{paratext},"is_xpac":{xpac},'
            f'"primary_topic":{pieces.topics[topic]},"topics":[{topics}],"keywords":[],"concepts":[{concepts}],'
            f'"mesh":[],"locations_count":1,"locations":[{place}],"best_oa_location":null,'
            f'"sustainable_development_goals":[],"grants":[],"referenced_works_count":{REFERENCES},'
            f'"referenced_works":[{",".join(works[:REFERENCES])}],"related_works":[{",".join(works[REFERENCES:])}],'
            f'"abstract_inverted_index":{pieces.abstracts[drawn[7] % len(pieces.abstracts)]},"counts_by_year":'
            f'[{{"year":2024,"cited_by_count":{cited}}}],"updated_date":"{day}T0{part % 10}:00:00.123456",'
            f'"created_date":"2016-06-24"}}'
        )

    def _bare(self, number: int, part: int) -> tuple[str, str]:
        """Return a record with null in every optional field, or without the fields at all."""
        head = f'{{"id":"https://openalex.org/W{number}"'
        tail = f'"updated_date":"{_day(part)}T00:00:00"}}'
        if number % 2:
            return f"{head},{tail}", "unknown"
        names = ("doi", "title", "publication_year", "language", "primary_location", "type", "authorships",
                 "cited_by_count", "cited_by_percentile_year", "is_retracted", "is_paratext", "is_xpac",
                 "primary_topic", "topics", "referenced_works", "abstract_inverted_index")  # fmt: skip
        return f"{head},{','.join(f'{text(name)}:null' for name in names)},{tail}", "unknown"


def huge(number: int, part: int, size: int) -> tuple[str, Row]:
    """Return a record of about `size` bytes: a work of very many authors of one university."""
    home = text(
        {"id": "https://openalex.org/I1", "display_name": "One", "country_code": "CH", "type": "education"}
    )
    author = (
        f'{{"author_position":"middle","author":{{"id":"https://openalex.org/A1"}},"institutions":[{home}]}}'
    )
    authors = ",".join([author] * (size // (len(author) + 1)))
    line = (
        f'{{"id":"https://openalex.org/W{number}","publication_year":2015,"type":"article","authorships":'
        f'[{authors}],"cited_by_count":9000,"updated_date":"{_day(part)}T00:00:00"}}'
    )
    return line, Row(work_id=number, part=part, year=2015, subfield_id=None, team="academia", type="article",
                     is_retracted=False, is_paratext=False, is_xpac=False, cited_by_count=9000)  # fmt: skip


def _team(seen: int) -> str:
    """Return the team of the classes seen: 1 education, 2 company, 4 another known type."""
    return TEAMS[seen & 3] if seen & 3 else TEAMS[4] if seen else TEAMS[0]


def _day(part: int) -> str:
    return str(FIRST_DAY + dt.timedelta(days=part))

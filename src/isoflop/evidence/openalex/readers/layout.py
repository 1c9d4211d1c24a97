"""In which order a part writes its keys: learned from its first record, relied on by `scan`.

OpenAlex writes the keys of every record of a part in one order and without spaces. Which key follows
which tells where a nested list ends without counting brackets.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

_START = b'{"id":"https://openalex.org/W'
_BEFORE = ("publication_year", "language", "type")
_AFTER = ("cited_by_count", "cited_by_percentile_year", "is_retracted", "is_paratext", "primary_topic")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Keys that bound what `scan` looks for.

    Parameters
    ----------
    after_type : str
        Key after the work's own type; tells it from the type of its source.
    after_authorships : str
    after_institutions : str
        Key after the institutions of an author.
    """

    after_type: str
    after_authorships: str
    after_institutions: str


def layout_of(lines: bytes) -> Layout | None:
    """Return the layout of a block's records, or None where scanning is not to be relied on.

    That is so where no record of the block has an author, is compact and starts with its id, or where
    the keys stand in another order than OpenAlex's.
    """
    for line in lines.split(b"\n", 64)[:64]:
        if line.startswith(_START) and b'"institutions":[' in line:
            try:
                record = json.loads(line)
            except ValueError:
                return None
            if isinstance(record, dict) and record.get("authorships"):
                return _layout(record)
    return None


def _layout(record: dict[str, Any]) -> Layout | None:
    keys = list(record)
    author = list(record["authorships"][0])
    needed = (*_BEFORE, "authorships", *_AFTER, "topics", "updated_date")
    if not all(key in record for key in needed) or "institutions" not in author[:-1]:
        return None
    place = {key: i for i, key in enumerate(keys)}
    middle = place["authorships"]
    ordered = (
        all(place[key] < middle for key in _BEFORE)
        and all(middle < place[key] < place["updated_date"] for key in (*_AFTER, "topics"))
        and place["primary_topic"] < place["topics"]
        and place.get("is_xpac", middle + 1) > middle
    )
    if not ordered or author[0] != "author_position":
        return None
    return Layout(
        after_type=keys[place["type"] + 1],
        after_authorships=keys[middle + 1],
        after_institutions=author[author.index("institutions") + 1],
    )

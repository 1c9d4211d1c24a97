"""Speed of typing affiliations, beside alternation regexes over the same names.

The reference is the usual script: one case-blind regular expression each for academic names, companies and
public research, every name an alternative, and a cache on distinct strings. It knows the same names as we do,
so that the procedures are compared and not the lists. Runs on the public paper lists where they are at hand,
else on made-up strings of like length and number.
"""

from __future__ import annotations

import csv
import gzip
import os
import re
import sys
from collections.abc import Sequence
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np

from benchmarks.harness import Job, Reference
from isoflop.evidence.affiliations import Classifier
from isoflop.evidence.affiliations.names import TABLES, rows_of
from isoflop.evidence.affiliations.split import split_affiliations

FILES = ("ml_papers_2013_2018.csv.gz", "ml_papers_2019_2025.csv.gz")
PIECES = 50
CACHED = 1_000_000
"""Times that each string is asked of a full cache."""
CACHED_PER_S = 100_000
MADE_UP = 50_000
STEMS = (
    "universi",
    "univ",
    "college",
    "polytech",
    "politec",
    "hochschule",
    "ecole",
    "école",
    "technische",
    "yliopisto",
    "daigaku",
    "大学",
)
LEGAL = r"\b(?:inc|ltd|limited|llc|gmbh|corp|corporation|plc|pvt|pte|company|sarl|oyj?|kk)\b"


@cache
def strings() -> tuple[str, ...]:
    """Return the distinct organisation strings of the public lists, or made-up ones."""
    folder = Path(os.environ.get("ISOFLOP_EVIDENCE", Path(__file__).parents[3] / "shared" / "data"))
    paths = [folder / "divide" / name for name in FILES]
    if not all(path.is_file() for path in paths):
        return made_up()
    csv.field_size_limit(sys.maxsize)
    found: dict[str, None] = {}
    for path in paths:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for row in csv.DictReader(lines):
                found.update(dict.fromkeys(split_affiliations(row["aff"])))
    return tuple(found)


def made_up(count: int = MADE_UP, seed: int = 0) -> tuple[str, ...]:
    """Return made-up affiliations of usual length."""
    draw = np.random.default_rng(seed)
    units = ["Department of Physics", "School of Computing", "Robotics Lab", "AI Team", "Institute of Optics"]
    homes = [
        "University of Northtown",
        "Acme Corp.",
        "Google",
        "Max Planck Institute",
        "Westland College",
        "Zeta",
    ]
    towns = [f"Town {number}, Country {number % 50}" for number in range(count // 30 + 1)]
    every = [", ".join(parts) for parts in product(units, homes, towns)][:count]
    return tuple(every[place] for place in draw.permutation(len(every)))


@cache
def patterns() -> tuple[re.Pattern[str], ...]:
    """Return the reference's expressions: academic, company, public research, legal form."""
    found = []
    for table in TABLES:
        names = sorted(
            (row["name"] for row in rows_of(table) if row["type"] != "place"), key=len, reverse=True
        )
        every = "|".join(re.escape(name) for name in names)
        stems = "|".join(STEMS) + "|" if table == "academic_aliases" else ""
        found.append(re.compile(rf"{stems}\b(?:{every})\b", re.IGNORECASE))
    return (found[0], found[2], found[1], re.compile(LEGAL, re.IGNORECASE))


def by_regex(texts: Sequence[str]) -> dict[str, str]:
    """Return the type of each distinct string by the reference."""
    academic, company, public, legal = patterns()
    known: dict[str, str] = {}
    for text in texts:
        if text not in known:
            school, firm = academic.search(text), company.search(text)
            if school and firm:
                known[text] = "joint"
            elif school or firm:
                known[text] = "education" if school else "company"
            else:
                known[text] = (
                    "public" if public.search(text) else "company" if legal.search(text) else "unknown"
                )
    return known


def _reference(pieces: Sequence[int]) -> None:
    every = strings()
    for piece in pieces:
        by_regex(every[piece::PIECES])


def _uncached() -> float:
    """Type every string with an empty cache; return the share left unknown."""
    return float(np.mean(Classifier().classify(strings()).type == "unknown"))


@cache
def _warm() -> Classifier:
    chain = Classifier()
    chain.classify(strings())
    return chain


def _cached() -> int:
    """Type `CACHED` strings that are all in the cache."""
    chain, every = _warm(), strings()
    whole, rest = divmod(CACHED, len(every))
    return sum(len(chain.classify(batch).type) for batch in (*[every] * whole, every[:rest]))


JOBS = (
    Job(
        name="affiliations",
        ours=_uncached,
        reference=Reference(run=_reference, pieces=PIECES),
        bar_ratio=3.0,
        note="type the distinct strings of the public lists, empty cache; the reference knows the same names",
    ),
    Job(
        name="affiliations-cached",
        ours=_cached,
        bar_cpu_s=CACHED / CACHED_PER_S,
        note=f"{CACHED:,} strings through a full cache; the bar is {CACHED_PER_S:,} a second",
    ),
)

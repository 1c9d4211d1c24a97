"""What each work is, drawn before any record is written.

Shares of teams depend on year and subfield: industry grows in artificial intelligence and hardly
elsewhere, which is what a query of a planted snapshot has to find again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

TEAMS: Final = ("unknown", "academia", "industry", "collaboration", "other")
UNKNOWN: Final = 0.4
"""Share of works without any institution of known type: an assumption, like everything here."""
FIRST_YEAR: Final = 2006
LAST_YEAR: Final = 2025
SUBFIELDS: Final = (
    *(1702, 1707, 1705, 1710, 1712, 1706, 1709, 2207, 2208, 2210, 2213, 1803, 2604, 2611, 2613),
    *(1102, 1202, 1306, 1312, 1406, 1502, 1606, 1908, 2002, 2105, 2303, 2505, 2703, 2713, 2728),
    *(2739, 2741, 2803, 2902, 3002, 3104, 3107, 3204, 3305, 3312, 3315, 3404, 3503, 3604),
)
"""Subfields by OpenAlex's number; the first two digits are the field."""
INTENSIVE: Final = (1702, 1707)
"""Artificial intelligence and computer vision: where industry was planted to grow."""
DOMAINS: Final = {
    1: (11, 13, 24, 28, 30),
    2: (12, 14, 18, 20, 32, 33),
    3: (15, 16, 17, 19, 21, 22, 23, 25, 26, 31),
    4: (27, 29, 34, 35, 36),
}
TOPICS_EACH: Final = 4
TYPES: Final = ("article", "book-chapter", "preprint", "dataset", "dissertation", "review", "paratext")
LANGUAGES: Final = ("en", "zh", "de", "es", "pt", "ja", "fr")
_P: Final = 2_147_483_647
"""A prime: ids of works are scattered by a walk around it that meets each number once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """Works of one file, one number each in every array; -1 stands for a missing value."""

    work_id: Ints
    team: Ints
    year: Ints
    subfield: Ints
    topic: Ints
    type: Ints
    language: Ints
    flags: Ints
    cited: Ints
    percentile: Ints
    phrase: Ints
    paper: Ints

    def __len__(self) -> int:
        return int(self.work_id.size)

    def rows(self) -> list[tuple[int, ...]]:
        """Return one tuple a work, in the order of the fields."""
        arrays = (getattr(self, name) for name in self.__slots__)
        return list(zip(*(a.tolist() for a in arrays), strict=True))


def ids(works: Ints) -> Ints:
    """Return the OpenAlex number of each work: different, scattered, up to ten digits."""
    return 2_000_000_000 + (works * 48_271 + 11) % _P


def field_of(subfield: Any) -> Any:
    """Return the field of a subfield, or of an array of them; -1 stays."""
    return np.where(np.asarray(subfield) < 0, -1, np.asarray(subfield) // 100)


def domain_of(subfield: Any) -> Any:
    """Return the domain of a subfield, or of an array of them; -1 stays."""
    table = np.full(100, -1)
    for domain, fields in DOMAINS.items():
        table[list(fields)] = domain
    return np.where(np.asarray(subfield) < 0, -1, table[field_of(subfield)])


def draw(works: Ints, rng: np.random.Generator) -> Drawn:
    """Draw what each of these works is."""
    n = works.size
    span = LAST_YEAR - FIRST_YEAR + 1
    year = FIRST_YEAR + (span * np.sqrt(rng.random(n))).astype(np.int64)
    subfield = np.array(SUBFIELDS)[(len(SUBFIELDS) * rng.random(n) ** 1.5).astype(np.int64)]
    team = _teams(year, np.isin(subfield, INTENSIVE), rng)
    position = np.searchsorted(np.sort(SUBFIELDS), subfield)
    topic = 10_000 + TOPICS_EACH * position + rng.integers(0, TOPICS_EACH, n)
    without_topic = rng.random(n) < 0.08
    flags = (1 * (rng.random(n) < 0.004) + 2 * (rng.random(n) < 0.02) + 4 * (rng.random(n) < 0.15)).astype(
        np.int64
    )
    cited = np.floor(rng.pareto(1.2, n) * 3).clip(0, 200_000).astype(np.int64)
    return Drawn(
        work_id=ids(works),
        team=team,
        year=_missing(year, 0.004, rng),
        subfield=np.where(without_topic, -1, _missing(subfield, 0.002, rng)),
        topic=np.where(without_topic, -1, topic),
        type=_missing(_pick(rng, n, (0.62, 0.12, 0.12, 0.05, 0.04, 0.03, 0.02)), 0.003, rng),
        language=_missing(_pick(rng, n, (0.75, 0.06, 0.05, 0.05, 0.04, 0.03, 0.02)), 0.03, rng),
        flags=flags,
        cited=_missing(cited, 0.01, rng),
        percentile=_missing(rng.integers(0, 101, n), 0.05, rng),
        phrase=np.where(rng.random(n) < 0.06, rng.integers(0, 3, n), -1),
        paper=np.where(rng.random(n) < 0.03, rng.integers(0, 3, n), -1),
    )


def _teams(year: Ints, intensive: NDArray[np.bool_], rng: np.random.Generator) -> Ints:
    """Draw teams: in the intensive subfields industry and joint work grow with the years."""
    age = (year - FIRST_YEAR) / (LAST_YEAR - FIRST_YEAR)
    industry = 0.03 + np.where(intensive, 0.14 * age, 0.0)
    joint = 0.12 + np.where(intensive, 0.16 * age, 0.02 * age)
    academia = 1 - industry - joint - 0.07
    u = rng.random(year.size)
    known = (
        1 + (u > academia).astype(np.int64) + (u > academia + industry) + (u > academia + industry + joint)
    )
    return np.where(rng.random(year.size) < UNKNOWN, 0, known)


def _missing(values: Ints, share: float, rng: np.random.Generator) -> Ints:
    return np.where(rng.random(values.size) < share, -1, values)


def _pick(rng: np.random.Generator, n: int, shares: tuple[float, ...]) -> Ints:
    found: Ints = np.searchsorted(np.cumsum(shares)[:-1], rng.random(n), side="right")
    return found

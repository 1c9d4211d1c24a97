"""Which models a system builds on, and whose they are.

A base is found by its name in the same table, letters and digits alone compared; where a dictionary of
pre-trained models is given, what the table does not hold is looked up there. A blank means that no base
was noted, which is not the same as none.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from isoflop.divide.sample import Sample
from isoflop.evidence.models import listed

if TYPE_CHECKING:
    from isoflop.evidence.pretrained import PretrainedModel

Where = Literal["table", "dictionary"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """One base of one system: its name as written, its team, and where it was found."""

    name: str
    team: str
    found_in: Where


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A system with at least one base noted.

    Parameters
    ----------
    model, team : str
    year : int
    named : int
        Bases noted.
    bases : tuple of Base
        Those that were found.
    """

    model: str
    team: str
    year: int
    named: int
    bases: tuple[Base, ...]

    def stands_on(self, team: str, where: Sequence[Where] = ("table", "dictionary")) -> bool:
        """Say whether any base found in these places is of a team."""
        return any(base.team == team and base.found_in in where for base in self.bases)

    def is_found(self, where: Sequence[Where] = ("table", "dictionary")) -> bool:
        """Say whether any base was found in these places."""
        return any(base.found_in in where for base in self.bases)


def folded(name: str) -> str:
    """Return a name's letters and digits in lower case.

    Examples
    --------
    >>> folded("Llama 2-13B") == folded("LLaMA-2 13b")
    True
    """
    plain = unicodedata.normalize("NFKC", name).lower()
    return "".join(letter for letter in plain if letter.isalnum())


def built_on(sample: Sample, dictionary: Sequence[PretrainedModel] = ()) -> tuple[tuple[Built, ...], int]:
    """Return the systems with a base noted, and how many bases share their name with several rows.

    Where several rows share a base's name, the first stands for it. A system is no base of itself.

    Parameters
    ----------
    sample : Sample
        Rows with or without compute.
    dictionary : sequence of PretrainedModel
        Looked up where the table does not hold a base.
    """
    names = [folded(name) for name in sample.frame["model"]]
    rows: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        rows.setdefault(name, []).append(place)
    team, year = sample.team.tolist(), sample.year.tolist()
    found, shared = [], 0
    for place, cell in enumerate(sample.frame["base_models"]):
        named = listed(cell)
        bases = []
        for name in named:
            here = [other for other in rows.get(folded(name), ()) if other != place]
            shared += len({team[other] for other in here}) > 1
            if here:
                bases.append(Base(name=name, team=team[here[0]], found_in="table"))
            elif (model := _in_dictionary(name, dictionary)) is not None:
                bases.append(Base(name=name, team=model.developer_type, found_in="dictionary"))
        if named:
            found.append(
                Built(
                    model=sample.frame["model"][place],
                    team=team[place],
                    year=year[place],
                    named=len(named),
                    bases=tuple(bases),
                )
            )
    return tuple(found), shared


def _in_dictionary(name: str, dictionary: Sequence[PretrainedModel]) -> PretrainedModel | None:
    """Return the model whose alias covers most of the name."""
    hits = [
        (match.end() - match.start(), model) for model in dictionary if (match := model.pattern.search(name))
    ]
    return max(hits, key=lambda hit: hit[0])[1] if hits else None

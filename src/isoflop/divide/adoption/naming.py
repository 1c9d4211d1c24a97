"""Which models of the dictionary a paper names or uses, and which of these it cannot have known.

A paper that names a model before its release names something else: such mentions are refused and counted.
They also say how often the words occur by chance, and so how many of the later mentions are false.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from isoflop.errors import EvidenceError
from isoflop.evidence.models import listed

if TYPE_CHECKING:
    import polars as pl

    from isoflop.evidence.pretrained import PretrainedModel

Kind = Literal["mention", "use"]
Weights = Literal["open", "any"]
Makers = Literal["industry", "involved"]

FLAG = re.compile(r"^(?P<names>[^()]+?)(?:\s*\([^()]*\))?$")
"""A flag of the public paper lists names several models and their developer: ``ViT (Google)``."""
FLAG_WORDS = {"bert-family": "BERT"}
TEXTS = ("title", "abstract", "keywords")
LOOK_AROUND = ("(?!", "(?=", "(?<!", "(?<=")
GROUPS = {
    "Facebook": "Meta",
    "Meta": "Meta",
    "Google": "Google",
    "DeepMind": "Google",
    "Microsoft": "Microsoft",
}
"""Laboratories and former names of one developer, by how the name begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which models of the dictionary count.

    Parameters
    ----------
    weights : {"open", "any"}
        With open weights, or all.
    makers : {"industry", "involved"}
        Made by companies alone, or also with academia.
    """

    weights: Weights = "open"
    makers: Makers = "industry"

    def counts(self, model: PretrainedModel) -> bool:
        """Say whether a model counts."""
        types = ("industry",) if self.makers == "industry" else ("industry", "collaboration")
        return model.developer_type in types and (self.weights == "any" or model.is_open_weights)

    @property
    def text(self) -> str:
        """The choice in words, before "of industry"."""
        which = "open models" if self.weights == "open" else "models"
        return which if self.makers == "industry" else f"{which} with a part"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What one entry of a list of mentions stands for: a model, a family, or several.

    Parameters
    ----------
    name : str
        As the table writes it, or the model's name.
    developers : tuple of str
        Of its models that count.
    released : date
        First release of any model that counts.
    may_be_closed : bool
        It stands for models without open weights too, such as a family of which some are closed.
    """

    name: str
    developers: tuple[str, ...]
    released: dt.date
    may_be_closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Named:
    """The entries of each paper.

    Parameters
    ----------
    entries : tuple of tuple of Entry
        One a paper: those that the paper can have known.
    refused : tuple of tuple of Entry
        Those released only after it.
    strange : mapping of str to int
        Entries of the table that the dictionary does not have, with their number.
    source : str
        Where they were read, in words.
    """

    entries: tuple[tuple[Entry, ...], ...]
    refused: tuple[tuple[Entry, ...], ...]
    strange: Mapping[str, int]
    source: str


def name_models(
    frame: pl.DataFrame, models: Sequence[PretrainedModel], wanted: Wanted, kind: Kind, where: str
) -> Named:
    """Return the models that each paper names (or uses).

    Parameters
    ----------
    frame : polars.DataFrame
        Canonical columns of schema ``works``.
    models : sequence of PretrainedModel
    wanted : Wanted
        Which of them count.
    kind : {"mention", "use"}
        Read column ``mentions`` (or, where it is empty, search title, abstract and keywords), or column
        ``uses``.
    where : str
        Name of the table.

    Raises
    ------
    EvidenceError
        Use is asked for and no paper has any.
    """
    column = "uses" if kind == "use" else "mentions"
    if frame[column].is_not_null().any():
        found, strange = _listed(frame[column].to_list(), models, wanted)
        source = f"column '{column}' of the table"
    elif kind == "use":
        raise EvidenceError(
            f"{where}: no paper says which models it uses (column 'uses'), needs entries found in full texts "
            "or reference lists. Add the column, or count mentions."
        )
    else:
        counted = [model for model in models if wanted.counts(model)]
        found, strange = _searched(frame, counted), {}
        source = f"words in {' and '.join(t for t in TEXTS if frame[t].is_not_null().any())}"
    kept, refused = [], []
    for entries, day in zip(found, _days(frame), strict=True):
        kept.append(tuple(e for e in entries if e.released <= day))
        refused.append(tuple(e for e in entries if e.released > day))
    return Named(entries=tuple(kept), refused=tuple(refused), strange=strange, source=source)


def _days(frame: pl.DataFrame) -> list[dt.date]:
    """Return the day of each paper; the last of its year where only that is known."""
    pairs = zip(frame["date"], frame["year"], strict=True)
    return [day or dt.date(int(year), 12, 31) for day, year in pairs]


def _listed(
    cells: Sequence[str | None], models: Sequence[PretrainedModel], wanted: Wanted
) -> tuple[list[tuple[Entry, ...]], dict[str, int]]:
    meant: dict[str, list[PretrainedModel]] = {}
    strange: dict[str, int] = {}
    found = []
    for cell in cells:
        entries = []
        for text in dict.fromkeys(listed(cell)):
            if text not in meant:
                meant[text] = models_meant(text, models)
            counted = [model for model in meant[text] if wanted.counts(model)]
            if not meant[text]:
                strange[text] = strange.get(text, 0) + 1
            elif counted:
                closed = wanted.weights == "open" and not all(m.is_open_weights for m in meant[text])
                entries.append(_entry(text, counted, may_be_closed=closed))
        found.append(tuple(entries))
    return found, strange


def models_meant(text: str, models: Sequence[PretrainedModel]) -> list[PretrainedModel]:
    """Return the models that an entry of a list stands for; none where the dictionary has no such name.

    The entry may be a model, a family, or several parted by "/" with a remark in brackets.
    """
    match = FLAG.match(text.strip())
    names = [name.strip() for name in (match["names"].split("/") if match else [text])]
    words = {FLAG_WORDS.get(name.lower(), name).lower() for name in names}
    meant = [m for m in models if m.name.lower() in words or m.family.lower() in words]
    return meant or [m for m in models if any(m.is_named_in(name) for name in names)]


def _entry(name: str, models: Sequence[PretrainedModel], *, may_be_closed: bool = False) -> Entry:
    return Entry(
        name=name,
        developers=tuple(dict.fromkeys(group for m in models for group in developers_of(m.developer))),
        released=min(m.release_date for m in models),
        may_be_closed=may_be_closed,
    )


def developers_of(text: str) -> tuple[str, ...]:
    """Return the developers of a model, laboratories and former names under the name of the group.

    Examples
    --------
    >>> developers_of("Google Brain; Google Research"), developers_of("Facebook AI")
    (('Google',), ('Meta',))
    """
    names = [part.strip() for part in text.split(";")]
    found = [next((group for begin, group in GROUPS.items() if n.startswith(begin)), n) for n in names]
    return tuple(dict.fromkeys(found))


def _searched(frame: pl.DataFrame, models: Sequence[PretrainedModel]) -> list[tuple[Entry, ...]]:
    import polars as pl

    if not models:
        return [()] * frame.height
    entries = [_entry(model.name, [model]) for model in models]
    text = frame.select(
        pl.concat_str([pl.col(name).fill_null("") for name in TEXTS], separator="\n").alias("text")
    ).to_series()
    found: list[tuple[Entry, ...]] = [()] * frame.height
    for row in _likely(text, models).arg_true():
        words = text[int(row)]
        found[int(row)] = tuple(e for e, m in zip(entries, models, strict=True) if m.is_named_in(words))
    return found


def _likely(text: pl.Series, models: Sequence[PretrainedModel]) -> pl.Series:
    """Return which texts may name a model: one linear pass over all aliases without look-around.

    Where Polars cannot read an alias (its expressions know less than Python's), every text stays.
    """
    import polars as pl

    every = "|".join(f"(?:{without_look_around(m.pattern.pattern)})" for m in models)
    try:
        return text.str.contains(every)
    except pl.exceptions.ComputeError:
        return pl.Series([True]).new_from_index(0, text.len())


def without_look_around(pattern: str) -> str:
    """Return an expression without its conditions on what stands beside: it finds as much or more.

    Examples
    --------
    >>> without_look_around(r"(?<![A-Z])(?:GPT-?4(?!o|(?:V))|[(]x[)])(?![a-z])")
    '(?:GPT-?4|[(]x[)])'
    """
    kept, depth, place, in_class = "", 0, 0, False
    while place < len(pattern):
        letter = pattern[place]
        step = pattern[place : place + 2] if letter == "\\" else letter
        if not in_class and depth == 0 and pattern.startswith(LOOK_AROUND, place):
            depth = 1
            place += 1
            continue
        if depth == 0:
            kept += step
        elif not in_class and step == "(":
            depth += 1
        elif not in_class and step == ")":
            depth -= 1
        in_class = step == "[" or (in_class and step != "]")
        place += len(step)
    return kept

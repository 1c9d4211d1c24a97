"""Schema ``pretrained_models``: how texts name published models, who made them, and since when they exist.

An alias is a regular expression, with alternatives at ``|``; it is matched with its case, and neither a
letter nor a digit may touch it on either side. A model named like an English word needs a context in its
alias (``Whisper-large``, not ``Whisper``). A mention in a text older than the model's release is a false one.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from isoflop.errors import EvidenceError
from isoflop.evidence.problem import Problem, raise_first
from isoflop.evidence.schema import SOURCING, Column, Schema, recalled

if TYPE_CHECKING:
    import polars as pl

    from isoflop.evidence.table import Table

DEVELOPER_TYPES = ("industry", "academia", "collaboration", "other")
"""As teams: any company and any university together are a collaboration; collectives are other."""
ENGLISH = frozenset(
    """
    alpaca aligned apollo aria arctic atlas aurora bard bark bart blip bloom camel chameleon clip coca codex
    command dino dolly dragon electra emu ernie eva falcon flamingo flan florence galactica gato gemini gemma
    genie giraffe grok imagen index jamba koala kosmos lamda llama luminous magic make mamba mega mint mistral
    muse octo olympus open opt orca palm parti pegasus phi point prism pythia sam seamless solar sora sparrow
    stable swallow swift swin titan turing vicuna whisper wizard yi zephyr
    """.split()  # noqa: SIM905 - words are easier to read and to extend than a list of strings
)
"""Words and names that also name models: alone, with a capital or without, they say nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainedModel:
    """One model as texts name it.

    Parameters
    ----------
    name, family, developer : str
    developer_type : {"industry", "academia", "collaboration", "other"}
    release_date : date
    is_open_weights : bool
    pattern : re.Pattern
        The compiled alias with its boundaries.

    Examples
    --------
    >>> import datetime as dt
    >>> bert = PretrainedModel(name="BERT", family="BERT", developer="Google", developer_type="industry",
    ...     release_date=dt.date(2018, 10, 11), is_open_weights=True, pattern=compiled("BERT"))
    >>> bert.is_named_in("We fine-tune BERT-base."), bert.is_named_in("RoBERTa and SciBERT")
    (True, False)
    """

    name: str
    family: str
    developer: str
    developer_type: str
    release_date: dt.date
    is_open_weights: bool
    pattern: re.Pattern[str]

    def is_named_in(self, text: str) -> bool:
        """Say whether the text names the model."""
        return self.pattern.search(text) is not None

    def existed(self, day: dt.date) -> bool:
        """Say whether the model was public on a day; a mention before is a false one."""
        return day >= self.release_date


def compiled(alias: str) -> re.Pattern[str]:
    """Return the pattern of an alias, bounded by what is neither letter nor digit.

    Examples
    --------
    >>> [bool(compiled("GPT-2").search(text)) for text in ("GPT-2 XL", "GPT-20", "a GPT-2s")]
    [True, False, False]
    """
    return re.compile(rf"(?<![A-Za-z0-9])(?:{alias})(?![A-Za-z0-9])")


def alternatives(alias: str) -> tuple[str, ...]:
    """Return the alternatives of an alias, split at ``|`` outside brackets.

    Examples
    --------
    >>> alternatives("OPT-(?:IML|175B)|OPT model")
    ('OPT-(?:IML|175B)', 'OPT model')
    """
    parts, depth, start = [], 0, 0
    for place, letter in enumerate(alias):
        depth += (letter in "([") - (letter in ")]")
        if letter == "|" and depth == 0:
            parts.append(alias[start:place])
            start = place + 1
    return (*parts, alias[start:])


def dictionary(table: Table) -> tuple[PretrainedModel, ...]:
    """Return the models of a table, by date of release.

    Parameters
    ----------
    table : Table
        Evidence of schema ``pretrained_models``.

    Raises
    ------
    EvidenceError
        The table is of another schema.

    Examples
    --------
    >>> from isoflop.evidence import load
    >>> models = dictionary(load("pretrained_models"))
    >>> mentions("We adapt Llama 2 and RoBERTa-large.", models)
    ('RoBERTa', 'Llama 2')
    """
    if table.schema != "pretrained_models":
        raise EvidenceError(
            f"{table.name}: a table of {table.schema}, needs pretrained_models (one row a model). Name one."
        )
    rows = table.frame.sort("release_date", "name").iter_rows(named=True)
    return tuple(
        PretrainedModel(
            name=row["name"],
            family=row["family"],
            developer=row["developer"],
            developer_type=row["developer_type"],
            release_date=row["release_date"],
            is_open_weights=bool(row["is_open_weights"]),
            pattern=compiled(row["aliases"]),
        )
        for row in rows
    )


def mentions(text: str, models: Sequence[PretrainedModel]) -> tuple[str, ...]:
    """Return the names of the models that a text names, in the order of `models`."""
    return tuple(model.name for model in models if model.is_named_in(text))


def _models(frame: pl.DataFrame, where: str) -> tuple[pl.DataFrame, tuple[str, ...]]:
    problems = [
        problem
        for record, alias in frame.select("record", "aliases").iter_rows()
        for problem in _alias_problems(record, alias)
    ]
    raise_first(problems, where)
    return frame, recalled(frame)


def _alias_problems(record: int, alias: str) -> list[Problem]:
    """Return what is wrong with an alias: it is no expression, matches nothing, or is an English word."""

    def problem(came: str, need: str, todo: str) -> list[Problem]:
        return [Problem(rows=(record,), column="aliases", came=came, need=need, todo=todo)]

    try:
        pattern = compiled(alias)
    except re.error as error:
        return problem(
            alias, f"must be a regular expression ({error})", "Escape brackets and dots with a backslash."
        )
    if pattern.search("") or pattern.search(" - "):
        return problem(alias, "must not match an empty text", "Drop the empty alternative.")
    words = [word for word in alternatives(alias) if _is_english(word)]
    if words:
        return problem(
            words[0], "must not be an English word or name alone", "Add a context, such as a size."
        )
    return []


def _is_english(word: str) -> bool:
    return word.lower() in ENGLISH and word in (word.lower(), word.capitalize())


PRETRAINED_MODELS = Schema(
    name="pretrained_models",
    columns=(
        Column(name="name", dtype="text", required=True, filled=True, doc="Model or series of sizes."),
        Column(
            name="aliases",
            dtype="text",
            required=True,
            filled=True,
            doc="Regular expression by which texts name it.",
        ),
        Column(name="family", dtype="text", required=True, filled=True, doc="Line of models it belongs to."),
        Column(name="developer", dtype="text", required=True, filled=True, doc="Who made it."),
        Column(
            name="developer_type",
            dtype="text",
            required=True,
            filled=True,
            choices=DEVELOPER_TYPES,
            doc="Team of the developers.",
        ),
        Column(
            name="release_date",
            dtype="date",
            required=True,
            filled=True,
            doc="First public version of the model or its paper.",
        ),
        Column(
            name="is_open_weights",
            dtype="flag",
            required=True,
            doc="Whether the weights can be had, on whatever terms; missing counts as no.",
        ),
        *SOURCING,
    ),
    doc="One row is one published model, with the ways in which texts name it.",
    key=("name",),
    derive=_models,
)

"""One question with its reference answer, and the random draws that questions are made from."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["number", "choice", "text", "list"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A prompt and what counts as its answer.

    `key` names the piece of knowledge that the question asks for, where there is one: a trained model may
    have met it in other words.
    """

    prompt: str
    answer: str
    kind: Kind
    choices: tuple[str, ...] = ()
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A question with its family and its number."""

    family: str
    instance_id: str
    question: Question


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A kind of question.

    Parameters
    ----------
    name : str
        Name of the data set.
    make : callable
        Draws a question of difficulty 0, 1 or 2.
    seen_share : float
        Share of the pieces of knowledge that training items may ask for in other words.
    """

    name: str
    make: Callable[[random.Random, int], Question]
    seen_share: float = 1.0


def pick(draw: random.Random, words: Sequence[str]) -> str:
    """Return one of some words."""
    return words[draw.randrange(len(words))]

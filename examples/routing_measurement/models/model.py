"""What a model is to the measurement: a name, what it is made of, and a function from prompt to reply."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a model said.

    Parameters
    ----------
    text : str
    tokens_in, tokens_out : int
        In the model's own tokens; words for models that have none.
    log_likelihood : float, optional
        Mean log-probability of the tokens said, in nats.
    """

    text: str
    tokens_in: int
    tokens_out: int
    log_likelihood: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model of the pool.

    Parameters
    ----------
    name : str
    developer, licence : str
    params : int
        Numbers learned, or rules written, that an answer may use.
    made_of : str
        Package, version, file and settings; goes to the catalogue.
    load : callable
        Makes the model ready and returns the function that answers; given the folder of the measurement,
        where a model may keep what it trained.
    repeats : int
        Calls of a prompt; the latency is their median.
    """

    name: str
    developer: str
    licence: str
    params: int
    made_of: str
    load: Callable[[Path], Callable[[str], Reply]]
    repeats: int = 3


def in_words(prompt: str, text: str, log_likelihood: float | None = None) -> Reply:
    """Return a reply whose tokens are words."""
    return Reply(
        text=text,
        tokens_in=len(prompt.split()),
        tokens_out=max(1, len(text.split())),
        log_likelihood=log_likelihood,
    )

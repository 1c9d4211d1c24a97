"""Encoders by name, and the one door from texts to vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import SettingError, closest
from isoflop.routing.encoders.interface import Encoder, EncoderId, Vectors
from isoflop.routing.encoders.vectors import usable


def _static() -> Encoder:
    from isoflop.routing.encoders.static import Static

    return Static()


def _hashed() -> Encoder:
    from isoflop.routing.encoders.hashed import Hashed

    return Hashed()


def _minilm() -> Encoder:
    from isoflop.routing.encoders.minilm import MiniLM

    return MiniLM()


ENCODERS: dict[str, Callable[[], Encoder]] = {"static": _static, "hashed": _hashed, "minilm": _minilm}
"""Name to what makes the encoder; nothing is loaded before."""
NOT_ASCII = 0.05
"""Above this share of letters outside ASCII, token tables of English place prompts poorly."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Encoding:
    """Vectors of prompts.

    Parameters
    ----------
    vectors : array of float32, shape (n, width)
        Unit rows.
    encoder : EncoderId
    cut : int
        Prompts of which parts were left out.
    cautions : tuple of str
    """

    vectors: Vectors
    encoder: EncoderId
    cut: int
    cautions: tuple[str, ...]


def encoder_of(encoder: str | Encoder) -> Encoder:
    """Return the encoder of a name, or the object itself.

    Raises
    ------
    SettingError
        No encoder has that name.
    MissingExtraError
        Its package is not installed.

    Examples
    --------
    >>> encoder_of("hashed").width
    256
    """
    if not isinstance(encoder, str):
        return encoder
    if encoder not in ENCODERS:
        near = closest(encoder, ENCODERS)
        raise SettingError(
            f"encoder: {encoder!r}, must be one of {', '.join(ENCODERS)}. "
            + (f"Did you mean {near!r}?" if near else "Other encoders are passed as objects: Own, Endpoint.")
        )
    return ENCODERS[encoder]()


def encode(
    prompts: Sequence[str],
    encoder: str | Encoder = "static",
    *,
    vectors: NDArray[np.floating[Any]] | None = None,
) -> Encoding:
    """Return the vectors of prompts, or check those that were made before.

    Parameters
    ----------
    prompts : sequence of str, length n
    encoder : str or Encoder
    vectors : array, shape (n, width), optional
        Vectors of these prompts by this encoder; their length does not matter.

    Raises
    ------
    EvidenceError
        The vectors are of another number or width, hold NaN, or a row is zero.

    Examples
    --------
    >>> encode(["Sort these words", "Add two numbers"], "hashed").vectors.shape
    (2, 256)
    """
    tool = encoder_of(encoder)
    if vectors is not None:
        return Encoding(vectors=usable(vectors, len(prompts), tool), encoder=tool.id, cut=0, cautions=())
    made = tool.encode(list(prompts))
    cut = sum(not tool.reads_whole(text) for text in prompts)
    said = []
    if cut:
        said.append(
            f"{cut} of {len(prompts)} prompts are longer than encoder {tool.name} reads: parts of them were "
            "left out. Settings of the encoder cure it."
        )
    foreign = _foreign(prompts)
    if foreign > NOT_ASCII:
        said.append(
            f"{foreign:.0%} of letters are not plain Latin: {tool.name} was measured on English prompts "
            "alone. An encoder for your language cures it (vectors=, Own or Endpoint)."
        )
    return Encoding(vectors=made, encoder=tool.id, cut=cut, cautions=tuple(said))


def _foreign(prompts: Sequence[str]) -> float:
    """Return the share of letters outside ASCII, from at most 2,000 prompts."""
    step = max(1, len(prompts) // 2000)
    text = "".join(prompt[:500] for prompt in prompts[::step])
    letters = sum(c.isalpha() for c in text)
    return sum(c.isalpha() and not c.isascii() for c in text) / letters if letters else 0.0

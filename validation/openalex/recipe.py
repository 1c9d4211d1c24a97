"""What a made-up snapshot holds: how many works, in how many parts, with which traps."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How works are made.

    Parameters
    ----------
    works : int
        Distinct works, merged ones included.
    parts : int
        Files; each lies in a partition of its own day, later parts in later ones.
    seed : int
        The same recipe gives the same bytes.
    no_authors : float
        Share of works that list no author.
    no_institution : float
        Share of the others none of whose authors has an institution: an assumption, not a measurement.
    moved : float
        Share of works that stand once more in a later part, newer and with other numbers.
    merged : float
        Share of works that ``merged_ids`` names as merged into another.
    bare : float
        Share of works with null, or nothing at all, in every optional field.
    reordered, spaced : float
        Shares of records with their keys in another order, and with spaces after colons and commas.
    retracted, paratext, xpac : float
        Shares of works with the flag.
    huge : int
        Bytes of one record in the middle of the first part; 0 for none.
    """

    works: int = 10_000
    parts: int = 4
    seed: int = 0
    no_authors: float = 0.02
    no_institution: float = 0.4
    moved: float = 0.01
    merged: float = 0.002
    bare: float = 0.005
    reordered: float = 0.0
    spaced: float = 0.0
    retracted: float = 0.001
    paratext: float = 0.005
    xpac: float = 0.1
    huge: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.parts <= self.works:
            raise ValueError(f"Recipe: {self.parts} parts of {self.works} works, needs 1 <= parts <= works.")

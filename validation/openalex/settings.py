"""How many works, in how many parts, and how often each oddity occurs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Format = Literal["jsonl", "parquet"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a made-up snapshot is to hold.

    Parameters
    ----------
    works : int
        Different works, before those merged away are taken out.
    parts : int
        Files; their partitions hold two files each.
    seed : int
    moved : float
        Share of works that also stand in an earlier file, with an older and different record.
    merged : float
        Share of works whose id was merged into another's.
    odd : float
        Share of records with keys in another order, spaces after colons and escaped characters.
    huge_bytes : int
        Size of one very long record in the first file; 0 for none.
    formats : tuple of {"jsonl", "parquet"}
        Copies to keep.
    """

    works: int = 2000
    parts: int = 4
    seed: int = 0
    moved: float = 0.02
    merged: float = 0.003
    odd: float = 0.02
    huge_bytes: int = 0
    formats: tuple[Format, ...] = ("jsonl",)

    def __post_init__(self) -> None:
        if not 1 <= self.parts <= self.works:
            raise ValueError(
                f"Settings: parts={self.parts}, must lie in [1, works={self.works}]. Ask for fewer parts."
            )

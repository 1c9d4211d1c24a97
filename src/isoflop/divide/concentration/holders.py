"""Whose the compute of a system is: its organisations or countries, each an equal part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from isoflop.divide.concentration.firms import firm_of
from isoflop.divide.sample import FloatArray, IntArray, Sample
from isoflop.evidence.models import listed

Holder = Literal["organisation", "country"]
Split = Literal["equal", "joint"]
Names = Literal["owner", "given"]
COLUMNS: dict[str, str] = {"organisation": "organisations", "country": "countries"}
NO_COUNTRY = "Multinational"
"""A word that tables use beside, or in place of, countries; alone it names none."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Held:
    """Parts of systems, each with one holder.

    Parameters
    ----------
    row : array of int, shape (m,)
        Row of the sample.
    part : array, shape (m,)
        Part of the system, 0 to 1; the parts of a row sum to 1.
    name : array of str, shape (m,)
        The holder.
    missing : int
        Rows that name no holder; none of their compute is counted.
    """

    row: IntArray
    part: FloatArray
    name: np.ndarray
    missing: int


def held_by(sample: Sample, holder: Holder, split: Split = "equal", names: Names = "owner") -> Held:
    """Return who holds what part of each system.

    Parameters
    ----------
    holder : {"organisation", "country"}
    split : {"equal", "joint"}
        Each of several holders gets an equal part, or all of them together count as one.
    names : {"owner", "given"}
        Units of one firm together (see `firms`), or names as the table has them.
    """
    rows: list[int] = []
    parts: list[float] = []
    named: list[str] = []
    missing = 0
    for place, cell in enumerate(sample.frame[COLUMNS[holder]]):
        given = listed(cell)
        if holder == "country":
            given = tuple(name for name in given if name != NO_COUNTRY)
        elif names == "owner":
            given = tuple(firm_of(name) for name in given)
        holders = tuple(dict.fromkeys(given))
        if split == "joint" and holders:
            holders = ("; ".join(sorted(holders)),)
        missing += not holders
        for name in holders:
            rows.append(place)
            parts.append(1 / len(holders))
            named.append(name)
    return Held(
        row=np.array(rows, dtype=np.int64),
        part=np.array(parts, dtype=np.float64),
        name=np.array(named, dtype=str),
        missing=missing,
    )

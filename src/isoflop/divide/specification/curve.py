"""One specification, and the curve of all of them for one headline."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from isoflop.divide.specification.grid import NULLS, UNITS, Headline


@dataclass(frozen=True, slots=True, kw_only=True)
class Specification:
    """A headline under one setting of every choice.

    Parameters
    ----------
    headline : str
    settings : mapping of str to str
        Choice to setting.
    n : int
        Systems behind the number.
    value, low, high : float or None
        None where the number cannot be had, or an interval has no such end.
    bound_low, bound_high : float or None
        What systems of unknown team could make it.
    effect : float or None
        Distance from what the null of the joint test supposes.
    excludes : bool or None
        Whether the interval excludes that null; None where the effect is zero by construction.
    caution : str
    """

    headline: Headline
    settings: Mapping[str, str]
    n: int
    value: float | None
    low: float | None = None
    high: float | None = None
    bound_low: float | None = None
    bound_high: float | None = None
    effect: float | None = None
    excludes: bool | None = None
    caution: str = ""

    def row(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {
            "headline": self.headline,
            **self.settings,
            "n": self.n,
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "unit": UNITS[self.headline],
            "bound_low": self.bound_low,
            "bound_high": self.bound_high,
            "effect": self.effect,
            "excludes_null": self.excludes,
            "caution": self.caution or None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class JointTest:
    """Whether the median effect over a curve is more than its null would give.

    Parameters
    ----------
    median_effect : float
        Over specifications whose effect is not zero by construction.
    p : float or None
        Share of replicates under the null whose median effect is at least as far from zero.
    replicates : int
        Replicates in which the curve could be drawn.
    clusters : int
        Organisations drawn.
    specifications : int
        Distinct estimates in the median; interval kinds do not count.
    """

    median_effect: float
    p: float | None
    replicates: int
    clusters: int
    specifications: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curve:
    """All specifications of one headline, sorted by value; those without one at the end."""

    headline: Headline
    specifications: tuple[Specification, ...]
    joint: JointTest | None

    @property
    def values(self) -> tuple[float, ...]:
        """Values that could be had, ascending."""
        return tuple(one.value for one in self.specifications if one.value is not None)

    @property
    def median(self) -> float | None:
        """Median over specifications."""
        return statistics.median(self.values) if self.values else None

    @property
    def null(self) -> str:
        """What the joint test supposes, in words."""
        return NULLS[self.headline]

    @property
    def with_effect(self) -> tuple[Specification, ...]:
        """Specifications that can differ from the null at all."""
        return tuple(
            one for one in self.specifications if one.effect is not None and one.excludes is not None
        )

    @property
    def same_sign(self) -> float | None:
        """Share of specifications whose effect has the sign of the median effect."""
        effects = [one.effect for one in self.with_effect if one.effect is not None]
        if not effects:
            return None
        middle = statistics.median(effects)
        if middle == 0:
            return None
        return sum(one * middle > 0 for one in effects) / len(effects)

    @property
    def excluding(self) -> float | None:
        """Share of specifications whose interval excludes the null."""
        judged = [one.excludes for one in self.with_effect]
        return sum(bool(one) for one in judged) / len(judged) if judged else None

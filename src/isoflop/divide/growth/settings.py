"""Kinds of interval of a trend, and the noise that stands for doubt about compute."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, get_args

from isoflop.errors import SettingError, closest
from isoflop.stats.checks import whole_number

REPS = 1999
"""Replicates of a bootstrap: (reps + 1) times a usual tail is a whole number."""
FEW_CLUSTERS = 20
"""Below this many organisations a bootstrap of organisations is too narrow to be the default."""
UNSURE = 30.0
"""Factor of the 90 % band where no word of confidence, or one that promises nothing, is given."""
Bounds = Literal["log_uniform", "split_normal", "ignore"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OLS:
    """Student's t around least squares: rows independent, spread equal."""

    name = "ols"
    text = "least squares, Student's t"
    drawn = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HC1:
    """Student's t with a covariance robust to unequal spread: rows independent."""

    name = "hc1"
    text = "robust to unequal spread (HC1), Student's t"
    drawn = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Percentiles over replicates that draw rows."""

    reps: int = REPS
    seed: int = 0
    name = "pairs"
    text = "percentiles over draws of systems"
    drawn = True

    def __post_init__(self) -> None:
        whole_number("Pairs", "reps", self.reps, least=2)
        whole_number("Pairs", "seed", self.seed, least=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Percentiles over replicates that draw organisations with all their systems.

    A joint team, as written in the table, is an organisation of its own.
    """

    by: Literal["organisation"] = "organisation"
    reps: int = REPS
    seed: int = 0
    name = "cluster"
    text = "percentiles over draws of organisations"
    drawn = True

    def __post_init__(self) -> None:
        whole_number("Cluster", "reps", self.reps, least=2)
        whole_number("Cluster", "seed", self.seed, least=0)
        if self.by != "organisation":
            raise SettingError(f"Cluster: by={self.by!r}, must be 'organisation'. Leave it out.")


IntervalKind = OLS | HC1 | Pairs | Cluster
INTERVALS: dict[str, IntervalKind] = {"ols": OLS(), "hc1": HC1(), "pairs": Pairs(), "cluster": Cluster()}
"""Kinds of interval by name."""
INTERVAL_WORDS = {
    **{name: kind.text for name, kind in INTERVALS.items()},
    "monte_carlo": "doubt about compute alone",
    "monte_carlo_and_sampling": "doubt about compute and sampling together",
}
"""Kinds of interval, and of doubt about compute, as they read in pictures and tables."""


def interval_kind(name: str, *, reps: int = REPS, seed: int = 0) -> IntervalKind:
    """Return the named kind, with replicates and seed where it draws.

    Examples
    --------
    >>> interval_kind("cluster", reps=99)
    Cluster(by='organisation', reps=99, seed=0)
    """
    kind = INTERVALS.get(name)
    if kind is None:
        near = closest(name, INTERVALS)
        hint = f"Did you mean {near!r}?" if near else "Choose one."
        raise SettingError(f"ci: {name!r}, must be one of {', '.join(INTERVALS)}. {hint}")
    return replace(kind, reps=reps, seed=seed) if isinstance(kind, Pairs | Cluster) else kind


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeNoise:
    """Doubt about each system's compute, as noise on its logarithm.

    The word of confidence is read as a factor that holds nine times in ten: 3, 10 and 30 [R].

    Parameters
    ----------
    unsure : float, > 1
        Factor of rows without a word, or with one that promises nothing.
    bounds : {"log_uniform", "split_normal", "ignore"}
        Where a row has a lower and an upper bound: any value between them alike; a normal curve with
        its own width to each side, the bounds at 5 and 95 %; or the word of confidence as elsewhere.
    shared : float, in [0, 1]
        Share of the noise's variance that is common to an organisation's systems.
    reps : int
    seed : int
    """

    unsure: float = UNSURE
    bounds: Bounds = "log_uniform"
    shared: float = 0.0
    reps: int = REPS
    seed: int = 0

    def __post_init__(self) -> None:
        whole_number("ComputeNoise", "reps", self.reps, least=2)
        whole_number("ComputeNoise", "seed", self.seed, least=0)
        if not (math.isfinite(self.unsure) and self.unsure > 1):
            raise SettingError(
                f"ComputeNoise: unsure={self.unsure}, must be a factor above 1. Write 30, say."
            )
        if not 0 <= self.shared <= 1:
            raise SettingError(f"ComputeNoise: shared={self.shared}, must lie in [0, 1]. Write 0.5, say.")
        if self.bounds not in get_args(Bounds):
            raise SettingError(
                f"ComputeNoise: bounds={self.bounds!r}, must be one of {', '.join(get_args(Bounds))}. "
                "Choose one."
            )

    @property
    def text(self) -> str:
        """The noise in words."""
        common = f", {self.shared:g} of it common to an organisation" if self.shared else ""
        unsure = "" if self.unsure == UNSURE else f", {self.unsure:g} where it promises nothing"
        return f"noise on log compute by word of confidence (factors 3, 10, 30{unsure}){common}"

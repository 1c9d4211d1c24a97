"""Slow-downs of a pair of targets: function by function, over all, and under every way of counting."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoflop.findings import Estimate, Finding, Provenance, json_ready
from isoflop.portability.model import OVER
from isoflop.present import formats
from isoflop.present.notebook import result_html

if TYPE_CHECKING:
    import polars as pl

FloatArray = NDArray[np.float64]
FEW = 30
MANY_DISPATCH = 0.20
MANY_NOISY = 0.10
GRID_LEAST = 30
"""Functions that a cell of the grid needs to bound the share over 10×."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A ratio with its interval; the ends are None where nothing tells how far it may be off."""

    ratio: float
    low: float | None = None
    high: float | None = None

    @property
    def is_slower(self) -> bool:
        """Whether it is above 1, with its whole interval where it has one."""
        return (self.ratio if self.low is None else self.low) > 1

    @property
    def is_over(self) -> bool:
        """Whether the ratio exceeds ten."""
        return self.ratio > OVER

    @property
    def is_surely_over(self) -> bool:
        """Whether its whole interval exceeds ten."""
        return self.low is not None and self.low > OVER


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionRatio:
    """How many times slower one function is on the target.

    Parameters
    ----------
    function : str
    readings : dict of str to Reading
        ``all`` inputs; where there are any, ``kernel_bound`` ones, ``size_<class>`` and ``first_calls``.
    tasks, kernel_tasks, processes : int
        Inputs timed, those of them that are not dispatch-bound, and process repeats.
    first_over_steady : float or None
        First call over steady median, on the target.
    prepare_s : float or None
        Median seconds of compiling or exporting.
    """

    function: str
    readings: dict[str, Reading]
    tasks: int
    kernel_tasks: int
    processes: int
    first_over_steady: float | None
    prepare_s: float | None

    @property
    def steady(self) -> Reading:
        """The reading over all inputs."""
        return self.readings["all"]

    @property
    def ratio(self) -> float:
        """Geometric mean over all inputs."""
        return self.steady.ratio

    @property
    def is_dispatch_bound(self) -> bool:
        """Whether every task of it measures dispatch rather than the kernel."""
        return self.kernel_tasks == 0

    def at(self, reading: str) -> float | None:
        """Return the ratio of a reading, or None where there is none."""
        found = self.readings.get(reading)
        return None if found is None else found.ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """One way of counting: functions, those slower, those over ten times, and the median ratio."""

    name: str
    text: str
    n: int
    slower: int
    over: int
    median: Estimate


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Slowdown:
    """How many times slower a framework's functions are on a target than on its source.

    Parameters
    ----------
    framework, source, target : str
    protocol : str
        Timing protocol of both sides.
    how : {"interleaved", "separate"}
        Whether both sides took turns in one process.
    devices : (str, str)
        As the source and the target call themselves.
    functions : tuple of FunctionRatio
    countings : tuple of Counting
        ``all`` first.
    failed : int
        Functions that failed on the target and so have no ratio.
    hosts : int
        Computers pooled.
    noisy : float
        Share of timings whose first and last quarter differ.
    level : float
    reps, seed : int
    draws : array
        Of the median over functions.
    notes : tuple of str
    provenance : tuple of Provenance
    """

    framework: str
    source: str
    target: str
    protocol: str
    how: str
    devices: tuple[str, str]
    functions: tuple[FunctionRatio, ...]
    countings: tuple[Counting, ...]
    failed: int
    hosts: int
    noisy: float
    level: float
    reps: int
    seed: int
    draws: FloatArray
    notes: tuple[str, ...]
    provenance: tuple[Provenance, ...]

    def __post_init__(self) -> None:
        self.draws.setflags(write=False)

    @property
    def n(self) -> int:
        """Functions with a ratio."""
        return len(self.functions)

    @property
    def median(self) -> Estimate:
        """Median ratio over functions."""
        return self.countings[0].median

    @property
    def over(self) -> int:
        """Functions over ten times slower, by their point."""
        return sum(one.steady.is_over for one in self.functions)

    @property
    def surely_over(self) -> int:
        """Functions whose whole interval exceeds ten."""
        return sum(one.steady.is_surely_over for one in self.functions)

    @property
    def dispatch_share(self) -> float:
        """Share of functions all of whose tasks are dispatch-bound."""
        return sum(one.is_dispatch_bound for one in self.functions) / self.n

    @property
    def is_quick(self) -> bool:
        """Whether the timings are a first look only."""
        return self.protocol != "1"

    @property
    def two_devices(self) -> bool:
        """Whether the two sides name different devices."""
        return all(self.devices) and self.devices[0] != self.devices[1]

    @property
    def grid_low(self) -> float | None:
        """The lowest share over ten times among ways of counting with enough functions."""
        shares = [one.over / one.n for one in self.countings if one.n >= GRID_LEAST]
        return min(shares) if shares else None

    @property
    def doubts(self) -> tuple[str, ...]:
        """What makes the timing doubtful, as short phrases."""
        said = []
        if self.is_quick:
            said.append(f"protocol {self.protocol} is for first looks only")
        if self.dispatch_share > MANY_DISPATCH:
            said.append(
                f"{formats.percent(self.dispatch_share)} of functions measure dispatch rather than the kernel"
            )
        if self.noisy > MANY_NOISY:
            said.append(f"{formats.percent(self.noisy)} of timings drift")
        if max((one.processes for one in self.functions), default=0) < 2:
            said.append("one process was timed")
        if self.how == "separate":
            said.append("the two sides did not take turns in one process")
        return tuple(said)

    @cached_property
    def cautions(self) -> tuple[str, ...]:
        """What limits the slow-down, each with what would cure it."""
        said = list(self.notes)
        cures = {
            "protocol": "Time with the full protocol.",
            "measure dispatch": "Read kernel-bound functions, or time larger inputs.",
            "drift": "Time on a quiet computer.",
            "one process": "Repeat in at least three.",
            "take turns": "Time the target with the source as its reference.",
        }
        for doubt in self.doubts:
            cure = next(text for key, text in cures.items() if key in doubt)
            said.append(f"From {self.source} to {self.target}: {doubt}. {cure}")
        if self.n < FEW:
            said.append(f"Only {self.n} functions have a ratio. Time more functions.")
        if self.hosts > 1:
            said.append(
                f"{self.hosts} computers are pooled: ratios differ with the computer. Take one at a time."
            )
        if not self.two_devices:
            said.append(
                f"{self.source} and {self.target} do not name two devices: the ratio is of compilers or "
                "modes, not of hardware. Time on both devices for that."
            )
        if self.failed:
            said.append(
                f"{self.failed} functions failed on {self.target}, wholly or in part: read the slow-down "
                "beside the share that fails."
            )
        return tuple(dict.fromkeys(said))

    def rows(self) -> list[dict[str, Any]]:
        """Return one row a function, slowest first, JSON-ready."""
        return [
            {
                "function": one.function,
                "ratio": one.ratio,
                "low": one.steady.low,
                "high": one.steady.high,
                "kernel_ratio": one.at("kernel_bound"),
                "is_dispatch_bound": one.is_dispatch_bound,
                "tasks": one.tasks,
                "kernel_tasks": one.kernel_tasks,
                "processes": one.processes,
                "first_ratio": one.at("first_calls"),
                "first_over_steady": one.first_over_steady,
                "prepare_s": one.prepare_s,
            }
            for one in sorted(self.functions, key=lambda f: (-f.ratio, f.function))
        ]

    def grid_rows(self) -> list[dict[str, Any]]:
        """Return one row a way of counting, JSON-ready; no shares over 10× under the quick protocol."""
        from isoflop.portability.counted import share_estimate

        rows = []
        for one in self.countings:
            over = share_estimate(one.over, one.n, level=self.level)
            hidden = self.is_quick
            rows.append(
                {
                    "counting": one.name,
                    "text": one.text,
                    "n": one.n,
                    "slower": one.slower,
                    "over_10x": None if hidden else one.over,
                    "share_over_10x": None if hidden else over.value,
                    "low": None if hidden else over.low,
                    "high": None if hidden else over.high,
                    "median": one.median.value,
                    "median_low": one.median.low,
                    "median_high": one.median.high,
                }
            )
        return rows

    def frame(self) -> pl.DataFrame:
        """Return one row a function."""
        import polars as pl

        return pl.DataFrame(self.rows(), infer_schema_length=None)

    def findings(self) -> tuple[Finding, ...]:
        """Return the slow-downs as findings, qualified by framework, source and target."""
        from isoflop.portability.slowdown.findings import findings_of

        return findings_of(self)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping without NaN."""
        shown: dict[str, Any] = json_ready(
            {
                "framework": self.framework,
                "source": self.source,
                "target": self.target,
                "devices": list(self.devices),
                "protocol": self.protocol,
                "how": self.how,
                "functions": self.rows(),
                "grid": self.grid_rows(),
                "cautions": list(self.cautions),
                "provenance": [one.to_dict() for one in self.provenance],
            }
        )
        return shown

    def summary(self) -> str:
        """Return a text of one screen."""
        lines = [
            f"{self.source} to {self.target}: {self.n} functions that pass on both; protocol "
            f"{self.protocol}, {self.how}",
            f"median {formats.estimate(self.median)}; {self.countings[0].slower} slower beyond their interval"
            + (
                "; shares over 10× are not counted under this protocol"
                if self.is_quick
                else f"; {self.over} over 10× ({self.surely_over} with their whole interval)"
            ),
        ]
        slowest = ", ".join(f"{row['function']} {formats.multiple(row['ratio'])}" for row in self.rows()[:5])
        return "\n".join([*lines, f"slowest: {slowest}"])

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html

"""What portability assumes: how far a task can get, what may become of it, and the settings of the verbs.

A failure share without its policy, its level and its denominator means nothing; each is named here once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from isoflop.errors import SettingError

Level = Literal["traced", "lowered", "compiled", "ran", "agreed"]
Policy = Literal["strict", "fallback"]
Status = Literal[
    "ok", "ok_fallback", "wrong", "unsupported", "error", "crash", "timeout", "oom", "skipped",
    "harness_error", "input_error",
]  # fmt: skip
Agreement = Literal["agree", "differ", "shape", "dtype", "nan_pattern", "not_comparable", "not_checked"]
FunctionStatus = Literal["success", "partial", "complete", "not_counted"]
SizeClass = Literal["tiny", "small", "medium", "large", "trace"]

LEVELS: dict[Level, str] = {
    "traced": "shapes and dtypes propagate",
    "lowered": "a rule exists for that platform; an upper bound on portability",
    "compiled": "the device's compiler accepts it",
    "ran": "it ran there",
    "agreed": "it ran there and its numbers match",
}
"""The ladder, lowest first. A share is never mixed over levels."""
PASSED: dict[Policy, frozenset[Status]] = {
    "strict": frozenset({"ok"}),
    "fallback": frozenset({"ok", "ok_fallback"}),
}
NOT_COUNTED: frozenset[Status] = frozenset({"skipped", "harness_error", "input_error"})
"""Statuses outside every denominator; their share is shown beside it."""
REASONS = (
    "not_implemented", "dtype", "layout_sparse", "dynamic_shape", "data_dependent", "complex", "memory",
    "timeout", "precision", "gradient", "placement", "compiler_internal", "missing_dependency", "transfer",
    "state_dependent", "harness", "unclassified",
)  # fmt: skip
"""Why a task failed. The rule table that decides is data; see `isoflop.portability.reasons`."""
SIZES: tuple[SizeClass, ...] = ("tiny", "small", "medium", "large", "trace")
OVER = 10.0
"""A function counts as extremely slowed where it takes more than this many times as long."""
DISPATCH_FACTOR = 10.0
"""A median below this many null calls measures dispatch rather than the kernel."""
ERROR_HEAD = 240
"""Characters kept of an error's text, after paths and addresses are removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The timing protocol; two runs are compared only under the same one.

    Parameters
    ----------
    protocol : {"1", "1q", "none"}
        ``1`` is the full one, ``1q`` quick, for first looks only, ``none`` times nothing.
    budget_s : float, > 0
        Seconds of timed calls a task and process.
    min_blocks : int, >= 3
        Blocks of calls, each synchronised once.
    block_s : float, > 0
        Least length of a block.
    half_width : float, in (0, 1)
        Timing stops once the 95 % half-width of the median is below this share of it.
    processes : int, >= 1
        Fresh processes in which everything is repeated.
    min_warm_up, max_warm_up : int
        Calls before the first block: at least, and at most.
    """

    protocol: Literal["1", "1q", "none"] = "1"
    budget_s: float = 2.0
    min_blocks: int = 7
    block_s: float = 1e-3
    half_width: float = 0.05
    processes: int = 3
    min_warm_up: int = 3
    max_warm_up: int = 20

    def __post_init__(self) -> None:
        if not self.budget_s > 0 or not self.block_s > 0:
            raise SettingError(
                f"Timing: budget_s={self.budget_s:g} and block_s={self.block_s:g}, both must be > 0 s. "
                "Choose protocol='none' to time nothing."
            )
        if self.processes < 1 or self.min_blocks < 3:
            raise SettingError(
                f"Timing: processes={self.processes}, min_blocks={self.min_blocks}, need at least 1 and 3. "
                "Use Timing.quick() for a first look."
            )

    @classmethod
    def quick(cls) -> Timing:
        """Return protocol 1q: one process, 0.05 s a task, at least 3 blocks."""
        return cls(protocol="1q", budget_s=0.05, min_blocks=3, processes=1)

    @classmethod
    def none(cls) -> Timing:
        """Return the protocol that times nothing: outcomes and agreement only."""
        return cls(protocol="none", processes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wilson:
    """Wilson interval of an unweighted share."""

    level: float = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Bootstrap:
    """Bootstrap of functions, or Rao-Wu within strata where a design is given."""

    reps: int = 999
    seed: int = 0
    level: float = 0.95

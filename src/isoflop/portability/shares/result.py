"""Failure shares: one cell a target, group and policy, and the functions behind them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from isoflop.findings import Estimate, Finding, Provenance, json_ready
from isoflop.portability.model import LEVELS, Policy
from isoflop.portability.shares.count import BY, By, FunctionOutcome
from isoflop.present import formats
from isoflop.present.notebook import result_html

if TYPE_CHECKING:
    import polars as pl

    from isoflop.portability.sampling.estimate import DesignShare

Key = tuple[str, str, str]
"""Framework, target, level."""
FEW = 30
"""Fewer functions than this carry a caution."""
MANY_UNCLASSIFIED = 0.05
MANY_HARNESS = 0.10
MOST_LINES, MOST_GROUPS = 20, 8
"""Targets, and groups within them, that a summary names."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ShareCell:
    """Functions of a framework on a target under one policy.

    Parameters
    ----------
    framework, target, level, group : str
    policy : {"strict", "fallback"}
    success, partial, complete, not_counted : int
        Functions.
    only_with_fallback : int
        Of all functions, those that succeed only where falling back is allowed.
    failing, partly, wholly : Estimate
        Shares of counted functions: partial or complete, partial, complete.
    tasks, left_out : int
        Rows of results, and those of them outside every denominator.
    by_design, by_calls : DesignShare or None
        The failing share weighted by a design, and by calls; None without weights.
    """

    framework: str
    target: str
    level: str
    group: str
    policy: Policy
    success: int
    partial: int
    complete: int
    not_counted: int
    only_with_fallback: int
    failing: Estimate
    partly: Estimate
    wholly: Estimate
    tasks: int
    left_out: int
    by_design: DesignShare | None = None
    by_calls: DesignShare | None = None

    @property
    def key(self) -> Key:
        """Framework, target and level."""
        return self.framework, self.target, self.level

    @property
    def counted(self) -> int:
        """Functions in the denominator."""
        return self.success + self.partial + self.complete

    def row(self) -> dict[str, Any]:
        """Return the cell, JSON-ready."""
        row: dict[str, Any] = {
            "framework": self.framework,
            "target": self.target,
            "level": self.level,
            "group": self.group,
            "policy": self.policy,
            "functions": self.counted,
            "success": self.success,
            "partial": self.partial,
            "complete": self.complete,
            "not_counted": self.not_counted,
            "only_with_fallback": self.only_with_fallback,
            "failing_share": self.failing.value,
            "low": self.failing.low,
            "high": self.failing.high,
            "partial_share": self.partly.value,
            "complete_share": self.wholly.value,
            "left_out_share": self.left_out / self.tasks if self.tasks else None,
        }
        for name, one in (("design", self.by_design), ("calls", self.by_calls)):
            row[f"{name}_share"] = None if one is None else one.estimate.value
            row[f"{name}_low"] = None if one is None else one.estimate.low
            row[f"{name}_high"] = None if one is None else one.estimate.high
            row[f"{name}_best"] = None if one is None else one.band[0]
            row[f"{name}_worst"] = None if one is None else one.band[1]
        return row


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Shares:
    """Which share of functions is lost, by target, level and policy.

    Parameters
    ----------
    cells : tuple of ShareCell
        Both policies side by side.
    outcomes : tuple of FunctionOutcome
        One a function.
    reasons : mapping
        Framework, target and level to failures by reason, under the leading policy.
    policy : {"strict", "fallback"}
        The one that leads.
    by : {"target", "dtype", "family"}
    interval : str
        How intervals were made.
    ci_level : float
    weighted : str
        What weights the call shares; empty without.
    notes : tuple of str
        Doubts about the evidence and the weights.
    provenance : tuple of Provenance
    """

    cells: tuple[ShareCell, ...]
    outcomes: tuple[FunctionOutcome, ...]
    reasons: Mapping[Key, Counter[str]]
    policy: Policy
    by: By
    interval: str
    ci_level: float
    weighted: str
    notes: tuple[str, ...]
    provenance: tuple[Provenance, ...]

    def cell(
        self, framework: str, target: str, *, policy: Policy | None = None, group: str = ""
    ) -> ShareCell:
        """Return one cell; the leading policy's by default.

        Raises
        ------
        KeyError
            No such framework, target or group.
        """
        wanted = (framework, target, group, policy or self.policy)
        for one in self.cells:
            if (one.framework, one.target, one.group, one.policy) == wanted:
                return one
        raise KeyError(", ".join(wanted))

    @property
    def leading(self) -> tuple[ShareCell, ...]:
        """The cells of the leading policy."""
        return tuple(one for one in self.cells if one.policy == self.policy)

    @property
    def keys(self) -> tuple[Key, ...]:
        """Framework, target and level of each target, in order."""
        return tuple(dict.fromkeys(one.key for one in self.cells))

    def cautions_of(self, cell: ShareCell) -> tuple[str, ...]:
        """Return what limits one cell, each with what would cure it."""
        where = _named(cell)
        said = []
        if cell.counted < FEW:
            said.append(f"On {where} only {cell.counted} functions are counted. Add functions.")
        if cell.level in ("traced", "lowered", "compiled"):
            said.append(
                f"On {where} nothing was run; {LEVELS[cell.level]}. "  # type: ignore[index]
                "A failure is one of that version; a success bounds portability from above. Run it on the "
                "device."
            )
        if cell.left_out > MANY_HARNESS * cell.tasks:
            said.append(
                f"On {where} {formats.percent(cell.left_out / cell.tasks)} of results are outside the "
                "denominator (skipped, harness or input error). Mend those tests."
            )
        reasons = self.reasons.get(cell.key, Counter())
        total = sum(reasons.values())
        if total and reasons["unclassified"] > MANY_UNCLASSIFIED * total:
            said.append(
                f"On {where} {formats.percent(reasons['unclassified'] / total)} of failures have no known "
                "reason. Write rules for their messages."
            )
        unsteady = sum(
            one.unsteady
            for one in self.outcomes
            if (one.framework, one.target, one.level) == cell.key and one.group == cell.group
        )
        if unsteady:
            said.append(
                f"On {where} {unsteady} tasks passed in one process and failed in another; their functions "
                "count as partial. Replay them."
            )
        return tuple(said)

    @cached_property
    def cautions(self) -> tuple[str, ...]:
        """What limits the shares, each with what would cure it."""
        said = list(self.notes)
        for cell in self.leading:
            said += self.cautions_of(cell)
        return tuple(dict.fromkeys(said))

    def rows(self) -> list[dict[str, Any]]:
        """Return one row a target, group and policy, JSON-ready."""
        return [one.row() for one in self.cells]

    def function_rows(self) -> list[dict[str, Any]]:
        """Return one row a function, target and group, JSON-ready."""
        return [
            {
                "framework": one.framework,
                "target": one.target,
                "level": one.level,
                "group": one.group,
                "function": one.function,
                "strict": one.status("strict"),
                "fallback": one.status("fallback"),
                "only_with_fallback": one.only_with_fallback,
                "passed": one.passed,
                "fell_back": one.fell_back,
                "failed": one.failed,
                "not_counted": one.not_counted,
                "tasks": one.tasks,
                "reason": one.reason,
            }
            for one in self.outcomes
        ]

    def reason_rows(self) -> list[dict[str, Any]]:
        """Return one row a target and reason with its share of counted failures, JSON-ready."""
        return [
            {
                "framework": key[0],
                "target": key[1],
                "level": key[2],
                "reason": reason,
                "failures": count,
                "share": count / sum(counts.values()),
            }
            for key, counts in self.reasons.items()
            for reason, count in counts.most_common()
        ]

    def frame(self) -> pl.DataFrame:
        """Return one row a target, group and policy."""
        import polars as pl

        return pl.DataFrame(self.rows(), infer_schema_length=None)

    def findings(self) -> tuple[Finding, ...]:
        """Return the shares as findings, qualified by framework and target."""
        from isoflop.portability.shares.findings import findings_of

        return findings_of(self)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping without NaN."""
        shown: dict[str, Any] = json_ready(
            {
                "policy": self.policy,
                "by": self.by,
                "interval": self.interval,
                "weighted": self.weighted,
                "shares": self.rows(),
                "functions": self.function_rows(),
                "reasons": self.reason_rows(),
                "cautions": list(self.cautions),
                "provenance": [one.to_dict() for one in self.provenance],
            }
        )
        return shown

    def summary(self) -> str:
        """Return a text of one screen."""
        shown = self.leading
        if self.by != "target":
            shown = tuple(sorted(shown, key=lambda one: -(one.failing.value or 0.0)))
        most = MOST_LINES if self.by == "target" else MOST_GROUPS
        policy = f"{self.policy} policy"
        more = f"and {len(shown) - most} more" if len(shown) > most else ""
        return "\n".join(
            line
            for line in (
                f"Functions that fail wholly or in part, by {BY[self.by]}; {policy}; {self.interval}",
                *(_line(one) for one in shown[:most]),
                more,
            )
            if line
        )

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html


def _line(cell: ShareCell) -> str:
    share = cell.failing
    if share.value is None or share.low is None or share.high is None:
        return f"{_named(cell)}: no function counted, {cell.not_counted} left out"
    kinds = f" ({cell.partial} in part, {cell.complete} wholly)" if share.value else ""
    besides = [
        f"{count} {text}"
        for count, text in (
            (cell.not_counted, "not counted"),
            (cell.only_with_fallback, "pass only by falling back"),
        )
        if count
    ]
    return "; ".join(
        (
            f"{_named(cell)}: {formats.percent(share.value)} ({formats.percent(share.low)} to "
            f"{formats.percent(share.high)}) of {cell.counted}{kinds}",
            *besides,
        )
    )


def _named(cell: ShareCell) -> str:
    target = cell.target if ":" in cell.target else f"{cell.framework} on {cell.target}"
    return f"{target} ({cell.level})" + (f", {cell.group}" if cell.group else "")

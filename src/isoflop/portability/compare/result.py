"""What changed between two runs, function by function and by target."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from isoflop.findings import Estimate, Finding, Provenance, json_ready
from isoflop.portability.counted import share_finding
from isoflop.portability.model import Policy
from isoflop.portability.shares.findings import qualifier
from isoflop.present import formats
from isoflop.present.notebook import result_html

if TYPE_CHECKING:
    import polars as pl

Outcome = Literal["newly failing", "newly fixed", "still failing", "still passing"]
OUTCOMES: tuple[Outcome, ...] = ("newly failing", "newly fixed", "still failing", "still passing")
Pace = Literal["slower", "faster", "alike"]
FEW = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One function on one target in both runs, over the inputs that both have.

    Parameters
    ----------
    framework, target, function : str
    outcome : str
    lost, gained : int
        Inputs that passed and now fail, and the other way round.
    tasks : int
        Inputs counted in both.
    reason : str or None
        Main reason of failures in the new run.
    ratio : Estimate or None
        Time new over old; None where it was not timed on both sides.
    pace : {"slower", "faster", "alike"} or None
        Beyond the interval and beyond five percent; else alike.
    """

    framework: str
    target: str
    function: str
    outcome: Outcome
    lost: int
    gained: int
    tasks: int
    reason: str | None
    ratio: Estimate | None
    pace: Pace | None


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Comparison:
    """Two runs compared over the inputs that both have.

    Parameters
    ----------
    changes : tuple of Change
    only_old, only_new : int
        Inputs of one run alone: left out.
    left_out : int
        Inputs of both that were skipped or hit a fault of harness or inputs on a side.
    versions : mapping
        Target to its (old, new) versions.
    policy : {"strict", "fallback"}
    timed_how : str
        What the ratios are of; empty where nothing was timed on both sides.
    level : float
    notes : tuple of str
    provenance : tuple of Provenance
        Of the old run, then of the new one.
    """

    changes: tuple[Change, ...]
    only_old: int
    only_new: int
    left_out: int
    versions: dict[str, tuple[str, str]]
    policy: Policy
    timed_how: str
    level: float
    notes: tuple[str, ...]
    provenance: tuple[Provenance, ...]

    def of(self, outcome: Outcome) -> tuple[Change, ...]:
        """Return the functions with this outcome."""
        return tuple(one for one in self.changes if one.outcome == outcome)

    def paced(self, pace: Pace) -> tuple[Change, ...]:
        """Return the functions that became slower, faster, or stayed alike."""
        return tuple(one for one in self.changes if one.pace == pace)

    @cached_property
    def cautions(self) -> tuple[str, ...]:
        """What limits the comparison, each with what would cure it."""
        said = list(self.notes)
        if self.only_old or self.only_new:
            said.append(
                f"{self.only_old} inputs are in the old run alone and {self.only_new} in the new one "
                "alone: they are left out, since catalogues change with versions. Run both on one catalogue."
            )
        if len(self.changes) < FEW:
            said.append(f"Only {len(self.changes)} functions are in both runs. Compare more.")
        moved = len(self.paced("slower")) + len(self.paced("faster"))
        if moved:
            said.append(
                f"{sum(one.pace is not None for one in self.changes)} ratios are looked at: by chance "
                f"alone about {formats.percent(1 - self.level)} lie beyond their interval. Time those "
                "that matter once more."
            )
        return tuple(dict.fromkeys(said))

    def rows(self) -> list[dict[str, Any]]:
        """Return one row a target and function, what changed first, JSON-ready."""
        order = {name: at for at, name in enumerate(OUTCOMES)}
        chosen = sorted(
            self.changes,
            key=lambda one: (order[one.outcome], one.pace in (None, "alike"), one.target, one.function),
        )
        return [
            {
                "framework": one.framework,
                "target": one.target,
                "function": one.function,
                "outcome": one.outcome,
                "lost": one.lost,
                "gained": one.gained,
                "tasks": one.tasks,
                "reason": one.reason,
                "ratio": None if one.ratio is None else one.ratio.value,
                "low": None if one.ratio is None else one.ratio.low,
                "high": None if one.ratio is None else one.ratio.high,
                "pace": one.pace,
            }
            for one in chosen
        ]

    def target_rows(self) -> list[dict[str, Any]]:
        """Return one row a target with the count of each change, JSON-ready."""
        counts: dict[tuple[str, str], Counter[str]] = {}
        for one in self.changes:
            found = counts.setdefault((one.framework, one.target), Counter())
            found[one.outcome] += 1
            if one.pace is not None:
                found[one.pace] += 1
        return [
            {
                "framework": framework,
                "target": target,
                "old": self.versions.get(target, ("", ""))[0],
                "new": self.versions.get(target, ("", ""))[1],
                **{name.replace(" ", "_"): found[name] for name in (*OUTCOMES, "slower", "faster", "alike")},
            }
            for (framework, target), found in sorted(counts.items())
        ]

    def frame(self) -> pl.DataFrame:
        """Return one row a target and function."""
        import polars as pl

        return pl.DataFrame(self.rows(), infer_schema_length=None)

    def findings(self) -> tuple[Finding, ...]:
        """Return the shares newly failing and newly fixed, by target.

        Ids: ``portability.newly_failing.<framework>.<target>`` and ``portability.newly_fixed.…``.
        """
        out = []
        for row in self.target_rows():
            functions = sum(row[name.replace(" ", "_")] for name in OUTCOMES)
            where = qualifier(row["framework"], row["target"])
            for name, words in (
                ("newly_failing", "passed before and fail now"),
                ("newly_fixed", "pass now alone"),
            ):
                out.append(
                    share_finding(
                        f"portability.{name}.{where}",
                        f"functions of {row['framework']} that {words} on {row['target']}",
                        row[name],
                        functions,
                        method=f"equal inputs of both runs, {self.policy} policy",
                        evidence=self.provenance,
                        cautions=self.cautions,
                        details={"target": row["target"], "old": row["old"], "new": row["new"]},
                        level=self.level,
                    )
                )
        return tuple(out)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping without NaN."""
        shown: dict[str, Any] = json_ready(
            {
                "policy": self.policy,
                "timed": self.timed_how,
                "targets": self.target_rows(),
                "functions": self.rows(),
                "only_old": self.only_old,
                "only_new": self.only_new,
                "left_out": self.left_out,
                "cautions": list(self.cautions),
                "provenance": [one.to_dict() for one in self.provenance],
            }
        )
        return shown

    def summary(self) -> str:
        """Return a text of one screen."""
        told = ", ".join(f"{len(self.of(name))} {name}" for name in OUTCOMES)
        lines = [f"{len(self.changes)} functions and targets in both runs, {self.policy} policy: {told}"]
        if self.timed_how:
            lines.append(
                f"{len(self.paced('slower'))} slower, {len(self.paced('faster'))} faster, "
                f"{len(self.paced('alike'))} alike; {self.timed_how}"
            )
        lines += [f"newly failing: {one.function} on {one.target}" for one in self.of("newly failing")[:10]]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html

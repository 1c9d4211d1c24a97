"""`PaperResults`: outcomes and timings by function, test and target, as published result files hold them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from isoflop.errors import EvidenceError, closest
from isoflop.findings import Provenance, json_ready
from isoflop.present.notebook import result_html

if TYPE_CHECKING:
    import polars as pl

    from isoflop.evidence import Table

MANY_UNEQUAL = 5
"""Tests named in a caution; the rest are counted."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class PaperResults:
    """Result files of a test suite that was run on several targets.

    Parameters
    ----------
    outcomes_table, timings_table : Table or None
        Schemas ``portability_outcomes`` and ``portability_timings``; one of them may be missing.
    usage_table : Table or None
        Schema ``portability_usage``: how often names were found in code.
    tested : mapping
        Framework to the functions that were to be tested; empty where no list is there.
    notes : tuple of str
        What reading had to say.
    """

    outcomes_table: Table | None
    timings_table: Table | None
    usage_table: Table | None = None
    tested: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @cached_property
    def tests(self) -> pl.DataFrame:
        """Return the outcomes with the bare name of each test."""
        import polars as pl

        if self.outcomes_table is None:
            raise EvidenceError(
                "shares: no outcomes among these files, failure shares need a report of tests."
            )
        return self.outcomes_table.frame.with_columns(bare=pl.col("test").str.split("::").list.last())

    @cached_property
    def calls(self) -> pl.DataFrame:
        """Return the timings, tests that ran on the host left out where the framework is torch."""
        if self.timings_table is None:
            raise EvidenceError("slowdown: no timings among these files, slow-downs need timed calls.")
        return self.timings_table.frame

    def outcome_targets(self) -> list[tuple[str, str]]:
        """Return (framework, target) of every report of tests, in the order of the file."""
        return [] if self.outcomes_table is None else _pairs(self.tests)

    def timing_targets(self) -> list[tuple[str, str]]:
        """Return (framework, target) of everything timed, in the order of the file."""
        return [] if self.timings_table is None else _pairs(self.calls)

    def has_outcomes(self, framework: str, target: str) -> bool:
        """Return whether a target has a report of tests."""
        return (framework, target) in self.outcome_targets()

    def need_timings(self, framework: str, target: str) -> None:
        """Raise unless a target was timed."""
        here = [t for f, t in self.timing_targets() if f == framework]
        if target not in here:
            near = closest(target, here)
            raise EvidenceError(
                f"slowdown: target {target!r} not in timings of {framework}; present are "
                f"{', '.join(here) or 'none'}."
                + (f" Did you mean {near!r}?" if near else " Choose one of them.")
            )

    def need_outcomes(self, framework: str, target: str) -> None:
        """Raise unless a target has a report of tests."""
        here = [t for f, t in self.outcome_targets() if f == framework]
        if target not in here:
            raise EvidenceError(
                f"shares: no outcome report for {framework} on {target}; failure shares need one. Choose a "
                f"target of: {', '.join(here) or 'none'}."
            )

    def outcomes(self) -> pl.DataFrame:
        """Return what shares are counted over: one row a test that ran on its target.

        Tests of the host are left out; a failure has its reason, and faults of the harness are no failures.
        Columns: framework, target, target_level, function, task, dtype, status, reason.
        """
        import polars as pl

        from isoflop.portability.paper.model import CPU_TEST
        from isoflop.portability.reasons.classify import classify

        status = pl.col("outcome").replace_strict({"passed": "ok", "failed": "error", "skipped": "skipped"})
        frame = self.tests.filter(~pl.col("bare").str.contains(CPU_TEST, literal=True)).select(
            "framework",
            "target",
            "function",
            target_level=pl.lit("ran"),
            task=pl.col("test"),
            dtype=pl.lit(None, pl.String),
            status=status,
            error_type=pl.col("exception"),
            error_head=pl.col("message"),
        )
        return classify(frame).select(
            "framework", "target", "target_level", "function", "task", "dtype", "status", "reason"
        )

    @cached_property
    def cautions(self) -> tuple[str, ...]:
        """Doubts that limit the files, each with what would cure it."""
        from isoflop.portability.paper.checks import doubts

        return (*self.notes, *doubts(self))

    @property
    def tables(self) -> tuple[Table, ...]:
        """Return the tables that are there."""
        return tuple(t for t in (self.outcomes_table, self.timings_table, self.usage_table) if t is not None)

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the results."""
        return tuple(table.provenance(table.frame.height) for table in self.tables)

    def frame(self) -> pl.DataFrame:
        """Return counts of tests and calls by framework and target."""
        import polars as pl

        return pl.DataFrame(self.rows(), infer_schema_length=None)

    def rows(self) -> list[dict[str, Any]]:
        """Return one row a framework and target: tests by outcome, and calls timed in each run."""
        import polars as pl

        found: dict[tuple[str, str], dict[str, Any]] = {}
        if self.outcomes_table is not None:
            counts = self.tests.group_by("framework", "target", "outcome", maintain_order=True).len()
            for framework, target, outcome, n in counts.iter_rows():
                found.setdefault((framework, target), {})[outcome] = n
        if self.timings_table is not None:
            runs = self.calls.group_by("framework", "target", "run", maintain_order=True).agg(calls=pl.len())
            for framework, target, run, n in runs.iter_rows():
                found.setdefault((framework, target), {}).setdefault("calls", {})[int(run)] = n
        return [
            {
                "framework": framework,
                "target": target,
                "passed": known.get("passed"),
                "failed": known.get("failed"),
                "skipped": known.get("skipped"),
                "runs": len(known.get("calls", {})),
                "calls_by_run": " ".join(str(n) for _, n in sorted(known.get("calls", {}).items())) or None,
            }
            for (framework, target), known in found.items()
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping without NaN."""
        return {"targets": json_ready(self.rows()), "cautions": list(self.cautions)}

    def summary(self) -> str:
        """Return a text of one screen."""
        lines = ["published results"]
        for row in self.rows():
            tests = [f"{row[k]} {k}" for k in ("passed", "failed", "skipped") if row[k] is not None]
            lines.append(f"  {row['framework']} {row['target']}: {', '.join(tests) or 'no report'}; "
                         f"{row['runs']} timed runs")  # fmt: skip
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html


def _pairs(frame: pl.DataFrame) -> list[tuple[str, str]]:
    return [(f, t) for f, t in frame.select("framework", "target").unique(maintain_order=True).iter_rows()]

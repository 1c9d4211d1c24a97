"""What result files of several devices say: shares lost, slow-downs, and how much the counting matters."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, Literal

from isoflop.errors import EvidenceError
from isoflop.findings import Finding, Provenance
from isoflop.portability.counted import share_finding
from isoflop.portability.model import Bootstrap
from isoflop.portability.paper.contamination import contamination
from isoflop.portability.paper.failures import failure_rows, policy_of
from isoflop.portability.paper.first_calls import first_call_rows
from isoflop.portability.paper.slowdown import WORDS, PaperSlowdown, paper_slowdown
from isoflop.portability.published import NAMES, PAIR
from isoflop.portability.shares.find import shares
from isoflop.portability.shares.findings import qualifier
from isoflop.present.notebook import result_html

if TYPE_CHECKING:
    from isoflop.portability.paper.results import PaperResults
    from isoflop.portability.shares.result import Shares

Compat = Literal["paper"]
POLICY = (
    "the policy on placement is that of each report and is not stated, and refusals to place an "
    "operation count as failures. Runs under both policies cure it."
)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class PaperStudy:
    """The analysis of a folder of result files.

    Parameters
    ----------
    results : PaperResults
    compat : {"paper"} or None
        Whose rules lead; the other's stand beside them.
    pair : tuple of str
        Framework, source and target of the headline.
    failures : list of dict
        By the paper's rule, one row a framework and target; empty without outcomes.
    shares : Shares or None
        By ours: reasons decided, faults of the harness not counted.
    slowdowns : tuple of PaperSlowdown
        Under the leading rule, one for each pair of timed targets that it can compare.
    beside : tuple of PaperSlowdown
        The same pairs under the other rule.
    refused : list of dict
        Pairs that a rule cannot compare, and why.
    """

    results: PaperResults
    compat: Compat | None
    pair: tuple[str, str, str]
    failures: list[dict[str, Any]]
    shares: Shares | None
    slowdowns: tuple[PaperSlowdown, ...]
    beside: tuple[PaperSlowdown, ...]
    refused: list[dict[str, Any]]

    @property
    def rule(self) -> str:
        """Rule of the slow-downs that lead."""
        return "paper" if self.compat == "paper" else "robust"

    @property
    def headline(self) -> PaperSlowdown | None:
        """The slow-down of the headline pair, if it was timed."""
        framework, source, target = self.pair
        same = (s for s in self.slowdowns if (s.framework, s.source, s.target) == (framework, source, target))
        return next(same, None)

    @property
    def cautions(self) -> tuple[str, ...]:
        """Doubts that limit the files and what is counted in them."""
        return self.results.cautions

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the study."""
        return self.results.provenance

    def findings(self) -> tuple[Finding, ...]:
        """Return the headline pair's findings under plain ids, then every pair's under its own."""
        out: list[Finding] = []
        framework, _, target = self.pair
        rows = {(row["framework"], row["target"]): row for row in self.leading_failures()}
        if (framework, target) in rows:
            out.append(self._failing(rows[framework, target], ""))
        if self.headline is not None:
            out += self.headline.findings("")
        out += [self._failing(row, f".{qualifier(*where)}") for where, row in rows.items()]
        for one in self.slowdowns:
            out += one.findings()
        for one in self.beside:
            out += one.findings(f"{one.pair}.{one.rule}")
        return tuple(out)

    def leading_failures(self) -> list[dict[str, Any]]:
        """Return the failure rows of the rule that leads."""
        if self.compat == "paper" or self.shares is None:
            return self.failures
        return [
            {
                "framework": cell.framework,
                "target": cell.target,
                "counted": cell.counted,
                "success": cell.success,
                "partial": cell.partial,
                "complete": cell.complete,
                "not_counted": cell.not_counted,
                "failing_share": cell.failing.value,
                "low": cell.failing.low,
                "high": cell.failing.high,
            }
            for cell in self.shares.leading
        ]

    def failure_rows(self) -> list[dict[str, Any]]:
        """Return failures by the paper's rule, the share by ours beside them."""
        ours = {(c.framework, c.target): c for c in self.shares.leading} if self.shares is not None else {}
        rows = []
        for row in self.failures:
            cell = ours.get((row["framework"], row["target"]))
            rows.append(
                {
                    **row,
                    "failing_share_ours": None if cell is None else cell.failing.value,
                    "counted_ours": None if cell is None else cell.counted,
                }
            )
        return rows

    def slowdown_rows(self) -> list[dict[str, Any]]:
        """Return one row a pair and rule: functions, slower, over ten times, median."""
        return [
            {
                "framework": one.framework,
                "source": one.source,
                "target": one.target,
                "rule": one.rule,
                "n": one.n,
                "slower": one.slower,
                "over_10x": one.over,
                "share_over_10x": one.over / one.n,
                "median": one.median.value,
                "median_low": one.median.low,
                "median_high": one.median.high,
                "grid_low": one.grid_low,
                "grid_high": one.grid_high,
            }
            for one in (*self.slowdowns, *self.beside)
        ]

    def grid_rows(self) -> list[dict[str, Any]]:
        """Return one row a pair and combination of choices, with n in each."""
        return [row for one in self.slowdowns if one.grid for row in one.grid_rows()]

    def function_rows(self) -> list[dict[str, Any]]:
        """Return one row a pair and function."""
        return [{**row, "rule": one.rule} for one in self.slowdowns for row in one.rows()]

    def first_call_rows(self) -> list[dict[str, Any]]:
        """Return how much longer first calls take, by framework and target."""
        return first_call_rows(self.results) if self.results.timings_table is not None else []

    def contamination_rows(self) -> list[dict[str, Any]]:
        """Return which share of name counts is Python's own, by framework."""
        return contamination(self.results.usage_table) if self.results.usage_table is not None else []

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Return every table by name."""
        return {
            "failure": self.failure_rows(),
            "reasons": [] if self.shares is None else self.shares.reason_rows(),
            "slowdown": self.slowdown_rows(),
            "grid": self.grid_rows(),
            "functions": self.function_rows(),
            "first_calls": self.first_call_rows(),
            "contamination": self.contamination_rows(),
            "targets": self.results.rows(),
            "refused": self.refused,
        }

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping without NaN."""
        from isoflop.findings import json_ready

        return {name: json_ready(rows) for name, rows in self.tables().items()}

    def summary(self) -> str:
        """Return a text of one screen."""
        lines = [self.results.summary()]
        if self.headline is not None:
            lines.append(self.headline.summary())
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html

    def _failing(self, row: dict[str, Any], tail: str) -> Finding:
        by = (
            "the paper's rule: raw outcomes, a function is one test file, skips left out"
            if self.compat == "paper" or self.shares is None
            else "a function is one test file; skips and faults of the harness left out"
        )
        table = self.results.outcomes_table
        return share_finding(
            f"portability.failure_share{tail}",
            f"functions of {row['framework']} that fail wholly or in part on {row['target']}",
            row["partial"] + row["complete"],
            row["counted"],
            method=by,
            evidence=() if table is None else (table.provenance(table.frame.height),),
            cautions=(NAMES, *((POLICY,) if row["framework"] == "tensorflow" else ())),
            details={
                "framework": row["framework"],
                "target": row["target"],
                "level": "ran",
                "policy": policy_of(row["target"]),
                "published": True,
                "success": row["success"],
                "partial": row["partial"],
                "complete": row["complete"],
                "not_counted": row["not_counted"],
            },
        )


def study(
    results: PaperResults,
    *,
    compat: Compat | None = None,
    framework: str | None = None,
    source: str | None = None,
    target: str | None = None,
    ci: Bootstrap | None = None,
) -> PaperStudy:
    """Analyse result files under the paper's rules and under ours.

    Parameters
    ----------
    results : PaperResults
        See `read_paper`. Any frameworks, targets and number of runs.
    compat : {"paper"}, optional
        Let the published rules lead; ours stand beside them. Default the other way round.
    framework, source, target : str, optional
        Headline pair. Default the published one where it is there, else the first pair that was timed.
    ci : Bootstrap, optional
        Level of the intervals, and draws of the medians'.

    Raises
    ------
    EvidenceError
        The named targets are not in the files.
    """
    pair = _headline(results, framework, source, target)
    leading, other = ("paper", "robust") if compat == "paper" else ("robust", "paper")
    slowdowns: list[PaperSlowdown] = []
    beside: list[PaperSlowdown] = []
    refused: list[dict[str, Any]] = []
    for one in _pairs(results, pair):
        for name, kept in ((leading, slowdowns), (other, beside)):
            rule = "opwise" if name == "paper" and not _reported(results, *one) else name
            try:
                kept.append(
                    paper_slowdown(
                        results,
                        framework=one[0],
                        source=one[1],
                        target=one[2],
                        rule=rule,
                        ci=ci,
                        with_grid=kept is slowdowns and one[1:] == pair[1:],
                    )
                )
            except EvidenceError as error:
                refused.append({"pair": ".".join(one), "rule": WORDS[rule], "why": str(error)})
    has_outcomes = results.outcomes_table is not None
    return PaperStudy(
        results=results,
        compat=compat,
        pair=pair,
        failures=failure_rows(results) if has_outcomes else [],
        shares=shares(results) if has_outcomes else None,
        slowdowns=tuple(slowdowns),
        beside=tuple(beside),
        refused=refused,
    )


def _reported(results: PaperResults, framework: str, source: str, target: str) -> bool:
    """Return whether a pair has a report of outcomes that can filter its timings."""
    return results.has_outcomes(framework, source) or results.has_outcomes(framework, target)


def _pairs(results: PaperResults, pair: tuple[str, str, str]) -> list[tuple[str, str, str]]:
    """Return every pair of targets timed within a framework, in the files' order; the headline first."""
    timed: dict[str, list[str]] = {}
    for framework, target in results.timing_targets():
        timed.setdefault(framework, []).append(target)
    found = [(f, a, b) for f, names in timed.items() for a, b in combinations(names, 2)]
    if pair not in found and pair[1] in timed.get(pair[0], ()) and pair[2] in timed[pair[0]]:
        found.append(pair)
    return sorted(found, key=lambda one: one != pair)


def _headline(
    results: PaperResults, framework: str | None, source: str | None, target: str | None
) -> tuple[str, str, str]:
    timed, reported = results.timing_targets(), results.outcome_targets()
    wanted = (framework or PAIR[0], source or PAIR[1], target or PAIR[2])
    everything = set(timed) | set(reported)
    if framework is None and (PAIR[0], wanted[2]) not in everything:
        present = (*timed, *reported)
        first = next((f for f, t in present if target in (None, t)), present[0][0])
        wanted = (first, *wanted[1:])
    here = [t for f, t in (*timed, *reported) if f == wanted[0]]
    if not here:
        names = ", ".join(dict.fromkeys(f for f, _ in (*timed, *reported)))
        raise EvidenceError(
            f"paper: no framework {wanted[0]!r} in these files, present are {names}. Choose one."
        )
    names_here = list(dict.fromkeys(t for f, t in timed if f == wanted[0])) or list(dict.fromkeys(here))
    chosen_source = wanted[1] if source or wanted[1] in names_here else names_here[0]
    rest = [t for t in names_here if t != chosen_source] or names_here
    chosen_target = wanted[2] if target or wanted[2] in here else rest[0]
    for name in (chosen_source, chosen_target):
        if name not in here:
            raise EvidenceError(
                f"paper: target {name!r} is not among those of {wanted[0]}; present are "
                f"{', '.join(dict.fromkeys(here))}. Choose one of them."
            )
    return wanted[0], chosen_source, chosen_target

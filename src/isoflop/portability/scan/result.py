"""`Scan`: the calls of a program, what stands against moving them, and what is not known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from isoflop.findings import Estimate, Finding, Provenance, json_ready
from isoflop.portability.model import LEVELS
from isoflop.portability.scan.calls_of import FileCalls
from isoflop.portability.scan.evidence import STANDINGS, Measured, Standing
from isoflop.portability.scan.rules import RULE, SEVERITIES, Severity
from isoflop.portability.scan.sites import Site
from isoflop.portability.scan.sources import Unread
from isoflop.present.notebook import result_html

if TYPE_CHECKING:
    import polars as pl

COUNTED = ("exact", "inferred")
"""Confidences that count. Possible calls are shown."""
_MEANS: dict[str, str] = {level: text for level, text in LEVELS.items()}  # noqa: C416 - widens the type
_RUNGS = list(_MEANS)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Place:
    """A call of a file with what is known of it on each target."""

    path: str
    cell: int | None
    line: int
    site: Site
    standing: Mapping[str, Standing]
    measured: Mapping[str, Measured]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Problem:
    """One finding of a rule at one place.

    `line` is within the cell for a notebook; `file_line` counts in the text of all its code cells. `column`
    counts characters from 1.
    """

    rule: str
    path: str
    cell: int | None
    line: int
    file_line: int
    column: int
    end_line: int
    end_column: int
    what: str
    message: str
    target: str = ""
    measured: Measured | None = None
    calls: int = 1
    replacement: str = ""
    reproduce: str = ""
    allowed: str | None = None
    snippet: str = ""

    @property
    def severity(self) -> Severity:
        """How grave it is, by its rule."""
        return RULE[self.rule].severity

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready row."""
        measured = self.measured
        ratio = measured.ratio if measured else None
        return {
            "rule": self.rule,
            "severity": self.severity,
            "path": self.path,
            "cell": self.cell,
            "line": self.line,
            "column": self.column,
            "function": self.what,
            "target": self.target or None,
            "status": measured.standing if measured else None,
            "evidence_level": measured.level if measured else None,
            "ratio": ratio.value if ratio else None,
            "ratio_low": ratio.low if ratio else None,
            "ratio_high": ratio.high if ratio else None,
            "calls": self.calls,
            "error_head": measured.error_head if measured else None,
            "measured_as": measured.via if measured else None,
            "replacement": self.replacement or None,
            "reproduce": self.reproduce or None,
            "allowed": self.allowed,
            "message": self.message,
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scan:
    """What a program calls of frameworks and how much of that is known to run elsewhere.

    Parameters
    ----------
    files : tuple of FileCalls
    places : tuple of Place
        Every call with its standing on each target.
    problems : tuple of Problem
        Findings of the rules, those allowed by a comment included.
    unread : tuple of Unread
        Files that could not be read.
    targets : tuple of str
    frameworks : mapping
        Target to the frameworks whose functions were measured on it.
    lines : int
        Lines read.
    """

    files: tuple[FileCalls, ...]
    places: tuple[Place, ...]
    problems: tuple[Problem, ...]
    unread: tuple[Unread, ...]
    targets: tuple[str, ...]
    frameworks: Mapping[str, frozenset[str]]
    lines: int
    cautions: tuple[str, ...] = ()
    provenance: tuple[Provenance, ...] = ()

    @property
    def open_problems(self) -> tuple[Problem, ...]:
        """Findings that no comment allows."""
        return tuple(problem for problem in self.problems if problem.allowed is None)

    def counts(self, target: str) -> dict[Standing, int]:
        """Return the resolved calls of the target's frameworks by what is known of them there.

        Calls that compute nothing on a device are not among them.
        """
        tally = Counter(
            place.standing[target]
            for place in self.places
            if place.site.confidence in COUNTED and target in place.standing
        )
        return {standing: tally.get(standing, 0) for standing in STANDINGS}

    def _host(self, target: str) -> int:
        """Return the resolved calls that compute nothing on a device."""
        return sum(
            place.standing.get(target) == "host" and place.site.confidence in COUNTED for place in self.places
        )

    def confidences(self) -> dict[str, int]:
        """Return calls by confidence."""
        tally: Counter[str] = Counter(place.site.confidence for place in self.places)
        return {name: tally.get(name, 0) for name in (*COUNTED, "possible")}

    def fails(self, fail_on: Severity | None) -> bool:
        """Say whether a finding is at or above a severity."""
        if fail_on is None:
            return False
        grave = SEVERITIES[: SEVERITIES.index(fail_on) + 1]
        return any(problem.severity in grave for problem in self.open_problems)

    def findings(self) -> tuple[Finding, ...]:
        """Return the share of calls known to work, one finding a target."""
        found = []
        for i, target in enumerate(self.targets):
            finding_id = "portability.portable_share" + (f".{target}" if len(self.targets) > 1 or i else "")
            found.append(self._share(finding_id, target))
        return tuple(found)

    def _share(self, finding_id: str, target: str) -> Finding:
        counts = self.counts(target)
        resolved = sum(counts.values())
        possible = self.confidences()["possible"]
        share = counts["portable"] / resolved if resolved else None
        known = resolved - counts["no_evidence"]
        levels = Counter(
            place.measured[target].level
            for place in self.places
            if target in place.measured and place.measured[target].level
        )
        level = min(levels, key=_RUNGS.index) if levels else None
        details: dict[str, Any] = {
            "target": target,
            "counts": counts,
            "resolved_calls": resolved,
            "possible_calls": possible,
            "host_calls": self._host(target),
            "unresolved_share": possible / (possible + resolved) if possible + resolved else None,
            "share_of_calls_with_evidence": counts["portable"] / known if known else None,
            "if_unknown_were_portable": (counts["portable"] + counts["no_evidence"]) / resolved
            if resolved
            else None,
            "level": level,
            "policy": "strict",
            "no_interval": "every call was counted; what is unknown is a band, not a sampling error",
        }
        if not resolved:
            details["reason"] = f"no call of a framework measured on {target}"
        cautions = list(self.cautions)
        if counts["no_evidence"] > 0.2 * resolved:
            cautions.append(
                f"{counts['no_evidence']} of {resolved} resolved calls have no evidence on {target}; trace "
                "your script and run the trace there to have it."
            )
        if level in ("traced", "lowered", "compiled"):
            cautions.append(
                f"evidence on {target} goes no further than {level!r} ({_MEANS[level]}); run there to "
                "know more."
            )
        return Finding(
            id=finding_id,
            instrument="portability",
            label=f"share of calls known to work on {target}",
            estimate=Estimate(value=share, unit="1"),
            method="resolved calls that compute, joined by canonical name and alias family; strict policy",
            n=resolved,
            evidence=self.provenance,
            cautions=tuple(cautions),
            details=details,
        )

    def call_rows(self) -> list[dict[str, Any]]:
        """Return one row a call: where, what, how sure, and its standing on each target."""
        return [
            {
                "path": place.path,
                "cell": place.cell,
                "line": place.line,
                "column": place.site.column + 1,
                "function": place.site.function,
                "written": place.site.written,
                "confidence": place.site.confidence,
                "use": place.site.use,
                "dtype": place.site.dtype or None,
                **{target: place.standing.get(target) for target in self.targets},
            }
            for place in self.places
        ]

    def blocker_rows(self) -> list[dict[str, Any]]:
        """Return functions that stand in the way, by target, those with most calls first."""
        calls: Counter[tuple[str, str, str]] = Counter()
        files: dict[tuple[str, str, str], set[str]] = {}
        known: dict[tuple[str, str, str], Problem] = {}
        for problem in self.open_problems:
            key = (problem.target, problem.rule, problem.what)
            calls[key] += 1
            files.setdefault(key, set()).add(problem.path)
            known.setdefault(key, problem)
        order = {rule: i for i, rule in enumerate(RULE)}
        ranked = sorted(
            calls, key=lambda key: (SEVERITIES.index(RULE[key[1]].severity), -calls[key], order[key[1]], key)
        )
        rows = []
        for key in ranked:
            row = known[key].to_dict()
            kept = (
                "target", "severity", "status", "evidence_level", "ratio", "ratio_low", "ratio_high",
                "error_head", "measured_as", "replacement", "reproduce",
            )  # fmt: skip
            rows.append(
                {name: row[name] for name in kept}
                | {
                    "rule": key[1],
                    "name": RULE[key[1]].name,
                    "function": key[2],
                    "calls": calls[key],
                    "files": len(files[key]),
                    "first": f"{known[key].path}:{known[key].line}:{known[key].column}",
                }
            )
        return rows

    def file_rows(self) -> list[dict[str, Any]]:
        """Return one row a file: what was read and what was not."""
        problems = Counter(problem.path for problem in self.open_problems if problem.severity != "note")
        rows: list[dict[str, Any]] = [
            {
                "path": one.source.path,
                "lines": one.source.text.count("\n") + 1,
                "calls": sum(site.confidence in COUNTED for site in one.sites),
                "possible": sum(site.confidence == "possible" for site in one.sites),
                "frameworks": ", ".join(sorted({s.function.partition(".")[0] for s in one.sites})) or None,
                "wrappers": ", ".join(sorted({m.what for m in one.marks if m.kind in ("wrapper", "vendor")}))
                or None,
                "problems": problems.get(one.source.path, 0),
                "unread": None,
            }
            for one in self.files
        ]
        rows += [
            {"path": one.path, "lines": None, "calls": None, "possible": None, "frameworks": None,
             "wrappers": None, "problems": None, "unread": one.why}
            for one in self.unread
        ]  # fmt: skip
        return rows

    def function_rows(self) -> list[dict[str, Any]]:
        """Return functions by resolved calls, most first."""
        tally = Counter(p.site.function for p in self.places if p.site.confidence in COUNTED)
        return [
            {"function": name, "calls": n} for name, n in sorted(tally.items(), key=lambda t: (-t[1], t[0]))
        ]

    def frame(self) -> pl.DataFrame:
        """Return `call_rows` as a table."""
        import polars as pl

        return pl.DataFrame(self.call_rows(), infer_schema_length=None)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping."""
        return {
            "targets": list(self.targets),
            "calls": json_ready(self.call_rows()),
            "problems": [json_ready(problem.to_dict()) for problem in self.problems],
            "blockers": json_ready(self.blocker_rows()),
            "files": json_ready(self.file_rows()),
        }

    def summary(self) -> str:
        """Return a text of one screen."""
        sure = self.confidences()
        lines = [
            f"{_counted(len(self.files), 'file')}, {self.lines:,} lines: {sure['exact']:,} calls of "
            f"frameworks by name, {sure['inferred']:,} inferred, {sure['possible']:,} possible (shown, "
            "not counted)."
        ]
        if self.unread:
            lines.append(
                f"{_counted(len(self.unread), 'file')} could not be read; the table of files says why."
            )
        for target in self.targets:
            counts = self.counts(target)
            told = ", ".join(f"{n:,} {name.replace('_', ' ')}" for name, n in counts.items() if n)
            host = self._host(target)
            beside = f"; {host:,} more compute nothing on a device" if host else ""
            lines.append(f"{target}: {told or 'no call of a framework measured there'}{beside}.")
        allowed = len(self.problems) - len(self.open_problems)
        if allowed:
            lines.append(f"{_counted(allowed, 'finding')} allowed by a comment.")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html


def _counted(n: int, what: str) -> str:
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"

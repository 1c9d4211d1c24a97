"""`usage`: how often code calls each function, by resolved imports and, beside it, by bare name.

The published counts matched an identifier followed by a bracket, so that ``append(`` and ``range(`` counted
for a framework. Here a call counts where its name leads to the framework; the bare count stands beside it.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isoflop.findings import Estimate, Finding, json_ready
from isoflop.portability.names import FRAMEWORKS, names
from isoflop.portability.scan.calls_of import FileCalls, read_calls
from isoflop.portability.scan.result import COUNTED
from isoflop.portability.scan.sources import Unread, read_sources

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Usage:
    """Calls of each function of a framework in some code.

    Parameters
    ----------
    calls, files : mapping
        Canonical function to its resolved calls, and to the files that hold one.
    bare : mapping
        Framework to hits of its public names followed by a bracket, in files that import it.
    files_read : int
    """

    calls: Mapping[str, int]
    files: Mapping[str, int]
    bare: Mapping[str, int]
    files_read: int
    unread: tuple[Unread, ...] = ()

    def of(self, framework: str) -> dict[str, int]:
        """Return the calls of one framework's functions, most first."""
        found = {name: n for name, n in self.calls.items() if name.partition(".")[0] == framework}
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))

    @property
    def frameworks(self) -> tuple[str, ...]:
        """Frameworks that are called at all."""
        return tuple(sorted({name.partition(".")[0] for name in self.calls}))

    def rows(self) -> list[dict[str, Any]]:
        """Return one row a function: framework, function, calls, files; most called first."""
        return [
            {"framework": name.partition(".")[0], "function": name, "calls": n, "files": self.files[name]}
            for name, n in sorted(self.calls.items(), key=lambda item: (-item[1], item[0]))
        ]

    def frame(self) -> pl.DataFrame:
        """Return `rows` as a table."""
        import polars as pl

        columns = {"framework": pl.String, "function": pl.String, "calls": pl.Int64, "files": pl.Int64}
        return pl.DataFrame(self.rows(), schema=columns)

    def findings(self) -> tuple[Finding, ...]:
        """Return, for each framework, the share of bare hits that are not its calls."""
        found = []
        for framework in self.frameworks:
            hits, resolved = self.bare.get(framework, 0), sum(self.of(framework).values())
            share = max(0.0, 1 - resolved / hits) if hits else None
            found.append(
                Finding(
                    id=f"portability.bare_hits_not_calls.{framework}",
                    instrument="portability",
                    label=f"share of hits on bare names that are no calls of {framework}",
                    estimate=Estimate(value=share, unit="1"),
                    method="1 − resolved calls ÷ identifiers of the framework followed by a bracket",
                    n=hits,
                    details={"resolved_calls": resolved, "functions": len(self.of(framework))},
                )
            )
        return tuple(found)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping."""
        return {"functions": json_ready(self.rows()), "bare": dict(self.bare), "files_read": self.files_read}

    def summary(self) -> str:
        """Return a text of one screen."""
        told = [
            f"{framework}: {sum(self.of(framework).values()):,} resolved calls of "
            f"{len(self.of(framework)):,} functions ({self.bare.get(framework, 0):,} hits on bare names)"
            for framework in self.frameworks
        ]
        return "\n".join([f"{self.files_read} files read.", *told])


def usage(paths: str | Path | Sequence[str | Path]) -> Usage:
    """Count how often code calls each function of the frameworks, resolving imports.

    Parameters
    ----------
    paths : path or sequence of paths
        Files or folders of ``.py`` and ``.ipynb``.

    Returns
    -------
    Usage
        Counts of exact and inferred calls; possible ones are left out.
    """
    sources, unread = read_sources([paths] if isinstance(paths, (str, Path)) else list(paths))
    read = read_calls(sources)
    calls: Counter[str] = Counter()
    files: Counter[str] = Counter()
    bare: Counter[str] = Counter()
    for one in read:
        here = Counter(site.function for site in one.sites if site.confidence in COUNTED)
        calls.update(here)
        files.update(dict.fromkeys(here, 1))
        bare.update(_bare(one))
    return Usage(
        calls=dict(calls), files=dict(files), bare=dict(bare), files_read=len(sources), unread=tuple(unread)
    )


def _bare(one: FileCalls) -> Counter[str]:
    """Return hits by the rule of the published counts: an identifier of the framework, then a bracket."""
    imported = {site.function.partition(".")[0] for site in one.sites}
    known = {framework: _last_names(framework) for framework in imported if framework in FRAMEWORKS}
    hits: Counter[str] = Counter()
    if not known:
        return hits
    for node in ast.walk(one.source.tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            hits.update({framework: 1 for framework, listed in known.items() if name in listed})
    return hits


def _last_names(framework: str) -> frozenset[str]:
    listed = names(framework)
    return frozenset() if listed is None else frozenset(name.rpartition(".")[2] for name in listed.gives)

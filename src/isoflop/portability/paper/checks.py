"""What the result files themselves put in doubt, each with what would cure it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from isoflop.portability.paper.failures import SOFT
from isoflop.portability.paper.model import CPU_TEST

if TYPE_CHECKING:
    from isoflop.portability.paper.results import PaperResults

SHOWN = 4
VARIANTS = ("_early", SOFT)


def doubts(found: PaperResults) -> tuple[str, ...]:
    """Return cautions on the files: tests of the host, names that collide, copies, gaps and variants."""
    out: list[str] = []
    if found.outcomes_table is not None:
        out += [
            *_host_tests(found),
            *_ambiguous(found),
            *_only_skipped(found),
            *_copies(found),
            *_listed(found),
        ]
    if found.timings_table is not None:
        out += [*_incomplete(found), *_unreported(found)]
    variants = [f"{f} {t}" for f, t in found.outcome_targets() if t.endswith(VARIANTS)]
    if variants:
        out.append(
            f"{', '.join(variants)}: earlier runs or other placement of the same suite, kept apart from "
            "the main reports. Compare them; never add them up."
        )
    return tuple(out)


def _host_tests(found: PaperResults) -> list[str]:
    import polars as pl

    tests = found.tests.filter(pl.col("bare").str.contains(CPU_TEST, literal=True))
    if not tests.height:
        return []
    where = ", ".join(f"{f} {t} {n}" for f, t, n in tests.group_by("framework", "target", maintain_order=True)
                      .len().iter_rows())  # fmt: skip
    return [
        f"{tests.height} tests with {CPU_TEST} in their names ran on the host ({where}): left out. "
        "Reports of one device each would cure it."
    ]


def _ambiguous(found: PaperResults) -> list[str]:
    import polars as pl

    names = (
        found.tests.group_by("framework", "target", "function", "bare", maintain_order=True)
        .len()
        .filter(pl.col("len") > 1)
        .group_by("framework", "target", maintain_order=True)
        .len()
    )
    if not names.height:
        return []
    where = ", ".join(f"{f} {t} {n}" for f, t, n in names.iter_rows())
    return [
        f"ambiguous join: bare test names belong to several classes ({where}), and timings have bare "
        "names alone. Such a test counts as passed if it passed in every class; timings by class would "
        "cure it."
    ]


def _only_skipped(found: PaperResults) -> list[str]:
    import polars as pl

    idle = (
        found.tests.group_by("framework", "function", maintain_order=True)
        .agg(counted=(pl.col("outcome") != "skipped").sum())
        .filter(pl.col("counted") == 0)
    )
    if not idle.height:
        return []
    names = ", ".join(f"{f} {name}" for f, name in idle.select("framework", "function").iter_rows())
    return [
        f"functions with skipped tests alone are not counted: {names}. A run that does not skip cures it."
    ]


def _copies(found: PaperResults) -> list[str]:
    """Return which reports are the same to the last test: a label does not make a second device."""
    import polars as pl

    seen: dict[str, str] = {}
    out = []
    for framework, target in found.outcome_targets():
        rows = found.tests.filter((pl.col("framework") == framework) & (pl.col("target") == target))
        text = rows.select("function", "test", "outcome", "call_seconds").write_csv()
        digest = hashlib.sha256(f"{framework}\n{text}".encode()).hexdigest()
        name = f"{framework} {target}"
        if digest in seen:
            out.append(
                f"the reports of {seen[digest]} and {name} are identical: one is a copy. Use one of them."
            )
        seen.setdefault(digest, name)
    return out


def _listed(found: PaperResults) -> list[str]:
    out = []
    for framework, names in found.tested.items():
        there = set(found.tests.filter(found.tests["framework"] == framework)["function"])
        if not there:
            continue
        only = sorted(there - set(names)), sorted(set(names) - there)
        if any(only):
            parts = [f"{', '.join(only[0])} only in outcomes"] if only[0] else []
            parts += [f"{', '.join(only[1])} only in the list"] if only[1] else []
            out.append(
                f"{framework}: the list of tested functions and the reports differ ({'; '.join(parts)}). "
                "Counts are those of the reports."
            )
    return out


def _incomplete(found: PaperResults) -> list[str]:
    import polars as pl

    counts = found.calls.group_by("framework", "target", "function", "test", "run", maintain_order=True).len()
    runs = found.calls.group_by("framework", "target").agg(runs=pl.col("run").n_unique())
    uneven = (
        counts.group_by("framework", "target", "function", "test", maintain_order=True)
        .agg(sizes=pl.col("len").n_unique(), seen=pl.len())
        .join(runs, on=["framework", "target"])
        .filter((pl.col("sizes") > 1) | (pl.col("seen") < pl.col("runs")))
    )
    if not uneven.height:
        return []
    shown = ", ".join(f"{f} {t} {name}" for f, t, name in
                      uneven.select("framework", "target", "test").head(SHOWN).iter_rows())  # fmt: skip
    more = f" and {uneven.height - SHOWN} more" if uneven.height > SHOWN else ""
    return [
        f"incomplete run: {uneven.height} tests have other numbers of timed calls in other runs "
        f"({shown}{more}). Rules that go call by call leave them out; a whole run cures it."
    ]


def _unreported(found: PaperResults) -> list[str]:
    if found.outcomes_table is None:
        return ["there is no report of outcomes: timings of failed tests cannot be told apart. Add one."]
    bare = [f"{f} {t}" for f, t in found.timing_targets() if not found.has_outcomes(f, t)]
    if not bare:
        return []
    return [
        f"timed without a report of outcomes: {', '.join(bare)}. Only the other side's passes are asked "
        "for; a report of their own cures it."
    ]

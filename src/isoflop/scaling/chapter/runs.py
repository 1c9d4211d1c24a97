"""What the runs at hand say: law, frontier, influence, comparison of laws, and the next runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from isoflop.errors import EvidenceError, NotIdentifiedError
from isoflop.findings import Finding
from isoflop.present.chapter import Section
from isoflop.scaling.chapter.compare import compare_section
from isoflop.scaling.chapter.design import design_section
from isoflop.scaling.chapter.fit import law_section
from isoflop.scaling.chapter.frontier import frontier_section
from isoflop.scaling.chapter.influence import influence_section
from isoflop.scaling.compare.find import compare
from isoflop.scaling.compare.result import Comparison
from isoflop.scaling.design.find import design
from isoflop.scaling.design.result import Design
from isoflop.scaling.fit import fit
from isoflop.scaling.frontier.find import frontier
from isoflop.scaling.frontier.result import Frontier
from isoflop.scaling.influence.find import influence
from isoflop.scaling.influence.result import Influence
from isoflop.scaling.result import LawFit
from isoflop.scaling.runs import Runs, select
from isoflop.scaling.settings import PRESETS
from isoflop.stats.resample import Bootstrap

if TYPE_CHECKING:
    from isoflop.evidence import Library

CHINCHILLA_POINTS, OWN_RUNS, OWN_TEXT = "chinchilla_points", "scaling_runs", "zipf_words"
JOINT_LAWS = ("chinchilla", "overtrain", "coupled", "kaplan")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsStudy:
    """All that is computed on one table of runs.

    Parameters
    ----------
    fitted : LawFit
        The headline: of the Chinchilla points without the five highest losses, as published.
    approaches : tuple of Frontier
        The parametric one first.
    missing : tuple of str
        Why an approach has no answer.
    influence : Influence
        On all runs, the highest losses included.
    comparison : Comparison
    design : Design
    """

    fitted: LawFit
    approaches: tuple[Frontier, ...]
    missing: tuple[str, ...]
    influence: Influence
    comparison: Comparison | None
    design: Design

    def findings(self) -> tuple[Finding, ...]:
        """Return the findings of every part, each id once."""
        parts = (
            *(f for one in self.approaches for f in one.findings()),
            *self.fitted.findings(),
            *self.influence.findings(),
            *(() if self.comparison is None else self.comparison.findings()),
            *self.design.findings(),
        )
        return tuple({f.id: f for f in reversed(parts)}.values())[::-1]

    def sections(self) -> tuple[Section, ...]:
        """Return the sections in reading order."""
        return (
            law_section(self.fitted, self.approaches[0]),
            frontier_section(self.approaches, self.missing),
            influence_section(self.influence),
            *(() if self.comparison is None else (compare_section(self.comparison, key="laws"),)),
            design_section(self.design),
        )

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Return rows for ``findings.json``."""
        return {
            "waterfall": self.fitted.runs.waterfall(),
            "parameters": self.fitted.rows(),
            "delta_sensitivity": self.fitted.delta_sensitivity(),
            "frontier": self.approaches[0].rows(),
            "drop_highest": [dict(row) for row in self.influence.path],
            "influence": self.influence.rows(20),
            "design": self.design.rows(),
        }


def study_runs(
    library: Library, ci: Bootstrap, *, progress: Callable[[str, float], None] | None = None
) -> RunsStudy | None:
    """Return what the best table of runs at hand says; None where there is none.

    The public Chinchilla points where they were pulled, else the grid that this project measured.
    """
    here = library.available()
    if CHINCHILLA_POINTS in here:
        preset = PRESETS["besiroglu2024"]
        table = library.table(CHINCHILLA_POINTS)
        every, runs = select(table), select(table, drop_highest=preset.drop_highest)
        return _study(every, runs, ci, at_flop=preset.at_flop, progress=progress)
    if OWN_RUNS in here:
        runs = select(library.table(OWN_RUNS), where={"dataset": OWN_TEXT})
        return _study(runs, runs, ci, at_flop=None, progress=progress)
    return None


def _study(
    every: Runs,
    runs: Runs,
    ci: Bootstrap,
    *,
    at_flop: float | None,
    progress: Callable[[str, float], None] | None,
) -> RunsStudy:
    def tell(what: str, share: float) -> None:
        if progress is not None:
            progress(what, share)

    tell("scaling: law and frontier", 0.0)
    fitted = fit(runs, ci=ci)
    approaches, missing = [frontier(fitted, at_flop=at_flop)], []
    for approach in ("isoflop", "envelope"):
        try:
            other = Bootstrap(reps=min(ci.reps, 500), seed=ci.seed)
            approaches.append(frontier(every, approach=approach, at_flop=at_flop, ci=other))
        except (EvidenceError, NotIdentifiedError) as error:
            missing.append(str(error))
    tell("scaling: influence", 0.2)
    found = influence(fit(every), at_flop=at_flop)
    tell("scaling: comparison of laws", 0.25)
    try:
        comparison: Comparison | None = compare(runs, laws=JOINT_LAWS, seed=ci.seed)
    except EvidenceError as error:
        comparison = None
        missing.append(str(error))
    return RunsStudy(
        fitted=fitted,
        approaches=tuple(approaches),
        missing=tuple(missing),
        influence=found,
        comparison=comparison,
        design=design(fitted, budget_flop=float(runs.column("train_flop").max())),
    )

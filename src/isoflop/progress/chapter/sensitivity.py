"""Sections of the chapter on what the answer depends on: choices, penalty, law, single papers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from isoflop.errors import NotIdentifiedError
from isoflop.findings import Finding, json_ready
from isoflop.present import formats
from isoflop.present.chapter import Figure, Section
from isoflop.progress.figures import sensitivity as figures
from isoflop.progress.fit import fit
from isoflop.progress.result import ProgressFit
from isoflop.progress.robustness.check import check
from isoflop.progress.robustness.check_result import CheckTable
from isoflop.progress.robustness.compare import compare
from isoflop.progress.robustness.comparison import Comparison
from isoflop.progress.robustness.diagnostics import Diagnostics, diagnose
from isoflop.progress.robustness.sweep import sensitivity_map, sweep
from isoflop.progress.robustness.sweep_result import SensitivityMap, Sweep, Variant, known_months
from isoflop.progress.settings import Starts
from isoflop.progress.uncertainty.rate_profile import RateProfile, profile_rate
from isoflop.stats.resample import Bootstrap

if TYPE_CHECKING:
    from isoflop.present.chapter import Progress
    from isoflop.progress.sample import Sample

VARIANT_DRAWS = 120
"""Draws of each variant: enough for the width of an interval, not for its last digit."""
VARIANT_STARTS = Starts(count=12)
SLOWEST_MONTHS = 240.0
"""A halving in 20 years is called hardly any progress."""
MAP = {
    "samples": ("head", "cluster", "one_per_paper", "no_zero_shot"),
    "normalisers": ("minima", "y0_2017"),
    "penalties": (0.001, 0.0025, 0.005, 0.01, 0.02),
}
"""Combinations of the specification curve."""
ROBUSTNESS = (
    "vocabulary",
    "tokens_seen",
    "diminishing_returns",
    "floor",
    "split_2017",
    "common_factor",
    "covariates",
    "law_18",
    "leave_paper_out",
    "time_ordered",
    "random_effects",
    "selection_bias",
)
"""Checks that no other section shows."""
CV_PENALTIES = (0.0025, 0.01)
CV_STARTS = Starts(count=8)
QUICK_LAWS = (1, 3, 7, 8, 9, 12, 15, 18)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitivity:
    """Everything that was made otherwise, once."""

    fitted: ProgressFit
    by_row: ProgressFit
    sweeps: Mapping[str, Sweep]
    map: SensitivityMap
    comparison: Comparison
    diagnostics: Diagnostics
    profile: RateProfile | None
    checks: CheckTable | None

    def findings(self) -> tuple[Finding, ...]:
        """Return the answer with rows resampled, by profile, over all combinations, and the diagnostics."""
        rows = tuple(
            replace(f, id=f"{f.id}.by_row", label=f"{f.label}, rows resampled")
            for f in self.by_row.findings()[:2]
        )
        profile = () if self.profile is None else self.profile.findings()
        checks = () if self.checks is None else self.checks.findings()
        return (*rows, *profile, *self.map.findings(), *self.diagnostics.findings(), *checks)


def study(fitted: ProgressFit, *, quick: bool, seed: int, progress: Progress | None) -> Sensitivity:
    """Refit under every choice that the chapter shows."""
    sample = fitted.sample
    ci = None if quick else Bootstrap(reps=VARIANT_DRAWS, by="paper", seed=seed)
    done = 0.0

    def tell() -> None:
        nonlocal done
        if progress is not None:
            progress("sensitivity", done / 9)
        done += 1

    sweeps = {}
    for over in ("penalty", "normaliser", "perplexity", "sample", "law"):
        tell()
        wide = ci if over in ("sample", "law") else None
        sweeps[over] = sweep(sample, over=over, ci=wide, starts=VARIANT_STARTS)
    tell()
    assert fitted.ci is not None
    by_row = fit(sample, ci=Bootstrap(reps=fitted.ci.reps, by="row", seed=seed))
    tell()
    combined = sensitivity_map(sample, **MAP, starts=Starts(count=4, seed=seed))  # type: ignore[arg-type]
    tell()
    laws = QUICK_LAWS if quick else tuple(range(1, 21))
    ranking = compare(sample, laws=laws, penalties=CV_PENALTIES, starts=CV_STARTS)
    tell()
    found = diagnose(fitted)
    profile = None
    if not quick:
        try:
            profile = profile_rate(fitted)
        except NotIdentifiedError:
            # An exponent at zero leaves the profile without a scale; the bootstrap still answers.
            profile = None
    return Sensitivity(
        fitted=fitted,
        by_row=by_row,
        sweeps=sweeps,
        map=combined,
        comparison=ranking,
        diagnostics=found,
        profile=profile,
        checks=None if quick else check(sample, ROBUSTNESS, starts=VARIANT_STARTS, seed=seed),
    )


def choices(found: Sensitivity) -> dict[str, Sequence[Variant]]:
    """Return the variants that make one choice otherwise, by choice."""
    fitted = found.fitted
    resampled = (
        Variant(setting="papers", slug="paper", fit=fitted),
        Variant(setting="rows", slug="row", fit=found.by_row),
    )
    own = [
        v
        for v in found.sweeps["perplexity"].variants
        if v.choices.get("delta") in (None, fitted.penalty.delta)
    ]
    return {
        "resampling": resampled,
        "normaliser": found.sweeps["normaliser"].variants,
        "perplexity": own,
        "sample": found.sweeps["sample"].variants,
    }


def spread(found: Sensitivity) -> str:
    """Return how far single choices and the penalty move the halving time, in words."""
    penalties = [v for v in found.sweeps["penalty"].variants if v.headline]
    return span_of([v for group in (*choices(found).values(), penalties) for v in group])


def choices_section(found: Sensitivity) -> Section:
    """Return the section on normalisers, perplexity, rows, unit of resampling, penalty, all combined."""
    fitted, sample = found.fitted, found.fitted.sample
    shown = choices(found)
    every = [v for group in shown.values() for v in group]
    frame = figures.variants_data(shown)
    wide = span_of(every)
    one = Figure(
        id="choices",
        title=f"Halving time with one choice made otherwise: {wide}",
        subtitle="Growth of effective compute, labelled as halving time; left of ∞ no progress. Law 7, "
        f"penalty {fitted.penalty.delta:g}",
        frame=frame,
        chart=lambda: figures.variants(shown),
        alt=f"{len(every)} variants as rows, {wide}; further minima are marked beside the best.",
        source=source_of(sample),
        n=sample.n,
        interval=spans_drawn(found, "samples"),
    )
    path = found.sweeps["penalty"]
    reach = span_of(path.variants)
    branches = {v.branches[0] for v in path.variants if v.branches}
    winner = (
        "The penalty decides which explanation wins" if len(branches) > 1 else "One explanation stays best"
    )
    two = Figure(
        id="penalty-path",
        title=f"{winner} along the path of penalties: {reach}",
        subtitle="Halving time of every certified minimum against the penalty δ (logarithmic)",
        frame=figures.penalty_path_data(path),
        chart=lambda: figures.penalty_path(path),
        alt="Lines follow each minimum of the fit as the penalty grows; the best one changes between them.",
        source=source_of(sample),
        n=sample.n,
        interval="Points are certified minima, without intervals; lines join a minimum to its continuation",
    )
    summary = found.map.findings()[0].details
    pictures = [one, two]
    closing: tuple[str, ...] = ()
    if summary["answered"]:
        closing = (
            "All combinations of sample, perplexity, normaliser and penalty together:",
            "{figure:specifications}",
        )
        pictures.append(
            Figure(
                id="specifications",
                title=f"Of {summary['answered']} combinations of choices, "
                f"{formats.percent(summary['share_below_12_months'])} halve in less than 12 months",
                subtitle="Rate of the best minimum of each combination, ranked, labelled as halving time "
                "(months)",
                frame=figures.specification_data(found.map),
                chart=lambda: figures.specification(found.map),
                alt="Combinations ranked from fastest to slowest; the dashed line is no progress.",
                source=source_of(sample),
                n=sample.n,
                interval="A range of choices on overlapping rows, not a confidence interval; points at the "
                "edge lie beyond",
            )
        )
    row, paper = found.by_row.rate, fitted.rate
    return Section(
        id="sensitivity",
        title="What the answer depends on",
        prose=(
            "Each choice below is defensible, and none is settled by the data. "
            f"Resampling rows instead of papers gives {formats.estimate(row)} instead of "
            f"{formats.estimate(paper)}: rows of one paper are alike, so papers are the unit here.",
            "{figure:choices}",
            "{figure:penalty-path}",
            *closing,
        ),
        figures=tuple(pictures),
        cautions=_own_cautions(found.sweeps["sample"], sample),
    )


def sensitivity_rows(found: Sensitivity) -> list[dict[str, Any]]:
    """Return every variant and minimum for ``findings.json``."""
    return [
        {"over": over, **{k: json_ready(v) for k, v in row.items()}}
        for over, one in found.sweeps.items()
        for variant in one.variants
        if variant.headline
        for row in variant.rows()
    ]


def span_of(variants: Sequence[Variant]) -> str:
    found = [v for v in variants if v.rate.value is not None]
    rising = [m for m in known_months(tuple(found)) if m <= SLOWEST_MONTHS]
    if not rising:
        return "no progress under any"
    rest = len(found) - len(rising)
    verb = "finds" if rest == 1 else "find"
    none = f"; {rest} of {len(found)} {verb} no progress, or hardly any" if rest else ""
    return f"between {min(rising):.1f} and {max(rising):.1f} months{none}"


def spans_drawn(found: Sensitivity, which: str) -> str:
    drawn = found.sweeps["sample"].variants[0].fit
    beyond = "; ends beyond the picture are cut"
    if drawn is None or drawn.ci is None:
        return f"Rules are 95 % intervals where drawn; none for {which} in a quick report{beyond}"
    return f"Rules are 95 % intervals where drawn ({VARIANT_DRAWS} resamples of papers for {which}){beyond}"


def _own_cautions(one: Sweep, sample: Sample) -> tuple[str, ...]:
    return tuple(c for c in one.cautions if c not in sample.cautions)


def source_of(sample: Sample) -> str:
    return f"{sample.table.name}, {sample.n} evaluations of {sample.papers} papers"

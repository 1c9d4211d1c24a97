"""Sections of the chapter on what the answer depends on: choices, penalty, law, single papers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from isoflop.errors import NotIdentifiedError
from isoflop.findings import Finding, json_ready
from isoflop.present import formats
from isoflop.present.chapter import Figure, Section
from isoflop.progress import figures_sensitivity as figures
from isoflop.progress.compare import compare
from isoflop.progress.comparison import Comparison
from isoflop.progress.diagnostics import Diagnostics, diagnose
from isoflop.progress.fit import fit
from isoflop.progress.rate_profile import RateProfile, profile_rate
from isoflop.progress.result import ProgressFit
from isoflop.progress.settings import Starts
from isoflop.progress.sweep import sensitivity_map, sweep
from isoflop.progress.sweep_result import SensitivityMap, Sweep, Variant, known_months
from isoflop.stats.resample import Bootstrap

if TYPE_CHECKING:
    from isoflop.present.chapter import Progress
    from isoflop.progress.sample import Sample

VARIANT_DRAWS = 150
"""Draws of each variant: enough for the width of an interval, not for its last digit."""
VARIANT_STARTS = Starts(count=12)
MAP = {
    "samples": ("head", "cluster", "one_per_paper", "no_zero_shot"),
    "normalisers": ("minima", "y0_2017"),
    "penalties": (0.001, 0.0025, 0.005, 0.01, 0.02),
}
"""Combinations of the specification curve."""
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

    def findings(self) -> tuple[Finding, ...]:
        """Return the answer with rows resampled, by profile, over all combinations, and the diagnostics."""
        rows = tuple(
            replace(f, id=f"{f.id}.by_row", label=f"{f.label}, rows resampled")
            for f in self.by_row.findings()[:2]
        )
        profile = () if self.profile is None else self.profile.findings()
        return (*rows, *profile, *self.map.findings(), *self.diagnostics.findings())


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
    return _span([v for group in (*choices(found).values(), penalties) for v in group])


def choices_section(found: Sensitivity) -> Section:
    """Return the section on normalisers, perplexity, rows, unit of resampling, penalty, all combined."""
    fitted, sample = found.fitted, found.fitted.sample
    shown = choices(found)
    every = [v for group in shown.values() for v in group]
    frame = figures.variants_data(shown)
    wide = _span(every)
    one = Figure(
        id="choices",
        title=f"One choice at a time moves the halving time {wide}",
        subtitle="Growth of effective compute, labelled as halving time (months); law 7, penalty "
        f"{fitted.penalty.delta:g}",
        frame=frame,
        chart=lambda: figures.variants(shown),
        alt=f"{len(every)} variants as rows; best minima lie {wide}, further minima are marked beside them.",
        source=_source(sample),
        n=sample.n,
        interval=_spans(found, "samples"),
    )
    path = found.sweeps["penalty"]
    low, high = path.span()
    two = Figure(
        id="penalty-path",
        title=f"The penalty decides which explanation wins: {low:.1f} to {high:.1f} months along its path",
        subtitle="Halving time of every certified minimum against the penalty δ (logarithmic)",
        frame=figures.penalty_path_data(path),
        chart=lambda: figures.penalty_path(path),
        alt="Lines follow each minimum of the fit as the penalty grows; the best one changes between them.",
        source=_source(sample),
        n=sample.n,
        interval="Points are certified minima, without intervals; lines join a minimum to its continuation",
    )
    summary = found.map.findings()[0].details
    three = Figure(
        id="specifications",
        title=f"Of {summary['answered']} combinations of choices, "
        f"{formats.percent(summary['share_below_12_months'])}"
        " halve in less than 12 months",
        subtitle="Rate of the best minimum of each combination, ranked, labelled as halving time (months)",
        frame=figures.specification_data(found.map),
        chart=lambda: figures.specification(found.map),
        alt="Combinations ranked from fastest to slowest; the dashed line is no progress.",
        source=_source(sample),
        n=sample.n,
        interval="A range of choices on overlapping rows, not a confidence interval; points at the edge "
        "lie beyond",
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
            "All combinations of sample, perplexity, normaliser and penalty together:",
            "{figure:specifications}",
        ),
        figures=(one, two, three),
        cautions=_own_cautions(found.sweeps["sample"], sample),
    )


def laws_section(found: Sensitivity) -> Section:
    """Return the section on the law: what each says, and which predicts unseen rows."""
    sample, ranking = found.fitted.sample, found.comparison
    laws = {"law": found.sweeps["law"].variants}
    wide = _span(found.sweeps["law"].variants)
    frame = figures.comparison_data(ranking)
    near = int(frame["within_one_se"].sum())
    best = ranking.best
    seven = next((row for row in frame.iter_rows(named=True) if row["law"] == 7), None)
    own = "" if seven is None else (
        f" Law 7, the paper's choice, is {formats.number(seven['above_best'])} nats² above the best."
    )  # fmt: skip
    one = Figure(
        id="laws",
        title=f"The halving time depends on the law: {wide}",
        subtitle=f"Growth of effective compute, labelled as halving time (months); penalty "
        f"{found.fitted.penalty.delta:g}",
        frame=figures.variants_data(laws),
        chart=lambda: figures.variants(laws),
        alt=f"One row a law; best minima lie {wide}.",
        source=_source(sample),
        n=sample.n,
        interval=_spans(found, "laws"),
    )
    two = Figure(
        id="cross-validation",
        title=f"{near} of {frame.height} laws predict unseen rows about equally well",
        subtitle="Mean squared error of rows left out, above the best law (nats²); each law at its better "
        "penalty",
        frame=frame,
        chart=lambda: figures.comparison(ranking),
        alt=f"Law {best.law} is best; {near} laws lie within one paired standard error of it.",
        source=_source(sample),
        n=len(ranking.tested),
        interval="Rules are one paired standard error by paper on either side",
    )
    return Section(
        id="laws",
        title="Which law",
        prose=(
            f"Leaving one row out at a time, law {best.law} with penalty {best.delta:g} predicts best "
            "(mean squared error "
            f"{formats.number(best.mse)}).{own} A fifth of the rows is never used for choosing. Penalties "
            f"{' and '.join(f'{d:g}' for d in CV_PENALTIES)} were compared here; `isoflop progress "
            "compare` runs the full grid.",
            "{figure:cross-validation}",
            "{figure:laws}",
        ),
        figures=(two, one),
        cautions=tuple(c for c in ranking.cautions if c not in sample.cautions),
    )


def influence_section(found: Sensitivity) -> Section:
    """Return the section on single papers, and on the profile of the rate."""
    sample = found.fitted.sample
    frame = figures.influence_data(found.diagnostics)
    pictures = []
    prose = []
    if frame.height:
        times = [t for t in frame["halving_time_months"].to_list() if t is not None]
        reach = f"between {min(times):.1f} and {max(times):.1f} months" if times else "away from any progress"
        pictures.append(
            Figure(
                id="influence",
                title=f"Leaving out one paper puts the halving time {reach}",
                subtitle="Rate without each of the most influential papers, labelled as halving time "
                "(months)",
                frame=frame,
                chart=lambda: figures.influence(found.diagnostics),
                alt=f"{frame.height} papers; the dashed line is the fit on all rows.",
                source=_source(sample),
                n=sample.n,
                interval="Exact refits from every minimum; the dashed line is all rows",
            )
        )
        prose.append(
            "The ten papers with the largest influence by formula were left out in turn and refitted exactly."
        )
    if found.profile is not None:
        profile = found.profile
        pieces = len(profile.curve.pieces)
        said = "in one piece" if pieces == 1 else f"in {pieces} pieces"
        reach = formats.interval(profile.halving_time).replace(", ", " months, ", 1)
        pictures.append(
            Figure(
                id="rate-profile",
                title=f"Halving times that the rows do not rule out lie {said}: {reach}",
                subtitle="Least objective at each rate, labelled as halving time (months)",
                frame=figures.profile_data(profile),
                chart=lambda: figures.profile(profile),
                alt="A curve of the least objective against the rate, with the level of the 95 % set.",
                source=_source(sample),
                n=sample.n,
                interval="Rates whose curve lies below the dashed line are not ruled out (95 %, papers as "
                "the unit)",
            )
        )
        prose.append(
            f"With the rate held fixed and all else free, the halving time is "
            f"{formats.estimate(profile.halving_time)}: "
            "the profile assumes errors of one variance, the bootstrap of papers does not."
        )
    return Section(
        id="influence",
        title="Single papers, and the profile of the rate",
        prose=tuple(prose),
        figures=tuple(pictures),
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


def _span(variants: Sequence[Variant]) -> str:
    months = known_months(tuple(variants))
    rising = [m for m in months if m > 0]
    worse = len(months) - len(rising)
    none = f"; in {worse} of {len(months)} there is no progress" if worse else ""
    return (
        f"between {min(rising):.1f} and {max(rising):.1f} months{none}"
        if rising
        else "away from any progress"
    )


def _spans(found: Sensitivity, which: str) -> str:
    drawn = found.sweeps["sample"].variants[0].fit
    beyond = "; ends beyond the picture are cut"
    if drawn is None or drawn.ci is None:
        return f"Rules are 95 % intervals where drawn; none for {which} in a quick report{beyond}"
    return f"Rules are 95 % intervals where drawn ({VARIANT_DRAWS} resamples of papers for {which}){beyond}"


def _own_cautions(one: Sweep, sample: Sample) -> tuple[str, ...]:
    return tuple(c for c in one.cautions if c not in sample.cautions)


def _source(sample: Sample) -> str:
    return f"{sample.table.name}, {sample.n} evaluations of {sample.papers} papers"

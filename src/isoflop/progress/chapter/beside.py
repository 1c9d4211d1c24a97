"""Sections of the chapter that stand beside the main answer: images, capability, matches, the paper."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from isoflop.errors import EvidenceError, IsoflopError, NoFitError
from isoflop.findings import Finding
from isoflop.present import formats
from isoflop.present.chapter import Column, Figure, Section, Table
from isoflop.progress.capability.choices import choices
from isoflop.progress.capability.trend import trend
from isoflop.progress.figures import capability as figures_capability
from isoflop.progress.fit import fit
from isoflop.progress.halving import months_text
from isoflop.progress.match import match
from isoflop.progress.published import PUBLISHED
from isoflop.progress.sample import PAPER_RULES, select
from isoflop.stats.resample import Bootstrap

if TYPE_CHECKING:
    import polars as pl

    from isoflop.evidence import Library
    from isoflop.progress.capability.trend_result import CapabilityTrend
    from isoflop.progress.chapter.gain import Gains
    from isoflop.progress.match_result import Matches
    from isoflop.progress.result import ProgressFit
    from isoflop.progress.sample import Sample

IMAGE_LAWS = (1, 3, 18)
"""One benchmark leaves law 7 no constants to tell apart; 3 and 18 need less variety in data sizes."""
IMAGE_DRAWS = 500
COMPAT_DRAWS = 100
PUBLIC_SHEET = "lm_evaluations"
CAPABILITIES = "capabilities"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """The capability trend, and its multiple under every other choice."""

    trend: CapabilityTrend
    choices: pl.DataFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """Image classifiers under the laws that their table can carry; the first is the headline."""

    fits: tuple[ProgressFit, ...]
    refused: tuple[str, ...]

    def findings(self) -> tuple[Finding, ...]:
        """Return rate and halving time of the first law, with ids of their own."""
        if not self.fits:
            return ()
        return tuple(
            replace(f, id=f"{f.id}.image_classification", label=f"{f.label}, image classification")
            for f in self.fits[0].findings()[:2]
        )


def images(library: Library, *, seed: int) -> Images:
    """Fit the laws to the image table that ships."""
    sample = select(library.table("image_evaluations"), task="image_classification")
    fits, refused = [], []
    for law in IMAGE_LAWS:
        try:
            fits.append(fit(sample, law=law, ci=Bootstrap(reps=IMAGE_DRAWS, by="paper", seed=seed)))
        except (EvidenceError, NoFitError) as error:
            refused.append(str(error))
    return Images(fits=tuple(fits), refused=tuple(refused))


def image_section(found: Images) -> Section:
    """Return the section on image classification."""
    if not found.fits:
        return Section(id="images", title="Image classification, the same engine", prose=found.refused)
    sample = found.fits[0].sample
    rows = tuple(
        {
            "law": f"law {one.model.law.number}: {one.model.law.text}",
            "time": one.halving_time,
            "minima": ", ".join(
                f"{months:.1f}" if months and months < 1000 else "none"
                for months in one.basin_halving_times()
            ),
            "objective": one.objective,
        }
        for one in found.fits
    )
    table = Table(
        id="image-laws",
        title="Halving time of the compute needed for a set top-1 error",
        columns=(
            Column(name="law", label="Law"),
            Column(name="time", label="Halving time", format="estimate", align="right"),
            Column(name="minima", label="All minima", unit="months", align="right"),
            Column(name="objective", label="Objective", format="number"),
        ),
        rows=rows,
        note="'none' marks a minimum without progress in compute. Intervals from "
        f"{IMAGE_DRAWS} resamples of papers.",
    )
    features = sample.features
    sizes = len(set(features.data.tolist()))
    return Section(
        id="images",
        title="Image classification, the same engine",
        prose=(
            f"{sample.n} ImageNet results of {sample.papers} papers ({features.year.min():.0f} to "
            f"{features.year.max():.0f}) carry parameters and images seen, with {sizes} different numbers of "
            "images. Compute stands for parameters times images, since no source states training FLOP. With "
            "so few rows the table shows that the engine applies, not how fast vision moved.",
        ),
        tables=(table,),
        cautions=sample.cautions,
    )


def capability(library: Library, *, quick: bool, seed: int) -> Capability | None:
    """Return the trend on the capability table, or None where none was pulled or given."""
    if CAPABILITIES not in library.available():
        return None
    ci = Bootstrap(reps=300 if quick else 2000, by="model", seed=seed)
    table = library.table(CAPABILITIES)
    return Capability(trend=trend(table, ci=ci), choices=choices(table))


def capability_section(given: Capability | None) -> Section:
    """Return the section on capability, which is never merged with the halving time."""
    title = "Capability of recent models, beside it"
    if given is None:
        return Section(
            id="capability",
            title=title,
            prose=(
                "Perplexity on three old benchmarks says little about models after 2023. A capability index "
                "over many benchmarks does, but no such table was given: put one at `progress/eci` of a "
                "folder named with `--evidence`, or run `isoflop progress trend FILE`. Benchmark scores can "
                "be pulled with `isoflop data pull stitching-benchmarks_runs` and stitched with `isoflop "
                "progress stitch`.",
            ),
        )
    found = given.trend
    head = found[found.slope]
    grew = formats.multiple(head.multiple.value) if head.multiple.value is not None else "an unknown factor"
    multiples = given.choices["multiple_per_year"].drop_nulls().to_numpy()
    source = "; ".join(p.source for p in found.provenance)
    one = Figure(
        id="capability-trend",
        title=f"At equal compute, capability grew as if compute rose {grew} a year",
        subtitle="Capability index brought to equal training compute, by release date",
        frame=figures_capability.trend_data(found),
        chart=lambda: figures_capability.trend(found),
        alt="Models by date; the index at equal compute rises, its running maximum is a line.",
        source=source,
        n=found.n_rows,
        interval="Single models, without intervals; the line is the running maximum",
    )
    two = Figure(
        id="capability-multiples",
        title="How compute is priced decides the yearly multiple",
        subtitle="Less compute needed a year later (×, logarithmic), by method, ours and published",
        frame=figures_capability.multiples_data(found),
        chart=lambda: figures_capability.multiples(found),
        alt="One row a method with its interval; methods differ by more than their intervals.",
        source=source,
        n=found.n_rows,
        interval="Rules are 95 % intervals of resampled models; published intervals as printed",
    )
    three = Figure(
        id="capability-choices",
        title=f"Over {given.choices.height} choices of rows and price of compute the multiple runs from "
        f"{formats.multiple(float(multiples.min()))} to {formats.multiple(float(multiples.max()))}",
        subtitle="Less compute needed a year later (×, logarithmic), by rows used and by how compute is "
        "priced",
        frame=figures_capability.choices_data(given.choices),
        chart=lambda: figures_capability.choices(given.choices),
        alt="Points by rows used, one for each way to price compute; they spread widely.",
        source=source,
        n=found.n_rows,
        interval="A range of choices on overlapping rows, not a confidence interval",
    )
    return Section(
        id="capability",
        title=title,
        prose=(
            "Another measure, other models, later years: it is shown beside the halving time and never "
            f"merged with it. The yearly multiple is {grew} ({formats.interval(head.multiple)}).",
        ),
        figures=(one, two, three),
        cautions=found.cautions,
    )


def match_section(sample: Sample) -> tuple[Section, Matches | None]:
    """Return the section on systems at one level of performance."""
    title = "Systems at the same level"
    try:
        found = match(sample)
    except IsoflopError as error:
        return Section(id="matches", title=title, prose=(str(error),)), None
    rows = tuple(
        {
            "level": one.level,
            "flop": "stated" if one.flop == "given" else "stated or 6ND",
            "n": one.n,
            "time": one.halving_time if one.halving_time.value is not None else None,
            "why": one.why_not,
            "paper": one.published_months,
        }
        for one in found.slopes
        if one.n
    )
    table = Table(
        id="iso-performance",
        title="Compute of systems near one reference's perplexity, by date",
        columns=(
            Column(name="level", label="Level of"),
            Column(name="flop", label="Training FLOP"),
            Column(name="n", label="Systems", format="count"),
            Column(name="time", label="Halving time", format="estimate", align="right"),
            Column(name="paper", label="Paper", unit="months", format="months"),
            Column(name="why", label="Why there is none"),
        ),
        rows=rows,
    )
    pictures = []
    drawn = figures_capability.iso_performance_data(found)
    lines = drawn.filter(drawn["part"] == "trend")
    if lines.height:
        levels = ", ".join(lines["level"].unique(maintain_order=True).to_list())
        pictures.append(
            Figure(
                id="iso-performance",
                title=f"Compute of systems that reach one level, by date: {levels}",
                subtitle="Training compute (FLOP, logarithmic) by year of publication, one panel a level",
                frame=drawn,
                chart=lambda: figures_capability.iso_performance(found),
                alt="Scatter of compute by date with a fitted line in each panel.",
                source=f"{sample.table.name}; compute stated, or 6ND",
                n=drawn.height - lines.height,
                interval="Single systems; the table has the intervals of the slopes",
            )
        )
    section = Section(
        id="matches",
        title=title,
        prose=(
            "Without any law: at one level of perplexity, how fast does the compute of those who reach it "
            f"fall? Of pairs of papers ordered in both loss and compute, {found.forward} go forward (later, "
            f"no worse, cheaper) and {found.backward} backward.",
        ),
        figures=tuple(pictures),
        tables=(table,) if rows else (),
        cautions=tuple(c for c in found.cautions if c not in sample.cautions),
    )
    return section, found


def reproduction_section(
    fitted: ProgressFit, found: Gains, *, quick: bool
) -> tuple[Section, list[dict[str, Any]]]:
    """Return the table of published numbers beside ours, and its rows for ``findings.json``."""
    sample = fitted.sample
    same = sample.table.name == PUBLIC_SHEET
    rows = [
        _row("objective", fitted.objective, "certified optimum" + ("" if same else ", other rows")),
        _row("halving_time", fitted.halving_time, "best certified minimum, papers resampled"),
        _row("halving_time_neurips", fitted.halving_time, "the same; published at 90 %"),
    ]
    if same:
        sheet = select(sample.table, rules=PAPER_RULES, task="language")
        ci = None if quick else Bootstrap(reps=COMPAT_DRAWS)
        repeated = fit(sheet, compat="paper", ci=ci)
        converged = fit(sheet)
        rows += [
            _row("objective", repeated.objective, "published procedure on the same rows (--compat paper)"),
            _row("objective", converged.objective, "the same rows and function, converged"),
            _row("halving_time_law_7", repeated.halving_time, "published procedure (--compat paper)"),
            _row(
                "halving_time_law_7",
                ", ".join(months_text(m, 2) for m in converged.basin_halving_times()),
                "certified minima of the same rows",
            ),
        ]
    if found.pairs:
        rows.append(_row("shapley_rnn_gpt3", found.pairs[0].compute_share, "best certified minimum"))
    if found.transformer is not None:
        ours = {f.id: f for f in found.transformer.findings()}
        at = next((f for f in ours.values() if f.details.get("at_flop") == 1e22), None)
        if at is not None:
            rows.append(_row("transformer_gain", at.estimate, "factor free in sign, papers resampled"))
    table = Table(
        id="reproduction",
        title="The paper's numbers beside ours",
        columns=(
            Column(name="quantity", label="Quantity"),
            Column(name="paper", label="Paper", align="right"),
            Column(name="where", label="Where"),
            Column(name="ours", label="This evidence", align="right"),
            Column(name="note", label="How"),
        ),
        rows=tuple(rows),
        note="The published procedure stops above the optimum of its own objective; on the same rows the "
        "converged fit has two certified minima. `isoflop progress fit --compat paper` repeats the "
        "published steps.",
    )
    told = (
        "The evidence is the sheet behind the paper, so the published procedure is repeated on its rows."
        if same
        else "The evidence is not the paper's sheet, so the numbers need not agree; "
        "`isoflop data pull lm-evaluations` gets it."
    )
    return Section(id="reproduction", title="The paper's numbers", prose=(told,), tables=(table,)), rows


def _row(name: str, ours: Any, note: str) -> dict[str, Any]:
    published = PUBLISHED[name]
    return {
        "quantity": published.quantity,
        "paper": formats.estimate(published.estimate)
        if published.estimate.unit != "1" or published.estimate.low is not None
        else formats.number(published.estimate.value or 0.0, 6 if name == "objective" else 3),
        "where": published.where,
        "ours": ours if isinstance(ours, str) else formats.number(ours, 6)
        if isinstance(ours, float) else formats.estimate(ours, unbounded="no progress not excluded"),
        "note": note,
    }  # fmt: skip

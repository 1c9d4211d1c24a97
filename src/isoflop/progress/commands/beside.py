"""``isoflop progress match``, ``stitch`` and ``trend``: answers that need no law of the loss."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from isoflop.errors import SettingError
from isoflop.present.options import EvidenceChoice, evidence_options, figure_option, json_option
from isoflop.present.parse import Number, Word
from isoflop.progress.commands.options import IntervalChoice, interval_options, verb

if TYPE_CHECKING:
    from isoflop.progress.capability.stitching_result import Anchor

STITCH_REPS = 300


@verb("Systems of equal performance at different dates; no law.")
@evidence_options
@click.option(
    "--flop",
    type=Word(["given", "all"]),
    default="given",
    show_default=True,
    help="Compute of the direct matches: as stated, or 6ND where nothing is stated.",
)
@click.option(
    "--suspect",
    type=Word(["drop", "keep"]),
    default="drop",
    show_default=True,
    help="Rows whose stated compute contradicts their own size and data tenfold.",
)
@click.option(
    "--min-gap-years",
    type=Number(float, 0.5),
    default=0.0,
    show_default=True,
    help="Least time between two matched systems.",
)
@click.option(
    "--savings", metavar="FILE", help="Table of compute at one fixed accuracy, e.g. ai_and_efficiency."
)
@click.option(
    "--ci-level", type=Number(float, 0.95), default=0.95, show_default=True, help="Level of the intervals."
)
@figure_option
@json_option
def match(
    evidence: EvidenceChoice,
    flop: str,
    suspect: str,
    min_gap_years: float,
    savings: str | None,
    ci_level: float,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Match systems of equal performance at different dates, without a law.

    Direct matches: a later system, no worse, with less compute. Iso-performance: the slope of compute
    on date among systems near a reference's perplexity.
    """
    from isoflop.findings import Document
    from isoflop.present.chapter import Column
    from isoflop.present.console import emit
    from isoflop.present.evidence import evidence_rows, read_table
    from isoflop.present.pages import page
    from isoflop.progress.match import match as match_systems

    table = read_table(evidence, "evaluations", ("lm_evaluations", "language_evaluations"))
    saved = None
    if savings is not None:
        beside = EvidenceChoice(files=(savings,), location=evidence.location)
        saved = read_table(beside, "savings", ("ai_and_efficiency",))
    found = match_systems(
        table,
        flop=flop,  # type: ignore[arg-type]
        suspect=suspect,  # type: ignore[arg-type]
        min_gap_years=min_gap_years,
        savings=saved,
        level=ci_level,
    )
    pairs = found.pairs.to_dicts()
    document = Document(
        findings=found.findings(),
        tables={
            "slopes": found.frame().to_dicts(),
            "pairs": pairs,
            "points": found.points.to_dicts(),
            "evidence": evidence_rows(table, *(() if saved is None else (saved,))),
        },
    )
    columns = (
        Column(name="benchmark", label="benchmark"),
        Column(name="system", label="earlier system"),
        Column(name="year", label="year", format="year"),
        Column(name="later_system", label="later, no worse, cheaper"),
        Column(name="later_year", label="year", format="year"),
        Column(name="saving", label="saving", format="multiple"),
    )
    if figure is not None:
        from isoflop.present.image import draw
        from isoflop.progress.commands.pictures import matched

        draw(figure, matched(found))
    emit(
        document,
        as_json=as_json,
        text=lambda: page(
            f"{table.name}: {found.n} systems with compute, {len(pairs)} with a later, cheaper match",
            document.findings,
            (),
            ("Direct matches", columns, pairs),
        ),
    )


@verb("Models and benchmarks on one capability scale.")
@evidence_options
@click.option(
    "--anchor",
    metavar="NAME[=C]",
    multiple=True,
    help="What fixes the scale: one benchmark, or two models with their capabilities, "
    "each as MODEL=C.  [default: Winogrande]",
)
@click.option(
    "--repeats",
    type=Word(["max", "mean", "keep"]),
    default="max",
    show_default=True,
    help="Several scores of one model on one benchmark.",
)
@click.option("--above-chance", is_flag=True, help="Count scores above that of a guess, where it is known.")
@click.option("--starts", type=Number(int, 8), default=8, show_default=True, help="Starts of the point fit.")
@interval_options(("benchmark", "model", "both"), reps=STITCH_REPS, kinds=("percentile",))
@figure_option
@json_option
def stitch(
    evidence: EvidenceChoice,
    anchor: tuple[str, ...],
    repeats: str,
    above_chance: bool,
    starts: int,
    interval: IntervalChoice,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Put models that took different benchmarks on one capability scale.

    FILE is a table with model, benchmark and score in [0, 1], or the benchmark-stitching folder.
    """
    from isoflop.findings import Document
    from isoflop.present.chapter import Column
    from isoflop.present.console import emit
    from isoflop.present.evidence import evidence_rows, read_table
    from isoflop.present.pages import page
    from isoflop.progress.capability.stitching import CHANCE_LEVELS
    from isoflop.progress.capability.stitching import stitch as stitch_scores

    ci = interval.setting(reps=STITCH_REPS, by="benchmark")
    fixed = _anchor(anchor)
    table = read_table(evidence, "scores", ("benchmark_scores",))
    found = stitch_scores(
        table,
        anchor=fixed,
        ci=ci,
        repeats=repeats,  # type: ignore[arg-type]
        chance=CHANCE_LEVELS if above_chance else None,
        starts=starts,
    )
    models, benchmarks = found.frame().to_dicts(), found.benchmark_frame().to_dicts()
    document = Document(
        findings=found.findings(),
        tables={"models": models, "benchmarks": benchmarks, "evidence": evidence_rows(table)},
    )

    def numbers(*names: str) -> tuple[Column, ...]:
        return tuple(Column(name=name, label=name.replace("_", " "), format="number") for name in names)

    if figure is not None:
        from isoflop.present.image import draw
        from isoflop.progress.commands.pictures import stitched

        draw(figure, stitched(found))
    emit(
        document,
        as_json=as_json,
        text=lambda: page(
            f"{table.name}: {len(models)} models on {len(benchmarks)} benchmarks, {found.n} scores",
            document.findings,
            (),
            (
                "Most capable models",
                (
                    Column(name="model", label="model"),
                    Column(name="release_date", label="released"),
                    *numbers("capability", "low", "high", "index"),
                    Column(name="n_benchmarks", label="benchmarks", format="count"),
                ),
                models[:15],
            ),
            (
                "Benchmarks, easiest first",
                (
                    Column(name="benchmark", label="benchmark"),
                    *numbers("difficulty", "difficulty_low", "difficulty_high", "slope"),
                    Column(name="n_models", label="models", format="count"),
                ),
                benchmarks,
            ),
        ),
    )


@verb("Progress on a capability index, compute priced three ways.")
@evidence_options
@click.option(
    "--slope",
    type=Word(["common", "family", "joint"]),
    default="common",
    show_default=True,
    help="Which price of compute the headline uses; all are reported.",
)
@interval_options(("model", "organization", "family"), kinds=("percentile", "basic", "bca"))
@figure_option
@json_option
def trend(
    evidence: EvidenceChoice, slope: str, interval: IntervalChoice, figure: Path | None, as_json: bool
) -> None:
    """Estimate the yearly multiple of effective compute on a capability index.

    FILE is a table with model, capability_index, release_date and train_flop, or the folder of the
    Epoch Capabilities Index.
    """
    from isoflop.findings import Document
    from isoflop.present.chapter import Column
    from isoflop.present.console import emit
    from isoflop.present.evidence import evidence_rows, read_table
    from isoflop.present.pages import page
    from isoflop.progress.capability.choices import choices
    from isoflop.progress.capability.trend import trend as capability_trend

    ci = interval.setting(by="model")
    table = read_table(evidence, "capabilities", ("capabilities",))
    found = capability_trend(table, slope=slope, ci=ci)  # type: ignore[arg-type]
    under = choices(table).to_dicts()
    document = Document(
        findings=found.findings(),
        tables={
            "methods": found.frame().to_dicts(),
            "choices": under,
            "families": found.families.to_dicts(),
            "models": found.models.to_dicts(),
            "published": found.published_frame().to_dicts(),
            "evidence": evidence_rows(table),
        },
    )
    columns = (
        Column(name="rows", label="rows"),
        Column(name="over", label="over"),
        Column(name="slope", label="k"),
        Column(name="multiple_per_year", label="a year", format="multiple"),
        Column(name="halving_time_months", label="halving", unit="months", format="months"),
        Column(name="n", label="n", format="count"),
    )
    if figure is not None:
        from isoflop.present.image import draw
        from isoflop.progress.chapter.beside import Capability, capability_section

        draw(figure, capability_section(Capability(trend=found, choices=choices(table))).figures)
    emit(
        document,
        as_json=as_json,
        text=lambda: page(
            f"{table.name}: {found.n_rows} rows with index and compute, {found.models.height} models",
            document.findings,
            (),
            ("Under every choice", columns, under),
        ),
    )


def _anchor(given: tuple[str, ...]) -> Anchor:
    from isoflop.progress.capability.stitching_result import AnchorBenchmark, AnchorModels

    if not given:
        return AnchorBenchmark()
    if len(given) == 1 and "=" not in given[0]:
        return AnchorBenchmark(name=given[0])
    pairs = []
    for text in given:
        name, sign, value = text.rpartition("=")
        try:
            pairs.append((name.strip(), float(value)))
        except ValueError:
            sign = ""
        if not sign or not name.strip():
            raise SettingError(
                f"--anchor: {text!r}, needs one benchmark, or two models as MODEL=C. "
                "Write --anchor Winogrande, or --anchor GPT-4=1.0 --anchor GPT-5=2.0."
            )
    if len(pairs) != 2:
        raise SettingError(
            f"--anchor: {len(pairs)} model{'s' if len(pairs) > 1 else ''}, needs two with different "
            "capabilities, or one benchmark. Add or drop one."
        )
    (first, low), (second, high) = pairs
    return AnchorModels(first=first, first_capability=low, second=second, second_capability=high)

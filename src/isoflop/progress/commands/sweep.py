"""``isoflop progress sweep``, ``aggregate`` and ``check``: the answer when choices are made otherwise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from isoflop.errors import SettingError
from isoflop.present.options import figure_option, json_option
from isoflop.present.parse import Number, Word
from isoflop.progress.commands.options import (
    BENCHMARK_LAW,
    PAPER_REPS,
    IntervalChoice,
    SampleChoice,
    default_law,
    interval_options,
    penalty_options,
    sample_options,
    verb,
)

if TYPE_CHECKING:
    from isoflop.progress.robustness.sweep_result import SensitivityMap, Sweep

SHOWN = 40


@verb("The halving time under other penalties, rows or laws.")
@click.option(
    "--over",
    type=Word(["penalty", "normaliser", "perplexity", "sample", "law", "map"]),
    default="penalty",
    show_default=True,
    help="The choice to vary; map combines penalty, normaliser, perplexity and sample.",
)
@click.option("--law", type=Number(int, BENCHMARK_LAW), metavar="N", help="Law; default 7, for images 1.")
@penalty_options
@click.option("--starts", type=Number(int, 24), metavar="N", help="Random starts beside zero.")
@sample_options
@interval_options(reps=0)
@figure_option
@json_option
def sweep(
    over: str,
    law: int | None,
    delta: float,
    mask: str,
    starts: int | None,
    sample: SampleChoice,
    interval: IntervalChoice,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Refit under every variant of one choice, or of all of them, and list every minimum.

    Intervals are left out unless --bootstrap asks for them.
    """
    from isoflop.findings import Document
    from isoflop.present.console import emit, progress_bars
    from isoflop.present.evidence import evidence_rows
    from isoflop.present.pages import cautions_text
    from isoflop.progress.commands.evidence import read_sample
    from isoflop.progress.robustness.sweep import sensitivity_map
    from isoflop.progress.robustness.sweep import sweep as vary
    from isoflop.progress.settings import L1, Starts

    penalty = L1(delta=delta, mask="slopes" if mask == "slopes" else None)
    given = None if starts is None else Starts(count=starts, seed=interval.seed)
    ci = interval.setting(reps=0)
    chosen = read_sample(sample)
    number = default_law(law, chosen.task)
    found: Sweep | SensitivityMap
    with progress_bars() as bars:
        if over == "map":
            found = sensitivity_map(chosen, law=number, starts=given, progress=bars)
        else:
            found = vary(
                chosen,
                over=over,  # type: ignore[arg-type]
                law=number,
                penalty=penalty,
                starts=given or Starts(seed=interval.seed),
                ci=ci,
                progress=bars,
            )
    rows = found.frame().to_dicts()
    document = Document(
        findings=found.findings(),
        tables={
            "sweep": rows,
            "cautions": [{"caution": caution} for caution in found.cautions],
            "waterfall": chosen.waterfall(),
            "evidence": evidence_rows(chosen.table),
        },
    )
    if figure is not None:
        from isoflop.present.image import draw
        from isoflop.progress.commands.pictures import swept

        draw(figure, swept(found))
    emit(
        document,
        as_json=as_json,
        text=lambda: f"{_table(found, rows)}\n\n{cautions_text(found.cautions)}",
    )


@verb("One halving time pooled over several laws and penalties.")
@click.option(
    "--pairs",
    metavar="LAW:DELTA,…",
    help="Laws with their penalties, e.g. 7:0.0025,10:0.001.  [default: the ten of the paper]",
)
@click.option(
    "--weights",
    type=Word(["equal", "stacking"]),
    default="equal",
    show_default=True,
    help="Stacking: of the mixture that predicts papers left out best.",
)
@click.option(
    "--starts", type=Number(int, 24), default=24, show_default=True, help="Random starts beside zero."
)
@click.option(
    "--compat",
    type=Word(["converged", "paper"]),
    default="converged",
    show_default=True,
    help="Certified optima by paper, or the published procedure by row (minutes).",
)
@sample_options
@interval_options(reps=PAPER_REPS, kinds=("percentile",))
@json_option
def aggregate(
    pairs: str | None,
    weights: str,
    starts: int,
    compat: str,
    sample: SampleChoice,
    interval: IntervalChoice,
    as_json: bool,
) -> None:
    """Pool the numeric halving times of several laws and penalties, as the paper's appendix does.

    Each pair is resampled; where a law's rates differ by benchmark, each benchmark counts.
    """
    from isoflop.findings import Document
    from isoflop.present.chapter import Column
    from isoflop.present.console import emit, progress_bars
    from isoflop.present.evidence import evidence_rows
    from isoflop.present.pages import page
    from isoflop.progress.commands.evidence import read_sample
    from isoflop.progress.robustness.aggregate import PAPER_PAIRS
    from isoflop.progress.robustness.aggregate import aggregate as pool
    from isoflop.progress.settings import Starts

    ci = interval.setting(compat=compat, reps=PAPER_REPS)
    if ci is None:
        raise SettingError(
            f"--bootstrap: 0, but draws are what is pooled, needs at least 1. Use {PAPER_REPS}."
        )
    chosen_pairs = PAPER_PAIRS if pairs is None else pairs_of(pairs)
    chosen = read_sample(sample, compat=compat)
    with progress_bars() as bars:
        found = pool(
            chosen,
            chosen_pairs,
            weights=weights,  # type: ignore[arg-type]
            ci=ci,
            starts=Starts(count=starts, seed=interval.seed),
            compat=compat,  # type: ignore[arg-type]
            progress=bars,
        )
    rows = found.frame().to_dicts()
    document = Document(
        findings=found.findings(),
        tables={"pairs": rows, "waterfall": chosen.waterfall(), "evidence": evidence_rows(chosen.table)},
    )
    columns = (
        Column(name="law", label="law", format="count"),
        Column(name="delta", label="delta", align="right"),
        Column(name="benchmark", label="benchmark"),
        Column(name="weight", label="weight", format="percent"),
        *(
            Column(name=f"{name}_months", label=f"{name} (months)", format="number")
            for name in ("point", "low", "median", "high")
        ),
        Column(name="draws", label="draws", format="count"),
    )
    emit(
        document,
        as_json=as_json,
        text=lambda: page(
            f"{chosen.table.name}: {chosen.n} rows of {chosen.papers} papers\n{found.method}",
            document.findings,
            (),
            ("Pairs", columns, rows),
        ),
    )


@verb("The paper's robustness checks, published numbers beside ours.")
@click.option(
    "--checks",
    metavar="LIST",
    default="all",
    show_default=True,
    help="Names separated by commas; see --list.",
)
@click.option("--list", "listing", is_flag=True, help="List the checks and stop.")
@penalty_options
@click.option(
    "--starts", type=Number(int, 24), default=24, show_default=True, help="Random starts beside zero."
)
@sample_options
@interval_options(reps=0)
@json_option
def check(
    checks: str,
    listing: bool,
    delta: float,
    mask: str,
    starts: int,
    sample: SampleChoice,
    interval: IntervalChoice,
    as_json: bool,
) -> None:
    """Run robustness checks and put the published numbers beside ours.

    Intervals are left out unless --bootstrap asks for them.
    """
    from isoflop.findings import Document
    from isoflop.present import formats
    from isoflop.present.chapter import Column
    from isoflop.present.console import emit, progress_bars, wrap
    from isoflop.present.evidence import evidence_rows
    from isoflop.present.pages import cautions_text, page
    from isoflop.progress.commands.evidence import read_sample
    from isoflop.progress.robustness.check import CHECKS
    from isoflop.progress.robustness.check import check as run_checks
    from isoflop.progress.settings import L1, Starts

    if listing:
        names = [{"check": name} for name in CHECKS]
        emit(Document(tables={"names": names}), as_json=as_json, text="\n".join(CHECKS))
        return
    penalty = L1(delta=delta, mask="slopes" if mask == "slopes" else None)
    ci = interval.setting(reps=0)
    chosen = read_sample(sample)
    with progress_bars() as bars:
        found = run_checks(
            chosen,
            "all" if checks == "all" else [name.strip() for name in checks.split(",")],
            penalty=penalty,
            starts=Starts(count=starts, seed=interval.seed),
            ci=ci,
            seed=interval.seed,
            progress=bars,
        )
    document = Document(
        findings=found.findings(),
        tables={
            "checks": [row.to_dict() for row in found.rows],
            "cautions": [{"caution": caution} for caution in found.cautions],
            "waterfall": chosen.waterfall(),
            "evidence": evidence_rows(chosen.table),
        },
    )
    columns = (
        Column(name="label", label="check"),
        Column(name="ours", label="here", align="right"),
        Column(name="published", label="published", align="right"),
        Column(name="n", label="n", format="count"),
    )

    def text() -> str:
        rows = [
            {
                "label": row.label,
                "ours": None if row.why_not else formats.estimate(row.estimate),
                "published": formats.estimate(row.published.estimate)
                if row.published is not None and row.published.estimate.value is not None
                else None,
                "n": row.n,
            }
            for row in found.rows
        ]
        shown = page(f"{chosen.table.name}: {len(rows)} checks", (), (), ("Checks", columns, rows))
        notes: dict[str, list[str]] = {}
        for row in found.rows:
            if row.why_not or row.note:
                notes.setdefault(row.why_not or row.note, []).append(row.label)
        about = [
            wrap(f"{'; '.join(labels)}: {note}", indent="  ", hang="  ") for note, labels in notes.items()
        ]
        parts = [shown, "Notes\n" + "\n".join(about) if about else "", cautions_text(found.cautions)]
        return "\n\n".join(part for part in parts if part)

    emit(document, as_json=as_json, text=text)


def pairs_of(text: str) -> tuple[tuple[int, float], ...]:
    """Return laws with their penalties.

    Raises
    ------
    SettingError
        A part is no ``LAW:DELTA``.

    Examples
    --------
    >>> pairs_of("7:0.0025,10:0.001")
    ((7, 0.0025), (10, 0.001))
    """
    found = []
    for part in text.split(","):
        law, _, delta = part.partition(":")
        try:
            found.append((int(law), float(delta)))
        except ValueError:
            raise SettingError(
                f"--pairs: {part.strip()!r}, needs LAW:DELTA. Write 7:0.0025,10:0.001, say."
            ) from None
    return tuple(found)


def _table(found: Sweep | SensitivityMap, rows: list[dict[str, Any]]) -> str:
    from isoflop.present.chapter import Column
    from isoflop.present.pages import page

    kept = {v.slug for v in found.variants if v.headline}
    shown = [{**row, "reason": row["reason"] or None} for row in rows if row["slug"] in kept]
    further = len(found.variants) - len(kept)
    also = f"; {further} choices between them are in --json and in the cautions" if further else ""
    columns = (
        Column(name="setting", label="choice"),
        Column(name="n", label="n", format="count"),
        Column(name="minimum", label="minimum", format="count"),
        Column(name="halving_time_months", label="halving", unit="months", format="number"),
        Column(name="halving_time_low", label="low", format="number"),
        Column(name="halving_time_high", label="high", format="number"),
        Column(name="objective", label="objective", format="fine"),
        Column(name="reason", label="why missing"),
    )
    return page(
        found.summary().split("\n")[0],
        [replace(f, cautions=()) for f in found.findings()] if len(found.findings()) == 1 else (),
        (),
        (
            f"Every certified minimum ({min(SHOWN, len(shown))} of {len(shown)} rows{also})",
            columns,
            shown[:SHOWN],
        ),
    )

"""Epoch AI's benchmark-stitching folder: own runs and one external file for each benchmark.

One row is one model version on one benchmark. Where several scores exist (other shots, other
reporters) the **highest** is kept: a capability is what a model has been shown to reach. The
number of scores and the lowest stand beside it, so that the spread can be seen. Which column of
an external file is the score, and whether it counts to 1 or to 100, differs from file to file
and is written down in `EXTERNAL`; nothing is guessed from the values.

Left out, with their rows listed: scores without a model version, and the public samples of the
FrontierMath sets, which repeat the private benchmark on a few problems.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from isoflop.errors import EvidenceError
from isoflop.evidence.importers.interface import Imported, Importer, kept_step
from isoflop.evidence.read import read_file
from isoflop.evidence.table import Step

if TYPE_CHECKING:
    import polars as pl

RUNS = "benchmarks_runs.csv"
_PUBLIC_SAMPLE = r"^FrontierMath-.*-Public$"


@dataclass(frozen=True, slots=True, kw_only=True)
class External:
    """Where an external file keeps its score; `best` is the score that means all correct."""

    benchmark: str
    column: str
    best: float = 100.0


EXTERNAL: dict[str, External] = {
    "aider_polyglot": External(benchmark="Aider polyglot", column="Percent correct"),
    "arc_ai2": External(benchmark="ARC AI2", column="Challenge score"),
    "bbh": External(benchmark="BBH", column="Average"),
    "boolq": External(benchmark="BoolQ", column="Score"),
    "gsm8k": External(benchmark="GSM8K", column="EM"),
    "hellaswag": External(benchmark="HellaSwag", column="Overall accuracy"),
    "lambada": External(benchmark="LAMBADA", column="Score"),
    "livebench": External(benchmark="LiveBench", column="Global average"),
    "metr": External(benchmark="METR", column="average_score", best=1.0),
    "mmlu": External(benchmark="MMLU", column="EM"),
    "openbookqa": External(benchmark="OpenBookQA", column="Accuracy"),
    "piqa": External(benchmark="PIQA", column="Score"),
    "scienceqa": External(benchmark="ScienceQA", column="Score"),
    "triviaqa": External(benchmark="TriviaQA", column="EM"),
    "weirdml": External(benchmark="WeirdML", column="Accuracy"),
    "winogrande": External(benchmark="Winogrande", column="Accuracy"),
}


def _convert(raw: pl.DataFrame, folder: Path | None) -> Imported:
    import polars as pl

    parts = [_part(raw, RUNS, pl.col("task"), "model", "Best score (across scorers)", 1.0)]
    unknown = []
    for path in sorted(folder.glob("external_benchmark_*.csv")) if folder else ():
        entry = EXTERNAL.get(path.stem.removeprefix("external_benchmark_"))
        if entry is None:
            unknown.append(path.name)
            continue
        cells = read_file(path)
        missing = sorted({entry.column, "Model version"} - set(cells.columns))
        if missing:
            raise EvidenceError(
                f"load: column '{missing[0]}' not in {path.name}, needed for {entry.benchmark}. "
                "The file has another layout; take it out of the folder."
            )
        parts.append(
            _part(cells, path.name, pl.lit(entry.benchmark), "Model version", entry.column, entry.best)
        )
    read = pl.concat(parts)
    named, with_model = kept_step(
        read, pl.col("model").is_not_null(), "model version given", lambda _: "no model version", "place"
    )
    scored, with_score = kept_step(
        named,
        pl.col("score").is_not_null(),
        "score readable",
        lambda row: f"{row['model']}: score {row['score_text'] or 'empty'}",
        "place",
    )
    whole, no_sample = kept_step(
        scored,
        ~pl.col("benchmark").str.contains(_PUBLIC_SAMPLE),
        "no public sample of a private benchmark",
        lambda row: row["model"],
        "place",
    )
    best, highest = _best(whole)
    cautions = [
        f"{name}: the score column of this benchmark is not known, so the file was not read."
        for name in unknown
    ]
    if folder is None:
        cautions.append("Only Epoch's own runs were read: the external benchmarks lie beside the file.")
    frame, gaps = _dated(best, folder)
    return Imported(
        frame=frame.drop("record"),
        rows_read=read.height,
        steps=(with_model, with_score, no_sample, highest),
        cautions=(*cautions, *gaps),
    )


def _part(
    cells: pl.DataFrame, file: str, benchmark: pl.Expr, model: str, score: str, best: float
) -> pl.DataFrame:
    import polars as pl

    def text(name: str) -> pl.Expr:
        if name not in cells.columns:
            return pl.lit(None, pl.String)
        stripped = pl.col(name).str.strip_chars()
        return pl.when(stripped != "").then(stripped)

    return cells.with_row_index("record", offset=1).select(
        pl.col("record").cast(pl.Int64),
        pl.lit(file).alias("place"),
        benchmark.str.strip_chars().alias("benchmark"),
        text(model).alias("model"),
        text(score).alias("score_text"),
        (text(score).str.strip_suffix("%").cast(pl.Float64, strict=False) / best).alias("score"),
        text("Shots").alias("shots"),
        pl.lit("Epoch AI runs").alias("source") if file == RUNS else text("Source").alias("source"),
    )


def _best(rows: pl.DataFrame) -> tuple[pl.DataFrame, Step]:
    """Return the highest score of each model on each benchmark; the first in file order on ties."""
    import polars as pl

    key = ["model", "benchmark"]
    ordered = rows.sort("score", descending=True, maintain_order=True).with_columns(
        rank=pl.int_range(pl.len()).over(key),
        highest=pl.col("score").first().over(key),
        n_scores=pl.len().over(key).cast(pl.Float64),
        lowest_score=pl.col("score").min().over(key),
    )
    top, step = kept_step(
        ordered,
        pl.col("rank") == 0,
        "highest score of a model on a benchmark",
        lambda row: f"{row['model']} on {row['benchmark']}: {row['score']:g}, highest {row['highest']:g}",
        "place",
    )
    return top.sort(key).drop("place", "score_text", "rank", "highest"), step


def _dated(rows: pl.DataFrame, folder: Path | None) -> tuple[pl.DataFrame, list[str]]:
    """Return the rows with release date, model name and distilled flag from the companion files."""
    import polars as pl

    cautions = []
    versions = folder / "model_versions.csv" if folder else None
    if versions is not None and versions.is_file():
        known = read_file(versions).select(
            model=pl.col("id").str.strip_chars(),
            model_name=pl.col("Model").str.strip_chars(),
            release_date=pl.col("Version release date").str.to_date("%Y-%m-%d", strict=False),
        )
        rows = rows.join(known.unique("model", keep="first"), on="model", how="left")
        undated = rows.filter(pl.col("release_date").is_null())["model"].n_unique()
        if undated:
            cautions.append(f"{undated} models have no release date: trends over time leave them out.")
    else:
        cautions.append("model_versions.csv is absent: no model has a release date, so no trend is possible.")
    distilled = folder / "distilled_models.csv" if folder else None
    if distilled is not None and distilled.is_file():
        flags = read_file(distilled).select(
            model=pl.col("model").str.strip_chars(),
            is_distilled=pl.col("distilled").str.to_lowercase() == "true",
        )
        rows = rows.join(flags.unique("model", keep="first"), on="model", how="left")
    return rows, cautions


BENCHMARK_SCORES = Importer(
    name="benchmark_scores",
    schema="scores",
    signature=frozenset(("task", "model", "Best score (across scorers)")),
    convert=_convert,
    doc="Epoch AI benchmark-stitching: own runs and external scores, best score per model and benchmark.",
    folder_file=RUNS,
)

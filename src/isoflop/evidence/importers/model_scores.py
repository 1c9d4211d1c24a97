"""Scores of many models on many benchmarks: the tables of ObsScaling and of Sloth.

ObsScaling keeps size, tokens and compute of each model in its benchmark files and other scores in
files that hold a model's name only; those are joined by name with the benchmark file beside them, so
that one table has both what a model costs and what it can do. As a folder, all tables of the base
models are read at once. Compute is 6·N·D in both publications.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from isoflop.evidence.importers.interface import Imported, Importer, numeric
from isoflop.evidence.read import read_file
from isoflop.evidence.table import Step

if TYPE_CHECKING:
    import polars as pl

BASE, INSTRUCT = "base_llm_benchmark_eval.csv", "instruct_llm_benchmark_eval.csv"
FILES = {
    "base_llm_emergent_capability_eval.csv": "emergent",
    "base_llm_leaderboard_v2_eval.csv": "leaderboard",
    "base_llm_post_training_eval.csv": "post_training",
}
"""Files about base models that a folder adds to the benchmark file, by layout."""
IMPLAUSIBLE_TOKENS = 1e14
"""No model was trained on a hundred trillion tokens: such a cell is a slip of the unit."""
_INFO = {
    "params": ("Model Size (B)", 1e9),
    "tokens": ("Pretraining Data Size (T)", 1e12),
    "train_flop": ("FLOPs (1E21)", 1e21),
}
_SLOTH = {**_INFO, "params": ("#Params (B)", 1e9)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How the score columns of one file read.

    `companion` is the file that knows size and compute; `best` the score that means all correct,
    1 where not named; `without` are endings of columns that are no shares of a best result.
    """

    companion: str | None = None
    best: Mapping[str, float] = field(default_factory=dict)
    best_of_all: float = 1.0
    without: tuple[str, ...] = ()
    is_instruct: bool = False


LAYOUTS: dict[str, Layout] = {
    "benchmarks": Layout(),
    "instruct": Layout(is_instruct=True),
    "emergent": Layout(companion=BASE, best={"ipa_transliterate_2_bleu": 100.0}),
    "leaderboard": Layout(companion=BASE),
    "post_training": Layout(companion=BASE, without=(",norm",)),
    "agent": Layout(companion=INSTRUCT, best_of_all=100.0, without=("ABench-OA",), is_instruct=True),
}


def _info(raw: pl.DataFrame, names: Mapping[str, tuple[str, float]], family: str) -> pl.DataFrame:
    """Return model, family, size, tokens and compute of each record in base units."""
    import polars as pl

    return pl.DataFrame(
        [
            raw["Model"].alias("model"),
            raw[family].alias("family"),
            *[(numeric(raw, theirs) * scale).alias(ours) for ours, (theirs, scale) in names.items()],
        ]
    )


def _scores(raw: pl.DataFrame, layout: Layout, drop: frozenset[str]) -> tuple[pl.DataFrame, Step | None]:
    """Return model, benchmark and score, with the step that lists what is no share of a best result."""
    import polars as pl

    columns = [name for name in raw.columns if name not in drop]
    left = [name for name in columns if name.endswith(layout.without)] if layout.without else []
    kept = [name for name in columns if name not in left]
    parts = [
        pl.DataFrame(
            [
                pl.Series("record", range(1, raw.height + 1), dtype=pl.Int64),
                raw["Model"].alias("model"),
                (numeric(raw, name) / layout.best.get(name, layout.best_of_all)).alias("score"),
            ]
        ).with_columns(benchmark=pl.lit(name))
        for name in kept
    ]
    rows = pl.concat(parts).drop_nulls("score")
    gone = sum(int(raw[name].is_not_null().sum()) for name in left)
    step = Step(
        rule="score is a share of the best possible result",
        unit="rows",
        kept=rows.height,
        dropped=gone,
        rows=tuple(f"column {name}: an index, or corrected for chance" for name in left),
    )
    return rows, step if left else None


_NOT_SCORES = frozenset(("Model", "Model Family", *(theirs for theirs, _ in _INFO.values())))


def _convert(raw: pl.DataFrame, folder: Path | None, layout: Layout, more: Mapping[str, str]) -> Imported:
    import polars as pl

    rows, step = _scores(raw, layout, _NOT_SCORES)
    steps = [step] if step else []
    known = raw if layout.companion is None else None
    if layout.companion and folder and (folder / layout.companion).is_file():
        known = read_file(folder / layout.companion)
        beside, _ = _scores(known, Layout(), _NOT_SCORES)
        rows = pl.concat([rows, beside.filter(pl.col("model").is_in(rows["model"].unique()))])
    for name, layout_name in more.items():
        if folder and (folder / name).is_file():
            further, step = _scores(read_file(folder / name), LAYOUTS[layout_name], _NOT_SCORES)
            rows = pl.concat([rows, further])
            steps += [step] if step else []
    if known is None:
        frame = rows.with_columns(family=pl.lit(None, pl.String))
        said: tuple[str, ...] = (
            f"size and compute of the models stand in {layout.companion}, which does not lie beside this "
            "file: no statement about compute can be made. Put it there.",
        )
    else:
        info, said = _slips(_info(known, _INFO, "Model Family"))
        frame = rows.join(info, on="model", how="left", maintain_order="left")
    return Imported(
        frame=frame.with_columns(is_instruct=pl.lit(layout.is_instruct)),
        rows_read=raw.height,
        steps=tuple(steps),
        cautions=said,
    )


def _slips(info: pl.DataFrame) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return the models with impossible token counts taken as unknown, and a caution for each."""
    import polars as pl

    wrong = pl.col("tokens") > IMPLAUSIBLE_TOKENS
    said = tuple(
        f"{model} is printed with {tokens / 1e12:g} trillion tokens, surely billions: its tokens and compute "
        "are taken as unknown. A corrected cell cures it."
        for model, tokens in info.filter(wrong).select("model", "tokens").iter_rows()
    )
    unknown = [
        pl.when(~wrong.fill_null(False)).then(pl.col(name)).alias(name) for name in ("tokens", "train_flop")
    ]
    return info.with_columns(unknown), said


def _importer(
    name: str, layout: str, signature: tuple[str, ...], doc: str, joins: tuple[str, ...] = ()
) -> Importer:
    return Importer(
        name=name,
        schema="model_scores",
        signature=frozenset(("Model", *signature)),
        convert=lambda raw, folder: _convert(raw, folder, LAYOUTS[layout], {}),
        doc=doc,
        joins=joins,
    )


def _sloth(raw: pl.DataFrame, folder: Path | None) -> Imported:
    import polars as pl

    info = _info(raw, _SLOTH, "Family").with_columns(
        is_instruct=raw["Instruct"].str.to_lowercase().is_in(("true", "1")),
        date=raw["date"].str.to_date("%Y-%m-%d", strict=False),
    )
    named = frozenset(
        ("", "Model", "Family", "Family2", "Instruct", "date", *(theirs for theirs, _ in _SLOTH.values()))
    )
    rows, _ = _scores(raw, Layout(), named)
    frame = rows.join(info, on="model", how="left", maintain_order="left")
    beside = folder / "lower_bounds.csv" if folder else None
    if beside is None or not beside.is_file():
        return Imported(
            frame=frame,
            rows_read=raw.height,
            cautions=(
                "scores of guessing stand in lower_bounds.csv, which is not beside this file. Put it there.",
            ),
        )
    bounds = read_file(beside)
    chance = {name: numeric(bounds, name)[0] for name in bounds.columns if name}
    column = pl.col("benchmark").replace_strict(chance, default=None, return_dtype=pl.Float64)
    return Imported(frame=frame.with_columns(chance=column), rows_read=raw.height)


_SIZES = ("Model Family", *(theirs for theirs, _ in _INFO.values()))
OBSSCALING = Importer(
    name="obsscaling",
    schema="model_scores",
    signature=frozenset(("Model", *_SIZES, "XWinograd")),
    convert=lambda raw, folder: _convert(raw, folder, LAYOUTS["benchmarks"], {}),
    doc="ObsScaling (Ruan et al. 2024): benchmarks of base models with size, tokens and compute.",
    shared_header=True,
)
OBSSCALING_FOLDER = Importer(
    name="obsscaling_folder",
    schema="model_scores",
    signature=frozenset(("Model", *_SIZES, "XWinograd")),
    convert=lambda raw, folder: _convert(raw, folder, LAYOUTS["benchmarks"], FILES),
    doc="ObsScaling as a folder: benchmarks, emergent, leaderboard and post-training scores of base models.",
    folder_file=BASE,
    folder_only=True,
    joins=("obsscaling", "obsscaling_emergent", "obsscaling_leaderboard", "obsscaling_post_training"),
)
OBSSCALING_INSTRUCT = _importer(
    "obsscaling_instruct",
    "instruct",
    (*_SIZES, "Arena-Elo", "MTBench"),
    "ObsScaling: benchmarks of instruction-tuned models, with size, tokens and compute.",
)
OBSSCALING_EMERGENT = _importer(
    "obsscaling_emergent",
    "emergent",
    ("arithmetic_3ds_2_acc", "word_unscrambling_2_exact_match"),
    "ObsScaling: tasks said to emerge, joined with the benchmarks of the same base models.",
    ("obsscaling",),
)
OBSSCALING_LEADERBOARD = _importer(
    "obsscaling_leaderboard",
    "leaderboard",
    ("leaderboard_bbh", "leaderboard_mmlu_pro"),
    "ObsScaling: leaderboard v2 scores, joined with the benchmarks of the same base models.",
    ("obsscaling",),
)
OBSSCALING_POST_TRAINING = _importer(
    "obsscaling_post_training",
    "post_training",
    ("gsm8k_cot_8_exact_match,strict-match", "gsm8k_5_exact_match,strict-match"),
    "ObsScaling: prompting techniques (chain of thought, self-consistency) on base models.",
    ("obsscaling",),
)
OBSSCALING_AGENT = _importer(
    "obsscaling_agent",
    "agent",
    ("ABench-OA", "ABoard-Avg_SR"),
    "ObsScaling: agent benchmarks of instruction-tuned models, joined with their benchmarks.",
    ("obsscaling_instruct",),
)
SLOTH = Importer(
    name="sloth",
    schema="model_scores",
    signature=frozenset(
        ("Model", "Family", "Instruct", *(theirs for theirs, _ in _SLOTH.values()), "IFEval")
    ),
    convert=_sloth,
    doc="Sloth (Maia Polo et al. 2024): leaderboard scores with size, tokens, compute and chance.",
)

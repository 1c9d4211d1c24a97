"""The public sheet behind Ho et al. (2024): 408 language models, three perplexity columns.

A record is one system; it becomes one row for each benchmark that it reports, all of
WikiText-103 first, then WikiText-2, then Penn Treebank, each in sheet order. The order matters:
later sorts are stable and ties exist. A record without any perplexity stays as one row without
a benchmark, so that the rule which drops it can be counted in its place.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from isoflop.evidence.importers.interface import Imported, Importer, kept_step, numeric

if TYPE_CHECKING:
    import polars as pl

BENCHMARKS = {"WT103": "Perplexity (WT103)", "WT2": "Perplexity (WT2)", "PTB": "Perplexity (PTB)"}
_TEXT = {
    "system": "System",
    "paper": "Reference",
    "architecture": "Architecture",
    "base_model": "Base Model",
    "organization": "Organizations",
    "organization_type": "Organization Categorization",
    "tokenizer": "Tokenizer",
    "comments": "Comments",
    "source_url": "Link",
}
_NUMBER = {
    "parameters": "Parameters",
    "train_tokens": "Dataset Size",
    "train_flop": "Training Compute",
    "epochs": "Epoch",
    "vocabulary_size": "Vocabulary",
    "zero_shot": "Zero-shot?",
    "citations": "Citations",
}
_FLAG = {
    "is_uncertain": "uncertain",
    "is_included": "Include?",
    "is_outlier": "Outlier?",
    "uses_cache": "Uses Cache",
    "peer_reviewed": "Peer reviewed?",
}


def _convert(raw: pl.DataFrame, folder: Path | None) -> Imported:  # noqa: ARG001 - interface
    import polars as pl

    records = pl.DataFrame(
        [
            pl.Series("record", range(1, raw.height + 1), dtype=pl.Int64),
            *[
                raw[theirs].str.strip_chars().alias(ours)
                for ours, theirs in _TEXT.items()
                if theirs in raw.columns
            ],
            *[numeric(raw, theirs).alias(ours) for ours, theirs in _NUMBER.items() if theirs in raw.columns],
            *[
                (numeric(raw, theirs) != 0).alias(ours)
                for ours, theirs in _FLAG.items()
                if theirs in raw.columns
            ],
            *[numeric(raw, theirs).alias(ours) for ours, theirs in BENCHMARKS.items()],
            raw["Publication date"].str.to_date("%Y/%m/%d", strict=False).alias("publication_date"),
            raw["Publication date"].alias("date_text"),
        ]
    ).with_columns(
        is_transformer=pl.col("architecture") == "Transformer",
        perplexity_first=pl.coalesce(*BENCHMARKS),
    )
    dates, dated = kept_step(
        records,
        pl.col("publication_date").is_not_null(),
        "publication date readable",
        lambda row: f"publication date {row['date_text'] or 'empty'}",
        "system",
    )
    sizes, sized = kept_step(
        dates,
        pl.col("parameters").is_not_null() & pl.col("train_tokens").is_not_null(),
        "parameters and data size are numbers",
        lambda row: f"{'parameters' if row['parameters'] is None else 'data size'} unknown",
        "system",
    )
    positive, above_zero = kept_step(
        sizes,
        (pl.col("parameters") > 0) & (pl.col("train_tokens") > 0),
        "parameters and data size above zero",
        lambda row: f"parameters {row['parameters']:g}, data size {row['train_tokens']:g}",
        "system",
    )
    positive = positive.drop("date_text")
    parts = [
        positive.filter(pl.col(name).is_not_null()).with_columns(
            benchmark=pl.lit(name), perplexity=pl.col(name)
        )
        for name in BENCHMARKS
    ]
    silent = positive.filter(pl.all_horizontal(pl.col(name).is_null() for name in BENCHMARKS)).with_columns(
        benchmark=pl.lit(None, pl.String), perplexity=pl.lit(None, pl.Float64)
    )
    rows = pl.concat([*parts, silent]).drop(*BENCHMARKS).with_columns(task=pl.lit("language"))
    return Imported(frame=rows, rows_read=raw.height, steps=(dated, sized, above_zero))


LM_EVALUATIONS = Importer(
    name="lm_evaluations",
    schema="evaluations",
    signature=frozenset(
        ("System", "Reference", "Publication date", "Parameters", "Dataset Size", *BENCHMARKS.values())
    ),
    convert=_convert,
    doc="Sheet of Ho et al. (2024): language models with perplexities on WT103, WT2 and PTB.",
)

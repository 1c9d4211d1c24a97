"""Make and check the tables of facts that ship in ``isoflop/evidence/tables``.

``python -m validation.facts FOLDER`` reads the typed fact files of FOLDER, adds the columns that
instruments filter on (`level`, `adaptation`, `uses_cache`, `task`, `benchmark`), removes float
noise and writes the shipped tables. With ``--check`` nothing is written and a difference is an
error. What is decided here, and nowhere else:

- *level*: ``token`` where the notes say token-level; ``unstated`` for Pythia, GPT-Neo, GPT-J,
  GPT-NeoX, MPT, GateLoop and MLP Memory rows and for everything trained on the benchmark with a
  50,257-entry subword vocabulary (the H3 and Hyena families); ``word`` otherwise, which includes
  GPT-2, GPT-3, Megatron, Gopher and Chinchilla with their own published procedures.
- *adaptation*: read off the system's name, so that a note about a sibling row cannot leak in.
- *is_transformer*: true for the exact label Transformer only, as everywhere in isoflop; the typed
  facts also counted linear-attention rewrites.
- *sector, training phase*: the words of the schema for the typed ones (`SECTORS`, `PHASES`).
- *aggregates*: studies that are means of others in the table (`AGGREGATES`); pooled with them, a
  result would count twice.
- *trials*: of all tasks where the value is a mean over tasks (`TRIALS`).
- *further papers*: the rows of `validation.typed_studies` follow those of the typed facts.
- *partial credit*: by metric (`PARTIAL`); such values are no success frequencies.
- *image dates and sizes*: days of publication and parameter counts that the typed facts leave
  empty and that were read in public documentation (`IMAGE_DATES`, `IMAGE_PARAMETERS`); the note of
  each row says where.
"""

from __future__ import annotations

import argparse
import csv
import io
import re
import sys
from pathlib import Path

from validation import typed_studies

TABLES = Path(__file__).parents[1] / "src" / "isoflop" / "evidence" / "tables"
LEVEL_UNSTATED = ("Pythia", "GPT-Neo", "GPT-J", "MPT", "GateLoop", "GPT2-")
NUMBERS = {
    "perplexity",
    "parameters",
    "train_tokens",
    "train_images",
    "epochs",
    "top1_error",
    "train_flop",
    "vocabulary_size",
    "price_usd",
    "flop_per_s",
}
ADDED = {
    "language_evaluations": (("task", "level", "adaptation", "uses_cache"), "benchmark"),
    "image_evaluations": (("task", "benchmark"), "paper"),
    "hardware_facts": ((), "hardware"),
    "study_points": (("partial_credit", "is_aggregate"), "y_se"),
    "published_exponents": ((), "domain"),
}
SECTORS = {"collaboration": "both"}
PHASES = {
    "pretrain": "pretraining",
    "finetune": "finetuning",
    "pretrain+finetune": "pretraining_and_finetuning",
    "co-train": "cotraining",
    "co-finetune": "cofinetuning",
    "prompting": "none_prompted",
}
PARTIAL = ("task_score_with_partial_credit", "normalized_score")
"""Metrics that give part marks: the Ravens score of CLIPort, the step score of Lin et al."""
AGGREGATES = (
    "rt1-data-generalisation-all-categories",
    "scaledp-size-average-of-7",
    "smolvla-size-libero-average",
    "smolvla-size-meta-world-average",
)
"""Studies that are means of others in the table; those of EmbodiedBench are told by their subsets."""
TRIALS = {
    "robocasa-data-generated": ("1200", "24 tasks of 50 trials"),
    "tinyvla-size-franka": ("300", "5 tasks of 20 trials with 3 checkpoints"),
    "smolvla-size-libero-spatial": ("100", "10 tasks of 10 trials"),
    "smolvla-size-libero-object": ("100", "10 tasks of 10 trials"),
    "smolvla-size-libero-goal": ("100", "10 tasks of 10 trials"),
    "smolvla-size-libero-long": ("100", "10 tasks of 10 trials"),
    "smolvla-size-libero-average": ("400", "40 tasks of 10 trials"),
}
"""Trials behind a mean over tasks, where the typed facts have those of one task or none."""

IMAGE_DATES = {
    "DeiT": ("2020-12-23", "Hugging Face Transformers documentation of DeiT"),
    "Swin": ("2021-03-25", "record of arXiv 2103.14030 at pith.science"),
    "ConvNeXt": ("2022-01-10", "Hugging Face Transformers documentation of ConvNeXT"),
}
"""By the beginning of the system's name: day of the first version of the paper, and where read."""
IMAGE_PARAMETERS = {
    "DenseNet-121 (k=32)": (7_978_856, "torchvision"),
    "DenseNet-169 (k=32)": (14_149_480, "torchvision"),
    "DenseNet-201 (k=32)": (20_013_928, "torchvision"),
    "DenseNet-161 (k=48)": (28_681_000, "torchvision"),
    "ResNeXt-101 (64x4d)": (83_455_272, "torchvision"),
    "EfficientNet-B4": (19_341_616, "torchvision"),
    "SE-ResNeXt-50 (32x4d)": (27_559_896, "pytorchcv"),
    "SE-ResNeXt-101 (32x4d)": (48_955_416, "pytorchcv"),
}
"""Parameter count of the same architecture as stated in the source of a model library."""

NOT_SEEN = re.compile(r"(not (?:seen|opened|found)) in this \w+")
UNDATED = re.compile(r"(?:; )?publication day not seen[^;]*, so the date is empty")

Row = dict[str, str]


def level(row: Row) -> str:
    """Return word, token or unstated for a language row."""
    if "token-level" in row["notes"]:
        return "token"
    subword = row["zero_shot"] == "0" and row["vocabulary_size"] == "50257"
    return "unstated" if subword or row["system"].startswith(LEVEL_UNSTATED) else "word"


def adaptation(row: Row) -> str:
    """Return the test-time adaptation that a system's name states."""
    name = row["system"]
    found = [
        label
        for label, words in (
            ("dynamic_evaluation", ("dynamic evaluation",)),
            ("retrieval", ("kNN-LM",)),
            ("cache", ("+ cache", "continuous cache", "neural cache")),
        )
        if any(word in name for word in words)
    ]
    return "+".join(found) or "none"


def complete(name: str, row: Row) -> Row:
    """Return a fact row with the added columns and plain numbers."""
    row = row | {"notes": NOT_SEEN.sub(r"\1", row["notes"])}
    if name == "language_evaluations":
        row["task"] = "language"
        row["level"] = level(row)
        row["adaptation"] = adaptation(row)
        row["uses_cache"] = str(int("cache" in row["adaptation"]))
        row["is_transformer"] = str(int(row["architecture"] == "Transformer"))
    if name == "image_evaluations":
        row["task"] = "image_classification"
        row["benchmark"] = "ImageNet"
        extend_image(row)
    if name == "study_points":
        row["sector"] = SECTORS.get(row["sector"], row["sector"])
        row["training_phase"] = PHASES.get(row["training_phase"], row["training_phase"])
        row["partial_credit"] = str(int(row["metric"] in PARTIAL))
        count_trials(row)
    for column in NUMBERS & row.keys():
        if row[column]:
            row[column] = plain(float(row[column]))
    return row


def count_trials(row: Row) -> None:
    """Give a mean over tasks the trials of all of them, and say so in the notes."""
    if row["study_id"] in TRIALS:
        row["n_trials"], why = TRIALS[row["study_id"]]
        row["notes"] = "; ".join(filter(None, (row["notes"], f"n_trials: {why}")))


def mark_aggregates(rows: list[Row]) -> None:
    """Flag the studies that are means of other studies of the table."""
    studies = {row["study_id"] for row in rows}
    for row in rows:
        name = row["study_id"]
        subset = name.startswith("embodiedbench") and name.endswith("-avg")
        whole = subset and f"{name.removesuffix('avg')}base" in studies
        row["is_aggregate"] = str(int(name in AGGREGATES or whole))


def extend_image(row: Row) -> None:
    """Fill an empty date or size that was read elsewhere, and say so in the notes."""
    dated = any(row["system"].startswith(name) for name in IMAGE_DATES)
    typed = UNDATED.sub("", row["notes"]).removeprefix("; ") if dated else row["notes"]
    notes = [typed] if typed else []
    for name, (day, where) in IMAGE_DATES.items():
        if row["system"].startswith(name) and not row["publication_date"]:
            row["publication_date"] = day
            notes.append(f"date: {where}")
    count, library = IMAGE_PARAMETERS.get(row["system"], (None, None))
    if count is not None and not row["parameters"]:
        row["parameters"] = str(count)
        notes.append(f"parameters: count of the same architecture in {library}")
    row["notes"] = "; ".join(notes)


def plain(number: float) -> str:
    """Return a number without float noise: twelve significant digits."""
    rounded = float(f"{number:.12g}")
    return str(int(rounded)) if rounded.is_integer() and rounded < 1e15 else repr(rounded)


def make(name: str, folder: Path) -> str:
    """Return the text of one shipped table."""
    with (folder / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        rows = [complete(name, row) for row in csv.DictReader(file)]
    if name == "study_points":
        header = rows[0].keys()
        rows += [dict.fromkeys(header, "") | row for row in typed_studies.rows()]
        mark_aggregates(rows)
    added, after = ADDED[name]
    header = [column for column in rows[0] if column not in added]
    header[header.index(after) + 1 : header.index(after) + 1] = added
    out = io.StringIO()
    writer = csv.DictWriter(out, header, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def main(arguments: list[str] | None = None) -> int:
    """Write the tables, or compare them with ``--check``."""
    parser = argparse.ArgumentParser(description="Make the shipped tables of facts.")
    parser.add_argument("folder", type=Path, help="folder of the typed fact files")
    parser.add_argument("--check", action="store_true", help="compare only; exit 1 on a difference")
    options = parser.parse_args(arguments)
    stale = []
    for name in ADDED:
        text = make(name, options.folder)
        target = TABLES / f"{name}.csv"
        if options.check:
            if target.read_text(encoding="utf-8") != text:
                stale.append(name)
        else:
            target.write_text(text, encoding="utf-8", newline="")
        print(f"{name}: {text.count(chr(10)) - 1} rows", file=sys.stderr)
    for name in stale:
        print(f"{name}: shipped table differs from the facts. Run without --check.", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    raise SystemExit(main())

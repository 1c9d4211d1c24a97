"""Make and check the shipped tables of published model scores and list prices.

``python -m validation.facts_models FOLDER`` reads the typed facts of FOLDER (``model_benchmarks.csv``,
``model_prices.csv``) and writes the shipped tables of those names in isoflop's columns; ``--check`` compares.
What is decided here, and nowhere else:

- *names*: a tuned model is called "… (instruct)" where the table also has its base model, so that a name
  means one model; prices are those of tuned models and take their names.
- *family*: our reading of the name, without size and edition (`FAMILY_ENDS`).
- *protocol* of ARC-C: whether the model names the letter of an option or the options' texts are scored, told
  by the source (`LETTER`). Only the card of Llama 3.1 prints it; the rest is our reading.
- *date*: days alone; a month stands in the notes.
"""

from __future__ import annotations

import argparse
import csv
import io
import re
import sys
from pathlib import Path

TABLES = Path(__file__).parents[1] / "src" / "isoflop" / "evidence" / "tables"
Row = dict[str, str]

LETTER = ("OLMo 2", "DeepSeek-V3", "Llama 3.1 model card", "GPT-4 Technical Report", "Hunyuan", "Claude 3")
"""Words of the sources whose ARC-C figures are choices of a letter."""
FAMILY_ENDS = re.compile(
    r"\s*\((?!instruct).*?\)|\s+v0\.\d|[\s-]+(?:\d+x\d+B|\d+(?:\.\d+)?B(?:-A\d+B)?)$|"
    r"[\s-]+(?:Haiku|Sonnet|Opus|mini|nano|preview|Flash|Pro|Ultra|small|medium|Lite|Large|Nemo)$"
)
HOSTED = ("Llama 3.1 8B", "Llama 3.1 70B")
"""Open models whose prices are those of one hosting company."""
SCORES = (
    "model", "developer", "family", "date", "params", "params_active", "benchmark", "score", "metric",
    "shots", "protocol", "is_instruct", "source", "locator", "verified", "seen_in", "notes",
)  # fmt: skip
PRICES = (
    "model", "developer", "input_usd_per_mtok", "output_usd_per_mtok", "as_of_date", "source", "locator",
    "verified", "seen_in", "notes",
)  # fmt: skip


def family(name: str) -> str:
    """Return the name of the recipe that a model belongs to.

    Examples
    --------
    >>> [family(n) for n in ("Qwen2.5 72B", "GPT-4o mini (2024-07-18)", "Mixtral 8x7B", "Phi-3-medium 14B")]
    ['Qwen2.5', 'GPT-4o', 'Mixtral', 'Phi-3']
    """
    while (shorter := FAMILY_ENDS.sub("", name)) != name:
        name = shorter
    return name


def names(rows: list[Row]) -> dict[tuple[str, str], str]:
    """Return what each model and variant is called."""
    variants = {(row["model"], row["variant"]) for row in rows}
    return {
        (model, variant): f"{model} (instruct)"
        if variant == "instruct" and (model, "base") in variants
        else model
        for model, variant in variants
    }


def score(row: Row, called: dict[tuple[str, str], str]) -> Row:
    """Return one published score in our columns."""
    day = row["release_date"]
    whole = len(day) == 10
    month = "" if whole or not day else f"released {day}"
    arc = row["benchmark"] == "ARC-C"
    return {
        "model": called[row["model"], row["variant"]],
        "developer": row["developer"],
        "family": family(row["model"]),
        "date": day if whole else "",
        "params": row["params_total"],
        "params_active": row["params_active"],
        "benchmark": row["benchmark"],
        "score": f"{float(row['score']):.12g}",
        "metric": row["metric"],
        "shots": row["shots"],
        "protocol": ("letter" if any(w in row["source"] for w in LETTER) else "full_text") if arc else "",
        "is_instruct": str(int(row["variant"] == "instruct")),
        **{name: row[name] for name in ("source", "locator", "verified", "seen_in")},
        "notes": "; ".join(filter(None, (month, row["notes"]))),
    }


def price(row: Row, called: dict[tuple[str, str], str]) -> Row:
    """Return one list price in our columns."""
    tuned = called.get((row["model"], "instruct"), row["model"])
    note = "price of a hosting company, not of the developer" if row["model"] in HOSTED else ""
    numbers = {end: f"{float(row[end]):.12g}" for end in ("input_usd_per_mtok", "output_usd_per_mtok")}
    return {**{name: row.get(name, "") for name in PRICES}, **numbers, "model": tuned, "notes": note}


def make(folder: Path) -> dict[str, str]:
    """Return the texts of the shipped tables."""
    typed = read(folder / "model_benchmarks.csv")
    called = names(typed)
    return {
        "model_benchmarks": text(SCORES, [score(row, called) for row in typed]),
        "model_prices": text(PRICES, [price(row, called) for row in read(folder / "model_prices.csv")]),
    }


def read(path: Path) -> list[Row]:
    """Return the rows of a file of typed facts."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def text(header: tuple[str, ...], rows: list[Row]) -> str:
    """Return rows as CSV."""
    out = io.StringIO()
    writer = csv.DictWriter(out, header, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def main(arguments: list[str] | None = None) -> int:
    """Write the tables, or compare them with ``--check``."""
    parser = argparse.ArgumentParser(description="Make the shipped tables of model scores and prices.")
    parser.add_argument("folder", type=Path, help="folder of the typed fact files")
    parser.add_argument("--check", action="store_true", help="compare only; exit 1 on a difference")
    options = parser.parse_args(arguments)
    stale = 0
    for name, made in make(options.folder).items():
        target = TABLES / f"{name}.csv"
        if not options.check:
            target.write_text(made, encoding="utf-8", newline="")
        elif target.read_text(encoding="utf-8") != made:
            stale = 1
            print(f"{name}: shipped table differs from the facts. Run without --check.", file=sys.stderr)
        print(f"{name}: {made.count(chr(10)) - 1} rows", file=sys.stderr)
    return stale


if __name__ == "__main__":
    raise SystemExit(main())

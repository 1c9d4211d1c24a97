"""Write the tables that isoflop ships: scores, prompts, models, and the vectors of the prompts."""

from __future__ import annotations

import argparse
import csv
import io
import statistics
from pathlib import Path
from typing import Any

from examples.routing_measurement.checkers import is_right
from examples.routing_measurement.measure import replies
from examples.routing_measurement.pool import POOL
from examples.routing_measurement.prompts import measured_items
from isoflop.evidence.embedded import MEASURED
from isoflop.evidence.prompt_vectors import SHIPPED, write_vectors
from isoflop.findings import write_atomically
from isoflop.routing.encoders import encoder_of

SOURCE = "isoflop_measured"
METRIC = "exact_match"
TABLES = Path("src/isoflop/evidence/tables")


def scores(folder: Path) -> tuple[list[str], list[dict[str, Any]]]:
    """Return the models that answered every prompt, and their rows; answers are checked anew.

    Parameters
    ----------
    folder : Path
        What `measure` wrote.
    """
    items = measured_items()
    kept = {
        model.name: {row["instance_id"]: row for row in replies(folder / f"{model.name}.jsonl")}
        for model in POOL
    }
    whole = [name for name, rows in kept.items() if all(item.instance_id in rows for item in items)]
    return whole, [
        {
            "source": SOURCE,
            "dataset": item.family,
            "instance_id": item.instance_id,
            "model": name,
            "score": int(is_right(item.question, row["text"])),
            "tokens_in": row["tokens_in"],
            "tokens_out": row["tokens_out"],
            "latency_s": f"{row['latency_s']:.2g}",
            "log_likelihood": "" if row["log_likelihood"] is None else f"{row['log_likelihood']:.3g}",
            "metric": METRIC,
        }
        for item in items
        for name in whole
        for row in (kept[name][item.instance_id],)
    ]


def prompts() -> list[dict[str, Any]]:
    """Return the rows of the prompts."""
    return [
        {
            "source": SOURCE,
            "dataset": item.family,
            "instance_id": item.instance_id,
            "prompt": item.question.prompt,
        }
        for item in measured_items()
    ]


def models() -> list[dict[str, Any]]:
    """Return the rows of the catalogue."""
    return [
        {
            "model": model.name,
            "developer": model.developer,
            "params": model.params,
            "licence": model.licence,
            "source": "isoflop routing measurement",
            "locator": "examples/routing_measurement/pool.py",
            "verified": "read",
            "seen_in": MEASURED,
            "notes": model.made_of,
        }
        for model in POOL
    ]


def spread(rows: list[dict[str, Any]]) -> str:
    """Return the share of right answers of each model in each family, as a Markdown table.

    Parameters
    ----------
    rows : list of dict
        With ``dataset``, ``model`` and ``score``.
    """
    right: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        right.setdefault((row["dataset"], row["model"]), []).append(float(row["score"]))
    families, names = ([*dict.fromkeys(key[place] for key in right)] for place in (0, 1))
    mean = {key: statistics.fmean(found) for key, found in right.items()}
    lines = [["family", *names], ["---"] * (len(names) + 1)]
    lines += [[family, *(f"{mean[family, name]:.2f}" for name in names)] for family in families]
    means = (statistics.fmean(mean[family, name] for family in families) for name in names)
    lines.append(["mean", *(f"{value:.3f}" for value in means)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write(name: str, rows: list[dict[str, Any]], folder: Path) -> None:
    """Write rows as a CSV file, whole or not at all."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_atomically(folder / f"{name}.csv", text.getvalue())


def main() -> None:
    """Write the tables from the replies of a measurement."""
    parser = argparse.ArgumentParser(
        prog="python -m examples.routing_measurement.tables", description=__doc__
    )
    parser.add_argument("--work", type=Path, required=True, help="folder with the replies")
    parser.add_argument("--out", type=Path, default=TABLES, help="where the tables go")
    given = parser.parse_args()
    whole, rows = scores(given.work)
    write("measured_model_scores", rows, given.out)
    write("measured_prompts", prompts(), given.out)
    write("measured_models", [row for row in models() if row["model"] in whole], given.out)
    texts, encoder = [row["prompt"] for row in prompts()], encoder_of("static")
    write_vectors(
        given.out / SHIPPED,
        encoder.encode(texts),
        prompts=texts,
        encoder=encoder.name,
        version=encoder.version,
        weights_sha256=encoder.weights_sha256,
    )
    print(f"{len(rows)} scores of {len(whole)} models: {', '.join(whole)}", spread(rows), sep="\n\n")


if __name__ == "__main__":
    main()

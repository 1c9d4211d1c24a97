"""Ask each model each prompt, one after another, and keep what it said.

A run that is stopped goes on where it was: replies are appended to one file per model, a line each.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from examples.routing_measurement.checkers import is_right
from examples.routing_measurement.items import Item
from examples.routing_measurement.models.model import Model


def measure(model: Model, items: tuple[Item, ...], folder: Path) -> None:
    """Measure one model and write ``NAME.jsonl``.

    Parameters
    ----------
    model : Model
    items : tuple of Item
    folder : Path
        Where the replies are kept.
    """
    path = folder / f"{model.name}.jsonl"
    done = {row["instance_id"] for row in replies(path)}
    left = [item for item in items if item.instance_id not in done]
    if not left:
        return
    answer = model.load(folder)
    answer(items[0].question.prompt)  # the first call of a model pays for its start
    with path.open("a", encoding="utf-8") as file:
        for count, item in enumerate(left):
            times = []
            for _ in range(model.repeats):
                start = time.perf_counter()
                reply = answer(item.question.prompt)
                times.append(time.perf_counter() - start)
            row = {
                "instance_id": item.instance_id,
                "family": item.family,
                "text": reply.text,
                "right": is_right(item.question, reply.text),
                "tokens_in": reply.tokens_in,
                "tokens_out": reply.tokens_out,
                "log_likelihood": reply.log_likelihood,
                "latency_s": statistics.median(times),
            }
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            file.flush()
            if count % 50 == 0:
                print(f"{model.name}: {count} of {len(left)}", file=sys.stderr, flush=True)


def replies(path: Path) -> list[dict[str, Any]]:
    """Return the replies kept in a file; a line that was cut short is left out."""
    rows = []
    if path.is_file():
        whole = path.read_text(encoding="utf-8")
        kept = whole[: whole.rfind("\n") + 1]
        if kept != whole:
            path.write_text(kept, encoding="utf-8")
        rows = [json.loads(line) for line in kept.splitlines()]
    return rows

"""Run what is missing, keep each run as it ends, and write the table from what was kept."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np

from isoflop.findings import write_atomically
from validation.tiny_chinchilla import model, train
from validation.tiny_chinchilla.design import Plan
from validation.tiny_chinchilla.source import Grammar
from validation.tiny_chinchilla.texts import BLOCK, HELD_OUT, WHEEL_SHA256, Text

Run = dict[str, object]

COLUMNS = (
    "run_id", "source", "family", "dataset", "architecture", "params", "params_no_embed", "tokens",
    "unique_tokens", "train_flop", "budget_flop", "lr", "batch_tokens", "n_repeats", "is_final", "date",
    "loss_nats", "loss_se", "tokenizer", "validation_set", "entropy_rate_nats", "seed", "locator",
    "verified", "notes",
)  # fmt: skip
"""Columns of the schema `scaling_runs` that the table fills."""
MEASURED = ("loss_nats", "loss_se", "cpu_s", "date")
"""What a run adds to its plan."""


def settings_of(plan: Plan, grammar: Grammar) -> str:
    """Return a short digest of all that a run depends on; a kept run with another one is done again."""
    what = {
        "run": plan.run_id,
        "shape": asdict(plan.shape),
        "characters": plan.characters,
        "lr": plan.lr,
        "batch": plan.batch,
        "grammar": asdict(grammar),
        "text": WHEEL_SHA256,
        "rest": [model.CONTEXT, train.WARM_UP, train.BETAS, train.BLOCKS, HELD_OUT, BLOCK],
    }
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:12]


def run_one(plan: Plan, text: Text, tick: Callable[[float], None]) -> Run:
    """Train and test one model; CPU seconds include drawing the text and testing."""
    began = time.process_time()
    key = int.from_bytes(hashlib.sha256(plan.run_id.encode()).digest()[:8], "big")
    to_draw, to_train = np.random.default_rng(key).spawn(2)
    seen = text.training(plan.characters, to_draw)
    weights = train.train(plan.shape, seen, lr=plan.lr, batch=plan.batch, rng=to_train, tick=tick)
    loss = train.held_out(weights, text.held_out)
    return {
        "loss_nats": loss.mean,
        "loss_se": loss.se,
        "cpu_s": time.process_time() - began,
        "date": datetime.now(UTC).date().isoformat(),
    }


def kept(plan: Plan, grammar: Grammar, folder: Path) -> Run | None:
    """Return the kept run of a plan, or None where there is none under the present settings."""
    path = folder / f"{plan.run_id}.json"
    if not path.is_file():
        return None
    run: Run = json.loads(path.read_text(encoding="utf-8"))
    return run if run.get("settings") == settings_of(plan, grammar) and set(MEASURED) <= set(run) else None


def carry_out(
    todo: Iterable[tuple[Plan, Text]],
    grammar: Grammar,
    folder: Path,
    tick: Callable[[Plan, float], None],
    done: Callable[[Plan, Run], None],
) -> None:
    """Do every run that is not kept yet; each is kept the moment it ends, so an interrupted study goes on."""
    for plan, text in todo:
        run = kept(plan, grammar, folder)
        if run is None:
            run = run_one(plan, text, partial(tick, plan))
            run["settings"] = settings_of(plan, grammar)
            write_atomically(folder / f"{plan.run_id}.json", json.dumps(run, indent=1) + "\n")
        done(plan, run)


def row(plan: Plan, text: Text, run: Run) -> dict[str, object]:
    """Return the table row of a finished run."""
    return {
        "run_id": plan.run_id,
        "source": "isoflop tiny_chinchilla",
        "family": "mlp",
        "dataset": text.name,
        "architecture": f"MLP over {model.CONTEXT} characters, residual, width {plan.shape.width}, "
        f"embedding {plan.shape.embedding}",
        "params": plan.shape.params,
        "params_no_embed": plan.shape.params_no_embed,
        "tokens": plan.characters,
        "unique_tokens": plan.characters,
        "train_flop": f"{plan.flop:.10g}",
        "budget_flop": f"{plan.budget_flop:.10g}",
        "lr": plan.lr,
        "batch_tokens": plan.batch,
        "n_repeats": 1,
        "is_final": "true",
        "date": run["date"],
        "loss_nats": f"{run['loss_nats']:.6f}",
        "loss_se": f"{run['loss_se']:.6f}",
        "tokenizer": "characters",
        "validation_set": f"{text.name} held out",
        "entropy_rate_nats": "" if text.entropy_rate is None else f"{text.entropy_rate:.8f}",
        "seed": plan.seed,
        "locator": f"python -m validation.tiny_chinchilla, run {plan.run_id}",
        "verified": "measured",
        "notes": text.title,
    }


def table(rows: Iterable[dict[str, object]]) -> str:
    """Return rows as the text of a CSV file."""
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()

"""Tables of known truth: runs with losses and accuracies, and public models with capabilities."""

from __future__ import annotations

import numpy as np
import polars as pl

from isoflop.evidence import Table, load

SIZES = (2e8, 4e8, 8e8, 1.6e9, 3.2e9)
MULTIPLES = (10.0, 20.0, 40.0, 100.0, 200.0)
TARGETS = ((7e9, 2e12), (1.3e10, 4e12))


def task_loss(params: np.ndarray, tokens: np.ndarray, task: int) -> np.ndarray:
    """Bits per byte of a task, a Chinchilla law."""
    return np.asarray(0.5 + 0.05 * task + 300.0 * params**-0.33 + 800.0 * tokens**-0.35)


def accuracy(loss: np.ndarray, task: int) -> np.ndarray:
    """A logistic of the loss between chance .25 and 1."""
    return np.asarray(0.25 + 0.75 / (1.0 + np.exp(6.0 * (loss - 0.9 - 0.05 * task))))


def runs_frame(
    *,
    tasks: int = 3,
    noise: float = 0.0,
    seed: int = 0,
    checkpoints: bool = False,
    n_items: float | None = 2000.0,
) -> pl.DataFrame:
    """Return long rows of a ladder with two larger runs of a family named target."""
    rng = np.random.default_rng(seed)
    grid = [(n, n * m, "ladder") for n in SIZES for m in MULTIPLES] + [(n, d, "target") for n, d in TARGETS]
    rows = []
    for params, tokens, family in grid:
        run = f"{params:.0e}-{tokens:.0e}"
        for step, share in ((1.0, 0.9), (2.0, 1.0)) if checkpoints else ((2.0, 1.0),):
            place = {
                "run_id": run,
                "source": "made",
                "family": family,
                "params": params,
                "tokens": tokens * share,
                "step": step,
                "is_final": share == 1.0,
            }
            base = np.asarray(tokens * share)
            val = 1.8 + 400.0 * params**-0.33 + 900.0 * base**-0.35
            rows.append({**place, "task": "c4", "kind": "val_loss_nats", "value": float(val)})
            for task in range(tasks):
                loss = task_loss(np.asarray(params), base, task) * np.exp(noise * rng.normal())
                score = np.clip(accuracy(loss, task) + noise * rng.normal(), 0.0, 1.0)
                facts = {"task": f"task_{task}", "chance": 0.25, "n_items": n_items}
                rows.append({**place, **facts, "kind": "task_loss_bpb", "value": float(loss)})
                rows.append({**place, **facts, "kind": "accuracy", "value": float(score)})
    return pl.DataFrame(rows, infer_schema_length=None)


def runs_table(frame: pl.DataFrame | None = None, **settings: object) -> Table:
    """Return the rows as evidence."""
    return load(runs_frame(**settings) if frame is None else frame, schema="downstream_runs")  # type: ignore[arg-type]


def scores_frame(
    *, families: int = 8, sizes: int = 5, noise: float = 0.0, seed: int = 0, gaps: float = 0.0
) -> pl.DataFrame:
    """Return long rows of models whose single capability rises with compute, by family."""
    rng = np.random.default_rng(seed)
    rows = []
    for f in range(families):
        level, slope = rng.normal(0.0, 0.5), 0.6 + 0.05 * rng.normal()
        for s in range(sizes):
            params = 1e8 * 4.0 ** (s + rng.uniform(0.0, 0.5))
            tokens = 3e11 * 2.0 ** rng.normal()
            flop = 6 * params * tokens
            ability = level + slope * np.log(flop / 3e21)
            model = {
                "model": f"m{f}-{s}",
                "family": f"family {f}",
                "params": params,
                "tokens": tokens,
                "train_flop": flop,
            }
            for b, (weight, shift) in enumerate(
                ((1.0, 0.0), (0.8, -0.5), (0.6, 0.5), (0.9, -1.0), (0.7, 0.2))
            ):
                if rng.uniform() < gaps:
                    continue
                # nearly linear, as on the middle of a scale
                score = 0.5 + 0.06 * (weight * ability + shift) + noise * rng.normal()
                rows.append({**model, "benchmark": f"bench {b}", "score": float(np.clip(score, 0.0, 1.0))})
            target = 0.25 + 0.75 / (1.0 + np.exp(-(ability - 1.0))) + noise * rng.normal()
            rows.append(
                {**model, "benchmark": "target", "score": float(np.clip(target, 0.0, 1.0)), "chance": 0.25}
            )
    return pl.DataFrame(rows, infer_schema_length=None)


def scores_table(frame: pl.DataFrame | None = None, **settings: object) -> Table:
    """Return the rows as evidence."""
    return load(scores_frame(**settings) if frame is None else frame, schema="model_scores")  # type: ignore[arg-type]

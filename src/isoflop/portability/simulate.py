"""Runs with known truth: functions that fail or slow down by a planted amount, timed with planted noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import SettingError

if TYPE_CHECKING:
    from isoflop.portability.runs import Run

FloatArray = NDArray[np.float64]

STATUSES = ("success", "fallback", "partial", "complete", "skipped")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedRun:
    """What is true of a framework on a target, and how well it is measured.

    Parameters
    ----------
    functions, samples, processes, blocks : int
        Functions, samples of inputs each, process repeats and timed blocks.
    sizes : tuple of str
        Rungs of the size ladder, each with all samples.
    fallback, partial, complete, skipped : float
        Chances that a function only passes with fallback, fails on some or all samples, or is skipped.
    slowdown_median : float, > 0
        Median over functions of the true ratio.
    slowdown_sd, sample_sd, process_sd, block_sd : float, >= 0
        Spread of ln ratios: of functions, of samples within them, of processes, of blocks.
    dispatch : float, in [0, 1]
        Chance that a sample is dispatch-bound.
    framework, target, reference, level, protocol : str

    Examples
    --------
    >>> run, truth = PlantedRun(functions=5, samples=1).draw(np.random.default_rng(0))
    >>> run.frame().height, len(truth)
    (15, 5)
    """

    functions: int = 40
    samples: int = 2
    processes: int = 3
    blocks: int = 9
    sizes: tuple[str, ...] = ("small",)
    fallback: float = 0.0
    partial: float = 0.0
    complete: float = 0.0
    skipped: float = 0.0
    slowdown_median: float = 2.0
    slowdown_sd: float = 0.5
    sample_sd: float = 0.1
    process_sd: float = 0.02
    block_sd: float = 0.03
    dispatch: float = 0.0
    framework: str = "made"
    target: str = "made:other"
    reference: str = "made:plain"
    level: str = "ran"
    protocol: str = "1"

    def __post_init__(self) -> None:
        lost = (self.fallback, self.partial, self.complete, self.skipped)
        if min(lost) < 0 or sum(lost) > 1:
            raise SettingError(
                f"PlantedRun: chances {lost}, must be >= 0 with a sum of at most 1. Lower some of them."
            )

    def draw(self, rng: np.random.Generator) -> tuple[Run, dict[str, dict[str, Any]]]:
        """Return a run and, by function, its true ``status`` and ``ratio``.

        The true ratio is that of the function's own samples: what a run without noise would give.
        """
        lost = (self.fallback, self.partial, self.complete, self.skipped)
        kinds = rng.choice(STATUSES, size=self.functions, p=(1 - sum(lost), *lost))
        level = np.log(self.slowdown_median) + self.slowdown_sd * rng.normal(size=self.functions)
        rows: list[dict[str, Any]] = []
        truth: dict[str, dict[str, Any]] = {}
        for i, kind in enumerate(kinds):
            name = f"{self.framework}.f{i:04d}"
            tasks = [(size, sample) for size in self.sizes for sample in range(self.samples)]
            logs = level[i] + self.sample_sd * rng.normal(size=len(tasks))
            status = [_status(str(kind), j, len(tasks)) for j in range(len(tasks))]
            timed = [log for log, one in zip(logs, status, strict=True) if one in ("ok", "ok_fallback")]
            truth[name] = {"status": str(kind), "ratio": float(np.exp(np.mean(timed))) if timed else None}
            # A process shifts all of a function's timings together.
            shifts = self.process_sd * rng.normal(size=self.processes)
            for (size, sample), log, one in zip(tasks, logs, status, strict=True):
                for repeat in range(self.processes):
                    row = self._row(name, size, sample, repeat, one)
                    rows.append(row | self._timing(rng, log + shifts[repeat], one))
        return run_of(rows), truth

    def _row(self, name: str, size: str, sample: int, repeat: int, status: str) -> dict[str, Any]:
        from isoflop.portability.task import digest

        return {
            "schema_version": 1,
            "run_id": "made",
            "task_id": digest(name, size, sample, self.target),
            "repeat": repeat,
            "framework": self.framework,
            "target": self.target,
            "target_level": self.level,
            "reference": self.reference,
            "policy": "fallback",
            "function": name,
            "dtype": "float32",
            "size_class": size,
            "sample_id": digest(name, size, sample),
            "status": status,
            "reason": {"error": "not_implemented", "ok_fallback": "placement"}.get(status),
            "protocol": self.protocol,
        }

    def _timing(self, rng: np.random.Generator, log: float, status: str) -> dict[str, Any]:
        if status not in ("ok", "ok_fallback") or self.protocol == "none":
            return {}
        reference = 1e-3 * np.exp(self.block_sd * rng.normal(size=self.blocks))
        target = 1e-3 * np.exp(log + self.block_sd * rng.normal(size=self.blocks))
        median = float(np.median(target))
        return {
            "median_s": median,
            "reference_median_s": float(np.median(reference)),
            "first_s": 20 * median * float(np.exp(0.5 * rng.normal())),
            "prepare_s": 0.5,
            "block_log_ratios": " ".join(f"{v:.6f}" for v in np.log(target / reference)),
            "n_blocks": self.blocks,
            "is_dispatch_bound": bool(rng.random() < self.dispatch),
            "is_noisy": False,
        }


def run_of(rows: list[dict[str, Any]]) -> Run:
    """Return result rows as a `Run`, checked against schema ``portability_results``."""
    import polars as pl

    from isoflop.evidence import load
    from isoflop.portability.runs import Run

    frame = pl.DataFrame(rows, infer_schema_length=None)
    return Run(table=load(frame, schema="portability_results", name="made"))


def _status(kind: str, task: int, tasks: int) -> str:
    if kind == "partial" and tasks > 1:
        return "error" if task == 0 else "ok"
    return {
        "success": "ok", "fallback": "ok_fallback", "partial": "error", "complete": "error",
        "skipped": "skipped",
    }[kind]  # fmt: skip

"""What benchmark stitching found: capabilities, difficulties, and the scale they are read on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.errors import EvidenceError, SettingError, closest
from isoflop.findings import Estimate, Finding, Provenance, json_ready
from isoflop.present.notebook import result_html
from isoflop.progress.capability.stitching_fit import (
    LOCATION_BOUND,
    SLOPE_BOUNDS,
    FloatArray,
    IntArray,
    logistic,
)
from isoflop.stats.resample import Bootstrap

if TYPE_CHECKING:
    import polars as pl

THIN = 3
"""A model seen on fewer benchmarks than this is flagged."""
SEED = 42
"""Of the first start, as published; the minimum does not depend on it where it is the only one."""
_LEAST_DRAWS = 20
"""A model or benchmark in fewer draws than this gets no interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorBenchmark:
    """One benchmark fixes the scale: its difficulty is the origin, its slope the unit."""

    name: str = "Winogrande"
    difficulty: float = 0.0
    slope: float = 1.0

    def __post_init__(self) -> None:
        if not SLOPE_BOUNDS[0] <= self.slope <= SLOPE_BOUNDS[1]:
            raise SettingError(
                f"AnchorBenchmark: slope={self.slope}, must lie in [{SLOPE_BOUNDS[0]}, {SLOPE_BOUNDS[1]}]. "
                "Use 1."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorModels:
    """Two models fix the scale: both capabilities are given."""

    first: str
    first_capability: float
    second: str
    second_capability: float

    def __post_init__(self) -> None:
        if self.first == self.second or self.first_capability == self.second_capability:
            raise SettingError("AnchorModels: needs two models of different capability. Change one of them.")
        if max(abs(self.first_capability), abs(self.second_capability)) > LOCATION_BOUND:
            raise SettingError(
                f"AnchorModels: capabilities must lie within ±{LOCATION_BOUND:g}. Rescale them."
            )


Anchor = AnchorBenchmark | AnchorModels


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexScale:
    """index = intercept + unit · capability.

    Examples
    --------
    >>> scale = IndexScale.through((0.9184, 130.0), (1.8255, 150.0))
    >>> round(scale.index(1.8255), 6)
    150.0
    """

    intercept: float
    unit: float

    @classmethod
    def through(cls, first: tuple[float, float], second: tuple[float, float]) -> IndexScale:
        """Return the scale on which two capabilities have two given index values.

        Parameters
        ----------
        first, second : (capability, index)
        """
        (c_1, i_1), (c_2, i_2) = first, second
        if c_1 == c_2 or i_1 == i_2:
            raise SettingError(
                "IndexScale: the two anchors coincide, needs different ones. Choose another model."
            )
        unit = (i_2 - i_1) / (c_2 - c_1)
        return cls(intercept=i_1 - unit * c_1, unit=unit)

    def index(self, capability: float) -> float:
        """Return the index of a capability or of a benchmark's difficulty."""
        return self.intercept + self.unit * capability

    def capability(self, index: float) -> float:
        """Return the capability of an index value."""
        return (index - self.intercept) / self.unit

    def slope(self, slope: float) -> float:
        """Return a benchmark's slope per unit of the index."""
        return slope / self.unit


EPOCH_SCALE = IndexScale(intercept=109.748110, unit=22.049960)
"""Scale of the Epoch Capabilities Index: Claude 3.5 Sonnet 130, GPT-5 150, Winogrande the origin of C."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stitching:
    """Capabilities and difficulties on one scale.

    Parameters
    ----------
    models, benchmarks : tuple of str, sorted
    capability : array, shape (n_models,)
    difficulty, slope : arrays, shape (n_benchmarks,)
    capability_draws, difficulty_draws, slope_draws : arrays, shape (draws, …)
        Bootstrap; NaN where a draw holds no score of the model or benchmark. Zero rows without one.
    benchmarks_of_model, models_of_benchmark : int arrays
    objective : float
        Half the sum of squares, the extra residual included (SciPy's cost).
    gradient_norm : float
        Certificate: largest component of the projected gradient.
    start_objectives : tuple of float
        Where each start ended, in order.
    residual_sd : float
        Root mean square of score residuals.
    n : int
        Scores used.
    """

    models: tuple[str, ...]
    benchmarks: tuple[str, ...]
    capability: FloatArray
    difficulty: FloatArray
    slope: FloatArray
    capability_draws: FloatArray
    difficulty_draws: FloatArray
    slope_draws: FloatArray
    benchmarks_of_model: IntArray
    models_of_benchmark: IntArray
    release_date: tuple[dt.date | None, ...]
    is_distilled: tuple[bool | None, ...]
    objective: float
    gradient_norm: float
    iterations: int
    start_objectives: tuple[float, ...]
    residual_sd: float
    anchor: Anchor
    scale: IndexScale
    ci: Bootstrap | None
    n: int
    n_failed: int
    cautions: tuple[str, ...]
    provenance: tuple[Provenance, ...]

    def predict(self, model: str, benchmark: str) -> float:
        """Return the fitted score of a model on a benchmark, taken or not."""
        c = self.capability[position("predict", model, self.models)]
        b = position("predict", benchmark, self.benchmarks)
        return float(logistic(np.asarray(self.slope[b] * (c - self.difficulty[b]))))

    def frame(self) -> pl.DataFrame:
        """Return one row per model, most capable first; `index` is on `scale`."""
        import polars as pl

        low, high = self._bounds(self.capability_draws)
        return (
            pl.DataFrame(
                {
                    "model": self.models,
                    "capability": self.capability,
                    "low": low,
                    "high": high,
                    "index": self.scale.intercept + self.scale.unit * self.capability,
                    "index_low": self.scale.intercept + self.scale.unit * low,
                    "index_high": self.scale.intercept + self.scale.unit * high,
                    "n_benchmarks": self.benchmarks_of_model,
                    "is_thin": self.benchmarks_of_model < THIN,
                    "release_date": pl.Series(self.release_date, dtype=pl.Date),
                    "is_distilled": pl.Series(self.is_distilled, dtype=pl.Boolean),
                },
            )
            .with_columns(pl.col(pl.Float64).fill_nan(None))
            .sort("capability", "model", descending=[True, False])
        )

    def benchmark_frame(self) -> pl.DataFrame:
        """Return one row per benchmark, easiest first."""
        import polars as pl

        d_low, d_high = self._bounds(self.difficulty_draws)
        s_low, s_high = self._bounds(self.slope_draws)
        return (
            pl.DataFrame(
                {
                    "benchmark": self.benchmarks,
                    "difficulty": self.difficulty,
                    "difficulty_low": d_low,
                    "difficulty_high": d_high,
                    "slope": self.slope,
                    "slope_low": s_low,
                    "slope_high": s_high,
                    "index_difficulty": self.scale.intercept + self.scale.unit * self.difficulty,
                    "index_slope": self.slope / self.scale.unit,
                    "n_models": self.models_of_benchmark,
                }
            )
            .with_columns(pl.col(pl.Float64).fill_nan(None))
            .sort("difficulty", "benchmark")
        )

    def findings(self) -> tuple[Finding, ...]:
        """Return the objective with its certificate; rows go to the tables."""
        return (
            Finding(
                id="progress.stitching_objective",
                instrument="progress",
                label="Objective of benchmark stitching",
                estimate=Estimate(value=self.objective, unit="1"),
                method=(
                    "bounded least squares of score = logistic(s (C - D)), half the sum of squares with the "
                    f"extra residual; {anchor_text(self.anchor)}"
                ),
                n=self.n,
                evidence=self.provenance,
                seed=SEED,
                cautions=self.cautions,
                details={
                    "certificate": self.gradient_norm,
                    "iterations": self.iterations,
                    "start_objectives": list(self.start_objectives),
                    "models": len(self.models),
                    "benchmarks": len(self.benchmarks),
                    "thin_models": int(np.sum(self.benchmarks_of_model < THIN)),
                    "residual_sd": self.residual_sd,
                    "scale": {"intercept": self.scale.intercept, "unit": self.scale.unit},
                    "draws_used": len(self.capability_draws),
                    "draws_failed": self.n_failed,
                },
            ),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping."""
        return {
            "objective": self.objective,
            "certificate": self.gradient_norm,
            "models": json_ready(self.frame().to_dicts()),
            "benchmarks": json_ready(self.benchmark_frame().to_dicts()),
            "cautions": list(self.cautions),
            "provenance": [p.to_dict() for p in self.provenance],
        }

    def summary(self) -> str:
        """Return a text of one screen."""
        lines = [
            f"{len(self.models)} models on {len(self.benchmarks)} benchmarks, {self.n} scores; "
            f"{anchor_text(self.anchor)}",
            f"objective {self.objective:.9f}, projected gradient {self.gradient_norm:.1e}, "
            f"residual sd {self.residual_sd:.3f} of score",
            "Most capable:",
        ]
        for row in self.frame().head(10).iter_rows(named=True):
            span = "" if row["low"] is None else f" ({row['low']:.2f} to {row['high']:.2f})"
            lines.append(f"  {row['model']:<40} {row['capability']:6.2f}{span}  index {row['index']:.1f}")
        return "\n".join([*lines, *(f"Caution: {note}" for note in self.cautions)])

    def __repr__(self) -> str:
        return self.summary()

    def _bounds(self, draws: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return percentile bounds per column from finite draws; NaN where too few."""
        columns = draws.shape[1]
        if self.ci is None:
            return np.full(columns, np.nan), np.full(columns, np.nan)
        enough = np.sum(np.isfinite(draws), axis=0) >= _LEAST_DRAWS
        bounds = np.full((2, columns), np.nan)
        tail = (1 - self.ci.level) / 2
        bounds[:, enough] = np.nanquantile(draws[:, enough], [tail, 1 - tail], axis=0)
        return bounds[0], bounds[1]

    _repr_html_ = result_html


def anchor_text(anchor: Anchor) -> str:
    """Return the anchor in words."""
    if isinstance(anchor, AnchorBenchmark):
        return f"anchor {anchor.name} (difficulty {anchor.difficulty:g}, slope {anchor.slope:g})"
    return (
        f"anchors {anchor.first} ({anchor.first_capability:g}) and "
        f"{anchor.second} ({anchor.second_capability:g})"
    )


def position(where: str, name: str, names: Sequence[str]) -> int:
    """Return the place of `name`, or refuse with the closest one."""
    if name in names:
        return names.index(name)
    near = closest(name, names)
    hint = f"Did you mean {near!r}?" if near else f"It has {', '.join(names[:5])} and others."
    raise EvidenceError(f"{where}: {name!r} is not in the stitched table, needs one that is. {hint}")

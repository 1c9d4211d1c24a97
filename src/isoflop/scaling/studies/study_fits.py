"""The result of `scaling.fit_studies`: each study's own estimates and its likelihood for pooling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from isoflop.findings import Provenance, json_ready
from isoflop.present import formats
from isoflop.present.notebook import result_html
from isoflop.scaling.studies.alone import Alone
from isoflop.scaling.studies.levels import CurveSet, Floor
from isoflop.scaling.studies.likelihood import HIGH, LOW
from isoflop.scaling.studies.sample import StudySample
from isoflop.scaling.studies.sartor2024 import BIAS_CAUTION, PercentFits, halving_factor

if TYPE_CHECKING:
    import polars as pl

Method = Literal["hierarchical", "sartor2024"]
METHODS: tuple[Method, ...] = ("hierarchical", "sartor2024")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ResourceCurves:
    """Likelihood curves of the studies of one resource, under each floor left open.

    Parameters
    ----------
    which : int array, shape (S_r,)
        Rows of the sample.
    sets : tuple of CurveSet
    """

    which: NDArray[np.int64]
    sets: tuple[CurveSet, ...]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class StudyFits:
    """Fits of many studies.

    Parameters
    ----------
    sample : StudySample
    method : {"hierarchical", "sartor2024"}
        Which estimate leads.
    floor : {"none", "free", "shared"}
    curves : mapping of resource to ResourceCurves
    alone : Alone
        Each study by itself, E = 0.
    percent : PercentFits
        The published method's fits.
    """

    sample: StudySample
    method: Method
    floor: Floor
    curves: Mapping[str, ResourceCurves]
    alone: Alone
    percent: PercentFits

    @property
    def floor_ratio(self) -> dict[str, float | None]:
        """Posterior mean of E over the smallest error by resource; None where studies differ."""
        out: dict[str, float | None] = {}
        for resource, found in self.curves.items():
            known = [s.ratio * s.weight for s in found.sets if s.ratio is not None]
            out[resource] = sum(known) if known else None
        return out

    @property
    def cautions(self) -> tuple[str, ...]:
        """What limits the fits."""
        said = list(self.sample.notes)
        silent = int((~self.alone.usable).sum())
        if silent:
            said.append(
                f"{silent} of {self.sample.n} studies leave their exponent open on a side (no error, or no "
                "trend that their trials could show): they stay in the pool by their likelihood and have no "
                "standard error. More trials cure it."
            )
        rising = int((self.alone.alpha < 0).sum())
        if rising:
            said.append(
                f"the error rises with the resource in {rising} of {self.sample.n} studies: they stay in. "
                "Leaving them out would inflate the mean."
            )
        saturated = int((self.sample.facts["points"] <= 3).sum())
        if saturated:
            said.append(
                f"{saturated} of {self.sample.n} studies have three points or fewer: no floor and no R² can "
                "be judged on them. More scales cure it."
            )
        if self.method == "sartor2024":
            said.insert(0, BIAS_CAUTION)
        return (*said, *self.sample.table.cautions)

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the fits."""
        return self.sample.provenance

    def frame(self) -> pl.DataFrame:
        """Return one row a study: what it is, its own estimate, and the published method's."""
        import polars as pl

        alone, percent = self.alone, self.percent
        columns = [
            "study",
            "paper_id",
            "resource",
            "familiarity",
            "model_class",
            "x_unit",
            "points",
            "decades",
        ]
        return self.sample.facts.select(columns).with_columns(
            alpha=_nullable(alone.alpha),
            exponent=_nullable(-alone.alpha),
            se=_nullable(alone.se),
            low=_nullable(-alone.high),
            high=_nullable(-alone.low),
            halving_factor=_nullable([halving_factor(a) if a > 0 else np.nan for a in alone.alpha]),
            sartor_exponent=_nullable(percent.exponent),
            sartor_floor_percent=_nullable(percent.floor),
            sartor_r2=_nullable(percent.r2),
            sartor_kept=pl.Series(percent.kept()),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return settings and the per-study table, JSON-ready."""
        return {
            "method": self.method,
            "floor": self.floor,
            "floor_ratio": json_ready(self.floor_ratio),
            "default_trials": self.sample.default_trials,
            "studies": [json_ready(row) for row in self.frame().to_dicts()],
            "cautions": list(self.cautions),
            "provenance": [p.to_dict() for p in self.provenance],
        }

    def summary(self) -> str:
        """Return a text of a few lines."""
        alone = self.alone.alpha[self.alone.usable]
        lines = [
            f"{self.sample.n} studies of {self.sample.n_papers} papers, {self.sample.n_points} points",
            f"own exponents: median {formats.number(-float(np.median(alone)))} over {alone.size} studies "
            f"with a standard error; grid of alpha {LOW:g} to {HIGH:g}"
            if alone.size
            else "no study determines its exponent by itself",
        ]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"StudyFits ({self.method}, floor {self.floor})\n{self.summary()}"

    _repr_html_ = result_html


def _nullable(values: Any) -> pl.Series:
    import polars as pl

    return pl.Series(np.asarray(values, float)).fill_nan(None).replace([np.inf, -np.inf], None)

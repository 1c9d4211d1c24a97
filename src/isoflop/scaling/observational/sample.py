"""Models by benchmarks: the target, what shapes the components, and which models are held out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import EvidenceError, SettingError, closest
from isoflop.evidence.table import Step
from isoflop.scaling.model import Array

if TYPE_CHECKING:
    from isoflop.evidence.table import Table

Mask = NDArray[np.bool_]

SHARE_KNOWN = 0.75
"""Benchmarks that a smaller share of the table's models have taken do not shape the components."""
FEW = 8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scores:
    """One row a model.

    Parameters
    ----------
    table : Table
    target : str
    models, families : tuple of n str
    scores : array, shape (n, m)
        Of the benchmarks that shape the components, NaN where unknown; the target is none of them.
    benchmarks : tuple of m str
    outcome : array, shape (n,)
        The target's score, NaN where unknown.
    chance : float or None
        Of the target.
    params, tokens, flop : arrays, shape (n,)
        NaN where unknown.
    steps : tuple of Step
    """

    table: Table
    target: str
    models: tuple[str, ...]
    families: tuple[str, ...]
    scores: Array
    benchmarks: tuple[str, ...]
    outcome: Array
    chance: float | None
    params: Array
    tokens: Array
    flop: Array
    steps: tuple[Step, ...]

    @property
    def n(self) -> int:
        """Number of models."""
        return len(self.models)

    @property
    def usable(self) -> Mask:
        """Models whose target score and compute are known, shape (n,)."""
        return np.isfinite(self.outcome) & np.isfinite(self.flop)

    def of_family(self, family: str) -> Mask:
        """Return which models belong to a family, shape (n,)."""
        return np.array([name == family for name in self.families])

    def only(self, keep: Mask) -> Scores:
        """Return the models where `keep` holds."""
        rows = np.flatnonzero(keep)
        return replace(
            self,
            models=tuple(self.models[i] for i in rows),
            families=tuple(self.families[i] for i in rows),
            **{name: getattr(self, name)[rows] for name in ("scores", "outcome", "params", "tokens", "flop")},
        )


def arrange(table: Table, *, target: str, benchmarks: tuple[str, ...] | None = None) -> Scores:
    """Arrange a table of schema ``model_scores`` by model.

    Parameters
    ----------
    target : str
        Benchmark to be predicted.
    benchmarks : tuple of str, optional
        What shapes the components; default: every other benchmark that three quarters of the
        table's models have taken.

    Raises
    ------
    SettingError
        An unknown benchmark.
    EvidenceError
        Too few models took the target.
    """
    import polars as pl

    frame = table.frame
    every = frame["benchmark"].unique(maintain_order=True).to_list()
    for name in (target, *(benchmarks or ())):
        if name not in every:
            near = closest(name, every)
            hint = f"Did you mean {near!r}?" if near else f"Use {every[0]!r}, say."
            raise SettingError(f"observe: no benchmark {name!r} in {table.name}. {hint}")
    taken = set(frame.filter(pl.col("benchmark") == target)["model"])
    if len(taken) < FEW:
        raise EvidenceError(
            f"observe: {len(taken)} models took {target}, needs at least {FEW}. Choose another benchmark."
        )
    here = frame.filter(pl.col("model").is_in(taken))
    counts = dict(frame.group_by("benchmark").agg(pl.col("model").n_unique()).iter_rows())
    others = [name for name in every if name != target]
    least = SHARE_KNOWN * frame["model"].n_unique()
    chosen = (
        tuple(name for name in others if counts.get(name, 0) >= least)
        if benchmarks is None
        else tuple(name for name in benchmarks if name != target)
    )
    if not chosen:
        raise EvidenceError(
            "observe: no other benchmark was taken by three quarters of the models. Name them with "
            "benchmarks=."
        )
    wide = here.filter(pl.col("benchmark").is_in([target, *chosen])).pivot(
        on="benchmark", index="model", values="score", aggregate_function="first", maintain_order=True
    )
    facts = here.unique("model", keep="first", maintain_order=True).select(
        "model", "family", "params", "tokens", "train_flop"
    )
    joined = wide.join(facts, on="model", how="left", maintain_order="left")
    left_out = tuple(f"benchmark {name}" for name in others if name not in chosen)
    chance = here.filter(pl.col("benchmark") == target)["chance"].drop_nulls()

    def column(name: str) -> Array:
        return np.asarray(joined[name].cast(pl.Float64).fill_null(np.nan).to_numpy())

    return Scores(
        table=table,
        target=target,
        models=tuple(joined["model"]),
        families=tuple(joined["family"].fill_null("unknown")),
        scores=np.column_stack([column(name) for name in chosen]),
        benchmarks=chosen,
        outcome=column(target),
        chance=float(chance[0]) if chance.len() else None,
        params=column("params"),
        tokens=column("tokens"),
        flop=column("train_flop"),
        steps=(
            Step(
                rule="benchmark taken by three quarters of the models"
                if benchmarks is None
                else "benchmark named",
                unit="rows",
                kept=joined.height,
                dropped=0,
                rows=left_out,
            ),
        ),
    )


def held_out_above(scores: Scores, cutoff: float) -> tuple[Mask, float]:
    """Return models at or above a cutoff of compute, and the cutoff in FLOP.

    A cutoff below 1 is a quantile over the models with known compute.

    Raises
    ------
    SettingError
        The cutoff leaves nothing to fit or nothing to score.
    """
    if not (np.isfinite(cutoff) and cutoff > 0):
        raise SettingError(f"observe: cutoff={cutoff}, needs a quantile in (0, 1) or FLOP. Use 0.7.")
    known = scores.flop[scores.usable]
    if known.size < FEW:
        raise EvidenceError(
            f"observe: {known.size} models have both {scores.target} and training FLOP, needs at least "
            f"{FEW}. Add train_flop."
        )
    bar = float(np.quantile(known, cutoff)) if cutoff < 1 else float(cutoff)
    test = scores.usable & (scores.flop >= bar)
    if not test.any() or (scores.usable & ~test).sum() < FEW:
        raise SettingError(
            f"observe: cutoff {bar:.3g} FLOP leaves {int((scores.usable & ~test).sum())} models to fit and "
            f"{int(test.sum())} to score, needs at least {FEW} and 1. Choose one between {known.min():.3g} "
            f"and {known.max():.3g}."
        )
    return test, bar

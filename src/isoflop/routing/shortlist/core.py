"""Which published scores can be compared: models that all took the same benchmarks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import EvidenceError, SettingError, closest
from isoflop.evidence.table import Step
from isoflop.present import formats

if TYPE_CHECKING:
    import polars as pl

    from isoflop.evidence import Table
    from isoflop.findings import Provenance

FloatArray = NDArray[np.float64]
LEAST_BENCHMARKS = 4
"""With fewer nothing can be learned from leaving one out."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Core:
    """D benchmarks that M models all took.

    Parameters
    ----------
    table : Table
        Of schema ``model_scores``.
    prices : Table or None
        Of schema ``model_catalogue``.
    benchmarks, models : tuple of str
    score : array, shape (D, M), in [0, 1]
    params : array, shape (M,)
        NaN where unknown.
    usd_in, usd_out : array, shape (M,)
        List prices of a million tokens, NaN where unknown.
    as_of : tuple of str
        Day, month or year of each price, empty where there is none.
    protocols : dict of str to dict of str to int
        Benchmarks of which the scores were taken in more than one way, with the models of each way.
    read, secondary : int
        Cells read in the source, and cells seen in another text.
    steps : tuple of Step
    """

    table: Table
    prices: Table | None
    benchmarks: tuple[str, ...]
    models: tuple[str, ...]
    score: FloatArray
    params: FloatArray
    usd_in: FloatArray
    usd_out: FloatArray
    as_of: tuple[str, ...]
    protocols: dict[str, dict[str, int]]
    read: int
    secondary: int
    steps: tuple[Step, ...]

    @property
    def leaders(self) -> dict[str, tuple[str, ...]]:
        """The benchmarks on which each model has the largest score, ties included; most first."""
        found: dict[str, list[str]] = {}
        for name, row in zip(self.benchmarks, self.score, strict=True):
            for model in np.flatnonzero(row == row.max()):
                found.setdefault(self.models[model], []).append(name)
        return {m: tuple(found[m]) for m in sorted(found, key=lambda m: (-len(found[m]), m))}

    def provenance(self) -> tuple[Provenance, ...]:
        """Return the evidence behind numbers that rest on all cells."""
        used = self.table.provenance(self.score.size)
        priced = int(np.isfinite(self.usd_out).sum())
        return (used,) if self.prices is None or not priced else (used, self.prices.provenance(priced))

    @property
    def cautions(self) -> tuple[str, ...]:
        """What limits comparisons of these scores."""
        said = [
            f"{self.score.size} published scores ({self.read} read in the source, {self.secondary} seen "
            "in another text), of models and benchmarks that happened to be printed: no sample of a "
            "population. Measure the candidates on your own task."
        ]
        for name, ways in self.protocols.items():
            counts = " and ".join(f"{n} by {way.replace('_', ' ')}" for way, n in ways.items())
            said.append(
                f"{name} was taken in {len(ways)} ways ({counts}), which are not comparable: a lead there "
                "may be one of asking. Leave it out with --benchmarks to see the difference."
            )
        said.append(
            "Numbers of worked examples and ways of counting differ between laboratories on the same "
            "benchmark. One evaluation of all candidates cures it."
        )
        return tuple(said)


def core(
    table: Table,
    prices: Table | None = None,
    *,
    instruct: bool | None = False,
    benchmarks: Sequence[str] | None = None,
    models: Sequence[str] | None = None,
    max_params: float | None = None,
    max_usd_per_mtok: float | None = None,
) -> Core:
    """Return the models that all took the same benchmarks.

    Parameters
    ----------
    table : Table
        Of schema ``model_scores``.
    prices : Table, optional
        Of schema ``model_catalogue``.
    instruct : bool or None
        Tuned models, base models (False), or both (None).
    benchmarks : sequence of str, optional
        Default: dropping the benchmark that costs most models, one after the other, as long as the number of
        comparable scores (models times benchmarks) can still become larger; at least four are kept.
    models : sequence of str, optional
    max_params : float, optional
        Largest model; those of unknown size are left out.
    max_usd_per_mtok : float, optional
        Largest price of a million output tokens; models without a price are left out.

    Returns
    -------
    Core

    Raises
    ------
    EvidenceError
        Fewer than two models or four benchmarks are left, or a name is not in the table.
    SettingError
        A limit is not above 0.
    """
    import polars as pl

    for name, limit in (("max_params", max_params), ("max_usd_per_mtok", max_usd_per_mtok)):
        if limit is not None and not limit > 0:
            raise SettingError(f"shortlist: {name}={limit:g}, must be above 0. Leave it out for no limit.")
    frame = table.frame
    steps = []
    if instruct is not None:
        kept = frame.filter(pl.col("is_instruct").fill_null(False) == instruct)
        steps.append(_step("tuned models" if instruct else "base models", frame, kept))
        frame = kept
    chosen = tuple(dict.fromkeys(benchmarks)) if benchmarks else _densest(frame)
    _known("benchmark", chosen, frame)
    kept = frame.filter(pl.col("benchmark").is_in(chosen))
    kept = kept.filter(pl.col("benchmark").n_unique().over("model") == len(chosen))
    steps.append(_step(f"took all of {', '.join(chosen)}", frame, kept))
    frame = kept
    if models:
        _known("model", tuple(models), frame)
        kept = frame.filter(pl.col("model").is_in(list(models)))
        steps.append(_step("model named", frame, kept))
        frame = kept
    cost = _prices(prices)
    if max_params is not None:
        kept = frame.filter(pl.col("params") <= max_params)
        steps.append(_step(f"at most {formats.number(max_params)} parameters", frame, kept))
        frame = kept
    if max_usd_per_mtok is not None:
        cheap = [name for name, row in cost.items() if row[1] <= max_usd_per_mtok]
        kept = frame.filter(pl.col("model").is_in(cheap))
        steps.append(
            _step(f"at most {formats.number(max_usd_per_mtok)} USD per million output tokens", frame, kept)
        )
        frame = kept
    names = tuple(sorted(frame["model"].unique().to_list()))
    if len(names) < 2 or len(chosen) < LEAST_BENCHMARKS:
        raise EvidenceError(
            f"shortlist: {len(names)} models took all of {len(chosen)} benchmarks, needs at least 2 and "
            f"{LEAST_BENCHMARKS}. Raise the limits, or name other benchmarks."
        )
    return _made(table, prices, frame, chosen, names, cost, tuple(steps))


def _made(
    table: Table,
    prices: Table | None,
    frame: pl.DataFrame,
    benchmarks: tuple[str, ...],
    models: tuple[str, ...],
    cost: dict[str, tuple[float, float, str]],
    steps: tuple[Step, ...],
) -> Core:
    score = np.full((len(benchmarks), len(models)), np.nan)
    column = {name: at for at, name in enumerate(models)}
    line = {name: at for at, name in enumerate(benchmarks)}
    params = np.full(len(models), np.nan)
    ways: dict[str, dict[str, int]] = {}
    for row in frame.iter_rows(named=True):
        score[line[row["benchmark"]], column[row["model"]]] = row["score"]
        if row["params"] is not None:
            params[column[row["model"]]] = row["params"]
        if row["protocol"]:
            counts = ways.setdefault(row["benchmark"], {})
            counts[row["protocol"]] = counts.get(row["protocol"], 0) + 1
    read = int((frame["verified"] == "read").sum())
    priced = [cost.get(name, (np.nan, np.nan, "")) for name in models]
    return Core(
        table=table,
        prices=prices,
        benchmarks=benchmarks,
        models=models,
        score=score,
        params=params,
        usd_in=np.array([row[0] for row in priced]),
        usd_out=np.array([row[1] for row in priced]),
        as_of=tuple(row[2] for row in priced),
        protocols={name: counts for name, counts in ways.items() if len(counts) > 1},
        read=read,
        secondary=int((frame["verified"] == "secondary").sum()),
        steps=steps,
    )


def _densest(frame: pl.DataFrame) -> tuple[str, ...]:
    """Return the benchmarks of the largest full table met while the costliest ones are dropped."""
    names = sorted(frame["benchmark"].unique().to_list())
    models = sorted(frame["model"].unique().to_list())
    taken = np.zeros((len(names), len(models)), dtype=bool)
    line = {name: at for at, name in enumerate(names)}
    column = {name: at for at, name in enumerate(models)}
    for benchmark, model in frame.select("benchmark", "model").iter_rows():
        taken[line[benchmark], column[model]] = True
    left = list(range(len(names)))
    best, most = left, -1
    while len(left) >= LEAST_BENCHMARKS:
        cells = int(taken[left].all(axis=0).sum()) * len(left)
        if cells > most:
            best, most = list(left), cells
        # Without each one in turn: how many models are complete; of equals the one with fewest scores goes.
        rest = [
            (taken[[k for k in left if k != out]].all(axis=0).sum(), -taken[out].sum(), out) for out in left
        ]
        left.remove(max(rest)[2])
    return tuple(names[k] for k in best)


def _prices(prices: Table | None) -> dict[str, tuple[float, float, str]]:
    if prices is None:
        return {}
    rows = prices.frame.select("model", "input_usd_per_mtok", "output_usd_per_mtok", "as_of_date").iter_rows()
    return {
        name: (float(paid_in), float(paid_out), day or "")
        for name, paid_in, paid_out, day in rows
        if paid_in is not None and paid_out is not None
    }


def _known(kind: str, wanted: Sequence[str], frame: pl.DataFrame) -> None:
    present = frame[kind].unique().to_list()
    for name in wanted:
        if name not in present:
            near = closest(name, present)
            raise EvidenceError(
                f"shortlist: {kind} {name!r} has no comparable scores here"
                + (f"; closest is {near!r}." if near else ".")
                + " Check the name, or allow more."
            )


def _step(rule: str, before: pl.DataFrame, after: pl.DataFrame) -> Step:
    return Step(rule=rule, unit="rows", kept=after.height, dropped=before.height - after.height)

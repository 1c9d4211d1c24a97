"""Which runs a law is fitted to: chosen rows of ``scaling_runs``, with everything left out listed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import EvidenceError, SettingError, closest
from isoflop.evidence.table import Step

if TYPE_CHECKING:
    import polars as pl

    from isoflop.evidence.table import Table
    from isoflop.findings import Provenance

Array = NDArray[np.float64]
ParamsKind = Literal["total", "no_embed"]

NARROW_DECADES = 1.0
NARROW_RATIO = 4.0
"""Tokens per parameter must vary by more than this for alpha and beta to be told apart well."""
PARAMS_COLUMN: Mapping[str, str] = {"total": "params", "no_embed": "params_no_embed"}
_ALONE = ("dataset", "validation_set", "tokenizer")
"""Losses of different validation sets or tokenizers are never pooled."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Runs:
    """Rows of one table that a law is fitted to.

    Parameters
    ----------
    table : Table
        Evidence of schema ``scaling_runs``.
    frame : polars.DataFrame
        The rows kept.
    x : str or None
        Column of the resource for a law of one resource.
    outcome : str
        Column of the loss, > 0.
    params : {"total", "no_embed"}
        Which count of parameters N is.
    steps : tuple of Step
        Rules applied here, after those of the table.
    cautions : tuple of str
    """

    table: Table
    frame: pl.DataFrame
    x: str | None
    outcome: str
    params: ParamsKind
    steps: tuple[Step, ...]
    cautions: tuple[str, ...]

    @property
    def n(self) -> int:
        """Number of runs."""
        return int(self.frame.height)

    def column(self, name: str) -> Array:
        """Return a numeric column as an array, shape (n,)."""
        wanted = self.named(name)
        if wanted not in self.frame.columns:
            filled = [known for known in self.frame.columns if self.frame[known].null_count() < self.n]
            near = closest(wanted, [known for known in filled if self.frame[known].dtype.is_numeric()])
            hint = f"; closest is '{near}'" if near else ""
            raise EvidenceError(f"{self.table.name}: no column '{wanted}'{hint}. Name the column with a map.")
        if not self.frame[wanted].dtype.is_numeric():
            raise EvidenceError(
                f"{self.table.name}: column '{wanted}' holds text, needs numbers. Name another."
            )
        return self.frame[wanted].to_numpy().astype(float)

    def named(self, name: str) -> str:
        """Return the column that a law's input is read from."""
        if name == "x":
            if self.x is None:
                raise SettingError(
                    "select: no x, a law of one resource needs its column. Name it: --x train_flop, say."
                )
            return self.x
        return PARAMS_COLUMN[self.params] if name == "params" else name

    def inputs(self, names: Sequence[str]) -> Array:
        """Return ln of a law's inputs, shape (k, n).

        Raises
        ------
        EvidenceError
            A value is missing, or not above zero.
        """
        out = []
        for name in names:
            column = self.column(name)
            bad = np.flatnonzero(~(np.isfinite(column) & (column > 0)))
            if bad.size:
                raise EvidenceError(
                    f"fit: {self.named(name)} has {bad.size} value{'s' if bad.size > 1 else ''} missing or "
                    f"<= 0 ({self._rows(bad)}), needs (0, inf). Drop them, or use a law without this input."
                )
            out.append(np.log(column))
        return np.array(out)

    @property
    def log_outcome(self) -> Array:
        """ln of the outcome, shape (n,)."""
        return np.asarray(np.log(self.column(self.outcome)))

    @property
    def weights(self) -> Array:
        """Weights 1, or the number of repeats that a row averages, shape (n,)."""
        if "n_repeats" not in self.frame.columns:
            return np.ones(self.n)
        return np.asarray(self.frame["n_repeats"].fill_null(1.0).to_numpy(), float)

    @property
    def repetition(self) -> tuple[str, ...]:
        """The caution that runs repeat data, for a law that does not know of it."""
        if not {"tokens", "unique_tokens"} <= set(self.frame.columns):
            return ()
        repeated = int((self.frame["tokens"] > self.frame["unique_tokens"] * (1 + 1e-6)).sum())
        if not repeated:
            return ()
        return (
            f"{repeated} runs repeat data (tokens above unique tokens): a law without repetition is biased. "
            "Use the law data_constrained, or drop them.",
        )

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The table behind the runs, with the rows used."""
        return (self.table.provenance(self.n),)

    def clusters(self, by: str) -> NDArray[np.generic]:
        """Return the labels by which rows are resampled together, shape (n,).

        Raises
        ------
        SettingError
            There is no such column, or it is empty.
        """
        if by not in self.frame.columns or self.frame[by].null_count() == self.n:
            known = [name for name in ("family", "budget_flop", "source", "architecture", "params", "lr")
                     if name in self.frame.columns and self.frame[name].null_count() < self.n]  # fmt: skip
            near = closest(by, known)
            hint = f"Did you mean {near!r}?" if near else f"Use 'row' or one of {', '.join(known)}."
            raise SettingError(f"Bootstrap: by={by!r} is no filled column of these runs. {hint}")
        labels = np.asarray(self.frame[by].cast(str).fill_null("").to_numpy())
        if len(np.unique(labels)) < 2:
            raise SettingError(
                f"Bootstrap: by={by!r} has one value ({labels[0]}) in {self.n} runs, needs two or more. "
                "Use 'row'."
            )
        return labels

    def _rows(self, index: NDArray[np.int64]) -> str:
        shown = ", ".join(str(self.frame["row"][int(i)]) for i in index[:5])
        return f"row{'s' if index.size > 1 else ''} {shown}{', …' if index.size > 5 else ''}"

    def waterfall(self) -> list[dict[str, Any]]:
        """Return the rules with the rows that each kept and dropped."""
        return [
            {"rule": step.rule, "unit": step.unit, "kept": step.kept, "dropped": step.dropped}
            for step in (*self.table.steps, *self.steps)
        ]

    def without(self, keep: NDArray[np.bool_], rule: str) -> Runs:
        """Return the runs where `keep` holds, with the step that says why the others went."""
        import polars as pl

        names = self.frame["run_id"] if "run_id" in self.frame.columns else self.frame["row"].cast(pl.String)
        gone = tuple(f"row {self.frame['row'][int(i)]} ({names[int(i)]})" for i in np.flatnonzero(~keep))
        step = Step(rule=rule, unit="rows", kept=int(keep.sum()), dropped=len(gone), rows=gone)
        return Runs(
            table=self.table,
            frame=self.frame.filter(pl.Series(keep)),
            x=self.x,
            outcome=self.outcome,
            params=self.params,
            steps=(*self.steps, step),
            cautions=self.cautions,
        )


def select(
    table: Table | Any,
    *,
    x: str | None = None,
    outcome: str = "loss_nats",
    params: ParamsKind = "total",
    drop_highest: int = 0,
    where: Mapping[str, str] | None = None,
) -> Runs:
    """Choose the runs to fit.

    Parameters
    ----------
    table : Table
        Evidence of schema ``scaling_runs``.
    x : str, optional
        Column of the one resource of a univariate law.
    outcome : str
        Column of the loss, > 0.
    params : {"total", "no_embed"}
        Which count of parameters N is; it explains much of Kaplan against Chinchilla.
    drop_highest : int, >= 0
        Leave out that many of the highest losses, with everything tied with them.
    where : mapping of str to str, optional
        Column to the one value kept, e.g. ``{"dataset": "c4"}``.

    Returns
    -------
    Runs

    Raises
    ------
    EvidenceError
        No rows stay, or losses of several validation sets or tokenizers would be pooled.
    SettingError
        A setting is out of range.
    """
    import polars as pl

    from isoflop.evidence.load import accept

    if params not in PARAMS_COLUMN:
        raise SettingError(f"select: params={params!r}, must be 'total' or 'no_embed'. Use 'total'.")
    if drop_highest < 0:
        raise SettingError(f"select: drop_highest={drop_highest}, must be at least 0. Use 5, say.")
    table = accept(table, "scaling_runs")
    frame = table.frame
    if "row" not in frame.columns:
        frame = frame.with_row_index("row", offset=1)
    runs = Runs(
        table=table, frame=frame, x=x, outcome=outcome, params=params, steps=(), cautions=table.cautions
    )
    for column, kept in (where or {}).items():
        runs = _only(runs, column, kept)
    needed = [outcome] + ([x] if x else [])
    for name in needed:
        runs.column(name)  # refused by name if it is not there
    filled = runs.frame.select(pl.all_horizontal(pl.col(name).is_not_null() for name in needed)).to_series()
    if not filled.all():
        runs = runs.without(filled.to_numpy(), f"{' and '.join(needed)} given")
    if not runs.n:
        raise EvidenceError(f"select: no run of {table.name} is left, needs some. See the rules above.")
    _refuse_mixture(runs)
    loss = runs.column(outcome)
    if (loss <= 0).any():
        bad = np.flatnonzero(loss <= 0)
        raise EvidenceError(
            f"select: {outcome} has {bad.size} value{'s' if bad.size > 1 else ''} <= 0 "
            f"({runs._rows(bad)}), needs (0, inf) for a law in log space. Correct them."
        )
    if drop_highest:
        runs = _without_highest(runs, drop_highest)
    return Runs(
        table=table,
        frame=runs.frame,
        x=x,
        outcome=outcome,
        params=params,
        steps=runs.steps,
        cautions=(*table.cautions, *_doubts(runs)),
    )


def _only(runs: Runs, column: str, kept: str) -> Runs:
    if column not in runs.frame.columns:
        near = closest(column, runs.frame.columns)
        hint = f"Did you mean {near!r}?" if near else f"Columns: {', '.join(runs.frame.columns)}."
        raise SettingError(f"where: no column {column!r} in {runs.table.name}. {hint}")
    values = runs.frame[column].cast(str)
    keep = np.asarray((values == kept).fill_null(False).to_numpy(), bool)
    if not keep.any():
        known = sorted({v for v in values if v is not None})
        near = closest(kept, known)
        hint = f"Did you mean {near!r}?" if near else f"It holds {', '.join(known[:8])}."
        raise SettingError(f"where: no row has {column} = {kept!r}. {hint}")
    return runs.without(keep, f"{column} is {kept}")


def _refuse_mixture(runs: Runs) -> None:
    for column in _ALONE:
        if column not in runs.frame.columns:
            continue
        found = sorted({value for value in runs.frame[column] if value is not None})
        if len(found) > 1:
            shown = ", ".join(repr(value) for value in found[:6])
            raise EvidenceError(
                f"fit: {len(found)} values of {column} ({shown}{', …' if len(found) > 6 else ''}), whose "
                f"losses cannot be pooled, needs one. Choose one: --where {column}={found[0]}."
            )


def _without_highest(runs: Runs, count: int) -> Runs:
    loss = runs.column(runs.outcome)
    if count >= runs.n:
        raise SettingError(f"select: drop_highest={count} of {runs.n} runs, must leave some. Use 5, say.")
    bar = np.sort(loss)[-count]
    if not (loss < bar).any():
        raise SettingError(
            f"select: drop_highest={count} with ties leaves none of {runs.n} runs, must leave some. "
            "Use fewer."
        )
    return runs.without(loss < bar, f"loss below the {count} highest")


def _doubts(runs: Runs) -> tuple[str, ...]:
    """Return what limits a fit to these runs, each with its cure."""
    frame, said = runs.frame, []
    if runs.x is not None:
        x = runs.column("x")
        x = x[np.isfinite(x) & (x > 0)]
        if x.size and np.log10(x.max() / x.min()) < NARROW_DECADES:
            said.append(
                f"{runs.x} spans a factor of {x.max() / x.min():.3g}, less than a decade: the exponent is "
                "weakly determined. Add runs at other scales."
            )
    elif {"params", "tokens"} <= set(frame.columns):
        ratio = runs.column("tokens") / runs.column("params")
        ratio = ratio[np.isfinite(ratio)]
        if ratio.size and ratio.max() / ratio.min() < NARROW_RATIO:
            said.append(
                f"tokens per parameter vary by a factor of {ratio.max() / ratio.min():.3g} only: alpha and "
                "beta lean on each other. Add runs off the ray."
            )
    if "is_final" in frame.columns and (frame["is_final"] == False).any():  # noqa: E712 - polars column
        said.append(
            "some rows are intermediate checkpoints, whose loss depends on the schedule. Keep final ones."
        )
    return tuple(said)

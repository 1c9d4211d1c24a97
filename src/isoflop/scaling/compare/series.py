"""Runs or curves as series of rows with folds: what every law is fitted to and scored on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import EvidenceError, SettingError
from isoflop.scaling.compare.schemes import (
    AsMarked,
    LeaveGroupOut,
    Mask,
    RollingOrigin,
    Scheme,
    groups,
    rolling,
)
from isoflop.scaling.model import Array, Law

if TYPE_CHECKING:
    import polars as pl

    from isoflop.evidence import Table
    from isoflop.scaling.runs import Runs

DEFAULT_RESOURCE = "train_flop"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Series:
    """Rows that one fit may use.

    Parameters
    ----------
    name : str
    u : array, shape (n,)
        ln of the resource by which cuts are made, the x of laws of one resource.
    log_y, weights : array, shape (n,)
    folds : tuple of (fitted, scored) masks
    unit, cluster : tuples of str, one per fold
        Unit of the score, and what is resampled; an empty cluster stands for each row alone.
    runs : Runs or None
        Where further inputs come from; None for a curve.
    """

    name: str
    u: Array
    log_y: Array
    weights: Array
    folds: tuple[tuple[Mask, Mask], ...]
    unit: tuple[str, ...]
    cluster: tuple[str, ...]
    runs: Runs | None = None

    def inputs(self, law: Law) -> Array:
        """Return ln of the law's inputs, shape (k, n).

        Raises
        ------
        EvidenceError
            The rows lack one of them.
        """
        if law.inputs == ("x",):
            return self.u[None]
        if self.runs is None:
            raise EvidenceError(
                f"compare: law '{law.name}' needs {', '.join(law.inputs)}, curves have x only. "
                "Choose a law of x."
            )
        return self.runs.inputs(law.inputs)

    def last_values(self, fitted: Mask, scored: Mask) -> Array:
        """Return for each scored row the mean ln y of the fitted rows nearest to it in the resource."""
        gap = np.abs(self.u[scored][:, None] - self.u[fitted][None])
        nearest = gap <= gap.min(axis=1, keepdims=True) + 1e-9
        return np.asarray((nearest @ self.log_y[fitted]) / nearest.sum(axis=1))


def series_of_runs(runs: Runs, scheme: Scheme) -> tuple[Series, ...]:
    """Return the one series of a table of runs.

    Raises
    ------
    SettingError
        The scheme is one for curves.
    EvidenceError
        No cut leaves rows on both sides.
    """
    [u] = runs.inputs((runs.x or DEFAULT_RESOURCE,))
    match scheme:
        case RollingOrigin():
            folds = rolling(scheme, u)
            unit = tuple(f"cut {i + 1}" for i in range(len(folds)))
            cluster = ("",) * len(folds)
        case LeaveGroupOut(by=by):
            labels = runs.clusters(by)
            folds = groups(labels, by)
            unit = cluster = tuple(f"{by} {label}" for label in np.unique(labels))
        case AsMarked():
            raise SettingError("compare: AsMarked() is for curves, runs have no is_fit. Use RollingOrigin().")
    if not folds:
        raise EvidenceError(
            f"compare: no cut of {len(np.unique(u))} values of the resource leaves 3 below and 1 above. "
            " Add runs at other scales, or change the cuts."
        )
    return (
        Series(
            name=runs.table.name,
            u=u,
            log_y=runs.log_outcome,
            weights=runs.weights,
            folds=folds,
            unit=unit,
            cluster=cluster,
            runs=runs,
        ),
    )


def series_of_curves(table: Table, scheme: Scheme) -> tuple[tuple[Series, ...], tuple[str, ...]]:
    """Return one series a curve, and why curves were left out.

    Raises
    ------
    EvidenceError
        Another schema, an x or outcome that has no logarithm, or no curve with rows on both sides.
    """
    if table.schema != "learning_curves":
        raise EvidenceError(
            f"compare: {table.name} holds {table.schema}, needs scaling_runs or learning_curves. "
            "Name another table."
        )
    found, short = [], []
    for key, frame in table.frame.group_by("curve_id", maintain_order=True):
        name = str(key[0])
        one = _curve(name, frame, scheme)
        if one.folds:
            found.append(one)
        else:
            short.append(name)
    if not found:
        raise EvidenceError(
            f"compare: no curve of {table.name} has rows on both sides of a cut. Change the cuts."
        )
    left_out = (
        (f"{len(short)} curves without rows on both sides of a cut were left out: {', '.join(short[:5])}.",)
        if short
        else ()
    )
    return tuple(found), left_out


def _curve(name: str, frame: pl.DataFrame, scheme: Scheme) -> Series:
    columns: Mapping[str, Array] = {c: frame[c].to_numpy().astype(float) for c in ("x", "outcome")}
    for column, values in columns.items():
        bad = np.flatnonzero(~(np.isfinite(values) & (values > 0)))
        if bad.size:
            raise EvidenceError(
                f"compare: curve '{name}': {column} has {bad.size} value(s) missing or <= 0, needs (0, inf). "
                "Drop step 0, or compare an error and not its complement."
            )
    u = np.log(columns["x"])
    match scheme:
        case AsMarked():
            fitted: NDArray[np.bool_] = frame["is_fit"].to_numpy().astype(bool)
            folds: tuple[tuple[Mask, Mask], ...] = ((fitted, ~fitted),) if 0 < fitted.sum() < len(u) else ()
        case RollingOrigin():
            folds = rolling(scheme, u)
        case LeaveGroupOut(by=by):
            raise SettingError(
                f"compare: LeaveGroupOut(by={by!r}) is for runs; each curve is fitted alone. "
                "Use RollingOrigin()."
            )
    return Series(
        name=name,
        u=u,
        log_y=np.log(columns["outcome"]),
        weights=np.ones(len(u)),
        folds=folds,
        unit=(name,) * len(folds),
        cluster=(name,) * len(folds),
    )

"""Results of many computers and sessions as one run: a union on the key, conflicts said."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from isoflop.errors import EvidenceError, SettingError
from isoflop.evidence.portability import PORTABILITY_RESULTS
from isoflop.findings import json_ready
from isoflop.portability.results.read import KEY, read_run
from isoflop.portability.runs import Run

if TYPE_CHECKING:
    import polars as pl

    from isoflop.evidence import Table

OnConflict = Literal["refuse", "keep_both"]
MARK = "~"
"""Before the number that a kept second result adds to its run's id."""


def merge(*runs: Run | str | Path, on_conflict: OnConflict = "refuse") -> Run:
    """Return the union of runs; a result that several of them hold stands once.

    Parameters
    ----------
    *runs : Run or path
        Anything that `read_run` reads.
    on_conflict : {"refuse", "keep_both"}
        What to do where one task of one run has two different results: refuse, or keep the second under
        the run's id with a mark, e.g. ``r7~2``.

    Returns
    -------
    Run
        In the order of run, task and repeat, whatever the order of `runs`.

    Raises
    ------
    EvidenceError
        A task has two results, or one target was timed under two protocols.
    SettingError
        Nothing was named, or `on_conflict` is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from isoflop.portability.simulate import PlantedRun
    >>> run, _ = PlantedRun(functions=3).draw(np.random.default_rng(0))
    >>> merge(run, run).frame().height == run.frame().height
    True
    """

    if not runs:
        raise SettingError("merge: no run, needs at least one. Name folders, bundles or tables.")
    if on_conflict not in get_args(OnConflict):
        raise SettingError(f"merge: on_conflict={on_conflict!r}, must be 'refuse' or 'keep_both'.")
    read = [one if isinstance(one, Run) else read_run(one) for one in runs]
    frame = _resolved(_union(read), on_conflict)
    _one_protocol(frame)
    return Run(
        table=_table([one.table for one in read], frame),
        about=_joined([one.about for one in read]),
        certificate=_joined([one.certificate for one in read]),
    )


def conflicts(*runs: Run | str | Path) -> pl.DataFrame:
    """Return every result of tasks that have more than one, with what differs: status, reason, seconds."""

    read = [one if isinstance(one, Run) else read_run(one) for one in runs]
    frame = _union(read)
    chosen = frame.filter(_again(frame))
    return chosen.select(*KEY, "function", "target", "status", "reason", "median_s", "started_at").sort(
        *KEY, "status", "median_s", "started_at", nulls_last=True
    )


def _union(read: list[Run]) -> pl.DataFrame:
    """Return all rows in the order of their keys, equal ones once."""
    import polars as pl

    frame = pl.concat([one.frame().select(PORTABILITY_RESULTS.names) for one in read]).sort(KEY)
    again = _again(frame)
    # Rows are compared whole only where a key stands twice: most stand once.
    return pl.concat([frame.filter(~again), frame.filter(again).unique()]).sort(KEY) if again.any() else frame


def _again(frame: pl.DataFrame) -> pl.Series:
    """Return which rows of a frame in the order of its keys share theirs with a neighbour."""
    import polars as pl

    as_before = pl.all_horizontal(pl.col(name) == pl.col(name).shift(1) for name in KEY).fill_null(
        value=False
    )
    as_next = pl.all_horizontal(pl.col(name) == pl.col(name).shift(-1) for name in KEY).fill_null(value=False)
    return frame.select(as_before | as_next).to_series()


def _resolved(frame: pl.DataFrame, on_conflict: OnConflict) -> pl.DataFrame:
    import polars as pl

    clash = _again(frame)
    if not clash.any():
        return frame
    both = frame.filter(clash)
    if on_conflict == "refuse":
        first = both.row(0, named=True)
        same = both.filter(
            (pl.col("task_id") == first["task_id"])
            & (pl.col("run_id") == first["run_id"])
            & (pl.col("repeat") == first["repeat"])
        )
        told = " / ".join(sorted(same["status"].to_list()))
        raise EvidenceError(
            f"merge: task_id {first['task_id']} has two different results under run_id {first['run_id']} "
            f'({told}). Pass on_conflict="keep_both" to see them.'
        )
    # By their content, so that neither the order of runs nor that of rows tells which is the second.
    ordered = both.with_columns(pl.struct(pl.all()).struct.json_encode().alias("content")).sort(
        *KEY, "content"
    )
    place = pl.int_range(1, pl.len() + 1).over(KEY)
    renamed = ordered.with_columns(
        pl.when(place > 1)
        .then(pl.col("run_id") + MARK + place.cast(pl.String))
        .otherwise(pl.col("run_id"))
        .alias("run_id")
    ).drop("content")
    return pl.concat([frame.filter(~clash), renamed]).unique().sort(KEY)


def _one_protocol(frame: pl.DataFrame) -> None:
    """Refuse one target that was timed under two protocols."""
    import polars as pl

    timed = frame.filter(pl.col("median_s").is_not_null() & pl.col("protocol").is_not_null())
    mixed = (
        timed.group_by("framework", "target")
        .agg(pl.col("protocol").unique().sort())
        .filter(pl.col("protocol").list.len() > 1)
        .sort("framework", "target")
    )
    if mixed.height:
        target, protocols = mixed.row(0, named=True)["target"], mixed.row(0, named=True)["protocol"]
        raise EvidenceError(
            f"merge: protocols {' and '.join(protocols)} time differently; ratios across them are refused "
            f"(target {target}). Re-run one side."
        )


def _table(tables: list[Table], frame: pl.DataFrame) -> Table:
    import polars as pl

    from isoflop.evidence import Table
    from isoflop.evidence.table import fingerprint_of

    numbered = frame.with_columns(pl.int_range(1, pl.len() + 1).alias("record")).select(
        "record", *frame.columns
    )
    names = sorted({name for one in tables for name in one.name.split(" + ")})
    return Table(
        name=" + ".join(names),
        schema=PORTABILITY_RESULTS.name,
        frame=numbered,
        source="; ".join(sorted({part for one in tables for part in one.source.split("; ")})),
        kind="measured" if all(one.kind == "measured" for one in tables) else "own",
        fingerprint=fingerprint_of(PORTABILITY_RESULTS.name, numbered),
        rows_read=numbered.height,
        cautions=tuple(sorted({text for one in tables for text in one.cautions})),
        importer="merged",
    )


def _joined(known: list[Mapping[str, Mapping[str, Any]]]) -> dict[str, Mapping[str, Any]]:
    """Return what is known of each run; where two accounts differ, the longer one."""
    out: dict[str, Mapping[str, Any]] = {}
    for one in known:
        for name, about in one.items():
            out[name] = max(out.get(name, {}), about, key=_rank)
    return dict(sorted(out.items()))


def _rank(about: Mapping[str, Any]) -> tuple[int, str]:
    text = json.dumps(json_ready(about), sort_keys=True)
    return len(text), text

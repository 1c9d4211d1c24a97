"""From a table of study points to one series of successes for each study.

A series needs rates in [0, 1] at three or more amounts of the resource. Repeats at one amount are
added up: successes and trials. Where the number of trials is unknown it is assumed, and every answer
is given for a set of assumptions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from isoflop.errors import EvidenceError, SettingError
from isoflop.findings import Provenance
from isoflop.stats.checks import FloatArray, read_only

if TYPE_CHECKING:
    from isoflop.evidence import Table

TRIALS = (10, 20, 50, 100)
"""Numbers of trials tried where a paper prints none."""
FEWEST_POINTS = 3
View = Literal["resource", "loss"]
_WHAT = ("architecture", "task", "resource", "x_unit", "familiarity", "environment", "model_class", "metric")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Series:
    """Success of one study along its resource.

    Parameters
    ----------
    study, paper : str
    x : array, shape (m,)
        Amounts of the resource, rising and distinct.
    success : array, shape (m,), in [0, 1]
    trials : array, shape (m,), or None
        As printed; None where any point lacks them.
    along : array, shape (m,)
        What the curves run along: ln x, or −loss in the loss view.
    is_partial_credit : bool
        Part marks: a linear metric, whose spread is at most binomial.
    rows : int
        Rows of the table behind it.
    has_repeats : bool
        Every point rests on two training runs or more.
    about : mapping
        What the study holds fixed: resource, x_unit, task, …
    """

    study: str
    paper: str
    x: FloatArray
    success: FloatArray
    trials: FloatArray | None
    along: FloatArray
    is_partial_credit: bool
    rows: int
    has_repeats: bool
    about: Mapping[str, Any]

    @property
    def m(self) -> int:
        """Number of distinct amounts."""
        return self.x.size

    @property
    def z(self) -> FloatArray:
        """Position along the range, 0 at the smallest amount and 1 at the largest."""
        rank = self.along - self.along[0]
        return np.asarray(rank / rank[-1])

    @property
    def zero_then_positive(self) -> bool:
        """Whether success is 0 at the smallest amount and above 0 later."""
        return bool(self.success[0] == 0.0 and self.success.max() > 0.0)

    def counts(self, assumed: int) -> tuple[FloatArray, FloatArray]:
        """Return successes and trials, shape (m,) each; unknown trials are `assumed`."""
        n = np.full(self.m, float(assumed)) if self.trials is None else self.trials
        return self.success * n, n


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """Series of a table, and the studies that could not become one.

    Parameters
    ----------
    series : tuple of Series
        Ordered by paper and study.
    pairs : tuple of Series
        Studies of two points: they can be labelled, not tested.
    left_out : mapping
        Study to the reason why it is not tested.
    zeros : tuple of str
        Studies with a point at amount 0, which has no place on a logarithmic range.
    """

    table: Table
    series: tuple[Series, ...]
    pairs: tuple[Series, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    zeros: tuple[str, ...] = ()

    @property
    def papers(self) -> int:
        """Number of papers among the series."""
        return len({one.paper for one in self.series})

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The rows behind the series."""
        return (self.table.provenance(sum(one.rows for one in self.series)),)

    @property
    def assumed(self) -> int:
        """Number of series without printed trials."""
        return sum(one.trials is None for one in self.series)

    def cautions(self, trials: Sequence[int]) -> tuple[str, ...]:
        """What limits any answer on these series, each with what would cure it."""
        said: list[str] = []
        if self.assumed:
            tried = ", ".join(f"{n}" for n in trials)
            said.append(
                f"{self.assumed} of {len(self.series)} studies print no number of trials: {tried} were tried "
                "in turn, and an answer that depends on the number is called undecided. The papers' numbers "
                "of trials would cure it."
            )
        partial = sum(one.is_partial_credit for one in self.series)
        if partial:
            said.append(
                f"{partial} studies give partial credit: such a score varies less than a success rate, so "
                "the binomial spread used here is too wide for them and tests are cautious. Scores of single "
                "trials would cure it."
            )
        if self.zeros:
            said.append(
                f"{len(self.zeros)} studies have a point at amount 0 ({self.zeros[0]}, say), which "
                "has no place on a logarithmic range and was left out; a small amount there would cure it."
            )
        single = sum(not one.has_repeats for one in self.series)
        if single:
            said.append(
                f"{single} of {len(self.series)} studies show one training run at each amount, or do not say "
                "how many: trials are counted as chance, luck of a run is not, and a lucky run looks like a "
                "jump. Repeated runs would cure it."
            )
        largest = max((sum(one.paper == p for one in self.series), p) for p in {s.paper for s in self.series})
        if largest[0] > 0.5 * len(self.series):
            said.append(
                f"{largest[1]} supplies {largest[0]} of {len(self.series)} studies; shares are weighted by "
                "paper, so that it counts once. More papers would cure it."
            )
        shipped = self.table.cautions[:1] if self.table.kind in ("embedded", "measured") else ()
        return (*shipped, *said)


def trials_tried(where: str, trials: Iterable[int]) -> tuple[int, ...]:
    """Return the assumed numbers of trials, rising and each once, or refuse."""
    tried = tuple(sorted(set(trials)))
    if not tried or any(isinstance(n, bool) or int(n) != n or n < 1 for n in tried):
        raise SettingError(f"{where}: trials={tuple(tried)}, must be whole numbers >= 1. Use 10,20,50,100.")
    return tuple(int(n) for n in tried)


def series_of(points: Table | Any, *, view: View = "resource", where: str = "emergence") -> Sample:
    """Return the series of a table of study points.

    Parameters
    ----------
    points : Table
        Schema ``study_points``.
    view : {"resource", "loss"}
        Under "loss" success is set against −loss: of the cross-entropy study of the same paper,
        architecture, task and resource at the same amounts. Studies without one are left out.
    where : str
        Caller, for messages.

    Raises
    ------
    EvidenceError
        Another schema, or no study with three distinct amounts.
    """
    from isoflop.evidence.load import accept

    points = accept(points, "study_points")
    if points.schema != "study_points":
        raise EvidenceError(
            f"{where}: {points.name} is a table of {points.schema}, needs study_points. Load 'study_points', "
            "or fill in the template of isoflop scaling lint."
        )
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in points.frame.to_dicts():
        groups[row["study"]].append(row)
    losses = _losses(groups.values()) if view == "loss" else {}
    found: list[Series] = []
    pairs: list[Series] = []
    zeros: list[str] = []
    left_out: dict[str, str] = {}
    for study in sorted(groups):
        rows = groups[study]
        if any(row["success"] is None for row in rows):
            left_out[study] = f"{rows[0]['metric']} is no rate"
            continue
        above = [row for row in rows if row["x"] > 0]
        zeros += [study] if len(above) < len(rows) else []
        if not above:
            left_out[study] = "no amount above 0"
            continue
        one = _series(study, above)
        if one.m < FEWEST_POINTS:
            left_out[study] = f"{one.m} distinct amounts, needs {FEWEST_POINTS}"
            pairs += [one] if one.m == FEWEST_POINTS - 1 else []
        elif view == "loss":
            seen = _against_loss(one, rows[0], losses)
            if seen is None:
                left_out[study] = "no cross-entropy at the same amounts"
            else:
                found.append(seen)
        else:
            found.append(one)
    if not found:
        reasons = "; ".join(dict.fromkeys(left_out.values())) or "the table is empty"
        raise EvidenceError(
            f"{where}: no study of {points.name} can be tested ({reasons}), needs rates at {FEWEST_POINTS} "
            "amounts of the resource. Add points."
        )
    return Sample(
        table=points, series=tuple(found), pairs=tuple(pairs), left_out=left_out, zeros=tuple(zeros)
    )


def _series(study: str, rows: list[dict[str, Any]]) -> Series:
    """Return the series of one study; repeats at one amount are pooled."""
    at: dict[float, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        at[row["x"]].append(row)
    x = np.array(sorted(at))
    known = all(row["n_trials"] is not None for row in rows)
    success, trials = np.empty(x.size), np.empty(x.size)
    for i, amount in enumerate(x):
        here = at[float(amount)]
        n = np.array([row["n_trials"] if known else 1.0 for row in here])
        success[i] = float(n @ np.array([row["success"] for row in here])) / n.sum()
        trials[i] = n.sum()
    return Series(
        study=study,
        paper=rows[0]["paper_id"],
        x=read_only(x),
        success=read_only(success),
        trials=read_only(trials) if known else None,
        along=read_only(np.log(x)),
        is_partial_credit=bool(rows[0]["partial_credit"]),
        rows=len(rows),
        has_repeats=all(len(here) > 1 or (here[0]["n_seeds"] or 1) > 1 for here in at.values()),
        about={name: rows[0].get(name) for name in _WHAT},
    )


_Key = tuple[Any, ...]


def _key(row: Mapping[str, Any]) -> _Key:
    return tuple(row.get(name) for name in ("paper_id", "architecture", "task", "resource", "x_unit"))


def _losses(groups: Iterable[list[dict[str, Any]]]) -> dict[_Key, dict[float, float]]:
    found: dict[_Key, dict[float, float]] = {}
    for rows in groups:
        if rows[0]["outcome_kind"] == "cross_entropy":
            found[_key(rows[0])] = {row["x"]: row["y"] for row in rows}
    return found


def _against_loss(
    one: Series, row: Mapping[str, Any], losses: Mapping[_Key, Mapping[float, float]]
) -> Series | None:
    """Return the series ordered by falling loss, or None where losses are missing or tied."""
    known = losses.get(_key(row), {})
    if not all(float(x) in known for x in one.x):
        return None
    along = -np.array([known[float(x)] for x in one.x])
    order = np.argsort(along)
    if (np.diff(along[order]) <= 0).any():
        return None
    return Series(
        study=one.study,
        paper=one.paper,
        x=read_only(one.x[order]),
        success=read_only(one.success[order]),
        trials=None if one.trials is None else read_only(one.trials[order]),
        along=read_only(along[order]),
        is_partial_credit=one.is_partial_credit,
        rows=one.rows,
        has_repeats=one.has_repeats,
        about=one.about,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Block:
    """Series with equally many points, as arrays.

    Parameters
    ----------
    rows : array, shape (S,)
        Positions in the sample.
    z, k, n : arrays, shape (S, m)
    """

    rows: np.ndarray[Any, np.dtype[np.int64]]
    z: FloatArray
    k: FloatArray
    n: FloatArray


def blocks(series: Sequence[Series], assumed: int) -> Iterator[Block]:
    """Yield the series in blocks of equally many points; unknown trials are `assumed`."""
    sizes = np.array([one.m for one in series])
    for m in np.unique(sizes):
        rows = np.flatnonzero(sizes == m)
        counts = [series[i].counts(assumed) for i in rows.tolist()]
        yield Block(
            rows=rows.astype(np.int64),
            z=np.stack([series[i].z for i in rows.tolist()]),
            k=np.stack([k for k, _ in counts]),
            n=np.stack([n for _, n in counts]),
        )

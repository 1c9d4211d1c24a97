"""The same systems in two editions of a table, found by name and date."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isoflop.divide.model import Filter, TeamRule
from isoflop.divide.snapshots import Snapshot

NEAR_DAYS = 60
"""Two rows of one name further apart than this are two systems."""
MOVED = 0.01
"""A compute value that moved by less than this part is the same."""
_NOT_WORD = re.compile(r"[\W_]+")

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Edition:
    """Dated rows of one snapshot, each column an array of shape (n,).

    Parameters
    ----------
    name : str
    model : tuple of str
    day : array of int
        Days since 1970.
    t, year : arrays
        Time in fractional years, and calendar year.
    log10_flop : array
        NaN where compute is not known.
    team : array of str
    passes : array of bool
        Whether the row passes the filter.
    """

    name: str
    model: tuple[str, ...]
    day: NDArray[np.int64]
    t: FloatArray
    year: NDArray[np.int64]
    log10_flop: FloatArray
    team: NDArray[np.str_]
    passes: BoolArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Alignment:
    """Positions of the same systems in two editions, and of those in one only."""

    old: NDArray[np.int64]
    new: NDArray[np.int64]
    removed: NDArray[np.int64]
    added: NDArray[np.int64]


def edition_of(snapshot: Snapshot, rule: TeamRule, filter: Filter) -> Edition:
    """Return the dated rows of a snapshot, with and without compute."""
    sample = snapshot.sample(rule=rule, filter="none", since=None, compute=False)
    passing = snapshot.sample(rule=rule, filter=filter, since=None, compute=False).frame["record"]
    frame = sample.frame
    return Edition(
        name=snapshot.name,
        model=tuple(frame["model"].to_list()),
        day=frame["date"].to_physical().to_numpy().astype(np.int64),
        t=sample.t,
        year=sample.year,
        log10_flop=sample.log10_flop,
        team=sample.team.astype("U16"),
        passes=frame["record"].is_in(passing.implode()).to_numpy().astype(bool),
    )


def pair_of(first: str, last: str) -> str:
    """Return both editions as one word for ids.

    Examples
    --------
    >>> pair_of("2023-12-20", "2025-02 notable")
    '2023-12-20_2025-02-notable'
    """
    return re.sub(r"[^\w-]+", "-", f"{first}_{last}")


def plain_name(name: str) -> str:
    """Return a name without case, accents' form, spaces and marks.

    Examples
    --------
    >>> plain_name("GPT-4 Turbo"), plain_name("gpt4 turbo")
    ('gpt4turbo', 'gpt4turbo')
    """
    plain = _NOT_WORD.sub("", unicodedata.normalize("NFKC", name).casefold())
    return plain or name.strip()


def align(old: Edition, new: Edition) -> Alignment:
    """Pair rows of one name whose dates lie within 60 days; nearest dates first, each row once."""
    waiting: dict[str, list[int]] = {}
    for place, name in enumerate(new.model):
        waiting.setdefault(plain_name(name), []).append(place)
    near = sorted(
        (abs(int(old.day[i] - new.day[j])), i, j)
        for i, name in enumerate(old.model)
        for j in waiting.get(plain_name(name), ())
        if abs(int(old.day[i] - new.day[j])) <= NEAR_DAYS
    )
    taken_old: set[int] = set()
    taken_new: set[int] = set()
    pairs: list[tuple[int, int]] = []
    for _, i, j in near:
        if i not in taken_old and j not in taken_new:
            taken_old.add(i)
            taken_new.add(j)
            pairs.append((i, j))
    pairs.sort()
    return Alignment(
        old=np.array([i for i, _ in pairs], dtype=np.int64),
        new=np.array([j for _, j in pairs], dtype=np.int64),
        removed=_others(len(old.model), taken_old),
        added=_others(len(new.model), taken_new),
    )


def _others(n: int, taken: set[int]) -> NDArray[np.int64]:
    return np.array([place for place in range(n) if place not in taken], dtype=np.int64)


def changes_of(old: Edition, new: Edition, found: Alignment) -> list[dict[str, Any]]:
    """Return one row for each system that was added, removed or changed, JSON-ready."""
    pair = pair_of(old.name, new.name)
    rows = [_changed(old, new, int(i), int(j), pair) for i, j in zip(found.old, found.new, strict=True)]
    gone = [_alone(old, int(i), pair, "removed") for i in found.removed]
    come = [_alone(new, int(j), pair, "added") for j in found.added]
    return [*(row for row in rows if row["change"]), *gone, *come]


def _changed(old: Edition, new: Edition, i: int, j: int, pair: str) -> dict[str, Any]:
    before, after = old.log10_flop[i], new.log10_flop[j]
    factor = 10.0 ** (after - before) if np.isfinite(before) and np.isfinite(after) else None
    kinds = []
    if factor is not None and abs(factor - 1) > MOVED:
        kinds.append("compute")
    if np.isfinite(after) and not np.isfinite(before):
        kinds.append("compute added")
    if np.isfinite(before) and not np.isfinite(after):
        kinds.append("compute withdrawn")
    if old.team[i] != new.team[j]:
        kinds.append("team")
    if old.passes[i] != new.passes[j]:
        kinds.append("notability")
    if old.day[i] != new.day[j]:
        kinds.append("date")
    return _row(pair, old.model[i], ", ".join(kinds), old, i, new, j) | {"compute_factor": factor}


def _alone(edition: Edition, place: int, pair: str, kind: str) -> dict[str, Any]:
    if kind == "removed":
        return _row(pair, edition.model[place], kind, edition, place, None, None)
    return _row(pair, edition.model[place], kind, None, None, edition, place)


def _row(
    pair: str,
    model: str,
    change: str,
    old: Edition | None,
    i: int | None,
    new: Edition | None,
    j: int | None,
) -> dict[str, Any]:
    before, after = _facts(old, i), _facts(new, j)
    return {
        "pair": pair,
        "model": model,
        "change": change,
        **{f"{name}_before": value for name, value in before.items()},
        **{f"{name}_after": value for name, value in after.items()},
        "compute_factor": None,
    }


def _facts(edition: Edition | None, place: int | None) -> dict[str, Any]:
    if edition is None or place is None:
        return dict.fromkeys(("date", "train_flop", "team", "passes_filter"))
    log10 = edition.log10_flop[place]
    return {
        "date": str(np.datetime64(int(edition.day[place]), "D")),
        "train_flop": float(f"{10.0**log10:.10g}") if np.isfinite(log10) else None,
        "team": str(edition.team[place]),
        "passes_filter": bool(edition.passes[place]),
    }


def counts_of(old: Edition, new: Edition, found: Alignment) -> dict[str, Any]:
    """Return how many systems kept, changed, lost or gained what, JSON-ready."""
    team_then, team_now = old.team[found.old], new.team[found.new]
    both = (team_then != "unknown") & (team_now != "unknown")
    before, after = old.log10_flop[found.old], new.log10_flop[found.new]
    had, has = np.isfinite(before), np.isfinite(after)
    shift = np.where(had & has, np.abs(10.0 ** np.where(had & has, after - before, 0.0) - 1), 0.0)
    return {
        "pair": pair_of(old.name, new.name),
        "first": old.name,
        "last": new.name,
        "in_both": int(found.old.size),
        "removed": int(found.removed.size),
        "added": int(found.added.size),
        "team_known_in_both": int(both.sum()),
        "team_kept": int((both & (team_then == team_now)).sum()),
        "team_kept_share": float((team_then == team_now)[both].mean()) if both.any() else None,
        "collaboration_to_academia": int(((team_then == "collaboration") & (team_now == "academia")).sum()),
        "compute_known_in_both": int((had & has).sum()),
        "compute_moved": int((shift > MOVED).sum()),
        "compute_added": int((~had & has).sum()),
        "compute_withdrawn": int((had & ~has).sum()),
        "notability_changed": int((old.passes[found.old] != new.passes[found.new]).sum()),
        "coding_moves": _moves(team_then[both], team_now[both]),
    }


def _moves(then: Sequence[str] | NDArray[np.str_], now: Sequence[str] | NDArray[np.str_]) -> dict[str, int]:
    moves: dict[str, int] = {}
    for a, b in zip(then, now, strict=True):
        if a != b:
            key = f"{a} to {b}"
            moves[key] = moves.get(key, 0) + 1
    return dict(sorted(moves.items(), key=lambda item: -item[1]))

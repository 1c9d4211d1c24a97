"""How many hits of a search for bare names are calls of Python's own functions and methods."""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from isoflop.evidence import Table

BUILTINS = frozenset(dir(builtins))
METHODS = frozenset(name for kind in (str, list, dict, set) for name in dir(kind))


def contamination(frequencies: Table) -> list[dict[str, Any]]:
    """Return, by framework, the share of hits on names that Python itself has.

    An upper bound: ``sum`` and ``max`` may be either.

    Parameters
    ----------
    frequencies : Table
        Schema ``portability_usage``: framework, name, count.

    Examples
    --------
    >>> import polars as pl
    >>> from isoflop.evidence import load
    >>> hits = pl.DataFrame({"framework": ["f"] * 3, "name": ["append", "range", "relu"], "count": [1, 2, 7]})
    >>> row = contamination(load(hits, schema="portability_usage"))[0]
    >>> row["builtin_share"], row["python_share"]
    (0.2, 0.3)
    """
    rows: list[dict[str, Any]] = []
    for framework, frame in frequencies.frame.group_by("framework", maintain_order=True):
        pairs = list(frame.select("name", "count").iter_rows())
        hits = sum(count for _, count in pairs)
        rows.append(
            {
                "framework": framework[0],
                "names": len(pairs),
                "hits": int(hits),
                "builtin_share": _hits(pairs, BUILTINS) / hits if hits else None,
                "python_share": _hits(pairs, BUILTINS | METHODS) / hits if hits else None,
            }
        )
    return rows


def _hits(pairs: Iterable[tuple[str, float]], names: frozenset[str]) -> float:
    return sum(count for name, count in pairs if name in names)

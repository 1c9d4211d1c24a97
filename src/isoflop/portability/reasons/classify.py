"""Give a failed task its reason: the first rule that fits decides, and is named beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, overload

from isoflop.portability.reasons.table import table

if TYPE_CHECKING:
    import polars as pl

UNCLASSIFIED = "unclassified"
_WITHOUT_REASON = frozenset({"ok", "skipped"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What a row's status is once its reason is known.

    Parameters
    ----------
    status : str
    reason, reason_rule : str or None
        None where nothing failed; the rule is ``version:id``.
    """

    status: str
    reason: str | None
    reason_rule: str | None


@lru_cache(maxsize=8192)
def cause(
    *,
    status: str,
    error_type: str = "",
    error_head: str = "",
    where: str = "",
    agreement: str = "",
    gradient: str = "",
    fallback_ops: str = "",
) -> Cause:
    """Return the cause of one outcome.

    Parameters
    ----------
    status : str
        As the worker gave it.
    error_type, error_head : str
        Exception class and cleaned start of its text.
    where : str
        ``framework:target``.
    agreement, gradient, fallback_ops : str
        As in the columns of those names.

    Examples
    --------
    >>> cause(status="error", error_type="MemoryError").status
    'oom'
    >>> cause(status="error", error_type="ValueError", error_head="no such thing").reason
    'unclassified'
    """
    if status in _WITHOUT_REASON:
        return Cause(status=status, reason=None, reason_rule=None)
    number, rules = table()
    columns = {
        "error_type": error_type,
        "error_head": error_head,
        "where": where,
        "agreement": agreement,
        "gradient": gradient,
        "fallback_ops": fallback_ops,
    }
    for rule in rules:
        if status in rule.when and all(found.search(columns[name]) for name, found in rule.patterns):
            return Cause(status=rule.status or status, reason=rule.reason, reason_rule=f"{number}:{rule.id}")
    return Cause(status=status, reason=UNCLASSIFIED, reason_rule=None)


def classify_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a result row with its status, reason and rule; needs no table library.

    A reason that is already there without a rule (``state_dependent`` of a crash that did not repeat) stays.

    Parameters
    ----------
    row : mapping
        Columns of schema ``portability_results``; absent ones count as empty.

    Examples
    --------
    >>> classify_row({"status": "timeout", "target": "torch:meta"})["reason"]
    'timeout'
    """
    if row.get("reason") and row["reason"] != UNCLASSIFIED and not row.get("reason_rule"):
        return dict(row)
    framework, target = (str(row.get(name) or "") for name in ("framework", "target"))
    found = cause(
        status=str(row["status"]),
        error_type=str(row.get("error_type") or ""),
        error_head=str(row.get("error_head") or ""),
        where=target if ":" in target else f"{framework}:{target}",
        agreement=str(row.get("agreement") or ""),
        gradient=str(row.get("gradient") or ""),
        fallback_ops=str(row.get("fallback_ops") or ""),
    )
    return {**row, "status": found.status, "reason": found.reason, "reason_rule": found.reason_rule}


@overload
def classify(rows: pl.DataFrame) -> pl.DataFrame: ...
@overload
def classify(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]: ...
def classify(rows: pl.DataFrame | Iterable[Mapping[str, Any]]) -> pl.DataFrame | list[dict[str, Any]]:
    """Return rows or a frame with the columns ``status``, ``reason`` and ``reason_rule`` decided.

    Parameters
    ----------
    rows : polars.DataFrame or iterable of mappings
        Result rows; of the columns only ``status`` must be there.

    Returns
    -------
    polars.DataFrame or list of dict
        As it came.

    Examples
    --------
    >>> [row["reason"] for row in classify([{"status": "oom"}, {"status": "ok"}])]
    ['memory', None]
    """
    import polars as pl

    if not isinstance(rows, pl.DataFrame):
        return [classify_row(row) for row in rows]
    read = [
        c
        for c in ("framework", "target", "status", "error_type", "error_head", "agreement", "gradient",
                  "fallback_ops", "reason", "reason_rule")
        if c in rows.columns
    ]  # fmt: skip
    decided = [classify_row(row) for row in rows.select(read).iter_rows(named=True)]
    return rows.with_columns(
        pl.Series(name, [row.get(name) for row in decided], dtype=pl.String)
        for name in ("status", "reason", "reason_rule")
    )

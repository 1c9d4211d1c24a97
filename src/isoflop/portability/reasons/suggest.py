"""Group messages that no rule matched, so that a person can write the next rule; nothing is accepted here."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from isoflop.portability.reasons.classify import UNCLASSIFIED
from isoflop.portability.reasons.table import rules

_BLANKS = (
    (re.compile(r"'[^']{0,80}'|\"[^\"]{0,80}\"|`[^`]{0,80}`"), "‹name›"),
    (re.compile(r"\b(?:float|bfloat|int|uint|complex|bool|[fisu])\d{1,3}\b", re.IGNORECASE), "‹dtype›"),
    (re.compile(r"\b[a-z_]\w*(?:(?:\.|::)\w+)+", re.IGNORECASE), "‹name›"),
    (re.compile(r"[\[(][\d\s,.x-]*[\])]"), "‹shape›"),
    (re.compile(r"0x[0-9a-f]+|\d+(?:\.\d+)?(?:e[+-]?\d+)?", re.IGNORECASE), "‹number›"),
    (re.compile(r"\s+"), " "),
)
_WORD = re.compile(r"[a-z]{3,}")
LIKE = 0.25
"""Below this overlap of words no reason is suggested."""


def template(message: str) -> str:
    """Return a message with names, dtypes, shapes and numbers blanked.

    Examples
    --------
    >>> template("expected 3 arguments for 'add', got 12")
    'expected ‹number› arguments for ‹name›, got ‹number›'
    """
    for pattern, blank in _BLANKS:
        message = pattern.sub(blank, message)
    return message.strip()


def suggest(rows: Iterable[Mapping[str, Any]], *, least: int = 1) -> list[dict[str, Any]]:
    """Return clusters of unclassified messages, largest first.

    Parameters
    ----------
    rows : iterable of mappings
        Classified rows.
    least : int, >= 1
        Smallest cluster shown.

    Returns
    -------
    list of dict
        ``template``, ``error_type``, ``count``, ``functions`` (up to five), ``targets``, ``sample``,
        ``pattern`` (a regular expression to start from) and ``like``: the reason of the rule whose sample
        shares most words, or None. A suggestion, never applied.
    """
    clusters: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        if row.get("reason") == UNCLASSIFIED:
            key = (str(row.get("error_type") or ""), template(str(row.get("error_head") or "")))
            clusters[key].append(row)
    found = [
        {
            "error_type": kind,
            "template": text,
            "count": len(members),
            "functions": sorted({str(m.get("function")) for m in members})[:5],
            "targets": sorted({str(m.get("target")) for m in members}),
            "sample": str(members[0].get("error_head") or ""),
            "pattern": _pattern(text),
            "like": _like(f"{kind} {text}"),
        }
        for (kind, text), members in clusters.items()
        if len(members) >= least
    ]
    return sorted(found, key=lambda one: (-int(str(one["count"])), str(one["template"])))


def _pattern(text: str) -> str:
    return re.sub(r"‹\w+›", ".{1,80}?", re.escape(text[:120]).replace(r"\ ", " "))


def _like(text: str) -> str | None:
    words = set(_WORD.findall(text.lower()))
    best, reason = LIKE, None
    for rule in rules():
        known = set(_WORD.findall(f"{rule.sample_exception} {rule.sample}".lower()))
        overlap = len(words & known) / len(words | known) if words | known else 0.0
        if overlap > best:
            best, reason = overlap, rule.reason
    return reason

"""The rule table: ``rules.toml`` beside this file, read once and checked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from isoflop.errors import EvidenceError
from isoflop.portability.model import NOT_COUNTED, REASONS

PATH = Path(__file__).with_name("rules.toml")
BY_MESSAGE = ("unsupported", "error")
"""Statuses whose cause lies in the error; the others say it by themselves."""
_STATUSES = frozenset(
    {"ok_fallback", "wrong", "unsupported", "error", "crash", "timeout", "oom", "skipped"} | NOT_COUNTED
)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One line of the table; a row that fits every pattern has this reason.

    Parameters
    ----------
    id : str
        Stable name of the rule.
    reason : str
        One of `isoflop.portability.model.REASONS`.
    when : tuple of str
        Statuses that it reads.
    exception, message, target : str
        Regular expressions, found anywhere, in any case; empty fits all. The target is
        ``framework:target``.
    agreement, gradient, fallback : str
        Regular expressions over the columns ``agreement``, ``gradient`` and ``fallback_ops``; empty fits all.
    status : str
        What the status becomes; empty leaves it.
    sample : str
        A message that it was written for, cleaned.
    sample_exception, sample_target : str
        What came with the message.
    note : str
        Why, where the pattern does not say.
    """

    id: str
    reason: str
    when: tuple[str, ...] = BY_MESSAGE
    exception: str = ""
    message: str = ""
    target: str = ""
    agreement: str = ""
    gradient: str = ""
    fallback: str = ""
    status: str = ""
    sample: str = ""
    sample_exception: str = ""
    sample_target: str = ""
    note: str = ""

    @cached_property
    def patterns(self) -> tuple[tuple[str, re.Pattern[str]], ...]:
        """Name of a column and its pattern, for each that is not empty."""
        named = {
            "error_type": self.exception,
            "error_head": self.message,
            "agreement": self.agreement,
            "gradient": self.gradient,
            "fallback_ops": self.fallback,
            "where": self.target,
        }
        return tuple((name, re.compile(text, re.IGNORECASE)) for name, text in named.items() if text)


@cache
def table() -> tuple[int, tuple[Rule, ...]]:
    """Return the version of the table and its rules in order.

    Raises
    ------
    EvidenceError
        An id occurs twice, or a reason or status is unknown.
    """
    import tomllib

    raw = tomllib.loads(PATH.read_text(encoding="utf-8"))
    found = tuple(_rule(row) for row in raw["rule"])
    ids = [rule.id for rule in found]
    twice = next((i for i in ids if ids.count(i) > 1), None)
    if twice is not None:
        raise EvidenceError(f"rules: id {twice!r} occurs twice, must be unique. Rename one.")
    return int(raw["version"]), found


def rules() -> tuple[Rule, ...]:
    """Return the rules in the order in which they are tried.

    Examples
    --------
    >>> next(rule.id for rule in rules() if rule.reason == "timeout")
    'timed-out'
    """
    return table()[1]


def version() -> int:
    """Return the version of the table, which every decided reason carries."""
    return table()[0]


def _rule(row: dict[str, Any]) -> Rule:
    rule = Rule(**{**row, "when": tuple(row.get("when", BY_MESSAGE))})
    unknown = [s for s in (*rule.when, rule.status) if s and s not in _STATUSES]
    if rule.reason not in REASONS or unknown:
        came = unknown[0] if unknown else rule.reason
        raise EvidenceError(
            f"rules: {rule.id!r} names {came!r}, must be a known reason or status. Correct it."
        )
    return rule

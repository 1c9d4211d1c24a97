"""Decisions that win over every rule: a list that ships, and one of the user's own.

A pattern is a run of whole words; case, accents and signs do not matter. Between slashes it is a regular
expression, searched in the text without case and accents.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import get_args

from isoflop.errors import EvidenceError, SettingError, closest
from isoflop.evidence.affiliations.decision import OrgType
from isoflop.evidence.affiliations.names import rows_of, words_of

COLUMNS = ("pattern", "type", "reason")


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """One decision of a person.

    Parameters
    ----------
    pattern : str
        Whole words, or a regular expression between slashes.
    type : str
        One of the types of organisations.
    reason : str
        Why; it is shown with the decision.
    """

    pattern: str
    type: OrgType
    reason: str = ""

    def __post_init__(self) -> None:
        if self.type not in get_args(OrgType):
            near = closest(str(self.type), get_args(OrgType))
            hint = f" Did you mean {near!r}?" if near else ""
            raise SettingError(
                f"Override: type={self.type!r}, needs one of {', '.join(get_args(OrgType))}.{hint}"
            )
        if self.expression is None and not words_of(self.pattern):
            raise SettingError(
                f"Override: pattern={self.pattern!r} has no word, needs at least one. Write a name."
            )

    @property
    def expression(self) -> re.Pattern[str] | None:
        """The compiled expression of a pattern between slashes."""
        text = self.pattern.strip()
        if len(text) < 3 or not (text.startswith("/") and text.endswith("/")):
            return None
        try:
            return re.compile(text[1:-1])
        except re.error as error:
            raise SettingError(
                f"Override: {text} is no regular expression ({error}). Correct it, or leave the slashes out."
            ) from error

    @property
    def matched(self) -> str:
        """What a decision shows: the pattern and its reason."""
        return f"{self.pattern} ({self.reason})" if self.reason else self.pattern


@cache
def shipped_overrides() -> tuple[Override, ...]:
    """Return the overrides that ship."""
    return tuple(Override(**row) for row in rows_of("organisation_overrides"))  # type: ignore[arg-type]


def read_overrides(path: Path | str) -> tuple[Override, ...]:
    """Return the overrides of a CSV with columns pattern, type and, if wanted, reason.

    Raises
    ------
    EvidenceError
        No such file, a column is missing, or a row has a type that is none.
    """
    path = Path(path)
    if not path.is_file():
        raise EvidenceError(f"overrides: no file {path}. Check the path.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise EvidenceError(f"overrides: {path.name} is not UTF-8. Save it as UTF-8.") from error
    reader = csv.DictReader(text.splitlines())
    missing = [name for name in COLUMNS[:2] if name not in (reader.fieldnames or ())]
    if missing:
        raise EvidenceError(
            f"overrides: {path.name} lacks column {missing[0]!r}, needs {', '.join(COLUMNS)}. Add it."
        )
    return tuple(_rows(reader, path.name))


def _rows(reader: Iterable[dict[str, str]], where: str) -> Sequence[Override]:
    found = []
    for number, row in enumerate(reader, 1):
        kind = (row["type"] or "").strip().lower()
        try:
            found.append(Override(pattern=row["pattern"] or "", type=kind, reason=row.get("reason") or ""))  # type: ignore[arg-type]
        except SettingError as error:
            raise EvidenceError(f"overrides: {where}, row {number}: {error}") from error
    return found

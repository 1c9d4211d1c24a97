"""Types of institutions: OpenAlex's words to five classes, overrides, and labs that follow a parent."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from isoflop.errors import EvidenceError, closest

CLASSES: Final = ("unresolved", "education", "company", "public", "other")
"""Class of an institution by its code."""
UNRESOLVED, EDUCATION, COMPANY, PUBLIC, OTHER = range(5)

TYPES: Final[Mapping[str, int]] = {
    "education": EDUCATION,
    "company": COMPANY,
    "government": PUBLIC,
    "facility": PUBLIC,
    "healthcare": PUBLIC,
    "nonprofit": PUBLIC,
    "archive": PUBLIC,
    "funder": PUBLIC,
    "other": OTHER,
}
"""OpenAlex's type of an institution to its class; a type not listed is `other`, a missing one unresolved."""

COUNTRIES: Final = (
    *("US", "CN", "GB", "DE", "IN", "JP", "FR", "IT", "CA", "AU", "ES", "KR", "BR", "NL", "RU", "IR"),
    *("CH", "TR", "PL", "SE", "TW", "BE", "DK", "AT", "IL", "MX", "PT", "MY", "ID", "SA", "EG", "ZA"),
    *("NO", "FI", "SG", "GR", "CZ", "PK", "HK", "IE", "NZ", "TH", "UA", "RO", "HU", "AR", "CL", "CO"),
    *("VN", "NG", "BD", "AE", "RS", "HR", "SK", "BG", "SI", "MA", "TN", "DZ", "IQ", "KE"),
)
"""Countries with a bit of their own, by the bit: most of those with much research output."""

_INSTITUTION = "https://openalex.org/"


def class_of(kind: str | None) -> int:
    """Return the class of an institution of this type.

    Examples
    --------
    >>> CLASSES[class_of("facility")], CLASSES[class_of(None)], CLASSES[class_of("guild")]
    ('public', 'unresolved', 'other')
    """
    return UNRESOLVED if kind is None else TYPES.get(kind, OTHER)


def country_bit(code: str | None) -> int:
    """Return the bit of a country, that of all others where it has none, 0 where it is missing.

    Examples
    --------
    >>> country_bit("US"), country_bit("XK") == 1 << 62, country_bit(None)
    (1, True, 0)
    """
    return 0 if not code else COUNTRY_BITS.get(code, 1 << len(COUNTRIES))


COUNTRY_BITS: Final[Mapping[str, int]] = {code: 1 << i for i, code in enumerate(COUNTRIES)}


def read_overrides(path: Path) -> dict[str, int]:
    """Return institution address to class from a CSV with columns ``id`` and ``type``.

    Raises
    ------
    EvidenceError
        A column is missing, a type is unknown, or an institution is given twice.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            rows, header = list(reader), reader.fieldnames or []
    except (OSError, UnicodeDecodeError) as reason:
        raise EvidenceError(
            f"{path}: {reason}, needs a CSV with columns id and type. Check the path."
        ) from None
    missing = [name for name in ("id", "type") if name not in header]
    if missing:
        raise EvidenceError(
            f"{path}: columns {', '.join(header) or 'none'}, needs id and type. Name the institutions as "
            "I136199984 and their types as OpenAlex does, e.g. education."
        )
    found: dict[str, int] = {}
    for row in rows:
        name, kind = _address(row["id"]), row["type"].strip()
        if kind not in TYPES:
            near = closest(kind, TYPES)
            hint = f"Did you mean {near}?" if near else "Use education, say."
            raise EvidenceError(
                f"{path}: type {kind!r} of {row['id']}, must be one of {', '.join(TYPES)}. {hint}"
            )
        if name in found:
            raise EvidenceError(f"{path}: {row['id']} is given twice, needs one row each. Drop one of them.")
        found[name] = TYPES[kind]
    return found


def _address(text: str) -> str:
    """Return the address of an institution named by it or by its last part.

    Examples
    --------
    >>> _address(" I136199984 ")
    'https://openalex.org/I136199984'
    """
    return _INSTITUTION + text.strip().rpartition("/")[2]


def inherited(source: Path) -> dict[str, int]:
    """Return the institutions that count as companies because one above them in their lineage is one.

    Parameters
    ----------
    source : Path
        The ``institutions`` folder of a snapshot (gzip JSON lines), or one file of it.

    Raises
    ------
    EvidenceError
        There is no such file, or one cannot be read.
    """
    files = sorted(source.rglob("*.gz")) if source.is_dir() else [source]
    if not files or not all(file.is_file() for file in files):
        raise EvidenceError(
            f"{source}: no .gz files, needs the institutions of a snapshot for --lineage parent. Point "
            "--institutions at the folder data/jsonl/institutions."
        )
    kinds: dict[str, str | None] = {}
    above: dict[str, list[str]] = {}
    for file in files:
        try:
            with gzip.open(file, "rt", encoding="utf-8") as lines:
                for line in lines:
                    record = json.loads(line)
                    kinds[record["id"]] = record.get("type")
                    above[record["id"]] = record.get("lineage") or []
        except (OSError, EOFError, ValueError, KeyError) as reason:
            raise EvidenceError(
                f"{file}: {reason}, needs institutions as JSON lines with id, type and lineage. Download it "
                "again."
            ) from None
    return {
        name: COMPANY
        for name, parents in above.items()
        if kinds[name] not in ("education", "company")
        and any(kinds.get(parent) == "company" for parent in parents if parent != name)
    }

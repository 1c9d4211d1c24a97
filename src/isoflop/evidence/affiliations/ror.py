"""Records of the Research Organization Registry (ROR), where the user has its dump.

The dump is a JSON list of records of schema 2; a saved search response (``hits.hits[]._source``) reads too.
Records are joined by identifier, and by e-mail domain where no rule on the string decided.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isoflop.errors import EvidenceError
from isoflop.evidence.affiliations.decision import OrgType

TYPES: Mapping[str, OrgType] = {
    "education": "education",
    "company": "company",
    "government": "government",
    "nonprofit": "nonprofit",
    "healthcare": "healthcare",
    "facility": "facility",
    "archive": "other",
    "other": "other",
}
"""Types of ROR in the order in which they are taken; a funder is nothing by that alone."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ror:
    """Types by identifier and by domain.

    Parameters
    ----------
    ids : mapping of str to OrgType
        By the last part of the identifier, in lower case.
    domains : mapping of str to OrgType
    names : mapping of str to str
        Display names by identifier, for explanations.
    """

    ids: Mapping[str, OrgType]
    domains: Mapping[str, OrgType]
    names: Mapping[str, str]

    def of(self, identifier: str) -> tuple[OrgType, str] | None:
        """Return the type of an identifier, short or as an address, and the record's name."""
        key = short_id(identifier)
        kind = self.ids.get(key)
        return None if kind is None else (kind, f"{key} {self.names.get(key, '')}".strip())


def short_id(identifier: str) -> str:
    """Return the last part of an identifier.

    Examples
    --------
    >>> short_id("https://ror.org/05dxps055")
    '05dxps055'
    """
    return identifier.strip().rstrip("/").rpartition("/")[2].lower()


def ror_type(types: Iterable[Any]) -> OrgType | None:
    """Return the one type of a record that may list several.

    Examples
    --------
    >>> ror_type(["funder", "education"]), ror_type(["funder"]), ror_type(["Government", "facility"])
    ('education', None, 'government')
    """
    given = {str(one).lower() for one in types}
    return next((kind for name, kind in TYPES.items() if name in given), None)


def read_ror(path: Path | str) -> Ror:
    """Read a dump of ROR, plain or gzipped.

    Raises
    ------
    EvidenceError
        No such file, no JSON, or no record of schema 2 in it.
    """
    path = Path(path)
    if not path.is_file():
        raise EvidenceError(f"ROR: no file {path}. Name the JSON file of the dump, unpacked.")
    try:
        data = path.read_bytes()
        text = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
        content = json.loads(text)
    except (OSError, EOFError, ValueError) as error:
        raise EvidenceError(
            f"ROR: {path.name} is no JSON ({error}). Name the unpacked JSON file of the dump."
        ) from error
    return _records(_listed(content), path.name)


def _listed(content: Any) -> list[Any]:
    if isinstance(content, dict):
        hits = content.get("hits")
        if isinstance(hits, dict):
            return [hit.get("_source") for hit in hits.get("hits", ()) if isinstance(hit, dict)]
        return list(content.get("items") or ())
    return content if isinstance(content, list) else []


def _records(records: list[Any], where: str) -> Ror:
    known = [r for r in records if isinstance(r, dict) and r.get("id") and isinstance(r.get("types"), list)]
    if not known:
        raise EvidenceError(
            f"ROR: {where} has no record with id and types, needs a list of records of schema 2. "
            "Download the current dump."
        )
    ids: dict[str, OrgType] = {}
    domains: dict[str, OrgType] = {}
    names: dict[str, str] = {}
    for record in known:
        kind = ror_type(record["types"])
        if kind is None:
            continue
        key = short_id(str(record["id"]))
        ids[key] = kind
        names[key] = _display_name(record.get("names") or ())
        domains.update({str(domain).lower(): kind for domain in record.get("domains") or ()})
    return Ror(ids=ids, domains=domains, names=names)


def _display_name(names: Iterable[Any]) -> str:
    listed = [name for name in names if isinstance(name, dict) and name.get("value")]
    shown = [name for name in listed if "ror_display" in (name.get("types") or ())]
    return str((shown or listed or [{"value": ""}])[0]["value"])

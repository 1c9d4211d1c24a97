"""What an e-mail domain says: listed domains by their endings, then the endings kept for schools and states.

Addresses at free mail and of learned societies say nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Literal

from isoflop.evidence.affiliations.decision import OrgType
from isoflop.evidence.affiliations.names import rows_of

DomainType = OrgType | Literal["personal"]
_ENDINGS: tuple[tuple[re.Pattern[str], OrgType], ...] = (
    (re.compile(r"(?:^|\.)edu(?:\.[a-z]{2})?$"), "education"),
    (re.compile(r"(?:^|\.)ac\.[a-z]{2}$"), "education"),
    (re.compile(r"(?:^|\.)(?:gov|mil)(?:\.[a-z]{2})?$"), "government"),
    (re.compile(r"(?:^|\.)(?:go|gob|gouv|govt)\.[a-z]{2}$"), "government"),
    (
        re.compile(r"(?:^|\.)(?:uni|univ|fh|tu|th|hs|hochschule|universite|ens)-[a-z-]+\.[a-z]{2,3}$"),
        "education",
    ),
    (
        re.compile(r"(?:^|\.)(?:uni|univ|unin?)[a-z]{0,12}\.(?:it|fr|ch|es|br|de|at|hr|si|rs|sk|hu|pl|co)$"),
        "education",
    ),
    (re.compile(r"(?:^|\.)u-[a-z-]+\d?\.fr$"), "education"),
    (re.compile(r"(?:^|\.)insa-[a-z]+\.fr$"), "education"),
)
"""Endings that registries keep for schools and governments, and names that universities give themselves."""
_DOMAIN = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)+")


@cache
def shipped_domains() -> Mapping[str, DomainType]:
    """Return the domains that ship, with their types; ``personal`` ones say nothing."""
    return {row["domain"]: row["type"] for row in rows_of("organisation_domains")}  # type: ignore[misc]


def type_of_domain(domain: str, also: Mapping[str, DomainType] | None = None) -> tuple[OrgType, str] | None:
    """Return the type of a domain and the ending that decided, or None.

    Parameters
    ----------
    domain : str
        A domain or an address; case and a leading ``www.`` do not matter.
    also : mapping, optional
        Further domains and types, asked before those that ship.

    Examples
    --------
    >>> type_of_domain("cs.cmu.edu"), type_of_domain("mail.google.com")
    (('education', 'edu'), ('company', 'google.com'))
    >>> type_of_domain("someone@GMAIL.com") is None
    True
    """
    found = _DOMAIN.search(domain.lower().rpartition("@")[2])
    if found is None:
        return None
    name = found.group()
    labels = name.split(".")
    for start in range(len(labels) - 1):
        ending = ".".join(labels[start:])
        for table in (also or {}, shipped_domains()):
            kind = table.get(ending)
            if kind == "personal":
                return None
            if kind is not None:
                return kind, ending
    for pattern, known in _ENDINGS:
        hit = pattern.search(name)
        if hit is not None:
            return known, hit.group().lstrip(".")
    return None

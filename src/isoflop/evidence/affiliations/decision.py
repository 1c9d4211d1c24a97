"""What was decided about one organisation, by which rule, and on which words."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

OrgType = Literal[
    "education",
    "company",
    "government",
    "nonprofit",
    "collective",
    "facility",
    "healthcare",
    "other",
    "joint",
    "unknown",
]
"""Types of ROR, one for research collectives, and ``joint``: a school and a company in one string."""
RuleName = Literal[
    "override",
    "given type",
    "ROR record",
    "school and company",
    "academic name",
    "company name",
    "public research",
    "legal form",
    "web name",
    "school words",
    "research words",
    "domain",
    "nothing known",
]
ORG_TYPES: tuple[OrgType, ...] = get_args(OrgType)
RULES: tuple[RuleName, ...] = get_args(RuleName)
"""In the order in which they are asked; ``school and company`` is two names found together."""


class Decision(NamedTuple):
    """The type of one organisation, the rule that gave it and the text that it rests on.

    Examples
    --------
    >>> Decision("joint", "school and company", "eth + disney").types
    ('education', 'company')
    """

    type: OrgType
    rule: RuleName
    matched: str

    @property
    def types(self) -> tuple[OrgType, ...]:
        """Types to count: none where nothing is known, two where a string names a school and a company."""
        if self.type == "unknown":
            return ()
        return ("education", "company") if self.type == "joint" else (self.type,)


UNKNOWN = Decision("unknown", "nothing known", "")

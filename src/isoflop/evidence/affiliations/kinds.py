"""What kind of organisation a text names, and what in the text said so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

OrgType = Literal[
    "education",
    "company",
    "government",
    "nonprofit",
    "collective",
    "facility",
    "healthcare",
    "other",
    "unknown",
]
ORG_TYPES: tuple[OrgType, ...] = get_args(OrgType)


@dataclass(frozen=True, slots=True)
class Decision:
    """The types of the organisations that one text names.

    Parameters
    ----------
    types : tuple of str
        Types found, schools and companies first; empty where nothing is known. A text such as "Google and
        Stanford University" names two.
    rule : str
        The rule that decided, one of `RULES`.
    matched : str
        The words that the rule found, in lower case and without accents; several are joined by "; ".

    Examples
    --------
    >>> Decision(types=("education", "facility"), rule="academic words", matched="university").type
    'education'
    """

    types: tuple[OrgType, ...] = ()
    rule: str = "nothing known"
    matched: str = ""

    @property
    def type(self) -> OrgType:
        """The first of the types, "unknown" if there is none."""
        return self.types[0] if self.types else "unknown"


RULES = (
    "override",
    "exception",
    "type given",
    "ror id",
    "ror domain",
    "ror name",
    "academic name",
    "company name",
    "public name",
    "academic words",
    "public words",
    "academic and company",
    "legal form",
    "domain",
    "domain ending",
    "weak words",
    "nothing known",
)
"""Every rule that a decision can name, in the order in which they are tried."""
UNKNOWN = Decision()

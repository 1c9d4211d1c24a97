"""From what a table says of a row's organisations to one team.

Two codings of Epoch AI are read. The old one names the team (``Industry - Academia Collaboration
(Industry leaning)``); the new one lists a word for each organisation (``Industry,Academia,Academia``).
A table in isoflop's own columns may give ``org_types`` instead. A blank is unknown, never other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from isoflop.divide.model import Team, TeamRule
from isoflop.errors import EvidenceError, closest
from isoflop.evidence.models import split_list

Coding = Literal["team", "organisations", "none"]
UnknownLabels = Literal["refuse", "other"]

WORDS: Mapping[str, str] = {
    "industry": "company",
    "company": "company",
    "academia": "education",
    "education": "education",
    "government": "government",
    "research collective": "collective",
    "collective": "collective",
    "non-profit": "nonprofit",
    "nonprofit": "nonprofit",
    "facility": "facility",
    "healthcare": "healthcare",
    "other": "other",
}
"""Words of both codings, and of isoflop's own types, to the type of an organisation."""
BLANK = ("", "unknown")
COLLABORATION = "collab"
PUBLIC = frozenset({"government", "nonprofit", "collective", "facility", "healthcare"})
LEANING: Mapping[str, Team] = {"industry leaning": "industry", "academia leaning": "academia"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """The types found in one label, before any policy.

    Parameters
    ----------
    types : frozenset of str
        Types of the organisations; empty where nothing is known.
    leans : str or None
        The side a collaboration leans to.
    reason : str
        What in the label decided.
    """

    types: frozenset[str]
    leans: Team | None = None
    reason: str = "no label"


def read_label(label: str | None) -> Typed | None:
    """Return the types in a label of either coding; None if a word in it is in neither.

    Examples
    --------
    >>> sorted(read_label("Industry,Academia,Academia").types)
    ['company', 'education']
    >>> read_label("Industry - Academia collaboration (industry Leaning)").leans
    'industry'
    >>> read_label("Startup") is None
    True
    """
    text = (label or "").strip().lower()
    if text in BLANK:
        return Typed(types=frozenset())
    if COLLABORATION in text:
        leans = next((team for words, team in LEANING.items() if words in text), None)
        return Typed(types=frozenset({"company", "education"}), leans=leans, reason=f"label {label!r}")
    words = [word.lower() for word in split_list(text)]
    if any(word not in WORDS and word not in BLANK for word in words):
        return None
    return Typed(types=frozenset(WORDS[w] for w in words if w in WORDS), reason=f"label {label!r}")


def team_of(typed: Typed, rule: TeamRule) -> Team:
    """Return the team of a set of organisation types under a rule.

    Any school and any company together are a collaboration; a company without a school is industry,
    even beside a government laboratory, unless the rule is strict.

    Examples
    --------
    >>> team_of(Typed(types=frozenset({"company", "government"})), TeamRule())
    'industry'
    >>> team_of(Typed(types=frozenset({"company", "government"})), TeamRule(strict=True))
    'other'
    """
    types = typed.types
    if not types:
        return "unknown"
    if rule.public_research == "academia":
        types = frozenset("education" if kind in PUBLIC else kind for kind in types)
    school, company = "education" in types, "company" in types
    if school and company:
        return typed.leans if rule.leaning == "lean" and typed.leans else "collaboration"
    if (school or company) and (not rule.strict or len(types) == 1):
        return "academia" if school else "industry"
    if rule.public_research == "own" and types <= PUBLIC:
        return "public"
    return "other"


def coding_of(labels: Iterable[str | None], where: str = "team_label") -> Coding:
    """Return which coding a column of labels follows, judged over the whole table, named by `where`.

    Raises
    ------
    EvidenceError
        Some labels list organisations and others name collaborations.

    Examples
    --------
    >>> coding_of(["Industry", "Industry,Academia"]), coding_of(["Industry - Academia Collaboration"])
    ('organisations', 'team')
    """
    given = [label.strip() for label in labels if label and label.strip()]
    named = next((label for label in given if COLLABORATION in label.lower()), None)
    listed = next((label for label in given if len(split_list(label)) > 1), None)
    if named is not None and listed is not None:
        raise EvidenceError(
            f"{where}: team label {named!r} names a team and {listed!r} lists organisations, needs one "
            "coding in a table. Rewrite one of them, or load the parts as two tables."
        )
    if not given:
        return "none"
    return "team" if named is not None else "organisations"


def read_labels(
    labels: Sequence[str | None], where: str, unknown_labels: UnknownLabels = "refuse"
) -> list[Typed]:
    """Return what each label says.

    Parameters
    ----------
    labels : sequence of str or None
    where : str
        Name of the table, for messages.
    unknown_labels : {"refuse", "other"}
        What to do with a word in neither coding.

    Raises
    ------
    EvidenceError
        A label is in neither coding, or the codings are mixed.
    """
    coding_of(labels, where)
    known: dict[str | None, Typed | None] = {label: read_label(label) for label in set(labels)}
    strange = sorted({label for label, typed in known.items() if typed is None and label is not None})
    if strange and unknown_labels == "refuse":
        near = closest(strange[0], WORDS)
        hint = f"Is {strange[0]!r} meant as {near!r}? " if near else ""
        raise EvidenceError(
            f"{where}: team label{'' if len(strange) == 1 else 's'} {', '.join(repr(s) for s in strange[:5])}"
            f"{f' and {len(strange) - 5} more' if len(strange) > 5 else ''}, needs words of one coding "
            f"(Academia, Industry, Government, Non-profit, Research collective, or a collaboration). {hint}"
            "Rename them, or count them as other (--unknown-labels other)."
        )
    other = Typed(types=frozenset({"other"}), reason="label in neither coding, taken as other")
    return [known[label] or other for label in labels]

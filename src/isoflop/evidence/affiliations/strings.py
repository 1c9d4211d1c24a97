"""What an affiliation string says by its own words, in one pass.

Known names are looked up first and use up their words, so that "Toyota Technological Institute" is a school
and no car maker; words left over speak by their stems. A school and a company in one string are ``joint``.
Words too weak to decide beside a name (legal forms, "School of", "Research Institute") come last.
"""

from __future__ import annotations

import re

from isoflop.evidence.affiliations.decision import UNKNOWN, Decision, OrgType
from isoflop.evidence.affiliations.domains import type_of_domain
from isoflop.evidence.affiliations.names import Index, name_at
from isoflop.evidence.affiliations.words import (
    BREAKS,
    folded,
    kind_of_script,
    kind_of_word,
    tokens,
)

_LEGAL = frozenset(
    """
    inc incorporated ltd limited llc llp gmbh corp corporation plc pvt pte company sarl srl oy oyj kk
    aktiengesellschaft holdings startup ventures pty kabushiki
    """.split()  # noqa: SIM905 - words are easier to read and to extend than a list of strings
)
_LEGAL_AT_END = frozenset({"ag", "bv", "spa", "sas", "studios", "aps", "se", "technologies"})
"""Legal forms that are other words elsewhere; they close a part of at most `_SHORT` words."""
_SHORT = 4
_DONOR = frozenset({"chair", "chairs", "professor", "professorship", "fellow", "fellowship", "scholar"})
"""A company before one of these paid for a post; it is not where the work was done."""
_CUT_NAME = re.compile(r"\b(tu|uc|iit|ut), ?")
"""Acronyms that some sources cut from their town by a comma."""
_SCHOOL = frozenset(
    ("school", "schools", "faculty", "faculte", "facultad", "facolta", "fakultat", "faculdade")
)
_WEB = re.compile(r"[^\W_]{3}\.(?:com|ai|io)\b")
_DOTTED = re.compile(r"\b(?:s\. ?p\. ?a|s\. ?r\. ?l|b\. ?v)\b")
_ADDRESS = re.compile(r"(?<![a-z0-9-])(?<![a-z0-9-]\.)[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,3}(?![^\W_])")
"""It begins where a name begins: tried within a word, one of ten thousand letters would take seconds."""
_RESEARCH: tuple[tuple[tuple[str, ...], OrgType], ...] = (
    (("ministry",), "government"),
    (("government",), "government"),
    (("national", "institute"), "government"),
    (("national", "research"), "government"),
    (("national", "center"), "government"),
    (("national", "centre"), "government"),
    (("academy", "of", "sciences"), "government"),
    (("research", "institute"), "facility"),
    (("research", "institution"), "facility"),
    (("research", "foundation"), "nonprofit"),
    (("foundation",), "nonprofit"),
    (("fondazione",), "nonprofit"),
)
_BY_FIRST: dict[str, list[tuple[tuple[str, ...], OrgType]]] = {}
for _words, _kind in _RESEARCH:
    _BY_FIRST.setdefault(_words[0], []).append((_words[1:], _kind))


class Reader:
    """Reads strings against an index of names; remembers what single words say.

    Parameters
    ----------
    index : mapping
        See `names.index_of`.

    Examples
    --------
    >>> from isoflop.evidence.affiliations.names import shipped_names
    >>> reader = Reader(shipped_names())
    >>> reader.decide("Toyota Technological Institute at Chicago").type
    'education'
    >>> reader.decide("Adobe Research and University of Maryland, College Park").type
    'joint'
    """

    __slots__ = ("_index", "_kinds")

    def __init__(self, index: Index) -> None:
        self._index = index
        self._kinds: dict[str, OrgType | None] = {}

    def decide(self, text: str) -> Decision:
        """Return what the words of one string say."""
        plain = _CUT_NAME.sub(r"\1 ", folded(text))
        words = tokens(plain)
        school, company, public = self._evidence(words)
        if not plain.isascii() and not (school or company):
            script = kind_of_script(text)
            if script is not None:
                kind, stem = script
                if kind == "education":
                    school = stem
                elif kind == "company":
                    return Decision("company", "legal form", stem)
                else:
                    public = public or (kind, stem)
        if school:
            if company:
                return Decision("joint", "school and company", f"{school} + {company}")
            return Decision("education", "academic name", school)
        if company:
            return Decision("company", "company name", company)
        if public:
            return Decision(public[0], "public research", public[1])
        return _weak(plain, words)

    def _evidence(self, words: list[str]) -> tuple[str, str, tuple[OrgType, str] | None]:
        """Return the first name or word of a school, of a company, and of public research."""
        school = company = ""
        public: tuple[OrgType, str] | None = None
        index, kinds = self._index, self._kinds
        place, end, head, first = 0, len(words), True, True
        while place < end:
            word = words[place]
            if word in BREAKS:
                head = True
                place += 1
                continue
            name = name_at(index, words, place, head, first) if word in index else None
            if name is not None:
                kind, said, step = name.type, name.text, 1 + len(name.rest)
                if kind == "company" and place + step < end and words[place + step] in _DONOR:
                    kind = "place"
            else:
                if word not in kinds:
                    kinds[word] = kind_of_word(word)
                kind, said, step = kinds[word] or "place", word, 1
            if kind == "education":
                school = school or said
            elif kind == "company":
                company = company or said
            elif kind != "place" and public is None:
                public = kind, said
            if word != "the" and not word.isdigit():
                head = first = False
            place += step
        return school, company, public


def _weak(plain: str, words: list[str]) -> Decision:
    """Return what words say that decide nothing beside a name."""
    end, begun = len(words), 0
    for place, word in enumerate(words):
        if word in BREAKS:
            begun = place + 1
            continue
        closes = place + 1 == end or words[place + 1] in BREAKS
        if word in _LEGAL or (word in _LEGAL_AT_END and closes and 0 < place - begun < _SHORT):
            return Decision("company", "legal form", word)
    dotted = _DOTTED.search(plain)
    if dotted is not None:
        return Decision("company", "legal form", dotted.group())
    for address in _ADDRESS.findall(plain):
        known = type_of_domain(address)
        if known is not None:
            return Decision(known[0], "web name", address)
    web = _WEB.search(plain)
    if web is not None:
        return Decision("company", "web name", web.group())
    for word in words:
        if word in _SCHOOL:
            return Decision("education", "school words", word)
    for place, word in enumerate(words):
        for rest, kind in _BY_FIRST.get(word, ()):
            if tuple(words[place + 1 : place + 1 + len(rest)]) == rest:
                return Decision(kind, "research words", " ".join((word, *rest)))
    return UNKNOWN

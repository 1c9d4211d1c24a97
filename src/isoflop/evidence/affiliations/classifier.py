"""The chain of rules from an affiliation to a type, with the reason of each decision.

Asked in turn: overrides; the type that the source gives; the ROR record; names and words of the string;
legal forms and other weak words; the e-mail domain; nothing known. The first that answers decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from isoflop.errors import EvidenceError
from isoflop.evidence.affiliations.decision import UNKNOWN, Decision, OrgType
from isoflop.evidence.affiliations.domains import DomainType, type_of_domain
from isoflop.evidence.affiliations.names import Index, index_of, name_at, shipped_names
from isoflop.evidence.affiliations.overrides import Override, shipped_overrides
from isoflop.evidence.affiliations.ror import Ror, ror_type
from isoflop.evidence.affiliations.strings import Reader
from isoflop.evidence.affiliations.words import folded, tokens

if TYPE_CHECKING:
    import polars as pl


Texts = np.ndarray[tuple[int, ...], np.dtype[np.object_]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TypedStrings:
    """One decision for each string, as arrays of equal length.

    Parameters
    ----------
    type, rule, matched : array of str, shape (n,)
    """

    type: Texts
    rule: Texts
    matched: Texts

    def frame(self) -> pl.DataFrame:
        """Return the decisions as a table of three columns."""
        import polars as pl

        return pl.DataFrame({"type": self.type, "rule": self.rule, "matched": self.matched})


class Classifier:
    """Types organisations offline and remembers each distinct string.

    Parameters
    ----------
    overrides : sequence of Override
        Decisions of the user's own; they win over those that ship.
    ror : Ror, optional
        Records of the user's copy of ROR.
    universities : mapping of str to str, optional
        Further domains and their types, such as a public list of universities.

    Examples
    --------
    >>> chain = Classifier(overrides=(Override(pattern="Acme Labs", type="company", reason="seen"),))
    >>> chain.decide("Department of Odd Things, Acme Labs")
    Decision(type='company', rule='override', matched='Acme Labs (seen)')
    >>> chain.decide("Department of Computer Science").type
    'unknown'
    >>> chain.decide("Department of Computer Science", domain="cs.ox.ac.uk")
    Decision(type='education', rule='domain', matched='ac.uk')
    """

    __slots__ = ("_cache", "_expressions", "_own", "_reader", "_ror", "_shipped", "_universities")

    def __init__(
        self,
        *,
        overrides: Sequence[Override] = (),
        ror: Ror | None = None,
        universities: Mapping[str, DomainType] | None = None,
    ) -> None:
        self._own = _index(overrides)
        self._shipped = _shipped_index()
        self._expressions = tuple(
            (expression, one) for one in overrides if (expression := one.expression) is not None
        )
        self._ror = ror
        self._universities = {**(ror.domains if ror else {}), **(universities or {})}
        self._reader = Reader(shipped_names())
        self._cache: dict[str, tuple[Decision, bool]] = {}

    def decide(
        self,
        text: str,
        *,
        domain: str | None = None,
        given: str | None = None,
        identifier: str | None = None,
    ) -> Decision:
        """Return the decision on one organisation.

        Parameters
        ----------
        text : str
            The organisation as printed; may be empty.
        domain : str, optional
            E-mail domain of the author.
        given : str, optional
            Type that the source gives, in the words of ROR.
        identifier : str, optional
            ROR identifier.
        """
        by_text, is_override = self._by_text(text)
        if is_override:
            return by_text
        kind = ror_type([given]) if given else None
        if kind is not None:
            return Decision(kind, "given type", str(given))
        record = self._ror.of(identifier) if self._ror is not None and identifier else None
        if record is not None:
            return Decision(record[0], "ROR record", record[1])
        if by_text.type == "unknown" and domain:
            known = type_of_domain(domain, self._universities)
            if known is not None:
                return Decision(known[0], "domain", known[1])
        return by_text

    def classify(
        self,
        strings: Sequence[str | None],
        *,
        domains: Sequence[str | None] | None = None,
        given: Sequence[str | None] | None = None,
        identifiers: Sequence[str | None] | None = None,
    ) -> TypedStrings:
        """Return the decisions on many organisations; each distinct string is read once.

        Parameters
        ----------
        strings : sequence of str or None, length n
        domains, given, identifiers : sequence of str or None, length n, optional
            What else is known of each; see `decide`.

        Raises
        ------
        EvidenceError
            The sequences differ in length.

        Examples
        --------
        >>> Classifier().classify(["KAUST", "NTT", None]).type.tolist()
        ['education', 'company', 'unknown']
        """
        for name, other in (("domains", domains), ("given", given), ("identifiers", identifiers)):
            if other is not None and len(other) != len(strings):
                raise EvidenceError(
                    f"classify: {len(other)} {name} for {len(strings)} strings, needs as many. Pair them."
                )
        if domains is None and given is None and identifiers is None:
            return _arrays([self._by_text(text or "")[0] for text in strings])
        blank = [None] * len(strings)
        parts = zip(strings, domains or blank, given or blank, identifiers or blank, strict=True)
        return _arrays(
            [
                self.decide(text or "", domain=domain, given=kind, identifier=identifier)
                for text, domain, kind, identifier in parts
            ]
        )

    def _by_text(self, text: str) -> tuple[Decision, bool]:
        """Return what the string alone says, and whether an override says it."""
        known = self._cache.get(text)
        if known is None:
            override = self._override(text)
            known = (override, True) if override else (self._reader.decide(text) if text else UNKNOWN, False)
            self._cache[text] = known
        return known

    def _override(self, text: str) -> Decision | None:
        plain = folded(text)
        words = tokens(plain)
        if self._own:
            hit = _first(self._own, words)
            if hit is not None:
                return hit
        for expression, one in self._expressions:
            if expression.search(plain):
                return Decision(one.type, "override", one.matched)
        return _first(self._shipped, words)


def _first(index: Index, words: list[str]) -> Decision | None:
    """Return the first override whose words occur."""
    for place, word in enumerate(words):
        if word in index:
            name = name_at(index, words, place, head=True, first=True)
            if name is not None:
                return Decision(name.type, "override", name.text)  # type: ignore[arg-type]
    return None


def _index(overrides: Iterable[Override]) -> Index:
    plain = [one for one in overrides if one.expression is None]
    index = index_of((one.pattern, one.type, "any") for one in plain)
    said = {one.pattern: one.matched for one in reversed(plain)}
    return {
        word: tuple(name._replace(text=said[name.text]) for name in names) for word, names in index.items()
    }


@cache
def _shipped_index() -> Index:
    return _index(shipped_overrides())


def _arrays(decisions: Sequence[Decision]) -> TypedStrings:
    columns = list(zip(*decisions, strict=True)) if decisions else [(), (), ()]
    kinds, rules, matched = (np.asarray(column, dtype=object) for column in columns)
    for array in (kinds, rules, matched):
        array.flags.writeable = False
    return TypedStrings(type=kinds, rule=rules, matched=matched)


@cache
def default_classifier() -> Classifier:
    """Return the chain with what ships and nothing else; its cache lasts as long as the process."""
    return Classifier()


def resolve_organisations(names: Sequence[str]) -> list[Decision]:
    """Return the decision on each name of an organisation, by what ships.

    Examples
    --------
    >>> [one.type for one in resolve_organisations(["Google Brain", "OpenAI", "University of Toronto"])]
    ['company', 'company', 'education']
    """
    chain = default_classifier()
    return [chain.decide(name) for name in names]


def types_of(strings: Iterable[str]) -> dict[str, tuple[OrgType, ...]]:
    """Return the types to count of each distinct string; see `Decision.types`.

    Examples
    --------
    >>> types_of(["ETH Zurich + Disney", "Nobody"])
    {'ETH Zurich + Disney': ('education', 'company'), 'Nobody': ()}
    """
    chain = default_classifier()
    return {text: chain.decide(text).types for text in dict.fromkeys(strings)}

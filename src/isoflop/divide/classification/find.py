"""From affiliations, or a table of systems, to teams: evidence in, `Teams` out.

A row is one paper: its authors split by ";", an author's organisations by "+" or "|". A school and a company
in one row are a collaboration. An author's e-mail domain is asked only where the author's organisations say
nothing; a string that says nothing has a class for each domain seen with it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from isoflop.divide.classification.result import MANY_UNKNOWN, Class, Teams
from isoflop.divide.model import Team, TeamRule
from isoflop.divide.teams import Typed, team_of
from isoflop.errors import EvidenceError
from isoflop.evidence.affiliations import Classifier, Decision, default_classifier
from isoflop.evidence.affiliations.split import AUTHORS, SEPARATORS, split_affiliations
from isoflop.evidence.affiliations.words import unescaped
from isoflop.findings import Provenance
from isoflop.present.formats import percent

if TYPE_CHECKING:
    from isoflop.evidence.table import Table

OWN_RULES = (
    "Types come from rules on names, not from looking each organisation up: see the accuracy study, and "
    "override what is wrong with a table of your own."
)
PUBLISHED_IN = (
    "An affiliation says where an author works, not who paid; a table with sponsors would tell them apart."
)
SYSTEM_LABELS = "Teams of systems follow the table's own labels; nothing here checks its coding."


def classify(
    texts: Sequence[str | None],
    *,
    domains: Sequence[str | None] | None = None,
    separators: str = SEPARATORS,
    rule: TeamRule | None = None,
    classifier: Classifier | None = None,
    name: str = "affiliations",
) -> Teams:
    """Return the team of every row, and the decision on every distinct organisation.

    Parameters
    ----------
    texts : sequence of str or None, length n
        Affiliations of one paper each.
    domains : sequence of str or None, length n, optional
        E-mail domains of the authors, split by ";"; used where as many as authors.
    separators : str
        Signs between organisations; "" takes each cell as one organisation.
    rule : TeamRule, optional
    classifier : Classifier, optional
        The chain of rules; default: what ships, without ROR.
    name : str
        Of the table, for reports.

    Returns
    -------
    Teams

    Raises
    ------
    EvidenceError
        No row, or another number of domains than of texts.

    Examples
    --------
    >>> teams = classify(["MIT; Google + MIT", "ETH Zurich", "Department of Physics"])
    >>> teams.team
    ('collaboration', 'academia', 'unknown')
    >>> [(one.string, one.count, one.type) for one in teams.classes][:2]
    [('MIT', 2, 'education'), ('Google', 1, 'company')]
    """
    rows = list(texts)
    given = list(domains) if domains is not None else [""] * len(rows)
    if not rows:
        raise EvidenceError("classify: no row, needs at least one. Give a column of affiliations.")
    if len(given) != len(rows):
        raise EvidenceError(f"classify: {len(given)} domains for {len(rows)} rows, needs as many. Pair them.")
    rule, chain = rule or TeamRule(), classifier or default_classifier()
    listed: Counter[tuple[str, str]] = Counter()
    decided: dict[tuple[str, str], Decision] = {}
    teams: list[Team] = []
    kept: dict[frozenset[str], Team] = {}
    unpaired = 0
    for text, cell in zip(rows, given, strict=True):
        keys, paired = _keys(text or "", cell or "", separators, chain)
        unpaired += not paired
        types: set[str] = set()
        for key in keys:
            if key not in decided:
                decided[key] = chain.decide(key[0], domain=key[1] or None)
            types.update(decided[key].types)
        listed.update(key for key in keys if key[0])
        found = frozenset(types)
        if found not in kept:
            kept[found] = team_of(Typed(types=found), rule)
        teams.append(kept[found])
    if rule.unknown in ("academia", "industry"):
        teams = [rule.unknown if team == "unknown" else team for team in teams]
    classes = tuple(_class(key, count, decided[key], rule) for key, count in listed.most_common())
    return Teams(
        name=name,
        unit="rows",
        team=tuple(teams),
        classes=classes,
        rule=rule,
        cautions=_cautions(teams, unpaired),
        provenance=(_provenance(name, rows, given),),
    )


def classify_systems(models: Table, *, rule: TeamRule | None = None) -> Teams:
    """Return the team of every dated system of a models table, with the reason of each.

    Parameters
    ----------
    models : Table
        Evidence of schema ``models``.
    rule : TeamRule, optional

    Raises
    ------
    EvidenceError
        A label is in neither coding.

    Examples
    --------
    >>> from isoflop.evidence import load
    >>> classify_systems(load("notable_systems")).unit
    'systems'
    """
    from isoflop.divide.sample import select

    sample = select(models, rule=rule or TeamRule(), filter="none", since=None, compute=False)
    columns = sample.frame.select("model", "team", "team_reason").iter_rows()
    classes = tuple(
        Class(
            string=model,
            count=1,
            team=team,
            type=team,
            rule="label",
            matched=reason,
        )
        for model, team, reason in columns
    )
    return Teams(
        name=models.name,
        unit="systems",
        team=tuple(one.team for one in classes),
        classes=classes,
        rule=sample.rule,
        cautions=(SYSTEM_LABELS, *sample.cautions),
        provenance=sample.provenance(sample.n),
    )


def _keys(text: str, cell: str, separators: str, chain: Classifier) -> tuple[list[tuple[str, str]], bool]:
    """Return the organisations of a row, each with the domain to ask, and whether domains were paired."""
    if not cell:
        return [(part, "") for part in split_affiliations(text, separators)], True
    is_listed = AUTHORS in separators
    authors = unescaped(text).split(AUTHORS) if is_listed else [text]
    domains = [one.strip() for one in cell.split(AUTHORS)] if is_listed else [cell.strip()]
    paired = len(domains) == len(authors)
    if not paired:
        domains = [""] * len(authors)
    keys: list[tuple[str, str]] = []
    for author, domain in zip(authors, domains, strict=True):
        parts = split_affiliations(author, separators) or [""]
        silent = bool(domain) and not any(chain.decide(part).types for part in parts)
        keys += [(part, domain if silent else "") for part in parts]
    return [key for key in keys if key[0] or key[1]], paired


def _class(key: tuple[str, str], count: int, one: Decision, rule: TeamRule) -> Class:
    team = team_of(Typed(types=frozenset(one.types)), rule)
    return Class(
        string=key[0],
        count=count,
        team=team,
        type=one.type,
        rule=one.rule,
        matched=one.matched,
        domain=key[1],
    )


def _cautions(teams: Sequence[Team], unpaired: int) -> tuple[str, ...]:
    said = [OWN_RULES, PUBLISHED_IN]
    unknown = sum(team == "unknown" for team in teams)
    if unknown > MANY_UNKNOWN * len(teams):
        said.append(
            f"{unknown} of {len(teams)} rows ({percent(unknown / len(teams))}) have no known team: shares of "
            "the rest may differ. Give e-mail domains, ROR or overrides."
        )
    if unpaired:
        said.append(
            f"In {unpaired} rows e-mail domains and affiliations differ in number, and the domains are not "
            "used. Pair them in the source to cure it."
        )
    return tuple(said)


def _provenance(name: str, texts: Sequence[str | None], domains: Sequence[str | None]) -> Provenance:
    cells = "\x1e".join(f"{text}\x1f{domain}" for text, domain in zip(texts, domains, strict=True))
    digest = hashlib.sha256(cells.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return Provenance(
        name=name, source=name, kind="own", rows_used=len(texts), rows_dropped=0, fingerprint=digest
    )

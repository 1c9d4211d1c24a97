"""From the affiliations of a paper to its team, and to the parts that academia and industry have in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from isoflop.divide.model import Team, TeamRule
from isoflop.divide.teams import Typed, read_labels, team_of

if TYPE_CHECKING:
    import polars as pl

SIGNS = re.compile(r"[+|]")


def teams_of_works(frame: pl.DataFrame, rule: TeamRule, where: str) -> list[pl.Series]:
    """Return columns ``team``, ``part_academia``, ``part_industry`` and ``part_other`` of papers.

    A coded label comes first, then types given by the source, then affiliations. The parts are shares of
    the listed organisations whose type is known, so that they sum to 1; of a label they are equal parts.

    Parameters
    ----------
    frame : polars.DataFrame
        Canonical columns of schema ``works``.
    rule : TeamRule
    where : str
        Name of the table, for messages.

    Raises
    ------
    EvidenceError
        A label is in neither coding.
    """
    import polars as pl

    given = [types or label for types, label in frame.select("org_types", "team_label").iter_rows()]
    labels = read_labels(given, where)
    texts = [None if label.types else text for label, text in zip(labels, frame["affiliations"], strict=True)]
    found = types_of_lists(texts, frame["email_domains"].to_list())
    teams: list[Team] = []
    parts: list[tuple[float, float, float]] = []
    decided: dict[tuple[frozenset[str], Team | None], Team] = {}
    for label, types in zip(labels, found, strict=True):
        known = label if label.types else Typed(types=frozenset(kind for one in types for kind in one))
        key = (known.types, known.leans)
        if key not in decided:
            decided[key] = team_of(known, rule)
        teams.append(decided[key])
        parts.append(_parts([(kind,) for kind in sorted(label.types)] or types))
    if rule.unknown in ("academia", "industry"):
        teams = [rule.unknown if team == "unknown" else team for team in teams]
    columns = ("part_academia", "part_industry", "part_other")
    shares = pl.DataFrame(parts, schema=dict.fromkeys(columns, pl.Float64), orient="row")
    return [pl.Series("team", teams, dtype=pl.String), *shares]


def _parts(organisations: Sequence[tuple[str, ...]]) -> tuple[float, float, float]:
    """Return the shares of schools, companies and others in a list of organisations, each with its types."""
    count = len(organisations)
    if not count:
        return 0.0, 0.0, 0.0
    school = company = 0.0
    for types in organisations:
        is_school, is_company = "education" in types, "company" in types
        # A string that names a school and a company is half of each.
        school += is_school / (1 + is_company)
        company += is_company / (1 + is_school)
    return school / count, company / count, max(0.0, 1 - (school + company) / count)


def types_of_lists(texts: Sequence[str | None], domains: Sequence[str | None]) -> list[list[tuple[str, ...]]]:
    """Return the types of each organisation that an affiliation text lists, those unknown left out.

    Authors are split by ";", an author's organisations by "+" or "|"; each distinct name is typed once. An
    e-mail domain decides for an author none of whose organisations is known, where domains and authors
    are of one number.

    Parameters
    ----------
    texts, domains : sequences of str or None, of one length

    Examples
    --------
    >>> types_of_lists([None, " ; ", "MIT; Google + MIT"], [None, None, None])
    [[], [], [('education',), ('company',), ('education',)]]
    """
    works = [_authors(text or "", given or "") for text, given in zip(texts, domains, strict=True)]
    names = list(dict.fromkeys(name for authors in works for found, _ in authors for name in found))
    if not names and not any(domain for authors in works for _, domain in authors):
        return [[] for _ in works]
    from isoflop.evidence.affiliations import default_classifier, types_of

    known, classifier = types_of(names), default_classifier()
    left = list(
        dict.fromkeys(
            (name, domain)
            for authors in works
            for found, domain in authors
            if domain and not any(known[name] for name in found)
            for name in found or ("",)
        )
    )
    by_domain = {(name, domain): classifier.decide(name, domain=domain).types for name, domain in left}
    return [
        [
            types
            for found, domain in authors
            for name in found or ("",)
            if (types := known.get(name, ()) or by_domain.get((name, domain), ()))
        ]
        for authors in works
    ]


def _authors(text: str, domains: str) -> list[tuple[tuple[str, ...], str]]:
    """Return the organisations and the e-mail domain of each author; no domain where lists differ."""
    from isoflop.evidence.affiliations.split import pair, split_authors

    given = [domain.strip() for domain in domains.split(";")]
    return [
        (tuple(part for piece in SIGNS.split(author) if (part := piece.strip())), domain)
        for author, domain in pair(split_authors(text), given)
    ]

"""How often the typing of affiliations is right: hand labels, and agreement with two other procedures.

1. Hand labels, `affiliation_labels.csv`: two rounds of distinct strings drawn at random within the rule that
   decided them (round 1 also by half of the years; not by country), and labelled by name from public
   knowledge before the decisions were looked at. Round 1 (452 strings) was drawn before the rules were
   corrected by its errors; round 2 (265) after, and nothing was corrected by it. Public research counts as
   one class. A string that names no organisation is ``unknown``.
2. Agreement of strings with e-mail domains, where both say school or company (public lists needed).
3. Teams of papers against a short procedure of regular expressions and then domains, venue by venue. It is
   written here from general words and stands in for silver labels that are not at hand; its errors are its
   own. No venue is unseen: our lists were completed from the most frequent undecided strings of all venues.
   Agreement of rules with rules is not accuracy.

Weights are the numbers of distinct strings that each rule decided when the round was drawn.
"""

from __future__ import annotations

import csv
import gzip
import os
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from isoflop.evidence.affiliations import default_classifier
from isoflop.evidence.affiliations.domains import type_of_domain
from isoflop.evidence.affiliations.split import split_affiliations, split_authors
from isoflop.stats.intervals import wilson

LABELS = Path(__file__).with_name("affiliation_labels.csv")
FILES = ("ml_papers_2013_2018.csv.gz", "ml_papers_2019_2025.csv.gz")
DRAWN = {
    "1": {
        "academic name": 35149,
        "company name": 4581,
        "public research": 4030,
        "legal form": 1055,
        "school words": 174,
        "research words": 169,
        "web name": 43,
        "school and company": 434,
        "nothing known": 4064,
        "override": 134,
    },
    "2": {
        "academic name": 35223,
        "company name": 4519,
        "public research": 3985,
        "legal form": 921,
        "school words": 133,
        "research words": 108,
        "web name": 32,
        "school and company": 310,
        "nothing known": 4032,
        "override": 118,
    },
}
PLAIN = ("education", "company", "joint", "unknown")
_SCHOOL = re.compile(
    r"univ|colleg|institute? of (?:science|tech)|polyt[eé]c|politec|hochschule|[eé]cole|technische|"
    r"\beth\b|\bmit\b|epfl|kaist|kaust|technion|caltech|cmu|carnegie|ucla|uiuc|\buc\b|\btu\b|stanford|"
    r"iiit|\biit\b|virginia tech|georgia tech|postech|unist|insa|inria-ens|mila\b|courant|weizmann|"
    r"school of|\bkth\b|hkust|cuhk|\bnus\b|\bntu\b|ku leuven|ttic|tti-c|telecom paris|t[eé]l[eé]com|"
    r"toyota technological|harvard|csail",
    re.IGNORECASE,
)
_FIRM = re.compile(
    r"google|deepmind|microsoft|facebook|\bmeta\b|amazon|\baws\b|apple\b|\bibm\b|nvidia|\bintel\b|adobe|"
    r"tencent|alibaba|\bant (?:group|fin)|baidu|bytedance|huawei|noah.?s ark|sensetime|megvii|samsung|"
    r"sony|disney|bosch|siemens|toyota (?!tech)|honda|hitachi|\bnec\b|\bntt\b|fujitsu|mitsubishi|merl|"
    r"naver|kakao|\blg\b|yahoo|twitter|snap inc|netflix|uber|waymo|openai|salesforce|qualcomm|oppo|"
    r"xiaomi|\bjd\b|meituan|kuaishou|youtu|damo|hikvision|ericsson|nokia|bell labs|\babb\b|daimler|"
    r"\bbmw\b|tcs|yandex|preferred networks|omron|\binc\b|\bltd\b|limited|gmbh|\bcorp|\bllc\b|company",
    re.IGNORECASE,
)
_PUBLIC = re.compile(
    r"inria|cnrs|max.?planck|\bmpi\b|fraunhofer|academy of sciences|riken|\baist\b|nasa|national lab|"
    r"laborator(?:y|ies) of pattern|\bdlr\b|aerospace center|dfki|csiro|nicta|data61|idiap|"
    r"istituto italiano|vector inst|turing inst|a.?star|infocomm|\bcea\b|research institute|"
    r"national institute|hospital|army|peng ?cheng|allen institute",
    re.IGNORECASE,
)


def study() -> None:
    """Print accuracy on the labels, and agreement where the public lists are at hand."""
    for number in sorted(DRAWN):
        _labels(number)
    folder = (
        Path(os.environ.get("ISOFLOP_EVIDENCE", Path(__file__).parents[2] / "shared" / "data")) / "divide"
    )
    if all((folder / name).is_file() for name in FILES):
        _agreement(folder)
    else:
        print("Agreement with domains and with the short procedure needs the public paper lists.")


def labelled(number: str) -> list[dict[str, str]]:
    """Return the labelled strings of a round."""
    with LABELS.open(encoding="utf-8", newline="") as lines:
        return [row for row in csv.DictReader(lines) if row["round"] == number]


def accuracy(number: str) -> tuple[dict[str, tuple[int, int]], float, float]:
    """Return right and all by rule, then the weighted accuracy of all strings and of those decided."""
    chain = default_classifier()
    right: Counter[str] = Counter()
    every: Counter[str] = Counter()
    for row in labelled(number):
        kind = chain.decide(row["string"]).type
        every[row["rule"]] += 1
        right[row["rule"]] += (kind if kind in PLAIN else "public") == row["label"]
    weights = DRAWN[number]
    decided = [rule for rule in every if rule != "nothing known"]
    return (
        {rule: (right[rule], every[rule]) for rule in every},
        _weighted(right, every, weights, list(every)),
        _weighted(right, every, weights, decided),
    )


def _weighted(right: Counter[str], every: Counter[str], weights: dict[str, int], rules: list[str]) -> float:
    total = sum(weights[rule] for rule in rules)
    return sum(weights[rule] * right[rule] / every[rule] for rule in rules) / total


def _labels(number: str) -> None:
    by_rule, whole, decided = accuracy(number)
    right, every = (sum(pair[i] for pair in by_rule.values()) for i in (0, 1))
    when = "drawn before correction, scored after" if number == "1" else "held out"
    print(
        f"Hand labels, round {number} ({when}): {right} of {every} right; "
        f"weighted {whole:.1%}, decided {decided:.1%}"
    )
    for rule, (k, n) in sorted(by_rule.items(), key=lambda item: -item[1][1]):
        low, high = (float(end) for end in wilson(k, n))
        print(f"  {rule:20} {k:3} of {n:3}  {k / n:6.1%}  [{low:.1%}, {high:.1%}]")


def _papers(folder: Path) -> Iterator[dict[str, str]]:
    csv.field_size_limit(sys.maxsize)
    for name in FILES:
        with gzip.open(folder / name, "rt", encoding="utf-8") as lines:
            yield from csv.DictReader(lines)


def _agreement(folder: Path) -> None:
    pairs: Counter[tuple[str, str]] = Counter()
    teams: Counter[str] = Counter()
    venues: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row in _papers(folder):
        ours, theirs = _two_teams(row, pairs)
        teams[ours] += 1
        if theirs != "unknown":
            venues[row["venue"]][0] += ours == theirs
            venues[row["venue"]][1] += 1
    every = teams.total()
    print(
        "Teams of papers: " + ", ".join(f"{team} {count / every:.1%}" for team, count in teams.most_common())
    )
    same = pairs["education", "education"] + pairs["company", "company"]
    print(
        f"String and domain, where both decide: {same:,} of {pairs.total():,} agree "
        f"= {same / pairs.total():.1%}"
    )
    right, count = (sum(pair[i] for pair in venues.values()) for i in (0, 1))
    print(f"Teams against the short procedure: {right / count:.1%} of {count:,}")
    for venue, (k, n) in sorted(venues.items()):
        print(f"  {venue:14} {k / n:6.1%} of {n:,}")


def _two_teams(row: dict[str, str], pairs: Counter[tuple[str, str]]) -> tuple[str, str]:
    """Return our team of a paper and that of the short procedure; count strings against domains."""
    chain = default_classifier()
    authors, domains = split_authors(row["aff"]), row["aff_domain"].split(";")
    if len(domains) != len(authors):
        domains = [""] * len(authors)
    ours: set[str] = set()
    theirs: set[str] = set()
    for author, domain in zip(authors, domains, strict=True):
        types = {kind for part in split_affiliations(author) for kind in chain.decide(part).types}
        by_domain = type_of_domain(domain) if domain else None
        decisive = types & {"education", "company"}
        if by_domain and by_domain[0] in ("education", "company") and len(decisive) == 1:
            pairs[next(iter(decisive)), by_domain[0]] += 1
        known = {by_domain[0]} if by_domain else set()
        ours |= types or known
        theirs |= _short(author) or known
    return _team(ours), _team(theirs)


def _short(author: str) -> set[str]:
    found = {kind for kind, words in (("education", _SCHOOL), ("company", _FIRM)) if words.search(author)}
    return found or ({"public"} if _PUBLIC.search(author) else set())


def _team(types: set[str]) -> str:
    if {"education", "company"} <= types:
        return "collaboration"
    if "education" in types:
        return "academia"
    return "industry" if "company" in types else "other" if types else "unknown"

"""Affiliations, or systems, to teams: the verb and its command."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from isoflop.divide.classification.cells import read_cells
from isoflop.divide.classification.find import classify, classify_systems
from isoflop.divide.commands.classify import classify as command
from isoflop.divide.model import TeamRule
from isoflop.errors import EvidenceError, IsoflopError
from isoflop.evidence import load
from isoflop.evidence.affiliations import Classifier, Override

NAMES = ["MIT", "Google", "Inria", "Department of Physics", "CUHK-SenseTime Joint Lab"]
ROWS = ["MIT; Google + MIT", "ETH Zurich", "Inria|Google", "Inria", "Department of Physics", ""]
TEAMS = ("collaboration", "academia", "industry", "other", "unknown", "unknown")
SHARE_TOLERANCE = 0.02
"""Points by which another classifier may move the shares of the silver labels."""
SILVER = {"academia": 0.737, "collaboration": 0.184, "industry": 0.041, "other": 0.021}


def _run(*arguments: str) -> dict[str, Any]:
    result = CliRunner().invoke(command, [*arguments, "--json"], catch_exceptions=False)
    assert result.exit_code == 0
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def test_a_school_and_a_company_in_a_row_are_a_collaboration() -> None:
    assert classify(ROWS).team == TEAMS


def test_policies_of_teams_are_kept() -> None:
    assert classify(["Inria"], rule=TeamRule(public_research="own")).team == ("public",)
    assert classify(["Inria"], rule=TeamRule(public_research="academia")).team == ("academia",)
    assert classify(["Inria; Google"], rule=TeamRule(strict=True)).team == ("other",)
    assert classify([""], rule=TeamRule(unknown="industry")).team == ("industry",)


@given(st.lists(st.lists(st.sampled_from(NAMES), max_size=4), min_size=1, max_size=6))
def test_shares_sum_to_one_and_listings_are_all_counted(rows: list[list[str]]) -> None:
    teams = classify(["; ".join(row) for row in rows])
    assert sum(row["share"] for row in teams.team_rows()) == pytest.approx(1.0)
    assert sum(one.count for one in teams.classes) == sum(len(row) for row in rows)
    assert len({one.string for one in teams.classes}) == len(teams.classes)
    turned = classify(["+".join(reversed(row)) for row in reversed(rows)])
    assert turned.team == teams.team[::-1]
    assert {one.string: one.count for one in turned.classes} == {
        one.string: one.count for one in teams.classes
    }


def test_an_authors_domain_is_asked_only_where_the_author_names_nothing_known() -> None:
    teams = classify(
        ["Department of Physics; MIT", "Department of Physics", "; MIT"],
        domains=["google.com;google.com", "gmail.com", "uni-bonn.de;mit.edu"],
    )
    assert teams.team == ("collaboration", "unknown", "academia")
    asked = {(one.string, one.domain): one.type for one in teams.classes}
    assert asked["Department of Physics", "google.com"] == "company"
    assert asked["Department of Physics", "gmail.com"] == "unknown"
    assert ("MIT", "") in asked


def test_domains_that_do_not_pair_with_authors_are_not_used_and_said() -> None:
    teams = classify(["Department of Physics; MIT"], domains=["google.com"])
    assert teams.team == ("academia",)
    assert any("In 1 rows" in caution for caution in teams.cautions)


def test_entities_do_not_cut_names_apart() -> None:
    assert [one.string for one in classify(["Universit&eacute; de Lyon;; AT&amp;T"]).classes] == [
        "Université de Lyon",
        "AT&T",
    ]


def test_the_share_of_unknown_rows_is_always_a_finding() -> None:
    found = {finding.id: finding for finding in classify(["MIT"]).findings()}
    assert found["divide.classified_share.unknown"].estimate.value == 0.0
    assert found["divide.classified_share.academia"].details == {"k": 1, "n": 1}
    assert any("unknown" in line or "no known team" in line for line in classify(["", "MIT"]).cautions)


def test_no_rows_and_unequal_columns_are_refused() -> None:
    with pytest.raises(EvidenceError, match="no row"):
        classify([])
    with pytest.raises(EvidenceError, match="1 domains for 2 rows"):
        classify(["a", "b"], domains=["x.com"])


def test_every_format_gives_the_same_teams(tmp_path: Path) -> None:
    frame = pl.DataFrame({"aff": ROWS, "n": range(len(ROWS))})
    frame.write_csv(tmp_path / "a.csv")
    frame.write_csv(tmp_path / "a.tsv", separator="\t")
    frame.write_parquet(tmp_path / "a.parquet")
    frame.write_ndjson(tmp_path / "a.jsonl")
    for name in ("a.csv", "a.jsonl"):
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress((tmp_path / name).read_bytes()))
    documents = [_run(str(path)) for path in sorted(tmp_path.iterdir())]
    assert len(documents) == 6
    for document in documents:
        assert document["tables"]["classes"] == documents[0]["tables"]["classes"]
        assert [row["count"] for row in document["tables"]["teams"]] == [1, 1, 1, 1, 2]


def test_lists_in_cells_are_authors(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"affiliations": ["MIT", "Google"]}\n{"affiliations": null}\n')
    assert read_cells(path).texts == ("MIT;Google", "")


def test_the_command_explains_and_takes_overrides_and_ror(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text('where,mail\n"Zeta; MIT","odd.example;mit.edu"\nOmega,\n')
    own = tmp_path / "own.csv"
    own.write_text("pattern,type,reason\nOmega,company,asked\n")
    ror = tmp_path / "ror.json"
    ror.write_text('[{"id": "https://ror.org/0", "types": ["company"], "domains": ["odd.example"]}]')
    given = [str(table), "--column", "where", "--domain-column", "mail"]
    document = _run(*given, "--overrides", str(own), "--ror", str(ror))
    rows = {row["string"]: row for row in document["tables"]["classes"]}
    assert (rows["Zeta"]["type"], rows["Zeta"]["rule"], rows["Zeta"]["domain"]) == (
        "company",
        "domain",
        "odd.example",
    )
    assert rows["Omega"]["matched"] == "Omega (asked)"
    assert rows["MIT"]["team"] == "academia"
    text = CliRunner().invoke(command, [*given, "--explain"], catch_exceptions=False).stdout
    assert "academic name" in text
    assert "Still unknown" in CliRunner().invoke(command, given, catch_exceptions=False).stdout


@pytest.mark.parametrize(
    ("content", "arguments", "message"),
    [
        ("a,b\n1,2\n", (), "no column named affiliation"),
        ("affiliation\nMIT\n", ("--column", "affilation"), "closest is 'affiliation'"),
        ("affiliation\nMIT\n", ("--separator", "a"), "separator 'a'"),
        ("affiliation\n", (), "no data rows"),
        ("affiliation\nMIT\n", ("--overrides", "nowhere.csv"), "overrides: no file"),
        ("affiliation\nMIT\n", ("--ror", "nowhere.json"), "ROR: no file"),
    ],
)
def test_bad_input_is_refused_in_words(
    tmp_path: Path, content: str, arguments: tuple[str, ...], message: str
) -> None:
    path = tmp_path / "t.csv"
    path.write_text(content)
    result = CliRunner().invoke(command, [str(path), *arguments])
    assert isinstance(result.exception, IsoflopError)
    assert message in str(result.exception)


def test_broken_lines_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text("{no json\n")
    with pytest.raises(EvidenceError, match="not JSON lines"):
        read_cells(path)
    with pytest.raises(EvidenceError, match="no file"):
        read_cells(tmp_path / "none.jsonl")


def test_systems_keep_the_teams_of_their_labels() -> None:
    found = classify_systems(load("notable_systems"))
    assert found.n == len(found.classes)
    assert {one.rule for one in found.classes} == {"label"}
    document = _run("notable_systems")
    assert len(document["tables"]["classes"]) == found.n


def test_a_chain_of_ones_own_is_used() -> None:
    chain = Classifier(overrides=[Override(pattern="Zeta", type="company")])
    assert classify(["Zeta"], classifier=chain).team == ("industry",)


@pytest.mark.slow
@pytest.mark.public_data
def test_teams_of_public_papers_stay_near_the_silver_labels(public_data: Path) -> None:
    texts, domains = [], []
    for name in ("ml_papers_2013_2018.csv.gz", "ml_papers_2019_2025.csv.gz"):
        cells = read_cells(public_data / "divide" / name, "aff", "aff_domain")
        texts += cells.texts
        domains += cells.domains
    found = {row["team"]: row["share"] for row in classify(texts, domains=domains).team_rows()}
    for team, share in SILVER.items():
        assert abs(found[team] - share) < SHARE_TOLERANCE
    assert found["unknown"] <= SHARE_TOLERANCE

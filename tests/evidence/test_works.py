"""Tables of papers: what is cleaned, what is refused, and that joining counts a paper once."""

from __future__ import annotations

import gzip
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.errors import EvidenceError
from isoflop.evidence import Table, load
from isoflop.evidence.works import join_works

HEADER = (
    "venue,year,id,title,status,authors_n,aff,aff_domain,citations,topics,pretrained_mentions,has_abstract"
)
ROWS = (
    'icml,2019,a1,"On A",Poster,2,"MIT; Google + MIT",mit.edu;google.com,-1,rl|llm,GPT (OpenAI),1',
    'icml,2019,,"On  a!",Poster,1,"ETH",,7,,,0',
    'www,2024,,"On B",Poster,3,"ETH; ;",,,theory,,1',
    'www,2024,,,Poster,1,"UCL",ucl.ac.uk,3,,,1',
    'www,2024,,,Poster,1,"LMU",,4,,,1',
)


def paperlist(folder: Path, *rows: str, name: str = "papers.csv.gz") -> Path:
    path = folder / name
    text = "\n".join((HEADER, *rows)) + "\n"
    path.write_bytes(gzip.compress(text.encode()))
    return path


def steps_of(table: Table) -> dict[str, int]:
    return {step.rule.split(" ", 1)[1]: int(step.rule.split(" ", 1)[0]) for step in table.steps[:-1]}


def test_a_paper_list_is_cleaned_and_every_step_is_counted(tmp_path: Path) -> None:
    table = load(paperlist(tmp_path, *ROWS))
    assert table.schema == "works"
    assert steps_of(table) == {
        "empty counts of citations stay missing": 1,
        "counts of -1 are a sign for none and become missing": 1,
        "papers without identifier are known by venue, year and title": 4,
    }
    assert table.steps[-1].rows == ("row 2 (On  a!)",)
    assert table.frame["record"].to_list() == [1, 3, 4, 5]
    assert table.frame["citations"].to_list() == [None, None, 3.0, 4.0]
    assert table.frame["topics"].to_list() == ["rl; llm", "theory", None, None]


def test_untitled_papers_are_not_repeats_of_each_other(tmp_path: Path) -> None:
    table = load(paperlist(tmp_path, *ROWS[3:]))
    assert table.frame["affiliations"].to_list() == ["UCL", "LMU"]


def test_lists_that_differ_in_length_are_a_caution(tmp_path: Path) -> None:
    cautions = " ".join(load(paperlist(tmp_path, *ROWS)).cautions)
    assert "e-mail domains" not in cautions
    short = load(paperlist(tmp_path, 'rss,2020,x,"On C",Oral,5,"MIT; MIT",mit.edu,1,,,1'))
    assert any("In 1 paper the list of affiliations" in c for c in short.cautions)
    assert any("In 1 paper e-mail domains" in c for c in short.cautions)


titles = st.lists(st.sampled_from(["On A", "on a", "On B.", "On C", "On D"]), min_size=1, max_size=6)


@given(titles, titles)
def test_a_paper_in_two_tables_counts_once(first: list[str], second: list[str]) -> None:
    def table(names: list[str], name: str, place: str) -> Table:
        frame = pl.DataFrame({"title": names, "year": 2020, "affiliations": place})
        return load(frame, schema="works", name=name)

    joined = join_works([table(first, "one", "MIT"), table(second, "two", "ETH")])
    keys = {name.lower().strip(".") for name in (*first, *second)}
    assert joined.frame.height == len(keys)
    assert joined.rows_read == len(first) + len(second)
    assert joined.rows_read == joined.frame.height + sum(step.dropped for step in joined.steps)


def test_joining_refuses_a_table_given_twice_and_other_schemas() -> None:
    frame = pl.DataFrame({"title": ["On A"], "year": [2020], "affiliations": ["MIT"]})
    one = load(frame, schema="works", name="one")
    with pytest.raises(EvidenceError, match="given twice"):
        join_works([one, one])
    with pytest.raises(EvidenceError, match="needs works"):
        join_works([load("language_evaluations")])


@pytest.mark.parametrize("year", ["1850", "2019.5", "2900"])
def test_a_year_that_cannot_be_is_refused(year: str) -> None:
    frame = pl.DataFrame({"title": ["On A"], "year": [year], "affiliations": ["MIT"]})
    with pytest.raises(EvidenceError, match="row 1, column 'year'"):
        load(frame, schema="works")


def test_minus_one_in_a_table_of_ones_own_is_refused_with_a_hint() -> None:
    frame = pl.DataFrame({"title": ["On A"], "year": [2020], "affiliations": ["MIT"], "citations": [-1]})
    with pytest.raises(EvidenceError, match="-1 is no count"):
        load(frame, schema="works")


def test_a_table_of_ones_own_is_read_through_a_map_and_needs_some_sign_of_the_team() -> None:
    frame = pl.DataFrame({"name": ["On A"], "when": ["2020"], "where": ["MIT"], "topics": ["rl | llm"]})
    mapped = load(frame, schema="works", columns={"title": "name", "year": "when", "affiliations": "where"})
    assert mapped.frame.select("year", "topics").row(0) == (2020, "rl; llm")
    with pytest.raises(EvidenceError, match=r"'affiliations' \(or org_types, team_label\)"):
        load(frame.drop("where"), schema="works", columns={"title": "name", "year": "when"})


@pytest.mark.slow
@pytest.mark.public_data
def test_public_paper_lists_give_the_counts_of_the_survey(public_data: Path) -> None:
    names = ("ml_papers_2013_2018", "ml_papers_2019_2025")
    tables = [load(public_data / "divide" / f"{name}.csv.gz") for name in names]
    counts = [steps_of(table) for table in tables]
    total = {rule: sum(one[rule] for one in counts) for rule in counts[0]}
    assert list(total.values()) == [2368, 3721, 5357]
    joined = join_works(tables)
    assert joined.rows_read == 54_732
    assert joined.frame.height == 54_732 - 344
    assert sum("23" in c and "not as long as the list of authors" in c for c in joined.cautions) == 1

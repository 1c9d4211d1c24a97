"""`isoflop divide query` and the shares it gives: intervals, bounds of unknown teams, pictures, refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from isoflop.divide.chapter.works import works_section
from isoflop.divide.commands.query import query as command
from isoflop.divide.counts.find import KNOWN, work_shares
from isoflop.divide.figures.works import works_by_year, works_by_year_data
from isoflop.errors import EvidenceError, IsoflopError, SettingError
from isoflop.evidence.openalex import extract
from isoflop.evidence.openalex.narrow import TEAMS
from isoflop.evidence.openalex.query import Where, WorkCounts
from isoflop.stats.intervals import wilson
from validation.openalex import Settings, make

cells = st.lists(
    st.tuples(st.sampled_from([None, 2019, 2020, 2021]), st.sampled_from(TEAMS), st.integers(0, 500)),
    min_size=1,
    max_size=15,
    unique_by=lambda cell: cell[:2],
)


def counted(found: list[tuple[int | None, str, int]], by: tuple[str, ...] = ("team", "year")) -> WorkCounts:
    return WorkCounts(
        by=by,
        where=Where(),
        rows=tuple({"team": t, by[1]: y, "works": n, "cited_by": 0} for y, t, n in found),
        works=sum(n for _, _, n in found),
        read=10_000,
        table="made.parquet",
        fingerprint="0",
        engine="duckdb",
    )


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a narrow table of made-up works."""
    pytest.importorskip("ibis", reason="queries need the extra openalex")
    folder = tmp_path_factory.mktemp("query")
    made = make(folder, Settings(works=600, parts=2, seed=1))
    extract(made.folder, folder / "narrow.parquet")
    return folder / "narrow.parquet"


def run(*words: str) -> dict[str, Any]:
    done = CliRunner().invoke(command, [*words, "--json"], catch_exceptions=False)
    assert done.exit_code == 0
    return dict(json.loads(done.stdout))


@given(cells)
def test_shares_sum_to_one_and_bounds_hold_the_point(found: list[tuple[int | None, str, int]]) -> None:
    shares = work_shares(counted(found))
    groups: dict[Any, list[Any]] = {}
    for cell in (*shares.overall, *shares.cells):
        groups.setdefault(cell.group.get("year", "all"), []).append(cell)
    for members in groups.values():
        assert [one.team for one in members] == list(KNOWN)
        if members[0].n == 0:
            assert all(one.share is None and one.low is None for one in members)
            continue
        assert sum(one.share for one in members) == pytest.approx(1)
        for one in members:
            assert one.least - 1e-12 <= one.share <= one.most + 1e-12
            assert one.low <= one.share <= one.high
    assert sum(one.k for one in shares.overall) + shares.overall[0].unknown == sum(n for *_, n in found)


@given(st.integers(0, 200), st.integers(1, 200), st.sampled_from([0.8, 0.95]))
def test_the_interval_is_wilsons_and_the_bounds_move_with_unknown_works(
    academia: int, industry: int, level: float
) -> None:
    shares = work_shares(
        counted([(2020, "academia", academia), (2020, "industry", industry), (2020, "unknown", 50)]),
        level=level,
    )
    one = shares.overall[0]
    low, high = wilson(np.float64(academia), np.float64(academia + industry), level)
    assert (one.low, one.high) == (float(low), float(high))
    total = academia + industry + 50
    assert (one.least, one.most) == (academia / total, (academia + 50) / total)
    assert any("50 of" in text for text in shares.cautions)


def test_no_share_is_given_over_groups_that_overlap() -> None:
    shares = work_shares(counted([(2020, "academia", 3), (2021, "industry", 1)], by=("team", "country")))
    assert shares.overall == ()
    assert shares.findings() == ()
    assert [cell.share for cell in shares.cells if cell.team == "academia"] == [1.0, 0.0]


def test_a_share_without_any_known_team_is_not_identified() -> None:
    shares = work_shares(counted([(2020, "unknown", 7)]))
    assert {finding.status for finding in shares.findings()} == {"not_identified"}
    assert {one.most for one in shares.overall} == {1.0}


def test_a_frame_of_shares_has_its_columns_without_any_row() -> None:
    full = work_shares(counted([(2020, "academia", 3), (2020, "unknown", 1)])).frame()
    assert work_shares(counted([])).frame().schema == full.schema
    assert full.filter(team="academia").row(0) == (2020, "academia", 3, 3, 1, 1.0, *full.row(0)[6:])


def test_shares_need_counts_by_team() -> None:
    counts = WorkCounts(
        by=("year",), where=Where(), rows=(), works=0, read=0, table="t", fingerprint="0", engine="duckdb"
    )
    with pytest.raises(SettingError, match="need 'team' too"):
        work_shares(counts)


@pytest.mark.slow
@pytest.mark.ci
def test_the_command_prints_counts_shares_and_findings(table: Path) -> None:
    document = run(str(table), "--by", "team,year", "--since", "2015")
    counts, shares = document["tables"]["counts"], document["tables"]["shares"]
    assert {finding["id"] for finding in document["findings"]} == {f"divide.works_share.{t}" for t in KNOWN}
    assert min(row["year"] for row in counts) == 2015
    for finding in document["findings"]:
        team = finding["id"].rpartition(".")[2]
        k = sum(row["works"] for row in counts if row["team"] == team)
        assert finding["details"]["k"] == k == sum(row["k"] for row in shares if row["team"] == team)
        least, most = finding["details"]["unknown_bounds"]
        assert finding["low"] < finding["value"] < finding["high"]
        assert least < finding["value"] < most
        assert finding["evidence"][0]["rows_used"] == sum(row["works"] for row in counts)
    unknown = sum(row["works"] for row in counts if row["team"] == "unknown")
    assert any(f"{unknown:,} of" in text for text in document["findings"][0]["cautions"])


@pytest.mark.slow
@pytest.mark.ci
def test_the_page_shows_the_unknown_works(table: Path) -> None:
    done = CliRunner().invoke(command, [str(table), "--by", "team"], catch_exceptions=False)
    assert done.exit_code == 0
    assert "of unknown team besides" in done.stdout
    assert "name no institution of known type" in " ".join(done.stdout.split())


@pytest.mark.slow
@pytest.mark.ci
def test_counts_without_teams_have_no_shares(table: Path) -> None:
    document = run(str(table), "--by", "type,year", "--keep", "xpac")
    assert set(document["tables"]) == {"counts"}
    assert document["findings"] == []


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        (("--by", "team,decade"), SettingError, "must be one of"),
        (("--by", ""), SettingError, "needs at least one"),
        (("--country", "uk"), SettingError, "has no bit"),
        (("--since", "2020", "--until", "2019"), SettingError, "Swap them"),
        (("--engine", "duck"), SettingError, "Did you mean duckdb"),
        (("--by", "year", "--figure", "a.svg"), SettingError, "--by team,year"),
        (("--by", "team,type", "--figure", "a.svg"), SettingError, "team and year alone"),
        (("--since", "2020", "--until", "2020", "--figure", "a.svg"), EvidenceError, "fewer than two years"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    table: Path, words: tuple[str, ...], error: type[IsoflopError], message: str
) -> None:
    with pytest.raises(error, match=message):
        CliRunner().invoke(command, [str(table), *words], catch_exceptions=False)


def test_the_picture_draws_the_shares_of_years_with_enough_works() -> None:
    found = work_shares(
        counted([(2019, "academia", 60), (2019, "industry", 20), (2020, "academia", 40), (2021, "other", 3)])
    )
    frame = works_by_year_data(found)
    assert frame["year"].unique().sort().to_list() == [2019, 2020]
    assert frame.filter(team="industry")["share"].to_list() == [0.25, 0.0]
    assert works_by_year(found).to_dict()["facet"]["field"] == "team"
    section = works_section(found)
    assert [figure.id for figure in section.figures] == ["works-years"]
    assert "academia 81 %" in section.prose[0]

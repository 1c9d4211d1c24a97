"""`isoflop divide represent`, `impact` and `adopt`: documents, pages, pictures and refusals."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

from isoflop.divide.adoption.find import adoption
from isoflop.divide.commands.adopt import adopt
from isoflop.divide.commands.impact import impact as impact_command
from isoflop.divide.commands.represent import represent
from isoflop.divide.figures import adoption as adoption_pictures
from isoflop.divide.figures import impact as impact_pictures
from isoflop.divide.figures import representation as topic_pictures
from isoflop.divide.impact.find import impact
from isoflop.divide.remedies.find import remedies
from isoflop.divide.representation.find import representation
from isoflop.errors import EvidenceError, IsoflopError, SettingError
from isoflop.evidence import Table, load

TOPICS = ("robot; rl", "interp", "llm; interp", None)
TEAMS = ("Academia", "Industry", "Industry - Academia Collaboration", "Academia", "")


def papers(first: int = 2019, last: int = 2025) -> pl.DataFrame:
    """Return papers of three venues over years, with everything that the verbs read."""
    rows: list[dict[str, Any]] = []
    for year in range(first, last + 1):
        for place in range(120):
            team = TEAMS[(place * 7) % len(TEAMS)]
            named = place % 9 == 0 or (year > 2022 and place % 5 == 0)
            rows.append(
                {
                    "title": f"{'BERT' if named else 'Something'} {year} {place}",
                    "venue": ("icml", "coling")[place % 2],
                    "year": year,
                    "team_label": team,
                    "citations": (place * 37 + (60 if "Industry" in team else 0)) % 200,
                    "topics": TOPICS[place % 4],
                    "has_abstract": True,
                }
            )
    return pl.DataFrame(rows, infer_schema_length=None)


@pytest.fixture(scope="module")
def made() -> Table:
    return load(papers(), schema="works", name="made_papers")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("papers")
    early, late = folder / "early.csv", folder / "late.csv"
    papers(2019, 2021).write_csv(early)
    papers(2022, 2025).rename({"title": "name"}).write_csv(late)
    return str(early), str(late)


def document(command: Any, *words: str) -> dict[str, Any]:
    outcome = CliRunner().invoke(command, [*words, "--json"], catch_exceptions=False)
    assert outcome.exit_code == 0
    return json.loads(outcome.stdout)  # type: ignore[no-any-return]


def refusal(command: Any, *words: str) -> str:
    with pytest.raises(IsoflopError) as caught:
        CliRunner().invoke(command, [*words], catch_exceptions=False)
    return str(caught.value)


@pytest.mark.parametrize(
    ("command", "more", "ids", "tables"),
    [
        (
            represent,
            ("--reps", "60"),
            {
                "divide.representation.academia.llm",
                "divide.representation_standardised.industry.robot",
                "divide.remedy_share.interp",
                "divide.remedy_share.interp.2020",
            },
            {"representation", "topic_years", "remedies"},
        ),
        (
            impact_command,
            ("--least", "20"),
            {"divide.impact_odds_ratio", "divide.top_decile_share.industry"},
            {"top_shares", "odds_ratios"},
        ),
        (
            adopt,
            ("--reps", "60"),
            {
                "divide.adoption_share",
                "divide.adoption_growth",
                "divide.adoption_share.2020",
                "divide.adoption_share_standardised.2020",
            },
            {"adoption", "developers"},
        ),
    ],
)
def test_documents_carry_the_ids_and_tables_of_their_verb(
    files: tuple[str, str], command: Any, more: tuple[str, ...], ids: set[str], tables: set[str]
) -> None:
    found = document(command, files[0], *more)
    assert ids <= {f["id"] for f in found["findings"]}
    assert tables | {"waterfall", "evidence"} == set(found["tables"])
    for finding in found["findings"]:
        assert finding["instrument"] == "divide"
        assert finding["evidence"][0]["rows_used"] > 0


def test_several_files_are_one_table_and_a_map_reads_other_names(
    files: tuple[str, str], tmp_path: Path
) -> None:
    early, late = files
    renamed = tmp_path / "late.csv"
    pl.read_csv(late).rename({"name": "title"}).write_csv(renamed)
    both = document(adopt, early, str(renamed), "--reps", "60")
    assert [row["year"] for row in both["tables"]["adoption"]] == list(range(2019, 2026))
    alone = document(adopt, late, "--map", "title=name", "--reps", "60")
    assert [row["year"] for row in alone["tables"]["adoption"]] == list(range(2022, 2026))
    assert "--map title=NAME" in refusal(adopt, late)


def test_choices_of_papers_reach_the_numbers(files: tuple[str, str]) -> None:
    found = document(impact_command, files[0], "--venue", "icml", "--since", "2020", "--least", "10")
    assert {row["rule"] for row in found["tables"]["waterfall"]} == {"since 2020", "venue is icml"}
    assert found["findings"][0]["details"]["strata"] == 2
    assert "Did you mean 'icml'" in refusal(impact_command, files[0], "--venue", "icmll")


def test_pages_end_with_cautions_and_print_the_unknown_share(files: tuple[str, str]) -> None:
    for command, more in ((represent, ["--reps", "60"]), (impact_command, ["--least", "20"]), (adopt, [])):
        page = CliRunner().invoke(command, [files[0], *more], catch_exceptions=False).stdout
        assert "known team" in page
        assert "Cautions" in page.split("Rows")[-1]


def test_without_papers_at_hand_the_verbs_say_what_is_needed() -> None:
    assert "Name a file of papers" in refusal(represent, "--evidence", "embedded")
    assert "needs schema works" in refusal(adopt, "language_evaluations")


def test_help_imports_no_numerics() -> None:
    code = (
        "import sys\n"
        "from isoflop.divide.commands import adopt, impact, represent\n"
        "heavy = {'numpy', 'scipy', 'polars', 'altair'} & set(sys.modules)\n"
        "sys.exit(f'imports {heavy}' if heavy else 0)"
    )
    outcome = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stderr


@pytest.mark.slow
@pytest.mark.ci
def test_every_picture_draws_its_frame_and_nothing_else(made: Table) -> None:
    topics = representation(made, reps=60)
    followed = remedies(topics.sample)
    cited = impact(made, least=20)
    named = adoption(made, reps=60)
    for chart, frame in (
        (topic_pictures.ratios(topics), topic_pictures.ratios_data(topics)),
        (topic_pictures.remedies(followed), topic_pictures.remedies_data(followed)),
        (impact_pictures.top(cited), impact_pictures.top_data(cited)),
        (adoption_pictures.years(named), adoption_pictures.years_data(named)),
    ):
        drawn = [row for rows in chart.to_dict()["datasets"].values() for row in rows]
        assert drawn
        kept = frame.to_dicts()
        assert all(row in kept for row in drawn)


def test_a_picture_without_standardised_ratios_shows_the_crude_ones(made: Table) -> None:
    frame = topic_pictures.ratios_data(representation(made, standardise=False))
    assert frame["kind"].unique().to_list() == ["crude"]
    assert topic_pictures.ratios(representation(made, standardise=False)).to_dict()["hconcat"]


def test_sections_fill_in_numbers_and_mark_what_the_paper_says(made: Table) -> None:
    from isoflop.divide.chapter.adoption import adoption_section
    from isoflop.divide.chapter.impact import impact_section
    from isoflop.divide.chapter.representation import remedies_section, representation_section

    topics = representation(made, reps=60)
    sections = (
        representation_section(topics),
        remedies_section(remedies(topics.sample)),
        impact_section(impact(made, least=20)),
        adoption_section(adoption(made, reps=60)),
    )
    for section in sections:
        text = " ".join(section.prose)
        assert "[V]" in text
        assert "[D]" in text
        assert "None" not in text
        assert section.cautions
        assert list(section.blocks())
        assert section.figures
        assert all(row for table in section.tables for row in table.rows)


def test_the_section_that_stands_where_no_papers_are_names_the_commands() -> None:
    from isoflop.divide.chapter.representation import works_missing_section

    text = " ".join(works_missing_section().prose)
    for verb in ("represent", "impact", "adopt", "extract"):
        assert f"isoflop divide {verb}" in text


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is empty"),
        ("title,year,affiliations\n", "no data rows"),
        ("title;year;affiliations\na;2020;MIT\n", "separator"),
        ("title,year,affiliations\na,two,MIT\n", "is no number"),
        ("title,year,affiliations\na,2020.5,MIT\n", "whole year"),
        ("title,year,affiliations,citations\na,2020,MIT,-1\n", "must be >= 0"),
        ("title,year,team_label,topics\na,2020,Startup,x\n", "needs words of one coding"),
        ("title,year,team_label\na,2020,Academia\n", "no paper has a topic"),
        ("title,year,team_label,topics\na,2020,,x\n", "no paper has a known team"),
    ],
)
def test_bad_tables_are_refused_in_words(content: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "papers.csv"
    path.write_text(content)
    with pytest.raises((EvidenceError, SettingError), match=words):
        CliRunner().invoke(represent, [str(path)], catch_exceptions=False)

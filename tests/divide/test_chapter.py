"""The chapter: complete, consistent, every number from a result, with and without tables of papers."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from isoflop.divide import chapter as module
from isoflop.divide.chapter import chapter
from isoflop.errors import EvidenceError
from isoflop.evidence import Library, Table, load, locate
from isoflop.findings import Document
from isoflop.present.chapter import Chapter
from isoflop.present.formats import percent
from isoflop.present.image import specification

from .made_models import systems
from .made_works import many, works

HEADLINES = [
    "divide.doubling_time_months_all",
    "divide.gap_oom",
    "divide.academia_share_first",
    "divide.academia_share_last",
]
CLAIMS = [
    "divide.academia_less_in_compute_intensive",
    "divide.academia_share_fell",
    "divide.shift_to_open_industry_models",
]
VERDICTS = {"holds", "holds_with_caution", "not_identified", "does_not_hold", "needs_evidence"}
TABLES = {"waterfall", "growth", "gap", "shares", "shares_by_year", "specifications"}


@dataclass(frozen=True)
class Shelf:
    """A library of given tables."""

    tables: dict[str, Table]

    def available(self) -> tuple[str, ...]:
        return tuple(self.tables)

    def table(self, name: str, *, schema: str | None = None) -> Table:
        if name not in self.tables:
            raise EvidenceError(f"load: no table {name} on this shelf, needs it as {schema}. Add it.")
        return self.tables[name]


def shelf() -> Shelf:
    """Return made-up systems under a public name, made-up papers, and the dictionary that ships."""
    counts = {
        (team, topic, year, venue): 12 + 5 * (team == "academia") + 3 * (topic == "interp")
        for team in ("academia", "industry", "collaboration")
        for topic in ("interp", "llm", "robot")
        for year in (2016, 2017)
        for venue in ("icml", "coling")
    }
    rows = many(counts, ("team", "topics", "year", "venue"))
    papers = works(
        [
            row | {"title": f"BERT {i}" if i % 7 == 0 else f"Paper {i}", "citations": 13 * i % 97}
            for i, row in enumerate(rows)
        ],
        name="ml_papers_2013_2018",
    )
    models = load(pl.DataFrame(systems()), schema="models", name="epoch_all_ai_models")
    dictionary = load("pretrained_models")
    return Shelf({"epoch_all_ai_models": models, papers.name: papers, "pretrained_models": dictionary})


def made(library: Library | Shelf) -> tuple[Chapter, list[tuple[str, float]]]:
    told: list[tuple[str, float]] = []
    built = chapter(
        library,  # type: ignore[arg-type]
        quick=True,
        seed=0,
        progress=lambda label, share: told.append((label, share)),
    )
    return built, told


@pytest.fixture(scope="module")
def embedded() -> tuple[Chapter, list[tuple[str, float]]]:
    """Return the chapter on the evidence that ships."""
    return made(locate("embedded"))


@pytest.fixture(scope="module")
def shelved() -> tuple[Chapter, list[tuple[str, float]]]:
    """Return the chapter on made-up systems and papers."""
    return made(shelf())


@pytest.fixture(params=["embedded", "shelved"])
def built(request: pytest.FixtureRequest) -> Chapter:
    """Return each chapter in turn."""
    chapter_, _ = request.getfixturevalue(request.param)
    return chapter_


def words(built: Chapter) -> str:
    shown = [built.question, built.answer, *built.methods]
    for section in built.sections:
        shown += [section.title, *section.prose, *section.cautions]
        for figure in section.figures:
            shown += [figure.title, figure.subtitle, figure.alt, figure.source, figure.interval]
        for table in section.tables:
            shown += [table.title, table.note, *(column.label for column in table.columns)]
            shown += [column.show(row) for row in table.rows for column in table.columns]
    return "\n".join(shown)


@pytest.mark.slow
@pytest.mark.ci
def test_findings_of_the_contract_come_first_and_each_id_once(built: Chapter) -> None:
    ids = [f.id for f in built.findings]
    assert ids[:4] == HEADLINES
    assert len(ids) == len(set(ids))
    assert all(f.instrument == "divide" for f in built.findings)


@pytest.mark.slow
@pytest.mark.ci
def test_headlines_carry_the_details_that_others_rely_on(built: Chapter) -> None:
    found = {f.id: f for f in built.findings}
    assert found[HEADLINES[0]].estimate.unit == "months"
    assert found[HEADLINES[0]].details["draws"]
    assert found[HEADLINES[1]].details["at_year"] in (2021, 2022)
    for name, period in ((HEADLINES[2], "2012-14"), (HEADLINES[3], "2020-22")):
        details = found[name].details
        assert details["period"] == period
        assert details["unknown_bounds"]


@pytest.mark.slow
@pytest.mark.ci
def test_the_three_claims_are_judged_and_name_their_findings(built: Chapter) -> None:
    assert [c.id for c in built.claims] == CLAIMS
    known = {f.id for f in built.findings}
    for claim in built.claims:
        assert claim.verdict in VERDICTS
        assert claim.verdict != "needs_evidence"
        assert claim.why
        assert set(claim.finding_ids) <= known
        assert claim.finding_ids


def test_the_answer_carries_the_numbers_of_the_findings(built: Chapter) -> None:
    found = {f.id: f.estimate.value for f in built.findings}
    doubling, first, last = found[HEADLINES[0]], found[HEADLINES[2]], found[HEADLINES[3]]
    assert doubling is not None
    assert first is not None
    assert last is not None
    assert f"{doubling:.1f} months" in built.answer
    assert percent(first) in built.answer
    assert percent(last) in built.answer


def test_nothing_is_missing_infinite_or_a_code_in_words(built: Chapter) -> None:
    text = words(built)
    assert not re.search(r"\b(nan|inf|None)\b", text)
    assert "{" not in re.sub(r"\{(figure|table):[a-z0-9-]+\}", "", text)
    assert "  " not in "".join(line for section in built.sections for line in section.prose)
    plain = re.sub(r"`[^`]*`", "", text)
    for table in built.evidence:
        plain = plain.replace(table.name, "")
    assert not re.findall(r"\b[a-z0-9]+_[a-z0-9_]+\b", plain)


def test_the_document_is_valid_json_with_the_tables_of_the_report(built: Chapter) -> None:
    text = Document(findings=built.findings, claims=built.claims, tables=built.tables).to_json()
    tables = json.loads(text, parse_constant=pytest.fail)["tables"]
    assert set(tables) >= TABLES
    assert all(tables[name] for name in TABLES)


def test_every_section_says_something_and_places_its_pictures(built: Chapter) -> None:
    assert len({section.id for section in built.sections}) == len(built.sections)
    for section in built.sections:
        assert section.title
        assert section.prose
        blocks = list(section.blocks())
        assert sum(not isinstance(b, str) for b in blocks) == len(section.figures) + len(section.tables)
        assert all(table.rows for table in section.tables)


@pytest.mark.slow
@pytest.mark.ci
def test_every_picture_has_a_specification_with_rows(built: Chapter) -> None:
    assert len(built.figures) >= 15
    assert len({figure.id for figure in built.figures}) == len(built.figures)
    for figure in built.figures:
        assert specification(figure)["description"] == figure.alt
        assert figure.frame.height


def test_what_is_of_the_paper_and_what_is_ours_is_marked(built: Chapter) -> None:
    sections = {section.id: " ".join(section.prose) for section in built.sections}
    assert all(mark in sections["stands-on"] for mark in ("[V]", "[S]", "[D]", "[M]"))
    for name in ("growth", "shares"):
        assert "[S]" in sections[name]
        assert "We have not read" in sections[name]


def test_every_use_of_a_table_is_named_once(built: Chapter) -> None:
    used = [(p.name, p.rows_used) for p in built.evidence]
    assert len(used) == len(set(used))
    read = {(p.name, p.rows_used + p.rows_dropped) for p in built.evidence}
    assert len(read) == len({name for name, _ in read})


def test_the_shipped_rows_are_called_picked_by_hand_in_answer_findings_and_verdicts(
    embedded: tuple[Chapter, list[tuple[str, float]]],
) -> None:
    built, _ = embedded
    assert "hand-picked" in built.answer
    known = {f.id: f for f in built.findings}
    assert all(any("hand-picked" in caution for caution in known[name].cautions) for name in HEADLINES)
    assert all("picked by hand" in claim.why for claim in built.claims)
    assert not any(claim.verdict == "holds" for claim in built.claims)


def test_without_papers_a_section_says_what_table_is_needed(
    embedded: tuple[Chapter, list[tuple[str, float]]],
) -> None:
    built, _ = embedded
    (section,) = (s for s in built.sections if s.id == "papers")
    text = " ".join(section.prose)
    assert "affiliations" in text
    for verb in ("represent", "impact", "adopt", "extract", "query"):
        assert f"isoflop divide {verb}" in text
    assert not [f for f in built.findings if f.id.startswith("divide.representation")]


def test_papers_at_hand_bring_their_sections_and_findings(
    shelved: tuple[Chapter, list[tuple[str, float]]],
) -> None:
    built, _ = shelved
    ids = {f.id for f in built.findings}
    assert {
        "divide.representation.academia.llm",
        "divide.impact_odds_ratio",
        "divide.remedy_share.interp",
        "divide.adoption_share",
    } <= ids
    assert "papers" not in {s.id for s in built.sections}
    assert "ml_papers_2013_2018" in {p.name for p in built.evidence}


def test_progress_is_told_while_it_runs(embedded: tuple[Chapter, list[tuple[str, float]]]) -> None:
    _, told = embedded
    assert [label for label, _ in told] == ["specification curve", "systems", "papers"]
    assert [share for _, share in told] == sorted(share for _, share in told)


def test_quick_draws_the_joint_test_less_often_and_says_how_often(
    embedded: tuple[Chapter, list[tuple[str, float]]],
) -> None:
    built, _ = embedded
    assert module.QUICK_JOINT < module.JOINT
    (one,) = (f for f in built.findings if f.id == "divide.specification_joint_p.gap_oom")
    assert one.details["replicates"] == module.QUICK_JOINT


@pytest.mark.slow
@pytest.mark.public_data
def test_the_public_editions_lead_where_they_are_at_hand(public_data: Path) -> None:
    built, _ = made(locate(public_data))
    found = {f.id: f for f in built.findings}
    doubling, gap = (found[name].estimate.value for name in HEADLINES[:2])
    assert doubling == pytest.approx(5.95, abs=0.05)
    assert gap == pytest.approx(2.23, abs=0.02)
    assert found[HEADLINES[2]].estimate.value == pytest.approx(22 / 36)
    assert found[HEADLINES[3]].estimate.value == pytest.approx(24 / 151)
    assert "hand-picked" not in built.answer
    assert {"audit", "topics", "impact", "adoption"} <= {s.id for s in built.sections}
    assert built.tables["decomposition"]
    for figure in built.figures:
        assert specification(figure)["description"] == figure.alt
    assert not re.search(r"\b(nan|inf|None)\b(?!:)", words(built))

"""The chapter on the shipped evidence: complete, consistent, every number from a result."""

from __future__ import annotations

import json
import re

import pytest

from isoflop.evidence import load, locate
from isoflop.findings import Document
from isoflop.present.image import specification
from isoflop.progress import chapter as module
from isoflop.progress.baselines import baselines
from isoflop.progress.chapter import beside as chapter_beside
from isoflop.progress.chapter import chapter, language_sample
from isoflop.progress.chapter import sensitivity as chapter_sensitivity
from isoflop.progress.chapter.fit import minima_section, timeline_section
from isoflop.progress.fit import fit
from isoflop.progress.sample import select
from isoflop.progress.settings import Starts
from isoflop.progress.simulate import Planted, planted_table
from isoflop.stats.resample import Bootstrap

pytestmark = [pytest.mark.slow, pytest.mark.ci]

CONTRACT = {
    "progress.rate_per_year",
    "progress.halving_time_months",
    "progress.compute_share",
    "progress.ratio_to_moore",
    "progress.ratio_to_hardware",
    "progress.hardware_rate_per_year",
    "progress.hardware_doubling_months",
}


@pytest.fixture(scope="module")
def made():
    """Return the quick chapter with a tenth of its draws: what it says is tested, not how sure it is."""
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "QUICK_DRAWS", 60)
        patch.setattr(chapter_sensitivity, "VARIANT_STARTS", Starts(count=3))
        patch.setattr(chapter_sensitivity, "CV_STARTS", Starts(count=3))
        patch.setattr(chapter_sensitivity, "QUICK_LAWS", (3, 7, 18))
        patch.setattr(chapter_sensitivity, "MAP", {"samples": ("head",), "penalties": (0.0025, 0.01)})
        patch.setattr(chapter_beside, "IMAGE_DRAWS", 40)
        built = chapter(
            locate("embedded"), quick=True, seed=0, progress=lambda label, share: seen.append((label, share))
        )
    return built, seen


def words(built):
    shown = [built.question, built.answer, *built.methods]
    for section in built.sections:
        shown += [section.title, *section.prose, *section.cautions]
        for figure in section.figures:
            shown += [figure.title, figure.subtitle, figure.alt, figure.source, figure.interval]
        for table in section.tables:
            shown += [table.title, table.note, *(c.show(row) for row in table.rows for c in table.columns)]
    return "\n".join(shown)


def test_findings_of_the_contract_are_there_once_headline_first(made):
    built, _ = made
    ids = [f.id for f in built.findings]
    assert set(ids) >= CONTRACT
    assert len(ids) == len(set(ids))
    assert ids[:2] == ["progress.halving_time_months", "progress.rate_per_year"]


def test_every_claim_has_a_verdict_here_and_on_the_published_figures(made):
    built, _ = made
    assert [c.id for c in built.claims] == [
        "progress.halves_in_8_months",
        "progress.faster_than_moore",
        "progress.compute_contributed_more",
    ]
    for claim in built.claims:
        assert claim.verdict != "needs_evidence"
        assert claim.published is not None


def test_answer_carries_the_numbers_of_the_findings(made):
    built, _ = made
    time = next(f for f in built.findings if f.id == "progress.halving_time_months")
    assert f"{time.estimate.value:.1f} months" in built.answer
    assert f"{time.n} evaluations" in built.answer


def test_the_top_says_what_the_rows_are(made):
    built, _ = made
    first = built.sections[0]
    assert re.search(r"\d+ were read in the source itself", first.prose[0])
    assert "no sample of a population" in first.prose[0]


def test_nothing_is_missing_or_infinite_in_words(made):
    built, _ = made
    text = words(built)
    assert not re.search(r"\b(nan|inf|None)\b", text)
    assert "{" not in re.sub(r"\{(figure|table):[a-z-]+\}", "", text)


def test_document_is_valid_json_with_the_tables_of_the_report(made):
    built, _ = made
    text = Document(findings=built.findings, claims=built.claims, tables=built.tables).to_json()
    tables = json.loads(text)["tables"]
    assert set(tables) >= {"waterfall", "minima", "sweep", "comparison", "reproduction"}
    assert all(tables.values())
    assert tables["waterfall"][-1]["kept"] == next(p.rows_used for p in built.evidence)


def test_placed_pictures_and_tables_belong_to_their_section(made):
    built, _ = made
    for section in built.sections:
        blocks = list(section.blocks())
        assert sum(not isinstance(b, str) for b in blocks) == len(section.figures) + len(section.tables)


def test_every_picture_has_a_specification_with_rows(made):
    built, _ = made
    for figure in built.figures:
        assert specification(figure)["description"] == figure.alt
        assert figure.frame.height


def test_sections_without_a_table_say_what_to_pull(made):
    built, _ = made
    capability = next(s for s in built.sections if s.id == "capability")
    assert "isoflop data pull" in capability.prose[0]
    assert not capability.figures


def test_progress_is_told_while_it_runs(made):
    _, seen = made
    assert {label for label, _ in seen} >= {"bootstrap", "sensitivity"}
    assert all(0.0 <= share <= 1.0 for _, share in seen)


def test_images_have_ids_of_their_own(made):
    built, _ = made
    ids = {f.id for f in built.findings}
    assert "progress.halving_time_months.image_classification" in ids


def test_no_progress_is_said_in_words_and_never_as_a_time():
    sample = select(planted_table(Planted(rate_per_year=-0.5, papers=40), seed=3))
    fitted = fit(sample, starts=Starts(count=4), ci=Bootstrap(reps=60, by="paper"))
    beside = baselines(fitted, load("hardware_facts"), ci=Bootstrap(reps=50))
    titles = [
        figure.title
        for section in (timeline_section(beside), minima_section(fitted))
        for figure in section.figures
    ]
    assert titles[0] == "No progress of algorithms is found on these rows"
    assert "with no halving time" in titles[1]
    assert "-" not in "".join(titles)


@pytest.mark.public_data
def test_public_sheet_comes_before_the_shipped_facts(public_data):
    assert language_sample(locate(public_data)).table.name == "lm_evaluations"
    assert language_sample(locate("embedded")).table.name == "language_evaluations"

"""`isoflop.report(...)`: one call from evidence to a report, with the user's own tables on top."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl
import pytest

import isoflop
from isoflop.errors import EvidenceError, SettingError
from isoflop.evidence import Library, load, locate
from isoflop.report import workers
from isoflop.report.contents import Report
from isoflop.report.front import SENTENCES, answers
from isoflop.report.limits import limits_of, sourcing, sourcing_text
from isoflop.report.make import report as make


@pytest.fixture
def seen(made_up: ModuleType, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Put the invented chapter in the place of every instrument; return what it was called with."""
    called: dict[str, Any] = {}

    def invented(library: Library, **settings: Any) -> Any:
        called.update(settings, library=library)
        return made_up.chapter()

    monkeypatch.setattr(workers, "resolve", lambda _target: invented)
    return called


def test_the_settings_reach_the_chapter_and_the_files_are_written(
    seen: dict[str, Any], tmp_path: Path
) -> None:
    made = make("embedded", only="progress", quick=True, seed=4, out=tmp_path / "out")
    assert (seen["quick"], seen["seed"], seen["library"].folder) == (True, 4, None)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["findings.json", "index.html"]
    assert made.command == "isoflop.report('embedded', only=('progress',), quick=True, seed=4)"
    assert isoflop.report("embedded", only=["progress"]).record["findings"] == made.record["findings"]


@pytest.mark.parametrize("convert", [lambda f: f, lambda f: f.to_arrow(), lambda f: f.to_pandas()])
def test_a_frame_of_any_library_takes_the_place_of_a_shipped_table(
    seen: dict[str, Any], convert: Any
) -> None:
    if "to_pandas" in convert.__code__.co_names:
        pytest.importorskip("pandas")
    facts = load("language_evaluations").frame.head(50)
    made = make({"language_evaluations": convert(facts)}, only="progress")
    table = seen["library"].table("language_evaluations")
    assert (table.kind, table.frame.height) == ("own", 50)
    assert "language_evaluations" in made.evidence
    assert made.command == "isoflop.report({'language_evaluations': …}, only=('progress',), seed=0)"
    assert seen["library"].table("image_evaluations").kind == "embedded"
    assert len(set(seen["library"].available())) == len(seen["library"].available())


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ({"language_evaluation": None}, "Did you mean 'language_evaluations'"),
        ({"routing_scores": None}, "read from a folder"),
        ({"language_evaluations": load("hardware_facts")}, "needs evaluations"),
        ({"language_evaluations": pl.DataFrame({"x": [1]})}, "language_evaluations"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(tables: dict[str, Any], said: str) -> None:
    with pytest.raises(EvidenceError, match=said):
        locate("embedded").with_tables(tables)


def test_no_worker_at_all_is_refused() -> None:
    with pytest.raises(SettingError, match="workers=0"):
        make("embedded", workers=0)


def test_a_report_answers_for_its_findings_claims_and_rows(report: Report, made_up: ModuleType) -> None:
    findings = made_up.findings()
    assert report.findings() == findings
    assert report.finding("progress.compute_share") == findings[3]
    with pytest.raises(SettingError, match=r"Did you mean 'progress\.compute_share'"):
        report.finding("progress.compute_shares")
    frame = report.frame()
    assert frame["id"].to_list() == [f.id for f in findings]
    assert frame["value"].to_list() == [f.estimate.value for f in findings]
    assert set(made_up.CAUTIONS) <= set(report.cautions)
    assert report.provenance == (made_up.PROVENANCE,)
    assert len(report.claims) == 3
    assert report.to_dict() == json.loads(report.json())


def test_the_short_text_fits_a_screen_and_the_notebook_view_runs_nothing(report: Report) -> None:
    assert max(map(len, repr(report).splitlines())) <= 100
    assert "3 claims on this evidence" in repr(report)
    html = report._repr_html_()
    tags: list[str] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, _attributes: tags.append(tag)  # type: ignore[method-assign,assignment]
    parser.feed(html)
    assert not {"script", "iframe", "img", "link", "a", "style"} & set(tags)
    assert not re.findall(r" on[a-z]+=", html)
    for claim in report.claims:
        assert claim.text in html


def test_a_sentence_falls_back_on_the_chapter_where_a_finding_is_missing(made_up: ModuleType) -> None:
    from dataclasses import replace

    chapter = made_up.chapter()
    (whole,) = answers([chapter])
    assert whole.finding_ids == SENTENCES["progress"][0]
    assert "8.4 months (4.5 to 14.3, 95 %)" in whole.sentence
    (short,) = answers([replace(chapter, findings=chapter.findings[:1])])
    assert short.sentence == chapter.answer
    assert short.kinds == whole.kinds == ("embedded",)


def test_limits_name_what_has_no_value_and_count_how_rows_were_sourced(made_up: ModuleType) -> None:
    chapter = made_up.chapter()
    found = limits_of(chapter, chapter.findings[:4])
    assert found.without_value == 1
    assert found.missing[0].ids == ("progress.image_halving_time_months",)
    assert {doubt.caution for doubt in found.doubts} == set(made_up.CAUTIONS)
    (one,) = sourcing([chapter])
    frame = load("language_evaluations").frame
    assert one.rows == frame.height == one.read + one.elsewhere + one.measured
    assert one.read == frame.filter(pl.col("verified") == "read").height
    assert one.used == made_up.PROVENANCE.rows_used
    assert f"Of {one.rows} shipped rows, {one.read} are facts read" in sourcing_text([one])
    assert sourcing_text([]) == ""

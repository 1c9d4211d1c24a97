"""The page: complete, closed to the network, and safe against what names may contain."""

from __future__ import annotations

import base64
import dataclasses
import gzip
import hashlib
import html
import json
import re
from html.parser import HTMLParser
from types import ModuleType

import polars as pl
import pytest

from isoflop.present import theme
from isoflop.present.prose import to_html
from isoflop.report.contents import Report
from isoflop.report.picture import STILL_CHARACTERS, TABLE_ROWS, picture, script_json
from isoflop.report.still import still

VOID = frozenset({"br", "hr", "img", "input", "link", "meta", "wbr"})
MEGABYTE = 1_000_000


class Outline(HTMLParser):
    """Collects tags, attributes and scripts, and notes tags that do not nest."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.text: list[str] = []
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append((dict(attrs), ""))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1] != tag:
            self.faults.append(f"</{tag}> closes {self.open[-1:]}")
        else:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            attributes, text = self.scripts[-1]
            self.scripts[-1] = (attributes, text + data)
        elif not self.open or self.open[-1] != "style":
            self.text.append(data)


@pytest.fixture(scope="module")
def outline(page: str) -> Outline:
    parser = Outline()
    parser.feed(page)
    parser.close()
    return parser


def words(outline: Outline) -> str:
    return re.sub(r"\s+", " ", "".join(outline.text))


def test_every_tag_closes_in_order(outline: Outline) -> None:
    assert outline.faults == []
    assert outline.open == []


def test_every_id_occurs_once_and_every_anchor_leads_somewhere(outline: Outline) -> None:
    ids = [a["id"] for _, a in outline.tags if a.get("id")]
    assert sorted(ids, key=str) == sorted(set(ids), key=str)
    anchors = {str(a["href"])[1:] for t, a in outline.tags if t == "a" and str(a.get("href")).startswith("#")}
    assert anchors
    assert anchors <= set(ids)
    for attribute in ("aria-labelledby", "for"):
        assert {a[attribute] for _, a in outline.tags if a.get(attribute)} <= set(ids)


def test_every_finding_claim_and_caution_is_on_the_page(outline: Outline, report: Report) -> None:
    text = words(outline)
    for chapter in report.chapters:
        for finding in chapter.findings:
            assert finding.id in text
            assert finding.method in text
        for claim in chapter.claims:
            assert claim.text in text
            assert claim.rule in text
        assert chapter.cautions
        for caution in chapter.cautions:
            assert caution in text


def test_cautions_of_a_section_stand_inside_it(page: str, made_up: ModuleType) -> None:
    section = page.split('<section id="progress-sensitivity"')[1].split("</section>")[0]
    for caution in made_up.CAUTIONS[1:]:
        assert to_html(caution) in section


def test_nothing_is_loaded_from_anywhere(outline: Outline, page: str) -> None:
    loading = {"src", "srcset", "data", "poster", "action", "formaction", "background"}
    assert not [(t, a) for t, a in outline.tags if loading & set(a)]
    assert not [t for t, _ in outline.tags if t in {"link", "iframe", "object", "embed", "img", "base"}]
    styles = "".join(re.findall(r"<style>(.*?)</style>", page, re.S))
    assert "url(" not in styles
    assert "@import" not in styles
    policy = next(str(a["content"]) for t, a in outline.tags if t == "meta" and a.get("http-equiv"))
    assert "default-src 'none'" in policy
    assert "connect-src 'none'" in policy
    assert "http" not in policy


def test_only_the_scripts_named_by_digest_may_run(outline: Outline) -> None:
    policy = next(str(a["content"]) for t, a in outline.tags if t == "meta" and a.get("http-equiv"))
    running = [text for attributes, text in outline.scripts if attributes.get("type") is None]
    assert len(running) == 2
    digests = {base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in running}
    assert set(re.findall(r"'sha256-([^']+)'", policy)) == digests
    assert "unsafe-eval" not in policy
    assert not [(t, k) for t, a in outline.tags for k in a if k.startswith("on")]


def test_hostile_names_stay_text(page: str, outline: Outline, made_up: ModuleType) -> None:
    assert made_up.HOSTILE not in page
    assert html.escape(made_up.HOSTILE) in page
    assert made_up.HOSTILE in words(outline)


def test_the_page_carries_the_same_document_as_the_findings_file(outline: Outline, report: Report) -> None:
    held = next(text for attributes, text in outline.scripts if attributes.get("id") == "document")
    text = gzip.decompress(base64.b64decode(held)).decode()
    assert text == report.json()
    assert json.loads(text) == report.record


def test_each_picture_has_a_name_a_description_a_still_and_its_data(
    page: str, outline: Outline, report: Report
) -> None:
    figures = [f for c in report.chapters for f in c.figures]
    data = [json.loads(t) for a, t in outline.scripts if a.get("class") == "figure-data"]
    described = [a for _, a in outline.tags if a.get("role") == "img"]
    assert len(figures) == len(data) == len(described) == page.count('<div class="still"><svg') == 2
    for figure, held, attributes in zip(figures, data, described, strict=True):
        assert attributes["aria-label"] == figure.alt
        assert [tuple(row) for row in held["rows"]] == figure.frame.rows()
        assert tuple(held["columns"]) == tuple(figure.frame.columns)
        for part in (figure.title, figure.subtitle, figure.source, figure.interval):
            assert part in words(outline)


def test_the_data_of_a_picture_is_held_once(outline: Outline) -> None:
    for attributes, text in outline.scripts:
        if attributes.get("class") == "figure-data":
            held = json.loads(text)
            assert held["shared"]
            assert not [
                held["spec"]["data"][i] for i in held["shared"] if "values" in held["spec"]["data"][i]
            ]
            assert text.count(json.dumps(held["rows"][0][0])) <= 2


def test_contents_evidence_terms_and_reproduction_are_there(outline: Outline, report: Report) -> None:
    text = words(outline)
    for part in (
        "isoflop report --seed 3",
        "facts that ship with isoflop",
        "6f1c0a9e55d24c10",
        "no training data stated",
        "halving time",
        str(report.record["created"]),
    ):
        assert part in text


def test_the_page_is_small_enough_to_mail(page: str) -> None:
    assert len(page.encode()) < 1.3 * MEGABYTE


def test_a_still_picture_keeps_its_text_and_gets_unique_ids() -> None:
    svg = '<svg><g id="a" clip-path="url(#a)"><text fill="#1c2126">id="a" #1c2126</text></g></svg>'
    drawn = still(svg, prefix="p")
    assert 'id="p-a" clip-path="url(#p-a)"' in drawn
    assert '>id="a" #1c2126</text>' in drawn
    assert 'fill="var(--c-1c2126)"' in drawn


@pytest.mark.slow
def test_a_picture_of_very_many_marks_is_kept_as_dots(made_up: ModuleType) -> None:
    import altair as alt

    frame = pl.DataFrame({"x": list(range(9000)), "y": [i % 97 for i in range(9000)]})
    figure = dataclasses.replace(
        made_up.chapter().figures[0],
        frame=frame,
        chart=lambda: alt.Chart(frame).mark_point().encode(x="x:Q", y="y:Q"),
    )
    drawn = picture(figure, "many")
    assert drawn.total == 9000
    assert len(drawn.rows) == TABLE_ROWS
    assert len(drawn.svg) < STILL_CHARACTERS
    assert drawn.svg.startswith("<svg")
    assert drawn.svg.count("data:image/png;base64,") == 1


def test_every_colour_of_the_theme_has_a_dark_counterpart() -> None:
    used = set(re.findall(r"#[0-9a-f]{6}", json.dumps(theme.config())))
    assert used
    assert used <= set(theme.DARK)


def test_json_for_scripts_reads_back_and_cannot_close_the_element() -> None:
    value = {"a": "</script><!--", "b": [1.5, None, "\u2028&"]}
    text = script_json(value)
    assert "<" not in text
    assert json.loads(text) == value


def test_a_report_of_one_instrument_says_what_it_leaves_out(page: str) -> None:
    front = re.sub(r"\s+", " ", page.split('<section id="answers"')[0])
    assert "scaling, divide, routing, portability are left out, and so is the outlook" in front

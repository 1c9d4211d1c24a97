"""The report's page: one HTML file that needs no network.

Everything it runs or shows lies inside it, and its content-security policy forbids any request
and any script other than the ones whose digests it names.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from isoflop.present import formats, prose, theme
from isoflop.present.chapter import Chapter, Figure, Section, Table
from isoflop.report.glossary import terms_in
from isoflop.report.instruments import INSTRUMENTS
from isoflop.report.picture import Picture, cell_text, picture, script_json, side

if TYPE_CHECKING:
    from isoflop.findings import Finding
    from isoflop.report.contents import Report

VERDICTS = {
    "holds": "Holds",
    "holds_with_caution": "Holds, with caution",
    "not_identified": "Not identified",
    "does_not_hold": "Does not hold",
    "needs_evidence": "Needs evidence",
}
KINDS = {
    "embedded": "facts that ship with isoflop",
    "measured": "measurements made by this project",
    "pulled": "public data, pulled and verified",
    "own": "your own data",
    "published": "published figures",
}
LIBRARIES = ("numpy", "scipy", "polars", "altair")
"""Libraries whose versions decide the digits, listed under reproduction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionView:
    """A section with its blocks in reading order, pictures drawn."""

    section: Section
    anchor: str
    blocks: tuple[str | Picture | Table, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChapterView:
    """A chapter ready for the template; `limits` are headline cautions that no section shows."""

    chapter: Chapter
    headline: tuple[Finding, ...]
    sections: tuple[SectionView, ...]
    paper: str
    limits: tuple[str, ...]
    waterfall_columns: tuple[str, ...]
    waterfall_rows: tuple[tuple[str, ...], ...]
    waterfall_sides: tuple[str, ...]


HEADLINE_FINDINGS = 4


def render(report: Report) -> str:
    """Return the page of a report as HTML text, with all scripts, styles, pictures and data inside."""
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("isoflop.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "prose": lambda text: Markup(prose.to_html(_unbroken(text))),
        "breakable": lambda name: Markup("<wbr>").join(re.findall(r"[^._]+[._]?|[._]", name)),
        "answer": lambda finding: _unbroken(formats.finding(finding)),
        "count": lambda n: "–" if n is None else formats.count(n),
    }
    environment.tests |= {
        "picture": lambda block: isinstance(block, Picture),
        "table": lambda block: isinstance(block, Table),
    }
    scripts = (_source("page.js"), vega_bundle())
    context = {
        "report": report,
        "chapters": [_chapter_view(c, report.pictures) for c in report.chapters],
        "record": report.record,
        "kinds": _kinds(report),
        "kind_names": KINDS,
        "verdicts": VERDICTS,
        "numbers": _caution_numbers(report),
        "terms": terms_in(_words(report)),
        "versions": _versions(),
        "style": _source("page.css").replace("/* colours */", _colour_variables()),
        "page_script": scripts[0],
        "vega_script": scripts[1],
        "policy": _policy(scripts),
        "data": script_json({"document": report.record, "dark": theme.DARK}),
    }
    return environment.get_template("page.html.j2").render(context)


@cache
def vega_bundle() -> str:
    """Return the Vega scripts as one text, taken from vl-convert without a network.

    The interpreter inside it draws without evaluating code, which the page's policy forbids.
    """
    import vl_convert

    from isoflop.present.image import vegalite_version

    text: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=vegalite_version())
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("</script", "<\\/script")


def pictures_of(chapter: Chapter) -> tuple[Picture, ...]:
    """Return every picture of a chapter, drawn for the page."""
    return tuple(picture(f, _anchor(chapter.instrument, f)) for f in chapter.figures)


def _anchor(instrument: str, figure: Figure) -> str:
    return f"{instrument}-fig-{figure.id}".replace(".", "-")


def _chapter_view(chapter: Chapter, drawn: Mapping[str, Picture]) -> ChapterView:
    papers = {i.name: i.paper for i in INSTRUMENTS}
    headline = chapter.findings[:HEADLINE_FINDINGS]
    in_place = {c for s in chapter.sections for c in s.cautions}
    steps = chapter.tables.get("waterfall", [])
    columns = tuple(dict.fromkeys(name for step in steps for name in step))
    return ChapterView(
        chapter=chapter,
        headline=headline,
        limits=tuple(dict.fromkeys(c for f in headline for c in f.cautions if c not in in_place)),
        sections=tuple(_section_view(s, chapter.instrument, drawn) for s in chapter.sections),
        paper=papers.get(chapter.instrument, ""),
        waterfall_columns=tuple(name.replace("_", " ").capitalize() for name in columns),
        waterfall_rows=tuple(tuple(cell_text(step.get(name), name) for name in columns) for step in steps),
        waterfall_sides=tuple(side(step.get(name) for step in steps) for name in columns),
    )


def _section_view(section: Section, instrument: str, drawn: Mapping[str, Picture]) -> SectionView:
    def shown(figure: Figure) -> Picture:
        anchor = _anchor(instrument, figure)
        return drawn.get(anchor) or picture(figure, anchor)

    blocks = tuple(shown(b) if isinstance(b, Figure) else b for b in section.blocks())
    return SectionView(section=section, anchor=f"{instrument}-{section.id}".replace(".", "-"), blocks=blocks)


def _source(name: str) -> str:
    return resources.files("isoflop.report").joinpath("templates", name).read_text(encoding="utf-8")


def _policy(scripts: tuple[str, ...]) -> str:
    digests = (base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts)
    allowed = " ".join(f"'sha256-{d}'" for d in digests)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; "
        "connect-src 'none'; font-src 'none'; base-uri 'none'; form-action 'none'"
    )


def _unbroken(text: str) -> str:
    """Keep a percent sign on the line of its number."""
    return text.replace(" %", "\N{NO-BREAK SPACE}%")


def _colour_variables() -> str:
    light = "".join(f"--c-{c[1:]}:{c};" for c in theme.DARK)
    dark = "".join(f"--c-{c[1:]}:{d};" for c, d in theme.DARK.items())
    return (
        f":root{{{light}}}\n@media screen{{:root[data-mode=dark]{{{dark}}}}}\n"
        f"@media screen and (prefers-color-scheme:dark){{:root:not([data-mode=light]){{{dark}}}}}"
    )


def _kinds(report: Report) -> list[tuple[str, list[str]]]:
    """Return the kinds of evidence used, each with its tables."""
    found: dict[str, dict[str, None]] = {}
    for chapter in report.chapters:
        for provenance in chapter.evidence:
            found.setdefault(KINDS[provenance.kind], {})[provenance.name] = None
    return [(kind, list(names)) for kind, names in found.items()]


def _caution_numbers(report: Report) -> dict[str, int]:
    """Return the cautions of all findings, numbered: many findings share the same ones."""
    said = dict.fromkeys(c for chapter in report.chapters for f in chapter.findings for c in f.cautions)
    return {caution: number for number, caution in enumerate(said, start=1)}


def _words(report: Report) -> str:
    texts: list[str] = []
    for c in report.chapters:
        texts += [c.question, c.answer, *c.methods, *c.cautions]
        texts += [f"{f.label} {f.method} {f.estimate.unit}" for f in c.findings]
        texts += [t for s in c.sections for t in (s.title, *s.prose)]
        texts += [f"{f.title} {f.subtitle} {f.interval}" for f in c.figures]
    return re.sub(r"\s+", " ", " ".join(texts)).lower()


def _versions() -> str:
    import platform
    from importlib.metadata import version

    parts = [f"Python {platform.python_version()}"]
    return ", ".join(parts + [f"{name} {version(name)}" for name in LIBRARIES])

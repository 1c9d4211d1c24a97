"""The report's page: one HTML file that needs no network.

Everything it runs or shows lies inside it, and its content-security policy forbids any request
and any script other than the ones whose digests it names.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from isoflop.present import formats, prose, theme
from isoflop.present.chapter import Table
from isoflop.report.front import KINDS, SHORT, answers
from isoflop.report.glossary import terms_in
from isoflop.report.ledger import VERDICTS, tally_text
from isoflop.report.limits import SILENT, sourcing, sourcing_text
from isoflop.report.picture import Picture, picture, script_json, shared_config
from isoflop.report.view import (
    absent,
    caution_numbers,
    chapter_view,
    evidence_by_kind,
    ledger_view,
    words_of,
)

if TYPE_CHECKING:
    from isoflop.report.contents import Report

LIBRARIES = ("numpy", "scipy", "polars", "altair")
"""Libraries whose versions decide the digits, listed under reproduction."""


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
    tables = sourcing(report.chapters)
    context = {
        "report": report,
        "chapters": [chapter_view(c, report.pictures) for c in report.chapters],
        "answers": answers(report.chapters),
        "signature": picture(report.signature, "signature") if report.signature else None,
        "record": report.record,
        "kinds": evidence_by_kind(report),
        "kind_names": KINDS,
        "kind_words": SHORT,
        "ledger": ledger_view(report),
        "tally": tally_text(report.claims),
        "verdicts": VERDICTS,
        "known": {f.id for c in report.chapters for f in c.findings},
        "absent": absent(report),
        "sourcing": tables,
        "sourcing_text": sourcing_text(tables),
        "silent": SILENT,
        "numbers": caution_numbers(report),
        "terms": terms_in(words_of(report)),
        "versions": _versions(),
        "style": _source("page.css").replace("/* colours */", _colour_variables()),
        "page_script": scripts[0],
        "vega_script": scripts[1],
        "policy": _policy(scripts),
        "data": script_json({"dark": theme.DARK, "config": shared_config()}),
        "document": base64.b64encode(gzip.compress(report.json().encode(), 9, mtime=0)).decode(),
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


def _versions() -> str:
    import platform
    from importlib.metadata import version

    parts = [f"Python {platform.python_version()}"]
    return ", ".join(parts + [f"{name} {version(name)}" for name in LIBRARIES])

"""``isoflop divide query``: works of a narrow table by team, year, field, country or topic."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from isoflop.present.options import Verb, figure_option, json_option
from isoflop.present.parse import Number, Word

if TYPE_CHECKING:
    from isoflop.divide.counts.find import WorkShares
    from isoflop.evidence.openalex.query import WorkCounts

_ENGINES = ["duckdb", "spark"]
_DROPPED = ["retracted", "paratext", "xpac"]
SHOWN = 60
"""Rows of a table on a terminal; the JSON has them all."""


def _chosen(name: str, what: str, kind: Any = str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return click.option(f"--{name}", f"chosen_{name}", type=kind, multiple=True, help=what)


@click.command(
    cls=Verb,
    short_help="Count the works of a narrow table by team, year, field …",
    headings={
        "Which works": (
            "since",
            "until",
            *(f"chosen_{n}" for n in ("type", "domain", "field", "subfield", "topic", "language", "country")),
            "chosen_keyword",
            "chosen_adoption",
            "keep",
        )
    },
)
@click.argument("table", metavar="FILE")
@click.option(
    "--by",
    default="team,year",
    show_default=True,
    metavar="NAME,…",
    help="Groups: team, year, domain, field, subfield, topic, type, language, country, keyword, adoption.",
)
@click.option(
    "--engine", type=Word(_ENGINES), default="duckdb", show_default=True, help="What runs the expressions."
)
@click.option(
    "--threads", type=Number(int, 2), help="Threads of DuckDB, or cores of a local Spark; default: all."
)
@click.option("--since", type=Number(int, 2015), help="First year of publication.")
@click.option("--until", type=Number(int, 2024), help="Last year of publication.")
@_chosen("type", "Type of work, such as article; may be repeated.")
@_chosen("domain", "OpenAlex domain, by its number; may be repeated.", Number(int, 3))
@_chosen("field", "OpenAlex field, by its number (17: computer science); may be repeated.", Number(int, 17))
@_chosen("subfield", "OpenAlex subfield, by its number (1702: artificial intelligence).", Number(int, 1702))
@_chosen("topic", "OpenAlex topic, by its number; may be repeated.", Number(int, 10181))
@_chosen("language", "ISO code of the language; may be repeated.")
@_chosen("country", "ISO code of a country of any author; may be repeated.")
@_chosen("keyword", "Works that name a topic kept by extract --keywords; may be repeated.")
@_chosen("adoption", "Works that cite or name a model kept by extract --adoption; may be repeated.")
@click.option(
    "--keep",
    type=Word(_DROPPED),
    multiple=True,
    help="Count works that are left out otherwise; may be repeated.",
)
@figure_option
@json_option
def query(
    table: str,
    by: str,
    engine: str,
    threads: int | None,
    since: int | None,
    until: int | None,
    keep: tuple[str, ...],
    figure: Path | None,
    as_json: bool,
    **chosen: tuple[Any, ...],
) -> None:
    """Count works by group, with each team's share, its interval and the part of unknown teams.

    FILE is a narrow table that extract wrote. Retracted works, paratexts and the expansion set are left out.
    """
    from isoflop.divide.counts.find import work_shares
    from isoflop.evidence.openalex.query import Where
    from isoflop.evidence.openalex.query import query as count_works
    from isoflop.present.console import emit, say

    where = Where(
        since=since,
        until=until,
        types=chosen["chosen_type"],
        domains=chosen["chosen_domain"],
        fields=chosen["chosen_field"],
        subfields=chosen["chosen_subfield"],
        topics=chosen["chosen_topic"],
        languages=chosen["chosen_language"],
        countries=tuple(code.upper() for code in chosen["chosen_country"]),
        keywords=chosen["chosen_keyword"],
        adoption=chosen["chosen_adoption"],
        keep=keep,
    )
    groups = [name.strip() for name in by.split(",") if name.strip()]
    if engine == "spark":
        say("starting a local Spark …")
    counts = count_works(Path(table), by=groups, where=where, engine=engine, threads=threads)  # type: ignore[arg-type]
    shares = work_shares(counts) if "team" in counts.by else None
    if figure is not None:
        _draw(figure, counts, shares)
    emit(_document(counts, shares), as_json=as_json, text=lambda: _text(counts, shares))


def _draw(path: Path, counts: WorkCounts, shares: WorkShares | None) -> None:
    from isoflop.divide.chapter.works import works_figures
    from isoflop.errors import EvidenceError, SettingError
    from isoflop.present.image import draw

    if shares is None:
        raise SettingError(
            f"--figure: counts by {', '.join(counts.by)}, needs team and year alone. Say --by team,year."
        )
    figures = works_figures(shares)
    if not figures:
        raise EvidenceError(
            "--figure: fewer than two years with enough works of known team, needs two. Choose more works."
        )
    draw(path, figures)


def _document(counts: WorkCounts, shares: WorkShares | None) -> Any:
    from isoflop.divide.counts.ratios import kind_of, topic_ratios
    from isoflop.findings import Document

    tables: dict[str, Any] = {"counts": [dict(row) for row in counts.rows]}
    if shares is not None:
        tables["shares"] = shares.rows()
        if kind_of(counts.by) is not None and any(one.n for one in shares.overall):
            tables["ratios"] = [one.row() for one in topic_ratios(counts)]
    return Document(findings=() if shares is None else shares.findings(), tables=tables)


def _text(counts: WorkCounts, shares: WorkShares | None) -> str:
    from isoflop.divide.commands.options import columns
    from isoflop.present.pages import page

    groups = [(name, name, "text") for name in counts.by if name != "team"]
    rows: list[Any]
    if shares is None:
        rows = [dict(row) for row in counts.rows]
        shown = columns(*groups, ("works", "works", "count"), ("cited_by", "citations", "count"))
        summary = counts.summary()
    else:
        rows, summary = shares.rows(), shares.summary()
        shown = columns(
            *groups,
            ("team", "team", "text"),
            ("k", "works", "count"),
            ("n", "of known", "count"),
            ("share", "share", "percent"),
            ("low", "low", "percent"),
            ("high", "high", "percent"),
            ("unknown", "unknown", "count"),
            ("least", "least", "percent"),
            ("most", "most", "percent"),
        )
    title = (
        "Works" if len(rows) <= SHOWN else f"Works (the first {SHOWN} of {len(rows):,} rows; all with --json)"
    )
    return page(summary, () if shares is None else shares.findings(), (), (title, shown, rows[:SHOWN]))

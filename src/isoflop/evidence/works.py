"""Schema ``works``: one row is one paper, who signed it, what it is about and which models it names.

Affiliations are kept as the source prints them: authors split by ";", the organisations of one author by
"+" or "|". Lists of our own (topics, mentions, uses) are text joined by "; ". A missing number of
citations is not zero, and a paper without affiliation has no known team.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from isoflop.errors import EvidenceError
from isoflop.evidence.problem import broken, raise_first
from isoflop.evidence.schema import Column, Rule, Schema
from isoflop.evidence.table import Step, Table, fingerprint_of

if TYPE_CHECKING:
    import polars as pl

FIRST_YEAR = 1940
KEY = ("venue", "year", "title_key")
"""By which a paper is known again: identifiers are empty or shared in public lists."""
_COUNT = Rule(low=0.0, open_low=False, hint="Leave it empty if it is unknown; -1 is no count.")
LISTS = ("topics", "mentions", "uses")


def title_key(title: pl.Expr) -> pl.Expr:
    """Return titles by which papers are compared: letters and digits only, lower case."""
    return title.str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars()


def without_repeats(frame: pl.DataFrame) -> tuple[pl.DataFrame, Step]:
    """Return the first row of each venue, year and title, and the step that lists the others.

    Rows without a title are all kept: nothing tells them apart or together.
    """
    import polars as pl

    keyed = frame.with_columns(title_key=title_key(pl.col("title")))
    first = pl.struct(KEY).is_first_distinct() | pl.col("title_key").fill_null("").eq("")
    kept = keyed.filter(first)
    gone = keyed.filter(~first).select("record", "title")
    rows = tuple(f"row {record} ({title})" for record, title in gone.iter_rows())
    rule = "the first paper of its venue, year and title"
    step = Step(rule=rule, unit="records", kept=kept.height, dropped=gone.height, rows=rows)
    return kept.drop("title_key"), step


def join_works(tables: Sequence[Table]) -> Table:
    """Return several tables of works as one; a paper in two of them counts once.

    Parameters
    ----------
    tables : sequence of Table
        At least one, of schema ``works``.

    Raises
    ------
    EvidenceError
        No table, one of another schema, or the same table twice.

    Examples
    --------
    >>> import polars as pl
    >>> from isoflop.evidence import load
    >>> rows = pl.DataFrame({"title": ["On A"], "year": [2020], "affiliations": ["University of B"]})
    >>> one = load(rows, schema="works", name="one")
    >>> other = load(rows.with_columns(title=pl.lit("On C")), schema="works", name="other")
    >>> join_works([one, other]).frame.height
    2
    """
    import polars as pl

    _joinable(tables)
    if len(tables) == 1:
        return tables[0]
    parts = [t.frame.with_columns(pl.lit(t.name).alias("table")) for t in tables]
    frame, repeats = without_repeats(pl.concat(parts, how="diagonal_relaxed"))
    steps = [replace(step, rule=f"{t.name}: {step.rule}") for t in tables for step in t.steps]
    counted = {caution for t in tables for caution in _cautions(t.frame)}
    others = dict.fromkeys(caution for t in tables for caution in t.cautions if caution not in counted)
    return Table(
        name="+".join(t.name for t in tables),
        schema="works",
        frame=frame,
        source="; ".join(t.source for t in tables),
        kind="own" if any(t.kind == "own" for t in tables) else tables[0].kind,
        fingerprint=fingerprint_of("works", frame),
        rows_read=sum(t.rows_read for t in tables),
        steps=(*steps, *((repeats,) if repeats.dropped else ())),
        cautions=(*others, *_cautions(frame)),
        importer="; ".join(dict.fromkeys(t.importer for t in tables)),
    )


def _joinable(tables: Sequence[Table]) -> None:
    if not tables:
        raise EvidenceError("works: no table, needs at least one. Name a file of papers.")
    wrong = next((t for t in tables if t.schema != "works"), None)
    if wrong is not None:
        raise EvidenceError(
            f"{wrong.name}: a table of {wrong.schema}, needs works (one row a paper). Name another."
        )
    prints = [t.fingerprint for t in tables]
    twice = next((t for t in tables if prints.count(t.fingerprint) > 1), None)
    if twice is not None:
        raise EvidenceError(f"works: {twice.name} was given twice, needs different tables. Name each once.")


def _works(frame: pl.DataFrame, where: str) -> tuple[pl.DataFrame, tuple[str, ...]]:
    import polars as pl

    last = dt.date.today().year + 1
    year = pl.col("year")
    raise_first(
        broken(
            frame,
            (year < FIRST_YEAR) | (year > last) | (year % 1 != 0),
            "year",
            f"must be a whole year from {FIRST_YEAR} to {last}",
            "Correct the year, or leave the cell empty.",
        ),
        where,
    )
    lists = [
        pl.col(name).str.replace_all(r"\s*[;|]\s*", "; ").str.strip_chars("; ").alias(name) for name in LISTS
    ]
    frame = frame.with_columns(pl.col("year").cast(pl.Int64), pl.col("venue").str.to_lowercase(), *lists)
    return frame, _cautions(frame)


def _cautions(frame: pl.DataFrame) -> tuple[str, ...]:
    import polars as pl

    said = []
    parts = pl.col("affiliations").str.count_matches(";", literal=True) + 1
    differ = frame.filter(parts.cast(pl.Float64) != pl.col("authors_n")).height
    if differ:
        said.append(
            f"In {_papers(differ)} the list of affiliations is not as long as the list of authors: parts of "
            "the list are counted, not authors. A source that links each author to a place would cure it."
        )
    domains = pl.col("email_domains").str.count_matches(";", literal=True) + 1
    apart = frame.filter(pl.col("email_domains").is_not_null() & (domains != parts)).height
    if apart:
        said.append(
            f"In {_papers(apart)} e-mail domains and affiliations differ in number and are not paired."
        )
    undated = int(frame["year"].null_count())
    if undated:
        said.append(f"{_papers(undated)} without a year are left out of series. Add the year.")
    return tuple(said)


def _papers(count: int) -> str:
    return f"{count:,} paper{'' if count == 1 else 's'}"


WORKS = Schema(
    name="works",
    columns=(
        Column(name="work_id", dtype="text", aliases=("id", "doi"), doc="Identifier; may be empty."),
        Column(name="title", dtype="text", required=True, doc="Title."),
        Column(name="venue", dtype="text", aliases=("conference", "journal"), doc="Where it appeared."),
        Column(
            name="year",
            dtype="number",
            required=True,
            aliases=("publication_year",),
            doc="Year of publication; venue and year together are a stratum.",
        ),
        Column(name="date", dtype="date", doc="Day of publication, where known."),
        Column(
            name="affiliations",
            dtype="text",
            aliases=("affiliation", "aff"),
            doc="Authors split by ';', an author's organisations by '+' or '|'.",
        ),
        Column(
            name="email_domains",
            dtype="text",
            aliases=("aff_domain",),
            doc="E-mail domains of the authors, split by ';'.",
        ),
        Column(
            name="org_types",
            dtype="text",
            doc="Types of the organisations, a list, where the source has them.",
        ),
        Column(name="team_label", dtype="text", doc="Team as its maker coded it, in place of affiliations."),
        Column(name="authors_n", dtype="number", unit="1", rule=_COUNT, doc="Number of authors."),
        Column(
            name="citations",
            dtype="number",
            unit="1",
            rule=_COUNT,
            doc="Citations when the table was made; missing is not zero.",
        ),
        Column(name="topics", dtype="text", doc="Topics; a list."),
        Column(
            name="mentions",
            dtype="text",
            doc="Pretrained models or families named in title, abstract or keywords; a list.",
        ),
        Column(
            name="uses",
            dtype="text",
            doc="Pretrained models or families used, by full text or references; a list.",
        ),
        Column(name="abstract", dtype="text", doc="Abstract, searched for models where mentions is empty."),
        Column(name="keywords", dtype="text", doc="Keywords, searched likewise."),
        Column(name="has_abstract", dtype="flag", doc="Topics and mentions rest on an abstract too."),
    ),
    doc="One row is one published paper.",
    one_of=(("affiliations", "org_types", "team_label"),),
    derive=_works,
)

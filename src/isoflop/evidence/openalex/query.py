"""Counts from a narrow table: one set of relational expressions, run by DuckDB or by Spark.

The expressions are Ibis and name no engine. What comes back is small (one row a group), so it is put
in order and named here, and both engines give the same table.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from isoflop.errors import SettingError, closest
from isoflop.evidence.openalex.engines import ENGINES, Engine, opened
from isoflop.evidence.openalex.institutions import COUNTRIES
from isoflop.evidence.openalex.narrow import COUNTRY_ELSEWHERE, FLAGS, TEAMS, read_metadata
from isoflop.findings import Provenance, json_ready

if TYPE_CHECKING:
    import polars as pl

PLAIN: Final[Mapping[str, str]] = {
    "year": "year",
    "domain": "domain_id",
    "field": "field_id",
    "subfield": "subfield_id",
    "topic": "topic_id",
    "type": "type",
    "language": "language",
}
"""Grouping to the column that holds it."""
SETS: Final = ("country", "keyword", "adoption")
"""Groupings in which a work may stand in several groups, or in none: bits of one column."""
BY: Final = ("team", *PLAIN, *SETS)
ELSEWHERE = "elsewhere"
DROPPED: Final = ("retracted", "paratext", "xpac")
"""Flags whose works are left out unless asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Which works count.

    Parameters
    ----------
    since, until : int or None
        First and last year of publication; both included.
    types : tuple of str
        Types of work, such as ``article``; empty takes all.
    domains, fields, subfields, topics : tuple of int
        Numbers of OpenAlex's classes; empty takes all.
    languages, countries : tuple of str
        ISO codes; a work counts where any author's institution lies in a country named.
    keywords, adoption : tuple of str
        Names of bits, any of which must be set.
    keep : tuple of {"retracted", "paratext", "xpac"}
        Kinds of works that are otherwise left out.

    Examples
    --------
    >>> Where(since=2015, types=("article",)).text
    'since 2015, type article, without retracted, paratext, xpac'
    """

    since: int | None = None
    until: int | None = None
    types: tuple[str, ...] = ()
    domains: tuple[int, ...] = ()
    fields: tuple[int, ...] = ()
    subfields: tuple[int, ...] = ()
    topics: tuple[int, ...] = ()
    languages: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    adoption: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in self.keep:
            if name not in DROPPED:
                raise SettingError(f"Where: keep={name!r}, must be one of {', '.join(DROPPED)}. Choose one.")
        if self.since is not None and self.until is not None and self.since > self.until:
            raise SettingError(
                f"Where: since {self.since}, until {self.until}: needs since <= until. Swap them."
            )

    @property
    def text(self) -> str:
        """The choice of works in words."""
        said = [
            f"{name} {value}" for name in ("since", "until") if (value := getattr(self, name)) is not None
        ]
        for one in fields(self)[2:-1]:
            chosen = getattr(self, one.name)
            if chosen:
                said.append(f"{_SINGULAR.get(one.name, one.name)} {' or '.join(map(str, chosen))}")
        left_out = [name for name in DROPPED if name not in self.keep]
        return ", ".join([*said, *([f"without {', '.join(left_out)}"] if left_out else [])]) or "all works"


_SINGULAR: Final = {
    "types": "type",
    "domains": "domain",
    "fields": "field",
    "subfields": "subfield",
    "topics": "topic",
    "languages": "language",
    "countries": "country",
    "keywords": "keyword",
}
_COLUMN: Final = {"types": "type", "languages": "language"} | {
    name: f"{_SINGULAR[name]}_id" for name in ("domains", "fields", "subfields", "topics")
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WorkCounts:
    """How many works fall in each group.

    Parameters
    ----------
    by : tuple of str
        What the groups are.
    where : Where
    rows : tuple of mapping
        One a group, in order: the groups' names, ``works`` and ``cited_by`` (sum of citations).
    works : int
        Works that count, each once, whatever the groups.
    read : int
        Works in the table.
    table : str
        Name of the narrow table; `fingerprint` is that of its parts and settings.
    engine : {"duckdb", "spark"}
    cautions : tuple of str
    """

    by: tuple[str, ...]
    where: Where
    rows: tuple[Mapping[str, Any], ...]
    works: int
    read: int
    table: str
    fingerprint: str
    engine: Engine
    cautions: tuple[str, ...] = field(default=())

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """Return the narrow table behind the counts."""
        return (
            Provenance(
                name=self.table,
                source="OpenAlex snapshot (CC0), extracted",
                kind="own",
                rows_used=self.works,
                rows_dropped=self.read - self.works,
                fingerprint=self.fingerprint,
            ),
        )

    def frame(self) -> pl.DataFrame:
        """Return one row a group."""
        import polars as pl

        groups = {name: group_type(name) for name in self.by}
        return pl.DataFrame(list(self.rows), schema={**groups, "works": pl.Int64, "cited_by": pl.Int64})

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping."""
        return {
            "by": list(self.by),
            "where": self.where.text,
            "works": self.works,
            "read": self.read,
            "rows": json_ready(list(self.rows)),
        }

    def summary(self) -> str:
        """Return the counts in one line."""
        groups = f"{len(self.rows):,} groups by {', '.join(self.by)}"
        return f"{self.works:,} of {self.read:,} works, {self.where.text}: {groups}"


def query(
    narrow: Path | str,
    *,
    by: Sequence[str] = ("team", "year"),
    where: Where | None = None,
    engine: Engine = "duckdb",
    threads: int | None = None,
) -> WorkCounts:
    """Count the works of a narrow table by group.

    Parameters
    ----------
    narrow : path
        A table that `extract` wrote.
    by : sequence of str
        Any of `BY`. A work with several countries, keywords or models counts in each; a work with none
        counts in none.
    where : Where, optional
        Which works count; default: all but retracted ones, paratexts and the expansion set.
    engine : {"duckdb", "spark"}
    threads : int, optional
        Threads of DuckDB or cores of a local Spark.

    Returns
    -------
    WorkCounts

    Raises
    ------
    SettingError
        A grouping, keyword, model or country is not one of the table's.
    EvidenceError
        The file is not a narrow table.
    MissingExtraError
        The engine is not installed.
    """
    path, where = Path(narrow), where or Where()
    if engine not in ENGINES:
        raise SettingError(f"engine: {engine!r}, must be one of {', '.join(ENGINES)}. Choose one.")
    by = _groupings(by)
    made = read_metadata(path)
    bits = made["settings"]
    names = {
        "country": {**{name: bit for bit, name in enumerate(COUNTRIES)}, ELSEWHERE: COUNTRY_ELSEWHERE},
        "keyword": {name: bit for bit, name in enumerate(bits["keywords"])},
        "adoption": {name: bit for bit, name in enumerate(bits["adoption"])},
    }
    for kind in SETS[1:]:
        if kind in by and not names[kind]:
            raise SettingError(
                f"--by {kind}: the table holds no {kind} bits. Extract it again with "
                f"--{'keywords' if kind == 'keyword' else kind}."
            )
    with opened(path, engine, threads=threads) as (connection, table):
        chosen = _chosen(table, where, names)
        counted = _grouped(chosen, by, names)
        totals = chosen.aggregate(works=chosen.count())
        rows = connection.to_pyarrow(counted).to_pylist()
        works = connection.to_pyarrow(totals).to_pylist()[0]["works"]
        read = connection.to_pyarrow(table.aggregate(works=table.count())).to_pylist()[0]["works"]
    return WorkCounts(
        by=by,
        where=where,
        rows=tuple(sorted((_named(row, by) for row in rows), key=lambda row: _order(row, by))),
        works=int(works),
        read=int(read),
        table=path.name,
        fingerprint=hashlib.sha256(repr(sorted(made.items())).encode()).hexdigest()[:16],
        engine=engine,
        cautions=tuple(made.get("cautions") or ()),
    )


def group_type(name: str) -> pl.DataType:
    """Return the type of a grouping's column: numbers for years and OpenAlex's classes, else text.

    Examples
    --------
    >>> group_type("year"), group_type("country")
    (Int64, String)
    """
    import polars as pl

    numbers = name == "year" or PLAIN.get(name, "").endswith("_id")
    return pl.Int64() if numbers else pl.String()


def _groupings(by: Sequence[str]) -> tuple[str, ...]:
    if not by:
        raise SettingError(f"--by: nothing, needs at least one of {', '.join(BY)}.")
    for name in by:
        if name not in BY:
            near = closest(name, BY)
            hint = f"Did you mean {near!r}?" if near else "Choose one of these."
            raise SettingError(f"--by: {name!r}, must be one of {', '.join(BY)}. {hint}")
    if len(set(by)) < len(by):
        raise SettingError(f"--by: {', '.join(by)} names a grouping twice, needs each once. Drop one.")
    return tuple(by)


def _chosen(table: Any, where: Where, names: Mapping[str, Mapping[str, int]]) -> Any:
    """Return the works that count, as an expression."""
    unwanted = sum(FLAGS[name] for name in DROPPED if name not in where.keep)
    keep = [(table["flags"] & unwanted) == 0] if unwanted else []
    if where.since is not None:
        keep.append(table["year"] >= where.since)
    if where.until is not None:
        keep.append(table["year"] <= where.until)
    keep += [
        table[column].isin(getattr(where, name)) for name, column in _COLUMN.items() if getattr(where, name)
    ]
    for kind, column, chosen in (
        ("country", "countries", where.countries),
        ("keyword", "keywords", where.keywords),
        ("adoption", "adoption", where.adoption),
    ):
        if chosen:
            keep.append((table[column] & _mask(kind, chosen, names[kind])) != 0)
    return table.filter(keep) if keep else table


def _mask(kind: str, chosen: Sequence[str], bits: Mapping[str, int]) -> int:
    for name in chosen:
        if name not in bits:
            near = closest(name, bits)
            hint = f"Did you mean {near!r}?" if near else f"The table knows {', '.join(bits) or 'none'}."
            raise SettingError(f"--{kind}: {name!r} has no bit in this table. {hint}")
    return sum(1 << bits[name] for name in set(chosen))


def _grouped(table: Any, by: Sequence[str], names: Mapping[str, Mapping[str, int]]) -> Any:
    """Return counts by group, as an expression.

    Works are counted by the columns as they stand; sets are taken apart by a join with their bits only
    then, on a few thousand different sets in place of every work.
    """
    column = {"country": "countries", "keyword": "keywords", **PLAIN}
    needed = list(dict.fromkeys(column.get(name, name) for name in by))
    counted = table.group_by(needed).aggregate(
        works=table.count(), cited_by=table["cited_by_count"].cast("int64").sum()
    )
    apart = [name for name in by if name in SETS]
    for kind in apart:
        joined = counted.cross_join(_bits(kind, names[kind]))
        counted = joined.filter((joined[column.get(kind, kind)] & joined[f"{kind}_mask"]) != 0)
    keys = {name: counted[f"{name}_name" if name in SETS else column.get(name, name)] for name in by}
    if not apart:
        return counted.select(**keys, works=counted["works"], cited_by=counted["cited_by"])
    return counted.group_by(**keys).aggregate(
        works=counted["works"].sum(), cited_by=counted["cited_by"].sum()
    )


def _bits(kind: str, bits: Mapping[str, int]) -> Any:
    import ibis

    return ibis.memtable(
        [{f"{kind}_name": name, f"{kind}_mask": 1 << bit} for name, bit in bits.items()],
        schema={f"{kind}_name": "string", f"{kind}_mask": "int64"},
    )


def _named(row: Mapping[str, Any], by: Sequence[str]) -> dict[str, Any]:
    out = {name: TEAMS[row[name]] if name == "team" else row[name] for name in by}
    return out | {"works": int(row["works"]), "cited_by": int(row["cited_by"] or 0)}


def _order(row: Mapping[str, Any], by: Sequence[str]) -> tuple[Any, ...]:
    """Return the place of a row: teams in their own order, missing names last."""
    return tuple(
        (False, TEAMS.index(row[name]))
        if name == "team"
        else (row[name] is None, row[name] or 0)
        if not isinstance(row[name], str)
        else (False, row[name])
        for name in by
    )

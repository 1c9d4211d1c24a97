"""The narrow table: one row a work, a few dozen bytes, sorted by work, every code explained here.

A wide OpenAlex record takes 7.4 kB of JSON. What the questions of `divide` need of it are some twenty
small numbers, which `extract` writes as Parquet and `query` reads.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from isoflop.errors import EvidenceError
from isoflop.evidence.openalex.institutions import (
    COMPANY,
    COUNTRIES,
    EDUCATION,
    OTHER,
    PUBLIC,
    UNRESOLVED,
)

if TYPE_CHECKING:
    import polars as pl

EXTRACTOR = 1
"""Version of the rules below; a ledger or table of another version is refused, never mixed."""
METADATA = "isoflop"
"""Key under which a narrow file says how it was made."""

TEAMS: Final = ("unknown", "academia", "industry", "collaboration", "other")
"""Team by its code in column `team`."""
FLAGS: Final[Mapping[str, int]] = {"retracted": 1, "paratext": 2, "xpac": 4, "abstract": 8}
"""Bit of each flag in column `flags`; `abstract` is set only where abstracts were read."""
COUNTRY_ELSEWHERE: Final = len(COUNTRIES)
"""Bit of column `countries` for every country that has no bit of its own."""

NARROW: Final[Mapping[str, str]] = {
    "work_id": "Int64",
    "updated_date": "Date",
    "year": "Int16",
    "type": "String",
    "language": "String",
    "topic_id": "Int32",
    "subfield_id": "Int16",
    "field_id": "Int16",
    "domain_id": "Int16",
    "team": "Int8",
    "n_authorships": "Int16",
    "n_education": "Int16",
    "n_company": "Int16",
    "n_public": "Int16",
    "n_other": "Int16",
    "n_unresolved": "Int16",
    "countries": "Int64",
    "cited_by_count": "Int32",
    "cited_percentile": "Int8",
    "flags": "Int16",
    "keywords": "Int64",
    "adoption": "Int64",
}
"""Column to Polars type. Signed integers only: Spark has no others."""

SCALARS: Final = (
    "work_id",
    "updated_date",
    "year",
    "type",
    "language",
    "topic_id",
    "subfield_id",
    "field_id",
    "domain_id",
    "cited_by_count",
    "cited_percentile",
    "flags",
    "keywords",
    "adoption",
)
"""Columns that a reader fills itself; the rest follow from the institutions."""

_PREFIX: Final = {
    "work_id": "https://openalex.org/W",
    "topic_id": "https://openalex.org/T",
    "subfield_id": "https://openalex.org/subfields/",
    "field_id": "https://openalex.org/fields/",
    "domain_id": "https://openalex.org/domains/",
}
_MOST = 2**15 - 1
"""Counts are clipped here: no list of authors is longer by much."""
_COUNTED = {"n_education": EDUCATION, "n_company": COMPANY, "n_public": PUBLIC, "n_other": OTHER}

Ints = npt.NDArray[np.int64]
Bits = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch:
    """Works as a reader delivers them: scalars, and the institutions laid out flat.

    Parameters
    ----------
    scalars : polars.DataFrame
        The columns of `SCALARS`; `flags`, `keywords` and `adoption` as bits.
    authorships : array, shape (n works,)
        Authors listed by each work.
    institutions : array, shape (sum of authorships,)
        Institutions of each author; 0 where none was resolved.
    classes : array, shape (sum of institutions,)
        Class of each institution, see `institutions.CLASSES`.
    countries : array, shape (sum of institutions,)
        Bit of its country, 0 where it is not known.
    """

    scalars: pl.DataFrame
    authorships: Ints
    institutions: Ints
    classes: npt.NDArray[np.integer[Any]]
    countries: Bits


def narrow(batch: Batch) -> pl.DataFrame:
    """Return the narrow rows of a batch, in its order.

    A team is academia where an author has an educational institution and none has a company, industry
    the other way round, collaboration where both occur, other where neither does but some institution's
    type is known. Where no type is known, because no institution was resolved, it is unknown.
    """
    import polars as pl

    by_author = _any_bit(np.left_shift(1, batch.classes.astype(np.int64)), batch.institutions)
    by_author &= ~(1 << UNRESOLVED)
    counts = {name: _sum((by_author >> code) & 1, batch.authorships) for name, code in _COUNTED.items()}
    counts["n_unresolved"] = _sum((by_author == 0).astype(np.int64), batch.authorships)
    per_work = _sum(batch.institutions, batch.authorships)
    columns: dict[str, npt.NDArray[Any]] = {
        "team": teams(counts),
        "n_authorships": batch.authorships,
        **counts,
        "countries": _any_bit(batch.countries, per_work),
    }
    clipped = {
        name: np.minimum(values, _MOST) if name.startswith("n_") else values
        for name, values in columns.items()
    }
    frame = batch.scalars.with_columns(pl.Series(name, values) for name, values in clipped.items())
    try:
        return frame.select(pl.col(name).cast(getattr(pl, kind)) for name, kind in NARROW.items())
    except pl.exceptions.InvalidOperationError as reason:
        raise EvidenceError(
            f"record: a number outside the range of its column ({_first_line(reason)}), needs e.g. a year "
            f"below {_MOST:,}. Download the part again."
        ) from None


def teams(counts: Mapping[str, Ints]) -> npt.NDArray[np.int8]:
    """Return the team code of each work from its counts of authors by class of institution."""
    education, company = counts["n_education"] > 0, counts["n_company"] > 0
    neither = (counts["n_public"] > 0) | (counts["n_other"] > 0)
    code = education * 1 + company * 2
    return np.where(code > 0, code, np.where(neither, TEAMS.index("other"), 0)).astype(np.int8)


def _any_bit(bits: Bits, lengths: Ints) -> Bits:
    """Return the union of bits over consecutive groups; 0 for an empty group."""
    return _grouped(np.bitwise_or, bits, lengths)


def _sum(values: Ints, lengths: Ints) -> Ints:
    return _grouped(np.add, values, lengths)


def _grouped(ufunc: np.ufunc, values: Ints, lengths: Ints) -> Ints:
    """Reduce consecutive groups. `reduceat` has no notion of an empty group, so those are left out."""
    found = np.zeros(lengths.size, np.int64)
    filled = np.flatnonzero(lengths)
    if filled.size:
        starts = np.cumsum(lengths[filled]) - lengths[filled]
        found[filled] = ufunc.reduceat(values, starts)
    return found


def number_of(name: str, texts: pl.Expr | None = None) -> pl.Expr:
    """Return the expression that turns OpenAlex addresses into the numbers of a column.

    Parameters
    ----------
    name : str
        Column of the narrow table.
    texts : polars.Expr, optional
        The addresses; default: the column of that name.
    """
    import polars as pl

    found = pl.col(name) if texts is None else texts
    return found.str.strip_prefix(_PREFIX[name]).cast(getattr(pl, NARROW[name])).alias(name)


def date_of(name: str = "updated_date") -> pl.Expr:
    """Return the expression that turns ISO times into dates."""
    import polars as pl

    return pl.col(name).str.head(10).str.to_date("%Y-%m-%d")


def from_texts(frame: pl.DataFrame) -> pl.DataFrame:
    """Turn addresses and times, as they stand in a record, into the numbers and dates of the table.

    Raises
    ------
    EvidenceError
        A value is of another form, or a work has no id.
    """
    import polars as pl

    try:
        frame = frame.with_columns(*(number_of(name) for name in _PREFIX), date_of())
    except (pl.exceptions.InvalidOperationError, pl.exceptions.ComputeError) as reason:
        raise EvidenceError(
            f"record: an id or time of another form ({_first_line(reason)}), needs addresses such as "
            f"{_PREFIX['work_id']}2741809807 and ISO times. Download the part again."
        ) from None
    require_ids(frame)
    return frame


def require_ids(frame: pl.DataFrame) -> None:
    """Refuse rows without a work's id.

    Raises
    ------
    EvidenceError
        A record has none.
    """
    missing = frame["work_id"].null_count()
    if missing:
        raise EvidenceError(
            f"record: {missing} without id, needs one in each. Download the part again; if the id is missing "
            "there too, it is not a part of `works`."
        )


def _first_line(reason: Exception) -> str:
    return str(reason).splitlines()[0]


def empty() -> pl.DataFrame:
    """Return a narrow table without rows."""
    import polars as pl

    return pl.DataFrame(schema={name: getattr(pl, kind) for name, kind in NARROW.items()})


def concat(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return narrow rows one after the other."""
    import polars as pl

    return pl.concat([empty(), *frames])


def read_metadata(path: Path) -> dict[str, Any]:
    """Return how a narrow file was made: version, settings, names of the bits, parts, cautions.

    Raises
    ------
    EvidenceError
        The file is not Parquet, or not one that `extract` wrote.
    """
    import polars as pl

    try:
        found = pl.read_parquet_metadata(path).get(METADATA)
    except (OSError, pl.exceptions.ComputeError) as reason:
        raise EvidenceError(
            f"{path}: cannot be read as Parquet ({_first_line(reason)}), needs a narrow table. Make one with "
            "`isoflop divide extract DIR --out FILE`."
        ) from None
    if found is None:
        raise EvidenceError(
            f"{path}: a Parquet file that says nothing of how it was made, needs a narrow table. Make one "
            "with `isoflop divide extract DIR --out FILE`."
        )
    return dict(json.loads(found))

"""Wide Parquet parts, a few thousand works at a time.

Of the nested authorships only the list of institutions is kept; its inner lists are laid flat, so that
no work is looked at one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from isoflop.errors import EvidenceError, closest
from isoflop.evidence.openalex.institutions import COUNTRIES, OTHER, TYPES, UNRESOLVED
from isoflop.evidence.openalex.narrow import FLAGS, Batch, date_of, narrow, number_of, require_ids
from isoflop.evidence.openalex.readers.interface import Tell
from isoflop.evidence.openalex.texts import Finder, no_texts
from isoflop.evidence.openalex.wanted import Wanted

if TYPE_CHECKING:
    import polars as pl

ROWS = 16384
"""Works of a batch: with nested authorships some 60 MB."""
_REQUIRED = ("id", "publication_year", "type", "authorships")


def read(path: Path, wanted: Wanted, tell: Tell) -> Iterator[pl.DataFrame]:
    """Yield the narrow rows of a wide Parquet part."""
    import polars as pl

    try:
        works = pl.scan_parquet(path, hive_partitioning=False)
        schema = works.collect_schema()
        _require(path, schema)
        columns = [*_scalars(schema), *_texts(schema, wanted)]
        total = max(works.select(pl.len()).collect().item(), 1)
        done = 0
        for frame in works.select(*columns, "authorships").collect_batches(
            chunk_size=ROWS, maintain_order=True
        ):
            yield narrow(batch(frame, wanted))
            done += frame.height
            tell(done / total)
    except (pl.exceptions.PolarsError, OSError) as reason:
        first = str(reason).splitlines()[0] if str(reason) else type(reason).__name__
        raise EvidenceError(
            f"{path.name}: {first}, needs an intact Parquet part of works. Download it again."
        ) from None


def _require(path: Path, schema: Any) -> None:
    missing = [name for name in _REQUIRED if name not in schema]
    if missing:
        near = closest(missing[0], list(schema))
        hint = f"Closest is {near}; point" if near else "Point"
        raise EvidenceError(
            f"{path.name}: no column {missing[0]}, needs the columns of works. {hint} the command at the "
            "folder of the wide snapshot."
        )


def _scalars(schema: Any) -> list[pl.Expr]:
    """Return the standing columns; one that this snapshot lacks is missing in every row."""
    import polars as pl

    def column(name: str, kind: Any, alias: str | None = None) -> pl.Expr:
        found = pl.col(name) if name in schema else pl.lit(None)
        return found.cast(kind).alias(alias or name)

    def inner(*path: str) -> pl.Expr:
        found, kind = pl.col(path[0]), schema.get(path[0])
        for name in path[1:]:
            if not isinstance(kind, pl.Struct) or name not in (kinds := dict(kind)):
                return pl.lit(None, pl.String)
            found, kind = found.struct.field(name), kinds[name]
        return found

    bits = [
        column(f"is_{name}", pl.Boolean, name).fill_null(value=False).cast(pl.Int64) * FLAGS[name]
        for name in ("retracted", "paratext", "xpac")
    ]
    dated = pl.lit(None, pl.Date)
    if "updated_date" in schema:
        texts = schema["updated_date"] == pl.String
        dated = date_of() if texts else pl.col("updated_date").cast(pl.Date)
    return [
        number_of("work_id", pl.col("id")),
        dated.alias("updated_date"),
        column("publication_year", pl.Int64, "year"),
        column("type", pl.String),
        column("language", pl.String),
        number_of("topic_id", inner("primary_topic", "id")),
        *(
            number_of(f"{name}_id", inner("primary_topic", name, "id"))
            for name in ("subfield", "field", "domain")
        ),
        column("cited_by_count", pl.Int64),
        inner("cited_by_percentile_year", "min").cast(pl.Float64).alias("cited_percentile"),
        sum(bits[1:], bits[0]).alias("flags"),
    ]


def _texts(schema: Any, wanted: Wanted) -> list[pl.Expr]:
    """Return what topics and models are looked for in."""
    import polars as pl

    asked = {
        "title": wanted.reads_texts,
        "abstract_inverted_index": wanted.reads_texts,
        "referenced_works": wanted.reads_references,
    }
    return [
        (pl.col(name) if name in schema else pl.lit(None)).alias(name) for name, read in asked.items() if read
    ]


def batch(frame: pl.DataFrame, wanted: Wanted) -> Batch:
    """Return works with nested authorships as a batch."""
    authorships = frame["authorships"]
    authors = authorships.explode(empty_as_null=False, keep_nulls=False)
    listed = authors.struct.field("institutions")
    institutions = listed.explode(empty_as_null=False, keep_nulls=False)
    require_ids(frame)
    return Batch(
        scalars=_with_texts(frame.drop("authorships"), wanted),
        authorships=authorships.list.len().fill_null(0).to_numpy().astype(np.int64),
        institutions=listed.list.len().fill_null(0).to_numpy().astype(np.int64),
        classes=_classes(institutions, wanted),
        countries=_countries(institutions.struct.field("country_code")),
    )


def _classes(institutions: pl.Series, wanted: Wanted) -> npt.NDArray[np.int8]:
    import polars as pl

    kinds = institutions.struct.field("type")
    found = kinds.replace_strict(TYPES, default=OTHER, return_dtype=pl.Int8)
    found = found.zip_with(kinds.is_not_null(), pl.Series([UNRESOLVED], dtype=pl.Int8))
    if wanted.overrides:
        named = institutions.struct.field("id")
        given = named.replace_strict(dict(wanted.overrides), default=None, return_dtype=pl.Int8)
        found = given.zip_with(given.is_not_null(), found)
    return found.to_numpy()


def _countries(codes: pl.Series) -> npt.NDArray[np.int64]:
    import polars as pl

    bits = {code: 1 << i for i, code in enumerate(COUNTRIES)} | {"": 0}
    found = codes.replace_strict(bits, default=1 << len(COUNTRIES), return_dtype=pl.Int64)
    return found.zip_with(codes.is_not_null(), pl.Series([0], dtype=pl.Int64)).to_numpy()


def _with_texts(frame: pl.DataFrame, wanted: Wanted) -> pl.DataFrame:
    import polars as pl

    if not (wanted.reads_texts or wanted.reads_references):
        return no_texts(frame)
    nothing = [None] * frame.height
    asked = ("title", "abstract_inverted_index", "referenced_works")
    found = Finder(wanted).columns(*(frame[n].to_list() if n in frame.columns else nothing for n in asked))
    return frame.drop([name for name in asked if name in frame.columns]).with_columns(
        pl.col("flags") + pl.Series(found["has_abstract"]) * FLAGS["abstract"],
        pl.Series("keywords", found["keywords"]),
        pl.Series("adoption", found["adoption"]),
    )

"""JSON lines through DuckDB's own reader, with the columns declared.

Declared columns matter: the partition's ``updated_date`` would else take the place of the field, and
types would be guessed from the first records. DuckDB does not check the gzip trailer, so that is done first.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isoflop.errors import EvidenceError, MissingExtraError
from isoflop.evidence.openalex.readers import parquet
from isoflop.evidence.openalex.readers.gunzip import blocks
from isoflop.evidence.openalex.readers.interface import Tell
from isoflop.evidence.openalex.wanted import Wanted

if TYPE_CHECKING:
    import polars as pl

MEMORY = "600MB"
"""What DuckDB may take; beyond it, it writes to disk. It asks for twice the longest record at once."""
LONGEST = 1 << 26
_ENTITY = "STRUCT(id VARCHAR)"
_COLUMNS = {
    "id": "VARCHAR",
    "updated_date": "VARCHAR",
    "publication_year": "BIGINT",
    "type": "VARCHAR",
    "language": "VARCHAR",
    "is_retracted": "BOOLEAN",
    "is_paratext": "BOOLEAN",
    "is_xpac": "BOOLEAN",
    "cited_by_count": "BIGINT",
    "cited_by_percentile_year": "STRUCT(min DOUBLE)",
    "primary_topic": f"STRUCT(id VARCHAR, subfield {_ENTITY}, field {_ENTITY}, domain {_ENTITY})",
    "authorships": "STRUCT(institutions STRUCT(id VARCHAR, type VARCHAR, country_code VARCHAR)[])[]",
}
_TEXTS = {"title": "VARCHAR", "abstract_inverted_index": "VARCHAR", "referenced_works": "VARCHAR[]"}


def read(path: Path, wanted: Wanted, tell: Tell) -> Iterator[pl.DataFrame]:
    """Yield the narrow rows of a gzip part of JSON lines."""
    try:
        import duckdb
    except ImportError:
        raise MissingExtraError(
            "reader duckdb: duckdb is not installed, needs the extra openalex. Run pip install "
            "isoflop[openalex]."
        ) from None
    for _ in blocks(path, lambda done: tell(done / 3)):
        pass
    texts = wanted.reads_texts or wanted.reads_references
    columns = _COLUMNS | (_TEXTS if texts else {})
    declared = ", ".join(f"{name}: '{kind}'" for name, kind in columns.items())
    with tempfile.TemporaryDirectory() as folder:
        wide = Path(folder) / "wide.parquet"
        query = (
            f"COPY (SELECT * FROM read_json(?, format = 'newline_delimited', compression = 'gzip', "
            f"columns = {{{declared}}}, maximum_object_size = {LONGEST}, hive_partitioning = false)) "
            f"TO '{wide.as_posix()}' (FORMAT parquet, COMPRESSION lz4_raw)"
        )
        settings: dict[str, Any] = {"threads": 1, "memory_limit": MEMORY, "temp_directory": folder}
        with duckdb.connect(config=settings) as connection:
            try:
                connection.execute(query, [str(path)])
            except duckdb.Error as reason:
                first = str(reason).splitlines()[0]
                raise EvidenceError(
                    f"{path.name}: {first}, needs works as JSON lines. Download the part again."
                ) from None
        yield from parquet.read(wide, wanted, lambda done: tell((2 + done) / 3))

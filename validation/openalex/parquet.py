"""The same records as wide Parquet, converted by DuckDB with every column declared."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_ENTITY: Final = "STRUCT(id VARCHAR, display_name VARCHAR)"
_TOPIC: Final = (
    "STRUCT(id VARCHAR, display_name VARCHAR, score DOUBLE, "
    f"subfield {_ENTITY}, field {_ENTITY}, domain {_ENTITY})"
)
_LOCATION: Final = (
    "STRUCT(is_oa BOOLEAN, landing_page_url VARCHAR, pdf_url VARCHAR, source STRUCT(id VARCHAR, "
    "display_name VARCHAR, issn_l VARCHAR, is_oa BOOLEAN, type VARCHAR, host_organization VARCHAR), "
    "license VARCHAR, version VARCHAR)"
)
COLUMNS: Final = {
    "id": "VARCHAR",
    "doi": "VARCHAR",
    "title": "VARCHAR",
    "display_name": "VARCHAR",
    "publication_year": "INTEGER",
    "publication_date": "DATE",
    "ids": "STRUCT(openalex VARCHAR, doi VARCHAR)",
    "language": "VARCHAR",
    "type": "VARCHAR",
    "authorships": (
        "STRUCT(author_position VARCHAR, author STRUCT(id VARCHAR, display_name VARCHAR, orcid VARCHAR), "
        "institutions STRUCT(id VARCHAR, display_name VARCHAR, ror VARCHAR, country_code VARCHAR, "
        "type VARCHAR, lineage VARCHAR[])[], countries VARCHAR[], is_corresponding BOOLEAN, "
        "raw_author_name VARCHAR, raw_affiliation_strings VARCHAR[], "
        "affiliations STRUCT(raw_affiliation_string VARCHAR, institution_ids VARCHAR[])[])[]"
    ),
    "primary_location": _LOCATION,
    "open_access": "STRUCT(is_oa BOOLEAN, oa_status VARCHAR, oa_url VARCHAR, any_repository BOOLEAN)",
    "biblio": "STRUCT(volume VARCHAR, issue VARCHAR, first_page VARCHAR, last_page VARCHAR)",
    "topics": f"{_TOPIC}[]",
    "keywords": "STRUCT(id VARCHAR, display_name VARCHAR, score DOUBLE)[]",
    "concepts": "STRUCT(id VARCHAR, wikidata VARCHAR, display_name VARCHAR, level INTEGER, score DOUBLE)[]",
    "locations": f"{_LOCATION}[]",
    "counts_by_year": "STRUCT(year INTEGER, cited_by_count INTEGER)[]",
    "cited_by_count": "INTEGER",
    "cited_by_percentile_year": "STRUCT(min INTEGER, max INTEGER)",
    "referenced_works": "VARCHAR[]",
    "related_works": "VARCHAR[]",
    "abstract_inverted_index": "VARCHAR",
    "primary_topic": _TOPIC,
    "is_retracted": "BOOLEAN",
    "is_paratext": "BOOLEAN",
    "is_xpac": "BOOLEAN",
    "updated_date": "VARCHAR",
    "created_date": "VARCHAR",
}
_LONGEST: Final = 1 << 27


def write_parquet(part: Path, wide: Path) -> None:
    """Write a gzip part of JSON lines as Parquet with snappy, rows in their order."""
    import duckdb

    wide.parent.mkdir(parents=True, exist_ok=True)
    columns = ", ".join(f"{name}: '{kind}'" for name, kind in COLUMNS.items())
    query = (
        f"COPY (SELECT * FROM read_json(?, format = 'newline_delimited', columns = {{{columns}}}, "
        f"maximum_object_size = {_LONGEST}, hive_partitioning = false)) "
        f"TO '{wide.as_posix()}' (FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE 10000)"
    )
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute(query, [str(part)])

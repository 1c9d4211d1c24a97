"""Where a query runs: DuckDB in this process, or Spark. Both are handed the same Ibis expressions."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal

from isoflop.errors import EvidenceError, MissingExtraError

Engine = Literal["duckdb", "spark"]


@contextmanager
def opened(path: Path, engine: Engine, *, threads: int | None = None) -> Iterator[tuple[Any, Any]]:
    """Open a Parquet file in an engine.

    Parameters
    ----------
    path : Path
    engine : {"duckdb", "spark"}
    threads : int, optional
        Threads of DuckDB, or cores of a local Spark; default: all.

    Yields
    ------
    connection, table : ibis backend and ibis table

    Raises
    ------
    MissingExtraError
        The engine is not installed, or Java does not start.
    EvidenceError
        The file cannot be read.

    Notes
    -----
    A Spark session that runs already, of a notebook or a cluster, is used as it is and left running.
    """
    if not path.is_file():
        raise EvidenceError(
            f"{path}: no such file, needs a narrow table. Make one with `isoflop divide extract DIR --out "
            "FILE`."
        )
    with _OPEN[engine](path, threads) as pair:
        yield pair


@contextmanager
def _duckdb(path: Path, threads: int | None) -> Iterator[tuple[Any, Any]]:
    try:
        import duckdb
        import ibis

        connection = ibis.duckdb.connect(**({} if threads is None else {"threads": threads}))
    except (ImportError, AttributeError) as error:
        raise MissingExtraError(
            f"engine duckdb: {getattr(error, 'name', None) or 'duckdb'} is not installed, needs the extra "
            "openalex. "
            'Install it: pip install "isoflop[openalex]".'
        ) from error
    with warnings.catch_warnings():
        # Ibis 12 calls it; DuckDB 2 has renamed it.
        warnings.filterwarnings("ignore", message="fetch_arrow_table", category=DeprecationWarning)
        try:
            yield connection, connection.read_parquet(str(path))
        except duckdb.Error as error:
            raise _stopped(path, "DuckDB", error) from error
        finally:
            connection.disconnect()


@contextmanager
def _spark(path: Path, threads: int | None) -> Iterator[tuple[Any, Any]]:
    try:
        import ibis
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise MissingExtraError(
            f"engine spark: {error.name} is not installed, needs the extra spark. Install it: "
            'pip install "isoflop[spark]".'
        ) from error
    if "JAVA_HOME" not in os.environ and shutil.which("java") is None:
        raise MissingExtraError(
            "engine spark: no Java found, needs Java 17 or later. Install one (Debian: "
            "default-jre-headless), or use --engine duckdb."
        )
    with warnings.catch_warnings():
        # PySpark warns about pandas 3, whose frames it does not get from here.
        warnings.simplefilter("ignore")
        running = SparkSession.getActiveSession()
        session = running or _session(threads)
        try:
            connection = ibis.pyspark.connect(session)
            yield connection, connection.read_parquet(str(path.resolve()))
        except PySparkException as error:
            raise _stopped(path, "Spark", error) from error
        finally:
            if running is None:
                session.stop()


def _session(threads: int | None) -> Any:
    """Start a local Spark."""
    from pyspark.errors import PySparkRuntimeError
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master(f"local[{threads or '*'}]").appName("isoflop")
    for name, setting in _SPARK.items():
        builder = builder.config(name, setting)
    try:
        session = builder.getOrCreate()
    except PySparkRuntimeError as error:
        raise MissingExtraError(
            "engine spark: Java did not start, needs Java 17 or later. Check JAVA_HOME and `java -version`, "
            "or use --engine duckdb."
        ) from error
    session.sparkContext.setLogLevel("ERROR")
    return session


def _stopped(path: Path, engine: str, error: Exception) -> EvidenceError:
    first = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return EvidenceError(
        f"{path}: {engine} stopped ({first[:200]}), needs an undamaged narrow table. Extract it again with "
        "--restart."
    )


_SPARK: Final[Mapping[str, str]] = {
    "spark.ui.enabled": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "8",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.ui.showConsoleProgress": "false",
}
"""A local Spark that shows nothing, listens to this machine alone and keeps dates as they are."""
_OPEN: Final[Mapping[str, Callable[[Path, int | None], Any]]] = {"duckdb": _duckdb, "spark": _spark}
ENGINES: Final = tuple(_OPEN)

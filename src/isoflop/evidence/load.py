"""`load`: one door for files, frames, folders and embedded tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isoflop.errors import EvidenceError, SettingError, closest
from isoflop.evidence.embedded import EMBEDDED, embedded
from isoflop.evidence.importers import IMPORTERS, Imported, Importer
from isoflop.evidence.read import from_frame, read_file
from isoflop.evidence.schemas import SCHEMAS
from isoflop.evidence.sources import origin
from isoflop.evidence.table import Table, fingerprint_of
from isoflop.evidence.validate import canonical, has_required

if TYPE_CHECKING:
    import polars as pl

    from isoflop.findings import EvidenceKind


def load(
    source: Any,
    *,
    schema: str | None = None,
    importer: str | None = None,
    columns: Mapping[str, str] | None = None,
    name: str | None = None,
) -> Table:
    """Read, recognise and validate one table of evidence.

    Parameters
    ----------
    source : path, str or data frame
        A csv, tsv (plain or gzipped) or parquet file; a folder of a known layout; a pandas,
        Polars or Arrow frame; or the name of an embedded table, e.g. ``"language_evaluations"``.
    schema : str, optional
        Canonical schema that is needed. Default: the importer's, or the one whose required
        columns are all there, else ``evaluations``.
    importer : str, optional
        Name in `IMPORTERS`; skips recognition by header.
    columns : mapping of str to str, optional
        Canonical column name to the name in the source. Given a map, the table is read by
        column names and no importer is tried.
    name : str, optional
        Name of the table. Default: the file's stem, or that of the embedded table.

    Returns
    -------
    Table

    Raises
    ------
    EvidenceError
        The source cannot be read or recognised, or a row breaks a rule; the message names row
        and column.
    SettingError
        `schema` or `importer` is unknown.

    Examples
    --------
    >>> table = load("language_evaluations")
    >>> table.schema, table.rows_read
    ('evaluations', 239)
    """
    _known("schema", schema, SCHEMAS)
    _known("importer", importer, IMPORTERS)
    asked = _Asked(schema=schema, importer=importer, columns=dict(columns or {}))
    if isinstance(source, str) and source in EMBEDDED and not Path(source).exists():
        table = embedded(source)
        _require(table.schema, schema, source, "a shipped table")
        return table
    if isinstance(source, (str, Path)):
        path = Path(source)
        if path.is_dir():
            path, asked = _main_file(path, asked)
            return _table(read_file(path), asked, name or path.parent.name, path)
        if not path.exists() and not path.suffix:
            raise EvidenceError(_no_table(str(source)))
        return _table(read_file(path), asked, name or path.name.split(".")[0], path)
    return _table(from_frame(source, name or "frame"), asked, name or "frame", None)


def accept(evidence: Table | Any, schema: str) -> Table:
    """Return a table as it is, and anything else (a data frame of any library, a path) loaded by its schema.

    Verbs call this at their door; they judge themselves whether a table of another schema will do.

    Examples
    --------
    >>> table = load("chip_prices")
    >>> accept(table, "chip_prices") is table, accept(table.frame, "chip_prices").schema
    (True, 'chip_prices')
    """
    return evidence if isinstance(evidence, Table) else load(evidence, schema=schema)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What the caller said about the source."""

    schema: str | None
    importer: str | None
    columns: dict[str, str]
    folder: Path | None = None


def _table(raw: pl.DataFrame, asked: _Asked, name: str, path: Path | None) -> Table:
    where = path.name if path else name
    source = str(asked.folder or path) if path else "a data frame"
    kind: EvidenceKind = "own"
    cautions: tuple[str, ...] = ()
    if raw.height == 0:
        raise EvidenceError(f"load: {where} has no data rows, needs at least one. Is it the right file?")
    chosen = _recognise(raw.columns, asked, where)
    if chosen is None:
        schema = asked.schema or _schema_of(raw.columns)
        found = Imported(frame=raw, rows_read=raw.height)
        how = f"canonical columns of schema {schema}"
        if asked.columns:
            how += f", mapped {', '.join(f'{ours}={theirs}' for ours, theirs in asked.columns.items())}"
    else:
        schema = chosen.schema
        found = chosen.convert(raw, path.parent if path else None)
        by = "its folder" if asked.folder else "name" if asked.importer else "its header"
        how = f"{chosen.name}, recognised by {by}" if by != "name" else f"{chosen.name}, asked for"
        if path is not None:
            kind, origin_text, cautions = origin(path, chosen)
            source = origin_text if kind == "pulled" else source
    frame, doubts = canonical(found.frame, SCHEMAS[schema], where, asked.columns, numbered=chosen is not None)
    return Table(
        name=name,
        schema=schema,
        frame=frame,
        source=source,
        kind=kind,
        fingerprint=fingerprint_of(schema, frame),
        rows_read=found.rows_read,
        steps=found.steps,
        cautions=(*cautions, *found.cautions, *doubts),
        importer=how,
    )


def _recognise(header: list[str], asked: _Asked, where: str) -> Importer | None:
    """Return the importer to use, or None for canonical column names."""
    if asked.importer is not None:
        chosen = IMPORTERS[asked.importer]
        absent = sorted(chosen.signature - set(header))
        if absent:
            near = closest(absent[0], header)
            raise EvidenceError(
                f"load: column '{absent[0]}' not in {where}, which importer {chosen.name} needs"
                + (f"; closest is '{near}'." if near else ".")
                + " Drop --importer and use --map canonical=theirs."
            )
        _require(chosen.schema, asked.schema, where, f"importer {chosen.name}")
        return chosen
    if asked.columns:
        return None
    found = [importer for importer in IMPORTERS.values() if importer.recognises(header)]
    if not found:
        return None
    fitting = [importer for importer in found if asked.schema in (None, importer.schema)]
    best = max(fitting or found, key=lambda importer: len(importer.signature))
    _require(best.schema, asked.schema, where, f"recognised as {best.name}")
    return best


def _schema_of(header: list[str]) -> str:
    """Return the schema that needs most of the columns that are there, else evaluations."""
    needs = {
        name: sum(column.required for column in schema.columns) + len(schema.one_of)
        for name, schema in SCHEMAS.items()
        if has_required(header, schema)
    }
    most = [name for name, count in needs.items() if count == max(needs.values())]
    return most[0] if len(most) == 1 else "evaluations"


def _main_file(folder: Path, asked: _Asked) -> tuple[Path, _Asked]:
    """Return the file by which the layout of a folder is known."""
    layouts = [IMPORTERS[asked.importer]] if asked.importer else list(IMPORTERS.values())
    layouts = [layout for layout in layouts if layout.folder_file]
    found = [layout for layout in layouts if (folder / str(layout.folder_file)).is_file()]
    for layout in found:
        if asked.schema in (None, layout.schema):
            return folder / str(layout.folder_file), replace(asked, importer=layout.name, folder=folder)
    for layout in found:
        _require(layout.schema, asked.schema, f"folder {folder}", f"recognised as {layout.name}")
    fitting = [layout for layout in layouts if asked.schema in (None, layout.schema)]
    wanted = ", ".join(f"{layout.folder_file} ({layout.name})" for layout in fitting)
    raise EvidenceError(
        f"load: folder {folder} is no known layout, needs {wanted or 'a file'}. Name one file in it."
    )


def _no_table(source: str) -> str:
    near = closest(source, EMBEDDED)
    hint = f"; closest is '{near}'" if near else ""
    return f"load: {source!r} is no file, no folder and no shipped table ({', '.join(EMBEDDED)}){hint}. " + (
        "It is a public table: name its file." if source.replace("-", "_") in IMPORTERS else "Check the path."
    )


def _require(found: str, wanted: str | None, where: str, how: str) -> None:
    if wanted is not None and found != wanted:
        raise EvidenceError(
            f"load: {where} is {how} with schema {found}, needs schema {wanted}. Name another table."
        )


def _known(setting: str, value: str | None, known: Mapping[str, object]) -> None:
    if value is not None and value not in known:
        near = closest(value, known)
        raise SettingError(
            f"load: {setting}={value!r}, needs one of {', '.join(known)}."
            + (f" Did you mean {near}?" if near else "")
        )

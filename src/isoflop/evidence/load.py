"""`load`: one door for files, frames, folders and embedded tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isoflop.errors import EvidenceError, SettingError, closest
from isoflop.evidence.embedded import EMBEDDED, embedded
from isoflop.evidence.importers import IMPORTERS, Imported, Importer
from isoflop.evidence.read import from_frame, read_file
from isoflop.evidence.schemas import SCHEMAS
from isoflop.evidence.table import Table, fingerprint_of
from isoflop.evidence.validate import canonical

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
        Canonical schema to read it as. Default: ``evaluations``, or the importer's.
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
    if isinstance(source, str) and source in EMBEDDED and not Path(source).exists():
        return embedded(source)
    if isinstance(source, (str, Path)):
        path = Path(source)
        if path.is_dir():
            return _folder(path, importer, name)
        return _table(
            read_file(path), schema, importer, columns, name or _stem(path), str(source), path.name, path
        )
    title = name or "frame"
    raw = from_frame(source, title)
    return _table(raw, schema, importer, columns, title, f"{type(source).__module__.split('.')[0]} frame", title, None)


def _table(
    raw: pl.DataFrame,
    schema: str | None,
    importer: str | None,
    columns: Mapping[str, str] | None,
    name: str,
    source: str,
    where: str,
    path: Path | None,
) -> Table:
    chosen = _recognise(raw.columns, schema, importer, columns, where)
    if chosen is None:
        wanted = schema or "evaluations"
        frame, cautions = canonical(raw, SCHEMAS[wanted], where, columns)
        how = f"canonical columns of schema {wanted}" + (f", mapped {_map_text(columns)}" if columns else "")
        return _finish(
            Imported(frame=frame, rows_read=raw.height), wanted, frame, cautions, name, source, "own", how
        )
    if raw.height == 0:
        raise EvidenceError(f"load: {where} has no data rows, needs at least one. Is it the right file?")
    found = chosen.convert(raw, path.parent if path else None)
    frame, cautions = canonical(found.frame, SCHEMAS[chosen.schema], where)
    how = f"{chosen.name} ({'asked for' if importer else 'recognised by its header'})"
    return _finish(found, chosen.schema, frame, cautions, name, source, "own", how)


def _finish(
    found: Imported,
    schema: str,
    frame: pl.DataFrame,
    cautions: tuple[str, ...],
    name: str,
    source: str,
    kind: EvidenceKind,
    how: str,
) -> Table:
    return Table(
        name=name,
        schema=schema,
        frame=frame,
        source=source,
        kind=kind,
        fingerprint=fingerprint_of(schema, frame),
        rows_read=found.rows_read,
        steps=found.steps,
        cautions=(*found.cautions, *cautions),
        importer=how,
    )


def _recognise(
    header: list[str],
    schema: str | None,
    importer: str | None,
    columns: Mapping[str, str] | None,
    where: str,
) -> Importer | None:
    """Return the importer to use, or None for canonical column names."""
    if importer is not None:
        chosen = IMPORTERS[importer]
        absent = sorted(chosen.signature - set(header))
        if absent:
            near = closest(absent[0], header)
            raise EvidenceError(
                f"load: column '{absent[0]}' not in {where}, which importer {importer} needs"
                + (f"; closest is '{near}'." if near else ".")
                + " Drop --importer and use --map canonical=theirs."
            )
        return chosen
    if columns:
        return None
    found = [i for i in IMPORTERS.values() if i.recognises(header) and schema in (None, i.schema)]
    return max(found, key=lambda i: len(i.signature)) if found else None


def _folder(path: Path, importer: str | None, name: str | None) -> Table:
    layouts = [IMPORTERS[importer]] if importer else [i for i in IMPORTERS.values() if i.folder_file]
    for layout in layouts:
        if layout.folder_file and (path / layout.folder_file).is_file():
            main = path / layout.folder_file
            return _table(
                read_file(main), None, layout.name, None, name or path.name, str(path), main.name, main
            )
    wanted = ", ".join(f"{i.folder_file} ({i.name})" for i in IMPORTERS.values() if i.folder_file)
    raise EvidenceError(f"load: folder {path} has none of {wanted or 'the known files'}. Name a file in it.")


def _known(setting: str, value: str | None, known: Mapping[str, object]) -> None:
    if value is not None and value not in known:
        near = closest(value, known)
        raise SettingError(
            f"load: {setting}={value!r}, needs one of {', '.join(known)}."
            + (f" Did you mean {near}?" if near else "")
        )


def _map_text(columns: Mapping[str, str] | None) -> str:
    return ", ".join(f"{ours}={theirs}" for ours, theirs in (columns or {}).items())


def _stem(path: Path) -> str:
    return path.name.split(".")[0]

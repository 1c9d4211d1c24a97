"""Data: send a file, see what it was taken for, name its columns, and go on to a command."""

from __future__ import annotations

from typing import Final

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from isoflop.errors import EvidenceError, SettingError
from isoflop.evidence import SCHEMAS
from isoflop.evidence.read import SUFFIXES
from isoflop.evidence.validate import fold
from isoflop.report.picture import cell_text, side
from isoflop.serve.at_hand import TABLE, UPLOAD
from isoflop.serve.page import place, render
from isoflop.serve.security import form
from isoflop.serve.tables import PROBLEMS_SHOWN, Reading, offered, read
from isoflop.serve.uploads import Upload
from isoflop.serve.verbs import readers, verbs

MAP: Final = "map."
"""Stands before a column's name in the form that names columns."""
OPTIONAL_SHOWN: Final = 60


def list_data(request: Request) -> Response:
    """List what can be read, and take a file."""
    here = place(request)
    return render(
        request,
        "data.html.j2",
        uploads=here.uploads.all(),
        tables=here.at_hand.tables(),
        docs={name: schema.doc for name, schema in SCHEMAS.items()},
        endings=SUFFIXES,
        evidence=here.at_hand.library.describe(),
    )


def upload(request: Request) -> Response:
    """Store the files that were sent, and show the one, or the list of several."""
    sent = [one for one in form(request).getlist("file") if isinstance(one, UploadFile) and one.filename]
    if not sent:
        raise SettingError("Data: no file came, needs one. Choose a file, then press Upload.")
    stored = [place(request).uploads.add(str(one.filename), one.file) for one in sent]
    return RedirectResponse(f"/data/{stored[0].id}" if len(stored) == 1 else "/data", status_code=303)


def show_upload(request: Request) -> Response:
    """Show what a file was taken for, and what can be done with it."""
    known = _upload(request)
    schema = request.query_params.get("schema", known.schema)
    if schema and schema not in SCHEMAS:
        raise HTTPException(404, f"There is no kind of table named {schema[:60]!r}.")
    mapping = known.mapping if schema == known.schema else {}
    reading, message = None, ""
    if known.is_table:
        try:
            reading = read(known.path, schema=schema, mapping=mapping)
        except EvidenceError as error:
            message = str(error)
    return render(
        request,
        "upload.html.j2",
        upload=known,
        reading=reading,
        message=message,
        schema=schema,
        kinds=offered(reading.header) if reading else (),
        verbs=_verbs(reading),
        value=UPLOAD + known.id,
        map_prefix=MAP,
        problems_shown=PROBLEMS_SHOWN,
        optional_shown=OPTIONAL_SHOWN,
    )


def name_columns(request: Request) -> Response:
    """Record which of the file's columns is which, and show what that gives."""
    known, sent = _upload(request), form(request)
    schema = str(sent.get("schema", ""))
    if schema not in SCHEMAS:
        raise SettingError(f"Data: {schema!r} is no kind of table, needs one. Choose it from the list.")
    own = {
        fold(name): column.name
        for column in SCHEMAS[schema].columns
        for name in (column.name, *column.aliases)
    }
    mapping = {}
    for key in sent:
        ours, theirs = key.removeprefix(MAP), str(sent[key])
        # A column that is found by its own name needs no mapping, and none is recorded.
        if key.startswith(MAP) and theirs and own.get(fold(theirs)) != ours:
            mapping[ours] = theirs
    place(request).uploads.describe(known, schema=schema, mapping=mapping)
    return RedirectResponse(f"/data/{known.id}", status_code=303)


def delete(request: Request) -> Response:
    """Remove a file."""
    place(request).uploads.delete(_upload(request).id)
    return RedirectResponse("/data", status_code=303)


def show_table(request: Request) -> Response:
    """Show the first rows of a table that is known by name."""
    name = request.path_params["name"]
    here = place(request)
    if name not in here.at_hand.library.available():
        raise HTTPException(404, f"There is no table named {name[:60]!r} here.")
    table = here.at_hand.library.table(name)
    first = table.frame.head(here.settings.rows_shown)
    filled = [column for column in first.columns if table.frame[column].null_count() < table.frame.height]
    rows = first.select(filled).to_dicts()
    return render(
        request,
        "table.html.j2",
        table=table,
        doc=SCHEMAS[table.schema].doc,
        columns=filled,
        sides=[side(row[column] for row in rows) for column in filled],
        rows=[[cell_text(row[column], column) for column in filled] for row in rows],
        verbs=readers(table.schema),
        value=TABLE + name,
    )


def _upload(request: Request) -> Upload:
    found = place(request).uploads.get(request.path_params["upload"])
    if found is None:
        raise HTTPException(404, "There is no such file here. It may have been deleted.")
    return found


def _verbs(reading: Reading | None) -> tuple[object, ...]:
    """Return the commands that a file leads to: those of its table, or those that take any file."""
    if reading is None:
        any_file = (
            ("portability", "scan"),
            ("portability", "usage"),
            ("routing", "import"),
            ("divide", "classify"),
        )
        return tuple(verbs()[name] for name in any_file)
    if reading.schema is None or reading.missing:
        return ()
    return readers(reading.schema.name)


routes: Final = (
    Route("/data", list_data),
    Route("/data", upload, methods=["POST"]),
    Route("/data/tables/{name}", show_table),
    Route("/data/{upload}", show_upload),
    Route("/data/{upload}", name_columns, methods=["POST"]),
    Route("/data/{upload}/delete", delete, methods=["POST"]),
)

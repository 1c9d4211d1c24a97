"""An instrument's commands, and the form of each."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from isoflop.errors import IsoflopError
from isoflop.report.instruments import INSTRUMENTS, Instrument
from isoflop.serve.at_hand import UPLOAD, Choice, schema_of_upload
from isoflop.serve.fields import Field, fields
from isoflop.serve.home import headline
from isoflop.serve.page import place, render
from isoflop.serve.security import form
from isoflop.serve.verbs import ONLY_TYPED, Verb, verbs
from isoflop.serve.words import PREFIX, check, command_line

FORM: Final = "form.json"
"""What was filled in, kept with the job so that it can be changed and run again."""
SENT: Final = "u."
"""Stands before a parameter's name where a file comes with the form."""
Values = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a file field offers: tables known by name, then files."""

    tables: tuple[Choice, ...] = ()
    files: tuple[Choice, ...] = ()


def show_instrument(request: Request) -> Response:
    """List the commands of one instrument."""
    instrument = _instrument(request)
    return render(
        request,
        "instrument.html.j2",
        instrument=instrument,
        findings=headline(request, instrument.name),
        verbs=[verb for verb in verbs().values() if verb.name[0] == instrument.name],
        only_typed=[(" ".join(name), why) for name, why in ONLY_TYPED.items() if name[0] == instrument.name],
    )


def show_form(request: Request) -> Response:
    """Show the form of a command, filled in from an earlier job or the address where it says so."""
    verb = _verb(request)
    return _form_page(request, verb, _given(request))


def run(request: Request) -> Response:
    """Start the command, or show the form again with what is wrong."""
    verb = _verb(request)
    here = place(request)
    values = _filled_in(request)
    try:
        line = command_line(verb, values, here.at_hand.find, evidence=here.evidence)
        check(verb, line)
        kept = json.dumps(values, ensure_ascii=False).encode()
        job = here.jobs.start(line.words, title=verb.title, inputs={**line.inputs, FORM: kept})
    except IsoflopError as error:
        return _form_page(request, verb, values, message=str(error), status=400)
    return RedirectResponse(f"/jobs/{job.id}", status_code=303)


def _filled_in(request: Request) -> Values:
    """Return the form's values by parameter; files that came with it are stored and chosen."""
    sent, uploads = form(request), place(request).uploads
    values = {
        key.removeprefix(PREFIX): [str(value) for value in sent.getlist(key)]
        for key in sent
        if key.startswith(PREFIX)
    }
    for key, value in sent.multi_items():
        if key.startswith(SENT) and isinstance(value, UploadFile) and value.filename:
            name = key.removeprefix(SENT)
            chosen = [] if name not in values else [one for one in values[name] if one]
            values[name] = [*chosen, UPLOAD + uploads.add(value.filename, value.file).id]
    return values


def _form_page(
    request: Request, verb: Verb, values: Values, *, message: str = "", status: int = 200
) -> Response:
    found = fields(verb)
    main = [one for one in found if one.is_main]
    groups: dict[str, list[Field]] = {}
    for one in found:
        if not one.is_main:
            groups.setdefault(one.group, []).append(one)
    is_changed = any(any(values.get(one.name, ())) for one in found if not one.is_main)
    return render(
        request,
        "verb.html.j2",
        status=status,
        verb=verb,
        main=main,
        groups=groups,
        options={one.name: _options(request, verb, one) for one in found if one.kind in ("file", "files")},
        values=values,
        message=message,
        prefix=PREFIX,
        sent_prefix=SENT,
        has_settings=bool(groups),
        is_changed=is_changed,
    )


def _options(request: Request, verb: Verb, one: Field) -> Options:
    """Return what a file field offers, tables of the wrong kind left out."""
    here = place(request).at_hand
    if one.option:
        return Options(files=here.files())
    fitting = tuple(table for table in here.tables() if table.schema in verb.schemas)

    def fits(choice: Choice) -> bool:
        upload = here.uploads.get(choice.value.removeprefix(UPLOAD))
        schema = schema_of_upload(upload) if upload else ""
        return not schema or not verb.schemas or schema in verb.schemas

    return Options(tables=fitting, files=tuple(choice for choice in here.files() if fits(choice)))


def _given(request: Request) -> Values:
    """Return what the address asks to be filled in: an earlier job's form, then single fields."""
    query = request.query_params
    values: dict[str, list[str]] = {}
    job = place(request).jobs.get(query.get("from", ""))
    if job is not None and (job.folder / FORM).is_file():
        kept: dict[str, Any] = json.loads((job.folder / FORM).read_text(encoding="utf-8"))
        values |= {name: [str(v) for v in given] for name, given in kept.items()}
    for key in query:
        if key.startswith(PREFIX):
            values[key.removeprefix(PREFIX)] = query.getlist(key)
    return values


def _instrument(request: Request) -> Instrument:
    name = request.url.path.split("/")[1]
    return next(one for one in INSTRUMENTS if one.name == name)


def _verb(request: Request) -> Verb:
    _, instrument, word = request.url.path.split("/")
    return verbs()[instrument, word]


routes: Final = (
    *(Route(f"/{one.name}", show_instrument) for one in INSTRUMENTS),
    *(
        route
        for verb in verbs().values()
        for route in (Route(verb.address, show_form), Route(verb.address, run, methods=["POST"]))
    ),
)

"""The application: one factory, nothing at import."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module, resources
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from isoflop.errors import IsoflopError
from isoflop.serve.jobs import Jobs
from isoflop.serve.look import stylesheet
from isoflop.serve.page import Place, render
from isoflop.serve.security import HEADERS, Doors
from isoflop.serve.settings import Settings
from isoflop.serve.uploads import Uploads

PAGES: Final = ("home", "data_pages", "verb_pages", "job_pages", "report_pages", "plan", "playground")
"""Modules below `serve` with a tuple ``routes``, in order of matching."""
STATIC: Final = {
    "app.css": "text/css",
    "app.js": "text/javascript",
    "pages.css": "text/css",
    "pages.js": "text/javascript",
}
WHAT_TO_DO: Final = {
    400: "Go back, correct what it names, and send the form again.",
    403: "Go back, reload the page, and send the form again.",
    404: "Check the address, or start from the home page. A deleted job and its results are gone.",
    405: "Go back and use the page's own buttons.",
    413: "Go back and choose a smaller file.",
    421: "Use the address that the terminal shows.",
    500: "The terminal that runs isoflop serve shows where it happened. Other pages still work.",
}
TITLES: Final = {
    400: "This cannot be done as asked",
    403: "This step was refused",
    404: "There is no such page",
    405: "This page takes no such step",
    413: "The upload is too large",
    421: "Wrong address",
    500: "Something went wrong here",
}


def create_app(*, folder: Path, evidence: str | None = None, settings: Settings | None = None) -> Starlette:
    """Return the application as ASGI.

    Parameters
    ----------
    folder : Path
        Where uploads, jobs and reports are kept; made where absent.
    evidence : str, optional
        Folder of tables, or ``embedded``; default: as every command.
    settings : Settings, optional

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     app = create_app(folder=Path(folder))
    >>> app.state.place.jobs.all()
    ()
    """
    allowed = settings or Settings()
    shared = Place(
        jobs=Jobs(folder / "jobs", allowed),
        settings=allowed,
        uploads=Uploads(folder / "uploads"),
        evidence=evidence,
    )

    @asynccontextmanager
    async def life(_app: Starlette) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(shared.jobs.close)

    app = Starlette(
        routes=_routes(),
        middleware=[Middleware(Doors, settings=allowed, refuse=_refusal)],
        exception_handlers={HTTPException: _http_error, IsoflopError: _refused, Exception: _fault},
        lifespan=life,
    )
    app.state.place = shared
    return app


def _routes() -> list[BaseRoute]:
    found: list[BaseRoute] = [
        Route("/static/theme.css", _theme),
        Route("/static/{name}", _static),
    ]
    for name in PAGES:
        found += import_module(f"isoflop.serve.{name}").routes
    return found


async def _theme(_request: Request) -> Response:
    return Response(stylesheet(), media_type="text/css", headers={"cache-control": "max-age=300"})


async def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in STATIC:
        raise HTTPException(404)
    content = resources.files("isoflop.serve").joinpath("static", name).read_bytes()
    return Response(content, media_type=STATIC[name], headers={"cache-control": "max-age=300"})


def _refusal(request: Request, status: int, message: str) -> Response:
    return render(
        request,
        "error.html.j2",
        status=status,
        title=TITLES.get(status, "This cannot be done"),
        message=message,
        todo=WHAT_TO_DO.get(status, "Go back and try again."),
    )


async def _http_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    said = error.detail if error.detail not in ("Not Found", "Method Not Allowed") else ""
    return _refusal(request, error.status_code, said or f"{request.method} {request.url.path}")


async def _refused(request: Request, error: Exception) -> Response:
    return _refusal(request, 400, str(error))


async def _fault(request: Request, error: Exception) -> Response:
    answer = _refusal(request, 500, f"{type(error).__name__} on {request.url.path}")
    # Faults are answered outside the doors, which would have added these.
    answer.headers.update(HEADERS)
    return answer

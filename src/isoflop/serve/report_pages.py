"""Reports: make one, read the newest, and those before it."""

from __future__ import annotations

from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route

from isoflop.report.instruments import INSTRUMENTS
from isoflop.serve.job_pages import job_of
from isoflop.serve.newest import newest_report, report_page, reports
from isoflop.serve.page import place, render
from isoflop.serve.security import form

POLICY: Final = (
    "sandbox allow-scripts allow-downloads allow-popups allow-modals; default-src 'none'; "
    "script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; frame-ancestors 'self'"
)
"""A report brings a narrower policy of its own, by digests; the sandbox keeps it from these pages."""


def show_reports(request: Request) -> Response:
    """Show the newest report, the way to a new one, and the earlier ones."""
    here = place(request)
    made = reports(here.jobs)
    return render(
        request,
        "report.html.j2",
        newest=newest_report(request),
        making=next((job for job in made if not job.is_over), None),
        reports=made,
        instruments=INSTRUMENTS,
        evidence=here.at_hand.library.describe(),
    )


def make_report(request: Request) -> Response:
    """Start a report, and show how far it is."""
    sent, here = form(request), place(request)
    words = ["report", "--out", "report"]
    words += ["--evidence", here.evidence] if here.evidence else []
    known = {instrument.name for instrument in INSTRUMENTS}
    only = [str(name) for name in sent.getlist("only") if name in known]
    words += [word for name in only if len(only) < len(known) for word in ("--only", name)]
    words += ["--quick"] if sent.get("quick") else []
    job = here.jobs.start(words, title="report" + (f" on {', '.join(only)}" if only else ""))
    return RedirectResponse(f"/jobs/{job.id}", status_code=303)


def read_report(request: Request) -> Response:
    """Return a report's page as it was written."""
    page = report_page(job_of(request))
    if not page.is_file():
        raise HTTPException(404, "This job has made no report.")
    return FileResponse(
        page,
        media_type="text/html",
        headers={"content-security-policy": POLICY, "x-frame-options": "SAMEORIGIN"},
    )


routes: Final = (
    Route("/report", show_reports),
    Route("/report", make_report, methods=["POST"]),
    Route("/report/{job}", read_report),
)

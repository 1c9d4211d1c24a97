"""The list of jobs, and the page of each: how far it is, what it gave, what it said."""

from __future__ import annotations

import json
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route

from isoflop.errors import EvidenceError
from isoflop.serve.at_hand import UPLOAD
from isoflop.serve.job import PRINTED, Job
from isoflop.serve.newest import REPORT, report_page
from isoflop.serve.page import place, render
from isoflop.serve.results import csv_text, result
from isoflop.serve.uploads import Upload, Uploads
from isoflop.serve.verb_pages import FORM
from isoflop.serve.verbs import OUTPUTS, Verb, verbs


def job_of(request: Request) -> Job:
    """Return the job that a path names.

    Raises
    ------
    HTTPException
        404: there is none.
    """
    job = place(request).jobs.get(request.path_params["job"])
    if job is None:
        raise HTTPException(404, "There is no such job. It may have been deleted.")
    return job


def list_jobs(request: Request) -> Response:
    """List every job, the newest first."""
    here = place(request)
    return render(request, "jobs.html.j2", jobs=[(job, here.jobs.place(job.id)) for job in here.jobs.all()])


def show_job(request: Request) -> Response:
    """Show one job: what it does, or what it gave."""
    job, here = job_of(request), place(request)
    verb = _verb(job)
    found, message = None, ""
    if job.state == "done" and job.verb != REPORT:
        try:
            found = result(job, rows=here.settings.rows_shown)
        except EvidenceError as error:
            message = str(error)
    return render(
        request,
        "job.html.j2",
        job=job,
        verb=verb,
        waiting=here.jobs.place(job.id),
        result=found,
        message=message,
        report=job.verb == REPORT and report_page(job).is_file(),
        again=verb is not None and (job.folder / FORM).is_file(),
        outputs=_outputs(job),
        sent=_sent(job, here.uploads),
        next_steps=_next_steps(job),
    )


def show_progress(request: Request) -> Response:
    """Return the part of a job's page that changes while it runs."""
    job = job_of(request)
    answer = render(request, "progress.html.j2", job=job, waiting=place(request).jobs.place(job.id))
    answer.headers["x-job-state"] = job.state
    return answer


def cancel(request: Request) -> Response:
    """End a job, and show it."""
    job = job_of(request)
    place(request).jobs.cancel(job.id)
    return RedirectResponse(f"/jobs/{job.id}", status_code=303)


def delete(request: Request) -> Response:
    """Remove a job with its folder, and show the list."""
    place(request).jobs.delete(job_of(request).id)
    return RedirectResponse("/jobs", status_code=303)


def download_table(request: Request) -> Response:
    """Return one table of a job's document, whole, as CSV or JSON."""
    job, name, kind = job_of(request), request.path_params["name"], request.path_params["kind"]
    tables: dict[str, list[dict[str, Any]]] = job.document().get("tables", {})
    if name not in tables or kind not in ("csv", "json"):
        raise HTTPException(404, f"This job has no table {name[:60]!r} as {kind[:10]}.")
    rows = tables[name]
    text = csv_text(rows) if kind == "csv" else json.dumps(rows, ensure_ascii=False, indent=1) + "\n"
    media = "text/csv" if kind == "csv" else "application/json"
    # Names of tables are those of the document: letters, digits, dots and underscores.
    return Response(text, media_type=media, headers=_attached(f"{name}.{kind}"))


def download_file(request: Request) -> Response:
    """Return a file that a job left, for saving."""
    job, name = job_of(request), request.path_params["name"]
    if name not in {path.name for path in job.files("*")}:
        raise HTTPException(404, f"This job left no file {name[:60]!r}.")
    return FileResponse(job.folder / name, headers=_attached(name), media_type="application/octet-stream")


def _attached(name: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{name.encode("ascii", "replace").decode()}"'}


def _verb(job: Job) -> Verb | None:
    return verbs().get((job.verb[0], job.verb[1])) if len(job.verb) == 2 else None


def _outputs(job: Job) -> list[tuple[str, bool]]:
    """Return what a job made beside its document: names, and whether each is a file."""
    if job.state != "done":
        return []
    named = OUTPUTS.get((job.verb[0], job.verb[1]), {}).values() if len(job.verb) == 2 else ()
    made = [job.folder / name for name in named]
    files = [*job.files("picture*.svg"), *job.files(PRINTED), *(path for path in made if path.exists())]
    return [(path.name, path.is_file()) for path in files]


def _sent(job: Job, uploads: Uploads) -> list[Upload]:
    """Return the uploads that a job's form chose and that are still here."""
    if not (job.folder / FORM).is_file():
        return []
    filled: dict[str, list[str]] = json.loads((job.folder / FORM).read_text(encoding="utf-8"))
    chosen = [
        value.removeprefix(UPLOAD) for given in filled.values() for value in given if value.startswith(UPLOAD)
    ]
    return [found for name in chosen if (found := uploads.get(name)) is not None]


def _next_steps(job: Job) -> list[tuple[str, str]]:
    """Return where a job's result can be taken: words, and the address."""
    if job.state != "done":
        return []
    made = f"made:{job.id}/"
    steps = {
        ("routing", "fit"): [
            ("ask the router about a prompt", f"/routing/explain?o.source={made}router.npz"),
            ("add a model to it", f"/routing/add-model?o.source={made}router.npz"),
        ],
        ("portability", "sample"): [
            ("count the sample's shares", f"/portability/shares?o.sample={made}sample.json")
        ],
        ("portability", "run"): [("count its shares", f"/portability/shares?o.results={made}run")],
        ("scaling", "fit"): [("plan a budget under this law", f"/plan?from={job.id}")],
        ("scaling", "frontier"): [("plan a budget under this law", f"/plan?from={job.id}")],
    }
    return steps.get((job.verb[0], job.verb[1]), []) if len(job.verb) == 2 else []


routes: Final = (
    Route("/jobs", list_jobs),
    Route("/jobs/{job}", show_job),
    Route("/jobs/{job}/progress", show_progress),
    Route("/jobs/{job}/cancel", cancel, methods=["POST"]),
    Route("/jobs/{job}/delete", delete, methods=["POST"]),
    Route("/jobs/{job}/tables/{name}.{kind}", download_table),
    Route("/jobs/{job}/files/{name}", download_file),
)

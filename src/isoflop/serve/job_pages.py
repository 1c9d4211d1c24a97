"""The list of jobs, and the page of each: how far it is, what it gave, what it said."""

from __future__ import annotations

from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from isoflop.serve.job import Job
from isoflop.serve.page import place, render


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
    jobs = place(request).jobs
    return render(request, "jobs.html.j2", jobs=[(job, jobs.place(job.id)) for job in jobs.all()])


def show_job(request: Request) -> Response:
    """Show one job."""
    job = job_of(request)
    return render(request, "job.html.j2", job=job, waiting=place(request).jobs.place(job.id))


def show_progress(request: Request) -> Response:
    """Return the part of a job's page that changes while it runs."""
    job = job_of(request)
    return render(request, "progress.html.j2", job=job, waiting=place(request).jobs.place(job.id))


def cancel(request: Request) -> Response:
    """End a job, and show it."""
    job = job_of(request)
    place(request).jobs.cancel(job.id)
    return RedirectResponse(f"/jobs/{job.id}", status_code=303)


def delete(request: Request) -> Response:
    """Remove a job with its folder, and show the list."""
    place(request).jobs.delete(job_of(request).id)
    return RedirectResponse("/jobs", status_code=303)


routes: Final = (
    Route("/jobs", list_jobs),
    Route("/jobs/{job}", show_job),
    Route("/jobs/{job}/progress", show_progress),
    Route("/jobs/{job}/cancel", cancel, methods=["POST"]),
    Route("/jobs/{job}/delete", delete, methods=["POST"]),
)

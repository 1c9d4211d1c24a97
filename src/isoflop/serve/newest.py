"""What the newest finished report of the folder says."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from starlette.requests import Request

from isoflop.errors import EvidenceError
from isoflop.findings import Finding
from isoflop.serve.job import Job
from isoflop.serve.jobs import Jobs
from isoflop.serve.page import place

REPORT = ("report",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Newest:
    """The newest report: the job that made it, its findings, and the evidence it ran on."""

    job: Job
    findings: tuple[Finding, ...]
    evidence: str


def findings(request: Request) -> tuple[Finding, ...]:
    """Return the findings of the newest finished report of this folder; none before the first."""
    newest = newest_report(request)
    return newest.findings if newest else ()


def newest_report(request: Request) -> Newest | None:
    """Return the newest finished report of this folder, or None."""
    for job in reports(place(request).jobs):
        if job.state == "done":
            page = job.folder / "report" / "findings.json"
            if page.is_file():
                return _read(job, page.stat().st_mtime_ns)
    return None


def reports(jobs: Jobs) -> tuple[Job, ...]:
    """Return every job that makes a report, the newest first."""
    return tuple(job for job in jobs.all() if job.verb == REPORT)


@lru_cache(maxsize=4)
def _read(job: Job, _written: int) -> Newest | None:
    try:
        document = job.document()
    except EvidenceError:
        return None
    found = tuple(Finding.from_dict(entry) for entry in document["findings"])
    names = dict.fromkeys(p.name for f in found for p in f.evidence)
    kinds = dict.fromkeys(p.kind for f in found for p in f.evidence)
    return Newest(job=job, findings=found, evidence=f"{', '.join(names)} ({', '.join(kinds)})")


def report_page(job: Job) -> Path:
    """Return where a report's page lies."""
    return job.folder / "report" / "index.html"

"""Speed of `divide`: tables of systems, specifications and audits, names of organisations, OpenAlex."""

from benchmarks.divide import affiliations, audit, models, openalex
from benchmarks.harness import Job

JOBS: tuple[Job, ...] = (*models.JOBS, *audit.JOBS, *affiliations.JOBS, *openalex.JOBS)

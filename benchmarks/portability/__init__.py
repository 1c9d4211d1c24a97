"""Speed of `portability`: what a task costs in a warm worker, and how fast code is scanned."""

from benchmarks.harness import Job, Trial
from benchmarks.portability import engine, scan

JOBS: tuple[Job | Trial, ...] = (*engine.JOBS, *scan.JOBS)

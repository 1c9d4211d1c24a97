"""Speed of `routing`: nested evaluation, decisions, cost measures, and the gateway on the loopback."""

from benchmarks.harness import Job, Trial
from benchmarks.routing import cost, decision, gateway, lodo

JOBS: tuple[Job | Trial, ...] = (*lodo.JOBS, *decision.JOBS, *cost.JOBS, *gateway.JOBS)

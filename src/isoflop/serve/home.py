"""The home page: the questions, and what the newest report answers."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from isoflop.findings import Finding
from isoflop.report.instruments import INSTRUMENTS
from isoflop.serve.newest import findings, newest_report, reports
from isoflop.serve.page import place, render

HEADLINES: Final = {
    "scaling": ("scaling.frontier_exponent_a", "scaling.optimal_tokens_per_param"),
    "progress": ("progress.halving_time_months", "progress.compute_share"),
    "divide": ("divide.gap_oom", "divide.academia_share_last"),
    "routing": ("routing.selector_score", "routing.best_on_average_score"),
    "portability": ("portability.failure_share", "portability.slowdown_median"),
    "outlook": (
        "outlook.academic_lag_years",
        "outlook.portability_tax_months",
        "outlook.routing_gain_months",
    ),
}
"""The findings shown on an instrument's card."""


def home(request: Request) -> Response:
    """Show the five instruments with their current answers."""
    cards = [(instrument, headline(request, instrument.name)) for instrument in INSTRUMENTS]
    here = place(request)
    return render(
        request,
        "home.html.j2",
        cards=cards,
        outlook=headline(request, "outlook"),
        newest=newest_report(request),
        making=next((job for job in reports(here.jobs) if not job.is_over), None),
    )


def headline(request: Request, instrument: str) -> tuple[Finding, ...]:
    """Return the findings of the newest report that stand for an instrument."""
    known = {finding.id: finding for finding in findings(request)}
    return tuple(known[name] for name in HEADLINES[instrument] if name in known)


routes: Final = (Route("/", home),)

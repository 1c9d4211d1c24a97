"""The home page: the questions, and what the newest report answers."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from isoflop.report.instruments import INSTRUMENTS
from isoflop.serve.newest import newest_report
from isoflop.serve.page import render

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
    newest = newest_report(request)
    known = {finding.id: finding for finding in newest.findings} if newest else {}
    cards = [
        {
            "name": instrument.name,
            "question": instrument.question,
            "findings": [known[name] for name in HEADLINES[instrument.name] if name in known],
        }
        for instrument in INSTRUMENTS
    ]
    outlook = [known[name] for name in HEADLINES["outlook"] if name in known]
    return render(request, "home.html.j2", cards=cards, outlook=outlook, newest=newest)


routes: Final = (Route("/", home),)

"""Plan: what a budget reaches under the law of a report, or of a fit of one's own runs, and until when."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from isoflop.errors import IsoflopError
from isoflop.findings import Finding
from isoflop.outlook import Assumptions, Budget, Reach, Target, reach
from isoflop.present import image
from isoflop.report.still import still
from isoflop.serve.job import Job
from isoflop.serve.newest import findings
from isoflop.serve.page import place, render

LAW: Final = "scaling.frontier_exponent_a"
FITS: Final = (("scaling", "fit"), ("scaling", "frontier"))
SLIDER_DECADES: Final = 5.0
"""The slider reaches so many powers of ten beyond the largest run of the law."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """Where the slider begins, ends and stands: powers of ten of FLOP."""

    low: float
    high: float
    at: float


def show_plan(request: Request) -> Response:
    """Answer a budget, and a target where one is given; the address holds every setting."""
    query = request.query_params
    fits = [job for job in place(request).jobs.all() if job.state == "done" and job.verb in FITS]
    chosen = next((job for job in fits if job.id == query.get("from")), None)
    known = _known(request, chosen)
    ends = _ends(known, query.get("decade", ""))
    budget = query.get("budget", "").strip() or (f"{10**ends.at:.6g}FLOP" if ends else "")
    found, message = None, ""
    if ends is not None:
        try:
            found = reach(
                known,
                budget=Budget.parse(budget),
                target=Target.parse(query["target"].strip()) if query.get("target", "").strip() else None,
                assumptions=_assumptions(query.get("usd_per_flop", ""), query.get("most_decades", "")),
            )
        except (IsoflopError, ValueError) as error:
            message = str(error)
    return render(
        request,
        "plan.html.j2",
        status=400 if message else 200,
        fits=fits,
        chosen=chosen,
        ends=ends,
        query=query,
        found=found,
        answers=found.findings() if found else (),
        message=message,
        picture=_picture(found) if found else "",
        defaults=Assumptions(),
        command=_command(chosen, budget, query) if found else "",
    )


def _known(request: Request, fit: Job | None) -> tuple[Finding, ...]:
    """Return the report's findings, with those of a fit in place of its own."""
    base = findings(request)
    if fit is None:
        return base
    own = tuple(Finding.from_dict(entry) for entry in fit.document()["findings"])
    named = {one.id for one in own}
    return (*own, *(one for one in base if one.id not in named))


def _ends(known: Sequence[Finding], decade: str) -> Ends | None:
    law = next((one for one in known if one.id == LAW), None)
    span = law.details.get("data_flop") if law else None
    if not span:
        return None
    low, high = math.floor(math.log10(span[0])), math.ceil(math.log10(span[1]) + SLIDER_DECADES)
    try:
        at = float(decade)
    except ValueError:
        at = round(math.log10(span[1]) + 1.0, 1)
    return Ends(low=low, high=high, at=min(max(at, low), high))


def _assumptions(usd_per_flop: str, most_decades: str) -> Assumptions:
    base = Assumptions()
    return Assumptions(
        usd_per_flop=float(usd_per_flop) if usd_per_flop.strip() else base.usd_per_flop,
        most_decades=float(most_decades) if most_decades.strip() else base.most_decades,
    )


def _command(fit: Job | None, budget: str, query: Mapping[str, str]) -> str:
    """Return the command lines that repeat the plan."""
    given = {"--target": "target", "--usd-per-flop": "usd_per_flop", "--decades": "most_decades"}
    settings = [
        w for option, name in given.items() if query.get(name, "").strip() for w in (option, query[name])
    ]
    documents = ["report/findings.json", *(["fit.json"] if fit else [])]
    plan = shlex.join(["isoflop", "outlook", *documents, "--budget", budget, *settings])
    return f"{fit.command} > fit.json\n{plan}" if fit else plan


def _picture(found: Reach) -> str:
    """Return the loss over budgets as a picture for the page; empty where no law gives one."""
    from isoflop.outlook.figures.reach import loss, loss_data
    from isoflop.present.chapter import Figure

    if found.law is None or not found.curve_rows():
        return ""
    figure = Figure(
        id="loss",
        title="The least loss that a budget reaches",
        subtitle="Loss over training compute; broken beyond the runs.",
        frame=loss_data([found]),
        chart=lambda: loss([found]),
        alt="Loss falls with training compute towards its floor.",
        source="the law of the chosen fit",
        n=None,
        interval="Bands are 95 % intervals.",
    )
    return still(image.to_svg(image.specification(figure)), prefix="plan")


routes: Final = (Route("/plan", show_plan),)

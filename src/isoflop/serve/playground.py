"""Playground: which model a prompt would go to, and everything that spoke for it."""

from __future__ import annotations

import shlex
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from isoflop.errors import IsoflopError
from isoflop.present import formats
from isoflop.serve.job import Job
from isoflop.serve.page import place, render

if TYPE_CHECKING:
    from isoflop.routing.router.decision import Decision
    from isoflop.routing.router.router import Router

FIT: Final = ("routing", "fit")
FITTED: Final = "router.npz"
MOST_CHARACTERS: Final = 20_000
"""A longer prompt is refused: the page is for trying, the command line for files."""
SHOWN_NEIGHBOURS: Final = 8
_FITTING = Lock()


def show_playground(request: Request) -> Response:
    """Answer a prompt; the address holds it. A plain function, so that the fit runs off the event loop."""
    text = request.query_params.get("prompt", "").strip()
    fits = [job for job in place(request).jobs.all() if job.state == "done" and job.verb == FIT]
    fits = [job for job in fits if job.files(FITTED)]
    chosen = next((job for job in fits if job.id == request.query_params.get("from")), None)
    decision, message = None, ""
    if len(text) > MOST_CHARACTERS:
        message = (
            f"prompt: {formats.count(len(text))} characters, at most {formats.count(MOST_CHARACTERS)}. "
            "Shorten it, or use isoflop routing explain."
        )
    elif text:
        try:
            decision = _router(chosen).decide(text, explain=True)
        except IsoflopError as error:
            message = str(error)
    return render(
        request,
        "route.html.j2",
        status=400 if message else 200,
        fits=fits,
        chosen=chosen,
        prompt=text,
        message=message,
        decision=decision,
        models=model_rows(decision) if decision else [],
        neighbours=neighbour_rows(decision) if decision else [],
        shares=share_rows(decision) if decision else [],
        gain=gain_text(decision) if decision else "",
        command=_command(chosen, text),
    )


def model_rows(decision: Decision) -> list[tuple[str, ...]]:
    """Return model, expected score, and expected cost of a call, best first."""
    return [
        (
            model,
            formats.number(decision.score[model]),
            f"{formats.number(decision.expected_cost_usd[model])} USD"
            if model in decision.expected_cost_usd
            else "–",
        )
        for model in decision.order
    ]


def neighbour_rows(decision: Decision) -> list[tuple[str, ...]]:
    """Return benchmark, similarity and text of the scored prompts nearest to the one asked."""
    return [
        (one.dataset, formats.number(one.similarity), one.text)
        for one in decision.neighbours[:SHOWN_NEIGHBOURS]
    ]


def share_rows(decision: Decision) -> list[tuple[str, ...]]:
    """Return each benchmark's share of the neighbours."""
    return [(name, formats.percent(share)) for name, share in decision.dataset_shares.items()]


def gain_text(decision: Decision) -> str:
    """Return the gain expected over the best model on average, in words."""
    if decision.gain is None:
        return ""
    value, low, high = (formats.difference(part) for part in decision.gain)
    return f"{value} ({low} to {high}) over the model that is best on average"


def _router(fit: Job | None) -> Router:
    with _FITTING:
        return _fitted(fit.files(FITTED)[0]) if fit else _shipped()


@lru_cache(maxsize=1)
def _shipped() -> Router:
    from isoflop import evidence, routing

    scored = routing.join(evidence.load("measured_model_scores"), evidence.load("measured_prompts"))
    return routing.fit_router(scored, encoder="hashed", traffic="same_tasks")


@lru_cache(maxsize=4)
def _fitted(path: Path) -> Router:
    from isoflop.routing import load_router

    return load_router(path)


def _command(fit: Job | None, text: str) -> str:
    made = (
        fit.command if fit else "isoflop routing fit --encoder hashed --traffic same_tasks --out router.npz"
    )
    return f"{made}\n{shlex.join(['isoflop', 'routing', 'explain', '--router', FITTED, text])}"


routes: Final = (Route("/route", show_playground),)

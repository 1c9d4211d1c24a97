"""The routing playground: a decision with all that spoke for it, and a prompt that is never markup."""

from __future__ import annotations

import html

import pytest

from isoflop import evidence, routing
from isoflop.serve.playground import MOST_CHARACTERS


@pytest.fixture(scope="module")
def decision():
    scored = routing.join(evidence.load("measured_model_scores"), evidence.load("measured_prompts"))
    router = routing.fit_router(scored, encoder="hashed", traffic="same_tasks")
    return router.decide("What is 17 plus 25?", explain=True)


def test_the_page_shows_the_decision_of_the_router_and_its_neighbours(visitor, decision):
    page = html.unescape(visitor.get("/route?prompt=What+is+17+plus+25%3F").text)
    assert f"It goes to {decision.choice}" in page
    assert decision.why in page
    assert [page.index(f"<td>{model}</td>") for model in decision.order] == sorted(
        page.index(f"<td>{model}</td>") for model in decision.order
    )
    assert decision.neighbours[0].text in page
    assert "isoflop routing explain --router router.npz 'What is 17 plus 25?'" in page


def test_without_a_prompt_there_is_a_form_and_no_decision(visitor):
    page = visitor.get("/route").text
    assert 'name="prompt"' in page
    assert "It goes to" not in page


def test_markup_in_a_prompt_is_shown_as_text(visitor):
    page = visitor.get("/route", params={"prompt": "<script>alert(1)</script>"}).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_prompt_that_is_too_long_is_refused_with_what_to_do(visitor):
    answer = visitor.get("/route", params={"prompt": "a" * (MOST_CHARACTERS + 1)})
    assert answer.status_code == 400
    assert "isoflop routing explain" in answer.text

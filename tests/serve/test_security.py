"""The doors: by which name, from where, with which token, how large; and what a page may load."""

from __future__ import annotations

import re

import pytest
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.testclient import TestClient

from isoflop.serve import Settings
from isoflop.serve.security import check_host

ADDRESS = "http://127.0.0.1:8050"


def posting_routes(visitor):
    routes = [r for r in visitor.client.app.routes if isinstance(r, Route) and "POST" in r.methods]
    return [re.sub(r"{\w+}", "20260101-000000-00000000", route.path) for route in routes]


def test_no_step_is_taken_without_the_token_of_a_page(visitor):
    visitor.get("/")
    paths = posting_routes(visitor)
    assert len(paths) > 60
    for path in paths:
        for fields in ({}, {"csrf": "0" * 64}, {"csrf": "ü"}):
            assert visitor.client.post(path, data=fields).status_code == 403, path
    assert visitor.jobs.all() == ()


def test_a_token_of_another_session_does_not_do(visitor):
    token = visitor.token()
    visitor.client.cookies.clear()
    visitor.get("/")
    assert visitor.client.post("/report", data={"csrf": token}).status_code == 403


def test_a_planted_session_does_not_give_a_token(visitor):
    """A page at another port of this computer can set the cookie, but knows no token for it."""
    visitor.client.cookies.set("isoflop_session", "x" * 43)
    assert visitor.client.post("/report", data={"csrf": "x" * 64}).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://elsewhere.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_a_step_that_another_site_asks_for_is_refused(visitor, headers):
    answer = visitor.post("/jobs/20260101-000000-00000000/delete", headers=headers)
    assert answer.status_code == 403
    assert "Another site" in answer.text


def test_the_application_s_own_origin_may_ask(visitor):
    own = {"origin": ADDRESS, "sec-fetch-site": "same-origin"}
    assert visitor.post("/jobs/20260101-000000-00000000/delete", headers=own).status_code == 404


@pytest.mark.parametrize(
    "name", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.7", ""]
)
def test_a_name_rebound_to_the_loopback_is_refused(visitor, name):
    answer = visitor.get("/", headers={"host": name})
    assert answer.status_code == 421
    assert "does not answer" in answer.text


@pytest.mark.parametrize("name", ["localhost", "localhost:8050", "127.0.0.1:1", "[::1]:8050", "LOCALHOST"])
def test_the_loopback_s_own_names_are_answered(visitor, name):
    assert visitor.get("/", headers={"host": name}).status_code == 200


def test_served_to_others_it_answers_to_numbers_and_its_own_name_only():
    everywhere = Settings(host="0.0.0.0")
    check_host(Headers({"host": "192.168.1.9:8050"}), everywhere)
    check_host(Headers({"host": "lab.example:8050"}), Settings(host="lab.example"))
    with pytest.raises(HTTPException):
        check_host(Headers({"host": "evil.example"}), everywhere)


def test_a_request_above_the_limit_gets_a_page_that_says_so(visitor):
    for length in (True, False):
        body = b"x" * 1_500_000
        sent = body if length else iter([body[:700_000], body[700_000:]])
        answer = visitor.client.post(
            "/data", content=sent, headers={"content-type": "multipart/form-data; boundary=b"}
        )
        assert answer.status_code == 413
        assert "larger than 1 MB" in answer.text


def test_a_form_that_is_none_is_refused_with_a_page(visitor):
    answer = visitor.client.post(
        "/data", content=b"nonsense", headers={"content-type": "multipart/form-data"}
    )
    assert answer.status_code in (400, 403)
    assert "<h1>" in answer.text


def test_every_answer_carries_a_policy_that_allows_nothing_from_elsewhere(visitor):
    for path in ("/", "/data", "/static/app.css", "/nowhere", "/jobs"):
        headers = visitor.get(path).headers
        policy = dict(
            part.strip().partition(" ")[::2] for part in headers["content-security-policy"].split(";")
        )
        assert policy["default-src"] == "'none'"
        assert policy["frame-ancestors"] == "'none'"
        assert "unsafe" not in headers["content-security-policy"]
        assert "http" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_the_session_s_cookie_is_strict_and_hidden_from_scripts(visitor):
    visitor.client.cookies.clear()
    cookie = visitor.get("/").headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie


def test_a_fault_shows_a_page_and_no_inside(visitor, monkeypatch):
    def broken(_request):
        raise RuntimeError("secret of the inside")

    visitor.client.app.router.routes.insert(0, Route("/broken", broken))
    answer = TestClient(visitor.client.app, base_url=ADDRESS, raise_server_exceptions=False).get("/broken")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_pages_name_nothing_outside_themselves(visitor):
    for path in ("/", "/data", "/scaling", "/scaling/fit", "/jobs", "/report"):
        linked = re.findall(r'(?:src|href|action)="([^"]*)"', visitor.get(path).text)
        assert linked
        assert all(one.startswith(("/", "#", "data:,")) and not one.startswith("//") for one in linked)
        assert " style=" not in visitor.get(path).text
        assert not re.search(r"<script(?! src=)", visitor.get(path).text)

"""Who may ask, how much, and what never leaves the gateway."""

import asyncio
import json
import logging
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.errors import SettingError
from isoflop.routing.gateway.protocol import ProtocolError, shown
from isoflop.routing.gateway.run import Launch
from isoflop.routing.gateway.security import Guard, accepted_hosts
from tests.routing.gateway.made_gateway import PROVIDER, Client, Upstream, written

TOKEN = "tok-1234567890"
SECRET_PROMPT = "the launch code is 0000"


@pytest.fixture
def guarded(monkeypatch):
    monkeypatch.setenv("MADE_TOKEN", TOKEN)
    with Client(written(server={"token_env": "MADE_TOKEN"})) as client:
        yield client


@pytest.mark.parametrize(
    "sent", [{}, {"authorization": "Bearer wrong"}, {"authorization": TOKEN}, {"authorization": "Bearer "}]
)
def test_without_the_token_nothing_works_but_the_health_checks(guarded, sent):
    for path in ("/v1/models", "/metrics"):
        answer = guarded.get(path, **sent)
        assert (answer.status, answer.code) == (401, "invalid_token")
        assert TOKEN not in answer.body.decode()
    assert guarded.post("/route", {"text": "?"}, **sent).status == 401
    assert guarded.get("/healthz", **sent).status == guarded.get("/readyz", **sent).status == 200


def test_the_token_opens(guarded):
    assert guarded.get("/v1/models", authorization=f"Bearer {TOKEN}").status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8040", "127.0.0.1.evil.example", "", "169.254.1.1"]
)
def test_on_the_loopback_only_its_own_names_are_served(host):
    with Client() as client:
        assert (client.get("/v1/models", host=host).status, client.get("/healthz", host=host).status) == (
            403,
            403,
        )


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "[::1]:8040", "127.0.0.1", "gate.example:80"])
def test_names_of_the_loopback_and_those_allowed_are_served(host):
    with Client(written(server={"allowed_hosts": ["Gate.example"]})) as client:
        assert client.get("/v1/models", host=host).status == 200


def test_an_address_for_others_checks_names_only_where_some_were_given():
    assert accepted_hosts("0.0.0.0", ()) is None
    assert accepted_hosts("10.0.0.5", ("gate.example",)) == {"10.0.0.5", "gate.example"}


def test_pages_of_other_sites_are_not_served():
    with Client() as client:
        answer = client.post("/route", {"text": "?"}, origin="https://evil.example")
        assert (answer.status, answer.code) == (403, "origin_not_allowed")
        assert client.post("/route", {"text": "?"}, origin="null").status == 403
        assert client.post("/route", {"text": "?"}, origin="http://localhost:8040").status == 200
        assert not any(name.startswith("access-control") for name in answer.headers)


def test_a_body_over_the_limit_is_refused_by_its_header_or_its_bytes():
    with Client(written(server={"max_body_bytes": 2048})) as client:
        for headers in ({}, {"content_length": "10"}):
            answer = client.post("/route", {"text": "x" * 3000}, **headers)
            assert (answer.status, answer.code) == (413, "body_too_large")
            assert answer.headers["connection"] == "close"


def test_headers_over_the_limit_compressed_bodies_and_odd_lengths_are_refused():
    with Client() as client:
        assert client.get("/v1/models", x="y" * 33_000).status == 431
        assert client.post("/route", b"{}", content_encoding="gzip").status == 415
        switching = client.post("/route", b"{}", connection="Upgrade", upgrade="h2c")
        assert (switching.code, switching.headers["connection"]) == ("upgrade_not_supported", "close")
        assert client.post("/route", b"{}", content_length="-1").status == 400


def _arriving(app, messages, headers=()):
    async def scene():
        sent, left = [], list(messages)

        async def receive():
            if left:
                return left.pop(0)
            return await asyncio.Event().wait()

        async def send(message):
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": "/route"}
        await app({**scope, "headers": [(b"host", b"localhost"), *headers]}, receive, send)
        return sent

    return asyncio.run(scene())


def test_a_body_in_pieces_is_joined_bounded_and_must_arrive_in_time():
    pieces = [{"type": "http.request", "body": part, "more_body": True} for part in (b'{"te', b'xt": "?"')]
    end = {"type": "http.request", "body": b"}", "more_body": False}
    with Client(written(server={"max_body_bytes": 1024, "body_timeout_s": 0.02})) as client:
        assert _arriving(client.app, [*pieces, end])[0]["status"] == 200
        assert _arriving(client.app, pieces)[0]["status"] == 408
        large = {"type": "http.request", "body": b" " * 1000, "more_body": True}
        assert _arriving(client.app, [large, large])[0]["status"] == 413
        assert _arriving(client.app, [*pieces, {"type": "http.disconnect"}]) == []


def test_a_client_that_does_not_read_is_let_go():
    async def scene():
        client = Client(written(server={"write_timeout_s": 0.02}))
        body = json.dumps({"model": "small", "messages": [{"role": "user", "content": "?"}]}).encode()
        messages = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive():
            return messages.pop() if messages else await asyncio.Event().wait()

        async def send(message):
            if message["type"] == "http.response.body":
                await asyncio.Event().wait()

        scope = {"type": "http", "method": "POST", "path": "/v1/chat/completions"}
        await asyncio.wait_for(client.app({**scope, "headers": [(b"host", b"localhost")]}, receive, send), 2)
        assert (client.upstream.closed, client.app.in_flight) == (1, 0)
        await client.app.close()

    asyncio.run(scene())


def test_requests_beyond_the_cap_get_429_and_a_time_to_come_back():
    async def scene():
        upstream = Upstream(waits=asyncio.Event())
        client = Client(written(server={"max_concurrent": 1}), upstream=upstream)
        body = json.dumps({"model": "small", "messages": [{"role": "user", "content": "?"}]}).encode()
        first = asyncio.create_task(client.send("POST", "/v1/chat/completions", body))
        while not upstream.sent:
            await asyncio.sleep(0)
        second = await client.send("POST", "/v1/chat/completions", body)
        assert (second.status, second.code) == (429, "too_many_requests")
        assert second.headers["retry-after"] == "1"
        assert (await client.send("GET", "/healthz", b"")).status == 200
        upstream.waits.set()
        assert (await first).status == 200
        assert (await client.send("POST", "/v1/chat/completions", body)).status == 200
        await client.app.close()

    asyncio.run(scene())


def test_neither_prompt_nor_key_nor_token_is_in_logs_errors_or_metrics(monkeypatch, caplog):
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("MADE_TOKEN", TOKEN)
    monkeypatch.setenv("MADE_KEY", "sk-hidden")
    settings = written(server={"token_env": "MADE_TOKEN", "shadow_model": "small"})
    settings["provider"] = [PROVIDER | {"api_key_env": "MADE_KEY"}]
    with Client(settings) as client:
        bearer = {"authorization": f"Bearer {TOKEN}"}
        spoken = [
            client.post(
                "/v1/chat/completions",
                {"model": m, "messages": [{"role": "user", "content": SECRET_PROMPT}]},
                **bearer,
            )
            for m in ("auto", "nothing", "auto:none")
        ]
        spoken.append(client.post("/v1/chat/completions", f'{{"x": "{SECRET_PROMPT}'.encode(), **bearer))

        def breaks(*_args, **_rest):
            raise ValueError(SECRET_PROMPT)

        client.router.decide = breaks
        spoken.append(client.post("/route", {"text": SECRET_PROMPT}, **bearer))
        assert (spoken[-1].status, spoken[-1].code) == (500, "internal_error")
        spoken.append(client.get("/metrics", **bearer))
    written_down = caplog.text + "".join(answer.body.decode() + str(answer.headers) for answer in spoken)
    assert "ValueError at test_security.py" in caplog.text
    for hidden in (SECRET_PROMPT, "launch", "sk-hidden", TOKEN):
        assert hidden not in written_down


@given(st.text(max_size=300))
def test_a_name_in_a_message_is_short_printable_and_on_one_line(name):
    found = shown(name)
    assert len(found) <= 63
    assert found.isprintable()


@given(st.lists(st.tuples(st.binary(max_size=40), st.binary(max_size=40)), max_size=8))
def test_any_headers_are_read_or_refused(headers):
    guard = Guard(token="t", hosts=("localhost",), max_body_bytes=1000)
    with pytest.raises(ProtocolError):
        guard.read(headers)
    assert guard.read(
        [
            *(h for h in headers if h[0].startswith(b"x-")),
            (b"host", b"localhost"),
            (b"authorization", b"Bearer t"),
        ]
    )


# --------------------------------------------------------------------------- serve


@pytest.fixture
def launch(tmp_path):
    file = tmp_path / "gateway.toml"
    provider = '[[provider]]\nname = "p"\nbase_url = "http://127.0.0.1:9/v1"\n'
    file.write_text(provider + '[[model]]\nname = "m"\nprovider = "p"\n')
    return Launch(config_path=str(file))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "gate.example"])
def test_an_address_that_others_reach_needs_a_token_or_an_explicit_word(launch, host):
    with pytest.raises(SettingError, match="needs a token"):
        replace(launch, host=host).config()
    assert replace(launch, host=host, allow_unauthenticated=True).config().server.host == host
    assert launch.config().server.host == "127.0.0.1"

"""The clients people have, against a gateway that listens: the ``openai`` package, curl, raw sockets."""

import contextlib
import json
import shutil
import socket
import subprocess
import threading
import time

import openai
import pytest

from isoflop.routing.gateway import create_app, read_config
from isoflop.routing.gateway.run import uvicorn_options
from tests.routing.gateway.made_gateway import Told
from tests.routing.gateway.upstreams import COMPLETION, EVENTS, pieces, reply, split, upstream_thread

pytestmark = [pytest.mark.slow, pytest.mark.ci]

TOKEN = "tok-for-clients"
EMBEDDING = (
    b'{"object":"list","model":"up","data":[{"object":"embedding","index":0,"embedding":[0.5,-1.0]}],'
    b'"usage":{"prompt_tokens":1,"total_tokens":1}}'
)
MESSAGES = [{"role": "user", "content": "Where is the lake?"}]


@contextlib.contextmanager
def listening(settings, router=None):
    """Serve settings on a free port of the loopback; yields the address."""
    import uvicorn

    config = read_config(settings)
    app = create_app(config=config, router=router or Told())
    server = uvicorn.Server(uvicorn.Config(app, **(uvicorn_options(config) | {"port": 0})))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        deadline = time.monotonic() + 10
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)


def _settings(base_url, **sections):
    models = [
        {"name": "large", "provider": "up", "upstream_name": "large-v2"},
        {"name": "small", "provider": "up"},
        {"name": "embedder", "provider": "up", "endpoints": ["embeddings"]},
    ]
    return {"provider": [{"name": "up", "base_url": base_url}], "model": models, **sections}


@contextlib.contextmanager
def gateway(*answers, **server):
    """A gateway in front of a fake upstream that gives these answers; yields (address, what it saw)."""
    with upstream_thread(*answers) as seen, listening(_settings(seen.base_url, server=server)) as address:
        yield address, seen


def _client(address, key="unused"):
    return openai.OpenAI(base_url=f"{address}/v1", api_key=key, max_retries=0)


def test_the_official_client_gets_an_answer_and_the_upstream_its_own_name():
    with gateway(reply(COMPLETION)) as (address, seen), _client(address) as client:
        found = client.chat.completions.with_raw_response.create(
            model="auto", messages=MESSAGES, seed=2**53 + 1
        )
        assert found.headers["x-isoflop-model"] == "large"
        assert found.content == COMPLETION
        assert found.parse().choices[0].message.content == "Zürich 🙂"
    sent = json.loads(seen.requests[0].body)
    assert (sent["model"], sent["seed"]) == ("large-v2", 2**53 + 1)
    assert seen.requests[0].header(b"authorization") is None


def test_the_official_client_streams():
    with gateway(pieces(split(EVENTS, 7))) as (address, _seen), _client(address) as client:
        with client.chat.completions.create(model="auto", messages=MESSAGES, stream=True) as stream:
            words = [chunk.choices[0].delta.content for chunk in stream if chunk.choices]
        assert "".join(words) == "Zürich 🙂 is nice"


def test_the_official_client_lists_models_and_embeds():
    with gateway(reply(EMBEDDING)) as (address, seen), _client(address) as client:
        assert [model.id for model in client.models.list()][:2] == ["auto", "auto:quality"]
        assert client.models.retrieve("small").owned_by == "up"
        for _ in range(2):
            found = client.embeddings.create(model="embedder", input="lake", encoding_format="float")
            assert found.data[0].embedding == [0.5, -1.0]
        assert len(seen.requests) == 1


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ({"model": "gpt-x", "messages": MESSAGES}, openai.NotFoundError),
        ({"model": "auto", "messages": []}, openai.BadRequestError),
        ({"model": "auto", "messages": MESSAGES, "tools": [{"type": "function"}]}, openai.BadRequestError),
    ],
)
def test_the_official_client_raises_the_error_that_is_meant(call, error):
    with gateway(reply(COMPLETION)) as (address, seen), _client(address) as client:
        with pytest.raises(error) as raised:
            client.chat.completions.create(**call)
        assert raised.value.code in ("model_not_found", "invalid_messages", "no_model_available")
        assert not seen.requests


def test_the_official_client_shows_the_token_as_its_key(monkeypatch):
    monkeypatch.setenv("MADE_TOKEN", TOKEN)
    with gateway(reply(COMPLETION), token_env="MADE_TOKEN") as (address, seen):
        with _client(address, "wrong") as client, pytest.raises(openai.AuthenticationError):
            client.models.list()
        with _client(address, TOKEN) as client:
            client.chat.completions.create(model="small", messages=MESSAGES)
        assert TOKEN.encode() not in b"".join(value for _, value in seen.requests[0].headers)


curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


def _curl(*words):
    return subprocess.run(["curl", "-sS", "--max-time", "10", *words], capture_output=True, check=True).stdout


@curl
def test_curl_routes_streams_and_reads_the_metrics():
    with gateway(pieces(split(EVENTS, 7))) as (address, _seen):
        found = json.loads(_curl(f"{address}/route", "-d", json.dumps({"text": "Where?"})))
        assert (found["model"], found["runner_up"]) == ("large", "small")
        body = json.dumps({"model": "auto", "messages": MESSAGES, "stream": True})
        assert _curl("-N", f"{address}/v1/chat/completions", "-d", body) == EVENTS
        assert b'isoflop_decisions_total{model="large",reason="local"} 2.0' in _curl(f"{address}/metrics")


@curl
def test_curl_is_told_of_a_body_that_is_too_large(tmp_path):
    large = tmp_path / "body.json"
    large.write_bytes(b" " * 5_000_000)
    with gateway(reply(COMPLETION)) as (address, _seen):
        said = _curl("-w", "\n%{http_code}", f"{address}/route", "-T", str(large), "-X", "POST")
        body, _, status = said.rpartition(b"\n")
        assert (status, json.loads(body)["error"]["code"]) == (b"413", "body_too_large")


def _raw(address, sent, pause_s=0.0):
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        for part in sent:
            connection.sendall(part)
            time.sleep(pause_s)
        found = b""
        while part := connection.recv(65536):
            found += part
    return found


def test_slow_and_endless_headers_are_cut_off():
    with gateway(reply(COMPLETION), header_timeout_s=0.2) as (address, _seen):
        slow = _raw(address, [b"GET /healthz HTTP/1.1\r\n", b"host: local"], pause_s=0.05)
        assert slow.startswith(b"HTTP/1.1 408")
        assert b"header_timeout" in slow
        assert _raw(address, [b""]).startswith(b"HTTP/1.1 408")
        endless = _raw(address, [b"GET / HTTP/1.1\r\n", b"x: " + b"y" * 50_000])
        assert endless.startswith(b"HTTP/1.1 431")
        closing = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n" * 2
        last = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
        assert _raw(address, [closing, last]).count(b"alive") == 3

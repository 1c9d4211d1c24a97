"""The endpoint encoder against a server on the loopback that counts what it is asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isoflop.errors import SettingError, SourceError
from isoflop.routing.encoders import Endpoint, encode

ROUNDING = 1e-6
Answer = tuple[int, dict[str, str], bytes]


def vector_of(text: str, width: int = 5) -> list[float]:
    return [len(text) + 1.0, *(float(text.count(letter)) for letter in "aeiouyxyz"[: width - 1])]


class Fake:
    """A server of embeddings; `answers` are given first, one a request, then true ones."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.answers: list[Answer] = []
        self.turn: Callable[[list[dict[str, Any]]], Any] = lambda rows: {"data": rows[::-1]}
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
                fake.asked.append({**asked, "path": self.path})
                fake.keys.append(self.headers.get("authorization"))
                status, headers, body = fake.answers.pop(0) if fake.answers else (200, {}, fake.body(asked))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"

    def body(self, asked: dict[str, Any]) -> bytes:
        width = asked.get("dimensions", 5)
        rows = [{"index": i, "embedding": vector_of(t, width)} for i, t in enumerate(asked["input"])]
        return json.dumps(self.turn(rows)).encode()


@pytest.fixture
def fake() -> Iterator[Fake]:
    made = Fake()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


@pytest.fixture
def endpoint(fake: Fake, tmp_path: Path) -> Iterator[Endpoint]:
    made = Endpoint(fake.url, "small", cache=tmp_path / "kept" / "vectors.sqlite")
    yield made
    made.close()


def unit(texts: list[str], width: int = 5) -> np.ndarray:
    rows = np.array([vector_of(text, width) for text in texts])
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_vectors_come_in_the_order_of_the_texts_and_each_text_is_asked_for_once(
    fake: Fake, endpoint: Endpoint
) -> None:
    texts = [f"text {i % 70} {'aeiou'[i % 5]}" for i in range(140)]
    np.testing.assert_allclose(endpoint.encode(texts), unit(texts), atol=ROUNDING)
    assert [len(asked["input"]) for asked in fake.asked] == [64, 6]
    assert {asked["path"] for asked in fake.asked} == {"/v1/embeddings"}
    assert {asked["model"] for asked in fake.asked} == {"small"}
    before = len(fake.asked)
    np.testing.assert_array_equal(endpoint.encode(texts[:9]), endpoint.encode(texts)[:9])
    assert len(fake.asked) == before


def test_vectors_are_kept_between_runs_by_address_model_and_text(fake: Fake, tmp_path: Path) -> None:
    file = tmp_path / "vectors.sqlite"
    for model, asked in (("small", 1), ("small", 1), ("large", 2)):
        tool = Endpoint(fake.url, model, dimensions=5, cache=file)
        made = encode(["one", "two"], tool)
        np.testing.assert_allclose(made.vectors, unit(["one", "two"]), atol=ROUNDING)
        assert len(fake.asked) == asked
        tool.close()
    assert b"two" not in file.read_bytes()


def test_a_text_of_live_traffic_is_not_kept(fake: Fake, endpoint: Endpoint) -> None:
    endpoint.encode(["bank"])
    before = len(fake.asked)
    for text, asked in (("bank", 0), ("live", 1), ("live", 2)):
        np.testing.assert_allclose(endpoint.encode_one(text), unit([text])[0], atol=ROUNDING)
        assert len(fake.asked) == before + asked


def test_the_width_is_asked_for_once_or_said(fake: Fake, endpoint: Endpoint, tmp_path: Path) -> None:
    assert (endpoint.width, endpoint.width, len(fake.asked)) == (5, 5, 1)
    narrow = Endpoint(f"{fake.url}/embeddings/", "small", dimensions=3, cache=tmp_path / "other.sqlite")
    assert narrow.width == 3
    assert narrow.encode([]).shape == (0, 3)
    assert len(fake.asked) == 1
    np.testing.assert_allclose(narrow.encode(["aaa"]), unit(["aaa"], 3), atol=ROUNDING)
    assert fake.asked[-1]["dimensions"] == 3
    assert narrow.id != endpoint.id
    assert str(narrow.id).startswith("endpoint-3@")
    narrow.close()


def test_long_and_broken_texts_reach_the_server_short_and_readable(fake: Fake, endpoint: Endpoint) -> None:
    endpoint.encode(["a" * 2000 + "b" * 9000 + "c" * 1000, "\ud800"])
    assert fake.asked[-1]["input"] == ["a" * 2000 + "\n" + "c" * 1000, "?"]


def test_the_key_comes_from_the_environment_and_is_in_no_message(
    fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = Endpoint(fake.url, "small", "MY_KEY", cache=tmp_path / "vectors.sqlite")
    monkeypatch.delenv("MY_KEY", raising=False)
    with pytest.raises(SettingError, match="MY_KEY is empty"):
        tool.encode(["a"])
    monkeypatch.setenv("MY_KEY", "sesame-open")
    tool.encode(["a"])
    assert set(fake.keys) == {"Bearer sesame-open"}
    fake.answers = [(401, {}, b'{"error": "bad key sesame-open"}')]
    with pytest.raises(SourceError, match="status 401") as caught:
        tool.encode(["b"])
    assert "sesame" not in str(caught.value)
    tool.close()


def test_trouble_that_may_pass_is_tried_again_as_the_server_says(fake: Fake, endpoint: Endpoint) -> None:
    fake.answers = [(429, {"retry-after": "0"}, b""), (503, {"retry-after": "0"}, b"")]
    np.testing.assert_allclose(endpoint.encode(["late"]), unit(["late"]), atol=ROUNDING)
    fake.answers = [(500, {"retry-after": "0"}, b"")] * 3
    with pytest.raises(SourceError, match="status 500"):
        endpoint.encode(["never"])
    assert not fake.answers


@pytest.mark.parametrize("status", [301, 400, 404])
def test_other_answers_are_final(fake: Fake, endpoint: Endpoint, status: int) -> None:
    fake.answers = [(status, {"location": "http://127.0.0.1:9/"}, b"")]
    with pytest.raises(SourceError, match=f"status {status}"):
        endpoint.encode(["a"])
    assert len(fake.asked) == 1


@pytest.mark.parametrize(
    "turn",
    [
        lambda _: {"no": "data"},
        lambda _: [1, 2],
        lambda rows: {"data": rows[:1]},
        lambda rows: {"data": [{"index": "x", "embedding": []} for _ in rows]},
        lambda rows: {"data": [{**row, "embedding": "AAAA"} for row in rows]},
        lambda rows: {"data": [{**row, "embedding": [0.0] * 5} for row in rows]},
        lambda rows: {"data": [{**row, "embedding": [float("nan")] * 5} for row in rows]},
        lambda rows: {"data": [{**row, "embedding": [1.0] * (row["index"] + 1)} for row in rows]},
    ],
)
def test_answers_that_are_no_vectors_are_refused_and_not_kept(
    fake: Fake, tmp_path: Path, turn: Callable[[list[dict[str, Any]]], Any]
) -> None:
    tool = Endpoint(fake.url, "small", dimensions=5, cache=tmp_path / "vectors.sqlite")
    true, fake.turn = fake.turn, turn
    with pytest.raises(SourceError, match="need"):
        tool.encode(["a", "b"])
    fake.turn = true
    np.testing.assert_allclose(tool.encode(["a", "b"]), unit(["a", "b"]), atol=ROUNDING)
    tool.close()


def test_a_file_that_holds_no_vectors_is_refused(fake: Fake, tmp_path: Path) -> None:
    file = tmp_path / "vectors.sqlite"
    file.write_bytes(b"this is no database " * 99)
    with pytest.raises(SourceError, match=r"vectors\.sqlite cannot be used"):
        Endpoint(fake.url, "small", dimensions=5, cache=file).encode(["a"])
    assert fake.asked == []


@pytest.mark.parametrize(
    ("url", "key", "said"),
    [
        ("ftp://host/v1", None, "must be http"),
        ("host/v1", None, "must be http"),
        ("http://host:99999/v1", None, "port"),
        ("http://me:secret@host/v1", None, "without"),
        ("http://host/v1?key=secret", None, "without"),
        ("http://example.org/v1", "MY_KEY", "unencrypted"),
    ],
)
def test_addresses_that_cannot_be_used_are_refused_without_their_secrets(
    url: str, key: str | None, said: str
) -> None:
    with pytest.raises(SettingError, match=said) as caught:
        Endpoint(url, "small", key)
    assert "secret" not in str(caught.value)

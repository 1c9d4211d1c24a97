"""A local server of public files that can misbehave, and a register of one file."""

from __future__ import annotations

import hashlib
import http.server
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from isoflop.evidence import sources
from isoflop.evidence.sources import Source

CONTENT = bytes(range(256)) * 1024
"""The registered file: 256 KiB, several chunks long."""
SILENCE = 0.2
"""Seconds after which the tests' clients give up; the slow server stays silent much longer."""


@dataclass
class Server:
    """What the server does with the next requests, and what it was asked."""

    base: str
    mode: str = "whole"
    content: bytes = CONTENT
    seen: list[tuple[str, str | None]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Return a running server; its `mode` chooses how it answers."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            state.seen.append((self.path, asked))
            if state.mode in ("404", "500"):
                self.send_error(int(state.mode))
                return
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and state.mode != "no range" else 0
            body = state.content[start:]
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(body)))
            if start:
                shown = 0 if state.mode == "wrong range" else start
                self.send_header(
                    "Content-Range", f"bytes {shown}-{len(state.content) - 1}/{len(state.content)}"
                )
            self.end_headers()
            if state.mode == "truncated":
                self.wfile.write(body[: len(body) // 2])
            elif state.mode == "slow":
                self.wfile.write(body[: len(body) // 4])
                self.wfile.flush()
                state.released.wait(timeout=20 * SILENCE)
            else:
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.handle_error = lambda *_: None  # a client that hangs up is part of the tests
    state = Server(base=f"http://127.0.0.1:{running.server_port}")
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield state
    state.released.set()
    running.shutdown()
    running.server_close()
    thread.join()
    time.sleep(0)


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Source:
    """Return the only entry of the register: a file with a space in its path."""
    entry = Source(
        name="toy-file",
        instrument="progress",
        repository="someone/something",
        commit="a" * 40,
        path="data/toy file.csv",
        bytes=len(CONTENT),
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        licence="CC BY 4.0",
        citation="Someone (2024), Something",
        local="progress/toy.csv",
    )
    register = {entry.name: entry}
    for module in ("sources", "pull", "location"):
        monkeypatch.setattr(f"isoflop.evidence.{module}.sources", lambda: register)
    assert sources.source("toy_file") is entry
    return entry


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty cache folder that every command uses."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("ISOFLOP_CACHE", str(folder))
    monkeypatch.delenv("ISOFLOP_EVIDENCE", raising=False)
    monkeypatch.delenv("ISOFLOP_MIRROR", raising=False)
    return folder

"""An application over a folder of its own, and a client that calls it by its own name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("starlette", reason="the extra serve is not installed")
pytest.importorskip("python_multipart", reason="the extra serve is not installed")

from starlette.testclient import TestClient

from isoflop.serve import Settings, create_app

ADDRESS = "http://127.0.0.1:8050"
MEGABYTE = 1_000_000


class Visitor:
    """A client with the token that forms carry."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        self.jobs = client.app.state.place.jobs
        self.uploads = client.app.state.place.uploads
        self.get = client.get

    def token(self) -> str:
        return re.search(r'name="csrf" value="([0-9a-f]{64})"', self.get("/data").text)[1]

    def post(self, path, fields=None, **rest):
        return self.client.post(path, data={"csrf": self.token(), **(fields or {})}, **rest)

    def send(self, name: str, content: bytes) -> str:
        """Upload a file and return its id."""
        answer = self.post("/data", files={"file": (name, content)})
        assert answer.status_code == 200, answer.text
        return self.uploads.all()[0].id


def words_of(page: str) -> str:
    """What a reader sees of a page, on one line."""
    import html

    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<svg.*?</svg>|<[^>]+>", " ", page, flags=re.DOTALL)))


@pytest.fixture
def visitor(tmp_path: Path) -> Iterator[Visitor]:
    app = create_app(
        folder=tmp_path, evidence="embedded", settings=Settings(max_upload_bytes=MEGABYTE, rows_shown=5)
    )
    with TestClient(app, base_url=ADDRESS) as client:
        yield Visitor(client)

"""Encoder ``endpoint``: vectors from an OpenAI-shaped embeddings address that the user names.

Vectors of prompts that are encoded together are kept on disk, by digest of address, model and text; no
text is kept. A provider may change a model behind its name: vectors made before and after do not mix, and
nothing here can notice it.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np

from isoflop.errors import EvidenceError, SettingError, SourceError
from isoflop.routing.encoders.interface import EncoderId, Vectors, readable, settings_of
from isoflop.routing.encoders.kept import Kept
from isoflop.routing.encoders.vectors import usable

if TYPE_CHECKING:
    import httpx

MAX_CHARS = 3000
BATCH = 64
TIMEOUT_SECONDS = 30.0
TRIES = 3
LONGEST_WAIT_SECONDS = 10.0
AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Endpoint:
    """Vectors from ``POST url/embeddings``.

    Parameters
    ----------
    url : str
        Up to, and without, ``/embeddings``: ``http://127.0.0.1:8080/v1``.
    model : str
        Name that the server knows.
    api_key_env : str, optional
        Environment variable that holds the key; default: no key is sent.
    dimensions : int, optional
        Width to ask for, where the model offers several. Default: the model's own, found by encoding one
        short text.
    max_chars : int or None
        Longest text sent whole; of longer ones, the first two thirds and the last third.
    cache : path, optional
        File that keeps vectors; default: in the user's cache.

    Raises
    ------
    SettingError
        The address is none, or a key would travel unencrypted.
    """

    name = "endpoint"

    def __init__(
        self,
        url: str,
        model: str,
        api_key_env: str | None = None,
        *,
        dimensions: int | None = None,
        max_chars: int | None = MAX_CHARS,
        cache: Path | str | None = None,
    ) -> None:
        self.url, self.model, self.max_chars = _address(url, bool(api_key_env)), model, max_chars
        self._key, self._dimensions, self._width = api_key_env, dimensions, dimensions
        self._kept = Kept(Path(cache) if cache is not None else None)
        self._client: httpx.Client | None = None
        said = settings_of({"chars": (max_chars, MAX_CHARS)})
        self.version = model + said
        self.weights_sha256 = hashlib.sha256(f"{self.url}\n{model}\n{dimensions}".encode()).hexdigest()

    @property
    def width(self) -> int:
        """Length of a vector; asked for once where `dimensions` does not say it."""
        if self._width is None:
            self._width = self._vectors(["width"]).shape[1]
        return self._width

    @property
    def id(self) -> EncoderId:
        """Identity."""
        return EncoderId(
            name=self.name, version=self.version, width=self.width, weights_sha256=self.weights_sha256
        )

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, shape (n, width), asking only for texts that are not kept yet.

        Raises
        ------
        SourceError
            The server cannot be reached, refuses, or answers with something else than vectors.
        """
        short = [readable(text, self.max_chars) for text in texts]
        if not short:
            return np.zeros((0, self.width), dtype=np.float32)
        keys = [self._digest(text) for text in short]
        known = self._kept.read(keys)
        lacking = {key: text for key, text in zip(keys, short, strict=True) if key not in known}
        for start in range(0, len(lacking), BATCH):
            part = list(lacking)[start : start + BATCH]
            new = dict(zip(part, self._vectors([lacking[key] for key in part]), strict=True))
            self._kept.write(new)
            known.update(new)
        return usable([known[key] for key in keys], len(short), self)

    def encode_one(self, text: str) -> Vectors:
        """Return the unit vector of one text, shape (width,); a text of live traffic is not kept."""
        short = readable(text, self.max_chars)
        key = self._digest(short)
        known = self._kept.read([key])
        return np.asarray(known[key] if known else self._vectors([short])[0])

    def reads_whole(self, text: str) -> bool:
        """Return whether all of a text counts."""
        return self.max_chars is None or len(text) <= self.max_chars

    def close(self) -> None:
        """Close connections to the server; the next question opens one again."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _digest(self, text: str) -> bytes:
        return hashlib.sha256(f"{self.weights_sha256}\n{text}".encode()).digest()

    def _vectors(self, texts: list[str]) -> Vectors:
        asked = self._asked(texts)
        if self._width is None and isinstance(asked[0], list):
            self._width = len(asked[0])
        try:
            return usable(asked, len(texts), self)
        except EvidenceError as problem:
            raise SourceError(
                f"Endpoint: {self.url} gave no usable vectors for model {self.model!r}: {problem}"
            ) from problem

    def _asked(self, texts: list[str]) -> list[Any]:
        """Return the embeddings of one request, in order."""
        wanted: dict[str, Any] = {"model": self.model, "input": texts, "encoding_format": "float"}
        if self._dimensions is not None:
            wanted["dimensions"] = self._dimensions
        said = self._posted(wanted)
        try:
            rows = {int(one["index"]): one["embedding"] for one in said["data"]}
            return [rows[at] for at in range(len(texts))]
        except (KeyError, TypeError, ValueError) as problem:
            raise SourceError(
                f"Endpoint: {self.url} answered without {len(texts)} vectors, needs "
                "{'data': [{'index': 0, 'embedding': [...]}, ...]}. Check address and model."
            ) from problem

    def _posted(self, wanted: dict[str, Any]) -> Any:
        """Return the answer to one request, tried again where the server may recover."""
        import httpx

        if self._client is None:
            # A server on this machine is not reached through a proxy.
            outside = urlsplit(self.url).hostname not in LOOPBACK
            self._client = httpx.Client(timeout=TIMEOUT_SECONDS, follow_redirects=False, trust_env=outside)
        problem = "no answer"
        for attempt in range(TRIES):
            wait = 0.5 * 2**attempt
            try:
                answer = self._client.post(f"{self.url}/embeddings", json=wanted, headers=self._headers())
            except httpx.TransportError as trouble:
                problem = type(trouble).__name__
            else:
                if answer.status_code == httpx.codes.OK:
                    return _json(answer)
                problem = f"status {answer.status_code}"
                if answer.status_code not in AGAIN:
                    break
                wait = _wait(answer.headers.get("retry-after"), wait)
            if attempt < TRIES - 1:
                time.sleep(wait)
        raise SourceError(
            f"Endpoint: {self.url} gave {problem}, needs an answer to POST /embeddings for model "
            f"{self.model!r}. Check that it runs, the model's name and the key."
        )

    def _headers(self) -> dict[str, str]:
        if self._key is None:
            return {}
        key = os.environ.get(self._key, "").strip()
        if not key:
            raise SettingError(
                f"Endpoint: environment variable {self._key} is empty, needs the key for {self.url}. Set it."
            )
        return {"authorization": f"Bearer {key}"}


def _address(url: str, with_key: bool) -> str:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as problem:
        raise SettingError(
            f"Endpoint: url: {problem}, needs http(s)://host:port/path. Check it."
        ) from problem
    if (
        port == 0
        or parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.username
        or parts.query
    ):
        raise SettingError(
            f"Endpoint: url={parts.scheme}://{parts.hostname or ''}…, must be http(s)://host/path without "
            "name, password or query. Give keys by api_key_env."
        )
    if with_key and parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise SettingError(
            f"Endpoint: a key for http://{parts.hostname} would travel unencrypted, needs https. Change url."
        )
    return url.rstrip("/").removesuffix("/embeddings")


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None


def _wait(said: str | None, otherwise: float) -> float:
    """Return how many seconds to wait, as the server says where it says a number."""
    try:
        return min(max(float(said or ""), 0.0), LONGEST_WAIT_SECONDS)
    except ValueError:
        return otherwise

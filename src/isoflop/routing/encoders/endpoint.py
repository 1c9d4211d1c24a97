"""An embeddings endpoint as encoder: vectors are asked for once and kept on disk."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from isoflop.errors import EvidenceError, SettingError, SourceError
from isoflop.findings import write_atomically
from isoflop.routing.encoders.interface import EncoderId, Vectors, shortened, unit

BATCH = 64
TIMEOUT_S = 60.0


class Endpoint:
    """Vectors from an address that answers like OpenAI's ``/v1/embeddings``.

    Nothing is asked before `encode` is called, and each text is asked for once: vectors are kept by model and
    hash of the text.

    Parameters
    ----------
    url : str
        Whole address, ending in ``/embeddings``.
    model : str
        Name that the endpoint knows.
    width : int
        Length of its vectors.
    api_key_env : str, optional
        Environment variable that holds the key.
    cache : path, optional
        Folder for vectors; default: the user's cache.
    max_chars : int or None
        Longest text sent whole.

    Raises
    ------
    SettingError
        The address is no http address, or the environment variable is not set.
    """

    name = "endpoint"

    def __init__(
        self,
        url: str,
        model: str,
        *,
        width: int,
        api_key_env: str | None = None,
        cache: Path | None = None,
        max_chars: int | None = None,
    ) -> None:
        if not url.startswith(("http://", "https://")):
            raise SettingError(f"Endpoint: url={url!r}, needs http:// or https://. Give the whole address.")
        if api_key_env is not None and not os.environ.get(api_key_env):
            raise SettingError(
                f"Endpoint: environment variable {api_key_env} is not set, needs the key. Set it; a key is "
                "never "
                "written down."
            )
        self.url, self.model, self.width, self.max_chars = url, model, width, max_chars
        self._key_env = api_key_env
        self._cache = cache

    @property
    def version(self) -> str:
        """The endpoint's name of the model."""
        return self.model

    @property
    def weights_sha256(self) -> str:
        """Digest of address and model: the weights are not ours to read."""
        return hashlib.sha256(f"{self.url} {self.model}".encode()).hexdigest()

    @property
    def id(self) -> EncoderId:
        """Identity."""
        return EncoderId(
            name=self.name, version=self.model, width=self.width, weights_sha256=self.weights_sha256
        )

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, shape (n, width), in the order of the texts.

        Raises
        ------
        SourceError
            The endpoint does not answer, or not with the vectors asked for.
        """
        short = [shortened(text, self.max_chars) for text in texts]
        places = [self._place(text) for text in short]
        wanted = {str(p): text for p, text in zip(places, short, strict=True) if not p.is_file()}
        missing = list(wanted)
        for start in range(0, len(missing), BATCH):
            part = missing[start : start + BATCH]
            for place, vector in zip(part, self._ask([wanted[one] for one in part]), strict=True):
                write_atomically(Path(place), vector.astype("<f4").tobytes())
        found = [np.frombuffer(place.read_bytes(), dtype="<f4") for place in places]
        return unit(np.stack(found)) if found else np.zeros((0, self.width), dtype=np.float32)

    def encode_one(self, text: str) -> Vectors:
        """Return the unit vector of one text, shape (width,)."""
        return np.asarray(self.encode([text])[0])

    def _ask(self, texts: list[str]) -> list[Vectors]:
        import httpx

        headers = {"authorization": f"Bearer {os.environ[self._key_env]}"} if self._key_env else {}
        try:
            answer = httpx.post(
                self.url,
                json={"model": self.model, "input": texts, "encoding_format": "float"},
                headers=headers,
                timeout=TIMEOUT_S,
            )
            answer.raise_for_status()
            rows = sorted(answer.json()["data"], key=lambda row: row["index"])
            vectors = [np.asarray(row["embedding"], dtype=np.float32) for row in rows]
        except (httpx.HTTPError, json.JSONDecodeError, KeyError, TypeError, ValueError) as problem:
            raise SourceError(
                f"Endpoint: {self.url} did not give vectors ({type(problem).__name__}), needs an answer like "
                "OpenAI's /v1/embeddings. Vectors asked for so far are kept; try again."
            ) from problem
        self._check(vectors, len(texts))
        return vectors

    def _check(self, vectors: list[Vectors], n: int) -> None:
        if len(vectors) != n or any(vector.shape != (self.width,) for vector in vectors):
            shapes = sorted({vector.shape for vector in vectors})
            raise EvidenceError(
                f"Endpoint: {len(vectors)} vectors of shape {shapes} came, needs {n} of ({self.width},). "
                "Check "
                "model and width."
            )

    def _place(self, text: str) -> Path:
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        return self._folder() / self.weights_sha256[:16] / digest[:2] / digest

    def _folder(self) -> Path:
        if self._cache is not None:
            return self._cache
        from platformdirs import user_cache_path

        return user_cache_path("isoflop") / "vectors"

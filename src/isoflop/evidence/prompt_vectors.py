"""Vectors of the shipped prompts, so that a router of them needs no encoder to be fitted."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import EvidenceError
from isoflop.findings import write_atomically

SHIPPED = "measured_prompt_vectors.npz"
_WORDS = ("encoder", "version", "weights_sha256", "prompts_sha256")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PromptVectors:
    """Vectors of a table of prompts, with the encoder that made them.

    Parameters
    ----------
    vectors : array of float32, shape (n, width)
        Unit rows, in the order of the prompts; stored in half precision, so that a coordinate is right to
        about 3 digits.
    encoder, version, weights_sha256 : str
        Identity of the encoder.
    prompts_sha256 : str
        Digest of the texts, from `digest`.
    """

    vectors: NDArray[np.float32]
    encoder: str
    version: str
    weights_sha256: str
    prompts_sha256: str

    def of(self, prompts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors, if they are those of these prompts in this order.

        Raises
        ------
        EvidenceError
            They are of other prompts.
        """
        if digest(prompts) != self.prompts_sha256:
            raise EvidenceError(
                f"prompt vectors: made for {len(self.vectors)} other prompts than the {len(prompts)} given, "
                "need the same texts in the same order. Encode the prompts again."
            )
        return self.vectors


def digest(prompts: Sequence[str]) -> str:
    """Return the sha256 of texts in their order.

    Examples
    --------
    >>> digest(["a", "b"]) == digest(["ab"])
    False
    """
    return hashlib.sha256("\0".join(prompts).encode()).hexdigest()


def measured_vectors() -> PromptVectors:
    """Return the vectors of the shipped table ``measured_prompts``, in its order."""
    return read_vectors(files("isoflop.evidence").joinpath("tables", SHIPPED).read_bytes(), SHIPPED)


def read_vectors(content: bytes, where: str) -> PromptVectors:
    """Read vectors from the bytes of a file that `write_vectors` wrote.

    Parameters
    ----------
    content : bytes
    where : str
        Name of the file, for messages.

    Raises
    ------
    EvidenceError
        The bytes are no such file.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            stored = np.asarray(file["vectors"], dtype=np.float32)
            words = {name: str(file[name]) for name in _WORDS}
    except (ValueError, KeyError, OSError, EOFError, BadZipFile) as error:
        raise EvidenceError(f"{where}: no file of prompt vectors ({error}). Make it again.") from error
    length = np.linalg.norm(stored, axis=1, keepdims=True) if stored.ndim == 2 else np.zeros(1)
    if not (length > 0).all():
        raise EvidenceError(f"{where}: shape {stored.shape}, needs non-zero rows. Make it again.")
    return PromptVectors(vectors=stored / length, **words)


def write_vectors(
    path: Path,
    vectors: NDArray[np.float32],
    *,
    prompts: Sequence[str],
    encoder: str,
    version: str,
    weights_sha256: str,
) -> None:
    """Write vectors in half precision with the encoder's identity.

    Parameters
    ----------
    path : Path
    vectors : array, shape (n, width)
    prompts : sequence of str, length n
    encoder, version, weights_sha256 : str
    """
    if len(vectors) != len(prompts):
        raise EvidenceError(
            f"write_vectors: {len(vectors)} vectors for {len(prompts)} prompts. Give one a prompt."
        )
    content = io.BytesIO()
    np.savez_compressed(
        content,
        vectors=vectors.astype(np.float16),
        encoder=encoder,
        version=version,
        weights_sha256=weights_sha256,
        prompts_sha256=digest(prompts),
    )
    write_atomically(path, content.getvalue())

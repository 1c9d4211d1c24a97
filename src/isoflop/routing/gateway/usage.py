"""Tokens that an upstream says it used, read from an answer while it passes by.

The last ``"usage"`` object counts: streams carry null until their end. Inside a text the quotes would be
escaped, so a model cannot write itself a cheap answer.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

_KEY: Final = b'"usage"'
_LONGEST: Final = 4096
"""Bytes looked at from the key on: usage objects take some 200 to 600."""
_PIECE: Final = 64 * 1024
_LARGEST: Final = 10**12
"""No call takes as many tokens; a larger number is no count, and may not fit a float."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens read and written by a model."""

    tokens_in: int
    tokens_out: int


class UsageReader:
    """Finds the usage in a body that is fed to it in pieces, plain or compressed by gzip or deflate.

    Parameters
    ----------
    encoding : bytes
        Value of ``content-encoding``; another one leaves the usage unknown.

    Examples
    --------
    >>> reader = UsageReader()
    >>> for piece in (b'{"id": 1, "us', b'age": {"prompt_tokens": 7, "completion_tokens": 2}}'):
    ...     reader.feed(piece)
    >>> reader.usage()
    Usage(tokens_in=7, tokens_out=2)
    """

    def __init__(self, encoding: bytes = b"") -> None:
        name = encoding.strip().lower()
        self._is_readable = name in (b"", b"identity", b"gzip", b"deflate")
        # 32 + 15: zlib tells gzip from zlib by the header.
        self._unpack = zlib.decompressobj(47) if name in (b"gzip", b"deflate") else None
        self._carry = b""
        self._open = b""
        self._usage: Usage | None = None

    def feed(self, chunk: bytes) -> None:
        """Look at the next bytes of the body."""
        if self._is_readable:
            for piece in self._plain(chunk):
                self._look(piece)

    def usage(self) -> Usage | None:
        """Return the usage found so far."""
        self._close()
        return self._usage

    def _plain(self, chunk: bytes) -> Iterator[bytes]:
        if self._unpack is None:
            yield chunk
            return
        try:
            while chunk:
                yield self._unpack.decompress(chunk, _PIECE)
                chunk = self._unpack.unconsumed_tail
        except zlib.error:
            self._is_readable = False

    def _look(self, piece: bytes) -> None:
        seen = self._carry + piece
        at = seen.rfind(_KEY)
        if at >= 0:
            self._close()
            self._open = seen[at : at + _LONGEST]
        elif self._open:
            self._open += piece[: _LONGEST - len(self._open)]
        self._carry = seen[-(len(_KEY) - 1) :] if at < 0 else seen[max(at + 1, len(seen) - len(_KEY) + 1) :]

    def _close(self) -> None:
        if self._open:
            self._usage = _read(self._open) or self._usage


def _read(found: bytes) -> Usage | None:
    text = found[len(_KEY) :].decode("utf-8", "replace").lstrip().removeprefix(":").lstrip()
    try:
        value, _end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    tokens_in = _count(value.get("prompt_tokens", value.get("input_tokens")))
    tokens_out = _count(value.get("completion_tokens", value.get("output_tokens", 0)))
    return None if tokens_in is None or tokens_out is None else Usage(tokens_in, tokens_out)


def _count(value: Any) -> int | None:
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST
    return value if is_count else None

"""Which headers go on to a provider, and which come back."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from functools import lru_cache
from time import time
from typing import Final
from urllib.parse import urlsplit

from isoflop.routing.gateway.targets import RawHeaders, Target

_OF_ONE_CONNECTION: Final = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer "
    b"transfer-encoding upgrade".split()
)
_CREDENTIALS: Final = frozenset(b"authorization api-key x-api-key".split())
_NOT_SENT_ON: Final = _OF_ONE_CONNECTION | frozenset(
    # Made anew, or about the client and its way here, which are no provider's business.
    b"host content-length expect cookie forwarded via x-forwarded-for x-forwarded-host x-forwarded-proto "
    b"x-forwarded-port x-real-ip origin referer".split()
)
_OURS: Final = b"x-isoflop-"
_UNFIT: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
"""Bytes that no header value may hold (RFC 9110, 5.5)."""


def request_head(target: Target, headers: RawHeaders, length: int) -> bytes:
    """Return the request line and headers for one target.

    Parameters
    ----------
    target : Target
    headers : pairs of bytes
        Of the client, names in lower case. Their order is kept.
    length : int
        Bytes of the body that follows.

    Examples
    --------
    >>> target = Target(model="m", provider="p", base_url="http://up:8080/v1", path="/chat/completions",
    ...                 upstream_name="m", headers=((b"authorization", b"Bearer theirs"),))
    >>> head = request_head(target, [(b"authorization", b"Bearer ours"), (b"x-any", b"1")], 2)
    >>> head.split(b"\\r\\n")[:4]
    [b'POST /v1/chat/completions HTTP/1.1', b'host: up:8080', b'x-any: 1', b'authorization: Bearer theirs']
    """
    left_out = _NOT_SENT_ON if target.forward_authorization else _NOT_SENT_ON | _CREDENTIALS
    own = _names(target.headers)
    lines = [_first_lines(target.base_url, target.path)]
    named = connection_names(headers)
    for name, value in headers:
        if not (name in left_out or name in own or name in named or name.startswith(_OURS)):
            lines.append(b"%s: %s" % (name, value))
    lines += [b"%s: %s" % pair for pair in target.headers if not _UNFIT.search(pair[1])]
    return b"\r\n".join([*lines, b"content-length: %d\r\n\r\n" % length])


def response_headers(headers: RawHeaders) -> list[tuple[bytes, bytes]]:
    """Return the headers of an answer without those of one connection and those no client should see.

    Examples
    --------
    >>> response_headers([(b"connection", b"x-hop"), (b"x-hop", b"1"), (b"content-encoding", b"gzip")])
    [(b'content-encoding', b'gzip')]
    """
    named = connection_names(headers)
    return [
        (name, value)
        for name, value in headers
        if name not in _OF_ONE_CONNECTION and name not in named and not _UNFIT.search(value)
    ]


def retry_after_s(headers: RawHeaders) -> float | None:
    """Return the seconds that a ``retry-after`` asks for, or None without a readable one.

    Examples
    --------
    >>> retry_after_s([(b"retry-after", b"2")]), retry_after_s([(b"retry-after", b"soon")])
    (2.0, None)
    """
    text = next((value.decode("latin-1").strip() for name, value in headers if name == b"retry-after"), "")
    try:
        return max(float(text), 0.0) if text[:1].isdigit() else _until(text)
    except ValueError:
        return None


def connection_names(headers: RawHeaders) -> frozenset[bytes]:
    """Return the names that ``connection`` declares to be of one connection."""
    found = [value for name, value in headers if name == b"connection"]
    if not found or found in ([b"keep-alive"], [b"close"]):
        return frozenset()
    return frozenset(part.strip().lower() for value in found for part in value.split(b","))


def _until(text: str) -> float | None:
    return max(parsedate_to_datetime(text).timestamp() - time(), 0.0) if text else None


@lru_cache(maxsize=1024)
def _first_lines(base_url: str, path: str) -> bytes:
    parts = urlsplit(base_url)
    host = parts.netloc.rpartition("@")[2]
    return f"POST {parts.path.rstrip('/')}{path} HTTP/1.1\r\nhost: {host}".encode("ascii")


@lru_cache(maxsize=1024)
def _names(headers: tuple[tuple[bytes, bytes], ...]) -> frozenset[bytes]:
    return frozenset(name for name, _ in headers)
